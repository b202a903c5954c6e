/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Callbacks of a gateway, as structs: what is stored, what is applied, what is only asked about. */
#include "service/callback.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define BODY "{\"callback_id\":\"cb_1\",\"status\":\"completed\"}"
#define THREADS 8
#define SOON_US (20 * SECOND_US) /* that a loaded machine may need */

static struct service service;

static void create(void)
{
	service_create(&service, "callback");
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

/* A delivery and what came of it. */
struct delivering {
	struct gateway_notice notice;
	struct callback_delivery delivery;
	enum callback_outcome outcome;
	enum callback_result result;
	enum err err;
};

/* A success of the story's attempt, at one address for all; tests then take away or change. */
static void begin(struct delivering *delivering, const struct story *story)
{
	struct gateway_notice *notice = &delivering->notice;

	*delivering = (struct delivering){
		.notice = { .callback_id = "cb_1",
			    .word = "completed",
			    .gateway_ref = "gw_1",
			    .has_amount = true,
			    .amount = story->transaction.amount,
			    .answer = { .event = AE_SUCCEEDED,
					.gateway_ref = "gw_1",
					.reason = "callback" } },
		.delivery = { .gateway = &service.gateways.list[0],
			      .body = BODY,
			      .body_size = sizeof BODY - 1,
			      .api_call_id = "call_1",
			      .now_us = clock_now_us() },
	};
	memcpy(notice->our_reference, story->attempt.our_reference, sizeof notice->our_reference);
}

static void *deliver(void *context)
{
	struct delivering *delivering = context;

	delivering->delivery.notice = &delivering->notice;
	delivering->err = service_deliver(&service, &delivering->delivery,
					   &delivering->outcome, &delivering->result);
	return NULL;
}

static enum callback_result deliver_stored(struct delivering *delivering)
{
	deliver(delivering);
	ck_assert_int_eq(delivering->err, ERR_OK);
	ck_assert_int_eq(delivering->outcome, CALLBACK_OUTCOME_STORED);
	return delivering->result;
}

static struct story put_attempt(enum attempt_status attempt, enum operation_status operation)
{
	struct story story = story_attempt(&service, attempt, operation, clock_now_us());

	story.operation.next_action_at_us =
		story.operation.next_action == NEXT_NONE ? 0 : clock_now_us() + 3600 * SECOND_US;
	story_put(&service, &story);
	return story;
}

static long long callbacks(void)
{
	return service_number(&service, "SELECT COUNT(*) FROM callback");
}

static long long callbacks_that(const char *condition)
{
	return service_number(&service, "SELECT COUNT(*) FROM callback WHERE %s", condition);
}

/* Nothing but the callback's own row is new. */
static void check_unmoved(const struct story *before)
{
	struct story after = *before;

	story_get(&service, &after);
	ck_assert_int_eq(after.attempt.status, before->attempt.status);
	ck_assert_int_eq(after.operation.status, before->operation.status);
	ck_assert_int_eq(after.transaction.status, before->transaction.status);
	ck_assert_uint_eq(after.transaction.version, before->transaction.version);
	ck_assert_int_eq(after.attempt.contradicted_at_us, before->attempt.contradicted_at_us);
	ck_assert_str_eq(after.attempt.gateway_ref, before->attempt.gateway_ref);
}

static bool is_asked_now(struct story *story)
{
	int64_t now_us = clock_now_us();

	story_get(&service, story);
	return story->operation.next_action == NEXT_ASK &&
	       story->operation.next_action_at_us <= now_us &&
	       story->operation.next_action_at_us > now_us - SOON_US;
}

START_TEST(a_success_is_applied_whatever_the_attempt_waits_for)
{
	static const enum attempt_status from[] = { AS_PREPARED, AS_SENT, AS_ACCEPTED,
						    AS_REQUIRES_ACTION, AS_UNKNOWN };
	struct story story = put_attempt(from[_i], OS_PROCESSING);
	struct delivering delivering;

	begin(&delivering, &story);

	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_APPLIED);

	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_SUCCEEDED);
	ck_assert_str_eq(story.attempt.gateway_ref, "gw_1");
	ck_assert_int_eq(story.operation.status, OS_SUCCEEDED);
	ck_assert_int_eq(story.transaction.status, TS_COMPLETED);
	ck_assert_int_eq(story.transaction.amount_captured, SERVICE_AMOUNT);
	ck_assert_str_eq(story_last_event(&service, &story).api_call_id, "call_1");
}
END_TEST

START_TEST(what_came_is_stored_with_what_it_was_matched_with)
{
	struct story story = put_attempt(AS_ACCEPTED, OS_PROCESSING);
	struct delivering delivering;

	begin(&delivering, &story);
	delivering.delivery.body = "card 4111111111111111";
	delivering.delivery.body_size = strlen(delivering.delivery.body);
	(void)deliver_stored(&delivering);

	ck_assert_int_eq(callbacks(), 1);
	ck_assert_int_eq(
		callbacks_that(
			"gateway = 'alpha' AND callback_key = 'cb_1' AND word = 'completed' AND "
			"result = 'applied' AND gateway_ref = 'gw_1'"),
		1);
	ck_assert_int_eq(callbacks_that("amount_minor = 1050 AND currency = 'USD'"), 1);
	ck_assert_int_eq(callbacks_that("transaction_id = (SELECT id FROM transaction) AND "
					"attempt_id = (SELECT id FROM attempt)"),
			 1);
	ck_assert_int_eq(callbacks_that("body_masked = 'card ************1111' AND "
					"body_sha256 = UNHEX(SHA2('card 4111111111111111', 256))"),
			 1);
}
END_TEST

START_TEST(the_same_callback_again_changes_nothing)
{
	struct story story = put_attempt(AS_ACCEPTED, OS_PROCESSING);
	struct delivering delivering;

	begin(&delivering, &story);
	if (_i == 1) /* without an id the body tells */
		delivering.notice.callback_id[0] = '\0';
	(void)deliver_stored(&delivering);
	story_get(&service, &story);

	for (int times = 0; times < 3; times++) {
		deliver(&delivering);
		ck_assert_int_eq(delivering.err, ERR_OK);
		ck_assert_int_eq(delivering.outcome, CALLBACK_OUTCOME_DUPLICATE);
	}

	check_unmoved(&story);
	ck_assert_int_eq(callbacks(), 1);
}
END_TEST

START_TEST(another_body_without_an_id_is_another_callback)
{
	struct story story = put_attempt(AS_ACCEPTED, OS_PROCESSING);
	struct delivering delivering;

	begin(&delivering, &story);
	delivering.notice.callback_id[0] = '\0';
	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_APPLIED);
	delivering.delivery.body_size--;

	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_SUPERSEDED);
	ck_assert_int_eq(callbacks_that("callback_key LIKE 'sha256:%%'"), 2);
}
END_TEST

START_TEST(of_the_same_callback_many_times_at_once_one_is_applied)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	struct delivering deliveries[THREADS];
	int stored = 0;

	for (int i = 0; i < THREADS; i++) {
		begin(&deliveries[i], &story);
		if (_i == 1) { /* found by its path alone */
			deliveries[i].delivery.transaction_id = story.transaction.id;
			deliveries[i].notice.our_reference[0] = '\0';
		}
	}

	service_together(THREADS, deliver, deliveries, sizeof deliveries[0]);

	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(deliveries[i].err, ERR_OK);
		if (deliveries[i].outcome == CALLBACK_OUTCOME_DUPLICATE)
			continue;
		stored++;
		ck_assert_int_eq(deliveries[i].result, CALLBACK_APPLIED);
	}
	ck_assert_int_eq(stored, 1);
	ck_assert_int_eq(callbacks(), 1);
	ck_assert_uint_eq(story_last_event(&service, &story).sequence,
			  story.transaction.version + 1);
}
END_TEST

START_TEST(different_callbacks_of_one_attempt_at_once_make_one_success)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	struct delivering deliveries[THREADS];
	int applied = 0;

	for (int i = 0; i < THREADS; i++) {
		begin(&deliveries[i], &story);
		snprintf(deliveries[i].notice.callback_id, sizeof deliveries[i].notice.callback_id,
			 "cb_%d", i);
	}

	service_together(THREADS, deliver, deliveries, sizeof deliveries[0]);

	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(deliveries[i].err, ERR_OK);
		ck_assert_int_eq(deliveries[i].outcome, CALLBACK_OUTCOME_STORED);
		applied += deliveries[i].result == CALLBACK_APPLIED;
	}
	ck_assert_int_eq(applied, 1);
	ck_assert_int_eq(callbacks_that("result = 'superseded'"), THREADS - 1);
	ck_assert_uint_eq(story_last_event(&service, &story).sequence,
			  story.transaction.version + 1);
}
END_TEST

/* What is not to be believed by itself. */
static void make_hint(struct delivering *delivering, int how)
{
	if (how == 0) {
		delivering->notice.has_amount = false;
	} else {
		snprintf(delivering->notice.word, sizeof delivering->notice.word, "on_the_moon");
		delivering->notice.answer.event = AE_LOST;
	}
}

START_TEST(without_amount_or_with_an_unknown_word_the_gateway_is_asked_at_once)
{
	static const enum attempt_status from[] = { AS_ACCEPTED, AS_REQUIRES_ACTION, AS_UNKNOWN };
	struct story story = put_attempt(from[_i / 2], OS_PROCESSING);
	struct delivering delivering;

	begin(&delivering, &story);
	make_hint(&delivering, _i % 2);

	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_HINT);

	check_unmoved(&story);
	ck_assert(is_asked_now(&story));
	ck_assert_int_eq(callbacks_that("result = 'hint' AND attempt_id IS NOT NULL"), 1);
}
END_TEST

START_TEST(a_hint_before_the_attempts_own_answer_is_kept_and_asked_about_after_it)
{
	static const enum attempt_status from[] = { AS_PREPARED, AS_SENT };
	struct story story = put_attempt(from[_i / 2], OS_PROCESSING);
	const struct telling accepted = { .source = OUTCOME_ANSWER,
					  .answer = service_answer(AE_ACCEPTED) };
	struct delivering delivering;

	begin(&delivering, &story);
	make_hint(&delivering, _i % 2);

	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_KEPT);
	check_unmoved(&story);
	ck_assert(!is_asked_now(&story));

	ck_assert_int_eq(story_tell(&service, &story, &accepted), OUTCOME_APPLIED);
	ck_assert(is_asked_now(&story));
	ck_assert_int_eq(story.attempt.status, AS_ACCEPTED);
}
END_TEST

/* A payout that succeeded, or a refund of a charge. */
static struct story put_given(enum operation_kind kind)
{
	struct story paid = story_attempt(&service, AS_SUCCEEDED, OS_SUCCEEDED, clock_now_us());
	struct story refund = story_part(&paid, OPERATION_REFUND, AS_SUCCEEDED, OS_SUCCEEDED);

	if (kind == OPERATION_PAYOUT) {
		paid.transaction.kind = TRANSACTION_WITHDRAWAL;
		paid.transaction.amount_captured = 0;
		paid.operation.kind = OPERATION_PAYOUT;
	}
	story_put(&service, &paid);
	if (kind == OPERATION_PAYOUT)
		return paid;
	story_part_put(&service, &refund);
	return refund;
}

START_TEST(that_money_came_back_is_asked_about_where_no_amount_says_so)
{
	static const struct {
		enum operation_kind kind;
		enum attempt_event said;
		enum callback_result result;
	} cases[] = {
		{ OPERATION_REFUND, AE_REVERSED, CALLBACK_HINT },
		{ OPERATION_PAYOUT, AE_RETURNED, CALLBACK_HINT },
		{ OPERATION_REFUND, AE_RETURNED, CALLBACK_SUPERSEDED },
		{ OPERATION_PAYOUT, AE_REVERSED, CALLBACK_SUPERSEDED },
		{ OPERATION_REFUND, AE_SUCCEEDED, CALLBACK_SUPERSEDED },
	};
	struct story story = put_given(cases[_i].kind);
	struct delivering delivering;

	begin(&delivering, &story);
	delivering.notice.has_amount = false;
	delivering.notice.answer.event = cases[_i].said;

	ck_assert_int_eq(deliver_stored(&delivering), cases[_i].result);

	check_unmoved(&story);
	ck_assert_int_eq(is_asked_now(&story), cases[_i].result == CALLBACK_HINT);
	ck_assert_int_eq(story.operation.status, OS_SUCCEEDED);
}
END_TEST

START_TEST(a_hint_about_what_is_parked_is_asked_about_once)
{
	struct story story = put_attempt(AS_UNKNOWN, OS_PARKED);
	const struct telling lost = { .source = OUTCOME_INQUIRY,
				      .answer = service_answer(AE_LOST) };
	struct delivering delivering;

	begin(&delivering, &story);
	make_hint(&delivering, 0);

	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_HINT);
	ck_assert(is_asked_now(&story));
	ck_assert_int_eq(story.operation.status, OS_PARKED);

	ck_assert_int_eq(story_tell(&service, &story, &lost), OUTCOME_RESCHEDULED);
	ck_assert_int_eq(story.operation.next_action, NEXT_HUMAN);
}
END_TEST

START_TEST(what_is_older_than_what_is_known_is_kept_as_superseded)
{
	static const struct {
		enum attempt_status attempt;
		enum operation_status operation;
		enum attempt_event event;
		bool has_amount;
	} cases[] = {
		{ AS_SUCCEEDED, OS_SUCCEEDED, AE_ACCEPTED, true },
		{ AS_SUCCEEDED, OS_SUCCEEDED, AE_SUCCEEDED, true },
		{ AS_SUCCEEDED, OS_SUCCEEDED, AE_DECLINED, true },
		{ AS_SUCCEEDED, OS_SUCCEEDED, AE_SUCCEEDED, false },
		{ AS_DECLINED, OS_FAILED, AE_DECLINED, true },
		{ AS_ACCEPTED, OS_PROCESSING, AE_ACCEPTED, true },
	};
	struct story story = put_attempt(cases[_i].attempt, cases[_i].operation);
	struct delivering delivering;

	begin(&delivering, &story);
	delivering.notice.answer.event = cases[_i].event;
	delivering.notice.has_amount = cases[_i].has_amount;

	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_SUPERSEDED);

	check_unmoved(&story);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM exception"), 0);
}
END_TEST

START_TEST(a_success_of_what_was_decided_otherwise_is_told_not_applied)
{
	static const enum attempt_status from[] = { AS_DECLINED, AS_NOT_SENT, AS_NOT_FOUND,
						    AS_UNKNOWN };
	struct story story = put_attempt(from[_i / 2], OS_FAILED);
	struct delivering delivering;

	begin(&delivering, &story);
	delivering.notice.has_amount = _i % 2 == 0;

	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_CONTRADICTION);

	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, from[_i / 2]);
	ck_assert_str_eq(story.attempt.gateway_ref, delivering.notice.answer.gateway_ref);
	ck_assert_int_ne(story.attempt.contradicted_at_us, 0);
	ck_assert_int_eq(story.transaction.status, TS_FAILED);
	ck_assert_int_eq(story_exceptions(&service, &story, EXCEPTION_LATE_SUCCESS), 1);
}
END_TEST

/* With an amount, or without. */
START_TEST(a_late_success_that_came_back_is_told_once_whatever_the_order)
{
	static const enum attempt_event orders[][3] = {
		{ AE_SUCCEEDED, AE_RETURNED, AE_RETURNED },
		{ AE_RETURNED, AE_SUCCEEDED, AE_RETURNED },
		{ AE_RETURNED, AE_RETURNED, AE_SUCCEEDED },
	};
	struct story story = story_attempt(&service, AS_DECLINED, OS_FAILED, clock_now_us());
	struct delivering delivering;

	story.transaction.kind = TRANSACTION_WITHDRAWAL;
	story.operation.kind = OPERATION_PAYOUT;
	story_put(&service, &story);
	for (int i = 0; i < 3; i++) {
		begin(&delivering, &story);
		snprintf(delivering.notice.callback_id, sizeof delivering.notice.callback_id,
			 "cb_%d", i);
		delivering.notice.has_amount = _i % 2 == 0;
		delivering.notice.answer.event = orders[_i / 2][i];

		ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_CONTRADICTION);
	}

	story_get(&service, &story);
	ck_assert_int_eq(story.transaction.status, TS_FAILED);
	ck_assert_uint_eq(story.transaction.version, 4); /* two steps, whatever came */
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM ledger_entry"), 4);
	ck_assert_int_eq(service_number(&service,
					"SELECT COALESCE(SUM(debit_minor) - SUM(credit_minor), 9) "
					"FROM ledger_entry WHERE account = 'surplus_owed'"),
			 0);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM exception WHERE kind = "
						  "'late_success' AND state = 'open'"),
			 _i % 2);
}
END_TEST

START_TEST(what_differs_from_our_order_is_an_exception_and_completes_nothing)
{
	struct story story = story_attempt(&service, AS_ACCEPTED, OS_PROCESSING, clock_now_us());
	struct delivering delivering;

	snprintf(story.attempt.gateway_ref, sizeof story.attempt.gateway_ref, "gw_1");
	story_put(&service, &story);
	begin(&delivering, &story);
	if (_i == 0)
		delivering.notice.amount.minor--;
	else if (_i == 1)
		memcpy(delivering.notice.amount.currency, "EUR", 4);
	else if (_i == 2)
		snprintf(delivering.notice.gateway_ref, sizeof delivering.notice.gateway_ref,
			 "gw_2");
	else if (_i == 3 || _i == 4)
		snprintf(delivering.notice.operation_word, sizeof delivering.notice.operation_word,
			 "refund");
	else
		snprintf(delivering.notice.our_reference, sizeof delivering.notice.our_reference,
			 "nobody");
	delivering.notice.has_amount = _i != 4; /* nor is it a reason to ask */

	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_INTEGRITY);

	check_unmoved(&story);
	ck_assert_int_eq(story_exceptions(&service, &story, EXCEPTION_INTEGRITY), 1);
	ck_assert_int_eq(callbacks_that("result = 'integrity' AND attempt_id IS NOT NULL"), 1);
}
END_TEST

START_TEST(what_differs_again_after_a_human_looked_is_another_exception)
{
	struct story story = put_attempt(AS_ACCEPTED, OS_PROCESSING);
	struct delivering delivering;

	for (int i = 0; i < 3; i++) {
		begin(&delivering, &story);
		snprintf(delivering.notice.callback_id, sizeof delivering.notice.callback_id,
			 "cb_differs_%d", i);
		delivering.notice.amount.minor++;
		ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_INTEGRITY);
		ck_assert_int_eq(story_exceptions(&service, &story, EXCEPTION_INTEGRITY), 1);
		if (i == 1) /* the third one differs while the second is open: one is enough */
			continue;
		service_do(&service, "UPDATE exception SET state = 'resolved', "
				     "resolved_at_us = 1 WHERE state = 'open'");
	}

	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM exception"), 2);
}
END_TEST

START_TEST(what_fits_nothing_is_kept_with_an_exception)
{
	struct story story = put_attempt(AS_ACCEPTED, OS_PROCESSING);
	struct delivering delivering;

	begin(&delivering, &story);
	snprintf(delivering.notice.our_reference, sizeof delivering.notice.our_reference, "nobody");
	if (_i == 1) /* our transaction, but not what we called its attempt */
		delivering.delivery.transaction_id = story.transaction.id;
	if (_i == 2) { /* no word about whom it is */
		delivering.notice.our_reference[0] = '\0';
		delivering.notice.gateway_ref[0] = '\0';
	}

	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_ORPHAN);

	check_unmoved(&story);
	ck_assert_int_eq(callbacks_that("result = 'orphan' AND attempt_id IS NULL"), 1);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM exception WHERE "
						  "kind = 'orphan_callback' AND state = 'open'"),
			 1);
}
END_TEST

START_TEST(another_gateway_of_ours_cannot_speak_for_this_one)
{
	struct story story = put_attempt(AS_ACCEPTED, OS_PROCESSING);
	static struct gateway beta; /* too large for the stack */
	struct delivering delivering;

	beta = service.gateways.list[0];
	snprintf(beta.name, sizeof beta.name, "beta");
	begin(&delivering, &story);
	delivering.delivery.gateway = &beta;

	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_ORPHAN);
	check_unmoved(&story);

	delivering.delivery.transaction_id = story.transaction.id;
	delivering.notice.callback_id[0] = '\0';
	deliver(&delivering);
	ck_assert_int_eq(delivering.err, ERR_OK);
	ck_assert_int_eq(delivering.outcome, CALLBACK_OUTCOME_FOREIGN);
	check_unmoved(&story);
	ck_assert_int_eq(callbacks(), 1);
}
END_TEST

START_TEST(a_path_that_was_never_sent_to_the_gateway_is_as_if_unsigned)
{
	struct story story = put_attempt(AS_ACCEPTED, OS_PROCESSING);
	struct story unsent = story_pending(&service, clock_now_us());
	struct delivering delivering;

	story_put(&service, &unsent);
	begin(&delivering, &story);
	delivering.delivery.transaction_id = _i == 0 ? unsent.transaction.id : story.attempt.id;

	deliver(&delivering);

	ck_assert_int_eq(delivering.err, ERR_OK);
	ck_assert_int_eq(delivering.outcome, CALLBACK_OUTCOME_FOREIGN);
	ck_assert_int_eq(callbacks(), 0);
	check_unmoved(&story);
	check_unmoved(&unsent);
}
END_TEST

/* Signed by a merchant's account: found by its references, by the path and its attempt's, by the path alone. */
START_TEST(an_account_speaks_of_its_merchants_payments_alone)
{
	const bool ours = _i % 2 == 0;
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	struct delivering delivering;

	begin(&delivering, &story);
	delivering.delivery.merchant = ours ? SERVICE_MERCHANT : SERVICE_OTHER_MERCHANT;
	if (_i / 2 > 0)
		delivering.delivery.transaction_id = story.transaction.id;
	if (_i / 2 == 2)
		delivering.notice.our_reference[0] = '\0';

	deliver(&delivering);

	ck_assert_int_eq(delivering.err, ERR_OK);
	ck_assert_int_eq(delivering.outcome,
			 ours ? CALLBACK_OUTCOME_STORED : CALLBACK_OUTCOME_FOREIGN);
	if (!ours)
		check_unmoved(&story);
	ck_assert_int_eq(callbacks_that("result = 'applied'"), ours);
	ck_assert_int_eq(callbacks(), ours);
}
END_TEST

START_TEST(a_message_about_one_transaction_cannot_complete_that_of_the_path)
{
	struct story paid = put_attempt(AS_ACCEPTED, OS_PROCESSING);
	struct story of_path = put_attempt(AS_ACCEPTED, OS_PROCESSING);
	struct delivering delivering;

	begin(&delivering, &paid);
	delivering.delivery.transaction_id = of_path.transaction.id;
	if (_i == 1) { /* known by the gateway's reference only */
		service_do(&service,
			   "UPDATE attempt SET gateway_ref = 'gw_1' WHERE our_reference = '%s'",
			   paid.attempt.our_reference);
		story_get(&service, &paid);
		delivering.notice.our_reference[0] = '\0';
	}

	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_ORPHAN);

	check_unmoved(&of_path);
	check_unmoved(&paid);
	ck_assert_int_eq(callbacks_that("attempt_id IS NULL"), 1);
}
END_TEST

START_TEST(the_path_finds_the_attempt_whose_gateway_does_not_know_our_reference)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	struct delivering delivering;

	begin(&delivering, &story);
	delivering.delivery.transaction_id = story.transaction.id;
	delivering.notice.our_reference[0] = '\0';

	ck_assert_int_eq(deliver_stored(&delivering), CALLBACK_APPLIED);

	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_SUCCEEDED);
	ck_assert_str_eq(story.attempt.gateway_ref, "gw_1");
}
END_TEST

UNIT_MAIN("callback", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, a_success_is_applied_whatever_the_attempt_waits_for, 0, 5);
	tcase_add_test(tests, what_came_is_stored_with_what_it_was_matched_with);
	tcase_add_loop_test(tests, the_same_callback_again_changes_nothing, 0, 2);
	tcase_add_test(tests, another_body_without_an_id_is_another_callback);
	tcase_add_loop_test(tests, of_the_same_callback_many_times_at_once_one_is_applied, 0, 2);
	tcase_add_test(tests, different_callbacks_of_one_attempt_at_once_make_one_success);
	tcase_add_loop_test(
		tests, without_amount_or_with_an_unknown_word_the_gateway_is_asked_at_once, 0, 6);
	tcase_add_loop_test(tests,
			    a_hint_before_the_attempts_own_answer_is_kept_and_asked_about_after_it,
			    0, 4);
	tcase_add_loop_test(tests, that_money_came_back_is_asked_about_where_no_amount_says_so, 0,
			    5);
	tcase_add_test(tests, a_hint_about_what_is_parked_is_asked_about_once);
	tcase_add_loop_test(tests, what_is_older_than_what_is_known_is_kept_as_superseded, 0, 6);
	tcase_add_loop_test(tests, a_success_of_what_was_decided_otherwise_is_told_not_applied, 0,
			    8);
	tcase_add_loop_test(tests, a_late_success_that_came_back_is_told_once_whatever_the_order, 0,
			    6);
	tcase_add_loop_test(
		tests, what_differs_from_our_order_is_an_exception_and_completes_nothing, 0, 6);
	tcase_add_test(tests, what_differs_again_after_a_human_looked_is_another_exception);
	tcase_add_loop_test(tests, what_fits_nothing_is_kept_with_an_exception, 0, 3);
	tcase_add_test(tests, another_gateway_of_ours_cannot_speak_for_this_one);
	tcase_add_loop_test(tests, a_path_that_was_never_sent_to_the_gateway_is_as_if_unsigned, 0,
			    2);
	tcase_add_loop_test(tests, an_account_speaks_of_its_merchants_payments_alone, 0, 6);
	tcase_add_loop_test(tests, a_message_about_one_transaction_cannot_complete_that_of_the_path,
			    0, 2);
	tcase_add_test(tests, the_path_finds_the_attempt_whose_gateway_does_not_know_our_reference);
})
