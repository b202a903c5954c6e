/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/tale.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/profile.h"
#include "sandbox/token.h"

#define INSTRUCTION_SIZE 128
#define CALLBACK_ID_SIZE 48

/* A token that a later version dropped tells the truth. */
static struct token token_of(const struct entry *entry)
{
	struct token token = {.lie = TOKEN_TRUE};

	(void)token_find(entry_effect(entry), &token);
	return token;
}

static const char *other_currency(const char *currency)
{
	return strcmp(currency, "EUR") == 0 ? "USD" : "EUR";
}

static void render_terms(const struct entry *entry, const struct token *token, const char *status,
			 struct render *body)
{
	const struct entry_terms *terms = &entry->terms;
	int64_t minor = terms->amount.minor;
	char other[ENTRY_NAME_MAX + 8];

	(void)snprintf(other, sizeof other, "other-%s", terms->name[ENTRY_REFERENCE]);
	render_text(body, "reference",
		    token->lie == TOKEN_WRONG_REFERENCE ? other : terms->name[ENTRY_REFERENCE]);
	render_text(body, "operation", words_text(operation_kind_words, (int)terms->kind));
	render_text(body, "parent", terms->parent);
	render_text(body, "status", status);
	render_integer(body, "amount_minor", token->lie == TOKEN_WRONG_AMOUNT ? minor + 1 : minor);
	render_text(body, "currency",
		    token->lie == TOKEN_WRONG_CURRENCY ? other_currency(terms->amount.currency)
						       : terms->amount.currency);
}

/* Neither digits that look like a card, nor an address that anybody serves. */
static void render_instructions(const struct entry *entry, const char *instruction,
				struct render *body)
{
	const char *gateway = profile_row(entry->terms.gateway)->name;
	char text[INSTRUCTION_SIZE];
	char id[ENTRY_ID_SIZE];

	if (strcmp(instruction, "virtual_account") == 0)
		(void)snprintf(text, sizeof text, "88%zu0%08" PRId64, entry->terms.gateway + 1,
			       entry->number);
	else if (strcmp(instruction, "qr_string") == 0)
		(void)snprintf(text, sizeof text, "SANDBOX.%s.%" PRId64 ".%s",
			       entry_id(entry, id), entry->terms.amount.minor,
			       entry->terms.amount.currency);
	else
		(void)snprintf(text, sizeof text, "https://%s.sandbox.invalid/act/%s", gateway,
			       entry_id(entry, id));
	render_member(body, "instructions", '{');
	render_text(body, instruction, text);
	render_end(body, '}');
}

void tale_answer(const struct entry *entry, enum entry_status status, bool inquiry,
		 struct answer *answer)
{
	static const int statuses[] = {
		[ENTRY_ACCEPTED] = 202, [ENTRY_SUCCEEDED] = 200,	  [ENTRY_DECLINED] = 402,
		[ENTRY_REVERSED] = 200, [ENTRY_REQUIRES_ACTION] = 202, [ENTRY_RETURNED] = 200};
	struct token token = token_of(entry);
	struct render body = {0};
	char id[ENTRY_ID_SIZE];

	render_begin(&body, '{');
	render_text(&body, "id", entry_id(entry, id));
	render_terms(entry, &token, words_text(entry_status_words, (int)status), &body);
	if (status == ENTRY_DECLINED)
		render_text(&body, "decline_code", entry->verdict.decline_code);
	if (status == ENTRY_REQUIRES_ACTION && token.instruction != NULL)
		render_instructions(entry, token.instruction, &body);
	render_end(&body, '}');
	answer_send(answer, inquiry ? 200 : statuses[status], &body);
}

/* The word of a callback for a status; a gateway's callbacks and answers seldom agree in words. */
static const char *call_word(enum entry_status status)
{
	static const char *const callback_words[] = {
		[ENTRY_ACCEPTED] = "accepted",   [ENTRY_SUCCEEDED] = "completed",
		[ENTRY_DECLINED] = "failed",     [ENTRY_REQUIRES_ACTION] = "requires_action",
		[ENTRY_REVERSED] = "reversed",   [ENTRY_RETURNED] = "returned",
	};

	return callback_words[status];
}

/* Each thing told has an id of its own; the same thing told again has the same. */
static const char *const call_suffixes[] = {
	[TALE_VERDICT] = "", [TALE_STALE] = ".stale", [TALE_TURN] = ".turn"};

void tale_callback(const struct entry *entry, enum tale_call call, struct render *body)
{
	const enum entry_status told[] = {[TALE_VERDICT] = entry->verdict.final,
					  [TALE_STALE] = entry->verdict.opened,
					  [TALE_TURN] = entry->verdict.later};
	struct token token = token_of(entry);
	char callback_id[CALLBACK_ID_SIZE];
	char id[ENTRY_ID_SIZE];

	(void)snprintf(callback_id, sizeof callback_id, "%s%s", entry->callback_id,
		       call_suffixes[call]);
	render_begin(body, '{');
	render_text(body, "callback_id", callback_id);
	render_text(body, "gateway", profile_row(entry->terms.gateway)->name);
	render_text(body, "gateway_txn_id", entry_id(entry, id));
	render_terms(entry, &token, call_word(told[call]), body);
	if (told[call] == ENTRY_DECLINED)
		render_text(body, "decline_code", entry->verdict.decline_code);
	render_end(body, '}');
}
