/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/id.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define COUNT(array) ((int)(sizeof array / sizeof array[0]))

static const char *const prefixes[ID_KIND_COUNT] = { "trans_", "op_",  "ref_",  "att_", "evt_",
						     "cb_",    "exc_", "cust_", "pm_" };

static const struct {
	uint8_t bytes[ID_SIZE];
	const char *digits;
} vectors[] = {
	{ { 0 }, "00000000000000000000000000" },
	{ { [ID_SIZE - 1] = 1 }, "00000000000000000000000001" },
	{ { 0x80 }, "40000000000000000000000000" },
	{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff },
	  "7ZZZZZZZZZZZZZZZZZZZZZZZZZ" },
	/* The example of the ULID specification, whose text form is the same. */
	{ { 0x01, 0x56, 0x3e, 0x3a, 0xb5, 0xd3, 0xd6, 0x76, 0x4c, 0x61, 0xef, 0xb9, 0x93, 0x02,
	    0xbd, 0x5b },
	  "01ARZ3NDEKTSV4RRFFQ69G5FAV" },
};

START_TEST(id_text_is_prefix_and_crockford_digits)
{
	struct id id;
	char out[ID_TEXT_SIZE];
	char expected[ID_TEXT_SIZE];

	memcpy(id.bytes, vectors[_i].bytes, ID_SIZE);
	for (int kind = 0; kind < ID_KIND_COUNT; kind++) {
		struct id read;

		ck_assert_str_eq(id_prefix((enum id_kind)kind), prefixes[kind]);
		snprintf(expected, sizeof expected, "%s%s", prefixes[kind], vectors[_i].digits);
		ck_assert_ptr_eq(id_format((enum id_kind)kind, id, out), out);
		ck_assert_str_eq(out, expected);
		ck_assert(id_parse((enum id_kind)kind, expected, &read));
		ck_assert(id_equal(read, id));
	}
}
END_TEST

START_TEST(id_is_read_back_whichever_bit_is_set)
{
	struct id id = { 0 };
	struct id read;
	char out[ID_TEXT_SIZE];

	id.bytes[_i / 8] = (uint8_t)(1u << (_i % 8));

	ck_assert(id_parse(ID_EVENT, id_format(ID_EVENT, id, out), &read));

	ck_assert(id_equal(read, id));
	ck_assert(!id_is_empty(read));
}
END_TEST

START_TEST(id_of_one_kind_is_not_read_as_another)
{
	const enum id_kind written = (enum id_kind)(_i / ID_KIND_COUNT);
	const enum id_kind wanted = (enum id_kind)(_i % ID_KIND_COUNT);
	const struct id id = { { 1, 2, 3 } };
	struct id read;
	char out[ID_TEXT_SIZE];

	ck_assert_int_eq(id_parse(wanted, id_format(written, id, out), &read), written == wanted);
}
END_TEST

static const char *const refused[] = {
	"",
	"trans",
	"trans_",
	"01ARZ3NDEKTSV4RRFFQ69G5FAV",
	"trans01ARZ3NDEKTSV4RRFFQ69G5FAV",
	"TRANS_01ARZ3NDEKTSV4RRFFQ69G5FAV",
	" trans_01ARZ3NDEKTSV4RRFFQ69G5FAV",
	"trans_01ARZ3NDEKTSV4RRFFQ69G5FAV ",
	"trans_01ARZ3NDEKTSV4RRFFQ69G5FA",
	"trans_01ARZ3NDEKTSV4RRFFQ69G5FAV0",
	"trans__01ARZ3NDEKTSV4RRFFQ69G5FA",
	"trans_01arz3ndektsv4rrffq69g5fav",
	"trans_01ARZ3NDEKTSV4RRFFQ69G5FAv",
	"trans_81ARZ3NDEKTSV4RRFFQ69G5FAV",
	"trans_Z1ARZ3NDEKTSV4RRFFQ69G5FAV",
	"trans_80000000000000000000000000",
	"trans_01ARZ3NDEKTSV4RRFFQ-9G5FAV",
};

START_TEST(id_parse_refuses_other_text)
{
	struct id id;

	memset(&id, 0xa5, sizeof id);

	ck_assert_msg(!id_parse(ID_TRANSACTION, refused[_i], &id), "%s", refused[_i]);

	for (int i = 0; i < ID_SIZE; i++)
		ck_assert_uint_eq(id.bytes[i], 0xa5);
}
END_TEST

/* One id has one spelling: the alphabet's 32 are digits, I, L, O, U and lower case are not. */
START_TEST(id_parse_takes_only_the_alphabet)
{
	for (int byte = 1; byte <= 0xff; byte++) {
		char text[] = "op_01ARZ3NDEKTSV4RRFFQ69G5FAV";
		const bool allowed =
			byte < 0x80 && (isdigit(byte) || isupper(byte)) && !strchr("ILOU", byte);
		struct id id;
		char out[ID_TEXT_SIZE];

		text[10] = (char)byte;
		ck_assert_msg(id_parse(ID_OPERATION, text, &id) == allowed, "byte %02x",
			      (unsigned)byte);
		if (allowed)
			ck_assert_str_eq(id_format(ID_OPERATION, id, out), text);
	}
}
END_TEST

START_TEST(id_begins_with_its_milliseconds)
{
	const uint8_t random[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	const uint8_t expected[ID_SIZE] = {
		0x01, 0x56, 0x3e, 0x3a, 0xb5, 0xd3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	};
	/* 01563e3ab5d3 is 1469922850259 ms; what is below a millisecond is cut off */
	const struct id id = id_make(INT64_C(1469922850259999), random);

	ck_assert_mem_eq(id.bytes, expected, ID_SIZE);
}
END_TEST

static const int64_t times_us[] = {
	0,
	1000,
	255000,
	256000,
	INT64_C(1469922850259000),
	INT64_C(1469922850260000),
	INT64_C(1795000000000000),
	((INT64_C(1) << 48) - 1) * 1000,
};

START_TEST(id_sorts_by_time_as_bytes_and_as_text)
{
	const uint8_t high[10] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 };
	const uint8_t low[10] = { 0 };
	const struct id earlier = id_make(times_us[_i], high);
	const struct id later = id_make(times_us[_i + 1], low);
	char earlier_text[ID_TEXT_SIZE];
	char later_text[ID_TEXT_SIZE];

	ck_assert_int_lt(id_compare(earlier, later), 0);
	ck_assert_int_gt(id_compare(later, earlier), 0);
	ck_assert_str_lt(id_format(ID_TRANSACTION, earlier, earlier_text),
			 id_format(ID_TRANSACTION, later, later_text));
}
END_TEST

START_TEST(id_tells_its_millisecond_and_the_last_of_it)
{
	const int64_t at_us = INT64_C(1469922850259), end_us = INT64_C(1) << 48;
	const uint8_t low[10] = { 0 },
		      high[10] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 254 };
	const struct id last = id_last_of(at_us * 1000 + 999);

	ck_assert_int_eq(id_time_us(id_make(at_us * 1000 + 999, high)), at_us * 1000);
	ck_assert_int_eq(id_time_us(last), at_us * 1000);
	ck_assert_int_gt(id_compare(last, id_make(at_us * 1000, high)), 0);
	ck_assert_int_lt(id_compare(last, id_make(at_us * 1000 + 1000, low)), 0);
	ck_assert_int_eq(id_time_us(id_last_of(INT64_MAX)), (end_us - 1) * 1000);
	ck_assert(id_is_empty(id_last_of(-1)));
}
END_TEST

START_TEST(id_of_zeros_is_empty)
{
	const struct id empty = { 0 };
	const struct id other = { { [ID_SIZE - 1] = 1 } };

	ck_assert(id_is_empty(empty));
	ck_assert(!id_is_empty(other));
	ck_assert(id_equal(empty, empty));
	ck_assert(!id_equal(empty, other));
	ck_assert_int_eq(id_compare(other, other), 0);
}
END_TEST

START_TEST(id_before_1970_is_a_bug)
{
	const uint8_t random[10] = { 0 };

	id_make(-1, random);
}
END_TEST

UNIT_MAIN("id", {
	tcase_add_loop_test(tests, id_text_is_prefix_and_crockford_digits, 0, COUNT(vectors));
	tcase_add_loop_test(tests, id_is_read_back_whichever_bit_is_set, 0, 8 * ID_SIZE);
	tcase_add_loop_test(tests, id_of_one_kind_is_not_read_as_another, 0,
			    ID_KIND_COUNT * ID_KIND_COUNT);
	tcase_add_loop_test(tests, id_parse_refuses_other_text, 0, COUNT(refused));
	tcase_add_test(tests, id_parse_takes_only_the_alphabet);
	tcase_add_test(tests, id_begins_with_its_milliseconds);
	tcase_add_loop_test(tests, id_sorts_by_time_as_bytes_and_as_text, 0, COUNT(times_us) - 1);
	tcase_add_test(tests, id_tells_its_millisecond_and_the_last_of_it);
	tcase_add_test(tests, id_of_zeros_is_empty);
	tcase_add_test_raise_signal(tests, id_before_1970_is_a_bug, SIGABRT);
})
