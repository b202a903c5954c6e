/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sheet: the rows that one store transaction is about, each locked and read once, changed in memory, and written
 * together when it commits. What many payments need is then a handful of statements, not a handful for each.
 *
 * Invariant  many are locked without waiting: what another holds is left out, so that one held row delays nobody else;
 *            with a sheet, the row functions of operation.h, transaction.h, attempt.h and event.h answer from it and
 *            write to it; one that must read the tables has what is pending written first. A use case does not notice
 * Ownership  the sheet belongs to its store transaction and ends with it
 * Threads    as the store transaction
 */
#ifndef STORE_SHEET_H
#define STORE_SHEET_H

#include <stddef.h>

#include "core/id.h"
#include "store/store.h"

#define SHEET_MAX 256 /* ids in one call */

/*
 * Give the transaction a sheet. Rows written from now on reach the tables when the work has returned ERR_OK, just
 * before the commit: what they conflict with is then what store_run() returns.
 * Returns  ERR_OK; ERR_MEMORY
 */
CHECKED enum err store_sheet_open(struct store_tx *tx);

/*
 * Lock and read these operations, with captures also the voids that wait beside them, then their transactions, each in
 * id order. Those that are not there, or that another holds, are left out.
 */
CHECKED enum err store_sheet_lock(struct store_tx *tx, const struct id *operations, size_t count);

/* The same with operations that are on the sheet already, by store_operation_claim(): their transactions. */
CHECKED enum err store_sheet_lock_transactions(struct store_tx *tx);
bool store_sheet_has_transaction(const struct store_tx *tx, struct id id);

/*
 * Lock and read these attempts, one of each of these operations, but for those that another holds and those whose
 * operation is not on the sheet: who holds that one may wait for its attempt. Or, waiting for them, those that may have
 * charged (live) of these operations. After their operations.
 */
CHECKED enum err store_sheet_lock_attempts(struct store_tx *tx, const struct id *operations,
					   const struct id *attempts, size_t count);
CHECKED enum err store_sheet_lock_live(struct store_tx *tx, const struct id *operations,
				       size_t count);

/*
 * Whether another holds the operation, the void that waits beside a capture, its transaction, or this attempt: asked
 * after they were locked above. What is not there is not held.
 */
CHECKED enum err store_sheet_is_held(struct store_tx *tx, struct id operation_id,
				     struct id attempt_id, bool *held);

#endif
