/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tale: what a gateway tells of an operation, in its answer, to an inquiry and in a callback.
 *
 * Invariant  all three tell the same, what the entry's token wants told wrongly too
 * Ownership  bodies are the caller's
 * Threads    safe
 */
#ifndef SANDBOX_TALE_H
#define SANDBOX_TALE_H

#include <stdbool.h>

#include "sandbox/answer.h"
#include "sandbox/entry.h"
#include "sandbox/render.h"

enum tale_call {
	TALE_VERDICT, /* the verdict it was decided with */
	TALE_STALE,   /* the status of before the verdict */
	TALE_TURN,    /* what the verdict turned to */
};

/* Answer a request that performs it (200, 202 or 402) or, with `inquiry`, asks about it (200). */
void tale_answer(const struct entry *entry, enum entry_status status, bool inquiry,
		 struct answer *answer);

/* The body of a callback; the entry has a callback id. */
void tale_callback(const struct entry *entry, enum tale_call call, struct render *body);

#endif
