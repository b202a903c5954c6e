/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Operation: one thing we ask a gateway to do for a transaction, and the only ways its status can
 * change.
 *
 * Invariant  an operation that is not final has a next action and a time for it; a final one has
 *            none
 * Threads    safe: constants and pure functions
 * Source     DESIGN.md: States
 */
#ifndef CORE_OPERATION_H
#define CORE_OPERATION_H

#include <stdbool.h>

#include "core/transition.h"

enum operation_kind {
	OPERATION_CHARGE,
	OPERATION_AUTHORISE,
	OPERATION_CAPTURE,
	OPERATION_VOID,
	OPERATION_REFUND,
	OPERATION_PAYOUT,
};
#define OPERATION_KIND_COUNT 6

enum operation_status {
	OS_AWAITING_APPROVAL,
	OS_PENDING,
	OS_PROCESSING,
	OS_SUCCEEDED,
	OS_FAILED,
	OS_PARKED,
	OS_CANCELLED,
	OS_REVERSED, /* a refund that a gateway took back later */
	OS_RETURNED, /* a payout that came back later */
};
#define OS_COUNT 9

enum operation_event {
	OE_APPROVED,
	OE_STARTED, /* an attempt was prepared, or a human resumed it */
	OE_SUCCEEDED,
	OE_FAILED,
	OE_PARKED,
	OE_CANCELLED,
	OE_REVERSED,
	OE_RETURNED,
};
#define OE_COUNT 8

enum next_action {
	NEXT_NONE,   /* final */
	NEXT_SEND,   /* prepare an attempt and send it */
	NEXT_ASK,    /* ask the gateway what became of the live attempt */
	NEXT_EXPIRE, /* cancel when the time comes */
	NEXT_HUMAN,  /* a human decides; the time is when it is shown as overdue */
};

extern const struct words operation_kind_words;
extern const struct words operation_status_words;
extern const struct words operation_event_words;
extern const struct words next_action_words; /* "none", "send", "ask", "expire", "human" */

/* Returns true and writes *to; false (untouched) where the table does not allow it. */
bool operation_next(enum operation_status from, enum operation_event event,
		    enum operation_status *to);

/*
 * Final: nothing automatic or human will move it; succeeded may still be reversed or returned by a
 * gateway.
 */
bool operation_is_final(enum operation_status status);

#endif
