/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/rate.h"

#include <pthread.h>
#include <stdio.h>

#include "tests/unit/unit.h"

#define BEGIN_US INT64_C(1000000000)
#define SECOND_US INT64_C(1000000)

/* The buckets, and the limit that a test goes by. */
struct limited {
	struct rate *rate;
	struct rate_settings limit;
};

static struct limited rate_of(int per_second, int burst)
{
	struct limited limited = { .limit = { per_second, burst } };

	ck_assert_int_eq(rate_new(&limited.rate), ERR_OK);
	return limited;
}

/* How many of `tries` at that time are allowed. */
static int taken(const struct limited *rate, const char *merchant, int64_t at_us, int tries)
{
	int count = 0;

	for (int i = 0; i < tries; i++)
		count += rate_take(rate->rate, rate->limit, merchant, at_us).allowed ? 1 : 0;
	return count;
}

START_TEST(rate_gives_the_burst_and_then_the_rate)
{
	struct limited rate = rate_of(10, 25);

	ck_assert_int_eq(taken(&rate, "a", BEGIN_US, 100), 25);
	ck_assert_int_eq(taken(&rate, "a", BEGIN_US + 99999, 100), 0);
	ck_assert_int_eq(taken(&rate, "a", BEGIN_US + 100000, 100), 1);
	ck_assert_int_eq(taken(&rate, "a", BEGIN_US + 1100000, 100), 10);
	ck_assert_int_eq(taken(&rate, "a", BEGIN_US + 3600 * SECOND_US, 100), 25);
	rate_free(rate.rate);
}
END_TEST

START_TEST(rate_of_one_merchant_is_not_anothers)
{
	struct limited rate = rate_of(10, 5);

	ck_assert_int_eq(taken(&rate, "a", BEGIN_US, 10), 5);
	ck_assert_int_eq(taken(&rate, "b", BEGIN_US, 10), 5);
	ck_assert_int_eq(taken(&rate, "a", BEGIN_US, 10), 0);
	rate_free(rate.rate);
}
END_TEST

START_TEST(rate_tells_what_is_left_and_when_there_is_more)
{
	struct limited rate = rate_of(2, 4);
	struct rate_verdict verdict = rate_take(rate.rate, rate.limit, "a", BEGIN_US);

	ck_assert_int_eq(rate_window_s(rate.limit), 2);
	ck_assert(verdict.allowed && !verdict.is_scarce);
	ck_assert_int_eq(verdict.left, 3);
	ck_assert_int_eq(verdict.full_in_s, 1);
	ck_assert_int_eq(taken(&rate, "a", BEGIN_US, 2), 2);
	verdict = rate_take(rate.rate, rate.limit, "a", BEGIN_US);
	ck_assert(verdict.allowed && verdict.is_scarce);
	ck_assert_int_eq(verdict.left, 0);
	ck_assert_int_eq(verdict.full_in_s, 2);
	verdict = rate_take(rate.rate, rate.limit, "a", BEGIN_US);
	ck_assert(!verdict.allowed && verdict.is_scarce);
	ck_assert_int_eq(verdict.left, 0);
	ck_assert_int_eq(verdict.retry_in_s, 1);
	rate_free(rate.rate);
}
END_TEST

START_TEST(rate_of_zero_limits_nothing)
{
	struct limited rate = rate_of(0, 1);

	ck_assert_int_eq(taken(&rate, "a", BEGIN_US, 1000), 1000);
	rate_free(rate.rate);
}
END_TEST

/* Far more merchants than there is room for: nobody is refused for it, and who is at its limit stays there. */
START_TEST(rate_of_many_merchants_takes_bounded_memory)
{
	struct limited rate = rate_of(1, 3);
	char merchant[33];

	ck_assert_int_eq(taken(&rate, "busy", BEGIN_US, 10), 3);
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(merchant, sizeof merchant, "m%d", i);
		ck_assert_int_eq(taken(&rate, merchant, BEGIN_US, 1), 1);
	}
	ck_assert_int_eq(taken(&rate, "busy", BEGIN_US, 10), 0);
	rate_free(rate.rate);
}
END_TEST

/* What was taken under one limit counts under the next, as so many requests. */
START_TEST(rate_takes_another_limit_over)
{
	struct limited rate = rate_of(1, 100);

	ck_assert_int_eq(taken(&rate, "a", BEGIN_US, 60), 60);
	rate.limit = (struct rate_settings){ 10, 80 };
	ck_assert_int_eq(taken(&rate, "a", BEGIN_US, 100), 20);
	ck_assert_int_eq(taken(&rate, "a", BEGIN_US + SECOND_US, 100), 10);
	rate.limit = (struct rate_settings){ 10, 5 };
	ck_assert_int_eq(taken(&rate, "a", BEGIN_US + 2 * SECOND_US, 100), 0);
	ck_assert_int_eq(rate_take(rate.rate, rate.limit, "a", BEGIN_US + 2 * SECOND_US).left, 0);
	ck_assert_int_eq(taken(&rate, "a", BEGIN_US + 9 * SECOND_US, 100), 5);
	rate.limit.per_second = 0;
	ck_assert_int_eq(taken(&rate, "a", BEGIN_US + 9 * SECOND_US, 100), 100);
	rate_free(rate.rate);
}
END_TEST

struct taker {
	const struct limited *rate;
	int count;
};

static void *take_many(void *context)
{
	struct taker *taker = context;

	taker->count = taken(taker->rate, "a", BEGIN_US, 2000);
	return NULL;
}

START_TEST(rate_holds_for_threads_together)
{
	struct limited rate = rate_of(10, 1000);
	struct taker takers[4];
	pthread_t threads[4];
	int count = 0;

	for (size_t i = 0; i < 4; i++) {
		takers[i] = (struct taker){ .rate = &rate };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_many, &takers[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		count += takers[i].count;
	}
	ck_assert_int_eq(count, 1000);
	rate_free(rate.rate);
}
END_TEST

UNIT_MAIN("rate", {
	tcase_add_test(tests, rate_gives_the_burst_and_then_the_rate);
	tcase_add_test(tests, rate_of_one_merchant_is_not_anothers);
	tcase_add_test(tests, rate_tells_what_is_left_and_when_there_is_more);
	tcase_add_test(tests, rate_of_zero_limits_nothing);
	tcase_add_test(tests, rate_of_many_merchants_takes_bounded_memory);
	tcase_add_test(tests, rate_takes_another_limit_over);
	tcase_add_test(tests, rate_holds_for_threads_together);
})
