/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pipeline: what happens to every request, in this order: call id, route, size, media type, who calls, scope, room,
 * query, body, deadline, handler; then headers, metrics and one line in the log.
 *
 * Invariant  the first step that refuses is the answer, so that the order of refusal is the order of the steps
 * Ownership  the app is borrowed until pipeline_free()
 * Threads    safe
 * Source     API.md: Rules for every request
 *
 *	pipeline_new(&app, &pipeline_settings_default, &pipeline);
 *	http_server_start(&settings, pipeline_serve, pipeline, &server, why);
 */
#ifndef APID_PIPELINE_H
#define APID_PIPELINE_H

#include "apid/app.h"
#include "apid/http_message.h"
#include "core/err.h"

struct pipeline_settings {
	unsigned
		writes_max; /* requests of ROUTE_SHED rows at once; more are refused with 503 overloaded */
};

extern const struct pipeline_settings pipeline_settings_default; /* 512 */

struct pipeline;

CHECKED enum err pipeline_new(struct app *app, const struct pipeline_settings *settings,
			      struct pipeline **pipeline);

/* After http_server_stop(). Accepts NULL. */
void pipeline_free(struct pipeline *pipeline);

/* Answer one request; `context` is the struct pipeline. An http_serve for http_server_start(). */
void pipeline_serve(void *context, const struct http_call *http, struct http_reply *reply);

#endif
