/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Profiles: the gateways this sandbox plays, one row each.
 *
 * Invariant  a row's index names the gateway inside the program only; files and wires carry its
 *            name
 * Threads    safe: constants only
 */
#ifndef SANDBOX_PROFILE_H
#define SANDBOX_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/operation.h"

#define PROFILE_COUNT 3
#define PROFILE_ALL_OPERATIONS ((1U << OPERATION_KIND_COUNT) - 1)

struct profile {
	const char *name;    /* [a-z]+, the prefix of its operation ids */
	int port_offset;     /* added to the control port */
	unsigned operations; /* bits, 1 << enum operation_kind, of what it performs */
	bool idempotent;     /* the same key again is answered again; else it is done again */
	int blind_ms;        /* for how long its inquiry knows nothing of an operation, nor of one
				that is not decided; 0: it tells the truth at any time */

	/* its settlement files (sandbox/settlement.h) */
	char separator;
	char decimal_mark;    /* of major units; '\0': amounts are in minor units */
	int fee_basis_points; /* of charges and captures, rounded down */
	int fee_fixed_minor;  /* added to that */
};

/* The row; `index` is below PROFILE_COUNT (assert). */
const struct profile *profile_row(size_t index);

/* The index of a name, or PROFILE_COUNT. */
size_t profile_find(const char *name);

/* True where the gateway performs this kind of operation. */
bool profile_performs(const struct profile *profile, enum operation_kind kind);

#endif
