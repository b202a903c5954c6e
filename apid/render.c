/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/render.h"

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "core/decline.h"

/* ---- members; a failed setter leaves the member out, which only want of memory can cause ---- */

static void put(json_t *object, const char *name, json_t *value)
{
	(void)json_object_set_new(object, name, value);
}

/* "" is null; so is what is not UTF-8, which a gateway's own words may be. */
static void put_text(json_t *object, const char *name, const char *text)
{
	json_t *value = *text != '\0' ? json_string(text) : NULL;

	put(object, name, value != NULL ? value : json_null());
}

static void put_id(json_t *object, const char *name, enum id_kind kind, struct id id)
{
	char text[ID_TEXT_SIZE] = "";

	if (!id_is_empty(id))
		id_format(kind, id, text);
	put_text(object, name, text);
}

/* A value below zero is none. */
static void put_word(json_t *object, const char *name, struct words words, int value)
{
	put_text(object, name, value < 0 ? "" : words_text(words, value));
}

/* 0 is null. */
static void put_count(json_t *object, const char *name, int64_t value)
{
	put(object, name, value != 0 ? json_integer(value) : json_null());
}

static void put_time(json_t *object, const char *name, int64_t at_us)
{
	put(object, name, render_time(at_us));
}

json_t *render_time(int64_t at_us)
{
	char text[CLOCK_TEXT_SIZE];

	return at_us == 0 ? json_null() : json_string(clock_format(at_us, text));
}

/* ---- transactions ---- */

json_t *render_declined(const struct transaction_view *view, const char **message)
{
	const char *code = view->row.failure_code;
	const struct decline *advice = decline_of_failure(code, view->decline_code);
	json_t *object = json_object();

	put_id(object, "transaction_id", ID_TRANSACTION, view->row.id);
	put_text(object, "decline_code", advice->code);
	put_word(object, "advice", advice_words, (int)advice->advice);
	*message = advice->message;
	return object;
}

/* ---- the same members, written at once ---- */

static void write_text(struct json_writer *writer, const char *name, const char *text)
{
	json_name(writer, name);
	json_put_text(writer, text);
}

static void write_time(struct json_writer *writer, const char *name, int64_t at_us)
{
	char text[CLOCK_TEXT_SIZE] = "";

	if (at_us != 0)
		clock_format(at_us, text);
	write_text(writer, name, text);
}

static void write_amount(struct json_writer *writer, const char *name,
			 const struct transaction_row *row, int64_t minor)
{
	char text[MONEY_TEXT_SIZE];

	json_name(writer, name);
	if (row->form == AMOUNT_MINOR)
		json_put_integer(writer, minor);
	else
		json_put_text(writer, money_format_major(minor, row->exponent, text));
}

static void write_failure(struct json_writer *writer, const struct transaction_view *view)
{
	const char *code = view->row.failure_code;
	const struct decline *advice = decline_of_failure(code, view->decline_code);

	json_name(writer, "failure");
	if (*code == '\0') {
		json_put_null(writer);
		return;
	}
	json_open(writer, '{');
	write_text(writer, "code", code);
	write_text(writer, "decline_code", view->decline_code);
	write_text(writer, "advice", words_text(advice_words, (int)advice->advice));
	write_text(writer, "message", advice->message);
	json_close(writer, '}');
}

static void write_changing(struct json_writer *writer, const struct transaction_view *view)
{
	const struct transaction_row *row = &view->row;
	const char *next = view->next_action == NEXT_NONE
				   ? ""
				   : words_text(next_action_words, (int)view->next_action);

	write_amount(writer, "amount_captured", row, row->amount_captured);
	write_amount(writer, "amount_refunded", row, row->amount_refunded);
	write_text(writer, "gateway", view->gateway);
	write_text(writer, "gateway_txn_id", view->gateway_ref);
	write_failure(writer, view);
	write_text(writer, "next_action", next);
	write_time(writer, "next_action_at", view->next_action_at_us);
}

void render_transaction(struct json_writer *writer, const struct transaction_view *view,
			enum render_customer customer)
{
	const struct transaction_row *row = &view->row;
	char id[ID_TEXT_SIZE];

	json_open(writer, '{');
	id_format(ID_TRANSACTION, row->id, id);
	write_text(writer, "transaction_id", id);
	write_text(writer, "status", words_text(transaction_status_words, (int)row->status));
	write_text(writer, "status_reason", row->status_reason);
	write_amount(writer, "amount", row, row->amount.minor);
	write_text(writer, "currency", row->amount.currency);
	write_text(writer, "payment_method", row->method);
	id[0] = '\0';
	if (!id_is_empty(view->payment_method_id))
		id_format(ID_PAYMENT_METHOD, view->payment_method_id, id);
	write_text(writer, "payment_method_id", id);
	write_text(writer, "description", row->description);
	if (customer == RENDER_CUSTOMER)
		write_text(writer, "customer_id", row->customer);
	write_time(writer, "created_at", row->created_at_us);
	write_time(writer, "updated_at", row->updated_at_us);
	write_changing(writer, view);
	json_name(writer, "instructions"); /* kept as JSON text too */
	json_put_raw(writer, view->instructions[0] != '\0' ? view->instructions : "null");
	json_name(writer, "metadata"); /* stored as canonical JSON text */
	json_put_raw(writer, row->metadata[0] != '\0' ? row->metadata : "null");
	json_close(writer, '}');
}

/* ---- captures and refunds ---- */

static json_t *amount_in(int form, uint8_t exponent, int64_t minor)
{
	char text[MONEY_TEXT_SIZE];

	if (form == AMOUNT_MINOR)
		return json_integer(minor);
	return json_string(money_format_major(minor, exponent, text));
}

json_t *render_requested(const char *id_name, const char *id, const struct request_receipt *receipt)
{
	const struct transaction_row *row = &receipt->transaction;
	const int form = receipt->form != OPERATION_NO_FORM ? receipt->form : (int)row->form;
	json_t *object = json_object();

	put_text(object, id_name, id);
	put_id(object, "transaction_id", ID_TRANSACTION, row->id);
	put(object, "amount", amount_in(form, row->exponent, receipt->amount_minor));
	put_text(object, "currency", row->amount.currency);
	put_text(object, "reason", receipt->reason);
	put_text(object, "status", "pending");
	put_time(object, "created_at", receipt->created_at_us);
	return object;
}

json_t *render_left(int form, const struct request_receipt *receipt)
{
	const struct transaction_row *row = &receipt->transaction;
	json_t *object = json_object();

	put(object, "amount_left", amount_in(form, row->exponent, receipt->left_minor));
	put_text(object, "currency", row->amount.currency);
	return object;
}

static json_t *refund_failure(const struct refund_view *view)
{
	const struct decline *advice = decline_of_failure(view->status_reason, view->decline_code);
	json_t *object;

	if (view->status != OS_FAILED)
		return json_null();
	object = json_object();
	put_text(object, "code", view->status_reason);
	put_text(object, "decline_code", view->decline_code);
	put_word(object, "advice", advice_words, (int)advice->advice);
	put_text(object, "message", "The refund failed; nothing was given back.");
	return object;
}

json_t *render_refund(const struct refund_view *view)
{
	const int next = view->next_action == NEXT_NONE ? -1 : (int)view->next_action;
	const int form = view->form == OPERATION_NO_FORM ? (int)view->transaction_form : view->form;
	json_t *object = json_object();

	put_id(object, "refund_id", ID_REFUND, view->id);
	put_id(object, "transaction_id", ID_TRANSACTION, view->transaction_id);
	put_word(object, "status", operation_status_words, (int)view->status);
	put_text(object, "status_reason", view->status_reason);
	put(object, "amount", amount_in(form, view->exponent, view->amount.minor));
	put_text(object, "currency", view->amount.currency);
	put_text(object, "reason", view->reason);
	put(object, "surplus", json_boolean(view->surplus));
	put_text(object, "gateway", view->gateway);
	put_text(object, "gateway_txn_id", view->gateway_ref);
	put(object, "failure", refund_failure(view));
	put_word(object, "next_action", next_action_words, next);
	put_time(object, "next_action_at", view->next_action_at_us);
	put_time(object, "created_at", view->created_at_us);
	put_time(object, "updated_at", view->updated_at_us);
	return object;
}

/* ---- timeline ---- */

json_t *render_event(const struct event_row *row)
{
	json_t *object = json_object();

	put_id(object, "event_id", ID_EVENT, row->id);
	put(object, "sequence", json_integer(row->sequence));
	put_text(object, "type", row->type);
	put_word(object, "status", transaction_status_words, row->transaction_to);
	put_word(object, "from_status", transaction_status_words, row->transaction_from);
	put_id(object, "operation_id", ID_OPERATION, row->operation_id);
	put_word(object, "operation_status", operation_status_words, row->operation_to);
	put_id(object, "attempt_id", ID_ATTEMPT, row->attempt_id);
	put_word(object, "attempt_status", attempt_status_words, row->attempt_to);
	put_text(object, "reason", row->reason);
	put_text(object, "api_call_id", row->api_call_id);
	put_time(object, "at", row->at_us);
	return object;
}

json_t *render_attempt(const struct attempt_row *row)
{
	const int class = row->class == ATTEMPT_CLASS_NONE ? -1 : (int)row->class;
	json_t *object = json_object();

	put_id(object, "attempt_id", ID_ATTEMPT, row->id);
	put_id(object, "operation_id", ID_OPERATION, row->operation_id);
	put(object, "number", json_integer(row->number));
	put_text(object, "gateway", row->gateway);
	put_word(object, "status", attempt_status_words, (int)row->status);
	put_word(object, "class", attempt_class_words, class);
	put_text(object, "gateway_txn_id", row->gateway_ref);
	put_text(object, "our_reference", row->our_reference);
	put_text(object, "decline_code", row->decline_code);
	put_count(object, "http_status", row->http_status);
	put_text(object, "reason", row->reason);
	put_text(object, "answer", row->answer_masked);
	put(object, "asked_count", json_integer(row->asked_count));
	put_time(object, "prepared_at", row->prepared_at_us);
	put_time(object, "sent_at", row->sent_at_us);
	put_time(object, "answered_at", row->answered_at_us);
	put_time(object, "asked_at", row->asked_at_us);
	put_time(object, "contradicted_at", row->contradicted_at_us);
	return object;
}

/* ---- the proof in words ---- */

static json_t *why_steps(const struct why *why)
{
	json_t *list = json_array();

	for (size_t i = 0; i < why->step_count; i++) {
		const struct why_step *step = &why->steps[i];
		json_t *object = json_object();

		put_time(object, "at", step->at_us);
		put_count(object, "sequence", step->sequence);
		put_text(object, "text", step->text);
		put_text(object, "evidence", step->evidence);
		put_text(object, "rule", step->rule);
		(void)json_array_append_new(list, object);
	}
	return list;
}

static json_t *why_next(const struct why *why)
{
	json_t *list = json_array();

	for (size_t i = 0; i < why->next_count; i++) {
		json_t *object = json_object();

		put_word(object, "action", next_action_words, (int)why->next[i].action);
		put_time(object, "at", why->next[i].at_us);
		put_text(object, "text", why->next[i].text);
		(void)json_array_append_new(list, object);
	}
	return list;
}

static json_t *why_exceptions(const struct why *why)
{
	json_t *list = json_array();

	for (size_t i = 0; i < why->exception_count; i++) {
		const struct exception_row *row = &why->exceptions[i].row;
		json_t *object = json_object();

		put_id(object, "exception_id", ID_EXCEPTION, row->id);
		put_word(object, "kind", exception_kind_words, (int)row->kind);
		put_word(object, "state", exception_state_words, (int)row->state);
		put_id(object, "attempt_id", ID_ATTEMPT, row->attempt_id);
		put_time(object, "opened_at", row->opened_at_us);
		put_time(object, "resolved_at", row->resolved_at_us);
		put_text(object, "text", why->exceptions[i].text);
		put_text(object, "detail", row->detail);
		(void)json_array_append_new(list, object);
	}
	return list;
}

json_t *render_why(const struct why *why)
{
	json_t *object = json_object();

	put_id(object, "transaction_id", ID_TRANSACTION, why->transaction.id);
	put_word(object, "status", transaction_status_words, (int)why->transaction.status);
	put_word(object, "charged", why_verdict_words, (int)why->verdict);
	put_text(object, "charged_text", why->verdict_text);
	put(object, "safe_to_retry", json_boolean(why_retry_is_safe(why->retry)));
	put_word(object, "safe_to_retry_reason", why_retry_words, (int)why->retry);
	put_text(object, "safe_to_retry_text", why->retry_text);
	put(object, "steps", why_steps(why));
	put(object, "next", why_next(why));
	put(object, "exceptions", why_exceptions(why));
	put(object, "truncated", json_boolean(why->truncated));
	return object;
}
