/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Repeat: "random" bytes that are the same again for the same seed, so that a test can be run twice to the byte.
 * Compiled in with --enable-faults only: a program built without has nothing of this.
 *
 * Threads    safe; process-wide
 */
#ifndef BASE_REPEAT_H
#define BASE_REPEAT_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef PAYOPS_FAULTS

/* From now on crypto_random() gives what follows from the seed; 0: what the system gives. */
void repeat_start(uint64_t seed);

/* What lib/base/crypto.c asks. Returns true where it filled them. */
bool repeat_random(void *out, size_t size);

#else

static inline bool repeat_random(void *out, size_t size)
{
	(void)out;
	(void)size;
	return false;
}

#endif

#endif
