/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/customer.h"

#include <string.h>

#include "tests/unit/unit.h"

#define COUNT(array) (sizeof array / sizeof array[0])
#define TEXT(T)                                                                                    \
	{                                                                                          \
		.kind = VALUE_STRING, .text = (T), .text_size = sizeof(T) - 1                      \
	}
#define OBJECT(PAIRS)                                                                              \
	{                                                                                          \
		.kind = VALUE_OBJECT, .pairs = (PAIRS),                                            \
		.pair_count = sizeof(PAIRS) / sizeof(PAIRS)[0]                                     \
	}
#define PAIR(NAME, T)                                                                              \
	{                                                                                          \
		.name = (NAME), .text = (T), .text_size = sizeof(T) - 1                            \
	}
#define REMOVED(NAME)                                                                              \
	{                                                                                          \
		.name = (NAME), .null = true                                                       \
	}
#define NOTHING                                                                                    \
	{                                                                                          \
		.kind = VALUE_NULL                                                                 \
	}
#define TODAY "2026-03-01"

static const struct field_pair address[] = { PAIR("line1", "1 Road"), PAIR("city", "Town") };
static const struct field_pair less_address[] = { REMOVED("line1"), PAIR("state", "S") };
static const struct field_pair wrong_address[] = { PAIR("line1", "x"), PAIR("street", "x") };
static const struct field_pair metadata[] = { PAIR("a", "1") };

static const struct field_member whole[] = {
	{ "customer_id", TEXT("c1") },    { "name", TEXT("Ana") },
	{ "email", TEXT("Ana@Shop.Ex") }, { "phone", TEXT("+62 812-345 678") },
	{ "country", TEXT("ID") },        { "date_of_birth", TEXT(TODAY) },
	{ "address", OBJECT(address) },   { "metadata", OBJECT(metadata) },
};

static struct field_errors check(const struct field_member *members, size_t count)
{
	struct field_errors errors = { .count = 0 };
	size_t spec_count;
	const struct field_spec *specs = customer_fields(&spec_count);
	const bool good = customer_check(specs, spec_count, members, count, TODAY, &errors);

	ck_assert_int_eq(good, errors.count == 0);
	return errors;
}

START_TEST(customer_check_takes_a_whole_profile_and_an_empty_one)
{
	ck_assert_uint_eq(check(whole, COUNT(whole)).count, 0);
	ck_assert_uint_eq(check(NULL, 0).count, 0);
}
END_TEST

static const struct {
	struct field_member member;
	enum field_code code;
} refused[] = {
	{ { "date_of_birth", TEXT("2026-03-02") }, FIELD_TOO_LARGE },
	{ { "date_of_birth", TEXT("2026-02-29") }, FIELD_CHARACTERS },
	{ { "phone", TEXT("+3782822463100 05") }, FIELD_CARD_NUMBER },
	{ { "phone", TEXT("0812345678") }, FIELD_CHARACTERS },
	{ { "email", TEXT("ana@shop") }, FIELD_CHARACTERS },
	{ { "country", TEXT("XX") }, FIELD_CHARACTERS },
	{ { "address", OBJECT(wrong_address) }, FIELD_UNKNOWN },
	{ { "name", TEXT("4111 1111 1111 1111") }, FIELD_CARD_NUMBER },
	{ { "name", TEXT("a\nb") }, FIELD_CHARACTERS },
};

START_TEST(customer_check_names_what_is_wrong)
{
	const struct field_errors errors = check(&refused[_i].member, 1);

	ck_assert_uint_eq(errors.count, 1);
	ck_assert_str_eq(errors.list[0].field, refused[_i].member.name);
	ck_assert_int_eq(errors.list[0].code, refused[_i].code);
}
END_TEST

START_TEST(customer_check_names_all_that_is_wrong)
{
	struct field_member members[COUNT(refused)];

	for (size_t i = 0; i < COUNT(refused); i++)
		members[i] = refused[i].member;
	members[1].name = members[3].name = members[8].name = "unknown";
	ck_assert_uint_eq(check(members, COUNT(members)).count, 6 + 3);
}
END_TEST

/* Thirteen digits that begin like a card's and pass Luhn. */
START_TEST(customer_check_takes_german_phones)
{
	const struct field_member phone = { "phone", TEXT("+49 1512 3456 787") };

	ck_assert_uint_eq(check(&phone, 1).count, 0);
}
END_TEST

START_TEST(customer_merge_replaces_removes_and_leaves)
{
	const struct field_member change[] = { { "name", NOTHING },
					       { "email", TEXT("b@x.example") },
					       { "address", OBJECT(less_address) } };
	const struct field_member no_address = { "address", NOTHING };
	struct customer_profile profile = { .country = "" };

	customer_merge(whole, COUNT(whole), &profile);
	ck_assert_str_eq(profile.country, "ID");
	ck_assert_str_eq(profile.text[CUSTOMER_EMAIL], "Ana@Shop.Ex");
	customer_merge(change, COUNT(change), &profile);
	ck_assert_str_eq(profile.text[CUSTOMER_NAME], "");
	ck_assert_str_eq(profile.text[CUSTOMER_EMAIL], "b@x.example");
	ck_assert_str_eq(profile.text[CUSTOMER_PHONE], "+62 812-345 678");
	ck_assert_str_eq(profile.text[CUSTOMER_LINE1], "");
	ck_assert_str_eq(profile.text[CUSTOMER_CITY], "Town");
	ck_assert_str_eq(profile.text[CUSTOMER_STATE], "S");
	customer_merge(&no_address, 1, &profile);
	ck_assert_str_eq(profile.text[CUSTOMER_CITY], "");
	ck_assert_str_eq(profile.text[CUSTOMER_BIRTH], TODAY);
}
END_TEST

/* Every subset of texts. */
START_TEST(customer_pack_and_unpack_are_inverse)
{
	char packed[CUSTOMER_PACKED_SIZE];

	for (unsigned set = 0; set < 1U << CUSTOMER_TEXT_COUNT; set++) {
		struct customer_profile profile = { .country = "ID" }, read = { .country = "SG" };

		for (int text = 0; text < CUSTOMER_TEXT_COUNT; text++)
			if ((set >> text & 1) != 0)
				profile.text[text][0] = (char)('a' + text);
		(void)customer_pack(&profile, packed);
		unit_expect((*packed == '\0') == (set == 0), "set %x", set);
		unit_expect(customer_unpack(packed, &read), "set %x", set);
		unit_expect(memcmp(read.text, profile.text, sizeof read.text) == 0, "set %x", set);
		unit_expect(strcmp(read.country, "SG") == 0, "set %x", set);
	}
}
END_TEST

START_TEST(customer_pack_holds_the_longest_profile)
{
	static const size_t longest[CUSTOMER_TEXT_COUNT] = { 480, 254, 44,  10, 480,
							     480, 320, 320, 80 };
	struct customer_profile profile = { .country = "ID" }, read = { .country = "ID" };
	char packed[CUSTOMER_PACKED_SIZE];

	for (int text = 0; text < CUSTOMER_TEXT_COUNT; text++)
		memset(profile.text[text], 'x', longest[text]);
	(void)customer_pack(&profile, packed);
	ck_assert(customer_unpack(packed, &read));
	ck_assert_mem_eq(&read, &profile, sizeof read);
}
END_TEST

START_TEST(customer_unpack_refuses_what_was_not_packed)
{
	struct customer_profile profile = { .country = "" };
	char packed[CUSTOMER_PACKED_SIZE];

	ck_assert(!customer_unpack("1\n2\n3\n4\n5\n6\n7\n8\n9\n10", &profile));
	memset(packed, 'x', CUSTOMER_TEXT_SIZE);
	packed[CUSTOMER_TEXT_SIZE] = '\0';
	ck_assert(!customer_unpack(packed, &profile));
	ck_assert_str_eq(profile.text[0], "");
}
END_TEST

START_TEST(customer_normalise_makes_the_same_of_the_same)
{
	static const char *const phones[] = { "+62812345678", "+62 812 345 678",
					      "+62 (812) 345-678", "+62.812.345.678" };
	char out[CUSTOMER_EMAIL_SIZE];

	for (size_t i = 0; i < COUNT(phones); i++)
		ck_assert_str_eq(customer_normalise(CUSTOMER_PHONE, phones[i], out),
				 "+62812345678");
	ck_assert_str_eq(customer_normalise(CUSTOMER_EMAIL, "Ana.X+y@Shop.EXAMPLE", out),
			 "ana.x+y@shop.example");
	ck_assert_str_eq(customer_normalise(CUSTOMER_EMAIL, "", out), "");
}
END_TEST

UNIT_MAIN("customer", {
	tcase_add_test(tests, customer_check_takes_a_whole_profile_and_an_empty_one);
	tcase_add_loop_test(tests, customer_check_names_what_is_wrong, 0, (int)COUNT(refused));
	tcase_add_test(tests, customer_check_names_all_that_is_wrong);
	tcase_add_test(tests, customer_check_takes_german_phones);
	tcase_add_test(tests, customer_merge_replaces_removes_and_leaves);
	tcase_add_test(tests, customer_pack_and_unpack_are_inverse);
	tcase_add_test(tests, customer_pack_holds_the_longest_profile);
	tcase_add_test(tests, customer_unpack_refuses_what_was_not_packed);
	tcase_add_test(tests, customer_normalise_makes_the_same_of_the_same);
})
