/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What token_verify() and token_issue() agree on: one row per algorithm, and the shape of claims.
 *
 * Threads    safe: constants only
 * Source     RFC 7518 section 3.1; API.md: Authentication
 */
#ifndef BASE_TOKEN_RULE_H
#define BASE_TOKEN_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/token.h"

#define TOKEN_RULE_HS256_KEY_MIN 32
#define TOKEN_RULE_RS256_BITS_MIN 2048
#define TOKEN_RULE_PART_MAX (TOKEN_TEXT_MAX / 4 * 3) /* bytes that a whole token could decode to */

struct token_rule_algorithm {
	const char *word;     /* the `alg` member, letter for letter; libjwt's name for it too */
	size_t signature_max; /* bytes: libjwt takes longer forms of the same ES256 signature */
};

/* The row of `algorithm`; never NULL. */
const struct token_rule_algorithm *token_rule_algorithm(enum token_algorithm algorithm);

/* [a-z0-9_-]{1,32}. NULL is not. */
bool token_rule_merchant(const char *text);

/* 1 to 128 visible ASCII characters. NULL is not. */
bool token_rule_subject(const char *text);

/* 0..2^53: what every JSON reader keeps exactly. */
bool token_rule_seconds(int64_t seconds);

#endif
