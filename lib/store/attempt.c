/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/attempt.h"

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
};
static const struct shape change = SHAPE(changing);

enum err store_attempt_insert(struct store_tx *tx, const struct attempt_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &shape, row);
	return statement_write(tx, STATEMENT_ATTEMPT_INSERT, &cells, NULL);
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
	struct cells cells = { .count = 0 };

	cells_add_id(&cells, &id);
	return read_one(tx, STATEMENT_ATTEMPT_LOCK, &cells, row);
}

enum err store_attempt_lock_live(struct store_tx *tx, struct id operation_id,
				 struct attempt_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_id(&cells, &operation_id);
	return read_one(tx, STATEMENT_ATTEMPT_LOCK_LIVE, &cells, row);
}

enum err store_attempt_update(struct store_tx *tx, const struct attempt_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &change, row);
	cells_add_id(&cells, &row->id);
	return statement_write_one(tx, STATEMENT_ATTEMPT_UPDATE, &cells);
}

/* An empty reference is nobody's: it must not match the attempts that have none. */
static enum err find_by(struct store_tx *tx, enum statement_id id, const char *gateway,
			const char *reference, struct attempt_row *row)
{
	struct cells cells = { .count = 0 };

	if (reference[0] == '\0')
		return ERR_NOT_FOUND;
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
	enum err err;

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
			    store_attempt_each *each, void *context)
{
	struct attempt_row row;
	struct listing listing = { each, context };
	struct cells cells = { .count = 0 };
	const struct statement_many many = {
		STATEMENT_ATTEMPT_LIST, &cells, &shape, &row, list_each, &listing
	};

	cells_add_id(&cells, &transaction_id);
	cells_add_text(&cells, merchant);
	return statement_read_many(tx, &many);
}
