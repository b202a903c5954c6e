/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/text.h"

#include <stdint.h>
#include <string.h>

struct utf8_form {
	uint8_t lead_low, lead_high;     /* first byte */
	uint8_t second_low, second_high; /* shuts out overlong forms and surrogates */
	uint8_t size;                    /* bytes; those after the second are 80..BF */
};

/* RFC 3629, section 4: the grammar as a table. NUL is left out on purpose. */
static const struct utf8_form utf8_forms[] = {
	{ 0x01, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static const struct utf8_form *form_of(uint8_t lead)
{
	for (size_t i = 0; i < sizeof utf8_forms / sizeof utf8_forms[0]; i++)
		if (lead >= utf8_forms[i].lead_low && lead <= utf8_forms[i].lead_high)
			return &utf8_forms[i];
	return NULL;
}

/* Bytes of the code point at the start of `bytes`, 0 where it is not well formed. */
static size_t point_size(const uint8_t *bytes, size_t size)
{
	const struct utf8_form *form = form_of(bytes[0]);

	if (!form || size < form->size)
		return 0;
	if (form->size > 1 && (bytes[1] < form->second_low || bytes[1] > form->second_high))
		return 0;
	for (size_t i = 2; i < form->size; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return form->size;
}

bool text_is_utf8(const char *text, size_t size)
{
	const uint8_t *bytes = (const uint8_t *)text;

	for (size_t at = 0; at < size;) {
		const size_t step = point_size(bytes + at, size - at);

		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

size_t text_length(const char *text, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < size; i++)
		length += ((uint8_t)text[i] & 0xc0) != 0x80;
	return length;
}

static bool is_line_space(uint8_t byte)
{
	return byte == '\t' || byte == '\n' || byte == '\r';
}

static bool is_c1_control(const uint8_t *bytes, size_t size)
{
	return size >= 2 && bytes[0] == 0xc2 && bytes[1] >= 0x80 && bytes[1] <= 0x9f;
}

static bool has_control(const char *text, size_t size, bool line_space_allowed)
{
	const uint8_t *bytes = (const uint8_t *)text;

	for (size_t i = 0; i < size; i++) {
		if (is_c1_control(bytes + i, size - i))
			return true;
		if (line_space_allowed && is_line_space(bytes[i]))
			continue;
		if (bytes[i] < 0x20 || bytes[i] == 0x7f)
			return true;
	}
	return false;
}

bool text_has_control(const char *text, size_t size)
{
	return has_control(text, size, false);
}

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_token(char c)
{
	return is_word(c) || is_capital(c) || (c != '\0' && strchr(".-@/:+", c));
}

static bool is_visible(char c)
{
	return c >= 0x21 && c <= 0x7e;
}

/* Of a host name, an address in brackets and a port; '@' is none of them: no user info passes. */
static bool is_authority(char c)
{
	return is_word(c) || is_capital(c) || (c != '\0' && strchr(".-:[]", c));
}

static bool all_are(bool (*is)(char), const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!is(text[i]))
			return false;
	return true;
}

static bool starts_with(const char *text, size_t size, const char *start)
{
	return size >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

static bool is_url(const char *text, size_t size)
{
	size_t at;
	size_t end;

	if (starts_with(text, size, "https://"))
		at = strlen("https://");
	else if (starts_with(text, size, "http://"))
		at = strlen("http://");
	else
		return false;
	for (end = at; end < size && text[end] != '/' && text[end] != '?'; end++)
		if (!is_authority(text[end]))
			return false;
	return end > at && text[at] != ':' && all_are(is_visible, text, size) &&
	       !memchr(text, '#', size);
}

bool text_is(enum text_class class, const char *text, size_t size)
{
	switch (class) {
	case TEXT_ANY:
		return text_is_utf8(text, size) && !has_control(text, size, false);
	case TEXT_FREE:
		return text_is_utf8(text, size) && !has_control(text, size, true);
	case TEXT_VISIBLE:
		return all_are(is_visible, text, size);
	case TEXT_WORD:
		return all_are(is_word, text, size);
	case TEXT_TOKEN:
		return all_are(is_token, text, size);
	case TEXT_COUNTRY:
		return size == 2 && all_are(is_capital, text, size);
	case TEXT_URL:
		return is_url(text, size);
	}
	return false;
}
