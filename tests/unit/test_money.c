/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/money.h"

#include <inttypes.h>
#include <regex.h>
#include <signal.h>
#include <string.h>

#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define COUNT(array) ((int)(sizeof array / sizeof array[0]))
#define RANDOM_CASES 200000
#define UNTOUCHED INT64_C(-77)

static int64_t random_amount(uint64_t *state)
{
	static const uint64_t bounds[] = { 10, 1000, 100000, UINT64_C(1000000000) };
	const uint64_t choice = seed_next(state) % 5;
	const uint64_t bound = choice < 4 ? bounds[choice] : (uint64_t)MONEY_MAX_MINOR;

	return (int64_t)(1 + seed_next(state) % bound);
}

START_TEST(currency_list_is_sorted_and_sane)
{
	size_t count;
	const struct currency *list = currency_list(&count);

	ck_assert_uint_ge(count, 160);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(strlen(list[i].code), 3);
		ck_assert_uint_eq(strspn(list[i].code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 3);
		ck_assert_msg(list[i].number >= 1 && list[i].number <= 999, "%s", list[i].code);
		ck_assert_uint_gt(strlen(list[i].name), 0);
		if (i > 0)
			ck_assert_str_lt(list[i - 1].code, list[i].code);
		for (size_t j = 0; j < i; j++)
			unit_expect(list[i].number != list[j].number, "%s and %s share a number",
				    list[i].code, list[j].code);
		ck_assert_ptr_eq(currency_find(list[i].code), &list[i]);
	}
}
END_TEST

/* Every currency whose exponent is not 2: all the others have 2. */
static const struct {
	uint8_t exponent;
	const char *codes;
} exponents[] = {
	{ 0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF" },
	{ 3, "BHD IQD JOD KWD LYD OMR TND" },
	{ 4, "CLF UYW" },
};

START_TEST(currency_exponents_are_those_of_the_standard)
{
	size_t count;
	const struct currency *list = currency_list(&count);

	for (size_t i = 0; i < count; i++) {
		uint8_t expected = 2;

		for (int row = 0; row < COUNT(exponents); row++)
			if (strstr(exponents[row].codes, list[i].code))
				expected = exponents[row].exponent;
		ck_assert_msg(list[i].exponent == expected, "%s has %u", list[i].code,
			      list[i].exponent);
	}
	for (int row = 0; row < COUNT(exponents); row++)
		for (const char *code = exponents[row].codes; strlen(code) >= 3;
		     code += code[3] ? 4 : 3) {
			char text[4] = { code[0], code[1], code[2], '\0' };

			ck_assert_msg(currency_find(text) != NULL, "%s is missing", text);
		}
}
END_TEST

static const struct {
	const char *code;
	uint16_t number;
	uint8_t exponent;
} known[] = {
	{ "USD", 840, 2 }, { "EUR", 978, 2 }, { "IDR", 360, 2 }, { "JPY", 392, 0 },
	{ "KWD", 414, 3 }, { "CLF", 990, 4 }, { "UYW", 927, 4 }, { "ALL", 8, 2 },
	{ "AUD", 36, 2 },  { "MRU", 929, 2 }, { "MGA", 969, 2 }, { "VES", 928, 2 },
	{ "VED", 926, 2 }, { "SLE", 925, 2 }, { "ZWG", 924, 2 }, { "XCG", 532, 2 },
	{ "XAD", 396, 2 }, { "CHE", 947, 2 }, { "USN", 997, 2 }, { "MXV", 979, 2 },
	{ "BOV", 984, 2 }, { "COU", 970, 2 }, { "ZMW", 967, 2 }, { "AED", 784, 2 },
};

START_TEST(currency_is_found_by_code)
{
	const struct currency *currency = currency_find(known[_i].code);

	ck_assert_ptr_nonnull(currency);
	ck_assert_str_eq(currency->code, known[_i].code);
	ck_assert_uint_eq(currency->number, known[_i].number);
	ck_assert_uint_eq(currency->exponent, known[_i].exponent);
}
END_TEST

static const char *const not_payable[] = {
	"",    "U",   "US",  "USDX", "USD ", "usd", "Usd", "AAA", "ZZZ", "840", "HRK", "BGN",
	"ANG", "CUC", "SLL", "ZWL",  "VEF",  "MRO", "STD", "BYR", "LTL", "XAU", "XAG", "XPT",
	"XPD", "XXX", "XTS", "XDR",  "XSU",  "XUA", "XBA", "XBB", "XBC", "XBD", "BTC",
};

START_TEST(currency_is_not_found_unless_payable)
{
	ck_assert_ptr_null(currency_find(not_payable[_i]));
}
END_TEST

static const struct {
	int64_t value;
	enum money_outcome outcome;
} minors[] = {
	{ 1, MONEY_OK },
	{ 1000, MONEY_OK },
	{ MONEY_MAX_MINOR, MONEY_OK },
	{ MONEY_MAX_MINOR + 1, MONEY_TOO_LARGE },
	{ INT64_MAX, MONEY_TOO_LARGE },
	{ 0, MONEY_NOT_POSITIVE },
	{ -1, MONEY_NOT_POSITIVE },
	{ INT64_MIN, MONEY_NOT_POSITIVE },
};

START_TEST(money_from_minor_takes_positive_up_to_the_limit)
{
	int64_t minor = UNTOUCHED;

	ck_assert_int_eq(money_from_minor(minors[_i].value, &minor), minors[_i].outcome);

	ck_assert_int_eq(minor, minors[_i].outcome == MONEY_OK ? minors[_i].value : UNTOUCHED);
}
END_TEST

static const struct {
	const char *text;
	uint8_t exponent;
	enum money_outcome outcome;
	int64_t minor;
} majors[] = {
	{ "100.50", 2, MONEY_OK, 10050 },
	{ "7", 2, MONEY_OK, 700 },
	{ "0.5", 2, MONEY_OK, 50 },
	{ "0.01", 2, MONEY_OK, 1 },
	{ "1.1", 2, MONEY_OK, 110 },
	{ "1.15", 2, MONEY_OK, 115 },
	{ "8.41", 2, MONEY_OK, 841 },
	{ "1000", 0, MONEY_OK, 1000 },
	{ "1.234", 3, MONEY_OK, 1234 },
	{ "1.2", 3, MONEY_OK, 1200 },
	{ "0.0001", 4, MONEY_OK, 1 },
	{ "39000.1234", 4, MONEY_OK, 390001234 },
	{ "9999999999.99", 2, MONEY_OK, MONEY_MAX_MINOR },
	{ "999999999999", 0, MONEY_OK, MONEY_MAX_MINOR },
	{ "999999999.999", 3, MONEY_OK, MONEY_MAX_MINOR },
	{ "99999999.9999", 4, MONEY_OK, MONEY_MAX_MINOR },
	{ "10000000000", 2, MONEY_TOO_LARGE, 0 },
	{ "10000000000.00", 2, MONEY_TOO_LARGE, 0 },
	{ "1000000000000", 0, MONEY_TOO_LARGE, 0 },
	{ "100000000", 4, MONEY_TOO_LARGE, 0 },
	{ "9223372036854775807", 0, MONEY_TOO_LARGE, 0 },
	{ "9223372036854775808", 0, MONEY_TOO_LARGE, 0 },
	{ "18446744073709551617", 0, MONEY_TOO_LARGE, 0 },
	{ "92233720368547758.08", 2, MONEY_TOO_LARGE, 0 },
	{ "340282366920938463463374607431768211457", 2, MONEY_TOO_LARGE, 0 },
	{ "0", 2, MONEY_NOT_POSITIVE, 0 },
	{ "0.0", 2, MONEY_NOT_POSITIVE, 0 },
	{ "0.00", 2, MONEY_NOT_POSITIVE, 0 },
	{ "0", 0, MONEY_NOT_POSITIVE, 0 },
	{ "-1", 2, MONEY_NOT_POSITIVE, 0 },
	{ "-0", 2, MONEY_NOT_POSITIVE, 0 },
	{ "-0.01", 2, MONEY_NOT_POSITIVE, 0 },
	{ "-99999999999999999999", 2, MONEY_NOT_POSITIVE, 0 },
	{ "1.500", 2, MONEY_TOO_PRECISE, 0 },
	{ "1.001", 2, MONEY_TOO_PRECISE, 0 },
	{ "1.0", 0, MONEY_TOO_PRECISE, 0 },
	{ "0.000", 2, MONEY_TOO_PRECISE, 0 },
	{ "-1.000", 2, MONEY_TOO_PRECISE, 0 },
	{ "99999999999999999999.999", 2, MONEY_TOO_PRECISE, 0 },
	{ "1.00000", 4, MONEY_TOO_PRECISE, 0 },
	{ "", 2, MONEY_SYNTAX, 0 },
	{ ".", 2, MONEY_SYNTAX, 0 },
	{ "-", 2, MONEY_SYNTAX, 0 },
	{ "-.", 2, MONEY_SYNTAX, 0 },
	{ "1.", 2, MONEY_SYNTAX, 0 },
	{ ".5", 2, MONEY_SYNTAX, 0 },
	{ "-.5", 2, MONEY_SYNTAX, 0 },
	{ "01", 2, MONEY_SYNTAX, 0 },
	{ "00", 2, MONEY_SYNTAX, 0 },
	{ "-01", 2, MONEY_SYNTAX, 0 },
	{ "00.5", 2, MONEY_SYNTAX, 0 },
	{ "+1", 2, MONEY_SYNTAX, 0 },
	{ "--1", 2, MONEY_SYNTAX, 0 },
	{ "1-", 2, MONEY_SYNTAX, 0 },
	{ "1e3", 2, MONEY_SYNTAX, 0 },
	{ "1E3", 2, MONEY_SYNTAX, 0 },
	{ "1,5", 2, MONEY_SYNTAX, 0 },
	{ "1,000.00", 2, MONEY_SYNTAX, 0 },
	{ "1.2.3", 2, MONEY_SYNTAX, 0 },
	{ " 1", 2, MONEY_SYNTAX, 0 },
	{ "1 ", 2, MONEY_SYNTAX, 0 },
	{ "1\n", 2, MONEY_SYNTAX, 0 },
	{ "1. 5", 2, MONEY_SYNTAX, 0 },
	{ "$1", 2, MONEY_SYNTAX, 0 },
	{ "0x10", 2, MONEY_SYNTAX, 0 },
	{ "1_000", 2, MONEY_SYNTAX, 0 },
	{ "NaN", 2, MONEY_SYNTAX, 0 },
	{ "Infinity", 2, MONEY_SYNTAX, 0 },
	{ "\xd9\xa1", 2, MONEY_SYNTAX, 0 }, /* ARABIC-INDIC DIGIT ONE */
};

START_TEST(money_from_major_reads_exactly_or_refuses)
{
	const char *text = majors[_i].text;
	int64_t minor = UNTOUCHED;
	enum money_outcome outcome;

	outcome = money_from_major(text, strlen(text), majors[_i].exponent, &minor);

	ck_assert_msg(outcome == majors[_i].outcome, "\"%s\" gave %d", text, (int)outcome);
	ck_assert_int_eq(minor, outcome == MONEY_OK ? majors[_i].minor : UNTOUCHED);
}
END_TEST

START_TEST(money_from_major_stops_at_the_size_it_is_told)
{
	int64_t minor = UNTOUCHED;

	ck_assert_int_eq(money_from_major("12.345", 5, 2, &minor), MONEY_OK);

	ck_assert_int_eq(minor, 1234);
	ck_assert_int_eq(money_from_major("12\0", 3, 2, &minor), MONEY_SYNTAX);
	ck_assert_int_eq(money_from_major("1\0.5", 4, 2, &minor), MONEY_SYNTAX);
	ck_assert_int_eq(money_from_major("12", 0, 2, &minor), MONEY_SYNTAX);
	ck_assert_int_eq(minor, 1234);
}
END_TEST

/* Every text of up to five of these characters, judged by a regular expression too. */
START_TEST(money_from_major_agrees_with_the_grammar)
{
	static const char alphabet[] = "019.-+e, ";
	const size_t base = sizeof alphabet - 1;
	regex_t grammar;
	size_t cases = 1;

	ck_assert_int_eq(
		regcomp(&grammar, "^-?(0|[1-9][0-9]*)([.][0-9]+)?$", REG_EXTENDED | REG_NOSUB), 0);
	for (size_t length = 1; length <= 5; length++) {
		cases *= base;
		for (size_t number = 0; number < cases; number++) {
			char text[6] = { 0 };
			int64_t minor = UNTOUCHED;
			bool taken;

			for (size_t i = 0, rest = number; i < length; i++, rest /= base)
				text[i] = alphabet[rest % base];
			taken = money_from_major(text, length, 2, &minor) != MONEY_SYNTAX;
			unit_expect(taken == (regexec(&grammar, text, 0, NULL, 0) == 0), "\"%s\"",
				    text);
		}
	}
	regfree(&grammar);
}
END_TEST

START_TEST(money_from_major_refuses_each_foreign_byte_anywhere)
{
	static const char amount[] = "12.50";

	for (int byte = 0; byte <= 0xff; byte++)
		for (size_t at = 0; at <= strlen(amount); at++) {
			char text[sizeof amount] = { 0 };
			int64_t minor = UNTOUCHED;
			enum money_outcome expected = MONEY_SYNTAX;

			if (byte >= '0' && byte <= '9')
				continue;
			memcpy(text, amount, at);
			text[at] = (char)byte;
			memcpy(text + at + 1, amount + at, strlen(amount) - at);
			if (byte == '-' && at == 0)
				expected = MONEY_NOT_POSITIVE;
			unit_expect(money_from_major(text, sizeof text, 2, &minor) == expected &&
					    minor == UNTOUCHED,
				    "byte %02x at %zu", (unsigned)byte, at);
		}
}
END_TEST

static const struct {
	int64_t minor;
	uint8_t exponent;
	const char *text;
} formats[] = {
	{ 10050, 2, "100.50" },
	{ 700, 2, "7.00" },
	{ 50, 2, "0.50" },
	{ 5, 2, "0.05" },
	{ 0, 2, "0.00" },
	{ 0, 0, "0" },
	{ 0, 4, "0.0000" },
	{ 1000, 0, "1000" },
	{ 1, 3, "0.001" },
	{ 1, 4, "0.0001" },
	{ 12345, 4, "1.2345" },
	{ -1, 2, "-0.01" },
	{ -12345, 2, "-123.45" },
	{ MONEY_MAX_MINOR, 2, "9999999999.99" },
	{ INT64_MAX, 2, "92233720368547758.07" },
	{ INT64_MIN, 0, "-9223372036854775808" },
	{ INT64_MIN, 2, "-92233720368547758.08" },
	{ INT64_MIN, 4, "-922337203685477.5808" },
};

START_TEST(money_format_writes_all_decimals)
{
	char out[MONEY_TEXT_SIZE];

	ck_assert_ptr_eq(money_format_major(formats[_i].minor, formats[_i].exponent, out), out);

	ck_assert_str_eq(out, formats[_i].text);
}
END_TEST

START_TEST(money_round_trips_through_major_text)
{
	uint64_t state = seed_start();

	for (int i = 0; i < RANDOM_CASES; i++) {
		const int64_t amount = random_amount(&state);
		const uint8_t exponent = (uint8_t)(seed_next(&state) % 5);
		char text[MONEY_TEXT_SIZE];
		int64_t minor = UNTOUCHED;

		money_format_major(amount, exponent, text);
		unit_expect(money_from_major(text, strlen(text), exponent, &minor) == MONEY_OK &&
				    minor == amount,
			    "case %d: %s became %" PRId64 ", not %" PRId64, i, text, minor, amount);
	}
}
END_TEST

/* Trailing zeros that the currency allows change nothing; one digit more than it has is refused. */
START_TEST(money_reads_shorter_decimals_as_the_same_amount)
{
	uint64_t state = seed_start();

	for (int i = 0; i < RANDOM_CASES; i++) {
		const int64_t amount = random_amount(&state);
		const uint8_t exponent = (uint8_t)(1 + seed_next(&state) % 4);
		char text[MONEY_TEXT_SIZE + 1];
		size_t size;
		int64_t minor = UNTOUCHED;

		money_format_major(amount, exponent, text);
		size = strlen(text);
		text[size] = '0';
		unit_expect(money_from_major(text, size + 1, exponent, &minor) == MONEY_TOO_PRECISE,
			    "case %d: %s", i, text);
		while (text[size - 1] == '0')
			size--;
		if (text[size - 1] == '.')
			size--;
		unit_expect(money_from_major(text, size, exponent, &minor) == MONEY_OK &&
				    minor == amount,
			    "case %d: %.*s became %" PRId64 ", not %" PRId64, i, (int)size, text,
			    minor, amount);
	}
}
END_TEST

static struct money usd(int64_t minor)
{
	return (struct money){ .minor = minor, .currency = "USD" };
}

static const struct {
	int64_t a, b;
	bool fits;
	int64_t result;
} sums[] = {
	{ 1, 2, true, 3 },
	{ -5, 5, true, 0 },
	{ INT64_MAX, 0, true, INT64_MAX },
	{ INT64_MAX - 1, 1, true, INT64_MAX },
	{ INT64_MAX, 1, false, 0 },
	{ INT64_MAX, INT64_MAX, false, 0 },
	{ INT64_MIN, -1, false, 0 },
	{ INT64_MIN, INT64_MAX, true, -1 },
}, differences[] = {
	{ 3, 2, true, 1 },
	{ 2, 3, true, -1 },
	{ INT64_MIN, 0, true, INT64_MIN },
	{ INT64_MIN, 1, false, 0 },
	{ INT64_MAX, -1, false, 0 },
	{ 0, INT64_MIN, false, 0 },
	{ -1, INT64_MIN, true, INT64_MAX },
};

START_TEST(money_add_refuses_overflow)
{
	struct money sum = usd(UNTOUCHED);

	ck_assert_int_eq(money_add(usd(sums[_i].a), usd(sums[_i].b), &sum), sums[_i].fits);

	ck_assert_int_eq(sum.minor, sums[_i].fits ? sums[_i].result : UNTOUCHED);
	ck_assert_str_eq(sum.currency, "USD");
}
END_TEST

START_TEST(money_subtract_refuses_overflow)
{
	struct money difference = usd(UNTOUCHED);
	const bool fits = differences[_i].fits;

	ck_assert_int_eq(
		money_subtract(usd(differences[_i].a), usd(differences[_i].b), &difference), fits);

	ck_assert_int_eq(difference.minor, fits ? differences[_i].result : UNTOUCHED);
	ck_assert_str_eq(difference.currency, "USD");
}
END_TEST

START_TEST(money_add_and_subtract_undo_each_other)
{
	uint64_t state = seed_start();

	for (int i = 0; i < RANDOM_CASES; i++) {
		const struct money a = usd((int64_t)seed_next(&state));
		const struct money b = usd((int64_t)seed_next(&state));
		struct money sum;
		struct money back;

		if (!money_add(a, b, &sum))
			continue;
		unit_expect(money_subtract(sum, b, &back) && money_equal(back, a),
			    "case %d: %" PRId64 " and %" PRId64, i, a.minor, b.minor);
	}
}
END_TEST

START_TEST(money_is_equal_only_in_the_same_currency)
{
	const struct money eur = { .minor = 5, .currency = "EUR" };

	ck_assert(money_equal(usd(5), usd(5)));
	ck_assert(!money_equal(usd(5), usd(6)));
	ck_assert(!money_equal(usd(5), eur));
}
END_TEST

START_TEST(money_add_of_two_currencies_is_a_bug)
{
	const struct money eur = { .minor = 1, .currency = "EUR" };
	struct money sum;

	ck_assert(!money_add(usd(1), eur, &sum));
}
END_TEST

START_TEST(money_subtract_of_two_currencies_is_a_bug)
{
	const struct money eur = { .minor = 1, .currency = "EUR" };
	struct money difference;

	ck_assert(!money_subtract(usd(1), eur, &difference));
}
END_TEST

UNIT_MAIN("money", {
	tcase_add_test(tests, currency_list_is_sorted_and_sane);
	tcase_add_test(tests, currency_exponents_are_those_of_the_standard);
	tcase_add_loop_test(tests, currency_is_found_by_code, 0, COUNT(known));
	tcase_add_loop_test(tests, currency_is_not_found_unless_payable, 0, COUNT(not_payable));
	tcase_add_loop_test(tests, money_from_minor_takes_positive_up_to_the_limit, 0,
			    COUNT(minors));
	tcase_add_loop_test(tests, money_from_major_reads_exactly_or_refuses, 0, COUNT(majors));
	tcase_add_test(tests, money_from_major_stops_at_the_size_it_is_told);
	tcase_add_test(tests, money_from_major_agrees_with_the_grammar);
	tcase_add_test(tests, money_from_major_refuses_each_foreign_byte_anywhere);
	tcase_add_loop_test(tests, money_format_writes_all_decimals, 0, COUNT(formats));
	tcase_add_test(tests, money_round_trips_through_major_text);
	tcase_add_test(tests, money_reads_shorter_decimals_as_the_same_amount);
	tcase_add_loop_test(tests, money_add_refuses_overflow, 0, COUNT(sums));
	tcase_add_loop_test(tests, money_subtract_refuses_overflow, 0, COUNT(differences));
	tcase_add_test(tests, money_add_and_subtract_undo_each_other);
	tcase_add_test(tests, money_is_equal_only_in_the_same_currency);
	tcase_add_test_raise_signal(tests, money_add_of_two_currencies_is_a_bug, SIGABRT);
	tcase_add_test_raise_signal(tests, money_subtract_of_two_currencies_is_a_bug, SIGABRT);
})
