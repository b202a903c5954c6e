/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/operation.h"

static const char *const kinds[] = { "charge", "authorise", "capture", "void", "refund", "payout" };
static const char *const statuses[] = { "awaiting_approval", "pending",  "processing",
					"succeeded",         "failed",   "parked",
					"cancelled",         "reversed", "returned" };
static const char *const events[] = { "approved", "started",   "succeeded", "failed",
				      "parked",   "cancelled", "reversed",  "returned" };
static const char *const actions[] = { "none", "send", "ask", "expire", "human" };

const struct words operation_kind_words = { kinds, sizeof kinds / sizeof kinds[0] };
const struct words operation_status_words = { statuses, sizeof statuses / sizeof statuses[0] };
const struct words operation_event_words = { events, sizeof events / sizeof events[0] };
const struct words next_action_words = { actions, sizeof actions / sizeof actions[0] };

/* clang-format off */
static const struct transition transitions[] = { /* everything absent is refused */
	/* from                  event          to            */
	{ OS_AWAITING_APPROVAL,  OE_APPROVED,   OS_PENDING    },
	{ OS_AWAITING_APPROVAL,  OE_CANCELLED,  OS_CANCELLED  },
	{ OS_PENDING,            OE_STARTED,    OS_PROCESSING },
	{ OS_PENDING,            OE_CANCELLED,  OS_CANCELLED  },
	{ OS_PENDING,            OE_PARKED,     OS_PARKED     },
	{ OS_PROCESSING,         OE_SUCCEEDED,  OS_SUCCEEDED  },
	{ OS_PROCESSING,         OE_FAILED,     OS_FAILED     },
	{ OS_PROCESSING,         OE_PARKED,     OS_PARKED     },
	{ OS_PARKED,             OE_STARTED,    OS_PROCESSING },
	{ OS_PARKED,             OE_SUCCEEDED,  OS_SUCCEEDED  },
	{ OS_PARKED,             OE_FAILED,     OS_FAILED     },
	{ OS_SUCCEEDED,          OE_REVERSED,   OS_REVERSED   },
	{ OS_SUCCEEDED,          OE_RETURNED,   OS_RETURNED   },
};
/* clang-format on */

bool operation_next(enum operation_status from, enum operation_event event,
		    enum operation_status *to)
{
	int next;

	if (!transition_find(transitions, sizeof transitions / sizeof transitions[0], (int)from,
			     (int)event, &next))
		return false;
	*to = (enum operation_status)next;
	return true;
}

bool operation_is_final(enum operation_status status)
{
	switch (status) {
	case OS_SUCCEEDED:
	case OS_FAILED:
	case OS_CANCELLED:
	case OS_REVERSED:
	case OS_RETURNED:
		return true;
	case OS_AWAITING_APPROVAL:
	case OS_PENDING:
	case OS_PROCESSING:
	case OS_PARKED:
		return false;
	}
	return false;
}
