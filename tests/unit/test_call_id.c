/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/call_id.h"

#include <string.h>

#include "tests/unit/unit.h"

#define SIXTY_FOUR "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *id;
	bool taken;
} ids[] = {
	{ "a", true },
	{ "req-1_2.Z", true },
	{ SIXTY_FOUR, true },
	{ "1f0a9c1e-8a52-4411-1111-111111111111", true }, /* digits that only follow each other */
	{ "4111x111111111111", true },
	{ "", false },
	{ SIXTY_FOUR "a", false },
	{ "a b", false },
	{ "a,b", false },
	{ "a\nb", false },
	{ "caf\xc3\xa9", false },
	{ "4111111111111111", false },
	{ "4111-1111-1111-1111", false },
	{ "req-4111111111111111", false },
};

START_TEST(call_id_choose_takes_usable_ids_only)
{
	const struct http_call call = { .lines = { { "x-request-id", ids[_i].id } },
					.line_count = 1 };
	char chosen[CALL_ID_SIZE];

	ck_assert_ptr_eq(call_id_choose(&call, chosen), chosen);
	ck_assert_msg((strcmp(chosen, ids[_i].id) == 0) == ids[_i].taken, "%s", ids[_i].id);
	ck_assert_uint_ge(strlen(chosen), 1);
}
END_TEST

START_TEST(call_id_choose_falls_back_from_header_to_header_to_chance)
{
	struct http_call call = { .lines = { { "X-Request-Id", "one" },
					     { "X-Api-Call-Id", "two" },
					     { "X-Request-Id", "three" } },
				  .line_count = 2 };
	char chosen[CALL_ID_SIZE], other[CALL_ID_SIZE];

	ck_assert_str_eq(call_id_choose(&call, chosen), "one");
	call.line_count = 3; /* X-Request-Id twice: which is it? */
	ck_assert_str_eq(call_id_choose(&call, chosen), "two");
	call.line_count = 0;
	ck_assert_uint_eq(strlen(call_id_choose(&call, chosen)), 32);
	ck_assert_str_ne(call_id_choose(&call, other), chosen);
}
END_TEST

UNIT_MAIN("call_id", {
	tcase_add_loop_test(tests, call_id_choose_takes_usable_ids_only, 0,
			    (int)(sizeof ids / sizeof ids[0]));
	tcase_add_test(tests, call_id_choose_falls_back_from_header_to_header_to_chance);
})
