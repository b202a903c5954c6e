/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/token.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

/* clang-format off */
static const struct {
	const char *text;
	enum token_timing timing;
	enum token_verdict verdict;
	const char *decline_code;
	enum token_manner manner;
	int answer_ms, callbacks;
} known[] = {
	{ "tok_ok", TOKEN_LATER, TOKEN_SUCCEEDS, NULL, TOKEN_ANSWERS, 0, 1 },
	{ "tok_sync", TOKEN_AT_ONCE, TOKEN_SUCCEEDS, NULL, TOKEN_ANSWERS, 0, 0 },
	{ "tok_decline_insufficient_funds", TOKEN_AT_ONCE, TOKEN_DECLINES, "insufficient_funds",
	  TOKEN_ANSWERS, 0, 0 },
	{ "tok_decline_do_not_honor", TOKEN_AT_ONCE, TOKEN_DECLINES, "do_not_honor",
	  TOKEN_ANSWERS, 0, 0 },
	{ "tok_decline_expired_card", TOKEN_AT_ONCE, TOKEN_DECLINES, "expired_card",
	  TOKEN_ANSWERS, 0, 0 },
	{ "tok_decline_stolen_card", TOKEN_AT_ONCE, TOKEN_DECLINES, "stolen_card",
	  TOKEN_ANSWERS, 0, 0 },
	{ "tok_decline_fraud_suspected", TOKEN_AT_ONCE, TOKEN_DECLINES, "fraud_suspected",
	  TOKEN_ANSWERS, 0, 0 },
	{ "tok_decline_issuer_unavailable", TOKEN_AT_ONCE, TOKEN_DECLINES, "issuer_unavailable",
	  TOKEN_ANSWERS, 0, 0 },
	{ "tok_decline_callback", TOKEN_LATER, TOKEN_DECLINES, "insufficient_funds",
	  TOKEN_ANSWERS, 0, 1 },
	{ "tok_answer_lost", TOKEN_AT_ONCE, TOKEN_SUCCEEDS, NULL, TOKEN_HOLDS, 0, 0 },
	{ "tok_answer_lost_callback", TOKEN_AT_ONCE, TOKEN_SUCCEEDS, NULL, TOKEN_HOLDS, 0, 1 },
	{ "tok_reset_after_charge", TOKEN_AT_ONCE, TOKEN_SUCCEEDS, NULL, TOKEN_RESETS, 0, 0 },
	{ "tok_callback_twice", TOKEN_LATER, TOKEN_SUCCEEDS, NULL, TOKEN_ANSWERS, 0, 2 },
	{ "tok_callback_early", TOKEN_LATER, TOKEN_SUCCEEDS, NULL, TOKEN_AFTER_CALLBACK, 300, 1 },
	{ "tok_callback_never", TOKEN_LATER, TOKEN_SUCCEEDS, NULL, TOKEN_ANSWERS, 0, 0 },
	{ "tok_slow_1", TOKEN_AT_ONCE, TOKEN_SUCCEEDS, NULL, TOKEN_ANSWERS, 1, 0 },
	{ "tok_slow_120000", TOKEN_AT_ONCE, TOKEN_SUCCEEDS, NULL, TOKEN_ANSWERS, 120000, 0 },
};
/* clang-format on */

static const char *const unknown[] = {
	"",
	"tok",
	"tok_",
	"TOK_OK",
	"tok_ok ",
	" tok_ok",
	"tok_okay",
	"tok_decline",
	"tok_decline_",
	"tok_decline_unheard_of",
	"tok_slow",
	"tok_slow_",
	"tok_slow_0",
	"tok_slow_01",
	"tok_slow_-1",
	"tok_slow_+1",
	"tok_slow_ 1",
	"tok_slow_1.5",
	"tok_slow_1ms",
	"tok_slow_120001",
	"tok_slow_999999",
	"tok_slow_1000000",
	"tok_slow_18446744073709551617",
	"tok_ok@alpha",
	"tok_ok/refund",
};

static bool texts_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

START_TEST(token_find_gives_what_each_token_promises)
{
	struct token token;

	ck_assert(token_find(known[_i].text, &token));

	ck_assert_int_eq(token.timing, known[_i].timing);
	ck_assert_int_eq(token.verdict, known[_i].verdict);
	ck_assert(texts_equal(token.decline_code, known[_i].decline_code));
	ck_assert_int_eq(token.manner, known[_i].manner);
	ck_assert_int_eq(token.answer_ms, known[_i].answer_ms);
	ck_assert_int_eq(token.callbacks, known[_i].callbacks);
}
END_TEST

START_TEST(token_find_refuses_what_no_row_names_and_writes_nothing)
{
	struct token token = {.name = "untouched", .answer_ms = -7};

	ck_assert(!token_find(unknown[_i], &token));

	ck_assert_str_eq(token.name, "untouched");
	ck_assert_int_eq(token.answer_ms, -7);
}
END_TEST

START_TEST(the_default_token_is_in_the_table)
{
	struct token token;

	ck_assert(token_find(TOKEN_DEFAULT, &token));
}
END_TEST

START_TEST(every_row_is_tested_above)
{
	size_t count;
	const struct token *rows = token_list(&count);

	for (size_t i = 0; i < count; i++) {
		bool tested = false;

		for (size_t j = 0; j < sizeof known / sizeof known[0]; j++) {
			struct token token;

			tested |= token_find(known[j].text, &token) &&
				  strcmp(token.name, rows[i].name) == 0;
		}
		ck_assert_msg(tested, "%s", rows[i].name);
	}
}
END_TEST

START_TEST(every_row_is_consistent)
{
	size_t count;
	const struct token *rows = token_list(&count);

	for (size_t i = 0; i < count; i++) {
		const struct token *row = &rows[i];
		bool declines = row->verdict == TOKEN_DECLINES;

		ck_assert_msg(strlen(row->name) < TOKEN_TEXT_SIZE, "%s", row->name);
		ck_assert_msg(declines == (row->decline_code != NULL), "%s", row->name);
		ck_assert_msg(row->callbacks >= 0 && row->callbacks <= 2, "%s", row->name);
		ck_assert_msg(row->help != NULL && row->help[0] != '\0', "%s", row->name);
		/* An answer that waits for a callback needs one to come. */
		ck_assert_msg(row->manner != TOKEN_AFTER_CALLBACK || row->callbacks > 0, "%s",
			      row->name);
	}
}
END_TEST

UNIT_MAIN("sandbox_token", {
	tcase_add_loop_test(tests, token_find_gives_what_each_token_promises, 0,
			    (int)(sizeof known / sizeof known[0]));
	tcase_add_loop_test(tests, token_find_refuses_what_no_row_names_and_writes_nothing, 0,
			    (int)(sizeof unknown / sizeof unknown[0]));
	tcase_add_test(tests, the_default_token_is_in_the_table);
	tcase_add_test(tests, every_row_is_tested_above);
	tcase_add_test(tests, every_row_is_consistent);
})
