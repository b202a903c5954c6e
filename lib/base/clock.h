/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Time: the only file that reads the system's clocks.
 *
 * Units      microseconds; UTC since 1970 (clock_now_us) or since boot, counting sleep
 *            (clock_boot_us)
 * Threads    safe
 * Source     clock_gettime(2): CLOCK_REALTIME, CLOCK_BOOTTIME; RFC 3339
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_TEXT_SIZE 32

int64_t clock_now_us(void);
int64_t clock_boot_us(void);

/* "2026-03-01T12:00:00.123456Z" into `out`; years 1970..9999. Returns `out`. */
const char *clock_format(int64_t at_us, char out[CLOCK_TEXT_SIZE]);

/*
 * Read RFC 3339 in UTC: "2026-03-01T12:00:00Z", with up to six decimals, years 1970..9999, no leap seconds; +00:00 and
 * +0000 may stand for Z.
 * Returns  true with *at_us; false (untouched)
 */
bool clock_parse(const char *text, int64_t *at_us);

/* Sleep; returns early on a signal. With the test clock: moves it instead of sleeping. */
void clock_sleep_us(int64_t us);

/*
 * The time that database sessions are to be told, where a test moves it (base/clock_test.h).
 * Returns  true with *at_us; false: the server's own, as ever without --enable-faults
 */
#ifdef PAYOPS_FAULTS
bool clock_database_us(int64_t *at_us);
#endif

#endif
