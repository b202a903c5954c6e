/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/fault.h"

#ifdef PAYOPS_FAULTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void fault_point(const char *name)
{
	static atomic_long passes;
	const char *wanted = getenv("PAYOPS_FAULT");
	size_t size = strlen(name);
	long count = 1;

	if (wanted == NULL || strncmp(wanted, name, size) != 0)
		return;
	if (wanted[size] == ':')
		count = strtol(wanted + size + 1, NULL, 10);
	else if (wanted[size] != '\0')
		return;
	if (atomic_fetch_add(&passes, 1) + 1 == count)
		raise(SIGKILL);
}

#else

/* ISO C forbids an empty translation unit. */
typedef int fault_points_are_not_compiled_in;

#endif
