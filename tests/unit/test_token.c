/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/token.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "tests/unit/token_forge.h"
#include "tests/unit/unit.h"

#define COUNT(ARRAY) ((int)(sizeof(ARRAY) / sizeof *(ARRAY)))

START_TEST(token_scope_words_and_bits_are_one_to_one)
{
	unsigned all = 0;

	for (unsigned bit = 1; bit <= SCOPE_ALL; bit <<= 1) {
		unsigned parsed = 0;

		ck_assert(token_scopes_parse(token_scope_word((enum token_scope)bit), &parsed));
		ck_assert_uint_eq(parsed, bit);
		all |= parsed;
	}
	ck_assert_uint_eq(all, SCOPE_ALL);
}
END_TEST

struct scopes_case {
	const char *text;
	bool known;
	unsigned bits;
};

static const struct scopes_case scopes[] = {
	{ "", true, 0 },
	{ "   ", true, 0 },
	{ "payments:read", true, SCOPE_PAYMENTS_READ },
	{ "  credit:read  payouts:write ", true, SCOPE_CREDIT_READ | SCOPE_PAYOUTS_WRITE },
	{ "payments:read payments:read", true, SCOPE_PAYMENTS_READ },
	{ "payments:read payments:writ", false, 0 },
	{ "payments:reads", false, 0 },
	{ "Payments:read", false, 0 },
	{ "payments:read,payments:write", false, 0 },
	{ "payments:read\tpayments:write", false, 0 },
	{ "payments:read\n", false, 0 },
	{ "*", false, 0 },
	{ "payments:*", false, 0 },
};

START_TEST(token_scopes_parse_knows_every_word_or_refuses)
{
	unsigned bits = 0x8000;

	ck_assert(token_scopes_parse(scopes[_i].text, &bits) == scopes[_i].known);
	ck_assert_uint_eq(bits, scopes[_i].known ? scopes[_i].bits : 0x8000);
}
END_TEST

static enum err check(enum token_algorithm algorithm, const struct secret *material, char *why)
{
	struct token_key key = { .kid = "k", .algorithm = algorithm, .material = *material };

	return token_key_check(&key, why, 256);
}

START_TEST(token_key_check_accepts_each_key_for_its_own_algorithm_only)
{
	static const enum forge_key keys[] = { FORGE_HS_1, FORGE_RS_1, FORGE_ES_1 };
	static const enum token_algorithm algorithms[] = { TOKEN_HS256, TOKEN_RS256, TOKEN_ES256 };
	const struct forge *forge = forge_keys();

	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 3; j++) {
			enum err expected = i == j ? ERR_OK : ERR_CONFIG;
			char why[256] = "";

			ck_assert_int_eq(check(algorithms[i],
					       &forge->verifying.keys[keys[j]].material, why),
					 expected);
			ck_assert_int_eq(
				check(algorithms[i], &forge->issuing.keys[keys[j]].material, why),
				expected);
			ck_assert_int_eq(*why == '\0', expected == ERR_OK);
		}
	}
}
END_TEST

START_TEST(token_key_check_refuses_weak_and_foreign_keys)
{
	const struct forge *forge = forge_keys();
	char why[256] = "";

	for (size_t i = 0; i < FORGE_ODD_COUNT; i++) {
		ck_assert_int_eq(check(TOKEN_RS256, &forge->odd_public[i], why), ERR_CONFIG);
		ck_assert_int_eq(check(TOKEN_RS256, &forge->odd_private[i], why), ERR_CONFIG);
		ck_assert_int_eq(check(TOKEN_ES256, &forge->odd_public[i], why), ERR_CONFIG);
		ck_assert_int_eq(check(TOKEN_ES256, &forge->odd_private[i], why), ERR_CONFIG);
		ck_assert_int_eq(check(TOKEN_HS256, &forge->odd_public[i], why), ERR_CONFIG);
	}
	ck_assert_int_eq(check(TOKEN_RS256, &forge->odd_public[FORGE_RSA_1024], why), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(why, "2048"));
}
END_TEST

START_TEST(token_key_check_refuses_short_and_uniform_hmac_keys)
{
	struct secret material = { .size = 0 };
	char why[256] = "";

	for (size_t i = 0; i < 64; i++)
		material.bytes[i] = (unsigned char)(i * 37 + 1);
	for (material.size = 0; material.size <= 64; material.size++)
		ck_assert_int_eq(check(TOKEN_HS256, &material, why),
				 material.size < 32 ? ERR_CONFIG : ERR_OK);
	material.size = 64;
	for (int byte = 0; byte < 256; byte++) {
		memset(material.bytes, byte, 64);
		ck_assert_int_eq(check(TOKEN_HS256, &material, why), ERR_CONFIG);
	}
	material.bytes[63] ^= 1;
	ck_assert_int_eq(check(TOKEN_HS256, &material, why), ERR_OK);
}
END_TEST

START_TEST(token_key_check_refuses_a_pem_anywhere_in_an_hmac_key)
{
	const struct secret *pem = &forge_keys()->verifying.keys[FORGE_RS_1].material;
	struct secret material = { .size = pem->size + 5 };
	char why[256] = "";

	memcpy(material.bytes, "\n\n \t\n", 5);
	memcpy(material.bytes + 5, pem->bytes, pem->size);

	ck_assert_int_eq(check(TOKEN_HS256, &material, why), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(why, "PEM"));
	ck_assert_int_eq(check(TOKEN_HS256, &material, NULL), ERR_CONFIG);
}
END_TEST

static const struct token_claims issued_claims = {
	.merchant = "acme_2-x",
	.subject = "svc:orders@acme",
	.scopes = SCOPE_ALL,
	.expires_at_s = FORGE_NOW + 900,
};

START_TEST(token_issue_makes_what_token_verify_accepts)
{
	const struct forge *forge = forge_keys();
	char token[TOKEN_TEXT_MAX];
	struct token_claims claims;
	const char *why = "";

	ck_assert_int_eq(token_issue(&forge->issuing, (size_t)_i, &issued_claims, FORGE_NOW, token),
			 ERR_OK);
	ck_assert_msg(token_verify(&forge->verifying, token, FORGE_NOW, &claims, &why) == ERR_OK,
		      "%s", why);
	ck_assert_str_eq(claims.merchant, issued_claims.merchant);
	ck_assert_str_eq(claims.subject, issued_claims.subject);
	ck_assert_uint_eq(claims.scopes, SCOPE_ALL);
	ck_assert_int_eq(claims.expires_at_s, issued_claims.expires_at_s);
	ck_assert_int_eq(
		token_verify(&forge->verifying, token, FORGE_NOW + 900, &claims, &why),
		ERR_UNAUTHENTICATED);
}
END_TEST

static json_t *part_of(const char *token, int index)
{
	uint8_t bytes[TOKEN_TEXT_MAX];
	char why[JSON_WHY_SIZE];
	json_t *object = NULL;
	size_t size;

	for (; index > 0; index--)
		token = strchr(token, '.') + 1;
	ck_assert(crypto_base64url_decode(token, strcspn(token, "."), bytes, sizeof bytes, &size));
	ck_assert_int_eq(json_read(bytes, size, 1, &object, why), ERR_OK);
	return object;
}

START_TEST(token_issue_writes_these_members_and_no_others)
{
	char token[TOKEN_TEXT_MAX];
	json_t *header, *body;
	const char *alg, *kid, *typ, *iss, *aud, *sub, *merchant, *scope;
	json_int_t iat, expiry;

	ck_assert_int_eq(
		token_issue(&forge_keys()->issuing, FORGE_ES_2, &issued_claims, FORGE_NOW, token),
		ERR_OK);
	header = part_of(token, 0);
	body = part_of(token, 1);

	ck_assert_int_eq(json_unpack_ex(header, NULL, JSON_STRICT, "{s:s, s:s, s:s}", "alg", &alg,
					"kid", &kid, "typ", &typ),
			 0);
	ck_assert_str_eq(alg, "ES256");
	ck_assert_str_eq(kid, "es-2");
	ck_assert_str_eq(typ, "JWT");
	ck_assert_int_eq(json_unpack_ex(body, NULL, JSON_STRICT,
					"{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "iss", &iss, "aud",
					&aud, "sub", &sub, "merchant", &merchant, "scope", &scope,
					"iat", &iat, "exp", &expiry),
			 0);
	ck_assert_str_eq(iss, "https://issuer.test");
	ck_assert_str_eq(aud, "payops-api");
	ck_assert_str_eq(scope, "payments:read payments:write refunds:write payouts:write "
				"customers:read customers:write credit:read credit:write "
				"webhooks:write keys:read keys:write");
	ck_assert_int_eq(iat, FORGE_NOW);
	ck_assert_int_eq(expiry, FORGE_NOW + 900);
	json_decref(header);
	json_decref(body);
}
END_TEST

START_TEST(token_issue_without_scopes_gives_none)
{
	const struct forge *forge = forge_keys();
	struct token_claims claims = issued_claims;
	char token[TOKEN_TEXT_MAX];
	const char *why;

	claims.scopes = 0;
	ck_assert_int_eq(token_issue(&forge->issuing, FORGE_HS_1, &claims, FORGE_NOW, token),
			 ERR_OK);
	claims.scopes = SCOPE_ALL;
	ck_assert_int_eq(token_verify(&forge->verifying, token, FORGE_NOW, &claims, &why), ERR_OK);
	ck_assert_uint_eq(claims.scopes, 0);
}
END_TEST

/* One number in 128 of a P-256 signature is shorter than 32 bytes and must be filled up. */
START_TEST(token_issue_keeps_short_numbers_of_p256_signatures_whole)
{
	const struct forge *forge = forge_keys();
	struct token_claims claims = issued_claims;
	char token[TOKEN_TEXT_MAX];
	const char *why = "";

	for (int i = 0; i < 600; i++) {
		claims.expires_at_s = FORGE_NOW + 1 + i;
		ck_assert_int_eq(
			token_issue(&forge->issuing, FORGE_ES_1, &claims, FORGE_NOW, token),
			ERR_OK);
		ck_assert_msg(token_verify(&forge->verifying, token, FORGE_NOW, &claims, &why) ==
				      ERR_OK,
			      "%s", why);
	}
}
END_TEST

struct refused_case {
	const char *merchant, *subject;
	int64_t expires_at_s;
};

static const struct refused_case refused[] = {
	{ "", "svc", FORGE_NOW + 1 },	   { "ACME", "svc", FORGE_NOW + 1 },
	{ "ac me", "svc", FORGE_NOW + 1 }, { "ac\"me", "svc", FORGE_NOW + 1 },
	{ "acme", "", FORGE_NOW + 1 },	   { "acme", "s vc", FORGE_NOW + 1 },
	{ "acme", "s\nvc", FORGE_NOW + 1 }, { "acme", "s\xffvc", FORGE_NOW + 1 },
	{ "acme", "svc", -1 },		   { "acme", "svc", ((int64_t)1 << 53) + 1 },
	{ "acme", "svc", INT64_MAX },
};

START_TEST(token_issue_refuses_claims_that_would_be_refused)
{
	struct token_claims claims = { .expires_at_s = refused[_i].expires_at_s };
	char token[TOKEN_TEXT_MAX] = "untouched";

	snprintf(claims.merchant, sizeof claims.merchant, "%s", refused[_i].merchant);
	snprintf(claims.subject, sizeof claims.subject, "%s", refused[_i].subject);

	ck_assert_int_eq(
		token_issue(&forge_keys()->issuing, FORGE_HS_1, &claims, FORGE_NOW, token),
		ERR_INVALID);
	ck_assert_str_eq(token, "untouched");
}
END_TEST

START_TEST(token_issue_fails_without_a_key_that_can_sign)
{
	struct token_keys keys = forge_keys()->verifying;
	char token[TOKEN_TEXT_MAX] = "untouched";

	keys.keys[FORGE_HS_1].material.size = 0;
	keys.keys[FORGE_ES_2].material = keys.keys[FORGE_HS_2].material;

	ck_assert_int_eq(token_issue(&keys, FORGE_HS_1, &issued_claims, FORGE_NOW, token),
			 ERR_CRYPTO);
	ck_assert_int_eq(token_issue(&keys, FORGE_RS_1, &issued_claims, FORGE_NOW, token),
			 ERR_CRYPTO);
	ck_assert_int_eq(token_issue(&keys, FORGE_ES_1, &issued_claims, FORGE_NOW, token),
			 ERR_CRYPTO);
	ck_assert_int_eq(token_issue(&keys, FORGE_ES_2, &issued_claims, FORGE_NOW, token),
			 ERR_CRYPTO);
	ck_assert_str_eq(token, "untouched");
}
END_TEST

static void setup(void)
{
	(void)forge_keys();
}

UNIT_MAIN("token", {
	tcase_add_unchecked_fixture(tests, setup, NULL);
	tcase_add_test(tests, token_scope_words_and_bits_are_one_to_one);
	tcase_add_loop_test(tests, token_scopes_parse_knows_every_word_or_refuses, 0,
			    COUNT(scopes));
	tcase_add_test(tests, token_key_check_accepts_each_key_for_its_own_algorithm_only);
	tcase_add_test(tests, token_key_check_refuses_weak_and_foreign_keys);
	tcase_add_test(tests, token_key_check_refuses_short_and_uniform_hmac_keys);
	tcase_add_test(tests, token_key_check_refuses_a_pem_anywhere_in_an_hmac_key);
	tcase_add_loop_test(tests, token_issue_makes_what_token_verify_accepts, 0, FORGE_KEY_COUNT);
	tcase_add_test(tests, token_issue_writes_these_members_and_no_others);
	tcase_add_test(tests, token_issue_without_scopes_gives_none);
	tcase_add_test(tests, token_issue_keeps_short_numbers_of_p256_signatures_whole);
	tcase_add_loop_test(tests, token_issue_refuses_claims_that_would_be_refused, 0,
			    COUNT(refused));
	tcase_add_test(tests, token_issue_fails_without_a_key_that_can_sign);
})
