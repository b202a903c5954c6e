/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "tests/unit/http_gateway.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct act play_ok = { .answer = OK_HELLO };

static void send_all(int fd, const char *bytes, size_t size)
{
	ssize_t sent;

	for (; size > 0; bytes += sent, size -= (size_t)sent) {
		sent = send(fd, bytes, size, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
	}
}

static void peer_close(struct gateway *gateway, size_t index, enum after after)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	int fd = gateway->peers[index].fd;

	if (after == RESET)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	(void)close(fd);
	gateway->peers[index] = gateway->peers[--gateway->peer_count];
}

static void peer_play(struct gateway *gateway, size_t index)
{
	const struct act *act = &play_ok;
	char fill[4096];
	size_t left;
	size_t size;
	int fd = gateway->peers[index].fd;

	if (gateway->act_next < gateway->act_count)
		act = &gateway->acts[gateway->act_next++];
	memset(fill, 'x', sizeof fill);
	if (act->answer != NULL)
		send_all(fd, act->answer, strlen(act->answer));
	for (left = act->fill; left > 0; left -= size) {
		size = left < sizeof fill ? left : sizeof fill;
		send_all(fd, fill, size);
	}
	if (act->after != KEEP)
		peer_close(gateway, index, act->after);
}

static void peer_accept(struct gateway *gateway)
{
	size_t next = gateway->act_next;
	struct peer *peer = &gateway->peers[gateway->peer_count];
	int fd = accept(gateway->listen_fd, NULL, NULL);

	if (fd < 0 || gateway->peer_count == GATEWAY_PEERS_MAX)
		return;
	memset(peer, 0, sizeof *peer);
	peer->fd = fd;
	gateway->peer_count++;
	atomic_fetch_add(&gateway->connections, 1);
	if (next < gateway->act_count && gateway->acts[next].at_once)
		peer_play(gateway, gateway->peer_count - 1);
}

/* True when the bytes complete a request. */
static bool peer_take(struct peer *peer, const char *bytes, size_t size)
{
	const char *end;
	const char *length;
	size_t kept = GATEWAY_SEEN_MAX - 1 - peer->seen_size;

	if (kept > size)
		kept = size;
	memcpy(peer->seen + peer->seen_size, bytes, kept);
	peer->seen_size += kept;
	peer->seen[peer->seen_size] = '\0';
	if (peer->head_size != 0) {
		peer->body_left -= size;
		return peer->body_left == 0;
	}
	end = strstr(peer->seen, "\r\n\r\n");
	if (end == NULL)
		return false;
	peer->head_size = (size_t)(end - peer->seen) + 4;
	length = strcasestr(peer->seen, "\r\nContent-Length: ");
	if (length != NULL && length < end)
		peer->body_left = strtoul(length + 18, NULL, 10);
	peer->body_left -= peer->seen_size - peer->head_size;
	return peer->body_left == 0;
}

/* False when the peer is gone. */
static bool peer_read(struct gateway *gateway, size_t index)
{
	struct peer *peer = &gateway->peers[index];
	char bytes[4096];
	size_t before;
	ssize_t size = recv(peer->fd, bytes, sizeof bytes, 0);

	if (size <= 0) {
		peer_close(gateway, index, CLOSE);
		return false;
	}
	atomic_fetch_add(&gateway->bytes, (size_t)size);
	if (!peer_take(peer, bytes, (size_t)size))
		return true;
	atomic_fetch_add(&gateway->requests, 1);
	memcpy(gateway->last_request, peer->seen, sizeof peer->seen);
	peer->seen_size = 0;
	peer->head_size = 0;
	before = gateway->peer_count;
	peer_play(gateway, index);
	return gateway->peer_count == before;
}

static void *gateway_main(void *context)
{
	struct gateway *gateway = context;
	struct pollfd fds[GATEWAY_PEERS_MAX + 2];
	size_t count;
	size_t i;

	for (;;) {
		count = gateway->peer_count;
		fds[0] = (struct pollfd){ .fd = gateway->stop_fd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = gateway->listen_fd, .events = POLLIN };
		for (i = 0; i < count; i++)
			fds[i + 2] = (struct pollfd){ gateway->peers[i].fd, POLLIN, 0 };
		(void)poll(fds, (nfds_t)count + 2, -1);
		if (fds[0].revents != 0)
			return NULL;
		/* From the last, because a closed one's place is taken by the last. */
		for (i = count; i > 0; i--) {
			if (fds[i + 1].revents != 0)
				(void)peer_read(gateway, i - 1);
		}
		if (fds[1].revents != 0)
			peer_accept(gateway);
	}
}

void gateway_listen(struct gateway *gateway, int backlog)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof at;

	memset(gateway, 0, sizeof *gateway);
	gateway->peers = calloc(GATEWAY_PEERS_MAX, sizeof *gateway->peers);
	ck_assert_ptr_nonnull(gateway->peers);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	gateway->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	gateway->stop_fd = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_ge(gateway->listen_fd, 0);
	ck_assert_int_ge(gateway->stop_fd, 0);
	ck_assert_int_eq(bind(gateway->listen_fd, (struct sockaddr *)&at, size), 0);
	ck_assert_int_eq(listen(gateway->listen_fd, backlog), 0);
	ck_assert_int_eq(getsockname(gateway->listen_fd, (struct sockaddr *)&at, &size), 0);
	gateway->port = ntohs(at.sin_port);
}

void gateway_serve(struct gateway *gateway, const struct act *acts, size_t act_count)
{
	gateway->acts = acts;
	gateway->act_count = act_count;
	ck_assert_int_eq(pthread_create(&gateway->thread, NULL, gateway_main, gateway), 0);
}

void gateway_start(struct gateway *gateway, const struct act *acts, size_t act_count)
{
	gateway_listen(gateway, 512);
	gateway_serve(gateway, acts, act_count);
}

void gateway_close(struct gateway *gateway)
{
	(void)close(gateway->listen_fd);
	(void)close(gateway->stop_fd);
	free(gateway->peers);
}

void gateway_stop(struct gateway *gateway)
{
	ck_assert_int_eq(eventfd_write(gateway->stop_fd, 1), 0);
	ck_assert_int_eq(pthread_join(gateway->thread, NULL), 0);
	while (gateway->peer_count > 0)
		peer_close(gateway, 0, CLOSE);
	gateway_close(gateway);
}

void gateway_fill_queue(const struct gateway *gateway, int fds[4])
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)gateway->port) };
	size_t i;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0; i < 4; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fds[i], (struct sockaddr *)&at, sizeof at);
	}
}

void remember(void *context, const struct http_answer *answer)
{
	struct outcome *outcome = context;

	outcome->calls++;
	outcome->answer = *answer;
	snprintf(outcome->body, sizeof outcome->body, "%s", answer->body);
}

struct http_request request_to(int port, const char *method, bool fresh)
{
	struct http_request request = {
		.header_count = 1,
		.connect_timeout_ms = 3000,
		.total_timeout_ms = 20000,
		.fresh = fresh,
	};

	snprintf(request.method, sizeof request.method, "%s", method);
	snprintf(request.url, sizeof request.url, "http://127.0.0.1:%d/charges?a=b", port);
	snprintf(request.headers[0], sizeof request.headers[0], "Content-Type: application/json");
	if (strcmp(method, "POST") == 0) {
		request.body = "{\"amount\":100}";
		request.body_size = strlen(request.body);
	}
	return request;
}

struct http_client *client_open(void)
{
	struct http_client *client;

	ck_assert_int_eq(http_client_new(&client), ERR_OK);
	return client;
}

void call(struct http_client *client, const struct http_request *request, struct outcome *outcome)
{
	int turns = 0;

	memset(outcome, 0, sizeof *outcome);
	ck_assert_int_eq(http_client_start(client, request, remember, outcome), ERR_OK);
	while (http_client_run(client, 100) > 0)
		ck_assert_int_lt(turns++, 10000);
	ck_assert_uint_eq(outcome->calls, 1);
}
