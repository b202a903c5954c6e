/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting, cancelling and finding payments: every state, both requests, and what follows a wish. */
#include "service/control.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/commit_cutter.h"
#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define HOUR_US (3600 * SECOND_US)

static struct service service;

static void create(void)
{
	service_create(&service, "control");
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

/* A payment with process manual that expires in an hour. */
static struct story put_manual(void)
{
	struct story story = story_pending(&service, clock_now_us());

	story.operation.next_action = NEXT_EXPIRE;
	story.operation.next_action_at_us += HOUR_US;
	story_put(&service, &story);
	return story;
}

static struct story put_attempt(enum attempt_status attempt, enum operation_status operation)
{
	struct story story = story_attempt(&service, attempt, operation, clock_now_us());

	story_put(&service, &story);
	return story;
}

typedef enum err control(struct store_pool *pool, const struct control_request *request,
			 int wait_ms, enum control_outcome *outcome, struct transaction_view *view);

static struct control_request request_for(const struct story *story, bool remember)
{
	return (struct control_request){ .merchant = SERVICE_MERCHANT,
					 .transaction_id = story->transaction.id,
					 .api_call_id = "call_1",
					 .remember = remember };
}

/* The outcome; the story is read again, and the view must agree with it. */
static enum control_outcome act(struct story *story, control *act_on, bool remember)
{
	struct control_request request = request_for(story, remember);
	struct transaction_view view;
	enum control_outcome outcome;

	ck_assert_int_eq(act_on(service.pool, &request, SERVICE_WAIT_MS, &outcome, &view), ERR_OK);
	story_get(&service, story);
	ck_assert_int_eq(view.row.status, story->transaction.status);
	ck_assert_uint_eq(view.row.version, story->transaction.version);
	ck_assert_int_eq(view.next_action, story->operation.next_action);
	return outcome;
}

/* ---- process ---- */

START_TEST(a_manual_payment_is_due_once_it_is_started)
{
	struct story story = put_manual();
	int64_t before_us = clock_now_us();
	struct event_row event;

	ck_assert_int_eq(act(&story, control_process, false), CONTROL_DONE);

	ck_assert_int_eq(story.transaction.status, TS_PENDING);
	ck_assert_int_eq(story.operation.status, OS_PENDING);
	ck_assert_int_eq(story.operation.next_action, NEXT_SEND);
	ck_assert_int_le(story.operation.next_action_at_us, clock_now_us() + SECOND_US);
	ck_assert_int_ge(story.operation.next_action_at_us, before_us - SECOND_US);
	event = story_last_event(&service, &story);
	ck_assert_str_eq(event.type, "process_requested");
	ck_assert_str_eq(event.api_call_id, "call_1");
	ck_assert_int_eq(event.transaction_from, TS_PENDING);
	ck_assert(id_is_empty(event.attempt_id));
}
END_TEST

/* How many jobs there are now. */
static size_t claim_due(void)
{
	struct due_job jobs[4];
	size_t count;

	ck_assert_int_eq(due_claim(service.pool, &service.due, COUNT(jobs), jobs, &count, NULL),
			 ERR_OK);
	return count;
}

START_TEST(a_manual_payment_expires_and_is_never_sent)
{
	struct story story = story_pending(&service, clock_now_us());
	struct event_row event;

	story.operation.next_action = NEXT_EXPIRE;
	story_put(&service, &story);

	ck_assert_uint_eq(claim_due(), 0);

	story_get(&service, &story);
	event = story_last_event(&service, &story);
	ck_assert_str_eq(event.type, "expired");
	ck_assert_int_eq(event.operation_to, OS_CANCELLED);
	ck_assert_int_eq(story.transaction.status, TS_CANCELLED);
	ck_assert_str_eq(story.transaction.status_reason, "expired");
	ck_assert_str_eq(story.transaction.failure_code, "");
	ck_assert_int_eq(story.operation.next_action, NEXT_NONE);
	ck_assert_uint_eq(story.operation.payment_token_sealed_size, 0);
	ck_assert_int_eq(story_attempts(&service, &story), 0);
}
END_TEST

START_TEST(a_manual_payment_is_left_alone_until_it_expires)
{
	struct story story = story_pending(&service, clock_now_us() + HOUR_US);

	story.operation.next_action = NEXT_EXPIRE;
	story_put(&service, &story);

	ck_assert_uint_eq(claim_due(), 0);

	story_get(&service, &story);
	ck_assert_int_eq(story.transaction.status, TS_PENDING);
	ck_assert_uint_eq(story.transaction.version, 1);
}
END_TEST

struct starter {
	struct control_request request;
	enum control_outcome outcome;
	enum err err;
};

static void *start(void *context)
{
	struct starter *starter = context;
	struct transaction_view view;

	starter->err = control_process(service.pool, &starter->request, SERVICE_WAIT_MS,
				       &starter->outcome, &view);
	return NULL;
}

START_TEST(sixteen_starts_at_once_are_one)
{
	struct story story = put_manual();
	struct starter starters[16];
	int done = 0;

	for (size_t i = 0; i < COUNT(starters); i++)
		starters[i] = (struct starter){ .request = request_for(&story, false) };

	service_together(COUNT(starters), start, starters, sizeof starters[0]);

	for (size_t i = 0; i < COUNT(starters); i++) {
		ck_assert_int_eq(starters[i].err, ERR_OK);
		done += starters[i].outcome == CONTROL_DONE;
		ck_assert(starters[i].outcome == CONTROL_DONE ||
			  starters[i].outcome == CONTROL_BEFORE);
	}
	ck_assert_int_eq(done, 1);
	story_get(&service, &story);
	ck_assert_uint_eq(story.transaction.version, 2);
}
END_TEST

/* ---- every other state: what each request comes to ---- */

/* clang-format off */
static const struct state {
	const char *name;
	enum attempt_status attempt;
	enum operation_status operation;
	enum control_outcome process, cancel, cancel_by_key;
	enum transaction_status cancelled; /* the status after a cancellation */
} states[] = {
	{ "prepared", AS_PREPARED, OS_PROCESSING,
	  CONTROL_BEFORE, CONTROL_REFUSED, CONTROL_WISHED, TS_PROCESSING },
	{ "sent", AS_SENT, OS_PROCESSING,
	  CONTROL_BEFORE, CONTROL_REFUSED, CONTROL_WISHED, TS_PROCESSING },
	{ "accepted", AS_ACCEPTED, OS_PROCESSING,
	  CONTROL_BEFORE, CONTROL_REFUSED, CONTROL_WISHED, TS_PROCESSING },
	{ "customer acts", AS_REQUIRES_ACTION, OS_PROCESSING,
	  CONTROL_BEFORE, CONTROL_REFUSED, CONTROL_WISHED, TS_PROCESSING },
	{ "unknown", AS_UNKNOWN, OS_PROCESSING,
	  CONTROL_BEFORE, CONTROL_REFUSED, CONTROL_WISHED, TS_PROCESSING },
	{ "retry after a decline", AS_DECLINED, OS_PROCESSING,
	  CONTROL_BEFORE, CONTROL_DONE, CONTROL_DONE, TS_FAILED },
	{ "retry after not sent", AS_NOT_SENT, OS_PROCESSING,
	  CONTROL_BEFORE, CONTROL_DONE, CONTROL_DONE, TS_FAILED },
	{ "retry after not found", AS_NOT_FOUND, OS_PROCESSING,
	  CONTROL_BEFORE, CONTROL_DONE, CONTROL_DONE, TS_FAILED },
	{ "parked, unknown", AS_UNKNOWN, OS_PARKED,
	  CONTROL_REFUSED, CONTROL_REFUSED, CONTROL_WISHED, TS_PARKED },
	{ "parked, declined", AS_DECLINED, OS_PARKED,
	  CONTROL_REFUSED, CONTROL_REFUSED, CONTROL_WISHED, TS_PARKED },
	{ "completed", AS_SUCCEEDED, OS_SUCCEEDED,
	  CONTROL_BEFORE, CONTROL_REFUSED, CONTROL_REFUSED, TS_COMPLETED },
	{ "failed", AS_DECLINED, OS_FAILED,
	  CONTROL_REFUSED, CONTROL_REFUSED, CONTROL_REFUSED, TS_FAILED },
};
/* clang-format on */

START_TEST(starting_what_is_under_way_or_over_changes_nothing)
{
	struct story story = put_attempt(states[_i].attempt, states[_i].operation);
	struct story before = story;

	ck_assert_msg(act(&story, control_process, false) == states[_i].process, "%s",
		      states[_i].name);

	ck_assert_uint_eq(story.transaction.version, before.transaction.version);
	ck_assert_int_eq(story.operation.next_action, before.operation.next_action);
	ck_assert_int_eq(story.operation.next_action_at_us, before.operation.next_action_at_us);
}
END_TEST

static void check_cancelled(const struct state *state, struct story *story)
{
	struct event_row event = story_last_event(&service, story);

	ck_assert_str_eq(event.type, "cancelled");
	ck_assert_str_eq(event.reason, "cancelled_by_client");
	ck_assert_int_eq(event.transaction_to, state->cancelled);
	ck_assert_str_eq(story->transaction.failure_code, "cancelled_by_client");
	ck_assert_int_eq(story->operation.status, OS_FAILED);
	ck_assert_int_eq(story->operation.next_action, NEXT_NONE);
	ck_assert_uint_eq(story->operation.payment_token_sealed_size, 0);
	ck_assert_int_eq(act(story, control_cancel, true), CONTROL_BEFORE);
}

static void check_wished(struct story *story)
{
	int64_t wished_at_us = story->operation.cancel_wished_at_us;
	struct event_row event = story_last_event(&service, story);

	ck_assert_int_ne(wished_at_us, 0);
	ck_assert_str_eq(event.type, "cancel_wished");
	ck_assert_int_eq(event.transaction_from, event.transaction_to);
	ck_assert_int_eq(act(story, control_cancel, true), CONTROL_WISHED);
	ck_assert_int_eq(story->operation.cancel_wished_at_us, wished_at_us);
}

START_TEST(a_cancellation_is_done_refused_or_remembered)
{
	const struct state *state = &states[_i / 2];
	bool remember = _i % 2 == 1;
	enum control_outcome wanted = remember ? state->cancel_by_key : state->cancel;
	struct story story = put_attempt(state->attempt, state->operation);
	struct story before = story;
	uint32_t version = before.transaction.version;

	ck_assert_msg(act(&story, control_cancel, remember) == wanted, "%s", state->name);

	ck_assert_int_eq(story.transaction.status, state->cancelled);
	ck_assert_uint_eq(story.transaction.version,
			  version + (wanted == CONTROL_DONE || wanted == CONTROL_WISHED));
	if (wanted == CONTROL_DONE)
		check_cancelled(state, &story);
	if (wanted == CONTROL_WISHED)
		check_wished(&story);
	else
		ck_assert_int_eq(story.operation.cancel_wished_at_us, 0);
}
END_TEST

START_TEST(a_pending_payment_is_cancelled_for_ever)
{
	struct story manual = put_manual();
	struct story automatic = story_pending(&service, clock_now_us() + HOUR_US);
	struct story *stories[] = { &manual, &automatic };

	story_put(&service, &automatic);
	for (size_t i = 0; i < COUNT(stories); i++) {
		ck_assert_int_eq(act(stories[i], control_cancel, i == 1), CONTROL_DONE);

		ck_assert_int_eq(stories[i]->transaction.status, TS_CANCELLED);
		ck_assert_str_eq(stories[i]->transaction.status_reason, "cancelled_by_client");
		ck_assert_str_eq(stories[i]->transaction.failure_code, "");
		ck_assert_int_eq(stories[i]->operation.status, OS_CANCELLED);
		ck_assert_uint_eq(stories[i]->operation.payment_token_sealed_size, 0);
		ck_assert_str_eq(story_last_event(&service, stories[i]).type, "cancelled");
		ck_assert_int_eq(act(stories[i], control_cancel, false), CONTROL_BEFORE);
		ck_assert_int_eq(act(stories[i], control_process, false), CONTROL_REFUSED);
		ck_assert_uint_eq(stories[i]->transaction.version, 2);
	}
}
END_TEST

START_TEST(while_an_exception_is_open_a_retry_is_not_cancelled)
{
	struct story story = put_attempt(AS_DECLINED, OS_PROCESSING);
	char hex[2 * ID_SIZE + 1];

	service_do(&service,
		   "INSERT INTO exception (id, kind, transaction_id, state, detail, opened_at_us) "
		   "VALUES (RANDOM_BYTES(16), 'late_success', x'%s', 'open', 'x', 1)",
		   crypto_hex(story.transaction.id.bytes, ID_SIZE, hex));

	ck_assert_int_eq(act(&story, control_cancel, false), CONTROL_REFUSED);
	ck_assert_int_eq(act(&story, control_cancel, true), CONTROL_WISHED);
}
END_TEST

static const struct {
	struct version_match wanted;
	enum err err;
} versions[] = {
	{ { .any = true }, ERR_OK },
	{ { .count = 1, .list = { 1 } }, ERR_OK },
	{ { .count = 2, .list = { 3, 1 } }, ERR_OK },
	{ { .count = 1, .list = { 2 } }, ERR_STALE },
	{ { .count = 0 }, ERR_STALE },
};

START_TEST(a_request_about_another_version_changes_nothing)
{
	struct story story = put_manual();
	struct control_request request = request_for(&story, false);
	const enum err wanted = versions[_i].err;
	struct transaction_view view;
	enum control_outcome outcome;

	ck_assert_uint_eq(story.transaction.version, 1);
	request.wanted = &versions[_i].wanted;

	ck_assert_int_eq(control_cancel(service.pool, &request, SERVICE_WAIT_MS, &outcome, &view),
			 wanted);

	story_get(&service, &story);
	ck_assert_uint_eq(story.transaction.version, wanted == ERR_OK ? 2 : 1);
	ck_assert_int_eq(story.transaction.status, wanted == ERR_OK ? TS_CANCELLED : TS_PENDING);
}
END_TEST

START_TEST(what_is_not_the_merchants_is_not_found)
{
	struct story story = put_manual();
	struct control_request requests[] = { request_for(&story, true),
					      request_for(&story, true) };
	control *const both[] = { control_process, control_cancel };
	struct transaction_view view;
	enum control_outcome outcome;

	requests[0].merchant = SERVICE_OTHER_MERCHANT;
	requests[1].transaction_id = story.operation.id;
	for (size_t i = 0; i < COUNT(requests); i++)
		for (size_t j = 0; j < COUNT(both); j++)
			ck_assert_int_eq(both[j](service.pool, &requests[i], SERVICE_WAIT_MS,
						 &outcome, &view),
					 ERR_NOT_FOUND);
	story_get(&service, &story);
	ck_assert_uint_eq(story.transaction.version, 1);
}
END_TEST

/* ---- what follows a wish ---- */

static enum outcome_effect say(struct story *story, enum attempt_event event, bool retryable)
{
	struct telling telling = { .source = OUTCOME_ANSWER, .answer = service_answer(event) };

	telling.answer.retryable = retryable;
	return story_tell(&service, story, &telling);
}

START_TEST(a_success_after_a_wish_is_an_exception)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);

	ck_assert_int_eq(act(&story, control_cancel, _i == 1),
			 _i == 1 ? CONTROL_WISHED : CONTROL_REFUSED);

	ck_assert_int_eq(say(&story, AE_SUCCEEDED, false), OUTCOME_APPLIED);

	ck_assert_int_eq(story.transaction.status, TS_COMPLETED);
	ck_assert_int_eq(story.transaction.amount_captured, SERVICE_AMOUNT);
	ck_assert_str_eq(story.transaction.status_reason, _i == 1 ? "cancel_wished" : "");
	ck_assert_int_eq(story_exceptions(&service, &story, EXCEPTION_UNWANTED_SUCCESS), _i);
	ck_assert_int_eq(service_number(&service,
					"SELECT COUNT(*) FROM exception WHERE detail LIKE "
					"'%%refund it: " SERVICE_GATEWAY " said%%'"),
			 _i);
}
END_TEST

/* clang-format off */
static const struct {
	enum attempt_event event;
	bool retryable;
	const char *failure;
} ends[] = {
	{ AE_DECLINED, true, "cancelled_by_client" },
	{ AE_DECLINED, false, "declined" },
	{ AE_NOT_SENT, true, "cancelled_by_client" },
};
/* clang-format on */

START_TEST(after_a_wish_nothing_is_tried_again)
{
	struct story story = put_attempt(AS_PREPARED, OS_PROCESSING);

	ck_assert_int_eq(act(&story, control_cancel, true), CONTROL_WISHED);

	ck_assert_int_eq(say(&story, ends[_i].event, ends[_i].retryable), OUTCOME_APPLIED);

	ck_assert_int_eq(story.transaction.status, TS_FAILED);
	ck_assert_str_eq(story.transaction.failure_code, ends[_i].failure);
	ck_assert_int_eq(story.operation.status, OS_FAILED);
	ck_assert_int_eq(story_exceptions(&service, &story, EXCEPTION_UNWANTED_SUCCESS), 0);
}
END_TEST

START_TEST(what_was_wished_to_be_cancelled_is_not_sent_again)
{
	struct story story = story_attempt(&service, AS_DECLINED, OS_PROCESSING, clock_now_us());

	story.operation.cancel_wished_at_us = 1;
	story_put(&service, &story);

	ck_assert_uint_eq(claim_due(), 0);

	story_get(&service, &story);
	ck_assert_int_eq(story.transaction.status, TS_FAILED);
	ck_assert_str_eq(story.transaction.failure_code, "cancelled_by_client");
	ck_assert_int_eq(story.operation.status, OS_FAILED);
	ck_assert_str_eq(story_last_event(&service, &story).type, "cancelled");
	ck_assert_int_eq(story_attempts(&service, &story), 1);
}
END_TEST

START_TEST(a_live_attempt_where_none_may_be_is_for_a_human)
{
	struct story story = story_attempt(&service, AS_UNKNOWN, OS_PROCESSING, clock_now_us());

	story.operation.next_action = NEXT_SEND;
	story.operation.cancel_wished_at_us = 1;
	story_put(&service, &story);
	ck_assert_int_eq(act(&story, control_cancel, false), CONTROL_REFUSED);

	ck_assert_uint_eq(claim_due(), 0);

	story_get(&service, &story);
	ck_assert_int_eq(story.transaction.status, TS_PARKED);
	ck_assert_int_eq(story.attempt.status, AS_UNKNOWN);
}
END_TEST

/* ---- keys ---- */

static struct story put_key(const char *key)
{
	struct story story = story_pending(&service, clock_now_us());

	snprintf(story.operation.idempotency_key, sizeof story.operation.idempotency_key, "%s",
		 key);
	story.operation.request_hashes_size = 16;
	story_put(&service, &story);
	return story;
}

static enum err find(const char *merchant, const char *key, struct operation_key *found)
{
	return control_find_key(service.pool, merchant, key, SERVICE_WAIT_MS, found);
}

START_TEST(a_key_finds_what_it_began)
{
	struct story story = put_key("order-1");
	struct operation_key found;

	ck_assert_int_eq(find(SERVICE_MERCHANT, "order-1", &found), ERR_OK);

	ck_assert(id_equal(found.transaction_id, story.transaction.id));
	ck_assert_int_eq(found.status, TS_PENDING);
	ck_assert_int_eq(found.first_seen_at_us, story.operation.created_at_us);
	ck_assert_int_eq(find(SERVICE_MERCHANT, "order-2", &found), ERR_NOT_FOUND);
	ck_assert_int_eq(find(SERVICE_MERCHANT, "ORDER-1", &found), ERR_NOT_FOUND);
	ck_assert_int_eq(find(SERVICE_OTHER_MERCHANT, "order-1", &found), ERR_NOT_FOUND);
}
END_TEST

static enum err find_beside(struct store_tx *tx, void *context)
{
	struct story story = story_pending(&service, clock_now_us());
	struct operation_key found;

	snprintf(story.operation.idempotency_key, sizeof story.operation.idempotency_key,
		 "order-3");
	story.operation.request_hashes_size = 16;
	ck_assert_int_eq(store_operation_insert(tx, &story.operation), ERR_OK);
	*(enum err *)context = find(SERVICE_MERCHANT, "order-3", &found);
	return ERR_STATE; /* roll back */
}

START_TEST(a_key_that_is_being_committed_is_in_flight)
{
	struct operation_key found;
	enum err err = ERR_OK;

	ck_assert_int_eq(store_run(service.store, find_beside, &err), ERR_STATE);

	ck_assert_int_eq(err, ERR_KEY_IN_FLIGHT);
	ck_assert_int_eq(find(SERVICE_MERCHANT, "order-3", &found), ERR_NOT_FOUND);
}
END_TEST

/* Its commit is not answered, and by the time it looks again the payment has moved on. */
START_TEST(a_request_finds_the_effect_it_had)
{
	static const struct {
		control *act;
		const char *type;
		const char *then;
	} requests[] = {
		{ control_process, "process_requested",
		  "UPDATE transaction SET status = 'failed', failure_code = 'declined' "
		  "WHERE id = NEW.transaction_id" },
		{ control_void, "void_requested",
		  "UPDATE operation SET status = 'succeeded', next_action = 'none', "
		  "next_action_at_us = NULL WHERE id = NEW.operation_id" },
	};
	struct story story = _i == 0 ? put_manual() : story_authorised(&service, clock_now_us());
	struct control_request request = request_for(&story, false);
	struct store_settings settings = service.database;
	struct commit_cutter cutter;
	struct store_pool *pool;
	struct transaction_view view;
	enum control_outcome outcome;
	char why[STORE_WHY_SIZE];

	if (_i == 1) {
		struct story release = story_part(&story, OPERATION_VOID, AS_DECLINED, OS_PENDING);

		release.operation.next_action = NEXT_EXPIRE;
		release.without_attempt = true;
		story_put(&service, &story);
		story_part_put(&service, &release);
	}
	service_do(&service,
		   "CREATE TRIGGER moves_on AFTER INSERT ON event FOR EACH ROW BEGIN "
		   "IF NEW.type = '%s' THEN %s; END IF; END",
		   requests[_i].type, requests[_i].then);
	ck_assert(commit_cutter_start(&cutter, service.database.socket));
	settings.socket = cutter.path;
	ck_assert_int_eq(store_pool_open(&settings, 2, &pool, why), ERR_OK);
	atomic_store(&cutter.cut_after, 1);

	ck_assert_int_eq(requests[_i].act(pool, &request, SERVICE_WAIT_MS, &outcome, &view),
			 ERR_OK);

	ck_assert_int_eq(outcome, CONTROL_DONE);
	ck_assert_uint_eq(view.row.version, story.transaction.version + 1);
	store_pool_close(pool);
	commit_cutter_stop(&cutter);
	service_do(&service, "DROP TRIGGER moves_on");
}
END_TEST

UNIT_MAIN("control", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_manual_payment_is_due_once_it_is_started);
	tcase_add_test(tests, a_manual_payment_expires_and_is_never_sent);
	tcase_add_test(tests, a_manual_payment_is_left_alone_until_it_expires);
	tcase_add_test(tests, sixteen_starts_at_once_are_one);
	tcase_add_loop_test(tests, starting_what_is_under_way_or_over_changes_nothing, 0,
			    (int)COUNT(states));
	tcase_add_loop_test(tests, a_cancellation_is_done_refused_or_remembered, 0,
			    2 * (int)COUNT(states));
	tcase_add_test(tests, a_pending_payment_is_cancelled_for_ever);
	tcase_add_test(tests, while_an_exception_is_open_a_retry_is_not_cancelled);
	tcase_add_loop_test(tests, a_request_about_another_version_changes_nothing, 0,
			    (int)COUNT(versions));
	tcase_add_test(tests, what_is_not_the_merchants_is_not_found);
	tcase_add_loop_test(tests, a_success_after_a_wish_is_an_exception, 0, 2);
	tcase_add_loop_test(tests, after_a_wish_nothing_is_tried_again, 0, (int)COUNT(ends));
	tcase_add_test(tests, what_was_wished_to_be_cancelled_is_not_sent_again);
	tcase_add_test(tests, a_live_attempt_where_none_may_be_is_for_a_human);
	tcase_add_test(tests, a_key_finds_what_it_began);
	tcase_add_test(tests, a_key_that_is_being_committed_is_in_flight);
	tcase_add_loop_test(tests, a_request_finds_the_effect_it_had, 0, 2);
})
