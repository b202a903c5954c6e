/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/idempotency_key.h"

#include <string.h>

#include "core/card.h"
#include "core/text.h"

/*
 * Copy the inside of a quoted string; \" and \\ are its only escapes.
 * Returns  the size, or IDEMPOTENCY_KEY_SIZE where it is not one or does not fit
 */
static size_t unquote(const char *text, char out[IDEMPOTENCY_KEY_SIZE])
{
	size_t used = 0;

	for (text++; *text != '"'; text++) {
		if (*text == '\\' && *++text != '"' && *text != '\\')
			return IDEMPOTENCY_KEY_SIZE;
		if (*text == '\0' || used == IDEMPOTENCY_KEY_SIZE - 1)
			return IDEMPOTENCY_KEY_SIZE;
		out[used++] = *text;
	}
	return text[1] == '\0' ? used : IDEMPOTENCY_KEY_SIZE;
}

static size_t copy(const char *text, char out[IDEMPOTENCY_KEY_SIZE])
{
	const size_t size = strnlen(text, IDEMPOTENCY_KEY_SIZE);

	if (size < IDEMPOTENCY_KEY_SIZE)
		memcpy(out, text, size);
	return size;
}

enum err idempotency_key_parse(const char *text, char key[IDEMPOTENCY_KEY_SIZE], const char **why)
{
	char read[IDEMPOTENCY_KEY_SIZE] = "";
	const size_t size = *text == '"' ? unquote(text, read) : copy(text, read);

	if (size == 0 || size >= sizeof read || !text_is(TEXT_VISIBLE, read, size) ||
	    memchr(read, ',', size) != NULL) {
		*why = "The Idempotency-Key must be 1 to 255 visible ASCII characters without a "
		       "comma, "
		       "bare or in double quotes.";
		return ERR_MALFORMED;
	}
	read[size] = '\0';
	if (card_word_in(read)) {
		*why = "The Idempotency-Key must not hold a card number.";
		return ERR_INVALID;
	}
	memcpy(key, read, size);
	key[size] = '\0';
	return ERR_OK;
}

enum err idempotency_key_read(const struct http_call *call, char key[IDEMPOTENCY_KEY_SIZE],
			      const char **why)
{
	size_t count;
	const char *value = http_header(call, "Idempotency-Key", &count);

	if (count == 0) {
		key[0] = '\0';
		return ERR_OK;
	}
	if (count > 1) {
		*why = "There is more than one Idempotency-Key header.";
		return ERR_MALFORMED;
	}
	return idempotency_key_parse(value, key, why);
}

/* Its own rules, those of the header, are judged by idempotency_key_parse(). */
static const struct field_spec fields[] = {
	{ .name = "idempotency_key",
	  .rule = FIELD_TEXT,
	  .required = true,
	  .may_hold_card = true,
	  .class = TEXT_ANY,
	  .min = 1,
	  .max = 2 * IDEMPOTENCY_KEY_SIZE,
	  .help = "The key that the payment was begun with, as in the Idempotency-Key header." },
};

const struct field_spec *idempotency_key_fields(size_t *count)
{
	*count = sizeof fields / sizeof fields[0];
	return fields;
}
