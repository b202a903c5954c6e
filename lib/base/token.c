/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/token.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/token_rule.h"

static const struct scope_row {
	enum token_scope scope;
	const char *word;
} scopes[] = {
	{ SCOPE_PAYMENTS_READ, "payments:read" },   { SCOPE_PAYMENTS_WRITE, "payments:write" },
	{ SCOPE_REFUNDS_WRITE, "refunds:write" },   { SCOPE_PAYOUTS_WRITE, "payouts:write" },
	{ SCOPE_CUSTOMERS_READ, "customers:read" }, { SCOPE_CUSTOMERS_WRITE, "customers:write" },
	{ SCOPE_CREDIT_READ, "credit:read" },       { SCOPE_CREDIT_WRITE, "credit:write" },
	{ SCOPE_WEBHOOKS_WRITE, "webhooks:write" },
	{ SCOPE_KEYS_READ, "keys:read" },
	{ SCOPE_KEYS_WRITE, "keys:write" },
};
#define SCOPE_COUNT (sizeof scopes / sizeof *scopes)

const char *token_scope_word(enum token_scope scope)
{
	size_t i = 0;

	while (i < SCOPE_COUNT && scopes[i].scope != scope)
		i++;
	assert(i < SCOPE_COUNT);
	return scopes[i].word;
}

/* The bit of the `size` bytes at `word`; 0 where it is none of ours. */
static unsigned scope_bit(const char *word, size_t size)
{
	for (size_t i = 0; i < SCOPE_COUNT; i++) {
		if (strlen(scopes[i].word) == size && memcmp(scopes[i].word, word, size) == 0)
			return scopes[i].scope;
	}
	return 0;
}

bool token_scopes_parse(const char *text, unsigned *bits)
{
	unsigned found = 0;

	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		size_t size = strcspn(text, " ");
		unsigned bit = scope_bit(text, size);

		if (bit == 0)
			return false;
		found |= bit;
		text += size;
	}
	*bits = found;
	return true;
}

void token_scopes_write(unsigned bits, char text[TOKEN_SCOPES_SIZE])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned bit = 1; bit <= SCOPE_ALL; bit <<= 1) {
		int wrote;

		if ((bits & bit) == 0)
			continue;
		wrote = snprintf(text + used, TOKEN_SCOPES_SIZE - used, "%s%s", used > 0 ? " " : "",
				 token_scope_word((enum token_scope)bit));
		assert(wrote > 0 && (size_t)wrote < TOKEN_SCOPES_SIZE - used);
		used += (size_t)wrote;
	}
}

static bool all_bytes_equal(const struct secret *secret)
{
	return secret->size > 0 && memcmp(secret->bytes, secret->bytes + 1, secret->size - 1) == 0;
}

static const char *hmac_key_fault(const struct secret *material)
{
	static const char pem_mark[] = "-----BEGIN";

	if (material->size < TOKEN_RULE_HS256_KEY_MIN)
		return "an HS256 key needs at least 32 random bytes";
	if (memmem(material->bytes, material->size, pem_mark, sizeof pem_mark - 1) != NULL)
		return "an HS256 key must not be a PEM file: anyone may know a public key";
	if (all_bytes_equal(material))
		return "an HS256 key must be random: all its bytes are the same";
	return NULL;
}

static const char *rsa_key_fault(const struct secret *material)
{
	struct crypto_pem pem = crypto_pem_read(material);

	if (pem.kind != CRYPTO_PEM_RSA)
		return "an RS256 key must be a PEM file that holds an RSA key";
	if (pem.bits < TOKEN_RULE_RS256_BITS_MIN)
		return "an RS256 key needs at least 2048 bits";
	return NULL;
}

static const char *curve_key_fault(const struct secret *material)
{
	return crypto_pem_read(material).kind != CRYPTO_PEM_P256
		       ? "an ES256 key must be a PEM file that holds a P-256 key"
		       : NULL;
}

enum err token_key_check(const struct token_key *key, char *why, size_t why_size)
{
	const char *fault = NULL;

	switch (key->algorithm) {
	case TOKEN_HS256:
		fault = hmac_key_fault(&key->material);
		break;
	case TOKEN_RS256:
		fault = rsa_key_fault(&key->material);
		break;
	case TOKEN_ES256:
		fault = curve_key_fault(&key->material);
		break;
	}
	if (fault == NULL)
		return ERR_OK;
	if (why != NULL)
		(void)snprintf(why, why_size, "%s", fault);
	return ERR_CONFIG;
}
