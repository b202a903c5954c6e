/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Amendment: the fields of PATCH /transactions/{id}, and what they make of a payment's texts.
 *
 * Invariant  what an amendment makes is what POST /transactions would have taken
 * Ownership  plain value; the members of its metadata are borrowed from the request
 * Threads    safe: pure functions
 * Source     RFC 7396 (merge patch): a member that is given replaces, null removes, others stay
 */
#ifndef CORE_AMENDMENT_H
#define CORE_AMENDMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/field.h"
#include "core/payment.h"

struct amendment {
	bool changes_description;
	char description[PAYMENT_DESCRIPTION_SIZE]; /* "" removes it */
	/* NULL: stays; VALUE_NULL removes all; VALUE_OBJECT is merged */
	const struct field_value *metadata;
};

/* The field table: description, metadata. */
const struct field_spec *amendment_fields(size_t *count);

/*
 * Judge the members of a request.
 * Returns  true with *amendment written; false with at least one entry in *errors and *amendment untouched
 */
bool amendment_read(const struct field_member *members, size_t count, struct amendment *amendment,
		    struct field_errors *errors);

/*
 * Merge into the members that are there; `out` gets the canonical text.
 * Returns  true; false where it would be more than a payment may have (`out` is undefined)
 */
CHECKED bool amendment_merge(const struct field_pair *there, size_t count,
			     const struct field_value *metadata, char out[PAYMENT_METADATA_SIZE]);

#endif
