/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Metrics: counters and histograms in memory, rendered as Prometheus text.
 *
 * Invariant  labels hold route templates, configured gateway names and words of our tables, never
 *            ids or foreign text
 * Units      durations in microseconds on the way in, seconds on the way out
 * Threads    safe: atomic counters
 */
#ifndef APID_METRICS_H
#define APID_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tls.h"
#include "core/attempt.h"
#include "core/err.h"
#include "service/batch.h"
#include "service/breakers.h"

struct metrics;

CHECKED enum err metrics_new(struct metrics **metrics);
void metrics_free(struct metrics *metrics);

/*
 * One request: `route` is the index in the route table (METRICS_NO_ROUTE for 404 and 405), `status`
 * the HTTP status.
 */
#define METRICS_NO_ROUTE (-1)
void metrics_request(struct metrics *metrics, int route, int status, int64_t duration_us);

/* One concluded gateway call. `inquiry`: an inquiry, not an attempt. */
void metrics_gateway_call(struct metrics *metrics, const char *gateway, int inquiry,
			  enum attempt_class class, int64_t duration_us);

/* One callback; `result` is a constant word: "applied", "duplicate", "forged", … */
void metrics_callback(struct metrics *metrics, const char *gateway, const char *result);

/*
 * payops_idempotency_total{result}, payops_lease_expired_total and the like: a closed enum of plain
 * counters.
 */
enum metrics_counter {
	METRICS_IDEMPOTENCY_CREATED,
	METRICS_IDEMPOTENCY_REPLAYED,
	METRICS_IDEMPOTENCY_REUSED,
	METRICS_LEASE_EXPIRED,
	METRICS_SHED,
	METRICS_LOCKOUT,
	METRICS_LOCKOUT_REFUSED,
	METRICS_RELOAD_TAKEN,
	METRICS_RELOAD_REFUSED,
	METRICS_COUNTERS
};
void metrics_count(struct metrics *metrics, enum metrics_counter counter);

/* One TLS handshake that failed. */
void metrics_tls_failure(struct metrics *metrics, enum tls_failure failure);

/* How many writes there is room for at once; said before the first is refused. */
void metrics_room(struct metrics *metrics, unsigned writes_max);

/* What waits for a committer or reader. */
enum metrics_queue_name {
	METRICS_QUEUE_INTAKE,
	METRICS_QUEUE_CALLBACKS,
	METRICS_QUEUE_OUTCOMES,
	METRICS_QUEUE_LOOKUPS,
};
#define METRICS_QUEUES 4

/* Live figures read when rendering. */
struct metrics_figures {
	int64_t rows_without_next_action; /* -1: the database could not be asked */
	int64_t queue_due;
	int64_t oldest_due_us;
	size_t calls_in_flight;
	uint64_t resend_total;
	uint64_t db_retries_total;
	int64_t uptime_us;
	struct batch_figures queues[METRICS_QUEUES];
	const struct breakers_figure *breakers;
	size_t breaker_count;
	bool certificate; /* TLS is served with one */
	int64_t certificate_left_us;
};

/* The whole page, to be freed with free(); NULL when memory is short. */
char *metrics_render(const struct metrics *metrics, const struct metrics_figures *figures);

#endif
