/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP server: one port, one thread per connection; handlers may sleep, hang and break the
 * connection on purpose.
 *
 * Invariant  a handler gets a whole body or the word that it was too large; closing a server ends
 *            every wait in it
 * Units      milliseconds
 * Ownership  an exchange and its texts live until the handler returns; the answer's body is taken
 * Threads    handlers run on many threads at once; open and close by one thread at a time, never
 *            from a handler of the same server
 *
 * sandbox/http.c is the only file that includes microhttpd.h.
 */
#ifndef SANDBOX_HTTP_H
#define SANDBOX_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "core/err.h"
#include "sandbox/answer.h"

#define HTTP_BODY_MAX 65536
#define HTTP_DRAIN_MAX (1024 * 1024) /* a longer body is cut off unanswered */
#define HTTP_CONNECTIONS_MAX 1000    /* per port; further ones wait to be accepted */
#define HTTP_IDLE_S 60               /* a connection silent for so long is closed */

struct http_stream; /* private to http.c */

struct http_exchange {
	const char *method;
	const char *path; /* decoded, without the query */
	const char *body; /* terminated; "" when none */
	size_t body_size;
	bool body_too_large; /* then no body is kept */
	struct http_stream *stream;
};

/* Answer one request: leave an answer_send(), answer_refuse(), answer_close() or answer_reset() in
 * *answer. */
typedef void http_serve(void *context, struct http_exchange *exchange, struct answer *answer);

struct http_server;

/* Listen on `address` and serve. Returns ERR_OK with *server; ERR_IO (the port is taken),
 * ERR_MEMORY. */
CHECKED enum err http_server_open(const struct sockaddr_storage *address, http_serve *serve,
				  void *context, struct http_server **server);

/* Stop listening, end all waits, break all connections, join all threads, free. Accepts NULL. */
void http_server_close(struct http_server *server);

/*
 * The value of a header (name compared without case) or of a query parameter, NULL where absent;
 * *count is how often it stands there. A query value that holds a NUL byte counts as absent.
 */
const char *http_exchange_header(const struct http_exchange *exchange, const char *name,
				 size_t *count);
const char *http_exchange_query(const struct http_exchange *exchange, const char *name,
				size_t *count);

/* Sleep in a handler. False where the server is being closed: give up then. */
CHECKED bool http_exchange_pause(struct http_exchange *exchange, int ms);

/* Wait until the client gives up or the server is being closed. */
void http_exchange_hold(struct http_exchange *exchange);

#endif
