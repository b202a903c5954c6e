/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/payment_method.h"

#include "store/statement.h"

static const struct column columns[] = {
	COLUMN_FIXED(struct payment_method_row, id),
	COLUMN_FIXED(struct payment_method_row, customer_row),
	COLUMN_TEXT(struct payment_method_row, merchant),
	COLUMN_TEXT(struct payment_method_row, gateway),
	COLUMN_TEXT(struct payment_method_row, method),
	COLUMN_BYTES_OR_NULL(struct payment_method_row, token_sealed, token_sealed_size),
	COLUMN_FIXED(struct payment_method_row, token_hash),
	COLUMN_TEXT(struct payment_method_row, key_id),
	COLUMN_TEXT_OR_NULL(struct payment_method_row, brand),
	COLUMN_TEXT_OR_NULL(struct payment_method_row, last4),
	COLUMN_NUMBER_OR_NULL(struct payment_method_row, expiry_month),
	COLUMN_NUMBER_OR_NULL(struct payment_method_row, expiry_year),
	COLUMN_NUMBER(struct payment_method_row, is_default),
	COLUMN_NUMBER(struct payment_method_row, version),
	COLUMN_NUMBER(struct payment_method_row, created_at_us),
	COLUMN_NUMBER(struct payment_method_row, updated_at_us),
	COLUMN_FIXED_OR_NULL(struct payment_method_row, key.hash),
	COLUMN_BYTES_OR_NULL(struct payment_method_row, key.request, key.request_size),
};
static const struct shape shape = SHAPE(columns);

enum err store_payment_method_insert(struct store_tx *tx, const struct payment_method_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &shape, row);
	return statement_write(tx, STATEMENT_METHOD_INSERT, &cells, NULL);
}

static enum err read_one(struct store_tx *tx, enum statement_id id, const struct cells *cells,
			 struct payment_method_row *row)
{
	struct payment_method_row found;
	enum err err = statement_read(tx, id, cells, &shape, &found);

	if (err == ERR_OK)
		*row = found;
	return err;
}

enum err store_payment_method_find(struct store_tx *tx, struct id customer_row, struct id id,
				   struct payment_method_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_id(&cells, &id);
	cells_add_id(&cells, &customer_row);
	return read_one(tx, STATEMENT_METHOD_FIND, &cells, row);
}

enum err store_payment_method_find_of(struct store_tx *tx, const char *merchant,
				      const char *customer, struct id id,
				      struct payment_method_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_id(&cells, &id);
	cells_add_text(&cells, merchant);
	cells_add_text(&cells, customer);
	return read_one(tx, STATEMENT_METHOD_FIND_OF, &cells, row);
}

enum err store_payment_method_find_token(struct store_tx *tx, const struct payment_method_row *row,
					 struct payment_method_row *found)
{
	static const struct column hash_columns[] = {
		COLUMN_FIXED(struct payment_method_row, customer_row),
		COLUMN_TEXT(struct payment_method_row, gateway),
		COLUMN_FIXED(struct payment_method_row, token_hash),
	};
	static const struct shape token = SHAPE(hash_columns);
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &token, row);
	return read_one(tx, STATEMENT_METHOD_FIND_TOKEN, &cells, found);
}

enum err store_payment_method_find_key(struct store_tx *tx, const char *merchant,
				       const struct creation_key *key,
				       struct payment_method_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_text(&cells, merchant);
	cells_add_raw(&cells, key->hash, sizeof key->hash);
	return read_one(tx, STATEMENT_METHOD_FIND_KEY, &cells, row);
}

enum err store_payment_method_count(struct store_tx *tx, struct id customer_row, int64_t *count)
{
	return statement_count(tx, STATEMENT_METHOD_COUNT, customer_row, count);
}

struct listing {
	store_payment_method_each *each;
	void *context;
};

static void list_each(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each(listing->context, row);
}

enum err store_payment_method_list(struct store_tx *tx, struct id customer_row,
				   store_payment_method_each *each, void *context)
{
	struct cells cells = { .count = 0 };
	struct listing listing = { each, context };
	struct payment_method_row row;
	const struct statement_many many = {
		STATEMENT_METHOD_LIST, &cells, &shape, &row, list_each, &listing
	};

	cells_add_id(&cells, &customer_row);
	return statement_read_many(tx, &many);
}

enum err store_payment_method_clear_default(struct store_tx *tx, struct id customer_row,
					    int64_t now_us)
{
	struct cells cells = { .count = 0 };

	cells_add_integer(&cells, now_us);
	cells_add_id(&cells, &customer_row);
	return statement_write(tx, STATEMENT_METHOD_CLEAR_DEFAULT, &cells, NULL);
}

enum err store_payment_method_delete(struct store_tx *tx, struct id customer_row, struct id id)
{
	struct cells cells = { .count = 0 };
	uint64_t affected = 0;
	enum err err;

	cells_add_id(&cells, &id);
	cells_add_id(&cells, &customer_row);
	err = statement_write(tx, STATEMENT_METHOD_DELETE, &cells, &affected);
	return err == ERR_OK && affected == 0 ? ERR_NOT_FOUND : err;
}

enum err store_payment_method_delete_all(struct store_tx *tx, struct id customer_row)
{
	struct cells cells = { .count = 0 };

	cells_add_id(&cells, &customer_row);
	return statement_write(tx, STATEMENT_METHOD_DELETE_ALL, &cells, NULL);
}
