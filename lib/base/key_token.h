/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * API keys as they are borne: "po_live_", the id, "_", the secret.
 *
 * Invariant  a struct holds the id and the SHA-256 of the secret, never the secret; each secret has one spelling
 * Threads    safe: pure, but for key_token_make()'s random bytes
 * Source     API.md: Authentication. The secret is 256 random bits, so a plain hash of it cannot be searched
 */
#ifndef BASE_KEY_TOKEN_H
#define BASE_KEY_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"

#define KEY_TOKEN_PREFIX "po_live_"
#define KEY_TOKEN_ID_SIZE 17 /* 16 digits of lower-case hex and a NUL */
#define KEY_TOKEN_SIZE (8 + 16 + 1 + 43 + 1)

struct key_token {
	char id[KEY_TOKEN_ID_SIZE];
	uint8_t digest[CRYPTO_SHA256_SIZE];
};

/* A new one, at random, with its text, which the caller shows once and wipes. */
void key_token_make(struct key_token *token, char text[KEY_TOKEN_SIZE]);

/* Whether `text` begins as an API key does; no JSON Web Token does. */
bool key_token_is_meant(const char *text);

/* Take `text` apart, strictly. False leaves *token untouched. */
bool key_token_read(const char *text, struct key_token *token);

/* Whether `text` is an id: 16 digits of lower-case hex. */
bool key_token_is_id(const char *text);

#endif
