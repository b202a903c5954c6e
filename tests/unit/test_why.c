/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* The judgement over the whole space of what may be known, and the words for it. */
#include "core/why.h"

#include <string.h>

#include "tests/unit/unit.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])

struct verdict_case {
	const char *what;
	enum transaction_status status;
	int64_t captured;
	int64_t refunded;
	bool exception_open;
	struct why_operation operations[3];
	size_t count;
	enum why_verdict verdict;
	enum why_retry retry;
};

/* clang-format off */
static const struct verdict_case verdict_cases[] = {
	{ "nothing was sent yet", TS_PENDING, 0, 0, false,
	  { { OPERATION_CHARGE, OS_PENDING, false, false } }, 1,
	  WHY_NOT_CHARGED, WHY_RETRY_UNDER_WAY },
	{ "between two tries", TS_PROCESSING, 0, 0, false,
	  { { OPERATION_CHARGE, OS_PROCESSING, false, false } }, 1,
	  WHY_NOT_CHARGED, WHY_RETRY_UNDER_WAY },
	{ "a try is out", TS_PROCESSING, 0, 0, false,
	  { { OPERATION_CHARGE, OS_PROCESSING, true, false } }, 1,
	  WHY_MAYBE, WHY_RETRY_OUTCOME_OPEN },
	{ "parked while it is open", TS_PARKED, 0, 0, true,
	  { { OPERATION_CHARGE, OS_PARKED, true, false } }, 1,
	  WHY_MAYBE, WHY_RETRY_OUTCOME_OPEN },
	{ "parked with every try uncharged", TS_PARKED, 0, 0, false,
	  { { OPERATION_CHARGE, OS_PARKED, false, false } }, 1,
	  WHY_NOT_CHARGED, WHY_RETRY_PARKED },
	{ "parked because of an exception", TS_PARKED, 0, 0, true,
	  { { OPERATION_CHARGE, OS_PARKED, false, false } }, 1,
	  WHY_NOT_CHARGED, WHY_RETRY_EXCEPTION_OPEN },
	{ "declined", TS_FAILED, 0, 0, false,
	  { { OPERATION_CHARGE, OS_FAILED, false, false } }, 1,
	  WHY_NOT_CHARGED, WHY_RETRY_SAFE },
	{ "cancelled", TS_CANCELLED, 0, 0, false,
	  { { OPERATION_CHARGE, OS_CANCELLED, false, false } }, 1,
	  WHY_NOT_CHARGED, WHY_RETRY_SAFE },
	{ "declined, with a message that fits nothing", TS_FAILED, 0, 0, true,
	  { { OPERATION_CHARGE, OS_FAILED, false, false } }, 1,
	  WHY_NOT_CHARGED, WHY_RETRY_EXCEPTION_OPEN },
	{ "declined, and a late success", TS_FAILED, 0, 0, true,
	  { { OPERATION_CHARGE, OS_FAILED, false, true } }, 1,
	  WHY_MAYBE, WHY_RETRY_CONTRADICTED },
	{ "charged", TS_COMPLETED, 1000, 0, false,
	  { { OPERATION_CHARGE, OS_SUCCEEDED, false, false } }, 1,
	  WHY_CHARGED, WHY_RETRY_CHARGED },
	{ "charged, and perhaps once more", TS_COMPLETED, 1000, 0, true,
	  { { OPERATION_CHARGE, OS_SUCCEEDED, false, true } }, 1,
	  WHY_CHARGED, WHY_RETRY_CONTRADICTED },
	{ "a part given back", TS_COMPLETED, 1000, 400, false,
	  { { OPERATION_CHARGE, OS_SUCCEEDED, false, false },
	    { OPERATION_REFUND, OS_SUCCEEDED, false, false } }, 2,
	  WHY_CHARGED, WHY_RETRY_CHARGED },
	{ "all given back", TS_COMPLETED, 1000, 1000, false,
	  { { OPERATION_CHARGE, OS_SUCCEEDED, false, false },
	    { OPERATION_REFUND, OS_SUCCEEDED, false, false } }, 2,
	  WHY_CHARGED, WHY_RETRY_GIVEN_BACK },
	{ "a refund is out", TS_COMPLETED, 1000, 0, false,
	  { { OPERATION_CHARGE, OS_SUCCEEDED, false, false },
	    { OPERATION_REFUND, OS_PROCESSING, true, false } }, 2,
	  WHY_CHARGED, WHY_RETRY_CHARGED },
	{ "an authorisation is out", TS_PROCESSING, 0, 0, false,
	  { { OPERATION_AUTHORISE, OS_PROCESSING, true, false } }, 1,
	  WHY_MAYBE, WHY_RETRY_OUTCOME_OPEN },
	{ "set aside", TS_AUTHORISED, 0, 0, false,
	  { { OPERATION_AUTHORISE, OS_SUCCEEDED, false, false } }, 1,
	  WHY_AUTHORISED, WHY_RETRY_AUTHORISED },
	{ "set aside, a capture is out", TS_AUTHORISED, 0, 0, false,
	  { { OPERATION_AUTHORISE, OS_SUCCEEDED, false, false },
	    { OPERATION_CAPTURE, OS_PROCESSING, true, false } }, 2,
	  WHY_MAYBE, WHY_RETRY_OUTCOME_OPEN },
	{ "set aside, a part collected", TS_AUTHORISED, 300, 0, false,
	  { { OPERATION_AUTHORISE, OS_SUCCEEDED, false, false },
	    { OPERATION_CAPTURE, OS_SUCCEEDED, false, false } }, 2,
	  WHY_CHARGED, WHY_RETRY_CHARGED },
	{ "set aside, its release is out", TS_AUTHORISED, 0, 0, false,
	  { { OPERATION_AUTHORISE, OS_SUCCEEDED, false, false },
	    { OPERATION_VOID, OS_PROCESSING, true, false } }, 2,
	  WHY_AUTHORISED, WHY_RETRY_AUTHORISED },
	{ "let go", TS_CANCELLED, 0, 0, false,
	  { { OPERATION_AUTHORISE, OS_SUCCEEDED, false, false },
	    { OPERATION_VOID, OS_SUCCEEDED, false, false } }, 2,
	  WHY_NOT_CHARGED, WHY_RETRY_SAFE },
	{ "a payout is out", TS_PROCESSING, 0, 0, false,
	  { { OPERATION_PAYOUT, OS_PROCESSING, true, false } }, 1,
	  WHY_MAYBE, WHY_RETRY_OUTCOME_OPEN },
	{ "paid out", TS_COMPLETED, 0, 0, false,
	  { { OPERATION_PAYOUT, OS_SUCCEEDED, false, false } }, 1,
	  WHY_CHARGED, WHY_RETRY_CHARGED },
	{ "paid out, and returned", TS_COMPLETED, 0, 0, false,
	  { { OPERATION_PAYOUT, OS_RETURNED, false, false } }, 1,
	  WHY_NOT_CHARGED, WHY_RETRY_SAFE },
};
/* clang-format on */

START_TEST(verdict_says_what_the_operations_prove)
{
	const struct verdict_case *at = &verdict_cases[_i];
	const struct why_state state = { at->status,         at->captured,   at->refunded,
					 at->exception_open, at->operations, at->count };

	ck_assert_msg(why_judge(&state) == at->verdict, "%s: %s", at->what,
		      words_text(why_verdict_words, (int)why_judge(&state)));
	ck_assert_msg(why_judge_retry(&state) == at->retry, "%s: %s", at->what,
		      words_text(why_retry_words, (int)why_judge_retry(&state)));
}
END_TEST

/* One operation of each kind in each state, with everything else about it: is "safe" ever a lie? */
static void expect_honest(const struct why_state *state)
{
	const struct why_operation *operation = state->operations;
	enum why_verdict verdict = why_judge(state);
	enum why_retry retry = why_judge_retry(state);
	bool given_back = state->amount_captured > 0 &&
			  state->amount_captured == state->amount_refunded;

	unit_expect(!(operation->open || operation->contradicted) ||
			    !why_retry_is_safe(retry) || given_back ||
			    operation->kind == OPERATION_REFUND ||
			    operation->kind == OPERATION_VOID,
		    "kind %d status %d is called safe while it is open", (int)operation->kind,
		    (int)operation->status);
	unit_expect(!operation->contradicted || !why_retry_is_safe(retry),
		    "kind %d status %d is called safe though it is contradicted",
		    (int)operation->kind, (int)operation->status);
	unit_expect(verdict == WHY_NOT_CHARGED || !why_retry_is_safe(retry) || given_back,
		    "kind %d status %d: %s, and safe", (int)operation->kind,
		    (int)operation->status, words_text(why_verdict_words, (int)verdict));
	unit_expect(!why_retry_is_safe(retry) || transaction_is_final(state->status),
		    "safe while it goes on");
	unit_expect(state->amount_captured == 0 || verdict == WHY_CHARGED,
		    "not called charged with %d captured", (int)state->amount_captured);
}

START_TEST(safe_is_never_said_of_what_may_have_charged)
{
	const unsigned spaces[] = { OPERATION_KIND_COUNT, OS_COUNT, TS_COUNT, 2, 2, 2, 3 };
	unsigned long total = 1;

	for (size_t i = 0; i < COUNT(spaces); i++)
		total *= spaces[i];
	for (unsigned long number = 0; number < total; number++) {
		unsigned digits[COUNT(spaces)];
		unsigned long rest = number;
		struct why_operation operation;
		struct why_state state;

		for (size_t i = 0; i < COUNT(spaces); i++) {
			digits[i] = (unsigned)(rest % spaces[i]);
			rest /= spaces[i];
		}
		operation = (struct why_operation){ (enum operation_kind)digits[0],
						    (enum operation_status)digits[1],
						    digits[3] == 1, digits[4] == 1 };
		state = (struct why_state){ (enum transaction_status)digits[2],
					    digits[6] == 0 ? 0 : 1000,
					    digits[6] == 2 ? 1000 : 0,
					    digits[5] == 1,
					    &operation,
					    1 };
		expect_honest(&state);
	}
}
END_TEST

static struct why_facts facts_of(const struct why_row *row)
{
	return (struct why_facts){ .kind = OPERATION_REFUND,
				   .source = row->source,
				   .type = row->type,
				   .reason = row->reason == NULL ? "some_reason" : row->reason,
				   .amount = "10.50 USD",
				   .gateway = "alpha",
				   .gateway_before = "beta",
				   .detail = "12:00",
				   .number = 2 };
}

START_TEST(every_row_is_found_and_its_sentence_fills)
{
	char text[WHY_TEXT_SIZE];
	size_t count;
	const struct why_row *rows = why_rows(&count);

	for (size_t i = 0; i < count; i++) {
		for (int kind = 0; kind < OPERATION_KIND_COUNT; kind++) {
			struct why_facts facts = facts_of(&rows[i]);

			facts.kind = (enum operation_kind)kind;
			unit_expect(why_row_find(&facts) == &rows[i], "row %zu (%s) is hidden", i,
				    rows[i].type);
			why_fill(rows[i].text, &facts, text);
			unit_expect(strpbrk(text, "{}_") == NULL, "%s", text);
			unit_expect(text[strlen(text) - 1] == '.', "%s", text);
			unit_expect(strlen(text) < WHY_TEXT_SIZE - 1, "cut: %s", text);
			unit_expect(rows[i].rule[strlen(rows[i].rule) - 1] == '.', "%s",
				    rows[i].rule);
		}
	}
}
END_TEST

START_TEST(a_sentence_speaks_of_its_operation)
{
	static const struct {
		enum operation_kind kind;
		const char *text;
	} cases[] = {
		{ OPERATION_CHARGE, "alpha answered that it charged the customer 10.50 USD." },
		{ OPERATION_AUTHORISE,
		  "alpha answered that it set 10.50 USD aside for the merchant." },
		{ OPERATION_CAPTURE,
		  "alpha answered that it collected 10.50 USD of what was set aside." },
		{ OPERATION_VOID, "alpha answered that it let go what was set aside." },
		{ OPERATION_REFUND, "alpha answered that it gave 10.50 USD back to the customer." },
		{ OPERATION_PAYOUT, "alpha answered that it paid 10.50 USD out to the customer." },
	};
	const struct why_facts facts = { .kind = cases[_i].kind,
					 .source = WHY_ANSWER,
					 .type = "attempt_succeeded",
					 .reason = "",
					 .amount = "10.50 USD",
					 .gateway = "alpha",
					 .gateway_before = "",
					 .detail = "" };
	char text[WHY_TEXT_SIZE];

	ck_assert_str_eq(why_fill(why_row_find(&facts)->text, &facts, text), cases[_i].text);
}
END_TEST

START_TEST(reasons_are_read_out_and_long_ones_cut)
{
	struct why_facts facts = { .type = "", .reason = "insufficient_funds", .amount = "",
				   .gateway = "alpha", .gateway_before = "", .detail = "" };
	char text[WHY_TEXT_SIZE], detail[2 * WHY_TEXT_SIZE];

	ck_assert_str_eq(why_fill("{gateway}: {reason}", &facts, text),
			 "alpha: insufficient funds");
	facts.reason = "";
	ck_assert_str_eq(why_fill("{reason}", &facts, text), "no reason given");
	ck_assert_str_eq(why_fill("a {nowhere} b {", &facts, text), "a  b {");
	memset(detail, 'x', sizeof detail - 1);
	detail[sizeof detail - 1] = '\0';
	facts.detail = detail;
	ck_assert_uint_eq(strlen(why_fill("{detail}", &facts, text)), WHY_TEXT_SIZE - 1);
}
END_TEST

START_TEST(what_a_gateway_wrote_is_never_filled_again)
{
	const struct why_facts facts = { .type = "", .reason = "{amount}", .amount = "1.00 USD",
					 .gateway = "{amount}", .gateway_before = "",
					 .detail = "" };
	char text[WHY_TEXT_SIZE];

	ck_assert_str_eq(why_fill("{reason}", &facts, text), "{amount}");
	ck_assert_str_eq(why_fill("{gateway}", &facts, text), "{amount}");
}
END_TEST

START_TEST(a_type_without_a_row_is_told)
{
	const struct why_facts facts = { .type = "on_the_moon", .reason = "" };

	ck_assert_ptr_null(why_row_find(&facts));
}
END_TEST

START_TEST(every_verdict_and_every_next_step_has_words)
{
	for (int payout = 0; payout < 2; payout++) {
		for (int verdict = 0; verdict < why_verdict_words.count; verdict++)
			ck_assert_ptr_nonnull(
				why_verdict_text((enum why_verdict)verdict, payout == 1));
		for (int retry = 0; retry < why_retry_words.count; retry++) {
			const char *text = why_retry_text((enum why_retry)retry, payout == 1);
			bool safe = why_retry_is_safe((enum why_retry)retry);

			ck_assert_int_eq(strncmp(text, "Yes", 3) == 0, safe);
			ck_assert_int_eq(strncmp(text, "No", 2) == 0, !safe);
		}
	}
	for (int action = NEXT_NONE; action <= NEXT_HUMAN; action++)
		for (int live = -1; live < AS_COUNT; live++)
			ck_assert_ptr_nonnull(why_next_text((enum next_action)action, live >= 0,
							    (enum attempt_status)live));
}
END_TEST

UNIT_MAIN("why", {
	tcase_add_loop_test(tests, verdict_says_what_the_operations_prove, 0,
			    COUNT(verdict_cases));
	tcase_add_test(tests, safe_is_never_said_of_what_may_have_charged);
	tcase_add_test(tests, every_row_is_found_and_its_sentence_fills);
	tcase_add_loop_test(tests, a_sentence_speaks_of_its_operation, 0, OPERATION_KIND_COUNT);
	tcase_add_test(tests, reasons_are_read_out_and_long_ones_cut);
	tcase_add_test(tests, what_a_gateway_wrote_is_never_filled_again);
	tcase_add_test(tests, a_type_without_a_row_is_told);
	tcase_add_test(tests, every_verdict_and_every_next_step_has_words);
})
