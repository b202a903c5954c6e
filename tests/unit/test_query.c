/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/query.h"

#include <string.h>

#include "tests/unit/unit.h"

#define ALLOWED "limit after"

static const struct {
	const char *text;
	enum err err;
	const char *limit, *after; /* NULL: not given */
} cases[] = {
	{ "", ERR_OK, NULL, NULL },
	{ "limit=5", ERR_OK, "5", NULL },
	{ "after=a%2Bb&limit=5", ERR_OK, "5", "a+b" },
	{ "after=a+b", ERR_OK, NULL, "a b" },
	{ "after=", ERR_OK, NULL, "" },
	{ "after=a=b", ERR_OK, NULL, "a=b" },
	{ "%6Cimit=5", ERR_OK, "5", NULL },
	{ "limit", ERR_QUERY, NULL, NULL },
	{ "limti=5", ERR_QUERY, NULL, NULL },
	{ "Limit=5", ERR_QUERY, NULL, NULL },
	{ "limi=5", ERR_QUERY, NULL, NULL },
	{ "=5", ERR_QUERY, NULL, NULL },
	{ "limit+after=5", ERR_QUERY, NULL, NULL },
	{ "limit=5&limit=5", ERR_QUERY, NULL, NULL },
	{ "limit=5&%6Cimit=6", ERR_QUERY, NULL, NULL },
	{ "limit=5&", ERR_QUERY, NULL, NULL },
	{ "&limit=5", ERR_QUERY, NULL, NULL },
	{ "limit=%", ERR_QUERY, NULL, NULL },
	{ "limit=%0", ERR_QUERY, NULL, NULL },
	{ "limit=%00", ERR_QUERY, NULL, NULL },
	{ "limit=%g0", ERR_QUERY, NULL, NULL },
};

static void check_value(const struct query *query, const char *name, const char *expected)
{
	const char *value = query_find(query, name);

	ck_assert_int_eq(value == NULL, expected == NULL);
	if (value != NULL)
		ck_assert_str_eq(value, expected);
}

START_TEST(query_read_takes_known_parameters_once)
{
	struct query query = { .count = 0 };
	char why[QUERY_WHY_SIZE];
	const enum err err = query_read(ALLOWED, cases[_i].text, &query, why);

	ck_assert_msg(err == cases[_i].err, "%s", cases[_i].text);
	check_value(&query, "limit", cases[_i].limit);
	check_value(&query, "after", cases[_i].after);
}
END_TEST

START_TEST(query_read_refuses_everything_where_nothing_is_allowed)
{
	struct query query;
	char why[QUERY_WHY_SIZE];

	ck_assert_int_eq(query_read("", "a=1", &query, why), ERR_QUERY);
	ck_assert_str_eq(why, "This path takes no query parameters.");
}
END_TEST

START_TEST(query_read_does_not_repeat_what_it_does_not_know)
{
	struct query query;
	char why[QUERY_WHY_SIZE];

	ck_assert_int_eq(query_read(ALLOWED, "secret=1", &query, why), ERR_QUERY);
	ck_assert_ptr_null(strstr(why, "secret"));
}
END_TEST

static const struct {
	const char *text;
	bool valid;
	int64_t value;
} integers[] = {
	{ "", true, 50 },
	{ "limit=1", true, 1 },
	{ "limit=200", true, 200 },
	{ "limit=007", true, 7 },
	{ "limit=0", false, 0 },
	{ "limit=201", false, 0 },
	{ "limit=-1", false, 0 },
	{ "limit=%2B1", false, 0 },
	{ "limit=+1", false, 0 },
	{ "limit=1.0", false, 0 },
	{ "limit=1e1", false, 0 },
	{ "limit=", false, 0 },
	{ "limit=99999999999999999999999999", false, 0 },
};

START_TEST(query_integer_is_plain_and_within_its_range)
{
	static const int64_t range[2] = { 1, 200 };
	struct query query;
	char why[QUERY_WHY_SIZE];
	int64_t value = 0;

	ck_assert_int_eq(query_read(ALLOWED, integers[_i].text, &query, why), ERR_OK);
	ck_assert_int_eq(query_integer(&query, "limit", range, 50, &value), integers[_i].valid);
	ck_assert_int_eq(value, integers[_i].value);
}
END_TEST

UNIT_MAIN("query", {
	tcase_add_loop_test(tests, query_read_takes_known_parameters_once, 0,
			    (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, query_read_refuses_everything_where_nothing_is_allowed);
	tcase_add_test(tests, query_read_does_not_repeat_what_it_does_not_know);
	tcase_add_loop_test(tests, query_integer_is_plain_and_within_its_range, 0,
			    (int)(sizeof integers / sizeof integers[0]));
})
