/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cursors: where a list goes on, as an opaque text that only we can make and that fits only the list it came from.
 *
 * Invariant  a cursor carries position, a hash of its list's filters and a keyed MAC over both
 * Units      UTC microseconds
 * Ownership  plain values
 * Threads    safe: pure functions
 * Source     API.md: Lists
 */
#ifndef APID_CURSOR_H
#define APID_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"
#include "core/id.h"

#define CURSOR_SIZE 72 /* with its NUL */

struct cursor { /* the last row that was given */
	int64_t at_us;
	struct id id;
};

/*
 * What a list is of: anything that tells it from others, merchant first, parts separated by a character none can hold.
 * Write the cursor behind `position` of that list. Returns `out`.
 */
const char *cursor_write(const struct secret *key, const char *filters, struct cursor position,
			 char out[CURSOR_SIZE]);

/* Read one. Returns true with *position; false (untouched) for one that was tampered with or is another list's. */
bool cursor_read(const struct secret *key, const char *filters, const char *text,
		 struct cursor *position);

#endif
