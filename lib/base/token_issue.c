/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/token.h"

#include <assert.h>
#include <jansson.h>
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/token_rule.h"

#define P256_NUMBER_SIZE 32
#define P521_NUMBER_SIZE 66

/* To be freed; NULL when memory is short, or issuer or audience are not UTF-8. */
static char *claims_text(const struct token_keys *keys, const struct token_claims *claims,
			 int64_t now_s)
{
	char scope[TOKEN_SCOPES_SIZE];
	json_t *object;
	char *text;

	token_scopes_write(claims->scopes, scope);
	object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "iss", keys->issuer, "aud",
			   keys->audience, "sub", claims->subject, "merchant", claims->merchant,
			   "scope", scope, "iat", (json_int_t)now_s, "exp",
			   (json_int_t)claims->expires_at_s);
	text = object != NULL ? json_text(object) : NULL;
	json_decref(object);
	return text;
}

/*
 * libjwt 1.10.2 over GnuTLS fills both numbers of any ECDSA signature up to the size of P-521's,
 * which it then refuses itself. RFC 7518 section 3.4: 32 bytes each. False where the signature is
 * neither.
 */
static bool repack_p256(char *token)
{
	static const uint8_t zeroes[P521_NUMBER_SIZE - P256_NUMBER_SIZE];
	char *part = strrchr(token, '.') + 1;
	uint8_t wide[2 * P521_NUMBER_SIZE], narrow[2 * P256_NUMBER_SIZE];
	size_t length = strlen(part), size;

	if (!crypto_base64url_decode(part, length, wide, sizeof wide, &size))
		return false;
	if (size == sizeof narrow)
		return true;
	if (size != sizeof wide || memcmp(wide, zeroes, sizeof zeroes) != 0 ||
	    memcmp(wide + P521_NUMBER_SIZE, zeroes, sizeof zeroes) != 0)
		return false;
	memcpy(narrow, wide + sizeof zeroes, P256_NUMBER_SIZE);
	memcpy(narrow + P256_NUMBER_SIZE, wide + P521_NUMBER_SIZE + sizeof zeroes,
	       P256_NUMBER_SIZE);
	(void)crypto_base64url_encode(narrow, sizeof narrow, part, length + 1);
	return true;
}

static enum err sign(const struct token_key *key, const char *claims, char out[TOKEN_TEXT_MAX])
{
	jwt_alg_t algorithm = jwt_str_alg(token_rule_algorithm(key->algorithm)->word);
	enum err err = ERR_CRYPTO;
	char *text = NULL;
	jwt_t *jwt = NULL;

	if (jwt_new(&jwt) != 0)
		return ERR_MEMORY;
	if (jwt_set_alg(jwt, algorithm, key->material.bytes, (int)key->material.size) != 0 ||
	    jwt_add_header(jwt, "kid", key->kid) != 0 || jwt_add_grants_json(jwt, claims) != 0)
		goto out;
	text = jwt_encode_str(jwt);
	if (text == NULL || (key->algorithm == TOKEN_ES256 && !repack_p256(text)) ||
	    strlen(text) >= TOKEN_TEXT_MAX)
		goto out;
	memcpy(out, text, strlen(text) + 1);
	explicit_bzero(text, strlen(text));
	err = ERR_OK;
out:
	free(text);
	jwt_free(jwt);
	return err;
}

enum err token_issue(const struct token_keys *keys, size_t index, const struct token_claims *claims,
		     int64_t now_s, char out[TOKEN_TEXT_MAX])
{
	enum err err;
	char *text;

	assert(index < keys->count);
	if (!token_rule_merchant(claims->merchant) || !token_rule_subject(claims->subject) ||
	    !token_rule_seconds(claims->expires_at_s))
		return ERR_INVALID;
	text = claims_text(keys, claims, now_s);
	if (text == NULL)
		return ERR_MEMORY;
	err = sign(&keys->keys[index], text, out);
	free(text);
	return err;
}
