/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/http_client.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/http_gateway.h"
#include "tests/unit/unit.h"

static const struct {
	bool fresh;
	int connections;
} keep_cases[] = { { false, 1 }, { true, 3 } };

START_TEST(only_fresh_calls_have_a_connection_of_their_own)
{
	struct http_client *client = client_open();
	struct gateway gateway;
	struct http_request request;
	struct outcome outcome;
	int i;

	gateway_start(&gateway, NULL, 0);
	request = request_to(gateway.port, "POST", keep_cases[_i].fresh);
	for (i = 0; i < 3; i++) {
		call(client, &request, &outcome);
		ck_assert_str_eq(outcome.body, "hello");
	}
	gateway_stop(&gateway);

	ck_assert_int_eq(atomic_load(&gateway.connections), keep_cases[_i].connections);
	ck_assert_int_eq(atomic_load(&gateway.requests), 3);
	http_client_free(client);
}
END_TEST

START_TEST(fresh_and_kept_calls_never_share_a_connection)
{
	struct http_client *client = client_open();
	struct gateway gateway;
	struct http_request kept;
	struct http_request fresh;
	struct outcome outcome;

	gateway_start(&gateway, NULL, 0);
	kept = request_to(gateway.port, "GET", false);
	fresh = request_to(gateway.port, "POST", true);
	call(client, &fresh, &outcome);
	call(client, &kept, &outcome);
	ck_assert_int_eq(atomic_load(&gateway.connections), 2);
	call(client, &fresh, &outcome);
	ck_assert_int_eq(atomic_load(&gateway.connections), 3);
	call(client, &kept, &outcome);
	gateway_stop(&gateway);

	ck_assert_int_eq(atomic_load(&gateway.connections), 3);
	http_client_free(client);
}
END_TEST

START_TEST(unasked_second_answer_is_not_taken_for_the_next_calls)
{
	static const struct act act = {
		.answer = OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong",
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

	ck_assert_str_eq(outcome.body, "hello");
	ck_assert_int_eq(atomic_load(&gateway.connections), 2);
	http_client_free(client);
}
END_TEST

START_TEST(closing_the_client_ends_calls_by_what_was_sent)
{
	static const struct act silence = { NULL, 0, KEEP, false };
	struct http_client *client = client_open();
	struct gateway gateway;
	struct http_request request;
	struct outcome sent = { 0 };
	struct outcome unsent = { 0 };

	gateway_start(&gateway, &silence, 1);
	request = request_to(gateway.port, "POST", true);
	ck_assert_int_eq(http_client_start(client, &request, remember, &sent), ERR_OK);
	while (atomic_load(&gateway.requests) == 0)
		ck_assert_uint_eq(http_client_run(client, 10), 1);
	ck_assert_int_eq(http_client_start(client, &request, remember, &unsent), ERR_OK);
	http_client_free(client);
	gateway_stop(&gateway);

	ck_assert_uint_eq(sent.calls, 1);
	ck_assert_int_eq(sent.answer.fate, HTTP_SENT_NO_ANSWER);
	ck_assert_uint_eq(unsent.calls, 1);
	ck_assert_int_eq(unsent.answer.fate, HTTP_NOT_SENT);
	ck_assert_str_eq(unsent.answer.reason, "the client was closed");
	ck_assert_int_eq(atomic_load(&gateway.requests), 1);
}
END_TEST

struct again {
	struct http_client *client;
	struct http_request request;
	enum err err;
	struct outcome next;
};

static void start_again(void *context, const struct http_answer *answer)
{
	struct again *again = context;

	(void)answer;
	again->err = http_client_start(again->client, &again->request, remember, &again->next);
}

START_TEST(callback_may_start_another_call)
{
	struct again again = { .client = client_open() };
	struct gateway gateway;

	gateway_start(&gateway, NULL, 0);
	again.request = request_to(gateway.port, "GET", false);
	ck_assert_int_eq(http_client_start(again.client, &again.request, start_again, &again),
			 ERR_OK);
	while (http_client_run(again.client, 1000) > 0)
		continue;
	gateway_stop(&gateway);

	ck_assert_uint_eq(again.next.calls, 1);
	ck_assert_str_eq(again.next.body, "hello");
	http_client_free(again.client);
}
END_TEST

START_TEST(closing_client_starts_nothing_more)
{
	struct again again = { .client = client_open() };

	again.request = request_to(1, "GET", false);
	ck_assert_int_eq(http_client_start(again.client, &again.request, start_again, &again),
			 ERR_OK);
	http_client_free(again.client);

	ck_assert_int_eq(again.err, ERR_DRAINING);
	ck_assert_uint_eq(again.next.calls, 0);
}
END_TEST

START_TEST(many_calls_in_flight_end_once_each)
{
	static struct outcome outcomes[200];
	struct http_client *client = client_open();
	struct gateway gateway;
	struct http_request request;
	size_t i;

	gateway_start(&gateway, NULL, 0);
	for (i = 0; i < COUNT(outcomes); i++) {
		request = request_to(gateway.port, "POST", i % 2 == 0);
		ck_assert_int_eq(http_client_start(client, &request, remember, &outcomes[i]),
				 ERR_OK);
	}
	while (http_client_run(client, 1000) > 0)
		continue;
	gateway_stop(&gateway);

	for (i = 0; i < COUNT(outcomes); i++) {
		ck_assert_uint_eq(outcomes[i].calls, 1);
		ck_assert_str_eq(outcomes[i].body, "hello");
	}
	ck_assert_int_eq(atomic_load(&gateway.requests), COUNT(outcomes));
	ck_assert_uint_eq(http_client_resend_total(client), 0);
	http_client_free(client);
}
END_TEST

static void *wake_and_count(void *context)
{
	struct http_client *client = context;
	int i;

	for (i = 0; i < 100; i++) {
		http_client_wake(client);
		ck_assert_uint_eq(http_client_resend_total(client), 0);
		usleep(1000);
	}
	return NULL;
}

START_TEST(wake_from_another_thread_ends_the_wait)
{
	struct http_client *client = client_open();
	int64_t began_us = clock_boot_us();
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, wake_and_count, client), 0);
	ck_assert_uint_eq(http_client_run(client, 50000), 0);
	ck_assert_uint_eq(http_client_run(client, 50000), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);

	ck_assert_int_lt(clock_boot_us() - began_us, 30 * INT64_C(1000000));
	http_client_free(client);
}
END_TEST

static void register_tests(TCase *tests)
{
	tcase_add_loop_test(tests, only_fresh_calls_have_a_connection_of_their_own, 0,
			    COUNT(keep_cases));
	tcase_add_test(tests, fresh_and_kept_calls_never_share_a_connection);
	tcase_add_test(tests, unasked_second_answer_is_not_taken_for_the_next_calls);
	tcase_add_test(tests, closing_the_client_ends_calls_by_what_was_sent);
	tcase_add_test(tests, callback_may_start_another_call);
	tcase_add_test(tests, closing_client_starts_nothing_more);
	tcase_add_test(tests, many_calls_in_flight_end_once_each);
	tcase_add_test(tests, wake_from_another_thread_ends_the_wait);
}

UNIT_MAIN("http_client", register_tests(tests))
