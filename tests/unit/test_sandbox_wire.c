/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* The sandbox adapter on the wire: a gateway of raw sockets ends each answer after every byte of it. */
#include "gateway/gateway.h"

#include "base/http_client.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 8192
#define ANSWER_MAX 1024

struct wire {
	int listen_fd;
	int port;
	pthread_t thread;
	struct http_client *client;
	char answer[ANSWER_MAX]; /* what the whole answer is; set while nothing is connected */
	size_t size;
	size_t body_end; /* where its body has come as a whole */
	size_t cut;      /* bytes of it that are sent */
	bool reset;      /* then the connection is reset, else closed */
};

struct ended {
	const struct gateway_order *order;
	bool inquiry;
	struct gateway_answer answer;
	unsigned calls;
};

/* Read one request to its end. False: there is none. */
static bool request_read(int fd)
{
	char bytes[REQUEST_MAX] = "";
	size_t used = 0;

	for (;;) {
		ssize_t size = recv(fd, bytes + used, sizeof bytes - 1 - used, 0);
		const char *end, *length;

		if (size <= 0)
			return false;
		used += (size_t)size;
		bytes[used] = '\0';
		end = strstr(bytes, "\r\n\r\n");
		length = strcasestr(bytes, "\r\nContent-Length: ");
		if (end != NULL && (length == NULL || used - (size_t)(end + 4 - bytes) >=
							      strtoul(length + 18, NULL, 10)))
			return true;
	}
}

static void *wire_main(void *context)
{
	struct wire *wire = context;
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	for (;;) {
		int fd = accept(wire->listen_fd, NULL, NULL);

		if (fd < 0)
			return NULL;
		if (request_read(fd) && wire->cut > 0)
			(void)!send(fd, wire->answer, wire->cut, MSG_NOSIGNAL);
		if (wire->reset)
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		(void)close(fd);
	}
}

static void wire_open(struct wire *wire)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof at;

	memset(wire, 0, sizeof *wire);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	wire->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(wire->listen_fd, (struct sockaddr *)&at, size), 0);
	ck_assert_int_eq(listen(wire->listen_fd, 16), 0);
	ck_assert_int_eq(getsockname(wire->listen_fd, (struct sockaddr *)&at, &size), 0);
	wire->port = ntohs(at.sin_port);
	ck_assert_int_eq(pthread_create(&wire->thread, NULL, wire_main, wire), 0);
	ck_assert_int_eq(http_client_new(&wire->client), ERR_OK);
}

static void wire_close(struct wire *wire)
{
	http_client_free(wire->client);
	(void)shutdown(wire->listen_fd, SHUT_RDWR);
	ck_assert_int_eq(pthread_join(wire->thread, NULL), 0);
	(void)close(wire->listen_fd);
}

static void take(void *context, const struct http_answer *http)
{
	struct ended *ended = context;

	ended->calls++;
	if (ended->inquiry)
		gateway_sandbox.read_inquiry(ended->order, http, &ended->answer);
	else
		gateway_sandbox.read(ended->order, http, &ended->answer);
}

/* One call, to its end: what is to be believed of it. */
static enum attempt_event event_of(struct wire *wire, const struct gateway_order *order,
				   bool inquiry)
{
	struct gateway gateway = { .name = "alpha",
				   .adapter = &gateway_sandbox,
				   .connect_timeout_ms = 5000,
				   .total_timeout_ms = 20000,
				   .api_key = { .size = 6, .bytes = "apikey" } };
	struct ended ended = { .order = order, .inquiry = inquiry };
	char body[GATEWAY_BODY_MAX];
	struct http_request request;

	snprintf(gateway.base_url, sizeof gateway.base_url, "http://127.0.0.1:%d", wire->port);
	if (inquiry)
		ck_assert_int_eq(gateway_sandbox.build_inquiry(&gateway, order, &request), ERR_OK);
	else
		ck_assert_int_eq(gateway_sandbox.build(&gateway, order, body, &request), ERR_OK);
	ck_assert_int_eq(http_client_start(wire->client, &request, take, &ended), ERR_OK);
	while (http_client_run(wire->client, 100) > 0)
		continue;
	ck_assert_uint_eq(ended.calls, 1);
	return ended.answer.event;
}

/* How the size of an answer's body is told: in its head, by the connection's end, or piece by piece. */
enum form { FORM_LENGTH, FORM_CLOSE, FORM_CHUNKS, FORM_COUNT };

static const struct said {
	int status;
	const char *word;
	enum attempt_event event;
} saids[] = {
	{ 200, "succeeded", AE_SUCCEEDED },
	{ 402, "declined", AE_DECLINED },
	{ 202, "accepted", AE_ACCEPTED },
};
#define SAID_COUNT (sizeof saids / sizeof saids[0])
#define HEAD "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"

static void answer_write(struct wire *wire, enum form form, const struct said *said, bool inquiry,
			 enum operation_kind kind)
{
	const int status = inquiry ? 200 : said->status;
	char body[ANSWER_MAX / 2];
	char *to = wire->answer;
	int size = 0;

	snprintf(body, sizeof body,
		 "{\"id\":\"alpha_1\",\"reference\":\"op_X-1\",\"operation\":\"%s\","
		 "\"status\":\"%s\",\"amount_minor\":1000,\"currency\":\"USD\","
		 "\"decline_code\":\"do_not_honor\"}",
		 words_text(operation_kind_words, (int)kind), said->word);
	switch (form) {
	case FORM_LENGTH:
		size = snprintf(to, ANSWER_MAX, HEAD "Content-Length: %zu\r\n\r\n%s", status,
				strlen(body), body);
		break;
	case FORM_CLOSE:
		size = snprintf(to, ANSWER_MAX, HEAD "Connection: close\r\n\r\n%s", status, body);
		break;
	case FORM_CHUNKS:
		size = snprintf(to, ANSWER_MAX,
				HEAD "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
				status, strlen(body), body);
		break;
	case FORM_COUNT:
		break;
	}
	ck_assert(size > 0 && size < ANSWER_MAX);
	wire->size = (size_t)size;
	wire->body_end = (size_t)(strrchr(to, '}') + 1 - to);
}

/* Every cut of one answer: nothing of it is believed until its body is there, and then what it says. */
static void walk(struct wire *wire, const struct gateway_order *order, const struct said *said,
		 bool inquiry)
{
	for (size_t cut = 0; cut <= wire->size; cut++) {
		enum attempt_event event;

		wire->cut = cut;
		event = event_of(wire, order, inquiry);
		unit_expect(event == AE_LOST || (cut >= wire->body_end && event == said->event),
			    "%s of a %s, cut to %zu of %zu bytes%s, is taken for %s", said->word,
			    words_text(operation_kind_words, (int)order->kind), cut, wire->size,
			    wire->reset ? " and reset" : "",
			    words_text(attempt_event_words, (int)event));
		unit_expect(cut < wire->size || wire->reset || event == said->event,
			    "the whole answer is taken for %s",
			    words_text(attempt_event_words, (int)event));
	}
}

static void walk_kind(enum operation_kind kind, bool reset, bool inquiry)
{
	struct gateway_order order = { .kind = kind,
				       .our_reference = "op_X-1",
				       .gateway_key = "op_X-1",
				       .amount = { 1000, "USD" },
				       .exponent = 2,
				       .callback_url = "http://127.0.0.1:8080/callback/trans_X" };
	struct wire wire;

	wire_open(&wire);
	wire.reset = reset;
	for (size_t i = 0; i < SAID_COUNT; i++) {
		/* The forms in turn, so that each kind meets each. */
		answer_write(&wire, (enum form)((i + kind) % FORM_COUNT), &saids[i], inquiry, kind);
		walk(&wire, &order, &saids[i], inquiry);
	}
	wire_close(&wire);
}

START_TEST(an_answer_that_ends_early_is_not_believed)
{
	walk_kind((enum operation_kind)_i, false, false);
}
END_TEST

START_TEST(an_answer_that_is_reset_early_is_not_believed)
{
	walk_kind((enum operation_kind)_i, true, false);
}
END_TEST

START_TEST(an_inquirys_answer_that_ends_early_is_not_believed)
{
	walk_kind((enum operation_kind)_i, false, true);
}
END_TEST

UNIT_MAIN("sandbox_wire", {
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, an_answer_that_ends_early_is_not_believed, 0,
			    OPERATION_KIND_COUNT);
	tcase_add_loop_test(tests, an_answer_that_is_reset_early_is_not_believed, 0,
			    OPERATION_KIND_COUNT);
	tcase_add_loop_test(tests, an_inquirys_answer_that_ends_early_is_not_believed, 0,
			    OPERATION_KIND_COUNT);
})
