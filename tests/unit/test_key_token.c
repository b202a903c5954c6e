/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/key_token.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define ID "0123456789abcdef"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" /* 0, 1, 2 … 31 */
#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])

START_TEST(key_token_read_takes_id_and_hash_of_the_secret)
{
	uint8_t secret[32], digest[CRYPTO_SHA256_SIZE];
	struct key_token token;

	for (uint8_t i = 0; i < sizeof secret; i++)
		secret[i] = i;
	crypto_sha256(secret, sizeof secret, digest);

	ck_assert(key_token_read("po_live_" ID "_" SECRET, &token));
	ck_assert_str_eq(token.id, ID);
	ck_assert_mem_eq(token.digest, digest, sizeof digest);
}
END_TEST

/* clang-format off */
static const char *const refused[] = {
	"",
	"po_live_",
	"po_live_" ID,
	"po_live_" ID "_",
	"po_live_" ID "__" SECRET,
	"po_live_" ID "-" SECRET,
	"po_live_" ID SECRET,
	"po_live_" ID "_" SECRET "A",
	"po_live_" ID "_" SECRET "=",
	"po_live_" ID "_" SECRET " ",
	"po_live_" ID "_" SECRET "\n",
	" po_live_" ID "_" SECRET,
	"po_test_" ID "_" SECRET,
	"PO_LIVE_" ID "_" SECRET,
	"Po_live_" ID "_" SECRET,
	"po_live" ID "_" SECRET,
	"po-live-" ID "-" SECRET,
	"po_live_0123456789ABCDEF_" SECRET,
	"po_live_0123456789abcdeg_" SECRET,
	"po_live_0123456789abcde_" SECRET,
	"po_live_0123456789abcdef0_" SECRET,
	"po_live_0123456789abcde _" SECRET,
	"po_live_0123456789abcde%_" SECRET,
	"po_live_________________\x5f" SECRET,
	/* 43 characters: the last one's two low bits must be zero, or a secret would have four spellings */
	"po_live_" ID "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
	"po_live_" ID "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+",
	"po_live_" ID "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh/",
	"po_live_" ID "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh",
	"po_live_" ID "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH 8",
	"po_live_" ID "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH.8",
	"po_live_" ID "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH\xc3\xa4",
	"eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
};
/* clang-format on */

START_TEST(key_token_read_refuses_any_other_form)
{
	struct key_token token, before;

	memset(&token, 7, sizeof token);
	before = token;
	unit_expect(!key_token_read(refused[_i], &token), "taken: %s", refused[_i]);
	ck_assert_mem_eq(&token, &before, sizeof token);
}
END_TEST

START_TEST(key_token_read_refuses_every_beginning_of_a_key)
{
	static const char whole[] = "po_live_" ID "_" SECRET;
	char text[sizeof whole];
	struct key_token token;

	for (size_t size = 0; size < sizeof whole - 1; size++) {
		(void)snprintf(text, sizeof text, "%.*s", (int)size, whole);
		unit_expect(!key_token_read(text, &token), "taken: %s", text);
	}
}
END_TEST

START_TEST(key_token_make_gives_what_read_takes_and_never_twice)
{
	char text[KEY_TOKEN_SIZE], other[KEY_TOKEN_SIZE];
	struct key_token made, second, token;

	key_token_make(&made, text);
	key_token_make(&second, other);

	ck_assert_uint_eq(strlen(text), KEY_TOKEN_SIZE - 1);
	ck_assert(key_token_read(text, &token));
	ck_assert_str_eq(token.id, made.id);
	ck_assert_mem_eq(token.digest, made.digest, sizeof token.digest);
	ck_assert(key_token_is_id(made.id));
	ck_assert_str_ne(made.id, second.id);
	ck_assert_mem_ne(made.digest, second.digest, sizeof made.digest);
}
END_TEST

START_TEST(key_token_is_meant_tells_keys_from_json_web_tokens)
{
	ck_assert(key_token_is_meant("po_live_" ID "_" SECRET));
	ck_assert(key_token_is_meant("po_live_"));
	ck_assert(!key_token_is_meant("po_liv"));
	ck_assert(!key_token_is_meant("eyJhbGciOiJIUzI1NiJ9.e30.AAAA"));
}
END_TEST

START_TEST(key_token_is_id_wants_sixteen_digits)
{
	static const char *const none[] = { "",
					    "0123456789abcde",
					    "0123456789abcdef0",
					    "0123456789abcdeF",
					    "po_live_0123456789abcdef",
					    " 0123456789abcde" };

	ck_assert(key_token_is_id(ID));
	for (size_t i = 0; i < COUNT(none); i++)
		unit_expect(!key_token_is_id(none[i]), "an id: %s", none[i]);
}
END_TEST

UNIT_MAIN("key_token", tcase_add_test(tests, key_token_read_takes_id_and_hash_of_the_secret);
	  tcase_add_loop_test(tests, key_token_read_refuses_any_other_form, 0, COUNT(refused));
	  tcase_add_test(tests, key_token_read_refuses_every_beginning_of_a_key);
	  tcase_add_test(tests, key_token_make_gives_what_read_takes_and_never_twice);
	  tcase_add_test(tests, key_token_is_meant_tells_keys_from_json_web_tokens);
	  tcase_add_test(tests, key_token_is_id_wants_sixteen_digits))
