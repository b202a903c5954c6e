/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/money.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define EXPONENT_MAX 4

static const struct currency currencies[] = {
#define X(code, number, exponent, name) { #code, exponent, number, name },
#include "core/currency.def"
#undef X
};
#define CURRENCIES (sizeof currencies / sizeof currencies[0])

static int code_compare(const void *code, const void *currency)
{
	return strcmp(code, ((const struct currency *)currency)->code);
}

const struct currency *currency_find(const char *code)
{
	return bsearch(code, currencies, CURRENCIES, sizeof currencies[0], code_compare);
}

const struct currency *currency_list(size_t *count)
{
	*count = CURRENCIES;
	return currencies;
}

enum money_outcome money_from_minor(int64_t value, int64_t *minor)
{
	if (value <= 0)
		return MONEY_NOT_POSITIVE;
	if (value > MONEY_MAX_MINOR)
		return MONEY_TOO_LARGE;
	*minor = value;
	return MONEY_OK;
}

/* Borrows the text it was read from */
struct decimal {
	bool negative;
	const char *whole;
	size_t whole_size;
	const char *decimals;
	size_t decimals_size;
};

static size_t digits_size(const char *text, size_t size)
{
	size_t count = 0;

	while (count < size && text[count] >= '0' && text[count] <= '9')
		count++;
	return count;
}

static bool decimal_read(const char *text, size_t size, struct decimal *decimal)
{
	const char *end = text + size;

	*decimal = (struct decimal){ .negative = size > 0 && text[0] == '-' };
	decimal->whole = text + (decimal->negative ? 1 : 0);
	decimal->whole_size = digits_size(decimal->whole, (size_t)(end - decimal->whole));
	if (decimal->whole_size == 0 || (decimal->whole_size > 1 && decimal->whole[0] == '0'))
		return false;
	decimal->decimals = decimal->whole + decimal->whole_size;
	if (decimal->decimals == end)
		return true;
	if (*decimal->decimals != '.')
		return false;
	decimal->decimals++;
	decimal->decimals_size = digits_size(decimal->decimals, (size_t)(end - decimal->decimals));
	return decimal->decimals_size > 0 && decimal->decimals + decimal->decimals_size == end;
}

/* Append digits to a number that stops growing above the limit, so that no text overflows it. */
static int64_t digits_append(int64_t number, const char *digits, size_t size)
{
	for (size_t i = 0; i < size && number <= MONEY_MAX_MINOR; i++)
		number = number * 10 + (digits[i] - '0');
	return number;
}

enum money_outcome money_from_major(const char *text, size_t size, uint8_t exponent, int64_t *minor)
{
	struct decimal decimal;
	int64_t value;

	assert(exponent <= EXPONENT_MAX);
	if (!decimal_read(text, size, &decimal))
		return MONEY_SYNTAX;
	if (decimal.decimals_size > exponent)
		return MONEY_TOO_PRECISE;
	if (decimal.negative)
		return MONEY_NOT_POSITIVE;
	value = digits_append(0, decimal.whole, decimal.whole_size);
	value = digits_append(value, decimal.decimals, decimal.decimals_size);
	value = digits_append(value, "0000", exponent - decimal.decimals_size);
	return money_from_minor(value, minor);
}

/* Written from the last digit, so that the smallest number of all needs no case of its own. */
const char *money_format_major(int64_t minor, uint8_t exponent, char out[MONEY_TEXT_SIZE])
{
	char text[MONEY_TEXT_SIZE];
	char *start = text + sizeof text;
	uint64_t rest = minor < 0 ? -(uint64_t)minor : (uint64_t)minor;
	unsigned written = 0;

	assert(exponent <= EXPONENT_MAX);
	*--start = '\0';
	while (rest > 0 || written <= exponent) {
		if (written > 0 && written == exponent)
			*--start = '.';
		*--start = (char)('0' + rest % 10);
		rest /= 10;
		written++;
	}
	if (minor < 0)
		*--start = '-';
	memcpy(out, start, (size_t)(text + sizeof text - start));
	return out;
}

static bool same_currency(struct money a, struct money b)
{
	return strcmp(a.currency, b.currency) == 0;
}

bool money_add(struct money a, struct money b, struct money *sum)
{
	struct money result = a;

	assert(same_currency(a, b));
	if (__builtin_add_overflow(a.minor, b.minor, &result.minor))
		return false;
	*sum = result;
	return true;
}

bool money_subtract(struct money a, struct money b, struct money *difference)
{
	struct money result = a;

	assert(same_currency(a, b));
	if (__builtin_sub_overflow(a.minor, b.minor, &result.minor))
		return false;
	*difference = result;
	return true;
}

bool money_equal(struct money a, struct money b)
{
	return a.minor == b.minor && same_currency(a, b);
}
