/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/transition.h"

#include <signal.h>

#include "tests/unit/unit.h"

static const struct transition table[] = {
	{ 0, 0, 1 },
	{ 1, 2, 0 },
	{ 1, 0, 1 },
};
#define ROWS (sizeof table / sizeof table[0])

static const char *const list[] = { "none", "send", "sender" };
static const struct words words = { list, 3 };

START_TEST(transition_finds_its_rows_and_refuses_every_other_pair)
{
	for (int from = -1; from <= 2; from++)
		for (int event = -1; event <= 3; event++) {
			int expected = -7;
			int to = -7;

			for (size_t row = 0; row < ROWS; row++)
				if (table[row].from == from && table[row].event == event)
					expected = table[row].to;
			ck_assert_int_eq(transition_find(table, ROWS, from, event, &to),
					 expected != -7);
			ck_assert_int_eq(to, expected);
		}
}
END_TEST

START_TEST(transition_table_without_rows_refuses_all)
{
	int to = -7;

	ck_assert(!transition_find(table, 0, 0, 0, &to));

	ck_assert_int_eq(to, -7);
}
END_TEST

START_TEST(words_go_both_ways)
{
	for (int value = 0; value < words.count; value++)
		ck_assert_int_eq(words_find(words, words_text(words, value)), value);
	ck_assert_str_eq(words_text(words, 1), "send");
}
END_TEST

START_TEST(words_find_takes_whole_words_only)
{
	ck_assert_int_eq(words_find(words, ""), -1);
	ck_assert_int_eq(words_find(words, "sen"), -1);
	ck_assert_int_eq(words_find(words, "senders"), -1);
	ck_assert_int_eq(words_find(words, "SEND"), -1);
	ck_assert_int_eq(words_find(words, "sender"), 2);
}
END_TEST

START_TEST(words_text_past_the_list_is_a_bug)
{
	words_text(words, 3);
}
END_TEST

START_TEST(words_text_before_the_list_is_a_bug)
{
	words_text(words, -1);
}
END_TEST

UNIT_MAIN("transition", {
	tcase_add_test(tests, transition_finds_its_rows_and_refuses_every_other_pair);
	tcase_add_test(tests, transition_table_without_rows_refuses_all);
	tcase_add_test(tests, words_go_both_ways);
	tcase_add_test(tests, words_find_takes_whole_words_only);
	tcase_add_test_raise_signal(tests, words_text_past_the_list_is_a_bug, SIGABRT);
	tcase_add_test_raise_signal(tests, words_text_before_the_list_is_a_bug, SIGABRT);
})
