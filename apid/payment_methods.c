/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* The methods that a customer pays with: what a gateway's token is known by; the token itself is never answered. */
#include <stdio.h>
#include <string.h>

#include "apid/call.h"
#include "apid/etag.h"
#include "apid/key.h"
#include "apid/render_customer.h"
#include "base/json.h"
#include "service/catalogue.h"
#include "service/payment_method.h"

#define NO_CUSTOMER "There is no such customer."
#define NO_METHOD "There is no such customer or payment method."

static struct customer_desk desk_of(const struct call *call)
{
	return (struct customer_desk){ call->app->pool, &call->settings->vault,
				       call_wait_ms(call) };
}

static struct payment_method_target target_of(const struct call *call)
{
	return (struct payment_method_target){ .merchant = call->claims.merchant,
					       .customer = call->match.parameter };
}

static void answer(struct call *call, int status, const struct payment_method_row *row)
{
	struct json_writer writer = JSON_WRITER_EMPTY;

	if (row->version != 0)
		etag_set(call->reply, row->version);
	render_customer_method(&writer, row);
	call_answer_written(call, status, &writer);
}

/* ---- POST /customers/{customer_id}/payment-methods ---- */

/* A token is of use at a gateway that there is. */
static void judge_gateway(const struct call *call, const char *name, struct field_errors *errors)
{
	const struct catalogue_view *view = catalogue_hold(call->app->catalogue);
	const bool known = routing_gateway_find(&view->routing, name) < view->routing.gateway_count;

	catalogue_release(view);
	if (!known)
		field_error_add(errors, "gateway", FIELD_NOT_A_WORD,
				"must be one of those of GET /gateways");
}

/* False: refused. */
static bool request_read(struct call *call, struct payment_method_request *request)
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
	if (payment_method_read(members, count, request, &errors))
		judge_gateway(call, request->gateway, &errors);
	if (errors.count == 0)
		return true;
	call_refuse_errors(call, ERR_INVALID, NULL, problem_errors(&errors));
	return false;
}

static void answer_added(struct call *call, const struct payment_method_row *row)
{
	char customer[3 * PAYMENT_CUSTOMER_SIZE + 1], id[ID_TEXT_SIZE];
	char location[HTTP_REPLY_VALUE_SIZE];

	if (http_percent_encode(call->match.parameter, customer, sizeof customer)) {
		(void)snprintf(location, sizeof location, "/customers/%s/payment-methods/%s",
			       customer, id_format(ID_PAYMENT_METHOD, row->id, id));
		http_reply_header(call->reply, "Location", location);
	}
	answer(call, 201, row);
}

static void refuse_exists(struct call *call, const struct payment_method_row *row)
{
	char id[ID_TEXT_SIZE], detail[128];

	(void)snprintf(detail, sizeof detail,
		       "The customer has this token of this gateway already: it is %s.",
		       id_format(ID_PAYMENT_METHOD, row->id, id));
	call_refuse(call, ERR_CONFLICT, detail);
}

static void refuse_reused_key(struct call *call, const struct creation *creation)
{
	size_t count;
	const struct field_spec *specs = payment_method_fields(&count);

	key_refuse_reused_fields(call, specs, count, creation->differing);
}

/* What became of it, and of its key. */
static void answer_addition(struct call *call, const struct creation *creation,
			    enum payment_method_outcome outcome,
			    const struct payment_method_row *row)
{
	const char *key = creation->idempotency_key;

	switch (outcome) {
	case METHOD_REPLAYED:
		key_count(call, key, METRICS_IDEMPOTENCY_REPLAYED);
		http_reply_header(call->reply, "Idempotency-Replayed", "true");
		answer_added(call, row);
		return;
	case METHOD_KEY_REUSED:
		key_count(call, key, METRICS_IDEMPOTENCY_REUSED);
		refuse_reused_key(call, creation);
		return;
	case METHOD_EXISTS:
		refuse_exists(call, row);
		return;
	case METHOD_FULL:
		call_refuse(call, ERR_CONFLICT,
			    "The customer has 50 payment methods already: delete one first.");
		return;
	case METHOD_DONE:
		key_count(call, key, METRICS_IDEMPOTENCY_CREATED);
		answer_added(call, row);
		return;
	}
}

static void refuse_addition(struct call *call, const char *key, enum err err)
{
	if (err == ERR_BUSY && *key != '\0')
		call_refuse(call, ERR_KEY_IN_FLIGHT, NULL);
	else
		call_refuse(call, err, err == ERR_NOT_FOUND ? NO_CUSTOMER : NULL);
}

void payment_methods_add(struct call *call)
{
	char key[IDEMPOTENCY_KEY_SIZE];
	struct creation creation = { .idempotency_key = key };
	const struct customer_desk desk = desk_of(call);
	struct payment_method_target target = target_of(call);
	struct payment_method_request request;
	enum payment_method_outcome outcome = METHOD_DONE;
	struct payment_method_row row;
	enum err err;

	if (!key_take(call, key) || !request_read(call, &request))
		return;
	target.creation = *key != '\0' ? &creation : NULL;
	err = payment_method_add(&desk, &target, &request, &outcome, &row);
	explicit_bzero(&request, sizeof request); /* it holds the token */
	if (err == ERR_OK)
		answer_addition(call, &creation, outcome, &row);
	else
		refuse_addition(call, key, err);
}

/* ---- GET, DELETE …/payment-methods[/{payment_method_id}] ---- */

struct look {
	struct payment_method_target target;
	struct json_writer writer; /* emptied at each try */
};

static void method_add(void *context, const struct payment_method_row *row)
{
	struct look *look = context;

	render_customer_method(&look->writer, row);
}

static enum err look_methods(struct store_tx *tx, void *context)
{
	struct look *look = context;

	json_writer_done(&look->writer);
	json_open(&look->writer, '[');
	return payment_method_list(tx, &look->target, method_add, look);
}

void payment_methods_list(struct call *call)
{
	struct look look = { .target = target_of(call) };
	enum err err = store_pool_look(call->app->pool, call_wait_ms(call), look_methods, &look);

	if (err != ERR_OK) {
		json_writer_done(&look.writer);
		call_refuse(call, err, err == ERR_NOT_FOUND ? NO_CUSTOMER : NULL);
		return;
	}
	json_close(&look.writer, ']');
	call_answer_written(call, 200, &look.writer);
}

void payment_methods_show(struct call *call)
{
	struct payment_method_target target = target_of(call);
	struct payment_method_row row;
	enum err err = ERR_NOT_FOUND; /* what is not an id names nothing */

	if (id_parse(ID_PAYMENT_METHOD, call->match.second, &target.id))
		err = payment_method_show(call->app->methods, &target, call->deadline_boot_us,
					  &row);
	if (err != ERR_OK) {
		call_refuse(call, err, err == ERR_NOT_FOUND ? NO_METHOD : NULL);
		return;
	}
	if (etag_is_held(call->http, row.version)) {
		etag_set(call->reply, row.version);
		call->reply->status = 304;
		return;
	}
	answer(call, 200, &row);
}

void payment_methods_remove(struct call *call)
{
	const struct customer_desk desk = desk_of(call);
	struct payment_method_target target = target_of(call);
	struct version_match match;
	enum err err = ERR_NOT_FOUND;

	target.wanted = etag_wanted(call->http, &match);
	if (id_parse(ID_PAYMENT_METHOD, call->match.second, &target.id))
		err = payment_method_remove(&desk, &target);
	if (err == ERR_OK)
		call->reply->status = 204;
	else
		call_refuse(call, err, err == ERR_NOT_FOUND ? NO_METHOD : NULL);
}
