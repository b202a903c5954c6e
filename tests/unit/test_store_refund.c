/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/store/refund.c against a server: which refunds a list shows, in which order, and by which plan. */
#include <string.h>

#include "store/refund.h"
#include "store_scratch.h"
#include "unit.h"

#define FILLED 2000 /* more rows than are looked at for one page */

static void see_refund(void *context, const struct refund_view *view)
{
	struct seen *seen = context;

	if (seen->count < sizeof seen->ids / sizeof seen->ids[0])
		seen->ids[seen->count] = view->id;
	seen->count++;
}

static struct refund_page page_of(const char *merchant, unsigned limit)
{
	return (struct refund_page){ .merchant = merchant, .after_us = INT64_MAX, .limit = limit };
}

/* Every page of it; returns how many pages there were. */
static unsigned walk(struct refund_page page, struct seen *seen)
{
	struct refund_page_end end = { .more = true };
	unsigned pages = 0;

	while (end.more) {
		const size_t before = seen->count;

		ck_assert_int_eq(store_refund_page(&tx, &page, see_refund, seen, &end), ERR_OK);
		ck_assert_uint_le(seen->count - before, page.limit);
		page.after_us = end.at_us;
		page.after_id = end.id;
		ck_assert_uint_lt(pages++, 100);
	}
	return pages;
}

/* The refund of sample_transaction(n), whose attempt must be there. */
static struct operation_row refund_of(unsigned n, unsigned number)
{
	struct operation_row row = sample_operation(n);

	row.id = sample_id(9, n * 16 + number);
	row.kind = OPERATION_REFUND;
	row.parent_attempt_id = sample_id(3, n * 256 + 1);
	row.created_at_us += 1000;
	return row;
}

static void insert(struct operation_row row)
{
	ck_assert_int_eq(store_operation_insert(&tx, &row), ERR_OK);
}

static void insert_paid(unsigned n)
{
	insert_transaction(n);
	insert_operation(n);
	insert_attempt(n, 1, AS_SUCCEEDED);
}

START_TEST(page_follows_the_other_over_equal_times_without_loss_or_repeat)
{
	struct seen seen = { .count = 0 };

	insert_paid(0);
	for (unsigned number = 0; number < 10; number++) {
		struct operation_row row = refund_of(0, number);

		row.created_at_us += number / 7;
		insert(row);
	}

	ck_assert_uint_eq(walk(page_of("shop", 3), &seen), 4);

	ck_assert_uint_eq(seen.count, 10);
	for (unsigned number = 0; number < 10; number++)
		ck_id(seen.ids[number], sample_id(9, 9 - number));
}
END_TEST

START_TEST(page_ends_exactly_where_its_rows_end)
{
	struct refund_page page = page_of("shop", 5);
	struct refund_page_end end;
	struct seen seen = { .count = 0 };

	insert_paid(0);
	for (unsigned number = 0; number < 5; number++)
		insert(refund_of(0, number));

	ck_assert_int_eq(store_refund_page(&tx, &page, see_refund, &seen, &end), ERR_OK);

	ck_assert_uint_eq(seen.count, 5);
	ck_assert(!end.more);
}
END_TEST

/* Two refunds that differ in everything that can be asked for, and what is no refund. */
static void insert_two(void)
{
	struct transaction_row other = sample_transaction(1);
	struct operation_row row = refund_of(0, 0);
	struct attempt_row attempt = sample_attempt(0, 1);

	insert_paid(0);
	row.attempt_count = 2;
	insert(row);
	attempt.operation_id = row.id;
	attempt.id = sample_id(4, 1);
	attempt.status = AS_DECLINED;
	SET_TEXT(attempt.decline_code, "code");
	SET_TEXT(attempt.gateway, "beta");
	ck_assert_int_eq(store_attempt_insert(&tx, &attempt), ERR_OK);
	attempt.id = sample_id(4, 2);
	attempt.number = 2;
	SET_TEXT(attempt.gateway, "gamma");
	ck_assert_int_eq(store_attempt_insert(&tx, &attempt), ERR_OK);
	SET_TEXT(other.customer, "cust_002");
	SET_TEXT(other.method, "qris");
	other.amount = (struct money){ 5, "IDR" };
	ck_assert_int_eq(store_transaction_insert(&tx, &other), ERR_OK);
	insert_operation(1);
	insert_attempt(1, 1, AS_SUCCEEDED);
	row = refund_of(1, 0);
	row.status = OS_PARKED;
	row.next_action = NEXT_HUMAN;
	insert(row);
}

static const struct {
	struct refund_page page;
	unsigned rows; /* bits: which of the two pass */
} filters[] = {
	{ { .customer = NULL }, 3 },
	{ { .customer = "cust_001" }, 1 },
	{ { .customer = "cust_002" }, 2 },
	{ { .customer = "CUST_001" }, 0 },
	{ { .statuses = 1U << OS_PENDING }, 1 },
	{ { .statuses = 1U << OS_PARKED }, 2 },
	{ { .statuses = 1U << OS_PARKED | 1U << OS_PENDING }, 3 },
	{ { .statuses = 1U << OS_SUCCEEDED }, 0 },
	{ { .currency = "USD" }, 1 },
	{ { .currency = "IDR" }, 2 },
	{ { .currency = "EUR" }, 0 },
	{ { .method = "credit_card" }, 1 },
	{ { .method = "qris" }, 2 },
	{ { .gateway = "gamma" }, 1 },
	{ { .gateway = "beta" }, 0 },  /* of an attempt that is not the latest */
	{ { .gateway = "alpha" }, 0 }, /* of the payment, not of its refund */
	{ { .currency = "IDR",
	    .method = "qris",
	    .statuses = 1U << OS_PARKED,
	    .customer = "cust_002" },
	  2 },
	{ { .currency = "IDR", .method = "credit_card" }, 0 },
};

START_TEST(page_passes_what_every_filter_passes)
{
	struct refund_page page = filters[_i].page;
	struct seen seen = { .count = 0 };
	unsigned rows = 0;

	insert_two();
	page.merchant = "shop";
	page.after_us = INT64_MAX;
	page.limit = 10;

	ck_assert_uint_eq(walk(page, &seen), 1);

	for (size_t i = 0; i < seen.count; i++)
		rows |= 1U << seen.ids[i].bytes[15] / 16;
	ck_assert_uint_eq(rows, filters[_i].rows);
}
END_TEST

START_TEST(page_takes_from_but_not_the_place_it_begins_after)
{
	struct refund_page page = page_of("shop", 10);
	struct seen seen = { .count = 0 };

	for (unsigned n = 0; n < 10; n++) {
		insert_paid(n);
		insert(refund_of(n, 0));
	}
	page.from_us = refund_of(3, 0).created_at_us;
	page.after_us = page.from_us + 4;

	walk(page, &seen);

	ck_assert_uint_eq(seen.count, 4);
	ck_id(seen.ids[0], sample_id(9, 6 * 16));
	ck_id(seen.ids[3], sample_id(9, 3 * 16));
}
END_TEST

START_TEST(page_shows_nobody_elses)
{
	struct seen seen = { .count = 0 };

	insert_two();
	walk(page_of("other", 200), &seen);
	walk(page_of("SHOP", 200), &seen);

	ck_assert_uint_eq(seen.count, 0);
}
END_TEST

/* ---- plans ---- */

/* Payments, each refunded once, at alpha; every seventh is another merchant's, every 50th was by card. */
static void fill(void)
{
	MYSQL *mysql = scratch_connect();

	scratch_do(mysql,
		   "INSERT INTO transaction (id, merchant, customer, kind, amount_minor, currency, "
		   "exponent, amount_form, method, status, version, created_at_us, updated_at_us) "
		   "SELECT UNHEX(LPAD(HEX(seq), 32, '0')), IF(seq %% 7 = 0, 'other', 'shop'), "
		   "'cust_001', 'payment', 100, 'USD', 2, 'minor', "
		   "IF(seq %% 50 = 0, 'credit_card', 'paypal'), 'pending', 1, 1000000 + seq, 1 "
		   "FROM seq_1_to_%u",
		   FILLED);
	scratch_do(mysql, "INSERT INTO operation (id, transaction_id, merchant, kind, "
			  "amount_minor, status, next_action, next_action_at_us, created_at_us, "
			  "updated_at_us) SELECT id, id, merchant, 'charge', 100, 'pending', "
			  "'send', 1, created_at_us, 1 FROM transaction");
	scratch_do(mysql, "INSERT INTO operation (id, transaction_id, merchant, kind, "
			  "amount_minor, status, next_action, next_action_at_us, attempt_count, "
			  "parent_attempt_id, created_at_us, updated_at_us) "
			  "SELECT UNHEX(CONCAT('FF', SUBSTR(HEX(id), 3))), id, merchant, "
			  "'refund', 100, 'pending', 'send', 1, 1, id, created_at_us, 1 "
			  "FROM transaction");
	scratch_do(mysql, "INSERT INTO attempt (id, operation_id, transaction_id, merchant, "
			  "number, gateway, our_reference, gateway_key, status, send_by_us, "
			  "lease_until_us, prepared_at_us, updated_at_us) "
			  "SELECT id, id, transaction_id, merchant, 1, 'alpha', 'r', 'k', "
			  "'prepared', 2, 3, 1, 1 FROM operation");
	scratch_do(mysql, "ANALYZE TABLE transaction, operation, attempt");
	mysql_close(mysql);
}

START_TEST(page_statements_neither_sort_nor_read_a_whole_table)
{
	MYSQL *mysql = scratch_connect();

	fill();
	scratch_check_plan(mysql, STATEMENT_REFUND_PAGE, "");
	scratch_check_plan(mysql, STATEMENT_REFUND_PAGE, "pending");
	scratch_check_plan(mysql, STATEMENT_REFUND_BOUND, "");
	mysql_close(mysql);
}
END_TEST

static const struct {
	struct refund_page page;
	long long most; /* rows read for a page of 20 */
	size_t found;
} costs[] = {
	{ { .customer = NULL }, 100, 20 },
	{ { .statuses = 1U << OS_PENDING }, 1500, 20 },
	{ { .statuses = 1U << OS_FAILED | 1U << OS_PARKED }, 5000, 0 },
	{ { .method = "credit_card" }, 5000, 17 }, /* of the thousand that are looked at */
	{ { .currency = "IDR" }, 5000, 0 },
	{ { .customer = "nobody" }, 5000, 0 },
	{ { .gateway = "beta" }, 5000, 0 },
};

START_TEST(page_reads_a_bounded_number_of_rows)
{
	struct refund_page page = costs[_i].page;
	struct refund_page_end end;
	struct seen seen = { .count = 0 };
	long long before;

	fill();
	page.merchant = "shop";
	page.after_us = INT64_MAX;
	page.limit = 20;
	before = scratch_rows_read(store->mysql);

	ck_assert_int_eq(store_refund_page(&tx, &page, see_refund, &seen, &end), ERR_OK);

	ck_assert_int_le(scratch_rows_read(store->mysql) - before, costs[_i].most);
	ck_assert_uint_le(seen.count, costs[_i].found + 3);
	ck_assert_uint_ge(seen.count + 3, costs[_i].found);
	ck_assert(end.more);
}
END_TEST

START_TEST(page_goes_on_behind_the_rows_that_were_looked_at)
{
	struct refund_page page = page_of("shop", 200);
	struct seen seen = { .count = 0 };

	fill();
	page.method = "credit_card";

	ck_assert_uint_eq(walk(page, &seen), 2);

	ck_assert_uint_eq(seen.count, FILLED / 50 - FILLED / 350);
}
END_TEST

UNIT_MAIN("store_refund", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, page_follows_the_other_over_equal_times_without_loss_or_repeat);
	tcase_add_test(tests, page_ends_exactly_where_its_rows_end);
	tcase_add_loop_test(tests, page_passes_what_every_filter_passes, 0,
			    (int)(sizeof filters / sizeof filters[0]));
	tcase_add_test(tests, page_takes_from_but_not_the_place_it_begins_after);
	tcase_add_test(tests, page_shows_nobody_elses);
	tcase_add_test(tests, page_statements_neither_sort_nor_read_a_whole_table);
	tcase_add_loop_test(tests, page_reads_a_bounded_number_of_rows, 0,
			    (int)(sizeof costs / sizeof costs[0]));
	tcase_add_test(tests, page_goes_on_behind_the_rows_that_were_looked_at);
})
