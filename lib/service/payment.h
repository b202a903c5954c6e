/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Payments: take one in.
 *
 * Invariant  a payment, its operation and its first event are committed together or not at all; one
 *            idempotency key of a merchant begins at most one payment, ever
 * Units      minor units; UTC microseconds
 * Ownership  plain values
 * Threads    safe
 */
#ifndef SERVICE_PAYMENT_H
#define SERVICE_PAYMENT_H

#include <stdint.h>

#include "core/payment.h"
#include "core/err.h"
#include "core/id.h"
#include "core/trace.h"
#include "core/transaction.h"
#include "service/vault.h"

struct batch; /* the intake: intake.h */
struct payment_method_use;

/* What the caller asks for */
struct payment_order {
	const char *merchant;
	enum transaction_kind kind; /* payment, deposit or withdrawal */
	const struct payment_request *request;
	const char *idempotency_key; /* "" or 1..255 visible ASCII */
	const char *api_call_id;
	int64_t now_us;
	int64_t manual_expiry_us; /* how long one with PROCESS_MANUAL waits for its start */
	const char *country;      /* stored with it ("": none); NULL: the request's */
	struct trace trace;       /* the client's */
	const struct payment_method_use *stored; /* that the request names: payment_method.h; NULL: none */
};

/* In order of precedence */
enum payment_outcome {
	PAYMENT_REPLAYED,   /* same key, same content: the stored payment */
	PAYMENT_KEY_REUSED, /* same key, other content */
	PAYMENT_CREATED,
	PAYMENT_UNCERTAIN, /* it is being committed, or that answer was lost: ask by id */
};

struct payment_receipt {
	struct id transaction_id;
	int64_t created_at_us;
	unsigned differing; /* with _KEY_REUSED: bits by index of payment_fields() of its kind */
};

/*
 * Record a payment in the intake's next commit, and wait for it until the deadline (boot clock).
 *
 * Returns  ERR_OK, see *outcome; nothing was committed: ERR_MERCHANT (not known), ERR_KEY_IN_FLIGHT (another server
 *          is at work on this key), ERR_BUSY, ERR_UNAVAILABLE, ERR_OVERLOADED (too many wait), ERR_DEADLINE
 * Writes   *outcome and *receipt on ERR_OK
 */
CHECKED enum err payment_accept(struct batch *intake, const struct vault *vault,
				const struct payment_order *order, int64_t deadline_boot_us,
				enum payment_outcome *outcome, struct payment_receipt *receipt);

#endif
