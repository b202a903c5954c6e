/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Callbacks: a verified message of a gateway is stored once and applied once.
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
	const struct gateway_notice *notice;
	struct id
		transaction_id; /* of the path; empty when the gateway knows one address for all */
	const char *body;
	size_t body_size;
	const char *api_call_id;
	int64_t now_us;
};

/* In order of precedence */
enum callback_outcome {
	CALLBACK_OUTCOME_FOREIGN, /* the path's transaction was never sent to this gateway: as if unsigned */
	CALLBACK_OUTCOME_DUPLICATE,
	CALLBACK_OUTCOME_STORED, /* see *result */
};

/*
 * Store and apply.
 * Returns  ERR_OK with *outcome, and *result when stored; ERR_BUSY, ERR_UNAVAILABLE, ERR_UNCERTAIN,
 *          ERR_OVERLOADED: the gateway must send it again
 */
CHECKED enum err callback_receive(struct store_pool *pool, const struct callback_delivery *delivery,
				  int wait_ms, enum callback_outcome *outcome,
				  enum callback_result *result);

#endif
