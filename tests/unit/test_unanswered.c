/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests whose commit was not answered, by a database that cannot be reached afterwards: nobody may say that nothing
 * was done.
 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "service/amend.h"
#include "service/control.h"
#include "service/request.h"
#include "tests/unit/commit_cutter.h"
#include "tests/unit/service_fixture.h"

#define HOUR_US (3600 * SECOND_US)

static struct service service;
static struct commit_cutter cutter;
static struct store_pool *pool; /* loses its database behind the first commit */

static void create(void)
{
	service_create(&service, "unanswered");
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
	ck_assert_int_eq(store_pool_open(&settings, 1, &pool, why), ERR_OK);
	ck_assert_int_eq(unlink(cutter.path), 0);
	atomic_store(&cutter.cut_after, 1);
}

static void tear_down(void)
{
	store_pool_close(pool);
	commit_cutter_stop(&cutter);
	service_close(&service);
}

static struct story put_manual(void)
{
	struct story story = story_pending(&service, clock_now_us());

	story.operation.next_action = NEXT_EXPIRE;
	story.operation.next_action_at_us += HOUR_US;
	story_put(&service, &story);
	return story;
}

START_TEST(a_cancellation_is_uncertain)
{
	struct story story = put_manual();
	const struct control_request request = { .merchant = SERVICE_MERCHANT,
						 .transaction_id = story.transaction.id,
						 .api_call_id = "call_1" };
	struct transaction_view view;
	enum control_outcome outcome;

	ck_assert_int_eq(control_cancel(pool, &request, SERVICE_WAIT_MS, &outcome, &view),
			 ERR_UNCERTAIN);

	story_get(&service, &story);
	ck_assert_int_eq(story.transaction.status, TS_CANCELLED);
}
END_TEST

START_TEST(a_changed_text_is_uncertain)
{
	struct story story = put_manual();
	const struct amendment amendment = { .changes_description = true, .description = "new" };
	const struct amend_request request = {
		.target = { .merchant = SERVICE_MERCHANT, .transaction_id = story.transaction.id },
		.api_call_id = "call_1",
		.amendment = &amendment,
	};
	struct transaction_view view;
	enum amend_outcome outcome;

	ck_assert_int_eq(amend(pool, &request, SERVICE_WAIT_MS, &outcome, &view), ERR_UNCERTAIN);

	story_get(&service, &story);
	ck_assert_str_eq(story.transaction.description, "new");
}
END_TEST

START_TEST(a_refund_is_uncertain_under_the_id_it_has)
{
	struct story story = story_attempt(&service, AS_SUCCEEDED, OS_SUCCEEDED, clock_now_us());
	const struct request_order order = { .merchant = SERVICE_MERCHANT,
					     .transaction_id = story.transaction.id,
					     .kind = OPERATION_REFUND,
					     .form = OPERATION_NO_FORM,
					     .currency = "",
					     .reason = "",
					     .token = "",
					     .idempotency_key = "refund_1",
					     .api_call_id = "call_1" };
	struct request_receipt receipt;
	enum request_outcome outcome;

	story_put(&service, &story);
	ck_assert_int_eq(
		request_create(pool, &service.vault, &order, SERVICE_WAIT_MS, &outcome, &receipt),
		ERR_OK);

	ck_assert_int_eq(outcome, REQUEST_UNCERTAIN);
	story.operation.id = receipt.operation_id;
	story_get(&service, &story);
	ck_assert_int_eq(story.operation.kind, OPERATION_REFUND);
	ck_assert_int_eq(story.operation.amount_minor, receipt.amount_minor);
	ck_assert_int_eq(receipt.amount_minor, SERVICE_AMOUNT);
}
END_TEST

UNIT_MAIN("unanswered", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_cancellation_is_uncertain);
	tcase_add_test(tests, a_changed_text_is_uncertain);
	tcase_add_test(tests, a_refund_is_uncertain_under_the_id_it_has);
})
