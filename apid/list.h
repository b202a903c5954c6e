/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists in pages: limit, filters, cursors and the link to the next page, for every list that is read by key.
 *
 * Invariant  a filter that is not understood is refused, never passed over; a cursor fits the filters it was made with
 * Units      UTC microseconds
 * Ownership  plain values; filters' texts are those of the call's query
 * Threads    as the call
 * Source     API.md: Lists; RFC 8288 (Link)
 *
 *	list_read(call, rows, count, &page, &list) && (write list.identity, list_go_on(call, &list, &place))
 *	... read the page ...
 *	list_link(call, path, &list, place)
 */
#ifndef APID_LIST_H
#define APID_LIST_H

#include "apid/call.h"
#include "apid/cursor.h"
#include "core/transition.h"

#define LIST_IDENTITY_SIZE 512
#define LIST_LIMIT_MAX 200
#define LIST_LINK_SIZE_BESIDE (CURSOR_SIZE + 40) /* of <?limit=…&after=…>; rel="next" */
#define LIST_PARAMETERS_SIZE (HTTP_REPLY_VALUE_SIZE - LIST_LINK_SIZE_BESIDE)

/* Read a parameter's value into the list's own page. False: it is not one. */
typedef bool list_filter_read(const char *value, void *page);

struct list_filter {
	const char *name;
	list_filter_read *read;
	const char *refusal; /* what the parameter takes, as a sentence */
};

#define LIST_TIME_FORM                                                                             \
	"must be a time like 2026-03-01T00:00:00Z, in UTC, with at most six decimals."

#define LIST_CURRENCY_REFUSAL                                                                      \
	"The parameter currency must be an ISO 4217 code in capitals, like USD."
#define LIST_METHOD_REFUSAL "The parameter method must be a payment method, like credit_card."
#define LIST_GATEWAY_REFUSAL "The parameter gateway must be the name of a gateway."
#define LIST_CUSTOMER_REFUSAL "The parameter customer_id must be 1 to 64 visible ASCII characters."

struct list { /* one page of it */
	unsigned limit;
	char identity
		[LIST_IDENTITY_SIZE]; /* what tells this list from all others, merchant first */
	char parameters[LIST_PARAMETERS_SIZE]; /* the filters as the next page's address has them */
};

/* Read limit and filters. Returns true with *list (but for its identity) and *page; false: the call was refused. */
bool list_read(struct call *call, const struct list_filter *rows, size_t count, void *page,
	       struct list *list);

/* Where the page begins. Returns true, with *place where a cursor was given, else untouched; false: refused. */
bool list_go_on(struct call *call, const struct list *list, struct cursor *place);

/* Tell where the list goes on behind `place`; `path` is where it is, percent-encoded. */
void list_link(struct call *call, const char *path, const struct list *list, struct cursor place);

/* ---- values that several lists filter by ---- */

/* Different words, separated by commas, as one bit each. False: it is not that. */
bool list_words_read(const struct words *words, const char *value, unsigned *bits);

/* Whether it is a payment method; may be a gateway's name (also of one that is gone: it has its past), a customer. */
bool list_is_method(const char *value);
bool list_is_gateway(const char *value);
bool list_is_customer(const char *value);

#endif
