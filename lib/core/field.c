/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/field.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/card.h"

#define CARD_TEXT_MAX 37 /* 19 digits and the separators between them */

static const char *const code_words[] = {
	[FIELD_UNKNOWN] = "unknown_field",     [FIELD_MISSING] = "required",
	[FIELD_TYPE] = "wrong_type",           [FIELD_FLOAT] = "float_not_allowed",
	[FIELD_LENGTH] = "wrong_length",       [FIELD_CHARACTERS] = "wrong_characters",
	[FIELD_NOT_A_WORD] = "not_allowed",    [FIELD_CARD_NUMBER] = "card_number",
	[FIELD_CURRENCY] = "unknown_currency", [FIELD_PRECISION] = "too_precise",
	[FIELD_NOT_POSITIVE] = "not_positive", [FIELD_TOO_LARGE] = "too_large",
	[FIELD_SYNTAX] = "wrong_format",
};

static const char *const type_messages[] = {
	[FIELD_TEXT] = "must be a string",
	[FIELD_WORD] = "must be a string",
	[FIELD_AMOUNT] = "must be an integer of minor units or a string of major units",
	[FIELD_OBJECT] = "must be an object whose values are all strings",
	[FIELD_ID] = "must be a string or an integer",
	[FIELD_INTEGER] = "must be an integer",
	[FIELD_BOOLEAN] = "must be true or false",
};

static const char *const class_messages[] = {
	[TEXT_ANY] = "must be UTF-8 text without controls such as line breaks",
	[TEXT_FREE] = "must be UTF-8 text without controls other than tab and line breaks",
	[TEXT_VISIBLE] = "must be visible ASCII characters without blanks",
	[TEXT_WORD] = "must be lower-case letters a-z, digits and _",
	[TEXT_TOKEN] = "must be letters A-Z and a-z, digits and . _ - @ / : +",
	[TEXT_COUNTRY] = "must be an ISO 3166-1 code of two capital letters, such as ID",
	[TEXT_URL] = "must be an http:// or https:// address without user name and fragment",
	[TEXT_DIGITS] = "must be digits",
	[TEXT_EMAIL] = "must be an e-mail address in ASCII, such as ana@shop.example",
	[TEXT_PHONE] = "must be a phone number with + and country code, such as +62 812 3456 789",
	[TEXT_DATE] = "must be a day of the calendar, such as 1990-02-28",
	[TEXT_NATION] = "must be an assigned ISO 3166-1 code of two capital letters, such as ID",
};

const char *field_code_word(enum field_code code)
{
	return code_words[code];
}

/*
 * Names of unknown members are the client's words: a card number in one is masked before the cut,
 * which could otherwise hide the number's end from the detector.
 */
static void name_copy(const char *name, char out[FIELD_NAME_SIZE])
{
	char text[FIELD_NAME_SIZE + CARD_TEXT_MAX];
	const size_t size = strnlen(name, sizeof text);
	const size_t kept = size < FIELD_NAME_SIZE ? size : FIELD_NAME_SIZE - 1;

	memcpy(text, name, size);
	card_mask(text, size);
	for (size_t i = 0; i < kept; i++)
		out[i] = (char)(text_is(TEXT_VISIBLE, &text[i], 1) ? text[i] : '?');
	out[kept] = '\0';
}

void field_error_add(struct field_errors *errors, const char *field, enum field_code code,
		     const char *format, ...)
{
	struct field_error *error;
	va_list arguments;

	if (errors->count >= FIELD_ERRORS_MAX)
		return;
	error = &errors->list[errors->count++];
	name_copy(field, error->field);
	error->code = code;
	va_start(arguments, format);
	vsnprintf(error->message, sizeof error->message, format, arguments);
	va_end(arguments);
}

const struct field_value *field_find(const struct field_member *members, size_t count,
				     const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i].value;
	return NULL;
}

/* Why a value is refused: the first code in order of precedence that applies. */
struct fault {
	bool found;
	enum field_code code;
};

static const struct fault no_fault = { false, FIELD_UNKNOWN };

static struct fault fault_of(enum field_code code)
{
	return (struct fault){ true, code };
}

static bool has_card(const struct field_spec *spec, const char *text, size_t size)
{
	return !spec->may_hold_card && card_number_in(text, size);
}

static struct fault judge_text(const struct field_spec *spec, const struct field_value *value)
{
	const size_t length = text_length(value->text, value->text_size);

	if (length < spec->min || length > spec->max)
		return fault_of(FIELD_LENGTH);
	if (!text_is(spec->class, value->text, value->text_size))
		return fault_of(FIELD_CHARACTERS);
	if (has_card(spec, value->text, value->text_size))
		return fault_of(FIELD_CARD_NUMBER);
	return no_fault;
}

static struct fault judge_word(const struct field_spec *spec, const struct field_value *value)
{
	for (const char *const *word = spec->words; *word; word++)
		if (strlen(*word) == value->text_size &&
		    memcmp(*word, value->text, value->text_size) == 0)
			return no_fault;
	return fault_of(FIELD_NOT_A_WORD);
}

static struct fault judge_pair(const struct field_spec *spec, const struct field_pair *pair)
{
	const size_t name_size = strlen(pair->name);
	const size_t name_length = text_length(pair->name, name_size);
	const char *text = pair->text ? pair->text : "";

	if (!pair->text && !(pair->null && spec->null_members))
		return fault_of(FIELD_TYPE);
	if (name_length < 1 || name_length > FIELD_PAIR_NAME_MAX ||
	    text_length(text, pair->text_size) > FIELD_PAIR_TEXT_MAX)
		return fault_of(FIELD_LENGTH);
	if (!text_is(TEXT_ANY, pair->name, name_size) ||
	    !text_is(spec->class, text, pair->text_size))
		return fault_of(FIELD_CHARACTERS);
	if (has_card(spec, pair->name, name_size) || has_card(spec, text, pair->text_size))
		return fault_of(FIELD_CARD_NUMBER);
	return no_fault;
}

static struct fault judge_object(const struct field_spec *spec, const struct field_value *value)
{
	struct fault worst = no_fault;

	for (size_t i = 0; i < value->pair_count; i++) {
		const struct fault fault = judge_pair(spec, &value->pairs[i]);

		if (fault.found && (!worst.found || fault.code < worst.code))
			worst = fault;
	}
	if (worst.found && worst.code == FIELD_TYPE)
		return worst;
	if (value->pair_count < spec->min || value->pair_count > spec->max)
		return fault_of(FIELD_LENGTH);
	return worst;
}

static struct fault judge_amount(const struct field_value *value)
{
	if (value->kind == VALUE_REAL)
		return fault_of(FIELD_FLOAT);
	if (value->kind != VALUE_INTEGER && value->kind != VALUE_STRING)
		return fault_of(FIELD_TYPE);
	return no_fault;
}

static struct fault judge_id(const struct field_spec *spec, const struct field_value *value)
{
	char digits[24];
	struct field_value text = { .kind = VALUE_STRING, .text = digits };

	if (value->kind == VALUE_STRING)
		return judge_text(spec, value);
	if (value->kind != VALUE_INTEGER)
		return fault_of(FIELD_TYPE);
	if (value->integer < 0)
		return fault_of(FIELD_CHARACTERS);
	text.text_size = (size_t)snprintf(digits, sizeof digits, "%" PRId64, value->integer);
	return judge_text(spec, &text);
}

/* Few enough digits that no sum overflows; no table has larger bounds. */
static bool is_digits(const struct field_value *value)
{
	return value->kind == VALUE_STRING && value->text_size >= 1 && value->text_size <= 9 &&
	       text_is(TEXT_DIGITS, value->text, value->text_size);
}

int64_t field_integer(const struct field_value *value)
{
	int64_t integer = 0;

	if (value->kind == VALUE_INTEGER)
		return value->integer;
	for (size_t i = 0; i < value->text_size; i++)
		integer = integer * 10 + (value->text[i] - '0');
	return integer;
}

static struct fault judge_integer(const struct field_spec *spec, const struct field_value *value)
{
	if (value->kind == VALUE_REAL || (value->kind != VALUE_INTEGER && !is_digits(value)))
		return fault_of(FIELD_TYPE);
	if (field_integer(value) < (int64_t)spec->min || field_integer(value) > (int64_t)spec->max)
		return fault_of(FIELD_NOT_A_WORD);
	return no_fault;
}

static bool is_text(const struct field_value *value, const char *text)
{
	return value->kind == VALUE_STRING && value->text_size == strlen(text) &&
	       memcmp(value->text, text, value->text_size) == 0;
}

bool field_boolean(const struct field_value *value)
{
	return value->kind == VALUE_BOOL ? value->boolean : is_text(value, "true");
}

static struct fault judge_boolean(const struct field_value *value)
{
	if (value->kind == VALUE_BOOL || is_text(value, "true") || is_text(value, "false"))
		return no_fault;
	return fault_of(FIELD_TYPE);
}

/* Rules that take one kind of value only. */
static bool is_of_kind(enum field_rule rule, enum value_kind kind)
{
	if (rule == FIELD_TEXT || rule == FIELD_WORD)
		return kind == VALUE_STRING;
	return rule != FIELD_OBJECT || kind == VALUE_OBJECT;
}

static struct fault judge(const struct field_spec *spec, const struct field_value *value)
{
	if (!is_of_kind(spec->rule, value->kind))
		return fault_of(FIELD_TYPE);
	switch (spec->rule) {
	case FIELD_TEXT:
		return judge_text(spec, value);
	case FIELD_WORD:
		return judge_word(spec, value);
	case FIELD_AMOUNT:
		return judge_amount(value);
	case FIELD_OBJECT:
		return judge_object(spec, value);
	case FIELD_ID:
		return judge_id(spec, value);
	case FIELD_INTEGER:
		return judge_integer(spec, value);
	case FIELD_BOOLEAN:
		return judge_boolean(value);
	}
	return no_fault;
}

static void report_length(struct field_errors *errors, const struct field_spec *spec)
{
	if (spec->rule == FIELD_OBJECT)
		field_error_add(errors, spec->name, FIELD_LENGTH,
				"must have %zu to %zu members, with names of 1 to %d characters "
				"and values of at most %d",
				spec->min, spec->max, FIELD_PAIR_NAME_MAX, FIELD_PAIR_TEXT_MAX);
	else if (spec->min == spec->max)
		field_error_add(errors, spec->name, FIELD_LENGTH,
				"must have exactly %zu characters", spec->max);
	else
		field_error_add(errors, spec->name, FIELD_LENGTH, "must have %zu to %zu characters",
				spec->min, spec->max);
}

/* The words are named as far as the message has room for them. */
static void report_words(struct field_errors *errors, const struct field_spec *spec)
{
	static const char more[] = ", ...";
	char list[FIELD_MESSAGE_SIZE - sizeof "must be one of: "];
	size_t size = 0;

	list[0] = '\0';
	for (const char *const *word = spec->words; *word; word++) {
		const size_t room = sizeof list - size - (word[1] ? sizeof more - 1 : 0);
		const char *separator = size == 0 ? "" : ", ";

		if (strlen(separator) + strlen(*word) >= room) {
			memcpy(list + size, more, sizeof more);
			break;
		}
		size += (size_t)snprintf(list + size, room, "%s%s", separator, *word);
	}
	field_error_add(errors, spec->name, FIELD_NOT_A_WORD, "must be one of: %s", list);
}

static void report(struct field_errors *errors, const struct field_spec *spec, enum field_code code)
{
	switch (code) {
	case FIELD_TYPE:
		field_error_add(errors, spec->name, code, "%s", type_messages[spec->rule]);
		return;
	case FIELD_FLOAT:
		field_error_add(errors, spec->name, code,
				"a float cannot hold money exactly: send an integer of minor "
				"units, such as 1050, or a string of major units, such as "
				"\"10.50\"");
		return;
	case FIELD_LENGTH:
		report_length(errors, spec);
		return;
	case FIELD_CHARACTERS:
		field_error_add(errors, spec->name, code, "%s", class_messages[spec->class]);
		return;
	case FIELD_NOT_A_WORD:
		if (spec->rule == FIELD_INTEGER)
			field_error_add(errors, spec->name, code, "must be from %zu to %zu",
					spec->min, spec->max);
		else
			report_words(errors, spec);
		return;
	case FIELD_CARD_NUMBER:
		field_error_add(errors, spec->name, code,
				"must not hold a card number: send the gateway's payment token");
		return;
	case FIELD_MISSING:
		field_error_add(errors, spec->name, code, "is required");
		return;
	case FIELD_UNKNOWN:
	case FIELD_CURRENCY:
	case FIELD_PRECISION:
	case FIELD_NOT_POSITIVE:
	case FIELD_TOO_LARGE:
	case FIELD_SYNTAX:
		return; /* no table row can be refused for these */
	}
}

static void check_known(const struct field_spec *spec, const struct field_value *value,
			struct field_errors *errors)
{
	struct fault fault;

	if (!value || (value->kind == VALUE_NULL && !spec->required)) {
		if (spec->required)
			report(errors, spec, FIELD_MISSING);
		return;
	}
	fault = judge(spec, value);
	if (fault.found)
		report(errors, spec, fault.code);
}

static bool is_known(const struct field_spec *specs, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(specs[i].name, name) == 0)
			return true;
	return false;
}

void field_check(const struct field_spec *specs, size_t spec_count,
		 const struct field_member *members, size_t count, struct field_errors *errors)
{
	/* Known fields first: unknown members, however many, must not crowd these out. */
	for (size_t i = 0; i < spec_count; i++)
		check_known(&specs[i], field_find(members, count, specs[i].name), errors);
	for (size_t i = 0; i < count; i++)
		if (!is_known(specs, spec_count, members[i].name))
			field_error_add(errors, members[i].name, FIELD_UNKNOWN,
					"is not a field of this request: leave it out");
}
