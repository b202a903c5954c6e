/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Limits of this process: how many files it may open, and whether a crash leaves its memory on disk.
 *
 * Threads    call before threads start
 * Source     getrlimit(2), core(5)
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Let this process open `wanted` files, as far as the system allows it. A connection takes a descriptor.
 * Returns  false where fewer may be opened
 */
bool limits_raise_files(size_t wanted);

/*
 * From here on no crash writes a core file, nor hands one to a program: it would hold keys and what payments wait for.
 * Where the system's own limit is nothing at all (`ulimit -Hc 0`), a program that core_pattern names still gets it.
 */
void limits_forbid_core(void);

#endif
