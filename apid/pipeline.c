/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/pipeline.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apid/auth.h"
#include "apid/call.h"
#include "apid/cors.h"
#include "apid/guesser.h"
#include "apid/media.h"
#include "apid/rate.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xml.h"
#include "service/settings_live.h"

#define TIMEOUT_MAX_S 30
#define BODY_DEPTH_MAX 16
#define DESCRIPTION_SIZE 256

const struct pipeline_settings pipeline_settings_default = { .writes_max = 512 };

struct pipeline {
	struct app *app;
	struct auth *auth;
	struct rate *rate;
	unsigned writes_max;
	atomic_uint writes; /* in progress */
};

struct passage { /* one call in the pipeline */
	struct pipeline *pipeline;
	bool body_is_xml;      /* else JSON, where there is one */
	bool timeout_is_wrong; /* what the client says of it: refused in its turn */
	struct call call;
};

/* ---- the steps: each lets the call pass, or refuses it and returns false ---- */

typedef bool step(struct passage *passage);

static bool refuse(struct call *call, enum err err, const char *detail)
{
	call_refuse(call, err, detail);
	return false;
}

/* RFC 9112 section 11.2: nothing after such a request may be believed to be a request. */
static bool step_framing(struct passage *passage)
{
	struct call *call = &passage->call;

	if (!http_call_is_ambiguous(call->http))
		return true;
	call->reply->close = true;
	if (call->http->garbled)
		return refuse(call, ERR_MALFORMED, "There are too many header lines.");
	return refuse(call, ERR_MALFORMED,
		      "The headers do not say for certain how long the body is.");
}

static bool step_route(struct passage *passage)
{
	struct call *call = &passage->call;

	switch (route_find(call->http->method, call->http->path, &call->match)) {
	case ROUTE_FOUND:
		call->route = route_at(call->match.index);
		return true;
	case ROUTE_ASKED:
		call->reply->status = 204;
		http_reply_header(call->reply, "Allow", call->match.allow);
		return false;
	case ROUTE_NO_METHOD:
		http_reply_header(call->reply, "Allow", call->match.allow);
		return refuse(call, ERR_METHOD, NULL);
	case ROUTE_MALFORMED:
		return refuse(call, ERR_MALFORMED, "The path's percent-encoding is broken.");
	case ROUTE_NO_PATH:
		return refuse(call, ERR_NOT_FOUND, "There is nothing at this path.");
	}
	return refuse(call, ERR_INTERNAL, NULL);
}

static bool step_draining(struct passage *passage)
{
	struct call *call = &passage->call;

	if (!atomic_load(&call->app->draining) || (call->route->flags & ROUTE_DATABASE) == 0)
		return true;
	return refuse(call, ERR_DRAINING, "This server is stopping: repeat the request.");
}

static bool step_size(struct passage *passage)
{
	struct call *call = &passage->call;
	char detail[64];

	if (call->http->body_size <= call->route->body_max)
		return true;
	(void)snprintf(detail, sizeof detail, "The body may have at most %zu bytes.",
		       call->route->body_max);
	return refuse(call, ERR_BODY_TOO_LARGE, detail);
}

/* Gateways sign the raw bytes, whatever their Content-Type says. */
static bool takes_body(const struct call *call)
{
	const struct route *route = call->route;

	if ((route->flags & ROUTE_EMPTY) != 0 && call->http->body_size == 0)
		return false;
	return route->body_max > 0 && route->auth != ROUTE_GATEWAY;
}

static bool step_media_type(struct passage *passage)
{
	struct call *call = &passage->call;

	if (!takes_body(call) || http_call_is_json(call->http))
		return true;
	passage->body_is_xml = http_call_is_xml(call->http);
	if (passage->body_is_xml)
		return true;
	return refuse(call, ERR_MEDIA_TYPE,
		      "Send exactly one Content-Type, application/json or application/xml, without "
		      "Content-Encoding.");
}

/* The whole number 1 to TIMEOUT_MAX_S that `text` is, or 0. */
static int seconds_read(const char *text)
{
	const size_t digits = strspn(text, "0123456789");
	const int seconds = digits < 1 || digits > 2 ? 0 : (int)strtol(text, NULL, 10);

	return text[digits] != '\0' || seconds > TIMEOUT_MAX_S ? 0 : seconds;
}

/* Refuses nothing: who calls is asked first, and may need the database, which must answer by then. */
static bool step_deadline_set(struct passage *passage)
{
	struct call *call = &passage->call;
	size_t count;
	const char *value = http_header(call->http, "Request-Timeout", &count);
	const int seconds = count == 1 ? seconds_read(value) : 0;

	passage->timeout_is_wrong = count > 0 && seconds == 0;
	call->deadline_boot_us = call->http->began_boot_us +
				 (seconds > 0 ? seconds * INT64_C(1000000)
					      : call->settings->request_timeout_ms * INT64_C(1000));
	return true;
}

/* Credentials that are missing, or have only expired, are nobody's guess. */
static bool refuse_credentials(struct call *call, const char *why)
{
	char challenge[DESCRIPTION_SIZE], key_id[KEY_TOKEN_ID_SIZE];

	if (why != NULL && why != token_expired &&
	    guesser_failed(call, auth_key_id(call->http, key_id) ? key_id : NULL))
		return false;
	if (why == NULL)
		(void)snprintf(challenge, sizeof challenge, "Bearer realm=\"payops\"");
	else
		(void)snprintf(challenge, sizeof challenge,
			       "Bearer realm=\"payops\", error=\"invalid_token\", "
			       "error_description=\"%s\"",
			       why);
	http_reply_header(call->reply, "WWW-Authenticate", challenge);
	return refuse(call, ERR_UNAUTHENTICATED,
		      why != NULL ? why : "Send Authorization: Bearer and a token.");
}

static bool step_authenticate(struct passage *passage)
{
	struct call *call = &passage->call;
	const struct auth_moment at = { clock_now_us() / 1000000, call->deadline_boot_us };
	const char *why;
	enum err err;

	if (call->route->auth != ROUTE_TOKEN)
		return true;
	if (guesser_is_locked_out(call) &&
	    !auth_knows(passage->pipeline->auth, call->http, at.now_s)) {
		guesser_refuse(call);
		return false;
	}
	err = auth_check(passage->pipeline->auth, call->settings, call->http, at, &call->claims,
			 &why);
	if (err == ERR_OK) {
		log_context_set(call->api_call_id, call->claims.merchant);
		return true;
	}
	if (err != ERR_UNAUTHENTICATED)
		return refuse(call, err, NULL);
	return refuse_credentials(call, why);
}

static bool step_scope(struct passage *passage)
{
	struct call *call = &passage->call;
	const unsigned scope = call->route->scope;
	char text[DESCRIPTION_SIZE];

	if (call->route->auth != ROUTE_TOKEN || (call->claims.scopes & scope) == scope)
		return true;
	(void)snprintf(text, sizeof text,
		       "Bearer realm=\"payops\", error=\"insufficient_scope\", scope=\"%s\"",
		       token_scope_word((enum token_scope)scope));
	http_reply_header(call->reply, "WWW-Authenticate", text);
	(void)snprintf(text, sizeof text, "This request needs the scope %s.",
		       token_scope_word((enum token_scope)scope));
	return refuse(call, ERR_SCOPE, text);
}

/*
 * The headers cost, so they come when they matter: once less than half of the burst is left. What is allowed comes back
 * at least once a second, so there is never longer to wait than the problem's row says.
 */
static void rate_tell(struct call *call, struct rate_settings limit,
		      const struct rate_verdict *verdict)
{
	char text[64];

	(void)snprintf(text, sizeof text, "\"merchant\";q=%d;w=%" PRId64, limit.burst,
		       rate_window_s(limit));
	http_reply_header(call->reply, "RateLimit-Policy", text);
	(void)snprintf(text, sizeof text, "\"merchant\";r=%" PRId64 ";t=%" PRId64, verdict->left,
		       verdict->full_in_s);
	http_reply_header(call->reply, "RateLimit", text);
}

static bool step_rate(struct passage *passage)
{
	struct call *call = &passage->call;
	const struct rate_settings limit = { call->settings->rate_per_second,
					     call->settings->rate_burst };
	struct rate_verdict verdict;

	if (call->route->auth != ROUTE_TOKEN)
		return true;
	verdict = rate_take(passage->pipeline->rate, limit, call->claims.merchant, clock_boot_us());
	if (verdict.is_scarce || !verdict.allowed)
		rate_tell(call, limit, &verdict);
	return verdict.allowed ? true : refuse(call, ERR_LIMITED, NULL);
}

/*
 * Writes are refused first, so that reads, which tell what became of them, and callbacks stay
 * alive.
 */
static bool step_room(struct passage *passage)
{
	struct call *call = &passage->call;
	struct pipeline *pipeline = passage->pipeline;

	if ((call->route->flags & ROUTE_SHED) == 0)
		return true;
	call->room = &pipeline->writes;
	if (atomic_fetch_add(&pipeline->writes, 1) < pipeline->writes_max)
		return true;
	metrics_count(call->app->metrics, METRICS_SHED);
	return refuse(call, ERR_OVERLOADED, NULL);
}

static bool step_query(struct passage *passage)
{
	struct call *call = &passage->call;
	char why[QUERY_WHY_SIZE];

	if (query_read(call->route->query, call->http->query, &call->query, why) == ERR_OK)
		return true;
	return refuse(call, ERR_QUERY, why);
}

static bool step_timeout(struct passage *passage)
{
	return passage->timeout_is_wrong
		       ? refuse(&passage->call, ERR_MALFORMED,
				"Request-Timeout must be one whole number of seconds from 1 to 30.")
		       : true;
}

/* What a number of more than 64 bits is, is known before what it is for. */
static bool refuse_overflow(struct call *call, const char *why)
{
	json_t *errors = json_array();
	char name[JSON_NAME_SIZE];

	if (json_overflow_name(call->http->body, call->http->body_size, name))
		problem_error_add(errors, name, PROBLEM_IN_BODY, field_code_word(FIELD_TOO_LARGE),
				  "is a number that does not fit 64 bits");
	call_refuse_errors(call, ERR_INVALID, why, errors);
	return false;
}

static bool step_body(struct passage *passage)
{
	struct call *call = &passage->call;
	const struct http_call *http = call->http;
	char why[JSON_WHY_SIZE];
	enum err err;

	static_assert(BODY_DEPTH_MAX == XML_DEPTH_MAX && JSON_WHY_SIZE == XML_WHY_SIZE,
		      "both forms of a body have the same limits");
	if (!takes_body(call))
		return true;
	err = passage->body_is_xml
		      ? xml_read(http->body, http->body_size, &call->body, why)
		      : json_read(http->body, http->body_size, BODY_DEPTH_MAX, &call->body, why);
	if (err == ERR_INVALID && !passage->body_is_xml)
		return refuse_overflow(call, why);
	return err == ERR_OK ? true : refuse(call, err, why);
}

static bool step_deadline(struct passage *passage)
{
	struct call *call = &passage->call;

	return clock_boot_us() < call->deadline_boot_us ? true : refuse(call, ERR_DEADLINE, NULL);
}

static bool step_handler(struct passage *passage)
{
	struct call *call = &passage->call;

	route_handler_at(call->match.index)(call);
	return true;
}

/*
 * The order of refusal: 400 of the framing, 404, 405, 503 draining, 413, 415, 401, 403, 429, 503
 * overloaded, 400, 422.
 */
/* clang-format off */
static step *const steps[] = {
	step_framing,
	step_route,
	step_draining,
	step_size,
	step_media_type,
	step_deadline_set,
	step_authenticate,
	step_scope,
	step_rate,
	step_room,
	step_query,
	step_timeout,
	step_body,
	step_deadline,
	step_handler,
};
/* clang-format on */

/* ---- around them ---- */

static bool is_frozen(const struct route *route)
{
	return route != NULL && (route->flags & ROUTE_FROZEN) != 0;
}

static void finish(struct call *call)
{
	struct http_reply *reply = call->reply;

	if (reply->status == 0)
		call_refuse(call, ERR_INTERNAL, NULL);
	if (media_wants_xml(call->http) &&
	    !media_to_xml(reply, call->route != NULL ? call->route->path : NULL))
		call_refuse(call, ERR_MEMORY, NULL);
	if (atomic_load(&call->app->draining))
		reply->close = true;
	http_reply_header(reply, "X-Api-Call-Id", call->api_call_id);
	http_reply_header(reply, "Cache-Control", is_frozen(call->route) ? "no-cache" : "no-store");
	http_reply_header(reply, "X-Content-Type-Options", "nosniff");
	cors_answer(call->settings->cors_origins, call->http,
		    call->route == NULL && reply->status == 204 ? call->match.allow : NULL, reply);
}

/* What was asked is foreign text where no route took it. */
static void report(const struct call *call, int64_t duration_us)
{
	const struct route *route = call->route;
	const int status = call->reply->status;
	const enum log_level level = status >= 500 && status != 503 ? LOG_ERROR : LOG_INFO;
	const struct log_field fields[] = {
		LOG_TEXT("method", route != NULL ? route->method : NULL),
		LOG_TEXT("route", route != NULL ? route->path : NULL),
		LOG_FOREIGN("asked_method", route == NULL ? call->http->method : NULL),
		LOG_FOREIGN("asked_path", route == NULL ? call->http->path : NULL),
		LOG_INT("status", status),
		LOG_INT("duration_us", duration_us),
	};

	metrics_request(call->app->metrics, route != NULL ? call->match.index : METRICS_NO_ROUTE,
			status, duration_us);
	log_write(level, "request served", fields, sizeof fields / sizeof fields[0]);
}

/* One that is not valid is as good as none, says its standard. */
static void trace_take(struct call *call)
{
	char id[TRACE_ID_TEXT_SIZE];
	size_t count;
	const char *text = http_header(call->http, "traceparent", &count);

	if (count == 1 && trace_parse(text, &call->trace))
		log_context_trace(trace_id_text(&call->trace, id));
}

void pipeline_serve(void *context, const struct http_call *http, struct http_reply *reply)
{
	struct pipeline *pipeline = context;
	const int64_t begin_us = clock_boot_us();
	struct passage passage = {
		.pipeline = pipeline,
		.call = { .app = pipeline->app,
			  .settings = settings_live_hold(pipeline->app->settings),
			  .http = http,
			  .reply = reply },
	};
	size_t i = 0;

	log_context_set(call_id_choose(http, passage.call.api_call_id), NULL);
	trace_take(&passage.call);
	while (i < sizeof steps / sizeof steps[0] && steps[i](&passage))
		i++;
	call_leave_room(&passage.call);
	finish(&passage.call);
	report(&passage.call, clock_boot_us() - begin_us);
	json_decref(passage.call.body);
	settings_release(passage.call.settings);
	log_context_clear();
}

enum err pipeline_new(struct app *app, const struct pipeline_settings *settings,
		      struct pipeline **pipeline)
{
	struct pipeline *made = calloc(1, sizeof *made);
	enum err err;

	if (made == NULL)
		return ERR_MEMORY;
	err = auth_new(app, &made->auth);
	if (err == ERR_OK)
		err = rate_new(&made->rate);
	if (err != ERR_OK) {
		pipeline_free(made);
		return err;
	}
	made->app = app;
	made->writes_max = settings->writes_max;
	metrics_room(app->metrics, settings->writes_max);
	atomic_init(&made->writes, 0);
	*pipeline = made;
	return ERR_OK;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (pipeline == NULL)
		return;
	rate_free(pipeline->rate);
	auth_free(pipeline->auth);
	free(pipeline);
}
