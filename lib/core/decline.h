/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Declines: our stable codes for why a payment was not made, what a client may do about each, and
 * whether another try by us makes sense.
 *
 * Invariant  a code that is not in decline.def is read as "declined_other": no automatic try
 *            follows
 * Threads    safe: constants and pure functions
 * Source     decline.def
 */
#ifndef CORE_DECLINE_H
#define CORE_DECLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/transition.h"

enum advice { ADVICE_RETRY, ADVICE_RETRY_LATER, ADVICE_OTHER_METHOD, ADVICE_NEVER };

/* "retry", "retry_later", "other_method", "never" */
extern const struct words advice_words;

struct decline {
	const char *code;
	enum advice advice;
	bool elsewhere; /* another gateway may see it otherwise */
	bool again;     /* the same gateway may, in some seconds */
	const char *message;
};

#define DECLINE_OTHER "declined_other"

/* Failure codes of a transaction: how it ended. With FAILURE_DECLINED the decline code says why. */
#define FAILURE_DECLINED "declined"
#define FAILURE_UNREACHABLE "gateway_unreachable"
#define FAILURE_LOST "gateway_lost_request"
#define FAILURE_UNAVAILABLE "gateway_unavailable"
#define FAILURE_NO_ROUTE "no_route"

/* The row of a decline code; that of DECLINE_OTHER for one that is not ours. Never NULL. */
const struct decline *decline_find(const char *code);

/* Whether it is one of ours, so that an adapter's map can be checked. */
bool decline_is_known(const char *code);

/*
 * What to tell a client of a transaction that ended with this failure code, where a gateway
 * declined it with this decline code ("": none did). Never NULL.
 */
const struct decline *decline_of_failure(const char *failure_code, const char *decline_code);

/* All decline codes, for tables and tests. */
const struct decline *decline_list(size_t *count);

#endif
