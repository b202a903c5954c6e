/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sealed columns of all tables: what is sealed with which key, and rows to be sealed anew.
 *
 * Invariant  only sealed columns and their key's id are written; rows that somebody else holds are left out, not waited
 *            for
 * Ownership  rows are the caller's: struct operation_row, customer_row or payment_method_row, of which identity, sealed
 *            columns and key id are read
 * Threads    as the store transaction passed in
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/id.h"
#include "store/store.h"

enum seal_table { SEAL_OPERATIONS, SEAL_CUSTOMERS, SEAL_METHODS, SEAL_TABLE_COUNT };
#define SEAL_KEY_ID_SIZE 33
#define SEAL_COLUMNS_MAX 2 /* sealed columns of a table */
#define SEAL_ROWS_MAX 256  /* in one call */

/* How many values of each sealed column, in the order of the table, have this key's id; called once for each key. */
typedef void store_seal_each_count(void *context, const char *key_id,
				   const int64_t values[SEAL_COLUMNS_MAX]);
CHECKED enum err store_seal_count(struct store_tx *tx, enum seal_table table,
				  store_seal_each_count *each, void *context);

/*
 * The ids of keys in use, from indexes alone. Of operations only those that are due first are looked at, so many that a
 * start is not held up.
 */
typedef void store_seal_each_key(void *context, const char *key_id);
CHECKED enum err store_seal_keys(struct store_tx *tx, enum seal_table table,
				 store_seal_each_key *each, void *context);

/* Rows that have something sealed with another key than `newest`: at most `room` ids, and how many in *count. */
CHECKED enum err store_seal_stale(struct store_tx *tx, enum seal_table table, const char *newest,
				  struct id *ids, size_t room, size_t *count);

/* Lock and read at most SEAL_ROWS_MAX rows into `row`, the caller's space for one; `each` is called per row. */
typedef void store_seal_each(void *context, const void *row);
struct seal_locking {
	enum seal_table table;
	const struct id *ids;
	size_t count;
	void *row;
	store_seal_each *each;
	void *context;
};
CHECKED enum err store_seal_lock(struct store_tx *tx, const struct seal_locking *locking);

/*
 * Write the sealed columns and key ids of rows that are locked: another, but the same key's for all.
 * Returns  ERR_OK; ERR_STORE where one is not there, or is as it was (a bug)
 */
CHECKED enum err store_seal_write(struct store_tx *tx, enum seal_table table,
				  const void *const *rows, size_t count);

#endif
