/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of exception: what the rules cannot settle alone, with its owner and what came of it.
 *
 * Invariant  one per attempt and kind, of integrity one that is open; open until somebody resolves it, with a note and
 *            who it was
 * Threads    as the store transaction passed in
 */
#ifndef STORE_EXCEPTION_H
#define STORE_EXCEPTION_H

#include <stdint.h>

#include "core/id.h"
#include "core/operation.h"
#include "core/transition.h"
#include "store/merchant.h"
#include "store/store.h"

#define EXCEPTION_PERSON_SIZE 65
#define EXCEPTION_NOTE_SIZE 513
#define EXCEPTION_DETAIL_SIZE 513

enum exception_kind {
	EXCEPTION_LATE_SUCCESS,
	EXCEPTION_INTEGRITY,
	EXCEPTION_ORPHAN_CALLBACK,
	EXCEPTION_UNWANTED_SUCCESS, /* charged after its cancellation was wished: refund it */
};
extern const struct words exception_kind_words;

enum exception_state { EXCEPTION_OPEN, EXCEPTION_RESOLVED };
extern const struct words exception_state_words;

struct exception_row {
	struct id id;
	enum exception_kind kind;
	char merchant[MERCHANT_SIZE]; /* "" is NULL */
	struct id transaction_id;     /* empty: NULL */
	struct id attempt_id;
	char detail[EXCEPTION_DETAIL_SIZE];
	int64_t opened_at_us;
	/* from here store_exception_open() takes nothing; "" and 0 are NULL */
	enum exception_state state;
	char owner[EXCEPTION_PERSON_SIZE]; /* who is to settle it */
	char owned_by[EXCEPTION_PERSON_SIZE]; /* who said so, and when */
	int64_t owned_at_us;
	char resolved_by[EXCEPTION_PERSON_SIZE];
	int64_t resolved_at_us;
	char note[EXCEPTION_NOTE_SIZE]; /* what it was */
};

/*
 * Open an exception; one that is there already for this attempt and kind is left alone (ERR_OK), but for a resolved
 * EXCEPTION_INTEGRITY: what differs again is another one.
 */
CHECKED enum err store_exception_open(struct store_tx *tx, const struct exception_row *row);

/* How many of this transaction are open about attempts of this kind of operation; unmatched: also those about none. */
CHECKED enum err store_exception_count_kind(struct store_tx *tx, struct id transaction_id,
					    enum operation_kind kind, bool unmatched,
					       int64_t *count);

/* Resolve the open one of a kind about an attempt of this transaction, by itself; none is fine. */
struct exception_place {
	struct id transaction_id;
	struct id attempt_id;
	enum exception_kind kind;
};
CHECKED enum err store_exception_resolve(struct store_tx *tx, const struct exception_place *place,
					 const char *note, int64_t at_us);

/* Tell whoever is to settle it what is known since, in place of its detail; none that is open is fine. */
CHECKED enum err store_exception_tell(struct store_tx *tx, const struct exception_place *place,
				      const char *detail);

/* How many exceptions of this transaction are open. */
CHECKED enum err store_exception_count_open(struct store_tx *tx, struct id transaction_id,
					    int64_t *count);

/* Read; and the same with a lock (FOR UPDATE). Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_exception_find(struct store_tx *tx, struct id id,
				      struct exception_row *row);
CHECKED enum err store_exception_lock(struct store_tx *tx, struct id id,
				      struct exception_row *row);

/* Write state, owner and what follows it. The row must be locked. */
CHECKED enum err store_exception_update(struct store_tx *tx, const struct exception_row *row);

/* Those of a transaction, open and resolved, in the order they were opened: _MAX and one more at most. */
#define EXCEPTION_LIST_OF_MAX 200
typedef void store_exception_each(void *context, const struct exception_row *row);
CHECKED enum err store_exception_list_of(struct store_tx *tx, struct id transaction_id,
					 store_exception_each *each, void *context);

/* Those in a state, the one opened first first; kind "": any. */
struct exception_filter {
	enum exception_state state;
	const char *kind; /* its word */
	unsigned limit;
};
CHECKED enum err store_exception_list(struct store_tx *tx, const struct exception_filter *filter,
				      store_exception_each *each, void *context);

#endif
