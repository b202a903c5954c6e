/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Somebody sets a clock, forth or back, by an hour or a day: nothing ends early by it, and nothing waits for it. What
 * goes by the database's clock first, then what goes by the wall clock of this machine. (By the boot clock, which
 * nobody sets, go: pace, rates, deadlines, what is remembered of API keys.)
 */
#include "service/due.h"

#include <stdio.h>
#include <string.h>

#include "apid/quiet.h"
#include "base/clock.h"
#include "base/clock_test.h"
#include "core/budget.h"
#include "service/intake.h"
#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define LIMIT 16
#define HOUR_US (3600 * SECOND_US)
#define DAY_US (24 * HOUR_US)
#define BOOT_US (1000 * SECOND_US)
#define LEASE_US                                                                                   \
	(SERVICE_SEND_WINDOW_US + SERVICE_LEASE_MARGIN_US + SERVICE_TIMEOUT_MS * INT64_C(1000))

static const int64_t jumps_us[] = { HOUR_US, DAY_US, -HOUR_US, -DAY_US };
#define JUMPS ((int)COUNT(jumps_us))

static struct service service;
static struct due_clock watch;
static struct quiet quiet;

static void create(void)
{
	service_create(&service, "jumps");
}

static void drop(void)
{
	service_drop(&service);
}

static void look(void)
{
	ck_assert_int_eq(due_clock_look(service.pool, &watch), ERR_OK);
}

static void set_up(void)
{
	clock_test_start(SERVICE_NOW_US, BOOT_US);
	service_open(&service);
	watch = (struct due_clock){ .begun = false };
	memset(&quiet, 0, sizeof quiet);
	service.due.clock = &watch;
	look();
}

static void tear_down(void)
{
	service_close(&service);
	clock_test_stop();
}

static void set_database(int64_t us)
{
	clock_test_jump(CLOCK_TEST_DATABASE, us);
	look();
}

static struct story put_pending(void)
{
	struct story story = story_pending(&service, clock_now_us());

	story_put(&service, &story);
	return story;
}

static size_t claim(struct due_job jobs[LIMIT])
{
	size_t count = 0;

	ck_assert_int_eq(due_claim(service.pool, &service.due, LIMIT, jobs, &count, NULL), ERR_OK);
	for (size_t i = 0; i < count; i++)
		quiet_see(&quiet, jobs[i].order.attempt_id, clock_boot_us());
	return count;
}

/* Claim the one that is to be sent; *story knows its attempt then. */
static void send(struct story *story)
{
	struct due_job jobs[LIMIT];

	ck_assert_uint_eq(claim(jobs), 1);
	ck_assert_int_eq(jobs[0].kind, DUE_SEND);
	story->attempt.id = jobs[0].order.attempt_id;
	story->without_attempt = false;
	story_get(&service, story);
}

/* Whether a question is due. */
static bool asks(void)
{
	struct due_job jobs[LIMIT];

	return claim(jobs) == 1 && jobs[0].kind == DUE_ASK;
}

/* A question that begins now is answered at once. */
static enum outcome_effect hear(struct story *story, enum attempt_event event)
{
	struct telling telling = { .source = OUTCOME_INQUIRY, .answer = service_answer(event) };
	const struct quiet_answer answer = { LEASE_US, SERVICE_QUIET_US, clock_boot_us(),
					     clock_boot_us() };

	telling.unconfirmed =
		event == AE_NOT_FOUND && !quiet_not_found(&quiet, story->attempt.id, &answer);
	return story_tell(&service, story, &telling);
}

static void lose(struct story *story)
{
	const struct telling telling = { .source = OUTCOME_ANSWER,
					 .answer = service_answer(AE_LOST) };

	(void)story_tell(&service, story, &telling);
	ck_assert_int_eq(story->attempt.status, AS_UNKNOWN);
}

/* Ask whenever it is due, at least every second, until the attempt is not unknown or so long. Returns how long. */
static int64_t ask_until_known(struct story *story, enum attempt_event event, int64_t most_us)
{
	const int64_t began_us = clock_boot_us();

	while (story->attempt.status == AS_UNKNOWN && clock_boot_us() - began_us < most_us) {
		if (asks())
			(void)hear(story, event);
		if (story->attempt.status == AS_UNKNOWN)
			clock_test_advance(SECOND_US);
	}
	return clock_boot_us() - began_us;
}

/* --- the database's clock --- */

START_TEST(what_is_to_be_sent_is_sent_whatever_the_clock)
{
	struct story story = put_pending();

	set_database(jumps_us[_i]);

	send(&story);
	ck_assert_int_eq(story.attempt.status, AS_PREPARED);
}
END_TEST

START_TEST(a_lease_ends_in_its_time_or_into_a_question_only)
{
	struct story story = put_pending();

	send(&story);
	set_database(jumps_us[_i]);

	/* Set forth, it is taken for dead and asked about, which does nothing to it. Set back, it has its time anew. */
	ck_assert(asks() == (jumps_us[_i] > 0));
	clock_test_advance(LEASE_US + SECOND_US);
	ck_assert(asks() || jumps_us[_i] > 0);
	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
}
END_TEST

START_TEST(not_found_is_believed_neither_earlier_nor_much_later)
{
	struct story story = put_pending();
	int64_t span_us;

	send(&story);
	lose(&story);
	set_database(jumps_us[_i]);

	span_us = ask_until_known(&story, AE_NOT_FOUND, 10 * LEASE_US);

	ck_assert_int_eq(story.attempt.status, AS_NOT_FOUND);
	ck_assert_int_ge(span_us, LEASE_US + 2 * SERVICE_QUIET_US);
	ck_assert_int_le(span_us, 3 * LEASE_US);
}
END_TEST

START_TEST(not_found_that_was_said_once_is_not_said_twice_by_the_clock)
{
	struct story story = put_pending();

	send(&story);
	lose(&story);
	clock_test_advance(LEASE_US + SERVICE_QUIET_US + SECOND_US);
	ck_assert(asks());
	ck_assert_int_eq(hear(&story, AE_NOT_FOUND), OUTCOME_RESCHEDULED);
	ck_assert_int_ne(story.attempt.not_found_at_us, 0);
	set_database(jumps_us[_i]);

	ck_assert_int_eq(hear(&story, AE_NOT_FOUND), OUTCOME_RESCHEDULED);
	(void)ask_until_known(&story, AE_NOT_FOUND, LEASE_US);

	ck_assert_int_eq(story.attempt.status, AS_NOT_FOUND);
}
END_TEST

START_TEST(an_answer_to_a_question_of_before_is_never_of_later_than_now)
{
	struct story story = put_pending();
	const struct gateway_answer answer = service_answer(AE_NOT_FOUND);
	struct due_job jobs[LIMIT];
	struct outcome_report report = { .source = OUTCOME_INQUIRY,
					 .gateway = &service.gateways.list[0],
					 .answer = &answer,
					 .api_call_id = "" };
	enum outcome_effect effect;

	send(&story);
	lose(&story);
	clock_test_advance(2 * DAY_US);
	ck_assert_uint_eq(claim(jobs), 1);
	report.operation_id = story.operation.id;
	report.attempt_id = story.attempt.id;
	report.asked_at_us = jobs[0].claimed_at_us;
	set_database(jumps_us[_i]);

	ck_assert_int_eq(service_apply(&service, &report, &effect), ERR_OK);

	story_get(&service, &story);
	ck_assert_int_gt(story.attempt.not_found_at_us, 0);
	ck_assert_int_le(story.attempt.not_found_at_us, service_now(&service));
	ck_assert_int_le(story.operation.next_action_at_us, service_now(&service) + HOUR_US);

	/* Another of before, by one whose own clock has nothing against it: no quiet period lies between the two. */
	report.asked_at_us++;
	report.quiet_confirmed = true;
	ck_assert_int_eq(service_apply(&service, &report, &effect), ERR_OK);
	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
}
END_TEST

/* Offsets of the schedule that are left when the clock is set after the first question. */
START_TEST(questions_go_on_after_the_clock_was_set)
{
	struct story story = put_pending();

	send(&story);
	lose(&story);
	clock_test_advance(2 * SECOND_US);
	ck_assert(asks());
	ck_assert_int_eq(hear(&story, AE_LOST), OUTCOME_RESCHEDULED);
	set_database(jumps_us[_i]);

	for (unsigned asked = 1; asked < 4; asked++) {
		clock_test_advance(60 * SECOND_US);
		ck_assert_msg(asks(), "question %u", asked + 1);
		ck_assert_int_eq(hear(&story, AE_LOST), OUTCOME_RESCHEDULED);
	}
	ck_assert_int_eq(story.operation.status, OS_PROCESSING);
}
END_TEST

/* An authorisation whose void waits since half a week. */
static struct story put_held(void)
{
	struct story story = put_pending();
	const struct telling told = { .source = OUTCOME_ANSWER,
				      .answer = service_answer(AE_SUCCEEDED) };

	service_do(&service, "UPDATE operation SET kind = 'authorise'");
	service.gateways.list[0].authorisation_us = 7 * DAY_US;
	service_publish(&service);
	send(&story);
	(void)story_tell(&service, &story, &told);
	ck_assert_int_eq(story.transaction.status, TS_AUTHORISED);
	clock_test_advance(7 * DAY_US - HOUR_US / 2);
	look();
	return story;
}

static bool releases(void)
{
	struct due_job jobs[LIMIT];

	return claim(jobs) == 1 && jobs[0].order.kind == OPERATION_VOID;
}

START_TEST(what_is_held_is_not_let_go_early)
{
	(void)put_held();
	set_database(jumps_us[_i]);

	ck_assert(!releases());
	clock_test_advance(HOUR_US / 2 - 1);
	look();
	ck_assert(!releases());
	/* Later by as much as it was set back at most, and as it was set forth: nobody can tell which was wrong. */
	clock_test_advance(DAY_US + 120 * SECOND_US);
	look();
	ck_assert(releases());
}
END_TEST

START_TEST(what_is_held_is_let_go_in_time_once_the_clock_is_right_again)
{
	(void)put_held();
	set_database(jumps_us[_i]);
	ck_assert(!releases());
	clock_test_advance(60 * SECOND_US);
	set_database(-jumps_us[_i]);

	ck_assert(!releases());
	/* Set back and forth, it may have been wrong before: as much later. */
	clock_test_advance(HOUR_US / 2 + 60 * SECOND_US - (jumps_us[_i] < 0 ? jumps_us[_i] : 0));
	look();
	ck_assert(releases());
}
END_TEST

static struct breakers *breakers_made(void)
{
	const struct breakers_settings settings = { .rules = breaker_rules_default,
						    .gateways = &service.gateways,
						    .probe_margin_us = SECOND_US,
						    .refresh_ms = 1000 };
	struct breakers *made = NULL;

	ck_assert_int_eq(breakers_new(&settings, service.pool, &made), ERR_OK);
	return made;
}

static void trip(struct breakers *breakers)
{
	for (unsigned i = 0; i < breaker_rules_default.failures_in_row; i++) {
		const int64_t now_us = breakers_now_us(breakers);
		const struct breaker_call call = { BREAKER_FAILURE, now_us, now_us };

		breakers_count(breakers, SERVICE_GATEWAY, BREAKER_CHARGE, &call);
	}
	ck_assert_int_eq(breakers_refresh(breakers), ERR_OK);
}

/* How many calls a breaker lets through now, of ten that want to go. */
static unsigned let_through(struct breakers *breakers)
{
	unsigned count = 0;
	int64_t again_at_us;

	breakers_claim(breakers);
	(void)breakers_allow(breakers, SERVICE_GATEWAY, BREAKER_CHARGE, breakers_now_us(breakers),
			     &again_at_us);
	ck_assert_int_eq(breakers_refresh(breakers), ERR_OK);
	for (unsigned i = 0; i < 10; i++)
		if (breakers_allow(breakers, SERVICE_GATEWAY, BREAKER_CHARGE,
				   breakers_now_us(breakers), &again_at_us)) {
			breakers_sent(breakers, SERVICE_GATEWAY, BREAKER_CHARGE);
			count++;
		}
	return count;
}

START_TEST(an_open_breaker_lets_one_call_go_whatever_the_clock)
{
	struct breakers *breakers = breakers_made();

	trip(breakers);
	set_database(jumps_us[_i]);
	ck_assert_int_eq(breakers_refresh(breakers), ERR_OK);

	ck_assert_uint_le(let_through(breakers), 1);
	ck_assert_int_ne(breakers_state(breakers, SERVICE_GATEWAY, BREAKER_CHARGE), BREAKER_CLOSED);
	/* The one was lost: another goes when its time is over, not when the clock is where it was. */
	clock_test_advance(SERVICE_TIMEOUT_MS * INT64_C(1000) + 2 * SECOND_US);
	ck_assert_uint_eq(let_through(breakers), 1);
	breakers_free(breakers);
}
END_TEST

START_TEST(a_budget_gives_no_more_for_a_clock_that_was_set)
{
	int64_t now_us = SERVICE_NOW_US;
	struct budget budget = budget_full(&budget_rules_default, now_us);
	unsigned given = 0;

	for (unsigned i = 0; i < 100; i++)
		given += budget_spend(&budget_rules_default, &budget, now_us);
	ck_assert_uint_eq(given, budget_rules_default.burst);
	now_us += jumps_us[_i];
	given = 0;
	for (unsigned i = 0; i < 100; i++)
		given += budget_spend(&budget_rules_default, &budget, now_us);
	ck_assert_uint_le(given, budget_rules_default.burst);
	now_us += 2 * SECOND_US;
	ck_assert(budget_spend(&budget_rules_default, &budget, now_us));
}
END_TEST

/* --- the wall clock of the machine that takes payments in --- */

static struct id accept_payment(struct batch *intake)
{
	const struct payment_request request = { .amount = { SERVICE_AMOUNT, SERVICE_CURRENCY },
						 .exponent = 2,
						 .form = AMOUNT_MINOR,
						 .method = "credit_card",
						 .customer = "cust_001",
						 .token = SERVICE_TOKEN };
	const struct payment_order order = { .merchant = SERVICE_MERCHANT,
					     .kind = TRANSACTION_PAYMENT,
					     .request = &request,
					     .idempotency_key = "",
					     .api_call_id = "",
					     .now_us = clock_now_us() };
	struct payment_receipt receipt;
	enum payment_outcome outcome;

	ck_assert_int_eq(payment_accept(intake, &service.vault, &order,
					clock_boot_us() + SERVICE_WAIT_MS * INT64_C(1000), &outcome,
					&receipt),
			 ERR_OK);
	return receipt.transaction_id;
}

/* How long a payment waited for a gateway whose breaker is open, before it was given up. */
static int64_t wait_for_breaker(struct breakers *breakers)
{
	const int64_t began_us = clock_boot_us();
	struct due_job jobs[LIMIT];

	while (service_number(&service, "SELECT COUNT(*) FROM transaction WHERE status = "
					"'pending'") == 1 &&
	       clock_boot_us() - began_us < 2 * HOUR_US) {
		clock_test_advance(5 * SECOND_US);
		ck_assert_int_eq(breakers_refresh(breakers), ERR_OK);
		ck_assert_uint_eq(claim(jobs), 0);
	}
	return clock_boot_us() - began_us;
}

START_TEST(a_payment_waits_for_its_gateway_whatever_the_clock_here)
{
	struct batch *intake = NULL;
	struct breakers *breakers = breakers_made();
	int64_t waited_us;

	ck_assert_int_eq(intake_start(&service.database, &intake), ERR_OK);
	service.due.breakers = breakers;
	service_do(
		&service,
		"INSERT INTO breaker (gateway, operation, state, changed_at_us, version, forced, "
		"forced_until_us, forced_reason, forced_by, forced_at_us) VALUES "
		"('" SERVICE_GATEWAY "', 'charge', 'closed', 0, 1, 'open', %lld, 'test', 'ops', 1)",
		(long long)(SERVICE_NOW_US + 9 * DAY_US));
	ck_assert_int_eq(breakers_refresh(breakers), ERR_OK);
	clock_test_jump(CLOCK_TEST_WALL, jumps_us[_i]);

	(void)accept_payment(intake);
	waited_us = wait_for_breaker(breakers);

	ck_assert_int_ge(waited_us, HOUR_US / 4 - 60 * SECOND_US);
	ck_assert_int_le(waited_us, HOUR_US / 4 + 60 * SECOND_US);
	service.due.breakers = NULL;
	breakers_free(breakers);
	batch_stop(intake);
}
END_TEST

START_TEST(leases_and_questions_do_not_go_by_the_clock_here)
{
	struct story story = put_pending();

	send(&story);
	clock_test_jump(CLOCK_TEST_WALL, jumps_us[_i]);

	ck_assert(!asks());
	clock_test_advance(LEASE_US - SECOND_US);
	ck_assert(!asks());
	clock_test_advance(2 * SECOND_US);
	ck_assert(asks());
}
END_TEST

/* What was written while nobody looked: the machine came up with its clock set back. */
START_TEST(a_program_that_starts_mends_what_was_written_later_than_now)
{
	struct story story = put_pending();

	clock_test_jump(CLOCK_TEST_DATABASE, -DAY_US);
	watch = (struct due_clock){ .begun = false };
	look();

	send(&story);
}
END_TEST

START_TEST(looking_changes_nothing_where_no_clock_was_set)
{
	struct story story = put_pending();
	struct story after;

	send(&story);
	lose(&story);
	for (unsigned i = 0; i < 5; i++) {
		clock_test_advance(SECOND_US / 10);
		clock_test_jump(CLOCK_TEST_DATABASE, i % 2 == 0 ? SECOND_US : -SECOND_US);
		look();
	}
	after = story;
	story_get(&service, &after);

	ck_assert_int_eq(after.operation.next_action_at_us, story.operation.next_action_at_us);
	ck_assert_int_eq(after.attempt.lease_until_us, story.attempt.lease_until_us);
	ck_assert(due_clock_lets_expire(&watch, clock_boot_us()));
}
END_TEST

/* clang-format off */
static const struct reading {
	int64_t took_us, moved_us; /* how long the answer took; what the clock shows beyond the time that passed */
	int64_t set_by_us;
} readings[] = {
	{ 0,              0,              0 },
	{ 0,              SECOND_US,      0 },
	{ 0,              5 * SECOND_US,  5 * SECOND_US },
	{ 0,              -5 * SECOND_US, -5 * SECOND_US },
	{ 0,              -DAY_US,        -DAY_US },
	{ 9 * SECOND_US,  0,              0 }, /* the database was slow, its clock was not set */
	{ 9 * SECOND_US,  -DAY_US,        0 }, /* the next look tells */
};
/* clang-format on */

START_TEST(a_slow_answer_is_no_clock_that_was_set)
{
	const struct reading *row = &readings[_i];
	const struct due_clock clock = { .begun = true, .ahead_us = SERVICE_NOW_US - BOOT_US };
	const struct due_reading reading = { .before_boot_us = BOOT_US + SECOND_US,
					     .now_us = SERVICE_NOW_US + SECOND_US + row->moved_us,
					     .after_boot_us = BOOT_US + SECOND_US + row->took_us };

	ck_assert_int_eq(due_clock_set_by(&clock, &reading), row->set_by_us);
}
END_TEST

UNIT_MAIN("jumps", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, what_is_to_be_sent_is_sent_whatever_the_clock, 0, JUMPS);
	tcase_add_loop_test(tests, a_lease_ends_in_its_time_or_into_a_question_only, 0, JUMPS);
	tcase_add_loop_test(tests, not_found_is_believed_neither_earlier_nor_much_later, 0, JUMPS);
	tcase_add_loop_test(tests, not_found_that_was_said_once_is_not_said_twice_by_the_clock, 0,
			    JUMPS);
	tcase_add_loop_test(tests, an_answer_to_a_question_of_before_is_never_of_later_than_now, 0,
			    JUMPS);
	tcase_add_loop_test(tests, questions_go_on_after_the_clock_was_set, 0, JUMPS);
	tcase_add_loop_test(tests, what_is_held_is_not_let_go_early, 0, JUMPS);
	tcase_add_loop_test(tests, what_is_held_is_let_go_in_time_once_the_clock_is_right_again, 0,
			    JUMPS);
	tcase_add_loop_test(tests, an_open_breaker_lets_one_call_go_whatever_the_clock, 0, JUMPS);
	tcase_add_loop_test(tests, a_budget_gives_no_more_for_a_clock_that_was_set, 0, JUMPS);
	tcase_add_loop_test(tests, a_payment_waits_for_its_gateway_whatever_the_clock_here, 0,
			    JUMPS);
	tcase_add_loop_test(tests, leases_and_questions_do_not_go_by_the_clock_here, 0, JUMPS);
	tcase_add_test(tests, a_program_that_starts_mends_what_was_written_later_than_now);
	tcase_add_test(tests, looking_changes_nothing_where_no_clock_was_set);
	tcase_add_loop_test(tests, a_slow_answer_is_no_clock_that_was_set, 0, (int)COUNT(readings));
})
