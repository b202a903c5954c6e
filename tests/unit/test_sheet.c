/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Sheets: rows that are read once, changed in memory and written together are what they would be one by one. */
#include "store/sheet.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/sheet_private.h"
#include "tests/unit/service_fixture.h"

#define STORIES 70 /* more than one class of statements */

static struct service service;
static struct story stories[STORIES];

static void create(void)
{
	service_create(&service, "sheet");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	service_open(&service);
	for (int i = 0; i < STORIES; i++) {
		stories[i] = story_attempt(&service, i % 2 == 0 ? AS_SENT : AS_DECLINED,
					   OS_PROCESSING, SERVICE_NOW_US);
		story_put(&service, &stories[i]);
	}
}

static void tear_down(void)
{
	service_close(&service);
}

static void operation_ids(struct id ids[STORIES])
{
	for (int i = 0; i < STORIES; i++)
		ids[i] = stories[i].operation.id;
}

static long long questions(void)
{
	return service_number(&service, "SELECT VARIABLE_VALUE FROM "
					"information_schema.GLOBAL_STATUS "
					"WHERE VARIABLE_NAME = 'Com_stmt_execute'");
}

static enum err change_all(struct store_tx *tx)
{
	enum err err = ERR_OK;

	for (int i = 0; err == ERR_OK && i < STORIES; i++) {
		struct operation_row operation;
		struct transaction_row transaction;
		struct attempt_row attempt;

		err = store_operation_lock(tx, stories[i].operation.id, &operation);
		if (err == ERR_OK)
			err = store_transaction_lock(tx, operation.transaction_id, &transaction);
		if (err == ERR_OK)
			err = store_attempt_lock(tx, stories[i].attempt.id, &attempt);
		if (err != ERR_OK)
			return err;
		operation.retry_count = 2;
		operation.next_action = NEXT_ASK;
		operation.next_action_at_us = SERVICE_NOW_US + i;
		operation.payment_token_sealed_size =
			i % 3 == 0 ? 0 : operation.payment_token_sealed_size;
		transaction.version++;
		snprintf(transaction.status_reason, sizeof transaction.status_reason, "reason_%d",
			 i);
		snprintf(attempt.gateway_ref, sizeof attempt.gateway_ref, "gw_%d", i);
		err = store_operation_update(tx, &operation);
		if (err == ERR_OK)
			err = store_transaction_update(tx, &transaction);
		if (err == ERR_OK)
			err = store_attempt_update(tx, &attempt);
	}
	return err;
}

static enum err together_work(struct store_tx *tx, void *context)
{
	struct id operations[STORIES];
	struct id attempts[STORIES];
	enum err err = store_sheet_open(tx);

	(void)context;
	operation_ids(operations);
	for (int i = 0; i < STORIES; i++)
		attempts[i] = stories[i].attempt.id;
	if (err == ERR_OK)
		err = store_sheet_lock(tx, operations, STORIES);
	if (err == ERR_OK)
		err = store_sheet_lock_attempts(tx, operations, attempts, STORIES);
	return err == ERR_OK ? change_all(tx) : err;
}

START_TEST(rows_are_written_as_they_were_changed_in_few_statements)
{
	const long long before = questions();

	ck_assert_int_eq(store_run(service.store, together_work, NULL), ERR_OK);

	ck_assert_int_lt(questions() - before, STORIES);
	for (int i = 0; i < STORIES; i++) {
		struct story after = stories[i];
		char text[32];

		story_get(&service, &after);
		ck_assert_uint_eq(after.operation.retry_count, 2);
		ck_assert_int_eq(after.operation.next_action_at_us, SERVICE_NOW_US + i);
		ck_assert_int_eq(after.operation.payment_token_sealed_size == 0, i % 3 == 0);
		ck_assert_uint_eq(after.transaction.version, stories[i].transaction.version + 1);
		snprintf(text, sizeof text, "reason_%d", i);
		ck_assert_str_eq(after.transaction.status_reason, text);
		snprintf(text, sizeof text, "gw_%d", i);
		ck_assert_str_eq(after.attempt.gateway_ref, text);
		/* What a change does not concern is as it was. */
		ck_assert_int_eq(after.transaction.amount.minor,
				 stories[i].transaction.amount.minor);
		ck_assert_str_eq(after.transaction.customer, stories[i].transaction.customer);
		ck_assert_str_eq(after.attempt.our_reference, stories[i].attempt.our_reference);
	}
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM operation"), STORIES);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM attempt"), STORIES);
}
END_TEST

static enum err refused_work(struct store_tx *tx, void *context)
{
	enum err err = together_work(tx, NULL);

	(void)context;
	return err == ERR_OK ? ERR_STATE : err;
}

START_TEST(nothing_is_written_where_the_work_is_refused)
{
	ck_assert_int_eq(store_run(service.store, refused_work, NULL), ERR_STATE);

	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM operation "
						  "WHERE retry_count = 2"),
			 0);
}
END_TEST

/* Find what was changed in this transaction, by the row functions and by a read of the tables. */
static enum err own_changes_work(struct store_tx *tx, void *context)
{
	struct story *story = context;
	struct attempt_row attempt;
	enum err err = store_sheet_open(tx);

	if (err == ERR_OK)
		err = store_sheet_lock(tx, &story->operation.id, 1);
	if (err == ERR_OK)
		err = store_attempt_lock_live(tx, story->operation.id, &attempt);
	ck_assert_int_eq(err, ERR_OK);
	ck_assert(id_equal(attempt.id, story->attempt.id));
	attempt.status = AS_DECLINED;
	snprintf(attempt.decline_code, sizeof attempt.decline_code, "do_not_honor");
	snprintf(attempt.gateway_ref, sizeof attempt.gateway_ref, "gw_seen");
	ck_assert_int_eq(store_attempt_update(tx, &attempt), ERR_OK);

	ck_assert_int_eq(store_attempt_lock_live(tx, story->operation.id, &attempt), ERR_NOT_FOUND);
	ck_assert_int_eq(store_attempt_lock(tx, story->attempt.id, &attempt), ERR_OK);
	ck_assert_int_eq(attempt.status, AS_DECLINED);
	ck_assert_int_eq(store_attempt_find(tx, attempt.gateway, "gw_seen", "", &attempt), ERR_OK);
	ck_assert(id_equal(attempt.id, story->attempt.id));
	return ERR_OK;
}

START_TEST(a_transaction_sees_its_own_changes)
{
	ck_assert_int_eq(store_run(service.store, own_changes_work, &stories[0]), ERR_OK);
}
END_TEST

/* A second live attempt of one operation, beside a good change of another. */
static enum err second_attempt_work(struct store_tx *tx, void *context)
{
	struct attempt_row second = stories[0].attempt;
	enum err err = together_work(tx, NULL);

	(void)context;
	second.id.bytes[0] ^= 1;
	second.number = 2;
	return err == ERR_OK ? store_attempt_insert(tx, &second) : err;
}

START_TEST(a_second_live_attempt_is_refused_with_all_that_goes_with_it)
{
	ck_assert_int_eq(store_run(service.store, second_attempt_work, NULL), ERR_CONFLICT);

	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM attempt"), STORIES);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM operation "
						  "WHERE retry_count = 2"),
			 0);
}
END_TEST

static enum err marks_work(struct store_tx *tx, void *context)
{
	struct id operations[STORIES];
	struct exception_row exception = { .kind = EXCEPTION_INTEGRITY, .detail = "differs" };
	int64_t count;
	bool known;
	enum err err = store_sheet_open(tx);

	(void)context;
	operation_ids(operations);
	if (err == ERR_OK)
		err = store_sheet_lock(tx, operations, STORIES);
	ck_assert_int_eq(err, ERR_OK);
	for (int i = 0; i < STORIES; i++) {
		ck_assert_int_eq(sheet_count(tx, SHEET_OPEN_EXCEPTIONS, stories[i].transaction.id,
					     &count, &known),
				 ERR_OK);
		ck_assert(known);
		ck_assert_int_eq(count, i == 3 ? 1 : 0);
	}
	exception.id = stories[5].attempt.id;
	exception.transaction_id = stories[5].transaction.id;
	exception.attempt_id = stories[5].attempt.id;
	exception.opened_at_us = SERVICE_NOW_US;
	ck_assert_int_eq(store_exception_open(tx, &exception), ERR_OK);
	ck_assert_int_eq(store_exception_count_open(tx, stories[5].transaction.id, &count), ERR_OK);
	ck_assert_int_eq(count, 1);
	ck_assert_int_eq(store_exception_count_open(tx, stories[3].transaction.id, &count), ERR_OK);
	ck_assert_int_eq(count, 1);
	return ERR_OK;
}

static enum err open_work(struct store_tx *tx, void *context)
{
	return store_exception_open(tx, context);
}

START_TEST(open_exceptions_are_counted_at_once_and_never_missed)
{
	struct exception_row exception = { .id = stories[3].attempt.id,
					   .kind = EXCEPTION_INTEGRITY,
					   .transaction_id = stories[3].transaction.id,
					   .attempt_id = stories[3].attempt.id,
					   .detail = "differs",
					   .opened_at_us = SERVICE_NOW_US };

	ck_assert_int_eq(store_run(service.store, open_work, &exception), ERR_OK);

	ck_assert_int_eq(store_run(service.store, marks_work, NULL), ERR_OK);
}
END_TEST

/* A visitor finds the first of two operations held. */
struct visit {
	struct store_tx *holder;
	struct id operations[2];
	struct id attempts[2];
};

static enum err visitor_work(struct store_tx *tx, void *context)
{
	const struct visit *visit = context;
	struct attempt_row attempt;
	bool held[2];
	enum err err = store_sheet_open(tx);

	if (err == ERR_OK)
		err = store_sheet_lock(tx, visit->operations, 2);
	if (err == ERR_OK)
		err = store_sheet_lock_attempts(tx, visit->operations, visit->attempts, 2);
	for (int i = 0; err == ERR_OK && i < 2; i++)
		err = store_sheet_is_held(tx, visit->operations[i], visit->attempts[i], &held[i]);
	if (err != ERR_OK)
		return err;
	ck_assert(held[0]);
	ck_assert(!held[1]);
	return store_attempt_lock(visit->holder, visit->attempts[0], &attempt);
}

static enum err holder_work(struct store_tx *tx, void *context)
{
	struct visit *visit = context;
	struct operation_row operation;
	const enum err err = store_operation_lock(tx, visit->operations[0], &operation);

	visit->holder = tx;
	return err == ERR_OK ? store_run_tries(service.store, 1, visitor_work, visit) : err;
}

START_TEST(nothing_of_a_held_operation_is_kept_from_its_holder)
{
	struct visit visit = {
		.operations = { stories[0].operation.id, stories[1].operation.id },
		.attempts = { stories[0].attempt.id, stories[1].attempt.id },
	};
	struct store_settings settings = service.database;
	struct store *store;
	char why[STORE_WHY_SIZE];

	settings.lock_wait_max_s = 1;
	ck_assert_int_eq(store_open(&settings, &store, why), ERR_OK);

	ck_assert_int_eq(store_run_tries(store, 1, holder_work, &visit), ERR_OK);

	store_close(store);
}
END_TEST

UNIT_MAIN("sheet", {
	service_require();
	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, rows_are_written_as_they_were_changed_in_few_statements);
	tcase_add_test(tests, nothing_is_written_where_the_work_is_refused);
	tcase_add_test(tests, a_transaction_sees_its_own_changes);
	tcase_add_test(tests, a_second_live_attempt_is_refused_with_all_that_goes_with_it);
	tcase_add_test(tests, nothing_of_a_held_operation_is_kept_from_its_holder);
	tcase_add_test(tests, open_exceptions_are_counted_at_once_and_never_missed);
})
