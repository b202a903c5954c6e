/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/transaction_list.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apid/list.h"
#include "apid/render.h"
#include "base/clock.h"
#include "core/money.h"

static_assert(TRANSACTION_LIST_LIMIT_MAX == LIST_LIMIT_MAX, "one limit for all lists");

struct listing { /* one page of it */
	struct list list;
	struct transaction_page page;
	enum render_customer customer;
	struct json_writer writer; /* emptied at each try */
	struct transaction_page_end end;
};

/* ---- filters: each reads its parameter into the page ---- */

static bool read_status(const char *value, void *page)
{
	return list_words_read(&transaction_status_words, value,
			       &((struct transaction_page *)page)->statuses);
}

static bool read_from(const char *value, void *page)
{
	return clock_parse(value, &((struct transaction_page *)page)->from_us);
}

/* What was created at that time is not in the list: an empty id is before all others of it. */
static bool read_to(const char *value, void *page)
{
	return clock_parse(value, &((struct transaction_page *)page)->after_us);
}

static bool read_currency(const char *value, void *page)
{
	((struct transaction_page *)page)->currency = value;
	return currency_find(value) != NULL;
}

static bool read_method(const char *value, void *page)
{
	((struct transaction_page *)page)->method = value;
	return list_is_method(value);
}

static bool read_gateway(const char *value, void *page)
{
	((struct transaction_page *)page)->gateway = value;
	return list_is_gateway(value);
}

static bool read_kind(const char *value, void *page)
{
	((struct transaction_page *)page)->kind = value;
	return words_find(transaction_kind_words, value) >= 0;
}

static bool read_customer(const char *value, void *page)
{
	((struct transaction_page *)page)->customer = value;
	return list_is_customer(value);
}

static const struct list_filter filters[] = {
	{ "status", read_status,
	  "The parameter status must be different words of: pending, processing, authorised, "
	  "completed, failed, cancelled, parked; separated by commas." },
	{ "from", read_from, "The parameter from " LIST_TIME_FORM },
	{ "to", read_to, "The parameter to " LIST_TIME_FORM },
	{ "currency", read_currency, LIST_CURRENCY_REFUSAL },
	{ "method", read_method, LIST_METHOD_REFUSAL },
	{ "gateway", read_gateway, LIST_GATEWAY_REFUSAL },
	{ "kind", read_kind,
	  "The parameter kind must be payment, deposit, withdrawal or instalment." },
	{ "customer_id", read_customer, LIST_CUSTOMER_REFUSAL },
};
#define FILTER_COUNT (sizeof filters / sizeof filters[0])

/* No value holds an LF, so that no two lists have the same text. */
static void identity_write(const struct transaction_page *page, char out[LIST_IDENTITY_SIZE])
{
	(void)snprintf(
		out, LIST_IDENTITY_SIZE, "%s\n%s\n%u\n%" PRId64 "\n%" PRId64 "\n%s\n%s\n%s\n%s",
		page->merchant, page->customer != NULL ? page->customer : "", page->statuses,
		page->from_us, page->after_us, page->currency != NULL ? page->currency : "",
		page->method != NULL ? page->method : "",
		page->gateway != NULL ? page->gateway : "", page->kind != NULL ? page->kind : "");
}

/* False: refused. */
static bool page_read(struct call *call, const char *customer, struct listing *listing)
{
	struct transaction_page *page = &listing->page;
	struct cursor place;

	*page = (struct transaction_page){ .merchant = call->claims.merchant,
					   .after_us = INT64_MAX,
					   .customer = customer };
	if (!list_read(call, filters, FILTER_COUNT, page, &listing->list))
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

/* ---- the page ---- */

static void transaction_add(void *context, const struct transaction_view *view)
{
	struct listing *listing = context;

	render_transaction(&listing->writer, view, listing->customer);
}

static enum err look_page(struct store_tx *tx, void *context)
{
	struct listing *listing = context;

	json_writer_done(&listing->writer); /* it may run again */
	json_open(&listing->writer, '[');
	return store_transaction_list(tx, &listing->page, transaction_add, listing, &listing->end);
}

void transaction_list_serve(struct call *call, const char *path, const char *customer)
{
	struct listing listing = { .customer = customer != NULL ? RENDER_NO_CUSTOMER
								: RENDER_CUSTOMER };
	enum err err;

	if (!page_read(call, customer, &listing))
		return;
	err = store_pool_look(call->app->pool, call_wait_ms(call), look_page, &listing);
	if (err != ERR_OK) {
		json_writer_done(&listing.writer);
		call_refuse(call, err, NULL);
		return;
	}
	if (listing.end.more)
		list_link(call, path, &listing.list,
			  (struct cursor){ listing.end.at_us, listing.end.id });
	json_close(&listing.writer, ']');
	call_answer_written(call, 200, &listing.writer);
}
