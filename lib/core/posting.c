/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/posting.h"

#include <assert.h>

static const char *const words[] = {
	"gateway_receivable", "gateway_float",       "merchant_payable", "refunds_in_flight",
	"payouts_in_flight",  "suspense_receivable", "suspense_payable", "surplus_owed",
	"fees",               "bank"
};

const struct words posting_account_words = { words, sizeof words / sizeof words[0] };

/* clang-format off */
static const struct posting_row rows[] = {
	/* when                      debit                        credit */
	{ POSTING_CHARGE_SUCCEEDED,  ACCOUNT_GATEWAY_RECEIVABLE,  ACCOUNT_MERCHANT_PAYABLE    },
	{ POSTING_CHARGE_UNKNOWN,    ACCOUNT_SUSPENSE_RECEIVABLE, ACCOUNT_SUSPENSE_PAYABLE    },
	{ POSTING_CHARGE_KNOWN,      ACCOUNT_SUSPENSE_PAYABLE,    ACCOUNT_SUSPENSE_RECEIVABLE },
	{ POSTING_REFUND_RESERVED,   ACCOUNT_MERCHANT_PAYABLE,    ACCOUNT_REFUNDS_IN_FLIGHT   },
	{ POSTING_REFUND_SUCCEEDED,  ACCOUNT_REFUNDS_IN_FLIGHT,   ACCOUNT_GATEWAY_RECEIVABLE  },
	{ POSTING_REFUND_FAILED,     ACCOUNT_REFUNDS_IN_FLIGHT,   ACCOUNT_MERCHANT_PAYABLE    },
	{ POSTING_REFUND_REVERSED,   ACCOUNT_GATEWAY_RECEIVABLE,  ACCOUNT_MERCHANT_PAYABLE    },
	{ POSTING_PAYOUT_RESERVED,   ACCOUNT_MERCHANT_PAYABLE,    ACCOUNT_PAYOUTS_IN_FLIGHT   },
	{ POSTING_PAYOUT_SUCCEEDED,  ACCOUNT_PAYOUTS_IN_FLIGHT,   ACCOUNT_GATEWAY_FLOAT       },
	{ POSTING_PAYOUT_FAILED,     ACCOUNT_PAYOUTS_IN_FLIGHT,   ACCOUNT_MERCHANT_PAYABLE    },
	{ POSTING_PAYOUT_RETURNED,   ACCOUNT_GATEWAY_FLOAT,       ACCOUNT_MERCHANT_PAYABLE    },
	{ POSTING_SURPLUS_FOUND,     ACCOUNT_GATEWAY_RECEIVABLE,  ACCOUNT_SURPLUS_OWED        },
	{ POSTING_SURPLUS_REFUNDED,  ACCOUNT_SURPLUS_OWED,        ACCOUNT_GATEWAY_RECEIVABLE  },
	{ POSTING_SURPLUS_PAID_OUT,  ACCOUNT_SURPLUS_OWED,        ACCOUNT_GATEWAY_FLOAT       },
	{ POSTING_SURPLUS_RETURNED,  ACCOUNT_GATEWAY_FLOAT,       ACCOUNT_SURPLUS_OWED        },
	{ POSTING_SETTLEMENT_FEE,    ACCOUNT_FEES,                ACCOUNT_GATEWAY_RECEIVABLE  },
	{ POSTING_GATEWAY_PAID_OUT,  ACCOUNT_BANK,                ACCOUNT_GATEWAY_RECEIVABLE  },
};

/* What the step of an operation calls for: everything absent calls for nothing. */
#define OPEN (-3) /* from one that is not final */
#define NEW POSTING_NO_STATUS
static const struct operation_rule {
	enum operation_kind kind;
	bool surplus;
	int from;
	enum operation_status to;
	enum posting posting;
} operation_rules[] = {
	{ OPERATION_CHARGE,  false, OPEN,         OS_SUCCEEDED,         POSTING_CHARGE_SUCCEEDED },
	{ OPERATION_CAPTURE, false, OPEN,         OS_SUCCEEDED,         POSTING_CHARGE_SUCCEEDED },
	{ OPERATION_REFUND,  false, NEW,          OS_AWAITING_APPROVAL, POSTING_REFUND_RESERVED },
	{ OPERATION_REFUND,  false, NEW,          OS_PENDING,           POSTING_REFUND_RESERVED },
	{ OPERATION_REFUND,  false, OPEN,         OS_SUCCEEDED,         POSTING_REFUND_SUCCEEDED },
	{ OPERATION_REFUND,  false, OPEN,         OS_FAILED,            POSTING_REFUND_FAILED },
	{ OPERATION_REFUND,  false, OPEN,         OS_CANCELLED,         POSTING_REFUND_FAILED },
	{ OPERATION_REFUND,  false, OS_SUCCEEDED, OS_REVERSED,          POSTING_REFUND_REVERSED },
	{ OPERATION_REFUND,  true,  OPEN,         OS_SUCCEEDED,         POSTING_SURPLUS_REFUNDED },
	{ OPERATION_REFUND,  true,  OS_SUCCEEDED, OS_REVERSED,          POSTING_SURPLUS_FOUND },
	{ OPERATION_PAYOUT,  false, NEW,          OS_PENDING,           POSTING_PAYOUT_RESERVED },
	{ OPERATION_PAYOUT,  false, OPEN,         OS_SUCCEEDED,         POSTING_PAYOUT_SUCCEEDED },
	{ OPERATION_PAYOUT,  false, OPEN,         OS_FAILED,            POSTING_PAYOUT_FAILED },
	{ OPERATION_PAYOUT,  false, OPEN,         OS_CANCELLED,         POSTING_PAYOUT_FAILED },
	{ OPERATION_PAYOUT,  false, OS_SUCCEEDED, OS_RETURNED,          POSTING_PAYOUT_RETURNED },
};

/* Kinds that take money from a customer: while their outcome is open it is in suspense. */
static const bool takes_money[OPERATION_KIND_COUNT] = {
	[OPERATION_CHARGE] = true, [OPERATION_CAPTURE] = true,
};

/*
 * What a success calls for that is found after its operation was decided otherwise, by the way its money went; and what
 * it does once the gateway took it back.
 */
static const struct {
	bool moved;
	enum posting found;
	enum posting undone;
} late_successes[OPERATION_KIND_COUNT] = {
	[OPERATION_CHARGE]  = { true, POSTING_SURPLUS_FOUND, POSTING_SURPLUS_REFUNDED },
	[OPERATION_CAPTURE] = { true, POSTING_SURPLUS_FOUND, POSTING_SURPLUS_REFUNDED },
	[OPERATION_REFUND]  = { true, POSTING_SURPLUS_REFUNDED, POSTING_SURPLUS_FOUND },
	[OPERATION_PAYOUT]  = { true, POSTING_SURPLUS_PAID_OUT, POSTING_SURPLUS_RETURNED },
};
/* clang-format on */

static const bool of_gateway[ACCOUNT_COUNT] = {
	[ACCOUNT_GATEWAY_RECEIVABLE] = true,  [ACCOUNT_GATEWAY_FLOAT] = true,
	[ACCOUNT_SUSPENSE_RECEIVABLE] = true, [ACCOUNT_SUSPENSE_PAYABLE] = true,
	[ACCOUNT_SURPLUS_OWED] = true,        [ACCOUNT_FEES] = true,
};

bool posting_account_is_of_gateway(enum account account)
{
	return of_gateway[account];
}

const struct posting_row *posting_row(enum posting posting)
{
	static_assert(sizeof rows / sizeof rows[0] == POSTING_COUNT, "a row for each posting");
	assert(rows[posting].posting == posting);
	return &rows[posting];
}

static bool starts_at(int rule_from, int from)
{
	if (rule_from == OPEN)
		return from != NEW && !operation_is_final((enum operation_status)from);
	return rule_from == from;
}

size_t posting_of_step(const struct posting_step *step, enum posting out[POSTING_STEP_MAX])
{
	const bool was_unknown = step->attempt_from == AS_UNKNOWN;
	const bool is_unknown = step->attempt_to == AS_UNKNOWN;
	size_t count = 0;

	if (takes_money[step->kind] && was_unknown != is_unknown)
		out[count++] = is_unknown ? POSTING_CHARGE_UNKNOWN : POSTING_CHARGE_KNOWN;
	for (size_t i = 0; i < sizeof operation_rules / sizeof operation_rules[0]; i++) {
		const struct operation_rule *rule = &operation_rules[i];

		if (rule->kind == step->kind && rule->surplus == step->surplus &&
		    (int)rule->to == step->operation_to &&
		    starts_at(rule->from, step->operation_from))
			out[count++] = rule->posting;
	}
	if (step->late != POSTING_IN_TIME && late_successes[step->kind].moved)
		out[count++] = step->late == POSTING_LATE_FOUND ? late_successes[step->kind].found
								: late_successes[step->kind].undone;
	return count;
}
