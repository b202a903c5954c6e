/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/text.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/unit.h"

#define COUNT(array) ((int)(sizeof array / sizeof array[0]))
#define TEXT(literal) (literal), sizeof(literal) - 1

/* Any value in the pattern of its size, also those that UTF-8 does not allow. */
static size_t encode(uint32_t point, size_t size, char out[4])
{
	static const uint8_t leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	if (size == 1) {
		out[0] = (char)point;
		return 1;
	}
	for (size_t i = size; i-- > 1; point >>= 6)
		out[i] = (char)(0x80 | (point & 0x3f));
	out[0] = (char)(leads[size] | point);
	return size;
}

static size_t size_of(uint32_t point)
{
	if (point < 0x80)
		return 1;
	if (point < 0x800)
		return 2;
	return point < 0x10000 ? 3 : 4;
}

START_TEST(text_takes_every_code_point_once)
{
	char text[4];

	for (uint32_t point = 1; point < 0x1fffff; point++) {
		const size_t least = size_of(point);
		const bool allowed = point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);

		for (size_t size = least; size <= 4; size++) {
			encode(point, size, text);
			unit_expect(text_is_utf8(text, size) == (allowed && size == least),
				    "U+%04X in %zu bytes", point, size);
		}
		if (allowed)
			unit_expect(text_length(text, encode(point, least, text)) == 1,
				    "U+%04X is not one code point long", point);
	}
}
END_TEST

START_TEST(text_refuses_code_points_cut_short)
{
	static const char whole[] = "\xf0\x9f\x92\xb3";

	for (size_t size = 1; size < 4; size++)
		ck_assert(!text_is_utf8(whole, size));
	ck_assert(text_is_utf8(whole, 4));
}
END_TEST

static const struct {
	const char *text;
	size_t size;
	bool utf8;
	size_t length; /* of well-formed text */
} texts[] = {
	{ TEXT(""), true, 0 },
	{ TEXT("plain"), true, 5 },
	{ TEXT("caf\xc3\xa9"), true, 4 },
	{ TEXT("\xe2\x82\xac 5"), true, 3 },
	{ TEXT("\xf0\x9f\x92\xb3\xf0\x9f\x92\xb3"), true, 2 },
	{ TEXT("\xef\xbf\xbf"), true, 1 },
	{ TEXT("a\0b"), false, 0 },
	{ TEXT("\0"), false, 0 },
	{ TEXT("\x80"), false, 0 },
	{ TEXT("a\xbf"), false, 0 },
	{ TEXT("\xc0\x80"), false, 0 },
	{ TEXT("\xc1\xbf"), false, 0 },
	{ TEXT("\xc3("), false, 0 },
	{ TEXT("\xe2\x82("), false, 0 },
	{ TEXT("\xed\xa0\x80\xed\xb0\x80"), false, 0 },
	{ TEXT("\xf4\x90\x80\x80"), false, 0 },
	{ TEXT("\xf5\x80\x80\x80"), false, 0 },
	{ TEXT("\xf8\x88\x80\x80\x80"), false, 0 },
	{ TEXT("\xff\xfe"), false, 0 },
	{ TEXT("caf\xe9"), false, 0 },
};

START_TEST(text_tells_utf8_from_other_bytes)
{
	ck_assert_int_eq(text_is_utf8(texts[_i].text, texts[_i].size), texts[_i].utf8);
	if (texts[_i].utf8)
		ck_assert_uint_eq(text_length(texts[_i].text, texts[_i].size), texts[_i].length);
}
END_TEST

START_TEST(text_sees_every_control)
{
	char text[4];

	for (uint32_t point = 1; point < 0x3000; point++) {
		const bool control = point < 0x20 || (point >= 0x7f && point <= 0x9f);
		const bool line_space = point == '\t' || point == '\n' || point == '\r';
		const size_t size = encode(point, size_of(point), text);

		unit_expect(text_has_control(text, size) == control, "U+%04X", point);
		unit_expect(text_is(TEXT_ANY, text, size) == !control, "U+%04X", point);
		unit_expect(text_is(TEXT_FREE, text, size) == (!control || line_space), "U+%04X",
			    point);
	}
	ck_assert(text_has_control("a\0", 2));
}
END_TEST

static const struct {
	enum text_class class;
	const char *characters; /* all of ASCII that the class takes */
} classes[] = {
	{ TEXT_VISIBLE, "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
			"abcdefghijklmnopqrstuvwxyz{|}~" },
	{ TEXT_WORD, "abcdefghijklmnopqrstuvwxyz0123456789_" },
	{ TEXT_DIGITS, "0123456789" },
	{ TEXT_TOKEN, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@/:+" },
};

START_TEST(text_classes_take_exactly_their_characters)
{
	const enum text_class class = classes[_i].class;
	const char *characters = classes[_i].characters;

	ck_assert(text_is(class, "", 0));
	ck_assert(text_is(class, characters, strlen(characters)));
	for (int byte = 0; byte <= 0xff; byte++) {
		const char text[] = { characters[0], (char)byte, characters[0] };
		const bool taken = byte != 0 && strchr(characters, byte);

		unit_expect(text_is(class, text, sizeof text) == taken, "%02x", (unsigned)byte);
	}
}
END_TEST

static const struct {
	enum text_class class;
	const char *text;
	size_t size;
	bool fits;
} cases[] = {
	{ TEXT_ANY, TEXT(""), true },
	{ TEXT_FREE, TEXT(""), true },
	{ TEXT_ANY, TEXT("caf\xc3\xa9"), true },
	{ TEXT_ANY, TEXT("caf\xe9"), false },
	{ TEXT_FREE, TEXT("caf\xe9"), false },
	{ TEXT_FREE, TEXT("a\r\n\tb"), true },
	{ TEXT_ANY, TEXT("a\nb"), false },
	{ TEXT_COUNTRY, TEXT("ID"), true },
	{ TEXT_COUNTRY, TEXT(""), false },
	{ TEXT_COUNTRY, TEXT("I"), false },
	{ TEXT_COUNTRY, TEXT("IDN"), false },
	{ TEXT_COUNTRY, TEXT("id"), false },
	{ TEXT_COUNTRY, TEXT("I1"), false },
	{ TEXT_URL, TEXT("https://shop.example/hook"), true },
	{ TEXT_URL, TEXT("http://127.0.0.1:8080/hook?a=b&c=%20"), true },
	{ TEXT_URL, TEXT("http://[::1]:8080"), true },
	{ TEXT_URL, TEXT("http://x"), true },
	{ TEXT_URL, TEXT("https://shop.example?to=a@b.example"), true },
	{ TEXT_URL, TEXT("https://shop.example/a@b"), true },
	{ TEXT_URL, TEXT(""), false },
	{ TEXT_URL, TEXT("http://"), false },
	{ TEXT_URL, TEXT("https:///path"), false },
	{ TEXT_URL, TEXT("http://?x"), false },
	{ TEXT_URL, TEXT("http://:80/"), false },
	{ TEXT_URL, TEXT("ftp://shop.example/"), false },
	{ TEXT_URL, TEXT("HTTP://shop.example/"), false },
	{ TEXT_URL, TEXT("file:///etc/passwd"), false },
	{ TEXT_URL, TEXT("//shop.example/"), false },
	{ TEXT_URL, TEXT("shop.example"), false },
	{ TEXT_URL, TEXT("https://user@shop.example/"), false },
	{ TEXT_URL, TEXT("https://user:secret@shop.example/"), false },
	{ TEXT_URL, TEXT("https://shop.example\\@evil.example/"), false },
	{ TEXT_URL, TEXT("https://shop.example/#part"), false },
	{ TEXT_URL, TEXT("https://shop.example#part"), false },
	{ TEXT_URL, TEXT("https://shop.example/a b"), false },
	{ TEXT_URL, TEXT("https://shop.example/\n"), false },
	{ TEXT_URL, TEXT("https://caf\xc3\xa9.example/"), false },
	{ TEXT_URL, TEXT("https://shop.example/caf\xc3\xa9"), false },
	{ TEXT_URL, TEXT("https://sh\0op.example/"), false },
	{ TEXT_EMAIL, TEXT("a@b.c"), true },
	{ TEXT_EMAIL, TEXT("Ana.W+x!#$%&'*/=?^_`{|}~-@sub.shop-1.example"), true },
	{ TEXT_EMAIL, TEXT(""), false },
	{ TEXT_EMAIL, TEXT("@shop.example"), false },
	{ TEXT_EMAIL, TEXT("ana"), false },
	{ TEXT_EMAIL, TEXT("ana@"), false },
	{ TEXT_EMAIL, TEXT("ana@shop"), false },
	{ TEXT_EMAIL, TEXT("ana@shop."), false },
	{ TEXT_EMAIL, TEXT("ana@.example"), false },
	{ TEXT_EMAIL, TEXT("ana@shop..example"), false },
	{ TEXT_EMAIL, TEXT(".ana@shop.example"), false },
	{ TEXT_EMAIL, TEXT("ana.@shop.example"), false },
	{ TEXT_EMAIL, TEXT("a..na@shop.example"), false },
	{ TEXT_EMAIL, TEXT("ana@-shop.example"), false },
	{ TEXT_EMAIL, TEXT("ana@shop-.example"), false },
	{ TEXT_EMAIL, TEXT("ana@shop.-example"), false },
	{ TEXT_EMAIL, TEXT("ana@shop.example-"), false },
	{ TEXT_EMAIL, TEXT("ana@sh_op.example"), false },
	{ TEXT_EMAIL, TEXT("ana@ana@shop.example"), false },
	{ TEXT_EMAIL, TEXT("ana @shop.example"), false },
	{ TEXT_EMAIL, TEXT("<ana@shop.example>"), false },
	{ TEXT_EMAIL, TEXT("\"ana\"@shop.example"), false },
	{ TEXT_EMAIL, TEXT("caf\xc3\xa9@shop.example"), false },
	{ TEXT_EMAIL, TEXT("ana\0@shop.example"), false },
	{ TEXT_EMAIL, TEXT("ana@shop.example\n"), false },
	{ TEXT_PHONE, TEXT("+1234567"), true },
	{ TEXT_PHONE, TEXT("+123456789012345"), true },
	{ TEXT_PHONE, TEXT("+49 (0)30-123.456"), true },
	{ TEXT_PHONE, TEXT("+1 (555) 123-4567"), true },
	{ TEXT_PHONE, TEXT(""), false },
	{ TEXT_PHONE, TEXT("+"), false },
	{ TEXT_PHONE, TEXT("+123456"), false },
	{ TEXT_PHONE, TEXT("+1234567890123456"), false },
	{ TEXT_PHONE, TEXT("1234567"), false },
	{ TEXT_PHONE, TEXT("+0234567"), false },
	{ TEXT_PHONE, TEXT("+ 1234567"), false },
	{ TEXT_PHONE, TEXT("+1234567 "), false },
	{ TEXT_PHONE, TEXT("+123   4567"), false },
	{ TEXT_PHONE, TEXT("+1234567x1"), false },
	{ TEXT_PHONE, TEXT("+1234\0567"), false },
	{ TEXT_DATE, TEXT("1900-01-01"), true },
	{ TEXT_DATE, TEXT("2000-02-29"), true },
	{ TEXT_DATE, TEXT("2024-02-29"), true },
	{ TEXT_DATE, TEXT("9999-12-31"), true },
	{ TEXT_DATE, TEXT("1899-12-31"), false },
	{ TEXT_DATE, TEXT("1900-02-29"), false },
	{ TEXT_DATE, TEXT("2023-02-29"), false },
	{ TEXT_DATE, TEXT("2023-04-31"), false },
	{ TEXT_DATE, TEXT("2023-00-01"), false },
	{ TEXT_DATE, TEXT("2023-13-01"), false },
	{ TEXT_DATE, TEXT("2023-01-00"), false },
	{ TEXT_DATE, TEXT("2023-01-32"), false },
	{ TEXT_DATE, TEXT("2023-1-01"), false },
	{ TEXT_DATE, TEXT("2023/01/01"), false },
	{ TEXT_DATE, TEXT("2023-01-01T"), false },
	{ TEXT_DATE, TEXT(""), false },
	{ TEXT_NATION, TEXT("ID"), true },
	{ TEXT_NATION, TEXT("XX"), false },
	{ TEXT_NATION, TEXT("id"), false },
	{ TEXT_NATION, TEXT("I"), false },
	{ TEXT_NATION, TEXT("IDN"), false },
	{ TEXT_NATION, TEXT(""), false },
};

START_TEST(text_is_of_its_class_or_not)
{
	ck_assert_msg(text_is(cases[_i].class, cases[_i].text, cases[_i].size) == cases[_i].fits,
		      "%s", cases[_i].text);
}
END_TEST

UNIT_MAIN("text", {
	tcase_add_test(tests, text_takes_every_code_point_once);
	tcase_add_test(tests, text_refuses_code_points_cut_short);
	tcase_add_loop_test(tests, text_tells_utf8_from_other_bytes, 0, COUNT(texts));
	tcase_add_test(tests, text_sees_every_control);
	tcase_add_loop_test(tests, text_classes_take_exactly_their_characters, 0, COUNT(classes));
	tcase_add_loop_test(tests, text_is_of_its_class_or_not, 0, COUNT(cases));
})
