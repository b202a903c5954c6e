/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/customer.h"

#include <assert.h>
#include <string.h>

#include "core/card.h"

#define PHONE_CARD_DIGITS 14 /* see judge_phone() */
#define ADDRESS "address"

/* clang-format off */
static const struct {
	const char *name;
	size_t max; /* code points */
} texts[CUSTOMER_TEXT_COUNT] = {
	[CUSTOMER_NAME] =   { "name", 120 },
	[CUSTOMER_EMAIL] =  { "email", CUSTOMER_EMAIL_SIZE - 1 },
	[CUSTOMER_PHONE] =  { "phone", CUSTOMER_PHONE_SIZE - 1 },
	[CUSTOMER_BIRTH] =  { "date_of_birth", CUSTOMER_DAY_SIZE - 1 },
	[CUSTOMER_LINE1] =  { "line1", 120 },
	[CUSTOMER_LINE2] =  { "line2", 120 },
	[CUSTOMER_CITY] =   { "city", 80 },
	[CUSTOMER_STATE] =  { "state", 80 },
	[CUSTOMER_POSTAL] = { "postal_code", 20 },
};
/* clang-format on */

static const struct field_spec fields[] = {
	{ .name = "customer_id",
	  .rule = FIELD_TEXT,
	  .class = TEXT_VISIBLE,
	  .min = 1,
	  .max = PAYMENT_CUSTOMER_SIZE - 1,
	  .help = "Your own id of the customer, as payments name it; made for you where you give "
		  "none." },
	{ .name = "name",
	  .rule = FIELD_TEXT,
	  .class = TEXT_ANY,
	  .max = 120,
	  .help = "The customer's name." },
	{ .name = "email",
	  .rule = FIELD_TEXT,
	  .class = TEXT_EMAIL,
	  .min = 1,
	  .max = CUSTOMER_EMAIL_SIZE - 1,
	  .help = "E-mail address." },
	{ .name = "phone",
	  .rule = FIELD_TEXT,
	  .may_hold_card = true,
	  .class = TEXT_PHONE,
	  .min = 1,
	  .max = CUSTOMER_PHONE_SIZE - 1,
	  .help = "Phone number with + and country code; blanks, dots, hyphens and parentheses may "
		  "stand between its digits." },
	{ .name = "country",
	  .rule = FIELD_TEXT,
	  .class = TEXT_NATION,
	  .min = 2,
	  .max = 2,
	  .help = "ISO 3166-1 code of the customer's country: chooses the gateway of payments that "
		  "name none." },
	{ .name = ADDRESS,
	  .rule = FIELD_OBJECT,
	  .null_members = true,
	  .class = TEXT_ANY,
	  .max = CUSTOMER_TEXT_COUNT - CUSTOMER_ADDRESS_BEGIN,
	  .help = "Postal address: line1, line2 (at most 120 characters each), city, state (80), "
		  "postal_code (20)." },
	{ .name = "date_of_birth",
	  .rule = FIELD_TEXT,
	  .class = TEXT_DATE,
	  .min = CUSTOMER_DAY_SIZE - 1,
	  .max = CUSTOMER_DAY_SIZE - 1,
	  .help = "Day of birth, like 1990-02-28." },
	{ .name = "metadata",
	  .rule = FIELD_OBJECT,
	  .null_members = true,
	  .class = TEXT_FREE,
	  .max = 2 * PAYMENT_METADATA_MEMBERS, /* as many may go as may come */
	  .help = "Your own strings: at most 20, with names of 1 to 40 characters and values of at "
		  "most 500; null removes one." },
};
#define FIELD_COUNT (sizeof fields / sizeof fields[0])

const char *customer_text_name(enum customer_text text)
{
	return texts[text].name;
}

size_t customer_text_max(enum customer_text text)
{
	return texts[text].max;
}

const struct field_spec *customer_fields(size_t *count)
{
	*count = FIELD_COUNT;
	return fields;
}

/* The id is the first, and stays what it is. */
const struct field_spec *customer_amendment_fields(size_t *count)
{
	*count = FIELD_COUNT - 1;
	return fields + 1;
}

/* ---- judging ---- */

/* A member of its own, given as a string; NULL otherwise. */
static const struct field_value *string_of(const struct field_member *members, size_t count,
					   const char *name)
{
	const struct field_value *value = field_find(members, count, name);

	return value != NULL && value->kind == VALUE_STRING ? value : NULL;
}

static bool has_error(const struct field_errors *errors, const char *field)
{
	for (size_t i = 0; i < errors->count; i++)
		if (strcmp(errors->list[i].field, field) == 0)
			return true;
	return false;
}

/*
 * Numbers of 13 digits that begin like cards and pass Luhn are German phones too; from 14 on, where phones end, such a
 * number is a card.
 */
static void judge_phone(const struct field_member *members, size_t count,
			struct field_errors *errors)
{
	const struct field_value *phone = string_of(members, count, "phone");
	char digits[CUSTOMER_EMAIL_SIZE];

	if (phone == NULL || has_error(errors, "phone"))
		return;
	(void)customer_normalise(CUSTOMER_PHONE, phone->text, digits);
	if (strlen(digits) - 1 >= PHONE_CARD_DIGITS && card_number_in(digits, strlen(digits)))
		field_error_add(errors, "phone", FIELD_CARD_NUMBER, "must not hold a card number");
}

static void judge_birth(const struct field_member *members, size_t count, const char *today,
			struct field_errors *errors)
{
	const struct field_value *birth = string_of(members, count, "date_of_birth");

	if (birth != NULL && !has_error(errors, "date_of_birth") && strcmp(birth->text, today) > 0)
		field_error_add(errors, "date_of_birth", FIELD_TOO_LARGE, "must not be to come");
}

/* The text that a member of the address is; CUSTOMER_TEXT_COUNT: none. */
static enum customer_text address_text(const char *name)
{
	enum customer_text text = CUSTOMER_ADDRESS_BEGIN;

	while (text < CUSTOMER_TEXT_COUNT && strcmp(texts[text].name, name) != 0)
		text++;
	return text;
}

static void judge_address(const struct field_member *members, size_t count,
			  struct field_errors *errors)
{
	const struct field_value *address = field_find(members, count, ADDRESS);

	if (address == NULL || address->kind != VALUE_OBJECT || has_error(errors, ADDRESS))
		return;
	for (size_t i = 0; i < address->pair_count; i++) {
		const struct field_pair *pair = &address->pairs[i];
		const enum customer_text text = address_text(pair->name);

		if (text == CUSTOMER_TEXT_COUNT)
			field_error_add(errors, ADDRESS, FIELD_UNKNOWN,
					"may have line1, line2, city, state and postal_code only");
		else if (pair->text != NULL &&
			 text_length(pair->text, pair->text_size) > texts[text].max)
			field_error_add(errors, ADDRESS, FIELD_LENGTH,
					"%s must have at most %zu characters", texts[text].name,
					texts[text].max);
	}
}

/* What is given must fit by itself; whether it does with what is there already is told when it is merged. */
static void judge_metadata(const struct field_member *members, size_t count,
			   struct field_errors *errors)
{
	const struct field_value *metadata = field_find(members, count, "metadata");
	struct field_pair pairs[2 * PAYMENT_METADATA_MEMBERS];
	char text[PAYMENT_METADATA_SIZE];
	size_t used = 0;

	if (metadata == NULL || metadata->kind != VALUE_OBJECT || has_error(errors, "metadata"))
		return;
	for (size_t i = 0; i < metadata->pair_count; i++)
		if (metadata->pairs[i].text != NULL)
			pairs[used++] = metadata->pairs[i];
	if (!payment_metadata_write(pairs, used, text))
		field_error_add(errors, "metadata", FIELD_LENGTH,
				"must be at most %d members and %d bytes when written as JSON "
				"without blanks",
				PAYMENT_METADATA_MEMBERS, PAYMENT_METADATA_SIZE - 1);
}

bool customer_check(const struct field_spec *specs, size_t spec_count,
		    const struct field_member *members, size_t count, const char *today,
		    struct field_errors *errors)
{
	struct field_errors found = { .count = 0 };

	field_check(specs, spec_count, members, count, &found);
	judge_phone(members, count, &found);
	judge_birth(members, count, today, &found);
	judge_address(members, count, &found);
	judge_metadata(members, count, &found);
	for (size_t i = 0; i < found.count && errors->count < FIELD_ERRORS_MAX; i++)
		errors->list[errors->count++] = found.list[i];
	return found.count == 0;
}

/* ---- merging ---- */

static void take(char *out, size_t size, const char *text, size_t text_size)
{
	assert(text_size < size);
	memcpy(out, text, text_size);
	out[text_size] = '\0';
}

/* A member that is not given leaves the text as it is; null empties it. */
static void merge_text(const struct field_member *members, size_t count, const char *name,
		       char *out, size_t size)
{
	const struct field_value *value = field_find(members, count, name);

	if (value != NULL && value->kind == VALUE_STRING)
		take(out, size, value->text, value->text_size);
	else if (value != NULL)
		out[0] = '\0';
}

static void merge_address(const struct field_value *address, struct customer_profile *profile)
{
	if (address->kind != VALUE_OBJECT) {
		for (int text = CUSTOMER_ADDRESS_BEGIN; text < CUSTOMER_TEXT_COUNT; text++)
			profile->text[text][0] = '\0';
		return;
	}
	for (size_t i = 0; i < address->pair_count; i++) {
		const struct field_pair *pair = &address->pairs[i];
		const enum customer_text text = address_text(pair->name);

		assert(text < CUSTOMER_TEXT_COUNT);
		take(profile->text[text], CUSTOMER_TEXT_SIZE, pair->text != NULL ? pair->text : "",
		     pair->text != NULL ? pair->text_size : 0);
	}
}

void customer_merge(const struct field_member *members, size_t count,
		    struct customer_profile *profile)
{
	const struct field_value *address = field_find(members, count, ADDRESS);

	merge_text(members, count, "country", profile->country, sizeof profile->country);
	for (int text = 0; text < CUSTOMER_ADDRESS_BEGIN; text++)
		merge_text(members, count, texts[text].name, profile->text[text],
			   CUSTOMER_TEXT_SIZE);
	if (address != NULL)
		merge_address(address, profile);
}

/* ---- packing: no text of a profile holds a line break, so one stands between them ---- */

const char *customer_pack(const struct customer_profile *profile, char out[CUSTOMER_PACKED_SIZE])
{
	size_t used = 0, filled = 0;

	for (int text = 0; text < CUSTOMER_TEXT_COUNT; text++) {
		const size_t size = strlen(profile->text[text]);

		assert(used + size + 1 < CUSTOMER_PACKED_SIZE);
		memcpy(out + used, profile->text[text], size);
		used += size;
		if (size > 0)
			filled = used;
		out[used++] = '\n';
	}
	out[filled] = '\0';
	return out;
}

bool customer_unpack(const char *packed, struct customer_profile *profile)
{
	struct customer_profile read = { .country = "" };

	for (int text = 0; *packed != '\0'; text++) {
		const size_t size = strcspn(packed, "\n");

		if (text == CUSTOMER_TEXT_COUNT || size >= CUSTOMER_TEXT_SIZE)
			return false;
		memcpy(read.text[text], packed, size);
		packed += size + (packed[size] == '\n');
	}
	memcpy(profile->text, read.text, sizeof profile->text);
	return true;
}

const char *customer_normalise(enum customer_text text, const char *value,
			       char out[CUSTOMER_EMAIL_SIZE])
{
	size_t used = 0;

	for (; *value != '\0'; value++) {
		const char c = *value;

		if (text == CUSTOMER_PHONE && c != '+' && (c < '0' || c > '9'))
			continue;
		assert(used + 1 < CUSTOMER_EMAIL_SIZE);
		out[used++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	out[used] = '\0';
	return out;
}
