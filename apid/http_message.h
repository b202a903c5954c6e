/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP messages: a request as it came and the answer to it, as plain values without a server.
 *
 * Invariant  header lines are kept one by one, in the order and spelling they came in
 * Ownership  a call borrows everything from the server while it is being served; a reply owns its body
 * Threads    safe: no shared state
 * Source     RFC 9110 (fields, media types), RFC 9112 sections 6.1 and 11.2 (smuggling), RFC 3986 (percent-encoding)
 */
#ifndef APID_HTTP_MESSAGE_H
#define APID_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "core/err.h"

#define HTTP_LINES_MAX 64 /* header lines of a request */
#define HTTP_REPLY_HEADERS_MAX 16
#define HTTP_REPLY_VALUE_SIZE 512

struct http_line {
	const char *name;
	const char *value;
};

struct http_call {
	const char *method;
	const char *path;  /* as sent, without the query, percent-encoded */
	const char *query; /* as sent, without the question mark; "" when none */
	struct http_line lines[HTTP_LINES_MAX];
	size_t line_count;
	char *trimmed[HTTP_LINES_MAX]; /* malloc: the values that came with blanks behind them */
	size_t trimmed_count;
	bool garbled; /* more header lines than that, or one with a NUL in it */
	const void *body;
	size_t body_size; /* more than the server's limit where the body was longer: the rest was dropped */
	struct address peer;
	bool peer_is_loopback;
	int64_t began_boot_us; /* when its first line had come */
};

struct http_reply {
	int status;
	struct {
		const char *name; /* a literal */
		char value[HTTP_REPLY_VALUE_SIZE];
	} headers[HTTP_REPLY_HEADERS_MAX];
	size_t header_count;
	char *body; /* malloc, or NULL */
	size_t body_size;
	bool close; /* close the connection behind the answer */
	const char *lasting; /* instead of a body: `body_size` bytes that outlive the server, sent uncopied */
};

/* Answer one call. Runs on the connection's own thread and may sleep. */
typedef void http_serve(void *context, const struct http_call *call, struct http_reply *reply);

/*
 * Add a header line. Blanks behind a value are no part of it (RFC 9110, 5.5), though libmicrohttpd leaves them there;
 * the lines that frame the body keep them, as libmicrohttpd reads these itself.
 * Returns  false where there is no room: the line is left out
 * Borrows  both texts until http_call_done()
 */
bool http_line_add(struct http_call *call, const char *name, const char *value);

/* Free what http_line_add() made. */
void http_call_done(struct http_call *call);

/*
 * The value of the first line of this name (compared without case), NULL where there is none; *count is how many lines
 * there are. Proxies join lines with commas: refuse a comma where only one value may stand.
 */
const char *http_header(const struct http_call *call, const char *name, size_t *count);

/* True where two readers could disagree about where the request ends, or on what its headers are. */
bool http_call_is_ambiguous(const struct http_call *call);

/*
 * True where exactly one Content-Type says application/json, without parameters but charset=utf-8, and no
 * Content-Encoding but identity is used.
 */
bool http_call_is_json(const struct http_call *call);

/* The same of application/xml. */
bool http_call_is_xml(const struct http_call *call);

/*
 * Decode the `size` bytes of percent-encoded `text`; `plus` is how a '+' is read.
 * Returns  ERR_OK with terminated text in `out`; ERR_MALFORMED for a broken escape or an encoded NUL; ERR_TOO_LONG
 *          where `room` bytes cannot hold it (`out` is undefined on failure)
 */
CHECKED enum err http_percent_decode(const char *text, size_t size, char plus, char *out,
				     size_t room);

/* Encode everything but RFC 3986's unreserved characters. Returns false where `room` bytes cannot hold it. */
CHECKED bool http_percent_encode(const char *text, char *out, size_t room);

/* An empty reply. Values of headers are left as they are: they are large, and few are used. */
void http_reply_init(struct http_reply *reply);

/* Set a header; a second one of the name replaces the first. `name` is a literal; a value too long is cut. */
void http_reply_header(struct http_reply *reply, const char *name, const char *value);

/* Drop body and headers; accepts an empty reply. */
void http_reply_done(struct http_reply *reply);

#endif
