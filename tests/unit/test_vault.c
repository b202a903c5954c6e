/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/vault.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static const struct vault_place here = { VAULT_PAYMENT_TOKEN, { { 7 } } };
static const struct vault_place other_row = { VAULT_PAYMENT_TOKEN, { { 8 } } };
static const struct vault_place other_column = { "other.column", { { 7 } } };

static struct vault vault_of(const char *first, const char *second)
{
	struct vault vault = { .count = 2 };

	snprintf(vault.keys[0].key_id, sizeof vault.keys[0].key_id, "%s", first);
	memset(vault.keys[0].key, first[0], CRYPTO_KEY_SIZE);
	snprintf(vault.keys[1].key_id, sizeof vault.keys[1].key_id, "%s", second);
	memset(vault.keys[1].key, second[0], CRYPTO_KEY_SIZE);
	vault.hash_key.size = 32;
	memset(vault.hash_key.bytes, 'h', 32);
	return vault;
}

START_TEST(a_sealed_text_opens_again_after_a_rotation)
{
	struct vault before = vault_of("old", "older");
	struct vault after = vault_of("new", "old");
	struct vault_sealed sealed;
	char text[32];

	ck_assert_int_eq(vault_seal(&before, &here, "tok_secret", &sealed), ERR_OK);

	ck_assert_str_eq(sealed.key_id, "old");
	ck_assert_int_eq(vault_open(&after, &here, &sealed, text, sizeof text), ERR_OK);
	ck_assert_str_eq(text, "tok_secret");
}
END_TEST

START_TEST(a_sealed_text_opens_only_in_its_place)
{
	struct vault vault = vault_of("one", "two");
	struct vault_sealed sealed;
	char text[32] = "untouched";

	ck_assert_int_eq(vault_seal(&vault, &here, "tok_secret", &sealed), ERR_OK);

	ck_assert_int_eq(vault_open(&vault, &other_row, &sealed, text, sizeof text), ERR_CRYPTO);
	ck_assert_int_eq(vault_open(&vault, &other_column, &sealed, text, sizeof text), ERR_CRYPTO);
	ck_assert_int_eq(vault_open(&vault, &here, &sealed, text, 10), ERR_TOO_LONG);
	sealed.size--;
	ck_assert_int_eq(vault_open(&vault, &here, &sealed, text, sizeof text), ERR_CRYPTO);
	sealed.size++;
	snprintf(sealed.key_id, sizeof sealed.key_id, "two");
	ck_assert_int_eq(vault_open(&vault, &here, &sealed, text, sizeof text), ERR_CRYPTO);
	snprintf(sealed.key_id, sizeof sealed.key_id, "none");
	ck_assert_int_eq(vault_open(&vault, &here, &sealed, text, sizeof text), ERR_CRYPTO);
	ck_assert_str_eq(text, "untouched");
}
END_TEST

START_TEST(a_text_that_does_not_fit_is_refused)
{
	struct vault vault = vault_of("one", "two");
	struct vault_sealed sealed;
	char text[VAULT_SEALED_SIZE];

	memset(text, 'x', sizeof text);
	text[VAULT_SEALED_SIZE - CRYPTO_SEAL_OVERHEAD + 1] = '\0';
	ck_assert_int_eq(vault_seal(&vault, &here, text, &sealed), ERR_TOO_LONG);
	text[VAULT_SEALED_SIZE - CRYPTO_SEAL_OVERHEAD] = '\0';
	ck_assert_int_eq(vault_seal(&vault, &here, text, &sealed), ERR_OK);
}
END_TEST

START_TEST(a_hash_depends_on_key_name_and_value)
{
	struct vault vault = vault_of("one", "two");
	struct vault other = vault_of("one", "two");
	uint8_t hash[VAULT_HASH_SIZE];
	uint8_t again[VAULT_HASH_SIZE];

	other.hash_key.bytes[0] = 'x';
	vault_hash(&vault, "amount", "1000", hash);

	vault_hash(&vault, "amount", "1000", again);
	ck_assert_mem_eq(hash, again, VAULT_HASH_SIZE);
	vault_hash(&vault, "amount", "1001", again);
	ck_assert_mem_ne(hash, again, VAULT_HASH_SIZE);
	vault_hash(&vault, "amoun", "t1000", again);
	ck_assert_mem_ne(hash, again, VAULT_HASH_SIZE);
	vault_hash(&other, "amount", "1000", again);
	ck_assert_mem_ne(hash, again, VAULT_HASH_SIZE);
}
END_TEST

START_TEST(a_column_is_sealed_for_its_row_and_column_and_none_is_empty)
{
	struct vault vault = vault_of("one", "two");
	uint8_t bytes[64];
	char key_id[VAULT_KEY_ID_SIZE] = "untouched", text[32] = "untouched";
	struct vault_column column = { bytes, sizeof bytes, 7, key_id };

	ck_assert_int_eq(vault_seal_column(&vault, &here, "", &column), ERR_OK);
	ck_assert_uint_eq(column.size, 0);
	ck_assert_str_eq(key_id, "untouched");
	ck_assert_int_eq(vault_seal_column(&vault, &here, "ana@shop.example", &column), ERR_OK);
	ck_assert_str_eq(key_id, "one");
	ck_assert_int_eq(vault_open_column(&vault, &other_row, &column, text, sizeof text),
			 ERR_CRYPTO);
	ck_assert_int_eq(vault_open_column(&vault, &other_column, &column, text, sizeof text),
			 ERR_CRYPTO);
	ck_assert_str_eq(text, "untouched");
	ck_assert_int_eq(vault_open_column(&vault, &here, &column, text, sizeof text), ERR_OK);
	ck_assert_str_eq(text, "ana@shop.example");
	column.size = 0;
	ck_assert_int_eq(vault_open_column(&vault, &here, &column, text, sizeof text), ERR_OK);
	ck_assert_str_eq(text, "");
	column.size = CRYPTO_SEAL_OVERHEAD - 1;
	ck_assert_int_eq(vault_open_column(&vault, &here, &column, text, sizeof text), ERR_CRYPTO);
}
END_TEST

START_TEST(a_search_hash_depends_on_key_name_merchant_and_value)
{
	struct vault vault = vault_of("one", "two"), other = vault_of("one", "two");
	uint8_t hash[VAULT_SEARCH_SIZE], again[VAULT_SEARCH_SIZE];

	other.hash_key.bytes[0] = 'x';
	vault_search_hash(&vault, "email", "shop", "a@b.c", hash);

	vault_search_hash(&vault, "email", "shop", "a@b.c", again);
	ck_assert_mem_eq(hash, again, sizeof hash);
	vault_search_hash(&vault, "email", "shop", "a@b.d", again);
	ck_assert_mem_ne(hash, again, sizeof hash);
	vault_search_hash(&vault, "email", "other", "a@b.c", again);
	ck_assert_mem_ne(hash, again, sizeof hash);
	vault_search_hash(&vault, "emails", "hop", "a@b.c", again);
	ck_assert_mem_ne(hash, again, sizeof hash);
	vault_search_hash(&other, "email", "shop", "a@b.c", again);
	ck_assert_mem_ne(hash, again, sizeof hash);
}
END_TEST

START_TEST(a_vault_knows_its_keys)
{
	struct vault vault = vault_of("new", "old");

	ck_assert_str_eq(vault_key_id(&vault), "new");
	ck_assert(vault_has(&vault, "new") && vault_has(&vault, "old"));
	ck_assert(!vault_has(&vault, "gone") && !vault_has(&vault, ""));
}
END_TEST

UNIT_MAIN("vault", {
	tcase_add_test(tests, a_column_is_sealed_for_its_row_and_column_and_none_is_empty);
	tcase_add_test(tests, a_search_hash_depends_on_key_name_merchant_and_value);
	tcase_add_test(tests, a_vault_knows_its_keys);
	tcase_add_test(tests, a_sealed_text_opens_again_after_a_rotation);
	tcase_add_test(tests, a_sealed_text_opens_only_in_its_place);
	tcase_add_test(tests, a_text_that_does_not_fit_is_refused);
	tcase_add_test(tests, a_hash_depends_on_key_name_and_value);
})
