/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/transaction.h"

static const char *const kinds[] = { "payment", "deposit", "withdrawal", "instalment" };
static const char *const statuses[] = { "pending", "processing", "authorised", "completed",
					"failed",  "cancelled",  "parked" };
static const char *const events[] = { "started", "authorised", "completed",
				      "failed",  "cancelled",  "parked" };

const struct words transaction_kind_words = { kinds, sizeof kinds / sizeof kinds[0] };
const struct words transaction_status_words = { statuses, sizeof statuses / sizeof statuses[0] };
const struct words transaction_event_words = { events, sizeof events / sizeof events[0] };

/* clang-format off */
static const struct transition transitions[] = { /* everything absent is refused */
	/* from            event           to            */
	{ TS_PENDING,      TE_STARTED,     TS_PROCESSING },
	{ TS_PENDING,      TE_CANCELLED,   TS_CANCELLED  },
	{ TS_PENDING,      TE_PARKED,      TS_PARKED     },
	{ TS_PROCESSING,   TE_AUTHORISED,  TS_AUTHORISED },
	{ TS_PROCESSING,   TE_COMPLETED,   TS_COMPLETED  },
	{ TS_PROCESSING,   TE_FAILED,      TS_FAILED     },
	{ TS_PROCESSING,   TE_PARKED,      TS_PARKED     },
	{ TS_AUTHORISED,   TE_COMPLETED,   TS_COMPLETED  },
	{ TS_AUTHORISED,   TE_CANCELLED,   TS_CANCELLED  },
	{ TS_PARKED,       TE_STARTED,     TS_PROCESSING },
	{ TS_PARKED,       TE_AUTHORISED,  TS_AUTHORISED },
	{ TS_PARKED,       TE_COMPLETED,   TS_COMPLETED  },
	{ TS_PARKED,       TE_FAILED,      TS_FAILED     },
};
/* clang-format on */

bool transaction_next(enum transaction_status from, enum transaction_event event,
		      enum transaction_status *to)
{
	int next;

	if (!transition_find(transitions, sizeof transitions / sizeof transitions[0], (int)from,
			     (int)event, &next))
		return false;
	*to = (enum transaction_status)next;
	return true;
}

bool transaction_is_final(enum transaction_status status)
{
	return status == TS_COMPLETED || status == TS_FAILED || status == TS_CANCELLED;
}
