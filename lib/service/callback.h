/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Callbacks: a verified message of a gateway is stored once and applied once; those that wait together are committed
 * together.
 *
 * Invariant  UNIQUE (gateway, callback key): a repeated one changes nothing; one without amount is
 *            a hint and is never believed by itself
 * Threads    safe
 */
#ifndef SERVICE_CALLBACK_H
#define SERVICE_CALLBACK_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/gateway.h"
#include "store/callback.h"
#include "store/store.h"

struct callback_delivery {
	const struct gateway *gateway;
	const struct catalogue_view *view; /* holds the gateway; NULL: it outlives the batch */
	const struct gateway_notice *notice;
	struct id
		transaction_id; /* of the path; empty when the gateway knows one address for all */
	const char *body;
	size_t body_size;
	const char *api_call_id;
	int64_t now_us;
	const char *
		merchant; /* whose account signed it, held by the view: it speaks of no other's; NULL: any */
};

/* In order of precedence */
enum callback_outcome {
	CALLBACK_OUTCOME_FOREIGN, /* never sent to this gateway, or not from this account: as if unsigned */
	CALLBACK_OUTCOME_DUPLICATE,
	CALLBACK_OUTCOME_STORED, /* see *result */
};

struct batch; /* of callbacks: batch.h */

/*
 * Start the committers of callbacks, on connections of their own to `database`, whose texts must outlive them.
 * batch_stop() ends it.
 */
CHECKED enum err callback_start(const struct store_settings *database, struct batch **callbacks);

/*
 * Store and apply it in the next commit, with all others that wait, and wait for that until the deadline (boot clock).
 * The view is held for as long as it is worked off, whoever still waits for it.
 * Returns  ERR_OK with *outcome, and *result when stored; ERR_BUSY, ERR_UNAVAILABLE, ERR_UNCERTAIN, ERR_OVERLOADED,
 *          ERR_DEADLINE, ERR_MEMORY: the gateway must send it again
 */
CHECKED enum err callback_receive(struct batch *callbacks, const struct callback_delivery *delivery,
				  int64_t deadline_boot_us, enum callback_outcome *outcome,
				  enum callback_result *result);

/* A stored message that is to be applied again. */
struct callback_replay_request {
	const struct gateway *gateway;
	const char *key;         /* of the row: the gateway's id of it, or "sha256:…" */
	const char *api_call_id; /* of the events it causes */
};

struct callback_replay {
	enum callback_result before; /* what had become of it */
	enum callback_result after;  /* what becomes of it now; _SUPERSEDED: nothing new */
	bool moved;                  /* an event was written */
	struct id transaction_id;    /* whose attempt it was matched with; empty: none */
};

/*
 * Apply a stored message again, by the same rules as when it came and the tables of words of today.
 * Its signature was verified before it was stored. One that has had its effect has no other.
 * Returns  ERR_OK with *report; ERR_NOT_FOUND (no such row); ERR_BUSY, ERR_UNAVAILABLE: nothing was
 *          done; ERR_UNCERTAIN: perhaps it was, and it may be replayed again
 */
CHECKED enum err callback_replay(struct store *store, const struct callback_replay_request *request,
				 struct callback_replay *report);

#endif
