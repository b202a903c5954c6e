/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/store/event.c and callback.c against a server. */
#include <stdio.h>
#include <string.h>

#include "store_scratch.h"
#include "unit.h"

struct timeline {
	struct event_row rows[16];
	size_t count;
};

static void see_event(void *context, const struct event_row *row)
{
	struct timeline *timeline = context;

	timeline->rows[timeline->count++] = *row;
}

static void insert_event(unsigned n, uint32_t sequence)
{
	struct event_row row = sample_event(n, sequence);

	ck_assert_int_eq(store_event_insert(&tx, &row), ERR_OK);
}

static struct event_row full_event(void)
{
	struct event_row row = sample_event(1, UINT32_MAX);

	sample_fill(row.type, sizeof row.type, 't');
	row.operation_id = sample_id(2, 1);
	row.attempt_id = sample_id(3, 1);
	row.transaction_from = TS_PENDING;
	row.transaction_to = TS_PARKED;
	row.operation_from = OS_AWAITING_APPROVAL;
	row.operation_to = OS_RETURNED;
	row.attempt_from = AS_PREPARED;
	row.attempt_to = AS_NOT_FOUND;
	sample_fill(row.reason, sizeof row.reason, 'r');
	sample_fill(row.api_call_id, sizeof row.api_call_id, 'i');
	row.at_us = INT64_MAX;
	return row;
}

static void ck_event(const struct event_row *a, const struct event_row *b)
{
	ck_id(a->transaction_id, b->transaction_id);
	ck_assert_uint_eq(a->sequence, b->sequence);
	ck_id(a->id, b->id);
	ck_assert_str_eq(a->merchant, b->merchant);
	ck_assert_str_eq(a->type, b->type);
	ck_id(a->operation_id, b->operation_id);
	ck_id(a->attempt_id, b->attempt_id);
	ck_assert_int_eq(a->transaction_from, b->transaction_from);
	ck_assert_int_eq(a->transaction_to, b->transaction_to);
	ck_assert_int_eq(a->operation_from, b->operation_from);
	ck_assert_int_eq(a->operation_to, b->operation_to);
	ck_assert_int_eq(a->attempt_from, b->attempt_from);
	ck_assert_int_eq(a->attempt_to, b->attempt_to);
	ck_assert_str_eq(a->reason, b->reason);
	ck_assert_str_eq(a->api_call_id, b->api_call_id);
	ck_assert_int_eq(a->at_us, b->at_us);
}

START_TEST(event_round_trip_of_extremes_and_of_empties)
{
	const struct event_row rows[] = { sample_event(1, 1), full_event() };
	struct timeline timeline = { .count = 0 };

	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(store_event_insert(&tx, &rows[i]), ERR_OK);
	ck_assert_int_eq(
		store_event_list(&tx, "shop", sample_id(1, 1), 0, 16, see_event, &timeline),
		ERR_OK);

	ck_assert_uint_eq(timeline.count, 2);
	for (size_t i = 0; i < 2; i++)
		ck_event(&rows[i], &timeline.rows[i]);
}
END_TEST

START_TEST(event_list_is_in_order_after_a_place_and_bounded)
{
	struct timeline timeline = { .count = 0 };

	for (uint32_t sequence = 6; sequence >= 1; sequence--)
		insert_event(1, sequence);
	insert_event(2, 4);
	ck_assert_int_eq(store_event_list(&tx, "shop", sample_id(1, 1), 2, 3, see_event, &timeline),
			 ERR_OK);

	ck_assert_uint_eq(timeline.count, 3);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(timeline.rows[i].sequence, 3 + i);
}
END_TEST

START_TEST(event_list_shows_nobody_else)
{
	struct timeline timeline = { .count = 0 };

	insert_event(1, 1);
	ck_assert_int_eq(
		store_event_list(&tx, "other", sample_id(1, 1), 0, 16, see_event, &timeline),
		ERR_OK);

	ck_assert_uint_eq(timeline.count, 0);
}
END_TEST

START_TEST(event_numbers_are_used_once)
{
	struct event_row row = sample_event(1, 1);

	insert_event(1, 1);
	row.id = sample_id(4, 999);

	ck_assert_int_eq(store_event_insert(&tx, &row), ERR_CONFLICT);
}
END_TEST

#define CALLBACK_IS(CONDITION) "SELECT " CONDITION " FROM callback"

START_TEST(callback_insert_keeps_every_field)
{
	struct callback_row row = sample_callback(1);
	MYSQL *mysql = scratch_connect();

	sample_fill(row.gateway, sizeof row.gateway, 'g');
	sample_fill(row.callback_key, sizeof row.callback_key, 'k');
	row.transaction_id = sample_id(1, 1);
	row.attempt_id = sample_id(3, 1);
	sample_fill(row.gateway_ref, sizeof row.gateway_ref, 'r');
	sample_fill(row.our_reference, sizeof row.our_reference, 'o');
	sample_fill(row.word, sizeof row.word, 'w');
	row.has_amount = true;
	row.amount = (struct money){ 0, "KWD" };
	memset(row.body_sha256, 0xab, sizeof row.body_sha256);
	sample_fill(row.body_masked, sizeof row.body_masked, 'b');
	row.result = CALLBACK_ORPHAN;
	row.received_at_us = INT64_MAX;
	ck_assert_int_eq(store_callback_insert(&tx, &row), ERR_OK);

	ck_assert_str_eq(
		scratch_text(mysql, CALLBACK_IS("gateway = REPEAT('g', 32) AND callback_key = "
						"REPEAT('k', 128)")),
		"1");
	ck_assert_str_eq(scratch_text(mysql, CALLBACK_IS("HEX(id)")),
			 "01000000000000050000000000000001");
	ck_assert_str_eq(scratch_text(mysql, CALLBACK_IS("HEX(transaction_id)")),
			 "01000000000000010000000000000001");
	ck_assert_str_eq(scratch_text(mysql, CALLBACK_IS("HEX(attempt_id)")),
			 "01000000000000030000000000000001");
	ck_assert_str_eq(
		scratch_text(mysql, CALLBACK_IS("gateway_ref = REPEAT('r', 128) AND "
						"our_reference = REPEAT('o', 64) AND word = "
						"REPEAT('w', 64)")),
		"1");
	ck_assert_str_eq(scratch_text(mysql, CALLBACK_IS("CONCAT(amount_minor, currency)")),
			 "0KWD");
	ck_assert_str_eq(scratch_text(mysql, CALLBACK_IS("HEX(body_sha256) = REPEAT('AB', 32) AND "
							 "body_masked = REPEAT('b', 2048)")),
			 "1");
	ck_assert_str_eq(scratch_text(mysql, CALLBACK_IS("result")), "orphan");
	ck_assert_str_eq(scratch_text(mysql, CALLBACK_IS("received_at_us")), "9223372036854775807");
	mysql_close(mysql);
}
END_TEST

START_TEST(callback_insert_keeps_what_is_missing_as_null)
{
	struct callback_row row = sample_callback(1);
	MYSQL *mysql = scratch_connect();

	row.amount = (struct money){ 5, "USD" };
	ck_assert_int_eq(store_callback_insert(&tx, &row), ERR_OK);

	ck_assert_str_eq(
		scratch_text(mysql, CALLBACK_IS("transaction_id IS NULL AND attempt_id IS NULL "
						"AND gateway_ref IS NULL AND our_reference IS "
						"NULL AND amount_minor IS NULL AND currency IS "
						"NULL")),
		"1");
	mysql_close(mysql);
}
END_TEST

START_TEST(callback_insert_refuses_a_duplicate_of_its_gateway_only)
{
	struct callback_row row = sample_callback(1);

	ck_assert_int_eq(store_callback_insert(&tx, &row), ERR_OK);
	row.id = sample_id(5, 2);
	ck_assert_int_eq(store_callback_insert(&tx, &row), ERR_CONFLICT);
	SET_TEXT(row.gateway, "beta");
	ck_assert_int_eq(store_callback_insert(&tx, &row), ERR_OK);
	SET_TEXT(row.callback_key, "CALLBACK-1");
	ck_assert_int_eq(store_callback_insert(&tx, &row), ERR_OK);
}
END_TEST

START_TEST(callback_update_says_what_became_of_it)
{
	struct callback_row row = sample_callback(1);
	int64_t kept;

	row.transaction_id = sample_id(1, 1);
	ck_assert_int_eq(store_callback_insert(&tx, &row), ERR_OK);
	ck_assert_int_eq(store_callback_count_kept(&tx, sample_id(1, 1), &kept), ERR_OK);
	ck_assert_int_eq(kept, 1);

	row.result = CALLBACK_APPLIED;
	row.attempt_id = sample_id(3, 1);
	ck_assert_int_eq(store_callback_update(&tx, &row), ERR_OK);
	ck_assert_int_eq(store_callback_count_kept(&tx, sample_id(1, 1), &kept), ERR_OK);
	ck_assert_int_eq(kept, 0);
	ck_assert_int_eq(store_callback_update(&tx, &row), ERR_OK);

	SET_TEXT(row.callback_key, "nobody's");
	ck_assert_int_eq(store_callback_update(&tx, &row), ERR_STORE);
}
END_TEST

static struct exception_row sample_exception(unsigned n)
{
	return (struct exception_row){ .id = sample_id(6, n),
				       .kind = EXCEPTION_LATE_SUCCESS,
				       .merchant = "shop",
				       .transaction_id = sample_id(1, 1),
				       .attempt_id = sample_id(3, 1),
				       .detail = "a success after a decline",
				       .opened_at_us = 1 };
}

static int64_t open_exceptions(void)
{
	int64_t count = -1;

	ck_assert_int_eq(store_exception_count_open(&tx, sample_id(1, 1), &count), ERR_OK);
	return count;
}

START_TEST(exception_is_opened_once_per_attempt_and_kind)
{
	struct exception_row row = sample_exception(1);

	ck_assert_int_eq(open_exceptions(), 0);
	ck_assert_int_eq(store_exception_open(&tx, &row), ERR_OK);
	row = sample_exception(2);
	ck_assert_int_eq(store_exception_open(&tx, &row), ERR_OK);
	ck_assert_int_eq(open_exceptions(), 1);
	row.kind = EXCEPTION_INTEGRITY;
	ck_assert_int_eq(store_exception_open(&tx, &row), ERR_OK);
	ck_assert_int_eq(open_exceptions(), 2);
}
END_TEST

START_TEST(exceptions_without_an_attempt_are_all_kept)
{
	for (unsigned n = 1; n <= 2; n++) {
		struct exception_row row = sample_exception(n);

		row.kind = EXCEPTION_ORPHAN_CALLBACK;
		row.attempt_id = (struct id){ { 0 } };
		row.merchant[0] = '\0';
		sample_fill(row.detail, sizeof row.detail, 'd');
		ck_assert_int_eq(store_exception_open(&tx, &row), ERR_OK);
	}
	ck_assert_int_eq(open_exceptions(), 2);
}
END_TEST

START_TEST(exception_that_was_resolved_is_left_alone_too)
{
	struct exception_row row = sample_exception(1);
	MYSQL *mysql = scratch_connect();

	ck_assert_int_eq(store_exception_open(&tx, &row), ERR_OK);
	scratch_do(mysql, "UPDATE exception SET state = 'resolved', resolved_at_us = 2");
	row = sample_exception(2);
	ck_assert_int_eq(store_exception_open(&tx, &row), ERR_OK);

	ck_assert_int_eq(open_exceptions(), 0);
	ck_assert_int_eq(scratch_number(mysql, "SELECT COUNT(*) FROM exception"), 1);
	mysql_close(mysql);
}
END_TEST

UNIT_MAIN("store_event", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_add_test(tests, event_round_trip_of_extremes_and_of_empties);
	tcase_add_test(tests, event_list_is_in_order_after_a_place_and_bounded);
	tcase_add_test(tests, event_list_shows_nobody_else);
	tcase_add_test(tests, event_numbers_are_used_once);
	tcase_add_test(tests, callback_insert_keeps_every_field);
	tcase_add_test(tests, callback_insert_keeps_what_is_missing_as_null);
	tcase_add_test(tests, callback_insert_refuses_a_duplicate_of_its_gateway_only);
	tcase_add_test(tests, callback_update_says_what_became_of_it);
	tcase_add_test(tests, exception_is_opened_once_per_attempt_and_kind);
	tcase_add_test(tests, exceptions_without_an_attempt_are_all_kept);
	tcase_add_test(tests, exception_that_was_resolved_is_left_alone_too);
})
