/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/key_token.h"

#include <stdio.h>
#include <string.h>

#define PREFIX_LENGTH (sizeof KEY_TOKEN_PREFIX - 1)
#define ID_LENGTH (KEY_TOKEN_ID_SIZE - 1)
#define SECRET_SIZE 32 /* bytes */
#define SECRET_AT (PREFIX_LENGTH + ID_LENGTH + 1)

static const char id_digits[] = "0123456789abcdef";

void key_token_make(struct key_token *token, char text[KEY_TOKEN_SIZE])
{
	uint8_t id[ID_LENGTH / 2], secret[SECRET_SIZE];

	crypto_random(id, sizeof id);
	crypto_random(secret, sizeof secret);
	(void)crypto_hex(id, sizeof id, token->id);
	crypto_sha256(secret, sizeof secret, token->digest);
	(void)snprintf(text, KEY_TOKEN_SIZE, "%s%s_", KEY_TOKEN_PREFIX, token->id);
	(void)crypto_base64url_encode(secret, sizeof secret, text + SECRET_AT,
				      KEY_TOKEN_SIZE - SECRET_AT);
	explicit_bzero(secret, sizeof secret);
}

bool key_token_is_meant(const char *text)
{
	return strncmp(text, KEY_TOKEN_PREFIX, PREFIX_LENGTH) == 0;
}

bool key_token_read(const char *text, struct key_token *token)
{
	uint8_t secret[SECRET_SIZE];
	const char *id = text + PREFIX_LENGTH;
	size_t size = 0;
	bool fits;

	if (strlen(text) != KEY_TOKEN_SIZE - 1 || !key_token_is_meant(text) ||
	    strspn(id, id_digits) != ID_LENGTH || id[ID_LENGTH] != '_')
		return false;
	fits = crypto_base64url_decode(text + SECRET_AT, KEY_TOKEN_SIZE - 1 - SECRET_AT, secret,
				       sizeof secret, &size) &&
	       size == sizeof secret;
	if (fits) {
		memcpy(token->id, id, ID_LENGTH);
		token->id[ID_LENGTH] = '\0';
		crypto_sha256(secret, sizeof secret, token->digest);
	}
	explicit_bzero(secret, sizeof secret);
	return fits;
}

bool key_token_is_id(const char *text)
{
	return strspn(text, id_digits) == ID_LENGTH && text[ID_LENGTH] == '\0';
}
