/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/payment_method.h"

#include <string.h>

#include "tests/unit/unit.h"

#define COUNT(array) (sizeof array / sizeof array[0])
#define TEXT(T)                                                                                    \
	{                                                                                          \
		.kind = VALUE_STRING, .text = (T), .text_size = sizeof(T) - 1                      \
	}
#define NUMBER(N)                                                                                  \
	{                                                                                          \
		.kind = VALUE_INTEGER, .integer = (N)                                              \
	}

static const struct field_member card[] = {
	{ "gateway", TEXT("alpha") },
	{ "payment_token", TEXT("tok_ok") },
	{ "payment_method", TEXT("credit_card") },
	{ "brand", TEXT("visa") },
	{ "last4", TEXT("4242") },
	{ "expiry_month", NUMBER(12) },
	{ "expiry_year", TEXT("2031") }, /* as XML has it */
	{ "default", { .kind = VALUE_BOOL, .boolean = true } },
};

START_TEST(payment_method_read_takes_all_members)
{
	struct payment_method_request request;
	struct field_errors errors = { .count = 0 };

	ck_assert(payment_method_read(card, COUNT(card), &request, &errors));
	ck_assert_str_eq(request.gateway, "alpha");
	ck_assert_str_eq(request.token, "tok_ok");
	ck_assert_str_eq(request.method, "credit_card");
	ck_assert_str_eq(request.brand, "visa");
	ck_assert_str_eq(request.last4, "4242");
	ck_assert_int_eq(request.expiry_month, 12);
	ck_assert_int_eq(request.expiry_year, 2031);
	ck_assert_int_eq(request.wish, METHOD_DEFAULT);
}
END_TEST

START_TEST(payment_method_read_takes_those_that_must_be_alone)
{
	struct payment_method_request request;
	struct field_errors errors = { .count = 0 };

	ck_assert(payment_method_read(card, 3, &request, &errors));
	ck_assert_str_eq(request.brand, "");
	ck_assert_int_eq(request.expiry_month, 0);
	ck_assert_int_eq(request.wish, METHOD_AS_NEEDED);
}
END_TEST

START_TEST(payment_method_is_expired_from_the_month_after)
{
	static const struct {
		int month, year;
		bool expired;
	} cases[] = {
		{ 3, 2026, false }, { 2, 2026, true },   { 12, 2025, true },
		{ 1, 2027, false }, { 12, 2026, false }, { 0, 0, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ck_assert_int_eq(
			payment_method_is_expired(cases[i].month, cases[i].year, "2026-03-01"),
			cases[i].expired);
		ck_assert_int_eq(payment_method_is_expired(cases[i].month, cases[i].year,
							   "2026-03-31T23:59:59.999999Z"),
				 cases[i].expired);
	}
}
END_TEST

static const struct {
	size_t at; /* of `card` */
	struct field_member member;
	const char *field;
	enum field_code code;
} refused[] = {
	{ 0, { "none", TEXT("x") }, "gateway", FIELD_MISSING },
	{ 1, { "payment_token", TEXT("4111111111111111") }, "payment_token", FIELD_CARD_NUMBER },
	{ 2, { "payment_method", TEXT("cash") }, "payment_method", FIELD_NOT_A_WORD },
	{ 4, { "last4", TEXT("424x") }, "last4", FIELD_CHARACTERS },
	{ 4, { "last4", TEXT("4111111111111111") }, "last4", FIELD_LENGTH },
	{ 5, { "expiry_month", NUMBER(13) }, "expiry_month", FIELD_NOT_A_WORD },
	{ 5, { "expiry_month", { .kind = VALUE_NULL } }, "expiry_month", FIELD_MISSING },
	{ 6, { "expiry_year", { .kind = VALUE_NULL } }, "expiry_year", FIELD_MISSING },
	{ 6, { "expiry_year", TEXT("31") }, "expiry_year", FIELD_NOT_A_WORD },
	{ 7, { "default", TEXT("yes") }, "default", FIELD_TYPE },
	{ 7, { "card_number", TEXT("x") }, "card_number", FIELD_UNKNOWN },
};

START_TEST(payment_method_read_names_what_is_wrong)
{
	struct field_member members[COUNT(card)];
	struct payment_method_request request = { .brand = "untouched" };
	struct field_errors errors = { .count = 0 };

	memcpy(members, card, sizeof members);
	members[refused[_i].at] = refused[_i].member;
	ck_assert(!payment_method_read(members, COUNT(card), &request, &errors));
	ck_assert_str_eq(errors.list[0].field, refused[_i].field);
	ck_assert_int_eq(errors.list[0].code, refused[_i].code);
	ck_assert_str_eq(request.brand, "untouched");
}
END_TEST

UNIT_MAIN("payment_method", {
	tcase_add_test(tests, payment_method_read_takes_all_members);
	tcase_add_test(tests, payment_method_is_expired_from_the_month_after);
	tcase_add_test(tests, payment_method_read_takes_those_that_must_be_alone);
	tcase_add_loop_test(tests, payment_method_read_names_what_is_wrong, 0, (int)COUNT(refused));
})
