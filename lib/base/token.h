/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Access tokens: JSON Web Tokens, strictly. Header and claims are parsed and judged here; libjwt
 * only verifies or makes the signature with the one algorithm its key allows.
 *
 * Invariant  exactly one of HS256 (>= 32 random bytes, never a PEM), RS256 (>= 2048 bits), ES256
 *            (P-256) per key, fixed by configuration, chosen by `kid`; nothing in the token can
 *            choose an algorithm
 * Ownership  the key set is frozen after loading; claims are plain values
 * Threads    safe once loaded
 * Source     RFC 7515, RFC 7519, RFC 8725 (all of section 3); API.md: Authentication
 */
#ifndef BASE_TOKEN_H
#define BASE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "core/err.h"

#define TOKEN_TEXT_MAX 4096
#define TOKEN_KEYS_MAX 8
#define TOKEN_KID_SIZE 65
#define TOKEN_SKEW_S 60
#define TOKEN_SCOPES_SIZE 256 /* every word of a scope and a blank after each */

enum token_algorithm { TOKEN_HS256, TOKEN_RS256, TOKEN_ES256 };

/* Bits */
enum token_scope {
	SCOPE_PAYMENTS_READ = 1 << 0,
	SCOPE_PAYMENTS_WRITE = 1 << 1,
	SCOPE_REFUNDS_WRITE = 1 << 2,
	SCOPE_PAYOUTS_WRITE = 1 << 3,
	SCOPE_CUSTOMERS_READ = 1 << 4,
	SCOPE_CUSTOMERS_WRITE = 1 << 5,
	SCOPE_CREDIT_READ = 1 << 6,
	SCOPE_CREDIT_WRITE = 1 << 7,
	SCOPE_WEBHOOKS_WRITE = 1 << 8,
	SCOPE_KEYS_READ = 1 << 9,
	SCOPE_KEYS_WRITE = 1 << 10,
};
#define SCOPE_ALL 0x7ff

struct token_key {
	char kid[TOKEN_KID_SIZE];
	enum token_algorithm algorithm;
	struct secret
		material; /* HS256: raw key; else PEM (public for verifying, private for issuing) */
};

struct token_keys {
	char issuer[128];
	char audience[128];
	size_t count;
	struct token_key keys[TOKEN_KEYS_MAX];
};

struct token_claims {
	char merchant[33]; /* [a-z0-9_-]{1,32} */
	char subject[129];
	unsigned scopes; /* enum token_scope bits; unknown words in `scope` are ignored */
	int64_t expires_at_s;
	char api_key[17]; /* the id of the API key that stands for them; "": a token does */
};

/*
 * Word of one scope bit ("payments:read"); parse a blank-separated list (unknown words make it
 * false).
 */
const char *token_scope_word(enum token_scope scope);
bool token_scopes_parse(const char *text, unsigned *scopes);

/* The words of `scopes`, with a blank between. */
void token_scopes_write(unsigned scopes, char text[TOKEN_SCOPES_SIZE]);

/*
 * Judge that a key is strong enough for its algorithm.
 * Returns  ERR_OK or ERR_CONFIG with a sentence in `why` (256 bytes)
 */
CHECKED enum err token_key_check(const struct token_key *key, char *why, size_t why_size);

/*
 * Verify a compact token at `now_s` (UTC seconds).
 * Returns  ERR_OK with *claims; ERR_UNAUTHENTICATED with a short constant reason in *why (for the
 *          log and WWW-Authenticate error_description; never text of the token)
 * Refuses  other than three parts, padding, blanks, non-canonical base64url, header members other
 *          than alg, kid, typ ("JWT" in any case: libjwt knows no other); alg other than the key's,
 *          letter for letter; missing or unknown kid; duplicate members; claims that are numbers
 *          with a point or an exponent; `exp` missing, past or outside 0..2^53; `nbf`/`iat` ahead
 *          by more than TOKEN_SKEW_S or outside that range; `iss` or `aud` not exactly ours (`aud`
 *          may be an array of strings that holds ours); merchant malformed; `sub` other than 1 to
 *          128 visible ASCII characters; `scope` not a string (absent: no scopes); tokens longer
 *          than TOKEN_TEXT_MAX
 */
CHECKED enum err token_verify(const struct token_keys *keys, const char *token, int64_t now_s,
			      struct token_claims *claims, const char **why);

/* The reason for a token that was good until it expired: of all reasons, the one that is no sign of a forger. */
extern const char token_expired[];

/*
 * Issue a token signed with keys->keys[index] (private material for RS/ES), with iat = now_s.
 * Returns  ERR_OK with the terminated token in `out`; ERR_INVALID where merchant, subject or expiry
 *          are ones that token_verify() refuses at any time; ERR_CRYPTO; ERR_MEMORY
 */
CHECKED enum err token_issue(const struct token_keys *keys, size_t index,
			     const struct token_claims *claims, int64_t now_s,
			     char out[TOKEN_TEXT_MAX]);

#endif
