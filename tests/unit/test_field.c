/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/field.h"

#include <string.h>

#include "tests/unit/unit.h"

#define COUNT(array) ((int)(sizeof array / sizeof array[0]))
#define TEXT(literal) .kind = VALUE_STRING, .text = (literal), .text_size = sizeof(literal) - 1
#define OBJECT(list)                                                                               \
	.kind = VALUE_OBJECT, .pairs = (list), .pair_count = sizeof(list) / sizeof(list)[0]
#define PAIR(name, literal)                                                                        \
	{                                                                                          \
		name, (literal), sizeof(literal) - 1, false                                        \
	}
#define CARD "4111 1111 1111 1111"
#define X10 "xxxxxxxxxx"
#define X40 X10 X10 X10 X10
#define X100 X40 X40 X10 X10
#define E_ACUTE_5 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
#define E_ACUTE_10 E_ACUTE_5 E_ACUTE_5

static const char *const colours[] = { "red", "green", NULL };

static const struct field_spec specs[] = {
	{ .name = "id",
	  .rule = FIELD_TEXT,
	  .required = true,
	  .class = TEXT_VISIBLE,
	  .min = 2,
	  .max = 20 },
	{ .name = "note", .rule = FIELD_TEXT, .class = TEXT_FREE, .max = 10 },
	{ .name = "country", .rule = FIELD_TEXT, .class = TEXT_COUNTRY, .min = 2, .max = 2 },
	{ .name = "url", .rule = FIELD_TEXT, .class = TEXT_URL, .min = 8, .max = 40 },
	{ .name = "reference",
	  .rule = FIELD_TEXT,
	  .class = TEXT_TOKEN,
	  .max = 40,
	  .may_hold_card = true },
	{ .name = "colour", .rule = FIELD_WORD, .words = colours },
	{ .name = "amount", .rule = FIELD_AMOUNT },
	{ .name = "month", .rule = FIELD_INTEGER, .min = 1, .max = 12 },
	{ .name = "default", .rule = FIELD_BOOLEAN },
	{ .name = "extra", .rule = FIELD_OBJECT, .class = TEXT_FREE, .min = 1, .max = 3 },
};

static const struct field_pair good_pairs[] = { PAIR("b", "2"), PAIR("a", ""), PAIR("c", "l\nm") };
static const struct field_pair long_pairs[] = { PAIR(X40, X100 X100 X100 X100 X100) };
static const struct field_pair too_many[] = { PAIR("a", ""), PAIR("b", ""), PAIR("c", ""),
					      PAIR("d", "") };
static const struct field_pair not_text[] = { PAIR("a", ""), { "b", NULL, 0, false } };
static const struct field_pair many_not_text[] = {
	PAIR("", ""), PAIR("b", CARD), PAIR("c", ""), PAIR("d", ""), { "e", NULL, 0, true }
};
static const struct field_pair no_name[] = { PAIR("", "x") };
static const struct field_pair long_name[] = { PAIR(X40 "x", "x") };
static const struct field_pair long_text[] = { PAIR("a", X100 X100 X100 X100 X100 "x") };
static const struct field_pair control_name[] = { PAIR("a\nb", "x") };
static const struct field_pair control_text[] = { PAIR("a", "\x1b[2J") };
static const struct field_pair nul_text[] = { PAIR("a", "x\0y") };
static const struct field_pair card_name[] = { PAIR(CARD, "x") };
static const struct field_pair card_text[] = { PAIR("a", "my card is " CARD) };
static const struct field_pair worst_first[] = { PAIR("a", CARD), PAIR("b", "\x01"), PAIR("", "") };

static const struct {
	const char *name;
	struct field_value value;
} accepted[] = {
	{ "id", { TEXT("ab") } },
	{ "id", { TEXT(X10 X10) } },
	{ "note", { TEXT("") } },
	{ "note", { .kind = VALUE_NULL } },
	{ "note", { TEXT("a\r\n\tb") } },
	{ "note", { TEXT(E_ACUTE_10) } },
	{ "country", { TEXT("ID") } },
	{ "url", { TEXT("https://x.example/y") } },
	{ "reference", { TEXT("4111111111111111") } },
	{ "colour", { TEXT("red") } },
	{ "colour", { TEXT("green") } },
	{ "colour", { .kind = VALUE_NULL } },
	{ "amount", { .kind = VALUE_INTEGER, .integer = -5 } },
	{ "amount", { TEXT("anything") } },
	{ "amount", { .kind = VALUE_NULL } },
	{ "month", { .kind = VALUE_INTEGER, .integer = 1 } },
	{ "month", { .kind = VALUE_INTEGER, .integer = 12 } },
	{ "month", { TEXT("12") } },
	{ "month", { TEXT("07") } },
	{ "month", { .kind = VALUE_NULL } },
	{ "default", { .kind = VALUE_BOOL } },
	{ "default", { TEXT("true") } },
	{ "default", { TEXT("false") } },
	{ "extra", { OBJECT(good_pairs) } },
	{ "extra", { OBJECT(long_pairs) } },
	{ "extra", { .kind = VALUE_NULL } },
};

static const struct {
	const char *name;
	struct field_value value;
	enum field_code code;
	const char *says; /* part of the message */
} refused[] = {
	{ "id", { .kind = VALUE_NULL }, FIELD_TYPE, "string" },
	{ "id", { .kind = VALUE_BOOL, .boolean = true }, FIELD_TYPE, "string" },
	{ "id", { .kind = VALUE_INTEGER, .integer = 12 }, FIELD_TYPE, "string" },
	{ "id", { .kind = VALUE_REAL }, FIELD_TYPE, "string" },
	{ "id", { .kind = VALUE_ARRAY }, FIELD_TYPE, "string" },
	{ "id", { OBJECT(good_pairs) }, FIELD_TYPE, "string" },
	{ "id", { TEXT("") }, FIELD_LENGTH, "2 to 20" },
	{ "id", { TEXT("a") }, FIELD_LENGTH, "2 to 20" },
	{ "id", { TEXT(X10 X10 "x") }, FIELD_LENGTH, "2 to 20" },
	{ "id", { TEXT("a b") }, FIELD_CHARACTERS, "visible ASCII" },
	{ "id", { TEXT("a\0b") }, FIELD_CHARACTERS, "visible ASCII" },
	{ "id", { TEXT("caf\xc3\xa9") }, FIELD_CHARACTERS, "visible ASCII" },
	{ "id", { TEXT("4111111111111111") }, FIELD_CARD_NUMBER, "payment token" },
	{ "id", { TEXT("x4111111111111111") }, FIELD_CARD_NUMBER, "payment token" },
	{ "note", { TEXT(E_ACUTE_10 "x") }, FIELD_LENGTH, "0 to 10" },
	{ "note", { TEXT("\x07") }, FIELD_CHARACTERS, "controls" },
	{ "note", { TEXT("\xc2\x85") }, FIELD_CHARACTERS, "controls" },
	{ "note", { TEXT("caf\xe9") }, FIELD_CHARACTERS, "UTF-8" },
	{ "note", { .kind = VALUE_INTEGER }, FIELD_TYPE, "string" },
	{ "country", { TEXT("IDN") }, FIELD_LENGTH, "exactly 2" },
	{ "country", { TEXT("id") }, FIELD_CHARACTERS, "two capital letters" },
	{ "url", { TEXT("ftp://x.example") }, FIELD_CHARACTERS, "http" },
	{ "url", { TEXT("https://u@x.example") }, FIELD_CHARACTERS, "user name" },
	{ "url", { TEXT("http://x/4111111111111111") }, FIELD_CARD_NUMBER, "card" },
	{ "month", { .kind = VALUE_INTEGER, .integer = 0 }, FIELD_NOT_A_WORD, "1 to 12" },
	{ "month", { .kind = VALUE_INTEGER, .integer = -1 }, FIELD_NOT_A_WORD, "1 to 12" },
	{ "month", { .kind = VALUE_INTEGER, .integer = 13 }, FIELD_NOT_A_WORD, "1 to 12" },
	{ "month", { TEXT("13") }, FIELD_NOT_A_WORD, "1 to 12" },
	{ "month", { TEXT("") }, FIELD_TYPE, "integer" },
	{ "month", { TEXT("1.0") }, FIELD_TYPE, "integer" },
	{ "month", { TEXT("+1") }, FIELD_TYPE, "integer" },
	{ "month", { TEXT("1234567890") }, FIELD_TYPE, "integer" },
	{ "month", { .kind = VALUE_REAL }, FIELD_TYPE, "integer" },
	{ "month", { .kind = VALUE_BOOL, .boolean = true }, FIELD_TYPE, "integer" },
	{ "default", { TEXT("True") }, FIELD_TYPE, "true or false" },
	{ "default", { TEXT("") }, FIELD_TYPE, "true or false" },
	{ "default", { .kind = VALUE_INTEGER, .integer = 1 }, FIELD_TYPE, "true or false" },
	{ "colour", { TEXT("blue") }, FIELD_NOT_A_WORD, "red, green" },
	{ "colour", { TEXT("") }, FIELD_NOT_A_WORD, "red, green" },
	{ "colour", { TEXT("re") }, FIELD_NOT_A_WORD, "red, green" },
	{ "colour", { TEXT("red\0") }, FIELD_NOT_A_WORD, "red, green" },
	{ "colour", { TEXT("Red") }, FIELD_NOT_A_WORD, "red, green" },
	{ "colour", { .kind = VALUE_BOOL }, FIELD_TYPE, "string" },
	{ "amount", { .kind = VALUE_REAL }, FIELD_FLOAT, "a float cannot hold money exactly" },
	{ "amount", { .kind = VALUE_BOOL }, FIELD_TYPE, "minor units" },
	{ "amount", { .kind = VALUE_ARRAY }, FIELD_TYPE, "minor units" },
	{ "amount", { OBJECT(good_pairs) }, FIELD_TYPE, "minor units" },
	{ "extra", { TEXT("{}") }, FIELD_TYPE, "object" },
	{ "extra", { .kind = VALUE_ARRAY }, FIELD_TYPE, "object" },
	{ "extra", { .kind = VALUE_OBJECT }, FIELD_LENGTH, "1 to 3 members" },
	{ "extra", { OBJECT(too_many) }, FIELD_LENGTH, "1 to 3 members" },
	{ "extra", { OBJECT(not_text) }, FIELD_TYPE, "all strings" },
	{ "extra", { OBJECT(many_not_text) }, FIELD_TYPE, "all strings" },
	{ "extra", { OBJECT(no_name) }, FIELD_LENGTH, "1 to 40" },
	{ "extra", { OBJECT(long_name) }, FIELD_LENGTH, "1 to 40" },
	{ "extra", { OBJECT(long_text) }, FIELD_LENGTH, "500" },
	{ "extra", { OBJECT(control_name) }, FIELD_CHARACTERS, "controls" },
	{ "extra", { OBJECT(control_text) }, FIELD_CHARACTERS, "controls" },
	{ "extra", { OBJECT(nul_text) }, FIELD_CHARACTERS, "controls" },
	{ "extra", { OBJECT(card_name) }, FIELD_CARD_NUMBER, "card" },
	{ "extra", { OBJECT(card_text) }, FIELD_CARD_NUMBER, "card" },
	{ "extra", { OBJECT(worst_first) }, FIELD_LENGTH, "1 to 40" },
};

/* One member beside a valid id. */
static void check_one(const char *name, struct field_value value, struct field_errors *errors)
{
	const struct field_member members[] = {
		{ name, value },
		{ "id", { TEXT("abc") } },
	};
	const size_t count = strcmp(name, "id") == 0 ? 1 : 2;

	field_check(specs, (size_t)COUNT(specs), members, count, errors);
}

START_TEST(field_check_accepts_what_the_table_allows)
{
	struct field_errors errors = { 0 };

	check_one(accepted[_i].name, accepted[_i].value, &errors);

	ck_assert_msg(errors.count == 0, "%s %s", errors.list[0].field, errors.list[0].message);
}
END_TEST

START_TEST(field_check_refuses_with_code_and_advice)
{
	struct field_errors errors = { 0 };

	check_one(refused[_i].name, refused[_i].value, &errors);

	ck_assert_uint_eq(errors.count, 1);
	ck_assert_str_eq(errors.list[0].field, refused[_i].name);
	ck_assert_str_eq(field_code_word(errors.list[0].code), field_code_word(refused[_i].code));
	ck_assert_msg(strstr(errors.list[0].message, refused[_i].says) != NULL, "%s",
		      errors.list[0].message);
	ck_assert_msg(strlen(errors.list[0].message) < FIELD_MESSAGE_SIZE - 1, "%s is cut off",
		      errors.list[0].message);
	ck_assert_ptr_null(strstr(errors.list[0].message, "4111"));
}
END_TEST

START_TEST(field_check_reports_every_bad_member)
{
	const struct field_member members[] = {
		{ "surprise", { .kind = VALUE_NULL } },
		{ "country", { TEXT("id") } },
		{ "note", { .kind = VALUE_BOOL } },
		{ "Note", { TEXT("x") } },
	};
	static const struct {
		const char *field;
		enum field_code code;
	} expected[] = {
		{ "id", FIELD_MISSING },         { "note", FIELD_TYPE },
		{ "country", FIELD_CHARACTERS }, { "surprise", FIELD_UNKNOWN },
		{ "Note", FIELD_UNKNOWN },
	};
	struct field_errors errors = { 0 };

	field_check(specs, (size_t)COUNT(specs), members, (size_t)COUNT(members), &errors);

	ck_assert_uint_eq(errors.count, (size_t)COUNT(expected));
	for (int i = 0; i < COUNT(expected); i++) {
		ck_assert_str_eq(errors.list[i].field, expected[i].field);
		ck_assert_int_eq(errors.list[i].code, expected[i].code);
	}
}
END_TEST

START_TEST(field_check_of_nothing_misses_the_required_ones)
{
	struct field_errors errors = { 0 };

	field_check(specs, (size_t)COUNT(specs), NULL, 0, &errors);

	ck_assert_uint_eq(errors.count, 1);
	ck_assert_str_eq(errors.list[0].field, "id");
	ck_assert_str_eq(errors.list[0].message, "is required");
}
END_TEST

START_TEST(field_check_keeps_known_fields_when_unknown_ones_abound)
{
	struct field_member members[FIELD_MEMBERS_MAX];
	struct field_errors errors = { 0 };

	for (int i = 0; i < FIELD_MEMBERS_MAX; i++)
		members[i] = (struct field_member){ .name = "x", .value = { .kind = VALUE_NULL } };

	field_check(specs, (size_t)COUNT(specs), members, FIELD_MEMBERS_MAX, &errors);

	ck_assert_uint_eq(errors.count, FIELD_ERRORS_MAX);
	ck_assert_str_eq(errors.list[0].field, "id");
}
END_TEST

START_TEST(field_check_adds_to_the_errors_there_are)
{
	struct field_errors errors = { 0 };

	field_error_add(&errors, "before", FIELD_SYNTAX, "number %d", 7);
	field_check(specs, (size_t)COUNT(specs), NULL, 0, &errors);

	ck_assert_uint_eq(errors.count, 2);
	ck_assert_str_eq(errors.list[0].field, "before");
	ck_assert_str_eq(errors.list[0].message, "number 7");
	ck_assert_int_eq(errors.list[0].code, FIELD_SYNTAX);
}
END_TEST

static const struct {
	const char *name;
	const char *shown;
} names[] = {
	{ "plain_name", "plain_name" },
	{ "", "" },
	{ "two words", "two?words" },
	{ "caf\xc3\xa9", "caf??" },
	{ "a\n{\"level\":\"error\"}", "a?{\"level\":\"error\"}" },
	{ "\x1b[2J", "?[2J" },
	{ X40 X10 X10 "wxyz", X40 X10 X10 "wxyz" },
	{ X40 X10 X10 "wxyz5", X40 X10 X10 "wxyz" },
	{ X100 X100, X40 X10 X10 "xxxx" },
	{ "4111111111111111", "************1111" },
	{ "4111 1111 1111 1111", "****?****?****?1111" },
	{ "4111\t1111\t1111\t1111", "****?****?****?1111" },
	/* a number that begins within the 64 bytes and ends past them */
	{ X40 "xxxxxxxxx4111111111111111", X40 "xxxxxxxxx************111" },
	{ X40 X10 X10 "xxx4111111111111111", X40 X10 X10 "xxx*" },
	{ X40 "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", X40 "*?*?*?*?*?*?*?*?*?*?*?*?" },
};

START_TEST(field_error_names_unknown_members_safely)
{
	struct field_errors errors = { 0 };

	field_error_add(&errors, names[_i].name, FIELD_UNKNOWN, "%s", "x");

	ck_assert_str_eq(errors.list[0].field, names[_i].shown);
}
END_TEST

START_TEST(field_error_cuts_a_long_message)
{
	struct field_errors errors = { 0 };

	field_error_add(&errors, "a", FIELD_SYNTAX, "%s", X100 X100);

	ck_assert_uint_eq(strlen(errors.list[0].message), FIELD_MESSAGE_SIZE - 1);
}
END_TEST

START_TEST(field_errors_past_the_limit_are_dropped)
{
	struct field_errors errors = { 0 };

	for (int i = 0; i <= FIELD_ERRORS_MAX; i++)
		field_error_add(&errors, "a", FIELD_SYNTAX, "%d", i);

	ck_assert_uint_eq(errors.count, FIELD_ERRORS_MAX);
	ck_assert_str_eq(errors.list[FIELD_ERRORS_MAX - 1].message, "31");
}
END_TEST

START_TEST(field_message_names_words_as_far_as_they_fit)
{
	static const char *const many[] = { X40, X40, X40, X40, X40, NULL };
	static const char *const just[] = { X40, X40, X40, "xxxxxxxxxxxxxxxx", NULL };
	static const char *const nearly[] = { X40, X40, X40, "xxxxxxxxxxxxxx", X10, NULL };
	const struct field_spec spec[] = {
		{ .name = "a", .rule = FIELD_WORD, .words = many },
		{ .name = "b", .rule = FIELD_WORD, .words = just },
		{ .name = "c", .rule = FIELD_WORD, .words = nearly },
	};
	const struct field_member members[] = {
		{ "a", { TEXT("y") } },
		{ "b", { TEXT("y") } },
		{ "c", { TEXT("y") } },
	};
	struct field_errors errors = { 0 };

	field_check(spec, 3, members, 3, &errors);

	ck_assert_str_eq(errors.list[0].message, "must be one of: " X40 ", " X40 ", " X40 ", ...");
	ck_assert_str_eq(errors.list[1].message,
			 "must be one of: " X40 ", " X40 ", " X40 ", xxxxxxxxxxxxxxxx");
	ck_assert_str_eq(errors.list[2].message, "must be one of: " X40 ", " X40 ", " X40 ", ...");
}
END_TEST

START_TEST(field_find_takes_the_whole_name)
{
	const struct field_member members[] = { { "ab", { TEXT("1") } }, { "a", { TEXT("2") } } };

	ck_assert_ptr_eq(field_find(members, 2, "a"), &members[1].value);
	ck_assert_ptr_eq(field_find(members, 2, "ab"), &members[0].value);
	ck_assert_ptr_null(field_find(members, 2, "abc"));
	ck_assert_ptr_null(field_find(members, 2, "A"));
	ck_assert_ptr_null(field_find(NULL, 0, "a"));
}
END_TEST

START_TEST(field_code_words_are_the_public_ones)
{
	static const char *const words[] = {
		"unknown_field",    "required",         "wrong_type",   "float_not_allowed",
		"wrong_length",     "wrong_characters", "not_allowed",  "card_number",
		"unknown_currency", "too_precise",      "not_positive", "too_large",
		"wrong_format",
	};

	ck_assert_int_eq(COUNT(words), FIELD_SYNTAX + 1);
	for (int code = 0; code < COUNT(words); code++)
		ck_assert_str_eq(field_code_word((enum field_code)code), words[code]);
}
END_TEST

UNIT_MAIN("field", {
	tcase_add_loop_test(tests, field_check_accepts_what_the_table_allows, 0, COUNT(accepted));
	tcase_add_loop_test(tests, field_check_refuses_with_code_and_advice, 0, COUNT(refused));
	tcase_add_test(tests, field_check_reports_every_bad_member);
	tcase_add_test(tests, field_check_of_nothing_misses_the_required_ones);
	tcase_add_test(tests, field_check_keeps_known_fields_when_unknown_ones_abound);
	tcase_add_test(tests, field_check_adds_to_the_errors_there_are);
	tcase_add_loop_test(tests, field_error_names_unknown_members_safely, 0, COUNT(names));
	tcase_add_test(tests, field_error_cuts_a_long_message);
	tcase_add_test(tests, field_errors_past_the_limit_are_dropped);
	tcase_add_test(tests, field_message_names_words_as_far_as_they_fit);
	tcase_add_test(tests, field_find_takes_the_whole_name);
	tcase_add_test(tests, field_code_words_are_the_public_ones);
})
