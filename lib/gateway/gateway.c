/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "gateway/gateway.h"

#include "core/card.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

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

void gateway_answer_mask(struct gateway_answer *answer, const char *body, size_t size)
{
	size_t kept = size < sizeof answer->masked - 1 ? size : sizeof answer->masked - 1;

	for (size_t i = 0; i < kept; i++)
		answer->masked[i] = body[i] >= ' ' && body[i] <= '~' ? body[i] : '?';
	answer->masked[kept] = '\0';
	card_mask(answer->masked, kept);
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
