/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/transaction.h"

#include <assert.h>
#include <string.h>

#include "store/bulk.h"
#include "store/sheet_private.h"
#include "store/statement.h"

static const char *const forms[] = { "minor", "major" };
const struct words amount_form_words = { forms, sizeof forms / sizeof forms[0] };

#define VIEW_ONLY 7 /* columns behind those of the row itself */

static const struct column columns[] = {
	COLUMN_FIXED(struct transaction_row, id),
	COLUMN_TEXT(struct transaction_row, merchant),
	COLUMN_TEXT(struct transaction_row, customer),
	COLUMN_WORD(struct transaction_row, kind, transaction_kind_words),
	COLUMN_NUMBER(struct transaction_row, amount.minor),
	COLUMN_TEXT(struct transaction_row, amount.currency),
	COLUMN_NUMBER(struct transaction_row, exponent),
	COLUMN_WORD(struct transaction_row, form, amount_form_words),
	COLUMN_TEXT(struct transaction_row, method),
	COLUMN_TEXT_OR_NULL(struct transaction_row, description),
	COLUMN_TEXT_OR_NULL(struct transaction_row, country),
	COLUMN_TEXT_OR_NULL(struct transaction_row, callback_url),
	COLUMN_TEXT_OR_NULL(struct transaction_row, metadata),
	COLUMN_WORD(struct transaction_row, status, transaction_status_words),
	COLUMN_TEXT_OR_NULL(struct transaction_row, status_reason),
	COLUMN_NUMBER(struct transaction_row, version),
	COLUMN_NUMBER(struct transaction_row, amount_captured),
	COLUMN_NUMBER(struct transaction_row, amount_refunded),
	COLUMN_TEXT_OR_NULL(struct transaction_row, failure_code),
	COLUMN_NUMBER(struct transaction_row, created_at_us),
	COLUMN_NUMBER(struct transaction_row, updated_at_us),
	/* of the view */
	COLUMN_WORD_OR_NULL(struct transaction_view, next_action, next_action_words, NEXT_NONE),
	COLUMN_NUMBER_OR_NULL(struct transaction_view, next_action_at_us),
	COLUMN_TEXT_OR_NULL(struct transaction_view, gateway),
	COLUMN_TEXT_OR_NULL(struct transaction_view, gateway_ref),
	COLUMN_TEXT_OR_NULL(struct transaction_view, decline_code),
	COLUMN_TEXT_OR_NULL(struct transaction_view, instructions),
	COLUMN_FIXED_OR_NULL(struct transaction_view, payment_method_id),
};
static_assert(offsetof(struct transaction_view, row) == 0, "a view begins with its row");

static const struct shape view_shape = SHAPE(columns);
static const struct shape shape = { columns, sizeof columns / sizeof columns[0] - VIEW_ONLY };

static const struct column changing[] = {
	COLUMN_WORD(struct transaction_row, status, transaction_status_words),
	COLUMN_TEXT_OR_NULL(struct transaction_row, status_reason),
	COLUMN_NUMBER(struct transaction_row, version),
	COLUMN_NUMBER(struct transaction_row, amount_captured),
	COLUMN_NUMBER(struct transaction_row, amount_refunded),
	COLUMN_TEXT_OR_NULL(struct transaction_row, failure_code),
	COLUMN_NUMBER(struct transaction_row, updated_at_us),
};
static const struct shape change = SHAPE(changing);

static const struct column amending[] = {
	COLUMN_TEXT_OR_NULL(struct transaction_row, description),
	COLUMN_TEXT_OR_NULL(struct transaction_row, metadata),
};
static const struct shape texts = SHAPE(amending);

enum err store_transaction_insert(struct store_tx *tx, const struct transaction_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &shape, row);
	return statement_write(tx, STATEMENT_TRANSACTION_INSERT, &cells, NULL);
}

enum err store_transaction_insert_all(struct store_tx *tx,
				      const struct transaction_row *const *rows, size_t count)
{
	return bulk_put(tx, STATEMENT_TRANSACTION_INSERT_ALL, &shape, (const void *const *)rows,
			count);
}

enum err store_transaction_lock(struct store_tx *tx, struct id id, struct transaction_row *row)
{
	const struct transaction_row *kept = sheet_find(tx, SHEET_TRANSACTION, id);
	struct transaction_row found;
	struct cells cells = { .count = 0 };
	enum err err;

	if (kept != NULL) {
		*row = *kept;
		return ERR_OK;
	}
	cells_add_id(&cells, &id);
	err = statement_read(tx, STATEMENT_TRANSACTION_LOCK, &cells, &shape, &found);
	if (err == ERR_OK && sheet_is_open(tx))
		err = sheet_put(tx, SHEET_TRANSACTION, &found, 0);
	if (err == ERR_OK)
		*row = found;
	return err;
}

enum err transaction_lock_all(struct store_tx *tx, const struct sheet_query *query)
{
	struct transaction_row row;

	return sheet_query_run(tx, STATEMENT_TRANSACTION_LOCK_ALL, &shape, &row, query);
}

enum err transaction_write_all(struct store_tx *tx, const struct transaction_row *const *rows,
			       size_t count)
{
	return bulk_put(tx, STATEMENT_TRANSACTION_WRITE_ALL, &shape, (const void *const *)rows,
			count);
}

enum err store_transaction_update(struct store_tx *tx, const struct transaction_row *row)
{
	struct cells cells = { .count = 0 };

	if (sheet_change(tx, SHEET_TRANSACTION, row))
		return ERR_OK;
	cells_add_row(&cells, &change, row);
	cells_add_id(&cells, &row->id);
	cells_add_integer(&cells, (int64_t)row->version - 1);
	return statement_write_one(tx, STATEMENT_TRANSACTION_UPDATE, &cells);
}

enum err store_transaction_amend(struct store_tx *tx, const struct transaction_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &texts, row);
	cells_add_id(&cells, &row->id);
	cells_add_integer(&cells, (int64_t)row->version);
	return statement_write_one(tx, STATEMENT_TRANSACTION_AMEND, &cells);
}

enum err store_transaction_find(struct store_tx *tx, const char *merchant, struct id id,
				struct transaction_view *view)
{
	struct transaction_view found;
	struct cells cells = { .count = 0 };
	enum err err = sheet_flush(tx);

	if (err != ERR_OK)
		return err;
	cells_add_id(&cells, &id);
	cells_add_text(&cells, merchant);
	err = statement_read(tx, STATEMENT_TRANSACTION_FIND, &cells, &view_shape, &found);
	if (err == ERR_OK)
		*view = found;
	return err;
}

struct owner_row {
	char merchant[MERCHANT_SIZE];
};
static const struct column owner_columns[] = { COLUMN_TEXT(struct owner_row, merchant) };
static const struct shape owner_shape = SHAPE(owner_columns);

enum err store_transaction_merchant(struct store_tx *tx, struct id id, char merchant[MERCHANT_SIZE])
{
	struct owner_row found;
	struct cells cells = { .count = 0 };
	enum err err;

	cells_add_id(&cells, &id);
	err = statement_read(tx, STATEMENT_TRANSACTION_MERCHANT, &cells, &owner_shape, &found);
	if (err == ERR_OK)
		memcpy(merchant, found.merchant, sizeof found.merchant);
	return err;
}

struct listing {
	store_transaction_each *each;
	void *context;
};

static void list_each(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each(listing->context, row);
}

enum err store_transaction_show(struct store_tx *tx, const char *merchant, const struct id *ids,
				size_t count, store_transaction_each *each, void *context)
{
	struct transaction_view view;
	struct listing listing = { each, context };
	const struct bulk_read read = { .id = STATEMENT_TRANSACTION_SHOW,
					.shape = &view_shape,
					.ids = ids,
					.count = count,
					.row = &view,
					.each = list_each,
					.context = &listing,
					.merchant = merchant };

	return bulk_read(tx, &read);
}
