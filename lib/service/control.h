/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Control: what a merchant may decide about a payment after it was taken: start a manual one, cancel
 * what was not sent, release what is authorised, and find what an idempotency key began.
 *
 * Invariant  two starts at once are one; what may have been charged is never called cancelled: there
 *            only the wish is kept, after which nothing more is sent and a success is an exception
 * Ownership  plain values
 * Threads    safe
 */
#ifndef SERVICE_CONTROL_H
#define SERVICE_CONTROL_H

#include <stdbool.h>

#include "core/version.h"
#include "store/operation.h"
#include "store/store.h"
#include "store/transaction.h"

struct control_request {
	const char *merchant;
	struct id transaction_id;
	const char *api_call_id;
	const struct version_match *wanted; /* NULL: whatever its version is */
	bool remember; /* control_cancel(): keep the wish while the outcome is open */
};

/* In order of precedence */
enum control_outcome {
	CONTROL_BEFORE,  /* it is so already: nothing was done */
	CONTROL_REFUSED, /* its state does not allow it: nothing was done */
	CONTROL_DONE,
	CONTROL_WISHED, /* its outcome is open: the wish to cancel is kept */
};

/*
 * Start a payment that was taken with PROCESS_MANUAL: it is due at once, by the database's clock.
 * What was started already, or needs no start, is CONTROL_BEFORE.
 *
 * Returns  ERR_OK with *outcome and the transaction after it in *view; ERR_NOT_FOUND (no such one, or
 *          another merchant's); ERR_STALE (none of the wanted versions); ERR_BUSY, ERR_UNAVAILABLE,
 *          ERR_OVERLOADED: nothing was done; ERR_UNCERTAIN: perhaps it was, and the same request may
 *          be made again
 */
CHECKED enum err control_process(struct store_pool *pool, const struct control_request *request,
				 int wait_ms, enum control_outcome *outcome,
				 struct transaction_view *view);

/*
 * Cancel: a pending payment is cancelled; one that waits for its next try, with every earlier one
 * uncharged, has failed. Anything else is CONTROL_REFUSED, or CONTROL_WISHED where the request says
 * to remember and the outcome is open. Returns as control_process().
 */
CHECKED enum err control_cancel(struct store_pool *pool, const struct control_request *request,
				int wait_ms, enum control_outcome *outcome,
				struct transaction_view *view);

/*
 * Release what is authorised and not captured: its void is sent at once. CONTROL_BEFORE where that was
 * done already; CONTROL_REFUSED where nothing is held, or a capture is open. Returns as
 * control_process().
 */
CHECKED enum err control_void(struct store_pool *pool, const struct control_request *request,
			      int wait_ms, enum control_outcome *outcome,
			      struct transaction_view *view);

/*
 * Ask the gateway now what became of a payment whose outcome is open, instead of when the schedule says: *due tells
 * that it is due. Nothing is done where there is nothing to ask, or something was done about it less than five seconds
 * ago. Returns as control_process(), but for ERR_NOT_FOUND and ERR_STALE.
 */
CHECKED enum err control_ask(struct store_pool *pool, const struct control_request *request,
			     int wait_ms, bool *due);

/*
 * What the merchant's idempotency key began.
 * Returns  ERR_OK with *found; ERR_NOT_FOUND: nothing; ERR_KEY_IN_FLIGHT: something that is being
 *          committed, and still was after a moment's wait; ERR_UNAVAILABLE, ERR_OVERLOADED
 */
CHECKED enum err control_find_key(struct store_pool *pool, const char *merchant, const char *key,
				  int wait_ms, struct operation_key *found);

#endif
