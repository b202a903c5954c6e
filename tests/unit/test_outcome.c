/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a gateway says of a charge, over the whole space, and what operation, transaction and events become by it. The
 * other kinds of operation: test_outcome_kinds.c.
 */
#include "service/outcome.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "tests/unit/outcome_space.h"

static struct service service;

static void create(void)
{
	service_create(&service, "outcome");
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

static enum outcome_effect tell(struct story *story, const struct telling *telling)
{
	return story_tell(&service, story, telling);
}

static enum outcome_effect say(struct story *story, enum outcome_source source,
			       enum attempt_event event)
{
	struct telling telling = { .source = source, .answer = service_answer(event) };

	return tell(story, &telling);
}

static struct story put_attempt(enum attempt_status attempt, enum operation_status operation)
{
	struct story story = story_attempt(&service, attempt, operation, NOW_US);

	story_put(&service, &story);
	return story;
}

/* ---- the whole space ---- */

/* What operation and transaction become with it. */
/* clang-format off */
static const struct consequence {
	const char *letters;
	int retryable; /* of the answer; -1: any */
	enum context context;
	enum operation_status operation;
	enum transaction_status transaction;
	enum next_action next;
} consequences[] = {
	{ "ARU", -1, UNDER_WAY, OS_PROCESSING, TS_PROCESSING, NEXT_ASK },
	{ "ARU", -1, PARKED, OS_PARKED, TS_PARKED, NEXT_HUMAN },
	{ "S", -1, UNDER_WAY, OS_SUCCEEDED, TS_COMPLETED, NEXT_NONE },
	{ "S", -1, PARKED, OS_SUCCEEDED, TS_COMPLETED, NEXT_NONE },
	{ "NF", -1, UNDER_WAY, OS_PROCESSING, TS_PROCESSING, NEXT_SEND },
	{ "NF", -1, PARKED, OS_FAILED, TS_FAILED, NEXT_NONE },
	{ "D", 1, UNDER_WAY, OS_PROCESSING, TS_PROCESSING, NEXT_SEND },
	{ "D", 0, UNDER_WAY, OS_FAILED, TS_FAILED, NEXT_NONE },
	{ "D", -1, PARKED, OS_FAILED, TS_FAILED, NEXT_NONE },
	/* What was to be tried again must not be while a success is unexplained. */
	{ "!", -1, UNDER_WAY, OS_PARKED, TS_PARKED, NEXT_HUMAN },
	{ "!", -1, PARKED, OS_PARKED, TS_PARKED, NEXT_HUMAN },
};
/* clang-format on */

static const struct consequence *consequence_of(char letter, const struct scenario *scenario)
{
	for (size_t i = 0; i < COUNT(consequences); i++) {
		const struct consequence *row = &consequences[i];

		if (strchr(row->letters, letter) != NULL && row->context == scenario->context &&
		    (row->retryable == -1 || row->retryable == scenario->saying->retryable))
			return row;
	}
	return NULL; /* operation and transaction stay as they are */
}

static struct story scene_put(const struct scenario *scenario)
{
	static const enum operation_status operations[] = { OS_PROCESSING, OS_PARKED, OS_FAILED };
	enum operation_status operation = operations[scenario->context];
	struct story story;

	if (scenario->context == FINAL && scenario->status == AS_SUCCEEDED)
		operation = OS_SUCCEEDED;
	story = story_attempt(&service, scenario->status, operation, NOW_US);
	/* Said once already, long ago: once more and it is believed. */
	story.attempt.not_found_at_us = NOW_US - 60 * SECOND_US;
	story_put(&service, &story);
	return story;
}

/* One line says which scenario failed, and how. */
#define HOLDS(CONDITION) ck_assert_msg((CONDITION), "%s: %s", where, #CONDITION)

static bool is_final(enum operation_status status)
{
	return status == OS_SUCCEEDED || status == OS_FAILED;
}

static void check_rows(const char *where, char letter, const struct scenario *scenario,
		       const struct story *before, const struct story *after)
{
	const struct consequence *consequence = consequence_of(letter, scenario);
	bool final = is_final(after->operation.status);

	HOLDS(after->attempt.status == status_of_letter(letter, before->attempt.status));
	if (consequence != NULL) {
		HOLDS(after->operation.status == consequence->operation);
		HOLDS(after->transaction.status == consequence->transaction);
		HOLDS(after->operation.next_action == consequence->next);
	} else {
		HOLDS(after->operation.status == before->operation.status);
		HOLDS(after->transaction.status == before->transaction.status);
		HOLDS(after->operation.next_action == before->operation.next_action);
	}
	HOLDS((after->operation.next_action == NEXT_NONE) == final);
	HOLDS((after->operation.payment_token_sealed_size == 0) == final);
	HOLDS(after->transaction.amount_captured ==
	      (after->transaction.status == TS_COMPLETED ? SERVICE_AMOUNT : 0));
	HOLDS((after->transaction.failure_code[0] != '\0') ==
	      (after->transaction.status == TS_FAILED));
	HOLDS(after->attempt.contradicted_at_us == (letter == '!' ? NOW_US : 0));
	HOLDS(after->operation.gateway_key_number == 1); /* chosen with the next attempt */
	if (letter == '?')
		HOLDS(after->attempt.asked_count == 1);
	if (letter == '?' && scenario->context == UNDER_WAY)
		HOLDS(after->operation.next_action_at_us > NOW_US);
}

static void check_event(const char *where, char letter, const struct story *before,
			const struct story *after)
{
	bool moved = before->attempt.status != after->attempt.status ||
		     before->operation.status != after->operation.status ||
		     before->transaction.status != after->transaction.status;
	struct event_row event = story_last_event(&service, after);

	HOLDS(after->transaction.version - before->transaction.version ==
	      (moved || letter == '!' ? 1 : 0));
	if (after->transaction.version == before->transaction.version)
		return;
	HOLDS(event.transaction_from == (int)before->transaction.status);
	HOLDS(event.operation_from == (int)before->operation.status);
	HOLDS(event.operation_to == (int)after->operation.status);
	HOLDS(event.attempt_from == (int)before->attempt.status);
	HOLDS(event.attempt_to == (int)after->attempt.status);
	HOLDS(id_equal(event.attempt_id, after->attempt.id));
	HOLDS(event.at_us == NOW_US);
	HOLDS(strcmp(event.api_call_id, "call_1") == 0);
}

static void walk(const struct scenario *scenario)
{
	const struct saying *saying = scenario->saying;
	struct telling telling = { .source = scenario->source,
				   .answer = service_answer(saying->event) };
	char letter = letter_of(scenario);
	struct story before = scene_put(scenario);
	struct story after = before;
	enum outcome_effect effect;
	char where[160];

	snprintf(where, sizeof where, "%s attempt, %s, %s by %s",
		 words_text(attempt_status_words, (int)scenario->status),
		 context_names[scenario->context], saying->name, source_names[scenario->source]);
	telling.answer.retryable = saying->retryable;
	telling.answer.integrity = saying->integrity;

	effect = tell(&after, &telling);

	HOLDS(effect == effect_of(letter, scenario));
	check_rows(where, letter, scenario, &before, &after);
	check_event(where, letter, &before, &after);
	HOLDS(story_exceptions(&service, &after, EXCEPTION_LATE_SUCCESS) == (letter == '!'));
	HOLDS(story_exceptions(&service, &after, EXCEPTION_INTEGRITY) == saying->integrity);
}

START_TEST(what_a_gateway_says_does_what_the_design_says)
{
	struct scenario scenario = { .status = (enum attempt_status)(_i / CONTEXTS),
				     .context = (enum context)(_i % CONTEXTS) };

	for (int source = 0; source < SOURCES; source++) {
		for (size_t i = 0; i < COUNT(sayings); i++) {
			scenario.source = (enum outcome_source)source;
			scenario.saying = &sayings[i];
			walk(&scenario);
		}
	}
}
END_TEST

START_TEST(what_was_said_twice_changes_nothing_the_second_time)
{
	static const struct {
		enum attempt_status status;
		enum attempt_event event;
		enum outcome_effect again;
	} cases[] = {
		{ AS_SENT, AE_ACCEPTED, OUTCOME_UNCHANGED },
		{ AS_SENT, AE_REQUIRES_ACTION, OUTCOME_UNCHANGED },
		{ AS_SENT, AE_SUCCEEDED, OUTCOME_UNCHANGED },
		{ AS_SENT, AE_DECLINED, OUTCOME_UNCHANGED },
		{ AS_PREPARED, AE_NOT_SENT, OUTCOME_UNCHANGED },
		{ AS_SENT, AE_LOST, OUTCOME_UNCHANGED },
		{ AS_DECLINED, AE_SUCCEEDED, OUTCOME_CONTRADICTED },
	};
	struct story story = put_attempt(cases[_i].status, OS_PROCESSING);
	struct story once;

	(void)say(&story, OUTCOME_ANSWER, cases[_i].event);
	once = story;

	ck_assert_int_eq(say(&story, OUTCOME_ANSWER, cases[_i].event), cases[_i].again);

	ck_assert_uint_eq(story.transaction.version, once.transaction.version);
	ck_assert_int_eq(story.attempt.status, once.attempt.status);
	ck_assert_int_eq(story.operation.next_action_at_us, once.operation.next_action_at_us);
	ck_assert_int_le(story_exceptions(&service, &story, EXCEPTION_LATE_SUCCESS), 1);
}
END_TEST

START_TEST(what_was_said_is_kept_on_the_attempt)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	struct telling telling = { .source = OUTCOME_ANSWER,
				   .answer = service_answer(AE_DECLINED) };

	telling.answer.http_status = 402;
	snprintf(telling.answer.gateway_ref, sizeof telling.answer.gateway_ref, "gw_7");
	snprintf(telling.answer.masked, sizeof telling.answer.masked, "{\"status\":\"declined\"}");

	ck_assert_int_eq(tell(&story, &telling), OUTCOME_APPLIED);

	ck_assert_int_eq(story.attempt.class, ATTEMPT_DEFINITE);
	ck_assert_int_eq(story.attempt.http_status, 402);
	ck_assert_str_eq(story.attempt.gateway_ref, "gw_7");
	ck_assert_str_eq(story.attempt.decline_code, "issuer_unavailable");
	ck_assert_str_eq(story.attempt.reason, "said");
	ck_assert_str_eq(story.attempt.answer_masked, "{\"status\":\"declined\"}");
	ck_assert_int_eq(story.attempt.answered_at_us, NOW_US);
	ck_assert_str_eq(story.transaction.failure_code, "declined");
}
END_TEST

START_TEST(an_answer_without_a_reference_does_not_forget_the_one_known)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	struct telling telling = { .source = OUTCOME_ANSWER,
				   .answer = service_answer(AE_ACCEPTED) };

	snprintf(telling.answer.gateway_ref, sizeof telling.answer.gateway_ref, "gw_7");
	(void)tell(&story, &telling);

	(void)say(&story, OUTCOME_CALLBACK, AE_SUCCEEDED);

	ck_assert_str_eq(story.attempt.gateway_ref, "gw_7");
}
END_TEST

START_TEST(an_accepted_attempt_waits_for_its_callback_before_it_is_asked_about)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);

	ck_assert_int_eq(say(&story, OUTCOME_ANSWER, AE_ACCEPTED), OUTCOME_APPLIED);

	ck_assert_int_eq(story.operation.next_action, NEXT_ASK);
	ck_assert_int_eq(story.operation.next_action_at_us, NOW_US + SERVICE_CALLBACK_WAIT_US);
	ck_assert_int_eq(story.attempt.open_since_us, NOW_US);
	ck_assert_str_eq(story.transaction.status_reason, "awaiting_gateway");
}
END_TEST

START_TEST(an_attempt_of_another_operation_is_not_found)
{
	struct story story = put_attempt(AS_SENT, OS_PROCESSING);
	struct story other = put_attempt(AS_SENT, OS_PROCESSING);
	struct gateway_answer answer = service_answer(AE_SUCCEEDED);
	struct outcome_report report = { .source = OUTCOME_ANSWER,
					 .gateway = &service.gateways.list[0],
					 .answer = &answer,
					 .api_call_id = "" };
	enum outcome_effect effect = OUTCOME_INTEGRITY;
	const struct {
		struct id operation, attempt;
	} pairs[] = { { story.operation.id, other.attempt.id },
		      { story.operation.id, story.transaction.id },
		      { story.transaction.id, story.attempt.id } };

	for (size_t i = 0; i < COUNT(pairs); i++) {
		report.operation_id = pairs[i].operation;
		report.attempt_id = pairs[i].attempt;
		ck_assert_int_eq(service_apply(&service, &report, &effect), ERR_NOT_FOUND);
		ck_assert_int_eq(effect, OUTCOME_INTEGRITY);
	}
	story_get(&service, &story);
	ck_assert_int_eq(story.attempt.status, AS_SENT);
}
END_TEST

/* ---- what was not found, and is tried again with the same key ---- */

/* A second attempt after a first one that was not found, with its key; *first and *second tell of one operation. */
static void put_second(struct story *first, struct story *second, enum attempt_status status)
{
	char hex[2 * ID_SIZE + 1];

	*first = put_attempt(AS_NOT_FOUND, OS_PROCESSING);
	service_do(
		&service,
		"INSERT INTO attempt (id, operation_id, transaction_id, merchant, number, gateway, "
		"our_reference, gateway_key, status, send_by_us, lease_until_us, prepared_at_us, "
		"open_since_us, updated_at_us) SELECT x'%032d', operation_id, transaction_id, "
		"merchant, 2, gateway, our_reference, gateway_key, '%s', send_by_us, "
		"lease_until_us, prepared_at_us, 1, updated_at_us FROM attempt WHERE id = x'%s'",
		1, words_text(attempt_status_words, (int)status),
		crypto_hex(first->attempt.id.bytes, ID_SIZE, hex));
	service_do(&service,
		   "UPDATE operation SET next_action = 'ask', attempt_count = 2 WHERE id = x'%s'",
		   crypto_hex(first->operation.id.bytes, ID_SIZE, hex));
	*second = *first;
	memset(second->attempt.id.bytes, 0, ID_SIZE);
	second->attempt.id.bytes[ID_SIZE - 1] = 1;
	story_get(&service, second);
}

/* clang-format off */
static const struct told_late {
	const char *name;
	enum outcome_source source;
	enum attempt_status second;
	bool keyless;     /* the gateway does not know its own keys again */
	bool other;       /* its reference is not that of the second */
	bool contradicts; /* it is a success of its own */
} told_late[] = {
	{ "an inquiry, while the second is sent",       OUTCOME_INQUIRY,  AS_SENT,      false,
		  false, false },
	{ "an inquiry, while the second is accepted",   OUTCOME_INQUIRY,  AS_ACCEPTED,  false,
		  false, false },
	{ "an inquiry, after the second succeeded",     OUTCOME_INQUIRY,  AS_SUCCEEDED, false,
		  false, false },
	{ "a callback, after the second succeeded",     OUTCOME_CALLBACK, AS_SUCCEEDED, false,
		  false, false },
	{ "an inquiry, with another reference",         OUTCOME_INQUIRY,  AS_SUCCEEDED, false, true,
		  true },
	{ "its sender, while the second is sent",       OUTCOME_ANSWER,   AS_SENT,      false,
		  false, false },
	{ "its sender, of a gateway that does it twice", OUTCOME_ANSWER,  AS_SENT,      true,
		  false, true },
	{ "an inquiry there",                           OUTCOME_INQUIRY,  AS_SENT,      true,
		  false, false },
};
/* clang-format on */

START_TEST(a_success_under_a_key_is_that_of_the_last_try_with_it)
{
	static struct gateway gateway; /* too large for the stack */
	const struct told_late *row = &told_late[_i];
	struct telling telling = { .source = row->source,
				   .answer = service_answer(AE_SUCCEEDED),
				   .gateway = &gateway };
	struct story first, second;

	gateway = service.gateways.list[0];
	gateway.idempotent = !row->keyless;
	put_second(&first, &second, row->second);
	if (row->second == AS_SUCCEEDED)
		service_do(&service, "UPDATE attempt SET gateway_ref = 'gw_2' WHERE number = 2");
	snprintf(telling.answer.gateway_ref, sizeof telling.answer.gateway_ref,
		 row->other ? "gw_1" : "gw_2");

	(void)tell(&first, &telling);

	story_get(&service, &second);
	ck_assert_msg(first.attempt.status == AS_NOT_FOUND, "%s", row->name);
	ck_assert_msg(second.attempt.status == (row->contradicts ? row->second : AS_SUCCEEDED),
		      "%s", row->name);
	ck_assert_msg(story_exceptions(&service, &first, EXCEPTION_LATE_SUCCESS) ==
			      row->contradicts,
		      "%s", row->name);
}
END_TEST

UNIT_MAIN("outcome", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, what_a_gateway_says_does_what_the_design_says, 0,
			    STATUSES * CONTEXTS);
	tcase_add_loop_test(tests, what_was_said_twice_changes_nothing_the_second_time, 0, 7);
	tcase_add_test(tests, what_was_said_is_kept_on_the_attempt);
	tcase_add_test(tests, an_answer_without_a_reference_does_not_forget_the_one_known);
	tcase_add_test(tests, an_accepted_attempt_waits_for_its_callback_before_it_is_asked_about);
	tcase_add_test(tests, an_attempt_of_another_operation_is_not_found);
	tcase_add_loop_test(tests, a_success_under_a_key_is_that_of_the_last_try_with_it, 0,
			    (int)COUNT(told_late));
})
