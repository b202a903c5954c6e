/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/attempt.h"

#include "store/bulk.h"
#include "store/sheet_private.h"
#include "store/statement.h"

static const struct column columns[] = {
	COLUMN_FIXED(struct attempt_row, id),
	COLUMN_FIXED(struct attempt_row, operation_id),
	COLUMN_FIXED(struct attempt_row, transaction_id),
	COLUMN_TEXT(struct attempt_row, merchant),
	COLUMN_NUMBER(struct attempt_row, number),
	COLUMN_TEXT(struct attempt_row, gateway),
	COLUMN_TEXT(struct attempt_row, account),
	COLUMN_TEXT(struct attempt_row, our_reference),
	COLUMN_TEXT(struct attempt_row, gateway_key),
	COLUMN_TEXT_OR_NULL(struct attempt_row, gateway_ref),
	COLUMN_WORD(struct attempt_row, status, attempt_status_words),
	COLUMN_WORD_OR_NULL(struct attempt_row, class, attempt_class_words, ATTEMPT_CLASS_NONE),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, http_status),
	COLUMN_TEXT_OR_NULL(struct attempt_row, decline_code),
	COLUMN_TEXT_OR_NULL(struct attempt_row, reason),
	COLUMN_TEXT_OR_NULL(struct attempt_row, answer_masked),
	COLUMN_NUMBER(struct attempt_row, send_by_us),
	COLUMN_NUMBER(struct attempt_row, lease_until_us),
	COLUMN_NUMBER(struct attempt_row, prepared_at_us),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, sent_at_us),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, answered_at_us),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, open_since_us),
	COLUMN_NUMBER(struct attempt_row, asked_count),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, asked_at_us),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, not_found_at_us),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, contradicted_at_us),
	COLUMN_NUMBER(struct attempt_row, updated_at_us),
	COLUMN_TEXT_OR_NULL(struct attempt_row, instructions),
};
static const struct shape shape = SHAPE(columns);

static const struct column changing[] = {
	COLUMN_TEXT_OR_NULL(struct attempt_row, gateway_ref),
	COLUMN_WORD(struct attempt_row, status, attempt_status_words),
	COLUMN_WORD_OR_NULL(struct attempt_row, class, attempt_class_words, ATTEMPT_CLASS_NONE),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, http_status),
	COLUMN_TEXT_OR_NULL(struct attempt_row, decline_code),
	COLUMN_TEXT_OR_NULL(struct attempt_row, reason),
	COLUMN_TEXT_OR_NULL(struct attempt_row, answer_masked),
	COLUMN_NUMBER(struct attempt_row, send_by_us),
	COLUMN_NUMBER(struct attempt_row, lease_until_us),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, sent_at_us),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, answered_at_us),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, open_since_us),
	COLUMN_NUMBER(struct attempt_row, asked_count),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, asked_at_us),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, not_found_at_us),
	COLUMN_NUMBER_OR_NULL(struct attempt_row, contradicted_at_us),
	COLUMN_NUMBER(struct attempt_row, updated_at_us),
	COLUMN_TEXT_OR_NULL(struct attempt_row, instructions),
};
static const struct shape change = SHAPE(changing);

enum err store_attempt_insert(struct store_tx *tx, const struct attempt_row *row)
{
	struct cells cells = { .count = 0 };

	if (sheet_is_open(tx))
		return sheet_put(tx, SHEET_ATTEMPT, row, SHEET_NEW);
	cells_add_row(&cells, &shape, row);
	return statement_write(tx, STATEMENT_ATTEMPT_INSERT, &cells, NULL);
}

enum err attempt_insert_all(struct store_tx *tx, const struct attempt_row *const *rows,
			    size_t count)
{
	return bulk_put(tx, STATEMENT_ATTEMPT_INSERT_ALL, &shape, (const void *const *)rows, count);
}

enum err attempt_write_all(struct store_tx *tx, const struct attempt_row *const *rows, size_t count)
{
	return bulk_put(tx, STATEMENT_ATTEMPT_WRITE_ALL, &shape, (const void *const *)rows, count);
}

static enum err lock_all(struct store_tx *tx, enum statement_id id, const struct sheet_query *query)
{
	struct attempt_row row;

	return sheet_query_run(tx, id, &shape, &row, query);
}

enum err attempt_lock_all(struct store_tx *tx, const struct sheet_query *query)
{
	return lock_all(tx, STATEMENT_ATTEMPT_LOCK_ALL, query);
}

enum err attempt_lock_live_all(struct store_tx *tx, const struct sheet_query *query)
{
	return lock_all(tx, STATEMENT_ATTEMPT_LOCK_LIVE_ALL, query);
}

static enum err read_one(struct store_tx *tx, enum statement_id id, const struct cells *cells,
			 struct attempt_row *row)
{
	struct attempt_row found;
	enum err err = statement_read(tx, id, cells, &shape, &found);

	if (err == ERR_OK)
		*row = found;
	return err;
}

enum err store_attempt_lock(struct store_tx *tx, struct id id, struct attempt_row *row)
{
	const struct attempt_row *kept = sheet_find(tx, SHEET_ATTEMPT, id);
	struct cells cells = { .count = 0 };
	enum err err;

	if (kept != NULL) {
		*row = *kept;
		return ERR_OK;
	}
	cells_add_id(&cells, &id);
	err = read_one(tx, STATEMENT_ATTEMPT_LOCK, &cells, row);
	return err == ERR_OK && sheet_is_open(tx) ? sheet_put(tx, SHEET_ATTEMPT, row, 0) : err;
}

enum err store_attempt_read(struct store_tx *tx, struct id id, struct attempt_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_id(&cells, &id);
	return read_one(tx, STATEMENT_ATTEMPT_READ, &cells, row);
}

struct found_row {
	struct id id;
};
static const struct column found_columns[] = { COLUMN_FIXED(struct found_row, id) };
static const struct shape found_shape = SHAPE(found_columns);

enum err store_attempt_find_parent(struct store_tx *tx, struct id transaction_id,
				   enum operation_kind kind, struct id *id)
{
	struct found_row found;
	struct cells cells = { .count = 0 };
	enum err err;

	cells_add_id(&cells, &transaction_id);
	err = statement_read(tx,
			     kind == OPERATION_REFUND ? STATEMENT_ATTEMPT_FIND_REFUNDABLE
						      : STATEMENT_ATTEMPT_FIND_AUTHORISED,
			     &cells, &found_shape, &found);
	if (err == ERR_OK)
		*id = found.id;
	return err;
}

enum err store_attempt_lock_live(struct store_tx *tx, struct id operation_id,
				 struct attempt_row *row)
{
	const struct attempt_row *kept;
	struct cells cells = { .count = 0 };
	enum err err;

	if (sheet_find_live(tx, operation_id, &kept)) {
		if (kept == NULL)
			return ERR_NOT_FOUND;
		*row = *kept;
		return ERR_OK;
	}
	err = sheet_flush(tx);
	if (err != ERR_OK)
		return err;
	cells_add_id(&cells, &operation_id);
	err = read_one(tx, STATEMENT_ATTEMPT_LOCK_LIVE, &cells, row);
	return err == ERR_OK && sheet_is_open(tx) ? sheet_put(tx, SHEET_ATTEMPT, row, 0) : err;
}

enum err store_attempt_update(struct store_tx *tx, const struct attempt_row *row)
{
	struct cells cells = { .count = 0 };

	if (sheet_change(tx, SHEET_ATTEMPT, row))
		return ERR_OK;
	cells_add_row(&cells, &change, row);
	cells_add_id(&cells, &row->id);
	return statement_write_one(tx, STATEMENT_ATTEMPT_UPDATE, &cells);
}

/* An empty reference is nobody's: it must not match the attempts that have none. */
static enum err find_by(struct store_tx *tx, enum statement_id id, const char *gateway,
			const char *reference, struct attempt_row *row)
{
	struct cells cells = { .count = 0 };
	enum err err;

	if (reference[0] == '\0')
		return ERR_NOT_FOUND;
	err = sheet_flush(tx);
	if (err != ERR_OK)
		return err;
	cells_add_text(&cells, gateway);
	cells_add_text(&cells, reference);
	return read_one(tx, id, &cells, row);
}

enum err store_attempt_find(struct store_tx *tx, const char *gateway, const char *gateway_ref,
			    const char *our_reference, struct attempt_row *row)
{
	enum err err = find_by(tx, STATEMENT_ATTEMPT_FIND_GATEWAY_REF, gateway, gateway_ref, row);

	if (err != ERR_NOT_FOUND)
		return err;
	return find_by(tx, STATEMENT_ATTEMPT_FIND_OUR_REFERENCE, gateway, our_reference, row);
}

struct used_row {
	bool used;
};
static const struct column used_columns[] = { COLUMN_NUMBER(struct used_row, used) };
static const struct shape used_shape = SHAPE(used_columns);

enum err store_attempt_gateway_used(struct store_tx *tx, struct id transaction_id,
				    const char *gateway, bool *used)
{
	struct used_row found;
	struct cells cells = { .count = 0 };
	enum err err = sheet_flush(tx);

	if (err != ERR_OK)
		return err;
	cells_add_id(&cells, &transaction_id);
	cells_add_text(&cells, gateway);
	err = statement_read(tx, STATEMENT_ATTEMPT_GATEWAY_USED, &cells, &used_shape, &found);
	if (err == ERR_OK)
		*used = found.used;
	return err;
}

struct listing {
	store_attempt_each *each;
	void *context;
};

static void list_each(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each(listing->context, row);
}

enum err store_attempt_list(struct store_tx *tx, const char *merchant, struct id transaction_id,
			    unsigned limit, store_attempt_each *each, void *context)
{
	struct attempt_row row;
	struct listing listing = { each, context };
	struct cells cells = { .count = 0 };
	const struct statement_many many = {
		STATEMENT_ATTEMPT_LIST, &cells, &shape, &row, list_each, &listing
	};

	cells_add_id(&cells, &transaction_id);
	cells_add_text(&cells, merchant);
	cells_add_integer(&cells, limit);
	return statement_read_many(tx, &many);
}

enum err store_attempt_list_of(struct store_tx *tx, struct id operation_id,
			       store_attempt_each *each, void *context)
{
	struct attempt_row row;
	struct listing listing = { each, context };
	struct cells cells = { .count = 0 };
	const struct statement_many many = {
		STATEMENT_ATTEMPT_LIST_OF, &cells, &shape, &row, list_each, &listing
	};

	cells_add_id(&cells, &operation_id);
	return statement_read_many(tx, &many);
}

enum err store_attempt_list_many(struct store_tx *tx, const struct id *transactions, size_t count,
				 store_attempt_each *each, void *context)
{
	struct attempt_row row;
	struct listing listing = { each, context };
	const struct bulk_read read = { .id = STATEMENT_ATTEMPT_LIST_MANY,
					.shape = &shape,
					.ids = transactions,
					.count = count,
					.row = &row,
					.each = list_each,
					.context = &listing };
	enum err err = sheet_flush(tx);

	return err == ERR_OK ? bulk_read(tx, &read) : err;
}
