/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/cell.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

/* Words are kept in enums; every enum that is a column has the size of an int. */
static_assert(sizeof(enum cell_kind) == sizeof(int), "enums are read and written as int");

static struct cell *cells_next(struct cells *cells, enum cell_kind kind)
{
	struct cell *cell;

	assert(cells->count < CELLS_MAX);
	cell = &cells->list[cells->count++];
	*cell = (struct cell){ .kind = kind };
	return cell;
}

void cells_add_integer(struct cells *cells, int64_t integer)
{
	cells_next(cells, CELL_INTEGER)->integer = integer;
}

static void cells_add_sized(struct cells *cells, enum cell_kind kind, const void *bytes,
			    size_t size)
{
	struct cell *cell = cells_next(cells, kind);

	cell->bytes = bytes;
	cell->size = size;
}

void cells_add_text(struct cells *cells, const char *text)
{
	cells_add_sized(cells, CELL_TEXT, text, strlen(text));
}

void cells_add_id(struct cells *cells, const struct id *id)
{
	cells_add_sized(cells, CELL_BYTES, id->bytes, sizeof id->bytes);
}

void cells_add_raw(struct cells *cells, const void *bytes, size_t size)
{
	cells_add_sized(cells, CELL_BYTES, bytes, size);
}

void cells_add_null(struct cells *cells, enum cell_kind kind)
{
	cells_next(cells, kind)->null = true;
}

enum cell_kind column_cell_kind(const struct column *column)
{
	switch (column->kind) {
	case COLUMN_KIND_I64:
	case COLUMN_KIND_U32:
	case COLUMN_KIND_INT:
	case COLUMN_KIND_U8:
	case COLUMN_KIND_BOOL:
		return CELL_INTEGER;
	case COLUMN_KIND_TEXT:
	case COLUMN_KIND_WORD:
		return CELL_TEXT;
	case COLUMN_KIND_FIXED:
	case COLUMN_KIND_BYTES:
		return CELL_BYTES;
	}
	return CELL_BYTES;
}

size_t column_capacity(const struct column *column)
{
	switch (column->kind) {
	case COLUMN_KIND_I64:
	case COLUMN_KIND_U32:
	case COLUMN_KIND_INT:
	case COLUMN_KIND_U8:
	case COLUMN_KIND_BOOL:
		return 0;
	case COLUMN_KIND_TEXT:
		return column->size - 1;
	case COLUMN_KIND_WORD:
		return CELL_WORD_MAX;
	case COLUMN_KIND_FIXED:
	case COLUMN_KIND_BYTES:
		return column->size;
	}
	return 0;
}

static int64_t member_integer(const struct column *column, const void *member)
{
	int64_t i64;
	uint32_t u32;
	int plain;

	if (column->kind == COLUMN_KIND_I64) {
		memcpy(&i64, member, sizeof i64);
		return i64;
	}
	if (column->kind == COLUMN_KIND_U32) {
		memcpy(&u32, member, sizeof u32);
		return u32;
	}
	if (column->kind == COLUMN_KIND_INT) {
		memcpy(&plain, member, sizeof plain);
		return plain;
	}
	return *(const unsigned char *)member;
}

static void cells_add_number(struct cells *cells, const struct column *column, const void *member)
{
	int64_t integer = member_integer(column, member);

	if (column->nullable && integer == 0)
		cells_add_null(cells, CELL_INTEGER);
	else
		cells_add_integer(cells, integer);
}

static bool all_zero(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static void cells_add_word(struct cells *cells, const struct column *column, const void *member)
{
	int value;

	memcpy(&value, member, sizeof value);
	if (column->nullable && value == column->null_value)
		cells_add_null(cells, CELL_TEXT);
	else
		cells_add_text(cells, words_text(*column->words, value));
}

static void cells_add_bytes(struct cells *cells, const struct column *column, const void *row)
{
	const unsigned char *member = (const unsigned char *)row + column->offset;
	size_t size = column->size;
	bool empty;

	if (column->kind == COLUMN_KIND_BYTES)
		memcpy(&size, (const unsigned char *)row + column->size_offset, sizeof size);
	assert(size <= column->size);
	empty = column->kind == COLUMN_KIND_BYTES ? size == 0 : all_zero(member, size);
	if (column->nullable && empty)
		cells_add_null(cells, CELL_BYTES);
	else
		cells_add_sized(cells, CELL_BYTES, member, size);
}

static void cells_add_column(struct cells *cells, const struct column *column, const void *row)
{
	const char *member = (const char *)row + column->offset;

	switch (column->kind) {
	case COLUMN_KIND_I64:
	case COLUMN_KIND_U32:
	case COLUMN_KIND_INT:
	case COLUMN_KIND_U8:
	case COLUMN_KIND_BOOL:
		cells_add_number(cells, column, member);
		break;
	case COLUMN_KIND_TEXT:
		if (column->nullable && member[0] == '\0')
			cells_add_null(cells, CELL_TEXT);
		else
			cells_add_text(cells, member);
		break;
	case COLUMN_KIND_WORD:
		cells_add_word(cells, column, member);
		break;
	case COLUMN_KIND_FIXED:
	case COLUMN_KIND_BYTES:
		cells_add_bytes(cells, column, row);
		break;
	}
}

void cells_add_row(struct cells *cells, const struct shape *shape, const void *row)
{
	for (size_t i = 0; i < shape->count; i++)
		cells_add_column(cells, &shape->columns[i], row);
}

/* Bounds of the numbers a member can hold. */
static bool number_fits(enum column_kind kind, int64_t integer)
{
	switch (kind) {
	case COLUMN_KIND_I64:
		return true;
	case COLUMN_KIND_U32:
		return integer >= 0 && integer <= UINT32_MAX;
	case COLUMN_KIND_INT:
		return integer >= INT_MIN && integer <= INT_MAX;
	case COLUMN_KIND_U8:
		return integer >= 0 && integer <= UINT8_MAX;
	case COLUMN_KIND_BOOL:
		return integer == 0 || integer == 1;
	case COLUMN_KIND_TEXT:
	case COLUMN_KIND_FIXED:
	case COLUMN_KIND_BYTES:
	case COLUMN_KIND_WORD:
		return false;
	}
	return false;
}

static enum err write_number(const struct column *column, int64_t integer, void *member)
{
	uint32_t u32 = (uint32_t)integer;
	int plain = (int)integer;
	uint8_t u8 = (uint8_t)integer;

	if (!number_fits(column->kind, integer))
		return ERR_STORE;
	if (column->kind == COLUMN_KIND_I64)
		memcpy(member, &integer, sizeof integer);
	else if (column->kind == COLUMN_KIND_U32)
		memcpy(member, &u32, sizeof u32);
	else if (column->kind == COLUMN_KIND_INT)
		memcpy(member, &plain, sizeof plain);
	else if (column->kind == COLUMN_KIND_U8)
		memcpy(member, &u8, sizeof u8);
	else
		*(bool *)member = integer == 1;
	return ERR_OK;
}

static enum err write_word(const struct column *column, const struct cell *cell, void *member)
{
	char word[CELL_WORD_MAX + 1];
	int value;

	if (cell->size > CELL_WORD_MAX)
		return ERR_STORE;
	memcpy(word, cell->bytes, cell->size);
	word[cell->size] = '\0';
	value = words_find(*column->words, word);
	if (value < 0)
		return ERR_STORE;
	memcpy(member, &value, sizeof value);
	return ERR_OK;
}

static enum err write_text(const struct column *column, const struct cell *cell, char *member)
{
	if (cell->size >= column->size || memchr(cell->bytes, '\0', cell->size) != NULL)
		return ERR_STORE;
	memcpy(member, cell->bytes, cell->size);
	member[cell->size] = '\0';
	return ERR_OK;
}

static enum err write_bytes(const struct column *column, const struct cell *cell, void *row)
{
	unsigned char *member = (unsigned char *)row + column->offset;

	if (cell->size > column->size)
		return ERR_STORE;
	if (column->kind == COLUMN_KIND_FIXED && cell->size != column->size)
		return ERR_STORE;
	memcpy(member, cell->bytes, cell->size);
	if (column->kind == COLUMN_KIND_BYTES)
		memcpy((unsigned char *)row + column->size_offset, &cell->size, sizeof cell->size);
	return ERR_OK;
}

static enum err write_null(const struct column *column, void *row)
{
	char *member = (char *)row + column->offset;

	if (!column->nullable)
		return ERR_STORE;
	if (column->kind == COLUMN_KIND_TEXT)
		member[0] = '\0';
	else if (column->kind == COLUMN_KIND_WORD)
		memcpy(member, &column->null_value, sizeof column->null_value);
	else
		memset(member, 0, column->size);
	if (column->kind == COLUMN_KIND_BYTES)
		memset((char *)row + column->size_offset, 0, sizeof(size_t));
	return ERR_OK;
}

enum err column_write(const struct column *column, const struct cell *cell, void *row)
{
	char *member = (char *)row + column->offset;

	assert(cell->kind == column_cell_kind(column));
	if (cell->null)
		return write_null(column, row);
	switch (column->kind) {
	case COLUMN_KIND_I64:
	case COLUMN_KIND_U32:
	case COLUMN_KIND_INT:
	case COLUMN_KIND_U8:
	case COLUMN_KIND_BOOL:
		return write_number(column, cell->integer, member);
	case COLUMN_KIND_TEXT:
		return write_text(column, cell, member);
	case COLUMN_KIND_WORD:
		return write_word(column, cell, member);
	case COLUMN_KIND_FIXED:
	case COLUMN_KIND_BYTES:
		return write_bytes(column, cell, row);
	}
	return ERR_STORE;
}
