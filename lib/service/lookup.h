/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lookup: a transaction by its id, as GET shows it. Those that are asked for at the same time share one statement,
 * since the round trip to the database costs more than the row.
 *
 * Invariant  a merchant sees its own transactions only; a row is never older than the request for it
 * Threads    safe
 */
#ifndef SERVICE_LOOKUP_H
#define SERVICE_LOOKUP_H

#include "service/batch.h"
#include "store/transaction.h"

/* Start the readers on connections of their own to `database`, whose texts must outlive them. batch_stop() ends it. */
CHECKED enum err lookup_start(const struct store_settings *database, struct batch **lookups);

/*
 * Returns  ERR_OK with *view (untouched otherwise); ERR_NOT_FOUND also for what is another merchant's;
 *          ERR_OVERLOADED; ERR_DEADLINE; else what the database met
 */
CHECKED enum err lookup_transaction(struct batch *lookups, const char *merchant, struct id id,
				    int64_t deadline_boot_us, struct transaction_view *view);

#endif
