/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/etag.h"

#include "tests/unit/unit.h"

static struct http_call call_with(const char *name, const char *first, const char *second)
{
	struct http_call call = { .lines = { { "Host", "\"7\"" }, { name, first } },
				  .line_count = 2 };

	if (second != NULL)
		call.lines[call.line_count++] = (struct http_line){ name, second };
	return call;
}

static const struct {
	const char *first, *second; /* lines; second may be NULL */
	bool held;                  /* as If-None-Match of version 7 */
	bool wanted;                /* as If-Match of version 7 */
} cases[] = {
	{ "\"7\"", NULL, true, true },
	{ "*", NULL, true, true },
	{ "\"6\", \"7\"", NULL, true, true },
	{ "\"6\",\"7\"", NULL, true, true },
	{ "\"6\"", "\"7\"", true, true },
	{ " , \"7\" ,", NULL, true, true },
	{ "W/\"7\"", NULL, true, false },
	{ "\"x\", \"7\"", NULL, true, true },
	{ "\"8\"", NULL, false, false },
	{ "7", NULL, false, false },
	{ "\"7", NULL, false, false },
	{ "7\"", NULL, false, false },
	{ "\"07\"", NULL, false, false },
	{ "\"+7\"", NULL, false, false },
	{ "\"77\"", NULL, false, false },
	{ "\"\"", NULL, false, false },
	{ "\"", NULL, false, false },
	{ "", NULL, false, false },
	{ "\"4294967303\"", NULL, false, false }, /* 7 and 2^32 */
	{ "w/\"7\"", NULL, false, false },
	{ "**", NULL, false, false },
};

START_TEST(etag_conditions_name_versions)
{
	struct http_call call = call_with("If-None-Match", cases[_i].first, cases[_i].second);
	struct version_match match;

	ck_assert_int_eq(etag_is_held(&call, 7), cases[_i].held);
	ck_assert_ptr_null(etag_wanted(&call, &match));

	call = call_with("if-match", cases[_i].first, cases[_i].second);
	ck_assert(!etag_is_held(&call, 7));
	ck_assert_ptr_eq(etag_wanted(&call, &match), &match);
	ck_assert_int_eq(version_matches(&match, 7), cases[_i].wanted);
}
END_TEST

START_TEST(etag_reads_so_many_wanted_versions_and_no_more)
{
	struct http_call call = call_with(
		"If-Match", "\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\"", NULL);
	struct version_match match;

	ck_assert_ptr_nonnull(etag_wanted(&call, &match));
	ck_assert_uint_eq(match.count, VERSIONS_MAX);
	ck_assert(version_matches(&match, 8));
	ck_assert(!version_matches(&match, 9));
}
END_TEST

START_TEST(etag_is_the_quoted_version)
{
	struct http_reply reply = { .status = 200 };

	etag_set(&reply, UINT32_MAX);

	ck_assert_str_eq(reply.headers[0].name, "ETag");
	ck_assert_str_eq(reply.headers[0].value, "\"4294967295\"");
}
END_TEST

START_TEST(version_matches_anything_where_nothing_was_asked)
{
	ck_assert(version_matches(NULL, 1));
	ck_assert(!version_matches(&(struct version_match){ .any = false }, 1));
}
END_TEST

UNIT_MAIN("etag", {
	tcase_add_loop_test(tests, etag_conditions_name_versions, 0,
			    (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, etag_reads_so_many_wanted_versions_and_no_more);
	tcase_add_test(tests, etag_is_the_quoted_version);
	tcase_add_test(tests, version_matches_anything_where_nothing_was_asked);
})
