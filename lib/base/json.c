/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NAME_SHOWN_MAX (JSON_NAME_SIZE - 1)

/* What jansson refused, in our words: its own quote the input. */
static const char *const refusals[] = {
	[json_error_invalid_utf8] = "The text is not valid UTF-8",
	[json_error_premature_end_of_input] = "The JSON ends too early",
	[json_error_end_of_input_expected] = "Something follows the JSON object",
	[json_error_null_character] = "The character \\u0000 is not allowed",
	[json_error_null_byte_in_key] = "The character \\u0000 is not allowed in a name",
	[json_error_duplicate_key] = "A member is given twice",
};

static void why_at(char why[JSON_WHY_SIZE], const char *what, int line, int column)
{
	(void)snprintf(why, JSON_WHY_SIZE, "%s (line %d, column %d)", what, line, column);
}

/* A walk over JSON text that knows strings from structure and nothing else. */
struct scan {
	bool in_string;
	bool escaped;
	size_t depth;
	int line, column;
};

/* Take one byte in. True outside strings (the quote that opens one counts as outside). */
static bool scan_byte(struct scan *scan, unsigned char byte)
{
	scan->column++;
	if (byte == '\n') {
		scan->line++;
		scan->column = 0;
	}
	if (!scan->in_string) {
		scan->in_string = byte == '"';
		if (byte == '{' || byte == '[')
			scan->depth++;
		else if ((byte == '}' || byte == ']') && scan->depth > 0)
			scan->depth--;
		return true;
	}
	if (!scan->escaped && byte == '"')
		scan->in_string = false;
	scan->escaped = !scan->escaped && byte == '\\';
	return false;
}

/* Refuse what must not reach the parser, which nests as deep as it is told to. */
static enum err prescan(const unsigned char *bytes, size_t size, size_t depth_max,
			char why[JSON_WHY_SIZE])
{
	struct scan scan = { .line = 1 };

	for (size_t i = 0; i < size; i++) {
		(void)scan_byte(&scan, bytes[i]);
		if (bytes[i] == '\0') {
			why_at(why, "A NUL byte is not allowed", scan.line, scan.column);
			return ERR_MALFORMED;
		}
		if (scan.depth > depth_max) {
			why_at(why, "The JSON is nested too deeply", scan.line, scan.column);
			return ERR_MALFORMED;
		}
	}
	return ERR_OK;
}

/* An object must open: a byte order mark, an array and a bare value get their own words. */
static enum err check_start(const unsigned char *bytes, size_t size, char why[JSON_WHY_SIZE])
{
	size_t at = 0;

	if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		why_at(why, "A byte order mark is not allowed", 1, 1);
		return ERR_MALFORMED;
	}
	while (at < size && memchr(" \t\r\n", bytes[at], 4) != NULL)
		at++;
	if (at == size) {
		(void)snprintf(why, JSON_WHY_SIZE, "The JSON is empty: an object is expected");
		return ERR_MALFORMED;
	}
	if (bytes[at] != '{') {
		(void)snprintf(why, JSON_WHY_SIZE, "The JSON must be one object");
		return ERR_MALFORMED;
	}
	return ERR_OK;
}

static bool name_shown(const unsigned char *name, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (name[i] != '_' && (name[i] < 'a' || name[i] > 'z'))
			return false;
	}
	return size > 0 && size <= NAME_SHOWN_MAX;
}

/*
 * Size and start of the name of the member whose value ends at `size`; 0 where it cannot be told
 * for sure (after the end of a nested value) or may not be shown. *depth: in how many containers it is.
 */
static size_t last_name(const unsigned char *bytes, size_t size, const unsigned char **name,
			size_t *depth)
{
	struct scan scan = { .line = 1 };
	size_t begun = 0, ended = 0, name_size = 0;

	for (size_t i = 0; i < size; i++) {
		bool inside = scan.in_string;
		bool structure = scan_byte(&scan, bytes[i]);

		if (!inside && scan.in_string)
			begun = i + 1;
		if (inside && !scan.in_string)
			ended = i;
		if (!structure)
			continue;
		if (bytes[i] == ':') {
			*name = bytes + begun;
			name_size = ended - begun;
		} else if (bytes[i] == '}' || bytes[i] == ']') {
			name_size = 0;
		}
	}
	*depth = scan.depth;
	return name_shown(*name, name_size) ? name_size : 0;
}

/* The same for the value that ends where jansson stopped. */
static size_t refused_name(const unsigned char *bytes, size_t size, const json_error_t *error,
			   const unsigned char **name, size_t *depth)
{
	const size_t end = error->position > 0 ? (size_t)error->position : 0;

	*name = bytes;
	return last_name(bytes, end < size ? end : size, name, depth);
}

static enum err refuse_number(const unsigned char *bytes, size_t size, const json_error_t *error,
			      char why[JSON_WHY_SIZE])
{
	const unsigned char *name;
	size_t depth;
	const size_t name_size = refused_name(bytes, size, error, &name, &depth);
	char what[JSON_WHY_SIZE / 2] = "A number does not fit 64 bits";

	if (name_size > 0)
		(void)snprintf(what, sizeof what, "The number in %.*s does not fit 64 bits",
			       (int)name_size, (const char *)name);
	why_at(why, what, error->line, error->column);
	return ERR_INVALID;
}

static enum err refuse(const unsigned char *bytes, size_t size, const json_error_t *error,
		       char why[JSON_WHY_SIZE])
{
	size_t code = (size_t)json_error_code(error);
	const char *what = code < sizeof refusals / sizeof *refusals ? refusals[code] : NULL;

	if (code == json_error_out_of_memory) {
		(void)snprintf(why, JSON_WHY_SIZE, "Out of memory");
		return ERR_MEMORY;
	}
	if (code == json_error_numeric_overflow)
		return refuse_number(bytes, size, error, why);
	why_at(why, what != NULL ? what : "The text is not valid JSON", error->line, error->column);
	return ERR_MALFORMED;
}

enum err json_read(const void *bytes, size_t size, size_t depth_max, json_t **object,
		   char why[JSON_WHY_SIZE])
{
	json_error_t error;
	json_t *value;
	enum err err = check_start(bytes, size, why);

	if (err == ERR_OK)
		err = prescan(bytes, size, depth_max, why);
	if (err != ERR_OK)
		return err;
	value = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
	if (value == NULL)
		return refuse(bytes, size, &error, why);
	assert(json_is_object(value));
	*object = value;
	return ERR_OK;
}

bool json_overflow_name(const void *bytes, size_t size, char name[JSON_NAME_SIZE])
{
	const unsigned char *at;
	json_error_t error;
	size_t depth, name_size;
	json_t *value = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);

	if (value != NULL || json_error_code(&error) != json_error_numeric_overflow) {
		json_decref(value);
		return false;
	}
	name_size = refused_name(bytes, size, &error, &at, &depth);
	if (name_size == 0 || depth != 1)
		return false;
	memcpy(name, at, name_size);
	name[name_size] = '\0';
	return true;
}

static size_t pairs_add(json_t *object, struct json_arena *arena)
{
	size_t before = arena->used;
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		arena->pairs[arena->used++] = (struct field_pair){
			.name = name,
			.text = json_string_value(value),
			.text_size = json_string_length(value),
			.null = json_is_null(value),
		};
	}
	return arena->used - before;
}

static enum value_kind kind_of(const json_t *value)
{
	static const enum value_kind kinds[] = {
		[JSON_OBJECT] = VALUE_OBJECT, [JSON_ARRAY] = VALUE_ARRAY,
		[JSON_STRING] = VALUE_STRING, [JSON_INTEGER] = VALUE_INTEGER,
		[JSON_REAL] = VALUE_REAL,     [JSON_TRUE] = VALUE_BOOL,
		[JSON_FALSE] = VALUE_BOOL,    [JSON_NULL] = VALUE_NULL,
	};

	return kinds[json_typeof(value)];
}

static struct field_value value_of(json_t *value, struct json_arena *arena)
{
	struct field_value result = {
		.kind = kind_of(value),
		.boolean = json_is_true(value),
		.integer = json_integer_value(value),
		.text = json_string_value(value),
		.text_size = json_string_length(value),
	};

	if (result.kind == VALUE_OBJECT) {
		result.pairs = arena->pairs + arena->used;
		result.pair_count = pairs_add(value, arena);
	}
	return result;
}

static bool members_fit(json_t *object)
{
	const char *name;
	json_t *value;
	size_t pairs = 0;

	json_object_foreach(object, name, value) pairs += json_object_size(value);
	return json_object_size(object) <= FIELD_MEMBERS_MAX && pairs <= FIELD_PAIRS_MAX;
}

size_t json_members(const json_t *object, struct field_member *members, struct json_arena *arena,
		    enum err *err)
{
	json_t *walked = (json_t *)object; /* jansson's iterators have no const form */
	size_t count = 0;
	const char *name;
	json_t *value;

	if (!members_fit(walked)) {
		*err = ERR_INVALID;
		return 0;
	}
	arena->used = 0;
	json_object_foreach(walked, name, value) members[count++] =
		(struct field_member){ name, value_of(value, arena) };
	*err = ERR_OK;
	return count;
}

char *json_text(const json_t *value)
{
	return json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
}
