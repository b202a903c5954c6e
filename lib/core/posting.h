/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Postings: what the ledger says when money, or a claim to it, moves.
 *
 * Invariant  a posting debits one account and credits another with the same amount, so that each sums to zero
 * Ownership  rows are constants
 * Threads    safe: constants and pure functions
 * Source     DESIGN.md: Data, postings
 */
#ifndef CORE_POSTING_H
#define CORE_POSTING_H

#include <stdbool.h>
#include <stddef.h>

#include "core/attempt.h"
#include "core/operation.h"
#include "core/transition.h"

enum account {
	ACCOUNT_GATEWAY_RECEIVABLE, /* what a gateway took for us */
	ACCOUNT_GATEWAY_FLOAT,      /* what a gateway pays out from */
	ACCOUNT_MERCHANT_PAYABLE,   /* what we owe a merchant */
	ACCOUNT_REFUNDS_IN_FLIGHT,
	ACCOUNT_PAYOUTS_IN_FLIGHT,
	ACCOUNT_SUSPENSE_RECEIVABLE, /* what a gateway may have taken */
	ACCOUNT_SUSPENSE_PAYABLE,
	ACCOUNT_SURPLUS_OWED, /* taken without an order: the customer's; given so: owed to us */
	ACCOUNT_FEES,
	ACCOUNT_BANK,
};
#define ACCOUNT_COUNT 10

extern const struct words posting_account_words; /* "gateway_receivable" … */

/*
 * True where the account stands once per gateway account; false: once per merchant, whatever gateway moved the money,
 * so that a reservation, made before a gateway is chosen, ends where it began.
 */
bool posting_account_is_of_gateway(enum account account);

enum posting {
	POSTING_CHARGE_SUCCEEDED, /* a charge or a capture */
	POSTING_CHARGE_UNKNOWN,
	POSTING_CHARGE_KNOWN, /* undoes the one before */
	POSTING_REFUND_RESERVED,
	POSTING_REFUND_SUCCEEDED,
	POSTING_REFUND_FAILED,
	POSTING_REFUND_REVERSED,
	POSTING_PAYOUT_RESERVED,
	POSTING_PAYOUT_SUCCEEDED,
	POSTING_PAYOUT_FAILED,
	POSTING_PAYOUT_RETURNED,
	POSTING_SURPLUS_FOUND, /* a late success, or the refund of one taken back */
	POSTING_SURPLUS_REFUNDED, /* the refund of one, or a refund's own late success */
	POSTING_SURPLUS_PAID_OUT, /* a payout's late success */
	POSTING_SURPLUS_RETURNED, /* undoes the one before */
	POSTING_SETTLEMENT_FEE,
	POSTING_GATEWAY_PAID_OUT,
};
#define POSTING_COUNT 17

struct posting_row {
	enum posting posting;
	enum account debit;
	enum account credit;
};

/* The row of a posting. */
const struct posting_row *posting_row(enum posting posting);

/* What the step learned of a success of what was decided otherwise */
enum posting_late {
	POSTING_IN_TIME, /* nothing */
	POSTING_LATE_FOUND,
	POSTING_LATE_UNDONE, /* its gateway took it back since */
};

/* What one step did; POSTING_NO_STATUS for a row that is new, or that the step did not concern. */
#define POSTING_NO_STATUS (-1)
struct posting_step {
	enum operation_kind kind;
	bool surplus; /* the operation gives back a late success, outside the transaction's sums */
	enum posting_late late;
	int operation_from; /* enum operation_status */
	int operation_to;
	int attempt_from; /* enum attempt_status */
	int attempt_to;
};

/*
 * The postings a step calls for, each over the operation's amount, into `out`.
 * Returns  how many: 0..POSTING_STEP_MAX
 */
#define POSTING_STEP_MAX 4
size_t posting_of_step(const struct posting_step *step, enum posting out[POSTING_STEP_MAX]);

#endif
