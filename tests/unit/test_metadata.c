/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/metadata.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct field_pair pairs[] = { { .name = "b", .text = "2", .text_size = 1 },
					   { .name = "a", .null = true } };
static const struct field_value change = { .kind = VALUE_OBJECT, .pairs = pairs, .pair_count = 2 };

START_TEST(metadata_merge_changes_a_text_in_place)
{
	char text[PAYMENT_METADATA_SIZE] = "{\"a\":\"1\",\"c\":\"\\\"x\\\\\"}";

	ck_assert_int_eq(metadata_merge(text, &change, text), ERR_OK);
	ck_assert_str_eq(text, "{\"b\":\"2\",\"c\":\"\\\"x\\\\\"}");
}
END_TEST

START_TEST(metadata_merge_begins_with_nothing_and_may_end_so)
{
	const struct field_value none = { .kind = VALUE_NULL };
	char text[PAYMENT_METADATA_SIZE];

	ck_assert_int_eq(metadata_merge("", &change, text), ERR_OK);
	ck_assert_str_eq(text, "{\"b\":\"2\"}");
	ck_assert_int_eq(metadata_merge(text, &none, text), ERR_OK);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(metadata_merge_refuses_more_than_may_be_kept)
{
	char there[PAYMENT_METADATA_SIZE], out[PAYMENT_METADATA_SIZE];

	memset(there, 'x', sizeof there);
	memcpy(there, "{\"a\":\"", 6);
	memcpy(there + 6, "1\",\"c\":\"", 8);
	memcpy(there + sizeof there - 3, "\"}", 3);
	ck_assert_int_eq(metadata_merge(there, &(struct field_value){ .kind = VALUE_OBJECT }, out),
			 ERR_OK);
	ck_assert_int_eq(metadata_merge(there,
					&(struct field_value){ .kind = VALUE_OBJECT,
							       .pairs = pairs,
							       .pair_count = 1 },
					out),
			 ERR_TOO_LONG);
}
END_TEST

UNIT_MAIN("metadata", {
	tcase_add_test(tests, metadata_merge_changes_a_text_in_place);
	tcase_add_test(tests, metadata_merge_begins_with_nothing_and_may_end_so);
	tcase_add_test(tests, metadata_merge_refuses_more_than_may_be_kept);
})
