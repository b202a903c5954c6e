/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A gateway made of raw sockets that plays each way in which a call can go wrong, and calls to it.
 *
 * Invariant  what it counted, not libcurl's opinion, says whether something was sent and how often
 * Ownership  struct gateway is the caller's; acts are borrowed until gateway_stop
 * Threads    one of its own per gateway; the counters may be read at any time, the rest after
 *            gateway_stop
 */
#ifndef TESTS_HTTP_GATEWAY_H
#define TESTS_HTTP_GATEWAY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/http_client.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define GATEWAY_PEERS_MAX 256
#define GATEWAY_SEEN_MAX 8192
#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

enum after { KEEP, CLOSE, RESET };

struct act {
	const char *answer; /* NULL: nothing */
	size_t fill;        /* bytes of 'x' after it */
	enum after after;
	bool at_once; /* on accept, before anything is read */
};

struct peer {
	int fd;
	char seen[GATEWAY_SEEN_MAX];
	size_t seen_size; /* kept: at most GATEWAY_SEEN_MAX - 1 */
	size_t head_size; /* 0: not complete yet */
	size_t body_left;
};

struct gateway {
	const struct act *acts; /* one per request; then OK_HELLO: a repeat succeeds */
	size_t act_count;
	size_t act_next;
	int listen_fd;
	int stop_fd;
	int port;
	pthread_t thread;
	struct peer *peers;
	size_t peer_count;
	atomic_int connections;
	atomic_int requests;
	atomic_size_t bytes;
	char last_request[GATEWAY_SEEN_MAX];
};

/* Listen on a free port of 127.0.0.1, answering nothing yet. */
void gateway_listen(struct gateway *gateway, int backlog);

/* Play `acts` from now on. */
void gateway_serve(struct gateway *gateway, const struct act *acts, size_t act_count);

/* Both. */
void gateway_start(struct gateway *gateway, const struct act *acts, size_t act_count);

/* End the thread, close everything. */
void gateway_stop(struct gateway *gateway);

/* Close a gateway that never served. */
void gateway_close(struct gateway *gateway);

/* Fill the queue of a gateway that only listens (backlog 0): further connections stay half open. */
void gateway_fill_queue(const struct gateway *gateway, int fds[4]);

/* What a call's callback was told. */
struct outcome {
	unsigned calls;
	struct http_answer answer; /* its body is not valid any more */
	char body[64];
};

/* http_done: keep the answer in the struct outcome that `context` is. */
void remember(void *context, const struct http_answer *answer);

/* A valid request to the gateway; a POST has a JSON body. */
struct http_request request_to(int port, const char *method, bool fresh);

struct http_client *client_open(void);

/* Start a call and run the client until it has ended. */
void call(struct http_client *client, const struct http_request *request, struct outcome *outcome);

#endif
