/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Payments made by the use cases themselves, and how they are explained. */
#include "service/why.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service/callback.h"
#include "service/due.h"
#include "tests/unit/service_fixture.h"

static struct service service;

static void create(void)
{
	service_create(&service, "why_read");
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

struct reading {
	const char *merchant;
	struct id id;
	struct why why;
};

static enum err read_work(struct store_tx *tx, void *context)
{
	struct reading *reading = context;

	return why_read(tx, reading->merchant, reading->id, &reading->why);
}

static struct why explain(const struct story *story)
{
	struct reading reading = { SERVICE_MERCHANT, story->transaction.id, { .steps = NULL } };

	ck_assert_int_eq(store_look(service.store, read_work, &reading), ERR_OK);
	return reading.why;
}

static void check_text(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in \"%s\"", part, text);
}

/* A payment that was just taken, as acceptance leaves it. */
static struct story take(void)
{
	struct story story = story_pending(&service, clock_now_us());

	story_put(&service, &story);
	service_do(&service, "UPDATE event SET type = 'created'");
	return story;
}

/* The dispatcher claims it, a minute later: its try is written down, and becomes the story's. */
static void claim(struct story *story)
{
	struct due_job job;
	size_t count = 0;

	service_do(&service, "UPDATE operation SET next_action_at_us = 1 "
			     "WHERE next_action = 'send'");
	service_do(&service, "UPDATE attempt SET updated_at_us = updated_at_us - 60000000");
	ck_assert_int_eq(due_claim(service.pool, &service.due, 1, &job, &count, NULL), ERR_OK);
	ck_assert_uint_eq(count, 1);
	story->attempt.id = job.order.attempt_id;
	story->without_attempt = false;
	story_get(&service, story);
}

static void tell(struct story *story, enum outcome_source source, struct gateway_answer answer)
{
	const struct telling telling = { .source = source, .answer = answer };

	(void)story_tell(&service, story, &telling);
}

START_TEST(a_payment_that_succeeds_at_once_is_charged)
{
	struct story story = take();
	struct why why;

	claim(&story);
	tell(&story, OUTCOME_ANSWER, service_answer(AE_SUCCEEDED));

	why = explain(&story);
	ck_assert_int_eq(why.verdict, WHY_CHARGED);
	ck_assert_str_eq(why.verdict_text, "Yes: the customer was charged 10.50 USD.");
	ck_assert_int_eq(why.retry, WHY_RETRY_CHARGED);
	ck_assert_uint_eq(why.step_count, 3);
	check_text(why.steps[0].text, "A payment of 10.50 USD was accepted");
	ck_assert_str_eq(why.steps[1].text, "The charge of 10.50 USD was made ready for alpha.");
	ck_assert_str_eq(why.steps[2].text,
			 "alpha answered that it charged the customer 10.50 USD.");
	check_text(why.steps[2].evidence, "event 3; att_");
	check_text(why.steps[2].evidence, "HTTP 200");
	ck_assert_uint_eq(why.next_count, 0);
	ck_assert_uint_eq(why.exception_count, 0);
	why_done(&why);
}
END_TEST

START_TEST(a_lost_answer_is_maybe_until_the_gateway_is_asked)
{
	struct story story = take();
	struct why why;

	claim(&story);
	tell(&story, OUTCOME_ANSWER, service_answer(AE_LOST));
	why = explain(&story);
	ck_assert_int_eq(why.verdict, WHY_MAYBE);
	ck_assert_str_eq(why.verdict_text, "Maybe: alpha may have charged the customer 10.50 USD.");
	ck_assert_int_eq(why.retry, WHY_RETRY_OUTCOME_OPEN);
	check_text(why.steps[2].text, "the customer may have been charged");
	check_text(why.steps[2].rule, "never sent again");
	ck_assert_uint_eq(why.next_count, 1);
	check_text(why.next[0].text, "alpha is asked at ");
	ck_assert_int_eq(why.next[0].at_us, story.operation.next_action_at_us);
	why_done(&why);

	tell(&story, OUTCOME_INQUIRY, service_answer(AE_SUCCEEDED));

	why = explain(&story);
	ck_assert_int_eq(why.verdict, WHY_CHARGED);
	ck_assert_str_eq(why.steps[3].text, "Asked what became of it, alpha said that it charged "
					    "the customer 10.50 USD.");
	why_done(&why);
}
END_TEST

START_TEST(a_decline_and_another_try_are_told_in_order)
{
	struct story story = take();
	struct gateway_answer declined = service_answer(AE_DECLINED);
	struct why why;

	declined.retryable = true;
	claim(&story);
	tell(&story, OUTCOME_ANSWER, declined);
	why = explain(&story);
	ck_assert_int_eq(why.verdict, WHY_NOT_CHARGED);
	ck_assert_int_eq(why.retry, WHY_RETRY_UNDER_WAY);
	check_text(why.next[0].text, "The charge is sent at ");
	why_done(&why);
	claim(&story);
	service_do(&service, "UPDATE attempt SET gateway = 'beta' WHERE number = 2 AND %d = 1", _i);
	declined.retryable = false;
	tell(&story, OUTCOME_ANSWER, declined);

	why = explain(&story);

	ck_assert_int_eq(why.verdict, WHY_NOT_CHARGED);
	ck_assert_int_eq(why.retry, WHY_RETRY_SAFE);
	ck_assert_uint_eq(why.step_count, 5);
	ck_assert_str_eq(why.steps[2].text,
			 "alpha declined the charge: issuer unavailable. Nothing was charged.");
	ck_assert_str_eq(why.steps[3].text,
			 _i == 0 ? "Try 2 of the charge was made ready for alpha."
				 : "Try 2 of the charge was made ready for beta, instead of "
				   "alpha.");
	check_text(why.steps[3].rule, "certainly moved no money");
	why_done(&why);
}
END_TEST

static void deliver(const struct story *story, const struct gateway_notice *notice)
{
	const struct callback_delivery delivery = { .gateway = &service.gateways.list[0],
						    .notice = notice,
						    .transaction_id = story->transaction.id,
						    .body = notice->callback_id,
						    .body_size = strlen(notice->callback_id),
						    .api_call_id = "call_9",
						    .now_us = clock_now_us() };
	enum callback_outcome outcome;
	enum callback_result result;

	ck_assert_int_eq(service_deliver(&service, &delivery, &outcome, &result), ERR_OK);
	ck_assert_int_eq(outcome, CALLBACK_OUTCOME_STORED);
}

START_TEST(messages_stand_among_the_steps_with_what_they_did)
{
	struct story story = take();
	struct gateway_notice notice = { .word = "completed",
					 .has_amount = true,
					 .amount = story.transaction.amount,
					 .answer = { .event = AE_SUCCEEDED,
						     .reason = "callback" } };
	struct why why;

	claim(&story);
	tell(&story, OUTCOME_ANSWER, service_answer(AE_ACCEPTED));
	memcpy(notice.our_reference, story.attempt.our_reference, sizeof notice.our_reference);
	notice.amount.minor++;
	snprintf(notice.callback_id, sizeof notice.callback_id, "cb_other_amount");
	deliver(&story, &notice);
	notice.amount.minor--;
	snprintf(notice.callback_id, sizeof notice.callback_id, "cb_right");
	deliver(&story, &notice);
	snprintf(notice.callback_id, sizeof notice.callback_id, "cb_again");
	deliver(&story, &notice);

	why = explain(&story);

	ck_assert_uint_eq(why.step_count, 6);
	check_text(why.steps[3].text, "about another amount (10.51 USD)");
	check_text(why.steps[3].evidence, "callback cb_other_amount");
	ck_assert_uint_eq(why.steps[3].sequence, 0);
	ck_assert_str_eq(why.steps[4].text,
			 "alpha sent a signed message that it charged the customer 10.50 USD.");
	check_text(why.steps[4].evidence, "callback cb_right");
	check_text(why.steps[5].text, "when the outcome was known already");
	ck_assert_uint_eq(why.exception_count, 1);
	check_text(why.exceptions[0].text, "differs from our order");
	ck_assert_int_eq(why.verdict, WHY_CHARGED);
	why_done(&why);
}
END_TEST

START_TEST(a_late_success_is_maybe_until_somebody_settles_it)
{
	struct story story = take();
	struct why why;

	claim(&story);
	tell(&story, OUTCOME_ANSWER, service_answer(AE_DECLINED));
	tell(&story, OUTCOME_INQUIRY, service_answer(AE_SUCCEEDED));

	why = explain(&story);
	ck_assert_int_eq(why.verdict, WHY_MAYBE);
	ck_assert_int_eq(why.retry, WHY_RETRY_CONTRADICTED);
	check_text(why.steps[3].text, "after the try had been decided otherwise");
	ck_assert_uint_eq(why.exception_count, 1);
	why_done(&why);

	service_do(&service, "UPDATE exception SET state = 'resolved', resolved_at_us = 9, "
			     "resolved_by = 'ann', note = 'refunded there'");

	why = explain(&story);
	ck_assert_int_eq(why.verdict, WHY_NOT_CHARGED);
	ck_assert_int_eq(why.retry, WHY_RETRY_SAFE);
	ck_assert_uint_eq(why.exception_count, 1);
	ck_assert_str_eq(why.exceptions[0].row.note, "refunded there");
	why_done(&why);
}
END_TEST

START_TEST(a_late_success_that_came_back_is_told_as_such)
{
	struct story story = take();
	struct why why;

	claim(&story);
	tell(&story, OUTCOME_ANSWER, service_answer(AE_DECLINED));
	tell(&story, OUTCOME_INQUIRY, service_answer(AE_SUCCEEDED));
	tell(&story, OUTCOME_INQUIRY, service_answer(AE_REVERSED));

	why = explain(&story);

	ck_assert_int_eq(why.verdict, WHY_NOT_CHARGED);
	ck_assert_int_eq(why.retry, WHY_RETRY_SAFE);
	ck_assert_str_eq(why.steps[4].text,
			 "alpha said that the late charge came back: the 10.50 USD are where they "
			 "were before it, and the books no longer count them.");
	ck_assert_uint_eq(why.exception_count, 1);
	check_text(why.exceptions[0].row.note, "took it back");
	why_done(&why);
}
END_TEST

/* Operations beside the first, as rows: a refund of a completed charge. */
START_TEST(a_refund_is_told_in_its_own_words)
{
	struct story story = take();
	struct why why;

	claim(&story);
	tell(&story, OUTCOME_ANSWER, service_answer(AE_SUCCEEDED));
	service_do(&service,
		   "INSERT INTO operation (id, transaction_id, merchant, kind, amount_minor, "
		   "status, next_action, created_at_us, updated_at_us, parent_attempt_id) "
		   "SELECT REVERSE(id), transaction_id, merchant, 'refund', 400, 'succeeded', "
		   "'none', created_at_us + 1, updated_at_us, (SELECT id FROM attempt) "
		   "FROM operation");
	service_do(&service, "UPDATE transaction SET amount_refunded = 400, version = version + 1");
	service_do(&service,
		   "INSERT INTO attempt (id, operation_id, transaction_id, merchant, number, "
		   "gateway, our_reference, gateway_key, status, send_by_us, lease_until_us, "
		   "prepared_at_us, updated_at_us) SELECT REVERSE(id), REVERSE(operation_id), "
		   "transaction_id, merchant, 1, gateway, 'ours-2', 'ours-2', 'succeeded', "
		   "send_by_us, lease_until_us, prepared_at_us, updated_at_us FROM attempt");
	service_do(&service,
		   "INSERT INTO event (transaction_id, sequence, id, merchant, type, operation_id, "
		   "attempt_id, transaction_to, attempt_from, attempt_to, at_us) "
		   "SELECT transaction_id, sequence + 1, REVERSE(id), merchant, type, "
		   "REVERSE(operation_id), REVERSE(attempt_id), transaction_to, attempt_from, "
		   "attempt_to, at_us + 1 FROM event WHERE type = 'attempt_succeeded'");

	why = explain(&story);

	ck_assert_str_eq(why.verdict_text, "Yes: the customer was charged 10.50 USD, of which "
					   "4.00 USD was given back.");
	ck_assert_int_eq(why.retry, WHY_RETRY_CHARGED);
	ck_assert_str_eq(why.steps[3].text,
			 "alpha answered that it gave 4.00 USD back to the customer.");
	why_done(&why);
}
END_TEST

/* Rows that a payment may have more of than are read, one for each number i. */
static const struct {
	int room; /* for so many beside those that it has */
	const char *into;
	const char *row;
} overfull[] = {
#define NUMBER_ID "UNHEX(CONCAT('EEEE', LPAD(HEX(i), 28, '0')))"
	{ 999,
	  "operation (id, transaction_id, merchant, kind, amount_minor, status, next_action, "
	  "created_at_us, updated_at_us, parent_attempt_id)",
	  NUMBER_ID ", t.id, t.merchant, 'refund', 1, 'failed', 'none', t.created_at_us, "
		    "t.created_at_us, a.id FROM n, transaction t, attempt a" },
	{ 997, "event (transaction_id, sequence, id, merchant, type, at_us)",
	  "e.transaction_id, 1000 + i, " NUMBER_ID
	  ", e.merchant, e.type, e.at_us FROM n, event e WHERE e.sequence = 1" },
	{ 200,
	  "callback (gateway, callback_key, id, transaction_id, word, body_sha256, body_masked, "
	  "result, received_at_us)",
	  "'alpha', i, " NUMBER_ID ", t.id, 'failed', REPEAT('h', 32), '', 'superseded', i "
	  "FROM n, transaction t" },
	{ 200,
	  "exception (id, kind, merchant, transaction_id, state, detail, opened_at_us, "
	  "resolved_at_us, resolved_by, note)",
	  NUMBER_ID ", 'integrity', t.merchant, t.id, 'resolved', '', i, i, 'ann', 'compared' "
		    "FROM n, transaction t" },
};
#define OVERFULL_EXCEPTIONS 3

static void fill(int index, int from, int to)
{
	service_do(&service,
		   "INSERT INTO %s WITH RECURSIVE n (i) AS (SELECT %d UNION ALL SELECT i + 1 "
		   "FROM n WHERE i < %d) SELECT %s",
		   overfull[index].into, from, to, overfull[index].row);
}

START_TEST(what_is_left_out_is_said)
{
	const int room = overfull[_i].room;
	struct story story = take();
	struct why why;

	claim(&story);
	tell(&story, OUTCOME_ANSWER, service_answer(AE_DECLINED));
	fill(_i, 1, room);
	why = explain(&story);
	ck_assert(!why.truncated);
	ck_assert(why_retry_is_safe(why.retry));
	why_done(&why);

	fill(_i, room + 1, room + 1);

	why = explain(&story);
	ck_assert(why.truncated);
	ck_assert_uint_le(why.exception_count, EXCEPTION_LIST_OF_MAX);
	ck_assert_uint_le(why.step_count, 1000 + CALLBACK_LIST_OF_MAX);
	why_done(&why);
}
END_TEST

START_TEST(paying_again_is_not_safe_beside_exceptions_that_were_left_out)
{
	struct story story = take();
	struct why why;

	claim(&story);
	tell(&story, OUTCOME_ANSWER, service_answer(AE_DECLINED));
	fill(OVERFULL_EXCEPTIONS, 1, EXCEPTION_LIST_OF_MAX + 1);
	service_do(&service,
		   "UPDATE exception SET state = 'open', resolved_at_us = NULL, "
		   "resolved_by = NULL, note = NULL WHERE opened_at_us = %d",
		   EXCEPTION_LIST_OF_MAX + 1);

	why = explain(&story);
	ck_assert_uint_eq(why.exception_count, EXCEPTION_LIST_OF_MAX);
	ck_assert(!why_retry_is_safe(why.retry));
	why_done(&why);
}
END_TEST

START_TEST(anothers_payment_is_not_found)
{
	struct story story = take();
	struct reading reading = { SERVICE_OTHER_MERCHANT,
				   story.transaction.id,
				   { .steps = NULL } };

	ck_assert_int_eq(store_look(service.store, read_work, &reading), ERR_NOT_FOUND);
	ck_assert_ptr_null(reading.why.steps);
}
END_TEST

UNIT_MAIN("why_read", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_payment_that_succeeds_at_once_is_charged);
	tcase_add_test(tests, a_lost_answer_is_maybe_until_the_gateway_is_asked);
	tcase_add_loop_test(tests, a_decline_and_another_try_are_told_in_order, 0, 2);
	tcase_add_test(tests, messages_stand_among_the_steps_with_what_they_did);
	tcase_add_test(tests, a_late_success_is_maybe_until_somebody_settles_it);
	tcase_add_test(tests, a_late_success_that_came_back_is_told_as_such);
	tcase_add_test(tests, a_refund_is_told_in_its_own_words);
	tcase_add_loop_test(tests, what_is_left_out_is_said, 0,
			    sizeof overfull / sizeof overfull[0]);
	tcase_add_test(tests, paying_again_is_not_safe_beside_exceptions_that_were_left_out);
	tcase_add_test(tests, anothers_payment_is_not_found);
})
