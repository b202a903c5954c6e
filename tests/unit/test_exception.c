/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Exceptions as humans settle them, and when a parked payment may go on. */
#include "service/exception.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "tests/unit/service_fixture.h"

static struct service service;

static void create(void)
{
	service_create(&service, "exception");
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

struct opening {
	struct exception_row row;
};

static enum err open_work(struct store_tx *tx, void *context)
{
	struct opening *opening = context;

	return store_exception_open(tx, &opening->row);
}

/* An open exception about the story's payment; of its try, where it has one. */
static struct id put_exception(const struct story *story, enum exception_kind kind)
{
	struct opening opening = { .row = { .kind = kind,
					    .merchant = SERVICE_MERCHANT,
					    .transaction_id = story->transaction.id,
					    .detail = "alpha said so",
					    .opened_at_us = 5 } };
	uint8_t random[10];

	crypto_random(random, sizeof random);
	opening.row.id = id_make(clock_now_us(), random);
	if (!story->without_attempt)
		opening.row.attempt_id = story->attempt.id;
	ck_assert_int_eq(store_run(service.store, open_work, &opening), ERR_OK);
	return opening.row.id;
}

static enum exception_outcome resolve(struct id id, bool resume, struct exception_row *row)
{
	const struct exception_act act = {
		.id = id, .by = "ann", .note = "looked at it", .resume = resume
	};
	enum exception_outcome outcome;

	ck_assert_int_eq(exception_resolve(service.store, &act, &outcome, row), ERR_OK);
	return outcome;
}

static struct story put_parked(enum attempt_status status)
{
	struct story story = story_attempt(&service, status, OS_PARKED, clock_now_us());

	story.operation.retry_count = 3;
	story_put(&service, &story);
	return story;
}

START_TEST(its_owner_may_change_until_it_is_resolved)
{
	struct story story = put_parked(AS_DECLINED);
	struct exception_act act = { .id = put_exception(&story, EXCEPTION_INTEGRITY),
				     .by = "ann",
				     .owner = "bob" };
	enum exception_outcome outcome;
	struct exception_row row;

	ck_assert_int_eq(exception_own(service.store, &act, &outcome, &row), ERR_OK);
	ck_assert_int_eq(outcome, EXCEPTION_DONE);
	ck_assert_str_eq(row.owner, "bob");
	ck_assert_str_eq(row.owned_by, "ann");
	ck_assert_int_gt(row.owned_at_us, 5);
	act.owner = "cid";
	ck_assert_int_eq(exception_own(service.store, &act, &outcome, &row), ERR_OK);
	ck_assert_str_eq(row.owner, "cid");
	ck_assert_int_eq(resolve(act.id, false, &row), EXCEPTION_DONE);

	ck_assert_int_eq(exception_own(service.store, &act, &outcome, &row), ERR_OK);

	ck_assert_int_eq(outcome, EXCEPTION_WAS_RESOLVED);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM exception WHERE "
						  "owner = 'cid' AND state = 'resolved'"),
			 1);
}
END_TEST

START_TEST(resolved_it_says_by_whom_when_and_why_and_stays_so)
{
	struct story story = put_parked(AS_DECLINED);
	struct id id = put_exception(&story, EXCEPTION_LATE_SUCCESS);
	struct exception_row row;
	int64_t at_us;

	ck_assert_int_eq(story_exceptions(&service, &story, EXCEPTION_LATE_SUCCESS), 1);
	ck_assert_int_eq(resolve(id, false, &row), EXCEPTION_DONE);
	ck_assert_int_eq(row.state, EXCEPTION_RESOLVED);
	ck_assert_str_eq(row.resolved_by, "ann");
	ck_assert_str_eq(row.note, "looked at it");
	at_us = row.resolved_at_us;
	ck_assert_int_eq(story_exceptions(&service, &story, EXCEPTION_LATE_SUCCESS), 0);

	ck_assert_int_eq(resolve(id, false, &row), EXCEPTION_WAS_RESOLVED);

	ck_assert_int_eq(row.resolved_at_us, at_us);
	story_get(&service, &story);
	ck_assert_int_eq(story.operation.status, OS_PARKED);
	ck_assert_uint_eq(story.transaction.version, 2);
}
END_TEST

START_TEST(a_parked_payment_goes_on_where_every_try_is_uncharged)
{
	static const enum attempt_status uncharged[] = { AS_DECLINED, AS_NOT_SENT, AS_NOT_FOUND };
	struct story story = put_parked(uncharged[_i]);
	struct id id = put_exception(&story, EXCEPTION_INTEGRITY);
	struct event_row event;
	struct exception_row row;

	ck_assert_int_eq(resolve(id, true, &row), EXCEPTION_DONE);

	story_get(&service, &story);
	ck_assert_int_eq(story.operation.status, OS_PROCESSING);
	ck_assert_int_eq(story.transaction.status, TS_PROCESSING);
	ck_assert_int_eq(story.operation.next_action, NEXT_SEND);
	ck_assert_int_le(story.operation.next_action_at_us, clock_now_us());
	ck_assert_uint_eq(story.operation.retry_count, 0);
	event = story_last_event(&service, &story);
	ck_assert_str_eq(event.type, "resumed");
	ck_assert_str_eq(event.reason, "exception_resolved");
}
END_TEST

/* Refused, and then nothing of it is done: it stays open. */
static void check_refused(const struct story *before, struct id id, enum exception_outcome outcome)
{
	struct story after = *before;
	struct exception_row row;

	ck_assert_int_eq(resolve(id, true, &row), outcome);
	ck_assert_int_eq(row.state, EXCEPTION_OPEN);
	story_get(&service, &after);
	ck_assert_int_eq(after.operation.status, before->operation.status);
	ck_assert_uint_eq(after.transaction.version, before->transaction.version);
}

START_TEST(it_does_not_go_on_while_a_try_may_have_charged)
{
	static const enum attempt_status doubtful[] = { AS_UNKNOWN, AS_ACCEPTED,
							AS_REQUIRES_ACTION, AS_DECLINED };
	struct story story = story_attempt(&service, doubtful[_i], OS_PARKED, clock_now_us());

	if (doubtful[_i] == AS_DECLINED) /* and said to have succeeded after all */
		story.attempt.contradicted_at_us = 7;
	story_put(&service, &story);

	check_refused(&story, put_exception(&story, EXCEPTION_LATE_SUCCESS),
		      EXCEPTION_MAY_HAVE_CHARGED);
}
END_TEST

START_TEST(it_does_not_go_on_while_another_exception_is_open)
{
	struct story story = put_parked(AS_DECLINED);
	struct id id = put_exception(&story, EXCEPTION_INTEGRITY);
	struct exception_row row;

	(void)put_exception(&story, EXCEPTION_ORPHAN_CALLBACK);
	check_refused(&story, id, EXCEPTION_OTHERS_OPEN);
	ck_assert_int_eq(resolve(id, false, &row), EXCEPTION_DONE);
}
END_TEST

START_TEST(what_is_not_parked_cannot_go_on)
{
	static const enum operation_status statuses[] = { OS_PROCESSING, OS_FAILED, OS_PARKED };
	struct story story = story_attempt(&service, AS_DECLINED, statuses[_i], clock_now_us());

	story.operation.human_verdict = statuses[_i] == OS_PARKED;
	story_put(&service, &story);

	check_refused(&story, put_exception(&story, EXCEPTION_INTEGRITY), EXCEPTION_NOT_PARKED);
}
END_TEST

START_TEST(an_exception_of_no_payment_can_be_resolved_but_resumes_nothing)
{
	struct opening opening = { .row = { .kind = EXCEPTION_ORPHAN_CALLBACK,
					    .detail = "fits nothing",
					    .opened_at_us = 5 } };
	struct exception_row row;

	opening.row.id = id_make(clock_now_us(), (const uint8_t[10]){ 1 });
	ck_assert_int_eq(store_run(service.store, open_work, &opening), ERR_OK);

	ck_assert_int_eq(resolve(opening.row.id, true, &row), EXCEPTION_NOT_PARKED);
	ck_assert_int_eq(resolve(opening.row.id, false, &row), EXCEPTION_DONE);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
	const struct exception_act act = {
		.id = id_make(9, (const uint8_t[10]){ 9 }), .by = "ann", .owner = "bob", .note = "n"
	};
	enum exception_outcome outcome = EXCEPTION_DONE;
	struct exception_row row;

	ck_assert_int_eq(exception_own(service.store, &act, &outcome, &row), ERR_NOT_FOUND);
	ck_assert_int_eq(exception_resolve(service.store, &act, &outcome, &row), ERR_NOT_FOUND);
}
END_TEST

UNIT_MAIN("exception", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, its_owner_may_change_until_it_is_resolved);
	tcase_add_test(tests, resolved_it_says_by_whom_when_and_why_and_stays_so);
	tcase_add_loop_test(tests, a_parked_payment_goes_on_where_every_try_is_uncharged, 0, 3);
	tcase_add_loop_test(tests, it_does_not_go_on_while_a_try_may_have_charged, 0, 4);
	tcase_add_test(tests, it_does_not_go_on_while_another_exception_is_open);
	tcase_add_loop_test(tests, what_is_not_parked_cannot_go_on, 0, 3);
	tcase_add_test(tests, an_exception_of_no_payment_can_be_resolved_but_resumes_nothing);
	tcase_add_test(tests, what_is_not_there_is_not_found);
})
