/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* What sql/ holds by itself: the words of ENUM columns are core's, and constraints refuse what the rules forbid. */
#include <stdio.h>
#include <string.h>

#include "core/posting.h"
#include "core/routing.h"
#include "store/breaker.h"
#include "store/customer.h"
#include "store_scratch.h"
#include "unit.h"

static const char *const state_list[] = { "open", "resolved" };
static const struct words state_words = { state_list, 2 };

static const struct {
	const char *table;
	const char *column;
	const struct words *words;
	int skip; /* words at the front that stand for NULL */
} enums[] = {
	{ "transaction", "kind", &transaction_kind_words, 0 },
	{ "transaction", "amount_form", &amount_form_words, 0 },
	{ "transaction", "status", &transaction_status_words, 0 },
	{ "operation", "kind", &operation_kind_words, 0 },
	{ "operation", "status", &operation_status_words, 0 },
	{ "operation", "next_action", &next_action_words, 0 },
	{ "operation", "amount_form", &amount_form_words, 0 },
	{ "ledger_entry", "account", &posting_account_words, 0 },
	{ "attempt", "status", &attempt_status_words, 0 },
	{ "attempt", "class", &attempt_class_words, 1 },
	{ "callback", "result", &callback_result_words, 0 },
	{ "event", "transaction_from", &transaction_status_words, 0 },
	{ "event", "transaction_to", &transaction_status_words, 0 },
	{ "event", "operation_from", &operation_status_words, 0 },
	{ "event", "operation_to", &operation_status_words, 0 },
	{ "event", "attempt_from", &attempt_status_words, 0 },
	{ "event", "attempt_to", &attempt_status_words, 0 },
	{ "exception", "kind", &exception_kind_words, 0 },
	{ "exception", "state", &state_words, 0 },
	{ "breaker", "operation", &breaker_operation_words, 0 },
	{ "breaker", "state", &breaker_state_words, 0 },
	{ "breaker", "forced", &breaker_force_words, 1 },
	{ "gateway", "state", &routing_state_words, 0 },
	{ "customer", "status", &customer_status_words, 0 },
};
#define ENUM_COUNT ((int)(sizeof enums / sizeof enums[0]))

START_TEST(enum_column_has_cores_words_in_order)
{
	char wanted[512];
	char query[256];
	int used = 0;
	MYSQL *mysql = scratch_connect();

	for (int i = enums[_i].skip; i < enums[_i].words->count; i++) {
		const char *word = words_text(*enums[_i].words, i);

		ck_assert_uint_le(strlen(word), CELL_WORD_MAX);
		used += snprintf(wanted + used, sizeof wanted - (size_t)used, "%s'%s'",
				 used == 0 ? "enum(" : ",", word);
	}
	snprintf(wanted + used, sizeof wanted - (size_t)used, ")");
	snprintf(query, sizeof query,
		 "SELECT column_type FROM information_schema.columns WHERE table_schema = "
		 "DATABASE() "
		 "AND table_name = '%s' AND column_name = '%s'",
		 enums[_i].table, enums[_i].column);

	ck_assert_str_eq(scratch_text(mysql, query), wanted);
	mysql_close(mysql);
}
END_TEST

START_TEST(every_enum_column_is_compared)
{
	MYSQL *mysql = scratch_connect();

	ck_assert_int_eq(scratch_number(mysql,
					"SELECT COUNT(*) FROM information_schema.columns WHERE "
					"table_schema = DATABASE() AND data_type = 'enum'"),
			 ENUM_COUNT);
	mysql_close(mysql);
}
END_TEST

static const struct {
	enum transaction_status status;
	int64_t amount, captured, refunded;
	uint8_t exponent;
	uint32_t version;
	const char *failure;
	enum err err;
} transactions[] = {
	{ TS_PENDING, 1, 0, 0, 2, 1, "", ERR_OK },
	{ TS_PENDING, 0, 0, 0, 2, 1, "", ERR_STORE },
	{ TS_PENDING, -1, 0, 0, 2, 1, "", ERR_STORE },
	{ TS_PENDING, MONEY_MAX_MINOR, 0, 0, 0, 1, "", ERR_OK },
	{ TS_PENDING, MONEY_MAX_MINOR + 1, 0, 0, 2, 1, "", ERR_STORE },
	{ TS_PENDING, 10, 0, 0, 1, 1, "", ERR_STORE },
	{ TS_PENDING, 10, 0, 0, 5, 1, "", ERR_STORE },
	{ TS_PENDING, 10, 0, 0, 2, 0, "", ERR_STORE },
	{ TS_COMPLETED, 10, 10, 10, 2, 1, "", ERR_OK },
	{ TS_COMPLETED, 10, 0, 0, 2, 1, "", ERR_STORE },
	{ TS_COMPLETED, 10, 11, 0, 2, 1, "", ERR_STORE },
	{ TS_COMPLETED, 10, -1, 0, 2, 1, "", ERR_STORE },
	{ TS_COMPLETED, 10, 5, 6, 2, 1, "", ERR_STORE },
	{ TS_COMPLETED, 10, 5, -1, 2, 1, "", ERR_STORE },
	{ TS_FAILED, 10, 0, 0, 2, 1, "declined", ERR_OK },
	{ TS_FAILED, 10, 0, 0, 2, 1, "", ERR_STORE },
	{ TS_PENDING, 10, 0, 0, 2, 1, "declined", ERR_STORE },
	{ TS_FAILED, 10, 0, 0, 2, 1, "a code of more than forty bytes is not one", ERR_STORE },
};

START_TEST(transaction_constraints_restate_the_rules)
{
	struct transaction_row row = sample_transaction(1);

	row.status = transactions[_i].status;
	row.amount.minor = transactions[_i].amount;
	row.amount_captured = transactions[_i].captured;
	row.amount_refunded = transactions[_i].refunded;
	row.exponent = transactions[_i].exponent;
	row.version = transactions[_i].version;
	SET_TEXT(row.failure_code, transactions[_i].failure);

	ck_assert_int_eq(store_transaction_insert(&tx, &row), transactions[_i].err);
}
END_TEST

static const struct {
	enum operation_status status;
	enum next_action next;
	int64_t at_us, amount;
	const char *key;
	size_t hashes, sealed;
	const char *key_id;
	enum err err;
} operations[] = {
	{ OS_PENDING, NEXT_SEND, 1, 1, "", 0, 0, "", ERR_OK },
	{ OS_PENDING, NEXT_SEND, 1, 0, "", 0, 0, "", ERR_STORE },
	{ OS_PENDING, NEXT_SEND, 1, MONEY_MAX_MINOR + 1, "", 0, 0, "", ERR_STORE },
	{ OS_PENDING, NEXT_SEND, 0, 1, "", 0, 0, "", ERR_STORE },
	{ OS_PENDING, NEXT_NONE, 0, 1, "", 0, 0, "", ERR_STORE },
	{ OS_PENDING, NEXT_NONE, 1, 1, "", 0, 0, "", ERR_STORE },
	{ OS_PENDING, NEXT_SEND, 1, 1, "key", 1, 0, "", ERR_OK },
	{ OS_PENDING, NEXT_SEND, 1, 1, "key", 0, 0, "", ERR_STORE },
	{ OS_PENDING, NEXT_SEND, 1, 1, "", 1, 0, "", ERR_STORE },
	{ OS_PENDING, NEXT_SEND, 1, 1, "", 0, 1, "k1", ERR_OK },
	{ OS_PENDING, NEXT_SEND, 1, 1, "", 0, 1, "", ERR_STORE },
	{ OS_PENDING, NEXT_SEND, 1, 1, "", 0, 0, "k1", ERR_STORE },
	{ OS_SUCCEEDED, NEXT_NONE, 0, 1, "", 0, 1, "k1", ERR_STORE },
};

START_TEST(operation_constraints_restate_the_rules)
{
	struct operation_row row = sample_operation(1);

	row.status = operations[_i].status;
	row.next_action = operations[_i].next;
	row.next_action_at_us = operations[_i].at_us;
	row.amount_minor = operations[_i].amount;
	SET_TEXT(row.idempotency_key, operations[_i].key);
	row.request_hashes_size = operations[_i].hashes;
	row.payment_token_sealed_size = operations[_i].sealed;
	SET_TEXT(row.payment_token_key_id, operations[_i].key_id);

	ck_assert_int_eq(store_operation_insert(&tx, &row), operations[_i].err);
}
END_TEST

START_TEST(operation_is_final_exactly_where_nothing_is_to_come)
{
	enum operation_status status = (enum operation_status)_i;
	struct operation_row row = sample_operation(1);

	row.status = status;
	row.next_action = NEXT_ASK;
	ck_assert_int_eq(store_operation_insert(&tx, &row),
			 operation_is_final(status) ? ERR_STORE : ERR_OK);
	row = sample_operation(2);
	row.status = status;
	row.next_action = NEXT_NONE;
	row.next_action_at_us = 0;
	ck_assert_int_eq(store_operation_insert(&tx, &row),
			 operation_is_final(status) ? ERR_OK : ERR_STORE);
}
END_TEST

static const struct {
	enum attempt_status status;
	unsigned number;
	int64_t prepared, send_by, lease, open;
	const char *decline;
	unsigned operation;
	enum err err;
} attempts[] = {
	{ AS_PREPARED, 1, 1, 2, 3, 0, "", 1, ERR_OK },
	{ AS_PREPARED, 0, 1, 2, 3, 0, "", 1, ERR_STORE },
	{ AS_PREPARED, 1, 2, 2, 3, 0, "", 1, ERR_STORE },
	{ AS_PREPARED, 1, 1, 3, 3, 0, "", 1, ERR_STORE },
	{ AS_PREPARED, 1, 1, 2, 3, 0, "", 2, ERR_NOT_FOUND },
	{ AS_ACCEPTED, 1, 1, 2, 3, 0, "", 1, ERR_STORE },
	{ AS_ACCEPTED, 1, 1, 2, 3, 1, "", 1, ERR_OK },
	{ AS_REQUIRES_ACTION, 1, 1, 2, 3, 0, "", 1, ERR_STORE },
	{ AS_UNKNOWN, 1, 1, 2, 3, 0, "", 1, ERR_STORE },
	{ AS_UNKNOWN, 1, 1, 2, 3, 1, "", 1, ERR_OK },
	{ AS_DECLINED, 1, 1, 2, 3, 0, "", 1, ERR_STORE },
	{ AS_DECLINED, 1, 1, 2, 3, 0, "code", 1, ERR_OK },
};

START_TEST(attempt_constraints_restate_the_rules)
{
	struct attempt_row row = sample_attempt(1, attempts[_i].number);

	insert_operation(1);
	row.operation_id = sample_id(2, attempts[_i].operation);
	row.status = attempts[_i].status;
	row.prepared_at_us = attempts[_i].prepared;
	row.send_by_us = attempts[_i].send_by;
	row.lease_until_us = attempts[_i].lease;
	row.open_since_us = attempts[_i].open;
	SET_TEXT(row.decline_code, attempts[_i].decline);

	ck_assert_int_eq(store_attempt_insert(&tx, &row), attempts[_i].err);
}
END_TEST

START_TEST(event_needs_a_number_and_the_status_it_led_to)
{
	struct event_row row = sample_event(1, 0);

	ck_assert_int_eq(store_event_insert(&tx, &row), ERR_STORE);
	row = sample_event(1, 1);
	row.transaction_to = EVENT_NO_STATUS;
	ck_assert_int_eq(store_event_insert(&tx, &row), ERR_STORE);
}
END_TEST

/* Refusals that no function of the store can provoke. */
static const char *const refused[] = {
	"UPDATE callback SET currency = NULL",
	"UPDATE callback SET amount_minor = NULL",
	"UPDATE callback SET result = 'believed'",
	"UPDATE exception SET state = 'resolved'",
	"UPDATE exception SET resolved_at_us = 5",
	"UPDATE operation SET id = REPEAT('x', 17)",
	"DELETE FROM operation",
	"DELETE FROM merchant WHERE merchant = 'shop'",
};

START_TEST(schema_refuses_by_itself)
{
	struct callback_row callback = sample_callback(1);
	struct exception_row exception = { .id = sample_id(6, 1),
					   .detail = "x",
					   .opened_at_us = 1 };

	callback.has_amount = true;
	callback.amount = (struct money){ 5, "USD" };
	insert_operation(1);
	insert_transaction(1);
	insert_attempt(1, 1, AS_SENT);
	ck_assert_int_eq(store_callback_insert(&tx, &callback), ERR_OK);
	ck_assert_int_eq(store_exception_open(&tx, &exception), ERR_OK);

	ck_assert_uint_ne(scratch_refused(store->mysql, refused[_i]), 0);
}
END_TEST

#define CASES(TABLE) (int)(sizeof(TABLE) / sizeof((TABLE)[0]))

UNIT_MAIN("store_schema", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_add_loop_test(tests, enum_column_has_cores_words_in_order, 0, ENUM_COUNT);
	tcase_add_test(tests, every_enum_column_is_compared);
	tcase_add_loop_test(tests, transaction_constraints_restate_the_rules, 0,
			    CASES(transactions));
	tcase_add_loop_test(tests, operation_constraints_restate_the_rules, 0, CASES(operations));
	tcase_add_loop_test(tests, operation_is_final_exactly_where_nothing_is_to_come, 0,
			    OS_COUNT);
	tcase_add_loop_test(tests, attempt_constraints_restate_the_rules, 0, CASES(attempts));
	tcase_add_test(tests, event_needs_a_number_and_the_status_it_led_to);
	tcase_add_loop_test(tests, schema_refuses_by_itself, 0, CASES(refused));
})
