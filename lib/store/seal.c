/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/seal.h"

#include <assert.h>
#include <string.h>

#include "store/bulk.h"
#include "store/customer.h"
#include "store/operation.h"
#include "store/payment_method.h"
#include "store/statement.h"

#define WAITING_MAX 2000 /* operations that store_seal_keys() looks at */
#define WRITE_MAX 64     /* rows in one statement, which looks for each among the ids of all */
#define WRITE_CELLS_MAX (SEAL_COLUMNS_MAX * (1 + WRITE_MAX) + 1 + WRITE_MAX)

/* The id, what is sealed, the key's id. */
static const struct column operation_columns[] = {
	COLUMN_FIXED(struct operation_row, id),
	COLUMN_BYTES_OR_NULL(struct operation_row, payment_token_sealed, payment_token_sealed_size),
	COLUMN_TEXT_OR_NULL(struct operation_row, payment_token_key_id),
};

static const struct column customer_columns[] = {
	COLUMN_FIXED(struct customer_row, id),
	COLUMN_BYTES_OR_NULL(struct customer_row, profile_sealed, profile_sealed_size),
	COLUMN_BYTES_OR_NULL(struct customer_row, metadata_sealed, metadata_sealed_size),
	COLUMN_TEXT_OR_NULL(struct customer_row, key_id),
};

static const struct column method_columns[] = {
	COLUMN_FIXED(struct payment_method_row, id),
	COLUMN_BYTES_OR_NULL(struct payment_method_row, token_sealed, token_sealed_size),
	COLUMN_TEXT(struct payment_method_row, key_id),
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

/* What one statement writes: the parameters in their order. */
struct writing {
	uint8_t ids[WRITE_MAX * ID_SIZE];
	struct cell cells[WRITE_CELLS_MAX];
	MYSQL_BIND binds[WRITE_CELLS_MAX];
	unsigned long sizes[WRITE_CELLS_MAX];
	size_t cell_count;
};

static void writing_add(struct writing *writing, const struct column *column, const void *row)
{
	const struct shape shape = { column, 1 };
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &shape, row);
	assert(writing->cell_count < WRITE_CELLS_MAX);
	writing->cells[writing->cell_count++] = cells.list[0];
}

/* Filled up with the last row, whose first place is found. */
static void writing_fill(struct writing *writing, const struct shape *shape,
			 const void *const *rows, const size_t counts[2])
{
	const size_t count = counts[0], size = counts[1];

	for (size_t i = 0; i < size; i++)
		memcpy(writing->ids + i * ID_SIZE, rows[i < count ? i : count - 1], ID_SIZE);
	for (size_t k = 1; k + 1 < shape->count; k++) {
		writing->cells[writing->cell_count++] = (struct cell){ .kind = CELL_BYTES,
								       .bytes = writing->ids,
								       .size = size * ID_SIZE };
		for (size_t i = 0; i < size; i++)
			writing_add(writing, &shape->columns[k], rows[i < count ? i : count - 1]);
	}
	writing_add(writing, &shape->columns[shape->count - 1], rows[0]);
	for (size_t i = 0; i < size; i++)
		writing_add(writing, &shape->columns[0], rows[i < count ? i : count - 1]);
	for (size_t i = 0; i < writing->cell_count; i++)
		statement_bind(&writing->cells[i], &writing->binds[i], &writing->sizes[i]);
}

/* Whether each id is found at its own place, not across two others. */
static bool writing_is_clear(const struct writing *writing, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const uint8_t *id = writing->ids + i * ID_SIZE;

		if (memmem(writing->ids, count * ID_SIZE, id, ID_SIZE) != id)
			return false;
	}
	return true;
}

static enum err write_some(struct store_tx *tx, enum seal_table table, const void *const *rows,
			   size_t count)
{
	struct writing writing = { .cell_count = 0 };
	size_t counts[2] = { count, count };
	MYSQL_STMT *prepared;
	enum err err = bulk_prepared(tx, tables[table].write, &counts[1], &prepared);

	if (err != ERR_OK)
		return err;
	writing_fill(&writing, &tables[table].shape, rows, counts);
	if (!writing_is_clear(&writing, count)) {
		for (size_t i = 0; err == ERR_OK && i < count; i++)
			err = write_some(tx, table, rows + i, 1);
		return err;
	}
	if (mysql_stmt_bind_param(prepared, writing.binds) || mysql_stmt_execute(prepared) != 0)
		return statement_failed(tx, tables[table].write, mysql_stmt_errno(prepared));
	return mysql_stmt_affected_rows(prepared) == count ? ERR_OK : ERR_STORE;
}

enum err store_seal_write(struct store_tx *tx, enum seal_table table, const void *const *rows,
			  size_t count)
{
	enum err err = ERR_OK;

	for (size_t first = 0; err == ERR_OK && first < count; first += WRITE_MAX)
		err = write_some(tx, table, rows + first,
				 count - first < WRITE_MAX ? count - first : WRITE_MAX);
	return err;
}
