/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Callbacks while somebody else holds what they are about, or their commit is not answered. */
#include "service/callback.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "tests/unit/commit_cutter.h"
#include "tests/unit/service_fixture.h"

#define BODY "{\"callback_id\":\"cb_1\",\"status\":\"completed\"}"
#define SOON_US (20 * SECOND_US) /* that a loaded machine may need */

static struct service service;

static void create(void)
{
	service_create(&service, "callback_wait");
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
	delivering->err = service_deliver(&service, &delivering->delivery, &delivering->outcome,
					  &delivering->result);
	return NULL;
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

/* The row is held by somebody else for longer than the gateway waits. */
static enum err hold_work(struct store_tx *tx, void *context)
{
	struct delivering *delivering = context;
	struct operation_row operation;
	struct id id;
	enum err err = store_operation_find_money(tx, delivering->delivery.transaction_id, &id);

	if (err == ERR_OK)
		err = store_operation_lock(tx, id, &operation);
	if (err != ERR_OK)
		return err;
	delivering->err = callback_receive(service.callbacks, &delivering->delivery,
					   clock_boot_us() + SECOND_US / 5, &delivering->outcome,
					   &delivering->result);
	return ERR_OK;
}

/* The second comes while the first one's row is held; where it is about the same one, it is held too. */
static enum err hold_both_work(struct store_tx *tx, void *context)
{
	struct delivering *both = context;
	const bool same =
		id_equal(both[0].delivery.transaction_id, both[1].delivery.transaction_id);
	const int64_t patience_us =
		same ? SECOND_US / 5 : 4 * SECOND_US; /* a lock is waited for longer */
	enum err err;

	for (int i = 0; i < 2; i++)
		both[i].delivery.notice = &both[i].notice;
	err = hold_work(tx, &both[0]);
	if (err == ERR_OK)
		both[1].err = callback_receive(service.callbacks, &both[1].delivery,
					       clock_boot_us() + patience_us, &both[1].outcome,
					       &both[1].result);
	return err;
}

START_TEST(one_that_somebody_holds_delays_no_other)
{
	struct story held = put_attempt(AS_SENT, OS_PROCESSING);
	struct story free = put_attempt(AS_SENT, OS_PROCESSING);
	struct delivering both[2];
	int64_t until_us = clock_boot_us() + SOON_US;

	begin(&both[0], &held);
	both[0].delivery.transaction_id = held.transaction.id;
	if (_i == 1) /* nothing but the path tells whose it is */
		both[0].notice.our_reference[0] = '\0';
	begin(&both[1], &free);
	snprintf(both[1].notice.callback_id, sizeof both[1].notice.callback_id, "cb_2");
	snprintf(both[1].notice.gateway_ref, sizeof both[1].notice.gateway_ref, "gw_2");
	snprintf(both[1].notice.answer.gateway_ref, sizeof both[1].notice.answer.gateway_ref,
		 "gw_2");
	both[1].delivery.transaction_id = free.transaction.id;

	ck_assert_int_eq(store_run(service.store, hold_both_work, both), ERR_OK);

	ck_assert_int_eq(both[0].err, ERR_UNCERTAIN);
	ck_assert_int_eq(both[1].err, ERR_OK);
	ck_assert_int_eq(both[1].result, CALLBACK_APPLIED);
	while (callbacks_that("result = 'applied'") < 2 && clock_boot_us() < until_us)
		clock_sleep_us(SECOND_US / 100);
	story_get(&service, &held);
	ck_assert_int_eq(held.attempt.status, AS_SUCCEEDED);
}
END_TEST

START_TEST(a_hint_that_is_committed_with_the_answer_it_came_before_is_counted)
{
	struct story story = put_attempt(AS_PREPARED, OS_PROCESSING);
	struct delivering both[2];
	int64_t until_us = clock_boot_us() + SOON_US;

	begin(&both[0], &story);
	both[0].notice.has_amount = false;
	begin(&both[1], &story);
	snprintf(both[1].notice.callback_id, sizeof both[1].notice.callback_id, "cb_2");
	both[1].notice.answer.event = AE_ACCEPTED;
	for (int i = 0; i < 2; i++)
		both[i].delivery.transaction_id = story.transaction.id;

	/* Nobody can take them one by one: both are tried, in their order, when the row is let go. */
	ck_assert_int_eq(store_run(service.store, hold_both_work, both), ERR_OK);
	while (callbacks_that("result = 'applied'") == 0 && clock_boot_us() < until_us)
		clock_sleep_us(SECOND_US / 100);
	ck_assert_int_eq(callbacks_that("result = 'kept'"), 1);
	story_get(&service, &story);

	ck_assert_int_eq(story.attempt.status, AS_ACCEPTED);
	ck_assert_int_le(story.operation.next_action_at_us, clock_now_us());
}
END_TEST

START_TEST(one_that_cannot_be_waited_for_is_applied_once_all_the_same)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	struct delivering delivering;

	begin(&delivering, &story);
	delivering.delivery.notice = &delivering.notice;
	delivering.delivery.transaction_id = story.transaction.id;

	ck_assert_int_eq(store_run(service.store, hold_work, &delivering), ERR_OK);
	ck_assert_int_eq(delivering.err, ERR_UNCERTAIN);

	deliver(&delivering);
	ck_assert_int_eq(delivering.err, ERR_OK);
	ck_assert_int_eq(delivering.outcome, CALLBACK_OUTCOME_DUPLICATE);
	ck_assert_int_eq(callbacks_that("result = 'applied'"), 1);
	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_SUCCEEDED);
}
END_TEST

/* Meanwhile the gateway's own answer is recorded, under another reference than the message has. */
static enum err hold_and_answer_work(struct store_tx *tx, void *context)
{
	struct delivering *delivering = context;
	struct attempt_row attempt;
	struct id id;
	enum err err = hold_work(tx, context);

	if (err == ERR_OK)
		err = store_operation_find_money(tx, delivering->delivery.transaction_id, &id);
	if (err == ERR_OK)
		err = store_attempt_lock_live(tx, id, &attempt);
	if (err != ERR_OK)
		return err;
	snprintf(attempt.gateway_ref, sizeof attempt.gateway_ref, "gw_of_the_answer");
	return store_attempt_update(tx, &attempt);
}

START_TEST(it_is_compared_with_what_is_known_when_it_is_its_turn)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	struct delivering delivering;
	int64_t until_us = clock_boot_us() + 10 * SECOND_US;

	begin(&delivering, &story);
	delivering.delivery.notice = &delivering.notice;
	delivering.delivery.transaction_id = story.transaction.id;

	ck_assert_int_eq(store_run(service.store, hold_and_answer_work, &delivering), ERR_OK);
	ck_assert_int_eq(delivering.err, ERR_UNCERTAIN);

	while (callbacks_that("1 = 1") == 0 && clock_boot_us() < until_us)
		clock_sleep_us(SECOND_US / 100);
	ck_assert_int_eq(callbacks_that("result = 'integrity'"), 1);
	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_SENT);
	ck_assert_str_eq(story.attempt.gateway_ref, "gw_of_the_answer");
	ck_assert_int_eq(story_exceptions(&service, &story, EXCEPTION_INTEGRITY), 1);
}
END_TEST

/* Meanwhile the gateways change, and who brought it lets go of those it knew. */
static enum err hold_and_change_work(struct store_tx *tx, void *context)
{
	struct delivering *delivering = context;
	enum err err = hold_work(tx, context);

	service_publish(&service);
	catalogue_release(delivering->delivery.view);
	return err;
}

START_TEST(one_that_cannot_be_waited_for_keeps_its_gateway)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	struct delivering delivering;
	int64_t until_us = clock_boot_us() + 10 * SECOND_US;

	begin(&delivering, &story);
	delivering.delivery.notice = &delivering.notice;
	delivering.delivery.transaction_id = story.transaction.id;
	delivering.notice.answer.event =
		AE_ACCEPTED; /* how long to wait then is the gateway's to say */
	delivering.delivery.view = catalogue_hold(service.due.catalogue);
	delivering.delivery.gateway = &delivering.delivery.view->gateways.list[0];

	ck_assert_int_eq(store_run(service.store, hold_and_change_work, &delivering), ERR_OK);
	ck_assert_int_eq(delivering.err, ERR_UNCERTAIN);

	while (callbacks_that("result = 'applied'") == 0 && clock_boot_us() < until_us)
		clock_sleep_us(SECOND_US / 100);
	ck_assert_int_eq(callbacks_that("result = 'applied' AND gateway = '" SERVICE_GATEWAY "'"),
			 1);
}
END_TEST

START_TEST(one_whose_commit_was_not_answered_keeps_the_effect_it_had)
{
	const int before = _i;
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	struct store_settings settings = service.database;
	struct commit_cutter cutter;
	struct delivering delivering;
	struct batch *received;

	ck_assert(commit_cutter_start(&cutter, service.database.socket));
	settings.socket = cutter.path;
	ck_assert_int_eq(callback_start(&settings, &received), ERR_OK);
	atomic_store(&cutter.cut_before, before);
	atomic_store(&cutter.cut_after, !before);
	begin(&delivering, &story);
	delivering.delivery.notice = &delivering.notice;

	ck_assert_int_eq(callback_receive(received, &delivering.delivery,
					  clock_boot_us() + SERVICE_WAIT_MS * INT64_C(1000),
					  &delivering.outcome, &delivering.result),
			 ERR_OK);

	batch_stop(received);
	ck_assert_int_gt(atomic_load(&cutter.commits), 1);
	commit_cutter_stop(&cutter);
	ck_assert_int_eq(delivering.outcome, CALLBACK_OUTCOME_STORED);
	ck_assert_int_eq(delivering.result, CALLBACK_APPLIED);
	ck_assert_int_eq(callbacks_that("result = 'applied'"), 1);
	ck_assert_int_eq(callbacks_that("result <> 'applied'"), 0);
	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_SUCCEEDED);
}
END_TEST

UNIT_MAIN("callback_wait", {
	service_require();
	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, one_that_somebody_holds_delays_no_other, 0, 2);
	tcase_add_test(tests, a_hint_that_is_committed_with_the_answer_it_came_before_is_counted);
	tcase_add_test(tests, one_that_cannot_be_waited_for_is_applied_once_all_the_same);
	tcase_add_test(tests, it_is_compared_with_what_is_known_when_it_is_its_turn);
	tcase_add_test(tests, one_that_cannot_be_waited_for_keeps_its_gateway);
	tcase_add_loop_test(tests, one_whose_commit_was_not_answered_keeps_the_effect_it_had, 0, 2);
})
