/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Claiming what is due: leases, what is committed before a job exists, and what must not stop the others. */
#include "service/due.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service/callback.h"
#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define LIMIT 16
#define HOUR_US (3600 * SECOND_US)

static struct service service;

static void create(void)
{
	service_create(&service, "due");
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

/* An attempt in this status whose operation's next action came due just now. */
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
	ck_assert_uint_le(count, LIMIT);
	return count;
}

static struct due_job claim_one(void)
{
	struct due_job jobs[LIMIT];

	ck_assert_uint_eq(claim(jobs), 1);
	return jobs[0];
}

static size_t claim_nothing(void)
{
	struct due_job jobs[LIMIT];

	return claim(jobs);
}

/* The story with the attempt that a job is about. */
static struct story story_of_job(struct story story, const struct due_job *job)
{
	story.without_attempt = false;
	story.attempt.id = job->order.attempt_id;
	story_get(&service, &story);
	return story;
}

START_TEST(only_what_is_due_is_claimed)
{
	int64_t now_us = clock_now_us();
	struct story due = put_pending(now_us);
	struct story due_ask = put_attempt(AS_UNKNOWN, OS_PROCESSING);
	struct story later = story_attempt(&service, AS_ACCEPTED, OS_PROCESSING, now_us);
	struct due_job jobs[LIMIT];
	bool ask_first;

	later.operation.next_action_at_us = now_us + HOUR_US;
	story_put(&service, &later);
	(void)put_pending(now_us + HOUR_US);
	(void)put_attempt(AS_UNKNOWN, OS_PARKED);
	(void)put_attempt(AS_SUCCEEDED, OS_SUCCEEDED);
	(void)put_attempt(AS_DECLINED, OS_FAILED);

	ck_assert_uint_eq(claim(jobs), 2);

	ask_first = jobs[0].kind == DUE_ASK;
	ck_assert_int_eq(jobs[ask_first].kind, DUE_SEND);
	ck_assert_int_eq(jobs[!ask_first].kind, DUE_ASK);
	ck_assert(id_equal(jobs[ask_first].order.operation_id, due.operation.id));
	ck_assert(id_equal(jobs[!ask_first].order.attempt_id, due_ask.attempt.id));
	ck_assert_uint_eq(claim_nothing(), 0);
}
END_TEST

START_TEST(the_earliest_are_claimed_first_and_no_more_than_asked_for)
{
	int64_t now_us = clock_now_us();
	struct story last = put_pending(now_us - 1 * SECOND_US);
	struct due_job jobs[LIMIT];
	size_t count;

	(void)put_pending(now_us - 3 * SECOND_US);
	(void)put_pending(now_us - 2 * SECOND_US);

	ck_assert_int_eq(due_claim(service.pool, &service.due, 2, jobs, &count, NULL), ERR_OK);

	ck_assert_uint_eq(count, 2);
	ck_assert(!id_equal(jobs[0].order.operation_id, last.operation.id));
	ck_assert(!id_equal(jobs[1].order.operation_id, last.operation.id));
	ck_assert(id_equal(claim_one().order.operation_id, last.operation.id));
}
END_TEST

START_TEST(an_attempt_is_committed_before_its_job_is_there)
{
	struct story story = put_pending(clock_now_us());
	struct due_job job = claim_one();
	struct story seen = story_of_job(story, &job); /* by another connection */
	const struct attempt_row *attempt = &seen.attempt;
	struct event_row event = story_last_event(&service, &seen);

	ck_assert_int_eq(attempt->status, AS_PREPARED);
	ck_assert_uint_eq(attempt->number, 1);
	ck_assert_str_eq(attempt->gateway, SERVICE_GATEWAY);
	ck_assert(id_equal(attempt->operation_id, story.operation.id));
	ck_assert(id_equal(attempt->transaction_id, story.transaction.id));
	ck_assert_int_eq(seen.operation.status, OS_PROCESSING);
	ck_assert_uint_eq(seen.operation.attempt_count, 1);
	ck_assert_int_eq(seen.transaction.status, TS_PROCESSING);
	ck_assert_str_eq(event.type, "attempt_prepared");
	ck_assert_int_eq(event.attempt_from, EVENT_NO_STATUS);
	ck_assert_int_eq(event.attempt_to, AS_PREPARED);
	ck_assert_int_eq(event.operation_from, OS_PENDING);
	ck_assert_int_eq(event.transaction_from, TS_PENDING);
}
END_TEST

START_TEST(a_lease_outlives_whatever_its_sender_may_still_do)
{
	struct story story = put_pending(clock_now_us());
	int64_t before_us = clock_now_us();
	int64_t boot_before_us = clock_boot_us();
	struct due_job job = claim_one();
	int64_t boot_after_us = clock_boot_us();
	struct attempt_row attempt = story_of_job(story, &job).attempt;

	story_get(&service, &story);
	ck_assert_int_ge(attempt.prepared_at_us, before_us - SECOND_US);
	ck_assert_int_eq(attempt.send_by_us, attempt.prepared_at_us + SERVICE_SEND_WINDOW_US);
	ck_assert_int_ge(attempt.lease_until_us, attempt.send_by_us +
							 SERVICE_TIMEOUT_MS * INT64_C(1000) +
							 SERVICE_LEASE_MARGIN_US);
	/* Not for long: nobody asks about it before. */
	ck_assert_int_le(attempt.lease_until_us, attempt.send_by_us +
							 2 * SERVICE_TIMEOUT_MS * INT64_C(1000) +
							 2 * SERVICE_LEASE_MARGIN_US);
	/* Whoever finds the lease over asks. */
	ck_assert_int_eq(story.operation.next_action, NEXT_ASK);
	ck_assert_int_eq(story.operation.next_action_at_us, attempt.lease_until_us);
	ck_assert_int_eq(job.lease_span_us, attempt.lease_until_us - attempt.prepared_at_us);
	ck_assert_int_ge(job.send_by_boot_us, boot_before_us + SERVICE_SEND_WINDOW_US);
	ck_assert_int_le(job.send_by_boot_us, boot_after_us + SERVICE_SEND_WINDOW_US);
}
END_TEST

START_TEST(a_job_holds_all_that_its_sender_needs)
{
	struct story story = put_pending(clock_now_us());
	struct due_job job = claim_one();
	char operation[ID_TEXT_SIZE];
	char transaction[ID_TEXT_SIZE];
	char key[ID_TEXT_SIZE + 2];
	char url[HTTP_URL_MAX];

	snprintf(key, sizeof key, "%s-1", id_format(ID_OPERATION, story.operation.id, operation));
	snprintf(url, sizeof url, "http://payops.test/callback/%s",
		 id_format(ID_TRANSACTION, story.transaction.id, transaction));

	ck_assert_int_eq(job.kind, DUE_SEND);
	ck_assert_str_eq(job.gateway->name, SERVICE_GATEWAY);
	ck_assert_int_eq(job.order.kind, OPERATION_CHARGE);
	ck_assert_str_eq(job.order.our_reference, key);
	ck_assert_str_eq(job.order.gateway_key, key);
	ck_assert_int_eq(job.order.amount.minor, SERVICE_AMOUNT);
	ck_assert_str_eq(job.order.amount.currency, SERVICE_CURRENCY);
	ck_assert_uint_eq(job.order.exponent, 2);
	ck_assert_str_eq(job.order.payment_token, SERVICE_TOKEN);
	ck_assert_str_eq(job.order.callback_url, url);
	ck_assert(id_equal(job.order.transaction_id, story.transaction.id));
}
END_TEST

START_TEST(the_next_attempt_has_the_next_number_and_the_key_that_holds)
{
	static const struct {
		enum attempt_status earlier;
		unsigned key_number;
	} cases[] = { { AS_NOT_SENT, 1 }, { AS_NOT_FOUND, 1 }, { AS_DECLINED, 2 } };
	struct story story =
		story_attempt(&service, cases[_i].earlier, OS_PROCESSING, clock_now_us());
	struct story next;
	struct due_job job;
	char operation[ID_TEXT_SIZE];
	char key[ID_TEXT_SIZE + 2];

	if (cases[_i].earlier == AS_DECLINED)
		snprintf(story.attempt.decline_code, sizeof story.attempt.decline_code,
			 "issuer_unavailable");
	story_put(&service, &story);
	job = claim_one();
	next = story_of_job(story, &job);

	snprintf(key, sizeof key, "%s-%u", id_format(ID_OPERATION, story.operation.id, operation),
		 cases[_i].key_number);
	ck_assert_str_eq(job.order.gateway_key, key);
	ck_assert_str_eq(next.attempt.gateway_key, key);
	ck_assert_str_eq(next.attempt.our_reference, key);
	ck_assert_uint_eq(next.attempt.number, 2);
	ck_assert_uint_eq(next.operation.attempt_count, 2);
	ck_assert_int_eq(next.transaction.status, TS_PROCESSING);
	ck_assert_int_eq(story_attempts(&service, &story), 2);
}
END_TEST

START_TEST(an_attempt_whose_lease_is_over_is_unknown_and_asked_about)
{
	static const enum attempt_status from[] = { AS_PREPARED, AS_SENT };
	struct story story = put_attempt(from[_i], OS_PROCESSING);
	int64_t before_us = clock_now_us();
	struct due_job job = claim_one();
	struct event_row event = story_last_event(&service, &story);

	story_get(&service, &story);
	ck_assert_int_eq(job.kind, DUE_ASK);
	ck_assert(id_equal(job.order.attempt_id, story.attempt.id));
	ck_assert_str_eq(job.order.our_reference, story.attempt.our_reference);
	ck_assert_str_eq(job.order.payment_token, "");
	ck_assert_int_eq(job.lease_span_us,
			 story.attempt.lease_until_us - story.attempt.prepared_at_us);
	ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
	ck_assert_int_eq(story.attempt.class, ATTEMPT_UNKNOWN);
	ck_assert_int_ge(story.attempt.open_since_us, before_us - SECOND_US);
	ck_assert_str_eq(story.attempt.reason, "lease_expired");
	ck_assert_int_eq(story.transaction.status, TS_PROCESSING);
	ck_assert_str_eq(story.transaction.status_reason, "outcome_unknown");
	ck_assert_str_eq(event.type, "attempt_unknown");
	ck_assert_int_eq(event.attempt_from, from[_i]);
	ck_assert_int_eq(story_attempts(&service, &story), 1);
}
END_TEST

START_TEST(while_a_question_is_out_the_next_is_not_due)
{
	static const enum attempt_status from[] = { AS_SENT, AS_ACCEPTED, AS_REQUIRES_ACTION,
						    AS_UNKNOWN };
	struct story story = put_attempt(from[_i], OS_PROCESSING);
	int64_t before_us = clock_now_us();
	struct due_job job = claim_one();

	story_get(&service, &story);
	ck_assert_int_eq(job.kind, DUE_ASK);
	ck_assert_int_eq(story.operation.next_action, NEXT_ASK);
	ck_assert_int_gt(story.operation.next_action_at_us,
			 before_us + SERVICE_TIMEOUT_MS * INT64_C(1000));
	ck_assert_uint_eq(claim_nothing(), 0);
}
END_TEST

START_TEST(asking_alone_changes_no_status_and_writes_no_event)
{
	struct story story = put_attempt(AS_UNKNOWN, OS_PROCESSING);
	uint32_t version = story.transaction.version;

	(void)claim_one();

	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
	ck_assert_uint_eq(story.transaction.version, version);
	ck_assert_uint_eq(story.attempt.asked_count, 0);
	ck_assert_uint_eq(story_last_event(&service, &story).sequence, version);
}
END_TEST

#define CLAIMERS 4
#define WORK 60

struct claimer {
	struct id claimed[WORK];
	size_t count;
	enum err err;
};

static void *claim_all(void *context)
{
	struct claimer *claimer = context;
	struct due_job jobs[LIMIT];
	size_t count = 1;

	while (claimer->err == ERR_OK && count > 0) {
		claimer->err = due_claim(service.pool, &service.due, 7, jobs, &count, NULL);
		for (size_t i = 0; claimer->err == ERR_OK && i < count && claimer->count < WORK;
		     i++)
			claimer->claimed[claimer->count++] = jobs[i].order.operation_id;
	}
	return NULL;
}

static size_t times_claimed(const struct claimer claimers[CLAIMERS], struct id id)
{
	size_t times = 0;

	for (size_t i = 0; i < CLAIMERS; i++)
		for (size_t j = 0; j < claimers[i].count; j++)
			times += id_equal(claimers[i].claimed[j], id);
	return times;
}

START_TEST(claimers_at_once_get_disjoint_work_and_all_of_it)
{
	static struct claimer claimers[CLAIMERS];
	struct id work[WORK];
	size_t claimed = 0;

	for (size_t i = 0; i < WORK; i++)
		work[i] = i % 2 == 0 ? put_pending(clock_now_us()).operation.id
				     : put_attempt(AS_UNKNOWN, OS_PROCESSING).operation.id;

	service_together(CLAIMERS, claim_all, claimers, sizeof claimers[0]);

	for (size_t i = 0; i < CLAIMERS; i++) {
		ck_assert_int_eq(claimers[i].err, ERR_OK);
		claimed += claimers[i].count;
	}
	for (size_t i = 0; i < WORK; i++)
		ck_assert_uint_eq(times_claimed(claimers, work[i]), 1);
	ck_assert_uint_eq(claimed, WORK);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM attempt"), WORK);
}
END_TEST

/* ---- what one operation suffers from must not stop the others ---- */

static void poison_seal(struct story *story)
{
	story->operation.payment_token_sealed[20] ^= 1;
}

static void poison_row(struct story *story)
{
	/* Copied from another row: it opens nowhere but in its own. */
	struct story other = story_pending(&service, clock_now_us());

	memcpy(story->operation.payment_token_sealed, other.operation.payment_token_sealed,
	       sizeof story->operation.payment_token_sealed);
}

static const struct poison {
	void (*spoil)(struct story *story);
	const char *reason;
} poisons[] = {
	{ poison_seal, "crypto_error" },
	{ poison_row, "crypto_error" },
};

static void check_parked(struct story *story, const char *reason)
{
	story_get(&service, story);
	ck_assert_int_eq(story->operation.status, OS_PARKED);
	ck_assert_int_eq(story->operation.next_action, NEXT_HUMAN);
	ck_assert_int_eq(story->transaction.status, TS_PARKED);
	ck_assert_str_eq(story->transaction.status_reason, reason);
	ck_assert_str_eq(story_last_event(&service, story).type, "parked");
}

START_TEST(a_token_that_does_not_open_parks_its_payment_and_no_other)
{
	int64_t now_us = clock_now_us();
	struct story first = put_pending(now_us - 3 * SECOND_US);
	struct story poisoned = story_pending(&service, now_us - 2 * SECOND_US);
	struct story last = put_pending(now_us - SECOND_US);
	struct due_job jobs[LIMIT];

	poisons[_i].spoil(&poisoned);
	story_put(&service, &poisoned);

	ck_assert_uint_eq(claim(jobs), 2);

	for (size_t i = 0; i < 2; i++) {
		ck_assert(id_equal(jobs[i].order.operation_id, first.operation.id) ||
			  id_equal(jobs[i].order.operation_id, last.operation.id));
		ck_assert_str_eq(jobs[i].order.payment_token, SERVICE_TOKEN);
	}
	check_parked(&poisoned, poisons[_i].reason);
	ck_assert_int_eq(story_attempts(&service, &poisoned), 0);
	ck_assert_uint_eq(poisoned.operation.attempt_count, 0);
	ck_assert_uint_gt(poisoned.operation.payment_token_sealed_size, 0);
	ck_assert_uint_eq(claim_nothing(), 0);
}
END_TEST

START_TEST(a_token_whose_key_is_not_here_waits_for_it)
{
	struct story other = put_pending(clock_now_us());
	struct story story = story_pending(&service, clock_now_us());
	struct due_job jobs[LIMIT];

	snprintf(story.operation.payment_token_key_id, sizeof story.operation.payment_token_key_id,
		 "elsewhere");
	story_put(&service, &story);

	ck_assert_uint_eq(claim(jobs), 1);

	ck_assert(id_equal(jobs[0].order.operation_id, other.operation.id));
	story_get(&service, &story);
	ck_assert_int_eq(story.operation.status, OS_PENDING);
	ck_assert_int_eq(story.operation.next_action, NEXT_SEND);
	ck_assert_int_gt(story.operation.next_action_at_us, clock_now_us() + 30 * SECOND_US);
	ck_assert_uint_gt(story.operation.payment_token_sealed_size, 0);
	ck_assert_int_eq(story_attempts(&service, &story), 0);
	ck_assert_uint_eq(claim_nothing(), 0);
}
END_TEST

START_TEST(a_second_attempt_beside_a_live_one_is_never_made)
{
	static const enum attempt_status live[] = { AS_PREPARED, AS_SENT, AS_ACCEPTED, AS_UNKNOWN };
	struct story story = story_attempt(&service, live[_i], OS_PROCESSING, clock_now_us());

	story.operation.next_action = NEXT_SEND;
	story_put(&service, &story);
	(void)put_pending(clock_now_us());

	(void)claim_one();

	check_parked(&story, "conflict");
	ck_assert_int_eq(story.attempt.status, live[_i]);
	ck_assert_int_eq(story_attempts(&service, &story), 1);
}
END_TEST

START_TEST(with_an_open_exception_no_further_attempt_is_made)
{
	struct story story = story_attempt(&service, AS_DECLINED, OS_PROCESSING, clock_now_us());

	story.operation.next_action = NEXT_SEND;
	story_put(&service, &story);
	service_do(&service, "INSERT INTO exception (id, kind, transaction_id, state, detail, "
			     "opened_at_us) SELECT id, 'integrity', id, 'open', 'x', 1 "
			     "FROM transaction");
	(void)put_pending(clock_now_us());

	(void)claim_one();

	check_parked(&story, "exception_open");
	ck_assert_int_eq(story_attempts(&service, &story), 1);
}
END_TEST

START_TEST(a_question_about_no_attempt_is_parked)
{
	struct story story = story_attempt(&service, AS_DECLINED, OS_PROCESSING, clock_now_us());

	story.operation.next_action = NEXT_ASK;
	story_put(&service, &story);
	(void)put_pending(clock_now_us());

	(void)claim_one();

	check_parked(&story, "not_found");
}
END_TEST

START_TEST(rows_that_disagree_are_put_off)
{
	struct story story = story_pending(&service, clock_now_us());
	int64_t before_us = clock_now_us();

	/* Its transaction is over: neither an attempt nor parking is allowed. */
	story.transaction.status = TS_CANCELLED;
	story_put(&service, &story);
	(void)put_pending(clock_now_us());

	(void)claim_one();

	story_get(&service, &story);
	ck_assert_int_eq(story.operation.status, OS_PENDING);
	ck_assert_int_eq(story.transaction.status, TS_CANCELLED);
	ck_assert_int_gt(story.operation.next_action_at_us, before_us + 30 * SECOND_US);
	ck_assert_int_eq(story_attempts(&service, &story), 0);
}
END_TEST

START_TEST(an_attempt_at_a_gateway_no_longer_configured_is_put_off)
{
	static const enum attempt_status from[] = { AS_UNKNOWN, AS_SENT };
	struct story story = story_attempt(&service, from[_i], OS_PROCESSING, clock_now_us());
	int64_t before_us = clock_now_us();

	snprintf(story.attempt.gateway, sizeof story.attempt.gateway, "gone");
	story_put(&service, &story);
	(void)put_pending(clock_now_us());

	ck_assert_int_eq(claim_one().kind, DUE_SEND);

	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
	ck_assert_int_eq(story.operation.status, OS_PROCESSING);
	ck_assert_int_eq(story.operation.next_action, NEXT_ASK);
	ck_assert_int_gt(story.operation.next_action_at_us, before_us + 30 * SECOND_US);
	ck_assert_uint_eq(claim_nothing(), 0);
}
END_TEST

START_TEST(one_that_is_put_off_does_not_keep_the_rest_from_being_taken_one_by_one)
{
	const int64_t now_us = clock_now_us();
	struct story off = story_attempt(&service, AS_UNKNOWN, OS_PROCESSING, now_us);
	struct story bad = story_attempt(&service, AS_UNKNOWN, OS_PROCESSING, now_us);

	snprintf(off.attempt.gateway, sizeof off.attempt.gateway, "gone");
	off.operation.next_action_at_us = now_us - 3 * SECOND_US;
	story_put(&service, &off);
	bad.operation.next_action = NEXT_SEND;
	bad.operation.next_action_at_us = now_us - 2 * SECOND_US;
	bad.operation.attempt_count =
		0; /* so that its attempt is written, and refused, with those of the others */
	story_put(&service, &bad);
	(void)put_pending(now_us);

	ck_assert_int_eq(claim_one().kind, DUE_SEND);
}
END_TEST

/* ---- sent ---- */

START_TEST(an_attempt_is_marked_sent_once)
{
	struct story story = put_pending(clock_now_us());
	struct due_job job = claim_one();
	struct story sent;

	for (int times = 0; times < 2; times++)
		ck_assert_int_eq(service_mark(&service, &job), ERR_OK);

	sent = story_of_job(story, &job);
	ck_assert_int_eq(sent.attempt.status, AS_SENT);
	ck_assert_int_ge(sent.attempt.sent_at_us, sent.attempt.prepared_at_us);
	ck_assert_uint_eq(sent.transaction.version, story.transaction.version + 2);
	ck_assert_str_eq(story_last_event(&service, &sent).type, "attempt_sent");
	ck_assert_int_eq(sent.operation.next_action_at_us, sent.attempt.lease_until_us);
}
END_TEST

START_TEST(a_job_without_an_attempt_cannot_be_marked)
{
	struct due_job job;

	(void)put_pending(clock_now_us());
	job = claim_one();
	job.order.attempt_id = job.order.transaction_id;

	ck_assert_int_eq(service_mark(&service, &job), ERR_NOT_FOUND);
}
END_TEST

/* A callback that says what became of the job's attempt. */
static enum callback_result call_back(const struct due_job *job)
{
	struct gateway_notice notice = { .callback_id = "cb_1",
					 .word = "completed",
					 .has_amount = true,
					 .amount = job->order.amount,
					 .answer = { .event = AE_SUCCEEDED,
						     .reason = "callback" } };
	struct callback_delivery delivery = { .gateway = job->gateway,
					      .notice = &notice,
					      .body = "{}",
					      .body_size = 2,
					      .api_call_id = "",
					      .now_us = clock_now_us() };
	enum callback_outcome outcome;
	enum callback_result result;

	memcpy(notice.our_reference, job->order.our_reference, sizeof notice.our_reference);
	if (service_deliver(&service, &delivery, &outcome, &result) != ERR_OK ||
	    outcome != CALLBACK_OUTCOME_STORED)
		return CALLBACK_ORPHAN;
	return result;
}

START_TEST(a_callback_that_was_faster_is_not_undone)
{
	struct story story = put_pending(clock_now_us());
	struct due_job job = claim_one();
	struct story after;

	ck_assert_int_eq(call_back(&job), CALLBACK_APPLIED);

	ck_assert_int_eq(service_mark(&service, &job), ERR_OK);

	after = story_of_job(story, &job);
	ck_assert_int_eq(after.attempt.status, AS_SUCCEEDED);
	ck_assert_int_eq(after.attempt.sent_at_us, 0);
	ck_assert_int_eq(after.transaction.status, TS_COMPLETED);
	ck_assert_uint_eq(after.transaction.version, story.transaction.version + 2);
}
END_TEST

struct racer {
	const struct due_job *job;
	bool calls_back;
	bool went_well;
};

static void *race(void *context)
{
	struct racer *racer = context;

	racer->went_well = racer->calls_back ? call_back(racer->job) == CALLBACK_APPLIED
					     : service_mark(&service, racer->job) == ERR_OK;
	return NULL;
}

START_TEST(a_callback_and_the_mark_at_once_end_in_success)
{
	struct story story = put_pending(clock_now_us());
	struct due_job job = claim_one();
	struct racer racers[2] = { { &job, false, false }, { &job, true, false } };
	struct story after;

	service_together(2, race, racers, sizeof racers[0]);

	ck_assert(racers[0].went_well);
	ck_assert(racers[1].went_well);
	after = story_of_job(story, &job);
	ck_assert_int_eq(after.attempt.status, AS_SUCCEEDED);
	ck_assert_int_eq(after.transaction.status, TS_COMPLETED);
	ck_assert_int_eq(story_last_event(&service, &after).attempt_to, AS_SUCCEEDED);
}
END_TEST

UNIT_MAIN("due", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, only_what_is_due_is_claimed);
	tcase_add_test(tests, the_earliest_are_claimed_first_and_no_more_than_asked_for);
	tcase_add_test(tests, an_attempt_is_committed_before_its_job_is_there);
	tcase_add_test(tests, a_lease_outlives_whatever_its_sender_may_still_do);
	tcase_add_test(tests, a_job_holds_all_that_its_sender_needs);
	tcase_add_loop_test(tests, the_next_attempt_has_the_next_number_and_the_key_that_holds, 0,
			    3);
	tcase_add_loop_test(tests, an_attempt_whose_lease_is_over_is_unknown_and_asked_about, 0, 2);
	tcase_add_loop_test(tests, while_a_question_is_out_the_next_is_not_due, 0, 4);
	tcase_add_test(tests, asking_alone_changes_no_status_and_writes_no_event);
	tcase_add_test(tests, claimers_at_once_get_disjoint_work_and_all_of_it);
	tcase_add_loop_test(tests, a_token_that_does_not_open_parks_its_payment_and_no_other, 0,
			    (int)COUNT(poisons));
	tcase_add_test(tests, a_token_whose_key_is_not_here_waits_for_it);
	tcase_add_loop_test(tests, a_second_attempt_beside_a_live_one_is_never_made, 0, 4);
	tcase_add_test(tests, with_an_open_exception_no_further_attempt_is_made);
	tcase_add_test(tests, a_question_about_no_attempt_is_parked);
	tcase_add_test(tests, rows_that_disagree_are_put_off);
	tcase_add_loop_test(tests, an_attempt_at_a_gateway_no_longer_configured_is_put_off, 0, 2);
	tcase_add_test(tests,
		       one_that_is_put_off_does_not_keep_the_rest_from_being_taken_one_by_one);
	tcase_add_test(tests, an_attempt_is_marked_sent_once);
	tcase_add_test(tests, a_job_without_an_attempt_cannot_be_marked);
	tcase_add_test(tests, a_callback_that_was_faster_is_not_undone);
	tcase_add_test(tests, a_callback_and_the_mark_at_once_end_in_success);
})
