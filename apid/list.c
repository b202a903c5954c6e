/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/list.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/payment.h"
#include "core/text.h"

#define LIMIT_DEFAULT 50
#define WORD_MAX 32 /* of a gateway's name too */

static const int64_t limit_range[2] = { 1, LIST_LIMIT_MAX };

bool list_words_read(const struct words *words, const char *value, unsigned *bits)
{
	char word[WORD_MAX];

	for (;;) {
		const size_t size = strcspn(value, ",");
		int found;

		if (size >= sizeof word)
			return false;
		memcpy(word, value, size);
		word[size] = '\0';
		found = words_find(*words, word);
		if (found < 0 || (*bits >> found & 1) != 0)
			return false;
		*bits |= 1U << found;
		if (value[size] == '\0')
			return true;
		value += size + 1;
	}
}

bool list_is_method(const char *value)
{
	for (size_t i = 0; payment_methods[i] != NULL; i++)
		if (strcmp(payment_methods[i], value) == 0)
			return true;
	return false;
}

bool list_is_gateway(const char *value)
{
	const size_t size = strlen(value);

	return size >= 1 && size <= WORD_MAX && text_is(TEXT_WORD, value, size);
}

bool list_is_customer(const char *value)
{
	const size_t size = strlen(value);

	return size >= 1 && size < PAYMENT_CUSTOMER_SIZE && text_is(TEXT_VISIBLE, value, size);
}

/* False: refused. */
static bool filters_read(struct call *call, const struct list_filter *rows, size_t count,
			 void *page)
{
	for (size_t i = 0; i < count; i++) {
		const char *value = query_find(&call->query, rows[i].name);

		if (value == NULL || rows[i].read(value, page))
			continue;
		call_refuse(call, ERR_QUERY, rows[i].refusal);
		return false;
	}
	return true;
}

/* The filters as they came. Returns false where they are too long for a link. */
static bool parameters_write(const struct call *call, const struct list_filter *rows, size_t count,
			     char out[LIST_PARAMETERS_SIZE])
{
	char value[3 * QUERY_VALUE_SIZE];
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		const char *given = query_find(&call->query, rows[i].name);

		if (given == NULL)
			continue;
		if (!http_percent_encode(given, value, sizeof value))
			return false;
		used += (size_t)snprintf(out + used, LIST_PARAMETERS_SIZE - used, "&%s=%s",
					 rows[i].name, value);
		if (used >= LIST_PARAMETERS_SIZE)
			return false;
	}
	return true;
}

bool list_read(struct call *call, const struct list_filter *rows, size_t count, void *page,
	       struct list *list)
{
	int64_t limit;

	if (!query_integer(&call->query, "limit", limit_range, LIMIT_DEFAULT, &limit)) {
		call_refuse(call, ERR_QUERY, "The limit must be a whole number from 1 to 200.");
		return false;
	}
	list->limit = (unsigned)limit;
	if (!filters_read(call, rows, count, page))
		return false;
	if (parameters_write(call, rows, count, list->parameters))
		return true;
	call_refuse(call, ERR_QUERY, "The filters are too long together: leave some out.");
	return false;
}

bool list_go_on(struct call *call, const struct list *list, struct cursor *place)
{
	const char *after = query_find(&call->query, "after");

	if (after == NULL ||
	    cursor_read(&call->settings->vault.hash_key, list->identity, after, place))
		return true;
	call_refuse(call, ERR_QUERY, "The cursor in after is not one that this list gave out.");
	return false;
}

void list_link(struct call *call, const char *path, const struct list *list, struct cursor place)
{
	char cursor[CURSOR_SIZE], link[HTTP_REPLY_VALUE_SIZE];
	int size;

	cursor_write(&call->settings->vault.hash_key, list->identity, place, cursor);
	size = snprintf(link, sizeof link, "<%s?limit=%u&after=%s%s>; rel=\"next\"", path,
			list->limit, cursor, list->parameters);
	if (size >= (int)sizeof link) /* a relative reference means the same, and is shorter */
		size = snprintf(link, sizeof link, "<?limit=%u&after=%s%s>; rel=\"next\"",
				list->limit, cursor, list->parameters);
	assert(size < (int)sizeof link);
	http_reply_header(call->reply, "Link", link);
}
