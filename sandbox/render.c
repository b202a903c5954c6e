/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RENDER_ROOM_FIRST 512

static bool reserve(struct render *render, size_t more)
{
	size_t room = render->room == 0 ? RENDER_ROOM_FIRST : render->room;
	char *text;

	if (render->failed)
		return false;
	while (room - render->size <= more) /* one byte is kept for the NUL */
		room *= 2;
	if (room == render->room)
		return true;
	text = realloc(render->text, room);
	if (text == NULL) {
		render->failed = true;
		return false;
	}
	render->text = text;
	render->room = room;
	return true;
}

static void append(struct render *render, const char *text, size_t size)
{
	if (!reserve(render, size))
		return;
	memcpy(render->text + render->size, text, size);
	render->size += size;
	render->text[render->size] = '\0';
}

/* What stands in front tells whether a comma is due; a quoted text never ends in these bytes. */
static void separate(struct render *render)
{
	if (render->size != 0 && strchr("{[\n:", render->text[render->size - 1]) == NULL)
		append(render, ",", 1);
}

void render_begin(struct render *render, char bracket)
{
	separate(render);
	append(render, &bracket, 1);
}

void render_end(struct render *render, char bracket)
{
	append(render, &bracket, 1);
}

static void append_escaped(struct render *render, unsigned char byte)
{
	char escape[8];

	if (byte == '"' || byte == '\\')
		(void)snprintf(escape, sizeof escape, "\\%c", byte);
	else
		(void)snprintf(escape, sizeof escape, "\\u%04x", byte);
	append(render, escape, strlen(escape));
}

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f;
}

static void append_quoted(struct render *render, const char *text)
{
	append(render, "\"", 1);
	while (*text != '\0') {
		size_t plain = 0;

		while (text[plain] != '\0' && is_plain((unsigned char)text[plain]))
			plain++;
		append(render, text, plain);
		text += plain;
		if (*text != '\0')
			append_escaped(render, (unsigned char)*text++);
	}
	append(render, "\"", 1);
}

static void append_name(struct render *render, const char *name)
{
	separate(render);
	append(render, "\"", 1);
	append(render, name, strlen(name));
	append(render, "\":", 2);
}

void render_text(struct render *render, const char *name, const char *text)
{
	if (text == NULL)
		return;
	append_name(render, name);
	append_quoted(render, text);
}

void render_integer(struct render *render, const char *name, int64_t value)
{
	char digits[24];

	append_name(render, name);
	(void)snprintf(digits, sizeof digits, "%" PRId64, value);
	append(render, digits, strlen(digits));
}

void render_member(struct render *render, const char *name, char bracket)
{
	append_name(render, name);
	append(render, &bracket, 1);
}

void render_line_end(struct render *render)
{
	append(render, "\n", 1);
}

char *render_take(struct render *render, size_t *size)
{
	char *text = render->text;

	if (render->failed || text == NULL) {
		render_done(render);
		return NULL;
	}
	*size = render->size;
	*render = (struct render){0};
	return text;
}

void render_done(struct render *render)
{
	free(render->text);
	*render = (struct render){0};
}
