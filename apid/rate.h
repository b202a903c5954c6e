/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rates: how many requests each merchant may make, as one token bucket each.
 *
 * Invariant  under one limit a merchant never gets more than burst + rate * time requests from this process; memory is
 *            bounded: of more merchants than there is room for, those whose buckets are fullest are forgotten, which
 *            fills them
 * Units      requests; times of the boot clock
 * Ownership  rate_free()
 * Threads    safe
 * Source     RFC 6585 section 4 (429); draft-ietf-httpapi-ratelimit-headers-10
 */
#ifndef APID_RATE_H
#define APID_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct rate;

struct rate_settings {
	int per_second; /* 0: no limit */
	int burst;      /* that may be made at once, after a rest */
};

struct rate_verdict {
	bool allowed;
	bool is_scarce;     /* less than half of the burst is left */
	int64_t left;       /* requests that may be made at once now */
	int64_t full_in_s;  /* until all of the burst may be made again, rounded up */
	int64_t retry_in_s; /* where it is not allowed: until one is, rounded up */
};

CHECKED enum err rate_new(struct rate **rate);

/* Accepts NULL. */
void rate_free(struct rate *rate);

/*
 * One request of this merchant; what is refused costs nothing. Where the limit is another than before, what was taken
 * counts on, request by request.
 */
struct rate_verdict rate_take(struct rate *rate, struct rate_settings limit, const char *merchant,
			      int64_t now_boot_us);

/* In how many seconds a whole burst comes back, rounded up; 0 where there is no limit. */
int64_t rate_window_s(struct rate_settings limit);

#endif
