/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Intake: group commit. The operations, transactions and events of all waiting payments in one commit.
 *
 * Invariant  a payment, its operation and its first event are committed together or not at all; one bad row fails
 *            nobody else; ids are fixed before the first try, so that trying again can make no second payment
 * Ownership  acceptances are on the heap: they may outlive who waits for them
 * Threads    safe
 */
#ifndef SERVICE_INTAKE_H
#define SERVICE_INTAKE_H

#include "service/batch.h"
#include "service/payment.h"
#include "store/event.h"
#include "store/operation.h"
#include "store/transaction.h"

struct acceptance {
	struct batch_item item;
	struct operation_row operation; /* next_action_at_us: from now, by the database clock */
	struct transaction_row transaction;
	struct event_row event;
	bool was_held; /* another server was at work on its key: look before waiting for it again */
	enum payment_outcome outcome;
	struct payment_receipt receipt;
};

/*
 * Start the committers on connections of their own to `database`, whose texts must outlive them. batch_stop() ends it.
 * An acceptance's err: ERR_OK with outcome and receipt; ERR_NOT_FOUND (no such merchant), ERR_BUSY (another server is
 * at work on its key), ERR_STORE, ERR_UNAVAILABLE: nothing was committed; ERR_UNCERTAIN
 */
CHECKED enum err intake_start(const struct store_settings *database, struct batch **intake);

#endif
