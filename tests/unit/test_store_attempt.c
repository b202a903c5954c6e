/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/store/attempt.c against a server. */
#include <string.h>

#include "store_scratch.h"
#include "unit.h"

static struct attempt_row full_attempt(void)
{
	struct attempt_row row = sample_attempt(1, 65535);

	sample_fill(row.gateway, sizeof row.gateway, 'g');
	sample_fill(row.account, sizeof row.account, 'a');
	sample_fill(row.our_reference, sizeof row.our_reference, 'o');
	sample_fill(row.gateway_key, sizeof row.gateway_key, 'k');
	sample_fill(row.gateway_ref, sizeof row.gateway_ref, 'r');
	row.status = AS_DECLINED;
	row.class = ATTEMPT_DEFINITE;
	row.http_status = 65535;
	sample_fill(row.decline_code, 41, 'd');
	sample_fill(row.reason, sizeof row.reason, 'w');
	sample_fill(row.answer_masked, sizeof row.answer_masked, 'm');
	row.prepared_at_us = 1;
	row.send_by_us = INT64_MAX - 1;
	row.lease_until_us = INT64_MAX;
	row.sent_at_us = 2;
	row.answered_at_us = 3;
	row.open_since_us = 4;
	row.asked_count = UINT32_MAX;
	row.asked_at_us = 5;
	row.not_found_at_us = 6;
	row.contradicted_at_us = 7;
	row.updated_at_us = 8;
	return row;
}

static void ck_attempt(const struct attempt_row *a, const struct attempt_row *b)
{
	ck_id(a->id, b->id);
	ck_id(a->operation_id, b->operation_id);
	ck_id(a->transaction_id, b->transaction_id);
	ck_assert_str_eq(a->merchant, b->merchant);
	ck_assert_uint_eq(a->number, b->number);
	ck_assert_str_eq(a->gateway, b->gateway);
	ck_assert_str_eq(a->account, b->account);
	ck_assert_str_eq(a->our_reference, b->our_reference);
	ck_assert_str_eq(a->gateway_key, b->gateway_key);
	ck_assert_str_eq(a->gateway_ref, b->gateway_ref);
	ck_assert_int_eq(a->status, b->status);
	ck_assert_int_eq(a->class, b->class);
	ck_assert_int_eq(a->http_status, b->http_status);
	ck_assert_str_eq(a->decline_code, b->decline_code);
	ck_assert_str_eq(a->reason, b->reason);
	ck_assert_str_eq(a->answer_masked, b->answer_masked);
	ck_assert_int_eq(a->send_by_us, b->send_by_us);
	ck_assert_int_eq(a->lease_until_us, b->lease_until_us);
	ck_assert_int_eq(a->prepared_at_us, b->prepared_at_us);
	ck_assert_int_eq(a->sent_at_us, b->sent_at_us);
	ck_assert_int_eq(a->answered_at_us, b->answered_at_us);
	ck_assert_int_eq(a->open_since_us, b->open_since_us);
	ck_assert_uint_eq(a->asked_count, b->asked_count);
	ck_assert_int_eq(a->asked_at_us, b->asked_at_us);
	ck_assert_int_eq(a->not_found_at_us, b->not_found_at_us);
	ck_assert_int_eq(a->contradicted_at_us, b->contradicted_at_us);
	ck_assert_int_eq(a->updated_at_us, b->updated_at_us);
}

START_TEST(attempt_round_trip_of_extremes_and_of_empties)
{
	const struct attempt_row rows[] = { full_attempt(), sample_attempt(1, 1) };
	struct attempt_row found;

	insert_operation(1);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(store_attempt_insert(&tx, &rows[i]), ERR_OK);
		ck_assert_int_eq(store_attempt_lock(&tx, rows[i].id, &found), ERR_OK);
		ck_attempt(&rows[i], &found);
	}
	ck_assert_int_eq(store_attempt_lock(&tx, sample_id(3, 999), &found), ERR_NOT_FOUND);
}
END_TEST

START_TEST(attempt_update_writes_what_may_change)
{
	struct attempt_row changed = full_attempt();
	struct attempt_row row = sample_attempt(1, 1);
	struct attempt_row found;

	insert_operation(1);
	ck_assert_int_eq(store_attempt_insert(&tx, &row), ERR_OK);
	changed.id = row.id;
	changed.send_by_us = row.prepared_at_us;
	ck_assert_int_eq(store_attempt_update(&tx, &changed), ERR_STORE);
	changed.send_by_us++;
	ck_assert_int_eq(store_attempt_update(&tx, &changed), ERR_OK);

	memcpy(changed.gateway, row.gateway, sizeof changed.gateway);
	memcpy(changed.account, row.account, sizeof changed.account);
	memcpy(changed.our_reference, row.our_reference, sizeof changed.our_reference);
	memcpy(changed.gateway_key, row.gateway_key, sizeof changed.gateway_key);
	changed.number = row.number;
	changed.prepared_at_us = row.prepared_at_us;
	ck_assert_int_eq(store_attempt_lock(&tx, row.id, &found), ERR_OK);
	ck_attempt(&changed, &found);
	changed.id = sample_id(3, 999);
	ck_assert_int_eq(store_attempt_update(&tx, &changed), ERR_STORE);
}
END_TEST

START_TEST(attempt_insert_refuses_a_second_live_one_whatever_its_status)
{
	enum attempt_status status = (enum attempt_status)_i;
	struct attempt_row first = sample_attempt(1, 1);
	struct attempt_row second = sample_attempt(1, 2);
	struct attempt_row found;

	insert_operation(1);
	first.status = status;
	first.open_since_us = 1;
	SET_TEXT(first.decline_code, "code");
	ck_assert_int_eq(store_attempt_insert(&tx, &first), ERR_OK);

	if (attempt_is_uncharged(status)) {
		ck_assert_int_eq(store_attempt_lock_live(&tx, first.operation_id, &found),
				 ERR_NOT_FOUND);
		ck_assert_int_eq(store_attempt_insert(&tx, &second), ERR_OK);
	} else {
		ck_assert_int_eq(store_attempt_insert(&tx, &second), ERR_CONFLICT);
		ck_assert_int_eq(store_attempt_lock_live(&tx, first.operation_id, &found), ERR_OK);
		ck_attempt(&first, &found);
	}
}
END_TEST

START_TEST(attempt_cannot_become_live_beside_another)
{
	struct attempt_row first = sample_attempt(1, 1);

	insert_operation(1);
	insert_attempt(1, 1, AS_DECLINED);
	insert_attempt(1, 2, AS_SENT);
	first.status = AS_SUCCEEDED;

	ck_assert_int_eq(store_attempt_update(&tx, &first), ERR_CONFLICT);
}
END_TEST

START_TEST(attempt_numbers_are_used_once)
{
	struct attempt_row row = sample_attempt(1, 1);

	insert_operation(1);
	insert_attempt(1, 1, AS_DECLINED);
	row.id = sample_id(3, 999);

	ck_assert_int_eq(store_attempt_insert(&tx, &row), ERR_CONFLICT);
}
END_TEST

START_TEST(attempt_find_prefers_the_gateways_reference_then_the_live_then_the_latest)
{
	struct attempt_row row = sample_attempt(1, 1);
	struct attempt_row found = { .number = 0 };

	insert_operation(1);
	insert_operation(2);
	insert_attempt(1, 1, AS_SENT);
	insert_attempt(2, 1, AS_DECLINED);
	insert_attempt(2, 2, AS_NOT_FOUND);
	ck_assert_int_eq(store_attempt_find(&tx, "alpha", "", "reference-2", &found), ERR_OK);
	ck_assert_uint_eq(found.number, 2);
	ck_assert_int_eq(store_attempt_find(&tx, "alpha", "nowhere", "reference-1", &found),
			 ERR_OK);
	ck_id(found.operation_id, sample_id(2, 1));

	row.status = AS_SUCCEEDED;
	SET_TEXT(row.gateway_ref, "gw-1");
	ck_assert_int_eq(store_attempt_update(&tx, &row), ERR_OK);
	row = sample_attempt(2, 2);
	row.status = AS_NOT_FOUND;
	SET_TEXT(row.gateway_ref, "gw-1");
	ck_assert_int_eq(store_attempt_update(&tx, &row), ERR_OK);
	ck_assert_int_eq(store_attempt_find(&tx, "alpha", "gw-1", "reference-2", &found), ERR_OK);
	ck_id(found.operation_id, sample_id(2, 1));
}
END_TEST

START_TEST(attempt_find_takes_no_other_gateway_and_no_empty_reference)
{
	struct attempt_row found;

	insert_operation(1);
	insert_attempt(1, 1, AS_SENT);

	ck_assert_int_eq(store_attempt_find(&tx, "beta", "", "reference-1", &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_attempt_find(&tx, "alpha", "", "", &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_attempt_find(&tx, "alpha", "reference-1", "", &found),
			 ERR_NOT_FOUND);
}
END_TEST

START_TEST(attempt_gateway_used_is_true_for_its_gateways_only)
{
	bool used = false;

	insert_operation(1);
	insert_attempt(1, 1, AS_SENT);

	ck_assert_int_eq(store_attempt_gateway_used(&tx, sample_id(1, 1), "alpha", &used), ERR_OK);
	ck_assert(used);
	ck_assert_int_eq(store_attempt_gateway_used(&tx, sample_id(1, 1), "beta", &used), ERR_OK);
	ck_assert(!used);
	ck_assert_int_eq(store_attempt_gateway_used(&tx, sample_id(1, 2), "alpha", &used), ERR_OK);
	ck_assert(!used);
}
END_TEST

static void see_attempt(void *context, const struct attempt_row *row)
{
	struct seen *seen = context;

	seen->ids[seen->count++] = row->id;
}

START_TEST(attempt_list_is_in_order_of_number_and_the_merchants_own)
{
	struct seen seen = { .count = 0 };

	insert_operation(1);
	insert_attempt(1, 2, AS_DECLINED);
	insert_attempt(1, 1, AS_DECLINED);
	insert_attempt(1, 3, AS_SENT);

	ck_assert_int_eq(store_attempt_list(&tx, "other", sample_id(1, 1), 9, see_attempt, &seen),
			 ERR_OK);
	ck_assert_uint_eq(seen.count, 0);
	ck_assert_int_eq(store_attempt_list(&tx, "shop", sample_id(1, 1), 9, see_attempt, &seen),
			 ERR_OK);
	ck_assert_uint_eq(seen.count, 3);
	for (unsigned i = 0; i < 3; i++)
		ck_id(seen.ids[i], sample_attempt(1, i + 1).id);

	seen.count = 0;
	ck_assert_int_eq(store_attempt_list(&tx, "shop", sample_id(1, 1), 2, see_attempt, &seen),
			 ERR_OK);
	ck_assert_uint_eq(seen.count, 2);
}
END_TEST

UNIT_MAIN("store_attempt", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_add_test(tests, attempt_round_trip_of_extremes_and_of_empties);
	tcase_add_test(tests, attempt_update_writes_what_may_change);
	tcase_add_loop_test(tests, attempt_insert_refuses_a_second_live_one_whatever_its_status, 0,
			    AS_COUNT);
	tcase_add_test(tests, attempt_cannot_become_live_beside_another);
	tcase_add_test(tests, attempt_numbers_are_used_once);
	tcase_add_test(tests,
		       attempt_find_prefers_the_gateways_reference_then_the_live_then_the_latest);
	tcase_add_test(tests, attempt_find_takes_no_other_gateway_and_no_empty_reference);
	tcase_add_test(tests, attempt_gateway_used_is_true_for_its_gateways_only);
	tcase_add_test(tests, attempt_list_is_in_order_of_number_and_the_merchants_own);
})
