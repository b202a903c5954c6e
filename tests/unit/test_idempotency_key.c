/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/idempotency_key.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *value;
	const char *key; /* NULL: refused */
} cases[] = {
	{ "k", "k" },
	{ "PAY-IDEMPOTENCY-ORD-123", "PAY-IDEMPOTENCY-ORD-123" },
	{ "\"k\"", "k" },
	{ "\"PAY-IDEMPOTENCY-ORD-123\"", "PAY-IDEMPOTENCY-ORD-123" },
	{ "\"a\\\"b\\\\c\"", "a\"b\\c" },
	{ "a\"b", "a\"b" },
	{ "a\\b", "a\\b" },
	{ "!~", "!~" },
	{ "", NULL },
	{ "\"\"", NULL },
	{ "\"", NULL },
	{ "\"k", NULL },
	{ "\"k\"x", NULL },
	{ "\"k\\\"", NULL },
	{ "\"k\\n\"", NULL },
	{ "\"k\\", NULL },
	{ "a b", NULL },
	{ "\"a b\"", NULL },
	{ "a,b", NULL },
	{ "\"a,b\"", NULL },
	{ "a\tb", NULL },
	{ "caf\xc3\xa9", NULL },
	{ "a\x7f", NULL },
};

static enum err read_value(const char *value, char key[IDEMPOTENCY_KEY_SIZE])
{
	const struct http_call call = { .lines = { { "idempotency-KEY", value } },
					.line_count = 1 };
	const char *why = NULL;
	const enum err err = idempotency_key_read(&call, key, &why);

	ck_assert_int_eq(err == ERR_OK, why == NULL);
	return err;
}

START_TEST(idempotency_key_read_takes_bare_and_quoted_keys)
{
	char key[IDEMPOTENCY_KEY_SIZE] = "untouched";
	const enum err err = read_value(cases[_i].value, key);

	ck_assert_msg(err == (cases[_i].key != NULL ? ERR_OK : ERR_MALFORMED), "%s",
		      cases[_i].value);
	ck_assert_str_eq(key, cases[_i].key != NULL ? cases[_i].key : "untouched");
}
END_TEST

START_TEST(idempotency_key_read_takes_255_characters_and_no_more)
{
	char value[2 * IDEMPOTENCY_KEY_SIZE] = "";
	char key[IDEMPOTENCY_KEY_SIZE];

	memset(value, 'k', IDEMPOTENCY_KEY_SIZE - 1);
	ck_assert_int_eq(read_value(value, key), ERR_OK);
	ck_assert_uint_eq(strlen(key), IDEMPOTENCY_KEY_SIZE - 1);
	value[IDEMPOTENCY_KEY_SIZE - 1] = 'k';
	ck_assert_int_eq(read_value(value, key), ERR_MALFORMED);

	memset(value, 0, sizeof value);
	memset(value, 'k', IDEMPOTENCY_KEY_SIZE);
	value[0] = '"';
	value[IDEMPOTENCY_KEY_SIZE] = '"';
	ck_assert_int_eq(read_value(value, key), ERR_OK);
	ck_assert_uint_eq(strlen(key), IDEMPOTENCY_KEY_SIZE - 1);
	value[IDEMPOTENCY_KEY_SIZE] = 'k';
	value[IDEMPOTENCY_KEY_SIZE + 1] = '"';
	ck_assert_int_eq(read_value(value, key), ERR_MALFORMED);
}
END_TEST

START_TEST(idempotency_key_read_refuses_a_card_number)
{
	char key[IDEMPOTENCY_KEY_SIZE] = "untouched";

	ck_assert_int_eq(read_value("4111111111111111", key), ERR_INVALID);
	ck_assert_int_eq(read_value("\"pay-4111111111111111\"", key), ERR_INVALID);
	ck_assert_str_eq(key, "untouched");
	ck_assert_int_eq(read_value("abcd4111-1111-4000-8114-abcdefabcdef", key), ERR_OK);
}
END_TEST

START_TEST(idempotency_key_read_takes_none_but_never_two)
{
	struct http_call call = { .lines = { { "Idempotency-Key", "k" },
					     { "idempotency-key", "k" } } };
	char key[IDEMPOTENCY_KEY_SIZE] = "untouched";
	const char *why = NULL;

	ck_assert_int_eq(idempotency_key_read(&call, key, &why), ERR_OK);
	ck_assert_str_eq(key, "");
	call.line_count = 2;
	ck_assert_int_eq(idempotency_key_read(&call, key, &why), ERR_MALFORMED);
	ck_assert_ptr_nonnull(why);
}
END_TEST

UNIT_MAIN("idempotency_key", {
	tcase_add_loop_test(tests, idempotency_key_read_takes_bare_and_quoted_keys, 0,
			    (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, idempotency_key_read_takes_255_characters_and_no_more);
	tcase_add_test(tests, idempotency_key_read_refuses_a_card_number);
	tcase_add_test(tests, idempotency_key_read_takes_none_but_never_two);
})
