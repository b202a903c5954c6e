/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Which traceparents are taken, and what gateways are told. */
#include "core/trace.h"

#include "tests/unit/unit.h"

#include <string.h>

#define ID "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static const struct parsing {
	const char *text;
	const char *id; /* NULL: refused */
	unsigned flags;
} parsings[] = {
	{ "00-" ID "-" PARENT "-01", ID, 1 },
	{ "00-" ID "-" PARENT "-00", ID, 0 },
	{ "00-" ID "-" PARENT "-ff", ID, 1 },
	{ "00-" ID "-" PARENT "-02", ID, 0 },
	{ "00-00000000000000000000000000000001-0000000000000001-01",
	  "00000000000000000000000000000001", 1 },
	{ "01-" ID "-" PARENT "-01", ID, 1 },
	{ "cc-" ID "-" PARENT "-01-what-the-future-will-be-like", ID, 1 },
	{ "fe-" ID "-" PARENT "-01-", ID, 1 },
	{ "", NULL, 0 },
	{ "00", NULL, 0 },
	{ "ff-" ID "-" PARENT "-01", NULL, 0 },
	{ "00-" ID "-" PARENT "-01-", NULL, 0 },
	{ "00-" ID "-" PARENT "-01x", NULL, 0 },
	{ "cc-" ID "-" PARENT "-01x", NULL, 0 },
	{ "00-" ID "-" PARENT "-0", NULL, 0 },
	{ "00-" ID "-" PARENT, NULL, 0 },
	{ "00-" ID "_" PARENT "-01", NULL, 0 },
	{ "00_" ID "-" PARENT "-01", NULL, 0 },
	{ "00-" ID "-" PARENT "_01", NULL, 0 },
	{ "0-0" ID "-" PARENT "-01", NULL, 0 },
	{ "0G-" ID "-" PARENT "-01", NULL, 0 },
	{ "00-" ID "-" PARENT "-0G", NULL, 0 },
	{ "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01", NULL, 0 },
	{ "00-" ID "-B7AD6B7169203331-01", NULL, 0 },
	{ "00-00000000000000000000000000000000-" PARENT "-01", NULL, 0 },
	{ "00-" ID "-0000000000000000-01", NULL, 0 },
	{ " 00-" ID "-" PARENT "-01", NULL, 0 },
	{ "00-" ID "-" PARENT "-01,00-" ID "-" PARENT "-01", NULL, 0 },
};

START_TEST(trace_parse_takes_what_the_standard_does)
{
	const struct parsing *parsing = &parsings[_i];
	struct trace trace = { .size = 0 };
	char id[TRACE_ID_TEXT_SIZE];

	ck_assert_int_eq(trace_parse(parsing->text, &trace), parsing->id != NULL);

	ck_assert_uint_eq(trace.size, parsing->id != NULL ? TRACE_SIZE : 0);
	ck_assert_str_eq(trace_id_text(&trace, id), parsing->id != NULL ? parsing->id : "");
	ck_assert_uint_eq(trace.bytes[TRACE_ID_SIZE], parsing->flags);
}
END_TEST

START_TEST(trace_format_is_taken_again_with_another_parent)
{
	static const uint8_t parent[TRACE_PARENT_SIZE] = { 0, 1, 2, 3, 0xfc, 0xfd, 0xfe, 0xff };
	struct trace trace, again;
	char text[TRACE_TEXT_SIZE];

	ck_assert(trace_parse("cc-" ID "-" PARENT "-03-more", &trace));

	ck_assert_str_eq(trace_format(&trace, parent, text), "00-" ID "-00010203fcfdfeff-01");
	ck_assert(trace_parse(text, &again));
	ck_assert_mem_eq(again.bytes, trace.bytes, TRACE_SIZE);
}
END_TEST

START_TEST(no_trace_is_formatted_as_nothing)
{
	static const uint8_t parent[TRACE_PARENT_SIZE] = { 1 };
	const struct trace none = { .size = 0 };
	char text[TRACE_TEXT_SIZE] = "x";

	ck_assert_str_eq(trace_format(&none, parent, text), "");
}
END_TEST

UNIT_MAIN("trace", {
	tcase_add_loop_test(tests, trace_parse_takes_what_the_standard_does, 0,
			    (int)(sizeof parsings / sizeof parsings[0]));
	tcase_add_test(tests, trace_format_is_taken_again_with_another_parent);
	tcase_add_test(tests, no_trace_is_formatted_as_nothing);
})
