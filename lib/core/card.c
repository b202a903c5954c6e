/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/card.h"

#include <stdint.h>
#include <string.h>

#define DIGITS_MIN 13
#define DIGITS_MAX 19
#define DIGITS_KEPT 4
#define PREFIX_DIGITS 6

#define LENGTH(digits) (1u << (digits))
#define LENGTHS_13_TO_19 (LENGTH(13) | LENGTH(14) | LENGTH(15) | LENGTHS_16_TO_19)
#define LENGTHS_14_TO_19 (LENGTH(14) | LENGTH(15) | LENGTHS_16_TO_19)
#define LENGTHS_16_TO_19 (LENGTH(16) | LENGTH(17) | LENGTH(18) | LENGTH(19))

struct issuer_range {
	uint32_t low, high; /* of the number's first six digits */
	uint32_t lengths;
};

/*
 * As the schemes publish them. Shared ranges stand once: RuPay's 353, 356, 508, 65 and 81, Elo's 4,
 * 50, 6277 and 65 and Troy's 65 lie in ranges of others. Of Maestro's 6 only the blocks in use are
 * listed, since the whole of it would refuse too many numbers that are no cards.
 */
/* clang-format off */
static const struct issuer_range issuer_ranges[] = {
	{ 400000, 499999, LENGTH(13) | LENGTH(16) | LENGTH(19) }, /* Visa */
	{ 510000, 559999, LENGTH(16)       }, /* Mastercard */
	{ 222100, 272099, LENGTH(16)       },
	{ 340000, 349999, LENGTH(15)       }, /* American Express */
	{ 370000, 379999, LENGTH(15)       },
	{ 601100, 601199, LENGTHS_16_TO_19 }, /* Discover */
	{ 644000, 659999, LENGTHS_16_TO_19 },
	{ 300000, 305999, LENGTHS_14_TO_19 }, /* Diners Club */
	{ 309500, 309599, LENGTHS_14_TO_19 },
	{ 360000, 369999, LENGTHS_14_TO_19 },
	{ 380000, 399999, LENGTHS_14_TO_19 },
	{ 352800, 358999, LENGTHS_16_TO_19 }, /* JCB */
	{ 620000, 629999, LENGTHS_16_TO_19 }, /* UnionPay */
	{ 810000, 819999, LENGTHS_16_TO_19 },
	{ 500000, 509999, LENGTHS_13_TO_19 }, /* Maestro */
	{ 560000, 589999, LENGTHS_13_TO_19 },
	{ 630400, 630499, LENGTHS_13_TO_19 },
	{ 639000, 639099, LENGTHS_13_TO_19 },
	{ 670000, 679999, LENGTHS_13_TO_19 },
	{ 220000, 220499, LENGTHS_16_TO_19 }, /* Mir */
	{ 600000, 609999, LENGTH(16)       }, /* RuPay */
	{ 820000, 829999, LENGTH(16)       },
	{ 636297, 636297, LENGTH(16)       }, /* Elo */
	{ 636368, 636368, LENGTH(16)       },
	{ 979200, 979299, LENGTH(16)       }, /* Troy */
};
/* clang-format on */

/* The lengths that numbers with these first six digits may have. */
static uint32_t issuer_lengths(uint32_t prefix)
{
	uint32_t lengths = 0;

	for (size_t i = 0; i < sizeof issuer_ranges / sizeof issuer_ranges[0]; i++)
		if (prefix >= issuer_ranges[i].low && prefix <= issuer_ranges[i].high)
			lengths |= issuer_ranges[i].lengths;
	return lengths;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == '-';
}

/* The place of the digit after the one at `at`, over at most one separator; `size` for none. */
static size_t digit_next(const char *text, size_t size, size_t at)
{
	at++;
	if (at < size && is_separator(text[at]))
		at++;
	return at < size && is_digit(text[at]) ? at : size;
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/*
 * Size of a UUID (RFC 9562: 8-4-4-4-12 hex digits, a known version and variant) that starts here, 0
 * for none. One in some hundred would else be taken for a card number, and clients use them as ids.
 */
static size_t uuid_at(const char *text, size_t size, size_t start)
{
	static const char form[] = "xxxxxxxx-xxxx-Vxxx-Nxxx-xxxxxxxxxxxx";
	const size_t length = sizeof form - 1;

	if (size - start < length || (start > 0 && is_hex(text[start - 1])) ||
	    (start + length < size && is_hex(text[start + length])))
		return 0;
	for (size_t i = 0; i < length; i++) {
		const char c = text[start + i];

		if (form[i] == '-' ? c != '-' : !is_hex(c))
			return 0;
		if ((form[i] == 'V' && (c < '1' || c > '8')) ||
		    (form[i] == 'N' && strchr("89abAB", c) == NULL))
			return 0;
	}
	return length;
}

/* The digits of a possible number that starts at one place. */
struct card_run {
	size_t places[DIGITS_MAX];
	unsigned count;
};

static void run_read(const char *text, size_t size, size_t start, struct card_run *run)
{
	run->count = 0;
	for (size_t at = start;
	     at < size && run->count < DIGITS_MAX && uuid_at(text, size, at) == 0;
	     at = digit_next(text, size, at))
		run->places[run->count++] = at;
}

/* Luhn (ISO/IEC 7812-1, annex B): every second digit from the right is doubled, 9 taken off. */
static bool luhn_holds(const char *text, const struct card_run *run, unsigned count)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < count; i++) {
		const unsigned digit = (unsigned)(text[run->places[i]] - '0');

		if ((count - i) % 2 == 1)
			sum += digit;
		else
			sum += digit < 5 ? 2 * digit : 2 * digit - 9;
	}
	return sum % 10 == 0;
}

/* Digits of the longest card number that begins with the run's first digit, 0 where none does. */
static unsigned card_digits(const char *text, const struct card_run *run)
{
	uint32_t prefix = 0;
	uint32_t lengths;

	if (run->count < DIGITS_MIN)
		return 0;
	for (unsigned i = 0; i < PREFIX_DIGITS; i++)
		prefix = prefix * 10 + (uint32_t)(text[run->places[i]] - '0');
	lengths = issuer_lengths(prefix);
	for (unsigned count = run->count; count >= DIGITS_MIN; count--)
		if ((lengths & LENGTH(count)) != 0 && luhn_holds(text, run, count))
			return count;
	return 0;
}

static unsigned card_at(const char *text, size_t size, size_t start, struct card_run *run)
{
	if (!is_digit(text[start]))
		return 0;
	run_read(text, size, start, run);
	return card_digits(text, run);
}

bool card_number_in(const char *text, size_t size)
{
	struct card_run run;
	size_t uuid;

	for (size_t start = 0; start < size; start++) {
		uuid = uuid_at(text, size, start);
		if (uuid > 0)
			start += uuid - 1;
		else if (card_at(text, size, start, &run) > 0)
			return true;
	}
	return false;
}

size_t card_mask(char *text, size_t size)
{
	struct card_run run;
	size_t masked = 0;
	size_t mask_end = 0; /* digits before this place are hidden, for numbers begun so far */
	size_t card_end = 0; /* a number that begins before this place overlaps one before it */
	size_t uuid_end = 0; /* no number begins before this place */

	for (size_t start = 0; start < size; start++) {
		const size_t uuid = uuid_at(text, size, start);
		unsigned count = 0;

		if (uuid > 0)
			uuid_end = start + uuid;
		if (start >= uuid_end)
			count = card_at(text, size, start, &run);

		if (count > 0) {
			if (run.places[count - DIGITS_KEPT] > mask_end)
				mask_end = run.places[count - DIGITS_KEPT];
			if (start >= card_end)
				masked++;
			if (run.places[count - 1] >= card_end)
				card_end = run.places[count - 1] + 1;
		}
		/* Only now, when no later number needs the digit: overlapping ones are found. */
		if (start < mask_end && is_digit(text[start]))
			text[start] = '*';
	}
	return masked;
}

bool card_word_in(const char *text)
{
	static const char digits[] = "0123456789";
	static const char words[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	if (text[strspn(text, "0123456789-._")] == '\0')
		return card_number_in(text, strlen(text));
	for (text += strcspn(text, words); *text != '\0'; text += strcspn(text, words)) {
		const size_t word = strspn(text, words);

		if (strspn(text, digits) == word && card_number_in(text, word))
			return true;
		text += word;
	}
	return false;
}
