/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lookup: a transaction by its id, as GET shows it, and merchants, by readers; those that are asked for at the same
 * time share one statement.
 *
 * Invariant  a merchant sees its own transactions only
 * Threads    safe
 */
#ifndef SERVICE_LOOKUP_H
#define SERVICE_LOOKUP_H

#include "service/reader.h"
#include "store/transaction.h"

/* As reader_start(). */
CHECKED enum err lookup_start(const struct store_settings *database, struct reader **lookups);

/* Returns as reader_ask(); ERR_NOT_FOUND also for what is another merchant's. */
CHECKED enum err lookup_transaction(struct reader *lookups, const char *merchant, struct id id,
				    int64_t deadline_boot_us, struct transaction_view *view);

CHECKED enum err lookup_start_merchants(const struct store_settings *database,
					struct reader **merchants);
CHECKED enum err lookup_merchant(struct reader *merchants, const char *merchant,
				 int64_t deadline_boot_us, struct merchant_row *row);

#endif
