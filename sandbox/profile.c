/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/profile.h"

#include <assert.h>
#include <string.h>

/* clang-format off */
static const struct profile profiles[] = {
	/* name     port  operations              idempotent  blind ms  settlement: separator,
	 *                                                              decimal mark, fee: bp, fixed */
	{ "alpha",  1,    PROFILE_ALL_OPERATIONS, true,       0,        ',',  '\0', 290, 30 },
	{ "beta",   2,    PROFILE_ALL_OPERATIONS, true,       0,        ';',  ',',  150, 0 },
	{ "gamma",  3,    PROFILE_ALL_OPERATIONS, false,      1000,     '\t', '.',  0,   25 },
};
/* clang-format on */

_Static_assert(sizeof profiles / sizeof profiles[0] == PROFILE_COUNT,
	       "PROFILE_COUNT is the table's");

const struct profile *profile_row(size_t index)
{
	assert(index < PROFILE_COUNT);
	return &profiles[index];
}

size_t profile_find(const char *name)
{
	size_t index = 0;

	while (index < PROFILE_COUNT && strcmp(profiles[index].name, name) != 0)
		index++;
	return index;
}

bool profile_performs(const struct profile *profile, enum operation_kind kind)
{
	return (profile->operations & 1U << kind) != 0;
}
