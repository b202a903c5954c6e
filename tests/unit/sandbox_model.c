/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/sandbox_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sandbox/profile.h"
#include "sandbox/signature.h"
#include "tests/unit/unit.h"

#define TOKEN_ACTING "tok_requires_action_qr"

void sandbox_model_open(struct sandbox_model *model)
{
	const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char why[JOURNAL_WHY_SIZE];

	(void)snprintf(model->directory, sizeof model->directory, "%s/sandbox_model.XXXXXX", place);
	ck_assert_ptr_nonnull(mkdtemp(model->directory));
	(void)snprintf(model->path, sizeof model->path, "%s/ledger", model->directory);
	ck_assert_int_eq(ledger_open(model->path, &model->ledger, why), ERR_OK);
}

void sandbox_model_close(struct sandbox_model *model)
{
	ledger_close(model->ledger);
	ck_assert_int_eq(unlink(model->path), 0);
	ck_assert_int_eq(rmdir(model->directory), 0);
}

/* What a complete answer looks like to our side; takes its body. */
static struct http_answer arrived(struct answer *answer)
{
	return (struct http_answer){ .fate = HTTP_ANSWERED,
				     .status = answer->status,
				     .body = answer->body,
				     .body_size = answer->body_size,
				     .content_type = "application/json" };
}

/* The names of an order, as they are on the wire. */
struct names {
	char transaction[ID_TEXT_SIZE];
	char operation[ID_TEXT_SIZE];
	char attempt[ID_TEXT_SIZE];
};

static struct entry_terms terms_of(const char *gateway, const struct gateway_order *order,
				   const struct entry_verdict *verdict, struct names *names)
{
	const bool acts = verdict->opened == ENTRY_REQUIRES_ACTION;

	return (struct entry_terms){
		.gateway = profile_find(gateway),
		.kind = order->kind,
		.amount = order->amount,
		.name = { order->our_reference,
			  id_format(ID_TRANSACTION, order->transaction_id, names->transaction),
			  id_format(ID_OPERATION, order->operation_id, names->operation),
			  id_format(ID_ATTEMPT, order->attempt_id, names->attempt) },
		.payment_token = "tok_ok",
		.effect = acts ? TOKEN_ACTING : NULL,
		.parent = order->parent_ref[0] == '\0' ? NULL : order->parent_ref,
		.callback_url = order->callback_url,
	};
}

/* As sandbox/operations.c answers. */
static void answer_make(enum ledger_outcome outcome, const struct entry *entry,
			struct answer *answer)
{
	switch (outcome) {
	case LEDGER_KEY_REUSED:
		answer_refuse(answer, REFUSAL_KEY_REUSED, NULL);
		break;
	case LEDGER_IN_PROGRESS:
		answer_refuse(answer, REFUSAL_IN_PROGRESS, NULL);
		break;
	case LEDGER_FULL:
		answer_refuse(answer, REFUSAL_FULL, NULL);
		break;
	case LEDGER_REPLAYED:
	case LEDGER_ENTERED:
		tale_answer(entry, entry->verdict.opened, false, answer);
		break;
	}
}

void sandbox_model_perform(struct sandbox_model *model, const char *gateway,
			   const struct gateway_order *order, const struct entry_verdict *verdict,
			   struct sandbox_deed *deed)
{
	struct names names;
	struct entry_terms terms = terms_of(gateway, order, verdict, &names);
	struct answer answer = { .kind = ANSWER_SEND };
	enum ledger_outcome outcome;
	struct http_answer http;

	*deed = (struct sandbox_deed){ .entry = NULL };
	ck_assert_int_eq(ledger_enter(model->ledger, &terms, verdict, true, &outcome, &deed->entry),
			 ERR_OK);
	ck_assert_int_ne(outcome, LEDGER_FULL);
	deed->is_new = outcome == LEDGER_ENTERED;
	if (deed->is_new)
		ledger_release(model->ledger, deed->entry);
	answer_make(outcome, deed->entry, &answer);
	http = arrived(&answer);
	gateway_sandbox.read(order, &http, &deed->answer);
	answer_done(&answer);
}

/* As sandbox/operations.c has it: some gateways know nothing of what is young or open. */
static bool is_blind(const struct profile *profile, const struct entry *entry,
		     enum entry_status status)
{
	const int64_t age_us = clock_now_us() - entry->verdict.at_us;

	return profile->blind_ms > 0 &&
	       (!entry_status_is_decided(status) || age_us < profile->blind_ms * INT64_C(1000));
}

void sandbox_model_ask(struct sandbox_model *model, const char *gateway,
		       const struct gateway_order *order, struct gateway_answer *answer)
{
	const size_t profile = profile_find(gateway);
	struct answer said = { .kind = ANSWER_SEND };
	const struct entry *entry;
	enum entry_status status;
	struct http_answer http;

	*answer = (struct gateway_answer){ .event = AE_LOST };
	if (!ledger_find(model->ledger, profile, order->our_reference, &entry, &status) ||
	    is_blind(profile_row(profile), entry, status))
		answer_refuse(&said, REFUSAL_NOT_FOUND, NULL);
	else
		tale_answer(entry, status, true, &said);
	http = arrived(&said);
	gateway_sandbox.read_inquiry(order, &http, answer);
	answer_done(&said);
}

void sandbox_model_decide(struct sandbox_model *model, struct entry *entry)
{
	ck_assert_int_eq(ledger_decide(model->ledger, &entry, 1, clock_now_us()), ERR_OK);
}

void sandbox_model_turn(struct sandbox_model *model, struct entry *entry)
{
	ck_assert_int_eq(ledger_turn(model->ledger, entry, clock_now_us()), ERR_OK);
}

enum entry_status sandbox_model_status(struct sandbox_model *model, const struct entry *entry)
{
	return ledger_status(model->ledger, entry);
}

static const char *signature_header(void *context, const char *name)
{
	return strcmp(name, "Sandbox-Signature") == 0 ? context : NULL;
}

void sandbox_model_notice(const struct gateway *gateway, const struct entry *entry,
			  enum tale_call call, char body[SANDBOX_MODEL_BODY],
			  struct gateway_notice *notice)
{
	char signature[SIGNATURE_SIZE];
	struct gateway_message message = { body, 0, signature_header, signature };
	struct render render = { .failed = false };
	char *text;

	tale_callback(entry, call, &render);
	text = render_take(&render, &message.body_size);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_lt(message.body_size, SANDBOX_MODEL_BODY);
	memcpy(body, text, message.body_size + 1);
	free(text);
	ck_assert_int_eq(signature_make(&gateway->callback_secrets[0], clock_now_us() / 1000000,
					body, message.body_size, signature),
			 ERR_OK);
	ck_assert_int_eq(gateway_sandbox.read_callback(gateway, &message, clock_now_us(), notice),
			 ERR_OK);
}
