/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/repeat.h"

#ifdef PAYOPS_FAULTS

#include <pthread.h>

/* lint: state: a test repeats the whole process */
static struct {
	pthread_mutex_t mutex; /* guards: state */
	uint64_t state;        /* 0: nothing is repeated */
} test = { PTHREAD_MUTEX_INITIALIZER, 0 };

void repeat_start(uint64_t seed)
{
	pthread_mutex_lock(&test.mutex);
	test.state = seed;
	pthread_mutex_unlock(&test.mutex);
}

/* SplitMix64 (Steele, Lea, Flood 2014), a byte of each. */
static uint8_t next(void)
{
	uint64_t z = test.state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint8_t)(z >> 32);
}

bool repeat_random(void *out, size_t size)
{
	uint8_t *bytes = out;
	bool repeats;

	pthread_mutex_lock(&test.mutex);
	repeats = test.state != 0;
	for (size_t i = 0; repeats && i < size; i++)
		bytes[i] = next();
	pthread_mutex_unlock(&test.mutex);
	return repeats;
}

#else

/* ISO C forbids an empty translation unit. */
typedef int nothing_is_repeated;

#endif
