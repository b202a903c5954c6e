/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/id.h"

#include <assert.h>
#include <string.h>

#define TIME_BYTES 6
#define TIME_MS_END (INT64_C(1) << (8 * TIME_BYTES))
#define PADDING_BITS (5 * ID_DIGITS - 8 * ID_SIZE) /* zero bits before the first byte */
#define FIRST_DIGIT_MAX 7

static const char *const prefixes[ID_KIND_COUNT] = {
	[ID_TRANSACTION] = "trans_", [ID_OPERATION] = "op_",  [ID_REFUND] = "ref_",
	[ID_ATTEMPT] = "att_",       [ID_EVENT] = "evt_",     [ID_CALLBACK] = "cb_",
	[ID_EXCEPTION] = "exc_",     [ID_CUSTOMER] = "cust_", [ID_PAYMENT_METHOD] = "pm_",
};

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const char *id_prefix(enum id_kind kind)
{
	assert((unsigned)kind < ID_KIND_COUNT);
	return prefixes[kind];
}

struct id id_make(int64_t at_us, const uint8_t random[10])
{
	struct id id;
	int64_t at_ms = at_us / 1000;

	assert(at_us >= 0 && at_ms < TIME_MS_END);
	for (int i = 0; i < TIME_BYTES; i++)
		id.bytes[i] = (uint8_t)(at_ms >> (8 * (TIME_BYTES - 1 - i)) & 0xff);
	memcpy(id.bytes + TIME_BYTES, random, ID_SIZE - TIME_BYTES);
	return id;
}

int64_t id_time_us(struct id id)
{
	int64_t at_ms = 0;

	for (int i = 0; i < TIME_BYTES; i++)
		at_ms = at_ms << 8 | id.bytes[i];
	return at_ms * 1000;
}

struct id id_last_of(int64_t at_us)
{
	static const int64_t end_us = TIME_MS_END * INT64_C(1000) - 1;
	uint8_t rest[ID_SIZE - TIME_BYTES];

	if (at_us < 0)
		return (struct id){ .bytes = { 0 } };
	memset(rest, 0xff, sizeof rest);
	return id_make(at_us < end_us ? at_us : end_us, rest);
}

const char *id_format(enum id_kind kind, struct id id, char out[ID_TEXT_SIZE])
{
	const char *prefix = id_prefix(kind);
	const size_t prefix_size = strlen(prefix);
	char *digits = out + prefix_size;
	const uint8_t *byte = id.bytes;
	unsigned window = 0; /* its low `bits` bits are still to be written */
	unsigned bits = PADDING_BITS;

	memcpy(out, prefix, prefix_size);
	for (int i = 0; i < ID_DIGITS; i++) {
		if (bits < 5) {
			window = (window << 8 | *byte++) & 0xffff;
			bits += 8;
		}
		bits -= 5;
		digits[i] = alphabet[window >> bits & 31];
	}
	digits[ID_DIGITS] = '\0';
	return out;
}

static int digit_value(char digit)
{
	const char *found = memchr(alphabet, digit, sizeof alphabet - 1);

	return found ? (int)(found - alphabet) : -1;
}

bool id_parse(enum id_kind kind, const char *text, struct id *id)
{
	const char *prefix = id_prefix(kind);
	const size_t prefix_size = strlen(prefix);
	struct id read = { 0 };
	uint8_t *byte = read.bytes;
	unsigned window = 0; /* its low `bits` bits wait to fill a byte */
	unsigned bits = 0;

	if (strncmp(text, prefix, prefix_size) != 0 || strlen(text) != prefix_size + ID_DIGITS)
		return false;
	for (int i = 0; i < ID_DIGITS; i++) {
		const int value = digit_value(text[prefix_size + (size_t)i]);

		if (value < 0 || (i == 0 && value > FIRST_DIGIT_MAX))
			return false;
		window = (window << 5 | (unsigned)value) & 0xffff;
		bits += i == 0 ? 5 - PADDING_BITS : 5;
		if (bits >= 8) {
			bits -= 8;
			*byte++ = (uint8_t)(window >> bits & 0xff);
		}
	}
	*id = read;
	return true;
}

bool id_equal(struct id a, struct id b)
{
	return id_compare(a, b) == 0;
}

int id_compare(struct id a, struct id b)
{
	return memcmp(a.bytes, b.bytes, ID_SIZE);
}

bool id_is_empty(struct id id)
{
	static const struct id empty;

	return id_equal(id, empty);
}
