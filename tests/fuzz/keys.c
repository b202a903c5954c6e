/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Tokens, API keys, ids, idempotency keys and cursors: short texts that say who asks and what for. */
#include "apid/cursor.h"
#include "apid/idempotency_key.h"
#include "base/crypto.h"
#include "base/key_token.h"
#include "base/token.h"
#include "core/card.h"
#include "tests/fuzz/fuzz.h"

#define NOW_S INT64_C(1800000000)

static void keys_make(struct token_keys *keys)
{
	struct token_key *key = &keys->keys[0];

	memset(keys, 0, sizeof *keys);
	memcpy(keys->issuer, "payops", sizeof "payops");
	memcpy(keys->audience, "payops", sizeof "payops");
	memcpy(key->kid, "k1", sizeof "k1");
	key->algorithm = TOKEN_HS256;
	key->material.size = CRYPTO_KEY_SIZE;
	memset(key->material.bytes, 'k', CRYPTO_KEY_SIZE);
	keys->count = 1;
}

static bool verify(const struct token_keys *keys, const char *token)
{
	struct token_claims claims;
	const char *why = NULL;
	const enum err err = token_verify(keys, token, NOW_S, &claims, &why);

	if (err != ERR_OK) {
		fuzz_expect(why != NULL);
		return false;
	}
	fuzz_expect(claims.expires_at_s > NOW_S - TOKEN_SKEW_S);
	fuzz_expect(strlen(claims.merchant) > 0 && strlen(claims.subject) > 0);
	fuzz_expect((claims.scopes & ~(unsigned)SCOPE_ALL) == 0);
	return true;
}

/* "<header>.<claims>.<signature>" of any two texts. */
static void token_sign(const struct token_keys *keys, const char *parts[2],
		       char token[TOKEN_TEXT_MAX])
{
	uint8_t mac[CRYPTO_SHA256_SIZE];
	size_t used = 0;

	for (int i = 0; i < 2; i++) {
		used += crypto_base64url_encode(parts[i], strlen(parts[i]), token + used,
						TOKEN_TEXT_MAX - used);
		token[used++] = '.';
	}
	crypto_hmac_sha256(&keys->keys[0].material, token, used - 1, mac);
	(void)crypto_base64url_encode(mac, sizeof mac, token + used, TOKEN_TEXT_MAX - used);
}

/* The first line is the header, the rest the claims; without a line break it is a token as it came. */
void fuzz_token(const uint8_t *bytes, size_t size)
{
	static const size_t part_max = TOKEN_TEXT_MAX / 4;
	char token[TOKEN_TEXT_MAX];
	struct token_keys keys;
	char *header = fuzz_line(&bytes, &size);
	char *claims = fuzz_text(bytes, size);

	keys_make(&keys);
	if (size == 0)
		fuzz_expect(!verify(&keys, header));
	else if (strlen(header) < part_max && strlen(claims) < part_max) {
		token_sign(&keys, (const char *[]){ header, claims }, token);
		(void)verify(&keys, token);
	}
	free(header);
	free(claims);
}

void fuzz_api_key(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_text(bytes, size);
	struct key_token token;

	if (key_token_read(text, &token)) {
		fuzz_expect(key_token_is_meant(text));
		fuzz_expect(key_token_is_id(token.id));
		fuzz_expect(strlen(text) == KEY_TOKEN_SIZE - 1);
	}
	(void)key_token_is_id(text);
	free(text);
}

void fuzz_id(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_text(bytes, size);
	char again[ID_TEXT_SIZE];
	struct id id;

	for (int kind = 0; kind < ID_KIND_COUNT; kind++)
		if (id_parse((enum id_kind)kind, text, &id))
			fuzz_expect(strlen(id_format((enum id_kind)kind, id, again)) ==
				    strlen(text));
	free(text);
}

/* A key that was taken is visible ASCII without a card number, and the same key when it is quoted. */
void fuzz_idempotency_key(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_text(bytes, size);
	char key[IDEMPOTENCY_KEY_SIZE], again[IDEMPOTENCY_KEY_SIZE];
	char quoted[IDEMPOTENCY_KEY_SIZE * 2 + 3];
	const char *why = NULL;
	size_t used = 0;

	if (idempotency_key_parse(text, key, &why) == ERR_OK) {
		fuzz_expect(key[0] != '\0' && text_is(TEXT_VISIBLE, key, strlen(key)));
		fuzz_expect(!card_word_in(key));
		quoted[used++] = '"';
		for (const char *at = key; *at != '\0'; at++) {
			if (*at == '"' || *at == '\\')
				quoted[used++] = '\\';
			quoted[used++] = *at;
		}
		memcpy(quoted + used, "\"", 2);
		fuzz_expect(idempotency_key_parse(quoted, again, &why) == ERR_OK);
		fuzz_expect(strcmp(key, again) == 0);
	} else {
		fuzz_expect(why != NULL);
	}
	free(text);
}

/* The first line is the list's filters. Nobody without the key makes a cursor, and ours fits its list alone. */
void fuzz_cursor(const uint8_t *bytes, size_t size)
{
	struct secret key = { .size = CRYPTO_KEY_SIZE };
	struct cursor position = { .at_us = NOW_S }, read;
	char written[CURSOR_SIZE];
	char *filters = fuzz_line(&bytes, &size);
	char *text = fuzz_text(bytes, size);

	crypto_random(key.bytes, CRYPTO_KEY_SIZE);
	fuzz_expect(!cursor_read(&key, filters, text, &read));
	(void)cursor_write(&key, filters, position, written);
	fuzz_expect(cursor_read(&key, filters, written, &read) && read.at_us == position.at_us);
	fuzz_expect(strcmp(filters, text) == 0 || !cursor_read(&key, text, written, &read));
	free(filters);
	free(text);
}
