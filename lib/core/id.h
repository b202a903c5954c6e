/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Identifiers: 16 bytes, time-ordered, random; on the wire a prefix and 26 Crockford base-32
 * characters.
 *
 * Invariant  the first 48 bits are the creation time in milliseconds, big endian, so that ids sort
 *            by time
 * Ownership  plain values; wire text in the caller's storage
 * Threads    safe
 * Source     layout of RFC 9562 UUIDv7 without its version bits; alphabet: Crockford base 32, lower
 *            case letters are not accepted, nor I, L, O, U: one id has one spelling
 */
#ifndef CORE_ID_H
#define CORE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_SIZE 16
#define ID_DIGITS 26
#define ID_TEXT_SIZE 40 /* longest prefix, digits, NUL */

struct id {
	uint8_t bytes[ID_SIZE];
};

enum id_kind {
	ID_TRANSACTION,
	ID_OPERATION,
	ID_REFUND,
	ID_ATTEMPT,
	ID_EVENT,
	ID_CALLBACK,
	ID_EXCEPTION,
	ID_CUSTOMER,
	ID_PAYMENT_METHOD
};
#define ID_KIND_COUNT 9

/* The wire prefix: "trans_", "op_", "ref_", "att_", "evt_", "cb_", "exc_", "cust_", "pm_". */
const char *id_prefix(enum id_kind kind);

/*
 * Make an id from `at_us` (UTC microseconds since 1970, >= 0) and ten random bytes. Pure:
 * randomness is an argument.
 */
struct id id_make(int64_t at_us, const uint8_t random[10]);

/* The millisecond it was made from, as UTC microseconds since 1970. */
int64_t id_time_us(struct id id);

/* No id of that millisecond, or of an earlier one, is greater; `at_us` may be before or past what an id can say. */
struct id id_last_of(int64_t at_us);

/* Write prefix and digits; returns `out`. The first digit is 0..7 (128 bits in 26 digits). */
const char *id_format(enum id_kind kind, struct id id, char out[ID_TEXT_SIZE]);

/*
 * Read wire text of exactly this kind.
 * Returns  true and writes *id; false with *id untouched where the prefix, length or a digit is
 *          wrong
 */
bool id_parse(enum id_kind kind, const char *text, struct id *id);

bool id_equal(struct id a, struct id b);
int id_compare(struct id a, struct id b); /* like memcmp: time order */
bool id_is_empty(struct id id);           /* all bytes zero: "no id" */

#endif
