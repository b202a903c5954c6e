/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Where an operation is tried next, after everything that may have come before: three gateways. */
#include "service/choice.h"

#include <stdio.h>
#include <string.h>

#include "core/decline.h"
#include "tests/unit/service_fixture.h"

#define NOW_US SERVICE_NOW_US
#define COUNT(ROWS) (int)(sizeof(ROWS) / sizeof(ROWS)[0])
#define EARLIER_MAX 6

/* lint: state: one service per test process, made and closed by the fixture */
static struct service service;

/* An earlier attempt: "alpha", how it ended, how long ago. */
struct earlier {
	const char *gateway;
	enum attempt_status status;
	const char *decline;
	int ago_s;
};

struct expected {
	enum choice_outcome outcome;
	const char *gateway; /* with CHOICE_SEND; the failure code with CHOICE_FAIL */
	unsigned key_number;
	bool is_retry;
	int least_s, most_s; /* with CHOICE_WAIT: from now */
};

#define SEND(GATEWAY, KEY)                                                                         \
	{                                                                                          \
		CHOICE_SEND, GATEWAY, KEY, false, 0, 0                                             \
	}
#define AGAIN(GATEWAY, KEY)                                                                        \
	{                                                                                          \
		CHOICE_SEND, GATEWAY, KEY, true, 0, 0                                              \
	}
#define WAIT(LEAST, MOST)                                                                          \
	{                                                                                          \
		CHOICE_WAIT, NULL, 0, false, LEAST, MOST                                           \
	}
#define FAIL(CODE)                                                                                 \
	{                                                                                          \
		CHOICE_FAIL, CODE, 0, false, 0, 0                                                  \
	}
#define DECLINED(GATEWAY, CODE, AGO)                                                               \
	{                                                                                          \
		GATEWAY, AS_DECLINED, CODE, AGO                                                    \
	}

static void create(void)
{
	service_create(&service, "choice");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	service_open(&service);
	service_add_gateway(&service, "beta");
	service_add_gateway(&service, "gamma");
	service_publish(&service);
	service_stop_clock(&service, NOW_US);
}

static void tear_down(void)
{
	service_close(&service);
}

/* A payment that was tried so, and is due to be sent. */
static struct story put_tried(const struct earlier *earlier, unsigned retries)
{
	struct story story = story_pending(&service, NOW_US);

	story_put(&service, &story);
	for (unsigned i = 0; i < EARLIER_MAX && earlier[i].gateway != NULL; i++) {
		service_do(&service,
			   "INSERT INTO attempt (id, operation_id, transaction_id, merchant, "
			   "number, gateway, our_reference, gateway_key, status, decline_code, "
			   "send_by_us, lease_until_us, prepared_at_us, open_since_us, "
			   "updated_at_us) SELECT UNHEX(MD5(CONCAT(HEX(id), '%u'))), id, "
			   "transaction_id, merchant, %u, '%s', "
			   "'r', 'k', '%s', NULLIF('%s', ''), 2, 3, 1, 1, %lld FROM operation",
			   i + 1, i + 1, earlier[i].gateway,
			   words_text(attempt_status_words, (int)earlier[i].status),
			   earlier[i].decline == NULL ? "" : earlier[i].decline,
			   (long long)(NOW_US - earlier[i].ago_s * SECOND_US));
		story.operation.attempt_count++;
	}
	story.operation.retry_count = retries;
	return story;
}

struct making {
	struct choice_request request;
	struct choice choice;
};

static enum err make_work(struct store_tx *tx, void *context)
{
	struct making *making = context;

	return choice_make(tx, &making->request, &making->choice);
}

static struct making making_of(const struct story *story)
{
	return (struct making){ .request = { .view = service.view,
					     .transaction = &story->transaction,
					     .operation = &story->operation,
					     .now_us = NOW_US } };
}

static struct choice choose(struct making *making)
{
	ck_assert_int_eq(store_run(service.store, make_work, making), ERR_OK);
	return making->choice;
}

static void check(const struct choice *choice, const struct expected *expected)
{
	const int64_t wait_us = choice->again_at_us - NOW_US;

	ck_assert_int_eq(choice->outcome, expected->outcome);
	switch (choice->outcome) {
	case CHOICE_SEND:
		ck_assert_str_eq(choice->gateway->name, expected->gateway);
		ck_assert_uint_eq(choice->key_number, expected->key_number);
		ck_assert_int_eq(choice->is_retry, expected->is_retry);
		break;
	case CHOICE_WAIT:
		ck_assert_int_ge(wait_us, expected->least_s * SECOND_US);
		ck_assert_int_le(wait_us, expected->most_s * SECOND_US);
		break;
	case CHOICE_FAIL:
		ck_assert_str_eq(choice->failure, expected->gateway);
		break;
	}
}

static const struct {
	struct earlier earlier[EARLIER_MAX];
	unsigned retries;
	struct expected expected;
} cases[] = {
	{ { { NULL, AS_NOT_SENT, NULL, 0 } }, 0, SEND("alpha", 1) },
	/* another gateway at once */
	{ { { "alpha", AS_NOT_SENT, NULL, 0 } }, 0, SEND("beta", 1) },
	{ { DECLINED("alpha", "issuer_unavailable", 0) }, 0, SEND("beta", 1) },
	{ { DECLINED("alpha", "not_supported", 0) }, 0, SEND("beta", 1) },
	{ { { "alpha", AS_NOT_SENT, NULL, 0 }, { "beta", AS_NOT_SENT, NULL, 0 } }, 0,
	  SEND("gamma", 1) },
	{ { { "omega", AS_NOT_SENT, NULL, 0 } }, 0, SEND("alpha", 1) }, /* not there any more */
	/* the same with the same key */
	{ { { "alpha", AS_NOT_FOUND, NULL, 0 } }, 0, AGAIN("alpha", 1) },
	{ { { "alpha", AS_NOT_SENT, NULL, 9 }, { "beta", AS_NOT_FOUND, NULL, 0 } }, 2,
	  AGAIN("beta", 1) },
	{ { { "alpha", AS_NOT_FOUND, NULL, 0 } }, 3, SEND("beta", 1) },
	/* nothing else is left: 2, 4, 8 s, then the end */
	{ { DECLINED("alpha", "issuer_unavailable", 0), DECLINED("beta", "issuer_unavailable", 0),
	    DECLINED("gamma", "issuer_unavailable", 0) },
	  0,
	  WAIT(1, 3) },
	{ { DECLINED("alpha", "issuer_unavailable", 9), DECLINED("beta", "issuer_unavailable", 6),
	    DECLINED("gamma", "issuer_unavailable", 3) },
	  0,
	  AGAIN("alpha", 2) },
	{ { { "alpha", AS_NOT_SENT, NULL, 9 }, { "beta", AS_NOT_SENT, NULL, 9 },
	    { "gamma", AS_NOT_SENT, NULL, 0 } },
	  1,
	  WAIT(3, 5) },
	{ { { "alpha", AS_NOT_SENT, NULL, 9 }, { "beta", AS_NOT_SENT, NULL, 9 },
	    { "gamma", AS_NOT_SENT, NULL, 0 } },
	  2,
	  WAIT(6, 10) },
	{ { { "alpha", AS_NOT_SENT, NULL, 99 }, { "beta", AS_NOT_SENT, NULL, 99 },
	    { "gamma", AS_NOT_SENT, NULL, 99 } },
	  3,
	  FAIL(FAILURE_UNREACHABLE) },
	{ { DECLINED("alpha", "issuer_unavailable", 9), DECLINED("alpha", "issuer_unavailable", 9),
	    DECLINED("beta", "not_supported", 9), DECLINED("gamma", "not_supported", 9) },
	  1,
	  AGAIN("alpha", 3) },
	/* a gateway's final word about itself: not there again */
	{ { DECLINED("alpha", "not_supported", 99), DECLINED("beta", "not_supported", 99),
	    DECLINED("gamma", "not_supported", 99) },
	  0,
	  FAIL(FAILURE_DECLINED) },
	/* a final word of the issuer: nowhere again */
	{ { DECLINED("alpha", "do_not_honor", 99) }, 0, FAIL(FAILURE_DECLINED) },
	{ { { "alpha", AS_NOT_SENT, NULL, 99 }, DECLINED("beta", "stolen_card", 99) }, 0,
	  FAIL(FAILURE_DECLINED) },
	{ { DECLINED("alpha", "a_code_of_no_table", 99) }, 0, FAIL(FAILURE_DECLINED) },
};

START_TEST(choice_follows_what_came_before)
{
	struct story story = put_tried(cases[_i].earlier, cases[_i].retries);
	struct making making = making_of(&story);
	const struct choice choice = choose(&making);

	check(&choice, &cases[_i].expected);
	ck_assert_str_eq(choice.rule, "default");
	ck_assert_str_eq(choice.candidates, "alpha beta gamma");
}
END_TEST

/* The rule that makes double charges impossible. */
START_TEST(choice_is_refused_while_an_attempt_may_have_charged)
{
	static const enum attempt_status live[] = { AS_PREPARED,        AS_SENT,      AS_ACCEPTED,
						    AS_REQUIRES_ACTION, AS_SUCCEEDED, AS_UNKNOWN };
	const struct earlier earlier[EARLIER_MAX] = { { "alpha", AS_NOT_SENT, NULL, 9 },
						      { "beta", live[_i], NULL, 9 } };
	struct story story = put_tried(earlier, 0);
	struct making making = making_of(&story);

	ck_assert_int_eq(store_run(service.store, make_work, &making), ERR_CONFLICT);
}
END_TEST

static const struct {
	enum attempt_status earlier;
	struct expected expected;
} payouts[] = {
	{ AS_NOT_SENT, SEND("beta", 1) },
	{ AS_DECLINED, FAIL(FAILURE_DECLINED) },
	{ AS_NOT_FOUND, FAIL(FAILURE_LOST) },
};

START_TEST(a_payout_is_repeated_only_where_nothing_was_sent)
{
	const struct earlier earlier[EARLIER_MAX] = {
		{ "alpha", payouts[_i].earlier,
		  payouts[_i].earlier == AS_DECLINED ? "issuer_unavailable" : NULL, 99 }
	};
	struct story story = put_tried(earlier, 0);
	struct making making = making_of(&story);
	struct choice choice;

	story.operation.kind = OPERATION_PAYOUT;
	choice = choose(&making);
	check(&choice, &payouts[_i].expected);
}
END_TEST

/* ---- gateways that are away ---- */

static void away_until(int64_t until_us)
{
	for (size_t i = 0; i < 3; i++) {
		service.view->capabilities[i].maintenance_from_us = NOW_US - 1;
		service.view->capabilities[i].maintenance_until_us = until_us;
	}
}

START_TEST(maintenance_is_waited_for_when_it_is_short)
{
	static const struct expected waits = WAIT(60, 60);
	static const struct expected fails = FAIL(FAILURE_UNAVAILABLE);
	const struct earlier none[EARLIER_MAX] = { { NULL, AS_NOT_SENT, NULL, 0 } };
	struct story story = put_tried(none, 0);
	struct making making = making_of(&story);
	struct choice choice;

	away_until(NOW_US + 60 * SECOND_US);
	choice = choose(&making);
	check(&choice, &waits);
	ck_assert_str_eq(choice.candidates,
			 "!alpha:maintenance !beta:maintenance !gamma:maintenance");

	away_until(NOW_US + 3600 * SECOND_US);
	choice = choose(&making);
	check(&choice, &fails);
}
END_TEST

START_TEST(what_no_gateway_takes_any_more_has_no_route)
{
	static const struct expected fails = FAIL(FAILURE_NO_ROUTE);
	const struct earlier none[EARLIER_MAX] = { { NULL, AS_NOT_SENT, NULL, 0 } };
	struct story story = put_tried(none, 0);
	struct making making = making_of(&story);
	struct choice choice;

	for (size_t i = 0; i < 3; i++)
		service.view->capabilities[i].state = ROUTING_DRAINING;
	choice = choose(&making);
	check(&choice, &fails);
}
END_TEST

/* A token that one gateway alone knows, after what would go elsewhere: nowhere, or to that one again. */
START_TEST(a_stored_token_goes_to_the_gateway_that_knows_it)
{
	static const struct {
		struct earlier earlier[EARLIER_MAX];
		struct expected expected;
	} ways[] = {
		{ { { NULL, AS_NOT_SENT, NULL, 0 } }, SEND("beta", 1) },
		{ { { "beta", AS_NOT_SENT, NULL, 0 } }, WAIT(1, 3) },
		{ { { "beta", AS_NOT_SENT, NULL, 10 } }, AGAIN("beta", 1) },
		{ { DECLINED("beta", "card_not_supported", 10) }, FAIL("declined") },
	};
	struct story story = put_tried(ways[_i].earlier, 0);
	struct making making;
	struct choice choice;

	memcpy(story.operation.token_gateway, "beta", sizeof "beta");
	making = making_of(&story);
	choice = choose(&making);

	check(&choice, &ways[_i].expected);
	ck_assert_str_eq(choice.candidates, "beta !alpha:payment_token !gamma:payment_token");
}
END_TEST

START_TEST(a_stored_token_of_no_gateway_that_there_is_has_no_route)
{
	static const struct expected fails = FAIL("no_route");
	const struct earlier none[EARLIER_MAX] = { { NULL, AS_NOT_SENT, NULL, 0 } };
	struct story story = put_tried(none, 0);
	struct making making;
	struct choice choice;

	memcpy(story.operation.token_gateway, "-", sizeof "-");
	making = making_of(&story);
	choice = choose(&making);

	check(&choice, &fails);
}
END_TEST

/* ---- what belongs to an earlier payment ---- */

static struct choice choose_refund(enum routing_state state, const char *parent_gateway)
{
	const struct earlier none[EARLIER_MAX] = { { NULL, AS_NOT_SENT, NULL, 0 } };
	struct story story = put_tried(none, 0);
	struct making making = making_of(&story);
	struct attempt_row parent = { .account = "acct_7" };

	snprintf(parent.gateway, sizeof parent.gateway, "%s", parent_gateway);
	story.operation.kind = OPERATION_REFUND;
	making.request.parent = &parent;
	service.view->capabilities[1].state = state;
	return choose(&making);
}

START_TEST(a_refund_goes_to_the_account_of_its_charge_though_it_is_drained)
{
	static const struct expected sends = SEND("beta", 1);
	const struct choice choice = choose_refund(ROUTING_DRAINING, "beta");

	check(&choice, &sends);
	ck_assert_str_eq(choice.account, "acct_7");
	ck_assert_str_eq(choice.rule, "");
	ck_assert_str_eq(choice.candidates, "beta");
}
END_TEST

START_TEST(a_refund_waits_for_its_gateway_and_goes_to_no_other)
{
	static const struct expected waits = WAIT(1, 60);
	struct choice choice = choose_refund(ROUTING_DISABLED, "beta");

	check(&choice, &waits);
	choice = choose_refund(ROUTING_ENABLED, "omega");
	check(&choice, &waits);
}
END_TEST

/* ---- budget and accounts ---- */

START_TEST(retries_beyond_the_budget_wait_then_fail)
{
	static const struct expected waits = WAIT(1, 2);
	static const struct expected fails = FAIL(FAILURE_UNREACHABLE);
	struct earlier earlier[EARLIER_MAX] = { { "alpha", AS_NOT_SENT, NULL, 9 } };
	struct choice_budgets budgets = { .count = 0 };
	struct story story = put_tried(earlier, 0);
	struct making making = making_of(&story);
	struct choice choice;

	for (size_t i = 1; i < 3; i++)
		service.view->capabilities[i].state = ROUTING_DISABLED;
	making.request.budgets = &budgets;
	for (unsigned i = 0; i < budget_rules_default.burst; i++)
		ck_assert_int_eq(choose(&making).outcome, CHOICE_SEND);
	choice = choose(&making);
	check(&choice, &waits);

	service_do(&service, "UPDATE attempt SET updated_at_us = %lld",
		   (long long)(NOW_US - 61 * SECOND_US));
	choice = choose(&making);
	check(&choice, &fails);
}
END_TEST

/* After a crash of ours many come at once, and none of them is a call that was not ordered. */
START_TEST(what_was_not_found_is_sent_again_whatever_the_budget)
{
	static const struct expected sends = AGAIN("alpha", 1);
	struct earlier earlier[EARLIER_MAX] = { { "alpha", AS_NOT_FOUND, NULL, 0 } };
	struct choice_budgets budgets = { .count = 0 };
	struct story story = put_tried(earlier, 0);
	struct making making = making_of(&story);

	making.request.budgets = &budgets;
	for (unsigned i = 0; i < 10 * budget_rules_default.burst; i++) {
		const struct choice choice = choose(&making);

		check(&choice, &sends);
	}
}
END_TEST

START_TEST(first_tries_earn_and_never_spend)
{
	const struct earlier none[EARLIER_MAX] = { { NULL, AS_NOT_SENT, NULL, 0 } };
	struct choice_budgets budgets = { .count = 0 };
	struct story story = put_tried(none, 0);
	struct making making = making_of(&story);

	making.request.budgets = &budgets;
	for (unsigned i = 0; i < 10 * budget_rules_default.burst; i++)
		ck_assert_int_eq(choose(&making).outcome, CHOICE_SEND);
}
END_TEST

/* Of another operation of its transaction, or of its own: however many there were, the last one counts. */
START_TEST(many_attempts_do_not_hide_the_last_one)
{
	struct story story = story_pending(&service, NOW_US);
	struct story refund;
	struct making making;

	story_put(&service, &story);
	service_do(
		&service,
		"INSERT INTO attempt (id, operation_id, transaction_id, merchant, number, gateway, "
		"our_reference, gateway_key, status, decline_code, send_by_us, lease_until_us, "
		"prepared_at_us, updated_at_us) WITH RECURSIVE n (i) AS "
		"(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
		"SELECT UNHEX(MD5(CONCAT(HEX(id), i))), id, transaction_id, merchant, i, 'alpha', "
		"'r', 'k', IF(i < 300, 'not_sent', 'declined'), IF(i < 300, NULL, 'do_not_honor'), "
		"2, 3, 1, %lld FROM operation, n",
		(long long)(NOW_US - 60 * SECOND_US));
	story.operation.attempt_count = 300;
	making = making_of(&story);
	if (_i == 1) {
		story.attempt.id = story.operation.id; /* any will do */
		refund = story_part(&story, OPERATION_REFUND, AS_NOT_SENT, OS_PROCESSING);
		refund.attempt.number = 1;
		story_part_put(&service, &refund);
		making = making_of(&refund);
		making.request.parent = &story.attempt;
		snprintf(story.attempt.gateway, sizeof story.attempt.gateway, "alpha");
	}

	check(&(struct choice[]){ choose(&making) }[0],
	      _i == 1 ? &(struct expected)AGAIN("alpha", 1)
		      : &(struct expected)FAIL(FAILURE_DECLINED));
}
END_TEST

/* A room in which alpha has taken what it may. */
static struct room room_full_of_alpha(void)
{
	struct room room = { .limit = 8, .shared = true };

	while (room_wait_us(&room, "alpha", NOW_US) == 0)
		room_enter(&room, "alpha", NOW_US);
	return room;
}

/* However long it has waited; first tries and what was not found alike: it is well, only busy. */
START_TEST(a_gateway_without_room_is_waited_for_and_no_other_tried)
{
	const struct earlier before[][EARLIER_MAX] = {
		{ { NULL, AS_NOT_SENT, NULL, 0 } },
		{ { "alpha", AS_NOT_FOUND, NULL, 3600 } },
	};
	struct room room = room_full_of_alpha();
	struct story story = put_tried(before[_i], 0);
	struct making making = making_of(&story);
	struct choice choice;

	story.transaction.updated_at_us = NOW_US - 3600 * SECOND_US;
	making.request.room = &room;
	making.request.boot_us = NOW_US;
	choice = choose(&making);

	check(&choice, &(struct expected)WAIT(0, 1));
}
END_TEST

START_TEST(another_gateway_has_room_though_one_has_none)
{
	const struct earlier before[EARLIER_MAX] = { DECLINED("alpha", "issuer_unavailable", 1) };
	struct room room = room_full_of_alpha();
	struct story story = put_tried(before, 0);
	struct making making = making_of(&story);
	struct choice choice;

	making.request.room = &room;
	making.request.boot_us = NOW_US;
	choice = choose(&making);

	check(&choice, &(struct expected)SEND("beta", 1));
}
END_TEST

START_TEST(a_merchants_own_account_and_credential_are_used)
{
	const struct earlier none[EARLIER_MAX] = { { NULL, AS_NOT_SENT, NULL, 0 } };
	struct gateway own = service.gateways.list[0];
	struct catalogue_account accounts[] = {
		{ .gateway = 0, .merchant = SERVICE_OTHER_MERCHANT, .account = "theirs" },
		{ .gateway = 0, .merchant = SERVICE_MERCHANT, .account = "ours", .own = &own },
	};
	struct story story = put_tried(none, 0);
	struct making making = making_of(&story);
	struct choice choice;

	service.view->accounts = accounts;
	service.view->account_count = 2;
	choice = choose(&making);
	service.view->accounts = NULL;
	service.view->account_count = 0;

	ck_assert_str_eq(choice.account, "ours");
	ck_assert_ptr_eq(choice.gateway, &own);
}
END_TEST

UNIT_MAIN("choice", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, choice_follows_what_came_before, 0, COUNT(cases));
	tcase_add_loop_test(tests, choice_is_refused_while_an_attempt_may_have_charged, 0, 6);
	tcase_add_loop_test(tests, a_payout_is_repeated_only_where_nothing_was_sent, 0,
			    COUNT(payouts));
	tcase_add_loop_test(tests, a_stored_token_goes_to_the_gateway_that_knows_it, 0, 4);
	tcase_add_test(tests, a_stored_token_of_no_gateway_that_there_is_has_no_route);
	tcase_add_test(tests, maintenance_is_waited_for_when_it_is_short);
	tcase_add_test(tests, what_no_gateway_takes_any_more_has_no_route);
	tcase_add_test(tests, a_refund_goes_to_the_account_of_its_charge_though_it_is_drained);
	tcase_add_test(tests, a_refund_waits_for_its_gateway_and_goes_to_no_other);
	tcase_add_test(tests, retries_beyond_the_budget_wait_then_fail);
	tcase_add_test(tests, what_was_not_found_is_sent_again_whatever_the_budget);
	tcase_add_test(tests, first_tries_earn_and_never_spend);
	tcase_add_loop_test(tests, a_gateway_without_room_is_waited_for_and_no_other_tried, 0, 2);
	tcase_add_test(tests, another_gateway_has_room_though_one_has_none);
	tcase_add_test(tests, a_merchants_own_account_and_credential_are_used);
	tcase_add_loop_test(tests, many_attempts_do_not_hide_the_last_one, 0, 2);
})
