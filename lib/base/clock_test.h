/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Test clock: what a test makes of the clocks, compiled in with --enable-faults only.
 *
 * There are three, which move apart as they do when somebody sets one of them: the wall clock and the boot clock of
 * this process, and the database's, to which lib/store sets its sessions. Either all stand still and move by a test's
 * word (clock_test_start()), or they go on, shifted by what the file in PAYOPS_CLOCK holds: an int64_t of microseconds
 * for each, in this order and in the machine's byte order. The file may change at any time.
 *
 * Invariant  a program that was built without --enable-faults has nothing of this
 * Units      microseconds
 * Threads    safe; process-wide
 */
#ifndef BASE_CLOCK_TEST_H
#define BASE_CLOCK_TEST_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdbool.h>
#include <stdint.h>

enum clock_test_which { CLOCK_TEST_WALL, CLOCK_TEST_BOOT, CLOCK_TEST_DATABASE };
#define CLOCK_TEST_COUNT 3

#ifdef PAYOPS_FAULTS

/* From now on all stand still, the database's where the wall clock does, until clock_test_stop(). */
void clock_test_start(int64_t now_us, int64_t boot_us);
void clock_test_stop(void);

/* Time passes, by all of them. */
void clock_test_advance(int64_t us);

/* Somebody sets one of them, forth or back. */
void clock_test_jump(enum clock_test_which which, int64_t us);

/* What lib/base/clock.c asks: the time that is told for the system's; whether sleeping it was done by moving on. */
int64_t clock_test_moved(enum clock_test_which which, int64_t real_us);
bool clock_test_is_moved(void);
bool clock_test_sleep(int64_t us);

#else

static inline int64_t clock_test_moved(enum clock_test_which which, int64_t real_us)
{
	(void)which;
	return real_us;
}

static inline bool clock_test_sleep(int64_t us)
{
	(void)us;
	return false;
}

#endif

#endif
