/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/media.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define COUNT(ARRAY) ((int)(sizeof(ARRAY) / sizeof *(ARRAY)))
#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define XML "application/xml"

static const struct {
	const char *type; /* of the request, NULL: none */
	const char *accept;
	bool xml;
} wishes[] = {
	{ NULL, NULL, false },
	{ "application/json", NULL, false },
	{ XML, NULL, true },
	{ "Application/XML; charset=utf-8", NULL, true },
	{ "text/xml", NULL, false },
	{ "application/json", "*/*", false },
	{ XML, "*/*", true },
	{ XML, "application/*;q=0.1", true },
	{ XML, "application/json", false },
	{ XML, "application/problem+json", false },
	{ "application/json", XML, true },
	{ NULL, "Application/Xml", true },
	{ NULL, "application/problem+xml", true },
	{ NULL, "application/xml,application/json", false },
	{ XML, "application/xml,application/json", true },
	{ NULL, "application/json;q=0.8, application/xml;q=0.9", true },
	{ NULL, "application/json;q=0.85 , application/xml;q=0.849", false },
	{ NULL, "application/xml ; q=0.9, */*; q=0.8", true },
	{ NULL, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true },
	{ NULL, "application/xml;q=0.7,*/*;q=0.8", false },
	{ NULL, "application/xml;q=0, */*", false },
	{ XML, "application/xml;q=0, */*", false },
	{ NULL, "application/json;q=0, */*", true },
	{ NULL, "application/xml;v=\"1\";q=0.9, application/json;q=0.8", true },
	{ NULL, "text/plain", false },
	{ XML, "text/plain", true },
	{ NULL, "", false },
	{ NULL, ",, ,;q=1,", false },
	{ NULL, "application/xmlx", false },
	{ NULL, "application/xml;q=", true },
	{ NULL, "application/xml;q=nonsense, application/json;q=0.9", true },
	{ NULL, "application/xml;q=0.0000, application/json;q=0.1",
	  true }, /* no quality, so it is 1 */
	{ NULL, "application/xml;q=0.000, application/json;q=0.1", false },
	{ NULL, "application/xml;q=7, application/json",
	  false }, /* no more than 1, and then equal */
};

START_TEST(media_wants_xml_as_accept_and_the_requests_type_say)
{
	struct http_call call = { .line_count = 0 };

	if (wishes[_i].type != NULL)
		call.lines[call.line_count++] =
			(struct http_line){ "Content-Type", wishes[_i].type };
	if (wishes[_i].accept != NULL)
		call.lines[call.line_count++] = (struct http_line){ "accept", wishes[_i].accept };

	ck_assert_msg(media_wants_xml(&call) == wishes[_i].xml, "%s", wishes[_i].accept);
}
END_TEST

START_TEST(media_wants_xml_reads_all_lines)
{
	struct http_call call = { .lines = { { "Accept", "application/json;q=0.5" },
					     { "Accept", "application/xml" } },
				  .line_count = 2 };

	ck_assert(media_wants_xml(&call));
}
END_TEST

static const struct {
	const char *path;
	const char *type, *json;
	const char *xml_type, *xml;
} answers[] = {
	{ "/transactions", "application/json", "{\"status\":\"pending\"}", XML,
	  HEAD "<response><status>pending</status></response>" },
	{ "/customers/{customer_id}/transactions", "application/json", "[{\"a\":\"1\"}]", XML,
	  HEAD "<transactions><transaction><a>1</a></transaction></transactions>" },
	{ NULL, "application/json", "[1]", XML, HEAD "<items><item>1</item></items>" },
	{ NULL, "application/problem+json",
	  "{\"status\":422,\"errors\":[{\"field\":\"a\"},{\"field\":\"b\"}]}",
	  "application/problem+xml",
	  HEAD
	  "<problem xmlns=\"urn:ietf:rfc:7807\"><status>422</status><errors><i><field>a</field></i>"
	  "<i><field>b</field></i></errors></problem>" },
	/* amounts */
	{ NULL, "application/json",
	  "{\"amount\":1000,\"currency\":\"USD\",\"amount_captured\":0,\"amount_refunded\":7}", XML,
	  HEAD "<response><amount>10.00</amount><currency>USD</currency>"
	       "<amount_captured>0.00</amount_captured><amount_refunded>0.07</amount_refunded></"
	       "response>" },
	{ NULL, "application/json", "{\"amount\":\"10.00\",\"currency\":\"USD\"}", XML,
	  HEAD "<response><amount>10.00</amount><currency>USD</currency></response>" },
	{ NULL, "application/json",
	  "{\"currency\":\"JPY\",\"refunds\":[{\"amount\":5},{\"amount\":5,\"currency\":\"KWD\"}]}",
	  XML,
	  HEAD
	  "<response><currency>JPY</currency><refunds><refund><amount>5</amount></refund>"
	  "<refund><amount>0.005</amount><currency>KWD</currency></refund></refunds></response>" },
	{ NULL, "application/json", "{\"amount\":5,\"amount_minor\":5,\"number\":5}", XML,
	  HEAD "<response><amount/><amount_minor>5</amount_minor><number>5</number></response>" },
	/* what is not JSON stays */
	{ "/metrics", "text/plain; version=0.0.4", "payops 1\n", "text/plain; version=0.0.4",
	  "payops 1\n" },
	{ "/openapi.json", "application/json", "{}", "application/json", "{}" },
	{ "/x", "application/json", NULL, "application/json", NULL },
};

START_TEST(media_to_xml_turns_json_into_xml)
{
	struct http_reply reply;

	http_reply_init(&reply);
	http_reply_header(&reply, "Content-Type", answers[_i].type);
	if (answers[_i].json != NULL) {
		reply.body = strdup(answers[_i].json);
		reply.body_size = strlen(answers[_i].json);
	}

	ck_assert(media_to_xml(&reply, answers[_i].path));
	ck_assert_pstr_eq(reply.body, answers[_i].xml);
	ck_assert_str_eq(reply.headers[0].value, answers[_i].xml_type);
	ck_assert_uint_eq(reply.header_count, 1);
	ck_assert_uint_eq(reply.body_size, reply.body != NULL ? strlen(reply.body) : 0);
	http_reply_done(&reply);
}
END_TEST

UNIT_MAIN("media", tcase_add_loop_test(tests, media_wants_xml_as_accept_and_the_requests_type_say,
				       0, COUNT(wishes));
	  tcase_add_test(tests, media_wants_xml_reads_all_lines);
	  tcase_add_loop_test(tests, media_to_xml_turns_json_into_xml, 0, COUNT(answers)))
