/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Outcomes and time: when "not found" is believed, when it is tried again, when it is asked about, and what stops that.
 * The database's clock stands still; its times come out to the microsecond.
 */
#include "service/outcome.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define NOW_US SERVICE_NOW_US

static struct service service;

static void create(void)
{
	service_create(&service, "outcome_time");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	service_open(&service);
	service_stop_clock(&service, NOW_US);
}

static void tear_down(void)
{
	service_close(&service);
}

static enum outcome_effect tell(struct story *story, const struct telling *telling)
{
	return story_tell(&service, story, telling);
}

static enum outcome_effect say(struct story *story, enum outcome_source source,
			       enum attempt_event event)
{
	struct telling telling = { .source = source, .answer = service_answer(event) };

	return tell(story, &telling);
}

static struct story put_attempt(enum attempt_status attempt, enum operation_status operation)
{
	struct story story = story_attempt(&service, attempt, operation, NOW_US);

	story_put(&service, &story);
	return story;
}

/* ---- not found: lease end and quiet period, twice, by both clocks, from a gateway that knows ---- */

#define LEASE_SPAN_US (40 * SECOND_US)
#define LONG_AGO_US (60 * SECOND_US)

enum verdict {
	TOO_EARLY,
	NOTED,       /* counted as the first time */
	UNCONFIRMED, /* our own clock does not say so yet */
	BELIEVED,
};

/* clang-format off */
static const struct not_found_case {
	int64_t lease_end_us; /* before now */
	int64_t said_us;      /* before now; 0: not said yet */
	enum verdict verdict;
	int64_t next_us;      /* asked again, from now */
} not_found_cases[] = {
	/* lease end            said                  verdict      next */
	{ -SECOND_US,           0,                    TOO_EARLY,   SECOND_US + SERVICE_QUIET_US },
	{ SERVICE_QUIET_US - 1, 0,                    TOO_EARLY,   SECOND_US },
	{ SERVICE_QUIET_US - 1, LONG_AGO_US,          TOO_EARLY,   SECOND_US },
	{ SERVICE_QUIET_US,     0,                    NOTED,       SERVICE_QUIET_US },
	{ LONG_AGO_US,          0,                    NOTED,       SERVICE_QUIET_US },
	{ LONG_AGO_US,          SERVICE_QUIET_US - 1, TOO_EARLY,   SECOND_US },
	{ LONG_AGO_US,          SERVICE_QUIET_US,     UNCONFIRMED, LEASE_SPAN_US / 2 },
	{ LONG_AGO_US,          SERVICE_QUIET_US,     BELIEVED,    0 },
};
/* clang-format on */

START_TEST(not_found_that_is_recorded_again_late_is_still_one_answer)
{
	struct telling telling = { .source = OUTCOME_INQUIRY,
				   .answer = service_answer(AE_NOT_FOUND) };
	struct story story = story_attempt(&service, AS_UNKNOWN, OS_PROCESSING, NOW_US);

	story.attempt.lease_until_us = NOW_US - LONG_AGO_US;
	story.attempt.prepared_at_us = story.attempt.lease_until_us - LEASE_SPAN_US;
	story.attempt.send_by_us = story.attempt.prepared_at_us + SECOND_US;
	story.attempt.open_since_us = NOW_US;
	story.attempt.not_found_at_us = NOW_US - SERVICE_QUIET_US;
	story_put(&service, &story);
	telling.age_us = SERVICE_QUIET_US;

	ck_assert_int_eq(tell(&story, &telling), OUTCOME_RESCHEDULED);

	ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
}
END_TEST

START_TEST(not_found_that_took_long_to_be_said_counts_from_when_it_was_heard)
{
	struct telling slow = { .source = OUTCOME_INQUIRY,
				.answer = service_answer(AE_NOT_FOUND),
				.age_us = SERVICE_QUIET_US };
	struct telling quick = { .source = OUTCOME_INQUIRY,
				 .answer = service_answer(AE_NOT_FOUND) };
	struct story story = put_attempt(AS_UNKNOWN, OS_PROCESSING);

	ck_assert_int_eq(tell(&story, &slow), OUTCOME_RESCHEDULED);
	ck_assert_int_eq(story.attempt.not_found_at_us, NOW_US);
	ck_assert_int_eq(tell(&story, &quick), OUTCOME_RESCHEDULED);

	ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
}
END_TEST

START_TEST(not_found_is_believed_when_nothing_can_still_arrive)
{
	const struct not_found_case *row = &not_found_cases[_i];
	bool believed = row->verdict == BELIEVED;
	struct telling telling = { .source = OUTCOME_INQUIRY,
				   .answer = service_answer(AE_NOT_FOUND),
				   .unconfirmed = row->verdict == UNCONFIRMED };
	struct story story = story_attempt(&service, AS_UNKNOWN, OS_PROCESSING, NOW_US);
	int64_t said_at_us = row->said_us == 0 ? 0 : NOW_US - row->said_us;

	story.attempt.lease_until_us = NOW_US - row->lease_end_us;
	story.attempt.prepared_at_us = story.attempt.lease_until_us - LEASE_SPAN_US;
	story.attempt.send_by_us = story.attempt.prepared_at_us + SECOND_US;
	story.attempt.open_since_us = NOW_US;
	story.attempt.not_found_at_us = said_at_us;
	story_put(&service, &story);

	ck_assert_int_eq(tell(&story, &telling), believed ? OUTCOME_APPLIED : OUTCOME_RESCHEDULED);

	ck_assert_int_eq(story.attempt.status, believed ? AS_NOT_FOUND : AS_UNKNOWN);
	ck_assert_int_eq(story.attempt.not_found_at_us,
			 row->verdict == NOTED ? NOW_US : said_at_us);
	ck_assert_int_eq(story.operation.next_action, believed ? NEXT_SEND : NEXT_ASK);
	ck_assert(believed || story.operation.next_action_at_us == NOW_US + row->next_us);
	ck_assert_uint_eq(story.operation.gateway_key_number, 1);
}
END_TEST

START_TEST(not_found_is_never_believed_from_a_gateway_that_cannot_know)
{
	static struct gateway gateway; /* too large for the stack */
	struct telling telling = { .source = OUTCOME_INQUIRY,
				   .answer = service_answer(AE_NOT_FOUND) };
	struct story story = story_attempt(&service, AS_UNKNOWN, OS_PROCESSING, NOW_US);

	gateway = service.gateways.list[0];
	gateway.authoritative = false;
	telling.gateway = &gateway;
	story_put(&service, &story);

	for (unsigned times = 1; times <= 4; times++) {
		ck_assert_int_eq(tell(&story, &telling), OUTCOME_RESCHEDULED);
		ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
		ck_assert_int_eq(story.attempt.not_found_at_us, 0);
		ck_assert_uint_eq(story.attempt.asked_count, times);
		service_stop_clock(&service, NOW_US + (int64_t)times * 3600 * SECOND_US);
	}
}
END_TEST

/* ---- trying again ---- */

static enum outcome_effect decline(struct story *story, bool retryable)
{
	struct telling telling = { .source = OUTCOME_ANSWER,
				   .answer = service_answer(AE_DECLINED) };

	telling.answer.retryable = retryable;
	return tell(story, &telling);
}

/* What ends without a charge: from which status, and what the transaction says when none may follow. */
static const struct uncharged {
	enum attempt_status from;
	enum outcome_source source;
	enum attempt_event event;
	const char *failure;
} uncharged[] = {
	{ AS_SENT, OUTCOME_ANSWER, AE_DECLINED, "declined" },
	{ AS_PREPARED, OUTCOME_ANSWER, AE_NOT_SENT, "gateway_unreachable" },
	{ AS_UNKNOWN, OUTCOME_INQUIRY, AE_NOT_FOUND, "gateway_lost_request" },
};

static struct story tell_uncharged(const struct uncharged *row, struct story story)
{
	struct telling telling = { .source = row->source, .answer = service_answer(row->event) };

	telling.answer.retryable = true;
	story.attempt.not_found_at_us = NOW_US - 60 * SECOND_US;
	story_put(&service, &story);
	ck_assert_int_eq(tell(&story, &telling), OUTCOME_APPLIED);
	return story;
}

/* Where and when is chosen then: test_choice.c. */
START_TEST(what_may_be_tried_again_is_taken_up_at_once)
{
	const struct uncharged *row = &uncharged[_i];
	struct story story =
		tell_uncharged(row, story_attempt(&service, row->from, OS_PROCESSING, NOW_US));

	ck_assert_int_eq(story.operation.next_action, NEXT_SEND);
	ck_assert_int_eq(story.operation.next_action_at_us, NOW_US);
	ck_assert_str_eq(story.transaction.status_reason, "retry_scheduled");
	ck_assert_uint_gt(story.operation.payment_token_sealed_size, 0);
	ck_assert_uint_eq(story.operation.retry_count, 0);
}
END_TEST

START_TEST(after_a_human_verdict_no_machine_tries_again)
{
	const struct uncharged *row = &uncharged[_i];
	struct story story = story_attempt(&service, row->from, OS_PROCESSING, NOW_US);

	story.operation.human_verdict = true;
	story = tell_uncharged(row, story);

	ck_assert_int_eq(story.transaction.status, TS_FAILED);
	ck_assert_uint_eq(story.operation.retry_count, 0);
}
END_TEST

static enum err exception_work(struct store_tx *tx, void *context)
{
	return store_exception_open(tx, context);
}

START_TEST(while_an_exception_is_open_a_human_decides_instead)
{
	const struct uncharged *row = &uncharged[_i];
	struct story story = story_attempt(&service, row->from, OS_PROCESSING, NOW_US);
	struct exception_row exception = { .id = { { 1, (uint8_t)_i } },
					   .kind = EXCEPTION_INTEGRITY,
					   .merchant = SERVICE_MERCHANT,
					   .transaction_id = story.transaction.id,
					   .detail = "another amount",
					   .opened_at_us = NOW_US };

	ck_assert_int_eq(store_run(service.store, exception_work, &exception), ERR_OK);
	story = tell_uncharged(row, story);

	ck_assert_int_eq(story.operation.status, OS_PARKED);
	ck_assert_int_eq(story.transaction.status, TS_PARKED);
	ck_assert_int_eq(story.operation.next_action, NEXT_HUMAN);
	ck_assert_str_eq(story.transaction.status_reason, "exception_open");
	ck_assert_uint_eq(story.operation.retry_count, 0);
	ck_assert(attempt_is_uncharged(story.attempt.status));
}
END_TEST

/* A refund or void that could be sent again, beside an open exception about something of its transaction. */
START_TEST(what_gives_money_back_stops_for_what_may_double_it)
{
	static const struct {
		enum operation_kind kind;
		const char *about; /* which attempt; NULL: none */
		bool stops;
	} cases[] = {
		{ OPERATION_REFUND, NULL, true }, /* a success of an earlier refund, maybe */
		{ OPERATION_REFUND, "refund", true },
		{ OPERATION_REFUND, "charge", false }, /* which is settled by giving it back */
		{ OPERATION_VOID, NULL, false },       /* moves no money */
		{ OPERATION_VOID, "void", true },
		{ OPERATION_CAPTURE, NULL, true },
		{ OPERATION_CAPTURE, "charge", true },
	};
	const enum operation_kind kind = cases[_i].kind;
	const char *about = cases[_i].about;
	struct story paid = kind == OPERATION_REFUND
				    ? story_attempt(&service, AS_SUCCEEDED, OS_SUCCEEDED, NOW_US)
				    : story_authorised(&service, NOW_US);
	struct story part = story_part(&paid, kind, AS_SENT, OS_PROCESSING);
	struct telling declined = { .source = OUTCOME_ANSWER,
				    .answer = service_answer(AE_DECLINED) };
	const struct story *of = about != NULL && strcmp(about, "charge") == 0 ? &paid : &part;
	char hex[2 * ID_SIZE + 1];

	declined.answer.retryable = true;
	story_put(&service, &paid);
	story_part_put(&service, &part);
	service_do(&service,
		   "INSERT INTO exception (id, kind, transaction_id, attempt_id, state, detail, "
		   "opened_at_us) SELECT id, '%s', id, IF(%d, x'%s', NULL), 'open', 'x', 1 "
		   "FROM transaction",
		   about == NULL ? "orphan_callback" : "late_success", about != NULL,
		   crypto_hex(of->attempt.id.bytes, ID_SIZE, hex));

	ck_assert_int_eq(tell(&part, &declined), OUTCOME_APPLIED);

	ck_assert_int_eq(part.operation.status, cases[_i].stops ? OS_PARKED : OS_PROCESSING);
	ck_assert_int_eq(part.operation.next_action, cases[_i].stops ? NEXT_HUMAN : NEXT_SEND);
}
END_TEST

START_TEST(a_success_of_an_earlier_attempt_does_not_disturb_the_one_in_flight)
{
	struct story story = put_attempt(AS_DECLINED, OS_PROCESSING);
	struct story second = story;
	char hex[2 * ID_SIZE + 1];

	snprintf(hex, sizeof hex, "%032d", 1);
	service_do(
		&service,
		"INSERT INTO attempt (id, operation_id, transaction_id, merchant, number, gateway, "
		"our_reference, gateway_key, status, send_by_us, lease_until_us, prepared_at_us, "
		"updated_at_us) SELECT x'%s', operation_id, transaction_id, merchant, 2, gateway, "
		"our_reference, gateway_key, 'sent', send_by_us, lease_until_us, prepared_at_us, "
		"updated_at_us FROM attempt",
		hex);
	service_do(&service, "UPDATE operation SET next_action = 'ask', attempt_count = 2");
	memset(second.attempt.id.bytes, 0, ID_SIZE);
	second.attempt.id.bytes[ID_SIZE - 1] = 1;

	ck_assert_int_eq(say(&story, OUTCOME_CALLBACK, AE_SUCCEEDED), OUTCOME_CONTRADICTED);
	ck_assert_int_eq(story.attempt.status, AS_DECLINED);
	ck_assert_int_eq(story.operation.status, OS_PROCESSING);
	ck_assert_int_eq(story.operation.next_action, NEXT_ASK);

	/* When that one too ends without a charge, nothing is tried again. */
	ck_assert_int_eq(decline(&second, true), OUTCOME_APPLIED);
	ck_assert_int_eq(second.attempt.status, AS_DECLINED);
	ck_assert_int_eq(second.operation.status, OS_PARKED);
}
END_TEST

/* ---- asking ---- */

/* Offsets at which an open outcome is asked about: DESIGN.md, The path of a payment, 6. */
static const int64_t asked_at_s[] = { 2,         5,         15,        60,
				      300,       900,       3600,      4 * 3600,
				      12 * 3600, 1 * 86400, 2 * 86400, 3 * 86400,
				      4 * 86400, 5 * 86400, 6 * 86400, 7 * 86400 };

START_TEST(an_unknown_attempt_is_asked_about_at_the_schedules_times_and_then_parked)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);

	ck_assert_int_eq(say(&story, OUTCOME_ANSWER, AE_LOST), OUTCOME_APPLIED);
	ck_assert_int_eq(story.attempt.class, ATTEMPT_UNKNOWN);
	ck_assert_str_eq(story.transaction.status_reason, "outcome_unknown");
	for (size_t i = 0; i < COUNT(asked_at_s); i++) {
		ck_assert_int_eq(story.operation.next_action, NEXT_ASK);
		ck_assert_int_eq(story.operation.next_action_at_us,
				 NOW_US + asked_at_s[i] * SECOND_US);
		service_stop_clock(&service, story.operation.next_action_at_us);
		ck_assert_int_eq(say(&story, OUTCOME_INQUIRY, AE_LOST), OUTCOME_RESCHEDULED);
		ck_assert_uint_eq(story.attempt.asked_count, i + 1);
	}

	ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
	ck_assert_int_eq(story.operation.status, OS_PARKED);
	ck_assert_int_eq(story.transaction.status, TS_PARKED);
	ck_assert_int_eq(story.operation.next_action, NEXT_HUMAN);
	ck_assert_str_eq(story.transaction.status_reason, "inquiries_exhausted");
	ck_assert_str_eq(story_last_event(&service, &story).type, "parked");
	ck_assert_uint_gt(story.operation.payment_token_sealed_size, 0);
}
END_TEST

/* A gateway that says "not found" is asked again out of turn, until that can be believed. */
START_TEST(questions_asked_out_of_turn_do_not_use_up_the_schedule)
{
	struct story story = story_attempt(&service, AS_UNKNOWN, OS_PROCESSING, NOW_US);

	story.attempt.open_since_us = NOW_US - 14 * SECOND_US;
	story.attempt.asked_count = 4;
	story_put(&service, &story);

	ck_assert_int_eq(say(&story, OUTCOME_INQUIRY, AE_LOST), OUTCOME_RESCHEDULED);

	ck_assert_int_eq(story.operation.next_action_at_us, NOW_US + SECOND_US);
}
END_TEST

START_TEST(an_answer_that_is_recorded_again_is_one_question)
{
	struct story story = put_attempt(AS_UNKNOWN, OS_PROCESSING);
	struct telling telling = { .source = OUTCOME_INQUIRY,
				   .answer = service_answer(AE_LOST),
				   .age_us = SECOND_US };
	unsigned asked;

	ck_assert_int_eq(tell(&story, &telling), OUTCOME_RESCHEDULED);
	asked = story.attempt.asked_count;
	ck_assert_int_eq(tell(&story, &telling), OUTCOME_RESCHEDULED);

	ck_assert_uint_eq(story.attempt.asked_count, asked);
	ck_assert_int_eq(story.operation.next_action, NEXT_ASK);
}
END_TEST

START_TEST(an_inquiry_that_comes_back_after_parking_writes_no_event)
{
	struct story story = story_attempt(&service, AS_UNKNOWN, OS_PARKED, NOW_US);
	uint32_t version = story.transaction.version;

	story.attempt.asked_count = (unsigned)COUNT(asked_at_s);
	story_put(&service, &story);

	ck_assert_int_eq(say(&story, OUTCOME_INQUIRY, AE_LOST), OUTCOME_RESCHEDULED);

	ck_assert_int_eq(story.operation.status, OS_PARKED);
	ck_assert_uint_eq(story.transaction.version, version);
}
END_TEST

START_TEST(an_inquiry_that_is_late_is_not_followed_at_once_by_the_next)
{
	struct story story = story_attempt(&service, AS_UNKNOWN, OS_PROCESSING, NOW_US);

	story.attempt.open_since_us = NOW_US - 3500 * SECOND_US;
	story_put(&service, &story);

	ck_assert_int_eq(say(&story, OUTCOME_INQUIRY, AE_LOST), OUTCOME_RESCHEDULED);

	ck_assert_int_ge(story.operation.next_action_at_us, NOW_US + SECOND_US);
}
END_TEST

/* A refund that succeeded, of which its gateway hinted that it was taken back. */
START_TEST(what_was_doubted_is_settled_by_its_gateway)
{
	static const struct {
		enum attempt_event said;
		int64_t doubted_us; /* for so long */
		enum operation_status status;
		enum next_action next;
		int exceptions;
	} cases[] = {
		{ AE_REVERSED, SECOND_US, OS_REVERSED, NEXT_NONE, 0 },
		{ AE_SUCCEEDED, SECOND_US, OS_SUCCEEDED, NEXT_NONE, 0 },
		{ AE_DECLINED, SECOND_US, OS_SUCCEEDED, NEXT_NONE, 1 },
		{ AE_LOST, SECOND_US, OS_SUCCEEDED, NEXT_ASK, 0 },
		{ AE_NOT_FOUND, SECOND_US, OS_SUCCEEDED, NEXT_ASK, 0 },
		{ AE_ACCEPTED, SECOND_US, OS_SUCCEEDED, NEXT_ASK, 0 },
		{ AE_LOST, 8 * 86400 * SECOND_US, OS_SUCCEEDED, NEXT_NONE, 1 },
	};
	struct story paid = story_attempt(&service, AS_SUCCEEDED, OS_SUCCEEDED, NOW_US);
	struct story refund = story_part(&paid, OPERATION_REFUND, AS_SUCCEEDED, OS_SUCCEEDED);
	const struct telling telling = { .source = OUTCOME_INQUIRY,
					 .answer = service_answer(cases[_i].said) };

	paid.transaction.amount_refunded = SERVICE_AMOUNT;
	refund.operation.next_action = NEXT_ASK;
	refund.operation.next_action_at_us = NOW_US;
	refund.attempt.open_since_us = NOW_US - cases[_i].doubted_us;
	refund.attempt.asked_count = cases[_i].doubted_us > 86400 * SECOND_US ? 100 : 0;
	story_put(&service, &paid);
	story_part_put(&service, &refund);

	(void)tell(&refund, &telling);

	ck_assert_int_eq(refund.operation.status, cases[_i].status);
	ck_assert_int_eq(refund.operation.next_action, cases[_i].next);
	ck_assert_int_eq(refund.attempt.status, AS_SUCCEEDED);
	ck_assert_int_eq(refund.transaction.amount_refunded,
			 cases[_i].status == OS_REVERSED ? 0 : SERVICE_AMOUNT);
	if (cases[_i].next == NEXT_ASK)
		ck_assert_int_gt(refund.operation.next_action_at_us, NOW_US);
	ck_assert_int_eq(story_exceptions(&service, &refund, EXCEPTION_INTEGRITY),
			 cases[_i].exceptions);
}
END_TEST

START_TEST(an_answer_of_another_amount_never_completes)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	struct telling telling = { .source = OUTCOME_ANSWER, .answer = service_answer(AE_LOST) };

	telling.answer.integrity = true;

	ck_assert_int_eq(tell(&story, &telling), OUTCOME_INTEGRITY);
	ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
	telling.source = OUTCOME_INQUIRY;
	ck_assert_int_eq(tell(&story, &telling), OUTCOME_INTEGRITY);

	ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
	ck_assert_int_eq(story.transaction.status, TS_PROCESSING);
	ck_assert_int_eq(story.operation.next_action, NEXT_ASK);
	ck_assert_int_eq(story_exceptions(&service, &story, EXCEPTION_INTEGRITY), 1);
}
END_TEST

UNIT_MAIN("outcome_time", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, not_found_that_is_recorded_again_late_is_still_one_answer);
	tcase_add_test(tests, not_found_that_took_long_to_be_said_counts_from_when_it_was_heard);
	tcase_add_loop_test(tests, not_found_is_believed_when_nothing_can_still_arrive, 0,
			    (int)COUNT(not_found_cases));
	tcase_add_test(tests, not_found_is_never_believed_from_a_gateway_that_cannot_know);
	tcase_add_loop_test(tests, what_may_be_tried_again_is_taken_up_at_once, 0,
			    (int)COUNT(uncharged));
	tcase_add_loop_test(tests, after_a_human_verdict_no_machine_tries_again, 0,
			    (int)COUNT(uncharged));
	tcase_add_loop_test(tests, while_an_exception_is_open_a_human_decides_instead, 0,
			    (int)COUNT(uncharged));
	tcase_add_loop_test(tests, what_gives_money_back_stops_for_what_may_double_it, 0, 7);
	tcase_add_test(tests, a_success_of_an_earlier_attempt_does_not_disturb_the_one_in_flight);
	tcase_add_test(tests,
		       an_unknown_attempt_is_asked_about_at_the_schedules_times_and_then_parked);
	tcase_add_test(tests, questions_asked_out_of_turn_do_not_use_up_the_schedule);
	tcase_add_test(tests, an_answer_that_is_recorded_again_is_one_question);
	tcase_add_test(tests, an_inquiry_that_comes_back_after_parking_writes_no_event);
	tcase_add_test(tests, an_inquiry_that_is_late_is_not_followed_at_once_by_the_next);
	tcase_add_loop_test(tests, what_was_doubted_is_settled_by_its_gateway, 0, 7);
	tcase_add_test(tests, an_answer_of_another_amount_never_completes);
})
