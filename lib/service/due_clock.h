/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Due clock: whether somebody set the database's clock, by which everything is due, told by this machine's boot clock.
 *
 * Invariant  after it was set back, what was written since then waits no longer than it would have; after it was set
 *            forth, nothing expires before as much time has really passed. Neither ends a lease or quiet period early
 *            for a verdict: those need the boot clock too (apid/quiet.h). What expires, and was written before, may so
 *            come later by as much as the clock was set
 * Units      microseconds
 * Ownership  plain value
 * Threads    the dispatcher's, which claims
 * Source     DESIGN.md: States, rule 6
 */
#ifndef SERVICE_DUE_CLOCK_H
#define SERVICE_DUE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

/* All zero is new. */
struct due_clock {
	bool begun;
	int64_t ahead_us; /* the database's clock before the boot clock, when they were looked at last */
	int64_t expire_from_boot_us; /* until then nothing expires */
};

/* The database's clock, and the boot clock before it was asked and when it had answered. */
struct due_reading {
	int64_t before_boot_us;
	int64_t now_us;
	int64_t after_boot_us;
};

/* By how much somebody set it since it was looked at last: 0, where nobody did or the answer took too long to tell. */
int64_t due_clock_set_by(const struct due_clock *clock, const struct due_reading *reading);

/*
 * Look at both clocks, and mend what was written by one that was set back; the first time, whoever saw it set.
 * Returns  ERR_OK; what the database answered: look again
 */
CHECKED enum err due_clock_look(struct store_pool *pool, struct due_clock *clock);

/* Whether something may expire now, which cannot be undone. `clock` may be NULL: it is never set. */
bool due_clock_lets_expire(const struct due_clock *clock, int64_t boot_us);

#endif
