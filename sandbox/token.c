/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/token.h"

#include <string.h>

/* clang-format off */
#define DECLINE(CODE)                                                                       \
	{ "tok_decline_" CODE, TOKEN_AT_ONCE, TOKEN_DECLINES, CODE, TOKEN_ANSWERS,          \
	  0, 0, 0, false, "declined at once with " CODE }

static const struct token tokens[] = {
	/* name, timing, verdict, decline code, manner,
	 * answer ms, due ms, callbacks, numbered, help */
	{ "tok_ok", TOKEN_LATER, TOKEN_SUCCEEDS, NULL, TOKEN_ANSWERS,
	  0, 100, 1, false, "accepted, then a callback tells success" },
	{ "tok_sync", TOKEN_AT_ONCE, TOKEN_SUCCEEDS, NULL, TOKEN_ANSWERS,
	  0, 0, 0, false, "succeeds at once, no callback" },
	DECLINE("insufficient_funds"),
	DECLINE("do_not_honor"),
	DECLINE("expired_card"),
	DECLINE("stolen_card"),
	DECLINE("fraud_suspected"),
	DECLINE("issuer_unavailable"),
	{ "tok_decline_callback", TOKEN_LATER, TOKEN_DECLINES, "insufficient_funds", TOKEN_ANSWERS,
	  0, 100, 1, false, "accepted, then a callback tells a decline" },
	{ "tok_answer_lost", TOKEN_AT_ONCE, TOKEN_SUCCEEDS, NULL, TOKEN_HOLDS,
	  0, 0, 0, false, "charges, never answers, no callback; inquiry tells" },
	{ "tok_answer_lost_callback", TOKEN_AT_ONCE, TOKEN_SUCCEEDS, NULL, TOKEN_HOLDS,
	  0, 1000, 1, false, "charges, never answers, a callback tells" },
	{ "tok_reset_after_charge", TOKEN_AT_ONCE, TOKEN_SUCCEEDS, NULL, TOKEN_RESETS,
	  0, 0, 0, false, "charges, resets the connection, no callback; inquiry tells" },
	{ "tok_callback_twice", TOKEN_LATER, TOKEN_SUCCEEDS, NULL, TOKEN_ANSWERS,
	  0, 100, 2, false, "accepted, the same callback is delivered twice" },
	{ "tok_callback_early", TOKEN_LATER, TOKEN_SUCCEEDS, NULL, TOKEN_AFTER_CALLBACK,
	  300, 0, 1, false, "the callback comes before the answer" },
	{ "tok_callback_never", TOKEN_LATER, TOKEN_SUCCEEDS, NULL, TOKEN_ANSWERS,
	  0, 200, 0, false, "accepted, succeeds, no callback; inquiry tells" },
	{ "tok_slow_", TOKEN_AT_ONCE, TOKEN_SUCCEEDS, NULL, TOKEN_ANSWERS,
	  0, 0, 0, true, "charges at the start, answers later" },
};
/* clang-format on */

#define TOKEN_COUNT (sizeof tokens / sizeof tokens[0])

/* Digits without leading zeros, 1..TOKEN_SLOW_MAX_MS. */
static bool number_read(const char *text, int *number)
{
	size_t digits = strspn(text, "0123456789");
	int value = 0;

	if (digits == 0 || digits > 6 || text[digits] != '\0' || text[0] == '0')
		return false;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (text[i] - '0');
	if (value > TOKEN_SLOW_MAX_MS)
		return false;
	*number = value;
	return true;
}

static bool row_fits(const struct token *row, const char *text, int *answer_ms)
{
	size_t size = strlen(row->name);

	if (!row->numbered)
		return strcmp(row->name, text) == 0;
	return strncmp(row->name, text, size) == 0 && number_read(text + size, answer_ms);
}

bool token_find(const char *text, struct token *token)
{
	for (size_t i = 0; i < TOKEN_COUNT; i++) {
		int answer_ms = tokens[i].answer_ms;

		if (!row_fits(&tokens[i], text, &answer_ms))
			continue;
		*token = tokens[i];
		token->answer_ms = answer_ms;
		return true;
	}
	return false;
}

const struct token *token_list(size_t *count)
{
	*count = TOKEN_COUNT;
	return tokens;
}
