/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Budget: how many retries a gateway may get, as a share of its traffic, so that an outage is not
 * made worse by those who try again.
 *
 * Invariant  over any time, retries <= burst + share of the first attempts + floor per second
 * Units      millionths of a call; microseconds of one clock, which may be set back
 * Ownership  plain values
 * Threads    safe: pure functions over their arguments
 * Source     DESIGN.md: Retry; Google SRE Book, "Handling Overload": per-client retry budget
 */
#ifndef CORE_BUDGET_H
#define CORE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget_rules {
	unsigned percent;          /* of the first attempts, 0..100 */
	unsigned floor_per_second; /* retries that need no traffic, so that a quiet gateway has some */
	unsigned burst;            /* most that can be saved up, in retries, at least 1 */
};

/* DESIGN.md's: 10 % of the traffic; and one a second, ten saved up. */
extern const struct budget_rules budget_rules_default;

/* All zero is an empty one whose floor begins to flow at the first call. */
struct budget {
	int64_t saved_millionths;
	int64_t at_us; /* up to when the floor has flowed; 0: not begun */
};

/* A full one. */
struct budget budget_full(const struct budget_rules *rules, int64_t now_us);

/* A first attempt went out. */
void budget_earn(const struct budget_rules *rules, struct budget *budget, int64_t now_us);

/*
 * Spend one retry.
 * Returns  true; false where nothing is left, with nothing spent
 */
bool budget_spend(const struct budget_rules *rules, struct budget *budget, int64_t now_us);

#endif
