/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Operations: what a gateway does with POST and GET /v1/operations.
 *
 * Invariant  what is answered, called back or found by inquiry is in the ledger file before
 * Units      milliseconds
 * Ownership  borrows everything
 * Threads    safe
 */
#ifndef SANDBOX_OPERATIONS_H
#define SANDBOX_OPERATIONS_H

#include <stddef.h>

#include "base/secret.h"
#include "sandbox/answer.h"
#include "sandbox/callback.h"
#include "sandbox/http.h"
#include "sandbox/ledger.h"

struct operations {
	size_t profile; /* sandbox/profile.h */
	struct ledger *ledger;
	struct callback_queue *callbacks;
	const struct secret *api_key;
};

/* Serve one request; its answer leaves `delay_ms` after it is made. Sleeps and hangs as the payment
 * token says. */
void operations_serve(const struct operations *operations, struct http_exchange *exchange,
		      int delay_ms, struct answer *answer);

#endif
