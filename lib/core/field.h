/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fields: typed members of a request, judged by a table; the parser of the format (JSON or XML)
 * stays outside.
 *
 * Invariant  every bad member is reported, not only the first
 * Ownership  members borrow their texts from the parsed document
 * Threads    safe
 */
#ifndef CORE_FIELD_H
#define CORE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"

#define FIELD_MEMBERS_MAX 64   /* members of one request body */
#define FIELD_PAIRS_MAX 64     /* members of all nested objects together */
#define FIELD_PAIR_NAME_MAX 40 /* code points of such a member's name */
#define FIELD_PAIR_TEXT_MAX 500
#define FIELD_ERRORS_MAX 32
#define FIELD_NAME_SIZE 65
#define FIELD_MESSAGE_SIZE 160

enum value_kind {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INTEGER,
	VALUE_REAL, /* any number with a point or an exponent; its value is not kept */
	VALUE_STRING,
	VALUE_OBJECT, /* of strings, see pairs; `nested` where it holds anything else */
	VALUE_ARRAY,
};

struct field_pair {
	const char *name;
	const char *text; /* NULL where the value is not a string */
	size_t text_size;
	bool null;
};

struct field_value {
	enum value_kind kind;
	bool boolean;
	int64_t integer;
	const char *text;
	size_t text_size;
	const struct field_pair *pairs;
	size_t pair_count;
};

struct field_member {
	const char *name;
	struct field_value value;
};

/* How a member is judged */
enum field_rule {
	FIELD_TEXT, /* string of a text class and length */
	FIELD_WORD, /* string, one of `words` */
	FIELD_AMOUNT, /* integer minor units or decimal string of major units: judged with the currency, by payment.c */
	FIELD_OBJECT, /* object of strings */
	FIELD_ID, /* as FIELD_TEXT, or an integer that is not negative: its digits are the text */
	FIELD_INTEGER, /* from min to max; XML has texts only, so its digits as a string too */
	FIELD_BOOLEAN, /* "true" and "false" too, for the same reason */
};

struct field_spec {
	const char *name;
	enum field_rule rule;
	bool required;
	bool may_hold_card; /* typed fields that are exempt from the card-number detector */
	enum text_class class;
	size_t min, max; /* code points; members for FIELD_OBJECT; the values of FIELD_INTEGER */
	const char *const *words; /* NULL-terminated */
	bool null_members;        /* of FIELD_OBJECT: null is taken for a string */
	const char *help;         /* one sentence for the API reference */
};

/* Stable public codes, in order of precedence for one field */
enum field_code {
	FIELD_UNKNOWN,
	FIELD_MISSING,
	FIELD_TYPE,
	FIELD_FLOAT,
	FIELD_LENGTH,
	FIELD_CHARACTERS,
	FIELD_NOT_A_WORD,
	FIELD_CARD_NUMBER,
	FIELD_CURRENCY,
	FIELD_PRECISION,
	FIELD_NOT_POSITIVE,
	FIELD_TOO_LARGE,
	FIELD_SYNTAX,
};

/* "unknown_field", "required", "wrong_type", "float_not_allowed", "wrong_length", "wrong_characters",
 * "not_allowed", "card_number", "unknown_currency", "too_precise", "not_positive", "too_large", "wrong_format" */
const char *field_code_word(enum field_code code);

struct field_error {
	char field
		[FIELD_NAME_SIZE]; /* of the spec; for unknown members only its first 64 bytes, made visible ASCII */
	enum field_code code;
	char message[FIELD_MESSAGE_SIZE]; /* says what to send instead; never repeats the value */
};

struct field_errors {
	size_t count; /* at most FIELD_ERRORS_MAX are kept */
	struct field_error list[FIELD_ERRORS_MAX];
};

/* Add one error (dropped silently past FIELD_ERRORS_MAX). The message is a printf format. */
void field_error_add(struct field_errors *errors, const char *field, enum field_code code,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The member of this name, or NULL. */
const struct field_value *field_find(const struct field_member *members, size_t count,
				     const char *name);

/* What a FIELD_INTEGER or FIELD_BOOLEAN member says that field_check() let pass. */
int64_t field_integer(const struct field_value *value);
bool field_boolean(const struct field_value *value);

/*
 * Judge members against the table: unknown members, missing ones, types, lengths, classes, words,
 * card numbers (in names and values of objects too). JSON null counts as absent for optional
 * fields. FIELD_AMOUNT members are judged for type only: integer or string, a real is FIELD_FLOAT
 * with the reason ("a float cannot hold money exactly …").
 */
void field_check(const struct field_spec *specs, size_t spec_count,
		 const struct field_member *members, size_t count, struct field_errors *errors);

#endif
