/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/store/operation.c against a server. */
#include <string.h>

#include "store_scratch.h"
#include "unit.h"

static struct operation_row full_operation(void)
{
	struct operation_row row = sample_operation(1);

	row.kind = OPERATION_PAYOUT;
	row.amount_minor = MONEY_MAX_MINOR;
	row.status = OS_PARKED;
	row.next_action = NEXT_HUMAN;
	row.next_action_at_us = INT64_MAX;
	row.gateway_key_number = 65535;
	row.attempt_count = 65535;
	row.retry_count = 65535;
	row.human_verdict = true;
	sample_fill(row.idempotency_key, sizeof row.idempotency_key, 'k');
	memset(row.request_hashes, 0xee, sizeof row.request_hashes);
	row.request_hashes_size = sizeof row.request_hashes;
	memset(row.payment_token_sealed, 0, sizeof row.payment_token_sealed);
	row.payment_token_sealed_size = sizeof row.payment_token_sealed;
	sample_fill(row.payment_token_key_id, sizeof row.payment_token_key_id, 'i');
	row.cancel_wished_at_us = INT64_MAX;
	sample_fill(row.route_rule, sizeof row.route_rule, 'r');
	sample_fill(row.route_candidates, sizeof row.route_candidates, 'c');
	memset(row.trace.bytes, 0xff, sizeof row.trace.bytes);
	row.trace.size = sizeof row.trace.bytes;
	return row;
}

static void ck_operation(const struct operation_row *a, const struct operation_row *b)
{
	ck_id(a->id, b->id);
	ck_id(a->transaction_id, b->transaction_id);
	ck_assert_str_eq(a->merchant, b->merchant);
	ck_assert_int_eq(a->kind, b->kind);
	ck_assert_int_eq(a->amount_minor, b->amount_minor);
	ck_assert_int_eq(a->status, b->status);
	ck_assert_int_eq(a->next_action, b->next_action);
	ck_assert_int_eq(a->next_action_at_us, b->next_action_at_us);
	ck_assert_uint_eq(a->gateway_key_number, b->gateway_key_number);
	ck_assert_uint_eq(a->attempt_count, b->attempt_count);
	ck_assert_uint_eq(a->retry_count, b->retry_count);
	ck_assert_int_eq(a->human_verdict, b->human_verdict);
	ck_assert_str_eq(a->idempotency_key, b->idempotency_key);
	ck_assert_uint_eq(a->request_hashes_size, b->request_hashes_size);
	ck_assert_mem_eq(a->request_hashes, b->request_hashes, a->request_hashes_size);
	ck_assert_uint_eq(a->payment_token_sealed_size, b->payment_token_sealed_size);
	ck_assert_mem_eq(a->payment_token_sealed, b->payment_token_sealed,
			 a->payment_token_sealed_size);
	ck_assert_str_eq(a->payment_token_key_id, b->payment_token_key_id);
	ck_assert_int_eq(a->created_at_us, b->created_at_us);
	ck_assert_int_eq(a->updated_at_us, b->updated_at_us);
	ck_assert_int_eq(a->cancel_wished_at_us, b->cancel_wished_at_us);
	ck_assert_str_eq(a->route_rule, b->route_rule);
	ck_assert_str_eq(a->route_candidates, b->route_candidates);
	ck_assert_uint_eq(a->trace.size, b->trace.size);
	ck_assert_mem_eq(a->trace.bytes, b->trace.bytes, a->trace.size);
}

START_TEST(operation_round_trip_of_extremes_and_of_empties)
{
	const struct operation_row rows[] = { full_operation(), sample_operation(2) };
	struct operation_row found;

	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(store_operation_insert(&tx, &rows[i]), ERR_OK);
		ck_assert_int_eq(store_operation_lock(&tx, rows[i].id, &found), ERR_OK);
		ck_operation(&rows[i], &found);
	}
	ck_assert_int_eq(store_operation_lock(&tx, sample_id(2, 99), &found), ERR_NOT_FOUND);
}
END_TEST

START_TEST(operation_update_writes_what_may_change_and_wipes_the_token)
{
	struct operation_row row = full_operation();
	struct operation_row found;

	ck_assert_int_eq(store_operation_insert(&tx, &row), ERR_OK);
	row.status = OS_PROCESSING;
	row.next_action = NEXT_ASK;
	row.next_action_at_us = 5;
	row.gateway_key_number = 2;
	row.attempt_count = 3;
	row.retry_count = 4;
	row.human_verdict = false;
	row.updated_at_us = 6;
	SET_TEXT(row.route_rule, "indonesia");
	SET_TEXT(row.route_candidates, "alpha beta");
	ck_assert_int_eq(store_operation_update(&tx, &row), ERR_OK);
	ck_assert_int_eq(store_operation_lock(&tx, row.id, &found), ERR_OK);
	ck_operation(&row, &found);

	row.status = OS_FAILED;
	row.next_action = NEXT_NONE;
	row.next_action_at_us = 0;
	ck_assert_int_eq(store_operation_update(&tx, &row), ERR_STORE);
	row.payment_token_sealed_size = 0;
	row.payment_token_key_id[0] = '\0';
	ck_assert_int_eq(store_operation_update(&tx, &row), ERR_OK);
	ck_assert_int_eq(store_operation_update(&tx, &row), ERR_OK);
	ck_assert_int_eq(store_operation_lock(&tx, row.id, &found), ERR_OK);
	ck_operation(&row, &found);

	row.id = sample_id(2, 99);
	ck_assert_int_eq(store_operation_update(&tx, &row), ERR_STORE);
}
END_TEST

START_TEST(operation_is_found_by_key_of_its_merchant_byte_for_byte)
{
	struct operation_row row = full_operation();
	struct operation_row found;
	struct id id;

	SET_TEXT(row.idempotency_key, "Key");
	ck_assert_int_eq(store_operation_insert(&tx, &row), ERR_OK);

	ck_assert_int_eq(store_operation_find_key(&tx, "shop", "Key", &found), ERR_OK);
	ck_operation(&row, &found);
	ck_assert_int_eq(store_operation_find_key(&tx, "other", "Key", &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_operation_find_key(&tx, "shop", "key", &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_operation_find_key(&tx, "shop", "Key ", &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_operation_find_key(&tx, "shop", "", &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_operation_find_money(&tx, row.transaction_id, &id), ERR_OK);
	ck_id(id, row.id);
	ck_assert_int_eq(store_operation_find_money(&tx, sample_id(1, 99), &id), ERR_NOT_FOUND);
}
END_TEST

START_TEST(operation_insert_refuses_a_second_charge_and_a_used_key)
{
	struct operation_row row = full_operation();
	struct operation_row second = sample_operation(2);

	ck_assert_int_eq(store_operation_insert(&tx, &row), ERR_OK);
	second.transaction_id = row.transaction_id;
	ck_assert_int_eq(store_operation_insert(&tx, &second), ERR_CONFLICT);
	second.kind = OPERATION_AUTHORISE;
	ck_assert_int_eq(store_operation_insert(&tx, &second), ERR_CONFLICT);
	second.kind = OPERATION_REFUND;
	second.parent_attempt_id = sample_id(3, 1);
	ck_assert_int_eq(store_operation_insert(&tx, &second), ERR_OK);

	second = sample_operation(3);
	memcpy(second.idempotency_key, row.idempotency_key, sizeof second.idempotency_key);
	second.request_hashes_size = 1;
	ck_assert_int_eq(store_operation_insert(&tx, &second), ERR_CONFLICT);
	SET_TEXT(second.merchant, "other");
	ck_assert_int_eq(store_operation_insert(&tx, &second), ERR_OK);
}
END_TEST

/* Due ones are numbered against their order: the earliest is the last that was inserted. */
static void insert_due(unsigned count, int64_t now_us)
{
	static const enum next_action actions[] = { NEXT_SEND, NEXT_ASK, NEXT_EXPIRE };

	for (unsigned n = 0; n < count; n++) {
		struct operation_row row = sample_operation(n);

		row.next_action = actions[n % 3];
		row.next_action_at_us = now_us - 1000000 - n;
		ck_assert_int_eq(store_operation_insert(&tx, &row), ERR_OK);
	}
}

static void insert_not_due(int64_t now_us)
{
	struct operation_row later = sample_operation(50);
	struct operation_row human = sample_operation(51);
	struct operation_row expiring = sample_operation(52);
	struct operation_row final = sample_operation(53);

	later.next_action_at_us = now_us + 3600000000;
	human.status = OS_PARKED;
	human.next_action = NEXT_HUMAN;
	human.next_action_at_us = 1;
	expiring.next_action = NEXT_EXPIRE;
	expiring.next_action_at_us = now_us + 3600000000;
	final.status = OS_SUCCEEDED;
	final.next_action = NEXT_NONE;
	final.next_action_at_us = 0;
	ck_assert_int_eq(store_operation_insert(&tx, &later), ERR_OK);
	ck_assert_int_eq(store_operation_insert(&tx, &human), ERR_OK);
	ck_assert_int_eq(store_operation_insert(&tx, &expiring), ERR_OK);
	ck_assert_int_eq(store_operation_insert(&tx, &final), ERR_OK);
}

START_TEST(operation_claim_gives_due_ones_in_order_to_one_claimer_each)
{
	struct store *second = scratch_store();
	struct store_tx second_tx = { .store = second };
	struct operation_row rows[OPERATION_CLAIM_MAX];
	int64_t now_us;
	size_t count;

	ck_assert_int_eq(store_now(&tx, &now_us), ERR_OK);
	insert_due(10, now_us);
	insert_not_due(now_us);
	scratch_do(store->mysql, "START TRANSACTION");
	scratch_do(second->mysql, "START TRANSACTION");

	ck_assert_int_eq(store_operation_claim(&tx, 4, rows, &count), ERR_OK);
	ck_assert_uint_eq(count, 4);
	for (unsigned i = 0; i < 4; i++)
		ck_id(rows[i].id, sample_id(2, 9 - i));
	ck_assert_int_eq(store_operation_claim(&second_tx, OPERATION_CLAIM_MAX, rows, &count),
			 ERR_OK);
	ck_assert_uint_eq(count, 6);
	for (unsigned i = 0; i < 6; i++)
		ck_id(rows[i].id, sample_id(2, 5 - i));

	scratch_do(store->mysql, "ROLLBACK");
	ck_assert_int_eq(store_operation_claim(&second_tx, OPERATION_CLAIM_MAX, rows, &count),
			 ERR_OK);
	ck_assert_uint_eq(count, 10);
	store_close(second);
}
END_TEST

START_TEST(operation_claim_goes_by_the_database_clock)
{
	struct operation_row row = sample_operation(1);
	struct operation_row claimed[1];
	int64_t now_us;
	size_t count;

	row.next_action_at_us = INT64_C(1800000000000000);
	ck_assert_int_eq(store_operation_insert(&tx, &row), ERR_OK);

	scratch_do(store->mysql, "SET timestamp = 1799999999.999999");
	ck_assert_int_eq(store_now(&tx, &now_us), ERR_OK);
	ck_assert_int_eq(now_us, INT64_C(1799999999999999));
	ck_assert_int_eq(store_operation_claim(&tx, 1, claimed, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);

	scratch_do(store->mysql, "SET timestamp = 1800000000.000000");
	ck_assert_int_eq(store_operation_claim(&tx, 1, claimed, &count), ERR_OK);
	ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(operation_figures_count_what_waits)
{
	struct operation_figures figures;
	int64_t now_us;

	ck_assert_int_eq(store_operation_figures(&tx, &figures), ERR_OK);
	ck_assert_int_eq(figures.due, 0);
	ck_assert_int_eq(figures.oldest_due_us, 0);
	scratch_do(store->mysql, "SET timestamp = 1800000000.000000");
	ck_assert_int_eq(store_now(&tx, &now_us), ERR_OK);
	insert_due(3, now_us);
	insert_not_due(now_us);

	ck_assert_int_eq(store_operation_figures(&tx, &figures), ERR_OK);

	ck_assert_int_eq(figures.due, 3);
	ck_assert_int_eq(figures.oldest_due_us, 1000002);
	ck_assert_int_eq(figures.without_next_action, 0);
}
END_TEST

START_TEST(operation_figures_count_what_the_check_would_have_stopped)
{
	struct operation_figures figures;
	MYSQL *mysql = scratch_connect();

	insert_operation(1);
	/* Only MariaDB can be told to look away. */
	if (mysql_query(mysql, "SET check_constraint_checks = 0") == 0) {
		scratch_do(mysql,
			   "UPDATE operation SET next_action = 'none', next_action_at_us = NULL");
		ck_assert_int_eq(store_operation_figures(&tx, &figures), ERR_OK);
		ck_assert_int_eq(figures.without_next_action, 1);
	}
	mysql_close(mysql);
}
END_TEST

UNIT_MAIN("store_operation", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_add_test(tests, operation_round_trip_of_extremes_and_of_empties);
	tcase_add_test(tests, operation_update_writes_what_may_change_and_wipes_the_token);
	tcase_add_test(tests, operation_is_found_by_key_of_its_merchant_byte_for_byte);
	tcase_add_test(tests, operation_insert_refuses_a_second_charge_and_a_used_key);
	tcase_add_test(tests, operation_claim_gives_due_ones_in_order_to_one_claimer_each);
	tcase_add_test(tests, operation_claim_goes_by_the_database_clock);
	tcase_add_test(tests, operation_figures_count_what_waits);
	tcase_add_test(tests, operation_figures_count_what_the_check_would_have_stopped);
})
