/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Money: exact amounts in minor units of an ISO 4217 currency.
 *
 * Invariant  an amount accepted from outside is > 0 and <= MONEY_MAX_MINOR
 * Units      minor units of the currency's own exponent (USD 2: 1000 = $10.00; JPY 0; KWD 3; CLF 4)
 * Ownership  plain values
 * Threads    safe
 * Source     ISO 4217:2015, list one (active codes, funds codes with a minor unit included; codes
 *            whose minor unit is "N.A.", such as XAU and XXX, are not payable and not listed)
 */
#ifndef CORE_MONEY_H
#define CORE_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define MONEY_MAX_MINOR INT64_C(999999999999)
#define MONEY_TEXT_SIZE 32 /* largest output of money_format_major with its NUL */

struct money {
	int64_t minor;
	char currency[4]; /* three capitals and a NUL */
};

struct currency {
	char code[4];
	uint8_t exponent; /* digits after the decimal point: 0, 2, 3 or 4 */
	uint16_t number;  /* ISO 4217 numeric code */
	const char *name;
};

/* The currency with exactly this three-letter code (capitals), or NULL. */
const struct currency *currency_find(const char *code);

/* All currencies, sorted by code; *count is how many. */
const struct currency *currency_list(size_t *count);

/* Why an amount is refused, in order of precedence */
enum money_outcome {
	MONEY_OK,
	MONEY_SYNTAX, /* not digits with at most one '.', or leading zeros, sign, blank, exponent */
	MONEY_TOO_PRECISE,  /* more decimals than the currency has */
	MONEY_NOT_POSITIVE, /* zero or below */
	MONEY_TOO_LARGE,    /* above MONEY_MAX_MINOR */
};

/*
 * Take an integer number of minor units.
 * Writes   *minor only with MONEY_OK
 */
CHECKED enum money_outcome money_from_minor(int64_t value, int64_t *minor);

/*
 * Read a decimal string of major units ("100.50", "7", "0.5") exactly. `size` bytes, need not be
 * terminated.
 * "1." , ".5", "01", "+1", "1e3", "1,5" and blanks are MONEY_SYNTAX; "-1" is MONEY_NOT_POSITIVE.
 * Trailing zeros count as decimals: "1.500" USD is MONEY_TOO_PRECISE.
 * Writes   *minor only with MONEY_OK
 */
CHECKED enum money_outcome money_from_major(const char *text, size_t size, uint8_t exponent,
					    int64_t *minor);

/*
 * Write `minor` as major units with all `exponent` decimals ("100.50"); any int64 incl. negative.
 * Returns `out`.
 */
const char *money_format_major(int64_t minor, uint8_t exponent, char out[MONEY_TEXT_SIZE]);

/*
 * Checked arithmetic; the currencies must be equal (a bug otherwise: assert).
 * Returns  true and writes *sum, or false on overflow with *sum untouched
 */
CHECKED bool money_add(struct money a, struct money b, struct money *sum);
CHECKED bool money_subtract(struct money a, struct money b, struct money *difference);

/* Same currency and same amount. */
bool money_equal(struct money a, struct money b);

#endif
