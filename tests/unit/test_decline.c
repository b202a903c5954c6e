/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/decline.h"

#include <string.h>

#include "core/attempt.h"
#include "core/text.h"
#include "tests/unit/unit.h"

#define COUNT(ROWS) (int)(sizeof(ROWS) / sizeof(ROWS)[0])

/* Public codes never change: what is promised here may only grow. */
static const struct {
	const char *code;
	enum advice advice;
	bool elsewhere;
	bool again;
} promised[] = {
	{ "insufficient_funds", ADVICE_RETRY_LATER, false, false },
	{ "do_not_honor", ADVICE_OTHER_METHOD, false, false },
	{ "expired_card", ADVICE_OTHER_METHOD, false, false },
	{ "stolen_card", ADVICE_NEVER, false, false },
	{ "fraud_suspected", ADVICE_NEVER, false, false },
	{ "issuer_unavailable", ADVICE_RETRY_LATER, true, true },
	{ "try_again_later", ADVICE_RETRY_LATER, true, true },
	{ "incorrect_cvc", ADVICE_RETRY, false, false },
	{ "not_supported", ADVICE_OTHER_METHOD, true, false },
	{ "invalid_payment_token", ADVICE_OTHER_METHOD, false, false },
	{ "gateway_refused_request", ADVICE_NEVER, true, false },
	{ "declined_other", ADVICE_OTHER_METHOD, false, false },
};

START_TEST(decline_gives_the_row_of_a_code)
{
	const struct decline *found = decline_find(promised[_i].code);

	ck_assert_str_eq(found->code, promised[_i].code);
	ck_assert_int_eq(found->advice, promised[_i].advice);
	ck_assert_int_eq(found->elsewhere, promised[_i].elsewhere);
	ck_assert_int_eq(found->again, promised[_i].again);
	ck_assert(decline_is_known(promised[_i].code));
}
END_TEST

START_TEST(decline_reads_a_code_that_is_not_ours_as_final)
{
	static const char *const foreign[] = { "", "51", "issuer_unavailable ",
					       "ISSUER_UNAVAILABLE", "gateway_unreachable" };
	const struct decline *found = decline_find(foreign[_i]);

	ck_assert(!decline_is_known(foreign[_i]));
	ck_assert_str_eq(found->code, DECLINE_OTHER);
	ck_assert(!found->elsewhere && !found->again);
}
END_TEST

START_TEST(decline_codes_are_words_of_their_own_with_a_sentence_each)
{
	size_t count;
	const struct decline *list = decline_list(&count);

	ck_assert_uint_ge(count, 30);
	for (size_t i = 0; i < count; i++) {
		const char *message = list[i].message;

		unit_expect(text_is(TEXT_WORD, list[i].code, strlen(list[i].code)) &&
				    strlen(list[i].code) < 41,
			    "%s", list[i].code);
		unit_expect(message[strlen(message) - 1] == '.', "%s", list[i].code);
		unit_expect(words_text(advice_words, (int)list[i].advice) != NULL, "%s",
			    list[i].code);
		unit_expect(decline_find(list[i].code) == &list[i], "%s is there twice",
			    list[i].code);
	}
}
END_TEST

/* Only what is worth another try may be tried again without the customer. */
START_TEST(decline_never_repeats_what_the_client_shall_never_repeat_at_one_gateway)
{
	size_t count;
	const struct decline *list = decline_list(&count);

	for (size_t i = 0; i < count; i++)
		unit_expect(!list[i].again ||
				    (list[i].advice == ADVICE_RETRY_LATER && list[i].elsewhere),
			    "%s", list[i].code);
}
END_TEST

static const struct {
	const char *failure;
	const char *decline;
	const char *row;
	enum advice advice;
} failures[] = {
	{ FAILURE_DECLINED, "expired_card", "expired_card", ADVICE_OTHER_METHOD },
	{ FAILURE_DECLINED, "", DECLINE_OTHER, ADVICE_OTHER_METHOD },
	{ FAILURE_UNREACHABLE, "", FAILURE_UNREACHABLE, ADVICE_RETRY },
	{ FAILURE_UNREACHABLE, "issuer_unavailable", FAILURE_UNREACHABLE, ADVICE_RETRY },
	{ FAILURE_LOST, "", FAILURE_LOST, ADVICE_RETRY },
	{ FAILURE_UNAVAILABLE, "", FAILURE_UNAVAILABLE, ADVICE_RETRY_LATER },
	{ FAILURE_NO_ROUTE, "", FAILURE_NO_ROUTE, ADVICE_NEVER },
	{ "cancelled_by_client", "", "cancelled_by_client", ADVICE_RETRY },
	{ "expired", "", "expired", ADVICE_RETRY },
};

START_TEST(decline_advises_on_every_way_a_transaction_fails)
{
	const struct decline *found =
		decline_of_failure(failures[_i].failure, failures[_i].decline);

	ck_assert_str_eq(found->code, failures[_i].row);
	ck_assert_int_eq(found->advice, failures[_i].advice);
}
END_TEST

UNIT_MAIN("decline", {
	tcase_add_loop_test(tests, decline_gives_the_row_of_a_code, 0, COUNT(promised));
	tcase_add_loop_test(tests, decline_reads_a_code_that_is_not_ours_as_final, 0, 5);
	tcase_add_test(tests, decline_codes_are_words_of_their_own_with_a_sentence_each);
	tcase_add_test(tests,
		       decline_never_repeats_what_the_client_shall_never_repeat_at_one_gateway);
	tcase_add_loop_test(tests, decline_advises_on_every_way_a_transaction_fails, 0,
			    COUNT(failures));
})
