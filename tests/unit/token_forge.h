/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forge: throw-away keys, and tokens put together by hand, good and bad, for the token tests.
 *
 * Invariant  the keys are made once per process, before tests fork
 * Ownership  nothing to free
 */
#ifndef TESTS_TOKEN_FORGE_H
#define TESTS_TOKEN_FORGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/token.h"

#define FORGE_NOW 1800000000
#define FORGE_TEXT_SIZE 16384

enum forge_key { /* index in struct token_keys; the kids are "hs-1", "hs-2", "rs-1" ... */
	FORGE_HS_1,
	FORGE_HS_2,
	FORGE_RS_1,
	FORGE_RS_2,
	FORGE_ES_1,
	FORGE_ES_2,
	FORGE_KEY_COUNT
};

enum forge_odd { /* keys that no algorithm of ours takes */
	FORGE_RSA_1024,
	FORGE_RSA_PSS,
	FORGE_P384,
	FORGE_ED25519,
	FORGE_ODD_COUNT
};

struct forge {
	struct token_keys verifying; /* issuer "https://issuer.test", audience "payops-api" */
	struct token_keys issuing;   /* the same kids with private keys */
	struct secret odd_public[FORGE_ODD_COUNT];
	struct secret odd_private[FORGE_ODD_COUNT];
};

/* The keys, made at the first call. */
const struct forge *forge_keys(void);

enum forge_signer {
	FORGE_SIGN_HS_1,
	FORGE_SIGN_HS_2,
	FORGE_SIGN_RS_1,
	FORGE_SIGN_RS_2,
	FORGE_SIGN_ES_1,
	FORGE_SIGN_ES_2,
	FORGE_SIGN_NOTHING,       /* an empty third part */
	FORGE_SIGN_ZEROES,        /* 64 zero bytes */
	FORGE_SIGN_HS_384,        /* key hs-1 with the longer hashes */
	FORGE_SIGN_HS_512,
	FORGE_SIGN_HS_CUT,        /* key hs-1, the first 16 bytes */
	FORGE_SIGN_HS_EMPTY_KEY,
	FORGE_SIGN_HS_KID,        /* the key is the key's own name */
	FORGE_SIGN_HS_RS_PUBLIC,  /* the key is the text of the public PEM of rs-1 */
	FORGE_SIGN_HS_ES_PUBLIC,
	FORGE_SIGN_RS_512,        /* key rs-1, another hash */
	FORGE_SIGN_RS_PSS,        /* key rs-1, another padding */
	FORGE_SIGN_ES_DER,        /* key es-1, the signature in DER */
	FORGE_SIGN_P384,
	FORGE_SIGN_ED25519,
};

/* Write `text` with ' as " and \x1a as NUL in base64url to `out`. Returns its length. */
size_t forge_encode(const char *text, char *out, size_t out_size);

/* Put a dot and the signature over `token` behind it; `token` has FORGE_TEXT_SIZE. */
void forge_sign(enum forge_signer signer, char *token);

/* Header and claims as for forge_encode(), signed. Returns `token`, of FORGE_TEXT_SIZE. */
const char *forge_token(const char *header, const char *claims, enum forge_signer signer,
			char *token);

#endif
