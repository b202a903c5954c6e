/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Stored callbacks applied again: what has changed since counts, what had its effect has no other. */
#include "service/callback.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/service_fixture.h"

#define BODY "{\"callback_id\":\"cb_1\",\"status\":\"completed\"}"
#define SOON_US (20 * SECOND_US) /* that a loaded machine may need */

static struct service service;

static void create(void)
{
	service_create(&service, "callback_replay");
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

/* A success of the story's attempt as its gateway says it; tests then take away or change. */
static struct gateway_notice success(const struct story *story)
{
	struct gateway_notice notice = {
		.callback_id = "cb_1",
		.word = "completed",
		.gateway_ref = "gw_1",
		.has_amount = true,
		.amount = story->transaction.amount,
		.answer = { .event = AE_SUCCEEDED, .gateway_ref = "gw_1", .reason = "callback" },
	};

	memcpy(notice.our_reference, story->attempt.our_reference, sizeof notice.our_reference);
	return notice;
}

/* Stored as it came; `path` is empty at the gateway's own address. */
static enum callback_result store(const struct gateway_notice *notice, struct id path)
{
	const struct callback_delivery delivery = { .gateway = &service.gateways.list[0],
						    .notice = notice,
						    .transaction_id = path,
						    .body = BODY,
						    .body_size = sizeof BODY - 1,
						    .api_call_id = "call_1",
						    .now_us = clock_now_us() };
	enum callback_outcome outcome;
	enum callback_result result;

	ck_assert_int_eq(
		service_deliver(&service, &delivery, &outcome, &result),
		ERR_OK);
	ck_assert_int_eq(outcome, CALLBACK_OUTCOME_STORED);
	return result;
}

static struct story put_attempt(enum attempt_status attempt, enum operation_status operation)
{
	struct story story = story_attempt(&service, attempt, operation, clock_now_us());

	story.operation.next_action_at_us =
		story.operation.next_action == NEXT_NONE ? 0 : clock_now_us() + 3600 * SECOND_US;
	story_put(&service, &story);
	return story;
}

static long long callbacks_that(const char *condition)
{
	return service_number(&service, "SELECT COUNT(*) FROM callback WHERE %s", condition);
}

/* A replay left it as it was. */
static void check_unmoved(const struct story *before)
{
	struct story after = *before;

	story_get(&service, &after);
	ck_assert_int_eq(after.attempt.status, before->attempt.status);
	ck_assert_int_eq(after.operation.status, before->operation.status);
	ck_assert_int_eq(after.transaction.status, before->transaction.status);
	ck_assert_uint_eq(after.transaction.version, before->transaction.version);
	ck_assert_int_eq(after.attempt.contradicted_at_us, before->attempt.contradicted_at_us);
}

static bool is_asked_now(struct story *story)
{
	int64_t now_us = clock_now_us();

	story_get(&service, story);
	return story->operation.next_action == NEXT_ASK &&
	       story->operation.next_action_at_us <= now_us &&
	       story->operation.next_action_at_us > now_us - SOON_US;
}

static const struct id no_path;

static struct callback_replay replay(void)
{
	const struct callback_replay_request request = { .gateway = &service.gateways.list[0],
							 .key = "cb_1",
							 .api_call_id = "call_2" };
	struct callback_replay report;

	ck_assert_int_eq(callback_replay(service.store, &request, &report), ERR_OK);
	return report;
}

START_TEST(a_replay_of_what_was_applied_changes_nothing)
{
	struct story story = put_attempt(AS_ACCEPTED, OS_PROCESSING);
	struct gateway_notice notice = success(&story);
	struct callback_replay report;

	(void)store(&notice, no_path);
	story_get(&service, &story);

	for (int times = 0; times < 2; times++) {
		report = replay();
		ck_assert_int_eq(report.before, CALLBACK_APPLIED);
		ck_assert_int_eq(report.after, CALLBACK_SUPERSEDED);
		ck_assert(!report.moved);
	}

	check_unmoved(&story);
	ck_assert_int_eq(callbacks_that("result = 'applied'"), 1);
}
END_TEST

/* As where its attempt had not got its reference yet, or its word was not in the table yet. */
START_TEST(a_replay_applies_what_fits_by_now)
{
	struct story story = put_attempt(AS_UNKNOWN, OS_PROCESSING);
	struct gateway_notice notice = success(&story);
	struct callback_replay report;

	if (_i == 0)
		notice.our_reference[0] = '\0';
	else
		notice.answer.event = AE_LOST;
	ck_assert_int_eq(store(&notice, no_path), _i == 0 ? CALLBACK_ORPHAN : CALLBACK_HINT);
	service_do(&service, "UPDATE attempt SET gateway_ref = 'gw_1'");

	report = replay();

	ck_assert_int_eq(report.before, _i == 0 ? CALLBACK_ORPHAN : CALLBACK_HINT);
	ck_assert_int_eq(report.after, CALLBACK_APPLIED);
	ck_assert(report.moved);
	ck_assert(id_equal(report.transaction_id, story.transaction.id));
	story_get(&service, &story);
	ck_assert_int_eq(story.transaction.status, TS_COMPLETED);
	ck_assert_str_eq(story_last_event(&service, &story).api_call_id, "call_2");
	ck_assert_int_eq(callbacks_that("result = 'applied' AND attempt_id IS NOT NULL"), 1);
	ck_assert_int_eq(replay().after, CALLBACK_SUPERSEDED);
}
END_TEST

START_TEST(a_replay_of_what_still_fits_nothing_opens_no_second_exception)
{
	struct story story = put_attempt(AS_ACCEPTED, OS_PROCESSING);
	struct gateway_notice notice = success(&story);
	struct callback_replay report;

	snprintf(notice.our_reference, sizeof notice.our_reference, "nobody");
	ck_assert_int_eq(store(&notice, _i == 0 ? no_path : story.transaction.id),
			 CALLBACK_ORPHAN);

	report = replay();

	ck_assert_int_eq(report.before, CALLBACK_ORPHAN);
	ck_assert_int_eq(report.after, CALLBACK_ORPHAN);
	ck_assert(!report.moved);
	check_unmoved(&story);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM exception"), 1);
}
END_TEST

START_TEST(a_replay_believes_nothing_that_differs_and_no_success_after_a_decline)
{
	struct story story = put_attempt(_i != 1 ? AS_ACCEPTED : AS_DECLINED,
					 _i != 1 ? OS_PROCESSING : OS_FAILED);
	struct gateway_notice notice = success(&story);
	struct callback_replay report;

	if (_i == 0)
		notice.amount.minor++;
	if (_i == 2)
		snprintf(notice.operation_word, sizeof notice.operation_word, "refund");
	(void)store(&notice, no_path);
	story_get(&service, &story);

	report = replay();

	ck_assert_int_eq(report.after, _i != 1 ? CALLBACK_INTEGRITY : CALLBACK_CONTRADICTION);
	ck_assert(!report.moved);
	check_unmoved(&story);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM exception"), 1);
}
END_TEST

START_TEST(a_replay_without_amount_makes_us_ask_and_is_not_believed)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	const struct telling accepted = { .source = OUTCOME_ANSWER,
					  .answer = service_answer(AE_ACCEPTED) };
	struct gateway_notice notice = success(&story);

	notice.has_amount = false;
	ck_assert_int_eq(store(&notice, no_path), CALLBACK_KEPT);
	ck_assert_int_eq(replay().after, CALLBACK_KEPT);
	(void)story_tell(&service, &story, &accepted);

	ck_assert_int_eq(replay().after, CALLBACK_HINT);

	ck_assert(is_asked_now(&story));
	ck_assert_int_eq(story.attempt.status, AS_ACCEPTED);
}
END_TEST

/* Judged as it came: the gateway's code says whether another try may follow. */
START_TEST(a_replayed_decline_has_the_code_that_came_with_it)
{
	struct story story = put_attempt(AS_UNKNOWN, OS_PROCESSING);
	struct gateway_notice notice = success(&story);

	notice.our_reference[0] = '\0';
	snprintf(notice.word, sizeof notice.word, "declined");
	snprintf(notice.decline_word, sizeof notice.decline_word, "%s",
		 _i == 0 ? "issuer_unavailable" : "stolen_card");
	ck_assert_int_eq(store(&notice, no_path), CALLBACK_ORPHAN);
	service_do(&service, "UPDATE attempt SET gateway_ref = 'gw_1'");
	service_do(&service, "UPDATE exception SET state = 'resolved', resolved_at_us = 1");

	ck_assert_int_eq(replay().after, CALLBACK_APPLIED);

	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_DECLINED);
	ck_assert_str_eq(story.attempt.decline_code, notice.decline_word);
	ck_assert_int_eq(story.transaction.status, _i == 0 ? TS_PROCESSING : TS_FAILED);
}
END_TEST

/* A week by the database's clock, long after all is decided. */
START_TEST(a_message_a_week_late_changes_nothing_that_was_decided)
{
	static const struct {
		enum attempt_status attempt;
		enum operation_status operation;
		enum callback_result result;
	} cases[] = {
		{ AS_SUCCEEDED, OS_SUCCEEDED, CALLBACK_SUPERSEDED },
		{ AS_DECLINED, OS_FAILED, CALLBACK_CONTRADICTION },
		{ AS_NOT_FOUND, OS_FAILED, CALLBACK_CONTRADICTION },
		{ AS_UNKNOWN, OS_PARKED, CALLBACK_APPLIED },
	};
	struct story story = story_attempt(&service, cases[_i].attempt, cases[_i].operation,
					   clock_now_us() - INT64_C(7) * 24 * 3600 * SECOND_US);
	struct gateway_notice notice = success(&story);

	story_put(&service, &story);

	ck_assert_int_eq(store(&notice, story.transaction.id), cases[_i].result);

	story_get(&service, &story);
	ck_assert_int_eq(story.transaction.status,
			 cases[_i].result == CALLBACK_APPLIED	? TS_COMPLETED
			 : cases[_i].operation == OS_SUCCEEDED ? TS_COMPLETED
							       : TS_FAILED);
	ck_assert_int_eq(story_exceptions(&service, &story, EXCEPTION_LATE_SUCCESS),
			 cases[_i].result == CALLBACK_CONTRADICTION);
}
END_TEST

START_TEST(what_was_never_stored_cannot_be_replayed)
{
	struct callback_replay report = { .before = CALLBACK_ORPHAN };
	const struct callback_replay_request request = { .gateway = &service.gateways.list[0],
							 .key = "cb_none",
							 .api_call_id = "call_2" };

	ck_assert_int_eq(callback_replay(service.store, &request, &report), ERR_NOT_FOUND);
	ck_assert_int_eq(report.before, CALLBACK_ORPHAN);
}
END_TEST

UNIT_MAIN("callback_replay", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_replay_of_what_was_applied_changes_nothing);
	tcase_add_loop_test(tests, a_replay_applies_what_fits_by_now, 0, 2);
	tcase_add_loop_test(tests, a_replay_of_what_still_fits_nothing_opens_no_second_exception, 0,
			    2);
	tcase_add_loop_test(
		tests, a_replay_believes_nothing_that_differs_and_no_success_after_a_decline, 0, 3);
	tcase_add_test(tests, a_replay_without_amount_makes_us_ask_and_is_not_believed);
	tcase_add_loop_test(tests, a_replayed_decline_has_the_code_that_came_with_it, 0, 2);
	tcase_add_loop_test(tests, a_message_a_week_late_changes_nothing_that_was_decided, 0, 4);
	tcase_add_test(tests, what_was_never_stored_cannot_be_replayed);
})
