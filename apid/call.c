/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

static void set_body(struct call *call, int status, const char *type, char *text)
{
	struct http_reply *reply = call->reply;

	free(reply->body);
	reply->status = status;
	reply->body = text;
	reply->lasting = NULL;
	reply->body_size = text != NULL ? strlen(text) : 0;
	http_reply_header(reply, "Content-Type", type);
}

void call_answer(struct call *call, int status, json_t *body)
{
	char *text = body != NULL ? json_text(body) : NULL;

	json_decref(body);
	if (text == NULL)
		call_refuse(call, ERR_MEMORY, NULL);
	else
		set_body(call, status, "application/json", text);
}

void call_answer_list(struct call *call, json_t *list, size_t max)
{
	if (json_array_size(list) > max) {
		(void)json_array_remove(list, max);
		http_reply_header(call->reply, "Truncated", "true");
	}
	call_answer(call, 200, list);
}

void call_answer_written(struct call *call, int status, struct json_writer *writer)
{
	call_answer_text(call, status, "application/json", json_writer_take(writer));
	json_writer_done(writer);
}

void call_answer_text(struct call *call, int status, const char *type, char *text)
{
	if (text == NULL)
		call_refuse(call, ERR_MEMORY, NULL);
	else
		set_body(call, status, type, text);
}

void call_answer_lasting(struct call *call, int status, const char *type, const void *bytes,
			 size_t size)
{
	set_body(call, status, type, NULL);
	call->reply->lasting = bytes;
	call->reply->body_size = size;
}

void call_refuse(struct call *call, enum err err, const char *detail)
{
	call_refuse_errors(call, err, detail, NULL);
}

/* Instance and call id are the call's own. */
static void refuse(struct call *call, struct problem problem)
{
	const int after_s = problem_retry_after_s(&problem);
	char seconds[16];
	size_t size;

	problem.instance = call->http->path;
	problem.api_call_id = call->api_call_id;
	/* Without memory for the body the status still says what happened. */
	set_body(call, problem_status(problem.err), PROBLEM_TYPE, problem_text(&problem, &size));
	if (after_s > 0) {
		(void)snprintf(seconds, sizeof seconds, "%d", after_s);
		http_reply_header(call->reply, "Retry-After", seconds);
	}
}

void call_refuse_for(struct call *call, enum err err, int seconds)
{
	refuse(call, (struct problem){ .err = err, .retry_after_s = seconds });
}

void call_refuse_errors(struct call *call, enum err err, const char *detail, json_t *errors)
{
	refuse(call, (struct problem){ .err = err, .detail = detail, .errors = errors });
	json_decref(errors);
}

void call_refuse_with(struct call *call, enum err err, const char *detail, json_t *further)
{
	refuse(call, (struct problem){ .err = err, .detail = detail, .further = further });
	json_decref(further);
}

void call_leave_room(struct call *call)
{
	if (call->room != NULL)
		atomic_fetch_sub(call->room, 1);
	call->room = NULL;
}

void call_refuse_state(struct call *call, const char *detail, const char *status,
		       const char *const *actions)
{
	call_refuse_state_with(call, detail, status, actions, NULL);
}

void call_refuse_state_with(struct call *call, const char *detail, const char *status,
			    const char *const *actions, json_t *further)
{
	refuse(call, (struct problem){ .err = ERR_STATE,
				       .detail = detail,
				       .further = further,
				       .current_status = status,
				       .allowed_actions = actions });
	json_decref(further);
}

int call_wait_ms(const struct call *call)
{
	const int64_t left_us = call->deadline_boot_us - clock_boot_us();

	return left_us < 1000 ? 1 : (int)(left_us / 1000);
}
