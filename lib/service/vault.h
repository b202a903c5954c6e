/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Vault: the keys that seal what must wait (a payment token) and that hash what must be compared.
 *
 * Invariant  a sealed text opens only under the row it was sealed for (AAD = table, column, row id)
 * Ownership  frozen after loading; wiped by vault_done()
 * Threads    safe once loaded
 */
#ifndef SERVICE_VAULT_H
#define SERVICE_VAULT_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/secret.h"
#include "core/id.h"

#define VAULT_KEYS_MAX 4
#define VAULT_HASH_SIZE 8 /* bytes kept of a keyed member hash */

struct vault_key {
	char key_id[33];
	uint8_t key[CRYPTO_KEY_SIZE];
};

struct vault {
	size_t count;
	struct vault_key keys[VAULT_KEYS_MAX]; /* the first seals, all open */
	struct secret hash_key;
};

/*
 * Seal `text` for (place, id); `place` is "table.column". Needs room for its length + CRYPTO_SEAL_OVERHEAD.
 * Writes   *size and key_id (33 bytes) with ERR_OK; ERR_TOO_LONG where `room` is too small; ERR_CRYPTO
 */
CHECKED enum err vault_seal(const struct vault *vault, const char *place, struct id id, const char *text, uint8_t *sealed,
			    size_t room, size_t *size, char key_id[33]);

/* Open into a terminated text of at most room - 1 bytes. ERR_CRYPTO: unknown key id or wrong tag; ERR_TOO_LONG. */
CHECKED enum err vault_open(const struct vault *vault, const char *place, struct id id, const char *key_id,
			    const uint8_t *sealed, size_t size, char *text, size_t room);

/* The keyed hash of one member: HMAC-SHA256 over "name NUL value", cut to VAULT_HASH_SIZE. */
void vault_hash(const struct vault *vault, const char *name, const char *value, uint8_t out[VAULT_HASH_SIZE]);

void vault_done(struct vault *vault);

#endif
