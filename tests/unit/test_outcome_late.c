/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A success that comes after the decision, and what its gateway says of it later: that it came back. Whatever the
 * order, and however often, the books end where they began.
 */
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "service/request.h"
#include "store/exception.h"
#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (int)(sizeof(ROWS) / sizeof((ROWS)[0]))
#define NOW_US SERVICE_NOW_US

static struct service service;

static void create(void)
{
	service_create(&service, "outcome_late");
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

/* ---- what there is, and what is said of it ---- */

/* An operation of this kind with its one attempt, beside what it is about. */
static struct story put(enum operation_kind kind, enum attempt_status attempt,
			enum operation_status operation)
{
	struct story story = story_attempt(&service, attempt, operation, NOW_US);
	struct story parent;

	if (kind == OPERATION_PAYOUT)
		story.transaction.kind = TRANSACTION_WITHDRAWAL;
	if (kind != OPERATION_CAPTURE && kind != OPERATION_VOID && kind != OPERATION_REFUND) {
		story.operation.kind = kind;
		story_put(&service, &story);
		return story;
	}
	parent = kind == OPERATION_REFUND
			 ? story_attempt(&service, AS_SUCCEEDED, OS_SUCCEEDED, NOW_US)
			 : story_authorised(&service, NOW_US);
	story_put(&service, &parent);
	story = story_part(&parent, kind, attempt, operation);
	story_part_put(&service, &story);
	return story;
}

static enum outcome_effect say(struct story *story, enum outcome_source source,
			       enum attempt_event said)
{
	const struct telling telling = { .source = source, .answer = service_answer(said) };

	return story_tell(&service, story, &telling);
}

static long long events_of(const struct story *story, const char *type)
{
	char hex[2 * ID_SIZE + 1];

	return service_number(&service,
			      "SELECT COUNT(*) FROM event WHERE type = '%s' AND attempt_id = x'%s'",
			      type, crypto_hex(story->attempt.id.bytes, ID_SIZE, hex));
}

static long long late_that(const char *condition)
{
	return service_number(&service,
			      "SELECT COUNT(*) FROM exception WHERE kind = 'late_success' AND %s",
			      condition);
}

static long long entries(void)
{
	return service_number(&service, "SELECT COUNT(*) FROM ledger_entry");
}

/* What is left in an account of a gateway or merchant, whichever. */
static long long unbalanced(void)
{
	return service_number(&service,
			      "SELECT COUNT(*) FROM (SELECT 1 FROM ledger_entry GROUP BY account, "
			      "merchant, gateway, gateway_account, currency "
			      "HAVING SUM(debit_minor) <> SUM(credit_minor)) left_over");
}

/* Known as late, known as taken back, once each; and nothing is left of it in the books. */
static void check_undone(const struct story *before, const struct story *after)
{
	ck_assert_int_eq(after->operation.status, before->operation.status);
	ck_assert_int_eq(after->attempt.status, before->attempt.status);
	ck_assert_int_eq(after->transaction.status, before->transaction.status);
	ck_assert_int_eq(after->transaction.amount_captured, before->transaction.amount_captured);
	ck_assert_int_eq(after->transaction.amount_refunded, before->transaction.amount_refunded);
	ck_assert_int_eq(after->attempt.contradicted_at_us, NOW_US);
	ck_assert_int_eq(events_of(after, "attempt_contradicted"), 1);
	ck_assert_int_eq(events_of(after, "late_success_reversed"), 1);
	ck_assert_int_eq(unbalanced(), 0);
	(void)story_last_event(&service, after);
}

/* clang-format off */
static const struct undone {
	enum operation_kind kind;
	enum attempt_event said;
	int entries; /* of both postings together */
	bool implies; /* that it comes back says that it succeeded */
} undone[] = {
	{ OPERATION_CHARGE,    AE_REVERSED, 4, false },
	{ OPERATION_AUTHORISE, AE_REVERSED, 0, false },
	{ OPERATION_CAPTURE,   AE_REVERSED, 4, false },
	{ OPERATION_REFUND,    AE_REVERSED, 4, true },
	{ OPERATION_PAYOUT,    AE_RETURNED, 4, true },
};
static const enum attempt_status decided[] = { AS_DECLINED, AS_NOT_SENT, AS_NOT_FOUND, AS_UNKNOWN };
static const enum outcome_source sources[] = { OUTCOME_ANSWER, OUTCOME_INQUIRY, OUTCOME_CALLBACK };
/* clang-format on */

#define CASES (COUNT(undone) * COUNT(decided))

/* ---- in order, in another order, again ---- */

START_TEST(a_late_success_that_comes_back_leaves_nothing_in_the_books)
{
	const struct undone *row = &undone[_i / COUNT(decided)];
	const enum outcome_source source = sources[_i % COUNT(sources)];
	const struct story before =
		put(row->kind, decided[_i % COUNT(decided)], OS_FAILED);
	struct story story = before;

	ck_assert_int_eq(say(&story, OUTCOME_CALLBACK, AE_SUCCEEDED), OUTCOME_CONTRADICTED);
	ck_assert_int_eq(unbalanced(), row->entries / 2);

	ck_assert_int_eq(say(&story, source, row->said), OUTCOME_CONTRADICTED);

	check_undone(&before, &story);
	ck_assert_int_eq(entries(), row->entries);
	ck_assert_int_eq(late_that("state = 'resolved' AND resolved_by = 'payops' AND "
				   "note LIKE 'alpha took it back%'"),
			 1);
}
END_TEST

START_TEST(what_is_told_again_is_booked_once)
{
	static const enum attempt_event again[] = { AE_SUCCEEDED, AE_REVERSED };
	const struct undone *row = &undone[_i];
	const struct story before = put(row->kind, AS_DECLINED, OS_FAILED);
	struct story story = before;

	(void)say(&story, OUTCOME_CALLBACK, AE_SUCCEEDED);
	(void)say(&story, OUTCOME_CALLBACK, row->said);
	for (int times = 0; times < 6; times++)
		ck_assert_int_eq(say(&story, sources[times % 3],
				     again[times % 2] == AE_SUCCEEDED ? AE_SUCCEEDED : row->said),
				 OUTCOME_CONTRADICTED);

	check_undone(&before, &story);
	ck_assert_int_eq(entries(), row->entries);
	ck_assert_int_eq(late_that("state = 'open'"), 0);
	ck_assert_int_eq(late_that("1"), 1);
}
END_TEST

START_TEST(that_it_came_back_may_be_told_before_the_late_success)
{
	const struct undone *row = &undone[_i];
	const struct story before = put(row->kind, AS_DECLINED, OS_FAILED);
	struct story story = before;

	ck_assert_int_eq(say(&story, OUTCOME_CALLBACK, row->said),
			 row->implies ? OUTCOME_CONTRADICTED : OUTCOME_UNCHANGED);
	if (row->implies)
		check_undone(&before, &story);
	else
		ck_assert_int_eq(story.transaction.version, before.transaction.version);
	ck_assert_int_eq(late_that("state = 'resolved'"), row->implies);

	ck_assert_int_eq(say(&story, OUTCOME_CALLBACK, AE_SUCCEEDED), OUTCOME_CONTRADICTED);

	/* Of what takes money, "reversed" may have been about no success: this one must be told. */
	ck_assert_int_eq(late_that("state = 'open'"), !row->implies);
	ck_assert_int_eq(events_of(&story, "late_success_reversed"), row->implies);
	ck_assert_int_eq(entries(), row->implies ? row->entries : row->entries / 2);
}
END_TEST

START_TEST(the_word_for_another_kind_takes_nothing_back)
{
	static const struct {
		enum operation_kind kind;
		enum attempt_event said;
	} cases[] = {
		{ OPERATION_CHARGE, AE_RETURNED },  { OPERATION_AUTHORISE, AE_RETURNED },
		{ OPERATION_CAPTURE, AE_RETURNED }, { OPERATION_VOID, AE_REVERSED },
		{ OPERATION_VOID, AE_RETURNED },    { OPERATION_REFUND, AE_RETURNED },
		{ OPERATION_PAYOUT, AE_REVERSED },
	};
	struct story story = put(cases[_i].kind, AS_DECLINED, OS_FAILED);
	unsigned version;

	(void)say(&story, OUTCOME_CALLBACK, AE_SUCCEEDED);
	version = story.transaction.version;

	ck_assert_int_eq(say(&story, OUTCOME_CALLBACK, cases[_i].said), OUTCOME_UNCHANGED);

	ck_assert_uint_eq(story.transaction.version, version);
	ck_assert_int_eq(late_that("state = 'open'"), 1);
}
END_TEST

/* What was not found was tried again with the same key: it is that try which came back, and no late success. */
START_TEST(what_comes_back_under_a_key_is_that_of_the_last_try_with_it)
{
	const struct undone *row = &undone[3 + _i];
	struct story story = put(row->kind, AS_NOT_FOUND, OS_SUCCEEDED);

	service_do(&service,
		   "INSERT INTO attempt (id, operation_id, transaction_id, merchant, number, "
		   "gateway, our_reference, gateway_key, gateway_ref, status, send_by_us, "
		   "lease_until_us, prepared_at_us, updated_at_us) SELECT REVERSE(id), "
		   "operation_id, transaction_id, merchant, 2, gateway, our_reference, "
		   "gateway_key, 'gw_2', 'succeeded', send_by_us, lease_until_us, prepared_at_us, "
		   "updated_at_us FROM attempt WHERE status = 'not_found'");
	service_do(&service, "UPDATE transaction SET amount_refunded = amount_captured");

	ck_assert_int_eq(say(&story, OUTCOME_INQUIRY, row->said), OUTCOME_APPLIED);

	ck_assert_int_eq(story.operation.status,
			 row->said == AE_REVERSED ? OS_REVERSED : OS_RETURNED);
	ck_assert_int_eq(story.attempt.contradicted_at_us, 0);
	ck_assert_int_eq(late_that("1"), 0);
}
END_TEST

/* ---- what a human has to do with it ---- */

START_TEST(what_waits_for_a_human_still_does_and_he_is_told)
{
	const struct undone *row = &undone[_i];
	struct story story = put(row->kind, AS_DECLINED, OS_PROCESSING);

	(void)say(&story, OUTCOME_CALLBACK, AE_SUCCEEDED);
	ck_assert_int_eq(story.operation.status, OS_PARKED);

	ck_assert_int_eq(say(&story, OUTCOME_INQUIRY, row->said), OUTCOME_CONTRADICTED);

	ck_assert_int_eq(story.operation.status, OS_PARKED);
	ck_assert_int_eq(story.operation.next_action, NEXT_HUMAN);
	ck_assert_int_eq(unbalanced(), 0);
	ck_assert_int_eq(entries(), row->entries);
	ck_assert_int_eq(late_that("state = 'open' AND detail LIKE 'alpha took it back%'"), 1);
}
END_TEST

START_TEST(a_hint_is_booked_and_left_to_a_human_until_an_amount_is_told)
{
	const struct undone *row = &undone[_i];
	const struct story before = put(row->kind, AS_DECLINED, OS_FAILED);
	struct story story = before;
	const struct gateway_answer answer = service_answer(row->said);
	const struct outcome_report hint = { .source = OUTCOME_CALLBACK,
					     .operation_id = story.operation.id,
					     .attempt_id = story.attempt.id,
					     .gateway = &service.gateways.list[0],
					     .answer = &answer,
					     .api_call_id = "call_2",
					     .without_amount = true };
	enum outcome_effect effect;

	(void)say(&story, OUTCOME_CALLBACK, AE_SUCCEEDED);

	ck_assert_int_eq(service_apply(&service, &hint, &effect), ERR_OK);

	story_get(&service, &story);
	ck_assert_int_eq(effect, OUTCOME_CONTRADICTED);
	check_undone(&before, &story);
	ck_assert_int_eq(late_that("state = 'open' AND detail LIKE '%without an amount%'"), 1);

	(void)say(&story, OUTCOME_CALLBACK, row->said);

	check_undone(&before, &story);
	ck_assert_int_eq(late_that("state = 'resolved' AND resolved_by = 'payops'"), 1);
}
END_TEST

START_TEST(what_a_human_settled_stays_settled_in_his_words)
{
	const struct undone *row = &undone[_i];
	const struct story before = put(row->kind, AS_DECLINED, OS_FAILED);
	struct story story = before;

	(void)say(&story, OUTCOME_CALLBACK, AE_SUCCEEDED);
	service_do(&service, "UPDATE exception SET state = 'resolved', resolved_at_us = 9, "
			     "resolved_by = 'ann', note = 'called back by phone'");

	(void)say(&story, OUTCOME_CALLBACK, row->said);

	check_undone(&before, &story);
	ck_assert_int_eq(late_that("state = 'resolved' AND resolved_by = 'ann' AND "
				   "note = 'called back by phone'"),
			 1);
}
END_TEST

/* ---- beside the refund of what was taken ---- */

static enum request_outcome give_back(void)
{
	struct request_receipt receipt;
	enum request_outcome outcome;
	struct id id;

	for (int i = 0; i < ID_SIZE; i++)
		id.bytes[i] = (uint8_t)service_number(
			&service, "SELECT ASCII(SUBSTR(id, %d, 1)) FROM exception", i + 1);
	ck_assert_int_eq(request_surplus(service.store, id, &outcome, &receipt), ERR_OK);
	return outcome;
}

START_TEST(what_we_give_back_ourselves_is_not_taken_back_as_well)
{
	static const char *const statuses[] = { "'pending'", "'succeeded', next_action = 'none', "
							     "next_action_at_us = NULL" };
	struct story story = put(OPERATION_CHARGE, AS_DECLINED, OS_FAILED);

	(void)say(&story, OUTCOME_CALLBACK, AE_SUCCEEDED);
	ck_assert_int_eq(give_back(), REQUEST_CREATED);
	service_do(&service, "UPDATE operation SET status = %s WHERE surplus = 1", statuses[_i]);

	ck_assert_int_eq(say(&story, OUTCOME_CALLBACK, AE_REVERSED), OUTCOME_UNCHANGED);

	ck_assert_int_eq(events_of(&story, "late_success_reversed"), 0);
	ck_assert_int_eq(entries(), 2);
}
END_TEST

START_TEST(what_we_could_not_give_back_may_come_back_by_itself)
{
	const struct story before = put(OPERATION_CHARGE, AS_DECLINED, OS_FAILED);
	struct story story = before;

	(void)say(&story, OUTCOME_CALLBACK, AE_SUCCEEDED);
	ck_assert_int_eq(give_back(), REQUEST_CREATED);
	service_do(&service, "UPDATE operation SET status = 'failed', next_action = 'none', "
			     "next_action_at_us = NULL WHERE surplus = 1");

	ck_assert_int_eq(say(&story, OUTCOME_CALLBACK, AE_REVERSED), OUTCOME_CONTRADICTED);

	check_undone(&before, &story);
}
END_TEST

START_TEST(what_came_back_by_itself_is_not_given_back_as_well)
{
	struct story story = put(OPERATION_CHARGE, AS_DECLINED, OS_PROCESSING);

	(void)say(&story, OUTCOME_CALLBACK, AE_SUCCEEDED);
	(void)say(&story, OUTCOME_CALLBACK, AE_REVERSED);
	ck_assert_int_eq(late_that("state = 'open'"), 1);

	ck_assert_int_eq(give_back(), REQUEST_REFUSED);

	ck_assert_int_eq(
		service_number(&service, "SELECT COUNT(*) FROM operation WHERE surplus = 1"), 0);
}
END_TEST

UNIT_MAIN("outcome_late", {
	service_require();
	tcase_set_timeout(tests, 120);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, a_late_success_that_comes_back_leaves_nothing_in_the_books, 0,
			    CASES);
	tcase_add_loop_test(tests, what_is_told_again_is_booked_once, 0, COUNT(undone));
	tcase_add_loop_test(tests, that_it_came_back_may_be_told_before_the_late_success, 0,
			    COUNT(undone));
	tcase_add_loop_test(tests, the_word_for_another_kind_takes_nothing_back, 0, 7);
	tcase_add_loop_test(tests, what_comes_back_under_a_key_is_that_of_the_last_try_with_it, 0,
			    2);
	tcase_add_loop_test(tests, what_waits_for_a_human_still_does_and_he_is_told, 0,
			    COUNT(undone));
	tcase_add_loop_test(tests, a_hint_is_booked_and_left_to_a_human_until_an_amount_is_told, 0,
			    COUNT(undone));
	tcase_add_loop_test(tests, what_a_human_settled_stays_settled_in_his_words, 0,
			    COUNT(undone));
	tcase_add_loop_test(tests, what_we_give_back_ourselves_is_not_taken_back_as_well, 0, 2);
	tcase_add_test(tests, what_we_could_not_give_back_may_come_back_by_itself);
	tcase_add_test(tests, what_came_back_by_itself_is_not_given_back_as_well);
})
