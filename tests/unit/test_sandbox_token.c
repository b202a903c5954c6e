/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/token.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

/* clang-format off */
static const struct known {
	const char *text;
	struct token promised; /* without name, number and help */
} known[] = {
	{ "tok_ok", { .timing = TOKEN_LATER, .due_ms = 100, .calls = TOKEN_ONE_CALL } },
	{ "tok_sync", { .due_ms = 0 } },
#define DECLINE(CODE) { "tok_decline_" CODE, { .verdict = TOKEN_DECLINES, .decline_code = CODE } }
	DECLINE("insufficient_funds"),
	DECLINE("do_not_honor"),
	DECLINE("expired_card"),
	DECLINE("stolen_card"),
	DECLINE("fraud_suspected"),
	DECLINE("issuer_unavailable"),
	DECLINE("try_again_later"),
	DECLINE("limit_exceeded"),
	DECLINE("invalid_card"),
	DECLINE("card_not_supported"),
	DECLINE("processing_error"),
	{ "tok_decline_callback", { .timing = TOKEN_LATER, .verdict = TOKEN_DECLINES,
	  .decline_code = "insufficient_funds", .due_ms = 100, .calls = TOKEN_ONE_CALL } },
	{ "tok_requires_action", { .timing = TOKEN_ACTS, .instruction = "redirect_url",
	  .due_ms = 1500, .calls = TOKEN_ONE_CALL } },
	{ "tok_requires_action_virtual_account", { .timing = TOKEN_ACTS,
	  .instruction = "virtual_account", .due_ms = 1500, .calls = TOKEN_ONE_CALL } },
	{ "tok_requires_action_qr", { .timing = TOKEN_ACTS, .instruction = "qr_string",
	  .due_ms = 1500, .calls = TOKEN_ONE_CALL } },
	{ "tok_requires_action_60000", { .timing = TOKEN_ACTS, .instruction = "redirect_url",
	  .due_ms = 60000, .calls = TOKEN_ONE_CALL } },
	{ "tok_answer_lost", { .manner = TOKEN_HOLDS } },
	{ "tok_answer_lost_callback", { .manner = TOKEN_HOLDS, .due_ms = 1000,
	  .calls = TOKEN_ONE_CALL } },
	{ "tok_reset_after_charge", { .manner = TOKEN_RESETS } },
	{ "tok_5xx_charged", { .manner = TOKEN_REFUSES, .instead = REFUSAL_BROKEN } },
	{ "tok_5xx_uncharged", { .verdict = TOKEN_DOES_NOTHING, .manner = TOKEN_REFUSES,
	  .instead = REFUSAL_BROKEN } },
	{ "tok_timeout_uncharged", { .verdict = TOKEN_DOES_NOTHING, .manner = TOKEN_HOLDS } },
	{ "tok_409", { .manner = TOKEN_REFUSES, .instead = REFUSAL_IN_PROGRESS } },
	{ "tok_429", { .verdict = TOKEN_DOES_NOTHING, .manner = TOKEN_REFUSES,
	  .instead = REFUSAL_RATE_LIMITED } },
	{ "tok_html", { .manner = TOKEN_PAGE } },
	{ "tok_huge", { .manner = TOKEN_SWELLS } },
	{ "tok_duplicate_member", { .manner = TOKEN_REPEATS } },
	{ "tok_utf16", { .manner = TOKEN_WIDENS } },
	{ "tok_truncated", { .manner = TOKEN_HALVES } },
	{ "tok_truncate_at_17", { .manner = TOKEN_CUTS, .cut_bytes = 17 } },
	{ "tok_reset_at_120000", { .manner = TOKEN_BREAKS, .cut_bytes = 120000 } },
	{ "tok_drip", { .manner = TOKEN_DRIPS } },
	{ "tok_wrong_amount", { .lie = TOKEN_WRONG_AMOUNT } },
	{ "tok_wrong_currency", { .lie = TOKEN_WRONG_CURRENCY } },
	{ "tok_wrong_id", { .lie = TOKEN_WRONG_REFERENCE } },
	{ "tok_callback_twice", { .timing = TOKEN_LATER, .due_ms = 100,
	  .calls = TOKEN_TWO_CALLS } },
	{ "tok_callback_early", { .timing = TOKEN_LATER, .manner = TOKEN_AFTER_CALLBACK,
	  .answer_ms = 300, .calls = TOKEN_ONE_CALL } },
	{ "tok_callback_never", { .timing = TOKEN_LATER, .due_ms = 200 } },
	{ "tok_out_of_order", { .timing = TOKEN_LATER, .due_ms = 100,
	  .calls = TOKEN_STALE_CALL } },
	{ "tok_late_success", { .verdict = TOKEN_DECLINES, .decline_code = "do_not_honor",
	  .turn = TOKEN_TURNS_SUCCESS, .turn_ms = 1000 } },
	{ "tok_late_success_retryable", { .verdict = TOKEN_DECLINES,
	  .decline_code = "issuer_unavailable", .turn = TOKEN_TURNS_SUCCESS, .turn_ms = 1000 } },
	{ "tok_reversed_30", { .turn = TOKEN_TURNS_REVERSED, .turn_ms = 30 } },
	{ "tok_returned_40", { .turn = TOKEN_TURNS_RETURNED, .turn_ms = 40 } },
	{ "tok_late_reversed_50", { .verdict = TOKEN_DECLINES, .decline_code = "do_not_honor",
	  .turn = TOKEN_TURNS_BACK, .turn_ms = 50 } },
	{ "tok_queued_1500", { .timing = TOKEN_LATER, .due_ms = 1500, .calls = TOKEN_ONE_CALL } },
	{ "tok_slow_1", { .answer_ms = 1 } },
	{ "tok_slow_120000", { .answer_ms = 120000 } },
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
	"tok_reset_at_",
	"tok_requires_action_",
	"tok_requires_action_0",
	"tok_ok@alpha",
	"tok_ok/refund",
};

static bool texts_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

START_TEST(token_find_gives_what_each_token_promises)
{
	const struct token *promised = &known[_i].promised;
	struct token token;

	ck_assert(token_find(known[_i].text, &token));

	ck_assert_int_eq(token.timing, promised->timing);
	ck_assert_int_eq(token.verdict, promised->verdict);
	ck_assert(texts_equal(token.decline_code, promised->decline_code));
	ck_assert_int_eq(token.manner, promised->manner);
	ck_assert_int_eq(token.instead, promised->instead);
	ck_assert_int_eq(token.lie, promised->lie);
	ck_assert_int_eq(token.calls, promised->calls);
	ck_assert_int_eq(token.turn, promised->turn);
	ck_assert(texts_equal(token.instruction, promised->instruction));
	ck_assert_int_eq(token.answer_ms, promised->answer_ms);
	ck_assert_int_eq(token.due_ms, promised->due_ms);
	ck_assert_int_eq(token.turn_ms, promised->turn_ms);
	ck_assert_int_eq(token.cut_bytes, promised->cut_bytes);
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

		ck_assert_msg(strlen(row->name) + 6 < TOKEN_NAME_SIZE, "%s", row->name);
		ck_assert_msg(declines == (row->decline_code != NULL), "%s", row->name);
		ck_assert_msg((row->timing == TOKEN_ACTS) == (row->instruction != NULL), "%s",
			      row->name);
		/* What is never recorded cannot be told, nor turn. */
		ck_assert_msg(row->verdict != TOKEN_DOES_NOTHING ||
				      (row->calls == TOKEN_NO_CALL && row->turn == TOKEN_STAYS &&
				       row->manner != TOKEN_ANSWERS),
			      "%s", row->name);
		/* Only a decline can still succeed. */
		ck_assert_msg(row->turn != TOKEN_TURNS_SUCCESS || declines, "%s", row->name);
		ck_assert_msg(row->help != NULL && row->help[0] != '\0', "%s", row->name);
		/* An answer that waits for a callback needs one to come. */
		ck_assert_msg(row->manner != TOKEN_AFTER_CALLBACK || row->calls != TOKEN_NO_CALL,
			      "%s", row->name);
	}
}
END_TEST

#define ALPHA 0
#define BETA 1
#define CHOSEN(NAME) TOKEN_CHOSEN, NAME

static const struct choice {
	const char *text;
	size_t gateway;
	enum operation_kind kind;
	bool named_only;
	enum token_choice choice;
	const char *name;
} choices[] = {
	{"tok_sync", ALPHA, OPERATION_CHARGE, false, CHOSEN("tok_sync")},
	{"tok_html@alpha", ALPHA, OPERATION_CHARGE, false, CHOSEN("tok_html")},
	{"tok_html@alpha", BETA, OPERATION_CHARGE, false, TOKEN_ELSEWHERE, ""},
	{"tok_html/refund", ALPHA, OPERATION_REFUND, false, CHOSEN("tok_html")},
	{"tok_html/refund", ALPHA, OPERATION_CHARGE, false, TOKEN_ELSEWHERE, ""},
	{"tok_html@beta/refund", BETA, OPERATION_REFUND, false, CHOSEN("tok_html")},
	{"tok_html@beta/refund", ALPHA, OPERATION_REFUND, false, TOKEN_ELSEWHERE, ""},
	{"tok_html@beta/refund", BETA, OPERATION_VOID, false, TOKEN_ELSEWHERE, ""},
	{"tok_html@alpha+tok_sync", ALPHA, OPERATION_CHARGE, false, CHOSEN("tok_html")},
	{"tok_html@alpha+tok_sync", BETA, OPERATION_CHARGE, false, CHOSEN("tok_sync")},
	{"tok_sync+tok_html@alpha", ALPHA, OPERATION_CHARGE, false, CHOSEN("tok_sync")},
	{"tok_html/void+tok_slow_7/refund+tok_sync", ALPHA, OPERATION_REFUND, false,
	 CHOSEN("tok_slow_7")},
	/* what a refund inherits from its charge's token */
	{"tok_sync", ALPHA, OPERATION_REFUND, true, TOKEN_ELSEWHERE, ""},
	{"tok_sync@alpha", ALPHA, OPERATION_REFUND, true, TOKEN_ELSEWHERE, ""},
	{"tok_sync+tok_409/refund", ALPHA, OPERATION_REFUND, true, CHOSEN("tok_409")},
	{"tok_sync+tok_409@beta/refund", ALPHA, OPERATION_REFUND, true, TOKEN_ELSEWHERE, ""},
	/* a part that nobody knows spoils all */
	{"tok_sync+tok_unheard@beta", ALPHA, OPERATION_CHARGE, false, TOKEN_UNKNOWN, ""},
	{"tok_sync@delta", ALPHA, OPERATION_CHARGE, false, TOKEN_UNKNOWN, ""},
	{"tok_sync/unheard", ALPHA, OPERATION_CHARGE, false, TOKEN_UNKNOWN, ""},
	{"tok_sync/refund@alpha", ALPHA, OPERATION_CHARGE, false, TOKEN_UNKNOWN, ""},
	{"tok_sync@", ALPHA, OPERATION_CHARGE, false, TOKEN_UNKNOWN, ""},
	{"tok_sync/", ALPHA, OPERATION_CHARGE, false, TOKEN_UNKNOWN, ""},
	{"tok_sync@/refund", ALPHA, OPERATION_CHARGE, false, TOKEN_UNKNOWN, ""},
	{"tok_sync+", ALPHA, OPERATION_CHARGE, false, TOKEN_UNKNOWN, ""},
	{"+tok_sync", ALPHA, OPERATION_CHARGE, false, TOKEN_UNKNOWN, ""},
	{"tok_sync++tok_ok", ALPHA, OPERATION_CHARGE, false, TOKEN_UNKNOWN, ""},
	{"@alpha", ALPHA, OPERATION_CHARGE, false, TOKEN_UNKNOWN, ""},
	{"", ALPHA, OPERATION_CHARGE, false, TOKEN_UNKNOWN, ""},
};

START_TEST(token_choose_takes_the_first_part_that_counts)
{
	const struct choice *given = &choices[_i];
	const struct token_place place = {given->gateway, given->kind, given->named_only};
	struct token token = {.help = "untouched"};
	char name[TOKEN_NAME_SIZE] = "";

	ck_assert_int_eq(token_choose(given->text, &place, name, &token), given->choice);

	ck_assert_str_eq(name, given->name);
	ck_assert_int_eq(strcmp(token.help, "untouched") == 0, given->choice != TOKEN_CHOSEN);
}
END_TEST

UNIT_MAIN("sandbox_token", {
	tcase_add_loop_test(tests, token_choose_takes_the_first_part_that_counts, 0,
			    (int)(sizeof choices / sizeof choices[0]));
	tcase_add_loop_test(tests, token_find_gives_what_each_token_promises, 0,
			    (int)(sizeof known / sizeof known[0]));
	tcase_add_loop_test(tests, token_find_refuses_what_no_row_names_and_writes_nothing, 0,
			    (int)(sizeof unknown / sizeof unknown[0]));
	tcase_add_test(tests, the_default_token_is_in_the_table);
	tcase_add_test(tests, every_row_is_tested_above);
	tcase_add_test(tests, every_row_is_consistent);
})
