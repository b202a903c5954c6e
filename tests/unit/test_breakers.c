/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Circuit breakers of several processes over one table: each of them is a struct breakers here. */
#include "service/breakers.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/breaker.h"
#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define PROCESSES 8
#define LEASE_US (SERVICE_TIMEOUT_MS * INT64_C(1000) + 9 * SECOND_US)

static struct service service;
static struct breakers *one, *two;

static void create(void)
{
	service_create(&service, "breakers");
}

static void drop(void)
{
	service_drop(&service);
}

static struct breakers *process_new(void)
{
	const struct breakers_settings settings = { .rules = breaker_rules_default,
						    .gateways = &service.gateways,
						    .probe_margin_us = 9 * SECOND_US,
						    .refresh_ms = 100 };
	struct breakers *made = NULL;

	ck_assert_int_eq(breakers_new(&settings, service.pool, &made), ERR_OK);
	return made;
}

static void set_up(void)
{
	service_open(&service);
	one = process_new();
	two = process_new();
}

static void tear_down(void)
{
	breakers_free(one);
	breakers_free(two);
	service_close(&service);
}

static void refresh(struct breakers *breakers)
{
	ck_assert_int_eq(breakers_refresh(breakers), ERR_OK);
}

static void end_call(struct breakers *breakers, enum breaker_operation operation,
		     enum breaker_result result)
{
	const int64_t now_us = breakers_now_us(breakers);
	const struct breaker_call call = { result, now_us, now_us };

	breakers_count(breakers, SERVICE_GATEWAY, operation, &call);
}

static void trip(struct breakers *breakers, enum breaker_operation operation)
{
	for (unsigned i = 0; i < breaker_rules_default.failures_in_row; i++)
		end_call(breakers, operation, BREAKER_FAILURE);
}

static bool allows(struct breakers *breakers, enum breaker_operation operation)
{
	int64_t again_at_us;

	return breakers_allow(breakers, SERVICE_GATEWAY, operation, breakers_now_us(breakers),
			      &again_at_us);
}

static enum breaker_state state(struct breakers *breakers)
{
	return breakers_state(breakers, SERVICE_GATEWAY, BREAKER_CHARGE);
}

/* Move all times of the table back, as if this much had passed; both processes know. */
static void time_passes(int64_t us)
{
	service_do(&service,
		   "UPDATE breaker SET opened_at_us = opened_at_us - %lld, "
		   "until_us = until_us - %lld, changed_at_us = changed_at_us - %lld, "
		   "version = version + 1",
		   (long long)us, (long long)us, (long long)us);
	refresh(one);
	refresh(two);
}

/* Open for charges, known to both, and its time is over. */
static void open_until_now(void)
{
	trip(one, BREAKER_CHARGE);
	refresh(one);
	time_passes(breaker_rules_default.open_us);
}

static void force(enum breaker_force wanted, enum breaker_operation operation)
{
	service_do(&service,
		   "INSERT INTO breaker (gateway, operation, state, changed_at_us, version, "
		   "forced, forced_until_us, forced_reason, forced_by, forced_at_us) "
		   "VALUES ('" SERVICE_GATEWAY "', '%s', 'closed', 0, 1, '%s', %lld, 'test', "
		   "'ops', 1) ON DUPLICATE KEY UPDATE version = breaker.version + 1, "
		   "forced = VALUES(forced), forced_until_us = VALUES(forced_until_us), "
		   "forced_reason = 'test', forced_by = 'ops', forced_at_us = 1",
		   words_text(breaker_operation_words, (int)operation),
		   words_text(breaker_force_words, (int)wanted),
		   (long long)(breakers_now_us(one) + 3600 * SECOND_US));
}

/* ---- opening ---- */

START_TEST(an_open_breaker_is_in_force_here_at_once_and_elsewhere_after_an_exchange)
{
	trip(one, BREAKER_CHARGE);
	ck_assert(!allows(one, BREAKER_CHARGE));
	ck_assert(allows(two, BREAKER_CHARGE));

	refresh(one);
	refresh(two);

	ck_assert(!allows(two, BREAKER_CHARGE));
	ck_assert_int_eq(state(two), BREAKER_OPEN);
}
END_TEST

START_TEST(a_breaker_is_one_of_its_operation_and_inquiries_have_their_own)
{
	trip(one, BREAKER_CHARGE);

	for (int operation = 1; operation < BREAKER_OPERATIONS; operation++)
		ck_assert(allows(one, (enum breaker_operation)operation));
	trip(one, BREAKER_INQUIRY);
	ck_assert(!allows(one, BREAKER_INQUIRY));
	ck_assert(allows(one, BREAKER_REFUND));
}
END_TEST

START_TEST(a_breaker_is_remembered_by_a_process_that_starts)
{
	struct breakers *later;

	trip(one, BREAKER_CHARGE);
	refresh(one);

	later = process_new();

	ck_assert(!allows(later, BREAKER_CHARGE));
	breakers_free(later);
}
END_TEST

START_TEST(definite_answers_never_open_it)
{
	for (int i = 0; i < 100; i++)
		end_call(one, BREAKER_CHARGE, BREAKER_OK);
	for (int i = 0; i < 100; i++)
		end_call(one, BREAKER_CHARGE, BREAKER_NEUTRAL);

	ck_assert(allows(one, BREAKER_CHARGE));
	refresh(one);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM breaker"), 0);
}
END_TEST

START_TEST(of_two_that_open_it_at_once_one_is_believed)
{
	trip(one, BREAKER_CHARGE);
	trip(two, BREAKER_CHARGE);

	refresh(one);
	refresh(two);

	ck_assert_int_eq(service_number(&service, "SELECT version FROM breaker"), 1);
	ck_assert_int_eq(state(one), BREAKER_OPEN);
	ck_assert_int_eq(state(two), BREAKER_OPEN);
}
END_TEST

START_TEST(what_cannot_be_written_holds_here_and_is_written_later)
{
	service_do(&service, "RENAME TABLE breaker TO hidden");
	trip(one, BREAKER_CHARGE);

	ck_assert_int_ne(breakers_refresh(one), ERR_OK);
	ck_assert(!allows(one, BREAKER_CHARGE));
	service_do(&service, "RENAME TABLE hidden TO breaker");
	refresh(one);

	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM breaker WHERE "
						  "state = 'open'"),
			 1);
}
END_TEST

START_TEST(a_row_that_was_removed_is_a_closed_breaker)
{
	trip(one, BREAKER_CHARGE);
	refresh(one);
	service_do(&service, "DELETE FROM breaker");

	refresh(one);

	ck_assert(allows(one, BREAKER_CHARGE));
	trip(one, BREAKER_CHARGE);
	refresh(one);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM breaker"), 1);
}
END_TEST

/* ---- waiting ---- */

START_TEST(those_who_wait_come_back_one_by_one_when_it_is_over)
{
	int64_t before_us = 0, until_us;

	trip(one, BREAKER_CHARGE);
	refresh(one);
	time_passes(breaker_rules_default.open_us - SECOND_US / 2);
	until_us = service_number(&service, "SELECT until_us FROM breaker");
	for (int i = 0; i < 1000; i++) {
		int64_t again_at_us = 0;

		ck_assert(!breakers_allow(one, SERVICE_GATEWAY, BREAKER_CHARGE,
					  breakers_now_us(one), &again_at_us));
		ck_assert_int_gt(again_at_us, before_us);
		ck_assert_int_ge(again_at_us, until_us);
		ck_assert_int_le(again_at_us, until_us + 60 * SECOND_US);
		before_us = again_at_us;
	}
}
END_TEST

START_TEST(nobody_waits_for_long_unasked_and_a_long_queue_is_spread_over_a_minute)
{
	force(BREAKER_FORCED_OPEN, BREAKER_CHARGE);
	refresh(one);
	for (int i = 0; i < 20000; i++) {
		const int64_t now_us = breakers_now_us(one);
		int64_t again_at_us = 0;
		const bool allowed = breakers_allow(one, SERVICE_GATEWAY, BREAKER_CHARGE, now_us,
						    &again_at_us);

		unit_expect(!allowed && again_at_us > now_us &&
				    again_at_us <= now_us + 61 * SECOND_US,
			    "number %d waits for %lld us", i, (long long)(again_at_us - now_us));
	}
}
END_TEST

/* ---- the probe ---- */

START_TEST(one_process_has_the_probe_and_one_call_goes)
{
	open_until_now();
	ck_assert(!allows(one, BREAKER_CHARGE));
	ck_assert(!allows(two, BREAKER_CHARGE));

	refresh(one);
	refresh(two);

	ck_assert(allows(one, BREAKER_CHARGE));
	ck_assert(!allows(one, BREAKER_CHARGE));
	ck_assert(!allows(two, BREAKER_CHARGE));
	ck_assert_int_eq(state(two), BREAKER_HALF_OPEN);
}
END_TEST

START_TEST(without_a_wish_to_call_nobody_takes_the_probe)
{
	open_until_now();

	refresh(one);
	refresh(two);

	ck_assert_int_eq(state(one), BREAKER_OPEN);
}
END_TEST

/* This process has the probe. */
static void take_probe(struct breakers *breakers)
{
	ck_assert(!allows(breakers, BREAKER_CHARGE));
	refresh(breakers);
	ck_assert(allows(breakers, BREAKER_CHARGE));
}

START_TEST(a_probe_that_was_claimed_and_not_sent_may_be_claimed_again)
{
	open_until_now();
	take_probe(one);

	breakers_claim(one);

	ck_assert(allows(one, BREAKER_CHARGE));
	breakers_sent(one, SERVICE_GATEWAY, BREAKER_CHARGE);
	breakers_claim(one);
	ck_assert(!allows(one, BREAKER_CHARGE));
}
END_TEST

START_TEST(a_probe_that_came_to_no_call_may_be_made_again)
{
	open_until_now();
	take_probe(one);
	breakers_sent(one, SERVICE_GATEWAY, BREAKER_CHARGE);

	end_call(one, BREAKER_CHARGE, BREAKER_NEUTRAL);

	ck_assert(allows(one, BREAKER_CHARGE));
}
END_TEST

START_TEST(a_good_probe_closes_it_for_all)
{
	open_until_now();
	take_probe(one);
	breakers_sent(one, SERVICE_GATEWAY, BREAKER_CHARGE);

	end_call(one, BREAKER_CHARGE, BREAKER_OK);
	ck_assert(allows(one, BREAKER_CHARGE));
	refresh(one);
	refresh(two);

	ck_assert(allows(two, BREAKER_CHARGE));
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM breaker WHERE "
						  "state = 'closed' AND version = 4"),
			 1);
}
END_TEST

START_TEST(a_probe_that_fails_keeps_it_open_for_twice_as_long)
{
	open_until_now();
	take_probe(one);
	breakers_sent(one, SERVICE_GATEWAY, BREAKER_CHARGE);

	end_call(one, BREAKER_CHARGE, BREAKER_FAILURE);
	refresh(one);
	refresh(two);

	ck_assert(!allows(one, BREAKER_CHARGE));
	ck_assert(!allows(two, BREAKER_CHARGE));
	ck_assert_int_eq(service_number(&service, "SELECT span_us FROM breaker"),
			 2 * breaker_rules_default.open_us);
}
END_TEST

START_TEST(the_probe_of_a_process_that_is_gone_is_taken_over_when_its_time_is_over)
{
	open_until_now();
	take_probe(one);
	breakers_sent(one, SERVICE_GATEWAY, BREAKER_CHARGE);
	refresh(two);
	ck_assert(!allows(two, BREAKER_CHARGE));
	refresh(two);
	ck_assert(!allows(two, BREAKER_CHARGE));

	time_passes(LEASE_US);
	take_probe(two);

	/* And the one that was thought gone tells nothing any more. */
	refresh(one);
	ck_assert(!allows(one, BREAKER_CHARGE));
}
END_TEST

START_TEST(a_force_does_not_make_a_second_probe_of_one_that_is_out)
{
	open_until_now();
	take_probe(one);
	breakers_sent(one, SERVICE_GATEWAY, BREAKER_CHARGE);
	force(BREAKER_FORCED_CLOSED, BREAKER_CHARGE);
	refresh(one);
	ck_assert(allows(one, BREAKER_CHARGE));

	service_do(&service, "UPDATE breaker SET forced = NULL, forced_until_us = NULL, "
			     "forced_reason = NULL, forced_by = NULL, forced_at_us = NULL, "
			     "version = version + 1");
	refresh(one);

	ck_assert_int_eq(state(one), BREAKER_HALF_OPEN);
	ck_assert(!allows(one, BREAKER_CHARGE));
}
END_TEST

struct prober {
	struct breakers *breakers;
	bool allowed;
};

static void *probe_race(void *context)
{
	struct prober *prober = context;
	int64_t again_at_us;

	for (int i = 0; i < 20 && !prober->allowed; i++) {
		prober->allowed = breakers_allow(prober->breakers, SERVICE_GATEWAY, BREAKER_CHARGE,
						 breakers_now_us(prober->breakers), &again_at_us);
		if (breakers_refresh(prober->breakers) != ERR_OK)
			return NULL;
	}
	return NULL;
}

START_TEST(of_many_processes_at_once_one_probes)
{
	struct prober probers[PROCESSES] = { { NULL, false } };
	int allowed = 0;

	open_until_now();
	for (int i = 0; i < PROCESSES; i++)
		probers[i].breakers = process_new();

	service_together(PROCESSES, probe_race, probers, sizeof probers[0]);

	for (int i = 0; i < PROCESSES; i++) {
		allowed += probers[i].allowed;
		breakers_free(probers[i].breakers);
	}
	ck_assert_int_eq(allowed, 1);
}
END_TEST

/* ---- operators ---- */

START_TEST(what_is_forced_holds_whatever_the_calls_tell)
{
	force(BREAKER_FORCED_CLOSED, BREAKER_CHARGE);
	force(BREAKER_FORCED_OPEN, BREAKER_REFUND);
	refresh(one);

	for (int i = 0; i < 3; i++) {
		trip(one, BREAKER_CHARGE);
		end_call(one, BREAKER_REFUND, BREAKER_OK);
		ck_assert(allows(one, BREAKER_CHARGE));
		ck_assert(!allows(one, BREAKER_REFUND));
		refresh(one);
	}
	ck_assert_int_eq(service_number(&service, "SELECT MAX(version) FROM breaker"), 1);
}
END_TEST

START_TEST(an_operator_at_the_same_moment_does_not_undo_what_the_calls_told)
{
	force(BREAKER_FORCED_CLOSED, BREAKER_CHARGE);
	refresh(one);
	service_do(&service, "UPDATE breaker SET forced_until_us = 1, version = version + 1");
	refresh(one);
	trip(one, BREAKER_CHARGE);
	force(BREAKER_FORCED_CLOSED, BREAKER_CHARGE);

	refresh(one);
	refresh(one);

	ck_assert(allows(one, BREAKER_CHARGE));
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM breaker WHERE "
						  "state = 'open' AND forced = 'closed'"),
			 1);
}
END_TEST

START_TEST(a_force_that_is_over_leaves_what_was_before)
{
	trip(one, BREAKER_CHARGE);
	refresh(one);
	force(BREAKER_FORCED_CLOSED, BREAKER_CHARGE);
	refresh(one);
	ck_assert(allows(one, BREAKER_CHARGE));

	service_do(&service, "UPDATE breaker SET forced_until_us = 1, version = version + 1");
	refresh(one);

	ck_assert(!allows(one, BREAKER_CHARGE));
}
END_TEST

/* ---- the thread, and limits ---- */

START_TEST(the_threads_exchange_by_themselves)
{
	ck_assert_int_eq(breakers_start(one), ERR_OK);
	ck_assert_int_eq(breakers_start(two), ERR_OK);

	trip(one, BREAKER_CHARGE);

	for (int i = 0; i < 500 && state(two) != BREAKER_OPEN; i++)
		clock_sleep_us(10000);
	ck_assert_int_eq(state(two), BREAKER_OPEN);
}
END_TEST

START_TEST(a_gateway_too_many_is_never_refused)
{
	int64_t again_at_us;

	for (int i = 0; i < BREAKERS_GATEWAYS_MAX + 5; i++) {
		char name[GATEWAY_NAME_SIZE];
		const int64_t now_us = breakers_now_us(one);
		const struct breaker_call call = { BREAKER_FAILURE, now_us, now_us };

		snprintf(name, sizeof name, "gateway_%d", i);
		for (int calls = 0; calls < 10; calls++)
			breakers_count(one, name, BREAKER_CHARGE, &call);
		ck_assert_int_eq(breakers_allow(one, name, BREAKER_CHARGE, now_us, &again_at_us),
				 i >= BREAKERS_GATEWAYS_MAX - 1);
	}
	refresh(one);
}
END_TEST

START_TEST(all_states_are_listed)
{
	struct breakers_figure list[2 * BREAKER_OPERATIONS];

	trip(one, BREAKER_PAYOUT);

	ck_assert_uint_eq(breakers_list(one, list, COUNT(list)), BREAKER_OPERATIONS);

	for (int i = 0; i < BREAKER_OPERATIONS; i++) {
		ck_assert_str_eq(list[i].gateway, SERVICE_GATEWAY);
		ck_assert_int_eq(list[i].operation, i);
		ck_assert_int_eq(list[i].state,
				 i == BREAKER_PAYOUT ? BREAKER_OPEN : BREAKER_CLOSED);
	}
	ck_assert_uint_eq(breakers_list(one, list, 3), 3);
}
END_TEST

UNIT_MAIN("breakers", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests,
		       an_open_breaker_is_in_force_here_at_once_and_elsewhere_after_an_exchange);
	tcase_add_test(tests, a_breaker_is_one_of_its_operation_and_inquiries_have_their_own);
	tcase_add_test(tests, a_breaker_is_remembered_by_a_process_that_starts);
	tcase_add_test(tests, definite_answers_never_open_it);
	tcase_add_test(tests, of_two_that_open_it_at_once_one_is_believed);
	tcase_add_test(tests, what_cannot_be_written_holds_here_and_is_written_later);
	tcase_add_test(tests, a_row_that_was_removed_is_a_closed_breaker);
	tcase_add_test(tests, those_who_wait_come_back_one_by_one_when_it_is_over);
	tcase_add_test(tests,
		       nobody_waits_for_long_unasked_and_a_long_queue_is_spread_over_a_minute);
	tcase_add_test(tests, one_process_has_the_probe_and_one_call_goes);
	tcase_add_test(tests, without_a_wish_to_call_nobody_takes_the_probe);
	tcase_add_test(tests, a_probe_that_was_claimed_and_not_sent_may_be_claimed_again);
	tcase_add_test(tests, a_probe_that_came_to_no_call_may_be_made_again);
	tcase_add_test(tests, a_good_probe_closes_it_for_all);
	tcase_add_test(tests, a_probe_that_fails_keeps_it_open_for_twice_as_long);
	tcase_add_test(tests,
		       the_probe_of_a_process_that_is_gone_is_taken_over_when_its_time_is_over);
	tcase_add_test(tests, a_force_does_not_make_a_second_probe_of_one_that_is_out);
	tcase_add_test(tests, of_many_processes_at_once_one_probes);
	tcase_add_test(tests, what_is_forced_holds_whatever_the_calls_tell);
	tcase_add_test(tests, an_operator_at_the_same_moment_does_not_undo_what_the_calls_told);
	tcase_add_test(tests, a_force_that_is_over_leaves_what_was_before);
	tcase_add_test(tests, the_threads_exchange_by_themselves);
	tcase_add_test(tests, a_gateway_too_many_is_never_refused);
	tcase_add_test(tests, all_states_are_listed);
})
