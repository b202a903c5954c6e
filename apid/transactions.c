/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "apid/call.h"
#include "apid/customer_country.h"
#include "apid/dispatcher.h"
#include "apid/etag.h"
#include "apid/key.h"
#include "apid/no_route.h"
#include "apid/render.h"
#include "apid/stored_method.h"
#include "apid/transaction_list.h"
#include "apid/wait.h"
#include "base/clock.h"
#include "base/json.h"
#include "service/lookup.h"
#include "service/control.h"
#include "service/payment.h"

#define EVENTS_MAX 1000   /* of one timeline */
#define ATTEMPTS_MAX 1000 /* of one payment */

/* ---- POST /transactions, /deposit and /withdrawal ---- */

/* Step one: the members of the body, judged by core/payment.h. False: refused. */
static bool request_read(struct call *call, enum transaction_kind kind,
			 struct payment_request *request)
{
	struct field_member members[FIELD_MEMBERS_MAX];
	struct field_errors errors = { .count = 0 };
	struct json_arena arena;
	enum err err;
	const size_t count = json_members(call->body, members, &arena, &err);

	if (err != ERR_OK) {
		call_refuse(call, err, "The body has too many members.");
		return false;
	}
	if (payment_request_read(kind, members, count, request, &errors))
		return true;
	call_refuse_errors(call, ERR_INVALID, NULL, problem_errors(&errors));
	return false;
}

static void refuse_reused_key(struct call *call, enum transaction_kind kind, unsigned differing)
{
	size_t count;
	const struct field_spec *fields = payment_fields(kind, &count);

	key_refuse_reused_fields(call, fields, count, differing);
}

/* How each outcome is answered; PAYMENT_KEY_REUSED is a refusal. */
static const struct answer {
	int http_status;
	const char *status; /* the body's members of it */
	bool replayed;
	bool wake; /* there is something to send, where it is sent by itself */
} answers[] = {
	[PAYMENT_REPLAYED] = { 201, "\"status\":\"pending\"", true, false },
	[PAYMENT_CREATED] = { 201, "\"status\":\"pending\"", false, true },
	[PAYMENT_UNCERTAIN] = { 202,
				"\"status\":\"processing\",\"status_reason\":\"outcome_unknown\"",
				false, true },
};

static void answer_headers(struct call *call, const struct answer *answer,
			   const char id[ID_TEXT_SIZE])
{
	char location[sizeof "/transactions/" + ID_TEXT_SIZE];

	(void)snprintf(location, sizeof location, "/transactions/%s", id);
	http_reply_header(call->reply, "Location", location);
	if (answer->replayed)
		http_reply_header(call->reply, "Idempotency-Replayed", "true");
}

/* All of it is ours, so nothing needs to be escaped: written at once, since it is the hottest answer. */
static void answer_receipt(struct call *call, const struct answer *answer, int status,
			   const struct payment_receipt *receipt)
{
	char id[ID_TEXT_SIZE], at[CLOCK_TEXT_SIZE], body[256];

	id_format(ID_TRANSACTION, receipt->transaction_id, id);
	answer_headers(call, answer, id);
	(void)snprintf(body, sizeof body, "{\"transaction_id\":\"%s\",%s,\"created_at\":\"%s\"}",
		       id, answer->status, clock_format(receipt->created_at_us, at));
	call_answer_text(call, status, "application/json", strdup(body));
}

/* A definite failure is a refusal for who waited for it. */
static void refuse_declined(struct call *call, const struct transaction_view *view)
{
	const char *message;
	json_t *further = render_declined(view, &message);

	call_refuse_with(call, ERR_DECLINED, message, further);
}

/* What became of it until then; the receipt where not even its row can be read. */
static void answer_outcome(struct call *call, const struct answer *answer,
			   const struct payment_receipt *receipt, int64_t until_boot_us)
{
	struct json_writer writer = JSON_WRITER_EMPTY;
	struct transaction_view view;
	char id[ID_TEXT_SIZE];

	call_leave_room(call);
	if (lookup_transaction(call->app->lookups, call->claims.merchant, receipt->transaction_id,
			       call->deadline_boot_us, &view) != ERR_OK) {
		answer_receipt(call, answer, answer->http_status, receipt);
		return;
	}
	wait_for_answer(call, until_boot_us, &view);
	id_format(ID_TRANSACTION, receipt->transaction_id, id);
	answer_headers(call, answer, id);
	if (view.row.status == TS_FAILED) {
		refuse_declined(call, &view);
		return;
	}
	etag_set(call->reply, view.row.version);
	render_transaction(&writer, &view, RENDER_CUSTOMER);
	call_answer_written(call, wait_is_over(&view) && view.row.status != TS_PARKED ? 201 : 202,
			    &writer);
}

static void count_key(struct call *call, const char *key, enum payment_outcome outcome)
{
	static const enum metrics_counter counters[] = {
		[PAYMENT_REPLAYED] = METRICS_IDEMPOTENCY_REPLAYED,
		[PAYMENT_KEY_REUSED] = METRICS_IDEMPOTENCY_REUSED,
		[PAYMENT_CREATED] = METRICS_IDEMPOTENCY_CREATED,
	};

	if (outcome != PAYMENT_UNCERTAIN)
		key_count(call, key, counters[outcome]);
}

/* What the old deposit service's clients expect: taken, and worked at. */
static int status_of(enum transaction_kind kind, const struct answer *answer)
{
	return kind == TRANSACTION_PAYMENT ? answer->http_status : 202;
}

/* The request's country, else the customer's. False: refused. */
static bool country_find(struct call *call, const struct payment_request *request,
			 char country[sizeof request->country])
{
	enum err err = ERR_OK;

	memcpy(country, request->country, sizeof request->country);
	if (*country == '\0')
		err = customer_country_find(call->app->countries, call->claims.merchant,
					    request->customer, call->deadline_boot_us, country);
	if (err != ERR_OK)
		call_refuse(call, err, NULL);
	return err == ERR_OK;
}

/* What stands behind the request's members, whether any gateway takes it, and the commit. False: refused. */
static bool accept(struct call *call, struct payment_order *order,
		   struct payment_method_use *stored, enum payment_outcome *outcome,
		   struct payment_receipt *receipt)
{
	const struct payment_request *request = order->request;
	const char *key = order->idempotency_key;
	char country[sizeof request->country];
	enum err err;

	order->stored = request->method_id[0] != '\0' ? stored : NULL;
	order->country = country;
	if ((order->stored != NULL && !stored_method_take(call, request, key, stored)) ||
	    !country_find(call, request, country) ||
	    !no_route_check(call, order->kind, request, country, stored->gateway, key))
		return false;
	err = payment_accept(call->app->intake, &call->settings->vault, order,
			     call->deadline_boot_us, outcome, receipt);
	if (err != ERR_OK)
		call_refuse(call, err, NULL);
	return err == ERR_OK;
}

static void create(struct call *call, enum transaction_kind kind, const char *key)
{
	struct payment_request request;
	struct payment_order order = { .merchant = call->claims.merchant,
				       .kind = kind,
				       .request = &request,
				       .idempotency_key = key,
				       .api_call_id = call->api_call_id,
				       .now_us = clock_now_us(),
				       .manual_expiry_us = call->settings->manual_expiry_us,
				       .trace = call->trace };
	struct payment_method_use stored = { .gateway = "" };
	enum payment_outcome outcome;
	struct payment_receipt receipt;
	bool to_send, accepted;
	int64_t until_boot_us;

	if (!wait_read(call, &until_boot_us) || !request_read(call, kind, &request))
		return;
	to_send = request.process == PROCESS_AUTO;
	accepted = accept(call, &order, &stored, &outcome, &receipt);
	explicit_bzero(&request, sizeof request); /* both hold a payment token */
	explicit_bzero(&stored, sizeof stored);
	if (!accepted)
		return;
	count_key(call, key, outcome);
	if (outcome == PAYMENT_KEY_REUSED) {
		refuse_reused_key(call, kind, receipt.differing);
		return;
	}
	if (answers[outcome].wake && to_send)
		dispatcher_wake(call->app->dispatcher);
	if (until_boot_us != 0)
		answer_outcome(call, &answers[outcome], &receipt, until_boot_us);
	else
		answer_receipt(call, &answers[outcome], status_of(kind, &answers[outcome]),
			       &receipt);
}

void transactions_create(struct call *call)
{
	char key[IDEMPOTENCY_KEY_SIZE];

	if (key_take(call, key))
		create(call, TRANSACTION_PAYMENT, key);
}

void transactions_deposit(struct call *call)
{
	char key[IDEMPOTENCY_KEY_SIZE];

	if (key_take(call, key))
		create(call, TRANSACTION_DEPOSIT, key);
}

/* Only merchants that may do without: their clients are older than the rule. False: refused. */
static bool may_be_keyless(struct call *call)
{
	struct merchant_row row;
	enum err err = lookup_merchant(call->app->merchants, call->claims.merchant,
				       call->deadline_boot_us, &row);

	if (err == ERR_OK && row.keyless_withdrawals)
		return true;
	if (err == ERR_OK)
		call_refuse(call, ERR_KEY_REQUIRED, NULL);
	else
		call_refuse(call, err == ERR_NOT_FOUND ? ERR_MERCHANT : err, NULL);
	return false;
}

void transactions_withdraw(struct call *call)
{
	char key[IDEMPOTENCY_KEY_SIZE];

	if (key_take(call, key) && (*key != '\0' || may_be_keyless(call)))
		create(call, TRANSACTION_WITHDRAWAL, key);
}

/* ---- GET /transactions ---- */

void transactions_list(struct call *call)
{
	transaction_list_serve(call, "/transactions", NULL);
}

/* ---- GET /transactions/{transaction_id} and below ---- */

struct look { /* what hangs on one of the merchant's transactions */
	struct call *call;
	struct id id;
	struct transaction_view view;
	json_t *list; /* array, emptied at each try */
};

static void refuse_look(struct call *call, enum err err)
{
	call_refuse(call, err, err == ERR_NOT_FOUND ? "There is no such transaction." : NULL);
}

/* Run `work`; false: refused, and the list is gone. */
static bool look(struct look *look, store_work *work)
{
	struct call *call = look->call;
	enum err err = ERR_NOT_FOUND; /* what is not an id names nothing */

	if (id_parse(ID_TRANSACTION, call->match.parameter, &look->id))
		err = store_pool_look(call->app->pool, call_wait_ms(call), work, look);
	if (err == ERR_OK)
		return true;
	json_decref(look->list);
	refuse_look(call, err);
	return false;
}

static enum err look_transaction(struct store_tx *tx, void *context)
{
	struct look *at = context;

	return store_transaction_find(tx, at->call->claims.merchant, at->id, &at->view);
}

/* False: refused. */
static bool refresh_read(struct call *call, bool *refresh)
{
	const char *value = query_find(&call->query, "refresh");

	*refresh = value != NULL && strcmp(value, "true") == 0;
	if (value == NULL || *refresh || strcmp(value, "false") == 0)
		return true;
	call_refuse(call, ERR_QUERY, "The parameter refresh must be true or false.");
	return false;
}

/* Have the gateway asked, and wait for its answer as long as the request may take. */
static void refresh(struct call *call, int64_t until_boot_us, struct transaction_view *view)
{
	const struct control_request request = { .merchant = call->claims.merchant,
						 .transaction_id = view->row.id };
	bool due = false;

	if (control_ask(call->app->pool, &request, call_wait_ms(call), &due) != ERR_OK || !due)
		return;
	dispatcher_wake(call->app->dispatcher);
	wait_for_outcome(call, until_boot_us != 0 ? until_boot_us : wait_latest(call),
			 view->row.version, view);
}

void transactions_show(struct call *call)
{
	struct json_writer writer = JSON_WRITER_EMPTY;
	struct transaction_view view;
	struct id id;
	int64_t until_boot_us;
	bool refreshes;
	enum err err = ERR_NOT_FOUND; /* what is not an id names nothing */

	if (!wait_read(call, &until_boot_us) || !refresh_read(call, &refreshes))
		return;
	if (id_parse(ID_TRANSACTION, call->match.parameter, &id))
		err = lookup_transaction(call->app->lookups, call->claims.merchant, id,
					 call->deadline_boot_us, &view);
	if (err != ERR_OK) {
		refuse_look(call, err);
		return;
	}
	if (refreshes && !wait_is_over(&view))
		refresh(call, until_boot_us, &view);
	if (until_boot_us != 0)
		wait_for_outcome(call, until_boot_us, 0, &view);
	etag_set(call->reply, view.row.version);
	if (etag_is_held(call->http, view.row.version)) {
		call->reply->status = 304;
		return;
	}
	render_transaction(&writer, &view, RENDER_CUSTOMER);
	call_answer_written(call, 200, &writer);
}

static void event_add(void *context, const struct event_row *row)
{
	(void)json_array_append_new(context, render_event(row));
}

static enum err look_events(struct store_tx *tx, void *context)
{
	struct look *at = context;
	const char *merchant = at->call->claims.merchant;
	const enum err err = look_transaction(tx, at);

	(void)json_array_clear(at->list);
	if (err != ERR_OK)
		return err;
	return store_event_list(tx, merchant, at->id, 0, EVENTS_MAX + 1, event_add, at->list);
}

void transactions_events(struct call *call)
{
	struct look at = { .call = call, .list = json_array() };

	if (look(&at, look_events))
		call_answer_list(call, at.list, EVENTS_MAX);
}

static void attempt_add(void *context, const struct attempt_row *row)
{
	(void)json_array_append_new(context, render_attempt(row));
}

static enum err look_attempts(struct store_tx *tx, void *context)
{
	struct look *at = context;
	const enum err err = look_transaction(tx, at);

	(void)json_array_clear(at->list);
	if (err != ERR_OK)
		return err;
	return store_attempt_list(tx, at->call->claims.merchant, at->id, ATTEMPTS_MAX + 1,
				  attempt_add, at->list);
}

void transactions_attempts(struct call *call)
{
	struct look at = { .call = call, .list = json_array() };

	if (look(&at, look_attempts))
		call_answer_list(call, at.list, ATTEMPTS_MAX);
}
