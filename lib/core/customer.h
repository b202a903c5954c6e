/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Customer profiles: the fields of POST /customers and PATCH /customers/{id}, and what they make of a profile.
 *
 * Invariant  a profile that was accepted holds valid text, an assigned country, a birthday that has been, and no card
 *            number
 * Ownership  plain values; metadata are borrowed from the request
 * Threads    safe: pure functions
 * Source     API.md: Paths; RFC 7396 (merge patch): a member that is given replaces, null removes, others stay
 */
#ifndef CORE_CUSTOMER_H
#define CORE_CUSTOMER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/field.h"
#include "core/payment.h"

/* The texts of a profile; they are packed in this order, so new ones are added at the end. */
enum customer_text {
	CUSTOMER_NAME,
	CUSTOMER_EMAIL,
	CUSTOMER_PHONE,
	CUSTOMER_BIRTH,
	CUSTOMER_LINE1, /* of the address, as all that follow */
	CUSTOMER_LINE2,
	CUSTOMER_CITY,
	CUSTOMER_STATE,
	CUSTOMER_POSTAL,
	CUSTOMER_TEXT_COUNT
};
#define CUSTOMER_ADDRESS_BEGIN CUSTOMER_LINE1

#define CUSTOMER_TEXT_SIZE 481 /* 120 code points of UTF-8, with NUL */
#define CUSTOMER_EMAIL_SIZE 255
#define CUSTOMER_PHONE_SIZE 45
#define CUSTOMER_PACKED_SIZE 2500
#define CUSTOMER_DAY_SIZE 11 /* "1990-02-28" */

struct customer_profile {
	char country[3];                                    /* "" is absent, here and below */
	char text[CUSTOMER_TEXT_COUNT][CUSTOMER_TEXT_SIZE]; /* as they came */
};

/* The name of a text in the API ("email", "line1"). */
const char *customer_text_name(enum customer_text text);

/* How many code points it may have. */
size_t customer_text_max(enum customer_text text);

/* The field tables: of a new customer, customer_id and all that an amendment has too. */
const struct field_spec *customer_fields(size_t *count);
const struct field_spec *customer_amendment_fields(size_t *count);

/*
 * Judge the members of a request against a table; `today` is "2026-03-01", the last day that somebody can be born on.
 * Returns  true; false with at least one entry in *errors
 */
bool customer_check(const struct field_spec *specs, size_t spec_count,
		    const struct field_member *members, size_t count, const char *today,
		    struct field_errors *errors);

/* Merge members that customer_check() let pass into a profile; metadata are the caller's. */
void customer_merge(const struct field_member *members, size_t count,
		    struct customer_profile *profile);

/*
 * The texts as one, and back; an empty profile is "". Unpacking takes what an older version packed.
 * Returns  (unpack) false where it was not packed here
 */
const char *customer_pack(const struct customer_profile *profile, char out[CUSTOMER_PACKED_SIZE]);
CHECKED bool customer_unpack(const char *packed, struct customer_profile *profile);

/*
 * What is compared instead of what came: an address in small letters, a number without what stands between its digits.
 * `out` holds CUSTOMER_EMAIL_SIZE bytes. Returns `out`; "" for ""; text must be of its class.
 */
const char *customer_normalise(enum customer_text text, const char *value,
			       char out[CUSTOMER_EMAIL_SIZE]);

#endif
