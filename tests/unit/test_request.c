/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Captures and refunds as merchants ask for them: what each transaction allows, and how keys decide. */
#include "service/request.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (int)(sizeof(ROWS) / sizeof((ROWS)[0]))
#define NOW_US SERVICE_NOW_US
#define CLIENTS 24

static struct service service;

static void create(void)
{
	service_create(&service, "request");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	service_open(&service);
	service_stop_clock(&service, NOW_US);
}

static void tear_down(void)
{
	service_close(&service);
}

/* A charge, or an authorisation with the void that waits for its end. */
static struct story story_of(enum transaction_status status, int64_t captured, int64_t refunded)
{
	const bool ended = status == TS_COMPLETED || status == TS_AUTHORISED;
	struct story story = story_attempt(&service, ended ? AS_SUCCEEDED : AS_DECLINED,
					   ended ? OS_SUCCEEDED : OS_FAILED, NOW_US);

	story.transaction.status = status;
	story.transaction.amount_captured = captured;
	story.transaction.amount_refunded = refunded;
	if (status == TS_AUTHORISED)
		story.operation.kind = OPERATION_AUTHORISE;
	if (status != TS_FAILED)
		story.transaction.failure_code[0] = '\0';
	story_put(&service, &story);
	return story;
}

static struct operation_row part_of(const struct story *story, enum operation_kind kind,
				    enum operation_status status, int64_t amount_minor)
{
	static unsigned char number;
	struct operation_row row = {
		.id = story->operation.id,
		.transaction_id = story->transaction.id,
		.merchant = SERVICE_MERCHANT,
		.kind = kind,
		.amount_minor = amount_minor,
		.status = status,
		.next_action = status == OS_SUCCEEDED || status == OS_FAILED ? NEXT_NONE : NEXT_ASK,
		.gateway_key_number = 1,
		.created_at_us = NOW_US,
		.updated_at_us = NOW_US,
		.parent_attempt_id = story->attempt.id,
		.form = OPERATION_NO_FORM,
	};

	row.id.bytes[ID_SIZE - 1] ^= ++number;
	row.next_action_at_us = row.next_action == NEXT_NONE ? 0 : NOW_US;
	return row;
}

static enum err insert_work(struct store_tx *tx, void *context)
{
	return store_operation_insert(tx, context);
}

static void part_put(struct operation_row row)
{
	ck_assert_int_eq(store_run(service.store, insert_work, &row), ERR_OK);
}

static void release_put(const struct story *story, enum next_action next)
{
	struct operation_row row = part_of(story, OPERATION_VOID, OS_PENDING, SERVICE_AMOUNT);

	row.next_action = next;
	part_put(row);
}

static struct request_order order_of(const struct story *story, enum operation_kind kind,
				     int64_t amount_minor, const char *key)
{
	return (struct request_order){ .merchant = SERVICE_MERCHANT,
				       .transaction_id = story->transaction.id,
				       .kind = kind,
				       .amount_minor = amount_minor,
				       .form = amount_minor != 0 ? AMOUNT_MINOR : OPERATION_NO_FORM,
				       .currency = "",
				       .reason = "",
				       .token = "",
				       .idempotency_key = key,
				       .api_call_id = "call_1" };
}

static enum request_outcome ask(const struct request_order *order, struct request_receipt *receipt)
{
	enum request_outcome outcome;

	ck_assert_int_eq(request_create(service.pool, &service.vault, order, SERVICE_WAIT_MS,
					&outcome, receipt),
			 ERR_OK);
	return outcome;
}

/* ---- what is allowed ---- */

/* clang-format off */
static const struct {
	const char *what;
	enum operation_kind kind;
	enum transaction_status status;
	int64_t captured, refunded;
	struct { enum operation_kind kind; enum operation_status status; int64_t amount; } part;
	enum next_action release; /* NEXT_NONE: there is no void */
	int64_t amount;
	enum request_outcome outcome;
	int64_t reserved;
} allowed[] = {
	{ "all of a payment", OPERATION_REFUND, TS_COMPLETED, 1050, 0,
	  { 0 }, NEXT_NONE, 0, REQUEST_CREATED, 1050 },
	{ "a part of it", OPERATION_REFUND, TS_COMPLETED, 1050, 0,
	  { 0 }, NEXT_NONE, 1, REQUEST_CREATED, 1 },
	{ "one unit more", OPERATION_REFUND, TS_COMPLETED, 1050, 0,
	  { 0 }, NEXT_NONE, 1051, REQUEST_TOO_MUCH, 0 },
	{ "what an open one leaves", OPERATION_REFUND, TS_COMPLETED, 1050, 0,
	  { OPERATION_REFUND, OS_PROCESSING, 1000 }, NEXT_NONE, 0, REQUEST_CREATED, 50 },
	{ "more than an open one leaves", OPERATION_REFUND, TS_COMPLETED, 1050, 0,
	  { OPERATION_REFUND, OS_PROCESSING, 1000 }, NEXT_NONE, 51, REQUEST_TOO_MUCH, 0 },
	{ "more than a parked one leaves", OPERATION_REFUND, TS_COMPLETED, 1050, 0,
	  { OPERATION_REFUND, OS_PARKED, 1000 }, NEXT_NONE, 51, REQUEST_TOO_MUCH, 0 },
	{ "more than a done one leaves", OPERATION_REFUND, TS_COMPLETED, 1050, 1000,
	  { OPERATION_REFUND, OS_SUCCEEDED, 1000 }, NEXT_NONE, 51, REQUEST_TOO_MUCH, 0 },
	{ "what a failed one gave back", OPERATION_REFUND, TS_COMPLETED, 1050, 0,
	  { OPERATION_REFUND, OS_FAILED, 1000 }, NEXT_NONE, 1050, REQUEST_CREATED, 1050 },
	{ "all of nothing left", OPERATION_REFUND, TS_COMPLETED, 1050, 1050,
	  { OPERATION_REFUND, OS_SUCCEEDED, 1050 }, NEXT_NONE, 0, REQUEST_TOO_MUCH, 0 },
	{ "of a failed payment", OPERATION_REFUND, TS_FAILED, 0, 0,
	  { 0 }, NEXT_NONE, 0, REQUEST_REFUSED, 0 },
	{ "of an uncaptured one", OPERATION_REFUND, TS_AUTHORISED, 0, 0,
	  { 0 }, NEXT_EXPIRE, 0, REQUEST_REFUSED, 0 },
	{ "capture all", OPERATION_CAPTURE, TS_AUTHORISED, 0, 0,
	  { 0 }, NEXT_EXPIRE, 0, REQUEST_CREATED, 1050 },
	{ "capture a part", OPERATION_CAPTURE, TS_AUTHORISED, 0, 0,
	  { 0 }, NEXT_EXPIRE, 50, REQUEST_CREATED, 50 },
	{ "capture more", OPERATION_CAPTURE, TS_AUTHORISED, 0, 0,
	  { 0 }, NEXT_EXPIRE, 1051, REQUEST_TOO_MUCH, 0 },
	{ "capture beside an open one", OPERATION_CAPTURE, TS_AUTHORISED, 0, 0,
	  { OPERATION_CAPTURE, OS_PROCESSING, 1000 }, NEXT_EXPIRE, 51, REQUEST_TOO_MUCH, 0 },
	{ "capture what is left", OPERATION_CAPTURE, TS_AUTHORISED, 1000, 0,
	  { OPERATION_CAPTURE, OS_SUCCEEDED, 1000 }, NEXT_EXPIRE, 0, REQUEST_CREATED, 50 },
	{ "capture what is let go", OPERATION_CAPTURE, TS_AUTHORISED, 0, 0,
	  { 0 }, NEXT_SEND, 50, REQUEST_REFUSED, 0 },
	{ "capture what nothing holds", OPERATION_CAPTURE, TS_AUTHORISED, 0, 0,
	  { 0 }, NEXT_NONE, 50, REQUEST_REFUSED, 0 },
	{ "capture a charge", OPERATION_CAPTURE, TS_COMPLETED, 1050, 0,
	  { 0 }, NEXT_NONE, 50, REQUEST_REFUSED, 0 },
};
/* clang-format on */

START_TEST(request_is_judged_by_what_is_left)
{
	struct story story =
		story_of(allowed[_i].status, allowed[_i].captured, allowed[_i].refunded);
	const struct request_order order =
		order_of(&story, allowed[_i].kind, allowed[_i].amount, "key");
	struct request_receipt receipt;
	enum request_outcome outcome;

	if (allowed[_i].part.amount != 0)
		part_put(part_of(&story, allowed[_i].part.kind, allowed[_i].part.status,
				 allowed[_i].part.amount));
	if (allowed[_i].release != NEXT_NONE)
		release_put(&story, allowed[_i].release);

	outcome = ask(&order, &receipt);

	ck_assert_msg(outcome == allowed[_i].outcome, "%s: %d", allowed[_i].what, (int)outcome);
	ck_assert_int_eq(service_number(&service,
					"SELECT COALESCE(SUM(amount_minor), 0) FROM operation "
					"WHERE idempotency_key = 'key' AND status = 'pending' AND "
					"next_action = 'send'"),
			 allowed[_i].reserved);
	/* A refund is reserved in the ledger, a capture is not. */
	ck_assert_int_eq(service_number(&service, "SELECT COALESCE(SUM(credit_minor), 0) FROM "
						  "ledger_entry WHERE account = "
						  "'refunds_in_flight'"),
			 allowed[_i].kind == OPERATION_REFUND ? allowed[_i].reserved : 0);
}
END_TEST

START_TEST(request_of_another_merchant_finds_nothing)
{
	struct story story = story_of(TS_COMPLETED, SERVICE_AMOUNT, 0);
	struct request_order order = order_of(&story, OPERATION_REFUND, 0, "key");
	struct request_receipt receipt;
	enum request_outcome outcome;

	order.merchant = SERVICE_OTHER_MERCHANT;
	ck_assert_int_eq(request_create(service.pool, &service.vault, &order, SERVICE_WAIT_MS,
					&outcome, &receipt),
			 ERR_NOT_FOUND);
}
END_TEST

START_TEST(request_writes_one_event_and_raises_the_version)
{
	struct story story = story_of(TS_COMPLETED, SERVICE_AMOUNT, 0);
	const struct request_order order = order_of(&story, OPERATION_REFUND, 50, "key");
	struct request_receipt receipt;
	struct event_row event;

	ck_assert_int_eq(ask(&order, &receipt), REQUEST_CREATED);

	event = story_last_event(&service, &story);
	ck_assert_str_eq(event.type, "refund_requested");
	ck_assert_int_eq(event.operation_from, EVENT_NO_STATUS);
	ck_assert_int_eq(event.operation_to, OS_PENDING);
	ck_assert_int_eq(event.transaction_to, TS_COMPLETED);
	ck_assert(id_equal(event.operation_id, receipt.operation_id));
}
END_TEST

/* ---- keys ---- */

START_TEST(request_with_its_key_again_is_the_first_one)
{
	struct story story = story_of(TS_COMPLETED, SERVICE_AMOUNT, 0);
	struct request_order order = order_of(&story, OPERATION_REFUND, SERVICE_AMOUNT, "key");
	struct request_receipt first, again;

	ck_assert_int_eq(ask(&order, &first), REQUEST_CREATED);
	/* Nothing is left, and yet it is not refused. */
	ck_assert_int_eq(ask(&order, &again), REQUEST_REPLAYED);
	ck_assert(id_equal(first.operation_id, again.operation_id));
	ck_assert_int_eq(first.created_at_us, again.created_at_us);
	order.amount_minor--;
	order.reason = "other";
	ck_assert_int_eq(ask(&order, &again), REQUEST_KEY_REUSED);
	ck_assert_uint_eq(again.differing, 1u << 0 | 1u << 2);
	order.amount_minor = 0;
	order.kind = OPERATION_CAPTURE;
	ck_assert_int_eq(ask(&order, &again), REQUEST_KEY_REUSED);
	ck_assert_uint_eq(again.differing, 0);
}
END_TEST

struct client {
	struct request_order order;
	enum request_outcome outcome;
	struct request_receipt receipt;
};

static void *client_main(void *context)
{
	struct client *client = context;

	client->outcome = ask(&client->order, &client->receipt);
	return NULL;
}

START_TEST(requests_together_with_one_key_are_one)
{
	struct story story = story_of(TS_COMPLETED, SERVICE_AMOUNT, 0);
	struct client clients[CLIENTS];
	int made = 0;

	for (int i = 0; i < CLIENTS; i++)
		clients[i].order = order_of(&story, OPERATION_REFUND, 600, "key");
	service_together(CLIENTS, client_main, clients, sizeof clients[0]);

	for (int i = 0; i < CLIENTS; i++) {
		made += clients[i].outcome == REQUEST_CREATED;
		ck_assert(clients[i].outcome == REQUEST_CREATED ||
			  clients[i].outcome == REQUEST_REPLAYED);
		ck_assert(id_equal(clients[i].receipt.operation_id,
				   clients[0].receipt.operation_id));
	}
	ck_assert_int_eq(made, 1);
}
END_TEST

START_TEST(requests_together_never_pass_what_was_captured)
{
	struct story story = story_of(TS_COMPLETED, SERVICE_AMOUNT, 0);
	struct client clients[CLIENTS];
	char keys[CLIENTS][16];
	int made = 0;

	for (int i = 0; i < CLIENTS; i++) {
		snprintf(keys[i], sizeof keys[i], "key-%d", i);
		clients[i].order = order_of(&story, OPERATION_REFUND, 100, keys[i]);
	}
	service_together(CLIENTS, client_main, clients, sizeof clients[0]);

	for (int i = 0; i < CLIENTS; i++)
		made += clients[i].outcome == REQUEST_CREATED;
	ck_assert_int_eq(made, SERVICE_AMOUNT / 100);
	ck_assert_int_eq(service_number(&service, "SELECT SUM(amount_minor) FROM operation WHERE "
						  "kind = 'refund'"),
			 1000);
}
END_TEST

UNIT_MAIN("request", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, request_is_judged_by_what_is_left, 0, COUNT(allowed));
	tcase_add_test(tests, request_of_another_merchant_finds_nothing);
	tcase_add_test(tests, request_writes_one_event_and_raises_the_version);
	tcase_add_test(tests, request_with_its_key_again_is_the_first_one);
	tcase_add_test(tests, requests_together_with_one_key_are_one);
	tcase_add_test(tests, requests_together_never_pass_what_was_captured);
})
