/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "apid/call.h"
#include "apid/customer_country.h"
#include "apid/explain.h"
#include "apid/render.h"
#include "apid/stored_method.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "core/payment.h"
#include "core/routing.h"
#include "service/breakers.h"
#include "service/catalogue.h"

/* ---- GET /gateways ---- */

/* The words of a set; none for the empty one, which is every word. */
static json_t *set_json(const char *set)
{
	json_t *list = json_array();

	while (*set != '\0') {
		const size_t size = strcspn(set, " ");

		(void)json_array_append_new(list, json_stringn(set, size));
		set += size + (set[size] == ' ' ? 1 : 0);
	}
	return list;
}

static json_t *operations_json(unsigned operations)
{
	json_t *list = json_array();

	for (int i = 0; i < OPERATION_KIND_COUNT; i++)
		if ((operations >> i & 1) != 0)
			(void)json_array_append_new(
				list, json_string(words_text(operation_kind_words, i)));
	return list;
}

static json_t *maintenance_json(const struct routing_gateway *gateway, int64_t now_us)
{
	if (gateway->maintenance_until_us <= now_us)
		return json_null();
	return json_pack("{s:o, s:o, s:s}", "from", render_time(gateway->maintenance_from_us),
			 "until", render_time(gateway->maintenance_until_us), "reason",
			 gateway->maintenance_reason);
}

static json_t *gateway_json(const struct routing_gateway *gateway, int64_t now_us)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "gateway", gateway->name, "state",
			 words_text(routing_state_words, (int)gateway->state), "operations",
			 operations_json(gateway->operations), "currencies",
			 set_json(gateway->currencies), "countries", set_json(gateway->countries),
			 "payment_methods", set_json(gateway->methods), "maintenance",
			 maintenance_json(gateway, now_us));
}

static bool serves(const struct routing_gateway *gateway, const char *country, const char *currency)
{
	return (country == NULL || routing_set_has(gateway->countries, country)) &&
	       (currency == NULL || routing_set_has(gateway->currencies, currency));
}

/* A parameter that may be left out; false: refused. */
static bool parameter_read(struct call *call, const char *name, bool (*fits)(const char *text),
			   const char **value)
{
	*value = query_find(&call->query, name);
	if (*value == NULL || fits(*value))
		return true;
	call_refuse(call, ERR_QUERY,
		    "country is two capitals (ISO 3166-1), currency three (ISO 4217).");
	return false;
}

static bool is_country(const char *text)
{
	return text_is(TEXT_COUNTRY, text, strlen(text));
}

static bool is_currency(const char *text)
{
	return currency_find(text) != NULL;
}

void gateways_list(struct call *call)
{
	const struct catalogue_view *view;
	const char *country;
	const char *currency;
	json_t *list;

	if (!parameter_read(call, "country", is_country, &country) ||
	    !parameter_read(call, "currency", is_currency, &currency))
		return;
	list = json_array();
	view = catalogue_hold(call->app->catalogue);
	for (size_t i = 0; i < view->routing.gateway_count; i++)
		if (serves(&view->capabilities[i], country, currency))
			(void)json_array_append_new(
				list, gateway_json(&view->capabilities[i], clock_now_us()));
	catalogue_release(view);
	call_answer(call, 200, list);
}

/* ---- POST /routes/explain ---- */

struct explanation {
	struct routing_facts facts;
	struct payment_request request; /* what it says of country, method and customer, as a payment would */
	char token_gateway[METHOD_GATEWAY_SIZE];
};

/* The text of a member, or what stands for it where it is left out. */
static void text_take(const struct field_member *members, size_t count, const char *name,
		      const char *otherwise, char *out, size_t size)
{
	const struct field_value *value = field_find(members, count, name);
	const bool given = value != NULL && value->kind == VALUE_STRING;

	snprintf(out, size, "%s", given ? value->text : otherwise);
}

static bool amount_take(const struct field_member *members, size_t count,
			const struct currency *currency, int64_t *minor)
{
	const struct field_value *value = field_find(members, count, "amount");

	*minor = 1000;
	if (value == NULL || value->kind == VALUE_NULL)
		return true;
	if (value->kind == VALUE_INTEGER)
		return money_from_minor(value->integer, minor) == MONEY_OK;
	return money_from_major(value->text, value->text_size, currency->exponent, minor) ==
	       MONEY_OK;
}

static void request_take(const struct field_member *members, size_t count,
			 struct payment_request *request, struct field_errors *errors)
{
	text_take(members, count, "country", "", request->country, sizeof request->country);
	text_take(members, count, "payment_method", "", request->method, sizeof request->method);
	text_take(members, count, "customer_id", "", request->customer, sizeof request->customer);
	text_take(members, count, "payment_method_id", "", request->method_id,
		  sizeof request->method_id);
	if (request->method_id[0] != '\0' && request->customer[0] == '\0')
		field_error_add(errors, "customer_id", FIELD_MISSING,
				"must say whose the payment_method_id is");
}

static void facts_take(struct call *call, const struct field_member *members, size_t count,
		       struct explanation *explanation, struct field_errors *errors)
{
	struct routing_facts *facts = &explanation->facts;
	const struct currency *currency;
	char word[FIELD_NAME_SIZE];
	uint8_t random[10];

	crypto_random(random, sizeof random);
	*facts = (struct routing_facts){ .transaction_id = id_make(clock_now_us(), random),
					 .merchant = call->claims.merchant,
					 .country = explanation->request.country,
					 .method = explanation->request.method,
					 .token_gateway = explanation->token_gateway,
					 .now_us = clock_now_us() };
	request_take(members, count, &explanation->request, errors);
	text_take(members, count, "currency", "", word, sizeof word);
	currency = currency_find(word);
	if (currency == NULL) {
		field_error_add(errors, "currency", FIELD_CURRENCY,
				"must be an active ISO 4217 code");
		return;
	}
	memcpy(facts->amount.currency, currency->code, sizeof facts->amount.currency);
	if (!amount_take(members, count, currency, &facts->amount.minor))
		field_error_add(errors, "amount", FIELD_SYNTAX,
				"must be an amount as in a payment");
	text_take(members, count, "kind", "payment", word, sizeof word);
	facts->kind = (enum transaction_kind)words_find(transaction_kind_words, word);
	text_take(members, count, "operation", "charge", word, sizeof word);
	facts->operation = (enum operation_kind)words_find(operation_kind_words, word);
}

/* False: refused. */
static bool explanation_read(struct call *call, struct explanation *explanation)
{
	struct field_member members[FIELD_MEMBERS_MAX];
	struct field_errors errors = { .count = 0 };
	struct json_arena arena;
	enum err err;
	const size_t count = json_members(call->body, members, &arena, &err);
	size_t field_count;
	const struct field_spec *fields = explain_fields(&field_count);

	if (err != ERR_OK) {
		call_refuse(call, err, "The body has too many members.");
		return false;
	}
	field_check(fields, field_count, members, count, &errors);
	if (errors.count == 0)
		facts_take(call, members, count, explanation, &errors);
	if (errors.count == 0)
		return true;
	call_refuse_errors(call, ERR_INVALID, NULL, problem_errors(&errors));
	return false;
}

/* Its gateway and how it pays; the token is of no use here. False: refused, as a payment with it would be. */
static bool stored_take(struct call *call, struct explanation *explanation)
{
	struct payment_request *request = &explanation->request;
	struct payment_method_use stored;

	if (request->method_id[0] == '\0')
		return true;
	if (!stored_method_take(call, request, "", &stored))
		return false;
	explicit_bzero(stored.token, sizeof stored.token);
	memcpy(explanation->token_gateway, stored.gateway, sizeof explanation->token_gateway);
	memcpy(request->method, stored.method, sizeof request->method);
	return true;
}

/* What a payment is not asked for, as it is found when one comes. False: refused. */
static bool explanation_complete(struct call *call, struct explanation *explanation)
{
	struct payment_request *request = &explanation->request;
	enum err err = ERR_OK;

	if (!stored_take(call, explanation))
		return false;
	if (request->method[0] == '\0')
		(void)snprintf(request->method, sizeof request->method, "credit_card");
	if (request->country[0] == '\0' && request->customer[0] != '\0')
		err = customer_country_find(call->app->countries, call->claims.merchant,
					    request->customer, call->deadline_boot_us,
					    request->country);
	if (err != ERR_OK)
		call_refuse(call, err, NULL);
	return err == ERR_OK;
}

/* The rules up to the one that fits; what they say of other merchants is not shown. */
static json_t *rules_json(const struct routing_table *table, const struct routing_facts *facts,
			  int last)
{
	json_t *list = json_array();

	for (size_t i = 0; i < table->rule_count && (last < 0 || i <= (size_t)last); i++) {
		const enum routing_miss miss = routing_judge(&table->rules[i], facts);

		(void)json_array_append_new(
			list, json_pack("{s:s, s:b, s:s?}", "rule", table->rules[i].name, "fits",
					miss == ROUTING_FITS, "misses",
					miss == ROUTING_FITS
						? NULL
						: words_text(routing_miss_words, (int)miss)));
	}
	return list;
}

static json_t *candidates_json(const struct call *call, const struct routing_table *table,
			       const struct routing_decision *decision,
			       enum operation_kind operation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < decision->count; i++) {
		const struct routing_candidate *candidate = &decision->candidates[i];
		const char *name = table->gateways[candidate->gateway].name;
		const bool usable = candidate->drop == ROUTING_USABLE;
		const enum breaker_state breaker = breakers_state(
			call->app->breakers, name, (enum breaker_operation)operation);

		(void)json_array_append_new(
			list,
			json_pack("{s:s, s:b, s:s?, s:s}", "gateway", name, "usable", usable,
				  "reason",
				  usable ? NULL
					 : words_text(routing_drop_words, (int)candidate->drop),
				  "breaker", words_text(breaker_state_words, (int)breaker)));
	}
	return list;
}

void gateways_explain(struct call *call)
{
	struct explanation explanation = { .token_gateway = "" };
	const struct catalogue_view *view;
	struct routing_decision decision;
	json_t *body;

	if (!explanation_read(call, &explanation) || !explanation_complete(call, &explanation))
		return;
	view = catalogue_hold(call->app->catalogue);
	decision = routing_decide(&view->routing, &explanation.facts);
	body = json_pack(
		"{s:s?, s:o, s:o}", "rule",
		decision.rule == ROUTING_NO_RULE ? NULL : view->rules[decision.rule].name, "rules",
		rules_json(&view->routing, &explanation.facts, decision.rule), "candidates",
		candidates_json(call, &view->routing, &decision, explanation.facts.operation));
	catalogue_release(view);
	call_answer(call, 200, body);
}
