/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/control.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "sandbox/profile.h"
#include "sandbox/route.h"

#define MODE_DEPTH_MAX 1

static void health_get(void *context, struct http_exchange *exchange, const char *name,
		       struct answer *answer)
{
	struct render body = {0};

	(void)context;
	(void)exchange;
	(void)name;
	render_begin(&body, '{');
	render_text(&body, "status", "ok");
	render_end(&body, '}');
	answer_send(answer, 200, &body);
}

static void ledger_get(void *context, struct http_exchange *exchange, const char *name,
		       struct answer *answer)
{
	struct control *control = context;
	struct render body = {0};
	size_t count;
	const char *reference = http_exchange_query(exchange, "reference", &count);

	(void)name;
	if (count > 1 || (count == 1 && reference == NULL)) {
		answer_refuse(answer, REFUSAL_REFERENCE, NULL);
		return;
	}
	ledger_render(control->ledger, reference, &body);
	answer_send(answer, 200, &body);
}

static void gateways_get(void *context, struct http_exchange *exchange, const char *name,
			 struct answer *answer)
{
	struct control *control = context;
	struct render body = {0};

	(void)exchange;
	(void)name;
	render_begin(&body, '[');
	for (size_t i = 0; i < PROFILE_COUNT; i++) {
		struct gateway_state state = gateway_state_get(control->gateways[i]);

		render_begin(&body, '{');
		render_text(&body, "name", profile_row(i)->name);
		render_integer(&body, "port", control->port + profile_row(i)->port_offset);
		render_text(&body, "mode", words_text(gateway_mode_words, (int)state.mode));
		render_integer(&body, "ms", state.ms);
		render_integer(&body, "requests", (int64_t)state.requests);
		render_integer(&body, "charges", (int64_t)state.charges);
		render_end(&body, '}');
	}
	render_end(&body, ']');
	answer_send(answer, 200, &body);
}

static bool members_known(json_t *object)
{
	size_t known = json_object_get(object, "ms") == NULL ? 1 : 2;

	return json_object_size(object) == known;
}

/* {"mode":"slow","ms":250}; `ms` counts for slow only and may be left out with the others. */
static bool mode_read(json_t *object, enum gateway_mode *mode, int *ms)
{
	const char *word = json_string_value(json_object_get(object, "mode"));
	const json_t *number = json_object_get(object, "ms");
	json_int_t value = json_integer_value(number);
	int found = word == NULL ? -1 : words_find(gateway_mode_words, word);

	if (found < 0 || !members_known(object) || (number != NULL && !json_is_integer(number)))
		return false;
	if (value < (found == GATEWAY_SLOW ? 1 : 0) || value > GATEWAY_MODE_MAX_MS)
		return false;
	*mode = (enum gateway_mode)found;
	*ms = found == GATEWAY_SLOW ? (int)value : 0;
	return true;
}

static bool mode_body_read(const struct http_exchange *exchange, enum gateway_mode *mode, int *ms,
			   struct answer *answer)
{
	char why[JSON_WHY_SIZE];
	json_t *object = NULL;
	bool good;

	if (exchange->body_too_large) {
		answer_refuse(answer, REFUSAL_BODY_TOO_LARGE, NULL);
		return false;
	}
	if (json_read(exchange->body, exchange->body_size, MODE_DEPTH_MAX, &object, why) !=
	    ERR_OK) {
		answer_refuse(answer, REFUSAL_MALFORMED, why);
		return false;
	}
	good = mode_read(object, mode, ms);
	json_decref(object);
	if (!good)
		answer_refuse(answer, REFUSAL_MODE, NULL);
	return good;
}

static void mode_answer(size_t gateway, enum gateway_mode mode, int ms, struct answer *answer)
{
	const char *name = profile_row(gateway)->name;
	const char *word = words_text(gateway_mode_words, (int)mode);
	struct render body = {0};

	log_info("gateway mode", LOG_TEXT("gateway", name), LOG_TEXT("mode", word),
		 LOG_INT("ms", ms));
	render_begin(&body, '{');
	render_text(&body, "gateway", name);
	render_text(&body, "mode", word);
	render_integer(&body, "ms", ms);
	render_end(&body, '}');
	answer_send(answer, 200, &body);
}

static void mode_put(void *context, struct http_exchange *exchange, const char *name,
		     struct answer *answer)
{
	struct control *control = context;
	size_t gateway = profile_find(name);
	enum gateway_mode mode;
	int ms;

	if (gateway == PROFILE_COUNT) {
		answer_refuse(answer, REFUSAL_GATEWAY, NULL);
		return;
	}
	if (!mode_body_read(exchange, &mode, &ms, answer))
		return;
	if (gateway_mode_set(control->gateways[gateway], mode, ms) != ERR_OK)
		answer_refuse(answer, REFUSAL_PORT, NULL);
	else
		mode_answer(gateway, mode, ms, answer);
}

/* The entry of a gateway's id that waits for its verdict; NULL where there is none. */
static struct entry *entry_waiting(struct control *control, const char *id)
{
	for (size_t i = 0; i < PROFILE_COUNT; i++) {
		struct entry *entry = ledger_by_id(control->ledger, i, id);

		if (entry != NULL &&
		    !entry_status_is_decided(ledger_status(control->ledger, entry)))
			return entry;
	}
	return NULL;
}

static void complete_post(void *context, struct http_exchange *exchange, const char *name,
			  struct answer *answer)
{
	struct control *control = context;
	struct entry *entry = entry_waiting(control, name);
	struct render body = {0};

	(void)exchange;
	if (entry == NULL) {
		answer_refuse(answer, REFUSAL_UNKNOWN_OPERATION, NULL);
		return;
	}
	if (callback_hasten(control->callbacks, entry) != ERR_OK) {
		answer_close(answer);
		return;
	}
	render_begin(&body, '{');
	render_text(&body, "id", name);
	render_text(&body, "outcome",
		    words_text(entry_status_words, (int)entry->verdict.final));
	render_end(&body, '}');
	answer_send(answer, 202, &body);
}

static const struct route routes[] = {
	{"GET", "/healthz", health_get},
	{"GET", "/_sandbox/ledger", ledger_get},
	{"GET", "/_sandbox/gateways", gateways_get},
	{"PUT", "/_sandbox/gateways/*/mode", mode_put},
	{"POST", "/_sandbox/operations/*/complete", complete_post},
};

void control_serve(void *context, struct http_exchange *exchange, struct answer *answer)
{
	route_dispatch(routes, sizeof routes / sizeof routes[0], context, exchange, answer);
}
