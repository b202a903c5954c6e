/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/operation.h"

#include "tests/unit/unit.h"

#define NO (-1) /* refused */

/* Written from the design, not from the table: one row a status, one column an event. */
/* clang-format off */
static const int expected[OS_COUNT][OE_COUNT] = {
	/* approved, started, succeeded, failed, parked, cancelled, reversed, returned */
	[OS_AWAITING_APPROVAL] = {
		OS_PENDING, NO, NO, NO, NO, OS_CANCELLED, NO, NO },
	[OS_PENDING] = {
		NO, OS_PROCESSING, NO, NO, OS_PARKED, OS_CANCELLED, NO, NO },
	[OS_PROCESSING] = {
		NO, NO, OS_SUCCEEDED, OS_FAILED, OS_PARKED, NO, NO, NO },
	[OS_SUCCEEDED] = {
		NO, NO, NO, NO, NO, NO, OS_REVERSED, OS_RETURNED },
	[OS_FAILED] = {
		NO, NO, NO, NO, NO, NO, NO, NO },
	[OS_PARKED] = {
		NO, OS_PROCESSING, OS_SUCCEEDED, OS_FAILED, NO, NO, NO, NO },
	[OS_CANCELLED] = {
		NO, NO, NO, NO, NO, NO, NO, NO },
	[OS_REVERSED] = {
		NO, NO, NO, NO, NO, NO, NO, NO },
	[OS_RETURNED] = {
		NO, NO, NO, NO, NO, NO, NO, NO },
};
/* clang-format on */

static const char *status_word(int status)
{
	return words_text(operation_status_words, status);
}

START_TEST(operation_moves_as_the_matrix_says)
{
	const int from = _i / OE_COUNT;
	const int event = _i % OE_COUNT;
	const enum operation_status untouched = OS_AWAITING_APPROVAL;
	enum operation_status to = untouched;
	const bool moved =
		operation_next((enum operation_status)from, (enum operation_event)event, &to);

	ck_assert_msg(moved == (expected[from][event] != NO), "%s + %s", status_word(from),
		      words_text(operation_event_words, event));
	ck_assert_int_eq(to, moved ? expected[from][event] : (int)untouched);
}
END_TEST

START_TEST(operation_final_states_are_left_only_when_a_gateway_takes_a_success_back)
{
	const enum operation_status from = (enum operation_status)_i;
	enum operation_status to;

	for (int event = 0; event < OE_COUNT; event++) {
		const bool taken_back = event == OE_REVERSED || event == OE_RETURNED;

		if (!operation_next(from, (enum operation_event)event, &to))
			continue;
		if (operation_is_final(from))
			ck_assert_msg(from == OS_SUCCEEDED && taken_back, "%s", status_word(_i));
		else
			ck_assert_msg(!taken_back, "%s", status_word(_i));
	}
}
END_TEST

START_TEST(operation_is_final_says_which)
{
	static const bool final[OS_COUNT] = {
		[OS_SUCCEEDED] = true, [OS_FAILED] = true,   [OS_CANCELLED] = true,
		[OS_REVERSED] = true,  [OS_RETURNED] = true,
	};

	ck_assert_msg(operation_is_final((enum operation_status)_i) == final[_i], "%s",
		      status_word(_i));
}
END_TEST

START_TEST(operation_open_states_all_have_a_way_out)
{
	enum operation_status to;
	int ways = 0;

	if (operation_is_final((enum operation_status)_i))
		return;
	for (int event = 0; event < OE_COUNT; event++)
		ways += operation_next((enum operation_status)_i, (enum operation_event)event, &to);
	ck_assert_msg(ways > 0, "%s", status_word(_i));
}
END_TEST

static const struct {
	const struct words *words;
	int count;
	int value;
	const char *word;
} names[] = {
	{ &operation_kind_words, OPERATION_KIND_COUNT, OPERATION_CHARGE, "charge" },
	{ &operation_kind_words, OPERATION_KIND_COUNT, OPERATION_AUTHORISE, "authorise" },
	{ &operation_kind_words, OPERATION_KIND_COUNT, OPERATION_CAPTURE, "capture" },
	{ &operation_kind_words, OPERATION_KIND_COUNT, OPERATION_VOID, "void" },
	{ &operation_kind_words, OPERATION_KIND_COUNT, OPERATION_REFUND, "refund" },
	{ &operation_kind_words, OPERATION_KIND_COUNT, OPERATION_PAYOUT, "payout" },
	{ &operation_status_words, OS_COUNT, OS_AWAITING_APPROVAL, "awaiting_approval" },
	{ &operation_status_words, OS_COUNT, OS_PENDING, "pending" },
	{ &operation_status_words, OS_COUNT, OS_PROCESSING, "processing" },
	{ &operation_status_words, OS_COUNT, OS_SUCCEEDED, "succeeded" },
	{ &operation_status_words, OS_COUNT, OS_FAILED, "failed" },
	{ &operation_status_words, OS_COUNT, OS_PARKED, "parked" },
	{ &operation_status_words, OS_COUNT, OS_CANCELLED, "cancelled" },
	{ &operation_status_words, OS_COUNT, OS_REVERSED, "reversed" },
	{ &operation_status_words, OS_COUNT, OS_RETURNED, "returned" },
	{ &operation_event_words, OE_COUNT, OE_APPROVED, "approved" },
	{ &operation_event_words, OE_COUNT, OE_STARTED, "started" },
	{ &operation_event_words, OE_COUNT, OE_SUCCEEDED, "succeeded" },
	{ &operation_event_words, OE_COUNT, OE_FAILED, "failed" },
	{ &operation_event_words, OE_COUNT, OE_PARKED, "parked" },
	{ &operation_event_words, OE_COUNT, OE_CANCELLED, "cancelled" },
	{ &operation_event_words, OE_COUNT, OE_REVERSED, "reversed" },
	{ &operation_event_words, OE_COUNT, OE_RETURNED, "returned" },
	{ &next_action_words, NEXT_HUMAN + 1, NEXT_NONE, "none" },
	{ &next_action_words, NEXT_HUMAN + 1, NEXT_SEND, "send" },
	{ &next_action_words, NEXT_HUMAN + 1, NEXT_ASK, "ask" },
	{ &next_action_words, NEXT_HUMAN + 1, NEXT_EXPIRE, "expire" },
	{ &next_action_words, NEXT_HUMAN + 1, NEXT_HUMAN, "human" },
};

START_TEST(operation_words_name_each_value)
{
	ck_assert_int_eq(names[_i].words->count, names[_i].count);
	ck_assert_str_eq(words_text(*names[_i].words, names[_i].value), names[_i].word);
	ck_assert_int_eq(words_find(*names[_i].words, names[_i].word), names[_i].value);
}
END_TEST

UNIT_MAIN("operation", {
	tcase_add_loop_test(tests, operation_moves_as_the_matrix_says, 0, OS_COUNT * OE_COUNT);
	tcase_add_loop_test(
		tests, operation_final_states_are_left_only_when_a_gateway_takes_a_success_back, 0,
		OS_COUNT);
	tcase_add_loop_test(tests, operation_is_final_says_which, 0, OS_COUNT);
	tcase_add_loop_test(tests, operation_open_states_all_have_a_way_out, 0, OS_COUNT);
	tcase_add_loop_test(tests, operation_words_name_each_value, 0,
			    (int)(sizeof names / sizeof names[0]));
})
