/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/media.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xml.h"
#include "core/money.h"

#define BLANKS " \t"
#define QUALITY_MAX 1000 /* thousandths */

/* ---- what the client prefers ---- */

enum media { MEDIA_JSON, MEDIA_XML, MEDIA_COUNT };

/* Media ranges; the more specific one decides about a type. */
static const struct range {
	const char *text;
	int specificity;
	bool covers[MEDIA_COUNT];
} ranges[] = {
	{ "application/json", 3, { [MEDIA_JSON] = true } },
	{ "application/problem+json", 3, { [MEDIA_JSON] = true } },
	{ "application/xml", 3, { [MEDIA_XML] = true } },
	{ "application/problem+xml", 3, { [MEDIA_XML] = true } },
	{ "application/*", 2, { true, true } },
	{ "*/*", 1, { true, true } },
};

struct preference {
	int specificity;
	int quality;
};

/* "0.75" -> 750; what is no quality counts as none given. */
static int quality_read(const char *text, size_t size)
{
	int quality = 0, unit = QUALITY_MAX;

	for (size_t i = 0; i < size && i < 5; i++) {
		if (i == 1 && text[i] == '.')
			continue;
		if (text[i] < '0' || text[i] > '9')
			return QUALITY_MAX;
		quality += (text[i] - '0') * unit;
		unit /= 10;
	}
	return size == 0 || size > 5 || quality > QUALITY_MAX ? QUALITY_MAX : quality;
}

/* The quality among the parameters that follow a media range. */
static int quality_find(const char *text, const char *end)
{
	while (text < end && (text = memchr(text, ';', (size_t)(end - text))) != NULL) {
		const char *value;
		size_t size;

		text++;
		text += strspn(text, BLANKS);
		if (end - text < 2 || strncasecmp(text, "q=", 2) != 0)
			continue;
		value = text + 2;
		size = strcspn(value, BLANKS ";,");
		return quality_read(value, size);
	}
	return QUALITY_MAX;
}

static void preferences_take(struct preference preferences[MEDIA_COUNT], const char *text,
			     const char *end)
{
	const size_t size = strcspn(text, BLANKS ";,");

	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		const struct range *range = &ranges[i];

		if (strlen(range->text) != size || strncasecmp(range->text, text, size) != 0)
			continue;
		for (int media = 0; media < MEDIA_COUNT; media++) {
			struct preference *known = &preferences[media];
			const int quality = quality_find(text, end);

			if (!range->covers[media] || range->specificity < known->specificity)
				continue;
			if (range->specificity > known->specificity || quality > known->quality)
				*known = (struct preference){ range->specificity, quality };
		}
	}
}

static void accept_read(struct preference preferences[MEDIA_COUNT], const char *text)
{
	while (*text != '\0') {
		const char *end;

		text += strspn(text, BLANKS ",");
		end = text + strcspn(text, ",");
		preferences_take(preferences, text, end);
		text = end;
	}
}

bool media_wants_xml(const struct http_call *call)
{
	struct preference preferences[MEDIA_COUNT] = { { 0, 0 } };
	int json, xml;

	for (size_t i = 0; i < call->line_count; i++)
		if (strcasecmp(call->lines[i].name, "Accept") == 0)
			accept_read(preferences, call->lines[i].value);
	json = preferences[MEDIA_JSON].quality;
	xml = preferences[MEDIA_XML].quality;
	return xml > json || (xml == json && http_call_is_xml(call));
}

/* ---- amounts ---- */

static bool is_amount(const char *name, const json_t *value)
{
	const size_t size = strlen(name);

	return json_is_integer(value) && strncmp(name, "amount", 6) == 0 &&
	       strcmp(name + size - 6, "_minor") != 0;
}

/*
 * Give amounts of minor units in major ones, by the currency that stands beside them or around them. One without any
 * must not be taken for major units: it becomes null.
 */
static bool amounts_to_major(json_t *value, const struct currency *around)
{
	const char *code = json_string_value(json_object_get(value, "currency"));
	const struct currency *currency = code != NULL ? currency_find(code) : around;
	const char *name;
	json_t *member;
	size_t i;
	bool done = true;

	json_array_foreach(value, i, member) done = amounts_to_major(member, currency) && done;
	json_object_foreach(value, name, member)
	{
		char text[MONEY_TEXT_SIZE];
		json_t *major;

		if (!is_amount(name, member)) {
			done = amounts_to_major(member, currency) && done;
			continue;
		}
		major = currency == NULL
				? json_null()
				: json_string(money_format_major(json_integer_value(member),
								 currency->exponent, text));
		done = json_object_set_new(value, name, major) == 0 && done;
	}
	return done;
}

/* ---- the answer ---- */

/* A member in a problem is an item <i> of its array, as RFC 9457 has it. */
static const struct xml_form problem_form = { "problem", "urn:ietf:rfc:7807", "i" };

static const struct {
	const char *json;
	const char *xml;
	const struct xml_form *form; /* NULL: named by the route */
} types[] = {
	{ "application/json", "application/xml", NULL },
	{ "application/problem+json", "application/problem+xml", &problem_form },
};

static const char *content_type(const struct http_reply *reply)
{
	for (size_t i = 0; i < reply->header_count; i++)
		if (strcmp(reply->headers[i].name, "Content-Type") == 0)
			return reply->headers[i].value;
	return "";
}

static struct xml_form form_of(const json_t *value, const char *path)
{
	const char *word = path != NULL ? strrchr(path, '/') : NULL;

	if (!json_is_array(value))
		return (struct xml_form){ .root = "response" };
	return (struct xml_form){ .root = word != NULL ? word + 1 : "items" };
}

/* "/openapi.json" says by its name what it is; a browser prefers XML to it. */
static bool is_json_file(const char *path)
{
	const char *suffix = path != NULL ? strrchr(path, '.') : NULL;

	return suffix != NULL && strcmp(suffix, ".json") == 0;
}

bool media_to_xml(struct http_reply *reply, const char *path)
{
	const char *type = content_type(reply);
	size_t i = 0;
	json_t *value;
	struct xml_form form;
	char *text;

	while (i < sizeof types / sizeof types[0] && strcmp(types[i].json, type) != 0)
		i++;
	if (reply->body == NULL || is_json_file(path) || i == sizeof types / sizeof types[0])
		return true;
	value = json_loadb(reply->body, reply->body_size, JSON_DECODE_ANY, NULL);
	form = types[i].form != NULL ? *types[i].form : form_of(value, path);
	text = value != NULL && amounts_to_major(value, NULL) ? xml_text(value, &form) : NULL;
	json_decref(value);
	if (text == NULL)
		return false;
	free(reply->body);
	reply->body = text;
	reply->body_size = strlen(text);
	http_reply_header(reply, "Content-Type", types[i].xml);
	return true;
}

json_t *media_example(const char *json)
{
	json_t *value = json_loads(json, 0, NULL);

	if (amounts_to_major(value, currency_find("USD")))
		return value;
	json_decref(value);
	return NULL;
}
