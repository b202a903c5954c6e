/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/store/transaction_list.c against a server: which rows, in which order, and by which plan. */
#include <string.h>

#include "store_scratch.h"
#include "unit.h"

#define FILLED 6000 /* more rows than are looked at for one page */

static void see_transaction(void *context, const struct transaction_view *view)
{
	struct seen *seen = context;

	seen->last_us = view->row.created_at_us;
	if (seen->count < sizeof seen->ids / sizeof seen->ids[0])
		seen->ids[seen->count] = view->row.id;
	seen->count++;
}

static struct transaction_page page_of(const char *merchant, unsigned limit)
{
	return (struct transaction_page){ .merchant = merchant,
					  .after_us = INT64_MAX,
					  .limit = limit };
}

/* Every page of it; returns how many pages there were. */
static unsigned walk(struct transaction_page page, struct seen *seen)
{
	struct transaction_page_end end = { .more = true };
	unsigned pages = 0;

	while (end.more) {
		const size_t before = seen->count;

		ck_assert_int_eq(store_transaction_list(&tx, &page, see_transaction, seen, &end),
				 ERR_OK);
		ck_assert_uint_le(seen->count - before, page.limit);
		page.after_us = end.at_us;
		page.after_id = end.id;
		ck_assert_uint_lt(pages++, 100);
	}
	return pages;
}

static void insert(struct transaction_row row)
{
	ck_assert_int_eq(store_transaction_insert(&tx, &row), ERR_OK);
}

/* ---- order and pages ---- */

START_TEST(list_pages_over_equal_times_without_loss_or_repeat)
{
	const char *const customers[] = { NULL, "cust_001" };
	struct transaction_page page = page_of("shop", 3);
	struct seen seen = { .count = 0 };

	for (unsigned n = 0; n < 10; n++) {
		struct transaction_row row = sample_transaction(n);

		row.created_at_us = 1000 + n / 7;
		insert(row);
	}
	page.customer = customers[_i];

	ck_assert_uint_eq(walk(page, &seen), 4);

	ck_assert_uint_eq(seen.count, 10);
	for (unsigned n = 0; n < 10; n++)
		ck_id(seen.ids[n], sample_id(1, 9 - n));
}
END_TEST

START_TEST(list_merges_the_statuses_it_is_asked_for)
{
	struct transaction_page page = page_of("shop", 4);
	struct seen seen = { .count = 0 };

	for (unsigned n = 0; n < 70; n++) {
		struct transaction_row row = sample_transaction(n);

		row.status = (enum transaction_status)(n % TS_COUNT);
		row.amount_captured = row.status == TS_COMPLETED ? 1000 : 0;
		if (row.status == TS_FAILED)
			SET_TEXT(row.failure_code, "declined");
		insert(row);
	}
	page.statuses = 1U << TS_PROCESSING | 1U << TS_FAILED | 1U << TS_PARKED;

	walk(page, &seen);

	ck_assert_uint_eq(seen.count, 30);
	for (size_t i = 0; i < 10; i++) {
		ck_id(seen.ids[3 * i], sample_id(1, (unsigned)(69 - 7 * i)));
		ck_id(seen.ids[3 * i + 1], sample_id(1, (unsigned)(67 - 7 * i)));
		ck_id(seen.ids[3 * i + 2], sample_id(1, (unsigned)(64 - 7 * i)));
	}
}
END_TEST

START_TEST(list_ends_exactly_where_its_rows_end)
{
	struct transaction_page page = page_of("shop", 5);
	struct transaction_page_end end;
	struct seen seen = { .count = 0 };

	for (unsigned n = 0; n < 5; n++)
		insert(sample_transaction(n));

	ck_assert_int_eq(store_transaction_list(&tx, &page, see_transaction, &seen, &end), ERR_OK);

	ck_assert_uint_eq(seen.count, 5);
	ck_assert(!end.more);
}
END_TEST

/* ---- filters ---- */

/* Row 1 differs from row 0 in everything that can be asked for. */
static void insert_two(void)
{
	struct transaction_row other = sample_transaction(1);
	struct attempt_row attempt;

	insert_transaction(0);
	insert_attempted(0, 2);
	insert_attempt(0, 1, AS_DECLINED);
	attempt = sample_attempt(0, 2);
	SET_TEXT(attempt.gateway, "gamma");
	ck_assert_int_eq(store_attempt_insert(&tx, &attempt), ERR_OK);
	SET_TEXT(other.customer, "cust_002");
	SET_TEXT(other.method, "qris");
	other.amount = (struct money){ 5, "IDR" };
	other.kind = TRANSACTION_WITHDRAWAL;
	other.status = TS_PARKED;
	insert(other);
	insert_attempted(1, 1);
	attempt = sample_attempt(1, 1);
	SET_TEXT(attempt.gateway, "beta");
	ck_assert_int_eq(store_attempt_insert(&tx, &attempt), ERR_OK);
}

static const struct {
	struct transaction_page page;
	unsigned rows; /* bits: which of the two pass */
} filters[] = {
	{ { .customer = NULL }, 3 },
	{ { .customer = "cust_001" }, 1 },
	{ { .customer = "cust_002" }, 2 },
	{ { .customer = "CUST_001" }, 0 },
	{ { .statuses = 1U << TS_PENDING }, 1 },
	{ { .statuses = 1U << TS_PARKED }, 2 },
	{ { .statuses = 1U << TS_PARKED | 1U << TS_PENDING }, 3 },
	{ { .statuses = 1U << TS_COMPLETED }, 0 },
	{ { .customer = "cust_001", .statuses = 1U << TS_PENDING | 1U << TS_FAILED }, 1 },
	{ { .customer = "cust_001", .statuses = 1U << TS_PARKED | 1U << TS_FAILED }, 0 },
	{ { .currency = "USD" }, 1 },
	{ { .currency = "IDR" }, 2 },
	{ { .currency = "EUR" }, 0 },
	{ { .method = "credit_card" }, 1 },
	{ { .method = "qris" }, 2 },
	{ { .kind = "payment" }, 1 },
	{ { .kind = "withdrawal" }, 2 },
	{ { .kind = "deposit" }, 0 },
	{ { .gateway = "gamma" }, 1 },
	{ { .gateway = "beta" }, 2 },
	{ { .gateway = "alpha" }, 0 }, /* of an attempt that is not the latest */
	{ { .currency = "IDR",
	    .method = "qris",
	    .kind = "withdrawal",
	    .gateway = "beta",
	    .statuses = 1U << TS_PARKED,
	    .customer = "cust_002" },
	  2 },
	{ { .currency = "IDR",
	    .method = "qris",
	    .kind = "withdrawal",
	    .gateway = "beta",
	    .statuses = 1U << TS_PARKED },
	  2 },
	{ { .currency = "IDR", .method = "credit_card" }, 0 },
};

START_TEST(list_passes_what_every_filter_passes)
{
	struct transaction_page page = filters[_i].page;
	struct seen seen = { .count = 0 };
	unsigned rows = 0;

	insert_two();
	page.merchant = "shop";
	page.after_us = INT64_MAX;
	page.limit = 10;

	ck_assert_uint_eq(walk(page, &seen), 1);

	for (size_t i = 0; i < seen.count; i++)
		rows |= 1U << seen.ids[i].bytes[15];
	ck_assert_uint_eq(rows, filters[_i].rows);
}
END_TEST

START_TEST(list_takes_from_but_not_the_place_it_begins_after)
{
	struct transaction_page page = page_of("shop", 10);
	const int64_t at_us = sample_transaction(3).created_at_us;
	struct seen seen = { .count = 0 };

	for (unsigned n = 0; n < 10; n++)
		insert_transaction(n);
	page.from_us = at_us;
	page.after_us = at_us + 4;

	walk(page, &seen);

	ck_assert_uint_eq(seen.count, 4);
	ck_id(seen.ids[0], sample_id(1, 6));
	ck_id(seen.ids[3], sample_id(1, 3));
}
END_TEST

START_TEST(list_shows_nobody_elses)
{
	struct seen seen = { .count = 0 };

	insert_two();
	walk(page_of("other", 200), &seen);
	walk(page_of("SHOP", 200), &seen);

	ck_assert_uint_eq(seen.count, 0);
}
END_TEST

START_TEST(show_passes_over_others_and_none)
{
	struct id ids[20];
	const size_t count = sizeof ids / sizeof ids[0];
	struct seen seen = { .count = 0 };

	insert_two();
	for (unsigned i = 0; i < count; i++)
		ids[i] = sample_id(1, i % 3);

	ck_assert_int_eq(store_transaction_show(&tx, "shop", ids, count, see_transaction, &seen),
			 ERR_OK);
	ck_assert_uint_eq(seen.count, 2);
	ck_assert_int_eq(store_transaction_show(&tx, "other", ids, count, see_transaction, &seen),
			 ERR_OK);
	ck_assert_uint_eq(seen.count, 2);
}
END_TEST

/* ---- plans ---- */

/*
 * Payments with all that belongs to them, one a millisecond, every 50th by card, every 60th at beta, the others at
 * alpha; of two merchants and two customers.
 */
static void fill(void)
{
	MYSQL *mysql = scratch_connect();

	scratch_do(mysql,
		   "INSERT INTO transaction (id, merchant, customer, kind, amount_minor, currency, "
		   "exponent, amount_form, method, status, version, created_at_us, updated_at_us) "
		   "SELECT UNHEX(CONCAT(LPAD(HEX(1000 + seq), 12, '0'), LPAD(HEX(seq), 20, '0'))), "
		   "IF(seq %% 7 = 0, 'other', 'shop'), IF(seq %% 2 = 0, 'even', 'odd'), "
		   "'payment', 100, 'USD', 2, 'minor', "
		   "IF(seq %% 50 = 0, 'credit_card', 'paypal'), 'pending', 1, "
		   "(1000 + seq) * 1000 + seq %% 1000, 1 "
		   "FROM seq_1_to_%u",
		   FILLED);
	scratch_do(
		mysql,
		"INSERT INTO operation (id, transaction_id, merchant, kind, amount_minor, status, "
		"next_action, next_action_at_us, attempt_count, created_at_us, updated_at_us) "
		"SELECT id, id, merchant, 'charge', 100, 'pending', 'send', 1, 1, 1, 1 "
		"FROM transaction");
	scratch_do(
		mysql,
		"INSERT INTO attempt (id, operation_id, transaction_id, merchant, number, gateway, "
		"our_reference, gateway_key, status, send_by_us, lease_until_us, prepared_at_us, "
		"updated_at_us) SELECT id, id, id, merchant, 1, "
		"IF(created_at_us DIV 1000 %% 60 = 40, 'beta', 'alpha'), 'r', 'k', 'prepared', "
		"2, 3, 1, 1 FROM transaction");
	scratch_do(mysql, "ANALYZE TABLE transaction, operation, attempt");
	mysql_close(mysql);
}

START_TEST(list_statements_neither_sort_nor_read_a_whole_table)
{
	static const enum statement_id listing[] = {
		STATEMENT_TRANSACTION_SHOW,           STATEMENT_TRANSACTION_KEYS,
		STATEMENT_TRANSACTION_KEYS_STATUS,    STATEMENT_TRANSACTION_KEYS_CUSTOMER,
		STATEMENT_TRANSACTION_BOUND,          STATEMENT_TRANSACTION_BOUND_STATUS,
		STATEMENT_TRANSACTION_BOUND_CUSTOMER, STATEMENT_TRANSACTION_BOUND_GATEWAY,
	};
	MYSQL *mysql = scratch_connect();

	fill();
	for (size_t i = 0; i < sizeof listing / sizeof listing[0]; i++) {
		scratch_check_plan(mysql, listing[i], "");
		scratch_check_plan(mysql, listing[i], "pending");
	}
	scratch_check_covered(mysql, STATEMENT_TRANSACTION_KEYS);
	scratch_check_covered(mysql, STATEMENT_TRANSACTION_BOUND_GATEWAY);
	mysql_close(mysql);
}
END_TEST

static const struct {
	struct transaction_page page;
	long long most; /* rows read for a page of 20 */
	size_t found;
} costs[] = {
	{ { .customer = NULL }, 400, 20 },
	{ { .customer = "even" }, 400, 20 },
	{ { .statuses = 1U << TS_PENDING }, 400, 20 },
	{ { .statuses = 1U << TS_FAILED | 1U << TS_PARKED }, 100, 0 },
	{ { .currency = "USD" }, 400, 20 }, /* most pass: the first look is enough */
	{ { .method = "credit_card" }, 5000, 20 },
	{ { .currency = "IDR" }, 5000, 0 },
	{ { .currency = "IDR", .statuses = 1U << TS_PENDING }, 3000, 0 },
	{ { .customer = "odd", .method = "credit_card" }, 3000, 0 },
	{ { .customer = "odd", .gateway = "beta" }, 3000, 0 },
	{ { .gateway = "alpha" }, 500, 20 },
	{ { .gateway = "beta" }, 500, 20 },
	{ { .gateway = "beta", .statuses = 1U << TS_FAILED }, 1500, 0 },
	{ { .gateway = "gamma" }, 20, 0 },
};

START_TEST(list_reads_a_bounded_number_of_rows_for_a_page)
{
	struct transaction_page page = costs[_i].page;
	struct transaction_page_end end;
	struct seen seen = { .count = 0 };
	long long before;

	fill();
	page.merchant = "shop";
	page.after_us = INT64_MAX;
	page.limit = 20;
	before = scratch_rows_read(store->mysql);

	ck_assert_int_eq(store_transaction_list(&tx, &page, see_transaction, &seen, &end), ERR_OK);

	ck_assert_uint_eq(seen.count, costs[_i].found);
	ck_assert_int_le(scratch_rows_read(store->mysql) - before, costs[_i].most);
}
END_TEST

START_TEST(list_goes_on_behind_the_rows_that_were_looked_at)
{
	struct transaction_page page = page_of("shop", 200);
	struct seen seen = { .count = 0 };

	fill();
	page.method = "credit_card";

	ck_assert_uint_eq(walk(page, &seen), 5);

	ck_assert_uint_eq(seen.count, FILLED / 50 - FILLED / 350);
}
END_TEST

/* All in one millisecond, whose microseconds run against their ids: only the id's time is in the gateway's index. */
START_TEST(list_of_a_gateway_has_the_order_of_all_lists)
{
	const unsigned limits[] = { 1, 2, 3, 7, 200 };
	struct transaction_page page = page_of("shop", limits[_i]);
	struct seen seen = { .count = 0 };

	for (unsigned n = 0; n < 9; n++) {
		struct transaction_row row = sample_transaction(n);
		struct attempt_row attempt = sample_attempt(n, 1);

		row.created_at_us = id_time_us(row.id) + 900 - n;
		insert(row);
		insert_attempted(n, 1);
		SET_TEXT(attempt.gateway, "beta");
		ck_assert_int_eq(store_attempt_insert(&tx, &attempt), ERR_OK);
	}
	page.gateway = "beta";

	walk(page, &seen);

	ck_assert_uint_eq(seen.count, 9);
	for (unsigned n = 0; n < 9; n++)
		ck_id(seen.ids[n], sample_id(1, n));

	seen.count = 0;
	page.from_us = id_time_us(sample_id(1, 0)) + 900 - 4;
	page.after_us = page.from_us + 3;
	walk(page, &seen);

	ck_assert_uint_eq(seen.count, 3);
	ck_id(seen.ids[0], sample_id(1, 2));

	page.from_us = page.after_us = 0; /* before the first of all times */
	walk(page, &seen);
	ck_assert_uint_eq(seen.count, 3);
}
END_TEST

UNIT_MAIN("store_transaction_list", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, list_pages_over_equal_times_without_loss_or_repeat, 0, 2);
	tcase_add_test(tests, list_merges_the_statuses_it_is_asked_for);
	tcase_add_test(tests, list_ends_exactly_where_its_rows_end);
	tcase_add_loop_test(tests, list_passes_what_every_filter_passes, 0,
			    (int)(sizeof filters / sizeof filters[0]));
	tcase_add_test(tests, list_takes_from_but_not_the_place_it_begins_after);
	tcase_add_test(tests, list_shows_nobody_elses);
	tcase_add_test(tests, show_passes_over_others_and_none);
	tcase_add_test(tests, list_statements_neither_sort_nor_read_a_whole_table);
	tcase_add_loop_test(tests, list_reads_a_bounded_number_of_rows_for_a_page, 0,
			    (int)(sizeof costs / sizeof costs[0]));
	tcase_add_test(tests, list_goes_on_behind_the_rows_that_were_looked_at);
	tcase_add_loop_test(tests, list_of_a_gateway_has_the_order_of_all_lists, 0, 5);
})
