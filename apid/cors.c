/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/cors.h"

#include <stdbool.h>
#include <string.h>

#define REQUEST_HEADERS                                                                            \
	"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Request-Timeout, " \
	"X-Request-Id, X-Api-Call-Id, traceparent"
#define ANSWER_HEADERS                                                                             \
	"X-Api-Call-Id, Location, ETag, Link, Truncated, Retry-After, Idempotency-Replayed, "      \
	"RateLimit, RateLimit-Policy"
#define PREFLIGHT_SECONDS "600"

static bool is_listed(const char *origins, const char *origin)
{
	const size_t size = strlen(origin);

	while (*origins != '\0') {
		const size_t word = strcspn(origins, " ");

		if (word > 0 && word == size && memcmp(origins, origin, size) == 0)
			return true;
		origins += word;
		origins += strspn(origins, " ");
	}
	return false;
}

void cors_answer(const char *origins, const struct http_call *call, const char *allow,
		 struct http_reply *reply)
{
	size_t count, asked;
	const char *origin;

	if (*origins == '\0')
		return;
	http_reply_header(reply, "Vary", "Origin");
	origin = http_header(call, "Origin", &count);
	if (count != 1 || !is_listed(origins, origin))
		return;
	http_reply_header(reply, "Access-Control-Allow-Origin", origin);
	http_reply_header(reply, "Access-Control-Expose-Headers", ANSWER_HEADERS);
	(void)http_header(call, "Access-Control-Request-Method", &asked);
	if (allow == NULL || asked != 1)
		return;
	http_reply_header(reply, "Access-Control-Allow-Methods", allow);
	http_reply_header(reply, "Access-Control-Allow-Headers", REQUEST_HEADERS);
	http_reply_header(reply, "Access-Control-Max-Age", PREFLIGHT_SECONDS);
}
