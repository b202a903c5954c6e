/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/lockout.h"

#include <string.h>

#include "tests/unit/unit.h"

#define BEGIN_US INT64_C(1000000000)
#define SECOND_US INT64_C(1000000)
#define FAILURES 5
#define LONGEST_S 60

/* lint: state: one for each test, made and freed by the fixture */
static struct lockout *lockout;

static void make(void)
{
	const struct lockout_settings settings = { FAILURES, 60 * SECOND_US, SECOND_US,
						   LONGEST_S * SECOND_US };

	ck_assert_int_eq(lockout_new(&settings, &lockout), ERR_OK);
}

static void drop(void)
{
	lockout_free(lockout);
}

static struct lockout_subject subject_of(enum lockout_kind kind, uint32_t number)
{
	struct lockout_subject subject = { .kind = kind };

	memcpy(subject.name, &number, sizeof number);
	return subject;
}

static int left_s(uint32_t number, int64_t at_us)
{
	const struct lockout_subject subject = subject_of(LOCKOUT_CALLER, number);

	return lockout_left_s(lockout, &subject, at_us);
}

/* Fail so often; returns the seconds of the lock that the last failure began. */
static int guess(uint32_t number, int64_t at_us, int times)
{
	const struct lockout_subject subject = subject_of(LOCKOUT_CALLER, number);
	int seconds = 0;

	for (int i = 0; i < times; i++) {
		ck_assert_int_eq(seconds, 0);
		seconds = lockout_fail(lockout, &subject, at_us);
	}
	return seconds;
}

START_TEST(lockout_begins_with_the_last_failure_that_is_allowed)
{
	ck_assert_int_eq(guess(1, BEGIN_US, FAILURES - 1), 0);
	ck_assert_int_eq(left_s(1, BEGIN_US), 0);

	ck_assert_int_eq(guess(1, BEGIN_US, 1), 1);

	ck_assert_int_eq(left_s(1, BEGIN_US), 1);
}
END_TEST

START_TEST(lockout_ends_by_itself)
{
	guess(1, BEGIN_US, FAILURES);

	ck_assert_int_eq(left_s(1, BEGIN_US + SECOND_US - 1), 1);
	ck_assert_int_eq(left_s(1, BEGIN_US + SECOND_US), 0);
	ck_assert_int_eq(left_s(1, BEGIN_US + 1000 * SECOND_US), 0);
}
END_TEST

START_TEST(lockout_is_twice_as_long_each_time_up_to_the_longest)
{
	static const int expected[] = { 1, 2, 4, 8, 16, 32, LONGEST_S, LONGEST_S };
	int64_t at_us = BEGIN_US;

	ck_assert_int_eq(guess(1, at_us, FAILURES), expected[0]);
	for (size_t i = 1; i < sizeof expected / sizeof expected[0]; i++) {
		at_us += expected[i - 1] * SECOND_US;
		ck_assert_int_eq(left_s(1, at_us), 0);
		ck_assert_int_eq(guess(1, at_us, 1), expected[i]);
		ck_assert_int_eq(left_s(1, at_us), expected[i]);
	}
}
END_TEST

START_TEST(lockout_begins_anew_for_who_was_calm)
{
	guess(1, BEGIN_US, FAILURES);
	ck_assert_int_eq(guess(1, BEGIN_US + SECOND_US, 1), 2);

	ck_assert_int_eq(guess(1, BEGIN_US + (3 + 60 + LONGEST_S) * SECOND_US, FAILURES), 1);
}
END_TEST

START_TEST(lockout_forgives_slow_failures)
{
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(guess(1, BEGIN_US + i * 12 * SECOND_US, 1), 0);
}
END_TEST

START_TEST(lockout_does_not_grow_while_it_lasts)
{
	guess(1, BEGIN_US, FAILURES);

	ck_assert_int_eq(guess(1, BEGIN_US, 100), 0);

	ck_assert_int_eq(left_s(1, BEGIN_US), 1);
}
END_TEST

START_TEST(lockout_knows_subjects_apart)
{
	const struct lockout_subject others[] = { subject_of(LOCKOUT_CALLER, 2),
						  subject_of(LOCKOUT_GATEWAY, 1),
						  subject_of(LOCKOUT_KEY, 1) };

	guess(1, BEGIN_US, FAILURES);

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		ck_assert_int_eq(lockout_left_s(lockout, &others[i], BEGIN_US), 0);
		ck_assert_int_eq(lockout_fail(lockout, &others[i], BEGIN_US), 0);
	}
	ck_assert_int_eq(left_s(1, BEGIN_US), 1);
}
END_TEST

START_TEST(lockout_outlasts_a_crowd_of_others_that_failed_once)
{
	guess(1, BEGIN_US, FAILURES);

	for (uint32_t number = 2; number < 200000; number++)
		guess(number, BEGIN_US, 1);

	ck_assert_int_eq(left_s(1, BEGIN_US), 1);
	ck_assert_int_eq(guess(1, BEGIN_US + SECOND_US, 1), 2);
}
END_TEST

START_TEST(lockout_without_a_limit_or_at_all_locks_nobody_out)
{
	const struct lockout_settings settings = { 0, SECOND_US, SECOND_US, SECOND_US };
	const struct lockout_subject subject = subject_of(LOCKOUT_CALLER, 1);
	struct lockout *none;

	ck_assert_int_eq(lockout_new(&settings, &none), ERR_OK);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(lockout_fail(none, &subject, BEGIN_US), 0);
		ck_assert_int_eq(lockout_fail(NULL, &subject, BEGIN_US), 0);
	}
	ck_assert_int_eq(lockout_left_s(none, &subject, BEGIN_US), 0);
	ck_assert_int_eq(lockout_left_s(NULL, &subject, BEGIN_US), 0);
	lockout_free(none);
}
END_TEST

UNIT_MAIN("lockout", {
	tcase_add_checked_fixture(tests, make, drop);
	tcase_add_test(tests, lockout_begins_with_the_last_failure_that_is_allowed);
	tcase_add_test(tests, lockout_ends_by_itself);
	tcase_add_test(tests, lockout_is_twice_as_long_each_time_up_to_the_longest);
	tcase_add_test(tests, lockout_begins_anew_for_who_was_calm);
	tcase_add_test(tests, lockout_forgives_slow_failures);
	tcase_add_test(tests, lockout_does_not_grow_while_it_lasts);
	tcase_add_test(tests, lockout_knows_subjects_apart);
	tcase_add_test(tests, lockout_outlasts_a_crowd_of_others_that_failed_once);
	tcase_add_test(tests, lockout_without_a_limit_or_at_all_locks_nobody_out);
})
