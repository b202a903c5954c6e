/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/card.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define COUNT(array) ((int)(sizeof array / sizeof array[0]))
#define RANDOM_TEXTS 20000
#define TEXT_SIZE 64

/* Numbers that schemes and processors publish for tests, and how they are often written. */
static const char *const cards[] = {
	"4111111111111111",
	"4012888888881881",
	"4222222222222",
	"4000000000000000006",
	"5555555555554444",
	"5105105105105100",
	"2223003122003222",
	"2720990000000007",
	"378282246310005",
	"341111111111111",
	"6011111111111117",
	"6445644564456445",
	"30569309025904",
	"38520000023237",
	"36227206271667",
	"3530111333300000",
	"3566002020360505",
	"6200000000000005",
	"6205500000000000004",
	"6759649826438453",
	"6304000000000000",
	"5018000000000009",
	"2200000000000004",
	"6521110000000004",
	"4111 1111 1111 1111",
	"4111-1111-1111-1111",
	"3782 822463 10005",
	"4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
	"4111 11111111-1111",
	"order 4111111111111111 paid",
	"x4111111111111111y",
	"0004111111111111111000",
	"card:4111111111111111,exp:0930",
	"\xe2\x82\xac 4111111111111111",
	"1234567890123 4111111111111111",
};

START_TEST(card_number_is_found)
{
	ck_assert_msg(card_number_in(cards[_i], strlen(cards[_i])), "%s", cards[_i]);
}
END_TEST

static const char *const not_cards[] = {
	"",
	"abcd4111-1111-4000-8114-abcdefabcdef", /* a UUID, though its digits would pass */
	"4",
	"411111111111111",      /* too short for Visa's 16 */
	"4111111111111112",     /* Luhn */
	"4111  1111 1111 1111", /* two blanks part it */
	"4111--1111-1111-1111",
	"4111 -1111-1111-1111",
	"4111.1111.1111.1111",
	"4111\n1111\n1111\n1111",
	"4111a1111b1111c1111",
	"411111111111111x1",
	"4111111111\xc2\xa0 111111",
	"1111111111111117", /* passes Luhn, no issuer */
	"7992739871300000",
	"0000000000000000",
	"9999999999999995",
	"79927398713",
	"+62 812-3456-7890",
	"Payment for order #1234",
	"2026-11-21 09:46:15",
	"6901234567892", /* an article number of 13 digits that passes Luhn: no Maestro range */
	"6801000000000006",
	"3200000000000007",
};

START_TEST(card_number_is_not_seen_where_there_is_none)
{
	ck_assert_msg(!card_number_in(not_cards[_i], strlen(not_cards[_i])), "%s", not_cards[_i]);
}
END_TEST

/* The published ranges by their ends, and the neighbours that belong to nobody. */
static const struct {
	const char *prefix;
	int length;
	bool card;
} ranges[] = {
	{ "400000", 13, true },  { "499999", 16, true },  { "400000", 19, true },
	{ "400000", 14, false }, { "400000", 15, false }, { "400000", 17, false },
	{ "400000", 18, false }, { "510000", 16, true },  { "559999", 16, true },
	{ "510000", 15, false }, { "510000", 17, false }, { "222099", 16, false },
	{ "222100", 16, true },  { "272099", 16, true },  { "272100", 16, false },
	{ "222100", 17, false }, { "340000", 15, true },  { "349999", 15, true },
	{ "370000", 15, true },  { "379999", 15, true },  { "340000", 16, false },
	{ "330000", 15, false }, { "350000", 15, false }, { "601100", 16, true },
	{ "601199", 19, true },  { "601100", 15, false }, { "601200", 19, false },
	{ "643999", 16, false }, { "644000", 16, true },  { "649999", 17, true },
	{ "650000", 16, true },  { "659999", 18, true },  { "660000", 16, false },
	{ "300000", 14, true },  { "305999", 19, true },  { "306000", 14, false },
	{ "309500", 14, true },  { "309600", 14, false }, { "360000", 14, true },
	{ "369999", 16, true },  { "380000", 14, true },  { "399999", 14, true },
	{ "352700", 16, false }, { "352800", 16, true },  { "358999", 19, true },
	{ "359000", 16, false }, { "352800", 15, false }, { "620000", 16, true },
	{ "629999", 19, true },  { "620000", 15, false }, { "810000", 16, true },
	{ "819999", 19, true },  { "500000", 13, true },  { "509999", 19, true },
	{ "560000", 13, true },  { "589999", 19, true },  { "590000", 16, false },
	{ "630400", 13, true },  { "630500", 16, false }, { "639000", 16, true },
	{ "639100", 16, false }, { "670000", 13, true },  { "679999", 19, true },
	{ "680000", 16, false }, { "690000", 13, false }, { "610000", 16, false },
	{ "220000", 16, true },  { "220499", 19, true },  { "220500", 16, false },
	{ "600000", 16, true },  { "609999", 16, true },  { "600000", 19, false },
	{ "820000", 16, true },  { "829999", 16, true },  { "830000", 16, false },
	{ "508500", 16, true },  { "353000", 16, true },  { "356000", 16, true },
	{ "652150", 16, true },  { "636297", 16, true },  { "636368", 16, true },
	{ "636298", 16, false }, { "401178", 16, true },  { "431274", 16, true },
	{ "504175", 16, true },  { "506699", 16, true },  { "509000", 16, true },
	{ "627780", 16, true },  { "650031", 16, true },  { "655000", 16, true },
	{ "979200", 16, true },  { "979299", 16, true },  { "979300", 16, false },
	{ "979199", 16, false }, { "100000", 15, false }, { "700000", 16, false },
};

static unsigned luhn_sum(const char *digits)
{
	unsigned sum = 0;
	bool twice = false;

	for (size_t i = strlen(digits); i-- > 0; twice = !twice) {
		const unsigned digit = (unsigned)(digits[i] - '0');
		const unsigned value = twice ? 2 * digit : digit;

		sum += value / 10 + value % 10;
	}
	return sum;
}

/* A number of zeros after the prefix, so that no shorter run inside can be a number by chance. */
static void card_build(const char *prefix, int length, char out[32])
{
	snprintf(out, 32, "%s%0*d", prefix, length - (int)strlen(prefix), 0);
	out[length - 1] = (char)('0' + (10 - luhn_sum(out) % 10) % 10);
}

START_TEST(card_number_needs_prefix_and_length_of_an_issuer)
{
	char text[32];

	card_build(ranges[_i].prefix, ranges[_i].length, text);
	ck_assert_uint_eq(strlen(text), (size_t)ranges[_i].length);

	ck_assert_msg(card_number_in(text, strlen(text)) == ranges[_i].card, "%s", text);
}
END_TEST

/* Prefixes of which no part, with these zeros, begins another issuer's number. */
static const struct {
	const char *prefix;
	int length;
} alone[] = { { "510000", 16 }, { "340000", 15 }, { "220000", 16 }, { "979200", 16 } };

START_TEST(card_number_needs_its_check_digit)
{
	char text[32];
	char *last = &text[alone[_i].length - 1];
	char right;

	card_build(alone[_i].prefix, alone[_i].length, text);
	right = *last;
	for (*last = '0'; *last <= '9'; ++*last)
		ck_assert_msg(card_number_in(text, strlen(text)) == (*last == right), "%s", text);
}
END_TEST

START_TEST(card_number_is_looked_for_only_within_the_size)
{
	ck_assert(!card_number_in("4111111111111111", 15));
	ck_assert(card_number_in("4111111111111111", 16));
	ck_assert(card_number_in("a\0b4111111111111111", 19));
}
END_TEST

static const struct {
	const char *text;
	const char *masked;
	size_t count;
} masks[] = {
	{ "", "", 0 },
	{ "nothing here", "nothing here", 0 },
	{ "4111111111111112", "4111111111111112", 0 },
	{ "4111111111111111", "************1111", 1 },
	{ "4222222222222", "*********2222", 1 },
	{ "378282246310005", "***********0005", 1 },
	{ "4111 1111-1111 1111", "**** ****-**** 1111", 1 },
	{ "a 5555555555554444 b 378282246310005 c", "a ************4444 b ***********0005 c", 2 },
	{ "{\"pan\":\"4012888888881881\"}", "{\"pan\":\"************1881\"}", 1 },
	{ "0004111111111111111x", "000************1111x", 1 },
	/* with the 13-digit number 4222222222222 at the end, and in the middle */
	{ "4204222222222222", "************2222", 1 },
	{ "4422222222222200002", "***************0002", 1 },
};

START_TEST(card_mask_keeps_the_last_four_digits)
{
	char text[TEXT_SIZE];
	const size_t size = strlen(masks[_i].text);

	memcpy(text, masks[_i].text, size + 1);

	ck_assert_uint_eq(card_mask(text, size), masks[_i].count);

	ck_assert_str_eq(text, masks[_i].masked);
}
END_TEST

/* Dense digits overlap in every way: after masking nothing is left, only digits were changed. */
START_TEST(card_mask_stops_where_a_uuid_begins)
{
	char text[] = "4905185300 42695142-6456-4399-8114-623650318429";
	const size_t size = sizeof text - 1;

	ck_assert_uint_eq(card_mask(text, size), 0);

	ck_assert(!card_number_in(text, size));
	ck_assert_ptr_nonnull(strstr(text, "42695142-6456-4399-8114-623650318429"));
}
END_TEST

START_TEST(card_word_is_a_word_of_its_own)
{
	ck_assert(card_word_in("4111111111111111"));
	ck_assert(card_word_in("4111-1111-1111-1111"));
	ck_assert(card_word_in("order:4111111111111111/1"));
	ck_assert(!card_word_in("a4111111111111111"));
	ck_assert(!card_word_in("0b4111111111111111c2"));
	ck_assert(!card_word_in("abcd4111-1111-4000-8114-abcdefabcdef"));
	ck_assert(!card_word_in(""));
}
END_TEST

START_TEST(card_mask_leaves_no_card_number)
{
	static const char alphabet[] = "01234567894455533666 -";
	uint64_t state = seed_start();
	size_t found = 0;

	for (int round = 0; round < RANDOM_TEXTS; round++) {
		char text[TEXT_SIZE];
		char masked[TEXT_SIZE];

		for (size_t i = 0; i < TEXT_SIZE; i++)
			text[i] = alphabet[seed_next(&state) % (sizeof alphabet - 1)];
		memcpy(masked, text, TEXT_SIZE);
		unit_expect(card_number_in(text, TEXT_SIZE) == (card_mask(masked, TEXT_SIZE) > 0),
			    "found, or masked: \"%.*s\"", TEXT_SIZE, text);
		unit_expect(!card_number_in(masked, TEXT_SIZE), "\"%.*s\" became \"%.*s\"",
			    TEXT_SIZE, text, TEXT_SIZE, masked);
		for (size_t i = 0; i < TEXT_SIZE; i++)
			unit_expect(masked[i] == text[i] ||
					    (masked[i] == '*' && text[i] >= '0' && text[i] <= '9'),
				    "\"%.*s\" became \"%.*s\"", TEXT_SIZE, text, TEXT_SIZE, masked);
		found += memcmp(text, masked, TEXT_SIZE) != 0;
	}
	ck_assert_uint_gt(found, RANDOM_TEXTS / 10);
}
END_TEST

UNIT_MAIN("card", {
	tcase_add_loop_test(tests, card_number_is_found, 0, COUNT(cards));
	tcase_add_loop_test(tests, card_number_is_not_seen_where_there_is_none, 0,
			    COUNT(not_cards));
	tcase_add_loop_test(tests, card_number_needs_prefix_and_length_of_an_issuer, 0,
			    COUNT(ranges));
	tcase_add_loop_test(tests, card_number_needs_its_check_digit, 0, COUNT(alone));
	tcase_add_test(tests, card_number_is_looked_for_only_within_the_size);
	tcase_add_loop_test(tests, card_mask_keeps_the_last_four_digits, 0, COUNT(masks));
	tcase_add_test(tests, card_mask_stops_where_a_uuid_begins);
	tcase_add_test(tests, card_word_is_a_word_of_its_own);
	tcase_add_test(tests, card_mask_leaves_no_card_number);
})
