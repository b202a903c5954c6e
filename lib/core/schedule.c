/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/schedule.h"

#include <stddef.h>

#define SECOND_US INT64_C(1000000)
#define HOUR_US (3600 * SECOND_US)
#define DAY_US (24 * HOUR_US)
#define DAILY_UNTIL_DAY 7

/* Offsets from the moment the outcome became open. */
static const int64_t inquiry_offsets_us[] = {
	2 * SECOND_US,   5 * SECOND_US, 15 * SECOND_US, 60 * SECOND_US, 300 * SECOND_US,
	900 * SECOND_US, 1 * HOUR_US,   4 * HOUR_US,    12 * HOUR_US,
};
#define INQUIRY_OFFSETS (sizeof inquiry_offsets_us / sizeof inquiry_offsets_us[0])

static const int64_t retry_delays_us[SCHEDULE_RETRIES_MAX] = { 2 * SECOND_US, 4 * SECOND_US,
							       8 * SECOND_US };

bool schedule_inquiry(int64_t since_us, unsigned asked, int64_t *at_us)
{
	size_t day;

	if (asked < INQUIRY_OFFSETS) {
		*at_us = since_us + inquiry_offsets_us[asked];
		return true;
	}
	day = asked - INQUIRY_OFFSETS + 1;
	if (day > DAILY_UNTIL_DAY)
		return false;
	*at_us = since_us + (int64_t)day * DAY_US;
	return true;
}

bool schedule_retry(unsigned retry, uint32_t seed, int64_t *delay_us)
{
	int64_t base_us;
	int64_t span_us;

	if (retry < 1 || retry > SCHEDULE_RETRIES_MAX)
		return false;
	base_us = retry_delays_us[retry - 1];
	span_us = base_us / 2;
	*delay_us = base_us - span_us / 2 + (int64_t)(seed % (uint32_t)span_us);
	return true;
}
