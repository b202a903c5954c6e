/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A histogram of latencies: each power of two in 128 equal buckets, so that no figure is further than 0.4 % from what
 * was measured, whatever the range.
 *
 * Units      nanoseconds in, microseconds in the text
 * Ownership  a plain value, 58 KiB; starts as { 0 }
 * Threads    one per histogram; latency_merge() joins them afterwards
 */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stddef.h>
#include <stdint.h>

#define LATENCY_BUCKETS ((64 - 7 + 1) * 128)

struct latency {
	uint64_t count;
	uint64_t max_ns;
	uint64_t buckets[LATENCY_BUCKETS];
};

/* CLOCK_MONOTONIC. */
uint64_t latency_now_ns(void);

void latency_add(struct latency *latency, uint64_t ns);

void latency_merge(struct latency *into, const struct latency *from);

/* The value that `share` (0 to 1) of all are not above; 0 where there are none. */
uint64_t latency_quantile_ns(const struct latency *latency, double share);

/* Members of a JSON object: "p50_us": …, "p90_us": …, "p99_us": …, "p999_us": …, "max_us": …. Returns `out`. */
const char *latency_format(const struct latency *latency, char *out, size_t size);

#endif
