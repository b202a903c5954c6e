/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP client: many calls in flight on one curl multi handle, each with what became of its bytes.
 *
 * Invariant  a call that may move money (`fresh`) goes out on a connection of its own and is never
 *            sent twice; HTTP/1.1, no redirects, no proxy from the environment, no cookies, only
 *            http and https
 * Units      milliseconds
 * Ownership  the client copies the request; the answer is valid during the callback only
 * Threads    one thread owns a client; http_client_wake() alone may be called from others
 * Source     DESIGN.md: Outcome classes; libcurl's CURLINFO_REQUEST_SIZE
 */
#ifndef BASE_HTTP_CLIENT_H
#define BASE_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define HTTP_URL_MAX 1024
#define HTTP_HEADERS_MAX 16
#define HTTP_HEADER_MAX 1024
#define HTTP_ANSWER_MAX (256 * 1024) /* a longer body ends the call as HTTP_SENT_NO_ANSWER */

struct http_request {
	char method[8];
	char url[HTTP_URL_MAX];
	char headers[HTTP_HEADERS_MAX][HTTP_HEADER_MAX]; /* "Name: value", no CR or LF */
	size_t header_count;
	const char *body; /* borrowed until http_client_start returns; NULL: none */
	size_t body_size;
	int connect_timeout_ms;
	int total_timeout_ms;
	bool fresh;              /* FRESH_CONNECT and FORBID_REUSE */
	int64_t send_by_boot_us; /* past this boot-clock time nothing is sent: HTTP_NOT_SENT; 0: no bound.
	                              Checked again just before the connection is opened
	                              (CURLOPT_OPENSOCKETFUNCTION) and before a reused one is written to */
};

enum http_fate {
	HTTP_ANSWERED, /* a complete answer was received */
	HTTP_NOT_SENT, /* certainly no byte of the request left: name, connect or TLS failure, or past send-by */
	HTTP_SENT_NO_ANSWER, /* bytes left and no complete answer came: anything may have happened */
};

struct http_answer {
	enum http_fate fate;
	int status;       /* HTTP status with HTTP_ANSWERED, else 0 */
	const char *body; /* terminated; "" when none */
	size_t body_size;
	char content_type[128]; /* "" when none */
	char reason[96]; /* constant-like words for the log: "timed out after bytes were sent" */
	int64_t duration_us;
	bool resent; /* more than one request's bytes went out: must never happen */
};

struct http_client;

/* Called on the owning thread, once per started call. */
typedef void http_done(void *context, const struct http_answer *answer);

CHECKED enum err http_client_new(struct http_client **client);
/* Calls still in flight end as HTTP_SENT_NO_ANSWER or HTTP_NOT_SENT; their callbacks run. */
void http_client_free(struct http_client *client);

/*
 * Start a call. Returns ERR_OK and later calls `done(context, …)` from http_client_run; any other
 * error means that nothing was sent and `done` is never called.
 */
CHECKED enum err http_client_start(struct http_client *client, const struct http_request *request,
				   http_done *done, void *context);

/*
 * Move all calls on; wait up to `wait_ms` for something to happen (a wake-up too). Returns the
 * calls in flight.
 */
size_t http_client_run(struct http_client *client, int wait_ms);

/* End a running http_client_run wait early, from any thread or signal-safe context. */
void http_client_wake(struct http_client *client);

/* How often more than one request's bytes were seen (payops_client_resend_total). Any thread. */
uint64_t http_client_resend_total(const struct http_client *client);

#endif
