/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Outcomes, inside lib/service: what is being judged (outcome.c), for what comes after the decision (outcome_late.c).
 *
 * Invariant  the rows of a scene are locked
 * Threads    as the store transaction of the scene
 */
#ifndef SERVICE_OUTCOME_PRIVATE_H
#define SERVICE_OUTCOME_PRIVATE_H

#include "service/outcome.h"
#include "store/exception.h"

struct scene {
	struct store_tx *tx;
	const struct outcome_report *report;
	const struct gateway_answer *answer;
	struct operation_row operation;
	struct transaction_row transaction;
	struct attempt_row attempt;
	struct operation_row release; /* with a capture: the void of the same authorisation */
	bool has_release;
	struct change change;
	struct change_note note;
	int64_t now_us;
};

/* Begin a step, the first or one that follows another in the same commit. */
void outcome_step_begin(struct scene *scene);

/* The one writer of a step: rows, event, note. Returns as change_write(). */
CHECKED enum err outcome_step_write(struct scene *scene, const char *type, const char *reason);

/* Put before a human what the gateway said. Returns as store_exception_open(). */
CHECKED enum err outcome_exception_open(struct scene *scene, enum exception_kind kind);

/* A human decides from now on; what is parked stays so. Returns as change_park(). */
CHECKED enum err outcome_park(struct scene *scene, const char *reason);

/* Whether it tells of a success, or of its end, that what was decided has no place for. */
bool outcome_is_late(const struct scene *scene);

/*
 * Store it, tell and book it once, and apply it never: the operation stays what it is, but that nothing more is sent.
 * Returns  as outcome_apply(), with *effect
 */
CHECKED enum err outcome_late(struct scene *scene, enum outcome_effect *effect);

#endif
