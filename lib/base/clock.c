/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <time.h>

#define US_PER_SECOND INT64_C(1000000)
#define NS_PER_US 1000
#define SECONDS_PER_DAY 86400
#define TIME_MAX_US (INT64_C(253402300800) * US_PER_SECOND - 1) /* 9999-12-31T23:59:59.999999Z */

#define DAYS_PER_ERA 146097 /* 400 Gregorian years */
#define DAYS_0000_03_01_TO_EPOCH 719468

struct test_clock {
	atomic_bool running;
	atomic_int_least64_t now_us;
	atomic_int_least64_t boot_us;
};

static struct test_clock test; /* lint: state: tests move the time of the whole process */

struct date {
	int year, month, day;
};

static int64_t read_us(clockid_t id)
{
	struct timespec time;
	int failed = clock_gettime(id, &time);

	assert(failed == 0);
	(void)failed;
	return (int64_t)time.tv_sec * US_PER_SECOND + time.tv_nsec / NS_PER_US;
}

int64_t clock_now_us(void)
{
	return atomic_load(&test.running) ? atomic_load(&test.now_us) : read_us(CLOCK_REALTIME);
}

int64_t clock_boot_us(void)
{
	return atomic_load(&test.running) ? atomic_load(&test.boot_us) : read_us(CLOCK_BOOTTIME);
}

/*
 * Proleptic Gregorian date of a day since 1970. Years are counted from 1 March, so that the leap
 * day is a year's last and the months' lengths repeat every five months (153 days).
 */
static struct date date_of_day(int64_t day)
{
	int64_t days = day + DAYS_0000_03_01_TO_EPOCH;
	int64_t era = days / DAYS_PER_ERA;
	int of_era = (int)(days % DAYS_PER_ERA);
	int year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int march_month = (5 * of_year + 2) / 153;
	int month = march_month < 10 ? march_month + 3 : march_month - 9;
	int year = (int)(era * 400) + year_of_era + (month <= 2 ? 1 : 0);

	return (struct date){ year, month, of_year - (153 * march_month + 2) / 5 + 1 };
}

static char *put_digits(char *at, int value, int digits, char after)
{
	for (int i = digits - 1; i >= 0; i--) {
		at[i] = (char)('0' + value % 10);
		value /= 10;
	}
	at[digits] = after;
	return at + digits + 1;
}

const char *clock_format(int64_t at_us, char out[CLOCK_TEXT_SIZE])
{
	int64_t seconds = at_us / US_PER_SECOND;
	int of_day = (int)(seconds % SECONDS_PER_DAY);
	struct date date;
	char *at = out;

	assert(at_us >= 0 && at_us <= TIME_MAX_US);
	date = date_of_day(seconds / SECONDS_PER_DAY);
	at = put_digits(at, date.year, 4, '-');
	at = put_digits(at, date.month, 2, '-');
	at = put_digits(at, date.day, 2, 'T');
	at = put_digits(at, of_day / 3600, 2, ':');
	at = put_digits(at, of_day / 60 % 60, 2, ':');
	at = put_digits(at, of_day % 60, 2, '.');
	at = put_digits(at, (int)(at_us % US_PER_SECOND), 6, 'Z');
	*at = '\0';
	return out;
}

void clock_sleep_us(int64_t us)
{
	struct timespec time;

	if (us <= 0)
		return;
	if (atomic_load(&test.running)) {
		clock_test_advance(us);
		return;
	}
	time.tv_sec = (time_t)(us / US_PER_SECOND);
	time.tv_nsec = (long)(us % US_PER_SECOND) * NS_PER_US;
	clock_nanosleep(CLOCK_BOOTTIME, 0, &time, NULL);
}

void clock_test_start(int64_t now_us, int64_t boot_us)
{
	atomic_store(&test.now_us, now_us);
	atomic_store(&test.boot_us, boot_us);
	atomic_store(&test.running, true);
}

void clock_test_advance(int64_t us)
{
	assert(atomic_load(&test.running) && us >= 0);
	atomic_fetch_add(&test.now_us, us);
	atomic_fetch_add(&test.boot_us, us);
}

void clock_test_stop(void)
{
	atomic_store(&test.running, false);
}
