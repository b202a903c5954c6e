/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of callback and exception.
 *
 * Invariant  UNIQUE (gateway, callback_key): a callback has one row and one effect
 * Threads    as the store transaction passed in
 */
#ifndef STORE_CALLBACK_H
#define STORE_CALLBACK_H

#include <stdint.h>

#include "base/crypto.h"
#include "core/id.h"
#include "store/attempt.h"
#include "store/store.h"

#define CALLBACK_KEY_SIZE 129
#define CALLBACK_WORD_SIZE 65
#define CALLBACK_BODY_SIZE 2049

enum callback_result { /* what became of it */
	CALLBACK_APPLIED,
	CALLBACK_HINT,          /* no amount in it: the gateway is asked before anything is believed */
	CALLBACK_KEPT,          /* early: its attempt's own answer is still under way */
	CALLBACK_SUPERSEDED,    /* older than what was applied; changes nothing */
	CALLBACK_CONTRADICTION, /* a success for an attempt decided otherwise: late_success */
	CALLBACK_INTEGRITY,     /* amount or currency differ: exception integrity */
	CALLBACK_ORPHAN,        /* nothing matches: exception orphan_callback */
};
extern const struct words callback_result_words;

struct callback_row {
	char gateway[33];
	char callback_key[CALLBACK_KEY_SIZE]; /* the gateway's id, else "sha256:" and hex of the body */
	struct id id;
	struct id transaction_id; /* empty: NULL */
	struct id attempt_id;
	char gateway_ref[ATTEMPT_GATEWAY_REF_SIZE];
	char our_reference[ATTEMPT_REFERENCE_SIZE];
	char word[CALLBACK_WORD_SIZE]; /* the gateway's own status word */
	bool has_amount;
	struct money amount;
	uint8_t body_sha256[CRYPTO_SHA256_SIZE];
	char body_masked[CALLBACK_BODY_SIZE];
	enum callback_result result;
	int64_t received_at_us;
};

/* Returns ERR_OK; ERR_CONFLICT for a duplicate. */
CHECKED enum err store_callback_insert(struct store_tx *tx, const struct callback_row *row);

/*
 * Insert those that are new. *inserted < count: some were there already, and are left alone. On connections that count
 * changed rows only.
 */
CHECKED enum err store_callback_insert_all(struct store_tx *tx,
					   const struct callback_row *const *rows, size_t count,
					   size_t *inserted);

/* store_callback_update() of many that were inserted in this transaction. */
CHECKED enum err store_callback_write_all(struct store_tx *tx,
					  const struct callback_row *const *rows, size_t count);

/* Write what became of it and what it was matched with (result, transaction_id, attempt_id). */
CHECKED enum err store_callback_update(struct store_tx *tx, const struct callback_row *row);

/* Read and lock (FOR UPDATE) what was stored. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_callback_lock(struct store_tx *tx, const char *gateway,
				     const char *callback_key, struct callback_row *row);

/* How many callbacks of this transaction were kept (CALLBACK_KEPT). */
CHECKED enum err store_callback_count_kept(struct store_tx *tx, struct id transaction_id,
					   int64_t *count);

enum exception_kind {
	EXCEPTION_LATE_SUCCESS,
	EXCEPTION_INTEGRITY,
	EXCEPTION_ORPHAN_CALLBACK,
	EXCEPTION_UNWANTED_SUCCESS, /* charged after its cancellation was wished: refund it */
};
extern const struct words exception_kind_words;

struct exception_row {
	struct id id;
	enum exception_kind kind;
	char merchant[MERCHANT_SIZE]; /* "" is NULL */
	struct id transaction_id;     /* empty: NULL */
	struct id attempt_id;
	char detail[513];
	int64_t opened_at_us;
};

/* Open an exception; one that is there already for this attempt and kind is left alone (ERR_OK). */
CHECKED enum err store_exception_open(struct store_tx *tx, const struct exception_row *row);

/* How many exceptions of this transaction are open. */
CHECKED enum err store_exception_count_open(struct store_tx *tx, struct id transaction_id,
					    int64_t *count);

#endif
