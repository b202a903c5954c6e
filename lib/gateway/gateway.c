/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "gateway/gateway.h"

#include "core/card.h"
#include "core/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define CARD_ROOM 64     /* a card number with what may stand between its digits */
#define HIDDEN_MIN 8     /* bytes: what is shorter is no secret, but might be any word */
#define HIDDEN_CUT_MIN 4 /* of a secret's beginning, at a text's end */

static const struct gateway_adapter *const adapters[] = {
	&gateway_sandbox,
};

const struct gateway_adapter *gateway_adapter_find(const char *name)
{
	for (size_t i = 0; i < sizeof adapters / sizeof adapters[0]; i++)
		if (strcmp(adapters[i]->name, name) == 0)
			return adapters[i];
	return NULL;
}

const struct gateway *gateway_find(const struct gateway_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->list[i].name, name) == 0)
			return &set->list[i];
	return NULL;
}

/* Masked before it is cut: of a number that stands across the cut, its first digits alone would look like none. */
void gateway_answer_mask(struct gateway_answer *answer, const char *body, size_t size)
{
	char text[ATTEMPT_ANSWER_SIZE + CARD_ROOM];
	const size_t read = size < sizeof text ? size : sizeof text;
	const size_t kept = read < sizeof answer->masked - 1 ? read : sizeof answer->masked - 1;

	for (size_t i = 0; i < read; i++)
		text[i] = body[i] >= ' ' && body[i] <= '~' ? body[i] : '?';
	card_mask(text, read);
	memcpy(answer->masked, text, kept);
	answer->masked[kept] = '\0';
}

void gateway_request_trace(const struct gateway_order *order, struct http_request *request)
{
	char text[TRACE_TEXT_SIZE];

	if (order->trace.size == 0)
		return;
	assert(request->header_count < HTTP_HEADERS_MAX);
	/* The end of an attempt's id is the random part. */
	trace_format(&order->trace,
		     order->attempt_id.bytes + sizeof order->attempt_id.bytes - TRACE_PARENT_SIZE,
		     text);
	snprintf(request->headers[request->header_count++], HTTP_HEADER_MAX, "traceparent: %s",
		 text);
}

/* Star a secret wherever it stands in the text, also its beginning where the text was cut. */
static void hide(const char *secret, char *text)
{
	if (strlen(secret) < HIDDEN_MIN)
		return;
	for (char *at = text; *at != '\0'; at++) {
		size_t same = 0;

		while (secret[same] != '\0' && at[same] == secret[same])
			same++;
		if (secret[same] == '\0' || (at[same] == '\0' && same >= HIDDEN_CUT_MIN))
			memset(at, '*', same);
	}
}

void gateway_answer_hide(const struct gateway *gateway, const struct gateway_order *order,
			 struct gateway_answer *answer)
{
	char *const texts[] = { answer->masked, answer->instructions };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		hide(order->payment_token, texts[i]);
		hide((const char *)gateway->api_key.bytes, texts[i]);
		for (size_t j = 0; j < gateway->callback_secret_count; j++)
			hide((const char *)gateway->callback_secrets[j].bytes, texts[i]);
	}
}

bool gateway_answer_from_fate(const struct http_answer *http, struct gateway_answer *answer)
{
	*answer = (struct gateway_answer){ .http_status = http->status };
	snprintf(answer->reason, sizeof answer->reason, "%s", http->reason);
	switch (http->fate) {
	case HTTP_NOT_SENT:
		answer->event = AE_NOT_SENT;
		return true;
	case HTTP_SENT_NO_ANSWER:
		answer->event = AE_LOST;
		return true;
	case HTTP_ANSWERED:
		break;
	}
	gateway_answer_mask(answer, http->body, http->body_size);
	answer->event = AE_LOST;
	/*
	 * More than one request's bytes went out: whatever the answer says, there may be two
	 * charges.
	 */
	if (http->resent)
		snprintf(answer->reason, sizeof answer->reason,
			 "the request went out more than once");
	return http->resent;
}
