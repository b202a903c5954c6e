/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* The compact form of tokens: parts, digits, sizes. What stands in the parts is test_token_verify.c's. */
#include "base/token.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "tests/unit/token_forge.h"
#include "tests/unit/token_text.h"
#include "tests/unit/unit.h"

#define COUNT(ARRAY) ((int)(sizeof(ARRAY) / sizeof *(ARRAY)))

static enum err verify(const struct token_keys *keys, const char *token,
		       struct token_claims *claims, const char **why)
{
	*why = "";
	return token_verify(keys, token, FORGE_NOW, claims, why);
}

/* Where a part begins, and its size. */
static char *part(char *token, int index, size_t *size)
{
	for (; index > 0; index--)
		token = strchr(token, '.') + 1;
	*size = strcspn(token, ".");
	return token;
}

static void insert(char *at, const char *text)
{
	size_t size = strlen(text);

	memmove(at + size, at, strlen(at) + 1);
	memcpy(at, text, size);
}

static void insert_behind(char *token, int index, const char *text)
{
	size_t size;
	char *at = part(token, index, &size);

	insert(at + size, text);
}

static void cut_part(char *token, int index, size_t left)
{
	size_t size;
	char *at = part(token, index, &size);

	memmove(at + left, at + size, strlen(at + size) + 1);
}

/* Set the bits of a part's last digit that stand for nothing. */
static void set_spare_bits(char *token, int index)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t size;
	char *at = part(token, index, &size);

	ck_assert_uint_ge(size % 4, 2);
	at[size - 1] = digits[(strchr(digits, at[size - 1]) - digits) | 1];
}

static void use_old_digits(char *token)
{
	size_t changed = 0;

	for (char *at = token; *at != '\0'; at++) {
		if (*at == '-' || *at == '_') {
			*at = *at == '-' ? '+' : '/';
			changed++;
		}
	}
	ck_assert_uint_gt(changed, 0);
}

/* clang-format off */
static void pad_header(char *token) { insert_behind(token, 0, "="); }
static void pad_claims(char *token) { insert_behind(token, 1, "="); }
static void pad_signature(char *token) { insert_behind(token, 2, "="); }
static void blank_in_header(char *token) { insert(token + 3, " "); }
static void blank_in_claims(char *token) { insert_behind(token, 1, " "); }
static void newline_in_claims(char *token) { insert_behind(token, 1, "\n"); }
static void tab_in_front(char *token) { insert(token, "\t"); }
static void bearer_in_front(char *token) { insert(token, "Bearer "); }
static void blank_behind(char *token) { insert_behind(token, 2, " "); }
static void newline_behind(char *token) { insert_behind(token, 2, "\n"); }
static void crlf_behind(char *token) { insert_behind(token, 2, "\r\n"); }
static void quote_behind(char *token) { insert_behind(token, 2, "\""); }
static void percent_behind(char *token) { insert_behind(token, 2, "%00"); }
static void high_byte_behind(char *token) { insert_behind(token, 2, "\xc2\xa0"); }
static void comma_behind(char *token) { insert_behind(token, 2, ","); }
static void spare_bits_in_claims(char *token) { set_spare_bits(token, 1); }
static void spare_bits_in_signature(char *token) { set_spare_bits(token, 2); }
static void one_digit_more(char *token) { insert_behind(token, 2, "A"); }
static void byte_more(char *token) { insert_behind(token, 2, "AA"); }
static void four_parts(char *token) { insert_behind(token, 2, ".AAAA"); }
static void five_parts(char *token) { insert_behind(token, 2, ".AAAA.AAAA"); }
static void dot_behind(char *token) { insert_behind(token, 2, "."); }
static void dot_in_front(char *token) { insert(token, "."); }
static void no_header(char *token) { cut_part(token, 0, 0); }
static void no_claims(char *token) { cut_part(token, 1, 0); }
static void no_signature(char *token) { cut_part(token, 2, 0); }
static void header_cut(char *token) { cut_part(token, 0, 20); }
static void claims_cut(char *token) { cut_part(token, 1, 40); }
static void signature_cut(char *token) { cut_part(token, 2, 40); }
static void signature_of_zeroes(char *token) { memset(strrchr(token, '.') + 1, 'A', 43); }
static void two_parts(char *token) { *strrchr(token, '.') = '\0'; }
static void one_part(char *token) { *strchr(token, '.') = '\0'; }
static void nothing(char *token) { *token = '\0'; }
static void only_dots(char *token) { memcpy(token, "..", 3); }
static void null_word(char *token) { memcpy(token, "null", 5); }

static void other_signature(char *token)
{
	char other[FORGE_TEXT_SIZE];

	forge_token(HS, WITH("'jti':'other'"), FORGE_SIGN_HS_1, other);
	snprintf(strrchr(token, '.'), 128, "%s", strrchr(other, '.'));
}

static void other_claims(char *token)
{
	char signature[128];
	size_t size;
	char *at = part(token, 1, &size);

	snprintf(signature, sizeof signature, "%s", strrchr(token, '.'));
	at += forge_encode(WITH("'jti':'1'"), at, FORGE_TEXT_SIZE / 2);
	memcpy(at, signature, strlen(signature) + 1);
}

/* The same two numbers of a P-256 signature, each with zeroes in front. */
static void widen_numbers(char *token, size_t each)
{
	uint8_t narrow[64], wide[132] = { 0 };
	size_t size;
	char *at = part(token, 2, &size);

	ck_assert(crypto_base64url_decode(at, size, narrow, sizeof narrow, &size));
	memcpy(wide + each - 32, narrow, 32);
	memcpy(wide + 2 * each - 32, narrow + 32, 32);
	(void)crypto_base64url_encode(wide, 2 * each, at, 256);
}

static void widen_to_p384(char *token) { widen_numbers(token, 48); }
static void widen_to_p521(char *token) { widen_numbers(token, 66); }

struct form_case {
	const char *name, *header, *claims;
	enum forge_signer signer;
	void (*spoil)(char *token);  /* before it is signed: only a rule of ours refuses it then */
	void (*damage)(char *token); /* after */
	const char *why;
};

/* clang-format off */
#define P(NAME, SPOIL, WHY) { NAME, HS, GOOD, FORGE_SIGN_HS_1, SPOIL, NULL, WHY }
#define D(NAME, DAMAGE, WHY) { NAME, HS, GOOD, FORGE_SIGN_HS_1, NULL, DAMAGE, WHY }

static const struct form_case forms[] = {
	/* Spoilt before it was signed. */
	P("padding behind the header", pad_header, BASE64),
	P("padding behind the claims", pad_claims, BASE64),
	P("blank in the header", blank_in_header, BASE64),
	P("blank in the claims", blank_in_claims, BASE64),
	P("newline in the claims", newline_in_claims, BASE64),
	P("tab in front", tab_in_front, BASE64),
	P("Bearer in front", bearer_in_front, BASE64),
	{ "spare bits in the claims", HS, GOOD " ", FORGE_SIGN_HS_1, spare_bits_in_claims, NULL,
	  BASE64 },
	{ "old base64 digits", HS, WITH("'x':'?~?~?~>~>~>~??~~>>~~'"), FORGE_SIGN_HS_1,
	  use_old_digits, NULL, BASE64 },
	/* Damaged later. */
	D("padding behind the signature", pad_signature, BASE64),
	D("blank behind", blank_behind, BASE64),
	D("newline behind", newline_behind, BASE64),
	D("CR and LF behind", crlf_behind, BASE64),
	D("quote behind", quote_behind, BASE64),
	D("comma behind", comma_behind, BASE64),
	D("percent behind", percent_behind, BASE64),
	D("hard blank behind", high_byte_behind, BASE64),
	D("spare bits in the signature", spare_bits_in_signature, BASE64),
	D("one digit more", one_digit_more, SIGNATURE),
	D("one byte more", byte_more, BASE64),
	D("four parts", four_parts, PARTS),
	D("five parts", five_parts, PARTS),
	D("dot behind", dot_behind, PARTS),
	D("dot in front", dot_in_front, PARTS),
	D("no header", no_header, PARTS),
	D("no claims part", no_claims, PARTS),
	D("no signature", no_signature, PARTS),
	D("two parts", two_parts, PARTS),
	D("one part", one_part, PARTS),
	D("nothing", nothing, PARTS),
	D("only dots", only_dots, PARTS),
	D("the word null", null_word, PARTS),
	D("header cut", header_cut, JSON),
	D("claims cut", claims_cut, JSON),
	D("signature cut", signature_cut, SIGNATURE),
	D("signature of zeroes", signature_of_zeroes, SIGNATURE),
	D("signature of another token", other_signature, SIGNATURE),
	D("claims of another token", other_claims, SIGNATURE),
	{ "RSA signature cut", RS, GOOD, FORGE_SIGN_RS_1, NULL, signature_cut, SIGNATURE },
	{ "P-256 signature cut", ES, GOOD, FORGE_SIGN_ES_1, NULL, signature_cut, SIGNATURE },
	{ "P-256 signature widened", ES, GOOD, FORGE_SIGN_ES_1, NULL, widen_to_p384, SIGNATURE },
	{ "P-256 signature widened more", ES, GOOD, FORGE_SIGN_ES_1, NULL, widen_to_p521,
	  SIGNATURE },
	{ "P-256 signature and a byte", ES, GOOD, FORGE_SIGN_ES_1, NULL, byte_more, SIGNATURE },
};
/* clang-format on */

static void build(const struct form_case *row, char *token)
{
	if (row->spoil == NULL) {
		forge_token(row->header, row->claims, row->signer, token);
	} else {
		forge_token(row->header, row->claims, FORGE_SIGN_NOTHING, token);
		*strrchr(token, '.') = '\0';
		row->spoil(token);
		forge_sign(row->signer, token);
	}
	if (row->damage != NULL)
		row->damage(token);
}

START_TEST(token_verify_refuses_the_form)
{
	const struct form_case *row = &forms[_i];
	const struct token_claims untouched = { .merchant = "untouched", .expires_at_s = 7 };
	struct token_claims claims = untouched;
	char token[FORGE_TEXT_SIZE];
	const char *why;

	build(row, token);

	ck_assert_msg(verify(&forge_keys()->verifying, token, &claims, &why) ==
			      ERR_UNAUTHENTICATED,
		      "%s: accepted", row->name);
	ck_assert_msg(strcmp(why, row->why) == 0, "%s: %s", row->name, why);
	ck_assert_mem_eq(&claims, &untouched, sizeof claims);
}
END_TEST

START_TEST(token_verify_refuses_every_truncation)
{
	static const char *const headers[] = { HS, RS, ES };
	static const enum forge_signer signers[] = { FORGE_SIGN_HS_1, FORGE_SIGN_RS_1,
						     FORGE_SIGN_ES_1 };
	char token[FORGE_TEXT_SIZE];
	struct token_claims claims;
	const char *why;

	forge_token(headers[_i], GOOD, signers[_i], token);
	for (size_t size = strlen(token); size > 0; size--) {
		token[size - 1] = '\0';
		ck_assert_int_eq(verify(&forge_keys()->verifying, token, &claims, &why),
				 ERR_UNAUTHENTICATED);
	}
}
END_TEST

START_TEST(token_verify_refuses_every_changed_character)
{
	char token[FORGE_TEXT_SIZE];
	struct token_claims claims;
	const char *why;

	forge_token(HS, GOOD, FORGE_SIGN_HS_1, token);
	for (char *at = token; *at != '\0'; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			char kept = *at;

			*at = (char)((unsigned char)*at ^ 1U << bit);
			ck_assert_int_eq(verify(&forge_keys()->verifying, token, &claims, &why),
					 ERR_UNAUTHENTICATED);
			*at = kept;
		}
	}
	ck_assert_int_eq(verify(&forge_keys()->verifying, token, &claims, &why), ERR_OK);
}
END_TEST

START_TEST(token_verify_takes_4096_bytes_and_no_more)
{
	char token[FORGE_TEXT_SIZE], text[FORGE_TEXT_SIZE];
	struct token_claims claims;
	size_t accepted_longest = 0, refused_shortest = SIZE_MAX;
	const char *why;

	for (int pad = 2700; pad < 2900; pad++) {
		size_t size;
		enum err err;

		snprintf(text, sizeof text, "{" ISS "," AUD "," MER "," SUB "," EXP ",'x':'%0*d'}",
			 pad, 0);
		size = strlen(forge_token(HS " ", text, FORGE_SIGN_HS_1, token));
		err = verify(&forge_keys()->verifying, token, &claims, &why);

		ck_assert_int_eq(err, size <= TOKEN_TEXT_MAX ? ERR_OK : ERR_UNAUTHENTICATED);
		ck_assert_str_eq(why, size <= TOKEN_TEXT_MAX ? "" : LONG);
		if (err == ERR_OK)
			accepted_longest = size;
		else if (size < refused_shortest)
			refused_shortest = size;
	}
	ck_assert_uint_eq(accepted_longest, TOKEN_TEXT_MAX);
	ck_assert_uint_le(refused_shortest, TOKEN_TEXT_MAX + 2);
}
END_TEST

static void setup(void)
{
	(void)forge_keys();
}

UNIT_MAIN("token_form", {
	tcase_add_unchecked_fixture(tests, setup, NULL);
	tcase_add_loop_test(tests, token_verify_refuses_the_form, 0, COUNT(forms));
	tcase_add_loop_test(tests, token_verify_refuses_every_truncation, 0, 3);
	tcase_add_test(tests, token_verify_refuses_every_changed_character);
	tcase_add_test(tests, token_verify_takes_4096_bytes_and_no_more);
})
