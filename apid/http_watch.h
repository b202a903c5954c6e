/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watch: every open connection with what it is doing, and a thread that shuts those that take too long.
 *
 * Invariant  a socket is shut only while it is on the list, and it leaves the list before it is closed, so that a
 *            number used again by another socket is never shut
 * Units      milliseconds; deadlines of the boot clock
 * Ownership  the watch owns its entries; sockets stay the server's
 * Threads    safe
 */
#ifndef APID_HTTP_WATCH_H
#define APID_HTTP_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum http_watch_state {
	HTTP_WATCH_IDLE,    /* new, or between two requests: cut after read_ms */
	HTTP_WATCH_READING, /* a first line came: cut when headers and body take longer than read_ms */
	HTTP_WATCH_SERVING,   /* in the handler, which has a deadline of its own */
	HTTP_WATCH_ANSWERING, /* cut when the client takes longer than answer_ms to read it */
};

struct http_watch;
struct http_watched; /* one connection */

/*
 * Start the thread. While three quarters of connections_max are open, a second is all that a client gets outside of a
 * handler: the slow and the idle make room for those who come.
 * Returns  ERR_OK with *watch; ERR_MEMORY
 */
CHECKED enum err http_watch_start(int read_ms, int answer_ms, unsigned connections_max,
				  struct http_watch **watch);

/* Watch a socket, idle from now on. NULL when there are connections_max, or memory is short: the socket is shut. */
struct http_watched *http_watch_add(struct http_watch *watch, int fd);

/* The connection's state from now on. Accepts a NULL connection. */
void http_watch_enter(struct http_watch *watch, struct http_watched *watched,
		      enum http_watch_state state);

/* When the connection last entered its state, by the boot clock. */
int64_t http_watch_since_us(struct http_watch *watch, const struct http_watched *watched);

/* Forget a socket that is about to be closed. Accepts a NULL connection. */
void http_watch_remove(struct http_watch *watch, struct http_watched *watched);

/* Shut the idle connections and count those that are not. */
size_t http_watch_shut_idle(struct http_watch *watch);

/* Shut every connection. */
void http_watch_shut_all(struct http_watch *watch);

/* Join the thread and free. Accepts NULL. No connection may be left. */
void http_watch_stop(struct http_watch *watch);

#endif
