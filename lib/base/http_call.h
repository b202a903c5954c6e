/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One HTTP call: its curl handle with every option set, our copies of what it sends, and what was
 * seen of its bytes.
 *
 * Invariant  every option of a handle is set here or by http_witness_attach()
 * Ownership  http_call_new gives the call to the caller; http_call_free wipes and frees it
 * Threads    that of the client
 */
#ifndef BASE_HTTP_CALL_H
#define BASE_HTTP_CALL_H

#include <sys/queue.h>

#include "base/http_client.h"

/* Why a callback of ours ended a call. */
enum http_stop {
	HTTP_STOP_NONE,
	HTTP_STOP_SEND_BY,
	HTTP_STOP_SECOND_SENDING,
	HTTP_STOP_TOO_LONG,
	HTTP_STOP_MEMORY,
	HTTP_STOP_CLOSED,
};

struct http_call {
	LIST_ENTRY(http_call) link; /* the client's calls in flight */
	http_done *done;
	void *context;
	void *easy;    /* CURL *, spelt so that curl/curl.h stays in the source files */
	void *headers; /* struct curl_slist * */
	char *sent_body;
	size_t sent_body_size;
	int64_t send_by_boot_us;
	int64_t started_boot_us;
	size_t one_request_max; /* one request has at most this many bytes, two have more */
	unsigned sendings;      /* how often the gate let the request through: 0 or 1 */
	enum http_stop stop;
	char *body; /* of the answer; NULL: none came */
	size_t body_size;
	size_t body_room;
	size_t head_size; /* all header lines of the answer */
	bool head_ended;  /* by the empty line */
};

/*
 * Make a call ready to be added to a multi handle; `share` (CURLSH *) holds the TLS sessions.
 * Returns  ERR_OK, ERR_INVALID (the request breaks the rules of struct http_request), ERR_MEMORY
 */
CHECKED enum err http_call_new(const struct http_request *request, void *share,
			       struct http_call **call);

/* Wipe what was sent, free all. Accepts NULL. The easy handle must not be in a multi handle. */
void http_call_free(struct http_call *call);

#endif
