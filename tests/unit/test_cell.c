/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/cell.h"

#include <string.h>

#include "unit.h"

enum colour { COLOUR_RED, COLOUR_GREEN };
static const char *const colour_list[] = { "red", "green" };
static const struct words colour_words = { colour_list, 2 };

struct sample {
	int64_t big;
	uint32_t count;
	int plain;
	uint8_t small;
	bool flag;
	char text[5];
	struct id id;
	uint8_t bytes[4];
	size_t bytes_size;
	enum colour colour;
	int maybe_colour;
};

enum { BIG, COUNT, PLAIN, SMALL, FLAG, TEXT, ID, BYTES, COLOUR, MAYBE_COLOUR, COLUMNS };

static const struct column strict[] = {
	COLUMN_NUMBER(struct sample, big),
	COLUMN_NUMBER(struct sample, count),
	COLUMN_NUMBER(struct sample, plain),
	COLUMN_NUMBER(struct sample, small),
	COLUMN_NUMBER(struct sample, flag),
	COLUMN_TEXT(struct sample, text),
	COLUMN_FIXED(struct sample, id),
	COLUMN_BYTES_OR_NULL(struct sample, bytes, bytes_size),
	COLUMN_WORD(struct sample, colour, colour_words),
	COLUMN_WORD_OR_NULL(struct sample, maybe_colour, colour_words, -1),
};
static const struct column loose[] = {
	COLUMN_NUMBER_OR_NULL(struct sample, big),
	COLUMN_TEXT_OR_NULL(struct sample, text),
	COLUMN_FIXED_OR_NULL(struct sample, id),
	COLUMN_BYTES_OR_NULL(struct sample, bytes, bytes_size),
	COLUMN_WORD_OR_NULL(struct sample, maybe_colour, colour_words, -1),
};
static const struct shape strict_shape = SHAPE(strict);
static const struct shape loose_shape = SHAPE(loose);

static const struct sample full = { .big = INT64_MIN,
				    .count = UINT32_MAX,
				    .plain = -7,
				    .small = 255,
				    .flag = true,
				    .text = "abcd",
				    .id = { { 1, 2, 3 } },
				    .bytes = { 0, 0, 9 },
				    .bytes_size = 3,
				    .colour = COLOUR_GREEN,
				    .maybe_colour = COLOUR_RED };

START_TEST(cells_carry_a_row_there_and_back)
{
	struct sample back = { .big = 0 };
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &strict_shape, &full);
	ck_assert_uint_eq(cells.count, COLUMNS);
	for (size_t i = 0; i < COLUMNS; i++)
		ck_assert_int_eq(column_write(&strict[i], &cells.list[i], &back), ERR_OK);

	ck_assert_int_eq(back.big, full.big);
	ck_assert_uint_eq(back.count, full.count);
	ck_assert_int_eq(back.plain, full.plain);
	ck_assert_uint_eq(back.small, full.small);
	ck_assert(back.flag);
	ck_assert_str_eq(back.text, full.text);
	ck_assert_mem_eq(&back.id, &full.id, sizeof back.id);
	ck_assert_uint_eq(back.bytes_size, 3);
	ck_assert_mem_eq(back.bytes, full.bytes, 3);
	ck_assert_int_eq(back.colour, COLOUR_GREEN);
	ck_assert_int_eq(back.maybe_colour, COLOUR_RED);
}
END_TEST

START_TEST(cells_make_empty_values_null_and_back)
{
	const struct sample empty = { .maybe_colour = -1 };
	struct sample back = full;
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &loose_shape, &empty);
	for (size_t i = 0; i < cells.count; i++) {
		ck_assert(cells.list[i].null);
		ck_assert_int_eq(column_write(&loose[i], &cells.list[i], &back), ERR_OK);
	}

	ck_assert_int_eq(back.big, 0);
	ck_assert_str_eq(back.text, "");
	ck_assert(id_is_empty(back.id));
	ck_assert_uint_eq(back.bytes_size, 0);
	ck_assert_int_eq(back.maybe_colour, -1);
}
END_TEST

START_TEST(cells_keep_zero_bytes_that_are_a_value)
{
	const struct sample zeros = { .bytes_size = 4, .maybe_colour = -1 };
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &loose_shape, &zeros);

	ck_assert(!cells.list[3].null);
	ck_assert_uint_eq(cells.list[3].size, 4);
}
END_TEST

#define INTEGER(VALUE)                                                                             \
	{                                                                                          \
		.kind = CELL_INTEGER, .integer = (VALUE)                                           \
	}
#define BYTES_OF(KIND, LITERAL)                                                                    \
	{                                                                                          \
		.kind = (KIND), .bytes = (LITERAL), .size = sizeof(LITERAL) - 1                    \
	}

static const struct {
	int column;
	struct cell cell;
	enum err err;
} writes[] = {
	{ BIG, INTEGER(INT64_MAX), ERR_OK },
	{ COUNT, INTEGER(0), ERR_OK },
	{ COUNT, INTEGER(-1), ERR_STORE },
	{ COUNT, INTEGER(INT64_C(4294967296)), ERR_STORE },
	{ PLAIN, INTEGER(INT32_MAX), ERR_OK },
	{ PLAIN, INTEGER(INT64_C(2147483648)), ERR_STORE },
	{ PLAIN, INTEGER(INT64_C(-2147483649)), ERR_STORE },
	{ SMALL, INTEGER(255), ERR_OK },
	{ SMALL, INTEGER(256), ERR_STORE },
	{ SMALL, INTEGER(-1), ERR_STORE },
	{ FLAG, INTEGER(0), ERR_OK },
	{ FLAG, INTEGER(2), ERR_STORE },
	{ TEXT, BYTES_OF(CELL_TEXT, "wxyz"), ERR_OK },
	{ TEXT, BYTES_OF(CELL_TEXT, ""), ERR_OK },
	{ TEXT, BYTES_OF(CELL_TEXT, "vwxyz"), ERR_STORE },
	{ TEXT, BYTES_OF(CELL_TEXT, "a\0b"), ERR_STORE },
	{ ID, BYTES_OF(CELL_BYTES, "0123456789abcdef"), ERR_OK },
	{ ID, BYTES_OF(CELL_BYTES, "0123456789abcde"), ERR_STORE },
	{ ID, BYTES_OF(CELL_BYTES, "0123456789abcdefg"), ERR_STORE },
	{ BYTES, BYTES_OF(CELL_BYTES, "1234"), ERR_OK },
	{ BYTES, BYTES_OF(CELL_BYTES, "12345"), ERR_STORE },
	{ COLOUR, BYTES_OF(CELL_TEXT, "red"), ERR_OK },
	{ COLOUR, BYTES_OF(CELL_TEXT, "blue"), ERR_STORE },
	{ COLOUR, BYTES_OF(CELL_TEXT, ""), ERR_STORE },
	{ COLOUR, BYTES_OF(CELL_TEXT, "a word that is longer than any other"), ERR_STORE },
	{ BIG, { .kind = CELL_INTEGER, .null = true }, ERR_STORE },
	{ TEXT, { .kind = CELL_TEXT, .null = true }, ERR_STORE },
	{ ID, { .kind = CELL_BYTES, .null = true }, ERR_STORE },
	{ COLOUR, { .kind = CELL_TEXT, .null = true }, ERR_STORE },
	{ MAYBE_COLOUR, { .kind = CELL_TEXT, .null = true }, ERR_OK },
};

START_TEST(column_write_takes_only_what_fits)
{
	struct sample row;
	struct sample before;

	memset(&row, 0x55, sizeof row);
	before = row;

	ck_assert_int_eq(column_write(&strict[writes[_i].column], &writes[_i].cell, &row),
			 writes[_i].err);
	if (writes[_i].err == ERR_OK)
		ck_assert_mem_ne(&row, &before, sizeof row);
	else
		ck_assert_mem_eq(&row, &before, sizeof row);
}
END_TEST

START_TEST(column_capacity_is_what_the_member_holds)
{
	ck_assert_uint_eq(column_capacity(&strict[BIG]), 0);
	ck_assert_uint_eq(column_capacity(&strict[TEXT]), 4);
	ck_assert_uint_eq(column_capacity(&strict[ID]), ID_SIZE);
	ck_assert_uint_eq(column_capacity(&strict[BYTES]), 4);
	ck_assert_uint_eq(column_capacity(&strict[COLOUR]), CELL_WORD_MAX);
}
END_TEST

UNIT_MAIN("cell", {
	tcase_add_test(tests, cells_carry_a_row_there_and_back);
	tcase_add_test(tests, cells_make_empty_values_null_and_back);
	tcase_add_test(tests, cells_keep_zero_bytes_that_are_a_value);
	tcase_add_loop_test(tests, column_write_takes_only_what_fits, 0,
			    (int)(sizeof writes / sizeof writes[0]));
	tcase_add_test(tests, column_capacity_is_what_the_member_holds);
})
