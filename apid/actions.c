/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/actions.h"

#include <stdbool.h>
#include <stddef.h>

static const char *const nothing[] = { NULL };
static const char *const cancel[] = { "cancel", NULL };
static const char *const capture_void[] = { "capture", "void", NULL };
static const char *const capture_void_refund[] = { "capture", "void", "refund", NULL };
static const char *const refund[] = { "refund", NULL };

const char *const *actions_of(const struct transaction_row *transaction)
{
	const bool refundable = transaction->amount_captured > transaction->amount_refunded;

	switch (transaction->status) {
	case TS_PENDING:
		return cancel;
	case TS_AUTHORISED:
		return refundable ? capture_void_refund : capture_void;
	case TS_COMPLETED:
		return refundable ? refund : nothing;
	case TS_PROCESSING:
	case TS_FAILED:
	case TS_CANCELLED:
	case TS_PARKED:
		break;
	}
	return nothing;
}
