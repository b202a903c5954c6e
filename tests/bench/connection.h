/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One keep-alive HTTP/1.1 connection of the load generator, with at most one request under way. Answers must say their
 * Content-Length, as apid's do.
 *
 * Units      sizes in bytes
 * Ownership  the caller's storage, starts as { .socket = -1 }; connection_close() gives back the socket
 * Threads    one
 */
#ifndef BENCH_CONNECTION_H
#define BENCH_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONNECTION_REQUEST_MAX 8192
#define CONNECTION_ANSWER_KEPT 16384

enum connection_outcome {
	CONNECTION_WAITS,    /* nothing is complete */
	CONNECTION_ANSWERED, /* `status`, and the beginning of the answer in `answer` */
	CONNECTION_BROKEN,   /* it ended, or what came is no answer; it is closed */
};

struct connection {
	int socket;      /* -1: closed */
	bool busy;       /* a request is under way */
	uint64_t due_ns; /* the caller's: when that request was due */
	size_t request_size, sent;
	int status;
	size_t received, wanted; /* of the answer; wanted is 0 while its length is unknown */
	char request[CONNECTION_REQUEST_MAX];
	char answer[CONNECTION_ANSWER_KEPT + 1]; /* text */
};

/* Connect to a port of 127.0.0.1 and watch it in `epoll`, edge-triggered, as `index`. False: errno says why. */
bool connection_open(struct connection *connection, int port, int epoll, uint32_t index);

void connection_close(struct connection *connection);

/* Send what is in `request`. The connection must be open and not busy. */
enum connection_outcome connection_begin(struct connection *connection, size_t request_size);

/* Go on after an event. BROKEN is told for a connection without a request too: the server closed it. */
enum connection_outcome connection_continue(struct connection *connection);

#endif
