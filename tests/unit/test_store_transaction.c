/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/store/merchant.c and transaction.c against a server. */
#include <string.h>

#include "store_scratch.h"
#include "unit.h"

START_TEST(merchant_round_trip)
{
	struct merchant_row row = { .merchant = "a_merchant-9", .created_at_us = INT64_MAX };
	struct merchant_row found = { .created_at_us = 0 };

	for (size_t i = 0; i < 120; i++)
		memcpy(row.name + 4 * i, "\xf0\x9f\x92\xb3", 5);

	ck_assert_int_eq(store_merchant_insert(&tx, &row), ERR_OK);
	ck_assert_int_eq(store_merchant_find(&tx, "a_merchant-9", &found), ERR_OK);

	ck_assert_str_eq(found.merchant, row.merchant);
	ck_assert_str_eq(found.name, row.name);
	ck_assert_int_eq(found.created_at_us, row.created_at_us);
}
END_TEST

START_TEST(merchant_insert_refuses_a_second)
{
	struct merchant_row row = { .merchant = "shop", .name = "x", .created_at_us = 1 };

	ck_assert_int_eq(store_merchant_insert(&tx, &row), ERR_CONFLICT);
}
END_TEST

static const char *const no_merchants[] = {
	"", "Shop", "SHOP", "sh op", "shop\n", "shop ", "sh.op", "sh\xc3\xb6p", "sh\xffp", "shop'",
};

START_TEST(merchant_insert_refuses_words_that_are_none)
{
	struct merchant_row row = { .name = "x", .created_at_us = 1 };

	SET_TEXT(row.merchant, no_merchants[_i]);
	ck_assert_int_eq(store_merchant_insert(&tx, &row), ERR_STORE);
}
END_TEST

START_TEST(merchant_find_leaves_the_output_where_there_is_none)
{
	struct merchant_row found = { .merchant = "untouched" };

	ck_assert_int_eq(store_merchant_find(&tx, "nobody", &found), ERR_NOT_FOUND);
	ck_assert_str_eq(found.merchant, "untouched");
}
END_TEST

static struct transaction_row full_transaction(void)
{
	struct transaction_row row = sample_transaction(1);

	sample_fill(row.customer, sizeof row.customer, 'c');
	row.kind = TRANSACTION_INSTALMENT;
	row.amount = (struct money){ MONEY_MAX_MINOR, "CLF" };
	row.exponent = 4;
	row.form = AMOUNT_MAJOR;
	sample_fill(row.method, sizeof row.method, 'm');
	for (size_t i = 0; i < 255; i++)
		memcpy(row.description + 4 * i, "\xf0\x9f\x92\xb3", 5);
	SET_TEXT(row.country, "ID");
	sample_fill(row.callback_url, sizeof row.callback_url, 'u');
	sample_fill(row.metadata, sizeof row.metadata, 'j');
	row.status = TS_FAILED;
	sample_fill(row.status_reason, 41, 'r');
	row.version = UINT32_MAX;
	row.amount_captured = MONEY_MAX_MINOR;
	row.amount_refunded = MONEY_MAX_MINOR;
	sample_fill(row.failure_code, 41, 'f');
	row.created_at_us = INT64_MAX;
	row.updated_at_us = INT64_MAX - 1;
	return row;
}

static void ck_transaction(const struct transaction_row *a, const struct transaction_row *b)
{
	ck_id(a->id, b->id);
	ck_assert_str_eq(a->merchant, b->merchant);
	ck_assert_str_eq(a->customer, b->customer);
	ck_assert_int_eq(a->kind, b->kind);
	ck_assert_int_eq(a->amount.minor, b->amount.minor);
	ck_assert_str_eq(a->amount.currency, b->amount.currency);
	ck_assert_uint_eq(a->exponent, b->exponent);
	ck_assert_int_eq(a->form, b->form);
	ck_assert_str_eq(a->method, b->method);
	ck_assert_str_eq(a->description, b->description);
	ck_assert_str_eq(a->country, b->country);
	ck_assert_str_eq(a->callback_url, b->callback_url);
	ck_assert_str_eq(a->metadata, b->metadata);
	ck_assert_int_eq(a->status, b->status);
	ck_assert_str_eq(a->status_reason, b->status_reason);
	ck_assert_uint_eq(a->version, b->version);
	ck_assert_int_eq(a->amount_captured, b->amount_captured);
	ck_assert_int_eq(a->amount_refunded, b->amount_refunded);
	ck_assert_str_eq(a->failure_code, b->failure_code);
	ck_assert_int_eq(a->created_at_us, b->created_at_us);
	ck_assert_int_eq(a->updated_at_us, b->updated_at_us);
}

START_TEST(transaction_round_trip_of_extremes_and_of_empties)
{
	const struct transaction_row rows[] = { full_transaction(), sample_transaction(2) };
	struct transaction_row found;
	struct transaction_view view;

	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(store_transaction_insert(&tx, &rows[i]), ERR_OK);
		ck_assert_int_eq(store_transaction_lock(&tx, rows[i].id, &found), ERR_OK);
		ck_transaction(&rows[i], &found);
		ck_assert_int_eq(store_transaction_find(&tx, "shop", rows[i].id, &view), ERR_OK);
		ck_transaction(&rows[i], &view.row);
	}
}
END_TEST

START_TEST(transaction_keeps_empty_texts_as_null)
{
	MYSQL *mysql = scratch_connect();

	insert_transaction(2);

	ck_assert_int_eq(scratch_number(mysql, "SELECT description IS NULL AND country IS NULL AND "
					       "callback_url IS NULL AND metadata IS NULL AND "
					       "status_reason IS NULL AND failure_code IS NULL "
					       "FROM transaction"),
			 1);
	mysql_close(mysql);
}
END_TEST

START_TEST(transaction_insert_tells_a_second_from_a_missing_merchant)
{
	struct transaction_row row = sample_transaction(1);
	struct transaction_row found;

	insert_transaction(1);
	ck_assert_int_eq(store_transaction_insert(&tx, &row), ERR_CONFLICT);
	row.id = sample_id(1, 2);
	SET_TEXT(row.merchant, "nobody");
	ck_assert_int_eq(store_transaction_insert(&tx, &row), ERR_NOT_FOUND);
	ck_assert_int_eq(store_transaction_lock(&tx, row.id, &found), ERR_NOT_FOUND);
}
END_TEST

START_TEST(transaction_update_writes_what_may_change_for_the_next_version_only)
{
	struct transaction_row row = sample_transaction(1);
	struct transaction_row found;

	insert_transaction(1);
	row.status = TS_FAILED;
	SET_TEXT(row.status_reason, "declined");
	SET_TEXT(row.failure_code, "insufficient_funds");
	row.amount_captured = 10;
	row.amount_refunded = 9;
	row.updated_at_us = 77;

	ck_assert_int_eq(store_transaction_update(&tx, &row), ERR_STORE);
	row.version = 3;
	ck_assert_int_eq(store_transaction_update(&tx, &row), ERR_STORE);
	ck_assert_int_eq(store_transaction_lock(&tx, row.id, &found), ERR_OK);
	ck_assert_int_eq(found.status, TS_PENDING);
	row.version = 2;
	ck_assert_int_eq(store_transaction_update(&tx, &row), ERR_OK);

	ck_assert_int_eq(store_transaction_lock(&tx, row.id, &found), ERR_OK);
	ck_transaction(&row, &found);
}
END_TEST

START_TEST(transaction_view_shows_the_money_operation_and_its_latest_attempt)
{
	struct operation_row refund = sample_operation(90);
	struct transaction_view view;

	insert_transaction(1);
	ck_assert_int_eq(store_transaction_find(&tx, "shop", sample_id(1, 1), &view), ERR_OK);
	ck_assert_int_eq(view.next_action, NEXT_NONE);
	ck_assert_int_eq(view.next_action_at_us, 0);
	ck_assert_str_eq(view.gateway, "");

	insert_attempted(1, 2);
	refund.transaction_id = sample_id(1, 1);
	refund.kind = OPERATION_REFUND;
	refund.parent_attempt_id = sample_id(3, 1);
	refund.next_action = NEXT_HUMAN;
	ck_assert_int_eq(store_operation_insert(&tx, &refund), ERR_OK);
	insert_attempt(1, 1, AS_DECLINED);
	insert_attempt(1, 2, AS_ACCEPTED);

	ck_assert_int_eq(store_transaction_find(&tx, "shop", sample_id(1, 1), &view), ERR_OK);
	ck_assert_int_eq(view.next_action, NEXT_SEND);
	ck_assert_int_eq(view.next_action_at_us, sample_operation(1).next_action_at_us);
	ck_assert_str_eq(view.gateway, "alpha");
	ck_assert_str_eq(view.gateway_ref, "");
	ck_assert_str_eq(view.decline_code, "code_2");
}
END_TEST

START_TEST(transaction_of_another_merchant_is_not_found)
{
	struct transaction_view view;

	insert_transaction(1);

	ck_assert_int_eq(store_transaction_find(&tx, "other", sample_id(1, 1), &view),
			 ERR_NOT_FOUND);
	ck_assert_int_eq(store_transaction_find(&tx, "SHOP", sample_id(1, 1), &view),
			 ERR_NOT_FOUND);
}
END_TEST

UNIT_MAIN("store_transaction", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_add_test(tests, merchant_round_trip);
	tcase_add_test(tests, merchant_insert_refuses_a_second);
	tcase_add_loop_test(tests, merchant_insert_refuses_words_that_are_none, 0,
			    (int)(sizeof no_merchants / sizeof no_merchants[0]));
	tcase_add_test(tests, merchant_find_leaves_the_output_where_there_is_none);
	tcase_add_test(tests, transaction_round_trip_of_extremes_and_of_empties);
	tcase_add_test(tests, transaction_keeps_empty_texts_as_null);
	tcase_add_test(tests, transaction_insert_tells_a_second_from_a_missing_merchant);
	tcase_add_test(tests, transaction_update_writes_what_may_change_for_the_next_version_only);
	tcase_add_test(tests, transaction_view_shows_the_money_operation_and_its_latest_attempt);
	tcase_add_test(tests, transaction_of_another_merchant_is_not_found);
})
