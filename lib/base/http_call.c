/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "base/http_call.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/http_witness.h"

#ifdef PACKAGE_VERSION
#define USER_AGENT "payops/" PACKAGE_VERSION
#else
#define USER_AGENT "payops"
#endif

/* Remember whether every curl_easy_setopt() so far succeeded. */
#define SET(ok, easy, option, value)                                                               \
	((ok) = (ok) && curl_easy_setopt(easy, option, value) == CURLE_OK)
#define COUNT(array) (sizeof(array) / sizeof *(array))
/* Servers close idle connections after 5 s or more: older ones are likelier to die when used. */
#define IDLE_REUSE_MAX_S 4L

/* clang-format off */
static const struct {
	CURLoption option;
	long value;
} policy[] = {
	{ CURLOPT_NOSIGNAL,       1 },
	{ CURLOPT_HTTP_VERSION,   CURL_HTTP_VERSION_1_1 },
	{ CURLOPT_HTTP09_ALLOWED, 0 },
	{ CURLOPT_FOLLOWLOCATION, 0 },
	{ CURLOPT_NETRC,          CURL_NETRC_IGNORED },
	{ CURLOPT_SSLVERSION,     CURL_SSLVERSION_TLSv1_2 },
	{ CURLOPT_PATH_AS_IS,     1 }, /* some gateways' signatures cover the path */
	{ CURLOPT_MAXAGE_CONN,    IDLE_REUSE_MAX_S },
	{ CURLOPT_MAXFILESIZE,    HTTP_ANSWER_MAX }, /* also refuses a length that overflows */
#if LIBCURL_VERSION_NUM >= 0x075700
	{ CURLOPT_QUICK_EXIT,     1 }, /* else all calls wait for a hanging name look-up */
#endif
};

enum shape { SHAPE_GET, SHAPE_HEAD, SHAPE_BODY_ALWAYS, SHAPE_BODY_MAYBE };

static const struct {
	const char *name;
	enum shape shape;
} methods[] = {
	{ "GET",    SHAPE_GET },
	{ "HEAD",   SHAPE_HEAD },
	{ "POST",   SHAPE_BODY_ALWAYS },
	{ "PUT",    SHAPE_BODY_ALWAYS },
	{ "PATCH",  SHAPE_BODY_ALWAYS },
	{ "DELETE", SHAPE_BODY_MAYBE },
};
/* clang-format on */

static bool terminated(const char *text, size_t room)
{
	return memchr(text, '\0', room) != NULL;
}

/* "Name: value" of one line; libcurl would drop an empty value silently. */
static bool header_valid(const char header[HTTP_HEADER_MAX])
{
	const char *colon;

	if (!terminated(header, HTTP_HEADER_MAX) || strpbrk(header, "\r\n") != NULL)
		return false;
	colon = strchr(header, ':');
	return colon != NULL && colon != header && colon[1 + strspn(colon + 1, " \t")] != '\0';
}

static bool request_valid(const struct http_request *request)
{
	size_t i;

	if (!terminated(request->method, sizeof request->method) ||
	    !terminated(request->url, sizeof request->url) ||
	    request->header_count > HTTP_HEADERS_MAX)
		return false;
	if (strncasecmp(request->url, "http://", 7) != 0 &&
	    strncasecmp(request->url, "https://", 8) != 0)
		return false;
	if (request->connect_timeout_ms <= 0 || request->total_timeout_ms <= 0)
		return false;
	for (i = 0; i < request->header_count; i++) {
		if (!header_valid(request->headers[i]))
			return false;
	}
	return request->body != NULL || request->body_size == 0;
}

static bool set_policy(CURL *easy)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < COUNT(policy); i++)
		SET(ok, easy, policy[i].option, policy[i].value);
	SET(ok, easy, CURLOPT_PROXY, "");
	SET(ok, easy, CURLOPT_USERAGENT, USER_AGENT);
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(ok, easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	SET(ok, easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	return ok;
}

static bool set_body(CURL *easy, struct http_call *call, const struct http_request *request)
{
	bool ok = true;

	call->sent_body = malloc(request->body_size + 1);
	if (call->sent_body == NULL)
		return false;
	if (request->body_size > 0)
		memcpy(call->sent_body, request->body, request->body_size);
	call->sent_body_size = request->body_size;
	SET(ok, easy, CURLOPT_POST, 1L);
	SET(ok, easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
	SET(ok, easy, CURLOPT_POSTFIELDS, call->sent_body);
	return ok;
}

static enum err set_method(CURL *easy, struct http_call *call, const struct http_request *request)
{
	bool ok = true;
	size_t i = 0;

	while (i < COUNT(methods) && strcmp(methods[i].name, request->method) != 0)
		i++;
	if (i == COUNT(methods))
		return ERR_INVALID;
	switch (methods[i].shape) {
	case SHAPE_GET:
	case SHAPE_HEAD:
		if (request->body_size > 0)
			return ERR_INVALID;
		SET(ok, easy, CURLOPT_NOBODY, methods[i].shape == SHAPE_HEAD ? 1L : 0L);
		return ok ? ERR_OK : ERR_MEMORY;
	case SHAPE_BODY_ALWAYS:
		ok = set_body(easy, call, request);
		break;
	case SHAPE_BODY_MAYBE:
		ok = request->body == NULL || set_body(easy, call, request);
		break;
	}
	SET(ok, easy, CURLOPT_CUSTOMREQUEST, methods[i].name);
	return ok ? ERR_OK : ERR_MEMORY;
}

static bool add_header(struct http_call *call, const char *header)
{
	struct curl_slist *longer = curl_slist_append(call->headers, header);

	if (longer == NULL)
		return false;
	call->headers = longer;
	return true;
}

static bool set_headers(CURL *easy, struct http_call *call, const struct http_request *request)
{
	bool ok = add_header(call, "Expect:"); /* none: its answers only add ways to be in doubt */
	size_t i;

	for (i = 0; ok && i < request->header_count; i++)
		ok = add_header(call, request->headers[i]);
	SET(ok, easy, CURLOPT_HTTPHEADER, (struct curl_slist *)call->headers);
	return ok;
}

static bool set_limits(CURL *easy, const struct http_request *request)
{
	bool ok = true;

	SET(ok, easy, CURLOPT_URL, request->url);
	SET(ok, easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
	SET(ok, easy, CURLOPT_TIMEOUT_MS, (long)request->total_timeout_ms);
	SET(ok, easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
	SET(ok, easy, CURLOPT_FORBID_REUSE, request->fresh ? 1L : 0L);
	return ok;
}

/*
 * An upper bound of one request's bytes, less than two requests' bytes: the URL stands for path and
 * Host, and the lines that libcurl adds are counted although a header of the request may replace
 * them. Of the body libcurl counts what goes out with the head, in 7.88 at most 64 KiB: the gate
 * stops the repeat of a larger one too, but the count would not show it.
 */
static size_t one_request_max(const struct http_request *request, bool has_body)
{
	static const char own[] = "  HTTP/1.1\r\nHost: \r\nAccept: */*\r\n"
				  "User-Agent: " USER_AGENT "\r\n\r\n";
	static const char body_own[] = "Content-Length: 1234567890\r\n"
				       "Content-Type: application/x-www-form-urlencoded\r\n";
	size_t size = strlen(request->method) + strlen(request->url) + sizeof own;
	size_t i;

	for (i = 0; i < request->header_count; i++)
		size += strlen(request->headers[i]) + 2;
	if (has_body)
		size += sizeof body_own + request->body_size;
	return size;
}

enum err http_call_new(const struct http_request *request, void *share, struct http_call **call)
{
	struct http_call *made;
	enum err err;
	bool ok;

	if (!request_valid(request))
		return ERR_INVALID;
	made = calloc(1, sizeof *made);
	if (made == NULL)
		return ERR_MEMORY;
	made->send_by_boot_us = request->send_by_boot_us;
	made->started_boot_us = clock_boot_us();
	made->easy = curl_easy_init();
	ok = made->easy != NULL && set_policy(made->easy) && http_witness_attach(made) &&
	     set_limits(made->easy, request) && set_headers(made->easy, made, request);
	SET(ok, made->easy, CURLOPT_SHARE, (CURLSH *)share);
	err = ok ? set_method(made->easy, made, request) : ERR_MEMORY;
	if (err != ERR_OK) {
		http_call_free(made);
		return err;
	}
	made->one_request_max = one_request_max(request, made->sent_body != NULL);
	*call = made;
	return ERR_OK;
}

/* Headers and body may hold credentials. */
static void wipe_headers(struct curl_slist *headers)
{
	struct curl_slist *each;

	for (each = headers; each != NULL; each = each->next)
		explicit_bzero(each->data, strlen(each->data));
	curl_slist_free_all(headers);
}

void http_call_free(struct http_call *call)
{
	if (call == NULL)
		return;
	curl_easy_cleanup(call->easy);
	wipe_headers(call->headers);
	if (call->sent_body != NULL)
		explicit_bzero(call->sent_body, call->sent_body_size);
	free(call->sent_body);
	free(call->body);
	free(call);
}
