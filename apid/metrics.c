/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "apid/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apid/route.h"
#include "base/clock.h"
#include "core/transition.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unreleased"
#endif

#define STATUS_MAX 599
#define NAME_SIZE 33
#define GATEWAYS_MAX 16   /* as many as can be configured */
#define CALLBACKS_MAX 192 /* gateways, and the unknown one, times results */
#define CLASSES 4         /* enum attempt_class */

/* Upper bounds of the buckets in microseconds, and as they stand in the label. */
static const struct bound {
	int64_t us;
	const char *label;
} bounds[] = {
	{ 1000, "0.001" },  { 2500, "0.0025" }, { 5000, "0.005" },  { 10000, "0.01" },
	{ 25000, "0.025" }, { 50000, "0.05" },  { 100000, "0.1" },  { 250000, "0.25" },
	{ 500000, "0.5" },  { 1000000, "1" },   { 2500000, "2.5" }, { 5000000, "5" },
	{ 10000000, "10" }, { 30000000, "30" },
};
#define BOUNDS (sizeof bounds / sizeof bounds[0])

typedef atomic_uint_fast64_t counter;

struct histogram {
	counter buckets[BOUNDS + 1]; /* each by itself; the last is above all bounds */
	counter sum_us;
};

struct route_figures {
	counter status[STATUS_MAX + 1];
	struct histogram seconds;
};

enum kind { KIND_ATTEMPT, KIND_INQUIRY, KINDS };
static const char *const kind_words[KINDS] = { "attempt", "inquiry" };

struct gateway_figures {
	char name[NAME_SIZE];
	counter classes[KINDS][CLASSES];
	struct histogram seconds[KINDS];
};

struct callback_figure {
	char gateway[NAME_SIZE];
	char result[NAME_SIZE];
	counter count;
};

struct metrics {
	struct route_figures routes[ROUTE_COUNT + 1]; /* the last: no route */
	counter counters[METRICS_COUNTERS];
	counter tls_failures[TLS_FAILURES];
	atomic_uint writes_max;
	pthread_mutex_t mutex; /* guards: the names and how many there are; both only grow */
	atomic_size_t gateway_count;
	struct gateway_figures gateways[GATEWAYS_MAX];
	atomic_size_t callback_count;
	struct callback_figure callbacks[CALLBACKS_MAX];
};

enum err metrics_new(struct metrics **metrics)
{
	struct metrics *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&made->mutex, NULL);
	*metrics = made;
	return ERR_OK;
}

void metrics_free(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	pthread_mutex_destroy(&metrics->mutex);
	free(metrics);
}

/* ---- counting ---- */

static void add(counter *counted, uint64_t by)
{
	atomic_fetch_add_explicit(counted, by, memory_order_relaxed);
}

static uint64_t value(const counter *counted)
{
	return atomic_load_explicit((counter *)counted, memory_order_relaxed);
}

static void observe(struct histogram *histogram, int64_t duration_us)
{
	const int64_t us = duration_us < 0 ? 0 : duration_us;
	size_t i = 0;

	while (i < BOUNDS && us > bounds[i].us)
		i++;
	add(&histogram->buckets[i], 1);
	add(&histogram->sum_us, (uint64_t)us);
}

void metrics_request(struct metrics *metrics, int route, int status, int64_t duration_us)
{
	struct route_figures *figures;

	assert(route >= METRICS_NO_ROUTE && route < ROUTE_COUNT);
	assert(status >= 0 && status <= STATUS_MAX);
	figures = &metrics->routes[route == METRICS_NO_ROUTE ? ROUTE_COUNT : route];
	add(&figures->status[status], 1);
	observe(&figures->seconds, duration_us);
}

static struct gateway_figures *gateway_find_locked(struct metrics *metrics, const char *name)
{
	const size_t count = atomic_load(&metrics->gateway_count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(metrics->gateways[i].name, name) == 0)
			return &metrics->gateways[i];
	if (count == GATEWAYS_MAX)
		return NULL;
	(void)snprintf(metrics->gateways[count].name, NAME_SIZE, "%s", name);
	atomic_store(&metrics->gateway_count, count + 1);
	return &metrics->gateways[count];
}

void metrics_gateway_call(struct metrics *metrics, const char *gateway, int inquiry,
			  enum attempt_class class, int64_t duration_us)
{
	const enum kind kind = inquiry ? KIND_INQUIRY : KIND_ATTEMPT;
	struct gateway_figures *figures;

	pthread_mutex_lock(&metrics->mutex);
	figures = gateway_find_locked(metrics, gateway);
	pthread_mutex_unlock(&metrics->mutex);
	if (figures == NULL)
		return;
	add(&figures->classes[kind][class], 1);
	observe(&figures->seconds[kind], duration_us);
}

static struct callback_figure *callback_find_locked(struct metrics *metrics, const char *gateway,
						    const char *result)
{
	const size_t count = atomic_load(&metrics->callback_count);
	struct callback_figure *figure;

	for (size_t i = 0; i < count; i++) {
		figure = &metrics->callbacks[i];
		if (strcmp(figure->gateway, gateway) == 0 && strcmp(figure->result, result) == 0)
			return figure;
	}
	if (count == CALLBACKS_MAX)
		return NULL;
	figure = &metrics->callbacks[count];
	(void)snprintf(figure->gateway, NAME_SIZE, "%s", gateway);
	(void)snprintf(figure->result, NAME_SIZE, "%s", result);
	atomic_store(&metrics->callback_count, count + 1);
	return figure;
}

void metrics_callback(struct metrics *metrics, const char *gateway, const char *result)
{
	struct callback_figure *figure;

	pthread_mutex_lock(&metrics->mutex);
	figure = callback_find_locked(metrics, gateway, result);
	pthread_mutex_unlock(&metrics->mutex);
	if (figure != NULL)
		add(&figure->count, 1);
}

void metrics_count(struct metrics *metrics, enum metrics_counter which)
{
	assert(which >= 0 && which < METRICS_COUNTERS);
	add(&metrics->counters[which], 1);
}

void metrics_tls_failure(struct metrics *metrics, enum tls_failure failure)
{
	add(&metrics->tls_failures[failure], 1);
}

void metrics_room(struct metrics *metrics, unsigned writes_max)
{
	atomic_store(&metrics->writes_max, writes_max);
}

/* ---- the page ---- */

static void family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_seconds(FILE *out, uint64_t us)
{
	fprintf(out, "%" PRIu64 ".%06" PRIu64 "\n", us / 1000000, us % 1000000);
}

/* `labels`: "route=\"...\"", without braces. */
static void print_histogram(FILE *out, const char *name, const char *labels,
			    const struct histogram *histogram)
{
	uint64_t total = 0;

	for (size_t i = 0; i < BOUNDS; i++) {
		total += value(&histogram->buckets[i]);
		fprintf(out, "%s_bucket{%s,le=\"%s\"} %" PRIu64 "\n", name, labels, bounds[i].label,
			total);
	}
	total += value(&histogram->buckets[BOUNDS]);
	fprintf(out, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", name, labels, total);
	fprintf(out, "%s_sum{%s} ", name, labels);
	print_seconds(out, value(&histogram->sum_us));
	fprintf(out, "%s_count{%s} %" PRIu64 "\n", name, labels, total);
}

static bool is_empty(const struct histogram *histogram)
{
	uint64_t total = 0;

	for (size_t i = 0; i <= BOUNDS; i++)
		total += value(&histogram->buckets[i]);
	return total == 0;
}

#define LABEL_SIZE 128

static const char *route_label(int route, char out[LABEL_SIZE])
{
	if (route == ROUTE_COUNT)
		(void)snprintf(out, LABEL_SIZE, "route=\"none\"");
	else
		(void)snprintf(out, LABEL_SIZE, "route=\"%s %s\"", route_at(route)->method,
			       route_at(route)->path);
	return out;
}

static void print_requests(FILE *out, const struct metrics *metrics)
{
	char label[LABEL_SIZE];

	family(out, "payops_http_requests_total", "counter", "Requests answered.");
	for (int route = 0; route <= ROUTE_COUNT; route++)
		for (int status = 0; status <= STATUS_MAX; status++) {
			const uint64_t count = value(&metrics->routes[route].status[status]);

			if (count > 0)
				fprintf(out,
					"payops_http_requests_total{%s,code=\"%d\"} %" PRIu64 "\n",
					route_label(route, label), status, count);
		}
	family(out, "payops_http_request_seconds", "histogram",
	       "Time from the whole request to its answer.");
	for (int route = 0; route <= ROUTE_COUNT; route++)
		if (!is_empty(&metrics->routes[route].seconds))
			print_histogram(out, "payops_http_request_seconds",
					route_label(route, label), &metrics->routes[route].seconds);
}

/* Attempts and inquiries by what their answers told. */
static void print_classes(FILE *out, const struct metrics *metrics, enum kind kind,
			  const char *name, const char *label)
{
	const size_t count = atomic_load(&((struct metrics *)metrics)->gateway_count);

	for (size_t i = 0; i < count; i++)
		for (int class = 0; class < CLASSES; class ++) {
			const struct gateway_figures *figures = &metrics->gateways[i];

			if (value(&figures->classes[kind][class]) > 0)
				fprintf(out, "%s{gateway=\"%s\",%s=\"%s\"} %" PRIu64 "\n", name,
					figures->name, label,
					words_text(attempt_class_words, class),
					value(&figures->classes[kind][class]));
		}
}

static void print_gateway_seconds(FILE *out, const struct gateway_figures *figures)
{
	char labels[LABEL_SIZE];

	for (int kind = 0; kind < KINDS; kind++) {
		(void)snprintf(labels, sizeof labels, "gateway=\"%s\",operation=\"%s\"",
			       figures->name, kind_words[kind]);
		if (!is_empty(&figures->seconds[kind]))
			print_histogram(out, "payops_gateway_request_seconds", labels,
					&figures->seconds[kind]);
	}
}

static void print_gateways(FILE *out, const struct metrics *metrics)
{
	const size_t count = atomic_load(&((struct metrics *)metrics)->gateway_count);

	family(out, "payops_attempts_total", "counter",
	       "Attempts concluded, by what their answer told.");
	print_classes(out, metrics, KIND_ATTEMPT, "payops_attempts_total", "class");
	family(out, "payops_inquiries_total", "counter",
	       "Inquiries concluded, by what their answer told.");
	print_classes(out, metrics, KIND_INQUIRY, "payops_inquiries_total", "result");
	family(out, "payops_gateway_request_seconds", "histogram", "Time of gateway calls.");
	for (size_t i = 0; i < count; i++)
		print_gateway_seconds(out, &metrics->gateways[i]);
}

static void print_callbacks(FILE *out, const struct metrics *metrics)
{
	const size_t count = atomic_load(&((struct metrics *)metrics)->callback_count);

	family(out, "payops_callbacks_total", "counter",
	       "Callbacks received, by what became of them.");
	for (size_t i = 0; i < count; i++)
		fprintf(out, "payops_callbacks_total{gateway=\"%s\",result=\"%s\"} %" PRIu64 "\n",
			metrics->callbacks[i].gateway, metrics->callbacks[i].result,
			value(&metrics->callbacks[i].count));
}

/* Plain counters; rows of one family stand together. */
static const struct counter_row {
	enum metrics_counter which;
	const char *name;
	const char *labels;
	const char *help;
} counter_rows[] = {
	{ METRICS_IDEMPOTENCY_CREATED, "payops_idempotency_total", "{result=\"created\"}",
	  "Requests with an idempotency key, by what the key told." },
	{ METRICS_IDEMPOTENCY_REPLAYED, "payops_idempotency_total", "{result=\"replayed\"}", NULL },
	{ METRICS_IDEMPOTENCY_REUSED, "payops_idempotency_total", "{result=\"reused\"}", NULL },
	{ METRICS_LEASE_EXPIRED, "payops_lease_expired_total", "",
	  "Attempts taken over after their lease ended." },
	{ METRICS_SHED, "payops_requests_shed_total", "", "Writes refused for want of room." },
	{ METRICS_LOCKOUT, "payops_lockouts_total", "",
	  "Times that an address or key was locked out for wrong credentials." },
	{ METRICS_LOCKOUT_REFUSED, "payops_lockout_refused_total", "",
	  "Requests refused because their address or key was locked out." },
	{ METRICS_RELOAD_TAKEN, "payops_reloads_total", "{result=\"taken\"}",
	  "Configurations read again." },
	{ METRICS_RELOAD_REFUSED, "payops_reloads_total", "{result=\"refused\"}", NULL },
};

static void print_counters(FILE *out, const struct metrics *metrics)
{
	for (size_t i = 0; i < sizeof counter_rows / sizeof counter_rows[0]; i++) {
		const struct counter_row *row = &counter_rows[i];

		if (row->help != NULL)
			family(out, row->name, "counter", row->help);
		fprintf(out, "%s%s %" PRIu64 "\n", row->name, row->labels,
			value(&metrics->counters[row->which]));
	}
}

static void print_tls_failures(FILE *out, const struct metrics *metrics)
{
	family(out, "payops_tls_handshake_failures_total", "counter",
	       "TLS handshakes that failed, by what is wrong.");
	for (int failure = 0; failure < TLS_FAILURES; failure++)
		fprintf(out, "payops_tls_handshake_failures_total{failure=\"%s\"} %" PRIu64 "\n",
			words_text(tls_failure_words, failure),
			value(&metrics->tls_failures[failure]));
}

static const struct {
	const char *name;
	const char *sizes; /* the metric of its batches' sizes */
} queue_rows[METRICS_QUEUES] = {
	[METRICS_QUEUE_INTAKE] = { "intake", "payops_intake_batch_size" },
	[METRICS_QUEUE_CALLBACKS] = { "callbacks", "payops_callbacks_batch_size" },
	[METRICS_QUEUE_OUTCOMES] = { "outcomes", "payops_outcomes_batch_size" },
	[METRICS_QUEUE_LOOKUPS] = { "lookups", "payops_lookups_batch_size" },
};

static void print_batches(FILE *out, const char *name, const struct batch_figures *figures)
{
	uint64_t total = 0;

	family(out, name, "histogram", "How many were committed, or read, together.");
	for (size_t class = 0; class < BATCH_SIZE_CLASSES - 1; class ++) {
		total += figures->by_size[class];
		fprintf(out, "%s_bucket{le=\"%zu\"} %" PRIu64 "\n", name, (size_t)1 << class,
			total);
	}
	fprintf(out,
		"%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %" PRIu64 "\n%s_count %" PRIu64 "\n",
		name, figures->batches, name, figures->items, name, figures->batches);
}

static void print_room(FILE *out, const struct metrics *metrics)
{
	family(out, "payops_requests_room", "gauge",
	       "Writes that may be in progress; what comes beside them is shed.");
	fprintf(out, "payops_requests_room %u\n", atomic_load(&metrics->writes_max));
}

static void print_queue(FILE *out, const struct metrics_figures *figures)
{
	const bool known = figures->rows_without_next_action >= 0;

	family(out, "payops_queue_depth", "gauge", "Work waiting, and calls in flight.");
	if (known)
		fprintf(out, "payops_queue_depth{queue=\"due\"} %" PRId64 "\n", figures->queue_due);
	fprintf(out, "payops_queue_depth{queue=\"in_flight\"} %zu\n", figures->calls_in_flight);
	for (size_t i = 0; i < METRICS_QUEUES; i++)
		fprintf(out, "payops_queue_depth{queue=\"%s\"} %zu\n", queue_rows[i].name,
			figures->queues[i].waiting);
	family(out, "payops_queue_oldest_seconds", "gauge", "Age of the oldest work that is due.");
	if (known) {
		fprintf(out, "payops_queue_oldest_seconds{queue=\"due\"} ");
		print_seconds(out, (uint64_t)figures->oldest_due_us);
	}
	family(out, "payops_rows_without_next_action", "gauge",
	       "Operations that are not final and that nothing will move: always 0.");
	if (known)
		fprintf(out, "payops_rows_without_next_action %" PRId64 "\n",
			figures->rows_without_next_action);
}

/* The value of a state, as it is documented. */
static const int breaker_values[BREAKER_STATES] = {
	[BREAKER_CLOSED] = 0,
	[BREAKER_HALF_OPEN] = 1,
	[BREAKER_OPEN] = 2,
};

static void print_breakers(FILE *out, const struct metrics_figures *figures)
{
	family(out, "payops_breaker_state", "gauge",
	       "Circuit breakers: 0 closed, 1 half open, 2 open.");
	for (size_t i = 0; i < figures->breaker_count; i++) {
		const struct breakers_figure *breaker = &figures->breakers[i];

		fprintf(out, "payops_breaker_state{gateway=\"%s\",operation=\"%s\"} %d\n",
			breaker->gateway,
			words_text(breaker_operation_words, (int)breaker->operation),
			breaker_values[breaker->state]);
	}
}

static void print_certificate(FILE *out, const struct metrics_figures *figures)
{
	if (!figures->certificate)
		return;
	family(out, "payops_tls_certificate_expiry_seconds", "gauge",
	       "How long the certificate of TLS is still valid; below 0: how long it is not.");
	fprintf(out, "payops_tls_certificate_expiry_seconds %" PRId64 "\n",
		figures->certificate_left_us / 1000000);
}

static int64_t resident_bytes(void)
{
	FILE *statm = fopen("/proc/self/statm", "re");
	int64_t pages = 0;

	if (statm == NULL)
		return 0;
	if (fscanf(statm, "%*d %" SCNd64, &pages) != 1)
		pages = 0;
	(void)fclose(statm);
	return pages * sysconf(_SC_PAGESIZE);
}

static void print_process(FILE *out, const struct metrics_figures *figures)
{
	family(out, "payops_db_retries_total", "counter",
	       "Database transactions run again because the database asked for it.");
	fprintf(out, "payops_db_retries_total %" PRIu64 "\n", figures->db_retries_total);
	family(out, "payops_client_resend_total", "counter",
	       "Gateway requests whose bytes went out more than once: always 0.");
	fprintf(out, "payops_client_resend_total %" PRIu64 "\n", figures->resend_total);
	family(out, "payops_build_info", "gauge", "The version that runs.");
	fprintf(out, "payops_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
	family(out, "process_start_time_seconds", "gauge", "When the process started, since 1970.");
	fprintf(out, "process_start_time_seconds ");
	print_seconds(out, (uint64_t)(clock_now_us() - figures->uptime_us));
	family(out, "process_resident_memory_bytes", "gauge", "Memory in use.");
	fprintf(out, "process_resident_memory_bytes %" PRId64 "\n", resident_bytes());
}

char *metrics_render(const struct metrics *metrics, const struct metrics_figures *figures)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	print_requests(out, metrics);
	print_gateways(out, metrics);
	print_callbacks(out, metrics);
	print_counters(out, metrics);
	print_tls_failures(out, metrics);
	print_room(out, metrics);
	print_queue(out, figures);
	for (size_t i = 0; i < METRICS_QUEUES; i++)
		print_batches(out, queue_rows[i].sizes, &figures->queues[i]);
	print_breakers(out, figures);
	print_certificate(out, figures);
	print_process(out, figures);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
