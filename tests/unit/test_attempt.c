/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/attempt.h"

#include "tests/unit/unit.h"

#define NO (-1) /* refused */

/* Written from the design, not from the table: one row a status, one column an event. */
/* clang-format off */
static const int expected[AS_COUNT][AE_COUNT] = {
	/* sent, accepted, requires_action, succeeded, declined, not_sent, lost, not_found, reversed, returned */
	[AS_PREPARED] = {
		AS_SENT, AS_ACCEPTED, AS_REQUIRES_ACTION, AS_SUCCEEDED, AS_DECLINED, AS_NOT_SENT,
		AS_UNKNOWN, NO, NO, NO },
	[AS_SENT] = {
		NO, AS_ACCEPTED, AS_REQUIRES_ACTION, AS_SUCCEEDED, AS_DECLINED, NO,
		AS_UNKNOWN, NO, NO, NO },
	[AS_ACCEPTED] = {
		NO, NO, AS_REQUIRES_ACTION, AS_SUCCEEDED, AS_DECLINED, NO, NO, NO, NO, NO },
	[AS_REQUIRES_ACTION] = {
		NO, AS_ACCEPTED, NO, AS_SUCCEEDED, AS_DECLINED, NO, NO, NO, NO, NO },
	[AS_SUCCEEDED] = {
		NO, NO, NO, NO, NO, NO, NO, NO, NO, NO },
	[AS_DECLINED] = {
		NO, NO, NO, NO, NO, NO, NO, NO, NO, NO },
	[AS_NOT_SENT] = {
		NO, NO, NO, NO, NO, NO, NO, NO, NO, NO },
	[AS_UNKNOWN] = {
		NO, AS_ACCEPTED, AS_REQUIRES_ACTION, AS_SUCCEEDED, AS_DECLINED, NO, NO,
		AS_NOT_FOUND, NO, NO },
	[AS_NOT_FOUND] = {
		NO, NO, NO, NO, NO, NO, NO, NO, NO, NO },
};
/* clang-format on */

static const char *status_word(int status)
{
	return words_text(attempt_status_words, status);
}

START_TEST(attempt_moves_as_the_matrix_says)
{
	const int from = _i / AE_COUNT;
	const int event = _i % AE_COUNT;
	const enum attempt_status untouched = AS_PREPARED;
	enum attempt_status to = untouched;
	const bool moved = attempt_next((enum attempt_status)from, (enum attempt_event)event, &to);

	ck_assert_msg(moved == (expected[from][event] != NO), "%s + %s", status_word(from),
		      words_text(attempt_event_words, event));
	ck_assert_int_eq(to, moved ? expected[from][event] : (int)untouched);
}
END_TEST

START_TEST(attempt_uncharged_is_only_what_is_certain)
{
	static const bool uncharged[AS_COUNT] = {
		[AS_DECLINED] = true, [AS_NOT_SENT] = true, [AS_NOT_FOUND] = true
	};

	ck_assert_msg(attempt_is_uncharged((enum attempt_status)_i) == uncharged[_i], "%s",
		      status_word(_i));
}
END_TEST

/* What allows a further attempt, and a success, must stay true: nothing may lead out of them. */
START_TEST(attempt_decided_states_are_never_left)
{
	const enum attempt_status from = (enum attempt_status)_i;
	const bool decided = attempt_is_uncharged(from) || from == AS_SUCCEEDED;
	enum attempt_status to;
	int ways = 0;

	for (int event = 0; event < AE_COUNT; event++)
		ways += attempt_next(from, (enum attempt_event)event, &to);

	ck_assert_msg((ways == 0) == decided, "%s has %d ways out", status_word(_i), ways);
}
END_TEST

START_TEST(attempt_is_not_sent_only_before_bytes_left)
{
	const enum attempt_status from = (enum attempt_status)_i;
	enum attempt_status to;

	ck_assert_int_eq(attempt_next(from, AE_NOT_SENT, &to), from == AS_PREPARED);
	ck_assert_int_eq(attempt_next(from, AE_NOT_FOUND, &to), from == AS_UNKNOWN);
}
END_TEST

START_TEST(attempt_contradiction_is_a_success_after_an_uncharged_verdict)
{
	const enum attempt_status status = (enum attempt_status)(_i / AE_COUNT);
	const enum attempt_event event = (enum attempt_event)(_i % AE_COUNT);
	const bool uncharged = status == AS_DECLINED || status == AS_NOT_SENT ||
			       status == AS_NOT_FOUND;
	enum attempt_status to;

	ck_assert_int_eq(attempt_contradicts(status, event), uncharged && event == AE_SUCCEEDED);
	if (attempt_contradicts(status, event))
		ck_assert(!attempt_next(status, event, &to));
}
END_TEST

static const struct {
	const struct words *words;
	int count;
	int value;
	const char *word;
} names[] = {
	{ &attempt_status_words, AS_COUNT, AS_PREPARED, "prepared" },
	{ &attempt_status_words, AS_COUNT, AS_SENT, "sent" },
	{ &attempt_status_words, AS_COUNT, AS_ACCEPTED, "accepted" },
	{ &attempt_status_words, AS_COUNT, AS_REQUIRES_ACTION, "requires_action" },
	{ &attempt_status_words, AS_COUNT, AS_SUCCEEDED, "succeeded" },
	{ &attempt_status_words, AS_COUNT, AS_DECLINED, "declined" },
	{ &attempt_status_words, AS_COUNT, AS_NOT_SENT, "not_sent" },
	{ &attempt_status_words, AS_COUNT, AS_UNKNOWN, "unknown" },
	{ &attempt_status_words, AS_COUNT, AS_NOT_FOUND, "not_found" },
	{ &attempt_event_words, AE_COUNT, AE_SENT, "sent" },
	{ &attempt_event_words, AE_COUNT, AE_ACCEPTED, "accepted" },
	{ &attempt_event_words, AE_COUNT, AE_REQUIRES_ACTION, "requires_action" },
	{ &attempt_event_words, AE_COUNT, AE_SUCCEEDED, "succeeded" },
	{ &attempt_event_words, AE_COUNT, AE_DECLINED, "declined" },
	{ &attempt_event_words, AE_COUNT, AE_NOT_SENT, "not_sent" },
	{ &attempt_event_words, AE_COUNT, AE_LOST, "lost" },
	{ &attempt_event_words, AE_COUNT, AE_NOT_FOUND, "not_found" },
	{ &attempt_event_words, AE_COUNT, AE_REVERSED, "reversed" },
	{ &attempt_event_words, AE_COUNT, AE_RETURNED, "returned" },
};

START_TEST(attempt_words_name_each_value)
{
	ck_assert_int_eq(names[_i].words->count, names[_i].count);
	ck_assert_str_eq(words_text(*names[_i].words, names[_i].value), names[_i].word);
	ck_assert_int_eq(words_find(*names[_i].words, names[_i].word), names[_i].value);
}
END_TEST

UNIT_MAIN("attempt", {
	tcase_add_loop_test(tests, attempt_moves_as_the_matrix_says, 0, AS_COUNT * AE_COUNT);
	tcase_add_loop_test(tests, attempt_uncharged_is_only_what_is_certain, 0, AS_COUNT);
	tcase_add_loop_test(tests, attempt_decided_states_are_never_left, 0, AS_COUNT);
	tcase_add_loop_test(tests, attempt_is_not_sent_only_before_bytes_left, 0, AS_COUNT);
	tcase_add_loop_test(tests, attempt_contradiction_is_a_success_after_an_uncharged_verdict, 0,
			    AS_COUNT * AE_COUNT);
	tcase_add_loop_test(tests, attempt_words_name_each_value, 0,
			    (int)(sizeof names / sizeof names[0]));
})
