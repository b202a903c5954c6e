/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/field.h"
#include "core/money.h"
#include "sandbox/loopback.h"
#include "sandbox/profile.h"
#include "sandbox/sums.h"

#define REQUEST_DEPTH_MAX 4

/* clang-format off */
#define NAME(FIELD, CLASS, HELP)                                                                   \
	{ .name = FIELD, .rule = FIELD_TEXT, .required = true, .may_hold_card = true,              \
	  .class = CLASS, .min = 1, .max = ENTRY_NAME_MAX, .help = HELP }

static const struct field_spec specs[] = {
	NAME("operation", TEXT_WORD, "charge, authorise, capture, void, refund or payout."),
	NAME("reference", TEXT_VISIBLE, "The caller's reference, equal to the idempotency key."),
	NAME("transaction", TEXT_TOKEN, "The caller's transaction id."),
	NAME("operation_id", TEXT_TOKEN, "The caller's operation id."),
	NAME("attempt", TEXT_TOKEN, "The caller's attempt id."),
	{ .name = "amount_minor", .rule = FIELD_AMOUNT, .required = true,
	  .help = "Integer minor units of the currency." },
	{ .name = "currency", .rule = FIELD_TEXT, .required = true, .class = TEXT_ANY,
	  .min = 3, .max = 3, .help = "ISO 4217 code." },
	{ .name = "payment_token", .rule = FIELD_TEXT, .may_hold_card = true, .class = TEXT_TOKEN,
	  .min = 1, .max = TOKEN_TEXT_SIZE - 1, .help = "What the sandbox shall do." },
	{ .name = "parent", .rule = FIELD_TEXT, .may_hold_card = true, .class = TEXT_TOKEN,
	  .min = 1, .max = ENTRY_NAME_MAX, .help = "The gateway's id of what it is about." },
	{ .name = "callback_url", .rule = FIELD_TEXT, .may_hold_card = true, .class = TEXT_URL,
	  .min = 1, .max = ENTRY_URL_MAX, .help = "Where to call back, on this machine." },
};
/* clang-format on */

struct members {
	struct field_member list[FIELD_MEMBERS_MAX];
	struct json_arena arena;
	size_t count;
};

static bool refuse(struct request_refusal *refusal, enum refusal kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool refuse(struct request_refusal *refusal, enum refusal kind, const char *format, ...)
{
	va_list arguments;

	refusal->refusal = kind;
	va_start(arguments, format);
	(void)vsnprintf(refusal->why, sizeof refusal->why, format, arguments);
	va_end(arguments);
	return false;
}

static bool fields_check(const struct members *members, struct request_refusal *refusal)
{
	struct field_errors errors = {0};

	field_check(specs, sizeof specs / sizeof specs[0], members->list, members->count, &errors);
	if (errors.count == 0)
		return true;
	return refuse(refusal, REFUSAL_FIELD, "%s: %s", errors.list[0].field,
		      errors.list[0].message);
}

/* The text of a member that passed fields_check(), or `absent`. */
static const char *text_of(const struct members *members, const char *name, const char *absent)
{
	const struct field_value *value = field_find(members->list, members->count, name);

	return value == NULL || value->kind == VALUE_NULL ? absent : value->text;
}

static bool amount_read(const struct members *members, struct money *amount,
			struct request_refusal *refusal)
{
	const struct field_value *value = field_find(members->list, members->count, "amount_minor");
	const char *currency = text_of(members, "currency", "");

	if (value->kind != VALUE_INTEGER ||
	    money_from_minor(value->integer, &amount->minor) != MONEY_OK)
		return refuse(refusal, REFUSAL_FIELD,
			      "amount_minor: must be an integer from 1 to %lld",
			      (long long)MONEY_MAX_MINOR);
	if (currency_find(currency) == NULL)
		return refuse(refusal, REFUSAL_FIELD, "currency: must be an ISO 4217 code");
	(void)snprintf(amount->currency, sizeof amount->currency, "%s", currency);
	return true;
}

static bool parent_check(const struct entry_terms *terms, struct request_refusal *refusal)
{
	bool needed = sums_need_parent(terms->kind);

	if (needed == (terms->parent != NULL))
		return true;
	return refuse(refusal, REFUSAL_FIELD, "parent: %s",
		      needed ? "is required with a capture, void or refund"
			     : "is for a capture, void or refund only");
}

static bool terms_read(const struct members *members, struct entry_terms *terms,
		       struct request_refusal *refusal)
{
	int kind = words_find(operation_kind_words, text_of(members, "operation", ""));

	if (!amount_read(members, &terms->amount, refusal))
		return false;
	terms->name[ENTRY_REFERENCE] = text_of(members, "reference", NULL);
	terms->name[ENTRY_TRANSACTION] = text_of(members, "transaction", NULL);
	terms->name[ENTRY_OPERATION] = text_of(members, "operation_id", NULL);
	terms->name[ENTRY_ATTEMPT] = text_of(members, "attempt", NULL);
	terms->payment_token = text_of(members, "payment_token", TOKEN_DEFAULT);
	terms->parent = text_of(members, "parent", NULL);
	terms->callback_url = text_of(members, "callback_url", NULL);
	if (terms->callback_url != NULL && !loopback_url(terms->callback_url))
		return refuse(refusal, REFUSAL_FIELD,
			      "callback_url: must be an http:// address on a loopback host");
	if (kind < 0 || !profile_performs(profile_row(terms->gateway), (enum operation_kind)kind))
		return refuse(refusal, REFUSAL_OPERATION, "%s", "");
	terms->kind = (enum operation_kind)kind;
	return parent_check(terms, refusal);
}

/* Where no part of the token is for this gateway and operation, the default counts. */
static bool token_read(struct request *request)
{
	const struct entry_terms *terms = &request->terms;
	const struct token_place place = {terms->gateway, terms->kind, false};

	switch (token_choose(terms->payment_token, &place, request->effect, &request->token)) {
	case TOKEN_CHOSEN:
		return true;
	case TOKEN_ELSEWHERE:
		(void)snprintf(request->effect, sizeof request->effect, "%s", TOKEN_DEFAULT);
		return token_find(TOKEN_DEFAULT, &request->token);
	case TOKEN_UNKNOWN:
		break;
	}
	return false;
}

/* `request` has its document; everything else is made from it. */
static bool document_read(struct request *request, struct request_refusal *refusal)
{
	struct members members;
	enum err err;

	members.count = json_members(request->document, members.list, &members.arena, &err);
	if (err != ERR_OK)
		return refuse(refusal, REFUSAL_FIELD, "The body has too many members");
	if (!fields_check(&members, refusal) || !terms_read(&members, &request->terms, refusal))
		return false;
	request->has_token = text_of(&members, "payment_token", NULL) != NULL;
	if (!token_read(request))
		return refuse(refusal, REFUSAL_TOKEN, "%s", "");
	return true;
}

bool request_read(const char *body, size_t size, size_t gateway, struct request *request,
		  struct request_refusal *refusal)
{
	struct request fresh = {.terms.gateway = gateway};
	char why[JSON_WHY_SIZE];

	if (json_read(body, size, REQUEST_DEPTH_MAX, &fresh.document, why) != ERR_OK)
		return refuse(refusal, REFUSAL_MALFORMED, "%s", why);
	if (!document_read(&fresh, refusal)) {
		request_done(&fresh);
		return false;
	}
	*request = fresh;
	request->terms.effect = request->effect;
	return true;
}

void request_inherit(struct request *request, const char *parent_token)
{
	const struct token_place place = {request->terms.gateway, request->terms.kind, true};

	if (!request->has_token)
		(void)token_choose(parent_token, &place, request->effect, &request->token);
}

void request_done(struct request *request)
{
	json_decref(request->document);
	*request = (struct request){0};
}
