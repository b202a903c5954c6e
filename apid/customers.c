/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "apid/call.h"
#include "apid/customer_country.h"
#include "apid/customer_list.h"
#include "apid/etag.h"
#include "apid/key.h"
#include "apid/render_customer.h"
#include "apid/transaction_list.h"
#include "base/clock.h"
#include "base/json.h"
#include "service/customer.h"

#define CUSTOMER_FIELD "customer_id"
#define NO_CUSTOMER "There is no such customer."

struct body { /* a request's members, and what they stand in */
	struct field_member members[FIELD_MEMBERS_MAX];
	struct json_arena arena;
};

static struct customer_desk desk_of(const struct call *call)
{
	return (struct customer_desk){ call->app->pool, &call->settings->vault,
				       call_wait_ms(call) };
}

/* The members of the body, judged by a table of core/customer.h. False: refused. */
static bool body_read(struct call *call, const struct field_spec *specs, size_t spec_count,
		      struct body *body, struct customer_request *request)
{
	struct field_errors errors = { .count = 0 };
	char today[CLOCK_TEXT_SIZE];
	enum err err;
	const size_t count = json_members(call->body, body->members, &body->arena, &err);

	if (err != ERR_OK) {
		call_refuse(call, err, "The body has too many members.");
		return false;
	}
	clock_format(clock_now_us(), today);
	today[CUSTOMER_DAY_SIZE - 1] = '\0';
	request->merchant = call->claims.merchant;
	request->members = body->members;
	request->count = count;
	if (customer_check(specs, spec_count, body->members, count, today, &errors))
		return true;
	call_refuse_errors(call, ERR_INVALID, NULL, problem_errors(&errors));
	return false;
}

/* Payments to come may have their country from it. */
static void learn(struct call *call, const struct customer *customer)
{
	if (customer->profile.country[0] != '\0')
		customer_country_learn(call->app->countries, call->claims.merchant);
}

static void answer(struct call *call, int status, const struct customer *customer)
{
	struct json_writer writer = JSON_WRITER_EMPTY;

	if (customer->version != 0)
		etag_set(call->reply, customer->version);
	render_customer(&writer, customer);
	call_answer_written(call, status, &writer);
}

/* Where a customer is, percent-encoded. */
static void path_write(const char *customer, const char *below, char *out, size_t size)
{
	char encoded[3 * PAYMENT_CUSTOMER_SIZE + 1];
	const bool fits = http_percent_encode(customer, encoded, sizeof encoded);

	assert(fits);
	(void)fits;
	(void)snprintf(out, size, "/customers/%s%s", encoded, below);
}

/* ---- POST /customers ---- */

static void refuse_metadata(struct call *call)
{
	json_t *errors = json_array();

	problem_error_add(errors, "metadata", PROBLEM_IN_BODY, field_code_word(FIELD_LENGTH),
			  "with what is there already it would be more than 20 members or 4096 "
			  "bytes of JSON: remove some with null");
	call_refuse_errors(call, ERR_INVALID, NULL, errors);
}

static void answer_created(struct call *call, const struct customer *customer)
{
	char location[HTTP_REPLY_VALUE_SIZE];

	learn(call, customer);
	path_write(customer->customer, "", location, sizeof location);
	http_reply_header(call->reply, "Location", location);
	answer(call, 201, customer);
}

static void refuse_reused_key(struct call *call, const struct creation *creation)
{
	size_t count;
	const struct field_spec *specs = customer_fields(&count);

	key_refuse_reused_fields(call, specs, count, creation->differing);
}

/* What became of it, and of its key. */
static void answer_creation(struct call *call, const struct creation *creation,
			    enum customer_outcome outcome, const struct customer *customer)
{
	const char *key = creation->idempotency_key;

	switch (outcome) {
	case CUSTOMER_TOO_LARGE:
		refuse_metadata(call);
		return;
	case CUSTOMER_REPLAYED:
		key_count(call, key, METRICS_IDEMPOTENCY_REPLAYED);
		http_reply_header(call->reply, "Idempotency-Replayed", "true");
		answer_created(call, customer);
		return;
	case CUSTOMER_KEY_REUSED:
		key_count(call, key, METRICS_IDEMPOTENCY_REUSED);
		refuse_reused_key(call, creation);
		return;
	case CUSTOMER_EXISTS:
		call_refuse(call, ERR_CONFLICT,
			    "There is a customer of this customer_id: change it with PATCH.");
		return;
	case CUSTOMER_UNCHANGED:
	case CUSTOMER_DONE:
		key_count(call, key, METRICS_IDEMPOTENCY_CREATED);
		answer_created(call, customer);
		return;
	}
}

void customers_create(struct call *call)
{
	char key[IDEMPOTENCY_KEY_SIZE];
	struct creation creation = { .idempotency_key = key };
	const struct customer_desk desk = desk_of(call);
	struct body body;
	struct customer_request request = { .customer = "" };
	enum customer_outcome outcome;
	struct customer customer;
	const struct field_value *given;
	size_t spec_count;
	const struct field_spec *specs = customer_fields(&spec_count);
	enum err err;

	if (!key_take(call, key) || !body_read(call, specs, spec_count, &body, &request))
		return;
	request.creation = *key != '\0' ? &creation : NULL;
	given = field_find(body.members, request.count, CUSTOMER_FIELD);
	if (given != NULL && given->kind == VALUE_STRING)
		request.customer = given->text;
	err = customer_create(&desk, &request, &outcome, &customer);
	if (err == ERR_OK)
		answer_creation(call, &creation, outcome, &customer);
	else
		call_refuse(call, err == ERR_BUSY && *key != '\0' ? ERR_KEY_IN_FLIGHT : err, NULL);
}

/* ---- GET, PATCH, DELETE /customers/{customer_id} ---- */

static void refuse(struct call *call, enum err err)
{
	call_refuse(call, err, err == ERR_NOT_FOUND ? NO_CUSTOMER : NULL);
}

void customers_show(struct call *call)
{
	const struct customer_desk desk = desk_of(call);
	struct customer customer;
	enum err err =
		customer_show(&desk, call->claims.merchant, call->match.parameter, &customer);

	if (err != ERR_OK) {
		refuse(call, err);
		return;
	}
	if (etag_is_held(call->http, customer.version)) {
		etag_set(call->reply, customer.version);
		call->reply->status = 304;
		return;
	}
	answer(call, 200, &customer);
}

void customers_amend(struct call *call)
{
	const struct customer_desk desk = desk_of(call);
	struct version_match match;
	struct body body;
	struct customer_request request = { .customer = call->match.parameter,
					    .wanted = etag_wanted(call->http, &match) };
	enum customer_outcome outcome;
	struct customer customer;
	size_t spec_count;
	const struct field_spec *specs = customer_amendment_fields(&spec_count);
	enum err err;

	if (!body_read(call, specs, spec_count, &body, &request))
		return;
	err = customer_amend(&desk, &request, &outcome, &customer);
	if (err != ERR_OK)
		refuse(call, err);
	else if (outcome == CUSTOMER_TOO_LARGE)
		refuse_metadata(call);
	else {
		learn(call, &customer);
		answer(call, 200, &customer);
	}
}

void customers_erase(struct call *call)
{
	const struct customer_desk desk = desk_of(call);
	struct version_match match;
	const struct customer_request request = { .merchant = call->claims.merchant,
						  .customer = call->match.parameter,
						  .wanted = etag_wanted(call->http, &match) };
	const enum err err = customer_erase(&desk, &request);

	if (err == ERR_OK)
		call->reply->status = 204;
	else
		refuse(call, err);
}

/* ---- lists ---- */

void customers_list(struct call *call)
{
	customer_list_serve(call);
}

/* The customer of the path, judged as in a payment. False: refused. */
static bool customer_is_valid(struct call *call)
{
	const char *customer = call->match.parameter;
	const struct field_member member = {
		CUSTOMER_FIELD,
		{ .kind = VALUE_STRING, .text = customer, .text_size = strlen(customer) },
	};
	struct field_errors errors = { .count = 0 };
	json_t *list;
	size_t count;
	const struct field_spec *spec = payment_fields(TRANSACTION_PAYMENT, &count);

	while (strcmp(spec->name, CUSTOMER_FIELD) != 0)
		spec++;
	if (text_is_utf8(customer, member.value.text_size))
		field_check(spec, 1, &member, 1, &errors);
	else
		field_error_add(&errors, CUSTOMER_FIELD, FIELD_CHARACTERS, "must be UTF-8");
	if (errors.count == 0)
		return true;
	list = json_array();
	problem_error_add(list, CUSTOMER_FIELD, PROBLEM_ELSEWHERE,
			  field_code_word(errors.list[0].code), errors.list[0].message);
	call_refuse_errors(call, ERR_INVALID, "The customer in the path is not valid.", list);
	return false;
}

void customers_transactions(struct call *call)
{
	char path[HTTP_REPLY_VALUE_SIZE];

	if (!customer_is_valid(call))
		return;
	path_write(call->match.parameter, "/transactions", path, sizeof path);
	transaction_list_serve(call, path, call->match.parameter);
}
