/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/payment_method.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct field_spec fields[] = {
	{ .name = "gateway",
	  .rule = FIELD_TEXT,
	  .required = true,
	  .class = TEXT_WORD,
	  .min = 1,
	  .max = METHOD_GATEWAY_SIZE - 1,
	  .help = "The gateway that knows the token." },
	{ .name = "payment_token",
	  .rule = FIELD_TEXT,
	  .required = true,
	  .class = TEXT_TOKEN,
	  .min = 1,
	  .max = PAYMENT_TOKEN_SIZE - 1,
	  .help = "The gateway's token of the card or account; never the card number itself." },
	{ .name = "payment_method",
	  .rule = FIELD_WORD,
	  .required = true,
	  .words = payment_methods,
	  .help = "How the customer pays with it." },
	{ .name = "brand",
	  .rule = FIELD_TEXT,
	  .class = TEXT_WORD,
	  .min = 1,
	  .max = METHOD_BRAND_SIZE - 1,
	  .help = "The card's or wallet's brand in small letters, such as visa." },
	{ .name = "last4",
	  .rule = FIELD_TEXT,
	  .class = TEXT_DIGITS,
	  .min = 4,
	  .max = 4,
	  .help = "The last four digits that people know it by." },
	{ .name = "expiry_month",
	  .rule = FIELD_INTEGER,
	  .min = 1,
	  .max = 12,
	  .help = "The month after which it is not valid any more; with expiry_year." },
	{ .name = "expiry_year",
	  .rule = FIELD_INTEGER,
	  .min = 2000,
	  .max = 2099,
	  .help = "That month's year, of four digits." },
	{ .name = "default",
	  .rule = FIELD_BOOLEAN,
	  .help = "Whether it is the customer's default, which takes this from another; by itself "
		  "the first one is." },
};
#define FIELD_COUNT (sizeof fields / sizeof fields[0])

const struct field_spec *payment_method_fields(size_t *count)
{
	*count = FIELD_COUNT;
	return fields;
}

/* A member that was given, NULL where it is absent or null. */
static const struct field_value *given(const struct field_member *members, size_t count,
				       const char *name)
{
	const struct field_value *value = field_find(members, count, name);

	return value != NULL && value->kind != VALUE_NULL ? value : NULL;
}

/* A month without its year says nothing, nor does a year without its month. */
static void judge_expiry(const struct field_member *members, size_t count,
			 struct field_errors *errors)
{
	const bool month = given(members, count, "expiry_month") != NULL;
	const bool year = given(members, count, "expiry_year") != NULL;

	if (month && !year)
		field_error_add(errors, "expiry_year", FIELD_MISSING,
				"is required with expiry_month");
	if (year && !month)
		field_error_add(errors, "expiry_month", FIELD_MISSING,
				"is required with expiry_year");
}

static void take_texts(const struct field_member *members, size_t count,
		       struct payment_method_request *request)
{
	const struct {
		const char *name;
		char *out;
		size_t size;
	} places[] = {
		{ "gateway", request->gateway, sizeof request->gateway },
		{ "payment_token", request->token, sizeof request->token },
		{ "payment_method", request->method, sizeof request->method },
		{ "brand", request->brand, sizeof request->brand },
		{ "last4", request->last4, sizeof request->last4 },
	};

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		const struct field_value *value = given(members, count, places[i].name);

		if (value == NULL)
			continue;
		assert(value->text_size < places[i].size);
		memcpy(places[i].out, value->text, value->text_size);
	}
}

static int integer_of(const struct field_value *value)
{
	return value != NULL ? (int)field_integer(value) : 0;
}

static enum payment_method_wish wish_of(const struct field_value *value)
{
	if (value == NULL)
		return METHOD_AS_NEEDED;
	return field_boolean(value) ? METHOD_DEFAULT : METHOD_NOT_DEFAULT;
}

bool payment_method_read(const struct field_member *members, size_t count,
			 struct payment_method_request *request, struct field_errors *errors)
{
	struct payment_method_request read = { .wish = METHOD_AS_NEEDED };
	const size_t before = errors->count;

	field_check(fields, FIELD_COUNT, members, count, errors);
	judge_expiry(members, count, errors);
	if (errors->count > before)
		return false;
	take_texts(members, count, &read);
	read.expiry_month = integer_of(given(members, count, "expiry_month"));
	read.expiry_year = integer_of(given(members, count, "expiry_year"));
	read.wish = wish_of(given(members, count, "default"));
	*request = read;
	return true;
}

bool payment_method_is_expired(int month, int year, const char *today)
{
	const long this_year = strtol(today, NULL, 10);
	const long this_month = strtol(today + sizeof "2026-" - 1, NULL, 10);

	return month != 0 && (year < this_year || (year == this_year && month < this_month));
}
