/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/conf_private.h"

#include <assert.h>
#include <inttypes.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "core/text.h"

#define FAULT_SIZE 512
#define WORDS_SIZE 256

struct conf_place conf_place_of(const config_setting_t *member)
{
	const struct conf_place *place = config_setting_get_hook(member);

	if (place != NULL)
		return *place;
	return (struct conf_place){ .line = config_setting_source_line(member) };
}

const char *conf_kind(const config_setting_t *member)
{
	switch (config_setting_type(member)) {
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
	case CONFIG_TYPE_FLOAT:
		return "a number";
	case CONFIG_TYPE_STRING:
		return "a text";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_ARRAY:
		return "an array";
	default:
		return "a list";
	}
}

static bool is_integer(const config_setting_t *member)
{
	int type = config_setting_type(member);

	return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

bool conf_is_refused(const config_setting_t *member)
{
	return is_integer(member) && config_setting_get_format(member) == CONFIG_FORMAT_HEX;
}

static void text_bounds(const struct conf_setting *setting, int64_t *min, int64_t *max)
{
	bool any = setting->min == 0 && setting->max == 0;

	*min = setting->min;
	*max = any || setting->max >= CONF_TEXT_SIZE ? CONF_TEXT_SIZE - 1 : setting->max;
}

/* What is wrong with a text, as the end of a sentence; NULL where nothing is. */
static const char *text_fault(const struct conf_setting *setting, const char *text, char *out,
			      size_t out_size)
{
	size_t size = strlen(text);
	int64_t min, max;

	if (setting->default_text != NULL && strcmp(text, setting->default_text) == 0)
		return NULL;
	if (!text_is_utf8(text, size))
		return "must be UTF-8 text";
	if (text_has_control(text, size))
		return "must not hold control characters";
	text_bounds(setting, &min, &max);
	if (size == 0 && min > 0)
		return "must not be empty";
	if ((int64_t)size >= min && (int64_t)size <= max)
		return NULL;
	snprintf(out, out_size, "must have %" PRId64 " to %" PRId64 " bytes, but has %zu", min, max,
		 size);
	return out;
}

static bool is_word(const struct conf_setting *setting, const char *text)
{
	for (size_t i = 0; setting->words[i] != NULL; i++)
		if (strcmp(setting->words[i], text) == 0)
			return true;
	return false;
}

static const char *word_fault(const struct conf_setting *setting, const char *text, char *out,
			      size_t out_size)
{
	char words[WORDS_SIZE] = "";
	struct near near;
	const char *best;

	if (is_word(setting, text))
		return NULL;
	near_start(&near, text);
	for (size_t i = 0; setting->words[i] != NULL; i++) {
		size_t used = strlen(words);

		near_offer(&near, setting->words[i]);
		snprintf(words + used, sizeof words - used, "%s\"%s\"", i == 0 ? "" : ", ",
			 setting->words[i]);
	}
	best = near_best(&near);
	snprintf(out, out_size, "must be one of %s%s%s%s", words,
		 best == NULL ? "" : "; did you mean \"", best == NULL ? "" : best,
		 best == NULL ? "" : "\"?");
	return out;
}

static const char *integer_fault(const struct conf_setting *setting, int64_t integer, char *out,
				 size_t out_size)
{
	if (integer >= setting->min && integer <= setting->max)
		return NULL;
	snprintf(out, out_size, "must be from %" PRId64 " to %" PRId64 ", but is %" PRId64,
		 setting->min, setting->max, integer);
	return out;
}

static void value_set_text(struct conf_load *load, struct conf_value *value, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL) {
		conf_problems_raise(load->problems, ERR_MEMORY);
		return;
	}
	free(value->text);
	value->text = copy;
}

/* False where the path would be longer than a text may be. */
static bool value_set_path(struct conf_load *load, struct conf_value *value, const char *path)
{
	char joined[CONF_PATH_SIZE + CONF_TEXT_SIZE + 2];

	if (path[0] == '\0' || path[0] == '/') {
		value_set_text(load, value, path);
		return true;
	}
	snprintf(joined, sizeof joined, "%s/%s", load->directory, path);
	if (strlen(joined) >= CONF_TEXT_SIZE)
		return false;
	value_set_text(load, value, joined);
	return true;
}

/* Take a value in; returns what is wrong with it, or NULL. */
static const char *value_set(struct conf_load *load, const struct conf_setting *setting,
			     const config_setting_t *member, struct conf_value *value, char *out,
			     size_t out_size)
{
	const char *text = config_setting_get_string(member);
	const char *fault = NULL;
	int64_t integer;

	switch (setting->type) {
	case CONF_TEXT:
		fault = text_fault(setting, text, out, out_size);
		if (fault == NULL)
			value_set_text(load, value, text);
		break;
	case CONF_PATH:
		fault = text_fault(setting, text, out, out_size);
		if (fault == NULL && !value_set_path(load, value, text))
			fault = "is too long once its directory stands before it";
		break;
	case CONF_WORD:
		fault = word_fault(setting, text, out, out_size);
		if (fault == NULL)
			value_set_text(load, value, text);
		break;
	case CONF_INT:
		integer = config_setting_get_int64(member);
		fault = integer_fault(setting, integer, out, out_size);
		if (fault == NULL)
			value->integer = integer;
		break;
	case CONF_BOOL:
		value->integer = config_setting_get_bool(member) ? 1 : 0;
		break;
	}
	return fault;
}

/* What the file must hold for a setting of this type; NULL where `member` is that. */
static const char *type_fault(const struct conf_setting *setting, const config_setting_t *member)
{
	switch (setting->type) {
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_WORD:
		return config_setting_type(member) == CONFIG_TYPE_STRING
			       ? NULL
			       : "a text in double quotes";
	case CONF_INT:
		return is_integer(member) ? NULL : "a whole number without quotes";
	case CONF_BOOL:
		return config_setting_type(member) == CONFIG_TYPE_BOOL
			       ? NULL
			       : "true or false without quotes";
	}
	return NULL;
}

void conf_value_load(struct conf_load *load, const struct conf_setting *setting,
		     const config_setting_t *member, struct conf_value *value, const char *name)
{
	const char *wanted = type_fault(setting, member);
	struct conf_place place = conf_place_of(member);
	const char *fault;
	char out[FAULT_SIZE];

	value->given = true;
	value->place = place;
	value->file = load->file;
	if (conf_is_refused(member))
		return;
	if (wanted != NULL) {
		conf_problem(load->problems, load->path, place, "%s must be %s, not %s", name,
			     wanted, conf_kind(member));
		return;
	}
	fault = value_set(load, setting, member, value, out, sizeof out);
	if (fault != NULL)
		conf_problem(load->problems, load->path, place, "%s %s", name, fault);
}

void conf_value_default(struct conf_load *load, const struct conf_setting *setting,
			struct conf_value *value)
{
	const char *text = setting->default_text;
	bool fits = true;
	char *end;

	switch (setting->type) {
	case CONF_TEXT:
		value_set_text(load, value, text);
		break;
	case CONF_PATH:
		fits = value_set_path(load, value, text);
		break;
	case CONF_WORD:
		fits = is_word(setting, text);
		value_set_text(load, value, text);
		break;
	case CONF_INT:
		value->integer = strtoll(text, &end, 10);
		fits = end != text && *end == '\0' && value->integer >= setting->min &&
		       value->integer <= setting->max;
		break;
	case CONF_BOOL:
		value->integer = strcmp(text, "true") == 0 ? 1 : 0;
		fits = value->integer == 1 || strcmp(text, "false") == 0;
		break;
	}
	assert(fits);
	(void)fits;
}
