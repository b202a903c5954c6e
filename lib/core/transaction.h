/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transaction: one intended movement of money, and the only ways its status can change.
 *
 * Invariant  completed, failed and cancelled are never left
 * Threads    safe: constants and pure functions
 * Source     DESIGN.md: States
 */
#ifndef CORE_TRANSACTION_H
#define CORE_TRANSACTION_H

#include <stdbool.h>

#include "core/transition.h"

enum transaction_kind {
	TRANSACTION_PAYMENT,
	TRANSACTION_DEPOSIT,
	TRANSACTION_WITHDRAWAL,
	TRANSACTION_INSTALMENT,
};

enum transaction_status {
	TS_PENDING,
	TS_PROCESSING,
	TS_AUTHORISED,
	TS_COMPLETED,
	TS_FAILED,
	TS_CANCELLED,
	TS_PARKED,
};
#define TS_COUNT 7

enum transaction_event {
	TE_STARTED,    /* an attempt was prepared, or a human resumed it */
	TE_AUTHORISED, /* the gateway holds the money */
	TE_COMPLETED,  /* charged, fully captured, or paid out */
	TE_FAILED,     /* every attempt is definitely uncharged and none will follow */
	TE_CANCELLED,  /* by the client before anything was sent, voided, or expired */
	TE_PARKED,     /* automatic ways are used up: a human decides */
};
#define TE_COUNT 6

extern const struct words transaction_kind_words;   /* "payment" … */
extern const struct words transaction_status_words; /* "pending" … */
extern const struct words transaction_event_words;  /* "started" … */

/* Returns true and writes *to; false (untouched) where the table does not allow it. */
bool transaction_next(enum transaction_status from, enum transaction_event event,
		      enum transaction_status *to);

bool transaction_is_final(enum transaction_status status);

#endif
