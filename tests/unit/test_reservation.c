/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is reserved before it is moved: a payout at its acceptance, the surplus of a late success by its one refund, and
 * the hold of an authorisation by what is captured of it. Refunds and captures by sums: test_request.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "service/control.h"
#include "service/intake.h"
#include "service/payment.h"
#include "service/request.h"
#include "store/exception.h"
#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (int)(sizeof(ROWS) / sizeof((ROWS)[0]))

static struct service service;

static void create(void)
{
	service_create(&service, "reservation");
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

/* ---- payouts ---- */

static enum payment_outcome withdraw(struct batch *intake, int64_t amount_minor)
{
	const struct payment_request request = {
		.amount = { .minor = amount_minor, .currency = SERVICE_CURRENCY },
		.exponent = 2,
		.form = AMOUNT_MINOR,
		.capture = CAPTURE_AUTOMATIC,
		.process = PROCESS_AUTO,
		.method = "bank_transfer",
		.customer = "123",
		.token = SERVICE_TOKEN,
	};
	const struct payment_order order = { .merchant = SERVICE_MERCHANT,
					     .kind = TRANSACTION_WITHDRAWAL,
					     .request = &request,
					     .idempotency_key = "withdrawal",
					     .api_call_id = "call_1",
					     .now_us = clock_now_us() };
	struct payment_receipt receipt;
	enum payment_outcome outcome;

	ck_assert_int_eq(payment_accept(intake, &service.vault, &order,
					clock_boot_us() + SERVICE_WAIT_MS * INT64_C(1000), &outcome,
					&receipt),
			 ERR_OK);
	return outcome;
}

START_TEST(a_payout_is_reserved_once_when_it_is_accepted)
{
	struct batch *intake;

	ck_assert_int_eq(intake_start(&service.database, &intake), ERR_OK);
	ck_assert_int_eq(withdraw(intake, 700), PAYMENT_CREATED);
	ck_assert_int_eq(withdraw(intake, 700), PAYMENT_REPLAYED);
	ck_assert_int_eq(withdraw(intake, 701), PAYMENT_KEY_REUSED);
	batch_stop(intake);

	ck_assert_int_eq(service_number(&service, "SELECT SUM(debit_minor) FROM ledger_entry WHERE "
						  "account = 'merchant_payable'"),
			 700);
	ck_assert_int_eq(service_number(&service, "SELECT SUM(credit_minor) FROM ledger_entry "
						  "WHERE account = 'payouts_in_flight'"),
			 700);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM ledger_entry"), 2);
}
END_TEST

/* ---- what was taken beside the decision ---- */

/* A charge that failed, and succeeded later: its exception. */
static struct id late_put(struct story *story)
{
	const struct telling late = { .source = OUTCOME_INQUIRY,
				      .answer = service_answer(AE_SUCCEEDED) };
	struct id id;
	char hex[2 * ID_SIZE + 1];

	*story = story_attempt(&service, AS_DECLINED, OS_FAILED, clock_now_us());
	story_put(&service, story);
	ck_assert_int_eq(story_tell(&service, story, &late), OUTCOME_CONTRADICTED);
	for (int i = 0; i < ID_SIZE; i++)
		id.bytes[i] = (uint8_t)service_number(
			&service,
			"SELECT ASCII(SUBSTR(id, %d, 1)) FROM exception WHERE attempt_id = x'%s'",
			i + 1, crypto_hex(story->attempt.id.bytes, ID_SIZE, hex));
	return id;
}

static enum request_outcome give_back(struct id exception_id, struct id *refund_id)
{
	struct request_receipt receipt;
	enum request_outcome outcome;

	ck_assert_int_eq(request_surplus(service.store, exception_id, &outcome, &receipt), ERR_OK);
	*refund_id = receipt.operation_id;
	return outcome;
}

static long long refunds(void)
{
	return service_number(&service,
			      "SELECT COUNT(*) FROM operation WHERE kind = 'refund' AND "
			      "surplus = 1 AND amount_minor = %lld",
			      (long long)SERVICE_AMOUNT);
}

START_TEST(a_surplus_is_given_back_once)
{
	struct story story;
	const struct id exception_id = late_put(&story);
	struct id first;
	struct id again;

	ck_assert_int_eq(give_back(exception_id, &first), REQUEST_CREATED);
	ck_assert_int_eq(give_back(exception_id, &again), REQUEST_REPLAYED);
	ck_assert(id_equal(first, again));
	if (_i == 1) /* also when it was */
		service_do(&service,
			   "UPDATE operation SET status = 'succeeded', next_action = 'none', "
			   "next_action_at_us = NULL WHERE kind = 'refund'");
	ck_assert_int_eq(give_back(exception_id, &again), REQUEST_REPLAYED);

	ck_assert_int_eq(refunds(), 1);
}
END_TEST

START_TEST(a_surplus_that_was_settled_otherwise_is_not_given_back)
{
	struct story story;
	const struct id exception_id = late_put(&story);
	struct id refund_id;

	service_do(&service, "UPDATE exception SET state = 'resolved', resolved_at_us = 1, "
			     "resolved_by = 'somebody', note = 'paid back by hand'");

	ck_assert_int_eq(give_back(exception_id, &refund_id), REQUEST_REFUSED);

	ck_assert_int_eq(refunds(), 0);
}
END_TEST

/* ---- holds ---- */

/* An authorisation with the void that waits for its end, or is to be sent now; and a capture of some of it. */
static struct story hold_put(enum next_action next, enum operation_status capture)
{
	struct story paid = story_authorised(&service, clock_now_us());
	struct story part = story_part(&paid, OPERATION_CAPTURE, AS_UNKNOWN, capture);
	struct story release = story_part(&paid, OPERATION_VOID, AS_DECLINED, OS_PENDING);

	snprintf(paid.attempt.gateway_ref, sizeof paid.attempt.gateway_ref, "gw_1");
	part.attempt.status = capture == OS_FAILED ? AS_DECLINED : AS_UNKNOWN;
	snprintf(part.attempt.decline_code, sizeof part.attempt.decline_code, "do_not_honour");
	part.operation.next_action_at_us =
		part.operation.next_action == NEXT_NONE ? 0 : clock_now_us() + 3600 * SECOND_US;
	release.operation.next_action = next;
	release.operation.attempt_count = 0;
	release.without_attempt = true;
	story_put(&service, &paid);
	story_part_put(&service, &part);
	story_part_put(&service, &release);
	return release;
}

/* An unknown capture keeps what it reserved. */
static const struct {
	enum operation_status capture;
	bool releases;
} captures[] = {
	{ OS_PROCESSING, false },
	{ OS_PARKED, false },
	{ OS_FAILED, true },
};

START_TEST(nothing_is_released_by_request_while_a_capture_is_open)
{
	struct story release = hold_put(NEXT_EXPIRE, captures[_i].capture);
	const struct control_request request = { .merchant = SERVICE_MERCHANT,
						 .transaction_id = release.transaction.id,
						 .api_call_id = "call_1" };
	struct transaction_view view;
	enum control_outcome outcome;

	ck_assert_int_eq(control_void(service.pool, &request, SERVICE_WAIT_MS, &outcome, &view),
			 ERR_OK);

	ck_assert_int_eq(outcome, captures[_i].releases ? CONTROL_DONE : CONTROL_REFUSED);
	story_get(&service, &release);
	ck_assert_int_eq(release.operation.next_action,
			 captures[_i].releases ? NEXT_SEND : NEXT_EXPIRE);
}
END_TEST

START_TEST(nothing_is_released_at_its_end_while_a_capture_is_open)
{
	struct story release =
		hold_put(_i % 2 == 0 ? NEXT_EXPIRE : NEXT_SEND, captures[_i / 2].capture);
	struct due_job jobs[4];
	size_t count = 0;

	ck_assert_int_eq(due_claim(service.pool, &service.due, COUNT(jobs), jobs, &count, NULL),
			 ERR_OK);

	ck_assert_uint_eq(count, captures[_i / 2].releases ? 1 : 0);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(jobs[i].order.kind, OPERATION_VOID);
		due_job_done(&jobs[i]);
	}
	story_get(&service, &release);
	ck_assert_int_eq(release.operation.status,
			 captures[_i / 2].releases ? OS_PROCESSING : OS_PENDING);
}
END_TEST

UNIT_MAIN("reservation", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_payout_is_reserved_once_when_it_is_accepted);
	tcase_add_loop_test(tests, a_surplus_is_given_back_once, 0, 2);
	tcase_add_test(tests, a_surplus_that_was_settled_otherwise_is_not_given_back);
	tcase_add_loop_test(tests, nothing_is_released_by_request_while_a_capture_is_open, 0,
			    COUNT(captures));
	tcase_add_loop_test(tests, nothing_is_released_at_its_end_while_a_capture_is_open, 0,
			    2 * COUNT(captures));
})
