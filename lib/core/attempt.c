/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/attempt.h"

static const char *const statuses[] = { "prepared",        "sent",      "accepted",
					"requires_action", "succeeded", "declined",
					"not_sent",        "unknown",   "not_found" };
static const char *const events[] = { "sent",      "accepted", "requires_action",
				      "succeeded", "declined", "not_sent",
				      "lost",      "not_found", "reversed",
				      "returned" };

static const char *const classes[] = { "none", "definite", "not_sent", "unknown" };

const struct words attempt_class_words = { classes, sizeof classes / sizeof classes[0] };
const struct words attempt_status_words = { statuses, sizeof statuses / sizeof statuses[0] };
const struct words attempt_event_words = { events, sizeof events / sizeof events[0] };

/* clang-format off */
static const struct transition transitions[] = { /* everything absent is refused */
	/* from                event               to                 */
	{ AS_PREPARED,         AE_SENT,            AS_SENT            },
	{ AS_PREPARED,         AE_ACCEPTED,        AS_ACCEPTED        },
	{ AS_PREPARED,         AE_REQUIRES_ACTION, AS_REQUIRES_ACTION },
	{ AS_PREPARED,         AE_SUCCEEDED,       AS_SUCCEEDED       },
	{ AS_PREPARED,         AE_DECLINED,        AS_DECLINED        },
	{ AS_PREPARED,         AE_NOT_SENT,        AS_NOT_SENT        },
	{ AS_PREPARED,         AE_LOST,            AS_UNKNOWN         },
	{ AS_SENT,             AE_ACCEPTED,        AS_ACCEPTED        },
	{ AS_SENT,             AE_REQUIRES_ACTION, AS_REQUIRES_ACTION },
	{ AS_SENT,             AE_SUCCEEDED,       AS_SUCCEEDED       },
	{ AS_SENT,             AE_DECLINED,        AS_DECLINED        },
	{ AS_SENT,             AE_LOST,            AS_UNKNOWN         },
	{ AS_ACCEPTED,         AE_REQUIRES_ACTION, AS_REQUIRES_ACTION },
	{ AS_ACCEPTED,         AE_SUCCEEDED,       AS_SUCCEEDED       },
	{ AS_ACCEPTED,         AE_DECLINED,        AS_DECLINED        },
	{ AS_REQUIRES_ACTION,  AE_ACCEPTED,        AS_ACCEPTED        },
	{ AS_REQUIRES_ACTION,  AE_SUCCEEDED,       AS_SUCCEEDED       },
	{ AS_REQUIRES_ACTION,  AE_DECLINED,        AS_DECLINED        },
	{ AS_UNKNOWN,          AE_ACCEPTED,        AS_ACCEPTED        },
	{ AS_UNKNOWN,          AE_REQUIRES_ACTION, AS_REQUIRES_ACTION },
	{ AS_UNKNOWN,          AE_SUCCEEDED,       AS_SUCCEEDED       },
	{ AS_UNKNOWN,          AE_DECLINED,        AS_DECLINED        },
	{ AS_UNKNOWN,          AE_NOT_FOUND,       AS_NOT_FOUND       },
};
/* clang-format on */

bool attempt_next(enum attempt_status from, enum attempt_event event, enum attempt_status *to)
{
	int next;

	if (!transition_find(transitions, sizeof transitions / sizeof transitions[0], (int)from,
			     (int)event, &next))
		return false;
	*to = (enum attempt_status)next;
	return true;
}

bool attempt_is_uncharged(enum attempt_status status)
{
	return status == AS_DECLINED || status == AS_NOT_SENT || status == AS_NOT_FOUND;
}

bool attempt_contradicts(enum attempt_status status, enum attempt_event event)
{
	return event == AE_SUCCEEDED && attempt_is_uncharged(status);
}
