/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/cursor.h"

#include <string.h>

#include "tests/unit/unit.h"

#define LIST "demo\ncust_001"

static const struct secret key = { .size = 32, .bytes = "0123456789abcdef0123456789abcdef" };
static const struct secret other_key = { .size = 32, .bytes = "0123456789abcdef0123456789abcdeF" };

static struct cursor position_make(int64_t at_us)
{
	struct cursor position = { .at_us = at_us };

	for (unsigned i = 0; i < ID_SIZE; i++)
		position.id.bytes[i] = (uint8_t)(200 + i);
	return position;
}

static const int64_t times[] = { 0, 1, INT64_C(1700000000123456), INT64_MAX };

START_TEST(cursor_read_gives_back_what_was_written)
{
	const struct cursor position = position_make(times[_i]);
	struct cursor read;
	char text[CURSOR_SIZE];

	cursor_write(&key, LIST, position, text);
	ck_assert(cursor_read(&key, LIST, text, &read));
	ck_assert_int_eq(read.at_us, position.at_us);
	ck_assert(id_equal(read.id, position.id));
}
END_TEST

START_TEST(cursor_read_refuses_any_changed_character)
{
	const struct cursor position = position_make(times[2]);
	struct cursor read;
	char text[CURSOR_SIZE];

	cursor_write(&key, LIST, position, text);
	for (size_t i = 0; text[i] != '\0'; i++) {
		const char kept = text[i];

		text[i] = kept == 'A' ? 'B' : 'A';
		ck_assert(!cursor_read(&key, LIST, text, &read));
		text[i] = kept;
	}
	ck_assert(cursor_read(&key, LIST, text, &read));
}
END_TEST

START_TEST(cursor_read_refuses_other_lists_keys_and_lengths)
{
	struct cursor read;
	char text[CURSOR_SIZE], longer[CURSOR_SIZE + 8] = "";

	cursor_write(&key, LIST, position_make(times[2]), text);
	memcpy(longer, text, strlen(text));
	memcpy(longer + strlen(text), "AAAA", 4);

	ck_assert(!cursor_read(&key, "demo\ncust_002", text, &read));
	ck_assert(!cursor_read(&key, "other\ncust_001", text, &read));
	ck_assert(!cursor_read(&other_key, LIST, text, &read));
	ck_assert(!cursor_read(&key, LIST, longer, &read));
	ck_assert(!cursor_read(&key, LIST, "", &read));
	ck_assert(!cursor_read(&key, LIST, "AAAA", &read));
	text[strlen(text) - 4] = '\0';
	ck_assert(!cursor_read(&key, LIST, text, &read));
}
END_TEST

UNIT_MAIN("cursor", {
	tcase_add_loop_test(tests, cursor_read_gives_back_what_was_written, 0,
			    (int)(sizeof times / sizeof times[0]));
	tcase_add_test(tests, cursor_read_refuses_any_changed_character);
	tcase_add_test(tests, cursor_read_refuses_other_lists_keys_and_lengths);
})
