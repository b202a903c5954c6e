/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Payments that are committed together: what is bad or held up among them. */
#include "service/intake.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/service_fixture.h"

#define THREADS 16

static struct service service;
static struct batch *intake;

struct accepting {
	struct payment_request request;
	struct payment_order order;
	int wait_ms;
	enum err err;
};

static void create(void)
{
	service_create(&service, "intake");
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

static void begin(struct accepting *accepting, const char *key)
{
	*accepting = (struct accepting){ .request = { .amount = { 1000, "JPY" },
						      .method = "credit_card",
						      .customer = "cust_001" },
					 .order = { .merchant = SERVICE_MERCHANT,
						    .kind = TRANSACTION_PAYMENT,
						    .idempotency_key = key,
						    .api_call_id = "call_1",
						    .now_us = SERVICE_NOW_US },
					 .wait_ms = SERVICE_WAIT_MS };
}

static void *accept_payment(void *context)
{
	struct accepting *accepting = context;
	enum payment_outcome outcome;
	struct payment_receipt receipt;

	accepting->order.request = &accepting->request;
	accepting->err = payment_accept(intake, &service.vault, &accepting->order,
					clock_boot_us() + accepting->wait_ms * INT64_C(1000),
					&outcome, &receipt);
	return NULL;
}

static void check_payments(long long count)
{
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM transaction"), count);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM operation"), count);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM event"), count);
}

/* Good and bad ones that are committed together, as they come from many threads. */
START_TEST(a_bad_payment_fails_by_itself)
{
	static struct accepting acceptings[THREADS];
	static char keys[THREADS][24];

	for (int i = 0; i < THREADS; i++) {
		snprintf(keys[i], sizeof keys[i], "key-%d", i);
		begin(&acceptings[i], keys[i]);
		if (i % 5 == 0)
			acceptings[i].order.merchant = "nobody";
		if (i % 5 == 1) /* a CHECK refuses it */
			acceptings[i].request.amount.minor = 0;
	}

	service_together(THREADS, accept_payment, acceptings, sizeof acceptings[0]);

	for (int i = 0; i < THREADS; i++) {
		const enum err wanted = i % 5 == 0 ? ERR_MERCHANT : i % 5 == 1 ? ERR_STORE : ERR_OK;

		ck_assert_int_eq(acceptings[i].err, wanted);
	}
	check_payments(THREADS - (THREADS + 4) / 5 - (THREADS + 3) / 5);
}
END_TEST

static struct accepting held[THREADS];

/*
 * Another server's transaction bears a key and is not at its end while the others come. Keys of their own: where rows
 * of the same keys were deleted, as no server ever does, the holder locks the gaps too.
 */
static enum err hold_work(struct store_tx *tx, void *context)
{
	struct operation_row row = story_pending(&service, SERVICE_NOW_US).operation;

	(void)context;
	snprintf(row.idempotency_key, sizeof row.idempotency_key, "held-3");
	row.request_hashes_size = 1;
	ck_assert_int_eq(store_operation_insert(tx, &row), ERR_OK);
	service_together(THREADS, accept_payment, held, sizeof held[0]);
	return ERR_STATE; /* it is rolled back */
}

START_TEST(a_key_that_is_held_elsewhere_is_in_flight_until_it_is_free)
{
	static char keys[THREADS][24];

	for (int i = 0; i < THREADS; i++) {
		snprintf(keys[i], sizeof keys[i], "held-%d", i);
		begin(&held[i], keys[i]);
		held[i].wait_ms = 5000;
	}

	ck_assert_int_eq(store_run(service.store, hold_work, NULL), ERR_STATE);

	ck_assert_int_eq(held[3].err, ERR_KEY_IN_FLIGHT);
	for (int i = 0; i < THREADS; i++)
		if (i != 3)
			ck_assert_int_eq(held[i].err, ERR_OK);
	service_together(THREADS, accept_payment, held, sizeof held[0]);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(held[i].err, ERR_OK);
	check_payments(THREADS);
}
END_TEST

UNIT_MAIN("intake", {
	service_require();
	tcase_set_timeout(tests, 240);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_bad_payment_fails_by_itself);
	tcase_add_test(tests, a_key_that_is_held_elsewhere_is_in_flight_until_it_is_free);
})
