/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/store/fsck.c against a server: three payments that are right, and each rule broken once. */
#include <string.h>

#include "store/fsck.h"
#include "store/ledger.h"
#include "store_scratch.h"
#include "unit.h"

enum { COMPLETED = 1, FAILED, PENDING, PAYMENTS = 3 };
enum { TRANSACTION = 1, OPERATION, ATTEMPT, GROUP = 9 };
#define FIRST_ATTEMPT(N) ((N)*256 + 1)

/* What sample_id() makes, as SQL. */
#define SQL_ID(KIND, N) "x'01000000000000" KIND "0000000000" N "'"
#define T1 SQL_ID("01", "000001")
#define T3 SQL_ID("01", "000003")
#define O1 SQL_ID("02", "000001")
#define O2 SQL_ID("02", "000002")
#define O3 SQL_ID("02", "000003")
#define A2 SQL_ID("03", "000201")

/* Without what would refuse to be broken. */
static void create_lawless_schema(void)
{
	MYSQL *mysql;

	scratch_create_schema();
	mysql = scratch_connect();
	scratch_do(mysql,
		   "ALTER TABLE operation DROP KEY one_money_operation, DROP KEY one_per_key");
	scratch_do(mysql, "ALTER TABLE attempt DROP KEY one_live_attempt");
	mysql_close(mysql);
}

static MYSQL *lawless_connect(void)
{
	MYSQL *mysql = scratch_connect();

	scratch_do(mysql, "SET SESSION check_constraint_checks = 0, foreign_key_checks = 0");
	return mysql;
}

static void plant(const char *statement)
{
	MYSQL *mysql = lawless_connect();

	scratch_do(mysql, "%s", statement);
	ck_assert_uint_ge(mysql_affected_rows(mysql), 1);
	mysql_close(mysql);
}

static void insert_event(const struct event_row *row)
{
	ck_assert_int_eq(store_event_insert(&tx, row), ERR_OK);
}

static struct event_row insert_created(unsigned n)
{
	struct event_row event = sample_event(n, 1);

	SET_TEXT(event.type, "created");
	event.operation_id = sample_id(OPERATION, n);
	event.operation_to = OS_PENDING;
	insert_event(&event);
	return event;
}

/* The events of a payment that ended by its first attempt. */
static void insert_story(unsigned n, enum transaction_status transaction,
			 enum operation_status operation, enum attempt_status attempt)
{
	struct event_row event = insert_created(n);

	event.sequence = 2;
	event.attempt_id = sample_id(ATTEMPT, FIRST_ATTEMPT(n));
	event.transaction_from = TS_PENDING;
	event.transaction_to = TS_PROCESSING;
	event.operation_from = OS_PENDING;
	event.operation_to = OS_PROCESSING;
	event.attempt_to = AS_PREPARED;
	insert_event(&event);
	event.sequence = 3;
	event.transaction_from = TS_PROCESSING;
	event.transaction_to = (int)transaction;
	event.operation_from = OS_PROCESSING;
	event.operation_to = (int)operation;
	event.attempt_from = AS_PREPARED;
	event.attempt_to = (int)attempt;
	insert_event(&event);
}

static void insert_charged(unsigned n)
{
	const struct ledger_row row = {
		.entry_group = sample_id(GROUP, n),
		.transaction_id = sample_id(TRANSACTION, n),
		.operation_id = sample_id(OPERATION, n),
		.attempt_id = sample_id(ATTEMPT, FIRST_ATTEMPT(n)),
		.merchant = "shop",
		.debit = { 1, ACCOUNT_GATEWAY_RECEIVABLE, "alpha", "" },
		.credit = { 2, ACCOUNT_MERCHANT_PAYABLE, "", "" },
		.currency = "USD",
		.amount_minor = sample_transaction(n).amount.minor,
		.at_us = 1,
	};

	ck_assert_int_eq(store_ledger_insert(&tx, &row, 1), ERR_OK);
}

static void insert_ended(unsigned n, enum transaction_status status, enum operation_status ended,
			 enum attempt_status answered)
{
	struct transaction_row transaction = sample_transaction(n);
	struct operation_row operation = sample_operation(n);

	transaction.status = status;
	transaction.version = 3;
	transaction.amount_captured = status == TS_COMPLETED ? transaction.amount.minor : 0;
	SET_TEXT(transaction.failure_code, status == TS_FAILED ? "declined" : "");
	operation.status = ended;
	operation.next_action = NEXT_NONE;
	operation.next_action_at_us = 0;
	operation.attempt_count = 1;
	ck_assert_int_eq(store_operation_insert(&tx, &operation), ERR_OK);
	ck_assert_int_eq(store_transaction_insert(&tx, &transaction), ERR_OK);
	insert_attempt(n, 1, answered);
	insert_story(n, status, ended, answered);
}

static void open_scene(void)
{
	scratch_open();
	insert_ended(COMPLETED, TS_COMPLETED, OS_SUCCEEDED, AS_SUCCEEDED);
	insert_charged(COMPLETED);
	insert_ended(FAILED, TS_FAILED, OS_FAILED, AS_DECLINED);
	insert_operation(PENDING);
	insert_transaction(PENDING);
	insert_created(PENDING);
}

struct findings {
	struct store_fsck_violation list[STORE_FSCK_FOUND_MAX];
	unsigned count;
	unsigned pages;
};

static void see_violation(void *context, const struct store_fsck_check *check,
			  const struct store_fsck_violation *violation)
{
	struct findings *findings = context;

	unit_expect(check->absent == NULL, "%s is absent", check->name);
	unit_expect(findings->count < STORE_FSCK_FOUND_MAX, "%s found too much", check->name);
	findings->list[findings->count++] = *violation;
}

static void see_page(void *context, const struct store_fsck_check *check, int64_t rows)
{
	struct findings *findings = context;

	unit_expect(rows >= 0, "%s counts backwards", check->name);
	findings->pages++;
}

static struct store_fsck_tally run_check(size_t index, unsigned page, unsigned most,
					 struct findings *findings)
{
	const struct store_fsck_watch watch = { see_violation, see_page, findings, page, most };
	struct store_fsck_tally tally;
	enum err err;

	*findings = (struct findings){ .count = 0 };
	err = store_fsck_run(store, index, &watch, &tally);
	unit_expect(err == ERR_OK, "%s: %s", store_fsck_check(index)->name, err_row(err)->title);
	ck_assert_uint_eq(tally.violations, findings->count);
	return tally;
}

static size_t check_named(const char *name)
{
	for (size_t i = 0; i < store_fsck_count(); i++)
		if (strcmp(store_fsck_check(i)->name, name) == 0)
			return i;
	ck_abort_msg("no check is called %s", name);
}

static void expect_all_clean(unsigned page)
{
	struct findings findings;

	for (size_t i = 0; i < store_fsck_count(); i++) {
		if (store_fsck_check(i)->absent != NULL)
			continue;
		run_check(i, page, 1, &findings);
		unit_expect(findings.count == 0, "%s: %s", store_fsck_check(i)->name,
			    findings.list[0].detail);
	}
}

START_TEST(rows_that_are_right_pass_by_any_page)
{
	for (unsigned page = 1; page <= PAYMENTS + 1; page++)
		expect_all_clean(page);
}
END_TEST

START_TEST(empty_tables_pass)
{
	scratch_clean();

	expect_all_clean(STORE_FSCK_PAGE);
}
END_TEST

static const struct {
	const char *name;
	const char *statement;
	unsigned kind; /* of the id that is named */
	unsigned n;
	const char *detail;
} cases[] = {
	{ "captured-within-amount", "UPDATE transaction SET amount_captured = 1001 WHERE id = " T1,
	  TRANSACTION, COMPLETED, "captured 1001 of 1000" },
	{ "captured-within-amount", "UPDATE transaction SET amount_captured = -1 WHERE id = " T3,
	  TRANSACTION, PENDING, "captured -1 of 1000" },
	{ "captured-is-succeeded", "UPDATE operation SET amount_minor = 999 WHERE id = " O1,
	  TRANSACTION, COMPLETED, "captured 1000, succeeded charges and captures make 999" },
	{ "captured-fits-status", "UPDATE transaction SET amount_captured = 1 WHERE id = " T3,
	  TRANSACTION, PENDING, "is pending with 1 captured" },
	{ "captured-fits-status", "UPDATE transaction SET amount_captured = 0 WHERE id = " T1,
	  TRANSACTION, COMPLETED, "is completed with 0 captured" },
	{ "captures-within-authorised", "UPDATE operation SET kind = 'capture' WHERE id = " O1,
	  TRANSACTION, COMPLETED, "captures make 1000 of 0 authorised" },
	{ "refunded-within-captured",
	  "UPDATE transaction SET amount_refunded = 1001 WHERE id = " T1, TRANSACTION, COMPLETED,
	  "refunded 1001 of 1000 captured" },
	{ "refunded-is-succeeded", "UPDATE transaction SET amount_refunded = 5 WHERE id = " T1,
	  TRANSACTION, COMPLETED, "refunded 5, but its succeeded refunds make 0" },
	{ "refunds-within-captured",
	  "UPDATE operation SET transaction_id = " T1
	  ", kind = 'refund', amount_minor = 1001 WHERE id = " O3,
	  TRANSACTION, COMPLETED, "succeeded and open refunds make 1001 of 1000 captured" },
	{ "transaction-steps",
	  "UPDATE event SET transaction_from = 'failed' WHERE sequence = 3 AND transaction_id "
	  "= " T1,
	  TRANSACTION, COMPLETED, "event 3 goes from failed to completed, which is not allowed" },
	{ "operation-steps",
	  "UPDATE event SET operation_from = 'cancelled' WHERE sequence = 3 AND transaction_id "
	  "= " T1,
	  TRANSACTION, COMPLETED,
	  "event 3 goes from cancelled to succeeded, which is not allowed" },
	{ "attempt-steps",
	  "UPDATE event SET attempt_from = 'declined' WHERE sequence = 3 AND transaction_id = " T1,
	  TRANSACTION, COMPLETED, "event 3 goes from declined to succeeded, which is not allowed" },
	{ "transaction-chain",
	  "UPDATE event SET transaction_from = 'parked' WHERE sequence = 3 AND transaction_id "
	  "= " T1,
	  TRANSACTION, COMPLETED,
	  "event 3 starts from parked, the one before it ended with processing" },
	{ "transaction-chain",
	  "UPDATE event SET transaction_from = 'parked' WHERE transaction_id = " T3, TRANSACTION,
	  PENDING, "event 1 starts from parked, the one before it ended with nothing" },
	{ "operation-chain",
	  "UPDATE event SET operation_from = NULL WHERE sequence = 3 AND transaction_id = " T1,
	  OPERATION, COMPLETED,
	  "event 3 starts from nothing, the one before it ended with processing" },
	{ "attempt-chain",
	  "UPDATE event SET attempt_from = 'sent' WHERE sequence = 3 AND transaction_id = " T1,
	  ATTEMPT, FIRST_ATTEMPT(COMPLETED),
	  "event 3 starts from sent, the one before it ended with prepared" },
	{ "last-event-agrees", "UPDATE transaction SET status = 'processing' WHERE id = " T3,
	  TRANSACTION, PENDING, "is processing, but its last event says pending" },
	{ "last-event-agrees", "DELETE FROM event WHERE transaction_id = " T3, TRANSACTION, PENDING,
	  "is pending, but its last event says nothing" },
	{ "operation-event-agrees", "UPDATE operation SET status = 'processing' WHERE id = " O3,
	  OPERATION, PENDING, "is processing, but its last event says pending" },
	{ "attempt-event-agrees", "UPDATE attempt SET status = 'not_found' WHERE id = " A2, ATTEMPT,
	  FIRST_ATTEMPT(FAILED), "is not_found, but its last event says declined" },
	{ "charge-fits-transaction", "UPDATE operation SET status = 'parked' WHERE id = " O3,
	  OPERATION, PENDING, "is parked, its transaction pending" },
	{ "charge-fits-transaction", "UPDATE operation SET status = 'processing' WHERE id = " O1,
	  OPERATION, COMPLETED, "is processing, its transaction completed" },
	{ "one-money-operation", "UPDATE operation SET transaction_id = " T1 " WHERE id = " O3,
	  TRANSACTION, COMPLETED, "has 2 operations that charge, authorise or pay out" },
	{ "one-money-operation", "DELETE FROM operation WHERE id = " O3, TRANSACTION, PENDING,
	  "has 0 operations that charge, authorise or pay out" },
	{ "created-first",
	  "UPDATE event SET type = 'made' WHERE sequence = 1 AND transaction_id = " T3, TRANSACTION,
	  PENDING, "begins with the event made" },
	{ "key-is-single",
	  "UPDATE operation SET idempotency_key = 'k', request_hashes = 'h' WHERE id IN (" O1
	  ", " O2 ")",
	  OPERATION, FAILED, "an earlier operation of its merchant has its idempotency key" },
	{ "key-has-hashes", "UPDATE operation SET idempotency_key = 'k' WHERE id = " O1, OPERATION,
	  COMPLETED, "has an idempotency key, but no hashes of its request" },
	{ "key-has-hashes", "UPDATE operation SET request_hashes = 'h' WHERE id = " O1, OPERATION,
	  COMPLETED, "has hashes, but no idempotency key" },
	{ "one-live-attempt",
	  "UPDATE attempt SET operation_id = " O1 ", number = 2, status = 'unknown' WHERE id = " A2,
	  OPERATION, COMPLETED, "has 2 attempts that may have charged" },
	{ "token-at-its-gateway",
	  "UPDATE operation SET payment_method_id = id, token_gateway = 'elsewhere' WHERE id = " O1,
	  OPERATION, COMPLETED, "its token is that of elsewhere, it was sent to alpha" },
	{ "attempts-counted", "UPDATE operation SET attempt_count = 0 WHERE id = " O1, OPERATION,
	  COMPLETED, "counts 0 attempts, there are 1 with numbers up to 1" },
	{ "attempts-counted", "UPDATE attempt SET number = 2 WHERE id = " A2, OPERATION, FAILED,
	  "counts 1 attempts, there are 1 with numbers up to 2" },
	{ "operation-has-transaction", "DELETE FROM transaction WHERE id = " T3, OPERATION, PENDING,
	  "its transaction is missing, or of another merchant" },
	{ "operation-has-transaction", "UPDATE operation SET merchant = 'other' WHERE id = " O1,
	  OPERATION, COMPLETED, "its transaction is missing, or of another merchant" },
	{ "attempt-has-operation", "DELETE FROM operation WHERE id = " O2, ATTEMPT,
	  FIRST_ATTEMPT(FAILED), "its operation is missing, or of another payment" },
	{ "event-has-transaction", "DELETE FROM transaction WHERE id = " T3, TRANSACTION, PENDING,
	  "event 1: its transaction is missing, or of another merchant" },
	{ "ledger-groups", "UPDATE ledger_entry SET credit_minor = 999 WHERE line = 2", GROUP,
	  COMPLETED, "its debits make 1000 USD, its credits 999" },
	{ "ledger-receivable", "UPDATE ledger_entry SET account = 'bank' WHERE line = 1",
	  TRANSACTION, COMPLETED,
	  "the ledger has 0 in gateway_receivable and surplus_owed, the rows make 1000" },
	{ "ledger-payable", "UPDATE ledger_entry SET account = 'bank' WHERE line = 2", TRANSACTION,
	  COMPLETED, "the ledger has 0 in merchant_payable, the rows make -1000" },
	{ "ledger-in-flight", "UPDATE operation SET kind = 'payout' WHERE id = " O3, TRANSACTION,
	  PENDING,
	  "the ledger has 0 in refunds_in_flight and payouts_in_flight, the rows make -1000" },
	{ "ledger-float", "UPDATE operation SET kind = 'payout' WHERE id = " O1, TRANSACTION,
	  COMPLETED, "the ledger has 0 in gateway_float, the rows make -1000" },
	{ "ledger-suspense", "UPDATE attempt SET status = 'unknown' WHERE id = " A2, TRANSACTION,
	  FAILED, "the ledger has 0 in suspense_receivable, the rows make 1000" },
	{ "ledger-surplus", "UPDATE attempt SET contradicted_at_us = 5 WHERE id = " A2, TRANSACTION,
	  FAILED, "the ledger has 0 in surplus_owed, the rows make -1000" },
	{ "authorised-ends", "UPDATE transaction SET status = 'authorised' WHERE id = " T1,
	  TRANSACTION, COMPLETED,
	  "is authorised, and nothing is to come that captures or releases it" },
	{ "next-action",
	  "UPDATE operation SET next_action = 'none', next_action_at_us = NULL WHERE id = " O3,
	  OPERATION, PENDING, "is pending with next action none at no time" },
	{ "next-action", "UPDATE operation SET next_action_at_us = NULL WHERE id = " O3, OPERATION,
	  PENDING, "is pending with next action send at no time" },
	{ "next-action",
	  "UPDATE operation SET next_action = 'ask', next_action_at_us = 7 WHERE id = " O1,
	  OPERATION, COMPLETED, "is succeeded with next action ask at 7" },
	{ "token-wiped", "UPDATE operation SET payment_token_sealed = 's' WHERE id = " O2,
	  OPERATION, FAILED, "is failed and keeps its sealed payment token" },
	{ "events-without-gaps", "DELETE FROM event WHERE sequence = 2 AND transaction_id = " T1,
	  TRANSACTION, COMPLETED, "is at version 3 with 2 events up to number 3" },
	{ "events-without-gaps", "UPDATE transaction SET version = 2 WHERE id = " T3, TRANSACTION,
	  PENDING, "is at version 2 with 1 events up to number 1" },
	{ "published-in-order",
	  "UPDATE event SET position = 10 - sequence WHERE sequence > 1 AND transaction_id = " T1,
	  TRANSACTION, COMPLETED, "event 2 was published before event 1" },
};
#define CASE_COUNT (sizeof cases / sizeof cases[0])

START_TEST(broken_rule_is_named_with_its_row)
{
	struct findings findings;

	plant(cases[_i].statement);
	run_check(check_named(cases[_i].name), 1, 1, &findings);

	unit_expect(findings.count == 1, "%s: not found", cases[_i].name);
	ck_assert_str_eq(findings.list[0].detail, cases[_i].detail);
	ck_id(findings.list[0].id, sample_id(cases[_i].kind, cases[_i].n));
}
END_TEST

static bool has_case(const char *name)
{
	for (size_t i = 0; i < CASE_COUNT; i++)
		if (strcmp(cases[i].name, name) == 0)
			return true;
	return false;
}

START_TEST(every_check_is_broken_by_a_case)
{
	for (size_t i = 0; i < store_fsck_count(); i++)
		unit_expect(store_fsck_check(i)->absent != NULL ||
				    has_case(store_fsck_check(i)->name),
			    "%s", store_fsck_check(i)->name);
}
END_TEST

START_TEST(pages_give_all_rows_in_order_and_count_them)
{
	size_t index = check_named("events-without-gaps");
	struct findings findings;

	plant("UPDATE transaction SET version = 9");
	for (unsigned page = 1; page <= PAYMENTS + 1; page++) {
		ck_assert_int_eq(run_check(index, page, STORE_FSCK_FOUND_MAX, &findings).rows,
				 PAYMENTS);

		ck_assert_uint_eq(findings.count, PAYMENTS);
		for (unsigned i = 0; i < PAYMENTS; i++)
			ck_id(findings.list[i].id, sample_id(TRANSACTION, i + 1));
		ck_assert_uint_eq(findings.pages, PAYMENTS / page + 1);
	}
}
END_TEST

START_TEST(check_ends_with_the_most_that_were_wanted)
{
	static const char *const names[] = { "events-without-gaps", "transaction-steps" };
	struct findings findings;

	plant("UPDATE transaction SET version = 9");
	plant("UPDATE event SET transaction_from = 'cancelled'");
	for (unsigned most = 1; most <= PAYMENTS; most++)
		for (size_t i = 0; i < 2; i++) {
			size_t index = check_named(names[i]);

			run_check(index, STORE_FSCK_PAGE, most, &findings);
			ck_assert_uint_eq(findings.count, most);
			run_check(index, 1, most, &findings);
			ck_assert_uint_eq(findings.count, most);
		}
}
END_TEST

START_TEST(what_is_not_committed_is_neither_seen_nor_waited_for)
{
	MYSQL *mysql = lawless_connect();

	scratch_do(mysql, "START TRANSACTION");
	scratch_do(mysql, "UPDATE transaction SET status = 'processing', version = 9");
	expect_all_clean(STORE_FSCK_PAGE);

	mysql_close(mysql);
}
END_TEST

START_TEST(statements_only_read_and_lock_nothing)
{
	unsigned seen = 0;

	for (enum statement_id id = 0; id < STATEMENT_COUNT; id++) {
		const struct statement_row *row = statement_row(id);

		if (strncmp(row->name, "FSCK_", 5) != 0)
			continue;
		seen++;
		unit_expect(row->kind != STATEMENT_WRITE && strncmp(row->text, "SELECT ", 7) == 0,
			    "%s writes", row->name);
		unit_expect(strstr(row->text, "FOR UPDATE") == NULL &&
				    strstr(row->text, "LOCK IN") == NULL,
			    "%s locks", row->name);
	}
	ck_assert_uint_gt(seen, 0);
}
END_TEST

UNIT_MAIN("store_fsck", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, create_lawless_schema, scratch_drop);
	tcase_add_checked_fixture(tests, open_scene, scratch_close);
	tcase_add_test(tests, rows_that_are_right_pass_by_any_page);
	tcase_add_test(tests, empty_tables_pass);
	tcase_add_loop_test(tests, broken_rule_is_named_with_its_row, 0, (int)CASE_COUNT);
	tcase_add_test(tests, every_check_is_broken_by_a_case);
	tcase_add_test(tests, pages_give_all_rows_in_order_and_count_them);
	tcase_add_test(tests, check_ends_with_the_most_that_were_wanted);
	tcase_add_test(tests, statements_only_read_and_lock_nothing);
	tcase_add_test(tests, what_is_not_committed_is_neither_seen_nor_waited_for);
})
