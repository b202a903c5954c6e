/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cells: typed values between C structs and the parameters and columns of statements. Private to lib/store.
 *
 * Invariant  a shape says once how a struct maps to columns, for both directions; the empty value of a column that may
 *            be NULL ("", 0, an empty id, no bytes) is NULL in the table
 * Ownership  cells borrow texts and bytes; shapes are constants
 * Threads    safe: pure functions
 */
#ifndef STORE_CELL_H
#define STORE_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/id.h"
#include "core/transition.h"

#define CELLS_MAX 32
#define CELL_WORD_MAX 31 /* longest word of an ENUM column */

enum cell_kind { CELL_INTEGER, CELL_TEXT, CELL_BYTES };

struct cell {
	enum cell_kind kind;
	bool null;
	int64_t integer;
	const void *bytes;
	size_t size;
};

struct cells {
	struct cell list[CELLS_MAX];
	size_t count;
};

enum column_kind {
	COLUMN_KIND_I64,
	COLUMN_KIND_U32,
	COLUMN_KIND_INT,
	COLUMN_KIND_U8,
	COLUMN_KIND_BOOL,
	COLUMN_KIND_TEXT,  /* char array, terminated */
	COLUMN_KIND_FIXED, /* byte array or id that is always full */
	COLUMN_KIND_BYTES, /* byte array with a size_t member that says how full */
	COLUMN_KIND_WORD,  /* enum, or int with a "none" value, that stands as its word */
};

struct column {
	enum column_kind kind;
	size_t offset;
	size_t size;        /* of the member, bytes */
	size_t size_offset; /* COLUMN_KIND_BYTES */
	const struct words *words;
	bool nullable;
	int null_value; /* COLUMN_KIND_WORD: the value that is NULL */
};

struct shape {
	const struct column *columns;
	size_t count;
};

/* clang-format off */
#define COLUMN_SIZE_(T, M) sizeof(((T *)0)->M)
#define COLUMN_NUMBER_KIND_(T, M)                                                                  \
	_Generic(((T *)0)->M, int64_t: COLUMN_KIND_I64, uint32_t: COLUMN_KIND_U32,                 \
		 int: COLUMN_KIND_INT, uint8_t: COLUMN_KIND_U8, bool: COLUMN_KIND_BOOL)
#define COLUMN_(KIND, T, M, ...)                                                                   \
	{ .kind = (KIND), .offset = offsetof(T, M), .size = COLUMN_SIZE_(T, M), __VA_ARGS__ }

#define COLUMN_NUMBER(T, M) COLUMN_(COLUMN_NUMBER_KIND_(T, M), T, M, .nullable = false)
#define COLUMN_NUMBER_OR_NULL(T, M) COLUMN_(COLUMN_NUMBER_KIND_(T, M), T, M, .nullable = true)
#define COLUMN_TEXT(T, M) COLUMN_(COLUMN_KIND_TEXT, T, M, .nullable = false)
#define COLUMN_TEXT_OR_NULL(T, M) COLUMN_(COLUMN_KIND_TEXT, T, M, .nullable = true)
#define COLUMN_FIXED(T, M) COLUMN_(COLUMN_KIND_FIXED, T, M, .nullable = false)
#define COLUMN_FIXED_OR_NULL(T, M) COLUMN_(COLUMN_KIND_FIXED, T, M, .nullable = true)
#define COLUMN_BYTES_OR_NULL(T, M, SIZE)                                                           \
	COLUMN_(COLUMN_KIND_BYTES, T, M, .size_offset = offsetof(T, SIZE), .nullable = true)
#define COLUMN_WORD(T, M, WORDS) COLUMN_(COLUMN_KIND_WORD, T, M, .words = &(WORDS))
#define COLUMN_WORD_OR_NULL(T, M, WORDS, NULL_VALUE)                                               \
	COLUMN_(COLUMN_KIND_WORD, T, M, .words = &(WORDS), .nullable = true,                       \
		.null_value = (NULL_VALUE))

#define SHAPE(COLUMNS) { (COLUMNS), sizeof(COLUMNS) / sizeof((COLUMNS)[0]) }
/* clang-format on */

/* Append one cell; `text`, `id`, `bytes` and `row` must live as long as the cells. */
void cells_add_integer(struct cells *cells, int64_t integer);
void cells_add_text(struct cells *cells, const char *text);
void cells_add_id(struct cells *cells, const struct id *id);
void cells_add_raw(struct cells *cells, const void *bytes, size_t size);
void cells_add_null(struct cells *cells, enum cell_kind kind);

/* Append one cell per column of the shape, read from `row`, a struct of the shape's type. */
void cells_add_row(struct cells *cells, const struct shape *shape, const void *row);

/* What kind of cell a column travels as, and the most bytes its member can take (0 for integers). */
enum cell_kind column_cell_kind(const struct column *column);
size_t column_capacity(const struct column *column);

/*
 * Write a value that was read into the column's member of `row`.
 * Returns  ERR_OK; ERR_STORE with the member untouched where the value is too long, out of the member's range, an
 *          unknown word, text with a NUL byte inside, or NULL where the column may not be
 */
CHECKED enum err column_write(const struct column *column, const struct cell *cell, void *row);

#endif
