/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP server: a listening socket, another one for TLS, one thread per connection, every request handed to one
 * function.
 *
 * Invariant  a handler may block: it holds its own thread only; a request that is slow to come is cut, a body over the
 *            limit is cut to limit + 1 bytes, so that the handler can tell and answer; all limits hold for the
 *            connections of both sockets together
 * Units      milliseconds, bytes
 * Ownership  http_server_start() copies the settings; `context` stays the caller's until http_server_stop() returned
 * Threads    start, drain and stop by one thread, in this order; block signals before start: threads inherit the mask
 *
 * Without this header's file: libmicrohttpd answers 431 by itself when headers do not fit connection_memory, and 400 to
 * what is not HTTP; a connection that was cut gets no answer. A TLS handshake is part of what has to come in time.
 */
#ifndef APID_HTTP_H
#define APID_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "apid/http_message.h"
#include "base/tls.h"
#include "core/err.h"

#define HTTP_WHY_SIZE 256

/* Which certificate a new connection is served with, held once for the caller. Runs on the listener's thread. */
typedef const struct tls *http_hold_tls(void *context);

/* A TLS handshake that was begun, and failed. Told on the listener's thread. */
struct http_tls_failure {
	struct address peer;
	enum tls_failure what;
	const char *reason; /* a sentence, without a period */
};
typedef void http_tls_failed(void *context, const struct http_tls_failure *failure);

struct http_settings {
	const char *address;      /* numeric IPv4 or IPv6: "127.0.0.1", "::1", "0.0.0.0" */
	uint16_t port;            /* 0: any free one, see http_server_port() */
	unsigned connections_max; /* further ones are reset, so the slow make room before */
	size_t thread_stack_size; /* of each connection's thread: 512 kB, with AddressSanitizer 2 MB */
	size_t connection_memory; /* for the request line, headers and answer's head of one connection: 16 kB */
	size_t body_max;
	int read_ms; /* from connecting, or the last answer, to the first line; and from there to the handler */
	int answer_ms; /* for the client to take an answer */
	const char *tls_address;
	uint16_t tls_port;
	http_hold_tls *hold_tls; /* NULL: no TLS */
	void *tls_context;
	http_tls_failed *tls_failed; /* with TLS */
	void *tls_failed_context;
};

/* What a program uses unless it knows better; address 127.0.0.1, port 8080. */
extern const struct http_settings http_settings_default;

struct http_server;

/*
 * Listen and serve: `serve(context, call, reply)` runs on connection threads as soon as this is called.
 * Returns  ERR_OK with *server; ERR_CONFIG (address), ERR_IO (the port is in use or may not be used), ERR_MEMORY, with
 *          one line in `why`
 */
CHECKED enum err http_server_start(const struct http_settings *settings, http_serve *serve,
				   void *context, struct http_server **server,
				   char why[HTTP_WHY_SIZE]);

/* The port listened on; of TLS: 0 where there is none. */
uint16_t http_server_port(const struct http_server *server);
uint16_t http_server_tls_port(const struct http_server *server);

/*
 * Close the listening sockets and idle connections; wait up to `patience_ms` for requests in progress to be answered.
 * Have the handlers refuse new work with http_reply.close set from before this is called.
 * Returns  how many connections were still busy when patience ended
 */
size_t http_server_drain(struct http_server *server, int patience_ms);

/* Break what is left, wait for handlers to return, free. Accepts NULL. */
void http_server_stop(struct http_server *server);

#endif
