/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers for property tests: random enough, and the same again for the same seed.
 *
 *	uint64_t state = seed_start();
 *	const uint64_t die = 1 + seed_next(&state) % 6;
 *
 * Invariant  the seed is on the standard output before the first number is drawn
 * Threads    none shared: the state is the caller's
 */
#ifndef TESTS_SEED_H
#define TESTS_SEED_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SEED_DEFAULT UINT64_C(20261121)

/* The seed, which is printed; PAYOPS_SEED in the environment replays one that failed. */
static inline uint64_t seed_start(void)
{
	const char *text = getenv("PAYOPS_SEED");
	const uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : SEED_DEFAULT;

	printf("PAYOPS_SEED=%" PRIu64 "\n", seed);
	fflush(stdout);
	return seed;
}

/* The next number: SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t seed_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

#endif
