/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/http_witness.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

#define ANSWER_HEAD_MAX (64 * 1024) /* all header lines of an answer, interim ones too */
#define BODY_ROOM_FIRST 4096
#define FINAL_STATUS_FIRST 200
/* Remember whether every curl_easy_setopt() so far succeeded. */
#define SET(ok, easy, option, value)                                                               \
	((ok) = (ok) && curl_easy_setopt(easy, option, value) == CURLE_OK)
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* clang-format off */
static const char *const stop_reasons[] = {
	[HTTP_STOP_NONE]           = "",
	[HTTP_STOP_SEND_BY]        = "past its send-by time",
	[HTTP_STOP_SECOND_SENDING] = "the connection died after bytes were sent; not sent again",
	[HTTP_STOP_TOO_LONG]       = "the answer is too long",
	[HTTP_STOP_MEMORY]         = "no memory for the answer",
	[HTTP_STOP_CLOSED]         = "the client was closed",
};

static const struct {
	CURLcode code;
	const char *not_sent;
	const char *sent;
} code_reasons[] = {
	{ CURLE_URL_MALFORMAT,            "the URL is malformed", NULL },
	{ CURLE_COULDNT_RESOLVE_HOST,     "the name was not found", NULL },
	{ CURLE_COULDNT_CONNECT,          "the connection was not made", NULL },
	{ CURLE_SSL_CONNECT_ERROR,        "the TLS handshake failed", NULL },
	{ CURLE_PEER_FAILED_VERIFICATION, "the certificate is not trusted", NULL },
	{ CURLE_OPERATION_TIMEDOUT,       "timed out before bytes were sent",
	                                  "timed out after bytes were sent" },
	{ CURLE_OUT_OF_MEMORY,            "no memory", "no memory, or a header line too long" },
	{ CURLE_SEND_ERROR,               NULL, "reset while bytes were sent" },
	{ CURLE_RECV_ERROR,               NULL, "reset after bytes were sent" },
	{ CURLE_GOT_NOTHING,              NULL, "closed without an answer" },
	{ CURLE_PARTIAL_FILE,             NULL, "the answer is cut short" },
	{ CURLE_FILESIZE_EXCEEDED,        NULL, "the answer is too long" },
	{ CURLE_UNSUPPORTED_PROTOCOL,     NULL, "the answer is not HTTP/1.1" },
	{ CURLE_WEIRD_SERVER_REPLY,       NULL, "the answer is not HTTP/1.1" },
	{ CURLE_OK,                       NULL, "the head is cut short or not final" },
};
/* clang-format on */

static bool past_send_by(const struct http_call *call)
{
	return call->send_by_boot_us != 0 && clock_boot_us() > call->send_by_boot_us;
}

/* True when a sending may begin (again: it may not); says why not. */
static bool may_send(struct http_call *call)
{
	if (call->sendings > 0)
		call->stop = HTTP_STOP_SECOND_SENDING;
	else if (past_send_by(call))
		call->stop = HTTP_STOP_SEND_BY;
	else
		return true;
	return false;
}

static curl_socket_t on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
	(void)purpose;
	if (!may_send(context))
		return CURL_SOCKET_BAD;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* The last gate: libcurl asks before each sending, also on a reused connection, also to repeat. */
static int on_request(void *context, char *remote, char *local, int remote_port, int local_port)
{
	struct http_call *call = context;

	(void)remote;
	(void)local;
	(void)remote_port;
	(void)local_port;
	if (!may_send(call))
		return CURL_PREREQFUNC_ABORT;
	call->sendings++;
	return CURL_PREREQFUNC_OK;
}

static size_t on_head(char *line, size_t one, size_t size, void *context)
{
	struct http_call *call = context;

	(void)one;
	if (size > 0 && (line[0] == '\r' || line[0] == '\n'))
		call->head_ended = true;
	else if (size >= 5 && memcmp(line, "HTTP/", 5) == 0)
		call->head_ended = false; /* an interim answer came before */
	call->head_size += size;
	if (call->head_size <= ANSWER_HEAD_MAX)
		return size;
	call->stop = HTTP_STOP_TOO_LONG;
	return 0;
}

/* Room for `size` more bytes and a NUL. */
static bool body_reserve(struct http_call *call, size_t size)
{
	size_t room = call->body_room != 0 ? call->body_room : BODY_ROOM_FIRST;
	char *body;

	while (room <= call->body_size + size)
		room *= 2;
	if (room == call->body_room)
		return true;
	body = realloc(call->body, room);
	if (body == NULL)
		return false;
	call->body = body;
	call->body_room = room;
	return true;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
	struct http_call *call = context;

	(void)one;
	if (size > HTTP_ANSWER_MAX - call->body_size)
		call->stop = HTTP_STOP_TOO_LONG;
	else if (!body_reserve(call, size))
		call->stop = HTTP_STOP_MEMORY;
	if (call->stop != HTTP_STOP_NONE)
		return 0;
	memcpy(call->body + call->body_size, bytes, size);
	call->body_size += size;
	call->body[call->body_size] = '\0';
	return size;
}

bool http_witness_attach(struct http_call *call)
{
	CURL *easy = call->easy;
	bool ok = true;

	SET(ok, easy, CURLOPT_PRIVATE, call);
	SET(ok, easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	SET(ok, easy, CURLOPT_OPENSOCKETDATA, call);
	SET(ok, easy, CURLOPT_PREREQFUNCTION, on_request);
	SET(ok, easy, CURLOPT_PREREQDATA, call);
	SET(ok, easy, CURLOPT_HEADERFUNCTION, on_head);
	SET(ok, easy, CURLOPT_HEADERDATA, call);
	SET(ok, easy, CURLOPT_WRITEFUNCTION, on_body);
	SET(ok, easy, CURLOPT_WRITEDATA, call);
	return ok;
}

static size_t bytes_counted(const struct http_call *call)
{
	long size = 0;

	curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &size);
	return size > 0 ? (size_t)size : 0;
}

/*
 * The status of a complete, final HTTP/1.x answer, else 0. libcurl 7.88 takes a head that was cut
 * off by a close for a complete answer without a body.
 */
static int final_status(const struct http_call *call, int code)
{
	long version = CURL_HTTP_VERSION_NONE;
	long status = 0;

	if (code != CURLE_OK || call->stop != HTTP_STOP_NONE || !call->head_ended)
		return 0;
	curl_easy_getinfo(call->easy, CURLINFO_HTTP_VERSION, &version);
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (version != CURL_HTTP_VERSION_1_0 && version != CURL_HTTP_VERSION_1_1)
		return 0;
	return status >= FINAL_STATUS_FIRST ? (int)status : 0;
}

static const char *reason_of(const struct http_call *call, int code, enum http_fate fate)
{
	const char *reason = NULL;
	size_t i;

	if (fate == HTTP_ANSWERED)
		return "answered";
	if (call->stop != HTTP_STOP_NONE)
		return stop_reasons[call->stop];
	for (i = 0; i < COUNT(code_reasons) && reason == NULL; i++) {
		if ((int)code_reasons[i].code == code)
			reason = fate == HTTP_NOT_SENT ? code_reasons[i].not_sent
						       : code_reasons[i].sent;
	}
	return reason != NULL ? reason : curl_easy_strerror((CURLcode)code);
}

void http_witness_judge(const struct http_call *call, int code, struct http_answer *answer)
{
	size_t counted = bytes_counted(call);
	int status = final_status(call, code);
	char *type = NULL;

	*answer = (struct http_answer){
		.status = status,
		.body = call->body != NULL && status != 0 ? call->body : "",
		.body_size = status != 0 ? call->body_size : 0,
		.duration_us = clock_boot_us() - call->started_boot_us,
		.resent = counted > call->one_request_max,
	};
	/* Both witnesses, the gate and libcurl's count, must say that nothing left. */
	if (status != 0)
		answer->fate = HTTP_ANSWERED;
	else if (call->sendings == 0 && counted == 0)
		answer->fate = HTTP_NOT_SENT;
	else
		answer->fate = HTTP_SENT_NO_ANSWER;
	if (status != 0)
		curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
	snprintf(answer->content_type, sizeof answer->content_type, "%s", type != NULL ? type : "");
	snprintf(answer->reason, sizeof answer->reason, "%s", reason_of(call, code, answer->fate));
}
