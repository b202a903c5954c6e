/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/clock_test.h"
#include "core/text.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define HEAD "{\"time\":\"2026-03-01T12:00:00.123456Z\",\"level\":\"info\",\"component\":\"unit\","
#define LONG_SIZE 9000

/* A log whose every write(2) is one datagram; `line` is the last one read. */
struct fixture {
	int in, out;
	size_t size;
	char line[LOG_LINE_MAX * 4];
};

static void setup(struct fixture *fixture)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	fixture->in = pair[0];
	fixture->out = pair[1];
	clock_test_start(INT64_C(1772366400123456), 1);
	log_open("unit", LOG_INFO, fixture->out);
}

/* Read the next line; false where there is none. */
static bool next_line(struct fixture *fixture)
{
	ssize_t size = recv(fixture->in, fixture->line, sizeof fixture->line - 1, MSG_DONTWAIT);

	if (size < 0)
		return false;
	fixture->size = (size_t)size;
	fixture->line[size] = '\0';
	return true;
}

/*
 * The next line as JSON; fails where it is anything but one complete object in one line of at most
 * LOG_LINE_MAX.
 */
static json_t *next_object(struct fixture *fixture)
{
	json_error_t error;
	json_t *object;

	unit_expect(next_line(fixture), "no line");
	unit_expect(fixture->size <= LOG_LINE_MAX, "%zu bytes: %s", fixture->size, fixture->line);
	unit_expect(strcspn(fixture->line, "\n") == fixture->size - 1 &&
			    text_is_utf8(fixture->line, fixture->size - 1) &&
			    !text_has_control(fixture->line, fixture->size - 1),
		    "not one line of plain text: %s", fixture->line);
	object = json_loadb(fixture->line, fixture->size, JSON_REJECT_DUPLICATES, &error);
	unit_expect(object != NULL, "%s: %s", error.text, fixture->line);
	unit_expect(json_is_object(object), "not an object: %s", fixture->line);
	return object;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text == NULL ? "(none)" : text;
}

START_TEST(log_writes_one_event_as_one_line_in_one_write)
{
	struct fixture fixture;

	setup(&fixture);
	log_info("attempt concluded", LOG_TEXT("gateway", "alpha"), LOG_INT("duration_us", -12),
		 LOG_BOOL("final", true), LOG_BOOL("late", false), LOG_ERR(ERR_BUSY),
		 LOG_FOREIGN("reason", "no \"money\""));

	ck_assert(next_line(&fixture));
	ck_assert_str_eq(fixture.line, HEAD "\"msg\":\"attempt concluded\",\"gateway\":\"alpha\","
					    "\"duration_us\":-12,\"final\":true,\"late\":false,"
					    "\"err\":\"busy\",\"reason\":\"no \\\"money\\\"\"}\n");
	ck_assert(!next_line(&fixture));
}
END_TEST

START_TEST(log_note_takes_no_fields)
{
	struct fixture fixture;

	setup(&fixture);
	log_note(LOG_INFO, "started");

	ck_assert(next_line(&fixture));
	ck_assert_str_eq(fixture.line, HEAD "\"msg\":\"started\"}\n");
}
END_TEST

START_TEST(log_leaves_out_texts_that_are_null)
{
	struct fixture fixture;
	const char *none = NULL;

	setup(&fixture);
	log_info("m", LOG_TEXT("a", none), LOG_FOREIGN("b", none), LOG_TEXT("c", ""));

	ck_assert(next_line(&fixture));
	ck_assert_str_eq(fixture.line, HEAD "\"msg\":\"m\",\"c\":\"\"}\n");
}
END_TEST

START_TEST(log_integers_reach_both_ends)
{
	struct fixture fixture;

	setup(&fixture);
	log_info("m", LOG_INT("min", INT64_MIN), LOG_INT("max", INT64_MAX));

	ck_assert(next_line(&fixture));
	ck_assert_str_eq(fixture.line, HEAD "\"msg\":\"m\",\"min\":-9223372036854775808,"
					    "\"max\":9223372036854775807}\n");
}
END_TEST

/* Every level that may be set against every level that may be written. */
START_TEST(log_drops_lines_below_its_level)
{
	enum log_level set = (enum log_level)(_i / 4), written = (enum log_level)(_i % 4);
	struct fixture fixture;

	setup(&fixture);
	log_level_set(set);
	log_note(written, "m");

	ck_assert_int_eq(next_line(&fixture), written >= set);
}
END_TEST

static const struct {
	const char *word;
	bool known;
	enum log_level level;
} words[] = {
	{ "debug", true, LOG_DEBUG },     { "info", true, LOG_INFO },
	{ "warning", true, LOG_WARNING }, { "error", true, LOG_ERROR },
	{ "Debug", false, LOG_DEBUG },    { "warn", false, LOG_DEBUG },
	{ "", false, LOG_DEBUG },         { "errors", false, LOG_DEBUG },
};

START_TEST(log_level_parse_knows_four_words)
{
	enum log_level level = LOG_WARNING;

	ck_assert_int_eq(log_level_parse(words[_i].word, &level), words[_i].known);
	ck_assert_int_eq(level, words[_i].known ? words[_i].level : LOG_WARNING);
}
END_TEST

static const struct {
	const char *text, *written;
	/* clang-format off */
} escapes[] = {
	{ "plain", "plain" },
	{ "\"\\/", "\\\"\\\\/" },
	{ "a\nb\r\tc", "a\\u000ab\\u000d\\u0009c" },
	{ "\x01\x1b[31m\x7f", "\\u0001\\u001b[31m\\u007f" },
	{ "\xc2\x85\xc2\x9b", "\\u0085\\u009b" },              /* NEL, CSI */
	{ "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "\xe2\x80\xae" "evil\xe2\x81\xa9", "\\u202eevil\\u2069" }, /* bidi override, isolate */
	{ "\xe2\x80\x8b\xef\xbb\xbf", "\\u200b\\ufeff" },      /* zero width */
	{ "\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029" },      /* line and paragraph separator */
	{ "\xd8\x9c", "\\u061c" },                             /* Arabic letter mark */
	{ "\xf3\xa0\x81\x81", "\\udb40\\udc41" },              /* a tag character, as a pair */
	{ "\xff" "a\x80", "\\ufffda\\ufffd" },                 /* stray bytes */
	{ "\xc0\xaf", "\\ufffd\\ufffd" },                      /* overlong */
	{ "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" },           /* a surrogate */
	{ "\xe2\x82", "\\ufffd\\ufffd" },                      /* ends too early */
	{ "\xf5\x80\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd" }, /* above U+10FFFF */
};
/* clang-format on */

START_TEST(log_escapes_what_a_terminal_would_obey)
{
	char expected[512];
	struct fixture fixture;

	setup(&fixture);
	log_note(LOG_INFO, escapes[_i].text);
	log_info("m", LOG_TEXT("t", escapes[_i].text));
	log_info("m", LOG_FOREIGN("t", escapes[_i].text));

	snprintf(expected, sizeof expected, HEAD "\"msg\":\"%s\"}\n", escapes[_i].written);
	ck_assert(next_line(&fixture));
	ck_assert_str_eq(fixture.line, expected);
	snprintf(expected, sizeof expected, HEAD "\"msg\":\"m\",\"t\":\"%s\"}\n",
		 escapes[_i].written);
	ck_assert(next_line(&fixture));
	ck_assert_str_eq(fixture.line, expected);
	ck_assert(next_line(&fixture));
	ck_assert_str_eq(fixture.line, expected);
}
END_TEST

/* Fill `out` with `size` bytes of one repeated character. */
static const char *repeated(char out[LONG_SIZE + 1], const char *character, size_t size)
{
	size_t step = strlen(character);

	for (size_t i = 0; i < size; i++)
		out[i] = character[i % step];
	out[size - size % step] = '\0';
	return out;
}

static const struct {
	const char *bytes;
	size_t written; /* bytes that it takes in a line */
} characters[] = {
	{ "a", 1 },
	{ "\"", 2 },
	{ "\n", 6 },
	{ "\xc3\xa9", 2 },
	{ "\xe2\x82\xac", 3 },
	{ "\xf0\x9f\x98\x80", 4 },
	{ "\xff", 6 },
	{ "\xf3\xa0\x81\x81", 12 },
};

/* A text field beside short ones, which it never pushes out. */
static void check_long_field(struct fixture *fixture, const char *text)
{
	json_t *object;
	bool cut, marked;

	log_info("m", LOG_TEXT("t", text), LOG_INT("after", INT64_MIN), LOG_ERR(ERR_UNCERTAIN));
	object = next_object(fixture);

	cut = json_is_true(json_object_get(object, "cut"));
	marked = strstr(text_of(object, "t"), "\xe2\x80\xa6") != NULL;
	unit_expect(strcmp(text_of(object, "err"), err_row(ERR_UNCERTAIN)->code) == 0 &&
			    json_integer_value(json_object_get(object, "after")) == INT64_MIN,
		    "a short field is gone: %s", fixture->line);
	unit_expect(cut == marked && (cut || strlen(text) <= LOG_LINE_MAX),
		    "not marked as it was cut: %s", fixture->line);
	json_decref(object);
}

static void check_long_message(struct fixture *fixture, const char *text)
{
	json_t *object;

	log_info(text, LOG_TEXT("t", text), LOG_FOREIGN("f", text), LOG_INT("after", 1));
	object = next_object(fixture);

	unit_expect(strcmp(text_of(object, "merchant"), "shop") == 0 &&
			    json_integer_value(json_object_get(object, "after")) == 1,
		    "a short field is gone: %s", fixture->line);
	json_decref(object);
}

static bool nearly_fills_a_line(size_t written)
{
	return written > LOG_LINE_MAX - 400 && written < LOG_LINE_MAX - 150;
}

/* Each count of characters that fills a line, written once or twice; some of all the others. */
START_TEST(log_cuts_long_lines_and_keeps_them_whole_json)
{
	const size_t step = strlen(characters[_i].bytes);
	char text[LONG_SIZE + 1];
	struct fixture fixture;
	size_t count = 300 / step;

	setup(&fixture);
	log_context_set("call-1", "shop");
	while (count * step < LONG_SIZE) {
		const size_t written = count * characters[_i].written;

		repeated(text, characters[_i].bytes, count * step);
		check_long_field(&fixture, text);
		check_long_message(&fixture, text);
		if (nearly_fills_a_line(written) || nearly_fills_a_line(2 * written))
			count++;
		else
			count += (written < LOG_LINE_MAX ? 97 : 997) / step;
	}
}
END_TEST

START_TEST(log_uses_the_whole_line_before_it_cuts)
{
	char text[LONG_SIZE + 1];
	struct fixture fixture;

	setup(&fixture);
	log_note(LOG_INFO, repeated(text, "a", LONG_SIZE));

	json_decref(next_object(&fixture));
	ck_assert_uint_gt(fixture.size, LOG_LINE_MAX - 300);
}
END_TEST

START_TEST(log_drops_fields_that_do_not_fit)
{
	struct log_field fields[400];
	struct fixture fixture;
	json_t *object;

	setup(&fixture);
	for (size_t i = 0; i < 400; i++)
		fields[i] = i % 2 == 0 ? LOG_INT("n", INT64_MIN) : LOG_TEXT("t", "text");
	for (size_t count = 60; count <= 400; count++) {
		log_write(LOG_INFO, "m", fields, count);
		unit_expect(next_line(&fixture), "%zu fields", count);
		object = json_loadb(fixture.line, fixture.size, 0, NULL);
		unit_expect(object != NULL && fixture.size <= LOG_LINE_MAX, "%zu fields: %s", count,
			    fixture.line);
		if (count == 400)
			ck_assert(json_is_true(json_object_get(object, "cut")));
		json_decref(object);
	}
}
END_TEST

START_TEST(log_foreign_shows_at_most_128_bytes_and_splits_no_character)
{
	char text[LONG_SIZE + 1];
	struct fixture fixture;
	const char *shown;
	json_t *object;

	setup(&fixture);
	for (size_t before = 120; before <= 130; before++) {
		memset(text, 'a', before);
		memcpy(text + before, "\xf0\x9f\x98\x80z", 6);
		log_info("m", LOG_FOREIGN("f", text));
		object = next_object(&fixture);
		shown = text_of(object, "f");
		ck_assert_ptr_null(strstr(shown, "\xef\xbf\xbd"));
		ck_assert_int_eq(strstr(shown, "\xe2\x80\xa6") != NULL, before + 5 > 128);
		ck_assert_uint_le(strlen(shown), 128 + 3);
		json_decref(object);
	}
}
END_TEST

START_TEST(log_foreign_masks_card_numbers_also_where_it_cuts)
{
	char text[512];
	struct fixture fixture;

	setup(&fixture);
	for (int before = 0; before <= 128; before++) {
		snprintf(text, sizeof text, "%*s4242-4242 4242-4242 tail", before, "");
		log_info("m", LOG_FOREIGN("f", text));
		json_decref(next_object(&fixture));
		ck_assert_ptr_null(strstr(fixture.line, "4242-"));
		ck_assert_ptr_null(strstr(fixture.line, "42424"));
		ck_assert_uint_le(strspn(strpbrk(fixture.line + sizeof HEAD, "4*\xe2"), "42 -"), 5);
	}
}
END_TEST

/* Random bytes never make a line that is not plain text. */
START_TEST(log_foreign_survives_any_bytes)
{
	uint64_t state = seed_start();
	char text[301];
	struct fixture fixture;

	setup(&fixture);
	for (int round = 0; round < 5000; round++) {
		size_t size = seed_next(&state) % 300 + 1;

		for (size_t i = 0; i < size; i++)
			text[i] = (char)(seed_next(&state) % 255 + 1);
		text[size] = '\0';
		log_info("m", LOG_FOREIGN("f", text), LOG_TEXT("t", text));
		unit_expect(next_line(&fixture), "round %d", round);
		unit_expect(text_is_utf8(fixture.line, fixture.size - 1) &&
				    !text_has_control(fixture.line, fixture.size - 1),
			    "round %d: %s", round, fixture.line);
	}
}
END_TEST

START_TEST(log_context_is_on_every_line_until_cleared)
{
	struct fixture fixture;
	char call[16] = "call-1";

	setup(&fixture);
	log_context_set(call, "shop");
	memset(call, 'x', 6);
	log_info("m", LOG_INT("n", 1));
	log_context_set(NULL, "shop");
	log_note(LOG_INFO, "m");
	log_context_clear();
	log_note(LOG_INFO, "m");

	ck_assert(next_line(&fixture));
	ck_assert_str_eq(fixture.line, HEAD "\"msg\":\"m\",\"api_call_id\":\"call-1\","
					    "\"merchant\":\"shop\",\"n\":1}\n");
	ck_assert(next_line(&fixture));
	ck_assert_str_eq(fixture.line, HEAD "\"msg\":\"m\",\"merchant\":\"shop\"}\n");
	ck_assert(next_line(&fixture));
	ck_assert_str_eq(fixture.line, HEAD "\"msg\":\"m\"}\n");
}
END_TEST

START_TEST(log_context_keeps_64_bytes_and_splits_no_character)
{
	char text[LONG_SIZE + 1];
	struct fixture fixture;
	json_t *object;

	setup(&fixture);
	for (size_t before = 58; before <= 66; before++) {
		memset(text, 'a', before);
		memcpy(text + before, "\xf0\x9f\x98\x80", 5);
		log_context_set(text, NULL);
		log_note(LOG_INFO, "m");
		object = next_object(&fixture);
		ck_assert_uint_eq(strlen(text_of(object, "api_call_id")), before <= 60  ? before + 4
									  : before < 64 ? before
											: 64);
		ck_assert_ptr_null(strstr(fixture.line, "fffd"));
		json_decref(object);
	}
}
END_TEST

static void *write_without_context(void *unused)
{
	(void)unused;
	log_note(LOG_INFO, "other");
	return NULL;
}

START_TEST(log_context_belongs_to_one_thread)
{
	struct fixture fixture;
	pthread_t thread;

	setup(&fixture);
	log_context_set("call-1", "shop");
	ck_assert_int_eq(pthread_create(&thread, NULL, write_without_context, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);

	ck_assert(next_line(&fixture));
	ck_assert_str_eq(fixture.line, HEAD "\"msg\":\"other\"}\n");
}
END_TEST

START_TEST(log_leaves_errno_alone)
{
	log_open("unit", LOG_INFO, -1);
	errno = ENOENT;
	log_note(LOG_ERROR, "m");

	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

UNIT_MAIN("log", {
	tcase_add_test(tests, log_writes_one_event_as_one_line_in_one_write);
	tcase_add_test(tests, log_note_takes_no_fields);
	tcase_add_test(tests, log_leaves_out_texts_that_are_null);
	tcase_add_test(tests, log_integers_reach_both_ends);
	tcase_add_loop_test(tests, log_drops_lines_below_its_level, 0, 16);
	tcase_add_loop_test(tests, log_level_parse_knows_four_words, 0,
			    (int)(sizeof words / sizeof words[0]));
	tcase_add_loop_test(tests, log_escapes_what_a_terminal_would_obey, 0,
			    (int)(sizeof escapes / sizeof escapes[0]));
	tcase_add_loop_test(tests, log_cuts_long_lines_and_keeps_them_whole_json, 0,
			    (int)(sizeof characters / sizeof characters[0]));
	tcase_add_test(tests, log_uses_the_whole_line_before_it_cuts);
	tcase_add_test(tests, log_drops_fields_that_do_not_fit);
	tcase_add_test(tests, log_foreign_shows_at_most_128_bytes_and_splits_no_character);
	tcase_add_test(tests, log_foreign_masks_card_numbers_also_where_it_cuts);
	tcase_add_test(tests, log_foreign_survives_any_bytes);
	tcase_add_test(tests, log_context_is_on_every_line_until_cleared);
	tcase_add_test(tests, log_context_keeps_64_bytes_and_splits_no_character);
	tcase_add_test(tests, log_context_belongs_to_one_thread);
	tcase_add_test(tests, log_leaves_errno_alone);
})
