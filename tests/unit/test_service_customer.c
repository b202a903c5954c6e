/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/service/customer.c and payment_method.c against a server: what is sealed, erased, and done once. */
#include "service/payment_method.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/commit_cutter.h"
#include "tests/unit/service_fixture.h"

#define TEXT(T)                                                                                    \
	{                                                                                          \
		.kind = VALUE_STRING, .text = (T), .text_size = sizeof(T) - 1                      \
	}
#define EMAIL "Ana@Shop.Example"

static struct service service;
static struct commit_cutter cutter;
static struct store_pool *cut; /* loses commits */
static struct customer_desk desk;
static struct reader *methods;

static const struct field_pair pairs[] = { { .name = "tier", .text = "gold", .text_size = 4 } };
static const struct field_member ana[] = {
	{ "name", TEXT("Ana Wijaya") },
	{ "email", TEXT(EMAIL) },
	{ "country", TEXT("ID") },
	{ "metadata", { .kind = VALUE_OBJECT, .pairs = pairs, .pair_count = 1 } },
};
static const struct payment_method_request card = { .gateway = "alpha",
						    .token = "tok_ok",
						    .method = "credit_card" };

static void create(void)
{
	service_create(&service, "customer");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	struct store_settings settings;
	char why[STORE_WHY_SIZE];

	service_open(&service);
	ck_assert(commit_cutter_start(&cutter, service.database.socket));
	settings = service.database;
	settings.socket = cutter.path;
	ck_assert_int_eq(store_pool_open(&settings, 1, &cut, why), ERR_OK);
	desk = (struct customer_desk){ service.pool, &service.vault, SERVICE_WAIT_MS };
	ck_assert_int_eq(payment_method_start(&service.database, &methods), ERR_OK);
}

static void tear_down(void)
{
	reader_stop(methods);
	store_pool_close(cut);
	commit_cutter_stop(&cutter);
	service_close(&service);
}

static struct customer_request request_for(const char *id)
{
	return (struct customer_request){ .merchant = SERVICE_MERCHANT,
					  .customer = id,
					  .members = ana,
					  .count = sizeof ana / sizeof ana[0] };
}

static enum customer_outcome create_as(const char *id, struct customer *customer)
{
	const struct customer_request request = request_for(id);
	enum customer_outcome outcome = CUSTOMER_UNCHANGED;

	ck_assert_int_eq(customer_create(&desk, &request, &outcome, customer), ERR_OK);
	return outcome;
}

static enum payment_method_outcome add_to(const char *id, struct payment_method_row *row)
{
	const struct payment_method_target target = { .merchant = SERVICE_MERCHANT,
						      .customer = id };
	enum payment_method_outcome outcome = METHOD_FULL;

	ck_assert_int_eq(payment_method_add(&desk, &target, &card, &outcome, row), ERR_OK);
	return outcome;
}

START_TEST(a_profile_comes_back_as_it_was_and_is_found)
{
	static struct customer made, shown;
	uint8_t hash[CUSTOMER_HASH_SIZE];

	ck_assert_int_eq(create_as("c1", &made), CUSTOMER_DONE);
	ck_assert_int_eq(customer_show(&desk, SERVICE_MERCHANT, "c1", &shown), ERR_OK);
	ck_assert_mem_eq(&shown, &made, sizeof made);
	ck_assert_str_eq(shown.profile.text[CUSTOMER_EMAIL], EMAIL);
	ck_assert_str_eq(shown.metadata, "{\"tier\":\"gold\"}");
	ck_assert_int_eq(create_as("c1", &made), CUSTOMER_EXISTS);
	ck_assert_int_eq(customer_show(&desk, SERVICE_OTHER_MERCHANT, "c1", &shown), ERR_NOT_FOUND);
	customer_search(&service.vault, SERVICE_MERCHANT, CUSTOMER_EMAIL, "ana@shop.example", hash);
	ck_assert_int_eq(service_number(&service,
					"SELECT COUNT(*) FROM customer WHERE HEX(email_hash) LIKE "
					"'%02X%02X%%'",
					hash[0], hash[1]),
			 1);
}
END_TEST

/* Each of a row's sealed texts in the place of another one. */
START_TEST(a_sealed_text_opens_in_its_own_row_and_column_only)
{
	static const char *const swaps[] = {
		"UPDATE customer a JOIN customer b ON a.customer = 'a' AND b.customer = 'b' "
		"SET a.profile_sealed = b.profile_sealed",
		"UPDATE customer a JOIN customer b ON a.customer = 'a' AND b.customer = 'b' "
		"SET a.metadata_sealed = b.metadata_sealed",
		"UPDATE customer SET metadata_sealed = profile_sealed WHERE customer = 'a'",
		"UPDATE customer SET key_id = 'gone' WHERE customer = 'a'",
	};
	static struct customer customer;

	(void)create_as("a", &customer);
	(void)create_as("b", &customer);
	service_do(&service, "%s", swaps[_i]);
	customer.version = 77;
	ck_assert_int_eq(customer_show(&desk, SERVICE_MERCHANT, "a", &customer), ERR_CRYPTO);
	ck_assert_uint_eq(customer.version, 77);
	ck_assert_int_eq(customer_show(&desk, SERVICE_MERCHANT, "b", &customer), ERR_OK);
}
END_TEST

START_TEST(nothing_personal_is_left_of_who_was_erased)
{
	static struct customer customer;
	struct payment_method_row row;
	const struct customer_request request = request_for("c1");

	(void)create_as("c1", &customer);
	ck_assert_int_eq(add_to("c1", &row), METHOD_DONE);
	ck_assert_int_eq(customer_erase(&desk, &request), ERR_OK);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM payment_method"), 0);
	ck_assert_int_eq(
		service_number(&service,
			       "SELECT COUNT(*) FROM customer WHERE customer = 'c1' AND status = "
			       "'erased' AND COALESCE(country, profile_sealed, metadata_sealed, "
			       "key_id, email_hash, phone_hash) IS NULL AND erased_at_us > 0"),
		1);
	ck_assert_int_eq(customer_show(&desk, SERVICE_MERCHANT, "c1", &customer), ERR_NOT_FOUND);
	ck_assert_int_eq(customer_erase(&desk, &request), ERR_NOT_FOUND);
	ck_assert_int_eq(create_as("c1", &customer), CUSTOMER_DONE);
	ck_assert_uint_eq(customer.version, 3);
	ck_assert_int_eq(customer.erased_at_us, 0);
}
END_TEST

START_TEST(what_is_changed_is_sealed_with_the_newest_key)
{
	static struct customer customer;
	const struct field_member change = { "name", TEXT("B") };
	struct customer_request request = request_for("c1");
	struct vault rotated = service.vault;
	enum customer_outcome outcome;

	(void)create_as("c1", &customer);
	rotated.count = 2;
	rotated.keys[1] = service.vault.keys[0];
	snprintf(rotated.keys[0].key_id, sizeof rotated.keys[0].key_id, "newer");
	rotated.keys[0].key[0] ^= 1;
	desk.vault = &rotated;
	request.members = &change;
	request.count = 1;
	ck_assert_int_eq(customer_amend(&desk, &request, &outcome, &customer), ERR_OK);
	ck_assert_int_eq(outcome, CUSTOMER_DONE);
	ck_assert_str_eq(customer.profile.text[CUSTOMER_EMAIL], EMAIL);
	ck_assert_int_eq(
		service_number(&service, "SELECT COUNT(*) FROM customer WHERE key_id = 'newer'"),
		1);
	desk.vault = &service.vault; /* which has no such key */
	ck_assert_int_eq(customer_show(&desk, SERVICE_MERCHANT, "c1", &customer), ERR_CRYPTO);
	ck_assert_int_eq(customer_amend(&desk, &request, &outcome, &customer), ERR_CRYPTO);
}
END_TEST

/* ---- commits whose answer is lost ---- */

START_TEST(what_was_committed_unanswered_is_done_once)
{
	static struct customer customer;
	const struct customer_request request = request_for("c1");
	struct payment_method_row row;

	desk.pool = cut;
	atomic_store(&cutter.cut_after, 1);
	ck_assert_int_eq(create_as("", &customer), CUSTOMER_DONE);
	atomic_store(&cutter.cut_after, 1);
	ck_assert_int_eq(create_as("c1", &customer), CUSTOMER_DONE);
	atomic_store(&cutter.cut_after, 1);
	ck_assert_int_eq(add_to("c1", &row), METHOD_DONE);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM customer"), 2);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM payment_method"), 1);
	atomic_store(&cutter.cut_after, 1);
	ck_assert_int_eq(customer_erase(&desk, &request), ERR_OK);
	ck_assert_int_eq(atomic_load(&cutter.cut_after), 0);
}
END_TEST

/* The same request, and one of other content, under one key. */
START_TEST(a_key_makes_one_customer)
{
	static struct customer first, again;
	struct creation creation = { .idempotency_key = "customer-key" };
	struct customer_request request = request_for("");
	enum customer_outcome outcome;

	request.creation = &creation;
	ck_assert_int_eq(customer_create(&desk, &request, &outcome, &first), ERR_OK);
	ck_assert_int_eq(outcome, CUSTOMER_DONE);
	ck_assert_int_eq(customer_create(&desk, &request, &outcome, &again), ERR_OK);
	ck_assert_int_eq(outcome, CUSTOMER_REPLAYED);
	ck_assert_mem_eq(&again, &first, sizeof first);
	request.count--; /* without the metadata */
	ck_assert_int_eq(customer_create(&desk, &request, &outcome, &again), ERR_OK);
	ck_assert_int_eq(outcome, CUSTOMER_KEY_REUSED);
	ck_assert_uint_eq(creation.differing, 1U << 7);
	request.merchant = SERVICE_OTHER_MERCHANT;
	ck_assert_int_eq(customer_create(&desk, &request, &outcome, &again), ERR_OK);
	ck_assert_int_eq(outcome, CUSTOMER_DONE);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM customer"), 2);
}
END_TEST

START_TEST(a_key_makes_one_payment_method)
{
	static struct customer customer;
	struct creation creation = { .idempotency_key = "method-key" };
	struct payment_method_target target = { .merchant = SERVICE_MERCHANT,
						.customer = "c1",
						.creation = &creation };
	struct payment_method_request other = card;
	struct payment_method_row first, again, taken;
	enum payment_method_outcome outcome;

	(void)create_as("c1", &customer);
	(void)create_as("c2", &customer);
	ck_assert_int_eq(payment_method_add(&desk, &target, &card, &outcome, &first), ERR_OK);
	ck_assert_int_eq(outcome, METHOD_DONE);
	ck_assert_int_eq(payment_method_add(&desk, &target, &card, &outcome, &again), ERR_OK);
	ck_assert_int_eq(outcome, METHOD_REPLAYED);
	ck_assert_mem_eq(&again.id, &first.id, sizeof first.id);
	ck_assert_uint_eq(again.version, 1);
	memcpy(other.last4, "1234", sizeof other.last4);
	ck_assert_int_eq(payment_method_add(&desk, &target, &other, &outcome, &again), ERR_OK);
	ck_assert_int_eq(outcome, METHOD_KEY_REUSED);
	ck_assert_uint_eq(creation.differing, 1U << 4);
	target.customer = "c2";
	ck_assert_int_eq(payment_method_add(&desk, &target, &card, &outcome, &again), ERR_OK);
	ck_assert_int_eq(outcome, METHOD_KEY_REUSED);
	ck_assert_uint_eq(creation.differing, 0);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM payment_method"), 1);

	/* Another takes the default from it: it is answered as it was, without a version. */
	target = (struct payment_method_target){ .merchant = SERVICE_MERCHANT, .customer = "c1" };
	memcpy(other.token, "tok_other", sizeof "tok_other");
	other.wish = METHOD_DEFAULT;
	ck_assert_int_eq(payment_method_add(&desk, &target, &other, &outcome, &taken), ERR_OK);
	ck_assert_int_eq(outcome, METHOD_DONE);
	target.creation = &creation;
	ck_assert_int_eq(payment_method_add(&desk, &target, &card, &outcome, &again), ERR_OK);
	ck_assert_int_eq(outcome, METHOD_REPLAYED);
	ck_assert(again.is_default);
	ck_assert_int_eq(again.updated_at_us, first.updated_at_us);
	ck_assert_uint_eq(again.version, 0);
}
END_TEST

static enum err take(const struct payment_method_target *target, struct payment_method_use *use)
{
	return payment_method_take(methods, &service.vault, target,
				   clock_boot_us() + 20 * SECOND_US, use);
}

START_TEST(a_payment_method_is_taken_with_its_token_by_its_customer_only)
{
	static struct customer customer;
	struct payment_method_target target = { .merchant = SERVICE_MERCHANT, .customer = "c1" };
	struct payment_method_use use = { .gateway = "" };
	struct payment_method_row row;

	(void)create_as("c1", &customer);
	(void)create_as("c2", &customer);
	ck_assert_int_eq(add_to("c1", &row), METHOD_DONE);
	target.id = row.id;
	ck_assert_int_eq(take(&target, &use), ERR_OK);
	ck_assert_str_eq(use.token, "tok_ok");
	ck_assert_str_eq(use.gateway, "alpha");
	ck_assert_str_eq(use.method, "credit_card");
	target.customer = "c2";
	ck_assert_int_eq(take(&target, &use), ERR_NOT_FOUND);
	target = (struct payment_method_target){ SERVICE_OTHER_MERCHANT, "c1", row.id, NULL, NULL };
	ck_assert_int_eq(take(&target, &use), ERR_NOT_FOUND);
	target.merchant = SERVICE_MERCHANT;
	service_do(&service, "UPDATE payment_method SET key_id = 'gone'");
	ck_assert_int_eq(take(&target, &use), ERR_CRYPTO);
}
END_TEST

START_TEST(what_was_committed_unanswered_under_a_key_is_no_repetition)
{
	static struct customer customer;
	struct creation creation = { .idempotency_key = "cut-key" };
	const struct payment_method_target target = { .merchant = SERVICE_MERCHANT,
						      .customer = "c1",
						      .creation = &creation };
	struct customer_request request = request_for("c1");
	enum customer_outcome outcome;
	enum payment_method_outcome added;
	struct payment_method_row row;

	desk.pool = cut;
	request.creation = &creation;
	atomic_store(&cutter.cut_after, 1);
	ck_assert_int_eq(customer_create(&desk, &request, &outcome, &customer), ERR_OK);
	ck_assert_int_eq(outcome, CUSTOMER_DONE);
	atomic_store(&cutter.cut_after, 1);
	ck_assert_int_eq(payment_method_add(&desk, &target, &card, &added, &row), ERR_OK);
	ck_assert_int_eq(added, METHOD_DONE);
	ck_assert_int_eq(atomic_load(&cutter.cut_after), 0);
}
END_TEST

START_TEST(what_may_have_been_committed_is_not_denied)
{
	static struct customer customer;
	const struct customer_request request = request_for("c1");
	const struct payment_method_target target = { .merchant = SERVICE_MERCHANT,
						      .customer = "c1" };
	struct payment_method_row row;
	enum payment_method_outcome added;
	enum customer_outcome outcome;

	(void)create_as("c1", &customer);
	desk.pool = cut;
	ck_assert_int_eq(unlink(cutter.path), 0); /* none comes after the next */
	atomic_store(&cutter.cut_after, 1);
	if (_i == 0)
		ck_assert_int_eq(customer_erase(&desk, &request), ERR_UNCERTAIN);
	else if (_i == 1)
		ck_assert_int_eq(payment_method_add(&desk, &target, &card, &added, &row),
				 ERR_UNCERTAIN);
	else
		ck_assert_int_eq(
			customer_create(&desk,
					&(struct customer_request){ .merchant = SERVICE_MERCHANT,
								    .customer = "c2" },
					&outcome, &customer),
			ERR_UNCERTAIN);
}
END_TEST

UNIT_MAIN("service_customer", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_profile_comes_back_as_it_was_and_is_found);
	tcase_add_loop_test(tests, a_sealed_text_opens_in_its_own_row_and_column_only, 0, 4);
	tcase_add_test(tests, nothing_personal_is_left_of_who_was_erased);
	tcase_add_test(tests, what_is_changed_is_sealed_with_the_newest_key);
	tcase_add_test(tests, what_was_committed_unanswered_is_done_once);
	tcase_add_test(tests, a_key_makes_one_customer);
	tcase_add_test(tests, a_key_makes_one_payment_method);
	tcase_add_test(tests, a_payment_method_is_taken_with_its_token_by_its_customer_only);
	tcase_add_test(tests, what_was_committed_unanswered_under_a_key_is_no_repetition);
	tcase_add_loop_test(tests, what_may_have_been_committed_is_not_denied, 0, 3);
})
