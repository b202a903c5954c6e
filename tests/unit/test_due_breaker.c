/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* What is due at a gateway whose circuit breaker is open waits: no attempt, no inquiry. */
#include "service/due.h"

#include "base/clock.h"
#include "tests/unit/service_fixture.h"

#define LIMIT 16

static struct service service;

static void create(void)
{
	service_create(&service, "due_breaker");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	service_open(&service);
}

static void tear_down(void)
{
	service_close(&service);
}

static struct story put_pending(int64_t due_at_us)
{
	struct story story = story_pending(&service, due_at_us);

	story_put(&service, &story);
	return story;
}

static struct story put_attempt(enum attempt_status attempt, enum operation_status operation)
{
	struct story story = story_attempt(&service, attempt, operation, clock_now_us());

	story_put(&service, &story);
	return story;
}

static size_t claim(struct due_job jobs[LIMIT])
{
	size_t count = LIMIT + 1;

	ck_assert_int_eq(due_claim(service.pool, &service.due, LIMIT, jobs, &count, NULL), ERR_OK);
	return count;
}

static size_t claim_nothing(void)
{
	struct due_job jobs[LIMIT];

	return claim(jobs);
}

static enum due_kind claim_one_kind(void)
{
	struct due_job jobs[LIMIT];

	ck_assert_uint_eq(claim(jobs), 1);
	return jobs[0].kind;
}

/* Breakers whose one for this operation is open for long; to be freed by close_breakers(). */
static void open_breakers(enum breaker_operation operation)
{
	const struct breakers_settings settings = { .rules = breaker_rules_default,
						    .gateways = &service.gateways,
						    .refresh_ms = 1000 };
	struct breakers *breakers = NULL;

	ck_assert_int_eq(breakers_new(&settings, service.pool, &breakers), ERR_OK);
	for (unsigned i = 0; i < settings.rules.failures_in_row; i++) {
		const int64_t now_us = breakers_now_us(breakers);
		const struct breaker_call call = { BREAKER_FAILURE, now_us, now_us };

		breakers_count(breakers, SERVICE_GATEWAY, operation, &call);
	}
	service.due.breakers = breakers;
}

static void close_breakers(void)
{
	breakers_free(service.due.breakers);
	service.due.breakers = NULL;
}

/* Due again in a while, and not otherwise changed. */
static void check_waits(struct story *story, enum next_action action)
{
	const struct story before = *story;

	story_get(&service, story);
	ck_assert_int_eq(story->operation.next_action, action);
	ck_assert_int_gt(story->operation.next_action_at_us, clock_now_us() + SECOND_US);
	ck_assert_int_lt(story->operation.next_action_at_us, clock_now_us() + 60 * SECOND_US);
	ck_assert_int_eq(story->operation.status, before.operation.status);
	ck_assert_uint_eq(story->operation.attempt_count, before.operation.attempt_count);
	ck_assert_uint_eq(story->transaction.version, before.transaction.version);
}

START_TEST(nothing_is_sent_to_a_gateway_whose_breaker_is_open)
{
	struct story story = put_pending(clock_now_us());

	open_breakers(BREAKER_CHARGE);
	ck_assert_uint_eq(claim_nothing(), 0);
	close_breakers();

	check_waits(&story, NEXT_SEND);
	ck_assert_int_eq(story_attempts(&service, &story), 0);
}
END_TEST

/* Behind those that wait, one whose gateway is well may be due: whoever claims must go on, though there is no job. */
START_TEST(a_claim_of_many_that_only_wait_is_full_all_the_same)
{
	const size_t limits[] = { 1, 2, 3 };
	struct due_job jobs[LIMIT];
	size_t count;
	bool full;

	(void)put_pending(clock_now_us());
	(void)put_pending(clock_now_us());
	open_breakers(BREAKER_CHARGE);
	ck_assert_int_eq(due_claim(service.pool, &service.due, limits[_i], jobs, &count, &full),
			 ERR_OK);
	close_breakers();

	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(full, limits[_i] <= 2);
}
END_TEST

START_TEST(nothing_is_asked_of_a_gateway_whose_breaker_for_inquiries_is_open)
{
	struct story story = put_attempt(AS_UNKNOWN, OS_PROCESSING);

	open_breakers(BREAKER_INQUIRY);
	ck_assert_uint_eq(claim_nothing(), 0);
	close_breakers();

	check_waits(&story, NEXT_ASK);
}
END_TEST

START_TEST(an_open_breaker_for_charges_stops_no_inquiry_and_the_other_way_round)
{
	(void)put_attempt(AS_UNKNOWN, OS_PROCESSING);
	open_breakers(BREAKER_CHARGE);
	ck_assert_int_eq(claim_one_kind(), DUE_ASK);
	close_breakers();

	(void)put_pending(clock_now_us());
	open_breakers(BREAKER_INQUIRY);
	ck_assert_int_eq(claim_one_kind(), DUE_SEND);
	close_breakers();
}
END_TEST

START_TEST(an_attempt_whose_lease_is_over_is_unknown_though_nobody_may_be_asked)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);

	open_breakers(BREAKER_INQUIRY);
	ck_assert_uint_eq(claim_nothing(), 0);
	close_breakers();

	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
	ck_assert_int_eq(story.operation.next_action, NEXT_ASK);
	ck_assert_int_gt(story.operation.next_action_at_us, clock_now_us() + SECOND_US);
}
END_TEST

START_TEST(a_wish_to_cancel_is_met_though_the_breaker_is_open)
{
	struct story story = story_pending(&service, clock_now_us());

	story.operation.cancel_wished_at_us = clock_now_us();
	story_put(&service, &story);

	open_breakers(BREAKER_CHARGE);
	ck_assert_uint_eq(claim_nothing(), 0);
	close_breakers();

	story_get(&service, &story);
	ck_assert_int_eq(story.operation.status, OS_CANCELLED);
}
END_TEST

UNIT_MAIN("due_breaker", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, nothing_is_sent_to_a_gateway_whose_breaker_is_open);
	tcase_add_loop_test(tests, a_claim_of_many_that_only_wait_is_full_all_the_same, 0, 3);
	tcase_add_test(tests, nothing_is_asked_of_a_gateway_whose_breaker_for_inquiries_is_open);
	tcase_add_test(tests, an_open_breaker_for_charges_stops_no_inquiry_and_the_other_way_round);
	tcase_add_test(tests, an_attempt_whose_lease_is_over_is_unknown_though_nobody_may_be_asked);
	tcase_add_test(tests, a_wish_to_cancel_is_met_though_the_breaker_is_open);
})
