/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/token.h"

#include <string.h>

#include "sandbox/profile.h"

/* clang-format off */
#define DECLINE(CODE)                                                                       \
	{ .name = "tok_decline_" CODE, .verdict = TOKEN_DECLINES, .decline_code = CODE,     \
	  .help = "declined at once with " CODE }

static const struct token tokens[] = {
	{ .name = "tok_ok", .timing = TOKEN_LATER, .due_ms = 100, .calls = TOKEN_ONE_CALL,
	  .help = "accepted, then a callback tells success" },
	{ .name = "tok_sync",
	  .help = "succeeds at once, no callback" },
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
	{ .name = "tok_decline_callback", .timing = TOKEN_LATER, .verdict = TOKEN_DECLINES,
	  .decline_code = "insufficient_funds", .due_ms = 100, .calls = TOKEN_ONE_CALL,
	  .help = "accepted, then a callback tells a decline" },
	{ .name = "tok_requires_action", .timing = TOKEN_ACTS, .instruction = "redirect_url",
	  .due_ms = 1500, .calls = TOKEN_ONE_CALL,
	  .help = "asks for an action, succeeds 1.5 s later" },
	{ .name = "tok_requires_action_virtual_account", .timing = TOKEN_ACTS,
	  .instruction = "virtual_account", .due_ms = 1500, .calls = TOKEN_ONE_CALL,
	  .help = "the same with a virtual account" },
	{ .name = "tok_requires_action_qr", .timing = TOKEN_ACTS, .instruction = "qr_string",
	  .due_ms = 1500, .calls = TOKEN_ONE_CALL,
	  .help = "the same with a QR string" },
	{ .name = "tok_requires_action_", .timing = TOKEN_ACTS, .instruction = "redirect_url",
	  .number = TOKEN_NUMBER_DUE_MS, .calls = TOKEN_ONE_CALL,
	  .help = "asks for an action, succeeds N ms later" },
	{ .name = "tok_answer_lost", .manner = TOKEN_HOLDS,
	  .help = "charges, never answers, no callback; inquiry tells" },
	{ .name = "tok_answer_lost_callback", .manner = TOKEN_HOLDS, .due_ms = 1000,
	  .calls = TOKEN_ONE_CALL,
	  .help = "charges, never answers, a callback tells" },
	{ .name = "tok_reset_after_charge", .manner = TOKEN_RESETS,
	  .help = "charges, resets the connection, no callback; inquiry tells" },
	{ .name = "tok_5xx_charged", .manner = TOKEN_REFUSES, .instead = REFUSAL_BROKEN,
	  .help = "charges, answers 500" },
	{ .name = "tok_5xx_uncharged", .verdict = TOKEN_DOES_NOTHING, .manner = TOKEN_REFUSES,
	  .instead = REFUSAL_BROKEN,
	  .help = "does nothing, answers 500" },
	{ .name = "tok_timeout_uncharged", .verdict = TOKEN_DOES_NOTHING, .manner = TOKEN_HOLDS,
	  .help = "does nothing, never answers" },
	{ .name = "tok_409", .manner = TOKEN_REFUSES, .instead = REFUSAL_IN_PROGRESS,
	  .help = "charges, answers 409" },
	{ .name = "tok_429", .verdict = TOKEN_DOES_NOTHING, .manner = TOKEN_REFUSES,
	  .instead = REFUSAL_RATE_LIMITED,
	  .help = "does nothing, answers 429" },
	{ .name = "tok_html", .manner = TOKEN_PAGE,
	  .help = "charges, answers an HTML page with status 200" },
	{ .name = "tok_huge", .manner = TOKEN_SWELLS,
	  .help = "charges, answers with ten megabytes" },
	{ .name = "tok_duplicate_member", .manner = TOKEN_REPEATS,
	  .help = "charges, the answer has two statuses" },
	{ .name = "tok_utf16", .manner = TOKEN_WIDENS,
	  .help = "charges, answers in UTF-16" },
	{ .name = "tok_truncated", .manner = TOKEN_HALVES,
	  .help = "charges, the answer ends in the middle of its body" },
	{ .name = "tok_truncate_at_", .manner = TOKEN_CUTS, .number = TOKEN_NUMBER_CUT_BYTES,
	  .help = "charges, the answer ends after N bytes" },
	{ .name = "tok_reset_at_", .manner = TOKEN_BREAKS, .number = TOKEN_NUMBER_CUT_BYTES,
	  .help = "charges, the connection is reset after N bytes of the answer" },
	{ .name = "tok_drip", .manner = TOKEN_DRIPS,
	  .help = "charges, answers byte by byte" },
	{ .name = "tok_wrong_amount", .lie = TOKEN_WRONG_AMOUNT,
	  .help = "charges, tells another amount" },
	{ .name = "tok_wrong_currency", .lie = TOKEN_WRONG_CURRENCY,
	  .help = "charges, tells another currency" },
	{ .name = "tok_wrong_id", .lie = TOKEN_WRONG_REFERENCE,
	  .help = "charges, tells another reference" },
	{ .name = "tok_callback_twice", .timing = TOKEN_LATER, .due_ms = 100,
	  .calls = TOKEN_TWO_CALLS,
	  .help = "accepted, the same callback is delivered twice" },
	{ .name = "tok_callback_early", .timing = TOKEN_LATER, .manner = TOKEN_AFTER_CALLBACK,
	  .answer_ms = 300, .calls = TOKEN_ONE_CALL,
	  .help = "the callback comes before the answer" },
	{ .name = "tok_callback_never", .timing = TOKEN_LATER, .due_ms = 200,
	  .help = "accepted, succeeds, no callback; inquiry tells" },
	{ .name = "tok_out_of_order", .timing = TOKEN_LATER, .due_ms = 100,
	  .calls = TOKEN_STALE_CALL,
	  .help = "accepted, a callback tells success, then another that it is accepted" },
	{ .name = "tok_late_success", .verdict = TOKEN_DECLINES, .decline_code = "do_not_honor",
	  .turn = TOKEN_TURNS_SUCCESS, .turn_ms = 1000,
	  .help = "declined at once, a callback tells success later" },
	{ .name = "tok_late_success_retryable", .verdict = TOKEN_DECLINES,
	  .decline_code = "issuer_unavailable", .turn = TOKEN_TURNS_SUCCESS, .turn_ms = 1000,
	  .help = "the same with a code after which others are tried" },
	{ .name = "tok_reversed_", .turn = TOKEN_TURNS_REVERSED, .number = TOKEN_NUMBER_TURN_MS,
	  .help = "succeeds at once; a refund is reversed N ms later" },
	{ .name = "tok_returned_", .turn = TOKEN_TURNS_RETURNED, .number = TOKEN_NUMBER_TURN_MS,
	  .help = "succeeds at once; a payout is returned N ms later" },
	{ .name = "tok_late_reversed_", .verdict = TOKEN_DECLINES, .decline_code = "do_not_honor",
	  .turn = TOKEN_TURNS_BACK, .number = TOKEN_NUMBER_TURN_MS,
	  .help = "declined at once; N ms later a refund is told reversed, a payout returned" },
	{ .name = "tok_queued_", .timing = TOKEN_LATER, .number = TOKEN_NUMBER_DUE_MS,
	  .calls = TOKEN_ONE_CALL,
	  .help = "accepted, charged N ms later" },
	{ .name = "tok_slow_", .number = TOKEN_NUMBER_ANSWER_MS,
	  .help = "charges at the start, answers N ms later" },
};
/* clang-format on */

#define TOKEN_COUNT (sizeof tokens / sizeof tokens[0])

/* Digits without leading zeros, 1..TOKEN_NUMBER_MAX. */
static bool number_read(const char *text, int *number)
{
	size_t digits = strspn(text, "0123456789");
	int value = 0;

	if (digits == 0 || digits > 6 || text[digits] != '\0' || text[0] == '0')
		return false;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (text[i] - '0');
	if (value > TOKEN_NUMBER_MAX)
		return false;
	*number = value;
	return true;
}

static bool row_fits(const struct token *row, const char *text, int *number)
{
	size_t size = strlen(row->name);

	if (row->number == TOKEN_NO_NUMBER)
		return strcmp(row->name, text) == 0;
	return strncmp(row->name, text, size) == 0 && number_read(text + size, number);
}

static void number_fill(struct token *token, int number)
{
	switch (token->number) {
	case TOKEN_NO_NUMBER:
		break;
	case TOKEN_NUMBER_ANSWER_MS:
		token->answer_ms = number;
		break;
	case TOKEN_NUMBER_DUE_MS:
		token->due_ms = number;
		break;
	case TOKEN_NUMBER_TURN_MS:
		token->turn_ms = number;
		break;
	case TOKEN_NUMBER_CUT_BYTES:
		token->cut_bytes = number;
		break;
	}
}

bool token_find(const char *text, struct token *token)
{
	for (size_t i = 0; i < TOKEN_COUNT; i++) {
		int number = 0;

		if (!row_fits(&tokens[i], text, &number))
			continue;
		*token = tokens[i];
		number_fill(token, number);
		return true;
	}
	return false;
}

/* One part of a payment token, taken to pieces. */
struct part {
	char name[TOKEN_NAME_SIZE];
	char gateway[TOKEN_NAME_SIZE];   /* "": any */
	char operation[TOKEN_NAME_SIZE]; /* "": any */
};

/* Take a piece that ends before any of `ends`; an empty or too long one is none. */
static bool piece_take(const char **at, const char *ends, char piece[TOKEN_NAME_SIZE])
{
	size_t size = strcspn(*at, ends);

	if (size == 0 || size >= TOKEN_NAME_SIZE)
		return false;
	memcpy(piece, *at, size);
	piece[size] = '\0';
	*at += size;
	return true;
}

static bool part_take(const char **at, struct part *part)
{
	*part = (struct part){.gateway = ""};
	if (!piece_take(at, "@/+", part->name))
		return false;
	if (**at == '@') {
		(*at)++;
		if (!piece_take(at, "/+", part->gateway))
			return false;
	}
	if (**at == '/') {
		(*at)++;
		if (!piece_take(at, "+", part->operation))
			return false;
	}
	return true;
}

static bool part_known(const struct part *part)
{
	struct token ignored;

	return token_find(part->name, &ignored) &&
	       (part->gateway[0] == '\0' || profile_find(part->gateway) < PROFILE_COUNT) &&
	       (part->operation[0] == '\0' ||
		words_find(operation_kind_words, part->operation) >= 0);
}

static bool part_counts(const struct part *part, const struct token_place *place)
{
	if (part->gateway[0] != '\0' && profile_find(part->gateway) != place->gateway)
		return false;
	if (part->operation[0] == '\0')
		return !place->named_only;
	return words_find(operation_kind_words, part->operation) == (int)place->kind;
}

enum token_choice token_choose(const char *text, const struct token_place *place,
			       char name[TOKEN_NAME_SIZE], struct token *token)
{
	struct part part, chosen = {.name = ""};
	const char *at = text;

	for (;;) {
		if (!part_take(&at, &part) || !part_known(&part))
			return TOKEN_UNKNOWN;
		if (chosen.name[0] == '\0' && part_counts(&part, place))
			chosen = part;
		if (*at == '\0')
			break;
		at++; /* the '+' */
	}
	if (chosen.name[0] == '\0' || !token_find(chosen.name, token))
		return TOKEN_ELSEWHERE;
	memcpy(name, chosen.name, TOKEN_NAME_SIZE);
	return TOKEN_CHOSEN;
}

const struct token *token_list(size_t *count)
{
	*count = TOKEN_COUNT;
	return tokens;
}
