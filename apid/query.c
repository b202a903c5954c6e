/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/query.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "apid/http_message.h"

#define DIGITS_MAX 18 /* any so long a number fits 64 bits */

const char *query_find(const struct query *query, const char *name)
{
	for (size_t i = 0; i < query->count; i++)
		if (strcmp(query->text + query->list[i].name, name) == 0)
			return query->text + query->list[i].value;
	return NULL;
}

const char *query_text(const struct query *query, const char *name)
{
	const char *value = query_find(query, name);

	return value != NULL ? value : "";
}

static bool is_allowed(const char *allowed, const char *name)
{
	const size_t size = strlen(name);

	while (*allowed != '\0') {
		const size_t word = strcspn(allowed, " ");

		if (word == size && memcmp(allowed, name, size) == 0)
			return true;
		allowed += word;
		allowed += strspn(allowed, " ");
	}
	return false;
}

/* A name, or the names that are allowed; cut where it would not fit. */
#define QUERY_WHY_WORD_MAX 160

static enum err refuse(char why[QUERY_WHY_SIZE], const char *format, const char *word)
{
	(void)snprintf(why, QUERY_WHY_SIZE, "%s%.*s.", format, QUERY_WHY_WORD_MAX, word);
	return ERR_QUERY;
}

static enum err refuse_unknown(const char *allowed, char why[QUERY_WHY_SIZE])
{
	if (*allowed == '\0')
		return refuse(why, "This path takes no query parameters", "");
	return refuse(why, "There is a query parameter that this path does not take. It takes: ",
		      allowed);
}

/* Decode into the query's own text. Returns where it begins, or -1. */
static int text_add(struct query *query, const char *text, size_t size, size_t room)
{
	const size_t left = sizeof query->text - query->used;
	char *place = query->text + query->used;

	if (http_percent_decode(text, size, ' ', place, left < room ? left : room) != ERR_OK)
		return -1;
	query->used += strlen(place) + 1;
	return (int)(place - query->text);
}

static enum err parameter_read(const char *allowed, const char *text, size_t size,
			       struct query *query, char why[QUERY_WHY_SIZE])
{
	const char *equals = memchr(text, '=', size);
	const size_t name_size = equals != NULL ? (size_t)(equals - text) : size;
	const size_t value_size = equals != NULL ? size - name_size - 1 : 0;
	const int at = text_add(query, text, name_size, QUERY_NAME_SIZE);
	const char *name;
	int value;

	if (at < 0 || !is_allowed(allowed, query->text + at))
		return refuse_unknown(allowed, why);
	name = query->text + at;
	if (query_find(query, name) != NULL)
		return refuse(why, "This query parameter is given twice: ", name);
	value = equals != NULL ? text_add(query, equals + 1, value_size, QUERY_VALUE_SIZE) : -1;
	if (value < 0)
		return refuse(why, "The value of this query parameter is not valid: ", name);
	assert(query->count < QUERY_PARAMETERS_MAX); /* no route allows more */
	query->list[query->count].name = (uint16_t)at;
	query->list[query->count++].value = (uint16_t)value;
	return ERR_OK;
}

static enum err parameters_read(const char *allowed, const char *text, struct query *query,
				char why[QUERY_WHY_SIZE])
{
	while (*text != '\0') {
		const size_t size = strcspn(text, "&");
		const enum err err = parameter_read(allowed, text, size, query, why);

		if (err != ERR_OK)
			return err;
		text += size;
		if (*text == '&' && *++text == '\0')
			return refuse(why, "The query string ends with &", "");
	}
	return ERR_OK;
}

enum err query_read(const char *allowed, const char *text, struct query *query,
		    char why[QUERY_WHY_SIZE])
{
	enum err err;

	query->count = 0;
	query->used = 0;
	err = parameters_read(allowed, text, query, why);
	if (err != ERR_OK)
		query->count = 0;
	return err;
}

bool query_integer(const struct query *query, const char *name, const int64_t range[2],
		   int64_t otherwise, int64_t *value)
{
	const char *text = query_find(query, name);
	int64_t read = 0;
	size_t digits;

	if (text == NULL) {
		*value = otherwise;
		return true;
	}
	digits = strspn(text, "0123456789");
	if (digits == 0 || digits > DIGITS_MAX || text[digits] != '\0')
		return false;
	for (size_t i = 0; i < digits; i++)
		read = read * 10 + (text[i] - '0');
	if (read < range[0] || read > range[1])
		return false;
	*value = read;
	return true;
}
