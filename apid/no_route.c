/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/no_route.h"

#include <stdio.h>
#include <string.h>

#include "apid/key.h"
#include "base/clock.h"
#include "core/routing.h"
#include "service/catalogue.h"

#define DETAIL_SIZE 512

/* What a gateway says against a payment, behind its name. */
static const char *const sayings[] = {
	[ROUTING_USABLE] = "takes it",
	[ROUTING_DROP_DISABLED] = "is switched off",
	[ROUTING_DROP_DRAINING] = "takes no new payments",
	[ROUTING_DROP_OPERATION] = "cannot do this",
	[ROUTING_DROP_CURRENCY] = "does not take the currency",
	[ROUTING_DROP_COUNTRY] = "does not serve the country",
	[ROUTING_DROP_METHOD] = "does not take the payment method",
	[ROUTING_DROP_AMOUNT] = "does not take an amount of this size",
	[ROUTING_DROP_TOKEN] = "does not know the payment token",
	[ROUTING_DROP_MAINTENANCE] = "is in maintenance",
};

/* "Rule default: alpha does not take the currency; beta is switched off." */
static void detail_write(const struct routing_table *table, const struct routing_decision *decision,
			 char detail[DETAIL_SIZE])
{
	size_t used;

	if (decision->rule == ROUTING_NO_RULE) {
		snprintf(detail, DETAIL_SIZE, "There are no routes yet.");
		return;
	}
	used = (size_t)snprintf(detail, DETAIL_SIZE,
				"Rule %s: ", table->rules[decision->rule].name);
	for (size_t i = 0; i < decision->count && used < DETAIL_SIZE; i++) {
		const struct routing_candidate *candidate = &decision->candidates[i];

		used += (size_t)snprintf(detail + used, DETAIL_SIZE - used, "%s %s%s",
					 table->gateways[candidate->gateway].name,
					 sayings[candidate->drop],
					 i + 1 < decision->count ? "; " : ".");
	}
}

/* The request does not have it, so where it comes from is told. */
static void origin_write(const char *country, char detail[DETAIL_SIZE])
{
	const size_t used = strlen(detail);

	if (*country != '\0' && used < DETAIL_SIZE)
		snprintf(detail + used, DETAIL_SIZE - used,
			 " The country, %s, is that of the customer's profile.", country);
}

/* Each field that a gateway has something against, once. */
static json_t *errors_of(const struct routing_decision *decision)
{
	json_t *errors = json_array();
	unsigned told = 0;

	for (size_t i = 0; i < decision->count; i++) {
		const enum routing_drop drop = decision->candidates[i].drop;
		const char *field = drop == ROUTING_DROP_TOKEN ? "payment_method_id"
							       : routing_drop_field(drop);
		char message[64];

		if (field == NULL || (told >> drop & 1) != 0)
			continue;
		told |= 1u << drop;
		snprintf(message, sizeof message, "a gateway %s", sayings[drop]);
		problem_error_add(errors, field, PROBLEM_IN_BODY, "no_route", message);
	}
	return errors;
}

/* What would be asked of a gateway first. */
static enum operation_kind operation_of(enum transaction_kind kind,
					const struct payment_request *request)
{
	if (kind == TRANSACTION_WITHDRAWAL)
		return OPERATION_PAYOUT;
	return request->capture == CAPTURE_MANUAL ? OPERATION_AUTHORISE : OPERATION_CHARGE;
}

bool no_route_check(struct call *call, enum transaction_kind kind,
		    const struct payment_request *request, const char *country,
		    const char *token_gateway, const char *key)
{
	const struct catalogue_view *view = catalogue_hold(call->app->catalogue);
	const struct routing_facts facts = { .kind = kind,
					     .operation = operation_of(kind, request),
					     .merchant = call->claims.merchant,
					     .country = country,
					     .method = request->method,
					     .amount = request->amount,
					     .token_gateway = token_gateway,
					     .now_us = clock_now_us() };
	const struct routing_decision decision = routing_decide(&view->routing, &facts);
	char detail[DETAIL_SIZE] = "";
	const bool takes = decision.usable_count > 0;

	if (!takes)
		detail_write(&view->routing, &decision, detail);
	if (!takes && request->country[0] == '\0')
		origin_write(country, detail);
	catalogue_release(view);
	if (takes || key_find(call, key) != ERR_NOT_FOUND)
		return true;
	call_refuse_errors(call, ERR_NO_ROUTE, detail, errors_of(&decision));
	return false;
}
