/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "base/http_call.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/http_gateway.h"
#include "tests/unit/unit.h"

static const int redirects[] = { 301, 302, 303, 307, 308 };

START_TEST(redirect_is_an_answer_and_not_followed)
{
	struct http_client *client = client_open();
	struct gateway gateway;
	struct http_request request;
	struct outcome outcome;
	char answer[200];
	struct act act = { .answer = answer };

	gateway_listen(&gateway, 16);
	snprintf(answer, sizeof answer,
		 "HTTP/1.1 %d Go\r\nLocation: http://127.0.0.1:%d/other\r\n"
		 "Content-Length: 0\r\n\r\n",
		 redirects[_i], gateway.port);
	gateway_serve(&gateway, &act, 1);
	request = request_to(gateway.port, "POST", true);
	call(client, &request, &outcome);
	gateway_stop(&gateway);

	ck_assert_int_eq(outcome.answer.fate, HTTP_ANSWERED);
	ck_assert_int_eq(outcome.answer.status, redirects[_i]);
	ck_assert_int_eq(atomic_load(&gateway.requests), 1);
	http_client_free(client);
}
END_TEST

START_TEST(request_is_plain_http_1_1_and_the_environment_has_no_say)
{
	struct http_client *client = client_open();
	struct gateway gateway;
	struct http_request request;
	struct outcome outcome;
	const char *sent = gateway.last_request;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	gateway_start(&gateway, NULL, 0);
	request = request_to(gateway.port, "POST", true);
	call(client, &request, &outcome);
	gateway_stop(&gateway);

	ck_assert_int_eq(outcome.answer.status, 200);
	ck_assert_str_eq(outcome.answer.content_type, "text/plain");
	ck_assert_int_eq(strncmp(sent, "POST /charges?a=b HTTP/1.1\r\n", 28), 0);
	ck_assert_ptr_nonnull(strstr(sent, "\r\nUser-Agent: payops"));
	ck_assert_ptr_nonnull(strstr(sent, "\r\nContent-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(sent, "\r\nContent-Length: 14\r\n"));
	ck_assert_ptr_nonnull(strstr(sent, "\r\n\r\n{\"amount\":100}"));
	ck_assert_ptr_null(strcasestr(sent, "expect"));
	ck_assert_ptr_null(strcasestr(sent, "upgrade"));
	http_client_free(client);
}
END_TEST

START_TEST(cookies_are_not_kept)
{
	static const struct act act = {
		.answer = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n",
	};
	struct http_client *client = client_open();
	struct gateway gateway;
	struct http_request request;
	struct outcome outcome;

	gateway_start(&gateway, &act, 1);
	request = request_to(gateway.port, "GET", false);
	call(client, &request, &outcome);
	call(client, &request, &outcome);
	gateway_stop(&gateway);

	ck_assert_int_eq(atomic_load(&gateway.requests), 2);
	ck_assert_ptr_null(strcasestr(gateway.last_request, "cookie"));
	http_client_free(client);
}
END_TEST

START_TEST(large_body_is_copied_and_sent_once_without_expect)
{
	struct http_client *client = client_open();
	struct gateway gateway;
	struct http_request request;
	struct outcome outcome = { 0 };
	size_t size = 3 * 1024 * 1024;
	char *body = malloc(size);

	memset(body, 'y', size);
	gateway_start(&gateway, NULL, 0);
	request = request_to(gateway.port, "POST", true);
	request.body = body;
	request.body_size = size;
	ck_assert_int_eq(http_client_start(client, &request, remember, &outcome), ERR_OK);
	free(body);
	memset(&request, 0, sizeof request);
	while (http_client_run(client, 100) > 0)
		continue;
	gateway_stop(&gateway);

	ck_assert_int_eq(outcome.answer.status, 200);
	ck_assert(!outcome.answer.resent);
	ck_assert_int_eq(atomic_load(&gateway.requests), 1);
	ck_assert_ptr_null(strcasestr(gateway.last_request, "expect"));
	http_client_free(client);
}
END_TEST

static const struct {
	const char *method;
	const char *body;
	const char *begin;
} method_cases[] = {
	{ "GET", NULL, "GET /" },   { "PUT", "a", "PUT /" },     { "PATCH", "a", "PATCH /" },
	{ "POST", NULL, "POST /" }, { "DELETE", NULL, "DELETE /" }, { "DELETE", "a", "DELETE /" },
};

START_TEST(every_method_is_sent_as_named)
{
	struct http_client *client = client_open();
	struct gateway gateway;
	struct http_request request;
	struct outcome outcome;

	gateway_start(&gateway, NULL, 0);
	request = request_to(gateway.port, "GET", true);
	snprintf(request.method, sizeof request.method, "%s", method_cases[_i].method);
	request.body = method_cases[_i].body;
	request.body_size = request.body != NULL ? 1 : 0;
	call(client, &request, &outcome);
	gateway_stop(&gateway);

	ck_assert_str_eq(outcome.body, "hello");
	ck_assert_int_eq(strncmp(gateway.last_request, method_cases[_i].begin,
				 strlen(method_cases[_i].begin)),
			 0);
	ck_assert(!outcome.answer.resent);
	http_client_free(client);
}
END_TEST

START_TEST(head_has_no_body_to_wait_for)
{
	struct http_client *client = client_open();
	struct gateway gateway;
	struct http_request request;
	struct outcome outcome;
	static const struct act act = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" };

	gateway_start(&gateway, &act, 1);
	request = request_to(gateway.port, "HEAD", true);
	call(client, &request, &outcome);
	gateway_stop(&gateway);

	ck_assert_int_eq(outcome.answer.fate, HTTP_ANSWERED);
	ck_assert_str_eq(outcome.body, "");
	http_client_free(client);
}
END_TEST

static void spoil_scheme(struct http_request *request)
{
	snprintf(request->url, sizeof request->url, "ftp://127.0.0.1/");
}

static void spoil_no_scheme(struct http_request *request)
{
	snprintf(request->url, sizeof request->url, "127.0.0.1/");
}

static void spoil_header_line(struct http_request *request)
{
	snprintf(request->headers[0], sizeof request->headers[0], "A: b\r\nC: d");
}

static void spoil_header_value(struct http_request *request)
{
	snprintf(request->headers[0], sizeof request->headers[0], "A: ");
}

static void spoil_header_end(struct http_request *request)
{
	memset(request->headers[0], 'a', sizeof request->headers[0]);
}

static void spoil_header_count(struct http_request *request)
{
	request->header_count = HTTP_HEADERS_MAX + 1;
}

static void spoil_method(struct http_request *request)
{
	snprintf(request->method, sizeof request->method, "post");
}

static void spoil_body(struct http_request *request)
{
	snprintf(request->method, sizeof request->method, "GET");
}

static void spoil_connect_timeout(struct http_request *request)
{
	request->connect_timeout_ms = 0;
}

static void spoil_total_timeout(struct http_request *request)
{
	request->total_timeout_ms = 0;
}

static void (*const spoilers[])(struct http_request *request) = {
	spoil_scheme,       spoil_no_scheme,    spoil_header_line, spoil_header_value,
	spoil_header_end,   spoil_header_count, spoil_method,      spoil_body,
	spoil_connect_timeout, spoil_total_timeout,
};

START_TEST(invalid_request_is_refused_and_never_told_about)
{
	struct http_client *client = client_open();
	struct http_request request = request_to(1, "POST", true);
	struct outcome outcome = { 0 };

	spoilers[_i](&request);

	ck_assert_int_eq(http_client_start(client, &request, remember, &outcome), ERR_INVALID);
	ck_assert_uint_eq(http_client_run(client, 0), 0);
	http_client_free(client);
	ck_assert_uint_eq(outcome.calls, 0);
}
END_TEST

static void register_tests(TCase *tests)
{
	tcase_add_loop_test(tests, redirect_is_an_answer_and_not_followed, 0, COUNT(redirects));
	tcase_add_test(tests, request_is_plain_http_1_1_and_the_environment_has_no_say);
	tcase_add_test(tests, cookies_are_not_kept);
	tcase_add_test(tests, large_body_is_copied_and_sent_once_without_expect);
	tcase_add_loop_test(tests, every_method_is_sent_as_named, 0, COUNT(method_cases));
	tcase_add_test(tests, head_has_no_body_to_wait_for);
	tcase_add_loop_test(tests, invalid_request_is_refused_and_never_told_about, 0,
			    COUNT(spoilers));
}

UNIT_MAIN("http_call", register_tests(tests))
