/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Call: one request on its way through the pipeline, as a handler gets it.
 *
 * Invariant  a handler that runs was routed, authenticated, within its limits, and answers exactly once
 * Units      deadline of the boot clock
 * Ownership  the pipeline owns everything; the reply's body is made with malloc
 * Threads    one
 */
#ifndef APID_CALL_H
#define APID_CALL_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "apid/app.h"
#include "apid/call_id.h"
#include "apid/http_message.h"
#include "apid/problem.h"
#include "apid/query.h"
#include "apid/route.h"
#include "base/json_writer.h"
#include "base/token.h"
#include "core/trace.h"
#include "service/settings.h"

struct call {
	struct app *app;
	const struct settings *settings; /* the same from the first step to the last */
	const struct http_call *http;
	struct http_reply *reply;
	char api_call_id[CALL_ID_SIZE];
	struct trace trace; /* what the request is part of, at its client */
	const struct route *route; /* NULL until it is found */
	struct route_match match;
	struct token_claims claims; /* with ROUTE_TOKEN */
	struct query query;
	atomic_uint *room; /* what the call is counted in while it writes; NULL: nothing */
	int64_t deadline_boot_us;
	json_t *body; /* with ROUTE_TOKEN and a body: one object; else NULL (ROUTE_EMPTY: none was sent) */
};

/* Answer `body` as JSON; takes it over. A NULL body (memory was short) becomes 500. */
void call_answer(struct call *call, int status, json_t *body);

/* Answer an array that holds one more than `max` where there are more: it is taken off, and said. Takes it over. */
void call_answer_list(struct call *call, json_t *list, size_t max);

/* Answer what was written as JSON; the writer is empty then. Where memory was short it becomes 500. */
void call_answer_written(struct call *call, int status, struct json_writer *writer);

/* Answer `text` (malloc) of another type; takes it over. NULL becomes 500. */
void call_answer_text(struct call *call, int status, const char *type, char *text);

/* Answer `size` bytes of a type, which outlive the server: they are not copied. */
void call_answer_lasting(struct call *call, int status, const char *type, const void *bytes,
			 size_t size);

/* Refuse with a problem; `detail` is a sentence or NULL. */
void call_refuse(struct call *call, enum err err, const char *detail);

/* The same for so many seconds. */
void call_refuse_for(struct call *call, enum err err, int seconds);

/* The same with a list of what is wrong (problem_errors()); takes it over. */
void call_refuse_errors(struct call *call, enum err err, const char *detail, json_t *errors);

/* The same with further members of the problem, an object; takes it over. */
void call_refuse_with(struct call *call, enum err err, const char *detail, json_t *further);

/* A write that only waits from now on makes room for another one. */
void call_leave_room(struct call *call);

/*
 * Refuse because of what the object is: its status as a word, and what can be done with it instead
 * (NULL-terminated).
 */
void call_refuse_state(struct call *call, const char *detail, const char *status,
		       const char *const *actions);

/* The same with further members of the problem, an object; takes it over. */
void call_refuse_state_with(struct call *call, const char *detail, const char *status,
			    const char *const *actions, json_t *further);

/* Milliseconds until the deadline, at least 1. */
int call_wait_ms(const struct call *call);

#endif
