/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Taking payments in: what is stored, what one idempotency key means, and a commit whose answer never came. */
#include "service/intake.h"
#include "service/payment_method.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/commit_cutter.h"
#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define NOW_US SERVICE_NOW_US
#define THREADS 16

static struct service service;
static struct batch *intake;

static void create(void)
{
	service_create(&service, "payment");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	service_open(&service);
	ck_assert_int_eq(intake_start(&service.database, &intake), ERR_OK);
}

static void tear_down(void)
{
	batch_stop(intake);
	service_close(&service);
}

static struct payment_request request_of(int64_t minor)
{
	return (struct payment_request){ .amount = { minor, "JPY" },
					 .exponent = 0,
					 .form = AMOUNT_MAJOR,
					 .capture = CAPTURE_AUTOMATIC,
					 .process = PROCESS_AUTO,
					 .method = "credit_card",
					 .customer = "cust_001",
					 .description = "Order 7 \xe2\x82\xac",
					 .country = "ID",
					 .token = "tok_secret",
					 .callback_url = "https://shop.example/hook",
					 .metadata = "{\"order\":\"7\"}" };
}

/* What a caller has in hands. */
struct accepting {
	struct payment_request request;
	struct payment_order order;
	struct batch *intake;
	int wait_ms;
	enum payment_outcome outcome;
	struct payment_receipt receipt;
	enum err err;
};

static void begin(struct accepting *accepting, const char *key)
{
	*accepting = (struct accepting){ .request = request_of(1000),
					 .order = { .merchant = SERVICE_MERCHANT,
						    .kind = TRANSACTION_PAYMENT,
						    .idempotency_key = key,
						    .api_call_id = "call_1",
						    .now_us = NOW_US },
					 .intake = intake,
					 .wait_ms = SERVICE_WAIT_MS };
}

static void *accept_payment(void *context)
{
	struct accepting *accepting = context;

	accepting->order.request = &accepting->request;
	accepting->err = payment_accept(accepting->intake, &service.vault, &accepting->order,
					clock_boot_us() + accepting->wait_ms * INT64_C(1000),
					&accepting->outcome, &accepting->receipt);
	return NULL;
}

static enum payment_outcome accept_ok(struct accepting *accepting)
{
	accept_payment(accepting);
	ck_assert_int_eq(accepting->err, ERR_OK);
	return accepting->outcome;
}

static long long rows_of(const char *table)
{
	return service_number(&service, "SELECT COUNT(*) FROM %s", table);
}

/* One payment is there, whole: no part of another. */
static void check_payments(long long count)
{
	ck_assert_int_eq(rows_of("transaction"), count);
	ck_assert_int_eq(rows_of("operation"), count);
	ck_assert_int_eq(rows_of("event"), count);
	ck_assert_int_eq(
		service_number(
			&service,
			"SELECT COUNT(*) FROM transaction t JOIN operation o "
			"ON o.transaction_id = t.id JOIN event e "
			"ON e.transaction_id = t.id AND e.operation_id = o.id AND e.sequence = 1"),
		count);
}

static enum err find_work(struct store_tx *tx, void *context)
{
	struct story *story = context;
	enum err err = store_operation_find_money(tx, story->transaction.id, &story->operation.id);

	if (err == ERR_OK)
		err = store_operation_lock(tx, story->operation.id, &story->operation);
	return err == ERR_OK
		       ? store_transaction_lock(tx, story->transaction.id, &story->transaction)
		       : err;
}

static struct story story_of(const struct payment_receipt *receipt)
{
	struct story story = { .without_attempt = true };

	story.transaction.id = receipt->transaction_id;
	ck_assert_int_eq(store_look(service.store, find_work, &story), ERR_OK);
	return story;
}

START_TEST(a_created_payment_is_stored_field_by_field)
{
	struct accepting accepting;
	struct story story;
	const struct transaction_row *transaction = &story.transaction;

	begin(&accepting, "key-1");

	ck_assert_int_eq(accept_ok(&accepting), PAYMENT_CREATED);

	story = story_of(&accepting.receipt);
	check_payments(1);
	ck_assert_int_eq(accepting.receipt.created_at_us, NOW_US);
	ck_assert_uint_eq(accepting.receipt.differing, 0);
	ck_assert_str_eq(transaction->merchant, SERVICE_MERCHANT);
	ck_assert_str_eq(transaction->customer, "cust_001");
	ck_assert_int_eq(transaction->kind, TRANSACTION_PAYMENT);
	ck_assert_int_eq(transaction->amount.minor, 1000);
	ck_assert_str_eq(transaction->amount.currency, "JPY");
	ck_assert(transaction->exponent == 0 && transaction->form == AMOUNT_MAJOR);
	ck_assert_str_eq(transaction->method, "credit_card");
	ck_assert_str_eq(transaction->description, "Order 7 \xe2\x82\xac");
	ck_assert_str_eq(transaction->country, "ID");
	ck_assert_str_eq(transaction->callback_url, "https://shop.example/hook");
	ck_assert_str_eq(transaction->metadata, "{\"order\":\"7\"}");
	ck_assert_int_eq(transaction->status, TS_PENDING);
	ck_assert_str_eq(transaction->status_reason, "");
	ck_assert_uint_eq(transaction->version, 1);
	ck_assert(transaction->amount_captured == 0 && transaction->amount_refunded == 0);
	ck_assert_str_eq(transaction->failure_code, "");
	ck_assert_int_eq(transaction->created_at_us, NOW_US);
	ck_assert_int_gt(transaction->updated_at_us, NOW_US); /* the database's clock, which nobody stopped */
}
END_TEST

START_TEST(its_charge_is_due_at_once_with_its_token_sealed)
{
	struct accepting accepting;
	struct operation_row operation;
	struct vault_place place;
	struct vault_sealed sealed = { .size = 0 };
	char token[PAYMENT_TOKEN_SIZE];

	begin(&accepting, "key-1");
	(void)accept_ok(&accepting);
	operation = story_of(&accepting.receipt).operation;

	ck_assert_int_eq(operation.kind, OPERATION_CHARGE);
	ck_assert(operation.amount_minor == 1000 && operation.status == OS_PENDING);
	ck_assert_int_eq(operation.next_action, NEXT_SEND);
	/* By the database's clock, whatever the caller's says. */
	ck_assert_int_gt(operation.next_action_at_us, clock_now_us() - 60 * INT64_C(1000000));
	ck_assert_int_lt(operation.next_action_at_us, clock_now_us() + 60 * INT64_C(1000000));
	ck_assert_uint_eq(operation.gateway_key_number, 1);
	ck_assert(operation.attempt_count == 0 && operation.retry_count == 0);
	ck_assert(!operation.human_verdict);
	ck_assert_str_eq(operation.idempotency_key, "key-1");
	ck_assert_uint_gt(operation.request_hashes_size, 0);
	place = (struct vault_place){ VAULT_PAYMENT_TOKEN, operation.id };
	sealed.size = operation.payment_token_sealed_size;
	memcpy(sealed.bytes, operation.payment_token_sealed, sealed.size);
	memcpy(sealed.key_id, operation.payment_token_key_id, sizeof sealed.key_id);
	ck_assert_int_eq(vault_open(&service.vault, &place, &sealed, token, sizeof token), ERR_OK);
	ck_assert_str_eq(token, "tok_secret");
	ck_assert_ptr_null(memmem(operation.payment_token_sealed, sealed.size, "tok_secret", 10));
	ck_assert_ptr_null(
		memmem(operation.request_hashes, operation.request_hashes_size, "tok_secret", 10));
}
END_TEST

START_TEST(its_first_event_says_created)
{
	struct accepting accepting;
	struct story story;
	struct event_row event;

	begin(&accepting, "key-1");
	(void)accept_ok(&accepting);
	story = story_of(&accepting.receipt);
	event = story_last_event(&service, &story);

	ck_assert_uint_eq(event.sequence, 1);
	ck_assert_str_eq(event.type, "created");
	ck_assert(id_equal(event.operation_id, story.operation.id));
	ck_assert(id_is_empty(event.attempt_id));
	ck_assert_int_eq(event.transaction_from, EVENT_NO_STATUS);
	ck_assert_int_eq(event.transaction_to, TS_PENDING);
	ck_assert_int_eq(event.operation_from, EVENT_NO_STATUS);
	ck_assert_int_eq(event.operation_to, OS_PENDING);
	ck_assert_str_eq(event.api_call_id, "call_1");
	ck_assert_int_eq(event.at_us, NOW_US);
}
END_TEST

START_TEST(what_the_caller_left_out_is_stored_as_absent)
{
	struct accepting accepting;
	struct story story;

	begin(&accepting, "");
	accepting.request.description[0] = '\0';
	accepting.request.token[0] = '\0';
	accepting.request.metadata[0] = '\0';
	ck_assert_int_eq(accept_ok(&accepting), PAYMENT_CREATED);

	story = story_of(&accepting.receipt);
	ck_assert_str_eq(story.transaction.description, "");
	ck_assert_str_eq(story.transaction.metadata, "");
	ck_assert_uint_eq(story.operation.payment_token_sealed_size, 0);
	ck_assert_uint_eq(story.operation.request_hashes_size, 0);
	ck_assert_str_eq(story.operation.idempotency_key, "");
}
END_TEST

START_TEST(without_a_key_the_same_request_is_another_payment)
{
	struct accepting accepting;
	struct id first;

	begin(&accepting, "");
	ck_assert_int_eq(accept_ok(&accepting), PAYMENT_CREATED);
	first = accepting.receipt.transaction_id;

	ck_assert_int_eq(accept_ok(&accepting), PAYMENT_CREATED);

	ck_assert(!id_equal(first, accepting.receipt.transaction_id));
	check_payments(2);
}
END_TEST

START_TEST(the_same_key_and_content_is_the_stored_payment)
{
	struct accepting accepting;
	struct accepting again;

	begin(&accepting, "key-1");
	(void)accept_ok(&accepting);
	begin(&again, "key-1");
	again.order.now_us = NOW_US + 86400 * SECOND_US;
	again.order.api_call_id = "call_2";

	ck_assert_int_eq(accept_ok(&again), PAYMENT_REPLAYED);

	ck_assert(id_equal(again.receipt.transaction_id, accepting.receipt.transaction_id));
	ck_assert_int_eq(again.receipt.created_at_us, NOW_US);
	ck_assert_uint_eq(again.receipt.differing, 0);
	check_payments(1);
}
END_TEST

static void change_amount(struct payment_request *request)
{
	request->amount.minor++;
}

static void change_form(struct payment_request *request)
{
	request->form = AMOUNT_MINOR;
}

static void change_currency(struct payment_request *request)
{
	memcpy(request->amount.currency, "IDR", 4);
}

static void change_method(struct payment_request *request)
{
	snprintf(request->method, sizeof request->method, "paypal");
}

static void change_description(struct payment_request *request)
{
	request->description[0] = '\0';
}

static void change_customer(struct payment_request *request)
{
	request->customer[7] = '2';
}

static void change_token(struct payment_request *request)
{
	snprintf(request->token, sizeof request->token, "tok_other");
}

static void change_country(struct payment_request *request)
{
	request->country[0] = 'J';
}

static void change_capture(struct payment_request *request)
{
	request->capture = CAPTURE_MANUAL;
}

static void change_process(struct payment_request *request)
{
	request->process = PROCESS_MANUAL;
}

static void change_metadata(struct payment_request *request)
{
	snprintf(request->metadata, sizeof request->metadata, "{\"order\":\"8\"}");
}

static void change_callback_url(struct payment_request *request)
{
	request->callback_url[0] = '\0';
}

static void change_method_id(struct payment_request *request)
{
	memcpy(request->method_id, "pm_other", sizeof "pm_other");
}

/* One changed member each. */
static const struct difference {
	const char *field;
	void (*make)(struct payment_request *request);
} differences[] = {
	{ "amount", change_amount },           { "amount", change_form },
	{ "currency", change_currency },       { "payment_method", change_method },
	{ "description", change_description }, { "customer_id", change_customer },
	{ "payment_token", change_token },     { "country", change_country },
	{ "capture", change_capture },         { "process", change_process },
	{ "metadata", change_metadata },       { "callback_url", change_callback_url },
	{ "payment_method_id", change_method_id },
};

static unsigned bit_of(const char *field)
{
	size_t count;
	const struct field_spec *specs = payment_fields(TRANSACTION_PAYMENT, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(specs[i].name, field) == 0)
			return 1u << i;
	ck_abort_msg("no such field: %s", field);
	return 0;
}

START_TEST(the_same_key_with_other_content_says_which_members_differ)
{
	const struct difference *difference = &differences[_i];
	struct accepting accepting;
	struct accepting other;

	begin(&accepting, "key-1");
	(void)accept_ok(&accepting);
	begin(&other, "key-1");
	difference->make(&other.request);

	ck_assert_int_eq(accept_ok(&other), PAYMENT_KEY_REUSED);

	ck_assert_uint_eq(other.receipt.differing, bit_of(difference->field));
	ck_assert(id_equal(other.receipt.transaction_id, accepting.receipt.transaction_id));
	check_payments(1);
}
END_TEST

START_TEST(a_stored_token_is_sealed_for_the_operation_and_bound_to_its_gateway)
{
	struct payment_method_use stored = { .id = { { 7 } },
					     .gateway = "beta",
					     .token = "tok_stored" };
	struct vault_place place = { .column = VAULT_PAYMENT_TOKEN };
	struct accepting accepting;
	struct story story;
	struct vault_column column = { story.operation.payment_token_sealed, 0, 0,
				       story.operation.payment_token_key_id };
	char token[64];

	begin(&accepting, "key-1");
	accepting.request.token[0] = '\0';
	memcpy(accepting.request.method_id, "pm_7", sizeof "pm_7");
	accepting.order.stored = &stored;
	ck_assert_int_eq(accept_ok(&accepting), PAYMENT_CREATED);

	story = story_of(&accepting.receipt);
	ck_assert_str_eq(story.operation.token_gateway, "beta");
	ck_assert(id_equal(story.operation.payment_method_id, stored.id));
	place.row = story.operation.id;
	column.size = story.operation.payment_token_sealed_size;
	ck_assert_int_eq(vault_open_column(&service.vault, &place, &column, token, 64), ERR_OK);
	ck_assert_str_eq(token, "tok_stored");

	/* One without it is hashed as before there was any: the path and eleven members. */
	begin(&accepting, "key-2");
	(void)accept_ok(&accepting);
	ck_assert_int_eq(
		service_number(&service, "SELECT MIN(LENGTH(request_hashes)) FROM operation"),
		12 * VAULT_HASH_SIZE);
}
END_TEST

START_TEST(every_field_of_a_payment_counts_for_its_key)
{
	size_t count;
	const struct field_spec *specs = payment_fields(TRANSACTION_PAYMENT, &count);

	for (size_t i = 0; i < count; i++) {
		size_t found = 0;

		for (size_t j = 0; j < COUNT(differences); j++)
			found += strcmp(differences[j].field, specs[i].name) == 0;
		ck_assert_msg(found > 0, "no case for %s", specs[i].name);
	}
}
END_TEST

START_TEST(several_differences_are_all_named)
{
	struct accepting accepting;
	struct accepting other;

	begin(&accepting, "key-1");
	(void)accept_ok(&accepting);
	begin(&other, "key-1");
	change_amount(&other.request);
	change_metadata(&other.request);

	ck_assert_int_eq(accept_ok(&other), PAYMENT_KEY_REUSED);
	ck_assert_uint_eq(other.receipt.differing, bit_of("amount") | bit_of("metadata"));
}
END_TEST

START_TEST(keys_are_compared_byte_for_byte)
{
	static const char *const keys[] = { "key", "KEY", "key.", "kex" };
	struct accepting accepting;

	for (size_t i = 0; i < COUNT(keys); i++) {
		begin(&accepting, keys[i]);
		ck_assert_int_eq(accept_ok(&accepting), PAYMENT_CREATED);
	}
	check_payments(COUNT(keys));
}
END_TEST

START_TEST(the_longest_key_is_kept_whole)
{
	char keys[2][OPERATION_KEY_SIZE];
	struct accepting accepting;

	for (int i = 0; i < 2; i++) {
		memset(keys[i], 'k', OPERATION_KEY_SIZE - 1);
		keys[i][OPERATION_KEY_SIZE - 1] = '\0';
		keys[i][OPERATION_KEY_SIZE - 2] = (char)('a' + i);
		begin(&accepting, keys[i]);
		ck_assert_int_eq(accept_ok(&accepting), PAYMENT_CREATED);
	}
	begin(&accepting, keys[0]);
	ck_assert_int_eq(accept_ok(&accepting), PAYMENT_REPLAYED);
}
END_TEST

START_TEST(another_merchant_has_its_own_keys)
{
	struct accepting accepting;
	struct accepting other;

	begin(&accepting, "key-1");
	(void)accept_ok(&accepting);
	begin(&other, "key-1");
	other.order.merchant = SERVICE_OTHER_MERCHANT;

	ck_assert_int_eq(accept_ok(&other), PAYMENT_CREATED);

	ck_assert(!id_equal(other.receipt.transaction_id, accepting.receipt.transaction_id));
	check_payments(2);
}
END_TEST

START_TEST(a_merchant_that_is_not_known_leaves_nothing)
{
	static const char *const keys[] = { "key-1", "" };
	struct accepting accepting;

	begin(&accepting, keys[_i]);
	accepting.order.merchant = "nobody";
	accepting.outcome = PAYMENT_UNCERTAIN;

	accept_payment(&accepting);

	ck_assert_int_eq(accepting.err, ERR_MERCHANT);
	ck_assert_int_eq(accepting.outcome, PAYMENT_UNCERTAIN);
	ck_assert(id_is_empty(accepting.receipt.transaction_id));
	check_payments(0);
}
END_TEST

START_TEST(one_key_from_many_threads_at_once_is_one_payment)
{
	static struct accepting acceptings[THREADS];
	int created = 0;

	for (int i = 0; i < THREADS; i++)
		begin(&acceptings[i], "key-1");

	service_together(THREADS, accept_payment, acceptings, sizeof acceptings[0]);

	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(acceptings[i].err, ERR_OK);
		ck_assert(acceptings[i].outcome == PAYMENT_CREATED ||
			  acceptings[i].outcome == PAYMENT_REPLAYED);
		created += acceptings[i].outcome == PAYMENT_CREATED;
		ck_assert(id_equal(acceptings[i].receipt.transaction_id,
				   acceptings[0].receipt.transaction_id));
	}
	ck_assert_int_eq(created, 1);
	check_payments(1);
}
END_TEST

START_TEST(one_key_with_different_contents_at_once_is_one_payment)
{
	static struct accepting acceptings[THREADS];
	int counts[4] = { 0 };

	for (int i = 0; i < THREADS; i++) {
		begin(&acceptings[i], "key-1");
		acceptings[i].request.amount.minor += i % 2;
	}

	service_together(THREADS, accept_payment, acceptings, sizeof acceptings[0]);

	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(acceptings[i].err, ERR_OK);
		counts[acceptings[i].outcome]++;
	}
	ck_assert_int_eq(counts[PAYMENT_CREATED], 1);
	ck_assert_int_eq(counts[PAYMENT_REPLAYED], THREADS / 2 - 1);
	ck_assert_int_eq(counts[PAYMENT_KEY_REUSED], THREADS / 2);
	check_payments(1);
}
END_TEST

/* ---- a commit whose answer was lost ---- */

#define ALWAYS 1000

static const struct lost_case {
	const char *name;
	const char *key;
	int cut_before;
	int cut_after;
	enum payment_outcome outcome;
	int payments;
} lost_cases[] = {
	{ "nothing is lost", "key-1", 0, 0, PAYMENT_CREATED, 1 },
	{ "it was committed", "key-1", 0, 1, PAYMENT_CREATED, 1 },
	{ "it was committed, no key", "", 0, 1, PAYMENT_CREATED, 1 },
	{ "it was not committed", "key-1", 1, 0, PAYMENT_CREATED, 1 },
	{ "it was not committed, no key", "", 1, 0, PAYMENT_CREATED, 1 },
	{ "not committed, then committed", "key-1", 1, 1, PAYMENT_CREATED, 1 },
	{ "it was committed, and no look-up succeeds", "key-1", 0, ALWAYS, PAYMENT_UNCERTAIN, 1 },
	{ "nothing is ever committed", "key-1", ALWAYS, 0, PAYMENT_UNCERTAIN, 0 },
};

/* The intake copies the path's pointer only: the cutter outlives it. */
static struct batch *intake_through(const struct commit_cutter *cutter)
{
	struct store_settings settings = service.database;
	struct batch *started;

	settings.socket = cutter->path;
	ck_assert_int_eq(intake_start(&settings, &started), ERR_OK);
	return started;
}

START_TEST(a_commit_whose_answer_is_lost_never_makes_two_payments)
{
	const struct lost_case *row = &lost_cases[_i];
	struct commit_cutter cutter;
	struct accepting accepting;
	struct accepting again;

	ck_assert(commit_cutter_start(&cutter, service.database.socket));
	begin(&accepting, row->key);
	accepting.intake = intake_through(&cutter);
	if (row->outcome == PAYMENT_UNCERTAIN)
		accepting.wait_ms = 2000;
	atomic_store(&cutter.cut_before, row->cut_before);
	atomic_store(&cutter.cut_after, row->cut_after);

	accept_payment(&accepting);

	batch_stop(accepting.intake);
	ck_assert_int_eq(accepting.err, ERR_OK);
	ck_assert_msg(accepting.outcome == row->outcome, "%s: %d", row->name,
		      (int)accepting.outcome);
	ck_assert_int_gt(atomic_load(&cutter.commits), row->cut_before + row->cut_after > 0);
	ck_assert(!id_is_empty(accepting.receipt.transaction_id));
	ck_assert_int_eq(accepting.receipt.created_at_us, NOW_US);
	check_payments(row->payments);
	if (row->payments == 1)
		(void)story_of(&accepting.receipt); /* it is that one */
	commit_cutter_stop(&cutter);

	if (row->key[0] == '\0')
		return;
	/* Whoever asks again with the key gets the one payment. */
	begin(&again, row->key);
	ck_assert_int_eq(accept_ok(&again),
			 row->payments == 1 ? PAYMENT_REPLAYED : PAYMENT_CREATED);
	check_payments(1);
}
END_TEST

START_TEST(a_manual_payment_waits_for_its_start_by_the_databases_clock)
{
	struct accepting accepting;
	long long wait_us;

	begin(&accepting, "");
	accepting.request.process = PROCESS_MANUAL;
	accepting.order.manual_expiry_us = 61 * SECOND_US;

	ck_assert_int_eq(accept_ok(&accepting), PAYMENT_CREATED);

	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM operation WHERE "
						  "status = 'pending' AND next_action = 'expire'"),
			 1);
	wait_us = service_number(&service, "SELECT next_action_at_us - TIMESTAMPDIFF(MICROSECOND, "
					   "'1970-01-01', UTC_TIMESTAMP(6)) FROM operation");
	ck_assert_int_le(wait_us, 61 * SECOND_US);
	ck_assert_int_gt(wait_us, 31 * SECOND_US);
}
END_TEST

UNIT_MAIN("payment_accept", {
	service_require();
	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_created_payment_is_stored_field_by_field);
	tcase_add_test(tests, its_charge_is_due_at_once_with_its_token_sealed);
	tcase_add_test(tests, a_manual_payment_waits_for_its_start_by_the_databases_clock);
	tcase_add_test(tests, its_first_event_says_created);
	tcase_add_test(tests, what_the_caller_left_out_is_stored_as_absent);
	tcase_add_test(tests, without_a_key_the_same_request_is_another_payment);
	tcase_add_test(tests, the_same_key_and_content_is_the_stored_payment);
	tcase_add_loop_test(tests, the_same_key_with_other_content_says_which_members_differ, 0,
			    (int)COUNT(differences));
	tcase_add_test(tests, a_stored_token_is_sealed_for_the_operation_and_bound_to_its_gateway);
	tcase_add_test(tests, every_field_of_a_payment_counts_for_its_key);
	tcase_add_test(tests, several_differences_are_all_named);
	tcase_add_test(tests, keys_are_compared_byte_for_byte);
	tcase_add_test(tests, the_longest_key_is_kept_whole);
	tcase_add_test(tests, another_merchant_has_its_own_keys);
	tcase_add_loop_test(tests, a_merchant_that_is_not_known_leaves_nothing, 0, 2);
	tcase_add_test(tests, one_key_from_many_threads_at_once_is_one_payment);
	tcase_add_test(tests, one_key_with_different_contents_at_once_is_one_payment);
	tcase_add_loop_test(tests, a_commit_whose_answer_is_lost_never_makes_two_payments, 0,
			    (int)COUNT(lost_cases));
})
