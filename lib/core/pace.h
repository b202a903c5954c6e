/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pace: how fast due work is taken up while requests have to wait. What was accepted can wait, it is on disk; who asks
 * cannot.
 *
 * Invariant  the pace falls by a quarter for each look that finds requests waiting too long, and grows by an eighth for
 *            each that does not; it never leaves its bounds, so that due work always moves on
 * Units      operations a second; microseconds of one clock that is not set back
 * Ownership  plain values
 * Threads    safe: pure functions over their arguments
 * Source     additive increase, multiplicative decrease: Chiu and Jain, 1989
 */
#ifndef CORE_PACE_H
#define CORE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pace_rules {
	int64_t wait_max_us; /* as long as requests may wait; 0: nobody looks, the pace stays at its most */
	int64_t look_us; /* time between two looks */
	int64_t slowest; /* a second, at least 1 */
	int64_t fastest;
};

struct pace {
	int64_t per_second;
	int64_t saved_millionths; /* of what may be taken up at once: at most a look's worth */
	int64_t at_us;            /* up to when it was saved */
	int64_t looked_at_us;
};

/* The fastest one. */
struct pace pace_begin(const struct pace_rules *rules, int64_t now_us);

/* True when it is time to look again. */
bool pace_is_due(const struct pace_rules *rules, const struct pace *pace, int64_t now_us);

/* A look: the longest that a request waited since the last one. */
void pace_look(const struct pace_rules *rules, struct pace *pace, int64_t waited_us,
	       int64_t now_us);

/* How many of `wanted` may be taken up now; pace_take() says how many were. */
size_t pace_allows(const struct pace_rules *rules, struct pace *pace, size_t wanted,
		   int64_t now_us);
void pace_take(struct pace *pace, size_t taken);

#endif
