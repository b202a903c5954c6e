/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Vault: the keys that seal what must wait (a payment token) or must not be read (a customer's profile), and that hash
 * what must be compared or found.
 *
 * Invariant  a sealed text opens only under the row it was sealed for (AAD = table, column, row id)
 * Ownership  frozen after loading; wiped by vault_done()
 * Threads    safe once loaded
 */
#ifndef SERVICE_VAULT_H
#define SERVICE_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/secret.h"
#include "core/id.h"

#define VAULT_KEYS_MAX 4
#define VAULT_KEY_ID_SIZE 33
#define VAULT_PAYMENT_TOKEN "operation.payment_token" /* the place of a sealed token */
#define VAULT_PROFILE "customer.profile"
#define VAULT_METADATA "customer.metadata"
#define VAULT_METHOD_TOKEN "payment_method.token"
#define VAULT_SEALED_SIZE 256
#define VAULT_HASH_SIZE 8 /* bytes kept of a keyed member hash */
#define VAULT_SEARCH_SIZE                                                                          \
	16 /* of one that rows are found by: among millions none is met by chance */

struct vault_key {
	char key_id[33];
	uint8_t key[CRYPTO_KEY_SIZE];
};

struct vault {
	size_t count;
	struct vault_key keys[VAULT_KEYS_MAX]; /* the first seals, all open */
	struct secret hash_key;
};

/* Where a sealed text belongs: it opens nowhere else. */
struct vault_place {
	const char *column; /* "table.column", at most 63 bytes */
	struct id row;
};

struct vault_sealed {
	uint8_t bytes[VAULT_SEALED_SIZE];
	size_t size;
	char key_id[33];
};

/*
 * Seal `text`. Returns ERR_OK with *sealed; ERR_TOO_LONG where it does not fit VAULT_SEALED_SIZE;
 * ERR_CRYPTO.
 */
CHECKED enum err vault_seal(const struct vault *vault, const struct vault_place *place,
			    const char *text, struct vault_sealed *sealed);

/*
 * Seal an operation's payment token into its columns: `sealed` of VAULT_SEALED_SIZE bytes, `key_id` of 33. A token of
 * "" leaves them alone. Returns as vault_seal().
 */
CHECKED enum err vault_seal_token(const struct vault *vault, struct id operation_id,
				  const char *token, uint8_t *sealed, size_t *size, char *key_id);

/*
 * Open into a terminated text of at most room - 1 bytes. ERR_CRYPTO: unknown key id or wrong tag;
 * ERR_TOO_LONG.
 */
CHECKED enum err vault_open(const struct vault *vault, const struct vault_place *place,
			    const struct vault_sealed *sealed, char *text, size_t room);

/* What is sealed in a row's own columns, which the caller lends. */
struct vault_column {
	uint8_t *bytes;
	size_t room;
	size_t size;  /* 0: nothing */
	char *key_id; /* VAULT_KEY_ID_SIZE bytes */
};

/*
 * Seal `text` into a column with the first key; "" empties it and leaves the key's id alone. As vault_seal().
 */
CHECKED enum err vault_seal_column(const struct vault *vault, const struct vault_place *place,
				   const char *text, struct vault_column *column);

/* Open one; an empty one is "". As vault_open(). */
CHECKED enum err vault_open_column(const struct vault *vault, const struct vault_place *place,
				   const struct vault_column *column, char *text, size_t room);

/* The id of the key that seals; whether the vault has the key of an id. */
const char *vault_key_id(const struct vault *vault);
bool vault_has(const struct vault *vault, const char *key_id);

/*
 * The keyed hash that a merchant's rows are found by (name of at most 63 bytes): the same value at another merchant
 * has another.
 */
void vault_search_hash(const struct vault *vault, const char *name, const char *merchant,
		       const char *value, uint8_t out[VAULT_SEARCH_SIZE]);

/*
 * The keyed hash of one member (name of at most 63 bytes): HMAC-SHA256 over "name NUL
 * SHA-256(value)", cut.
 */
void vault_hash(const struct vault *vault, const char *name, const char *value,
		uint8_t out[VAULT_HASH_SIZE]);

void vault_done(struct vault *vault);

#endif
