/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Why: the proof of a payment in words: whether the customer was charged, whether paying again is
 * safe, and by which evidence, step by step.
 *
 * Invariant  all of it is of one version of the transaction; nothing is written; where exceptions were left out, paying
 *            again is not called safe
 * Units      amounts as text with their currency; times UTC microseconds
 * Ownership  why_done() frees what why_read() made; `rule` is a constant
 * Threads    as the store transaction passed in
 */
#ifndef SERVICE_WHY_H
#define SERVICE_WHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/why.h"
#include "store/exception.h"
#include "store/store.h"
#include "store/transaction.h"

#define WHY_EVIDENCE_SIZE 448
#define WHY_AMOUNT_SIZE 48

struct why_step {
	int64_t at_us;
	uint32_t sequence; /* of its event; 0: a gateway's message that moved nothing */
	char text[WHY_TEXT_SIZE];
	char evidence[WHY_EVIDENCE_SIZE]; /* what shows it: the ids under which it is on record */
	const char *rule;                 /* "": none followed */
};

/* What is to come, of each operation that is not over. */
struct why_next {
	enum next_action action;
	int64_t at_us;
	char text[WHY_TEXT_SIZE];
};

struct why_exception {
	struct exception_row row;
	const char *text;   /* what it is */
	const char *advice; /* what to do about it */
};

struct why {
	struct transaction_row transaction;
	char amount[WHY_AMOUNT_SIZE]; /* "10.50 USD" */
	enum why_verdict verdict;
	char verdict_text[WHY_TEXT_SIZE];
	enum why_retry retry;
	char retry_text[WHY_TEXT_SIZE];
	struct why_step *steps; /* in the order they happened */
	size_t step_count;
	struct why_next *next;
	size_t next_count;
	struct why_exception *exceptions; /* open and resolved */
	size_t exception_count;
	bool truncated; /* there is more on record than was read: rows that came later are missing */
};

/* An exception with the words for its kind. */
struct why_exception why_exception_words(const struct exception_row *row);

/*
 * Read and explain one of the merchant's transactions.
 * Returns  ERR_OK with *why, for why_done(); ERR_NOT_FOUND, also where it is another merchant's;
 *          ERR_BUSY where it moved on at each try; ERR_MEMORY; what the database answered
 */
CHECKED enum err why_read(struct store_tx *tx, const char *merchant, struct id transaction_id,
			  struct why *why);
void why_done(struct why *why);

#endif
