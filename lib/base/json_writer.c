/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

#define ROOM_MIN 1024 /* most answers fit */

/* Room for `size` bytes more, or NULL. */
static char *room_make(struct json_writer *writer, size_t size)
{
	size_t room = writer->room != 0 ? writer->room : ROOM_MIN;
	char *grown;

	if (writer->failed)
		return NULL;
	while (room - writer->used < size)
		room *= 2;
	if (room != writer->room) {
		grown = realloc(writer->text, room);
		if (grown == NULL) {
			writer->failed = true;
			return NULL;
		}
		writer->text = grown;
		writer->room = room;
	}
	return writer->text + writer->used;
}

static void bytes_put(struct json_writer *writer, const char *bytes, size_t size)
{
	char *at = room_make(writer, size);

	if (at == NULL)
		return;
	memcpy(at, bytes, size);
	writer->used += size;
}

/* The comma before a value or a name, but for the first. */
static void comma_put(struct json_writer *writer)
{
	if (writer->used > 0 && strchr("{[:", writer->text[writer->used - 1]) == NULL)
		bytes_put(writer, ",", 1);
}

void json_open(struct json_writer *writer, char bracket)
{
	comma_put(writer);
	bytes_put(writer, &bracket, 1);
}

void json_close(struct json_writer *writer, char bracket)
{
	bytes_put(writer, &bracket, 1);
}

void json_name(struct json_writer *writer, const char *name)
{
	comma_put(writer);
	bytes_put(writer, "\"", 1);
	bytes_put(writer, name, strlen(name));
	bytes_put(writer, "\":", 2);
}

/* How one byte is escaped (RFC 8259, section 7), as jansson does it. */
static void escape_put(struct json_writer *writer, unsigned char byte)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	char escape[8];

	for (size_t i = 0; i < sizeof shorts - 1; i += 2) {
		if (byte == (unsigned char)shorts[i]) {
			bytes_put(writer, (char[]){ '\\', shorts[i + 1] }, 2);
			return;
		}
	}
	(void)snprintf(escape, sizeof escape, "\\u%04X", (unsigned)byte);
	bytes_put(writer, escape, 6);
}

/* How many bytes from the start of `text` stand as they are. */
static size_t plain_size(const char *text)
{
	size_t at = 0;

	while ((unsigned char)text[at] >= ' ' && text[at] != '"' && text[at] != '\\')
		at++;
	return at;
}

void json_put_text(struct json_writer *writer, const char *text)
{
	size_t plain;

	if (text[0] == '\0' || !text_is_utf8(text, strlen(text))) {
		json_put_null(writer);
		return;
	}
	comma_put(writer);
	bytes_put(writer, "\"", 1);
	while (*text != '\0') {
		plain = plain_size(text);
		bytes_put(writer, text, plain);
		text += plain;
		if (*text != '\0')
			escape_put(writer, (unsigned char)*text++);
	}
	bytes_put(writer, "\"", 1);
}

void json_put_integer(struct json_writer *writer, int64_t integer)
{
	char number[24];

	(void)snprintf(number, sizeof number, "%" PRId64, integer);
	json_put_raw(writer, number);
}

void json_put_null(struct json_writer *writer)
{
	json_put_raw(writer, "null");
}

void json_put_raw(struct json_writer *writer, const char *json)
{
	comma_put(writer);
	bytes_put(writer, json, strlen(json));
}

char *json_writer_take(struct json_writer *writer)
{
	char *text;

	bytes_put(writer, "", 1);
	text = writer->failed ? NULL : writer->text;
	if (text != NULL)
		*writer = JSON_WRITER_EMPTY;
	return text;
}

void json_writer_done(struct json_writer *writer)
{
	free(writer->text);
	*writer = JSON_WRITER_EMPTY;
}
