/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/amendment.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define TEXT(T)                                                                                    \
	{                                                                                          \
		.kind = VALUE_STRING, .text = (T), .text_size = sizeof(T) - 1                      \
	}
#define OBJECT(PAIRS)                                                                              \
	{                                                                                          \
		.kind = VALUE_OBJECT, .pairs = (PAIRS),                                            \
		.pair_count = sizeof(PAIRS) / sizeof(PAIRS)[0]                                     \
	}
#define PAIR(NAME, T)                                                                              \
	{                                                                                          \
		.name = (NAME), .text = (T), .text_size = sizeof(T) - 1                            \
	}
#define REMOVED(NAME)                                                                              \
	{                                                                                          \
		.name = (NAME), .null = true                                                       \
	}

static const struct field_pair there[] = { PAIR("a", "1"), PAIR("b", "2") };
static const struct field_pair add_c[] = { PAIR("c", "3") };
static const struct field_pair replace_a[] = { PAIR("a", "x\"y") };
static const struct field_pair remove_a[] = { REMOVED("a"), REMOVED("nothing") };
static const struct field_pair remove_all[] = { REMOVED("b"), REMOVED("a") };
static const struct field_pair all_at_once[] = { PAIR("0", ""), REMOVED("b"), PAIR("a", "9") };

static const struct {
	struct field_value metadata;
	const char *merged;
} merges[] = {
	{ OBJECT(add_c), "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}" },
	{ OBJECT(replace_a), "{\"a\":\"x\\\"y\",\"b\":\"2\"}" },
	{ OBJECT(remove_a), "{\"b\":\"2\"}" },
	{ OBJECT(remove_all), "{}" },
	{ OBJECT(all_at_once), "{\"0\":\"\",\"a\":\"9\"}" },
	{ { .kind = VALUE_OBJECT }, "{\"a\":\"1\",\"b\":\"2\"}" },
};

START_TEST(amendment_merge_replaces_removes_and_leaves)
{
	char out[PAYMENT_METADATA_SIZE];

	ck_assert(amendment_merge(there, 2, &merges[_i].metadata, out));
	ck_assert_str_eq(out, merges[_i].merged);
}
END_TEST

START_TEST(amendment_merge_refuses_more_than_a_payment_may_have)
{
	struct field_pair many[PAYMENT_METADATA_MEMBERS];
	char names[PAYMENT_METADATA_MEMBERS][8], long_text[500], out[PAYMENT_METADATA_SIZE];
	struct field_value metadata = { .kind = VALUE_OBJECT, .pairs = many };

	memset(long_text, 'x', sizeof long_text);
	for (unsigned i = 0; i < PAYMENT_METADATA_MEMBERS; i++) {
		(void)snprintf(names[i], sizeof names[i], "n%u", i);
		many[i] = (struct field_pair){ .name = names[i], .text = "" };
	}
	metadata.pair_count = PAYMENT_METADATA_MEMBERS - 2;
	ck_assert(amendment_merge(there, 2, &metadata, out));
	metadata.pair_count++;
	ck_assert(!amendment_merge(there, 2, &metadata, out));
	many[0] = (struct field_pair)REMOVED("a");
	ck_assert(amendment_merge(there, 2, &metadata, out));
	for (size_t i = 1; i < 9; i++)
		many[i].text = long_text, many[i].text_size = sizeof long_text;
	ck_assert(!amendment_merge(there, 2, &metadata, out));
}
END_TEST

static const struct field_pair number[] = { { .name = "a" } };
static const struct field_pair card[] = { PAIR("a", "4111111111111111") };
static const struct {
	struct field_member members[2];
	size_t count;
	enum field_code code; /* -1: taken */
} readings[] = {
	{ { { "description", TEXT("new") } }, 1, (enum field_code) - 1 },
	{ { { "description", { .kind = VALUE_NULL } } }, 1, (enum field_code) - 1 },
	{ { { "metadata", OBJECT(remove_a) } }, 1, (enum field_code) - 1 },
	{ { { "metadata", { .kind = VALUE_NULL } } }, 1, (enum field_code) - 1 },
	{ { { "metadata", OBJECT(number) } }, 1, FIELD_TYPE },
	{ { { "metadata", TEXT("x") } }, 1, FIELD_TYPE },
	{ { { "metadata", OBJECT(card) } }, 1, FIELD_CARD_NUMBER },
	{ { { "description", { .kind = VALUE_INTEGER } } }, 1, FIELD_TYPE },
	{ { { "description", TEXT("\x01") } }, 1, FIELD_CHARACTERS },
	{ { { "amount", { .kind = VALUE_INTEGER, .integer = 1 } } }, 1, FIELD_UNKNOWN },
	{ { { "status", TEXT("completed") } }, 1, FIELD_UNKNOWN },
	{ { { "", { .kind = VALUE_NULL } } }, 0, (enum field_code) - 1 },
};

START_TEST(amendment_read_takes_texts_and_nothing_else)
{
	struct amendment amendment = { .description = "untouched" };
	struct field_errors errors = { .count = 0 };
	const bool taken = readings[_i].code == (enum field_code) - 1;

	ck_assert_int_eq(
		amendment_read(readings[_i].members, readings[_i].count, &amendment, &errors),
		taken);
	ck_assert_int_eq(errors.count == 0, taken);
	if (!taken) {
		ck_assert_int_eq(errors.list[0].code, readings[_i].code);
		ck_assert_str_eq(amendment.description, "untouched");
	}
}
END_TEST

START_TEST(amendment_read_tells_what_was_given_from_what_was_not)
{
	const struct field_member texts[] = { { "description", TEXT("new") } };
	const struct field_member nulls[] = { { "description", { .kind = VALUE_NULL } },
					      { "metadata", { .kind = VALUE_NULL } } };
	struct field_errors errors = { .count = 0 };
	struct amendment amendment;

	ck_assert(amendment_read(texts, 1, &amendment, &errors));
	ck_assert(amendment.changes_description);
	ck_assert_str_eq(amendment.description, "new");
	ck_assert_ptr_null(amendment.metadata);
	ck_assert(amendment_read(nulls, 2, &amendment, &errors));
	ck_assert(amendment.changes_description);
	ck_assert_str_eq(amendment.description, "");
	ck_assert_ptr_eq(amendment.metadata, &nulls[1].value);
	ck_assert(amendment_read(nulls, 0, &amendment, &errors));
	ck_assert(!amendment.changes_description);
}
END_TEST

UNIT_MAIN("amendment", {
	tcase_add_loop_test(tests, amendment_merge_replaces_removes_and_leaves, 0,
			    (int)(sizeof merges / sizeof merges[0]));
	tcase_add_test(tests, amendment_merge_refuses_more_than_a_payment_may_have);
	tcase_add_loop_test(tests, amendment_read_takes_texts_and_nothing_else, 0,
			    (int)(sizeof readings / sizeof readings[0]));
	tcase_add_test(tests, amendment_read_tells_what_was_given_from_what_was_not);
})
