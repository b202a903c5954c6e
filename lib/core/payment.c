/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/payment.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDEST_EXPONENT 4 /* judges what can be said of an amount whose currency is not known */

const char *const payment_methods[] = {
	"credit_card",
	"debit_card",
	"paypal",
	"ewallet",
	"wallet",
	"bank_transfer",
	"virtual_account",
	"qris",
	"bnpl",
	"direct_debit",
	"convenience_store",
	NULL,
};

const char *const payment_capture_modes[] = { "automatic", "manual", NULL }; /* enum capture_mode */
const char *const payment_process_modes[] = { "auto", "manual", NULL };      /* enum process_mode */

#define METHOD_ID_FIELD(whose)                                                                     \
	PAYMENT_METHOD_ID_FIELD("A payment method of the " whose                                   \
				", in place of payment_token; it goes to the gateway that "        \
				"knows it.")

static const struct field_spec fields[] = {
	{ .name = "amount",
	  .rule = FIELD_AMOUNT,
	  .required = true,
	  .help = "Integer of minor units (1000: 10.00 USD) or string of major units (\"10.00\"); "
		  "above zero, at most 999999999999 minor units." },
	{ .name = "currency",
	  .rule = FIELD_TEXT,
	  .required = true,
	  .class = TEXT_VISIBLE,
	  .min = 3,
	  .max = 3,
	  .help = "Active ISO 4217 code in capitals." },
	{ .name = "payment_method",
	  .rule = FIELD_WORD,
	  .required = true,
	  .words = payment_methods,
	  .help = "How the customer pays." },
	{ .name = "description",
	  .rule = FIELD_TEXT,
	  .class = TEXT_FREE,
	  .max = (PAYMENT_DESCRIPTION_SIZE - 1) / 4,
	  .help = "What is paid for, in free text." },
	{ .name = "customer_id",
	  .rule = FIELD_TEXT,
	  .required = true,
	  .class = TEXT_VISIBLE,
	  .min = 1,
	  .max = PAYMENT_CUSTOMER_SIZE - 1,
	  .help = "Your own id of the customer." },
	{ .name = "payment_token",
	  .rule = FIELD_TEXT,
	  .class = TEXT_TOKEN,
	  .min = 1,
	  .max = PAYMENT_TOKEN_SIZE - 1,
	  .help = "The gateway's token of the card or account; never the card number itself." },
	{ .name = "country",
	  .rule = FIELD_TEXT,
	  .class = TEXT_COUNTRY,
	  .min = 2,
	  .max = 2,
	  .help = "ISO 3166-1 code of the customer's country, used to choose the gateway." },
	{ .name = "capture",
	  .rule = FIELD_WORD,
	  .words = payment_capture_modes,
	  .help = "When the money is taken: automatic, at once; manual, when you capture what was "
		  "authorised, else it is released." },
	{ .name = "process",
	  .rule = FIELD_WORD,
	  .words = payment_process_modes,
	  .help = "When the gateway is asked: auto, at once; manual, when you say so, else it "
		  "expires." },
	{ .name = "metadata",
	  .rule = FIELD_OBJECT,
	  .class = TEXT_FREE,
	  .max = PAYMENT_METADATA_MEMBERS,
	  .help = "Your own strings, given back as they are: at most 20, with names of 1 to 40 "
		  "characters and values of at most 500." },
	{ .name = "callback_url",
	  .rule = FIELD_TEXT,
	  .class = TEXT_URL,
	  .min = sizeof "http://x" - 1,
	  .max = PAYMENT_URL_SIZE - 1,
	  .help = "Where to tell you about changes of this transaction." },
	METHOD_ID_FIELD("customer's"),
};

/* Deposits and withdrawals */
static const struct field_spec transfer_fields[] = {
	{ .name = "user_id",
	  .rule = FIELD_ID,
	  .required = true,
	  .class = TEXT_VISIBLE,
	  .min = 1,
	  .max = PAYMENT_CUSTOMER_SIZE - 1,
	  .help = "Your own id of the user, a number or a string." },
	{ .name = "amount",
	  .rule = FIELD_AMOUNT,
	  .required = true,
	  .help = "String of major units (\"100.50\") or integer of minor units; above zero, at "
		  "most 999999999999 minor units." },
	{ .name = "currency",
	  .rule = FIELD_TEXT,
	  .required = true,
	  .class = TEXT_VISIBLE,
	  .min = 3,
	  .max = 3,
	  .help = "Active ISO 4217 code in capitals." },
	{ .name = "country",
	  .rule = FIELD_TEXT,
	  .class = TEXT_COUNTRY,
	  .min = 2,
	  .max = 2,
	  .help = "ISO 3166-1 code of the user's country, used to choose the gateway." },
	{ .name = "payment_token",
	  .rule = FIELD_TEXT,
	  .class = TEXT_TOKEN,
	  .min = 1,
	  .max = PAYMENT_TOKEN_SIZE - 1,
	  .help = "The gateway's token of the account; never a card number." },
	METHOD_ID_FIELD("user's"),
};

/* Of a capture or refund. */
static const struct field_spec part_fields[] = {
	{ .name = "amount",
	  .rule = FIELD_AMOUNT,
	  .help = "How much, as in POST /transactions; all that is left where it is not said." },
	{ .name = "currency",
	  .rule = FIELD_TEXT,
	  .class = TEXT_VISIBLE,
	  .min = 3,
	  .max = 3,
	  .help = "The transaction's own, if it is said at all." },
	{ .name = "reason",
	  .rule = FIELD_TEXT,
	  .class = TEXT_FREE,
	  .max = (PAYMENT_DESCRIPTION_SIZE - 1) / 4,
	  .help = "Why, in free text." },
	{ .name = "payment_token",
	  .rule = FIELD_TEXT,
	  .class = TEXT_TOKEN,
	  .min = 1,
	  .max = PAYMENT_TOKEN_SIZE - 1,
	  .help = "A payment token of its own, where the gateway wants one." },
};

const struct field_spec *payment_fields(enum transaction_kind kind, size_t *count)
{
	if (kind == TRANSACTION_DEPOSIT || kind == TRANSACTION_WITHDRAWAL) {
		*count = sizeof transfer_fields / sizeof transfer_fields[0];
		return transfer_fields;
	}
	*count = sizeof fields / sizeof fields[0];
	return fields;
}

const struct field_spec *payment_part_fields(size_t *count)
{
	*count = sizeof part_fields / sizeof part_fields[0];
	return part_fields;
}

static bool has_error(const struct field_errors *errors, const char *field)
{
	for (size_t i = 0; i < errors->count; i++)
		if (strcmp(errors->list[i].field, field) == 0)
			return true;
	return false;
}

static void report_amount(struct field_errors *errors, enum money_outcome outcome,
			  const struct currency *currency)
{
	char limit[MONEY_TEXT_SIZE];

	switch (outcome) {
	case MONEY_OK:
		return;
	case MONEY_SYNTAX:
		field_error_add(errors, "amount", FIELD_SYNTAX,
				"must be digits with at most one point, such as \"10.50\"; no "
				"sign, blank, comma, exponent or leading zero");
		return;
	case MONEY_TOO_PRECISE:
		field_error_add(errors, "amount", FIELD_PRECISION,
				"must have at most %u decimals, as %s has", currency->exponent,
				currency->code);
		return;
	case MONEY_NOT_POSITIVE:
		field_error_add(errors, "amount", FIELD_NOT_POSITIVE, "must be greater than zero");
		return;
	case MONEY_TOO_LARGE:
		field_error_add(errors, "amount", FIELD_TOO_LARGE,
				"must be at most %s %s (%" PRId64 " minor units)",
				money_format_major(MONEY_MAX_MINOR, currency->exponent, limit),
				currency->code, MONEY_MAX_MINOR);
		return;
	}
}

static enum money_outcome amount_read(const struct field_value *value, uint8_t exponent,
				      int64_t *minor)
{
	if (value->kind == VALUE_INTEGER)
		return money_from_minor(value->integer, minor);
	return money_from_major(value->text, value->text_size, exponent, minor);
}

/* Without a currency only what holds for every currency is said. */
static void judge_without_currency(const struct field_value *value, struct field_errors *errors)
{
	int64_t minor;
	const enum money_outcome outcome = amount_read(value, WIDEST_EXPONENT, &minor);

	if (outcome == MONEY_SYNTAX || outcome == MONEY_NOT_POSITIVE)
		report_amount(errors, outcome, NULL);
}

/* field_check() has made sure of three visible characters. */
static const struct currency *judge_currency(const struct field_value *value,
					     struct field_errors *errors)
{
	char code[4] = { 0 };
	const struct currency *currency;

	assert(value->text_size == sizeof code - 1);
	memcpy(code, value->text, value->text_size);
	currency = currency_find(code);
	if (!currency)
		field_error_add(errors, "currency", FIELD_CURRENCY,
				"must be an active ISO 4217 code in capitals, such as USD");
	return currency;
}

bool payment_amount_read(const struct field_value *value, const struct currency *currency,
			 int64_t *minor, struct field_errors *errors)
{
	const enum money_outcome outcome = amount_read(value, currency->exponent, minor);

	report_amount(errors, outcome, currency);
	return outcome == MONEY_OK;
}

/* Amount and currency are judged together, for the currency decides what the amount means. */
static void judge_money(const struct field_member *members, size_t count,
			struct payment_request *request, struct field_errors *errors)
{
	const struct field_value *amount = field_find(members, count, "amount");
	const struct currency *currency = NULL;

	if (!has_error(errors, "currency"))
		currency = judge_currency(field_find(members, count, "currency"), errors);
	if (has_error(errors, "amount"))
		return;
	if (!currency) {
		judge_without_currency(amount, errors);
		return;
	}
	report_amount(errors, amount_read(amount, currency->exponent, &request->amount.minor),
		      currency);
	memcpy(request->amount.currency, currency->code, sizeof currency->code);
	request->exponent = currency->exponent;
	request->form = amount->kind == VALUE_INTEGER ? AMOUNT_MINOR : AMOUNT_MAJOR;
}

/* JSON text that remembers whether it was too long */
struct canonical {
	char *text;
	size_t size;
	size_t room; /* without the NUL */
	bool overflow;
};

static void canonical_put(struct canonical *canonical, char c)
{
	if (canonical->size >= canonical->room) {
		canonical->overflow = true;
		return;
	}
	canonical->text[canonical->size++] = c;
}

/* RFC 8259: only these need escaping, for field_check() lets no other control character pass. */
static char escape_of(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case '\t':
		return 't';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	default:
		return '\0';
	}
}

static void canonical_put_string(struct canonical *canonical, const char *text, size_t size)
{
	canonical_put(canonical, '"');
	for (size_t i = 0; i < size; i++) {
		const char escape = escape_of(text[i]);

		if (escape != '\0')
			canonical_put(canonical, '\\');
		canonical_put(canonical, escape != '\0' ? escape : text[i]);
	}
	canonical_put(canonical, '"');
}

static int pair_compare(const void *a, const void *b)
{
	return strcmp(((const struct field_pair *)a)->name, ((const struct field_pair *)b)->name);
}

bool payment_metadata_write(const struct field_pair *pairs, size_t count,
			    char out[PAYMENT_METADATA_SIZE])
{
	struct canonical canonical = { .text = out, .room = PAYMENT_METADATA_SIZE - 1 };
	struct field_pair sorted[PAYMENT_METADATA_MEMBERS];

	if (count > PAYMENT_METADATA_MEMBERS)
		return false;
	for (size_t i = 0; i < count; i++)
		sorted[i] = pairs[i];
	qsort(sorted, count, sizeof sorted[0], pair_compare);
	canonical_put(&canonical, '{');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			canonical_put(&canonical, ',');
		canonical_put_string(&canonical, sorted[i].name, strlen(sorted[i].name));
		canonical_put(&canonical, ':');
		canonical_put_string(&canonical, sorted[i].text, sorted[i].text_size);
	}
	canonical_put(&canonical, '}');
	out[canonical.size] = '\0';
	return !canonical.overflow;
}

/* A member that was given, NULL where it is absent or null. */
static const struct field_value *given(const struct field_member *members, size_t count,
				       const char *name)
{
	const struct field_value *value = field_find(members, count, name);

	return value && value->kind != VALUE_NULL ? value : NULL;
}

static void judge_metadata(const struct field_member *members, size_t count,
			   struct payment_request *request, struct field_errors *errors)
{
	const struct field_value *metadata = given(members, count, "metadata");

	if (!metadata || has_error(errors, "metadata"))
		return;
	if (!payment_metadata_write(metadata->pairs, metadata->pair_count, request->metadata))
		field_error_add(errors, "metadata", FIELD_LENGTH,
				"must be at most %d bytes when written as JSON without blanks",
				PAYMENT_METADATA_SIZE - 1);
}

/* A token that came, or one that is kept. */
static void judge_token(const struct field_member *members, size_t count,
			struct field_errors *errors)
{
	if (given(members, count, "payment_method_id") != NULL &&
	    given(members, count, "payment_token") != NULL)
		field_error_add(errors, "payment_method_id", FIELD_NOT_A_WORD,
				"stands in place of payment_token: send one of the two");
}

/* Where a text member goes */
struct text_place {
	const char *name;
	char *out;
	size_t size;
};

static void take_texts(const struct field_member *members, size_t count,
		       struct payment_request *request)
{
	const struct text_place places[] = {
		{ "payment_method", request->method, sizeof request->method },
		{ "customer_id", request->customer, sizeof request->customer },
		{ "description", request->description, sizeof request->description },
		{ "country", request->country, sizeof request->country },
		{ "payment_token", request->token, sizeof request->token },
		{ "callback_url", request->callback_url, sizeof request->callback_url },
		{ "payment_method_id", request->method_id, sizeof request->method_id },
	};

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		const struct field_value *value = given(members, count, places[i].name);

		if (!value)
			continue;
		assert(value->text_size < places[i].size);
		memcpy(places[i].out, value->text, value->text_size);
	}
}

/* As a string, or as a number of which the digits are kept. */
static void take_user(const struct field_value *value, struct payment_request *request)
{
	if (!value)
		return;
	if (value->kind == VALUE_INTEGER)
		snprintf(request->customer, sizeof request->customer, "%" PRId64, value->integer);
	else
		memcpy(request->customer, value->text, value->text_size);
}

static enum capture_mode capture_of(const struct field_value *value)
{
	return value && strcmp(value->text, payment_capture_modes[CAPTURE_MANUAL]) == 0
		       ? CAPTURE_MANUAL
		       : CAPTURE_AUTOMATIC;
}

static enum process_mode process_of(const struct field_value *value)
{
	return value && strcmp(value->text, payment_process_modes[PROCESS_MANUAL]) == 0
		       ? PROCESS_MANUAL
		       : PROCESS_AUTO;
}

static void append_errors(const struct field_errors *from, struct field_errors *to)
{
	for (size_t i = 0; i < from->count && to->count < FIELD_ERRORS_MAX; i++)
		to->list[to->count++] = from->list[i];
}

bool payment_request_read(enum transaction_kind kind, const struct field_member *members,
			  size_t count, struct payment_request *request,
			  struct field_errors *errors)
{
	size_t spec_count;
	const struct field_spec *specs = payment_fields(kind, &spec_count);
	struct field_errors found = { 0 }; /* apart from errors that the caller has already */
	struct payment_request read = { .capture = CAPTURE_AUTOMATIC, .process = PROCESS_AUTO };

	field_check(specs, spec_count, members, count, &found);
	judge_money(members, count, &read, &found);
	judge_metadata(members, count, &read, &found);
	judge_token(members, count, &found);
	if (found.count > 0) {
		append_errors(&found, errors);
		return false;
	}
	take_texts(members, count, &read);
	take_user(given(members, count, "user_id"), &read);
	read.capture = capture_of(given(members, count, "capture"));
	read.process = process_of(given(members, count, "process"));
	*request = read;
	return true;
}
