/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cryptography: random bytes, SHA-256, HMAC, AES-256-GCM. The only file that includes GnuTLS.
 *
 * Threads    safe
 * Source     FIPS 180-4, RFC 2104, NIST SP 800-38D (96-bit random nonce, 128-bit tag)
 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "core/err.h"

#define CRYPTO_SHA256_SIZE 32
#define CRYPTO_SHA512_SIZE 64
#define CRYPTO_KEY_SIZE 32
#define CRYPTO_SEAL_OVERHEAD (12 + 16) /* nonce in front, tag behind */

/* Fill with random bytes from the system; ends the process where it has none (never weak bytes). */
void crypto_random(void *out, size_t size);

void crypto_sha256(const void *bytes, size_t size, uint8_t out[CRYPTO_SHA256_SIZE]);
void crypto_hmac_sha256(const struct secret *key, const void *bytes, size_t size,
			uint8_t out[CRYPTO_SHA256_SIZE]);
void crypto_hmac_sha512(const struct secret *key, const void *bytes, size_t size,
			uint8_t out[CRYPTO_SHA512_SIZE]);

/* Lower-case hex and a NUL: `out` holds 2 * size + 1. Returns `out`. */
const char *crypto_hex(const uint8_t *bytes, size_t size, char *out);

/* Strict hex (either case, exactly 2 * size digits, NUL-terminated text). */
bool crypto_unhex(const char *text, uint8_t *out, size_t size);

/*
 * Base64url without padding (RFC 4648 §5). Encode gives the length and terminates `out`, which has
 * room for both.
 * Decode is strict: no padding, blanks, or non-zero trailing bits; false leaves out and *size
 * untouched.
 */
size_t crypto_base64url_encode(const void *bytes, size_t size, char *out, size_t out_size);
bool crypto_base64url_decode(const char *text, size_t text_size, uint8_t *out, size_t out_size,
			     size_t *size);

/*
 * Seal: out = nonce ‖ ciphertext ‖ tag, `size + CRYPTO_SEAL_OVERHEAD` bytes; `aad` binds it to its
 * place (table, column, row).
 * Open: the reverse; `out` gets `sealed_size - CRYPTO_SEAL_OVERHEAD` bytes.
 * Returns  ERR_OK; ERR_CRYPTO where the tag does not fit; ERR_MEMORY (out untouched)
 */
CHECKED enum err crypto_seal(const uint8_t key[CRYPTO_KEY_SIZE], const void *aad, size_t aad_size,
			     const void *plain, size_t size, uint8_t *out);
CHECKED enum err crypto_open(const uint8_t key[CRYPTO_KEY_SIZE], const void *aad, size_t aad_size,
			     const uint8_t *sealed, size_t sealed_size, void *out);

/* What a PEM text holds. */
enum crypto_pem_kind {
	CRYPTO_PEM_NONE,  /* no key, or an encrypted or damaged one */
	CRYPTO_PEM_RSA,   /* not RSA-PSS, which is CRYPTO_PEM_OTHER */
	CRYPTO_PEM_P256,  /* elliptic curve, NIST P-256 */
	CRYPTO_PEM_OTHER, /* a key of another kind or curve */
};

struct crypto_pem {
	enum crypto_pem_kind kind;
	bool is_private;
	unsigned bits; /* of the RSA modulus or the curve; 0 for _NONE */
};

/*
 * Judge the public ("PUBLIC KEY") or private (PKCS #8, PKCS #1, SEC 1) key in `pem`. A certificate
 * is _NONE.
 */
struct crypto_pem crypto_pem_read(const struct secret *pem);

#endif
