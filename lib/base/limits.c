/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/limits.h"

#include <sys/resource.h>

#define NO_CORE                                                                                    \
	1 /* byte: too few for a file; and unlike 0 it keeps programs behind core_pattern away, too */

bool limits_raise_files(size_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return false;
	if (limit.rlim_cur >= wanted)
		return true;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == wanted;
}

void limits_forbid_core(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max < NO_CORE ? limit.rlim_max : NO_CORE;
	(void)setrlimit(RLIMIT_CORE, &limit);
}
