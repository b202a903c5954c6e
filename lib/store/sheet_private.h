/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sheet, inside lib/store: what the files of the tables keep on it.
 *
 * Invariant  a row begins with its id, and is on the sheet once
 * Ownership  rows are copied in; pointers into the sheet are good until the next row is put
 * Threads    as the store transaction
 */
#ifndef STORE_SHEET_PRIVATE_H
#define STORE_SHEET_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/attempt.h"
#include "store/event.h"
#include "store/ledger.h"
#include "store/operation.h"
#include "store/sheet.h"
#include "store/statement.h"
#include "store/transaction.h"

enum sheet_kind { SHEET_OPERATION, SHEET_TRANSACTION, SHEET_ATTEMPT };
#define SHEET_KINDS 3

enum sheet_mark {
	SHEET_CHANGED = 1,
	SHEET_NEW = 2, /* to be inserted */
	SHEET_LIVE_KNOWN =
		4,         /* of an operation: its live attempt is on the sheet, or there is none */
	SHEET_COUNTED = 8, /* of a transaction: its count is true; shifted by enum sheet_count */
};

/* What may be counted of a transaction. */
enum sheet_count { SHEET_OPEN_EXCEPTIONS, SHEET_KEPT_CALLBACKS };
#define SHEET_COUNTS 2

/* Whether rows are kept for later at all. */
bool sheet_is_open(const struct store_tx *tx);

/* The row of this id, or NULL. */
void *sheet_find(const struct store_tx *tx, enum sheet_kind kind, struct id id);

/* Keep a row that was read (0), or is new (SHEET_NEW). One that is there already stays as it is. */
CHECKED enum err sheet_put(struct store_tx *tx, enum sheet_kind kind, const void *row,
			   unsigned marks);

/* Keep a changed row for the end. False: there is no sheet, or not this row on it, so write it now. */
bool sheet_change(struct store_tx *tx, enum sheet_kind kind, const void *row);

/* An operation's live attempt. True: *live is it, or NULL where there is none. False: not known here. */
bool sheet_find_live(const struct store_tx *tx, struct id operation_id,
		     const struct attempt_row **live);

/*
 * How many a transaction has. The first time that one is asked for, those of all transactions on the sheet are counted,
 * by one statement. *known false: not here, so count it yourself.
 */
CHECKED enum err sheet_count(struct store_tx *tx, enum sheet_count which, struct id transaction_id,
			     int64_t *count, bool *known);
/* Something was written that makes them doubtful. */
void sheet_uncount(struct store_tx *tx, struct id transaction_id);

/* The database's clock, read once for all that was read under it: sheet_put() of a row that was read forgets it. */
bool sheet_now(const struct store_tx *tx, int64_t *now_us);
void sheet_keep_now(struct store_tx *tx, int64_t now_us);

/* Rows that are only ever inserted: kept for the end in the order they came. */
enum sheet_list { SHEET_EVENTS, SHEET_LEDGER };
#define SHEET_LISTS 2
CHECKED enum err sheet_append(struct store_tx *tx, enum sheet_list list, const void *row);

/*
 * Write what is pending: new attempts first, since they may conflict. Also before any read of the tables that the sheet
 * cannot answer. No sheet: ERR_OK.
 */
CHECKED enum err sheet_flush(struct store_tx *tx);

void sheet_free(struct sheet *sheet);

/* Of the files of the tables: read many by their ids, and write many whole rows at once. */
typedef void sheet_each(void *context, const void *row);
struct sheet_query {
	const struct id *ids;
	size_t count;
	sheet_each *each;
	void *context;
};
/* By a statement for many ids; `row` is space for one. */
CHECKED enum err sheet_query_run(struct store_tx *tx, enum statement_id id,
				 const struct shape *shape, void *row,
				 const struct sheet_query *query);
CHECKED enum err operation_lock_all(struct store_tx *tx, const struct sheet_query *query);
typedef void operation_id_each(void *context, struct id id);
CHECKED enum err operation_find_voids(struct store_tx *tx, const struct id *operations,
				      size_t count, operation_id_each *each, void *context);
CHECKED enum err operation_write_all(struct store_tx *tx, const struct operation_row *const *rows,
				     size_t count);
CHECKED enum err transaction_lock_all(struct store_tx *tx, const struct sheet_query *query);
CHECKED enum err transaction_write_all(struct store_tx *tx,
				       const struct transaction_row *const *rows, size_t count);
CHECKED enum err ledger_insert_all(struct store_tx *tx, const struct ledger_row *const *rows,
				   size_t count);
CHECKED enum err attempt_lock_all(struct store_tx *tx, const struct sheet_query *query);
CHECKED enum err attempt_lock_live_all(struct store_tx *tx, const struct sheet_query *query);
CHECKED enum err attempt_insert_all(struct store_tx *tx, const struct attempt_row *const *rows,
				    size_t count);
CHECKED enum err attempt_write_all(struct store_tx *tx, const struct attempt_row *const *rows,
				   size_t count);

#endif
