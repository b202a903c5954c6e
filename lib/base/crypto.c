/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/crypto.h"

#include <assert.h>
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/repeat.h"

#define NONCE_SIZE 12
#define TAG_SIZE 16
_Static_assert(NONCE_SIZE + TAG_SIZE == CRYPTO_SEAL_OVERHEAD, "the header states the overhead");

static const char hex_digits[] = "0123456789abcdef";
static const char base64url_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* A digest or random byte that could not be made must never be used. */
static void must(int status)
{
	if (status < 0)
		abort();
}

/* GnuTLS takes NULL for "no output wanted" in places, so an empty text gets an address. */
static const void *address(const void *bytes)
{
	return bytes != NULL ? bytes : "";
}

/*
 * The kernel's, since GnuTLS keeps a generator for each thread that ever asked it, until the process ends: 176 bytes
 * for every connection there was.
 */
void crypto_random(void *out, size_t size)
{
	uint8_t *at = out;

	if (repeat_random(out, size))
		return;
	while (size > 0) {
		const ssize_t got = getrandom(at, size, 0);

		if (got < 0 && errno == EINTR)
			continue;
		must(got > 0 ? 0 : -1);
		at += got;
		size -= (size_t)got;
	}
}

void crypto_sha256(const void *bytes, size_t size, uint8_t out[CRYPTO_SHA256_SIZE])
{
	must(gnutls_hash_fast(GNUTLS_DIG_SHA256, address(bytes), size, out));
}

void crypto_hmac_sha256(const struct secret *key, const void *bytes, size_t size,
			uint8_t out[CRYPTO_SHA256_SIZE])
{
	must(gnutls_hmac_fast(GNUTLS_MAC_SHA256, key->bytes, key->size, address(bytes), size, out));
}

void crypto_hmac_sha512(const struct secret *key, const void *bytes, size_t size,
			uint8_t out[CRYPTO_SHA512_SIZE])
{
	must(gnutls_hmac_fast(GNUTLS_MAC_SHA512, key->bytes, key->size, address(bytes), size, out));
}

const char *crypto_hex(const uint8_t *bytes, size_t size, char *out)
{
	char *at = out;

	for (size_t i = 0; i < size; i++) {
		*at++ = hex_digits[bytes[i] >> 4];
		*at++ = hex_digits[bytes[i] & 15];
	}
	*at = '\0';
	return out;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

bool crypto_unhex(const char *text, uint8_t *out, size_t size)
{
	size_t digits = 0;

	while (digits < 2 * size && hex_value(text[digits]) >= 0)
		digits++;
	if (digits != 2 * size || text[digits] != '\0')
		return false;
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
	return true;
}

size_t crypto_base64url_encode(const void *bytes, size_t size, char *out, size_t out_size)
{
	const uint8_t *from = bytes;
	size_t length = size / 3 * 4 + (size % 3 * 4 + 2) / 3;
	uint32_t bits = 0;
	unsigned held = 0;
	char *at = out;

	assert(out_size > length);
	for (size_t i = 0; i < size; i++) {
		bits = bits << 8 | from[i];
		for (held += 8; held >= 6; held -= 6)
			*at++ = base64url_digits[bits >> (held - 6) & 63];
	}
	if (held > 0)
		*at++ = base64url_digits[bits << (6 - held) & 63];
	*at = '\0';
	return length;
}

static int base64url_value(char digit)
{
	if (digit >= 'A' && digit <= 'Z')
		return digit - 'A';
	if (digit >= 'a' && digit <= 'z')
		return digit - 'a' + 26;
	if (digit >= '0' && digit <= '9')
		return digit - '0' + 52;
	if (digit == '-')
		return 62;
	return digit == '_' ? 63 : -1;
}

/* True for text that our encoder could have made: RFC 4648 §3.5 asks for zero bits at the end. */
static bool base64url_canonical(const char *text, size_t size)
{
	static const int spare_bits[4] = { 0, 0, 15, 3 };

	for (size_t i = 0; i < size; i++) {
		if (base64url_value(text[i]) < 0)
			return false;
	}
	if (size % 4 == 1)
		return false;
	return size == 0 || (base64url_value(text[size - 1]) & spare_bits[size % 4]) == 0;
}

bool crypto_base64url_decode(const char *text, size_t text_size, uint8_t *out, size_t out_size,
			     size_t *size)
{
	size_t length = text_size / 4 * 3 + text_size % 4 * 3 / 4;
	uint32_t bits = 0;
	unsigned held = 0;
	uint8_t *at = out;

	if (length > out_size || !base64url_canonical(text, text_size))
		return false;
	for (size_t i = 0; i < text_size; i++) {
		bits = bits << 6 | (uint32_t)base64url_value(text[i]);
		held += 6;
		if (held >= 8) {
			held -= 8;
			*at++ = (uint8_t)(bits >> held);
		}
	}
	*size = length;
	return true;
}

static enum err cipher_open(const uint8_t key[CRYPTO_KEY_SIZE], gnutls_aead_cipher_hd_t *cipher)
{
	/* GnuTLS only reads the key; its datum has no const form. */
	gnutls_datum_t datum = { (unsigned char *)key, CRYPTO_KEY_SIZE };

	return gnutls_aead_cipher_init(cipher, GNUTLS_CIPHER_AES_256_GCM, &datum) < 0 ? ERR_CRYPTO
										      : ERR_OK;
}

enum err crypto_seal(const uint8_t key[CRYPTO_KEY_SIZE], const void *aad, size_t aad_size,
		     const void *plain, size_t size, uint8_t *out)
{
	uint8_t nonce[NONCE_SIZE];
	gnutls_aead_cipher_hd_t cipher;
	size_t made = size + TAG_SIZE;
	int status;

	if (cipher_open(key, &cipher) != ERR_OK)
		return ERR_CRYPTO;
	crypto_random(nonce, sizeof nonce);
	status =
		gnutls_aead_cipher_encrypt(cipher, nonce, sizeof nonce, address(aad), aad_size,
					   TAG_SIZE, address(plain), size, out + NONCE_SIZE, &made);
	gnutls_aead_cipher_deinit(cipher);
	if (status < 0)
		return ERR_CRYPTO;
	assert(made == size + TAG_SIZE);
	memcpy(out, nonce, sizeof nonce);
	return ERR_OK;
}

enum err crypto_open(const uint8_t key[CRYPTO_KEY_SIZE], const void *aad, size_t aad_size,
		     const uint8_t *sealed, size_t sealed_size, void *out)
{
	gnutls_aead_cipher_hd_t cipher;
	size_t made = sealed_size;
	uint8_t *plain; /* GnuTLS writes before it has judged the tag, so not into `out` */
	int status;

	if (sealed_size < CRYPTO_SEAL_OVERHEAD || cipher_open(key, &cipher) != ERR_OK)
		return ERR_CRYPTO;
	plain = malloc(sealed_size);
	if (plain == NULL) {
		gnutls_aead_cipher_deinit(cipher);
		return ERR_MEMORY;
	}
	status = gnutls_aead_cipher_decrypt(cipher, sealed, NONCE_SIZE, address(aad), aad_size,
					    TAG_SIZE, sealed + NONCE_SIZE, sealed_size - NONCE_SIZE,
					    plain, &made);
	gnutls_aead_cipher_deinit(cipher);
	if (status >= 0) {
		assert(made == sealed_size - CRYPTO_SEAL_OVERHEAD);
		if (made > 0)
			memcpy(out, plain, made);
	}
	explicit_bzero(plain, sealed_size);
	free(plain);
	return status < 0 ? ERR_CRYPTO : ERR_OK;
}

/* Fill `key` with the public half of a private PEM. */
static bool pem_import_private(gnutls_pubkey_t key, const gnutls_datum_t *text)
{
	gnutls_privkey_t whole;
	bool done;

	must(gnutls_privkey_init(&whole));
	done = gnutls_privkey_import_x509_raw(whole, text, GNUTLS_X509_FMT_PEM, NULL, 0) >= 0 &&
	       gnutls_pubkey_import_privkey(key, whole, 0, 0) >= 0;
	gnutls_privkey_deinit(whole);
	return done;
}

static enum crypto_pem_kind pem_kind(gnutls_pubkey_t key, int algorithm)
{
	gnutls_ecc_curve_t curve;

	if (algorithm == GNUTLS_PK_RSA)
		return CRYPTO_PEM_RSA;
	if (algorithm == GNUTLS_PK_ECDSA &&
	    gnutls_pubkey_export_ecc_raw2(key, &curve, NULL, NULL, 0) >= 0 &&
	    curve == GNUTLS_ECC_CURVE_SECP256R1)
		return CRYPTO_PEM_P256;
	return CRYPTO_PEM_OTHER;
}

struct crypto_pem crypto_pem_read(const struct secret *pem)
{
	gnutls_datum_t text = { (unsigned char *)pem->bytes, (unsigned)pem->size };
	struct crypto_pem result = { .kind = CRYPTO_PEM_NONE };
	gnutls_pubkey_t key;
	bool found;

	must(gnutls_pubkey_init(&key));
	found = gnutls_pubkey_import(key, &text, GNUTLS_X509_FMT_PEM) >= 0;
	if (!found) {
		found = pem_import_private(key, &text);
		result.is_private = found;
	}
	if (found)
		result.kind = pem_kind(key, gnutls_pubkey_get_pk_algorithm(key, &result.bits));
	gnutls_pubkey_deinit(key);
	return result;
}
