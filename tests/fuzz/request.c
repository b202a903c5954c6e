/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests, from the first line to the handler, and what of them is logged. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apid/call.h"
#include "apid/etag.h"
#include "apid/pipeline.h"
#include "base/clock.h"
#include "base/clock_test.h"
#include "base/json.h"
#include "base/log.h"
#include "core/card.h"
#include "service/settings_live.h"
#include "tests/fuzz/fuzz.h"

#define NOW_US INT64_C(1800000000000000)
#define BOOT_US INT64_C(5000000000)
#define LINE_MAX_SIZE 65536

/* ---- handlers that only say that they were reached ---- */

#define ROUTE(method, path, auth, scope, body_max, query, flags, handler)                          \
	void handler(struct call *call)                                                            \
	{                                                                                          \
		call_answer(call, 200, json_pack("{s:s}", "merchant", call->claims.merchant));     \
	}
#include "apid/route.def"
#undef ROUTE

static enum err find_key(struct reader *keys, const char *id, int64_t deadline_boot_us,
			 struct api_key_grant *grant)
{
	(void)keys;
	(void)id;
	(void)deadline_boot_us;
	(void)grant;
	return ERR_UNAUTHENTICATED;
}

struct bench {
	struct settings settings;
	struct app app;
	struct pipeline *pipeline;
	char authorization[TOKEN_TEXT_MAX + 8];
};

static void bench_init(struct bench *bench)
{
	const struct token_claims claims = { .merchant = "demo",
					     .subject = "fuzz",
					     .scopes = SCOPE_ALL,
					     .expires_at_s = NOW_US / 1000000 + 60 };
	struct token_key *key = &bench->settings.token_keys.keys[0];
	char token[TOKEN_TEXT_MAX];

	memset(bench, 0, sizeof *bench);
	clock_test_start(NOW_US, BOOT_US);
	log_open("fuzz", LOG_ERROR, STDERR_FILENO);
	memcpy(key->kid, "k1", sizeof "k1");
	key->material.size = 32;
	memset(key->material.bytes, 'k', 32);
	bench->settings.token_keys.count = 1;
	atomic_init(&bench->settings.holders, 1);
	bench->app.find_key = find_key;
	bench->settings.cors_origins = "https://shop.example";
	bench->settings.request_timeout_ms = 10000;
	fuzz_expect(settings_live_new(&bench->settings, &bench->app.settings) == ERR_OK);
	fuzz_expect(metrics_new(&bench->app.metrics) == ERR_OK);
	fuzz_expect(pipeline_new(&bench->app, &pipeline_settings_default, &bench->pipeline) ==
		    ERR_OK);
	fuzz_expect(token_issue(&bench->settings.token_keys, 0, &claims, NOW_US / 1000000, token) ==
		    ERR_OK);
	snprintf(bench->authorization, sizeof bench->authorization, "Bearer %s", token);
}

static void bench_done(struct bench *bench)
{
	pipeline_free(bench->pipeline);
	metrics_free(bench->app.metrics);
	settings_live_free(bench->app.settings);
	clock_test_stop();
}

/* "Name: value"; a token is put in where @ stands for it. */
static void line_take(struct bench *bench, struct http_call *call, char *line)
{
	char *colon = strchr(line, ':');
	char *value = colon != NULL ? colon + 1 + strspn(colon + 1, " \t") : line + strlen(line);

	if (colon != NULL)
		*colon = '\0';
	call->lines[call->line_count].name = line;
	call->lines[call->line_count++].value =
		strcmp(value, "@") == 0 ? bench->authorization : value;
}

static void reply_judge(const struct http_reply *reply)
{
	fuzz_expect(reply->status >= 200 && reply->status < 500);
	for (size_t i = 0; i < reply->header_count; i++)
		fuzz_expect(strpbrk(reply->headers[i].value, "\r\n") == NULL);
}

/* "METHOD path?query", header lines up to an empty one, the body. */
void fuzz_request(const uint8_t *bytes, size_t size)
{
	char *first = fuzz_line(&bytes, &size);
	char *path = strchr(first, ' '), *query = NULL;
	char *lines[HTTP_LINES_MAX];
	struct http_call call = { .method = first, .query = "", .began_boot_us = BOOT_US };
	struct http_reply reply;
	struct bench bench;

	bench_init(&bench);
	if (path != NULL) {
		*path++ = '\0';
		query = strchr(path, '?');
	}
	if (query != NULL)
		*query++ = '\0';
	call.path = path != NULL ? path : "";
	call.query = query != NULL ? query : "";
	while (call.line_count < HTTP_LINES_MAX && size > 0 && *bytes != '\n') {
		lines[call.line_count] = fuzz_line(&bytes, &size);
		line_take(&bench, &call, lines[call.line_count]);
	}
	if (size > 0 && *bytes == '\n') {
		bytes++;
		size--;
	}
	call.body = bytes;
	call.body_size = size;
	http_reply_init(&reply);
	pipeline_serve(bench.pipeline, &call, &reply);
	reply_judge(&reply);
	http_reply_done(&reply);
	for (size_t i = 0; i < call.line_count; i++)
		free(lines[i]);
	free(first);
	bench_done(&bench);
}

void fuzz_query(const uint8_t *bytes, size_t size)
{
	static const char allowed[] = "limit after status from to currency method gateway kind";
	static const int64_t range[2] = { 1, 200 };
	char *text = fuzz_text(bytes, size);
	struct query query;
	char why[QUERY_WHY_SIZE];
	int64_t limit = 0;

	if (query_read(allowed, text, &query, why) == ERR_OK) {
		fuzz_expect(query.count <= QUERY_PARAMETERS_MAX && query.used <= sizeof query.text);
		if (query_integer(&query, "limit", range, 50, &limit))
			fuzz_expect(limit >= range[0] && limit <= range[1]);
	} else {
		fuzz_expect(query.count == 0);
	}
	free(text);
}

void fuzz_etag(const uint8_t *bytes, size_t size)
{
	struct http_call call = { .method = "GET" };
	struct version_match match;
	char *lines[2];

	for (; call.line_count < 2; call.line_count++) {
		lines[call.line_count] = fuzz_line(&bytes, &size);
		call.lines[call.line_count] =
			(struct http_line){ call.line_count == 0 ? "If-Match" : "If-None-Match",
					    lines[call.line_count] };
	}
	(void)version_matches(etag_wanted(&call, &match), 7);
	(void)etag_is_held(&call, 7);
	free(lines[0]);
	free(lines[1]);
}

/* Whatever comes from outside: one line, one JSON object, no card number. */
void fuzz_log(const uint8_t *bytes, size_t size)
{
	static char line[LINE_MAX_SIZE]; /* lint: state: too large for a stack */
	const int fd = memfd_create("payops-fuzz-log", MFD_CLOEXEC);
	char *text = fuzz_text(bytes, size);
	char why[JSON_WHY_SIZE];
	const char *asked;
	json_t *object;
	ssize_t got;

	fuzz_expect(fd >= 0);
	log_open("fuzz", LOG_INFO, fd);
	log_context_set(text, text);
	log_info("a request", LOG_FOREIGN("asked", text), LOG_TEXT("told", text));
	log_context_clear();
	got = pread(fd, line, sizeof line, 0);
	(void)close(fd);
	log_open("fuzz", LOG_ERROR, STDERR_FILENO);
	fuzz_expect(got > 1 && memchr(line, '\n', (size_t)got) == line + got - 1);
	fuzz_expect(json_read(line, (size_t)got, 2, &object, why) == ERR_OK);
	asked = json_string_value(json_object_get(object, "asked"));
	fuzz_expect(asked != NULL && !card_number_in(asked, strlen(asked)));
	json_decref(object);
	free(text);
}
