/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* One step of a transaction: what it refuses, what it writes, and what it says in the log. */
#include "service/change.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "tests/unit/capture.h"
#include "tests/unit/service_fixture.h"

#define NOW_US SERVICE_NOW_US
#define LATER_US (NOW_US + 7 * SECOND_US)

static struct service service;

static void create(void)
{
	service_create(&service, "change");
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

static struct change begin(struct story *story)
{
	return change_begin(&story->transaction, &story->operation, &story->attempt, LATER_US);
}

struct writing {
	struct change *change;
	struct change_note note;
};

static enum err write_work(struct store_tx *tx, void *context)
{
	struct writing *writing = context;

	return change_write(tx, writing->change, &writing->note);
}

static enum err write_step(struct change *change, struct change_note *note)
{
	struct writing writing = { .change = change };
	enum err err = store_run(service.store, write_work, &writing);

	*note = writing.note;
	return err;
}

START_TEST(a_step_remembers_where_it_began)
{
	struct story story = story_attempt(&service, AS_SENT, OS_PROCESSING, NOW_US);
	struct change change = begin(&story);

	ck_assert_int_eq(change_attempt(&change, AE_SUCCEEDED), ERR_OK);
	ck_assert_int_eq(change_operation(&change, OE_SUCCEEDED), ERR_OK);

	ck_assert_int_eq(change.attempt_from, AS_SENT);
	ck_assert_int_eq(change.operation_from, OS_PROCESSING);
	ck_assert_int_eq(change.transaction_from, TS_PROCESSING);
	ck_assert_int_eq(story.attempt.status, AS_SUCCEEDED);
	ck_assert_int_eq(story.operation.status, OS_SUCCEEDED);
	ck_assert_int_eq(story.transaction.status, TS_COMPLETED);
}
END_TEST

START_TEST(what_the_tables_refuse_leaves_the_row)
{
	struct story story = story_attempt(&service, AS_SUCCEEDED, OS_SUCCEEDED, NOW_US);
	struct change change = begin(&story);

	ck_assert_int_eq(change_attempt(&change, AE_DECLINED), ERR_STATE);
	ck_assert_int_eq(change_operation(&change, OE_FAILED), ERR_STATE);

	ck_assert_int_eq(story.attempt.status, AS_SUCCEEDED);
	ck_assert_int_eq(story.operation.status, OS_SUCCEEDED);
	ck_assert_int_eq(story.transaction.status, TS_COMPLETED);
}
END_TEST

START_TEST(nothing_next_has_no_time)
{
	struct story story = story_attempt(&service, AS_SENT, OS_PROCESSING, NOW_US);
	struct change change = begin(&story);

	change_next(&change, NEXT_ASK, LATER_US);
	ck_assert_int_eq(story.operation.next_action, NEXT_ASK);
	ck_assert_int_eq(story.operation.next_action_at_us, LATER_US);
	change_next(&change, NEXT_NONE, LATER_US);
	ck_assert_int_eq(story.operation.next_action, NEXT_NONE);
	ck_assert_int_eq(story.operation.next_action_at_us, 0);
}
END_TEST

START_TEST(a_step_is_written_with_its_event)
{
	struct story story = story_attempt(&service, AS_SENT, OS_PROCESSING, NOW_US);
	struct change change;
	struct change_note note;
	struct event_row event;

	story_put(&service, &story);
	change = begin(&story);
	ck_assert_int_eq(change_attempt(&change, AE_ACCEPTED), ERR_OK);
	story.attempt.open_since_us = LATER_US;
	change_next(&change, NEXT_ASK, LATER_US + 1);
	change.type = "attempt_accepted";
	change.reason = "accepted";
	change.api_call_id = "call_1";

	ck_assert_int_eq(write_step(&change, &note), ERR_OK);

	story_get(&service, &story);
	event = story_last_event(&service, &story);
	ck_assert_uint_eq(story.transaction.version, 3);
	ck_assert_int_eq(story.transaction.updated_at_us, LATER_US);
	ck_assert_int_eq(story.operation.updated_at_us, LATER_US);
	ck_assert_int_eq(story.operation.next_action_at_us, LATER_US + 1);
	ck_assert_int_eq(story.attempt.status, AS_ACCEPTED);
	ck_assert_int_eq(story.attempt.updated_at_us, LATER_US);
	ck_assert_uint_eq(event.sequence, 3);
	ck_assert_str_eq(event.type, "attempt_accepted");
	ck_assert_str_eq(event.reason, "accepted");
	ck_assert_str_eq(event.api_call_id, "call_1");
	ck_assert_str_eq(event.merchant, SERVICE_MERCHANT);
	ck_assert_int_eq(event.at_us, LATER_US);
	ck_assert(id_equal(event.operation_id, story.operation.id));
	ck_assert(id_equal(event.attempt_id, story.attempt.id));
	ck_assert_int_eq(event.attempt_from, AS_SENT);
	ck_assert_int_eq(event.attempt_to, AS_ACCEPTED);
	ck_assert_int_eq(event.operation_from, OS_PROCESSING);
	ck_assert_int_eq(event.operation_to, OS_PROCESSING);
	ck_assert_int_eq(event.transaction_from, TS_PROCESSING);
	ck_assert_str_eq(note.type, "attempt_accepted");
	ck_assert_int_eq(note.status, TS_PROCESSING);
	ck_assert(id_equal(note.transaction_id, story.transaction.id));
	ck_assert(id_equal(note.attempt_id, story.attempt.id));
}
END_TEST

START_TEST(a_step_that_concerns_no_attempt_names_none)
{
	struct story story = story_pending(&service, NOW_US);
	struct change change;
	struct change_note note;
	struct event_row event;

	story_put(&service, &story);
	change = change_begin(&story.transaction, &story.operation, NULL, LATER_US);
	ck_assert_int_eq(change_park(&change, "nobody_knows"), ERR_OK);
	change.type = "parked";

	ck_assert_int_eq(write_step(&change, &note), ERR_OK);

	event = story_last_event(&service, &story);
	ck_assert(id_is_empty(event.attempt_id));
	ck_assert_int_eq(event.attempt_from, EVENT_NO_STATUS);
	ck_assert_int_eq(event.attempt_to, EVENT_NO_STATUS);
	ck_assert_int_eq(event.operation_from, OS_PENDING);
	ck_assert_int_eq(event.operation_to, OS_PARKED);
	ck_assert(id_is_empty(note.attempt_id));
}
END_TEST

START_TEST(a_final_operation_has_nothing_next_and_no_token)
{
	struct story story = story_attempt(&service, AS_SENT, OS_PROCESSING, NOW_US);
	struct change change;
	struct change_note note;

	story_put(&service, &story);
	change = begin(&story);
	ck_assert_int_eq(_i == 0 ? change_operation(&change, OE_SUCCEEDED)
				 : change_fail(&change, "declined"),
			 ERR_OK);
	change_next(&change, NEXT_ASK, LATER_US);
	change.type = "ended";

	ck_assert_int_eq(write_step(&change, &note), ERR_OK);

	story_get(&service, &story);
	ck_assert_int_eq(story.operation.next_action, NEXT_NONE);
	ck_assert_int_eq(story.operation.next_action_at_us, 0);
	ck_assert_uint_eq(story.operation.payment_token_sealed_size, 0);
	ck_assert_str_eq(story.operation.payment_token_key_id, "");
}
END_TEST

START_TEST(a_new_attempt_is_inserted)
{
	struct story story = story_attempt(&service, AS_PREPARED, OS_PROCESSING, NOW_US);
	struct change change;
	struct change_note note;

	story.without_attempt = true;
	story_put(&service, &story);
	change = begin(&story);
	change.attempt_is_new = true;
	change.type = "attempt_prepared";

	ck_assert_int_eq(write_step(&change, &note), ERR_OK);

	story.without_attempt = false;
	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_PREPARED);
	ck_assert_int_eq(story_last_event(&service, &story).attempt_from, EVENT_NO_STATUS);
}
END_TEST

/* Something that refuses, and then commits what is left of the work: there must be nothing. */
static enum err conflict_work(struct store_tx *tx, void *context)
{
	struct writing *writing = context;

	ck_assert_int_eq(change_write(tx, writing->change, &writing->note), ERR_CONFLICT);
	return ERR_OK;
}

START_TEST(a_second_live_attempt_is_refused_before_anything_is_written)
{
	struct story story = story_attempt(&service, AS_SENT, OS_PROCESSING, NOW_US);
	struct story second = story;
	struct change change;
	struct writing writing = { .change = &change, .note = { .type = "" } };

	story_put(&service, &story);
	second.attempt.id = second.transaction.id;
	second.attempt.number = 2;
	second.operation.attempt_count = 2;
	change = begin(&second);
	change.attempt_is_new = true;
	change.type = "attempt_prepared";

	ck_assert_int_eq(store_run(service.store, conflict_work, &writing), ERR_OK);

	story_get(&service, &story);
	ck_assert_uint_eq(story.transaction.version, 2);
	ck_assert_uint_eq(story.operation.attempt_count, 1);
	ck_assert_uint_eq(story_last_event(&service, &story).sequence, 2);
	ck_assert_str_eq(writing.note.type, "");
}
END_TEST

START_TEST(a_step_on_rows_that_moved_meanwhile_is_refused)
{
	struct story story = story_attempt(&service, AS_SENT, OS_PROCESSING, NOW_US);
	struct story stale = story;
	struct change change;
	struct change_note note;

	story_put(&service, &story);
	change = begin(&story);
	change.type = "first";
	ck_assert_int_eq(write_step(&change, &note), ERR_OK);

	change = begin(&stale);
	change.type = "second";
	ck_assert_int_eq(write_step(&change, &note), ERR_STORE);

	ck_assert_str_eq(note.type, "");
	ck_assert_str_eq(story_last_event(&service, &story).type, "first");
}
END_TEST

/* The lines that logging a note writes. */
static void log_captured(const struct change_note *note, struct capture *capture)
{
	capture_start(capture);
	log_open("test", LOG_INFO, STDERR_FILENO);
	change_log(note);
	capture_end(capture);
}

START_TEST(a_committed_step_is_one_line_in_the_log)
{
	static struct capture capture;
	struct story story = story_attempt(&service, AS_SENT, OS_PROCESSING, NOW_US);
	struct change_note note = { .type = "attempt_declined",
				    .reason = "do_not_honour",
				    .transaction_id = story.transaction.id,
				    .attempt_id = story.attempt.id,
				    .status = TS_FAILED };
	char transaction[ID_TEXT_SIZE];
	char attempt[ID_TEXT_SIZE];

	log_captured(&note, &capture);

	ck_assert_ptr_nonnull(strstr(capture.err, "\"event\":\"attempt_declined\""));
	ck_assert_ptr_nonnull(strstr(capture.err, "\"reason\":\"do_not_honour\""));
	ck_assert_ptr_nonnull(strstr(capture.err, "\"status\":\"failed\""));
	ck_assert_ptr_nonnull(
		strstr(capture.err, id_format(ID_TRANSACTION, story.transaction.id, transaction)));
	ck_assert_ptr_nonnull(
		strstr(capture.err, id_format(ID_ATTEMPT, story.attempt.id, attempt)));
	ck_assert_ptr_eq(strchr(capture.err, '\n'), capture.err + strlen(capture.err) - 1);
}
END_TEST

START_TEST(a_step_that_was_not_written_is_not_logged)
{
	static struct capture capture;
	struct change_note note = { .type = "" };

	log_captured(&note, &capture);

	ck_assert_str_eq(capture.err, "");
}
END_TEST

UNIT_MAIN("change", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_step_remembers_where_it_began);
	tcase_add_test(tests, what_the_tables_refuse_leaves_the_row);
	tcase_add_test(tests, nothing_next_has_no_time);
	tcase_add_test(tests, a_step_is_written_with_its_event);
	tcase_add_test(tests, a_step_that_concerns_no_attempt_names_none);
	tcase_add_loop_test(tests, a_final_operation_has_nothing_next_and_no_token, 0, 2);
	tcase_add_test(tests, a_new_attempt_is_inserted);
	tcase_add_test(tests, a_second_live_attempt_is_refused_before_anything_is_written);
	tcase_add_test(tests, a_step_on_rows_that_moved_meanwhile_is_refused);
	tcase_add_test(tests, a_committed_step_is_one_line_in_the_log);
	tcase_add_test(tests, a_step_that_was_not_written_is_not_logged);
})
