/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json_writer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "core/text.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define ROUNDS 200
#define TEXT_SIZE 40

START_TEST(writer_puts_commas_where_they_belong)
{
	struct json_writer writer = JSON_WRITER_EMPTY;
	char *text;

	json_open(&writer, '[');
	json_open(&writer, '{');
	json_name(&writer, "a");
	json_put_integer(&writer, INT64_MIN);
	json_name(&writer, "b");
	json_open(&writer, '{');
	json_close(&writer, '}');
	json_name(&writer, "c");
	json_put_text(&writer, "x");
	json_name(&writer, "d");
	json_put_raw(&writer, "{\"k\":[]}");
	json_close(&writer, '}');
	json_open(&writer, '{');
	json_close(&writer, '}');
	json_put_null(&writer);
	json_close(&writer, ']');
	text = json_writer_take(&writer);

	ck_assert_str_eq(text, "[{\"a\":-9223372036854775808,\"b\":{},\"c\":\"x\","
			       "\"d\":{\"k\":[]}},{},null]");
	free(text);
}
END_TEST

static const struct {
	const char *text, *written;
} texts[] = {
	{ "", "null" },
	{ "plain / \x7f", "\"plain / \x7f\"" },
	{ "\"\\\b\f\n\r\t", "\"\\\"\\\\\\b\\f\\n\\r\\t\"" },
	{ "\x01\x1f", "\"\\u0001\\u001F\"" },
	{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ "\xff", "null" },
	{ "ends in a bracket{", "\"ends in a bracket{\"" },
};

START_TEST(writer_escapes_as_json_asks)
{
	struct json_writer writer = JSON_WRITER_EMPTY;
	char *text;

	json_put_text(&writer, texts[_i].text);
	text = json_writer_take(&writer);

	ck_assert_str_eq(text, texts[_i].written);
	free(text);
}
END_TEST

/* Random bytes, of which some are text. */
static void random_text(uint64_t *state, char text[TEXT_SIZE])
{
	static const char *const pieces[] = { "a",	  "\"", "\\", "\n", "\x02",
					      "\xc3\xa9", "{",  ",",  "\xf0\x9f\x98\x80" };
	size_t used = 0;

	while (used < TEXT_SIZE - 5 && seed_next(state) % 12 != 0) {
		const char *piece = pieces[seed_next(state) % (sizeof pieces / sizeof pieces[0])];

		memcpy(text + used, piece, strlen(piece));
		used += strlen(piece);
	}
	if (seed_next(state) % 8 == 0)
		text[used++] = (char)(seed_next(state) % 255 + 1);
	text[used] = '\0';
}

static json_t *expected_of(const char *text)
{
	const bool shown = *text != '\0' && text_is_utf8(text, strlen(text));

	return shown ? json_string(text) : json_null();
}

/* A list of random texts grows past the writer's first room, byte for byte as jansson writes it. */
START_TEST(writer_writes_what_json_text_writes)
{
	uint64_t state = seed_start();
	char text[TEXT_SIZE];

	for (int round = 0; round < ROUNDS; round++) {
		struct json_writer writer = JSON_WRITER_EMPTY;
		json_t *list = json_array();
		char *written, *expected;

		json_open(&writer, '[');
		for (int i = 0; i < 100; i++) {
			random_text(&state, text);
			json_put_text(&writer, text);
			json_array_append_new(list, expected_of(text));
		}
		json_close(&writer, ']');
		written = json_writer_take(&writer);
		expected = json_text(list);
		unit_expect(strcmp(written, expected) == 0, "round %d: %s, not %s", round, written,
			    expected);
		free(written);
		free(expected);
		json_decref(list);
	}
}
END_TEST

START_TEST(writer_begins_anew_after_done)
{
	struct json_writer writer = JSON_WRITER_EMPTY;
	char *text;

	json_put_text(&writer, "first");
	json_writer_done(&writer);
	json_put_text(&writer, "second");
	text = json_writer_take(&writer);

	ck_assert_str_eq(text, "\"second\"");
	free(text);
	json_writer_done(&writer);
}
END_TEST

UNIT_MAIN("json_writer", {
	tcase_add_test(tests, writer_puts_commas_where_they_belong);
	tcase_add_loop_test(tests, writer_escapes_as_json_asks, 0,
			    (int)(sizeof texts / sizeof texts[0]));
	tcase_add_test(tests, writer_writes_what_json_text_writes);
	tcase_add_test(tests, writer_begins_anew_after_done);
})
