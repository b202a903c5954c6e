/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Outcome: apply what a gateway said about an attempt, whether it came as an answer, by inquiry or
 * by callback.
 *
 * Invariant  DESIGN.md, States, rules 1 to 5: an unknown attempt is asked about and never repeated;
 *            "not found" counts only from an authoritative gateway, after lease and quiet period,
 *            said twice; a late contradiction is stored, never applied; another attempt follows
 *            only when all earlier ones are definitely uncharged
 * Threads    as the store transaction passed in
 */
#ifndef SERVICE_OUTCOME_H
#define SERVICE_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/id.h"
#include "gateway/gateway.h"
#include "service/change.h"
#include "store/store.h"

enum outcome_source { OUTCOME_ANSWER, OUTCOME_INQUIRY, OUTCOME_CALLBACK };

/* In order of precedence */
enum outcome_effect {
	OUTCOME_CONTRADICTED, /* a late success, or its end: stored with its exception; no status moved */
	OUTCOME_INTEGRITY,    /* stored with an exception integrity; never completed by it */
	OUTCOME_UNCHANGED,    /* said before, or older than what is known */
	OUTCOME_RESCHEDULED,  /* still open: asked again later, or parked */
	OUTCOME_APPLIED,
};

struct outcome_report {
	enum outcome_source source;
	struct id operation_id;
	struct id attempt_id;
	const struct gateway *gateway;
	const struct gateway_answer *answer;
	const char *api_call_id;
	int64_t asked_at_us; /* of an inquiry, when it was claimed: a late record is not a later answer */
	bool quiet_confirmed; /* with AE_NOT_FOUND: this process's boot clock too saw lease and quiet period pass */
	bool without_amount; /* a message that does not say how much */
};

/*
 * Lock operation, transaction and attempt, decide, write.
 * Returns  ERR_OK with *effect, and *note for change_log() after the commit; ERR_BUSY;
 *          ERR_NOT_FOUND (no such attempt)
 */
CHECKED enum err outcome_apply(struct store_tx *tx, const struct outcome_report *report,
			       enum outcome_effect *effect, struct change_note *note);

#endif
