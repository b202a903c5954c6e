/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/pipeline.h"

#include <stdio.h>
#include <string.h>

#include "apid/call.h"
#include "base/clock.h"
#include "base/clock_test.h"
#include "service/settings_live.h"
#include "tests/unit/unit.h"

#define NOW_US INT64_C(1700000000000000)
#define BOOT_US INT64_C(5000000000)
#define TIMEOUT_MS 10000

/* ---- handlers that only say that they were reached ---- */

static void reached(struct call *call)
{
	call_answer(call, 200,
		    json_pack("{s:s, s:i}", "merchant", call->claims.merchant, "wait_ms",
			      call_wait_ms(call)));
}

#define ROUTE(method, path, auth, scope, body_max, query, flags, handler)                          \
	void handler(struct call *call)                                                            \
	{                                                                                          \
		reached(call);                                                                     \
	}
#include "apid/route.def"
#undef ROUTE

/* In the place of the reader of API keys, whose database has one. */
struct reader {
	enum err answer;
	int64_t deadline_boot_us; /* of the latest request */
	struct api_key_grant grant;
	unsigned asked;
};

static enum err find_key(struct reader *keys, const char *id, int64_t deadline_boot_us,
			 struct api_key_grant *grant)
{
	(void)id;
	keys->asked++;
	keys->deadline_boot_us = deadline_boot_us;
	if (keys->answer == ERR_OK)
		*grant = keys->grant;
	return keys->answer;
}

/* ---- one pipeline and one good call that each test spoils ---- */

struct bench {
	struct settings settings;
	struct reader keys;
	struct app app;
	struct pipeline *pipeline;
	char authorization[TOKEN_TEXT_MAX + 8];
	struct http_call call;
	struct http_reply reply;
};

static void token_make(struct bench *bench, unsigned scopes)
{
	const struct token_claims claims = { .merchant = "demo",
					     .subject = "test",
					     .scopes = scopes,
					     .expires_at_s = clock_now_us() / 1000000 + 60 };
	char token[TOKEN_TEXT_MAX];

	ck_assert_int_eq(token_issue(&bench->settings.token_keys, 0, &claims,
				     clock_now_us() / 1000000, token),
			 ERR_OK);
	(void)snprintf(bench->authorization, sizeof bench->authorization, "Bearer %s", token);
}

static void bench_init(struct bench *bench, unsigned writes_max)
{
	const struct pipeline_settings settings = { .writes_max = writes_max };
	struct token_keys *keys = &bench->settings.token_keys;
	struct token_key *key = &keys->keys[0];

	memset(bench, 0, sizeof *bench);
	clock_test_start(NOW_US, BOOT_US);
	(void)snprintf(keys->issuer, sizeof keys->issuer, "payops");
	(void)snprintf(keys->audience, sizeof keys->audience, "payops");
	(void)snprintf(key->kid, sizeof key->kid, "k1");
	key->algorithm = TOKEN_HS256;
	key->material.size = 32;
	for (unsigned i = 0; i < 32; i++)
		key->material.bytes[i] = (unsigned char)(7 * i + 1);
	keys->count = 1;
	bench->app.find_key = find_key;
	bench->app.keys = &bench->keys;
	bench->settings.cors_origins = "https://shop.example";
	bench->settings.request_timeout_ms = TIMEOUT_MS;
	atomic_init(&bench->settings.holders, 1);
	ck_assert_int_eq(settings_live_new(&bench->settings, &bench->app.settings), ERR_OK);
	ck_assert_int_eq(metrics_new(&bench->app.metrics), ERR_OK);
	ck_assert_int_eq(pipeline_new(&bench->app, &settings, &bench->pipeline), ERR_OK);
	token_make(bench, SCOPE_PAYMENTS_WRITE);
	bench->call = (struct http_call){
		.method = "POST",
		.path = "/transactions",
		.query = "",
		.lines = { { "Authorization", bench->authorization },
			   { "Content-Type", "application/json" } },
		.line_count = 2,
		.body = "{}",
		.body_size = 2,
		.began_boot_us = BOOT_US,
	};
}

static void bench_done(struct bench *bench)
{
	http_reply_done(&bench->reply);
	pipeline_free(bench->pipeline);
	metrics_free(bench->app.metrics);
	settings_live_free(bench->app.settings);
	clock_test_stop();
}

static int serve(struct bench *bench)
{
	http_reply_done(&bench->reply);
	bench->reply = (struct http_reply){ .status = 0 };
	pipeline_serve(bench->pipeline, &bench->call, &bench->reply);
	return bench->reply.status;
}

static const char *reply_header(const struct bench *bench, const char *name)
{
	for (size_t i = 0; i < bench->reply.header_count; i++)
		if (strcmp(bench->reply.headers[i].name, name) == 0)
			return bench->reply.headers[i].value;
	return "";
}

static void line_add(struct bench *bench, const char *name, const char *value)
{
	bench->call.lines[bench->call.line_count++] = (struct http_line){ name, value };
}

/* ---- the order of refusal: each spoils one thing more, last things first ---- */

static void spoil_body(struct bench *bench)
{
	bench->call.body = "{";
	bench->call.body_size = 1;
}

static void spoil_timeout(struct bench *bench)
{
	line_add(bench, "Request-Timeout", "31");
}

static void spoil_query(struct bench *bench)
{
	bench->call.query = "typo=1";
}

static void spoil_scope(struct bench *bench)
{
	token_make(bench, SCOPE_PAYMENTS_READ);
}

static void spoil_token(struct bench *bench)
{
	bench->authorization[strlen(bench->authorization) - 2] ^= 1;
}

static void spoil_media_type(struct bench *bench)
{
	bench->call.lines[1].value = "text/plain";
}

static void spoil_size(struct bench *bench)
{
	bench->call.body_size = 65537; /* refused before it is read */
}

static void spoil_draining(struct bench *bench)
{
	atomic_store(&bench->app.draining, true);
}

static void spoil_method(struct bench *bench)
{
	bench->call.method = "PATCH";
}

static void spoil_path(struct bench *bench)
{
	bench->call.path = "/nothing";
}

static void spoil_framing(struct bench *bench)
{
	bench->call.garbled = true;
}

static const struct {
	void (*spoil)(struct bench *bench);
	int status;
	const char *type; /* of the problem */
} spoilers[] = {
	{ spoil_body, 400, "/errors/malformed_request" },
	{ spoil_timeout, 400, "/errors/malformed_request" },
	{ spoil_query, 400, "/errors/invalid_query" },
	{ spoil_scope, 403, "/errors/insufficient_scope" },
	{ spoil_token, 401, "/errors/unauthenticated" },
	{ spoil_media_type, 415, "/errors/unsupported_media_type" },
	{ spoil_size, 413, "/errors/body_too_large" },
	{ spoil_draining, 503, "/errors/draining" },
	{ spoil_method, 405, "/errors/method_not_allowed" },
	{ spoil_path, 404, "/errors/not_found" },
	{ spoil_framing, 400, "/errors/malformed_request" },
};

START_TEST(pipeline_refuses_for_the_first_reason_in_order)
{
	struct bench bench;

	bench_init(&bench, 1);
	ck_assert_int_eq(serve(&bench), 200);
	for (size_t i = 0; i < sizeof spoilers / sizeof spoilers[0]; i++) {
		spoilers[i].spoil(&bench);
		ck_assert_int_eq(serve(&bench), spoilers[i].status);
		ck_assert_msg(strstr(bench.reply.body, spoilers[i].type) != NULL,
			      "%s instead of %s", bench.reply.body, spoilers[i].type);
		ck_assert_str_eq(reply_header(&bench, "Content-Type"), PROBLEM_TYPE);
	}
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_sends_its_headers_with_every_answer)
{
	struct bench bench;

	bench_init(&bench, 1);
	line_add(&bench, "X-Request-Id", "abc");
	for (int i = 0; i < 2; i++) {
		(void)serve(&bench);
		ck_assert_str_eq(reply_header(&bench, "X-Api-Call-Id"), "abc");
		ck_assert_str_eq(reply_header(&bench, "Cache-Control"), "no-store");
		ck_assert_str_eq(reply_header(&bench, "X-Content-Type-Options"), "nosniff");
		ck_assert(!bench.reply.close);
		bench.call.path = "/nothing";
	}
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_challenges_who_is_not_known)
{
	struct bench bench;

	bench_init(&bench, 1);
	token_make(&bench, SCOPE_PAYMENTS_READ);
	ck_assert_int_eq(serve(&bench), 403);
	ck_assert_ptr_nonnull(strstr(reply_header(&bench, "WWW-Authenticate"),
				     "error=\"insufficient_scope\", scope=\"payments:write\""));
	line_add(&bench, "authorization", bench.authorization);
	ck_assert_int_eq(serve(&bench), 401);
	ck_assert_ptr_nonnull(strstr(reply_header(&bench, "WWW-Authenticate"), "invalid_token"));
	bench.call.lines[0].name = "X-None";
	bench.call.line_count = 2;
	ck_assert_int_eq(serve(&bench), 401);
	ck_assert_str_eq(reply_header(&bench, "WWW-Authenticate"), "Bearer realm=\"payops\"");
	bench_done(&bench);
}
END_TEST

static void key_make(struct bench *bench, unsigned scopes)
{
	char text[KEY_TOKEN_SIZE];
	struct key_token token;

	key_token_make(&token, text);
	(void)snprintf(bench->authorization, sizeof bench->authorization, "Bearer %s", text);
	bench->keys.grant = (struct api_key_grant){
		.claims = { .merchant = "demo",
			    .subject = "till",
			    .scopes = scopes,
			    .expires_at_s = NOW_US / 1000000 + 60 },
	};
	memcpy(bench->keys.grant.digest, token.digest, sizeof token.digest);
}

START_TEST(pipeline_takes_an_api_key_in_place_of_a_token)
{
	struct bench bench;

	bench_init(&bench, 1);
	key_make(&bench, SCOPE_PAYMENTS_WRITE);
	ck_assert_int_eq(serve(&bench), 200);
	ck_assert_int_eq(serve(&bench), 200);
	ck_assert_uint_eq(bench.keys.asked, 1);
	key_make(&bench, SCOPE_PAYMENTS_READ);
	ck_assert_int_eq(serve(&bench), 403);
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_says_no_more_of_a_key_than_that_it_is_not_valid)
{
	static const char *const others[] = {
		"Bearer po_live_",
		"Bearer po_live_0123456789abcdef_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	};
	struct bench bench;

	bench_init(&bench, 1);
	key_make(&bench, SCOPE_PAYMENTS_WRITE);
	bench.keys.answer = ERR_NOT_FOUND;
	for (size_t i = 0; i < 3; i++) {
		if (i > 0)
			bench.call.lines[0].value = others[i - 1];
		ck_assert_int_eq(serve(&bench), 401);
		ck_assert_str_eq(reply_header(&bench, "WWW-Authenticate"),
				 "Bearer realm=\"payops\", error=\"invalid_token\", "
				 "error_description=\"the API key is not valid\"");
	}
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_refuses_a_key_with_503_while_the_database_is_away)
{
	struct bench bench;

	bench_init(&bench, 1);
	bench.keys.answer = ERR_UNAVAILABLE;
	ck_assert_int_eq(serve(&bench), 200); /* a token needs no database */
	ck_assert_uint_eq(bench.keys.asked, 0);
	key_make(&bench, SCOPE_PAYMENTS_WRITE);
	ck_assert_int_eq(serve(&bench), 503);
	ck_assert_str_eq(reply_header(&bench, "WWW-Authenticate"), "");
	bench_done(&bench);
}
END_TEST

static const char *const credentials[] = { "",           "Bearer",     "Bearer ",
					   "Bearer  x",  "Bearer x y", "Basic eDp5",
					   "Bearer x,y", "Bearer x",   "Token x" };

START_TEST(pipeline_takes_no_other_credentials)
{
	struct bench bench;

	bench_init(&bench, 1);
	bench.call.lines[0].value = credentials[_i];
	ck_assert_int_eq(serve(&bench), 401);
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_remembers_a_token_until_it_expires)
{
	struct bench bench;

	bench_init(&bench, 1);
	ck_assert_int_eq(serve(&bench), 200);
	bench.settings.token_keys.count = 0; /* only what is remembered is still known */
	ck_assert_int_eq(serve(&bench), 200);
	clock_test_start(NOW_US + 60 * 1000000, BOOT_US);
	ck_assert_int_eq(serve(&bench), 401);
	bench_done(&bench);
}
END_TEST

/* Whoever holds the old settings still goes by them; nobody is remembered across. */
START_TEST(pipeline_forgets_tokens_when_other_settings_come_into_force)
{
	struct settings other;
	struct bench bench;

	bench_init(&bench, 1);
	ck_assert_int_eq(serve(&bench), 200);
	other = bench.settings;
	other.generation = 1;
	other.token_keys.count = 0;
	atomic_init(&other.holders, 2); /* the test's own, and that of which it gives one away */
	settings_live_replace(bench.app.settings, &other);
	ck_assert_int_eq(serve(&bench), 401);
	other.token_keys.count = 1;
	ck_assert_int_eq(serve(&bench), 200);
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_sheds_writes_but_neither_reads_nor_callbacks)
{
	struct bench bench;

	bench_init(&bench, 0);
	ck_assert_int_eq(serve(&bench), 503);
	ck_assert_ptr_nonnull(strstr(bench.reply.body, "/errors/overloaded"));
	ck_assert_str_eq(reply_header(&bench, "Retry-After"), "1");

	bench.call.path = "/callback/x";
	ck_assert_int_eq(serve(&bench), 200);
	token_make(&bench, SCOPE_PAYMENTS_READ);
	bench.call.method = "GET";
	bench.call.path = "/transactions/x";
	bench.call.body_size = 0;
	ck_assert_int_eq(serve(&bench), 200);
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_wants_a_body_only_where_one_must_be)
{
	struct bench bench;

	bench_init(&bench, 1);
	bench.call.line_count = 1; /* no Content-Type */
	bench.call.body = "";
	bench.call.body_size = 0;
	ck_assert_int_eq(serve(&bench), 415);

	bench.call.path = "/transactions/x/cancel";
	ck_assert_int_eq(serve(&bench), 200);
	bench.call.body = "{}";
	bench.call.body_size = 2;
	ck_assert_int_eq(serve(&bench), 415);
	bench_done(&bench);
}
END_TEST

/* Of the last two steps before the handler's own. */
START_TEST(pipeline_limits_the_rate_of_a_merchant)
{
	struct bench bench;

	bench_init(&bench, 100);
	bench.settings.rate_per_second = 2;
	bench.settings.rate_burst = 4;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(serve(&bench), 200);
		ck_assert_str_eq(reply_header(&bench, "RateLimit"), "");
	}
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(serve(&bench), 200);
	ck_assert_str_eq(reply_header(&bench, "RateLimit-Policy"), "\"merchant\";q=4;w=2");
	ck_assert_str_eq(reply_header(&bench, "RateLimit"), "\"merchant\";r=0;t=2");
	ck_assert_int_eq(serve(&bench), 429);
	ck_assert_str_eq(reply_header(&bench, "Retry-After"), "1");
	ck_assert_ptr_nonnull(strstr(bench.reply.body, "\"rate_limited\""));
	ck_assert_ptr_nonnull(strstr(bench.reply.body, "\"retryable\":true"));
	clock_test_advance(500000);
	ck_assert_int_eq(serve(&bench), 200);
	ck_assert_int_eq(serve(&bench), 429);
	bench.call.line_count = 0; /* who is not known is told so first */
	ck_assert_int_eq(serve(&bench), 415);
	bench_done(&bench);
}
END_TEST

static const int64_t jumps_us[] = { INT64_C(3600000000), INT64_C(86400000000), INT64_C(-3600000000),
				    INT64_C(-86400000000) };

START_TEST(pipeline_counts_requests_and_their_time_whatever_the_wall_clock)
{
	struct bench bench;

	bench_init(&bench, 100);
	bench.settings.rate_per_second = 2;
	bench.settings.rate_burst = 4;
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(serve(&bench), 200);
	clock_test_jump(CLOCK_TEST_WALL, jumps_us[_i]);
	token_make(&bench, SCOPE_PAYMENTS_WRITE);

	ck_assert_int_eq(serve(&bench), 429);
	clock_test_advance(500000);
	ck_assert_int_eq(serve(&bench), 200);
	ck_assert_int_eq(serve(&bench), 429);
	clock_test_advance(INT64_C(1000) * TIMEOUT_MS);
	ck_assert_int_eq(serve(&bench), 503); /* it began long ago, by the boot clock */
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_lets_a_write_in_again_after_each)
{
	struct bench bench;

	bench_init(&bench, 1);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(serve(&bench), 200);
	spoil_query(&bench);
	ck_assert_int_eq(serve(&bench), 400);
	bench.call.query = "";
	ck_assert_int_eq(serve(&bench), 200);
	bench_done(&bench);
}
END_TEST

static const struct {
	const char *value;
	int status;
} timeouts[] = {
	{ "1", 200 },  { "30", 200 }, { "09", 200 },  { "0", 400 },   { "31", 400 }, { "", 400 },
	{ "-1", 400 }, { "1s", 400 }, { "1.5", 400 }, { "100", 400 }, { " 1", 400 },
};

START_TEST(pipeline_lets_a_key_be_looked_up_until_the_requests_deadline)
{
	struct bench bench;

	bench_init(&bench, 1);
	key_make(&bench, SCOPE_PAYMENTS_WRITE);
	bench.keys.answer = ERR_DEADLINE;
	ck_assert_int_eq(serve(&bench), 503);
	ck_assert_ptr_nonnull(strstr(bench.reply.body, "/errors/deadline_exceeded"));
	ck_assert_int_eq(bench.keys.deadline_boot_us, BOOT_US + TIMEOUT_MS * INT64_C(1000));
	line_add(&bench, "Request-Timeout", "2");
	ck_assert_int_eq(serve(&bench), 503);
	ck_assert_int_eq(bench.keys.deadline_boot_us, BOOT_US + 2000000);
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_asks_who_calls_before_it_refuses_a_timeout)
{
	struct bench bench;

	bench_init(&bench, 1);
	key_make(&bench, SCOPE_PAYMENTS_WRITE);
	line_add(&bench, "Request-Timeout", "never");
	bench.keys.answer = ERR_NOT_FOUND;
	ck_assert_int_eq(serve(&bench), 401);
	ck_assert_int_eq(bench.keys.deadline_boot_us, BOOT_US + TIMEOUT_MS * INT64_C(1000));
	bench.keys.answer = ERR_OK;
	ck_assert_int_eq(serve(&bench), 400);
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_takes_a_timeout_of_1_to_30_whole_seconds)
{
	struct bench bench;

	bench_init(&bench, 1);
	line_add(&bench, "Request-Timeout", timeouts[_i].value);
	ck_assert_int_eq(serve(&bench), timeouts[_i].status);
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_does_not_start_what_is_too_late)
{
	struct bench bench;

	bench_init(&bench, 1);
	bench.call.began_boot_us = BOOT_US - TIMEOUT_MS * INT64_C(1000) + 5000;
	ck_assert_int_eq(serve(&bench), 200);
	ck_assert_ptr_nonnull(strstr(bench.reply.body, "\"wait_ms\":5}"));
	bench.call.began_boot_us -= 5000;
	ck_assert_int_eq(serve(&bench), 503);
	ck_assert_ptr_nonnull(strstr(bench.reply.body, "/errors/deadline_exceeded"));
	line_add(&bench, "Request-Timeout", "11");
	ck_assert_int_eq(serve(&bench), 200);
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_closes_connections_while_draining_but_stays_healthy)
{
	struct bench bench;

	bench_init(&bench, 1);
	spoil_draining(&bench);
	ck_assert_int_eq(serve(&bench), 503);
	ck_assert(bench.reply.close);
	bench.call.method = "GET";
	bench.call.path = "/healthz";
	bench.call.body_size = 0;
	ck_assert_int_eq(serve(&bench), 200);
	ck_assert(bench.reply.close);
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_answers_options_without_credentials)
{
	struct bench bench;

	bench_init(&bench, 1);
	bench.call.method = "OPTIONS";
	bench.call.line_count = 0;
	ck_assert_int_eq(serve(&bench), 204);
	ck_assert_str_eq(reply_header(&bench, "Allow"), "POST, GET, HEAD, OPTIONS");
	ck_assert_str_eq(reply_header(&bench, "Access-Control-Allow-Origin"), "");
	ck_assert_ptr_null(bench.reply.body);

	bench.call.lines[0] = (struct http_line){ "Origin", "https://shop.example" };
	bench.call.lines[1] = (struct http_line){ "Access-Control-Request-Method", "POST" };
	bench.call.line_count = 2;
	ck_assert_int_eq(serve(&bench), 204);
	ck_assert_str_eq(reply_header(&bench, "Access-Control-Allow-Methods"),
			 "POST, GET, HEAD, OPTIONS");
	bench_done(&bench);
}
END_TEST

START_TEST(pipeline_reads_and_answers_xml)
{
	struct bench bench;

	bench_init(&bench, 1);
	bench.call.lines[1].value = "application/xml";
	bench.call.body = "<deposit/>";
	bench.call.body_size = strlen(bench.call.body);
	ck_assert_int_eq(serve(&bench), 200);
	ck_assert_str_eq(reply_header(&bench, "Content-Type"), "application/xml");
	ck_assert_ptr_nonnull(
		strstr(bench.reply.body, "<response><merchant>demo</merchant><wait_ms>10000<"));

	line_add(&bench, "Accept", "application/json");
	ck_assert_int_eq(serve(&bench), 200);
	ck_assert_str_eq(reply_header(&bench, "Content-Type"), "application/json");
	bench_done(&bench);
}
END_TEST

/* Whatever is spoilt, and however early, the refusal is of the form that was asked for. */
START_TEST(pipeline_refuses_in_xml)
{
	struct bench bench;

	bench_init(&bench, 1);
	line_add(&bench, "Accept", "application/xml");
	for (size_t i = 0; i < sizeof spoilers / sizeof spoilers[0]; i++) {
		spoilers[i].spoil(&bench);
		ck_assert_int_eq(serve(&bench), spoilers[i].status);
		ck_assert_ptr_nonnull(strstr(bench.reply.body, spoilers[i].type));
		ck_assert_ptr_nonnull(
			strstr(bench.reply.body, "<problem xmlns=\"urn:ietf:rfc:7807\">"));
		ck_assert_str_eq(reply_header(&bench, "Content-Type"), "application/problem+xml");
	}
	bench_done(&bench);
}
END_TEST

UNIT_MAIN("pipeline", {
	tcase_add_test(tests, pipeline_reads_and_answers_xml);
	tcase_add_test(tests, pipeline_refuses_in_xml);
	tcase_add_test(tests, pipeline_refuses_for_the_first_reason_in_order);
	tcase_add_test(tests, pipeline_sends_its_headers_with_every_answer);
	tcase_add_test(tests, pipeline_challenges_who_is_not_known);
	tcase_add_test(tests, pipeline_takes_an_api_key_in_place_of_a_token);
	tcase_add_test(tests, pipeline_says_no_more_of_a_key_than_that_it_is_not_valid);
	tcase_add_test(tests, pipeline_refuses_a_key_with_503_while_the_database_is_away);
	tcase_add_test(tests, pipeline_lets_a_key_be_looked_up_until_the_requests_deadline);
	tcase_add_test(tests, pipeline_asks_who_calls_before_it_refuses_a_timeout);
	tcase_add_loop_test(tests, pipeline_takes_no_other_credentials, 0,
			    (int)(sizeof credentials / sizeof credentials[0]));
	tcase_add_test(tests, pipeline_remembers_a_token_until_it_expires);
	tcase_add_test(tests, pipeline_forgets_tokens_when_other_settings_come_into_force);
	tcase_add_test(tests, pipeline_sheds_writes_but_neither_reads_nor_callbacks);
	tcase_add_test(tests, pipeline_wants_a_body_only_where_one_must_be);
	tcase_add_test(tests, pipeline_limits_the_rate_of_a_merchant);
	tcase_add_loop_test(tests, pipeline_counts_requests_and_their_time_whatever_the_wall_clock,
			    0, (int)(sizeof jumps_us / sizeof jumps_us[0]));
	tcase_add_test(tests, pipeline_lets_a_write_in_again_after_each);
	tcase_add_loop_test(tests, pipeline_takes_a_timeout_of_1_to_30_whole_seconds, 0,
			    (int)(sizeof timeouts / sizeof timeouts[0]));
	tcase_add_test(tests, pipeline_does_not_start_what_is_too_late);
	tcase_add_test(tests, pipeline_closes_connections_while_draining_but_stays_healthy);
	tcase_add_test(tests, pipeline_answers_options_without_credentials);
})
