/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/key.h"

#include "service/control.h"

#define REUSED                                                                                     \
	"The first request with this Idempotency-Key was another one: send the same content to "   \
	"the same path, or another key."

bool key_take(struct call *call, char key[IDEMPOTENCY_KEY_SIZE])
{
	const char *why = NULL;
	const enum err err = idempotency_key_read(call->http, key, &why);

	if (err != ERR_OK)
		call_refuse(call, err, why);
	return err == ERR_OK;
}

bool key_take_required(struct call *call, char key[IDEMPOTENCY_KEY_SIZE])
{
	if (!key_take(call, key))
		return false;
	if (*key == '\0')
		call_refuse(call, ERR_KEY_REQUIRED,
			    "Send an Idempotency-Key: the same one again when you repeat this.");
	return *key != '\0';
}

void key_refuse_reused(struct call *call, const char *const *names, size_t count,
		       unsigned differing)
{
	json_t *errors = json_array();

	for (size_t i = 0; i < count; i++)
		if ((differing >> i & 1) != 0)
			problem_error_add(errors, names[i], PROBLEM_IN_BODY, "differs",
					  "differs from the first request with this key");
	call_refuse_errors(call, ERR_KEY_REUSED, REUSED, errors);
}

void key_refuse_reused_fields(struct call *call, const struct field_spec *specs, size_t count,
			      unsigned differing)
{
	const char *names[FIELD_MEMBERS_MAX];

	for (size_t i = 0; i < count; i++)
		names[i] = specs[i].name;
	key_refuse_reused(call, names, count, differing);
}

void key_count(struct call *call, const char *key, enum metrics_counter counter)
{
	if (*key != '\0')
		metrics_count(call->app->metrics, counter);
}

enum err key_find(const struct call *call, const char *key)
{
	struct operation_key found;

	if (*key == '\0')
		return ERR_NOT_FOUND;
	return control_find_key(call->app->pool, call->claims.merchant, key, call_wait_ms(call),
				&found);
}
