/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/trace.h"

#include <stdio.h>
#include <string.h>

#define VERSION_AT 0
#define ID_AT 3
#define PARENT_AT 36
#define FLAGS_AT 53
#define NO_VERSION 0xff
#define SAMPLED 0x01 /* the flag that is passed on: what the others mean is not known */

static const char digits[] = "0123456789abcdef"; /* small letters only */

/* `count` bytes of hex; false where it is something else. */
static bool hex_read(const char *text, size_t count, uint8_t *out)
{
	for (size_t i = 0; i < 2 * count; i++) {
		const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);

		if (digit == NULL)
			return false;
		out[i / 2] = (uint8_t)((i % 2 == 0 ? 0 : out[i / 2] << 4) | (digit - digits));
	}
	return true;
}

static void hex_write(const uint8_t *bytes, size_t count, char *out)
{
	for (size_t i = 0; i < count; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 0x0f];
	}
	out[2 * count] = '\0';
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* Only a later version may go on, behind a dash. */
static bool ends_well(uint8_t version, const char *rest)
{
	return *rest == '\0' || (version > 0 && *rest == '-');
}

bool trace_parse(const char *text, struct trace *trace)
{
	struct trace read = { .size = TRACE_SIZE };
	uint8_t version, flags, parent[TRACE_PARENT_SIZE];

	if (strlen(text) < TRACE_TEXT_SIZE - 1 || text[ID_AT - 1] != '-' ||
	    text[PARENT_AT - 1] != '-' || text[FLAGS_AT - 1] != '-')
		return false;
	if (!hex_read(text + VERSION_AT, 1, &version) ||
	    !hex_read(text + ID_AT, TRACE_ID_SIZE, read.bytes) ||
	    !hex_read(text + PARENT_AT, TRACE_PARENT_SIZE, parent) ||
	    !hex_read(text + FLAGS_AT, 1, &flags))
		return false;
	if (version == NO_VERSION || is_zero(read.bytes, TRACE_ID_SIZE) ||
	    is_zero(parent, TRACE_PARENT_SIZE) || !ends_well(version, text + TRACE_TEXT_SIZE - 1))
		return false;
	read.bytes[TRACE_ID_SIZE] = flags & SAMPLED;
	*trace = read;
	return true;
}

const char *trace_id_text(const struct trace *trace, char out[TRACE_ID_TEXT_SIZE])
{
	hex_write(trace->bytes, trace->size == 0 ? 0 : TRACE_ID_SIZE, out);
	return out;
}

const char *trace_format(const struct trace *trace, const uint8_t parent[TRACE_PARENT_SIZE],
			 char out[TRACE_TEXT_SIZE])
{
	char id[TRACE_ID_TEXT_SIZE], caller[2 * TRACE_PARENT_SIZE + 1];

	out[0] = '\0';
	if (trace->size == 0)
		return out;
	hex_write(parent, TRACE_PARENT_SIZE, caller);
	snprintf(out, TRACE_TEXT_SIZE, "00-%s-%s-%02x", trace_id_text(trace, id), caller,
		 (unsigned)trace->bytes[TRACE_ID_SIZE]);
	return out;
}
