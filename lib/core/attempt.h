/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Attempt: one try of an operation at one gateway, and the only ways its status can change.
 *
 * Invariant  an operation has at most one attempt that is not definitely uncharged
 * Threads    safe: constants and pure functions
 * Source     DESIGN.md: States, the rule that makes double charges impossible
 */
#ifndef CORE_ATTEMPT_H
#define CORE_ATTEMPT_H

#include <stdbool.h>

#include "core/transition.h"

#define REASON_SIZE 97 /* status reasons, failure and decline codes, event reasons: short words */
#define ATTEMPT_REFERENCE_SIZE 65
#define ATTEMPT_GATEWAY_REF_SIZE 129
#define ATTEMPT_ANSWER_SIZE 1025
#define ATTEMPT_INSTRUCTIONS_SIZE 513

enum attempt_status {
	AS_PREPARED,        /* committed before the socket opened; after a crash: unknown */
	AS_SENT,            /* bytes left */
	AS_ACCEPTED,        /* the gateway took it and will call back */
	AS_REQUIRES_ACTION, /* the customer must act */
	AS_SUCCEEDED,
	AS_DECLINED,
	AS_NOT_SENT,  /* certainly nothing reached the gateway */
	AS_UNKNOWN,   /* may have been charged: ask */
	AS_NOT_FOUND, /* the gateway's authoritative inquiry said so twice */
};
#define AS_COUNT 9

enum attempt_event {
	AE_SENT,
	AE_ACCEPTED,
	AE_REQUIRES_ACTION,
	AE_SUCCEEDED,
	AE_DECLINED,
	AE_NOT_SENT,
	AE_LOST, /* bytes left and no definite answer, or found after a crash */
	AE_NOT_FOUND,
	/* Of what succeeded, told later; the operation moves by them, the attempt stays succeeded. */
	AE_REVERSED, /* a refund that the gateway took back */
	AE_RETURNED, /* a payout that came back */
};
#define AE_COUNT 10

/* What an answer, or its absence, tells */
enum attempt_class {
	ATTEMPT_CLASS_NONE, /* none yet */
	ATTEMPT_DEFINITE, /* an authenticated, parsed answer whose id, amount and currency agree */
	ATTEMPT_NOT_SENT, /* certainly no byte left */
	ATTEMPT_UNKNOWN,  /* everything else */
};

extern const struct words attempt_class_words; /* "none", "definite", "not_sent", "unknown" */
extern const struct words attempt_status_words;
extern const struct words attempt_event_words;

/* Returns true and writes *to; false (untouched) where the table does not allow it. */
bool attempt_next(enum attempt_status from, enum attempt_event event, enum attempt_status *to);

/*
 * Definitely uncharged: declined, not_sent, not_found. Another attempt may follow only when all are
 * this.
 */
bool attempt_is_uncharged(enum attempt_status status);

/*
 * A success reported for an attempt that was already decided otherwise: to be stored as a
 * contradiction, never applied (DESIGN.md: States, rule 4).
 */
bool attempt_contradicts(enum attempt_status status, enum attempt_event event);

#endif
