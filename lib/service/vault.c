/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/vault.h"

#include <assert.h>
#include <string.h>

#define AAD_SIZE 96

/* "column NUL id": the same ciphertext under another row or column does not open. */
static size_t aad_make(const struct vault_place *place, uint8_t aad[AAD_SIZE])
{
	size_t size = strlen(place->column) + 1;

	assert(size + ID_SIZE <= AAD_SIZE);
	memcpy(aad, place->column, size);
	memcpy(aad + size, place->row.bytes, ID_SIZE);
	return size + ID_SIZE;
}

enum err vault_seal_column(const struct vault *vault, const struct vault_place *place,
			   const char *text, struct vault_column *column)
{
	const struct vault_key *key = &vault->keys[0];
	uint8_t aad[AAD_SIZE];
	size_t aad_size = aad_make(place, aad);
	size_t size = strlen(text);
	enum err err;

	if (size == 0) {
		column->size = 0;
		return ERR_OK;
	}
	if (size + CRYPTO_SEAL_OVERHEAD > column->room)
		return ERR_TOO_LONG;
	err = crypto_seal(key->key, aad, aad_size, text, size, column->bytes);
	if (err != ERR_OK)
		return err;
	column->size = size + CRYPTO_SEAL_OVERHEAD;
	memcpy(column->key_id, key->key_id, sizeof key->key_id);
	return ERR_OK;
}

enum err vault_seal(const struct vault *vault, const struct vault_place *place, const char *text,
		    struct vault_sealed *sealed)
{
	struct vault_column column = { .bytes = sealed->bytes,
				       .room = sizeof sealed->bytes,
				       .key_id = sealed->key_id };
	enum err err = vault_seal_column(vault, place, text, &column);

	if (err == ERR_OK)
		sealed->size = column.size;
	return err;
}

static const struct vault_key *key_find(const struct vault *vault, const char *key_id)
{
	for (size_t i = 0; i < vault->count; i++)
		if (strcmp(vault->keys[i].key_id, key_id) == 0)
			return &vault->keys[i];
	return NULL;
}

const char *vault_key_id(const struct vault *vault)
{
	return vault->keys[0].key_id;
}

bool vault_has(const struct vault *vault, const char *key_id)
{
	return key_find(vault, key_id) != NULL;
}

enum err vault_seal_token(const struct vault *vault, struct id operation_id, const char *token,
			  uint8_t *sealed, size_t *size, char *key_id)
{
	struct vault_place place = { VAULT_PAYMENT_TOKEN, operation_id };
	struct vault_sealed made;
	enum err err;

	if (token[0] == '\0')
		return ERR_OK;
	err = vault_seal(vault, &place, token, &made);
	if (err != ERR_OK)
		return err;
	memcpy(sealed, made.bytes, made.size);
	*size = made.size;
	memcpy(key_id, made.key_id, sizeof made.key_id);
	return ERR_OK;
}

enum err vault_open_column(const struct vault *vault, const struct vault_place *place,
			   const struct vault_column *column, char *text, size_t room)
{
	const struct vault_key *key = key_find(vault, column->key_id);
	uint8_t aad[AAD_SIZE];
	size_t aad_size = aad_make(place, aad);
	enum err err;

	if (column->size == 0) {
		text[0] = '\0';
		return ERR_OK;
	}
	if (key == NULL || column->size < CRYPTO_SEAL_OVERHEAD)
		return ERR_CRYPTO;
	if (column->size - CRYPTO_SEAL_OVERHEAD >= room)
		return ERR_TOO_LONG;
	err = crypto_open(key->key, aad, aad_size, column->bytes, column->size, text);
	if (err == ERR_OK)
		text[column->size - CRYPTO_SEAL_OVERHEAD] = '\0';
	return err;
}

enum err vault_open(const struct vault *vault, const struct vault_place *place,
		    const struct vault_sealed *sealed, char *text, size_t room)
{
	/* Opening only reads. */
	const struct vault_column column = { .bytes = (uint8_t *)(uintptr_t)sealed->bytes,
					     .size = sealed->size,
					     .key_id = (char *)(uintptr_t)sealed->key_id };

	if (sealed->size == 0)
		return ERR_CRYPTO;
	return vault_open_column(vault, place, &column, text, room);
}

void vault_hash(const struct vault *vault, const char *name, const char *value,
		uint8_t out[VAULT_HASH_SIZE])
{
	uint8_t message[CRYPTO_SHA256_SIZE + 64];
	uint8_t mac[CRYPTO_SHA256_SIZE];
	size_t name_size = strlen(name) + 1;

	/* The value is hashed first: it has no fixed bound here, the MAC's message has. */
	memcpy(message, name, name_size);
	crypto_sha256(value, strlen(value), message + name_size);
	crypto_hmac_sha256(&vault->hash_key, message, name_size + CRYPTO_SHA256_SIZE, mac);
	memcpy(out, mac, VAULT_HASH_SIZE);
}

void vault_search_hash(const struct vault *vault, const char *name, const char *merchant,
		       const char *value, uint8_t out[VAULT_SEARCH_SIZE])
{
	uint8_t message[64 + 64 + CRYPTO_SHA256_SIZE];
	uint8_t mac[CRYPTO_SHA256_SIZE];
	const size_t name_size = strlen(name) + 1;
	const size_t merchant_size = strlen(merchant) + 1;

	assert(name_size <= 64 && merchant_size <= 64);
	memcpy(message, name, name_size);
	memcpy(message + name_size, merchant, merchant_size);
	crypto_sha256(value, strlen(value), message + name_size + merchant_size);
	crypto_hmac_sha256(&vault->hash_key, message,
			   name_size + merchant_size + CRYPTO_SHA256_SIZE, mac);
	memcpy(out, mac, VAULT_SEARCH_SIZE);
}

void vault_done(struct vault *vault)
{
	explicit_bzero(vault->keys, sizeof vault->keys);
	vault->count = 0;
	secret_done(&vault->hash_key);
}
