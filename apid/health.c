/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "apid/call.h"
#include "apid/dispatcher.h"
#include "base/clock.h"
#include "base/tls.h"
#include "service/breakers.h"
#include "store/operation.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define OLDEST_DUE_US (60 * INT64_C(1000000)) /* nothing is done in time any more */
#define DATABASE_WAIT_MS 2000                 /* a probe wants its answer soon */

static enum err look_figures(struct store_tx *tx, void *context)
{
	return store_operation_figures(tx, context);
}

static enum err figures_read(const struct call *call, struct operation_figures *figures)
{
	const int left_ms = call_wait_ms(call);

	return store_pool_look(call->app->pool,
			       left_ms < DATABASE_WAIT_MS ? left_ms : DATABASE_WAIT_MS,
			       look_figures, figures);
}

void health_live(struct call *call)
{
	call_answer(call, 200, json_pack("{s:s}", "status", "ok"));
}

/* What keeps this process from being useful; the last thing found is the worst and leads the answer. */
struct missing {
	enum err err;
	const char *detail;
	json_t *list;
};

static void missing_add(struct missing *missing, enum err err, const char *what, const char *detail)
{
	missing->err = err;
	missing->detail = detail;
	problem_error_add(missing->list, what, PROBLEM_ELSEWHERE, err_row(err)->code, detail);
}

static struct missing missing_find(const struct call *call)
{
	struct missing missing = { .err = ERR_OK, .list = json_array() };
	struct operation_figures figures;
	const enum err database = figures_read(call, &figures);

	if (database == ERR_OK && figures.oldest_due_us >= OLDEST_DUE_US)
		missing_add(&missing, ERR_OVERLOADED, "queue",
			    "Work has been due for a minute or more.");
	if (database == ERR_OVERLOADED)
		missing_add(&missing, ERR_OVERLOADED, "database",
			    "All database connections are in use.");
	else if (database != ERR_OK)
		missing_add(&missing, ERR_UNAVAILABLE, "database", "The database does not answer.");
	if (atomic_load(&call->app->draining))
		missing_add(&missing, ERR_DRAINING, "process", "The server is stopping.");
	return missing;
}

void health_ready(struct call *call)
{
	const struct missing missing = missing_find(call);

	if (missing.err != ERR_OK) {
		call_refuse_errors(call, missing.err, missing.detail, missing.list);
		return;
	}
	json_decref(missing.list);
	call_answer(call, 200, json_pack("{s:s}", "status", "ready"));
}

void health_metrics(struct call *call)
{
	const struct app *app = call->app;
	const struct tls *tls = call->settings->tls;
	struct operation_figures queue;
	struct breakers_figure breakers[BREAKERS_GATEWAYS_MAX * BREAKER_OPERATIONS];
	struct metrics_figures figures = { .rows_without_next_action = -1, .breakers = breakers };

	if (!call->http->peer_is_loopback) {
		call_refuse(call, ERR_NOT_FOUND, "There is nothing at this path.");
		return;
	}
	if (figures_read(call, &queue) == ERR_OK) {
		figures.rows_without_next_action = queue.without_next_action;
		figures.queue_due = queue.due;
		figures.oldest_due_us = queue.oldest_due_us;
	}
	figures.calls_in_flight = dispatcher_in_flight(app->dispatcher);
	figures.queues[METRICS_QUEUE_INTAKE] = batch_figures(app->intake);
	figures.queues[METRICS_QUEUE_CALLBACKS] = batch_figures(app->callbacks);
	figures.queues[METRICS_QUEUE_OUTCOMES] = dispatcher_outcomes(app->dispatcher);
	figures.queues[METRICS_QUEUE_LOOKUPS] = reader_figures(app->lookups);
	figures.resend_total = dispatcher_resend_total(app->dispatcher);
	figures.db_retries_total = store_pool_retries(app->pool);
	figures.breaker_count =
		breakers_list(app->breakers, breakers, sizeof breakers / sizeof breakers[0]);
	figures.certificate = tls != NULL;
	if (tls != NULL)
		figures.certificate_left_us = tls_ends_us(tls) - clock_now_us();
	figures.uptime_us = clock_now_us() - app->started_at_us;
	call_answer_text(call, 200, METRICS_TYPE, metrics_render(app->metrics, &figures));
}
