/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/token_forge.h"

#include <check.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"

#define SIGNATURE_MAX 512

static void generate(gnutls_pk_algorithm_t algorithm, unsigned bits, struct secret *private_pem,
		     struct secret *public_pem)
{
	gnutls_x509_privkey_t key;
	gnutls_privkey_t whole;
	gnutls_pubkey_t half;
	size_t size = SECRET_MAX;

	ck_assert_int_ge(gnutls_x509_privkey_init(&key), 0);
	ck_assert_int_ge(gnutls_x509_privkey_generate(key, algorithm, bits, 0), 0);
	ck_assert_int_ge(gnutls_x509_privkey_export_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
							  GNUTLS_PKCS_PLAIN, private_pem->bytes,
							  &size),
			 0);
	private_pem->size = size;
	ck_assert_int_ge(gnutls_privkey_init(&whole), 0);
	ck_assert_int_ge(gnutls_privkey_import_x509(whole, key, GNUTLS_PRIVKEY_IMPORT_COPY), 0);
	ck_assert_int_ge(gnutls_pubkey_init(&half), 0);
	ck_assert_int_ge(gnutls_pubkey_import_privkey(half, whole, 0, 0), 0);
	size = SECRET_MAX;
	ck_assert_int_ge(gnutls_pubkey_export(half, GNUTLS_X509_FMT_PEM, public_pem->bytes, &size),
			 0);
	public_pem->size = size;
	gnutls_pubkey_deinit(half);
	gnutls_privkey_deinit(whole);
	gnutls_x509_privkey_deinit(key);
}

static void make_pair(struct forge *forge, enum forge_key index, gnutls_pk_algorithm_t algorithm,
		      unsigned bits)
{
	generate(algorithm, bits, &forge->issuing.keys[index].material,
		 &forge->verifying.keys[index].material);
}

static void make_raw(struct forge *forge, enum forge_key index)
{
	struct secret *material = &forge->verifying.keys[index].material;

	material->size = 32;
	crypto_random(material->bytes, material->size);
	forge->issuing.keys[index].material = *material;
}

static void make_odd(struct forge *forge, enum forge_odd index, gnutls_pk_algorithm_t algorithm,
		     unsigned bits)
{
	generate(algorithm, bits, &forge->odd_private[index], &forge->odd_public[index]);
}

static void name_keys(struct token_keys *keys)
{
	static const char *const kids[] = { "hs-1", "hs-2", "rs-1", "rs-2", "es-1", "es-2" };

	(void)snprintf(keys->issuer, sizeof keys->issuer, "https://issuer.test");
	(void)snprintf(keys->audience, sizeof keys->audience, "payops-api");
	keys->count = FORGE_KEY_COUNT;
	for (size_t i = 0; i < FORGE_KEY_COUNT; i++) {
		(void)snprintf(keys->keys[i].kid, TOKEN_KID_SIZE, "%s", kids[i]);
		keys->keys[i].algorithm = i < FORGE_RS_1   ? TOKEN_HS256
					  : i < FORGE_ES_1 ? TOKEN_RS256
							   : TOKEN_ES256;
	}
}

static void make(struct forge *forge)
{
	const unsigned p256 = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
	const unsigned p384 = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1);
	const unsigned ed25519 = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519);

	name_keys(&forge->verifying);
	name_keys(&forge->issuing);
	make_raw(forge, FORGE_HS_1);
	make_raw(forge, FORGE_HS_2);
	make_pair(forge, FORGE_RS_1, GNUTLS_PK_RSA, 2048);
	make_pair(forge, FORGE_RS_2, GNUTLS_PK_RSA, 2048);
	make_pair(forge, FORGE_ES_1, GNUTLS_PK_ECDSA, p256);
	make_pair(forge, FORGE_ES_2, GNUTLS_PK_ECDSA, p256);
	make_odd(forge, FORGE_RSA_1024, GNUTLS_PK_RSA, 1024);
	make_odd(forge, FORGE_RSA_PSS, GNUTLS_PK_RSA_PSS, 2048);
	make_odd(forge, FORGE_P384, GNUTLS_PK_ECDSA, p384);
	make_odd(forge, FORGE_ED25519, GNUTLS_PK_EDDSA_ED25519, ed25519);
}

const struct forge *forge_keys(void)
{
	/* lint: state: keys take a second to make and are shared by all tests of a program */
	static struct forge forge;

	if (forge.verifying.count == 0)
		make(&forge);
	return &forge;
}

size_t forge_encode(const char *text, char *out, size_t out_size)
{
	char bytes[FORGE_TEXT_SIZE];
	size_t size = strlen(text);

	ck_assert_uint_lt(size, sizeof bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = text[i] == '\'' ? '"' : text[i] == '\x1a' ? '\0' : text[i];
	return crypto_base64url_encode(bytes, size, out, out_size);
}

static size_t hmac(gnutls_mac_algorithm_t algorithm, const void *key, size_t key_size,
		   const char *text, uint8_t out[SIGNATURE_MAX])
{
	ck_assert_int_ge(gnutls_hmac_fast(algorithm, key, key_size, text, strlen(text), out), 0);
	return gnutls_hmac_get_len(algorithm);
}

static size_t hmac_secret(const struct secret *key, const char *text, uint8_t out[SIGNATURE_MAX])
{
	return hmac(GNUTLS_MAC_SHA256, key->bytes, key->size, text, out);
}

static size_t sign_pem(gnutls_sign_algorithm_t algorithm, const struct secret *pem,
		       const char *text, uint8_t out[SIGNATURE_MAX])
{
	gnutls_datum_t pem_text = { (unsigned char *)pem->bytes, (unsigned)pem->size };
	gnutls_datum_t signed_text = { (unsigned char *)text, (unsigned)strlen(text) };
	gnutls_datum_t signature = { NULL, 0 };
	gnutls_privkey_t key;
	size_t size;

	ck_assert_int_ge(gnutls_privkey_init(&key), 0);
	ck_assert_int_ge(
		gnutls_privkey_import_x509_raw(key, &pem_text, GNUTLS_X509_FMT_PEM, NULL, 0), 0);
	ck_assert_int_ge(gnutls_privkey_sign_data2(key, algorithm, 0, &signed_text, &signature), 0);
	size = signature.size;
	ck_assert_uint_le(size, SIGNATURE_MAX);
	memcpy(out, signature.data, size);
	gnutls_free(signature.data);
	gnutls_privkey_deinit(key);
	return size;
}

/* One number of an ECDSA signature, right-aligned in 32 bytes. */
static void place_number(const gnutls_datum_t *number, uint8_t out[32])
{
	unsigned skip = number->size > 32 ? number->size - 32 : 0;
	unsigned used = number->size - skip;

	memset(out, 0, 32);
	memcpy(out + 32 - used, number->data + skip, used);
}

static size_t sign_es256(const struct secret *pem, const char *text, uint8_t out[SIGNATURE_MAX])
{
	uint8_t der[SIGNATURE_MAX];
	gnutls_datum_t whole = { der, 0 }, r, s;

	whole.size = (unsigned)sign_pem(GNUTLS_SIGN_ECDSA_SHA256, pem, text, der);
	ck_assert_int_ge(gnutls_decode_rs_value(&whole, &r, &s), 0);
	place_number(&r, out);
	place_number(&s, out + 32);
	gnutls_free(r.data);
	gnutls_free(s.data);
	return 64;
}

static size_t sign_oddly(enum forge_signer signer, const char *text, uint8_t out[SIGNATURE_MAX])
{
	const struct forge *forge = forge_keys();
	const struct token_key *half = forge->verifying.keys;
	const struct token_key *whole = forge->issuing.keys;
	const struct secret *raw = &whole[FORGE_HS_1].material;

	if (signer == FORGE_SIGN_HS_384)
		return hmac(GNUTLS_MAC_SHA384, raw->bytes, raw->size, text, out);
	if (signer == FORGE_SIGN_HS_512)
		return hmac(GNUTLS_MAC_SHA512, raw->bytes, raw->size, text, out);
	if (signer == FORGE_SIGN_HS_EMPTY_KEY)
		return hmac(GNUTLS_MAC_SHA256, "", 0, text, out);
	if (signer == FORGE_SIGN_HS_KID)
		return hmac(GNUTLS_MAC_SHA256, "hs-1", 4, text, out);
	if (signer == FORGE_SIGN_HS_CUT)
		return hmac_secret(raw, text, out) / 2;
	if (signer == FORGE_SIGN_HS_RS_PUBLIC)
		return hmac_secret(&half[FORGE_RS_1].material, text, out);
	if (signer == FORGE_SIGN_HS_ES_PUBLIC)
		return hmac_secret(&half[FORGE_ES_1].material, text, out);
	if (signer == FORGE_SIGN_RS_512)
		return sign_pem(GNUTLS_SIGN_RSA_SHA512, &whole[FORGE_RS_1].material, text, out);
	if (signer == FORGE_SIGN_RS_PSS)
		return sign_pem(GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, &whole[FORGE_RS_1].material, text,
				out);
	if (signer == FORGE_SIGN_ES_DER)
		return sign_pem(GNUTLS_SIGN_ECDSA_SHA256, &whole[FORGE_ES_1].material, text, out);
	if (signer == FORGE_SIGN_P384)
		return sign_pem(GNUTLS_SIGN_ECDSA_SHA256, &forge->odd_private[FORGE_P384], text,
				out);
	ck_assert_int_eq(signer, FORGE_SIGN_ED25519);
	return sign_pem(GNUTLS_SIGN_EDDSA_ED25519, &forge->odd_private[FORGE_ED25519], text, out);
}

static size_t sign(enum forge_signer signer, const char *text, uint8_t out[SIGNATURE_MAX])
{
	const struct token_key *whole = forge_keys()->issuing.keys;

	if (signer == FORGE_SIGN_NOTHING)
		return 0;
	if (signer == FORGE_SIGN_ZEROES) {
		memset(out, 0, 64);
		return 64;
	}
	if (signer <= FORGE_SIGN_HS_2)
		return hmac_secret(&whole[signer].material, text, out);
	if (signer <= FORGE_SIGN_RS_2)
		return sign_pem(GNUTLS_SIGN_RSA_SHA256, &whole[signer].material, text, out);
	if (signer <= FORGE_SIGN_ES_2)
		return sign_es256(&whole[signer].material, text, out);
	return sign_oddly(signer, text, out);
}

void forge_sign(enum forge_signer signer, char *token)
{
	uint8_t signature[SIGNATURE_MAX];
	size_t size = sign(signer, token, signature);
	size_t length = strlen(token);

	ck_assert_uint_lt(length + 1, FORGE_TEXT_SIZE);
	token[length] = '.';
	(void)crypto_base64url_encode(signature, size, token + length + 1,
				      FORGE_TEXT_SIZE - length - 1);
}

const char *forge_token(const char *header, const char *claims, enum forge_signer signer,
			char *token)
{
	size_t length = forge_encode(header, token, FORGE_TEXT_SIZE);

	token[length] = '.';
	(void)forge_encode(claims, token + length + 1, FORGE_TEXT_SIZE - length - 1);
	forge_sign(signer, token);
	return token;
}
