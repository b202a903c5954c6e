/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests: a merchant asks for a capture or a refund of a transaction.
 *
 * Invariant  under the transaction's row lock, open and succeeded refunds never exceed what was captured, nor open and
 *            succeeded captures what was authorised; what is unknown keeps its reservation. One idempotency key of a
 *            merchant begins at most one operation, ever. A late success is given back at most once, bound to its
 *            attempt, outside those sums
 * Units      minor units of the transaction's currency
 * Ownership  plain values
 * Threads    safe
 */
#ifndef SERVICE_REQUEST_H
#define SERVICE_REQUEST_H

#include <stdint.h>

#include "core/trace.h"
#include "core/version.h"
#include "service/vault.h"
#include "store/operation.h"
#include "store/store.h"
#include "store/transaction.h"

/* The members whose content a key stands for, in this order. */
#define REQUEST_MEMBERS 4
extern const char *const request_members[REQUEST_MEMBERS]; /* "amount", "currency", … */

struct request_order {
	const char *merchant;
	struct id transaction_id;
	enum operation_kind kind; /* OPERATION_CAPTURE or OPERATION_REFUND */
	int64_t amount_minor;     /* 0: all that is left */
	int form;                 /* enum amount_form; OPERATION_NO_FORM with amount 0 */
	const char *currency;     /* "" where the client named none; else that of the transaction */
	const char *reason;       /* "" or its text */
	const char *token;        /* a payment token of its own, or "" */
	const char *idempotency_key;
	const char *api_call_id;
	const struct version_match *wanted; /* NULL: whatever its version is */
	struct trace trace;                 /* the client's */
};

/* In order of precedence */
enum request_outcome {
	REQUEST_REPLAYED,   /* same key, same content: the stored operation */
	REQUEST_KEY_REUSED, /* same key, other content, path or transaction */
	REQUEST_REFUSED,    /* the transaction's state does not allow it */
	REQUEST_TOO_MUCH,   /* more than is left */
	REQUEST_CREATED,
	REQUEST_UNCERTAIN, /* that commit's answer was lost: ask, or repeat with the same key */
};

struct request_receipt {
	struct id operation_id;
	int64_t amount_minor;
	int form; /* OPERATION_NO_FORM: the client named no amount */
	char reason[PAYMENT_DESCRIPTION_SIZE];
	int64_t created_at_us;
	int64_t left_minor;  /* with _TOO_MUCH: what could be asked for */
	unsigned differing;  /* with _KEY_REUSED: bits by index of request_members */
	struct transaction_row transaction; /* as it is now; its currency and exponent never change */
};

/*
 * Record the operation, its reservation in the ledger and its event, to be sent at once.
 * Returns  ERR_OK, see *outcome; nothing was done: ERR_NOT_FOUND (no such transaction, or another merchant's),
 *          ERR_STALE, ERR_BUSY, ERR_UNAVAILABLE, ERR_OVERLOADED, ERR_CRYPTO, ERR_TOO_LONG
 * Writes   *outcome and *receipt on ERR_OK
 */
CHECKED enum err request_create(struct store_pool *pool, const struct vault *vault,
				const struct request_order *order, int wait_ms,
				enum request_outcome *outcome, struct request_receipt *receipt);

/*
 * Give back what an exception late_success is about: the refund of a charge or capture, the void of
 * an authorisation, bound to its attempt. Asked for again, it is REQUEST_REPLAYED; REQUEST_REFUSED
 * where the exception is of another kind, or resolved. Its success resolves the exception.
 * Returns  as request_create(); ERR_NOT_FOUND: no such exception
 */
CHECKED enum err request_surplus(struct store *store, struct id exception_id,
				 enum request_outcome *outcome, struct request_receipt *receipt);

#endif
