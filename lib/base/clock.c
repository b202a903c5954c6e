/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/clock_test.h"

#define US_PER_SECOND INT64_C(1000000)
#define NS_PER_US 1000
#define SECONDS_PER_DAY 86400
#define TIME_MAX_US (INT64_C(253402300800) * US_PER_SECOND - 1) /* 9999-12-31T23:59:59.999999Z */

#define DAYS_PER_ERA 146097 /* 400 Gregorian years */
#define DAYS_0000_03_01_TO_EPOCH 719468

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
	return clock_test_moved(CLOCK_TEST_WALL, read_us(CLOCK_REALTIME));
}

int64_t clock_boot_us(void)
{
	return clock_test_moved(CLOCK_TEST_BOOT, read_us(CLOCK_BOOTTIME));
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

/* The inverse of date_of_day(); a day that the month does not have becomes one of the next month. */
static int64_t day_of_date(struct date date)
{
	int year = date.month <= 2 ? date.year - 1 : date.year;
	int march_month = (date.month + 9) % 12;
	int of_year = (153 * march_month + 2) / 5 + date.day - 1;
	int64_t era = year / 400;
	int year_of_era = year % 400;

	return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       of_year - DAYS_0000_03_01_TO_EPOCH;
}

/* Exactly so many digits, then `after`. Writes *value and moves *at behind them. */
static bool take_digits(const char **at, int digits, char after, int *value)
{
	const char *text = *at;

	*value = 0;
	for (int i = 0; i < digits; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*value = *value * 10 + (text[i] - '0');
	}
	*at = text + digits + 1;
	return text[digits] == after;
}

static bool take_fraction(const char **at, int *us)
{
	int digits = 0;

	*us = 0;
	if (**at != '.')
		return true;
	for (++*at; **at >= '0' && **at <= '9'; ++*at, digits++) {
		if (digits == 6)
			return false;
		*us = *us * 10 + (**at - '0');
	}
	for (int i = digits; i < 6; i++)
		*us *= 10;
	return digits > 0;
}

/* UTC, as its offset: the last is no RFC 3339, but what common clients write. */
static bool is_utc(const char *text)
{
	return strcmp(text, "Z") == 0 || strcmp(text, "+00:00") == 0 || strcmp(text, "+0000") == 0;
}

bool clock_parse(const char *text, int64_t *at_us)
{
	struct date date, same;
	int hour, minute, second, us;
	int64_t day;

	if (!take_digits(&text, 4, '-', &date.year) || !take_digits(&text, 2, '-', &date.month) ||
	    !take_digits(&text, 2, 'T', &date.day) || !take_digits(&text, 2, ':', &hour) ||
	    !take_digits(&text, 2, ':', &minute))
		return false;
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	second = (text[0] - '0') * 10 + (text[1] - '0');
	text += 2;
	if (!take_fraction(&text, &us) || !is_utc(text))
		return false;
	if (date.year < 1970 || date.month < 1 || date.month > 12 || date.day < 1 || hour > 23 ||
	    minute > 59 || second > 59)
		return false;
	day = day_of_date(date);
	same = date_of_day(day);
	if (same.month != date.month || same.day != date.day)
		return false;
	*at_us = (day * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second) * US_PER_SECOND + us;
	return true;
}

void clock_sleep_us(int64_t us)
{
	struct timespec time;

	if (us <= 0 || clock_test_sleep(us))
		return;
	time.tv_sec = (time_t)(us / US_PER_SECOND);
	time.tv_nsec = (long)(us % US_PER_SECOND) * NS_PER_US;
	clock_nanosleep(CLOCK_BOOTTIME, 0, &time, NULL);
}

#ifdef PAYOPS_FAULTS
bool clock_database_us(int64_t *at_us)
{
	if (!clock_test_is_moved())
		return false;
	*at_us = clock_test_moved(CLOCK_TEST_DATABASE, read_us(CLOCK_REALTIME));
	return true;
}
#endif
