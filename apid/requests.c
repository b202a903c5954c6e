/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "apid/actions.h"
#include "apid/call.h"
#include "apid/dispatcher.h"
#include "apid/etag.h"
#include "apid/key.h"
#include "apid/members.h"
#include "apid/render.h"
#include "core/payment.h"
#include "service/lookup.h"
#include "service/request.h"

#define DETAIL_SIZE 256

/* What differs between the paths. */
static const struct verb {
	enum operation_kind kind;
	enum id_kind id;
	const char *id_name;
	const char *place;  /* where the new one can be seen, before its id; NULL: nowhere */
	const char *action; /* of those that a refusal allows */
	const char *refused;
	const char *done; /* what becomes of the amount */
	const char *of;   /* what has become of all that it is a part of */
} capture = { OPERATION_CAPTURE,
	      ID_OPERATION,
	      "operation_id",
	      NULL,
	      "capture",
	      "Only what is authorised, and is not being released, can be captured.",
	      "captured",
	      "authorised" },
  refund = { OPERATION_REFUND, ID_REFUND, "refund_id",
	     "/refunds/",      "refund",  "Only what was captured can be refunded.",
	     "refunded",       "captured" };

/* One request on its way. */
struct asking {
	struct call *call;
	const struct verb *verb;
	struct transaction_view view;
	struct request_order order;
	char key[IDEMPOTENCY_KEY_SIZE];
	struct version_match match;
};

/* The transaction of the path: its currency says what an amount means. False: refused. */
static bool transaction_read(struct asking *asking)
{
	struct call *call = asking->call;
	struct id id;
	enum err err = ERR_NOT_FOUND; /* what is not an id names nothing */

	if (id_parse(ID_TRANSACTION, call->match.parameter, &id))
		err = lookup_transaction(call->app->lookups, call->claims.merchant, id,
					 call->deadline_boot_us, &asking->view);
	if (err == ERR_OK)
		return true;
	call_refuse(call, err, err == ERR_NOT_FOUND ? "There is no such transaction." : NULL);
	return false;
}

/* Amount and currency against the transaction's own. False: refused. */
static bool money_read(struct asking *asking, const struct field_member *members, size_t count)
{
	const char *own = asking->view.row.amount.currency;
	const struct field_value *amount = field_find(members, count, "amount");
	struct field_errors errors = { .count = 0 };
	struct request_order *order = &asking->order;

	order->currency = members_text(members, count, "currency");
	order->form = OPERATION_NO_FORM;
	if (*order->currency != '\0' && strcmp(order->currency, own) != 0)
		field_error_add(&errors, "currency", FIELD_CURRENCY,
				"must be the transaction's own currency, %s", own);
	if (amount != NULL && amount->kind != VALUE_NULL &&
	    payment_amount_read(amount, currency_find(own), &order->amount_minor, &errors))
		order->form = amount->kind == VALUE_INTEGER ? AMOUNT_MINOR : AMOUNT_MAJOR;
	if (errors.count > 0)
		call_refuse_errors(asking->call, ERR_INVALID, NULL, problem_errors(&errors));
	return errors.count == 0;
}

static void answer_receipt(const struct asking *asking, enum request_outcome outcome,
			   const struct request_receipt *receipt)
{
	const bool uncertain = outcome == REQUEST_UNCERTAIN;
	struct call *call = asking->call;
	const struct verb *verb = asking->verb;
	char id[ID_TEXT_SIZE], location[sizeof "/refunds/" + ID_TEXT_SIZE];
	json_t *body;

	id_format(verb->id, receipt->operation_id, id);
	if (verb->place != NULL) {
		(void)snprintf(location, sizeof location, "%s%s", verb->place, id);
		http_reply_header(call->reply, "Location", location);
	}
	if (outcome == REQUEST_REPLAYED)
		http_reply_header(call->reply, "Idempotency-Replayed", "true");
	body = render_requested(verb->id_name, id, receipt);
	if (uncertain)
		(void)json_object_set_new(body, "status_reason", json_string("outcome_unknown"));
	call_answer(call, uncertain ? 202 : 201, body);
}

/* Without what there is nothing left for. */
static void actions_leave(const char *const *actions, const char *out,
			  const char *left[ACTIONS_MAX])
{
	size_t count = 0;

	for (; *actions != NULL; actions++)
		if (strcmp(*actions, out) != 0)
			left[count++] = *actions;
	left[count] = NULL;
}

static void refuse_too_much(const struct asking *asking, const struct request_receipt *receipt)
{
	const struct transaction_row *row = &receipt->transaction;
	const struct verb *verb = asking->verb;
	const bool captures = verb->kind == OPERATION_CAPTURE;
	const int form =
		asking->order.form != OPERATION_NO_FORM ? asking->order.form : (int)row->form;
	const char *const *actions = actions_of(row);
	const char *others[ACTIONS_MAX];
	char left[MONEY_TEXT_SIZE], all[MONEY_TEXT_SIZE], detail[DETAIL_SIZE];

	(void)money_format_major(receipt->left_minor, row->exponent, left);
	(void)money_format_major(captures ? row->amount.minor : row->amount_captured, row->exponent,
				 all);
	if (receipt->left_minor > 0) {
		(void)snprintf(detail, sizeof detail,
			       "At most %s %s can be %s: that is left of the %s %s %s, beside "
			       "what is %s or being %s.",
			       left, row->amount.currency, verb->done, all, row->amount.currency,
			       verb->of, verb->done, verb->done);
	} else {
		(void)snprintf(detail, sizeof detail,
			       "Nothing is left to %s: all of the %s %s %s is %s or being %s.",
			       verb->action, all, row->amount.currency, verb->of, verb->done,
			       verb->done);
		actions_leave(actions, verb->action, others);
		actions = others;
	}
	call_refuse_state_with(asking->call, detail,
			       words_text(transaction_status_words, (int)row->status), actions,
			       render_left(form, receipt));
}

static void answer(const struct asking *asking, enum request_outcome outcome,
		   const struct request_receipt *receipt)
{
	struct call *call = asking->call;
	const struct transaction_row *transaction = &receipt->transaction;
	const char *status = words_text(transaction_status_words, (int)transaction->status);

	switch (outcome) {
	case REQUEST_KEY_REUSED:
		metrics_count(call->app->metrics, METRICS_IDEMPOTENCY_REUSED);
		key_refuse_reused(call, request_members, REQUEST_MEMBERS, receipt->differing);
		return;
	case REQUEST_REFUSED:
		call_refuse_state(call, asking->verb->refused, status, actions_of(transaction));
		return;
	case REQUEST_TOO_MUCH:
		refuse_too_much(asking, receipt);
		return;
	case REQUEST_REPLAYED:
		metrics_count(call->app->metrics, METRICS_IDEMPOTENCY_REPLAYED);
		break;
	case REQUEST_CREATED:
		metrics_count(call->app->metrics, METRICS_IDEMPOTENCY_CREATED);
		dispatcher_wake(call->app->dispatcher);
		break;
	case REQUEST_UNCERTAIN:
		dispatcher_wake(call->app->dispatcher);
		break;
	}
	answer_receipt(asking, outcome, receipt);
}

static void ask(struct call *call, const struct verb *verb)
{
	struct asking asking = { .call = call, .verb = verb };
	struct request_order *order = &asking.order;
	struct field_member members[FIELD_MEMBERS_MAX];
	struct request_receipt receipt;
	enum request_outcome outcome;
	size_t count, field_count;
	const struct field_spec *fields = payment_part_fields(&field_count);
	enum err err;

	if (!key_take_required(call, asking.key) ||
	    !members_read(call, fields, field_count, members, &count) ||
	    !transaction_read(&asking) || !money_read(&asking, members, count))
		return;
	order->merchant = call->claims.merchant;
	order->transaction_id = asking.view.row.id;
	order->kind = verb->kind;
	order->reason = members_text(members, count, "reason");
	order->token = members_text(members, count, "payment_token");
	order->idempotency_key = asking.key;
	order->api_call_id = call->api_call_id;
	order->wanted = etag_wanted(call->http, &asking.match);
	order->trace = call->trace;
	err = request_create(call->app->pool, &call->settings->vault, order, call_wait_ms(call),
			     &outcome, &receipt);
	if (err == ERR_OK)
		answer(&asking, outcome, &receipt);
	else
		call_refuse(call, err, NULL);
}

void requests_capture(struct call *call)
{
	ask(call, &capture);
}

void requests_refund(struct call *call)
{
	ask(call, &refund);
}
