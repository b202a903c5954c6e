/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Amend: change the texts of a payment of which nothing was sent yet.
 *
 * Invariant  amount, customer and everything the gateway acts on stay as they were taken
 * Ownership  plain values
 * Threads    safe
 */
#ifndef SERVICE_AMEND_H
#define SERVICE_AMEND_H

#include "core/amendment.h"
#include "service/change.h"
#include "store/store.h"

struct amend_request {
	struct change_target target;
	const char *api_call_id;
	const struct amendment *amendment;
};

/* In order of precedence */
enum amend_outcome {
	AMEND_REFUSED,   /* it is not pending any more: nothing was done */
	AMEND_TOO_LARGE, /* its metadata would be more than a payment may have: nothing was done */
	AMEND_UNCHANGED, /* it is so already: nothing was done */
	AMEND_DONE,
};

/*
 * Write the changes and the event "updated".
 * Returns  ERR_OK with *outcome and the transaction after it in *view; ERR_NOT_FOUND (no such one, or another
 *          merchant's); ERR_STALE (none of the wanted versions); ERR_BUSY, ERR_UNAVAILABLE, ERR_OVERLOADED: nothing was
 *          done; ERR_UNCERTAIN: perhaps it was, and the same request may be made again
 */
CHECKED enum err amend(struct store_pool *pool, const struct amend_request *request, int wait_ms,
		       enum amend_outcome *outcome, struct transaction_view *view);

#endif
