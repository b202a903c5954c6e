/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/http_message.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

START_TEST(http_header_counts_lines_whatever_their_case)
{
	const struct http_call call = { .lines = { { "X-A", "1" }, { "x-b", "2" }, { "x-a", "3" } },
					.line_count = 3 };
	size_t count;

	ck_assert_str_eq(http_header(&call, "x-A", &count), "1");
	ck_assert_uint_eq(count, 2);
	ck_assert_ptr_null(http_header(&call, "X-C", &count));
	ck_assert_uint_eq(count, 0);
}
END_TEST

static const struct {
	const char *name, *value, *taken;
} added[] = {
	{ "Idempotency-Key", "a b", "a b" },
	{ "Idempotency-Key", "a ", "a" },
	{ "Idempotency-Key", "a \t ", "a" },
	{ "Idempotency-Key", " \t", "" },
	{ "Idempotency-Key", "", "" },
	{ "content-length", "5 ", "5 " },
	{ "transfer-encoding", "chunked\t", "chunked\t" },
};

START_TEST(http_line_add_leaves_out_blanks_behind_but_where_it_frames)
{
	struct http_call call = { .line_count = 0 };

	ck_assert(http_line_add(&call, added[_i].name, added[_i].value));

	ck_assert_uint_eq(call.line_count, 1);
	ck_assert_str_eq(call.lines[0].name, added[_i].name);
	ck_assert_str_eq(call.lines[0].value, added[_i].taken);
	http_call_done(&call);
}
END_TEST

START_TEST(http_line_add_refuses_one_too_many)
{
	struct http_call call = { .line_count = 0 };

	for (size_t i = 0; i < HTTP_LINES_MAX; i++)
		ck_assert(http_line_add(&call, "X-A", "1 "));

	ck_assert(!http_line_add(&call, "X-A", "1 "));
	ck_assert_uint_eq(call.line_count, HTTP_LINES_MAX);
	http_call_done(&call);
	ck_assert_uint_eq(call.trimmed_count, 0);
}
END_TEST

static const struct {
	struct http_line lines[2];
	size_t count;
	bool ambiguous;
} framings[] = {
	{ { { "Host", "a" } }, 1, false },
	{ { { "Content-Length", "5" } }, 1, false },
	{ { { "Transfer-Encoding", "chunked" } }, 1, false },
	{ { { "transfer-encoding", "Chunked" } }, 1, false },
	{ { { "Content-Length", "5" }, { "Transfer-Encoding", "chunked" } }, 2, true },
	{ { { "Content-Length", "5" }, { "content-length", "5" } }, 2, true },
	{ { { "Content-Length", "5, 5" } }, 1, true },
	{ { { "Content-Length", "+5" } }, 1, true },
	{ { { "Content-Length", "" } }, 1, true },
	{ { { "Transfer-Encoding", "gzip" } }, 1, true },
	{ { { "Transfer-Encoding", "chunked, chunked" } }, 1, true },
	{ { { "Transfer-Encoding", "chunked" }, { "Transfer-Encoding", "chunked" } }, 2, true },
};

START_TEST(http_call_is_ambiguous_where_readers_could_disagree)
{
	struct http_call call = { .line_count = framings[_i].count };

	memcpy(call.lines, framings[_i].lines, sizeof framings[_i].lines);
	ck_assert_int_eq(http_call_is_ambiguous(&call), framings[_i].ambiguous);

	call.garbled = true;
	ck_assert(http_call_is_ambiguous(&call));
}
END_TEST

static const struct {
	const char *type; /* NULL: no such header */
	bool json;
} types[] = {
	{ "application/json", true },
	{ "Application/JSON", true },
	{ "application/json;charset=utf-8", true },
	{ "application/json ; charset=\"UTF-8\" ", true },
	{ NULL, false },
	{ "", false },
	{ "text/plain", false },
	{ "application/jsonp", false },
	{ "application/json-patch+json", false },
	{ "application/json, text/plain", false },
	{ "application/json;", false },
	{ "application/json; charset=latin1", false },
	{ "application/json; charset=utf-8x", false },
	{ "application/json; charset=\"utf-8", false },
	{ "application/json; charset=utf-8; charset=utf-8", false },
	{ "application/json; q=1", false },
};

START_TEST(http_call_is_json_only_with_that_media_type)
{
	struct http_call call = { .lines = { { "content-type", types[_i].type } },
				  .line_count = types[_i].type != NULL };

	ck_assert_int_eq(http_call_is_json(&call), types[_i].json);
}
END_TEST

START_TEST(http_call_is_xml_only_with_that_media_type)
{
	struct http_call call = { .lines = { { "Content-Type", "Application/XML;charset=utf-8" } },
				  .line_count = 1 };

	ck_assert(http_call_is_xml(&call) && !http_call_is_json(&call));
	call.lines[0].value = "text/xml";
	ck_assert(!http_call_is_xml(&call));
	call.lines[0].value = "application/xml;charset=utf-16";
	ck_assert(!http_call_is_xml(&call));
	call.lines[0].value = "application/json";
	ck_assert(!http_call_is_xml(&call));
}
END_TEST

START_TEST(http_call_is_json_never_with_two_types_or_a_coding)
{
	struct http_call call = { .lines = { { "Content-Type", "application/json" },
					     { "Content-Encoding", "identity" } },
				  .line_count = 2 };

	ck_assert(http_call_is_json(&call));
	call.lines[1].value = "gzip";
	ck_assert(!http_call_is_json(&call));
	call.lines[1] = call.lines[0];
	ck_assert(!http_call_is_json(&call));
}
END_TEST

START_TEST(http_percent_decode_reverses_encode)
{
	char all[256], encoded[3 * 256 + 1], decoded[256];

	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';

	ck_assert(http_percent_encode(all, encoded, sizeof encoded));
	ck_assert_int_eq(
		http_percent_decode(encoded, strlen(encoded), '+', decoded, sizeof decoded),
		ERR_OK);
	ck_assert_str_eq(decoded, all);
}
END_TEST

START_TEST(http_percent_codings_keep_within_their_room)
{
	char out[4];

	ck_assert_int_eq(http_percent_decode("a%62c", 5, '+', out, 4), ERR_OK);
	ck_assert_str_eq(out, "abc");
	ck_assert_int_eq(http_percent_decode("abcd", 4, '+', out, 4), ERR_TOO_LONG);
	ck_assert_int_eq(http_percent_decode("ab%6", 4, '+', out, 4), ERR_MALFORMED);
	ck_assert(http_percent_encode("/", out, 4));
	ck_assert_str_eq(out, "%2F");
	ck_assert(!http_percent_encode("a/", out, 4));
}
END_TEST

START_TEST(http_reply_header_replaces_one_of_the_same_name)
{
	struct http_reply reply = { .status = 200 };

	reply.body = malloc(1);
	http_reply_header(&reply, "Retry-After", "1");
	http_reply_header(&reply, "Allow", "GET");
	http_reply_header(&reply, "Retry-After", "2");

	ck_assert_uint_eq(reply.header_count, 2);
	ck_assert_str_eq(reply.headers[0].value, "2");

	http_reply_done(&reply);
	ck_assert_ptr_null(reply.body);
	ck_assert_uint_eq(reply.header_count, 0);
}
END_TEST

UNIT_MAIN("http_message", {
	tcase_add_test(tests, http_header_counts_lines_whatever_their_case);
	tcase_add_loop_test(tests,
			    http_line_add_leaves_out_blanks_behind_but_where_it_frames,
			    0, (int)(sizeof added / sizeof added[0]));
	tcase_add_test(tests, http_line_add_refuses_one_too_many);
	tcase_add_loop_test(tests, http_call_is_ambiguous_where_readers_could_disagree, 0,
			    (int)(sizeof framings / sizeof framings[0]));
	tcase_add_loop_test(tests, http_call_is_json_only_with_that_media_type, 0,
			    (int)(sizeof types / sizeof types[0]));
	tcase_add_test(tests, http_call_is_xml_only_with_that_media_type);
	tcase_add_test(tests, http_call_is_json_never_with_two_types_or_a_coding);
	tcase_add_test(tests, http_percent_decode_reverses_encode);
	tcase_add_test(tests, http_percent_codings_keep_within_their_room);
	tcase_add_test(tests, http_reply_header_replaces_one_of_the_same_name);
})
