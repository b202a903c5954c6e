/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* What is kept of a gateway's answer: no card number, and no secret that it repeats. */
#include "gateway/gateway.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

/* Wherever the cut falls, what is left of a number are its last digits at most. */
START_TEST(gateway_answer_mask_masks_a_card_across_the_cut)
{
	static const char card[] = "4111 1111 1111 1111";
	char body[ATTEMPT_ANSWER_SIZE + sizeof card];
	struct gateway_answer answer;

	for (size_t before = 0; before < sizeof card; before++) {
		const size_t at = ATTEMPT_ANSWER_SIZE - 1 - before;

		memset(body, '.', sizeof body);
		memcpy(body + at, card, sizeof card - 1);
		gateway_answer_mask(&answer, body, at + sizeof card - 1);

		ck_assert_uint_eq(strlen(answer.masked), ATTEMPT_ANSWER_SIZE - 1);
		ck_assert_msg(strstr(answer.masked, "41") == NULL &&
				      strstr(answer.masked, "11 1") == NULL,
			      "%zu bytes before the cut: %s", before, answer.masked + at);
	}
}
END_TEST

static const struct hiding {
	const char *answer;
	const char *shown;
} hidings[] = {
	{ "token zq_secret_1, key apikey-of-alpha", "token ***********, key ***************" },
	{ "zq_secret_1zq_secret_1", "**********************" },
	{ "zq_secret_2 is another", "zq_secret_2 is another" },
	{ "signed with callback-old or callback-new", "signed with ************ or ************" },
	{ "cut: zq_s", "cut: ****" },
	{ "cut: zq_", "cut: zq_" },
	{ "", "" },
};

static void secret_set(const char *text, struct secret *secret)
{
	secret->size = strlen(text);
	memcpy(secret->bytes, text, secret->size + 1);
}

static struct gateway gateway_of_secrets(void)
{
	struct gateway gateway = { .name = "alpha", .callback_secret_count = 2 };

	secret_set("apikey-of-alpha", &gateway.api_key);
	secret_set("callback-new", &gateway.callback_secrets[0]);
	secret_set("callback-old", &gateway.callback_secrets[1]);
	return gateway;
}

START_TEST(gateway_answer_hide_stars_what_the_answer_repeats)
{
	const struct hiding *hiding = &hidings[_i];
	struct gateway gateway = gateway_of_secrets();
	struct gateway_order order = { .payment_token = "zq_secret_1" };
	struct gateway_answer answer = { .event = AE_LOST };

	snprintf(answer.masked, sizeof answer.masked, "%s", hiding->answer);
	snprintf(answer.instructions, sizeof answer.instructions, "%s", hiding->answer);

	gateway_answer_hide(&gateway, &order, &answer);

	ck_assert_str_eq(answer.masked, hiding->shown);
	ck_assert_str_eq(answer.instructions, hiding->shown);
}
END_TEST

/* "tok_ok" is a word, and not to be taken out of answers. */
START_TEST(gateway_answer_hide_leaves_short_words)
{
	struct gateway gateway = { .name = "alpha" };
	struct gateway_order order = { .payment_token = "tok_ok" };
	struct gateway_answer answer = { .masked = "tok_ok apikey" };

	secret_set("apikey", &gateway.api_key);
	gateway_answer_hide(&gateway, &order, &answer);

	ck_assert_str_eq(answer.masked, "tok_ok apikey");
}
END_TEST

UNIT_MAIN("gateway", {
	tcase_add_test(tests, gateway_answer_mask_masks_a_card_across_the_cut);
	tcase_add_loop_test(tests, gateway_answer_hide_stars_what_the_answer_repeats, 0,
			    (int)(sizeof hidings / sizeof hidings[0]));
	tcase_add_test(tests, gateway_answer_hide_leaves_short_words);
})
