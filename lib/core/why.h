/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Why: the words that explain a payment to a person: was the customer charged, is it safe to try
 * again, what happened at each step and which rule followed.
 *
 * Invariant  every type of event has a row (a test compares them with what lib/service writes); a
 *            sentence says no more than its rows prove: what is open is called open
 * Ownership  sentences are constants, or written to the caller's storage
 * Threads    safe: constants and pure functions
 * Source     DESIGN.md: States, rules 1 to 8
 */
#ifndef CORE_WHY_H
#define CORE_WHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/attempt.h"
#include "core/operation.h"
#include "core/transaction.h"

#define WHY_TEXT_SIZE 384 /* of a filled sentence */

/* Whether the customer was charged; of a withdrawal: whether they were paid. In order of precedence. */
enum why_verdict {
	WHY_CHARGED,    /* something was collected, whatever was given back since */
	WHY_MAYBE,      /* a try may have done it, or the gateway contradicts itself */
	WHY_AUTHORISED, /* set aside, nothing collected */
	WHY_NOT_CHARGED,
};
extern const struct words why_verdict_words; /* "yes", "maybe", "authorised", "no" */

/* Whether paying anew is safe, and why not. In order of precedence. */
enum why_retry {
	WHY_RETRY_CONTRADICTED,   /* a success was reported for what was decided otherwise */
	WHY_RETRY_OUTCOME_OPEN,   /* a try may have charged */
	WHY_RETRY_CHARGED,        /* it would be a second charge */
	WHY_RETRY_AUTHORISED,     /* the money is set aside already */
	WHY_RETRY_EXCEPTION_OPEN, /* something speaks of money that we cannot place */
	WHY_RETRY_PARKED,         /* a human decides */
	WHY_RETRY_UNDER_WAY,      /* it goes on by itself */
	WHY_RETRY_GIVEN_BACK,     /* safe: all of it was given back */
	WHY_RETRY_SAFE,           /* safe: nothing was charged, and nothing will be */
};
extern const struct words why_retry_words;

/* What the judgement is made of: an operation, and what its tries prove. */
struct why_operation {
	enum operation_kind kind;
	enum operation_status status;
	bool open;         /* a try is not definitely uncharged and has not succeeded */
	bool contradicted; /* a success was reported against the decision, and nobody settled it */
};

struct why_state {
	enum transaction_status status;
	int64_t amount_captured;
	int64_t amount_refunded;
	bool exception_open; /* of any kind */
	const struct why_operation *operations;
	size_t count;
};

enum why_verdict why_judge(const struct why_state *state);
enum why_retry why_judge_retry(const struct why_state *state);
bool why_retry_is_safe(enum why_retry retry);

/* How a step came about: how the gateway's word reached us, or which try of an operation it begins. */
enum why_source {
	WHY_ANY,
	WHY_ANSWER,    /* the answer to the request itself */
	WHY_INQUIRY,   /* we asked */
	WHY_CALLBACK,  /* a signed message */
	WHY_FIRST,     /* the first try */
	WHY_AGAIN,     /* another one at the same gateway */
	WHY_ELSEWHERE, /* another one at another gateway */
};

/* What a sentence may speak of; all texts are there, "" where unknown. */
struct why_facts {
	enum operation_kind kind;
	enum why_source source;
	const char *type;   /* of the event */
	const char *reason; /* of the event */
	const char *amount; /* "10.50 USD" */
	const char *gateway;
	const char *gateway_before; /* of the try before */
	const char *detail;         /* the amount collected, a time, a note: by the sentence */
	unsigned number;            /* of the try */
};

/* One sentence and the rule behind it, with {places} for facts. */
struct why_row {
	const char *type;
	const char *reason;     /* NULL: any */
	enum why_source source; /* WHY_ANY: any */
	const char *text;
	const char *rule;
};

/* The row for a step: the first that fits, else the first of its type; NULL where its type has none. */
const struct why_row *why_row_find(const struct why_facts *facts);

/* All rows, for tests and documents. */
const struct why_row *why_rows(size_t *count);

/*
 * Write a sentence with its {places} filled: amount, gateway, before, number, reason, detail,
 * operation ("charge"), done ("charged the customer 10.50 USD"), nothing ("Nothing was charged"),
 * maybe ("the customer may have been charged"). Cut where it does not fit. Returns `out`.
 */
const char *why_fill(const char *text, const struct why_facts *facts, char out[WHY_TEXT_SIZE]);

/* Sentences to be filled: the verdict (detail: the amount collected), whether a retry is safe. */
const char *why_verdict_text(enum why_verdict verdict, bool payout);
const char *why_retry_text(enum why_retry retry, bool payout);

/*
 * What happens next to an operation and when (detail: the time); `live` is the status of the try
 * that is not definitely uncharged, has_live false where there is none.
 */
const char *why_next_text(enum next_action action, bool has_live, enum attempt_status live);

#endif
