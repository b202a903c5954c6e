/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/problem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "core/card.h"
#include "core/text.h"

#define INSTANCE_MAX 128
#define TYPE_SIZE 96
#define DETAIL_SIZE 600
#define FIELDS_SIZE 512 /* of the detail that are for fields */

static const struct retry {
	enum err err;
	int after_s;
} retries[] = {
	{ ERR_LIMITED, 1 },     { ERR_LOCKED_OUT, 1 }, { ERR_BUSY, 1 },
	{ ERR_UNAVAILABLE, 2 }, { ERR_OVERLOADED, 1 }, { ERR_DRAINING, 5 },
	{ ERR_DEADLINE, 1 },    { ERR_UNCERTAIN, 1 },  { ERR_KEY_IN_FLIGHT, 1 },
};

#define REPEAT "Repeat the request as it was, after as many seconds as Retry-After says."
#define SUPPORT "Name the api_call_id to support: the log says more."

/* What can be said of any of its kind, where the handler knows no more. */
static const struct detail {
	enum err err;
	const char *text;
} details[] = {
	{ ERR_SIGNATURE, "Sign the body's bytes as the gateway does, with the secret agreed on." },
	{ ERR_MERCHANT, "Have this server's operator add the merchant, or send another token." },
	{ ERR_LIMITED,
	  "Send fewer requests, and this one after as many seconds as Retry-After says." },
	{ ERR_LOCKED_OUT, "Send valid credentials, after as many seconds as Retry-After says." },
	{ ERR_KEY_REQUIRED, "Send an Idempotency-Key: the same one again when you repeat this." },
	{ ERR_METHOD, "The header Allow has the methods that this path takes." },
	{ ERR_STALE, "It has changed since: read it again, then decide anew." },
	{ ERR_KEY_IN_FLIGHT, "Repeat it with the same key, which gets the first one's answer." },
	{ ERR_BUSY, REPEAT },
	{ ERR_UNAVAILABLE, REPEAT },
	{ ERR_OVERLOADED, REPEAT },
	{ ERR_DRAINING, REPEAT },
	{ ERR_DEADLINE, REPEAT },
	{ ERR_STORE, SUPPORT },
	{ ERR_MEMORY, SUPPORT },
	{ ERR_CRYPTO, SUPPORT },
	{ ERR_INTERNAL, SUPPORT },
};

int problem_status(enum err err)
{
	return err == ERR_UNCERTAIN ? 503 : err_row(err)->http_status;
}

int problem_retry_after_s(const struct problem *problem)
{
	if (problem->retry_after_s > 0)
		return problem->retry_after_s;
	for (size_t i = 0; i < sizeof retries / sizeof retries[0]; i++)
		if (retries[i].err == problem->err)
			return retries[i].after_s;
	return 0;
}

static bool instance_is_harmless(const char *path)
{
	const size_t size = strnlen(path, INSTANCE_MAX + 1);

	return size <= INSTANCE_MAX && text_is(TEXT_VISIBLE, path, size) &&
	       !card_number_in(path, size);
}

/* Jansson's setters take NULL as "memory was short" and say so, which the caller's final text would show. */
static bool member_text(json_t *object, const char *name, const char *text)
{
	return text == NULL || json_object_set_new(object, name, json_string(text)) == 0;
}

static bool member_texts(json_t *object, const char *name, const char *const *texts)
{
	json_t *array;

	if (texts == NULL)
		return true;
	array = json_array();
	for (; array != NULL && *texts != NULL; texts++)
		if (json_array_append_new(array, json_string(*texts)) != 0) {
			json_decref(array);
			return false;
		}
	return json_object_set_new(object, name, array) == 0;
}

/* "amount: must be greater than zero; currency: …." */
static void fields_write(const json_t *errors, char out[DETAIL_SIZE])
{
	const size_t count = json_array_size(errors);
	size_t used = 0, i;

	for (i = 0; i < count && used < FIELDS_SIZE; i++) {
		const json_t *entry = json_array_get(errors, i);
		const char *field = json_string_value(json_object_get(entry, "field"));
		const char *message = json_string_value(json_object_get(entry, "message"));
		const int size = snprintf(out + used, FIELDS_SIZE - used, "%s%s: %s",
					  i > 0 ? "; " : "", field, message);

		if (size < 0 || (size_t)size >= FIELDS_SIZE - used)
			break;
		used += (size_t)size;
	}
	if (i < count)
		(void)snprintf(out + used, DETAIL_SIZE - used, "; and %zu more.", count - i);
	else
		(void)snprintf(out + used, DETAIL_SIZE - used, ".");
}

/* Every problem has one. */
static const char *detail_of(const struct problem *problem, char out[DETAIL_SIZE])
{
	if (problem->detail != NULL)
		return problem->detail;
	if (json_array_size(problem->errors) > 0) {
		fields_write(problem->errors, out);
		return out;
	}
	for (size_t i = 0; i < sizeof details / sizeof details[0]; i++)
		if (details[i].err == problem->err)
			return details[i].text;
	(void)snprintf(out, DETAIL_SIZE, "%s.", err_row(problem->err)->title);
	return out;
}

static json_t *problem_object(const struct problem *problem)
{
	const struct err_row *row = err_row(problem->err);
	char detail[DETAIL_SIZE];
	const int after_s = problem_retry_after_s(problem);
	const char *instance = problem->instance;
	char type[TYPE_SIZE];
	json_t *object;

	if (instance != NULL && !instance_is_harmless(instance))
		instance = NULL;
	(void)snprintf(type, sizeof type, "/errors/%s", row->code);
	object = json_pack("{s:s, s:s, s:i}", "type", type, "title", row->title, "status",
			   problem_status(problem->err));
	if (object == NULL)
		return NULL;
	if (member_text(object, "detail", detail_of(problem, detail)) &&
	    member_text(object, "instance", instance) && member_text(object, "code", row->code) &&
	    member_text(object, "api_call_id", problem->api_call_id) &&
	    json_object_set_new(object, "retryable",
				json_boolean(err_retryable(problem->err) || after_s > 0)) == 0 &&
	    (after_s == 0 ||
	     json_object_set_new(object, "retry_after", json_integer(after_s)) == 0) &&
	    member_text(object, "current_status", problem->current_status) &&
	    member_texts(object, "allowed_actions", problem->allowed_actions) &&
	    (problem->further == NULL ||
	     json_object_update_missing(object, (json_t *)(uintptr_t)problem->further) == 0) &&
	    (problem->errors == NULL ||
	     json_object_set_new(object, "errors", json_deep_copy(problem->errors)) == 0))
		return object;
	json_decref(object);
	return NULL;
}

char *problem_text(const struct problem *problem, size_t *size)
{
	json_t *object = problem_object(problem);
	char *text = object != NULL ? json_text(object) : NULL;

	json_decref(object);
	if (text != NULL)
		*size = strlen(text);
	return text;
}

/* "/a~1b" for the member "a/b". */
static void pointer_make(const char *field, char out[2 * FIELD_NAME_SIZE + 1])
{
	size_t used = 0;

	out[used++] = '/';
	for (; *field != '\0'; field++) {
		const bool special = *field == '~' || *field == '/';

		if (used + 2 >= 2 * FIELD_NAME_SIZE)
			break;
		out[used++] = special ? '~' : *field;
		if (special)
			out[used++] = *field == '~' ? '0' : '1';
	}
	out[used] = '\0';
}

void problem_error_add(json_t *errors, const char *field, enum problem_place place,
		       const char *code, const char *message)
{
	char pointer[2 * FIELD_NAME_SIZE + 1];
	json_t *entry;

	pointer_make(field, pointer);
	if (place == PROBLEM_IN_BODY)
		entry = json_pack("{s:s, s:s, s:s, s:s}", "field", field, "pointer", pointer,
				  "code", code, "message", message);
	else
		entry = json_pack("{s:s, s:s, s:s}", "field", field, "code", code, "message",
				  message);
	if (entry != NULL)
		(void)json_array_append_new(errors, entry);
}

json_t *problem_errors(const struct field_errors *errors)
{
	json_t *array = json_array();

	for (size_t i = 0; array != NULL && i < errors->count; i++)
		problem_error_add(array, errors->list[i].field, PROBLEM_IN_BODY,
				  field_code_word(errors->list[i].code), errors->list[i].message);
	return array;
}
