/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/cursor.h"

#include <assert.h>
#include <string.h>

#include "base/crypto.h"

#define FILTERS_HASH_SIZE 8
#define MAC_SIZE 16

struct cursor_bytes {
	uint8_t at_us[8]; /* big endian */
	uint8_t id[ID_SIZE];
	uint8_t filters[FILTERS_HASH_SIZE];
	uint8_t mac[MAC_SIZE]; /* of all before it */
};

/* The key has other uses: what is signed begins with what it is. */
static void mac_make(const struct secret *key, const struct cursor_bytes *bytes,
		     uint8_t out[MAC_SIZE])
{
	static const char purpose[] = "cursor";
	uint8_t signed_bytes[sizeof purpose + offsetof(struct cursor_bytes, mac)];
	uint8_t mac[CRYPTO_SHA256_SIZE];

	memcpy(signed_bytes, purpose, sizeof purpose);
	memcpy(signed_bytes + sizeof purpose, bytes, offsetof(struct cursor_bytes, mac));
	crypto_hmac_sha256(key, signed_bytes, sizeof signed_bytes, mac);
	memcpy(out, mac, MAC_SIZE);
}

static void filters_hash(const char *filters, uint8_t out[FILTERS_HASH_SIZE])
{
	uint8_t hash[CRYPTO_SHA256_SIZE];

	crypto_sha256(filters, strlen(filters), hash);
	memcpy(out, hash, FILTERS_HASH_SIZE);
}

const char *cursor_write(const struct secret *key, const char *filters, struct cursor position,
			 char out[CURSOR_SIZE])
{
	struct cursor_bytes bytes;
	size_t size;

	static_assert(sizeof bytes == 8 + ID_SIZE + FILTERS_HASH_SIZE + MAC_SIZE, "no padding");
	for (unsigned i = 0; i < sizeof bytes.at_us; i++)
		bytes.at_us[i] = (uint8_t)((uint64_t)position.at_us >> (56 - 8 * i) & 0xff);
	memcpy(bytes.id, position.id.bytes, ID_SIZE);
	filters_hash(filters, bytes.filters);
	mac_make(key, &bytes, bytes.mac);
	size = crypto_base64url_encode(&bytes, sizeof bytes, out, CURSOR_SIZE);
	assert(size < CURSOR_SIZE);
	(void)size;
	return out;
}

bool cursor_read(const struct secret *key, const char *filters, const char *text,
		 struct cursor *position)
{
	struct cursor_bytes bytes;
	uint8_t mac[MAC_SIZE], hash[FILTERS_HASH_SIZE];
	uint64_t at_us = 0;
	size_t size;

	if (!crypto_base64url_decode(text, strlen(text), (uint8_t *)&bytes, sizeof bytes, &size) ||
	    size != sizeof bytes)
		return false;
	mac_make(key, &bytes, mac);
	filters_hash(filters, hash);
	if (!secret_equal(mac, sizeof mac, bytes.mac, sizeof bytes.mac) ||
	    memcmp(hash, bytes.filters, sizeof hash) != 0)
		return false;
	for (size_t i = 0; i < sizeof bytes.at_us; i++)
		at_us = at_us << 8 | bytes.at_us[i];
	position->at_us = (int64_t)at_us;
	memcpy(position->id.bytes, bytes.id, ID_SIZE);
	return true;
}
