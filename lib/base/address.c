/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BITS 128
#define FOUR_BITS 32
#define FOUR_AT 12 /* where a mapped IPv4 address begins */
#define NETWORK_BYTES 8
#define PORT_DIGITS 5
#define BLANKS " \t"

static const uint8_t mapped[FOUR_AT] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct address address_of_four(const uint8_t bytes[4])
{
	struct address address;

	memcpy(address.bytes, mapped, sizeof mapped);
	memcpy(address.bytes + FOUR_AT, bytes, 4);
	return address;
}

static bool is_four(const struct address *address)
{
	return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

static bool plain_read(const char *text, size_t size, struct address *address)
{
	char copy[ADDRESS_TEXT_SIZE];
	uint8_t four[4];

	if (size == 0 || size >= sizeof copy || memchr(text, '\0', size) != NULL)
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (inet_pton(AF_INET, copy, four) == 1) {
		*address = address_of_four(four);
		return true;
	}
	return inet_pton(AF_INET6, copy, address->bytes) == 1;
}

/* ":80" or nothing */
static bool is_port(const char *text, size_t size)
{
	if (size == 0)
		return true;
	return *text == ':' && size >= 2 && size <= 1 + PORT_DIGITS &&
	       strspn(text + 1, "0123456789") >= size - 1;
}

bool address_parse(const char *text, size_t size, struct address *address)
{
	const char *end = size > 0 && *text == '[' ? memchr(text, ']', size) : NULL;
	const char *colon;

	if (end != NULL)
		return is_port(end + 1, (size_t)(text + size - end) - 1) &&
		       memchr(text, ':', (size_t)(end - text)) != NULL &&
		       plain_read(text + 1, (size_t)(end - text) - 1, address);
	colon = memchr(text, ':', size);
	if (colon != NULL && memchr(colon + 1, ':', (size_t)(text + size - colon) - 1) == NULL)
		return is_port(colon, (size_t)(text + size - colon)) &&
		       plain_read(text, (size_t)(colon - text), address);
	return plain_read(text, size, address);
}

struct address address_network(struct address address)
{
	if (!is_four(&address))
		memset(address.bytes + NETWORK_BYTES, 0, ADDRESS_SIZE - NETWORK_BYTES);
	return address;
}

const char *address_write(struct address address, char out[ADDRESS_TEXT_SIZE])
{
	if (is_four(&address))
		(void)inet_ntop(AF_INET, address.bytes + FOUR_AT, out, ADDRESS_TEXT_SIZE);
	else
		(void)inet_ntop(AF_INET6, address.bytes, out, ADDRESS_TEXT_SIZE);
	return out;
}

const char *address_network_write(struct address network, char out[ADDRESS_TEXT_SIZE])
{
	char text[ADDRESS_TEXT_SIZE];
	const bool four = is_four(&network);

	(void)snprintf(out, ADDRESS_TEXT_SIZE, four ? "%.*s" : "%.*s/64", INET6_ADDRSTRLEN - 1,
		       address_write(network, text));
	return out;
}

/* The bits behind the slash; all where there is none. */
static bool bits_read(const char *text, size_t size, unsigned most, unsigned *bits)
{
	if (size == 0) {
		*bits = most;
		return true;
	}
	if (size < 2 || size > 4 || strspn(text + 1, "0123456789") < size - 1)
		return false;
	*bits = (unsigned)strtoul(text + 1, NULL, 10);
	return *bits <= most;
}

bool address_ranges_read(const char *text, struct address_ranges *ranges)
{
	ranges->count = 0;
	for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS)) {
		const size_t size = strcspn(text, BLANKS), before = strcspn(text, "/" BLANKS);
		struct address first;
		unsigned bits;

		if (ranges->count == ADDRESS_RANGES_MAX || !plain_read(text, before, &first) ||
		    !bits_read(text + before, size - before, is_four(&first) ? FOUR_BITS : BITS,
			       &bits))
			return false;
		ranges->list[ranges->count].first = first;
		ranges->list[ranges->count++].bits =
			is_four(&first) ? BITS - FOUR_BITS + bits : bits;
		text += size;
	}
	return true;
}

bool address_ranges_have(const struct address_ranges *ranges, struct address address)
{
	for (size_t i = 0; i < ranges->count; i++) {
		const uint8_t *first = ranges->list[i].first.bytes;
		const unsigned bytes = ranges->list[i].bits / 8, rest = ranges->list[i].bits % 8;

		if (memcmp(first, address.bytes, bytes) == 0 &&
		    (rest == 0 || (first[bytes] ^ address.bytes[bytes]) >> (8 - rest) == 0))
			return true;
	}
	return false;
}
