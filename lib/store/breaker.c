/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/breaker.h"

#include "store/statement.h"

#define STATE_COLUMNS                                                                              \
	COLUMN_WORD(struct breaker_row, breaker.state, breaker_state_words),                       \
		COLUMN_NUMBER_OR_NULL(struct breaker_row, breaker.opened_at_us),                   \
		COLUMN_NUMBER_OR_NULL(struct breaker_row, breaker.until_us),                       \
		COLUMN_NUMBER_OR_NULL(struct breaker_row, breaker.span_us),                        \
		COLUMN_NUMBER(struct breaker_row, breaker.changed_at_us),                          \
		COLUMN_FIXED_OR_NULL(struct breaker_row, probe_by)
#define KEY_COLUMNS                                                                                \
	COLUMN_TEXT(struct breaker_row, gateway),                                                  \
		COLUMN_WORD(struct breaker_row, operation, breaker_operation_words)
#define FORCE_COLUMNS                                                                              \
	COLUMN_WORD_OR_NULL(struct breaker_row, breaker.force, breaker_force_words,                \
			    BREAKER_AUTOMATIC),                                                    \
		COLUMN_NUMBER_OR_NULL(struct breaker_row, breaker.force_until_us),                 \
		COLUMN_TEXT_OR_NULL(struct breaker_row, forced_reason),                            \
		COLUMN_TEXT_OR_NULL(struct breaker_row, forced_by),                                \
		COLUMN_NUMBER_OR_NULL(struct breaker_row, forced_at_us)

static const struct column columns[] = { KEY_COLUMNS, STATE_COLUMNS, FORCE_COLUMNS,
					 COLUMN_NUMBER(struct breaker_row, version) };
static const struct shape shape = SHAPE(columns);

static const struct column inserting[] = { KEY_COLUMNS, STATE_COLUMNS };
static const struct shape insert = SHAPE(inserting);

static const struct column changing[] = { STATE_COLUMNS, KEY_COLUMNS,
					  COLUMN_NUMBER(struct breaker_row, version) };
static const struct shape change = SHAPE(changing);

static const struct column forcing[] = { KEY_COLUMNS, FORCE_COLUMNS };
static const struct shape force = SHAPE(forcing);

struct listing {
	struct breaker_row *rows;
	size_t count;
};

static void list_each(void *context, const void *row)
{
	struct listing *listing = context;

	listing->rows[listing->count++] = *(const struct breaker_row *)row;
}

enum err store_breaker_list(struct store_tx *tx, struct breaker_row *rows, size_t *count)
{
	struct cells cells = { .count = 0 };
	struct listing listing = { .rows = rows };
	struct breaker_row row;
	const struct statement_many many = { STATEMENT_BREAKER_LIST, &cells,    &shape, &row,
					     list_each,              &listing };
	enum err err;

	cells_add_integer(&cells, BREAKER_ROWS_MAX);
	err = statement_read_many(tx, &many);
	if (err == ERR_OK)
		*count = listing.count;
	return err;
}

enum err store_breaker_write(struct store_tx *tx, const struct breaker_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, row->version == 0 ? &insert : &change, row);
	return statement_write(
		tx, row->version == 0 ? STATEMENT_BREAKER_INSERT : STATEMENT_BREAKER_UPDATE, &cells,
		NULL);
}

enum err store_breaker_force(struct store_tx *tx, const struct breaker_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &force, row);
	return statement_write(tx, STATEMENT_BREAKER_FORCE, &cells, NULL);
}

enum err store_breaker_release(struct store_tx *tx, const char *gateway,
			       enum breaker_operation operation)
{
	struct cells cells = { .count = 0 };

	cells_add_text(&cells, gateway);
	cells_add_text(&cells, words_text(breaker_operation_words, (int)operation));
	return statement_write(tx, STATEMENT_BREAKER_RELEASE, &cells, NULL);
}
