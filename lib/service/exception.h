/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Exceptions: who settles what the rules cannot, and what comes of it.
 *
 * Invariant  a resolved one says who resolved it, when and with which note, and stays so; a payment
 *            goes on only where nothing is open any more and no try of its operation may have
 *            succeeded
 * Ownership  plain values
 * Threads    as the store
 */
#ifndef SERVICE_EXCEPTION_H
#define SERVICE_EXCEPTION_H

#include <stdbool.h>

#include "core/id.h"
#include "store/exception.h"
#include "store/store.h"

struct exception_act {
	struct id id;
	const char *by; /* who does it */
	const char *owner; /* exception_own(): who is to settle it */
	const char *note;  /* exception_resolve(): what it was */
	bool resume; /* exception_resolve(): let the operation that was parked because of it go on */
};

/* In order of precedence */
enum exception_outcome {
	EXCEPTION_WAS_RESOLVED,     /* before: nothing was done */
	EXCEPTION_NOT_PARKED,       /* to be resumed, but nothing is parked: nothing was done */
	EXCEPTION_OTHERS_OPEN,      /* to be resumed, but others are open: nothing was done */
	EXCEPTION_MAY_HAVE_CHARGED, /* to be resumed, but a try may have succeeded: nothing was done */
	EXCEPTION_DONE,
};

/*
 * Give it an owner, or close it. Closing is what lets further tries be made: while any is open, none
 * is. A parked operation stays parked, unless it is to be resumed.
 *
 * Returns  ERR_OK with *outcome and the row after it in *row; ERR_NOT_FOUND; ERR_BUSY,
 *          ERR_UNAVAILABLE: nothing was done; ERR_UNCERTAIN: perhaps it was, look
 */
CHECKED enum err exception_own(struct store *store, const struct exception_act *act,
			       enum exception_outcome *outcome, struct exception_row *row);
CHECKED enum err exception_resolve(struct store *store, const struct exception_act *act,
				   enum exception_outcome *outcome, struct exception_row *row);

#endif
