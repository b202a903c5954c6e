/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/bench/latency.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define SHIFT 7 /* 128 buckets for each power of two */

uint64_t latency_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static size_t bucket_of(uint64_t ns)
{
	int power;

	if (ns < 2 << SHIFT)
		return (size_t)ns;
	power = 63 - __builtin_clzll(ns) - SHIFT;
	return ((size_t)power << SHIFT) + (size_t)(ns >> power);
}

/* The middle of a bucket. */
static uint64_t bucket_value(size_t bucket)
{
	size_t power = bucket < 2 << SHIFT ? 0 : (bucket >> SHIFT) - 1;
	uint64_t least = (uint64_t)(bucket - (power << SHIFT)) << power;

	return least + ((1ULL << power) - 1) / 2;
}

void latency_add(struct latency *latency, uint64_t ns)
{
	latency->count++;
	latency->buckets[bucket_of(ns)]++;
	if (ns > latency->max_ns)
		latency->max_ns = ns;
}

void latency_merge(struct latency *into, const struct latency *from)
{
	into->count += from->count;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
	for (size_t i = 0; i < LATENCY_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

uint64_t latency_quantile_ns(const struct latency *latency, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)latency->count), seen = 0, value;

	for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
		seen += latency->buckets[i];
		if (seen < wanted || seen == 0)
			continue;
		value = bucket_value(i);
		return value < latency->max_ns ? value : latency->max_ns;
	}
	return 0;
}

const char *latency_format(const struct latency *latency, char *out, size_t size)
{
	snprintf(out, size,
		 "\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, "
		 "\"max_us\": %.1f",
		 (double)latency_quantile_ns(latency, 0.5) / 1e3,
		 (double)latency_quantile_ns(latency, 0.9) / 1e3,
		 (double)latency_quantile_ns(latency, 0.99) / 1e3,
		 (double)latency_quantile_ns(latency, 0.999) / 1e3, (double)latency->max_ns / 1e3);
	return out;
}
