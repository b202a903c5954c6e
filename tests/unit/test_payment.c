/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/payment.h"

#include <string.h>

#include "tests/unit/unit.h"

#define READ(...) payment_request_read(TRANSACTION_PAYMENT, __VA_ARGS__)

#define COUNT(array) ((int)(sizeof array / sizeof array[0]))
#define TEXT(literal) .kind = VALUE_STRING, .text = (literal), .text_size = sizeof(literal) - 1
#define INTEGER(number) .kind = VALUE_INTEGER, .integer = (number)
#define MINIMAL 4
#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10
#define X250 X50 X50 X50 X50 X50

/* The shop's request of API.md, the base of every case. */
static const struct field_member minimal[MINIMAL] = {
	{ "amount", { INTEGER(1000) } },
	{ "currency", { TEXT("USD") } },
	{ "payment_method", { TEXT("credit_card") } },
	{ "customer_id", { TEXT("cust_001") } },
};

/* The base with one member put in the place of its namesake, or added. */
struct body {
	struct field_member members[FIELD_MEMBERS_MAX];
	size_t count;
};

static struct body body_minimal(void)
{
	struct body body = { .count = MINIMAL };

	memcpy(body.members, minimal, sizeof minimal);
	return body;
}

static void body_put(struct body *body, const char *name, struct field_value value)
{
	size_t at = 0;

	while (at < body->count && strcmp(body->members[at].name, name) != 0)
		at++;
	if (at == body->count)
		body->count++;
	body->members[at] = (struct field_member){ name, value };
}

static void body_remove(struct body *body, const char *name)
{
	for (size_t i = 0; i < body->count; i++)
		if (strcmp(body->members[i].name, name) == 0)
			body->members[i] = body->members[--body->count];
}

START_TEST(payment_takes_the_smallest_request)
{
	const struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };

	memset(&request, 0xa5, sizeof request);

	ck_assert(READ(body.members, body.count, &request, &errors));

	ck_assert_uint_eq(errors.count, 0);
	ck_assert_int_eq(request.amount.minor, 1000);
	ck_assert_str_eq(request.amount.currency, "USD");
	ck_assert_uint_eq(request.exponent, 2);
	ck_assert_int_eq(request.form, AMOUNT_MINOR);
	ck_assert_int_eq(request.capture, CAPTURE_AUTOMATIC);
	ck_assert_int_eq(request.process, PROCESS_AUTO);
	ck_assert_str_eq(request.method, "credit_card");
	ck_assert_str_eq(request.customer, "cust_001");
	ck_assert_str_eq(request.description, "");
	ck_assert_str_eq(request.country, "");
	ck_assert_str_eq(request.token, "");
	ck_assert_str_eq(request.callback_url, "");
	ck_assert_str_eq(request.metadata, "");
}
END_TEST

START_TEST(payment_is_processed_at_once_unless_it_says_manual)
{
	static const struct {
		struct field_value value;
		enum process_mode process;
	} cases[] = {
		{ { TEXT("auto") }, PROCESS_AUTO },
		{ { TEXT("manual") }, PROCESS_MANUAL },
		{ { .kind = VALUE_NULL }, PROCESS_AUTO },
	};
	struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };

	body_put(&body, "process", cases[_i].value);

	ck_assert(READ(body.members, body.count, &request, &errors));

	ck_assert_int_eq(request.process, cases[_i].process);
}
END_TEST

START_TEST(payment_takes_every_field)
{
	static const struct field_pair pairs[] = { { "order", "1234", 4, false } };
	struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };

	body_put(&body, "amount", (struct field_value){ TEXT("100.50") });
	body_put(&body, "description", (struct field_value){ TEXT("Payment for order #1234") });
	body_put(&body, "payment_token", (struct field_value){ TEXT("tok_x@alpha/refund") });
	body_put(&body, "country", (struct field_value){ TEXT("ID") });
	body_put(&body, "capture", (struct field_value){ TEXT("automatic") });
	body_put(&body, "process", (struct field_value){ TEXT("manual") });
	body_put(&body, "callback_url", (struct field_value){ TEXT("https://shop.example/hook") });
	body_put(&body, "metadata",
		 (struct field_value){ .kind = VALUE_OBJECT, .pairs = pairs, .pair_count = 1 });

	ck_assert(READ(body.members, body.count, &request, &errors));

	ck_assert_int_eq(request.amount.minor, 10050);
	ck_assert_int_eq(request.form, AMOUNT_MAJOR);
	ck_assert_int_eq(request.process, PROCESS_MANUAL);
	ck_assert_str_eq(request.description, "Payment for order #1234");
	ck_assert_str_eq(request.token, "tok_x@alpha/refund");
	ck_assert_str_eq(request.country, "ID");
	ck_assert_str_eq(request.callback_url, "https://shop.example/hook");
	ck_assert_str_eq(request.metadata, "{\"order\":\"1234\"}");
}
END_TEST

START_TEST(payment_takes_null_for_an_absent_optional_field)
{
	static const char *const optional[] = { "description", "payment_token", "country",
						"capture",     "process",	"metadata",
						"callback_url" };
	struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };

	for (int i = 0; i < COUNT(optional); i++)
		body_put(&body, optional[i], (struct field_value){ .kind = VALUE_NULL });

	ck_assert(READ(body.members, body.count, &request, &errors));

	ck_assert_str_eq(request.description, "");
	ck_assert_str_eq(request.metadata, "");
}
END_TEST

static const struct {
	const char *currency;
	struct field_value amount;
	int64_t minor;
	uint8_t exponent;
} amounts[] = {
	{ "USD", { INTEGER(1) }, 1, 2 },
	{ "USD", { INTEGER(999999999999) }, INT64_C(999999999999), 2 },
	{ "USD", { TEXT("9999999999.99") }, INT64_C(999999999999), 2 },
	{ "USD", { TEXT("7") }, 700, 2 },
	{ "JPY", { INTEGER(1000) }, 1000, 0 },
	{ "JPY", { TEXT("1000") }, 1000, 0 },
	{ "KWD", { TEXT("1.234") }, 1234, 3 },
	{ "KWD", { TEXT("1.2") }, 1200, 3 },
	{ "CLF", { TEXT("1.2345") }, 12345, 4 },
	{ "IDR", { TEXT("150000") }, 15000000, 2 },
};

START_TEST(payment_amount_counts_in_its_currency)
{
	struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };

	body_put(&body, "amount", amounts[_i].amount);
	body_put(&body, "currency",
		 (struct field_value){
			 .kind = VALUE_STRING, .text = amounts[_i].currency, .text_size = 3 });

	ck_assert(READ(body.members, body.count, &request, &errors));

	ck_assert_int_eq(request.amount.minor, amounts[_i].minor);
	ck_assert_str_eq(request.amount.currency, amounts[_i].currency);
	ck_assert_uint_eq(request.exponent, amounts[_i].exponent);
	ck_assert_int_eq(request.form, amounts[_i].amount.kind == VALUE_INTEGER ? AMOUNT_MINOR
										: AMOUNT_MAJOR);
}
END_TEST

START_TEST(payment_takes_texts_of_full_length)
{
	char description[1020];
	struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };

	for (size_t i = 0; i < sizeof description; i += 4)
		memcpy(description + i, "\xf0\x9f\x92\xb3", 4);
	body_put(&body, "description",
		 (struct field_value){ .kind = VALUE_STRING,
				       .text = description,
				       .text_size = sizeof description });
	body_put(&body, "customer_id", (struct field_value){ TEXT(X50 X10 "wxyz") });
	body_put(&body, "payment_token", (struct field_value){ TEXT(X50 X50 X10 X10 "stuvwxyz") });
	body_put(&body, "callback_url", (struct field_value){ TEXT("https://a/xx" X250 X250) });

	ck_assert(READ(body.members, body.count, &request, &errors));

	ck_assert_uint_eq(strlen(request.description), sizeof description);
	ck_assert_mem_eq(request.description, description, sizeof description);
	ck_assert_str_eq(request.customer, X50 X10 "wxyz");
	ck_assert_str_eq(request.token, X50 X50 X10 X10 "stuvwxyz");
	ck_assert_str_eq(request.callback_url, "https://a/xx" X250 X250);
}
END_TEST

static const struct {
	const char *name;
	struct field_value value;
	enum field_code code;
	const char *says;
} refused[] = {
	{ "amount", { .kind = VALUE_REAL }, FIELD_FLOAT, "float cannot hold money exactly" },
	{ "amount", { .kind = VALUE_NULL }, FIELD_TYPE, "minor units" },
	{ "amount", { .kind = VALUE_BOOL }, FIELD_TYPE, "minor units" },
	{ "amount", { INTEGER(0) }, FIELD_NOT_POSITIVE, "greater than zero" },
	{ "amount", { INTEGER(-1) }, FIELD_NOT_POSITIVE, "greater than zero" },
	{ "amount", { INTEGER(INT64_MIN) }, FIELD_NOT_POSITIVE, "greater than zero" },
	{ "amount", { INTEGER(1000000000000) }, FIELD_TOO_LARGE, "9999999999.99 USD" },
	{ "amount", { INTEGER(4111111111111111) }, FIELD_TOO_LARGE, "9999999999.99 USD" },
	{ "amount", { TEXT("4111111111111111") }, FIELD_TOO_LARGE, "9999999999.99 USD" },
	{ "amount", { TEXT("10000000000") }, FIELD_TOO_LARGE, "999999999999 minor" },
	{ "amount", { TEXT("1.005") }, FIELD_PRECISION, "at most 2 decimals, as USD has" },
	{ "amount", { TEXT("1.000") }, FIELD_PRECISION, "at most 2 decimals, as USD has" },
	{ "amount", { TEXT("0.00") }, FIELD_NOT_POSITIVE, "greater than zero" },
	{ "amount", { TEXT("-5") }, FIELD_NOT_POSITIVE, "greater than zero" },
	{ "amount", { TEXT("") }, FIELD_SYNTAX, "digits" },
	{ "amount", { TEXT("1,50") }, FIELD_SYNTAX, "digits" },
	{ "amount", { TEXT("1e3") }, FIELD_SYNTAX, "digits" },
	{ "amount", { TEXT(" 1") }, FIELD_SYNTAX, "digits" },
	{ "currency", { TEXT("usd") }, FIELD_CURRENCY, "ISO 4217" },
	{ "currency", { TEXT("XAU") }, FIELD_CURRENCY, "ISO 4217" },
	{ "currency", { TEXT("BGN") }, FIELD_CURRENCY, "ISO 4217" },
	{ "currency", { TEXT("840") }, FIELD_CURRENCY, "ISO 4217" },
	{ "currency", { TEXT("US") }, FIELD_LENGTH, "exactly 3" },
	{ "currency", { TEXT("USDX") }, FIELD_LENGTH, "exactly 3" },
	{ "currency", { TEXT("US\0") }, FIELD_CHARACTERS, "visible" },
	{ "currency", { TEXT("US\xc3\xa9") }, FIELD_CHARACTERS, "visible" },
	{ "currency", { INTEGER(840) }, FIELD_TYPE, "string" },
	{ "payment_method", { TEXT("cheque") }, FIELD_NOT_A_WORD, "credit_card, debit_card" },
	{ "payment_method", { TEXT("") }, FIELD_NOT_A_WORD, "credit_card, debit_card" },
	{ "customer_id", { TEXT("") }, FIELD_LENGTH, "1 to 64" },
	{ "customer_id", { TEXT(X50 X10 "wxyz5") }, FIELD_LENGTH, "1 to 64" },
	{ "customer_id", { TEXT("a b") }, FIELD_CHARACTERS, "visible" },
	{ "customer_id", { TEXT("4111111111111111") }, FIELD_CARD_NUMBER, "payment token" },
	{ "customer_id", { INTEGER(123) }, FIELD_TYPE, "string" },
	{ "description", { TEXT(X250 "xxxxxx") }, FIELD_LENGTH, "0 to 255" },
	{ "description", { TEXT("pay with 4111-1111-1111-1111") }, FIELD_CARD_NUMBER, "token" },
	{ "description", { TEXT("\x1b[2J") }, FIELD_CHARACTERS, "controls" },
	{ "payment_token", { TEXT("") }, FIELD_LENGTH, "1 to 128" },
	{ "payment_token", { TEXT("tok x") }, FIELD_CHARACTERS, "letters" },
	{ "payment_token", { TEXT("4111111111111111") }, FIELD_CARD_NUMBER, "token" },
	{ "country", { TEXT("IDN") }, FIELD_LENGTH, "exactly 2" },
	{ "country", { TEXT("id") }, FIELD_CHARACTERS, "capital" },
	{ "capture", { TEXT("later") }, FIELD_NOT_A_WORD,
	  "must be one of: automatic, manual" },
	{ "process", { TEXT("later") }, FIELD_NOT_A_WORD, "must be one of: auto, manual" },
	{ "callback_url", { TEXT("ftp://shop.example/") }, FIELD_CHARACTERS, "https://" },
	{ "callback_url", { TEXT("https://a/xxx" X250 X250) }, FIELD_LENGTH, "8 to 512" },
	{ "metadata", { TEXT("{}") }, FIELD_TYPE, "object" },
	{ "metadata", { .kind = VALUE_ARRAY }, FIELD_TYPE, "object" },
	{ "card_number", { TEXT("x") }, FIELD_UNKNOWN, "leave it out" },
	{ "Amount", { INTEGER(1) }, FIELD_UNKNOWN, "leave it out" },
};

START_TEST(payment_refuses_and_leaves_the_request_alone)
{
	struct body body = body_minimal();
	struct payment_request request;
	struct payment_request untouched;
	struct field_errors errors = { 0 };

	memset(&request, 0xa5, sizeof request);
	memset(&untouched, 0xa5, sizeof untouched);
	body_put(&body, refused[_i].name, refused[_i].value);

	ck_assert(!READ(body.members, body.count, &request, &errors));

	ck_assert_mem_eq(&request, &untouched, sizeof request);
	ck_assert_uint_eq(errors.count, 1);
	ck_assert_str_eq(errors.list[0].field, refused[_i].name);
	ck_assert_str_eq(field_code_word(errors.list[0].code), field_code_word(refused[_i].code));
	ck_assert_msg(strstr(errors.list[0].message, refused[_i].says) != NULL, "%s",
		      errors.list[0].message);
	ck_assert_msg(strlen(errors.list[0].message) < FIELD_MESSAGE_SIZE - 1, "%s is cut off",
		      errors.list[0].message);
	ck_assert_ptr_null(strstr(errors.list[0].message, "1111"));
}
END_TEST

START_TEST(payment_needs_its_required_fields)
{
	struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };

	body_remove(&body, minimal[_i].name);

	ck_assert(!READ(body.members, body.count, &request, &errors));

	ck_assert_uint_eq(errors.count, 1);
	ck_assert_str_eq(errors.list[0].field, minimal[_i].name);
	ck_assert_int_eq(errors.list[0].code, FIELD_MISSING);
}
END_TEST

START_TEST(payment_reports_every_bad_field_at_once)
{
	struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };

	body_put(&body, "amount", (struct field_value){ TEXT("1.005") });
	body_put(&body, "customer_id", (struct field_value){ TEXT("") });
	body_put(&body, "country", (struct field_value){ TEXT("id") });
	body_put(&body, "capture", (struct field_value){ TEXT("later") });
	body_put(&body, "surprise", (struct field_value){ .kind = VALUE_NULL });

	ck_assert(!READ(body.members, body.count, &request, &errors));

	ck_assert_uint_eq(errors.count, 5);
}
END_TEST

/* What can be said of an amount of no known currency: form and sign, not precision or size. */
static const struct {
	struct field_value amount;
	bool said;
	enum field_code code;
} without_currency[] = {
	{ { INTEGER(1) }, false, FIELD_SYNTAX },
	{ { INTEGER(0) }, true, FIELD_NOT_POSITIVE },
	{ { INTEGER(1000000000000) }, false, FIELD_SYNTAX },
	{ { TEXT("1.5") }, false, FIELD_SYNTAX },
	{ { TEXT("1.123456789") }, false, FIELD_SYNTAX },
	{ { TEXT("999999999999") }, false, FIELD_SYNTAX },
	{ { TEXT("1,5") }, true, FIELD_SYNTAX },
	{ { TEXT("-1") }, true, FIELD_NOT_POSITIVE },
	{ { .kind = VALUE_REAL }, true, FIELD_FLOAT },
};

START_TEST(payment_judges_an_amount_without_currency_as_far_as_it_can)
{
	static const struct field_value unknown[] = { { TEXT("ZZZ") },
						      { TEXT("Z") },
						      { .kind = VALUE_BOOL } };

	for (int i = 0; i < COUNT(unknown); i++) {
		struct body body = body_minimal();
		struct payment_request request;
		struct field_errors errors = { 0 };
		size_t about_amount = 0;

		body_put(&body, "currency", unknown[i]);
		body_put(&body, "amount", without_currency[_i].amount);
		ck_assert(!READ(body.members, body.count, &request, &errors));
		for (size_t j = 0; j < errors.count; j++)
			if (strcmp(errors.list[j].field, "amount") == 0) {
				about_amount++;
				ck_assert_int_eq(errors.list[j].code, without_currency[_i].code);
			}
		ck_assert_uint_eq(about_amount, without_currency[_i].said);
		ck_assert_uint_eq(errors.count, about_amount + 1);
	}
}
END_TEST

START_TEST(payment_errors_come_after_those_there_are)
{
	struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };

	field_error_add(&errors, "amount", FIELD_SYNTAX, "%s", "before");
	ck_assert(READ(body.members, body.count, &request, &errors));
	ck_assert_uint_eq(errors.count, 1);
	body_put(&body, "amount", (struct field_value){ INTEGER(0) });
	ck_assert(!READ(body.members, body.count, &request, &errors));

	ck_assert_uint_eq(errors.count, 2);
	ck_assert_int_eq(errors.list[1].code, FIELD_NOT_POSITIVE);
	while (errors.count < FIELD_ERRORS_MAX)
		field_error_add(&errors, "x", FIELD_SYNTAX, "%s", "full");
	ck_assert(!READ(body.members, body.count, &request, &errors));
	ck_assert_uint_eq(errors.count, FIELD_ERRORS_MAX);
}
END_TEST

#define PAIR(name, literal) { name, (literal), sizeof(literal) - 1, false }
static const struct field_pair shuffled[] = { PAIR("b", "2"), PAIR("a10", "3"), PAIR("a", "1"),
					      PAIR("B", "0"), PAIR("\xc3\xa9", "4") };
static const struct field_pair escaped[] = {
	PAIR("q\"\\/", "a\"b\\c/d\te\nf\rg \xe2\x82\xac \xf0\x9f\x92\xb3 <&>")
};
static const struct field_pair empty_text[] = { PAIR("a", "") };

static const struct {
	const struct field_pair *pairs;
	size_t count;
	const char *canonical;
} metadata[] = {
	{ NULL, 0, "{}" },
	{ empty_text, 1, "{\"a\":\"\"}" },
	{ shuffled, 5, "{\"B\":\"0\",\"a\":\"1\",\"a10\":\"3\",\"b\":\"2\",\"\xc3\xa9\":\"4\"}" },
	{ escaped, 1,
	  "{\"q\\\"\\\\/\":\"a\\\"b\\\\c/d\\te\\nf\\rg \xe2\x82\xac \xf0\x9f\x92\xb3 <&>\"}" },
};

START_TEST(payment_metadata_has_one_canonical_text)
{
	struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };

	body_put(&body, "metadata",
		 (struct field_value){ .kind = VALUE_OBJECT,
				       .pairs = metadata[_i].pairs,
				       .pair_count = metadata[_i].count });

	ck_assert(READ(body.members, body.count, &request, &errors));

	ck_assert_str_eq(request.metadata, metadata[_i].canonical);
}
END_TEST

START_TEST(payment_metadata_is_the_same_in_any_order)
{
	struct field_pair turned[COUNT(shuffled)];
	struct payment_request first;
	struct payment_request second;
	struct field_errors errors = { 0 };
	struct body body = body_minimal();

	for (int i = 0; i < COUNT(shuffled); i++)
		turned[i] = shuffled[COUNT(shuffled) - 1 - i];

	body_put(&body, "metadata",
		 (struct field_value){ .kind = VALUE_OBJECT, .pairs = shuffled, .pair_count = 5 });
	ck_assert(READ(body.members, body.count, &first, &errors));
	body_put(&body, "metadata",
		 (struct field_value){ .kind = VALUE_OBJECT, .pairs = turned, .pair_count = 5 });
	ck_assert(READ(body.members, body.count, &second, &errors));

	ck_assert_str_eq(first.metadata, second.metadata);
}
END_TEST

/* Nine values of 400 and one that fills up to the limit: 4096 bytes fit, one more does not. */
START_TEST(payment_metadata_must_fit_when_written)
{
	static char text[500];
	char names[10][2];
	struct field_pair pairs[10];
	struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };
	/* braces, then per member two quoted strings, colon, comma but for the last */
	const size_t around = 2 + 10 * (1 + 2 + 2 + 1) + 9;
	const size_t last = PAYMENT_METADATA_SIZE - 1 - around - 9 * 400;

	memset(text, 'x', sizeof text);
	for (int i = 0; i < 10; i++) {
		names[i][0] = (char)('a' + i);
		names[i][1] = '\0';
		pairs[i] = (struct field_pair){ names[i], text, i < 9 ? 400 : last, false };
	}
	body_put(&body, "metadata",
		 (struct field_value){ .kind = VALUE_OBJECT, .pairs = pairs, .pair_count = 10 });

	ck_assert(READ(body.members, body.count, &request, &errors));
	ck_assert_uint_eq(strlen(request.metadata), PAYMENT_METADATA_SIZE - 1);
	pairs[9].text_size++;
	ck_assert(!READ(body.members, body.count, &request, &errors));

	ck_assert_uint_eq(errors.count, 1);
	ck_assert_str_eq(errors.list[0].field, "metadata");
	ck_assert_int_eq(errors.list[0].code, FIELD_LENGTH);
	ck_assert_ptr_nonnull(strstr(errors.list[0].message, "4096 bytes"));
}
END_TEST

START_TEST(payment_metadata_has_at_most_twenty_members)
{
	char names[PAYMENT_METADATA_MEMBERS + 1][3];
	struct field_pair pairs[PAYMENT_METADATA_MEMBERS + 1];
	struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };

	for (int i = 0; i <= PAYMENT_METADATA_MEMBERS; i++) {
		names[i][0] = (char)('a' + i / 10);
		names[i][1] = (char)('0' + i % 10);
		names[i][2] = '\0';
		pairs[i] = (struct field_pair){ names[i], "x", 1, false };
	}

	body_put(&body, "metadata",
		 (struct field_value){ .kind = VALUE_OBJECT,
				       .pairs = pairs,
				       .pair_count = PAYMENT_METADATA_MEMBERS });
	ck_assert(READ(body.members, body.count, &request, &errors));
	body_put(&body, "metadata",
		 (struct field_value){ .kind = VALUE_OBJECT,
				       .pairs = pairs,
				       .pair_count = PAYMENT_METADATA_MEMBERS + 1 });
	ck_assert(!READ(body.members, body.count, &request, &errors));

	ck_assert_uint_eq(errors.count, 1);
	ck_assert_int_eq(errors.list[0].code, FIELD_LENGTH);
}
END_TEST

START_TEST(payment_read_takes_a_token_or_a_method_that_is_kept)
{
	struct body body = body_minimal();
	struct payment_request request;
	struct field_errors errors = { 0 };

	body_put(&body, "payment_method_id", (struct field_value){ TEXT("pm_1") });
	ck_assert(READ(body.members, body.count, &request, &errors));
	ck_assert_str_eq(request.method_id, "pm_1");
	body_put(&body, "payment_token", (struct field_value){ TEXT("tok_ok") });
	ck_assert(!READ(body.members, body.count, &request, &errors));
	ck_assert_uint_eq(errors.count, 1);
	ck_assert_str_eq(errors.list[0].field, "payment_method_id");
	ck_assert_int_eq(errors.list[0].code, FIELD_NOT_A_WORD);
}
END_TEST

START_TEST(payment_table_is_complete_and_fits_its_struct)
{
	static const char *const names[] = {
		"amount",        "currency", "payment_method", "description", "customer_id",
		"payment_token", "country",  "capture",        "process",     "metadata",
		"callback_url",  "payment_method_id",
	};
	size_t count;
	const struct field_spec *fields = payment_fields(TRANSACTION_PAYMENT, &count);

	ck_assert_uint_eq(count, (size_t)COUNT(names));
	for (size_t i = 0; i < count; i++) {
		ck_assert_str_eq(fields[i].name, names[i]);
		ck_assert_uint_gt(strlen(fields[i].help), 0);
		ck_assert_uint_lt(strlen(fields[i].name), FIELD_NAME_SIZE);
		ck_assert_int_eq(fields[i].rule == FIELD_WORD, fields[i].words != NULL);
		ck_assert_uint_le(fields[i].min, fields[i].max);
		/* An id of ours is all digits now and then. */
		ck_assert_int_eq(fields[i].may_hold_card,
				 strcmp(fields[i].name, "payment_method_id") == 0);
	}
}
END_TEST

START_TEST(payment_methods_are_words_that_fit)
{
	size_t count = 0;

	for (; payment_methods[count]; count++) {
		struct body body = body_minimal();
		struct payment_request request;
		struct field_errors errors = { 0 };
		const char *method = payment_methods[count];

		ck_assert(text_is(TEXT_WORD, method, strlen(method)));
		ck_assert_uint_lt(strlen(method), PAYMENT_METHOD_SIZE);
		body_put(&body, "payment_method",
			 (struct field_value){ .kind = VALUE_STRING,
					       .text = method,
					       .text_size = strlen(method) });
		ck_assert(READ(body.members, body.count, &request, &errors));
		ck_assert_str_eq(request.method, method);
	}
	ck_assert_uint_ge(count, 10);
}
END_TEST

UNIT_MAIN("payment", {
	tcase_add_test(tests, payment_takes_the_smallest_request);
	tcase_add_loop_test(tests, payment_is_processed_at_once_unless_it_says_manual, 0, 3);
	tcase_add_test(tests, payment_takes_every_field);
	tcase_add_test(tests, payment_takes_null_for_an_absent_optional_field);
	tcase_add_loop_test(tests, payment_amount_counts_in_its_currency, 0, COUNT(amounts));
	tcase_add_test(tests, payment_takes_texts_of_full_length);
	tcase_add_loop_test(tests, payment_refuses_and_leaves_the_request_alone, 0, COUNT(refused));
	tcase_add_loop_test(tests, payment_needs_its_required_fields, 0, MINIMAL);
	tcase_add_test(tests, payment_reports_every_bad_field_at_once);
	tcase_add_loop_test(tests, payment_judges_an_amount_without_currency_as_far_as_it_can, 0,
			    COUNT(without_currency));
	tcase_add_test(tests, payment_errors_come_after_those_there_are);
	tcase_add_loop_test(tests, payment_metadata_has_one_canonical_text, 0, COUNT(metadata));
	tcase_add_test(tests, payment_metadata_is_the_same_in_any_order);
	tcase_add_test(tests, payment_metadata_must_fit_when_written);
	tcase_add_test(tests, payment_metadata_has_at_most_twenty_members);
	tcase_add_test(tests, payment_read_takes_a_token_or_a_method_that_is_kept);
	tcase_add_test(tests, payment_table_is_complete_and_fits_its_struct);
	tcase_add_test(tests, payment_methods_are_words_that_fit);
})
