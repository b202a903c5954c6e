/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of event: the timeline of a transaction, and the outbox.
 *
 * Invariant  insert-only; sequence = the transaction's version after the change, so it has no gaps
 * Threads    as the store transaction passed in
 */
#ifndef STORE_EVENT_H
#define STORE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "core/attempt.h"
#include "core/id.h"
#include "core/operation.h"
#include "core/transaction.h"
#include "store/store.h"
#include "store/transaction.h"

#define EVENT_TYPE_SIZE 41
#define EVENT_NO_STATUS (-1) /* of an object that the step did not concern: NULL */

struct event_row {
	struct id transaction_id;
	uint32_t sequence;
	struct id id;
	char merchant[MERCHANT_SIZE];
	char type[EVENT_TYPE_SIZE];
	struct id operation_id; /* empty: NULL */
	struct id attempt_id;
	int transaction_from; /* enum transaction_status or EVENT_NO_STATUS (created) */
	int transaction_to;
	int operation_from; /* enum operation_status or EVENT_NO_STATUS */
	int operation_to;
	int attempt_from; /* enum attempt_status or EVENT_NO_STATUS */
	int attempt_to;
	char reason[REASON_SIZE];
	char api_call_id[65];
	int64_t at_us;
};

CHECKED enum err store_event_insert(struct store_tx *tx, const struct event_row *row);

/* The same for many at once: all or none. */
CHECKED enum err store_event_insert_all(struct store_tx *tx, const struct event_row *const *rows,
					size_t count);

/* Whether an event of this type was caused by this call. */
CHECKED enum err store_event_find_call(struct store_tx *tx, struct id transaction_id,
				       const char *type, const char *api_call_id, bool *found);

/* Whether the attempt's late success was taken back: an event late_success_reversed tells of it. */
CHECKED enum err store_event_find_reversed(struct store_tx *tx, struct id transaction_id,
					   struct id attempt_id, bool *found);

/* All events of a transaction with sequence > after, in order, at most `limit`. */
typedef void store_event_each(void *context, const struct event_row *row);
/* lint: parameters: the place, the bound and the callback of a listing, as in its siblings */
CHECKED enum err store_event_list(struct store_tx *tx, const char *merchant,
				  struct id transaction_id, uint32_t after, unsigned limit,
				  store_event_each *each, void *context);

#endif
