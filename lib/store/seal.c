/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/seal.h"

#include <assert.h>

#include "store/bulk.h"
#include "store/customer.h"
#include "store/operation.h"
#include "store/payment_method.h"
#include "store/statement.h"

#define WAITING_MAX 2000 /* operations that store_seal_keys() looks at */

static const struct column operation_columns[] = {
	COLUMN_FIXED(struct operation_row, id),
	COLUMN_FIXED(struct operation_row, transaction_id),
	COLUMN_TEXT(struct operation_row, merchant),
	COLUMN_WORD(struct operation_row, kind, operation_kind_words),
	COLUMN_NUMBER(struct operation_row, amount_minor),
	COLUMN_WORD(struct operation_row, status, operation_status_words),
	COLUMN_WORD(struct operation_row, next_action, next_action_words),
	COLUMN_NUMBER_OR_NULL(struct operation_row, next_action_at_us),
	COLUMN_BYTES_OR_NULL(struct operation_row, payment_token_sealed, payment_token_sealed_size),
	COLUMN_TEXT_OR_NULL(struct operation_row, payment_token_key_id),
	COLUMN_NUMBER(struct operation_row, created_at_us),
	COLUMN_NUMBER(struct operation_row, updated_at_us),
	COLUMN_FIXED_OR_NULL(struct operation_row, parent_attempt_id),
};

static const struct column customer_columns[] = {
	COLUMN_FIXED(struct customer_row, id),
	COLUMN_TEXT(struct customer_row, merchant),
	COLUMN_TEXT(struct customer_row, customer),
	COLUMN_WORD(struct customer_row, status, customer_status_words),
	COLUMN_BYTES_OR_NULL(struct customer_row, profile_sealed, profile_sealed_size),
	COLUMN_BYTES_OR_NULL(struct customer_row, metadata_sealed, metadata_sealed_size),
	COLUMN_TEXT_OR_NULL(struct customer_row, key_id),
	COLUMN_NUMBER(struct customer_row, version),
	COLUMN_NUMBER(struct customer_row, created_at_us),
	COLUMN_NUMBER(struct customer_row, updated_at_us),
};

static const struct column method_columns[] = {
	COLUMN_FIXED(struct payment_method_row, id),
	COLUMN_FIXED(struct payment_method_row, customer_row),
	COLUMN_TEXT(struct payment_method_row, merchant),
	COLUMN_TEXT(struct payment_method_row, gateway),
	COLUMN_TEXT(struct payment_method_row, method),
	COLUMN_BYTES_OR_NULL(struct payment_method_row, token_sealed, token_sealed_size),
	COLUMN_FIXED(struct payment_method_row, token_hash),
	COLUMN_TEXT(struct payment_method_row, key_id),
	COLUMN_NUMBER(struct payment_method_row, is_default),
	COLUMN_NUMBER(struct payment_method_row, version),
	COLUMN_NUMBER(struct payment_method_row, created_at_us),
	COLUMN_NUMBER(struct payment_method_row, updated_at_us),
};

static const struct {
	struct shape shape;
	enum statement_id count, keys, stale, lock, write;
} tables[SEAL_TABLE_COUNT] = {
	[SEAL_OPERATIONS] = { SHAPE(operation_columns), STATEMENT_SEAL_COUNT_OPERATIONS,
			      STATEMENT_SEAL_KEYS_OPERATIONS, STATEMENT_SEAL_STALE_OPERATIONS,
			      STATEMENT_SEAL_LOCK_OPERATIONS, STATEMENT_SEAL_WRITE_OPERATIONS },
	[SEAL_CUSTOMERS] = { SHAPE(customer_columns), STATEMENT_SEAL_COUNT_CUSTOMERS,
			     STATEMENT_SEAL_KEYS_CUSTOMERS, STATEMENT_SEAL_STALE_CUSTOMERS,
			     STATEMENT_SEAL_LOCK_CUSTOMERS, STATEMENT_SEAL_WRITE_CUSTOMERS },
	[SEAL_METHODS] = { SHAPE(method_columns), STATEMENT_SEAL_COUNT_METHODS,
			   STATEMENT_SEAL_KEYS_METHODS, STATEMENT_SEAL_STALE_METHODS,
			   STATEMENT_SEAL_LOCK_METHODS, STATEMENT_SEAL_WRITE_METHODS },
};

/* ---- which keys ---- */

struct count_row {
	char key_id[SEAL_KEY_ID_SIZE];
	int64_t first;
	int64_t second;
};

static const struct column count_columns[] = {
	COLUMN_TEXT(struct count_row, key_id),
	COLUMN_NUMBER(struct count_row, first),
	COLUMN_NUMBER(struct count_row, second),
};
static const struct shape count_shape = SHAPE(count_columns);
/* Its key's id alone. */
static const struct shape key_shape = { count_columns, 1 };

struct listing {
	store_seal_each_count *each_count;
	store_seal_each_key *each_key;
	void *context;
};

static void count_each(void *context, const void *row)
{
	const struct listing *listing = context;
	const struct count_row *counted = row;
	const int64_t values[SEAL_COLUMNS_MAX] = { counted->first, counted->second };

	listing->each_count(listing->context, counted->key_id, values);
}

enum err store_seal_count(struct store_tx *tx, enum seal_table table, store_seal_each_count *each,
			  void *context)
{
	const struct cells none = { .count = 0 };
	struct listing listing = { .each_count = each, .context = context };
	struct count_row row;
	const struct statement_many many = { tables[table].count, &none,   &count_shape, &row,
					     count_each,          &listing };

	return statement_read_many(tx, &many);
}

static void key_each(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each_key(listing->context, ((const struct count_row *)row)->key_id);
}

enum err store_seal_keys(struct store_tx *tx, enum seal_table table, store_seal_each_key *each,
			 void *context)
{
	struct cells cells = { .count = 0 };
	struct listing listing = { .each_key = each, .context = context };
	struct count_row row;
	const struct statement_many many = { tables[table].keys, &cells,  &key_shape, &row,
					     key_each,           &listing };

	if (table == SEAL_OPERATIONS)
		cells_add_integer(&cells, WAITING_MAX);
	return statement_read_many(tx, &many);
}

/* ---- rows ---- */

struct gathering {
	struct id *ids;
	size_t room;
	size_t count;
};

static void gather(void *context, const void *row)
{
	struct gathering *gathering = context;

	assert(gathering->count < gathering->room);
	gathering->ids[gathering->count++] = *(const struct id *)row;
}

enum err store_seal_stale(struct store_tx *tx, enum seal_table table, const char *newest,
			  struct id *ids, size_t room, size_t *count)
{
	static const struct column column[] = { { .kind = COLUMN_KIND_FIXED, .size = ID_SIZE } };
	static const struct shape shape = SHAPE(column);
	struct cells cells = { .count = 0 };
	struct gathering gathering = { ids, room, 0 };
	struct id row;
	const struct statement_many many = { tables[table].stale, &cells, &shape, &row, gather,
					     &gathering };
	enum err err;

	cells_add_text(&cells, newest);
	cells_add_integer(&cells, (int64_t)room);
	err = statement_read_many(tx, &many);
	if (err == ERR_OK)
		*count = gathering.count;
	return err;
}

enum err store_seal_lock(struct store_tx *tx, const struct seal_locking *locking)
{
	const struct bulk_read read = { .id = tables[locking->table].lock,
					.shape = &tables[locking->table].shape,
					.ids = locking->ids,
					.count = locking->count,
					.row = locking->row,
					.each = locking->each,
					.context = locking->context };

	return bulk_read(tx, &read);
}

enum err store_seal_write(struct store_tx *tx, enum seal_table table, const void *const *rows,
			  size_t count)
{
	const struct bulk_rows bulk = { tables[table].write, &tables[table].shape, rows, count };
	uint64_t affected;

	return count == 0 ? ERR_OK : bulk_write(tx, &bulk, &affected);
}
