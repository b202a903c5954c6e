/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of attempt.
 *
 * Invariant  UNIQUE one_live_attempt: at most one attempt of an operation is not definitely uncharged
 * Units      send_by and lease_until of the database clock
 * Threads    as the store transaction passed in
 */
#ifndef STORE_ATTEMPT_H
#define STORE_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/attempt.h"
#include "core/id.h"
#include "core/operation.h"
#include "store/store.h"
#include "store/transaction.h"

struct attempt_row {
	struct id id;
	struct id operation_id;
	struct id transaction_id;
	char merchant[MERCHANT_SIZE];
	unsigned number; /* 1, 2, … within the operation */
	char gateway[33];
	char account[65];
	char our_reference[ATTEMPT_REFERENCE_SIZE];
	char gateway_key[ATTEMPT_REFERENCE_SIZE];
	/* from here: "" is NULL; times: 0 is NULL */
	char gateway_ref[ATTEMPT_GATEWAY_REF_SIZE];
	enum attempt_status status;
	enum attempt_class class; /* ATTEMPT_CLASS_NONE is NULL */
	int http_status;
	char decline_code[REASON_SIZE];
	char reason[REASON_SIZE];
	char answer_masked[ATTEMPT_ANSWER_SIZE];
	int64_t send_by_us;
	int64_t lease_until_us;
	int64_t prepared_at_us;
	int64_t sent_at_us;
	int64_t answered_at_us;
	int64_t open_since_us; /* accepted or unknown since then: start of the inquiry schedule */
	unsigned asked_count;
	int64_t asked_at_us;
	int64_t not_found_at_us; /* first time an authoritative inquiry said "not found" */
	int64_t contradicted_at_us;
	int64_t updated_at_us;
	char instructions[ATTEMPT_INSTRUCTIONS_SIZE]; /* how the customer must act: a JSON object of texts */
};

/* Returns ERR_OK; ERR_CONFLICT where the operation has a live attempt or the number exists. */
CHECKED enum err store_attempt_insert(struct store_tx *tx, const struct attempt_row *row);

/* Read and lock. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_attempt_lock(struct store_tx *tx, struct id id, struct attempt_row *row);

/* Read, without a lock. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_attempt_read(struct store_tx *tx, struct id id, struct attempt_row *row);

/*
 * The attempt that an operation of this kind is about: a capture or void, the authorisation; a refund, the charge or
 * capture of which most is left to give back. Returns ERR_OK; ERR_NOT_FOUND.
 */
CHECKED enum err store_attempt_find_parent(struct store_tx *tx, struct id transaction_id,
					   enum operation_kind kind, struct id *id);

/*
 * Lock and read the operation's live attempt. Returns ERR_OK; ERR_NOT_FOUND where every attempt is
 * definitely uncharged.
 */
CHECKED enum err store_attempt_lock_live(struct store_tx *tx, struct id operation_id,
					 struct attempt_row *row);

/* Write everything that may change: from gateway_ref on, but for prepared_at_us. */
CHECKED enum err store_attempt_update(struct store_tx *tx, const struct attempt_row *row);

/*
 * Find (no lock) the attempt a callback speaks of: among the gateway's attempts with this gateway_ref, else with this
 * our_reference; either may be "". With several, the live one, else the latest. Returns ERR_OK; ERR_NOT_FOUND.
 */
CHECKED enum err store_attempt_find(struct store_tx *tx, const char *gateway,
				    const char *gateway_ref, const char *our_reference,
				    struct attempt_row *row);

/* Whether the transaction (of any merchant) has an attempt at this gateway. */
CHECKED enum err store_attempt_gateway_used(struct store_tx *tx, struct id transaction_id,
					    const char *gateway, bool *used);

/*
 * Attempts of a transaction, the first `limit`, or all of one operation, in order of number; `each` is called per row.
 */
typedef void store_attempt_each(void *context, const struct attempt_row *row);
CHECKED enum err store_attempt_list(struct store_tx *tx, const char *merchant,
				    struct id transaction_id, unsigned limit,
				    store_attempt_each *each, void *context);
CHECKED enum err store_attempt_list_of(struct store_tx *tx, struct id operation_id,
				       store_attempt_each *each, void *context);

/* All attempts of many transactions (1..256), as they are now, without a lock, in no order. */
CHECKED enum err store_attempt_list_many(struct store_tx *tx, const struct id *transactions,
					 size_t count, store_attempt_each *each, void *context);

#endif
