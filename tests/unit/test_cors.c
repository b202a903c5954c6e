/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/cors.h"

#include <string.h>

#include "tests/unit/unit.h"

#define SHOP "https://shop.example"
#define ORIGINS "https://a.example:8443  " SHOP

static const char *header_of(const struct http_reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->header_count; i++)
		if (strcmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return "";
}

static const struct {
	const char *origins;
	const char *origin; /* NULL: the request has none */
	bool allowed;
} cases[] = {
	{ ORIGINS, SHOP, true },
	{ ORIGINS, "https://a.example:8443", true },
	{ ORIGINS, "https://a.example", false },
	{ ORIGINS, "http://shop.example", false },
	{ ORIGINS, "https://shop.example.evil", false },
	{ ORIGINS, "https://shop.exampl", false },
	{ ORIGINS, "HTTPS://SHOP.EXAMPLE", false },
	{ ORIGINS, "null", false },
	{ ORIGINS, "*", false },
	{ ORIGINS, "", false },
	{ ORIGINS, ORIGINS, false },
	{ ORIGINS, NULL, false },
	{ "", SHOP, false },
	{ "", "", false },
};

START_TEST(cors_allows_exactly_the_configured_origins)
{
	struct http_call call = { .lines = { { "Origin", cases[_i].origin } },
				  .line_count = cases[_i].origin != NULL ? 1 : 0 };
	struct http_reply reply = { .status = 200 };

	cors_answer(cases[_i].origins, &call, NULL, &reply);

	ck_assert_str_eq(header_of(&reply, "Access-Control-Allow-Origin"),
			 cases[_i].allowed ? cases[_i].origin : "");
	ck_assert_int_eq(strstr(header_of(&reply, "Access-Control-Expose-Headers"), "ETag") != NULL,
			 cases[_i].allowed);
	ck_assert_str_eq(header_of(&reply, "Vary"), *cases[_i].origins != '\0' ? "Origin" : "");
	ck_assert_str_eq(header_of(&reply, "Access-Control-Allow-Methods"), "");
	ck_assert_str_eq(header_of(&reply, "Access-Control-Allow-Credentials"), "");
}
END_TEST

START_TEST(cors_answers_a_preflight)
{
	struct http_call call = { .lines = { { "Origin", SHOP },
					     { "Access-Control-Request-Method", "PATCH" } },
				  .line_count = 2 };
	struct http_reply reply = { .status = 204 };

	cors_answer(ORIGINS, &call, "GET, PATCH", &reply);

	ck_assert_str_eq(header_of(&reply, "Access-Control-Allow-Methods"), "GET, PATCH");
	ck_assert_ptr_nonnull(
		strstr(header_of(&reply, "Access-Control-Allow-Headers"), "Idempotency-Key"));
	ck_assert_str_eq(header_of(&reply, "Access-Control-Max-Age"), "600");
}
END_TEST

START_TEST(cors_gives_no_preflight_to_two_origins_or_others)
{
	struct http_call call = { .lines = { { "Origin", SHOP },
					     { "Access-Control-Request-Method", "PATCH" },
					     { "origin", "https://evil.example" } },
				  .line_count = 3 };
	struct http_reply reply = { .status = 204 };

	cors_answer(ORIGINS, &call, "GET, PATCH", &reply);
	call.lines[0].value = "https://evil.example";
	call.line_count = 2;
	cors_answer(ORIGINS, &call, "GET, PATCH", &reply);

	ck_assert_uint_eq(reply.header_count, 1);
	ck_assert_str_eq(header_of(&reply, "Vary"), "Origin");
}
END_TEST

UNIT_MAIN("cors", {
	tcase_add_loop_test(tests, cors_allows_exactly_the_configured_origins, 0,
			    (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, cors_answers_a_preflight);
	tcase_add_test(tests, cors_gives_no_preflight_to_two_origins_or_others);
})
