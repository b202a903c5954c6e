/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"
#include "base/clock_test.h"

#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "tests/unit/unit.h"

#define SECOND INT64_C(1000000)
#define LAST_SECOND INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static const struct {
	int64_t at_us;
	const char *text;
} texts[] = {
	{ 0, "1970-01-01T00:00:00.000000Z" },
	{ 1, "1970-01-01T00:00:00.000001Z" },
	{ SECOND - 1, "1970-01-01T00:00:00.999999Z" },
	{ 951782399 * SECOND, "2000-02-28T23:59:59.000000Z" },
	{ 951782400 * SECOND, "2000-02-29T00:00:00.000000Z" },
	{ 951868800 * SECOND, "2000-03-01T00:00:00.000000Z" },
	{ 978307199 * SECOND, "2000-12-31T23:59:59.000000Z" },
	{ 1709164800 * SECOND, "2024-02-29T00:00:00.000000Z" },
	{ 1772366400 * SECOND + 123456, "2026-03-01T12:00:00.123456Z" },
	{ INT64_C(4107542399) * SECOND, "2100-02-28T23:59:59.000000Z" },
	{ INT64_C(4107542400) * SECOND, "2100-03-01T00:00:00.000000Z" },
	{ LAST_SECOND * SECOND + SECOND - 1, "9999-12-31T23:59:59.999999Z" },
};

START_TEST(clock_format_writes_utc_with_microseconds)
{
	char text[CLOCK_TEXT_SIZE];

	ck_assert_ptr_eq(clock_format(texts[_i].at_us, text), text);
	ck_assert_str_eq(text, texts[_i].text);
}
END_TEST

static const struct {
	const char *text;
	bool valid;
	int64_t at_us;
} readings[] = {
	{ "1970-01-01T00:00:00Z", true, 0 },
	{ "1970-01-01T00:00:01+00:00", true, SECOND },
	{ "1970-01-01T00:00:01.000001+0000", true, SECOND + 1 },
	{ "1970-01-01T00:00:00.000001Z", true, 1 },
	{ "1970-01-01T00:00:01.5Z", true, 1500000 },
	{ "2000-02-29T23:59:59.120Z", true, 951868799 * SECOND + 120000 },
	{ "9999-12-31T23:59:59.999999Z", true, LAST_SECOND *SECOND + SECOND - 1 },
	{ "", false, 0 },
	{ "1969-12-31T23:59:59Z", false, 0 },
	{ "1900-02-29T00:00:00Z", false, 0 },
	{ "2026-02-29T00:00:00Z", false, 0 },
	{ "2026-04-31T00:00:00Z", false, 0 },
	{ "2026-00-01T00:00:00Z", false, 0 },
	{ "2026-13-01T00:00:00Z", false, 0 },
	{ "2026-01-00T00:00:00Z", false, 0 },
	{ "2026-01-01T24:00:00Z", false, 0 },
	{ "2026-01-01T00:60:00Z", false, 0 },
	{ "2026-01-01T00:00:60Z", false, 0 },
	{ "2026-01-01T00:00:0Z", false, 0 },
	{ "2026-01-01T00:00:00", false, 0 },
	{ "2026-01-01T00:00:00z", false, 0 },
	{ "2026-01-01T00:00:00ZZ", false, 0 },
	{ "2026-01-01T00:00:00.Z", false, 0 },
	{ "2026-01-01T00:00:00.1234567Z", false, 0 },
	{ "2026-01-01T00:00:00+00:01", false, 0 },
	{ "2026-01-01T00:00:00-00:00", false, 0 },
	{ "2026-01-01T00:00:00+00:00Z", false, 0 },
	{ "2026-01-01T00:00:00+000", false, 0 },
	{ "2026-01-01 00:00:00Z", false, 0 },
	{ "2026-01-01", false, 0 },
	{ "02026-01-01T00:00:00Z", false, 0 },
	{ "+026-01-01T00:00:00Z", false, 0 },
	{ "2026-1-01T00:00:00Z", false, 0 },
};

START_TEST(clock_parse_reads_utc_and_nothing_else)
{
	int64_t at_us = -7;

	ck_assert_int_eq(clock_parse(readings[_i].text, &at_us), readings[_i].valid);
	ck_assert_int_eq(at_us, readings[_i].valid ? readings[_i].at_us : -7);
}
END_TEST

START_TEST(clock_parse_reads_what_clock_format_writes_on_every_day)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t read_us;

	for (int64_t second = 43200; second <= LAST_SECOND; second += 86400) {
		clock_format(second * SECOND + 7, text);
		unit_expect(clock_parse(text, &read_us) && read_us == second * SECOND + 7, "%s",
			    text);
	}
}
END_TEST

START_TEST(clock_format_follows_neither_time_zone_nor_locale)
{
	char text[CLOCK_TEXT_SIZE];

	setenv("TZ", "Asia/Jakarta", 1);
	tzset();
	setlocale(LC_ALL, "");

	ck_assert_str_eq(clock_format(0, text), "1970-01-01T00:00:00.000000Z");
}
END_TEST

/* Every day of the range against libc's own calendar. */
START_TEST(clock_format_agrees_with_gmtime_on_every_day)
{
	char text[CLOCK_TEXT_SIZE], expected[CLOCK_TEXT_SIZE];

	for (int64_t second = 43200; second <= LAST_SECOND; second += 86400) {
		time_t at = (time_t)second;
		struct tm tm;

		unit_expect(gmtime_r(&at, &tm) != NULL, "%" PRId64, second);
		unit_expect(strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &tm) > 0,
			    "%" PRId64, second);
		clock_format(second * SECOND, text);
		unit_expect(strncmp(text, expected, 19) == 0, "%" PRId64 ": %s is not %s", second,
			    text, expected);
	}
}
END_TEST

START_TEST(clock_format_stops_on_times_without_four_digit_year)
{
	static const int64_t wrong[] = { -1, INT64_MIN, (LAST_SECOND + 1) * SECOND, INT64_MAX };
	char text[CLOCK_TEXT_SIZE];

	clock_format(wrong[_i], text);
}
END_TEST

START_TEST(clock_now_is_the_systems_time_and_boot_never_goes_back)
{
	int64_t before = (int64_t)time(NULL), now = clock_now_us(), boot = clock_boot_us();

	ck_assert_int_ge(now / SECOND, before - 1);
	ck_assert_int_le(now / SECOND, before + 5);
	ck_assert_int_gt(boot, 0);
	ck_assert_int_ge(clock_boot_us(), boot);
}
END_TEST

START_TEST(clock_sleep_lasts_at_least_as_long_as_asked)
{
	int64_t before = clock_boot_us();

	clock_sleep_us(20000);

	ck_assert_int_ge(clock_boot_us() - before, 20000);
}
END_TEST

START_TEST(clock_sleep_of_nothing_returns_at_once)
{
	int64_t before = clock_boot_us();

	clock_sleep_us(0);
	clock_sleep_us(-1);
	clock_sleep_us(INT64_MIN);

	ck_assert_int_lt(clock_boot_us() - before, 10 * SECOND);
}
END_TEST

static void on_alarm(int signal_number)
{
	(void)signal_number;
}

START_TEST(clock_sleep_returns_early_on_a_signal)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value = { 0, 20000 } };
	int64_t before = clock_boot_us();

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	clock_sleep_us(30 * SECOND);

	ck_assert_int_lt(clock_boot_us() - before, 20 * SECOND);
}
END_TEST

START_TEST(clock_test_stands_still_until_moved)
{
	clock_test_start(1000, 50);

	ck_assert_int_eq(clock_now_us(), 1000);
	ck_assert_int_eq(clock_boot_us(), 50);

	clock_test_advance(7);
	clock_sleep_us(3600 * SECOND);
	clock_sleep_us(-5);

	ck_assert_int_eq(clock_now_us(), 1007 + 3600 * SECOND);
	ck_assert_int_eq(clock_boot_us(), 57 + 3600 * SECOND);

	clock_test_stop();
	ck_assert_int_gt(clock_now_us(), 1700000000 * SECOND);
}
END_TEST

START_TEST(clock_test_sets_each_clock_by_itself)
{
	int64_t database_us = 1;

	ck_assert(!clock_database_us(&database_us));
	ck_assert_int_eq(database_us, 1);
	clock_test_start(5000, 50);

	clock_test_jump(CLOCK_TEST_WALL, -3000);
	clock_test_jump(CLOCK_TEST_DATABASE, 3600 * SECOND);
	clock_test_advance(1);

	ck_assert_int_eq(clock_now_us(), 2001);
	ck_assert_int_eq(clock_boot_us(), 51);
	ck_assert(clock_database_us(&database_us));
	ck_assert_int_eq(database_us, 5001 + 3600 * SECOND);
	clock_test_stop();
}
END_TEST

/* A file as PAYOPS_CLOCK names it; returns its descriptor. */
static int shifts_open(char path[])
{
	static const int64_t none[CLOCK_TEST_COUNT];
	const int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, none, sizeof none, 0), sizeof none);
	setenv("PAYOPS_CLOCK", path, 1);
	return fd;
}

START_TEST(clock_test_goes_on_as_much_later_as_the_file_says)
{
	char path[] = "/tmp/test_clock.XXXXXX";
	const int64_t week_us = 7 * 86400 * SECOND;
	const int64_t later[CLOCK_TEST_COUNT] = { week_us, 2 * week_us, 3 * week_us };
	const int fd = shifts_open(path);
	const int64_t now_us = clock_now_us();
	const int64_t boot_us = clock_boot_us();
	int64_t database_us;

	ck_assert_int_eq(pwrite(fd, later, sizeof later, 0), sizeof later);

	ck_assert(clock_database_us(&database_us));
	ck_assert_int_ge(clock_now_us() - now_us, week_us);
	ck_assert_int_lt(clock_now_us() - now_us, week_us + 3600 * SECOND);
	ck_assert_int_ge(clock_boot_us() - boot_us, 2 * week_us);
	ck_assert_int_lt(clock_boot_us() - boot_us, 2 * week_us + 3600 * SECOND);
	ck_assert_int_ge(database_us - now_us, 3 * week_us);
	ck_assert_int_lt(database_us - now_us, 3 * week_us + 3600 * SECOND);
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(clock_test_stops_where_its_file_is_not_there)
{
	setenv("PAYOPS_CLOCK", "/nonexistent/clock", 1);

	(void)clock_now_us();
}
END_TEST

UNIT_MAIN("clock", {
	tcase_add_loop_test(tests, clock_parse_reads_utc_and_nothing_else, 0,
			    (int)(sizeof readings / sizeof readings[0]));
	tcase_add_test(tests, clock_parse_reads_what_clock_format_writes_on_every_day);
	tcase_add_loop_test(tests, clock_format_writes_utc_with_microseconds, 0,
			    (int)(sizeof texts / sizeof texts[0]));
	tcase_add_test(tests, clock_format_follows_neither_time_zone_nor_locale);
	tcase_add_test(tests, clock_format_agrees_with_gmtime_on_every_day);
	tcase_add_loop_test_raise_signal(tests, clock_format_stops_on_times_without_four_digit_year,
					 SIGABRT, 0, 4);
	tcase_add_test(tests, clock_now_is_the_systems_time_and_boot_never_goes_back);
	tcase_add_test(tests, clock_sleep_lasts_at_least_as_long_as_asked);
	tcase_add_test(tests, clock_sleep_of_nothing_returns_at_once);
	tcase_add_test(tests, clock_sleep_returns_early_on_a_signal);
	tcase_add_test(tests, clock_test_stands_still_until_moved);
	tcase_add_test(tests, clock_test_sets_each_clock_by_itself);
	tcase_add_test(tests, clock_test_goes_on_as_much_later_as_the_file_says);
	tcase_add_test_raise_signal(tests, clock_test_stops_where_its_file_is_not_there, SIGABRT);
})
