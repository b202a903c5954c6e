/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Consequences: what a step of an operation does to its transaction. One engine moves every kind
 * of operation; here is where kinds differ.
 *
 * Invariant  charge, authorise and payout lead: their transaction's status follows theirs. What
 *            capture, void and refund meet stays their own affair, but for the transaction's sums
 *            and the end of an authorisation
 * Units      amounts in minor units of the transaction's currency
 * Threads    safe: constants and pure functions
 * Source     DESIGN.md: States
 */
#ifndef CORE_CONSEQUENCE_H
#define CORE_CONSEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attempt.h"
#include "core/operation.h"
#include "core/transaction.h"

struct consequence_sums { /* of a transaction */
	int64_t ordered;
	int64_t captured;
	int64_t refunded;
};

#define CONSEQUENCE_NONE (-1)

/*
 * What happens to the transaction of an operation of this kind and amount with this event. Adds to *sums.
 * Returns  an enum transaction_event, or CONSEQUENCE_NONE: its status stays
 */
int consequence_of(enum operation_kind kind, enum operation_event event, int64_t amount_minor,
		   struct consequence_sums *sums);

/* The transaction's status follows the operation's: charge, authorise, payout; one of them per transaction, ever. */
bool consequence_leads(enum operation_kind kind);

/*
 * A machine may try again after an attempt that ended so: only what is definitely uncharged, and a payout only when
 * certainly nothing was sent.
 */
bool consequence_may_repeat(enum operation_kind kind, enum attempt_status ended);

/* It may end as failed. A void may not: while the authorisation stands, somebody has to release it. */
bool consequence_may_fail(enum operation_kind kind);

/*
 * What a gateway says (an enum attempt_event) when it takes back, by itself, a success of this kind that came after the
 * decision; CONSEQUENCE_NONE: nothing does.
 */
int consequence_late_undone_by(enum operation_kind kind);

/*
 * That it came back says that it had succeeded: of what gives money away. What takes money may be called reversed also
 * where it was never taken, to release what it held.
 */
bool consequence_undoing_implies(enum operation_kind kind);

#endif
