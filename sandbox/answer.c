/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/answer.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct refusal_row rows[] = {
	[REFUSAL_MALFORMED] =        { 400, "malformed_request",
		"The body is not one valid JSON object." },
	[REFUSAL_FIELD] =            { 400, "malformed_request",
		"A member of the body is not valid." },
	[REFUSAL_BODY_TOO_LARGE] =   { 400, "malformed_request",
		"The body is larger than 65536 bytes." },
	[REFUSAL_MEDIA_TYPE] =       { 400, "malformed_request",
		"Send Content-Type: application/json." },
	[REFUSAL_KEY] =              { 400, "malformed_request",
		"Send one Idempotency-Key of 1 to 64 visible ASCII characters." },
	[REFUSAL_KEY_MISMATCH] =     { 400, "malformed_request",
		"The reference must be the same text as the Idempotency-Key." },
	[REFUSAL_REFERENCE] =        { 400, "malformed_request",
		"Ask with one ?reference=REFERENCE." },
	[REFUSAL_OPERATION] =        { 400, "unsupported_operation",
		"This gateway does not perform the operation." },
	[REFUSAL_TOKEN] =            { 400, "unknown_payment_token",
		"The sandbox has no such token." },
	[REFUSAL_UNAUTHENTICATED] =  { 401, "unauthenticated",
		"Send Authorization: Bearer with the API key." },
	[REFUSAL_NOT_FOUND] =        { 404, "not_found",
		"No operation has this reference." },
	[REFUSAL_PATH] =             { 404, "no_such_path",
		"Nothing is served at this path." },
	[REFUSAL_GATEWAY] =          { 404, "unknown_gateway",
		"The sandbox plays no such gateway." },
	[REFUSAL_METHOD] =           { 405, "method_not_allowed",
		"This path does not take the method." },
	[REFUSAL_UNKNOWN_OPERATION] = { 404, "unknown_operation",
		"No undecided operation has this id." },
	[REFUSAL_IN_PROGRESS] =      { 409, "in_progress",
		"A request with this key is still running." },
	[REFUSAL_KEY_REUSED] =       { 422, "idempotency_key_reused",
		"The Idempotency-Key was used with other content." },
	[REFUSAL_MODE] =             { 422, "invalid_mode",
		"Send mode down, slow, 5xx, hang or ok; ms 1 to 120000 with slow." },
	[REFUSAL_SETTLEMENT] =       { 422, "invalid_settlement",
		"Send gateway, date (YYYY-MM-DD) and, as you like, damage: a list of kinds." },
	[REFUSAL_RATE_LIMITED] =     { 429, "rate_limited",
		"Too many requests; nothing was done." },
	[REFUSAL_BROKEN] =           { 500, "internal_error",
		"Something went wrong; ask what became of the operation." },
	[REFUSAL_FAULT] =            { 500, "gateway_error",
		"The gateway is in mode 5xx; nothing was done." },
	[REFUSAL_STORAGE] =          { 500, "storage_error",
		"The ledger cannot be written; nothing was done." },
	[REFUSAL_SETTLEMENT_FILE] =  { 500, "storage_error",
		"The settlement file cannot be written." },
	[REFUSAL_PORT] =             { 500, "port_error",
		"The gateway's port cannot be opened; it stays down." },
	[REFUSAL_FULL] =             { 503, "ledger_full",
		"The ledger takes no more; nothing was done." },
};
/* clang-format on */

_Static_assert(sizeof rows / sizeof rows[0] == REFUSAL_COUNT, "every refusal has its row");

const struct refusal_row *refusal_row(enum refusal refusal)
{
	return &rows[refusal];
}

void answer_send(struct answer *answer, int status, struct render *body)
{
	size_t size;
	char *text = render_take(body, &size);

	if (text == NULL) {
		answer_close(answer);
		return;
	}
	answer_done(answer);
	*answer = (struct answer){
		.kind = ANSWER_SEND, .status = status, .body = text, .body_size = size};
}

void answer_refuse(struct answer *answer, enum refusal refusal, const char *message)
{
	const struct refusal_row *row = refusal_row(refusal);
	struct render body = {0};

	render_begin(&body, '{');
	render_text(&body, "error", row->code);
	render_text(&body, "message", message == NULL ? row->message : message);
	render_end(&body, '}');
	answer_send(answer, row->status, &body);
}

/* A new body of this size that begins as the old one does, without its last brace. */
static char *body_grow(struct answer *answer, size_t size)
{
	char *body = realloc(answer->body, size);

	if (body == NULL) {
		answer_close(answer);
		return NULL;
	}
	answer->body = body;
	answer->body_size = size;
	return body;
}

void answer_swell(struct answer *answer)
{
	size_t used = answer->body_size - 1;
	char *body = body_grow(answer, ANSWER_HUGE_SIZE);

	if (body == NULL)
		return;
	memset(body + used, ' ', ANSWER_HUGE_SIZE - used);
	body[ANSWER_HUGE_SIZE - 1] = '}';
}

void answer_repeat_status(struct answer *answer)
{
	static const char again[] = ",\"status\":\"declined\"}";
	size_t used = answer->body_size - 1;
	char *body = body_grow(answer, used + sizeof again - 1);

	if (body != NULL)
		memcpy(body + used, again, sizeof again - 1);
}

/* From the end, so that each byte is moved before its place is taken. */
void answer_widen(struct answer *answer)
{
	size_t size = answer->body_size;
	char *body = body_grow(answer, 2 * size);

	if (body == NULL)
		return;
	for (size_t i = size; i > 0; i--) {
		body[2 * i - 2] = body[i - 1];
		body[2 * i - 1] = '\0';
	}
	answer->type = "application/json; charset=utf-16le";
}

void answer_page(struct answer *answer)
{
	static const char page[] = "<!DOCTYPE html>\n<html><head><title>Please wait</title></head>"
				   "<body><h1>Please wait</h1></body></html>\n";
	char *body = malloc(sizeof page);

	answer_done(answer);
	if (body == NULL)
		return;
	memcpy(body, page, sizeof page);
	*answer = (struct answer){.kind = ANSWER_SEND,
				  .status = 200,
				  .body = body,
				  .body_size = sizeof page - 1,
				  .type = "text/html; charset=utf-8"};
}

void answer_close(struct answer *answer)
{
	answer_done(answer);
	answer->kind = ANSWER_CLOSE;
}

void answer_reset(struct answer *answer)
{
	answer_done(answer);
	answer->kind = ANSWER_RESET;
}

void answer_done(struct answer *answer)
{
	free(answer->body);
	*answer = (struct answer){.kind = ANSWER_CLOSE};
}
