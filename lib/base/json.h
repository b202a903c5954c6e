/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Strict JSON at the edges: reading with every refusal named, and small rendering aids.
 *
 * Invariant  accepted documents are UTF-8 objects of depth <= the limit, without duplicate members,
 *            without \u0000
 * Ownership  json_read() gives a jansson reference the caller releases with json_decref()
 * Threads    safe
 * Source     RFC 8259; I-JSON (RFC 7493) for duplicates
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/field.h"

#define JSON_WHY_SIZE 160

/*
 * Parse `size` bytes as one JSON object (nothing after it).
 * Returns  ERR_OK with *object; ERR_MALFORMED with a sentence in `why` that says what is wrong and
 *          where (line, column) and never repeats the input; ERR_INVALID where a number does not
 *          fit 64 bits: `why` says so, with the member's name where that is a plain word ([a-z_],
 *          at most 32); ERR_MEMORY
 */
CHECKED enum err json_read(const void *bytes, size_t size, size_t depth_max, json_t **object,
			   char why[JSON_WHY_SIZE]);

#define JSON_NAME_SIZE 33

/*
 * After ERR_INVALID for the same bytes: the object's own member whose number does not fit.
 * Returns  true with `name`; false where it stands deeper, or its name is no such word
 */
bool json_overflow_name(const void *bytes, size_t size, char name[JSON_NAME_SIZE]);

/*
 * Turn the members of `object` into neutral field members (core/field.h) that borrow its texts;
 * nested objects of strings become pairs. `members` has room for FIELD_MEMBERS_MAX.
 * Returns  how many, *err is ERR_OK; 0 with *err = ERR_INVALID for more than FIELD_MEMBERS_MAX
 *          members, or more than FIELD_PAIRS_MAX members in nested objects (members and arena
 *          untouched)
 * Ownership  pairs live in `arena`, which is filled anew; the caller keeps it as long as the
 *            members
 */
struct json_arena {
	struct field_pair pairs[FIELD_PAIRS_MAX];
	size_t used;
};
size_t json_members(const json_t *object, struct field_member *members, struct json_arena *arena,
		    enum err *err);

/* Compact text of `value`, to be freed with free(); NULL when memory is short. */
char *json_text(const json_t *value);

#endif
