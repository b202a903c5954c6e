/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of operation.
 *
 * Invariant  next_action is NEXT_NONE exactly when the status is final; then next_action_at_us is 0 (NULL in the table)
 * Units      times of next actions are of the database clock
 * Threads    as the store transaction passed in
 */
#ifndef STORE_OPERATION_H
#define STORE_OPERATION_H

#include <stddef.h>
#include <stdint.h>

#include "core/attempt.h"
#include "core/id.h"
#include "core/operation.h"
#include "core/payment.h"
#include "core/trace.h"
#include "core/transaction.h"
#include "store/merchant.h"
#include "store/store.h"
#include "store/transaction.h"

#define OPERATION_KEY_SIZE 256
#define OPERATION_HASHES_SIZE 512
#define OPERATION_SEALED_SIZE 256

struct operation_row {
	struct id id;
	struct id transaction_id;
	char merchant[MERCHANT_SIZE];
	enum operation_kind kind;
	int64_t amount_minor;
	enum operation_status status;
	enum next_action next_action;
	int64_t next_action_at_us;
	unsigned
		gateway_key_number; /* n of the gateway's key: rises only after a definite decline */
	unsigned attempt_count;
	unsigned retry_count; /* automatic ones since the last human act */
	bool human_verdict;   /* decided by a human: no machine retry after it */
	char idempotency_key[OPERATION_KEY_SIZE];      /* "" is NULL */
	uint8_t request_hashes[OPERATION_HASHES_SIZE]; /* keyed, per member */
	size_t request_hashes_size;
	uint8_t payment_token_sealed[OPERATION_SEALED_SIZE]; /* size 0 is NULL; wiped when final */
	size_t payment_token_sealed_size;
	char payment_token_key_id[33];
	int64_t created_at_us;
	int64_t updated_at_us;
	int64_t cancel_wished_at_us; /* 0: never; nothing more is sent, and a success is unwanted */
	/* of captures, voids and refunds: */
	struct id parent_attempt_id; /* whose money it is about: the charge, or the authorisation */
	bool surplus; /* gives back the late success of that attempt, outside the transaction's sums */
	char reason[PAYMENT_DESCRIPTION_SIZE]; /* the client's; "" is NULL */
	int form; /* enum amount_form, as the client wrote it, or OPERATION_NO_FORM: NULL */
	char status_reason[REASON_SIZE]; /* why it waits, or failed; "" is NULL; payments: the transaction's */
	char route_rule[33];         /* that chose its latest gateway; "" before the first */
	char route_candidates[256];  /* in order of trial, "alpha beta !gamma:currency" */
	struct trace trace;          /* of the request that made it */
	struct id payment_method_id; /* that the payment names; empty: none */
	char token_gateway[33];      /* the only one that knows its token; "": any may */
};
#define OPERATION_NO_FORM (-1)

/*
 * Insert. Returns ERR_OK; ERR_CONFLICT where the id, the merchant's idempotency key, or the transaction's sole money
 * operation exists.
 */
CHECKED enum err store_operation_insert(struct store_tx *tx, const struct operation_row *row);

/*
 * Insert new ones at once; next_action_at_us is here the time from now, by the database clock. One whose id or key
 * exists is left out, so *inserted < count says that some are. On connections that count changed rows only.
 * Returns  ERR_OK; ERR_STORE where any of them breaks a rule (none is inserted)
 */
CHECKED enum err store_operation_accept_all(struct store_tx *tx,
					    const struct operation_row *const *rows, size_t count,
					    size_t *inserted);

/* Read and lock. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_operation_lock(struct store_tx *tx, struct id id, struct operation_row *row);

/*
 * The merchant's operation with this idempotency key, read with a share lock so that a winner just
 * committed is seen.
 */
CHECKED enum err store_operation_find_key(struct store_tx *tx, const char *merchant,
					  const char *key, struct operation_row *row);

/* What a key began, as committed. Returns ERR_OK; ERR_NOT_FOUND. */
struct operation_key {
	struct id transaction_id;
	int64_t first_seen_at_us;
	enum transaction_status status;
};
CHECKED enum err store_operation_show_key(struct store_tx *tx, const char *merchant,
					  const char *key, struct operation_key *found);

/*
 * Whether an operation with this key is there, or in somebody's transaction that is not committed
 * yet. Returns, without waiting, ERR_OK (there is), ERR_NOT_FOUND, ERR_BUSY (it is being committed,
 * or another holds its row).
 */
CHECKED enum err store_operation_probe_key(struct store_tx *tx, const char *merchant,
					   const char *key);

/* The operations of a merchant's transaction, in the order they were made: _MAX and one more at most. */
#define OPERATION_LIST_OF_MAX 1000
typedef void store_operation_each(void *context, const struct operation_row *row);
CHECKED enum err store_operation_list_of(struct store_tx *tx, const char *merchant,
					 struct id transaction_id, store_operation_each *each,
					 void *context);

/*
 * Make the inquiry about an open outcome due now, by the database's clock, unless its operation was touched within the
 * last `rest_us`. *due: it is.
 */
CHECKED enum err store_operation_ask_now(struct store_tx *tx, const char *merchant,
					 struct id transaction_id, int64_t rest_us, bool *due);

/* The id of a transaction's charge, authorise or payout operation. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_operation_find_money(struct store_tx *tx, struct id transaction_id,
					    struct id *operation_id);

/* The same without a lock: what is committed. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_operation_read_key(struct store_tx *tx, const char *merchant,
					  const char *key, struct operation_row *row);
CHECKED enum err store_operation_read(struct store_tx *tx, struct id id, struct operation_row *row);

/* The void that will release what a transaction's authorisation holds. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_operation_find_void(struct store_tx *tx, struct id transaction_id,
					   struct id *operation_id);

/* What gives back the late success of an attempt, and has not failed. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_operation_find_surplus(struct store_tx *tx, struct id attempt_id,
					      struct operation_row *row);

/*
 * What a transaction's captures and refunds make, under its row's lock, under which alone they change. What gives back
 * a surplus is not among them.
 */
struct operation_sums {
	int64_t refunds;  /* open and succeeded */
	int64_t captures; /* open and succeeded */
	int64_t open_captures;
};
CHECKED enum err store_operation_sums(struct store_tx *tx, struct id transaction_id,
				      struct operation_sums *sums);

/*
 * Write status, next action and time, gateway_key_number, attempt_count, retry_count,
 * human_verdict, cancel_wished_at_us, updated_at_us, status_reason, route_rule, route_candidates; where
 * payment_token_sealed_size is 0 the sealed token is wiped.
 */
CHECKED enum err store_operation_update(struct store_tx *tx, const struct operation_row *row);

/*
 * Claim: lock and read up to `limit` (<= OPERATION_CLAIM_MAX) operations whose next action (send,
 * ask or expire) is due by the database clock, earliest first, skipping rows that others hold (SKIP
 * LOCKED). rows[] is the caller's.
 */
#define OPERATION_CLAIM_MAX 256
CHECKED enum err store_operation_claim(struct store_tx *tx, size_t limit,
				       struct operation_row *rows, size_t *count);

/*
 * Bring back what was written more than `ahead_us` later than it is now, after somebody set the database's clock back:
 * what is to come, with the times of its attempt, comes as long from now as it would have from then. Done twice, the
 * second time finds nothing.
 */
CHECKED enum err store_operation_bring_back(struct store_tx *tx, int64_t ahead_us, uint64_t *count);

/*
 * Figures for /metrics and /readyz: operations that are not final and have no next action (must be
 * 0; the CHECK forbids it), due ones waiting, and the age of the oldest due one in microseconds (0: none).
 */
struct operation_figures {
	int64_t without_next_action;
	int64_t due;
	int64_t oldest_due_us;
};
CHECKED enum err store_operation_figures(struct store_tx *tx, struct operation_figures *figures);

#endif
