/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quiet: how long this process has known an attempt, by the boot clock, which no clock change
 * moves.
 *
 * Invariant  forgetting (the table is bounded, a process restarts) only makes a verdict later,
 *            never earlier; what is being asked about is not forgotten for what is sent meanwhile
 * Units      microseconds of the boot clock
 * Threads    the dispatcher's thread only
 * Source     DESIGN.md: States, rule 6
 */
#ifndef APID_QUIET_H
#define APID_QUIET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/id.h"

#define QUIET_SETS 512
#define QUIET_WAYS 16 /* slots in which one attempt may be */

struct quiet_slot {
	struct id attempt_id; /* empty: free */
	int64_t first_seen_us;
	int64_t not_found_us; /* first "not found" that counts; 0: none */
	int64_t asked_us;     /* last "not found"; 0: none, or settled */
};

struct quiet {
	struct quiet_slot slots[QUIET_SETS * QUIET_WAYS];
};

/* The attempt is known from now on, if it was not. */
void quiet_see(struct quiet *quiet, struct id attempt_id, int64_t boot_us);

/* A gateway said "not found" of an attempt. */
struct quiet_answer {
	int64_t lease_span_us;
	int64_t quiet_us;
	int64_t asked_boot_us;
	int64_t heard_boot_us;
};

/*
 * Whether it may be believed: when it was asked for, lease and quiet period had passed since the attempt was first
 * seen, and another quiet period since the first such answer after that was heard.
 */
bool quiet_not_found(struct quiet *quiet, struct id attempt_id, const struct quiet_answer *answer);

#endif
