/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/near.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *a, *b;
	size_t distance;
} distances[] = {
	{ "", "", 0 },
	{ "", "port", 4 },
	{ "port", "port", 0 },
	{ "port", "PoRt", 0 },
	{ "port", "prt", 1 },
	{ "port", "porrt", 1 },
	{ "port", "part", 1 },
	{ "port", "prot", 1 },
	{ "kitten", "sitting", 3 },
	{ "ca", "abc", 3 }, /* optimal string alignment edits no substring twice */
};

START_TEST(near_distance_counts_edits_both_ways)
{
	ck_assert_uint_eq(near_distance(distances[_i].a, distances[_i].b), distances[_i].distance);
	ck_assert_uint_eq(near_distance(distances[_i].b, distances[_i].a), distances[_i].distance);
}
END_TEST

static const char *const known[] = { "database",  "database.pool_size", "database.host",
				     "log.level", "check-config",	"token_keys" };

static const struct {
	const char *wanted, *best; /* NULL: nothing is near */
} cases[] = {
	{ "database.pool_sze", "database.pool_size" },
	{ "databse.pool_size", "database.pool_size" },
	{ "databse", "database" },
	{ "pool_size", "database.pool_size" },
	{ "server.host", "database.host" },
	{ "log_level", "log.level" },
	{ "chekc-config", "check-config" },
	{ "TOKEN_KEYS", "token_keys" },
	{ "frobnicate", NULL },
	{ "x", NULL },
	{ "", NULL },
};

START_TEST(near_best_is_what_was_probably_meant)
{
	struct near near;
	const char *best;

	near_start(&near, cases[_i].wanted);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		near_offer(&near, known[i]);
	best = near_best(&near);

	ck_assert_int_eq(best == NULL, cases[_i].best == NULL);
	if (best != NULL)
		ck_assert_str_eq(best, cases[_i].best);
}
END_TEST

START_TEST(near_finds_nothing_for_a_name_that_is_too_long)
{
	char wanted[NEAR_NAME_MAX + 2];
	struct near near;

	memset(wanted, 'a', sizeof wanted - 1);
	wanted[sizeof wanted - 1] = '\0';
	near_start(&near, wanted);
	near_offer(&near, wanted);
	near_offer(&near, "a");

	ck_assert_ptr_null(near_best(&near));
	ck_assert_uint_eq(near_distance(wanted, wanted), NEAR_NAME_MAX + 1);
}
END_TEST

UNIT_MAIN("near", {
	tcase_add_loop_test(tests, near_distance_counts_edits_both_ways, 0,
			    (int)(sizeof distances / sizeof distances[0]));
	tcase_add_loop_test(tests, near_best_is_what_was_probably_meant, 0,
			    (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, near_finds_nothing_for_a_name_that_is_too_long);
})
