/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Network addresses as 16 bytes: IPv6, and IPv4 mapped into it (::ffff:192.0.2.1).
 *
 * Ownership  plain values
 * Threads    safe: pure functions
 * Source     RFC 4291 section 2.5.5.2, RFC 4632 (ranges), RFC 7239 section 6 (how proxies write them)
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_SIZE 16
#define ADDRESS_TEXT_SIZE 50 /* with a range's end and a NUL */
#define ADDRESS_RANGES_MAX 32

struct address {
	uint8_t bytes[ADDRESS_SIZE];
};

struct address_ranges {
	size_t count;
	struct {
		struct address first;
		unsigned bits; /* of the 128 that must be the same */
	} list[ADDRESS_RANGES_MAX];
};

/* From the bytes of an IPv4 address in network order. */
struct address address_of_four(const uint8_t bytes[4]);

/*
 * Read a numeric address of `size` characters, as proxies write it too: 192.0.2.1:80, [2001:db8::1], [2001:db8::1]:80.
 * Returns  true with *address; false (untouched)
 */
bool address_parse(const char *text, size_t size, struct address *address);

/* What one household or server has for itself: an IPv4 address; the first 64 bits of another. */
struct address address_network(struct address address);

/* Write it: "192.0.2.1", "2001:db8::1". Returns `out`. */
const char *address_write(struct address address, char out[ADDRESS_TEXT_SIZE]);

/* Write what address_network() left: "192.0.2.1", "2001:db8::/64". Returns `out`. */
const char *address_network_write(struct address network, char out[ADDRESS_TEXT_SIZE]);

/*
 * Read ranges or single addresses, separated by blanks: "10.0.0.0/8 ::1".
 * Returns  true with *ranges; false (undefined) where one is not that, or there are too many
 */
bool address_ranges_read(const char *text, struct address_ranges *ranges);

bool address_ranges_have(const struct address_ranges *ranges, struct address address);

#endif
