/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fault points: places where a test may end the process, compiled in with --enable-faults only.
 *
 * PAYOPS_FAULT="name" or "name:n" ends the process (SIGKILL to itself) when the n-th pass reaches
 * fault_point(name).
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#ifdef PAYOPS_FAULTS
void fault_point(const char *name);
#else
static inline void fault_point(const char *name)
{
	(void)name;
}
#endif

#endif
