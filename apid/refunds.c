/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "apid/call.h"
#include "apid/etag.h"
#include "apid/list.h"
#include "apid/render.h"
#include "base/clock.h"
#include "store/refund.h"
#include "store/transaction.h"

struct look {
	struct call *call;
	struct id id;
	struct refund_view view;
	json_t *list; /* array, emptied at each try */
};

static enum err look_refund(struct store_tx *tx, void *context)
{
	struct look *at = context;

	return store_refund_find(tx, at->call->claims.merchant, at->id, &at->view);
}

void refunds_show(struct call *call)
{
	struct look at = { .call = call };
	enum err err = ERR_NOT_FOUND; /* what is not an id names nothing */

	if (id_parse(ID_REFUND, call->match.parameter, &at.id))
		err = store_pool_look(call->app->pool, call_wait_ms(call), look_refund, &at);
	if (err != ERR_OK) {
		call_refuse(call, err, err == ERR_NOT_FOUND ? "There is no such refund." : NULL);
		return;
	}
	etag_set(call->reply, at.view.transaction_version);
	if (etag_is_held(call->http, at.view.transaction_version))
		call->reply->status = 304;
	else
		call_answer(call, 200, render_refund(&at.view));
}

static void refund_add(void *context, const struct refund_view *view)
{
	(void)json_array_append_new(context, render_refund(view));
}

static enum err look_refunds(struct store_tx *tx, void *context)
{
	struct look *at = context;
	const char *merchant = at->call->claims.merchant;
	struct transaction_view transaction;
	const enum err err = store_transaction_find(tx, merchant, at->id, &transaction);

	(void)json_array_clear(at->list);
	if (err != ERR_OK)
		return err;
	return store_refund_list(tx, merchant, at->id, refund_add, at->list);
}

void refunds_list(struct call *call)
{
	struct look at = { .call = call, .list = json_array() };
	enum err err = ERR_NOT_FOUND;

	if (id_parse(ID_TRANSACTION, call->match.parameter, &at.id))
		err = store_pool_look(call->app->pool, call_wait_ms(call), look_refunds, &at);
	if (err == ERR_OK) {
		call_answer_list(call, at.list, REFUND_LIST_OF_MAX);
		return;
	}
	json_decref(at.list);
	call_refuse(call, err, err == ERR_NOT_FOUND ? "There is no such transaction." : NULL);
}

/* ---- all of the merchant's ---- */

static_assert(REFUND_LIST_LIMIT_MAX == LIST_LIMIT_MAX, "one limit for all lists");

struct listing { /* one page of it */
	struct list list;
	struct refund_page page;
	json_t *refunds; /* array, emptied at each try */
	struct refund_page_end end;
};

static bool read_status(const char *value, void *page)
{
	return list_words_read(&operation_status_words, value,
			       &((struct refund_page *)page)->statuses);
}

static bool read_from(const char *value, void *page)
{
	return clock_parse(value, &((struct refund_page *)page)->from_us);
}

/* What was created at that time is not in the list: an empty id is before all others of it. */
static bool read_to(const char *value, void *page)
{
	return clock_parse(value, &((struct refund_page *)page)->after_us);
}

static bool read_currency(const char *value, void *page)
{
	((struct refund_page *)page)->currency = value;
	return currency_find(value) != NULL;
}

static bool read_method(const char *value, void *page)
{
	((struct refund_page *)page)->method = value;
	return list_is_method(value);
}

static bool read_gateway(const char *value, void *page)
{
	((struct refund_page *)page)->gateway = value;
	return list_is_gateway(value);
}

static bool read_customer(const char *value, void *page)
{
	((struct refund_page *)page)->customer = value;
	return list_is_customer(value);
}

static const struct list_filter filters[] = {
	{ "status", read_status,
	  "The parameter status must be different words of: awaiting_approval, pending, "
	  "processing, succeeded, failed, parked, cancelled, reversed; separated by commas." },
	{ "from", read_from, "The parameter from " LIST_TIME_FORM },
	{ "to", read_to, "The parameter to " LIST_TIME_FORM },
	{ "currency", read_currency, LIST_CURRENCY_REFUSAL },
	{ "method", read_method, LIST_METHOD_REFUSAL },
	{ "gateway", read_gateway, LIST_GATEWAY_REFUSAL },
	{ "customer_id", read_customer, LIST_CUSTOMER_REFUSAL },
};

/* No value holds an LF, so that no two lists have the same text; nor has one of another kind. */
static void identity_write(const struct refund_page *page, char out[LIST_IDENTITY_SIZE])
{
	(void)snprintf(out, LIST_IDENTITY_SIZE,
		       "%s\nrefunds\n%u\n%" PRId64 "\n%" PRId64 "\n%s\n%s\n%s\n%s", page->merchant,
		       page->statuses, page->from_us, page->after_us,
		       page->currency != NULL ? page->currency : "",
		       page->method != NULL ? page->method : "",
		       page->gateway != NULL ? page->gateway : "",
		       page->customer != NULL ? page->customer : "");
}

/* False: refused. */
static bool page_read(struct call *call, struct listing *listing)
{
	struct refund_page *page = &listing->page;
	struct cursor place;

	*page = (struct refund_page){ .merchant = call->claims.merchant, .after_us = INT64_MAX };
	if (!list_read(call, filters, sizeof filters / sizeof filters[0], page, &listing->list))
		return false;
	page->limit = listing->list.limit;
	identity_write(page, listing->list.identity);
	place = (struct cursor){ page->after_us, page->after_id };
	if (!list_go_on(call, &listing->list, &place))
		return false;
	page->after_us = place.at_us;
	page->after_id = place.id;
	return true;
}

static enum err look_page(struct store_tx *tx, void *context)
{
	struct listing *listing = context;

	(void)json_array_clear(listing->refunds);
	return store_refund_page(tx, &listing->page, refund_add, listing->refunds, &listing->end);
}

void refunds_history(struct call *call)
{
	struct listing listing = { .refunds = NULL };
	enum err err;

	if (!page_read(call, &listing))
		return;
	listing.refunds = json_array();
	err = store_pool_look(call->app->pool, call_wait_ms(call), look_page, &listing);
	if (err != ERR_OK) {
		json_decref(listing.refunds);
		call_refuse(call, err, NULL);
		return;
	}
	if (listing.end.more)
		list_link(call, "/refunds", &listing.list,
			  (struct cursor){ listing.end.at_us, listing.end.id });
	call_answer(call, 200, listing.refunds);
}
