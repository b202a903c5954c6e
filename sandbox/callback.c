/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/callback.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/http_client.h"
#include "base/log.h"
#include "sandbox/profile.h"
#include "sandbox/signature.h"
#include "sandbox/timer.h"
#include "sandbox/token.h"

#define CONNECT_TIMEOUT_MS 3000
#define TOTAL_TIMEOUT_MS 10000
#define REPEAT_MS 100	     /* between two deliveries of one callback */
#define DECIDE_AGAIN_MS 1000 /* where the ledger could not be written */
#define IDLE_US INT64_C(1000000)
#define IDLE_SYNC_US                                                                               \
	INT64_C(20000) /* a pause at least this long is used to make the last lines durable */

static const int64_t retry_ms[] = {500,	  1000,	 2000, 5000,
				   10000, 30000, 60000}; /* the last one repeats */

struct callback_job {
	struct callback_queue *queue;
	struct entry *entry;
	STAILQ_ENTRY(callback_job) link; /* in the inbox or among the ready */
	int64_t due_us;
	int deliveries_left;
	int64_t tries;
};

STAILQ_HEAD(callback_jobs, callback_job);

struct callback_queue {
	struct ledger *ledger;
	const struct secret *secret;
	struct callback_settings settings;
	struct http_client *client;
	pthread_t thread;
	atomic_bool stopping;

	pthread_mutex_t mutex; /* guards: inbox */
	struct callback_jobs inbox;

	struct timer_queue timers;  /* the thread's own, as everything below */
	struct callback_jobs ready; /* decided; to be sent as soon as fewer are in flight */
	size_t in_flight;
};

static struct callback_job *job_new(struct callback_queue *queue, struct entry *entry,
				    int64_t due_us)
{
	struct callback_job *job = calloc(1, sizeof *job);
	struct token token;

	if (job == NULL)
		return NULL;
	job->queue = queue;
	job->entry = entry;
	job->due_us = due_us;
	job->deliveries_left =
		1; /* a token that a later version dropped: the callback was promised once */
	if (token_find(entry->terms.payment_token, &token) && token.callbacks > 1)
		job->deliveries_left = token.callbacks;
	return job;
}

/* A job that finds no memory to wait in is found again at the next start. */
static void job_wait(struct callback_job *job, int64_t due_us)
{
	job->due_us = due_us;
	if (timer_push(&job->queue->timers, due_us, job) == ERR_OK)
		return;
	log_note(LOG_ERROR, "out of memory: a callback waits for the next start");
	free(job);
}

static int64_t wait_us(const struct callback_queue *queue, int64_t tries)
{
	size_t last = sizeof retry_ms / sizeof retry_ms[0] - 1;
	int64_t ms = retry_ms[tries - 1 < (int64_t)last ? (size_t)(tries - 1) : last];

	return (ms < queue->settings.wait_max_ms ? ms : queue->settings.wait_max_ms) * 1000;
}

static void job_end(struct callback_job *job, const char *outcome)
{
	ledger_called_back(job->queue->ledger, job->entry, outcome, clock_now_us());
	free(job);
}

static void job_delivered(struct callback_job *job)
{
	if (--job->deliveries_left == 0) {
		job_end(job, "delivered");
		return;
	}
	job->tries = 0;
	job_wait(job, clock_boot_us() + REPEAT_MS * 1000);
}

static void job_failed(struct callback_job *job, const char *reason, int status)
{
	struct callback_queue *queue = job->queue;

	job->tries++;
	log_info("callback not delivered", LOG_TEXT("callback_id", job->entry->callback_id),
		 LOG_INT("tries", job->tries), LOG_INT("status", status),
		 LOG_TEXT("reason", reason));
	if (job->tries < queue->settings.tries_max) {
		job_wait(job, clock_boot_us() + wait_us(queue, job->tries));
		return;
	}
	log_warning("callback given up", LOG_TEXT("callback_id", job->entry->callback_id),
		    LOG_INT("tries", job->tries));
	job_end(job, "abandoned");
}

static void job_answered(void *context, const struct http_answer *answer)
{
	struct callback_job *job = context;

	job->queue->in_flight--;
	atomic_store(&job->entry->callback_tried, true);
	if (answer->fate == HTTP_ANSWERED && answer->status / 100 == 2)
		job_delivered(job);
	else if (atomic_load(&job->queue->stopping))
		free(job);
	else
		job_failed(job, answer->reason, answer->status);
}

static char *body_render(const struct entry *entry, size_t *size)
{
	const struct entry_terms *terms = &entry->terms;
	bool succeeded = entry->verdict.final == ENTRY_SUCCEEDED;
	struct render body = {0};
	char id[ENTRY_ID_SIZE];

	render_begin(&body, '{');
	render_text(&body, "callback_id", entry->callback_id);
	render_text(&body, "gateway", profile_row(terms->gateway)->name);
	render_text(&body, "gateway_txn_id", entry_id(entry, id));
	render_text(&body, "reference", terms->name[ENTRY_REFERENCE]);
	render_text(&body, "status", succeeded ? "completed" : "failed");
	render_integer(&body, "amount_minor", terms->amount.minor);
	render_text(&body, "currency", terms->amount.currency);
	render_text(&body, "decline_code", entry->verdict.decline_code);
	render_end(&body, '}');
	return render_take(&body, size);
}

static enum err call_start(struct callback_job *job, const char *body, size_t size)
{
	const struct entry *entry = job->entry;
	struct http_request request = {
		.method = "POST",
		.header_count = 2,
		.body = body,
		.body_size = size,
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.total_timeout_ms = TOTAL_TIMEOUT_MS,
	};
	char signature[SIGNATURE_SIZE];
	enum err err =
		signature_make(job->queue->secret, clock_now_us() / 1000000, body, size, signature);

	if (err != ERR_OK)
		return err;
	(void)snprintf(request.url, sizeof request.url, "%s", entry->terms.callback_url);
	(void)snprintf(request.headers[0], sizeof request.headers[0],
		       "Content-Type: application/json");
	(void)snprintf(request.headers[1], sizeof request.headers[1], "Sandbox-Signature: %s",
		       signature);
	return http_client_start(job->queue->client, &request, job_answered, job);
}

static void job_send(struct callback_job *job)
{
	size_t size;
	char *body = body_render(job->entry, &size);
	enum err err = ERR_MEMORY;

	job->queue->in_flight++;
	if (body != NULL)
		err = call_start(job, body, size);
	free(body);
	if (err == ERR_OK)
		return;
	job->queue->in_flight--;
	job_failed(job, err_row(err)->code, 0);
}

static void inbox_take(struct callback_queue *queue)
{
	struct callback_jobs taken = STAILQ_HEAD_INITIALIZER(taken);
	struct callback_job *job;

	pthread_mutex_lock(&queue->mutex);
	STAILQ_CONCAT(&taken, &queue->inbox);
	pthread_mutex_unlock(&queue->mutex);
	while ((job = STAILQ_FIRST(&taken)) != NULL) {
		STAILQ_REMOVE_HEAD(&taken, link);
		job_wait(job, job->due_us);
	}
}

/* Decide what is due, with one write for all; what is to be told becomes ready. Returns how many
 * were due. */
static size_t jobs_decide(struct callback_queue *queue)
{
	struct callback_job *jobs[LEDGER_DECIDE_MAX];
	struct entry *entries[LEDGER_DECIDE_MAX];
	int64_t now_us = clock_boot_us();
	size_t count = 0;
	enum err err;

	while (count < LEDGER_DECIDE_MAX &&
	       (jobs[count] = timer_pop_due(&queue->timers, now_us)) != NULL) {
		entries[count] = jobs[count]->entry;
		count++;
	}
	err = ledger_decide(queue->ledger, entries, count, clock_now_us());
	for (size_t i = 0; i < count; i++) {
		if (err != ERR_OK)
			job_wait(jobs[i], clock_boot_us() + DECIDE_AGAIN_MS * 1000);
		else if (jobs[i]->entry->callback_id == NULL)
			free(jobs[i]);
		else
			STAILQ_INSERT_TAIL(&queue->ready, jobs[i], link);
	}
	return count;
}

static void jobs_send(struct callback_queue *queue)
{
	while (queue->in_flight < CALLBACK_IN_FLIGHT_MAX && !STAILQ_EMPTY(&queue->ready)) {
		struct callback_job *job = STAILQ_FIRST(&queue->ready);

		STAILQ_REMOVE_HEAD(&queue->ready, link);
		job_send(job);
	}
}

static void *callback_run(void *context)
{
	struct callback_queue *queue = context;

	while (!atomic_load(&queue->stopping)) {
		int64_t idle_us = 0;

		inbox_take(queue);
		if (jobs_decide(queue) < LEDGER_DECIDE_MAX)
			idle_us = timer_wait_us(&queue->timers, clock_boot_us(), IDLE_US);
		jobs_send(queue);
		if (idle_us > IDLE_US)
			idle_us = IDLE_US;
		if (idle_us >= IDLE_SYNC_US && queue->in_flight == 0 &&
		    ledger_sync(queue->ledger) != ERR_OK)
			log_note(LOG_WARNING,
				 "callback ends were not recorded: they may come again");
		(void)http_client_run(queue->client, (int)((idle_us + 999) / 1000));
	}
	return NULL;
}

static void job_find(void *context, struct entry *entry)
{
	struct callback_queue *queue = context;
	int64_t waited_us = clock_now_us() - entry->verdict.at_us;
	int64_t due_us = clock_boot_us();
	struct callback_job *job;
	struct token token;

	if (token_find(entry->terms.payment_token, &token) && waited_us >= 0 &&
	    waited_us < token.due_ms * INT64_C(1000))
		due_us += token.due_ms * INT64_C(1000) - waited_us;
	job = job_new(queue, entry, due_us);
	if (job != NULL)
		job_wait(job, due_us);
}

static enum err thread_start(struct callback_queue *queue)
{
	return pthread_create(&queue->thread, NULL, callback_run, queue) == 0 ? ERR_OK : ERR_MEMORY;
}

static void jobs_free(struct callback_jobs *jobs)
{
	struct callback_job *job;

	while ((job = STAILQ_FIRST(jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(jobs, link);
		free(job);
	}
}

static void queue_free(struct callback_queue *queue)
{
	struct callback_job *job;

	http_client_free(queue->client); /* ends the calls in flight, which end their jobs */
	while ((job = timer_pop_due(&queue->timers, INT64_MAX)) != NULL)
		free(job);
	timer_done(&queue->timers);
	jobs_free(&queue->ready);
	jobs_free(&queue->inbox);
	(void)pthread_mutex_destroy(&queue->mutex);
	free(queue);
}

enum err callback_start(struct ledger *ledger, const struct secret *secret,
			const struct callback_settings *settings, struct callback_queue **queue)
{
	struct callback_queue *started = calloc(1, sizeof *started);
	enum err err;

	if (started == NULL)
		return ERR_MEMORY;
	started->ledger = ledger;
	started->secret = secret;
	started->settings = *settings;
	(void)pthread_mutex_init(&started->mutex, NULL);
	STAILQ_INIT(&started->inbox);
	STAILQ_INIT(&started->ready);
	err = http_client_new(&started->client);
	if (err == ERR_OK) {
		ledger_each_unfinished(ledger, job_find, started);
		err = thread_start(started);
	}
	if (err != ERR_OK) {
		queue_free(started);
		return err;
	}
	*queue = started;
	return ERR_OK;
}

enum err callback_schedule(struct callback_queue *queue, struct entry *entry, int due_ms)
{
	struct callback_job *job = job_new(queue, entry, clock_boot_us() + due_ms * INT64_C(1000));

	if (job == NULL)
		return ERR_MEMORY;
	pthread_mutex_lock(&queue->mutex);
	STAILQ_INSERT_TAIL(&queue->inbox, job, link);
	pthread_mutex_unlock(&queue->mutex);
	http_client_wake(queue->client);
	return ERR_OK;
}

void callback_stop(struct callback_queue *queue)
{
	if (queue == NULL)
		return;
	atomic_store(&queue->stopping, true);
	http_client_wake(queue->client);
	(void)pthread_join(queue->thread, NULL);
	queue_free(queue);
}
