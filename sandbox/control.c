/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/control.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "sandbox/damage.h"
#include "sandbox/profile.h"
#include "sandbox/route.h"
#include "sandbox/settlement.h"

#define MODE_DEPTH_MAX 1
#define SETTLEMENT_DEPTH_MAX 2

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

/* The body as one object, which is the caller's. False: *answer refuses. */
static bool body_read(const struct http_exchange *exchange, size_t depth_max, json_t **object,
		      struct answer *answer)
{
	char why[JSON_WHY_SIZE];

	if (exchange->body_too_large) {
		answer_refuse(answer, REFUSAL_BODY_TOO_LARGE, NULL);
		return false;
	}
	if (json_read(exchange->body, exchange->body_size, depth_max, object, why) != ERR_OK) {
		answer_refuse(answer, REFUSAL_MALFORMED, why);
		return false;
	}
	return true;
}

static bool mode_body_read(const struct http_exchange *exchange, enum gateway_mode *mode, int *ms,
			   struct answer *answer)
{
	json_t *object;
	bool good;

	if (!body_read(exchange, MODE_DEPTH_MAX, &object, answer))
		return false;
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

/* Plant what is asked for; *message says what is wrong with it. */
static bool damage_read(const json_t *damage, struct settlement *settlement, const char **message)
{
	size_t index;
	const json_t *kind;

	if (damage == NULL)
		return true;
	if (!json_is_array(damage))
		return false;
	json_array_foreach(damage, index, kind) {
		enum err err = json_is_string(kind)
				       ? damage_plant(settlement, json_string_value(kind))
				       : ERR_INVALID;

		if (err == ERR_TOO_LONG)
			*message = "There are not enough lines for this damage.";
		if (err != ERR_OK)
			return false;
	}
	return true;
}

/* {"gateway":"alpha","date":"2026-11-28","damage":["amount"]} */
static bool settlement_read(const struct control *control, const json_t *object,
			    struct settlement *settlement, const char **message)
{
	const char *name = json_string_value(json_object_get(object, "gateway"));
	const char *date = json_string_value(json_object_get(object, "date"));
	const json_t *damage = json_object_get(object, "damage");
	size_t gateway = name == NULL ? PROFILE_COUNT : profile_find(name);

	if (gateway == PROFILE_COUNT || date == NULL ||
	    json_object_size(object) != (damage == NULL ? 2 : 3) ||
	    settlement_gather(control->ledger, gateway, date, settlement) != ERR_OK)
		return false;
	return damage_read(damage, settlement, message);
}

static void settlement_answer(const struct control *control, const struct settlement *settlement,
			      struct answer *answer)
{
	struct render manifest = {0};

	if (settlement_write(settlement, control->settlement_directory, &manifest) == ERR_OK) {
		answer_send(answer, 200, &manifest);
		return;
	}
	render_done(&manifest);
	answer_refuse(answer, REFUSAL_SETTLEMENT_FILE, NULL);
}

static void settlement_post(void *context, struct http_exchange *exchange, const char *name,
			    struct answer *answer)
{
	struct settlement settlement = {0};
	const char *message = NULL;
	json_t *object;

	(void)name;
	if (!body_read(exchange, SETTLEMENT_DEPTH_MAX, &object, answer))
		return;
	if (settlement_read(context, object, &settlement, &message))
		settlement_answer(context, &settlement, answer);
	else
		answer_refuse(answer, REFUSAL_SETTLEMENT, message);
	settlement_done(&settlement);
	json_decref(object);
}

static const struct route routes[] = {
	{"GET", "/healthz", health_get},
	{"GET", "/_sandbox/ledger", ledger_get},
	{"GET", "/_sandbox/gateways", gateways_get},
	{"PUT", "/_sandbox/gateways/*/mode", mode_put},
	{"POST", "/_sandbox/operations/*/complete", complete_post},
	{"POST", "/_sandbox/settlement", settlement_post},
};

void control_serve(void *context, struct http_exchange *exchange, struct answer *answer)
{
	route_dispatch(routes, sizeof routes / sizeof routes[0], context, exchange, answer);
}
