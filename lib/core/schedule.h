/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Schedules: when an unknown attempt is asked about, when an operation is tried again.
 *
 * Units      microseconds
 * Threads    safe: pure functions; jitter comes from a seed, not from a generator
 * Source     DESIGN.md: Retry, Inquiry
 */
#ifndef CORE_SCHEDULE_H
#define CORE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_RETRIES_MAX 3

/*
 * When to ask for the `asked`-th time (0: the first) about an outcome that has been open since
 * `since_us`: 2, 5, 15, 60 s, 5 and 15 min, 1, 4, 12 h after it, then daily up to 7 days.
 * Returns  true and writes *at_us; false when the schedule is used up (park it)
 */
bool schedule_inquiry(int64_t since_us, unsigned asked, int64_t *at_us);

/*
 * How long to wait before retry number `retry` (1..SCHEDULE_RETRIES_MAX): 2, 4, 8 s, each varied by
 * up to a quarter either way by `seed` (any number that differs between operations, such as bytes
 * of the id).
 * Returns  true and writes *delay_us; false when no retry is left
 */
bool schedule_retry(unsigned retry, uint32_t seed, int64_t *delay_us);

#endif
