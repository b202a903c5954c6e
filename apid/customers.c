/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apid/call.h"
#include "apid/cursor.h"
#include "apid/render.h"

#define LIMIT_DEFAULT 50
#define FILTERS_SIZE (MERCHANT_SIZE + ROUTE_PARAMETER_SIZE)
#define CUSTOMER_FIELD "customer_id"

static const int64_t limit_range[2] = { 1, 200 };

struct history { /* one page of a customer's transactions */
	struct transaction_page page;
	json_t *list; /* emptied at each try */
	struct cursor last;
	bool more;
};

/* ---- what is asked for ---- */

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
	const struct field_spec *spec = payment_fields(&count);

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

/* Merchants hold no LF, so that no two lists have the same text. */
static void filters_make(const struct call *call, char out[FILTERS_SIZE])
{
	(void)snprintf(out, FILTERS_SIZE, "%s\n%s", call->claims.merchant, call->match.parameter);
}

/* False: refused. */
static bool page_read(struct call *call, struct transaction_page *page)
{
	const char *after = query_find(&call->query, "after");
	char filters[FILTERS_SIZE];
	struct cursor cursor = { .at_us = INT64_MAX };
	int64_t limit;

	if (!query_integer(&call->query, "limit", limit_range, LIMIT_DEFAULT, &limit)) {
		call_refuse(call, ERR_QUERY, "The limit must be a whole number from 1 to 200.");
		return false;
	}
	filters_make(call, filters);
	if (after != NULL && !cursor_read(&call->app->vault->hash_key, filters, after, &cursor)) {
		call_refuse(call, ERR_QUERY,
			    "The cursor in after is not one that this list gave out.");
		return false;
	}
	*page = (struct transaction_page){ .merchant = call->claims.merchant,
					   .customer = call->match.parameter,
					   .after_us = cursor.at_us,
					   .after_id = cursor.id,
					   .limit = (unsigned)limit };
	return true;
}

/* ---- the page ---- */

static void transaction_add(void *context, const struct transaction_view *view)
{
	struct history *history = context;

	history->last = (struct cursor){ view->row.created_at_us, view->row.id };
	(void)json_array_append_new(history->list, render_transaction(view, RENDER_NO_CUSTOMER));
}

static void transaction_seen(void *context, const struct transaction_view *view)
{
	struct history *history = context;

	(void)view;
	history->more = true;
}

/* A full page may be the last one: only a row behind it tells. */
static enum err look_history(struct store_tx *tx, void *context)
{
	struct history *history = context;
	struct transaction_page next = history->page;
	enum err err;

	(void)json_array_clear(history->list);
	history->more = false;
	err = store_transaction_list(tx, &history->page, transaction_add, history);
	if (err != ERR_OK || json_array_size(history->list) < history->page.limit)
		return err;
	next.after_us = history->last.at_us;
	next.after_id = history->last.id;
	next.limit = 1;
	return store_transaction_list(tx, &next, transaction_seen, history);
}

static void link_next(struct call *call, const struct history *history)
{
	char filters[FILTERS_SIZE], cursor[CURSOR_SIZE];
	char customer[3 * PAYMENT_CUSTOMER_SIZE + 1], link[HTTP_REPLY_VALUE_SIZE];
	const bool encoded = http_percent_encode(call->match.parameter, customer, sizeof customer);

	assert(encoded);
	(void)encoded;
	filters_make(call, filters);
	cursor_write(&call->app->vault->hash_key, filters, history->last, cursor);
	(void)snprintf(link, sizeof link,
		       "</customers/%s/transactions?limit=%u&after=%s>; rel=\"next\"", customer,
		       history->page.limit, cursor);
	http_reply_header(call->reply, "Link", link);
}

void customers_transactions(struct call *call)
{
	struct history history = { .more = false };
	enum err err;

	if (!customer_is_valid(call) || !page_read(call, &history.page))
		return;
	history.list = json_array();
	err = store_pool_look(call->app->pool, call_wait_ms(call), look_history, &history);
	if (err != ERR_OK) {
		json_decref(history.list);
		call_refuse(call, err, NULL);
		return;
	}
	if (history.more)
		link_next(call, &history);
	call_answer(call, 200, history.list);
}
