/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/store/customer.c and payment_method.c against a server: rows, lists and what the constraints hold. */
#include "store/payment_method.h"

#include <string.h>

#include "store_scratch.h"
#include "unit.h"

static struct customer_row sample(unsigned n)
{
	struct customer_row row = { .id = sample_id(9, n),
				    .version = 1,
				    .created_at_us = 1000 + n,
				    .updated_at_us = 2000 + n };

	SET_TEXT(row.merchant, "shop");
	ck_assert_int_eq(snprintf(row.customer, sizeof row.customer, "c%u", n), n < 10    ? 2
										: n < 100 ? 3
											  : 4);
	SET_TEXT(row.country, "ID");
	row.profile_sealed_size = sizeof row.profile_sealed;
	memset(row.profile_sealed, 'p', sizeof row.profile_sealed);
	row.metadata_sealed_size = sizeof row.metadata_sealed;
	memset(row.metadata_sealed, 'm', sizeof row.metadata_sealed);
	sample_fill(row.key_id, sizeof row.key_id, 'k');
	memset(row.email_hash, (int)n + 1, sizeof row.email_hash);
	memset(row.phone_hash, (int)n + 2, sizeof row.phone_hash);
	return row;
}

static void insert(const struct customer_row *row)
{
	ck_assert_int_eq(store_customer_insert(&tx, row), ERR_OK);
}

START_TEST(customer_round_trip)
{
	static struct customer_row row, found;

	row = sample(1);
	insert(&row);
	memset(&found, 0, sizeof found);
	ck_assert_int_eq(store_customer_find(&tx, "shop", "c1", &found), ERR_OK);
	ck_assert_mem_eq(&found.id, &row.id, sizeof row.id);
	ck_assert_str_eq(found.country, "ID");
	ck_assert_uint_eq(found.profile_sealed_size, row.profile_sealed_size);
	ck_assert_mem_eq(found.profile_sealed, row.profile_sealed, row.profile_sealed_size);
	ck_assert_uint_eq(found.metadata_sealed_size, row.metadata_sealed_size);
	ck_assert_mem_eq(found.metadata_sealed, row.metadata_sealed, row.metadata_sealed_size);
	ck_assert_str_eq(found.key_id, row.key_id);
	ck_assert_mem_eq(found.email_hash, row.email_hash, sizeof row.email_hash);
	ck_assert_mem_eq(found.phone_hash, row.phone_hash, sizeof row.phone_hash);
	ck_assert_int_eq(found.created_at_us, row.created_at_us);
	ck_assert_int_eq(store_customer_find(&tx, "other", "c1", &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_customer_lock(&tx, "shop", "c2", &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_customer_insert(&tx, &row), ERR_CONFLICT);
	row.id = sample_id(9, 2);
	ck_assert_int_eq(store_customer_insert(&tx, &row), ERR_CONFLICT);
	SET_TEXT(row.merchant, "nobody");
	ck_assert_int_eq(store_customer_insert(&tx, &row), ERR_NOT_FOUND);
}
END_TEST

START_TEST(customer_update_changes_the_version_it_read)
{
	static struct customer_row row, found;

	row = sample(1);
	insert(&row);
	row.version = 2;
	row.status = CUSTOMER_ERASED;
	row.erased_at_us = 7;
	ck_assert_int_eq(store_customer_update(&tx, &row), ERR_STORE); /* something is left */
	row.profile_sealed_size = row.metadata_sealed_size = 0;
	row.country[0] = row.key_id[0] = '\0';
	memset(row.email_hash, 0, sizeof row.email_hash);
	ck_assert_int_eq(store_customer_update(&tx, &row), ERR_STORE); /* a hash is */
	memset(row.phone_hash, 0, sizeof row.phone_hash);
	ck_assert_int_eq(store_customer_update(&tx, &row), ERR_OK);
	ck_assert_int_eq(store_customer_update(&tx, &row),
			 ERR_STORE); /* it is that version already */
	ck_assert_int_eq(store_customer_lock(&tx, "shop", "c1", &found), ERR_OK);
	ck_assert_int_eq(found.status, CUSTOMER_ERASED);
	ck_assert_int_eq(found.erased_at_us, 7);
	ck_assert_uint_eq(found.profile_sealed_size, 0);
}
END_TEST

START_TEST(customer_country_is_that_of_the_merchants_own)
{
	static struct customer_row row;
	char country[3] = "??";
	bool any = true;

	ck_assert_int_eq(store_customer_any_country(&tx, "shop", &any), ERR_OK);
	ck_assert(!any);
	row = sample(1);
	row.country[0] = '\0';
	insert(&row);
	ck_assert_int_eq(store_customer_any_country(&tx, "shop", &any), ERR_OK);
	ck_assert(!any);
	ck_assert_int_eq(store_customer_country(&tx, "shop", "c1", country), ERR_NOT_FOUND);
	row = sample(2);
	insert(&row);
	ck_assert_int_eq(store_customer_any_country(&tx, "shop", &any), ERR_OK);
	ck_assert(any);
	ck_assert_int_eq(store_customer_any_country(&tx, "other", &any), ERR_OK);
	ck_assert(!any);
	ck_assert_int_eq(store_customer_country(&tx, "other", "c2", country), ERR_NOT_FOUND);
	ck_assert_int_eq(store_customer_country(&tx, "shop", "c2", country), ERR_OK);
	ck_assert_str_eq(country, "ID");
}
END_TEST

static void see(void *context, const struct customer_row *row)
{
	struct seen *seen = context;

	seen->ids[seen->count++] = row->id;
}

/* Newest first, by pages of three. */
START_TEST(customer_list_pages_by_key)
{
	static struct customer_row row;
	struct customer_page page = { .merchant = "shop", .after_us = INT64_MAX, .limit = 3 };
	struct seen seen = { .count = 0 };

	for (unsigned n = 0; n < 8; n++) {
		row = sample(n);
		row.created_at_us = 1000 + n / 3; /* some at the same time */
		insert(&row);
	}
	for (unsigned n = 8; n > 0; n -= n < 3 ? n : 3) {
		seen.count = 0;
		ck_assert_int_eq(store_customer_list(&tx, &page, see, &seen), ERR_OK);
		ck_assert_uint_eq(seen.count, n < 3 ? n : 3);
		for (unsigned i = 0; i < seen.count; i++)
			ck_id(seen.ids[i], sample_id(9, n - 1 - i));
		page.after_us = 1000 + (int64_t)(n - seen.count) / 3;
		page.after_id = seen.ids[seen.count - 1];
	}
}
END_TEST

START_TEST(customer_list_filters)
{
	static struct customer_row row;
	uint8_t hash[CUSTOMER_HASH_SIZE];
	struct customer_page page = { .merchant = "shop", .after_us = INT64_MAX, .limit = 9 };
	struct seen seen = { .count = 0 };

	for (unsigned n = 0; n < 4; n++) {
		row = sample(n);
		SET_TEXT(row.country, n < 2 ? "ID" : "SG");
		insert(&row);
	}
	memset(hash, 3, sizeof hash);
	page.email_hash = hash;
	ck_assert_int_eq(store_customer_list(&tx, &page, see, &seen), ERR_OK);
	page.country = "ID";
	ck_assert_int_eq(store_customer_list(&tx, &page, see, &seen), ERR_OK);
	page.email_hash = NULL;
	page.phone_hash = hash;
	ck_assert_int_eq(store_customer_list(&tx, &page, see, &seen), ERR_OK);
	page.phone_hash = NULL;
	page.from_us = 1001;
	ck_assert_int_eq(store_customer_list(&tx, &page, see, &seen), ERR_OK);
	page.status = CUSTOMER_ERASED;
	ck_assert_int_eq(store_customer_list(&tx, &page, see, &seen), ERR_OK);
	ck_assert_uint_eq(seen.count, 3);
	ck_id(seen.ids[0], sample_id(9, 2));
	ck_id(seen.ids[1], sample_id(9, 1));
	ck_id(seen.ids[2], sample_id(9, 1));
}
END_TEST

/* What the plan of a list says, with enough rows that reading all of them would cost. */
START_TEST(customer_lists_follow_their_index_and_do_not_sort)
{
	enum { STATUS = 6 }; /* the parameter */
	static const struct {
		enum statement_id id;
		const char *index;
	} lists[] = {
		{ STATEMENT_CUSTOMER_LIST, "history" },
		{ STATEMENT_CUSTOMER_LIST_COUNTRY, "by_country" },
		{ STATEMENT_CUSTOMER_LIST_EMAIL, "by_email" },
		{ STATEMENT_CUSTOMER_LIST_PHONE, "by_phone" },
	};
	char explain[2048];
	size_t used = (size_t)snprintf(explain, sizeof explain, "EXPLAIN ");
	const struct statement_row *row = statement_row(lists[_i].id);
	const char *letter = row->parameters;
	MYSQL_RES *result;
	MYSQL_ROW plan;

	for (const char *at = row->text; *at != '\0'; at++) {
		const char *literal = *letter == 'i' ? "2000" : *letter == 'b' ? "x''" : "''";

		if (*at != '?') {
			explain[used++] = *at;
			continue;
		}
		if (letter == row->parameters)
			literal = "'shop'";
		else if (letter == row->parameters + STATUS)
			literal = "'active'";
		else if (letter == row->parameters + 1)
			literal = *letter == 'b' ? "x'01010101010101010101010101010101'"
				  : _i == 0      ? "'active'"
						 : "'ID'";
		used += (size_t)snprintf(explain + used, sizeof explain - used, "%s", literal);
		letter++;
	}
	explain[used] = '\0';
	ck_assert_msg(mysql_query(store->mysql, explain) == 0, "%s", mysql_error(store->mysql));
	result = mysql_store_result(store->mysql);
	plan = mysql_fetch_row(result);
	ck_assert_str_eq(plan[3], "range");
	ck_assert_str_eq(plan[5], lists[_i].index);
	ck_assert_ptr_null(strstr(plan[9], "filesort"));
	mysql_free_result(result);
}
END_TEST

/* ---- payment methods ---- */

static struct payment_method_row method(unsigned n, unsigned customer)
{
	struct payment_method_row row = { .id = sample_id(8, n),
					  .customer_row = sample_id(9, customer),
					  .expiry_month = 12,
					  .expiry_year = 2031,
					  .version = 1,
					  .created_at_us = 1000 + n,
					  .updated_at_us = 1000 + n };

	SET_TEXT(row.merchant, "shop");
	SET_TEXT(row.gateway, "alpha");
	SET_TEXT(row.method, "credit_card");
	SET_TEXT(row.key_id, "k1");
	SET_TEXT(row.brand, "visa");
	SET_TEXT(row.last4, "4242");
	row.token_sealed_size = sizeof row.token_sealed;
	memset(row.token_sealed, 't', sizeof row.token_sealed);
	memset(row.token_hash, (int)n + 1, sizeof row.token_hash);
	return row;
}

static void customers(unsigned count)
{
	static struct customer_row row;

	for (unsigned n = 1; n <= count; n++) {
		row = sample(n);
		insert(&row);
	}
}

START_TEST(payment_method_round_trip)
{
	struct payment_method_row row = method(1, 1), found;

	ck_assert_int_eq(store_payment_method_insert(&tx, &row), ERR_NOT_FOUND); /* no customer */
	customers(2);
	ck_assert_int_eq(store_payment_method_insert(&tx, &row), ERR_OK);
	memset(&found, 0, sizeof found);
	ck_assert_int_eq(store_payment_method_find(&tx, row.customer_row, row.id, &found), ERR_OK);
	ck_assert_str_eq(found.last4, "4242");
	ck_assert_int_eq(found.expiry_year, 2031);
	ck_assert_uint_eq(found.token_sealed_size, row.token_sealed_size);
	ck_assert_mem_eq(found.token_sealed, row.token_sealed, row.token_sealed_size);
	ck_assert_int_eq(store_payment_method_find(&tx, sample_id(9, 2), row.id, &found),
			 ERR_NOT_FOUND);
	ck_assert_int_eq(store_payment_method_find_token(&tx, &row, &found), ERR_OK);
	row.token_hash[0]++;
	ck_assert_int_eq(store_payment_method_find_token(&tx, &row, &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_payment_method_delete(&tx, sample_id(9, 2), row.id), ERR_NOT_FOUND);
	ck_assert_int_eq(store_payment_method_delete(&tx, row.customer_row, row.id), ERR_OK);
	ck_assert_int_eq(store_payment_method_delete(&tx, row.customer_row, row.id), ERR_NOT_FOUND);
}
END_TEST

START_TEST(payment_method_constraints_hold_one_default_and_one_of_a_token)
{
	struct payment_method_row row = method(1, 1), found;
	int64_t count = 0;

	customers(2);
	row.is_default = true;
	ck_assert_int_eq(store_payment_method_insert(&tx, &row), ERR_OK);
	row.id = sample_id(8, 2);
	row.is_default = false;
	ck_assert_int_eq(store_payment_method_insert(&tx, &row), ERR_CONFLICT); /* the token */
	row.token_hash[0]++;
	row.is_default = true;
	ck_assert_int_eq(store_payment_method_insert(&tx, &row), ERR_CONFLICT); /* the default */
	ck_assert_int_eq(store_payment_method_clear_default(&tx, row.customer_row, 77), ERR_OK);
	ck_assert_int_eq(store_payment_method_insert(&tx, &row), ERR_OK);
	ck_assert_int_eq(store_payment_method_find(&tx, row.customer_row, sample_id(8, 1), &found),
			 ERR_OK);
	ck_assert(!found.is_default);
	ck_assert_uint_eq(found.version, 2);
	ck_assert_int_eq(found.updated_at_us, 77);
	row = method(3, 2);
	row.is_default = true;
	ck_assert_int_eq(store_payment_method_insert(&tx, &row), ERR_OK); /* another customer's */
	ck_assert_int_eq(store_payment_method_delete_all(&tx, sample_id(9, 1)), ERR_OK);
	ck_assert_int_eq(store_payment_method_count(&tx, sample_id(9, 1), &count), ERR_OK);
	ck_assert_int_eq(count, 0);
	ck_assert_int_eq(store_payment_method_count(&tx, sample_id(9, 2), &count), ERR_OK);
	ck_assert_int_eq(count, 1);
}
END_TEST

UNIT_MAIN("store_customer", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_add_test(tests, customer_round_trip);
	tcase_add_test(tests, customer_update_changes_the_version_it_read);
	tcase_add_test(tests, customer_country_is_that_of_the_merchants_own);
	tcase_add_test(tests, customer_list_pages_by_key);
	tcase_add_test(tests, customer_list_filters);
	tcase_add_loop_test(tests, customer_lists_follow_their_index_and_do_not_sort, 0, 4);
	tcase_add_test(tests, payment_method_round_trip);
	tcase_add_test(tests, payment_method_constraints_hold_one_default_and_one_of_a_token);
})
