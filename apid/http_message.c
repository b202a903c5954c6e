/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/http_message.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool frames_body(const char *name)
{
	return strcasecmp(name, "Content-Length") == 0 ||
	       strcasecmp(name, "Transfer-Encoding") == 0;
}

bool http_line_add(struct http_call *call, const char *name, const char *value)
{
	size_t size = strlen(value);
	const size_t sent = size;

	if (call->line_count == HTTP_LINES_MAX)
		return false;
	while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
		size--;
	if (size < sent && !frames_body(name)) {
		char *trimmed = strndup(value, size);

		if (trimmed == NULL)
			return false;
		call->trimmed[call->trimmed_count++] = trimmed;
		value = trimmed;
	}
	call->lines[call->line_count++] = (struct http_line){ name, value };
	return true;
}

void http_call_done(struct http_call *call)
{
	while (call->trimmed_count > 0)
		free(call->trimmed[--call->trimmed_count]);
}

const char *http_header(const struct http_call *call, const char *name, size_t *count)
{
	const char *first = NULL;
	size_t found = 0;

	for (size_t i = 0; i < call->line_count; i++) {
		if (strcasecmp(call->lines[i].name, name) != 0)
			continue;
		if (found++ == 0)
			first = call->lines[i].value;
	}
	*count = found;
	return first;
}

bool http_call_is_ambiguous(const struct http_call *call)
{
	size_t lengths, encodings;
	const char *length = http_header(call, "Content-Length", &lengths);
	const char *encoding = http_header(call, "Transfer-Encoding", &encodings);

	if (call->garbled || lengths > 1 || encodings > 1 || (length != NULL && encoding != NULL))
		return true;
	if (encoding != NULL && strcasecmp(encoding, "chunked") != 0)
		return true;
	return length != NULL && (*length == '\0' || length[strspn(length, "0123456789")] != '\0');
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* What may follow the media type: nothing, or one charset=utf-8, quoted or not. */
static bool parameters_are_utf8(const char *text)
{
	static const char name[] = "charset=";
	static const char value[] = "utf-8";
	bool quoted;

	text = skip_blanks(text);
	if (*text == '\0')
		return true;
	if (*text != ';')
		return false;
	text = skip_blanks(text + 1);
	if (strncasecmp(text, name, sizeof name - 1) != 0)
		return false;
	text += sizeof name - 1;
	quoted = *text == '"';
	text += quoted ? 1 : 0;
	if (strncasecmp(text, value, sizeof value - 1) != 0)
		return false;
	text += sizeof value - 1;
	if (quoted && *text++ != '"')
		return false;
	return *skip_blanks(text) == '\0';
}

/* Exactly one Content-Type says this. */
static bool is_type(const struct http_call *call, const char *wanted)
{
	const size_t size = strlen(wanted);
	size_t types, codings;
	const char *type = http_header(call, "Content-Type", &types);
	const char *coding = http_header(call, "Content-Encoding", &codings);

	if (types != 1 || codings > 1 || (coding != NULL && strcasecmp(coding, "identity") != 0))
		return false;
	return strncasecmp(type, wanted, size) == 0 && parameters_are_utf8(type + size);
}

bool http_call_is_json(const struct http_call *call)
{
	return is_type(call, "application/json");
}

bool http_call_is_xml(const struct http_call *call)
{
	return is_type(call, "application/xml");
}

static int hex_value(char digit)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *found = digit == '\0' ? NULL : strchr(digits, digit);
	int at = found != NULL ? (int)(found - digits) : -1;

	return at >= 16 ? at - 6 : at;
}

/* The byte of the escape at `text`, or -1. */
static int escape_read(const char *text, size_t size)
{
	int high, low;

	if (size < 3)
		return -1;
	high = hex_value(text[1]);
	low = hex_value(text[2]);
	return high < 0 || low < 0 || high + low == 0 ? -1 : high * 16 + low;
}

enum err http_percent_decode(const char *text, size_t size, char plus, char *out, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		int byte = text[i] == '+' ? plus : (unsigned char)text[i];

		if (text[i] == '%') {
			byte = escape_read(text + i, size - i);
			if (byte < 0)
				return ERR_MALFORMED;
			i += 2;
		}
		if (used + 1 >= room)
			return ERR_TOO_LONG;
		out[used++] = (char)byte;
	}
	out[used] = '\0';
	return ERR_OK;
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~", c) != NULL);
}

bool http_percent_encode(const char *text, char *out, size_t room)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t used = 0;

	for (; *text != '\0'; text++) {
		const unsigned char byte = (unsigned char)*text;

		if (used + 3 >= room)
			return false;
		if (is_unreserved(*text)) {
			out[used++] = *text;
			continue;
		}
		out[used++] = '%';
		out[used++] = digits[byte >> 4];
		out[used++] = digits[byte & 15];
	}
	out[used] = '\0';
	return true;
}

void http_reply_init(struct http_reply *reply)
{
	reply->status = 0;
	reply->header_count = 0;
	reply->body = NULL;
	reply->lasting = NULL;
	reply->body_size = 0;
	reply->close = false;
}

void http_reply_header(struct http_reply *reply, const char *name, const char *value)
{
	size_t i = 0;

	while (i < reply->header_count && strcmp(reply->headers[i].name, name) != 0)
		i++;
	assert(i < HTTP_REPLY_HEADERS_MAX);
	reply->headers[i].name = name;
	(void)snprintf(reply->headers[i].value, sizeof reply->headers[i].value, "%s", value);
	if (i == reply->header_count)
		reply->header_count++;
}

void http_reply_done(struct http_reply *reply)
{
	free(reply->body);
	reply->body = NULL;
	reply->lasting = NULL;
	reply->body_size = 0;
	reply->header_count = 0;
}
