/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of ledger_entry, two for each posting.
 *
 * Invariant  insert-only; what stands in debit stands in credit too, so that every entry group sums to zero
 * Units      minor units of the currency
 * Threads    as the store transaction passed in
 */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "core/id.h"
#include "core/posting.h"
#include "store/merchant.h"
#include "store/store.h"

struct ledger_side {
	unsigned line; /* within the group, from 1 */
	enum account account;
	char gateway[33]; /* "" where the account is not a gateway's */
	char gateway_account[65];
};

struct ledger_row {
	struct id entry_group; /* of all postings of one step: the id of its event */
	struct id transaction_id;
	struct id operation_id;
	struct id attempt_id; /* empty: NULL */
	char merchant[MERCHANT_SIZE];
	struct ledger_side debit;
	struct ledger_side credit;
	char currency[4];
	int64_t amount_minor;
	int64_t at_us;
};

/* Insert the entries of `count` postings, all or none. */
CHECKED enum err store_ledger_insert(struct store_tx *tx, const struct ledger_row *rows,
				     size_t count);

#endif
