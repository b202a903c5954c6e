/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/metadata.h"

#include <string.h>

#include "base/json.h"

/* Members of a text that was written canonically: it is one object of strings, or "". */
static enum err members_read(const char *text, json_t **object,
			     struct field_pair pairs[FIELD_MEMBERS_MAX], size_t *count)
{
	char why[JSON_WHY_SIZE];
	const char *name;
	json_t *value;
	enum err err;

	*count = 0;
	*object = NULL;
	if (*text == '\0')
		return ERR_OK;
	err = json_read(text, strlen(text), 2, object, why);
	if (err != ERR_OK)
		return err;
	json_object_foreach(*object, name, value)
	{
		if (*count < FIELD_MEMBERS_MAX)
			pairs[(*count)++] = (struct field_pair){
				.name = name,
				.text = json_string_value(value),
				.text_size = json_string_length(value),
			};
	}
	return ERR_OK;
}

enum err metadata_merge(const char *there, const struct field_value *metadata,
			char out[PAYMENT_METADATA_SIZE])
{
	struct field_pair pairs[FIELD_MEMBERS_MAX];
	json_t *object;
	size_t count;
	enum err err;

	if (metadata->kind == VALUE_NULL) {
		out[0] = '\0';
		return ERR_OK;
	}
	err = members_read(there, &object, pairs, &count);
	if (err == ERR_OK && !amendment_merge(pairs, count, metadata, out))
		err = ERR_TOO_LONG;
	json_decref(object);
	return err;
}
