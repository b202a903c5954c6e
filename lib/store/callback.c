/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/callback.h"

#include "store/bulk.h"
#include "store/sheet_private.h"
#include "store/statement.h"

static const char *const results[] = { "applied",       "hint",      "kept",  "superseded",
				       "contradiction", "integrity", "orphan" };

const struct words callback_result_words = { results, sizeof results / sizeof results[0] };

/* The amount stands between these two: both of its columns are there or neither. */
static const struct column before_amount[] = {
	COLUMN_TEXT(struct callback_row, gateway),
	COLUMN_TEXT(struct callback_row, callback_key),
	COLUMN_FIXED(struct callback_row, id),
	COLUMN_FIXED_OR_NULL(struct callback_row, transaction_id),
	COLUMN_FIXED_OR_NULL(struct callback_row, attempt_id),
	COLUMN_TEXT_OR_NULL(struct callback_row, gateway_ref),
	COLUMN_TEXT_OR_NULL(struct callback_row, our_reference),
	COLUMN_TEXT(struct callback_row, word),
};
static const struct column after_amount[] = {
	COLUMN_FIXED(struct callback_row, body_sha256),
	COLUMN_TEXT(struct callback_row, body_masked),
	COLUMN_WORD(struct callback_row, result, callback_result_words),
	COLUMN_NUMBER(struct callback_row, received_at_us),
	COLUMN_TEXT_OR_NULL(struct callback_row, decline_word),
	COLUMN_TEXT_OR_NULL(struct callback_row, operation_word),
};
static const struct column changing[] = {
	COLUMN_WORD(struct callback_row, result, callback_result_words),
	COLUMN_FIXED_OR_NULL(struct callback_row, transaction_id),
	COLUMN_FIXED_OR_NULL(struct callback_row, attempt_id),
};
static const struct shape before_shape = SHAPE(before_amount);
static const struct shape after_shape = SHAPE(after_amount);
static const struct shape change = SHAPE(changing);

/* A row as it is read: what it says of the amount is NULL in both columns or in neither. */
static const struct column reading[] = {
	COLUMN_TEXT(struct callback_row, gateway),
	COLUMN_TEXT(struct callback_row, callback_key),
	COLUMN_FIXED(struct callback_row, id),
	COLUMN_FIXED_OR_NULL(struct callback_row, transaction_id),
	COLUMN_FIXED_OR_NULL(struct callback_row, attempt_id),
	COLUMN_TEXT_OR_NULL(struct callback_row, gateway_ref),
	COLUMN_TEXT_OR_NULL(struct callback_row, our_reference),
	COLUMN_TEXT(struct callback_row, word),
	COLUMN_NUMBER_OR_NULL(struct callback_row, amount.minor),
	COLUMN_TEXT_OR_NULL(struct callback_row, amount.currency),
	COLUMN_FIXED(struct callback_row, body_sha256),
	COLUMN_TEXT(struct callback_row, body_masked),
	COLUMN_WORD(struct callback_row, result, callback_result_words),
	COLUMN_NUMBER(struct callback_row, received_at_us),
	COLUMN_TEXT_OR_NULL(struct callback_row, decline_word),
	COLUMN_TEXT_OR_NULL(struct callback_row, operation_word),
};
static const struct shape read_shape = SHAPE(reading);

static void row_add(struct cells *cells, const void *of)
{
	const struct callback_row *row = of;

	cells_add_row(cells, &before_shape, row);
	if (row->has_amount) {
		cells_add_integer(cells, row->amount.minor);
		cells_add_text(cells, row->amount.currency);
	} else {
		cells_add_null(cells, CELL_INTEGER);
		cells_add_null(cells, CELL_TEXT);
	}
	cells_add_row(cells, &after_shape, row);
}

enum err store_callback_insert(struct store_tx *tx, const struct callback_row *row)
{
	struct cells cells = { .count = 0 };

	sheet_uncount(tx, row->transaction_id);
	row_add(&cells, row);
	return statement_write(tx, STATEMENT_CALLBACK_INSERT, &cells, NULL);
}

static enum err write_many(struct store_tx *tx, enum statement_id id,
			   const struct callback_row *const *rows, size_t count, uint64_t *affected)
{
	const struct bulk_rows bulk = { id, NULL, (const void *const *)rows, count };

	for (size_t i = 0; i < count; i++)
		sheet_uncount(tx, rows[i]->transaction_id);
	return bulk_write_by(tx, &bulk, row_add, affected);
}

enum err store_callback_insert_all(struct store_tx *tx, const struct callback_row *const *rows,
				   size_t count, size_t *inserted)
{
	uint64_t affected;
	enum err err = write_many(tx, STATEMENT_CALLBACK_INSERT_ALL, rows, count, &affected);

	if (err == ERR_OK)
		*inserted = (size_t)affected;
	return err;
}

enum err store_callback_write_all(struct store_tx *tx, const struct callback_row *const *rows,
				  size_t count)
{
	uint64_t affected;

	return write_many(tx, STATEMENT_CALLBACK_WRITE_ALL, rows, count, &affected);
}

enum err store_callback_update(struct store_tx *tx, const struct callback_row *row)
{
	struct cells cells = { .count = 0 };

	sheet_uncount(tx, row->transaction_id);
	cells_add_row(&cells, &change, row);
	cells_add_text(&cells, row->gateway);
	cells_add_text(&cells, row->callback_key);
	return statement_write_one(tx, STATEMENT_CALLBACK_UPDATE, &cells);
}

static enum err read_one(struct store_tx *tx, enum statement_id id, const char *gateway,
			 const char *callback_key, struct callback_row *row)
{
	struct cells cells = { .count = 0 };
	struct callback_row found = { .has_amount = false };
	enum err err;

	cells_add_text(&cells, gateway);
	cells_add_text(&cells, callback_key);
	err = statement_read(tx, id, &cells, &read_shape, &found);
	if (err != ERR_OK)
		return err;
	found.has_amount = found.amount.currency[0] != '\0';
	*row = found;
	return ERR_OK;
}

enum err store_callback_lock(struct store_tx *tx, const char *gateway, const char *callback_key,
			     struct callback_row *row)
{
	return read_one(tx, STATEMENT_CALLBACK_LOCK, gateway, callback_key, row);
}

enum err store_callback_read(struct store_tx *tx, const char *gateway, const char *callback_key,
			     struct callback_row *row)
{
	return read_one(tx, STATEMENT_CALLBACK_READ, gateway, callback_key, row);
}

struct probe_row {
	struct id id;
};
static const struct column probe_columns[] = { COLUMN_FIXED(struct probe_row, id) };
static const struct shape probe_shape = SHAPE(probe_columns);

enum err store_callback_probe(struct store_tx *tx, const char *gateway, const char *callback_key)
{
	struct probe_row found;
	struct cells cells = { .count = 0 };

	cells_add_text(&cells, gateway);
	cells_add_text(&cells, callback_key);
	return statement_read(tx, STATEMENT_CALLBACK_PROBE, &cells, &probe_shape, &found);
}

enum err store_callback_count_kept(struct store_tx *tx, struct id transaction_id, int64_t *count)
{
	bool known;
	enum err err = sheet_count(tx, SHEET_KEPT_CALLBACKS, transaction_id, count, &known);

	if (err != ERR_OK || known)
		return err;
	return statement_count(tx, STATEMENT_CALLBACK_COUNT_KEPT, transaction_id, count);
}

struct listing {
	store_callback_each *each;
	void *context;
};

static void list_each(void *context, const void *found)
{
	const struct listing *listing = context;
	struct callback_row row = *(const struct callback_row *)found;

	row.has_amount = row.amount.currency[0] != '\0';
	listing->each(listing->context, &row);
}

static enum err list(struct store_tx *tx, enum statement_id statement, const struct cells *cells,
		     struct listing *listing)
{
	struct callback_row row = { .has_amount = false };
	const struct statement_many many = { statement, cells,     &read_shape,
					     &row,      list_each, listing };

	return statement_read_many(tx, &many);
}

enum err store_callback_list_of(struct store_tx *tx, struct id transaction_id,
				store_callback_each *each, void *context)
{
	struct listing listing = { each, context };
	struct cells cells = { .count = 0 };

	cells_add_id(&cells, &transaction_id);
	return list(tx, STATEMENT_CALLBACK_LIST_OF, &cells, &listing);
}

enum err store_callback_list(struct store_tx *tx, const struct callback_filter *filter,
			     store_callback_each *each, void *context)
{
	struct listing listing = { each, context };
	struct cells cells = { .count = 0 };

	cells_add_integer(&cells, filter->since_us);
	cells_add_text(&cells, filter->gateway);
	cells_add_text(&cells, filter->gateway);
	cells_add_text(&cells, filter->result);
	cells_add_text(&cells, filter->result);
	cells_add_integer(&cells, filter->limit);
	return list(tx, STATEMENT_CALLBACK_LIST, &cells, &listing);
}
