/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/transaction.h"

#include "tests/unit/unit.h"

#define NO (-1) /* refused */

/* Written from the design's diagram, not from the table: one row a status, one column an event. */
/* clang-format off */
static const int expected[TS_COUNT][TE_COUNT] = {
	/* started, authorised, completed, failed, cancelled, parked */
	[TS_PENDING] = {
		TS_PROCESSING, NO, NO, NO, TS_CANCELLED, TS_PARKED },
	[TS_PROCESSING] = {
		NO, TS_AUTHORISED, TS_COMPLETED, TS_FAILED, NO, TS_PARKED },
	[TS_AUTHORISED] = {
		NO, NO, TS_COMPLETED, NO, TS_CANCELLED, NO },
	[TS_COMPLETED] = {
		NO, NO, NO, NO, NO, NO },
	[TS_FAILED] = {
		NO, NO, NO, NO, NO, NO },
	[TS_CANCELLED] = {
		NO, NO, NO, NO, NO, NO },
	[TS_PARKED] = {
		TS_PROCESSING, TS_AUTHORISED, TS_COMPLETED, TS_FAILED, NO, NO },
};
/* clang-format on */

static const char *status_word(int status)
{
	return words_text(transaction_status_words, status);
}

START_TEST(transaction_moves_as_the_matrix_says)
{
	const int from = _i / TE_COUNT;
	const int event = _i % TE_COUNT;
	const enum transaction_status untouched = TS_CANCELLED;
	enum transaction_status to = untouched;
	const bool moved = transaction_next((enum transaction_status)from,
					    (enum transaction_event)event, &to);

	ck_assert_msg(moved == (expected[from][event] != NO), "%s + %s", status_word(from),
		      words_text(transaction_event_words, event));
	ck_assert_int_eq(to, moved ? expected[from][event] : (int)untouched);
}
END_TEST

START_TEST(transaction_final_states_are_never_left)
{
	const enum transaction_status from = (enum transaction_status)_i;
	const bool final = from == TS_COMPLETED || from == TS_FAILED || from == TS_CANCELLED;
	enum transaction_status to;
	int ways = 0;

	for (int event = 0; event < TE_COUNT; event++)
		ways += transaction_next(from, (enum transaction_event)event, &to);

	ck_assert_int_eq(transaction_is_final(from), final);
	ck_assert_msg((ways == 0) == final, "%s has %d ways out", status_word(_i), ways);
}
END_TEST

START_TEST(transaction_every_status_can_be_reached_from_pending)
{
	bool reached[TS_COUNT] = { [TS_PENDING] = true };

	for (int round = 0; round < TS_COUNT; round++)
		for (int pair = 0; pair < TS_COUNT * TE_COUNT; pair++) {
			enum transaction_status to;

			if (reached[pair / TE_COUNT] &&
			    transaction_next((enum transaction_status)(pair / TE_COUNT),
					     (enum transaction_event)(pair % TE_COUNT), &to))
				reached[to] = true;
		}
	for (int status = 0; status < TS_COUNT; status++)
		ck_assert_msg(reached[status], "%s", status_word(status));
}
END_TEST

START_TEST(transaction_words_name_each_value)
{
	ck_assert_int_eq(transaction_status_words.count, TS_COUNT);
	ck_assert_int_eq(transaction_event_words.count, TE_COUNT);
	ck_assert_int_eq(transaction_kind_words.count, TRANSACTION_INSTALMENT + 1);
	ck_assert_int_eq(words_find(transaction_status_words, "pending"), TS_PENDING);
	ck_assert_int_eq(words_find(transaction_status_words, "processing"), TS_PROCESSING);
	ck_assert_int_eq(words_find(transaction_status_words, "authorised"), TS_AUTHORISED);
	ck_assert_int_eq(words_find(transaction_status_words, "completed"), TS_COMPLETED);
	ck_assert_int_eq(words_find(transaction_status_words, "failed"), TS_FAILED);
	ck_assert_int_eq(words_find(transaction_status_words, "cancelled"), TS_CANCELLED);
	ck_assert_int_eq(words_find(transaction_status_words, "parked"), TS_PARKED);
	ck_assert_int_eq(words_find(transaction_event_words, "started"), TE_STARTED);
	ck_assert_int_eq(words_find(transaction_event_words, "authorised"), TE_AUTHORISED);
	ck_assert_int_eq(words_find(transaction_event_words, "completed"), TE_COMPLETED);
	ck_assert_int_eq(words_find(transaction_event_words, "failed"), TE_FAILED);
	ck_assert_int_eq(words_find(transaction_event_words, "cancelled"), TE_CANCELLED);
	ck_assert_int_eq(words_find(transaction_event_words, "parked"), TE_PARKED);
	ck_assert_int_eq(words_find(transaction_kind_words, "payment"), TRANSACTION_PAYMENT);
	ck_assert_int_eq(words_find(transaction_kind_words, "deposit"), TRANSACTION_DEPOSIT);
	ck_assert_int_eq(words_find(transaction_kind_words, "withdrawal"), TRANSACTION_WITHDRAWAL);
	ck_assert_int_eq(words_find(transaction_kind_words, "instalment"), TRANSACTION_INSTALMENT);
}
END_TEST

UNIT_MAIN("transaction", {
	tcase_add_loop_test(tests, transaction_moves_as_the_matrix_says, 0, TS_COUNT * TE_COUNT);
	tcase_add_loop_test(tests, transaction_final_states_are_never_left, 0, TS_COUNT);
	tcase_add_test(tests, transaction_every_status_can_be_reached_from_pending);
	tcase_add_test(tests, transaction_words_name_each_value);
})
