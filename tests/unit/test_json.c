/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define COUNT(ARRAY) ((int)(sizeof(ARRAY) / sizeof *(ARRAY)))
#define DEPTH_MAX 4
#define TEXT(LITERAL) LITERAL, sizeof(LITERAL) - 1 /* so that a text may hold NUL */

struct accepted_case {
	const char *text;
	size_t size;
};

/* clang-format off */
static const struct accepted_case accepted[] = {
	{ TEXT("{}") },
	{ TEXT(" \t\r\n{} \t\r\n") },
	{ TEXT("{\"a\":1,\"b\":\"x\",\"c\":null,\"d\":true,\"e\":[],\"f\":{}}") },
	{ TEXT("{\"a\":{\"b\":{\"c\":{}}}}") },
	{ TEXT("{\"a\":[[[]],[[]],[[]]]}") },
	{ TEXT("{\"a\":\"[[[[[[{{{{{{\"}") },
	{ TEXT("{\"a\":\"\\\"[[[[[[\"}") },
	{ TEXT("{\"a\":\"\\\\\",\"b\":[[[]]]}") },
	{ TEXT("{\"]]]]\":\"}}}}\"}") },
	{ TEXT("{\"a\":9223372036854775807,\"b\":-9223372036854775808}") },
	{ TEXT("{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\",\"b\":\"\\ud83d\\ude00\"}") },
	{ TEXT("{\"a\":{\"x\":1},\"b\":{\"x\":1},\"A\":1}") },
	{ TEXT("{\"\":1}") },
};
/* clang-format on */

START_TEST(json_read_accepts)
{
	json_t *object = NULL;
	char why[JSON_WHY_SIZE] = "";

	ck_assert_msg(json_read(accepted[_i].text, accepted[_i].size, DEPTH_MAX, &object, why) ==
			      ERR_OK,
		      "%s: %s", accepted[_i].text, why);
	ck_assert(json_is_object(object));
	json_decref(object);
}
END_TEST

struct refused_case {
	const char *text;
	size_t size;
	enum err err;
	const char *why; /* the whole sentence */
};

#define MALFORMED(LITERAL, WHY)                                                                    \
	{                                                                                          \
		TEXT(LITERAL), ERR_MALFORMED, WHY                                                  \
	}
#define INVALID(LITERAL, WHY)                                                                      \
	{                                                                                          \
		TEXT(LITERAL), ERR_INVALID, WHY                                                    \
	}

/* clang-format off */
static const struct refused_case refused[] = {
	MALFORMED("", "The JSON is empty: an object is expected"),
	MALFORMED(" \n", "The JSON is empty: an object is expected"),
	MALFORMED("\xef\xbb\xbf{}", "A byte order mark is not allowed (line 1, column 1)"),
	MALFORMED("[]", "The JSON must be one object"),
	MALFORMED("[{\"a\":1}]", "The JSON must be one object"),
	MALFORMED("\"a\"", "The JSON must be one object"),
	MALFORMED("1", "The JSON must be one object"),
	MALFORMED("null", "The JSON must be one object"),
	MALFORMED("//x\n{}", "The JSON must be one object"),
	MALFORMED("\0{}", "The JSON must be one object"),
	MALFORMED("{\0}", "A NUL byte is not allowed (line 1, column 2)"),
	MALFORMED("{}\0", "A NUL byte is not allowed (line 1, column 3)"),
	MALFORMED("{\n\"a\":\"\0\"}", "A NUL byte is not allowed (line 2, column 6)"),
	MALFORMED("{\"a\":\"\\u0000\"}",
		  "The character \\u0000 is not allowed (line 1, column 13)"),
	MALFORMED("{\"\\u0000\":1}",
		  "The character \\u0000 is not allowed in a name (line 1, column 9)"),
	MALFORMED("{\"a\":1,\"a\":2}", "A member is given twice (line 1, column 10)"),
	MALFORMED("{\"a\":1,\"\\u0061\":1}", "A member is given twice (line 1, column 15)"),
	MALFORMED("{\"x\":{\"a\":1,\"a\":1}}", "A member is given twice (line 1, column 15)"),
	MALFORMED("{} {}", "Something follows the JSON object (line 1, column 4)"),
	MALFORMED("{}x", "Something follows the JSON object (line 1, column 3)"),
	MALFORMED("{}]", "Something follows the JSON object (line 1, column 3)"),
	MALFORMED("{\"a\":[[[[", "The JSON is nested too deeply (line 1, column 9)"),
	MALFORMED("{\"a\":\n[[[{}]]]}", "The JSON is nested too deeply (line 2, column 4)"),
	MALFORMED("{\"a\":\"\\\\\",\"b\":[[[[]]]]}",
		  "The JSON is nested too deeply (line 1, column 18)"),
	MALFORMED("{\"a\":\"\xff\"}", "The text is not valid UTF-8 (line 1, column 6)"),
	MALFORMED("{\"a\":\"\xc0\xaf\"}", "The text is not valid UTF-8 (line 1, column 6)"),
	MALFORMED("{\"a\":\"\xed\xa0\x80\"}", "The text is not valid UTF-8 (line 1, column 6)"),
	MALFORMED("{\"a\":\"\xf4\x90\x80\x80\"}",
		  "The text is not valid UTF-8 (line 1, column 6)"),
	MALFORMED("{\"a\":\"\xe2\x82", "The text is not valid UTF-8 (line 1, column 6)"),
	MALFORMED("{\"a\":\"\\ud800\"}", "The text is not valid JSON (line 1, column 13)"),
	MALFORMED("{\"a\":\"\\udc00\"}", "The text is not valid JSON (line 1, column 13)"),
	MALFORMED("{\"a\":\"\x1f\"}", "The text is not valid JSON (line 1, column 6)"),
	MALFORMED("{\"a\":\"x\ny\"}", "The text is not valid JSON (line 1, column 7)"),
	MALFORMED("{", "The JSON ends too early (line 1, column 1)"),
	MALFORMED("{\"a\":\"x", "The JSON ends too early (line 1, column 7)"),
	MALFORMED("{\"a\":[1", "The JSON ends too early (line 1, column 7)"),
	MALFORMED("{\"a\":1,}", "The text is not valid JSON (line 1, column 8)"),
	MALFORMED("{\"a\":[1,]}", "The text is not valid JSON (line 1, column 9)"),
	MALFORMED("{'a':1}", "The text is not valid JSON (line 1, column 2)"),
	MALFORMED("{a:1}", "The text is not valid JSON (line 1, column 2)"),
	MALFORMED("{\"a\":01}", "The text is not valid JSON (line 1, column 6)"),
	MALFORMED("{\"a\":+1}", "The text is not valid JSON (line 1, column 6)"),
	MALFORMED("{\"a\":.5}", "The text is not valid JSON (line 1, column 6)"),
	MALFORMED("{\"a\":0x1f}", "The text is not valid JSON (line 1, column 7)"),
	MALFORMED("{\"a\":NaN}", "The text is not valid JSON (line 1, column 8)"),
	MALFORMED("{\"a\":/**/1}", "The text is not valid JSON (line 1, column 6)"),
	MALFORMED("{\"a\":\"\\x41\"}", "The text is not valid JSON (line 1, column 8)"),
	MALFORMED("{\"a\" 1}", "The text is not valid JSON (line 1, column 6)"),
	MALFORMED("{\"a\":1]", "The text is not valid JSON (line 1, column 7)"),
	INVALID("{\"amount\":9223372036854775808}",
		"The number in amount does not fit 64 bits (line 1, column 29)"),
	INVALID("{\"amount\":-9223372036854775809}",
		"The number in amount does not fit 64 bits (line 1, column 30)"),
	INVALID("{\"amount\":1e999}",
		"The number in amount does not fit 64 bits (line 1, column 15)"),
	INVALID("{\"a\":{\"b\":[]},\n\"due\" : [1,-1E400]}",
		"The number in due does not fit 64 bits (line 2, column 17)"),
	INVALID("{\"a\":[{\"b\":1},1e999]}",
		"A number does not fit 64 bits (line 1, column 19)"),
	INVALID("{\"4111111111111111\":1e999}",
		"A number does not fit 64 bits (line 1, column 25)"),
	INVALID("{\"a\\\"b\":1e999}", "A number does not fit 64 bits (line 1, column 13)"),
	INVALID("{\"\":1e999}", "A number does not fit 64 bits (line 1, column 9)"),
	INVALID("{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1e999}",
		"A number does not fit 64 bits (line 1, column 42)"),
};
/* clang-format on */

static const struct {
	const char *text;
	const char *name; /* NULL: none */
} overflows[] = {
	{ "{\"amount\":9223372036854775808}", "amount" },
	{ "{\"currency\":\"USD\",\"amount\":1e999}", "amount" },
	{ "{\"metadata\":{},\n\"amount\" : -1E400}", "amount" },
	{ "{\"metadata\":{\"amount\":1e999}}", NULL },
	{ "{\"amount\":[1e999]}", NULL },
	{ "{\"4111111111111111\":1e999}", NULL },
	{ "{\"amount\":1}", NULL },
	{ "{\"amount\":", NULL },
};

START_TEST(json_overflow_name_tells_the_member)
{
	char name[JSON_NAME_SIZE] = "";
	const bool found = json_overflow_name(overflows[_i].text, strlen(overflows[_i].text), name);

	ck_assert_int_eq(found, overflows[_i].name != NULL);
	ck_assert_str_eq(name, found ? overflows[_i].name : "");
}
END_TEST

START_TEST(json_read_refuses)
{
	const struct refused_case *row = &refused[_i];
	json_t *object = NULL;
	char why[JSON_WHY_SIZE] = "";

	ck_assert_msg(json_read(row->text, row->size, DEPTH_MAX, &object, why) == row->err, "%s",
		      row->text);
	ck_assert_str_eq(why, row->why);
	ck_assert_ptr_null(object);
}
END_TEST

START_TEST(json_read_refuses_every_beginning_of_a_document)
{
	static const char text[] = "{\"a\":[1,-2.5e3,{\"b\":\"\\u00e9\\n\"}],\"c\":{\"d\":null}}";
	json_t *object = NULL;
	char why[JSON_WHY_SIZE];

	for (size_t size = 0; size < sizeof text - 1; size++)
		ck_assert_int_eq(json_read(text, size, DEPTH_MAX, &object, why), ERR_MALFORMED);
	ck_assert_int_eq(json_read(text, sizeof text - 1, DEPTH_MAX, &object, why), ERR_OK);
	json_decref(object);
}
END_TEST

START_TEST(json_read_refuses_a_hundred_thousand_brackets)
{
	static const char *const openings[] = { "[", "{\"a\":", "{\"a\":[" };
	size_t size = 0, step = strlen(openings[_i]);
	char *text = malloc(100000 * step + 6);
	json_t *object = NULL;
	char why[JSON_WHY_SIZE];

	ck_assert_ptr_nonnull(text);
	memcpy(text, "{\"a\":", 5);
	for (size = 5; size < 100000 * step; size += step)
		memcpy(text + size, openings[_i], step);

	ck_assert_int_eq(json_read(text, size, 16, &object, why), ERR_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, "nested too deeply"));
	free(text);
}
END_TEST

START_TEST(json_read_counts_the_object_itself_as_depth_one)
{
	json_t *object = NULL;
	char why[JSON_WHY_SIZE];

	ck_assert_int_eq(json_read("{\"a\":1}", 7, 1, &object, why), ERR_OK);
	json_decref(object);
	ck_assert_int_eq(json_read("{\"a\":[]}", 8, 1, &object, why), ERR_MALFORMED);
	ck_assert_int_eq(json_read("{}", 2, 0, &object, why), ERR_MALFORMED);
}
END_TEST

static json_t *read_text(const char *text)
{
	json_t *object = NULL;
	char why[JSON_WHY_SIZE];

	ck_assert_int_eq(json_read(text, strlen(text), 16, &object, why), ERR_OK);
	return object;
}

START_TEST(json_members_turns_each_kind)
{
	json_t *object = read_text("{\"n\":null,\"t\":true,\"f\":false,\"i\":-7,\"r\":1.0,"
				   "\"s\":\"h\\u00e9\",\"o\":{\"k\":\"v\",\"x\":1,\"y\":{}},"
				   "\"a\":[1],\"e\":{},\"p\":{\"q\":\"\"}}");
	static const enum value_kind kinds[] = {
		VALUE_NULL,   VALUE_BOOL,   VALUE_BOOL,  VALUE_INTEGER, VALUE_REAL,
		VALUE_STRING, VALUE_OBJECT, VALUE_ARRAY, VALUE_OBJECT,  VALUE_OBJECT,
	};
	struct field_member members[FIELD_MEMBERS_MAX];
	struct json_arena arena = { .used = 9 };
	enum err err = ERR_INTERNAL;

	ck_assert_uint_eq(json_members(object, members, &arena, &err),
			  sizeof kinds / sizeof *kinds);
	ck_assert_int_eq(err, ERR_OK);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		ck_assert_int_eq(members[i].value.kind, kinds[i]);
	ck_assert_str_eq(members[0].name, "n");
	ck_assert(members[1].value.boolean && !members[2].value.boolean);
	ck_assert_int_eq(members[3].value.integer, -7);
	ck_assert_str_eq(members[5].value.text, "h\xc3\xa9");
	ck_assert_uint_eq(members[5].value.text_size, 3);
	ck_assert_uint_eq(members[6].value.pair_count, 3);
	ck_assert_str_eq(members[6].value.pairs[0].name, "k");
	ck_assert_str_eq(members[6].value.pairs[0].text, "v");
	ck_assert_uint_eq(members[6].value.pairs[0].text_size, 1);
	ck_assert_ptr_null(members[6].value.pairs[1].text);
	ck_assert_ptr_null(members[6].value.pairs[2].text);
	ck_assert_uint_eq(members[8].value.pair_count, 0);
	ck_assert_str_eq(members[9].value.pairs[0].name, "q");
	ck_assert_str_eq(members[9].value.pairs[0].text, "");
	ck_assert_uint_eq(arena.used, 4);
	json_decref(object);
}
END_TEST

START_TEST(json_members_of_an_empty_object_are_none)
{
	json_t *object = read_text("{}");
	struct field_member members[FIELD_MEMBERS_MAX];
	struct json_arena arena;
	enum err err = ERR_INTERNAL;

	ck_assert_uint_eq(json_members(object, members, &arena, &err), 0);
	ck_assert_int_eq(err, ERR_OK);
	json_decref(object);
}
END_TEST

struct count_case {
	int members;    /* of the outer object, besides the nested ones */
	int objects;    /* nested */
	int pairs_each; /* of each */
	enum err err;
};

static const struct count_case counts[] = {
	{ FIELD_MEMBERS_MAX, 0, 0, ERR_OK },
	{ FIELD_MEMBERS_MAX + 1, 0, 0, ERR_INVALID },
	{ FIELD_MEMBERS_MAX - 1, 1, 1, ERR_OK },
	{ 0, 1, FIELD_PAIRS_MAX, ERR_OK },
	{ 0, 1, FIELD_PAIRS_MAX + 1, ERR_INVALID },
	{ 3, 2, FIELD_PAIRS_MAX / 2, ERR_OK },
	{ 3, 2, FIELD_PAIRS_MAX / 2 + 1, ERR_INVALID },
	{ 0, 5000, 3, ERR_INVALID },
};

static json_t *make_object(const struct count_case *row)
{
	json_t *object = json_object();
	char name[32];

	for (int i = 0; i < row->members; i++) {
		snprintf(name, sizeof name, "m%d", i);
		json_object_set_new(object, name, json_integer(i));
	}
	for (int i = 0; i < row->objects; i++) {
		json_t *nested = json_object();

		for (int j = 0; j < row->pairs_each; j++) {
			snprintf(name, sizeof name, "p%d", j);
			json_object_set_new(nested, name, json_string("v"));
		}
		snprintf(name, sizeof name, "o%d", i);
		json_object_set_new(object, name, nested);
	}
	return object;
}

START_TEST(json_members_refuses_more_than_the_limits)
{
	const struct count_case *row = &counts[_i];
	json_t *object = make_object(row);
	struct field_member members[FIELD_MEMBERS_MAX];
	struct json_arena arena = { .used = 9 };
	size_t expected = row->err == ERR_OK ? (size_t)(row->members + row->objects) : 0;
	enum err err = ERR_INTERNAL;

	ck_assert_uint_eq(json_members(object, members, &arena, &err), expected);
	ck_assert_int_eq(err, row->err);
	if (row->err != ERR_OK)
		ck_assert_uint_eq(arena.used, 9);
	json_decref(object);
}
END_TEST

START_TEST(json_text_is_compact_and_reads_back)
{
	static const char text[] = "{\"a\":[1,true,null,\"\xc3\xa9\\\"\\n\"],\"b\":{}}";
	json_t *object =
		read_text(" { \"a\" : [ 1, true, null, \"\\u00e9\\\"\\n\" ], \"b\": { } } ");
	char *rendered = json_text(object);

	ck_assert_str_eq(rendered, text);
	free(rendered);
	rendered = json_text(json_object_get(json_object_get(object, "b"), "x"));
	ck_assert_ptr_null(rendered);
	rendered = json_text(json_array_get(json_object_get(object, "a"), 0));
	ck_assert_str_eq(rendered, "1");
	free(rendered);
	json_decref(object);
}
END_TEST

UNIT_MAIN("json", {
	tcase_add_loop_test(tests, json_read_accepts, 0, COUNT(accepted));
	tcase_add_loop_test(tests, json_read_refuses, 0, COUNT(refused));
	tcase_add_loop_test(tests, json_overflow_name_tells_the_member, 0, COUNT(overflows));
	tcase_add_test(tests, json_read_refuses_every_beginning_of_a_document);
	tcase_add_loop_test(tests, json_read_refuses_a_hundred_thousand_brackets, 0, 3);
	tcase_add_test(tests, json_read_counts_the_object_itself_as_depth_one);
	tcase_add_test(tests, json_members_turns_each_kind);
	tcase_add_test(tests, json_members_of_an_empty_object_are_none);
	tcase_add_loop_test(tests, json_members_refuses_more_than_the_limits, 0, COUNT(counts));
	tcase_add_test(tests, json_text_is_compact_and_reads_back);
})
