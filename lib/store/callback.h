/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of callback.
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
#include "store/exception.h"
#include "store/store.h"

#define CALLBACK_KEY_SIZE 129
#define CALLBACK_WORD_SIZE 65
#define CALLBACK_BODY_SIZE 2049
#define CALLBACK_DECLINE_SIZE 41
#define CALLBACK_OPERATION_SIZE 41

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
	char decline_word[CALLBACK_DECLINE_SIZE]; /* the gateway's own decline code; "" is NULL */
	char operation_word[CALLBACK_OPERATION_SIZE]; /* its word for the operation; "" is NULL */
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

/* The same without a lock. */
CHECKED enum err store_callback_read(struct store_tx *tx, const char *gateway,
				     const char *callback_key, struct callback_row *row);

/* Lock it without waiting. Returns ERR_OK; ERR_NOT_FOUND; ERR_BUSY: another holds it, and nothing is committed now. */
CHECKED enum err store_callback_probe(struct store_tx *tx, const char *gateway,
				      const char *callback_key);

/* Those of a transaction, in the order they came: _MAX and one more at most; `each` is called per row. */
#define CALLBACK_LIST_OF_MAX 200
typedef void store_callback_each(void *context, const struct callback_row *row);
CHECKED enum err store_callback_list_of(struct store_tx *tx, struct id transaction_id,
					store_callback_each *each, void *context);

/* The latest that fit, newest first; "" and empty: any. */
struct callback_filter {
	const char *gateway;
	const char *result; /* its word */
	int64_t since_us;   /* received then or later */
	unsigned limit;
};
CHECKED enum err store_callback_list(struct store_tx *tx, const struct callback_filter *filter,
				     store_callback_each *each, void *context);

/* How many callbacks of this transaction were kept (CALLBACK_KEPT). */
CHECKED enum err store_callback_count_kept(struct store_tx *tx, struct id transaction_id,
					   int64_t *count);

#endif
