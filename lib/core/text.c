/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/text.h"

#include <stdint.h>
#include <string.h>

#include "core/country.h"

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

/* ---- texts of a form ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter_or_digit(char c)
{
	return is_capital(c) || (is_word(c) && c != '_');
}

/* atext of RFC 5322, section 3.2.3 */
static bool is_atom(char c)
{
	return is_letter_or_digit(c) || (c != '\0' && strchr("!#$%&'*+/=?^_`{|}~-", c));
}

static bool is_host(char c)
{
	return is_letter_or_digit(c) || c == '-';
}

/* Parts of `is` with single dots between; how many, 0 where it is none such. */
static size_t dotted_parts(bool (*is)(char), const char *text, size_t size)
{
	size_t parts = 1, in_part = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '.' && in_part > 0) {
			parts++;
			in_part = 0;
		} else if (is(text[i])) {
			in_part++;
		} else {
			return 0;
		}
	}
	return in_part > 0 ? parts : 0;
}

/* No label of a host begins or ends with a hyphen. */
static bool is_email(const char *text, size_t size)
{
	const char *at = memchr(text, '@', size);
	const char *host = at + 1;
	size_t host_size;

	if (at == NULL || dotted_parts(is_atom, text, (size_t)(at - text)) == 0)
		return false;
	host_size = size - (size_t)(host - text);
	if (dotted_parts(is_host, host, host_size) < 2)
		return false;
	for (size_t i = 0; i < host_size; i++)
		if (host[i] == '-' &&
		    (i == 0 || i + 1 == host_size || host[i - 1] == '.' || host[i + 1] == '.'))
			return false;
	return true;
}

static bool is_phone(const char *text, size_t size)
{
	size_t digits = 0, between = 0;

	if (size < 2 || text[0] != '+' || !is_digit(text[1]) || text[1] == '0')
		return false;
	for (size_t i = 1; i < size; i++) {
		if (is_digit(text[i])) {
			digits++;
			between = 0;
		} else if (text[i] == '\0' || !strchr(" ().-", text[i]) || ++between > 2) {
			return false;
		}
	}
	return digits >= 7 && digits <= 15 && between == 0;
}

static int number_at(const char *text, size_t size)
{
	int number = 0;

	for (size_t i = 0; i < size; i++)
		number = number * 10 + (text[i] - '0');
	return number;
}

static bool is_date(const char *text, size_t size)
{
	static const char form[] = "0000-00-00";
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, most;

	if (size != sizeof form - 1)
		return false;
	for (size_t i = 0; i < size; i++)
		if (form[i] == '0' ? !is_digit(text[i]) : text[i] != form[i])
			return false;
	year = number_at(text, 4);
	month = number_at(text + 5, 2);
	if (year < 1900 || month < 1 || month > 12)
		return false;
	most = days[month - 1];
	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		most = 29;
	return number_at(text + 8, 2) >= 1 && number_at(text + 8, 2) <= most;
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
	case TEXT_DIGITS:
		return all_are(is_digit, text, size);
	case TEXT_EMAIL:
		return is_email(text, size);
	case TEXT_PHONE:
		return is_phone(text, size);
	case TEXT_DATE:
		return is_date(text, size);
	case TEXT_NATION:
		return size == 2 && country_is_assigned(text);
	}
	return false;
}
