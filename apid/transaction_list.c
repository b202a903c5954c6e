/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/transaction_list.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apid/cursor.h"
#include "apid/render.h"
#include "base/clock.h"
#include "core/money.h"

#define LIMIT_DEFAULT 50
#define WORD_MAX 32 /* of a gateway's name */
#define FILTERS_SIZE 512
#define LINK_SIZE_BESIDE (CURSOR_SIZE + 40) /* of <?limit=…&after=…>; rel="next" */
#define PARAMETERS_SIZE (HTTP_REPLY_VALUE_SIZE - LINK_SIZE_BESIDE)

static const int64_t limit_range[2] = { 1, TRANSACTION_LIST_LIMIT_MAX };

struct list { /* one page of it */
	struct transaction_page page;
	char filters[FILTERS_SIZE];       /* what tells this list from all others */
	char parameters[PARAMETERS_SIZE]; /* the same as the next page's address has them */
	enum render_customer customer;
	struct json_writer writer; /* emptied at each try */
	struct transaction_page_end end;
};

/* ---- filters: each reads its parameter into the page, or says what it takes ---- */

typedef bool filter_read(const char *value, struct transaction_page *page);

static bool read_status(const char *value, struct transaction_page *page)
{
	char word[WORD_MAX];

	for (;;) {
		const size_t size = strcspn(value, ",");
		int status;

		if (size >= sizeof word)
			return false;
		memcpy(word, value, size);
		word[size] = '\0';
		status = words_find(transaction_status_words, word);
		if (status < 0 || (page->statuses >> status & 1) != 0)
			return false;
		page->statuses |= 1U << status;
		if (value[size] == '\0')
			return true;
		value += size + 1;
	}
}

static bool read_from(const char *value, struct transaction_page *page)
{
	return clock_parse(value, &page->from_us);
}

/* What was created at that time is not in the list: an empty id is before all others of it. */
static bool read_to(const char *value, struct transaction_page *page)
{
	return clock_parse(value, &page->after_us);
}

static bool read_currency(const char *value, struct transaction_page *page)
{
	page->currency = value;
	return currency_find(value) != NULL;
}

static bool read_method(const char *value, struct transaction_page *page)
{
	page->method = value;
	for (size_t i = 0; payment_methods[i] != NULL; i++)
		if (strcmp(payment_methods[i], value) == 0)
			return true;
	return false;
}

/* Not only those of the configuration: a gateway that is gone still has its past. */
static bool read_gateway(const char *value, struct transaction_page *page)
{
	const size_t size = strlen(value);

	page->gateway = value;
	return size >= 1 && size <= WORD_MAX && text_is(TEXT_WORD, value, size);
}

static bool read_kind(const char *value, struct transaction_page *page)
{
	page->kind = value;
	return words_find(transaction_kind_words, value) >= 0;
}

static bool read_customer(const char *value, struct transaction_page *page)
{
	const size_t size = strlen(value);

	page->customer = value;
	return size >= 1 && size < PAYMENT_CUSTOMER_SIZE && text_is(TEXT_VISIBLE, value, size);
}

#define TIME_FORM "must be a time like 2026-03-01T00:00:00Z, in UTC, with at most six decimals."

static const struct filter {
	const char *name;
	filter_read *read;
	const char *refusal;
} filters[] = {
	{ "status", read_status,
	  "The parameter status must be different words of: pending, processing, authorised, "
	  "completed, failed, cancelled, parked; separated by commas." },
	{ "from", read_from, "The parameter from " TIME_FORM },
	{ "to", read_to, "The parameter to " TIME_FORM },
	{ "currency", read_currency,
	  "The parameter currency must be an ISO 4217 code in capitals, like USD." },
	{ "method", read_method,
	  "The parameter method must be a payment method, like credit_card." },
	{ "gateway", read_gateway, "The parameter gateway must be the name of a gateway." },
	{ "kind", read_kind,
	  "The parameter kind must be payment, deposit, withdrawal or instalment." },
	{ "customer_id", read_customer,
	  "The parameter customer_id must be 1 to 64 visible ASCII characters." },
};
#define FILTER_COUNT (sizeof filters / sizeof filters[0])

/* False: refused. */
static bool filters_read(struct call *call, struct transaction_page *page)
{
	for (size_t i = 0; i < FILTER_COUNT; i++) {
		const char *value = query_find(&call->query, filters[i].name);

		if (value == NULL || filters[i].read(value, page))
			continue;
		call_refuse(call, ERR_QUERY, filters[i].refusal);
		return false;
	}
	return true;
}

/* No value holds an LF, so that no two lists have the same text. */
static void filters_write(const struct transaction_page *page, char out[FILTERS_SIZE])
{
	(void)snprintf(out, FILTERS_SIZE, "%s\n%s\n%u\n%" PRId64 "\n%" PRId64 "\n%s\n%s\n%s\n%s",
		       page->merchant, page->customer != NULL ? page->customer : "", page->statuses,
		       page->from_us, page->after_us, page->currency != NULL ? page->currency : "",
		       page->method != NULL ? page->method : "",
		       page->gateway != NULL ? page->gateway : "",
		       page->kind != NULL ? page->kind : "");
}

/* The filters as they came. Returns false where they are too long for a link. */
static bool parameters_write(const struct call *call, char out[PARAMETERS_SIZE])
{
	char value[3 * QUERY_VALUE_SIZE];
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < FILTER_COUNT; i++) {
		const char *given = query_find(&call->query, filters[i].name);

		if (given == NULL)
			continue;
		if (!http_percent_encode(given, value, sizeof value))
			return false;
		used += (size_t)snprintf(out + used, PARAMETERS_SIZE - used, "&%s=%s",
					 filters[i].name, value);
		if (used >= PARAMETERS_SIZE)
			return false;
	}
	return true;
}

/* False: refused. */
static bool list_read(struct call *call, const char *customer, struct list *list)
{
	const char *after = query_find(&call->query, "after");
	struct cursor cursor;
	int64_t limit;

	list->page = (struct transaction_page){ .merchant = call->claims.merchant,
						.after_us = INT64_MAX,
						.customer = customer };
	if (!query_integer(&call->query, "limit", limit_range, LIMIT_DEFAULT, &limit)) {
		call_refuse(call, ERR_QUERY, "The limit must be a whole number from 1 to 200.");
		return false;
	}
	list->page.limit = (unsigned)limit;
	if (!filters_read(call, &list->page))
		return false;
	if (!parameters_write(call, list->parameters)) {
		call_refuse(call, ERR_QUERY, "The filters are too long together: leave some out.");
		return false;
	}
	filters_write(&list->page, list->filters);
	if (after == NULL)
		return true;
	if (!cursor_read(&call->app->vault->hash_key, list->filters, after, &cursor)) {
		call_refuse(call, ERR_QUERY,
			    "The cursor in after is not one that this list gave out.");
		return false;
	}
	list->page.after_us = cursor.at_us;
	list->page.after_id = cursor.id;
	return true;
}

/* ---- the page ---- */

static void transaction_add(void *context, const struct transaction_view *view)
{
	struct list *list = context;

	render_transaction(&list->writer, view, list->customer);
}

static enum err look_page(struct store_tx *tx, void *context)
{
	struct list *list = context;

	json_writer_done(&list->writer); /* it may run again */
	json_open(&list->writer, '[');
	return store_transaction_list(tx, &list->page, transaction_add, list, &list->end);
}

static void link_next(struct call *call, const char *path, const struct list *list)
{
	const struct cursor place = { list->end.at_us, list->end.id };
	char cursor[CURSOR_SIZE], link[HTTP_REPLY_VALUE_SIZE];
	int size;

	cursor_write(&call->app->vault->hash_key, list->filters, place, cursor);
	size = snprintf(link, sizeof link, "<%s?limit=%u&after=%s%s>; rel=\"next\"", path,
			list->page.limit, cursor, list->parameters);
	if (size >= (int)sizeof link) /* a relative reference means the same, and is shorter */
		size = snprintf(link, sizeof link, "<?limit=%u&after=%s%s>; rel=\"next\"",
				list->page.limit, cursor, list->parameters);
	assert(size < (int)sizeof link);
	http_reply_header(call->reply, "Link", link);
}

void transaction_list_serve(struct call *call, const char *path, const char *customer)
{
	struct list list = { .customer = customer != NULL ? RENDER_NO_CUSTOMER : RENDER_CUSTOMER };
	enum err err;

	if (!list_read(call, customer, &list))
		return;
	err = store_pool_look(call->app->pool, call_wait_ms(call), look_page, &list);
	if (err != ERR_OK) {
		json_writer_done(&list.writer);
		call_refuse(call, err, NULL);
		return;
	}
	if (list.end.more)
		link_next(call, path, &list);
	json_close(&list.writer, ']');
	call_answer_written(call, 200, &list.writer);
}
