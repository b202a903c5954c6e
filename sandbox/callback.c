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
#include "sandbox/signature.h"
#include "sandbox/tale.h"
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

/* What a job does next; in this order, each only where the entry's token has it. */
enum step {
	STEP_VERDICT, /* decide, and tell the verdict */
	STEP_AGAIN,   /* tell it again */
	STEP_STALE,   /* tell the status of before */
	STEP_TURN,    /* turn the verdict, and tell that */
	STEP_END,
};

struct callback_job {
	struct callback_queue *queue;
	struct entry *entry;
	STAILQ_ENTRY(callback_job) link; /* in the inbox or among the ready */
	int64_t due_us;
	bool hastens; /* a message only: let the entry's own job be due now */
	enum step step;
	enum token_calls calls;
	int64_t turn_due_us; /* with a verdict that turns */
	int64_t tries;       /* of this step's callback */
};

STAILQ_HEAD(callback_jobs, callback_job);

struct callback_queue {
	struct ledger *ledger;
	const struct secret *secrets; /* by profile */
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

/* `waited_us` is how long ago the operation was recorded. */
static struct callback_job *job_new(struct callback_queue *queue, struct entry *entry,
				    int64_t waited_us)
{
	struct callback_job *job = calloc(1, sizeof *job);
	int64_t recorded_us = clock_boot_us() - waited_us;
	struct token token;

	if (job == NULL)
		return NULL;
	*job = (struct callback_job){.queue = queue, .entry = entry, .calls = TOKEN_ONE_CALL};
	/* a token that a later version dropped: the callback was promised once */
	if (!token_find(entry_effect(entry), &token))
		return job;
	job->calls = token.calls;
	job->due_us = recorded_us + token.due_ms * INT64_C(1000);
	job->turn_due_us = recorded_us + token.turn_ms * INT64_C(1000);
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
	if (job->entry->callback_id != NULL)
		ledger_called_back(job->queue->ledger, job->entry, outcome, clock_now_us());
	free(job);
}

static bool step_applies(const struct callback_job *job, enum step step)
{
	const struct entry *entry = job->entry;
	bool told = entry->callback_id != NULL;

	switch (step) {
	case STEP_AGAIN:
		return told && job->calls == TOKEN_TWO_CALLS;
	case STEP_STALE:
		return told && job->calls == TOKEN_STALE_CALL;
	case STEP_TURN:
		return entry->verdict.later != ENTRY_ACCEPTED;
	case STEP_VERDICT:
	case STEP_END:
		break;
	}
	return true;
}

/* This step is done, `outcome` is how its callback ended: on to the next one that applies. */
static void job_next(struct callback_job *job, const char *outcome)
{
	int64_t due_us = clock_boot_us() + REPEAT_MS * 1000;

	do
		job->step++;
	while (!step_applies(job, job->step));
	job->tries = 0;
	if (job->step == STEP_END)
		job_end(job, outcome);
	else
		job_wait(job, job->step == STEP_TURN ? job->turn_due_us : due_us);
}

/* A callback belongs to this step. */
static bool job_calls(const struct callback_job *job)
{
	return job->entry->callback_id != NULL &&
	       (job->step != STEP_VERDICT || job->calls != TOKEN_NO_CALL);
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
	job_next(job, "abandoned");
}

static void job_answered(void *context, const struct http_answer *answer)
{
	struct callback_job *job = context;

	job->queue->in_flight--;
	atomic_store(&job->entry->callback_tried, true);
	if (answer->fate == HTTP_ANSWERED && answer->status / 100 == 2)
		job_next(job, "delivered");
	else if (atomic_load(&job->queue->stopping))
		free(job);
	else
		job_failed(job, answer->reason, answer->status);
}

static char *body_render(const struct callback_job *job, size_t *size)
{
	static const enum tale_call calls[] = {
		[STEP_VERDICT] = TALE_VERDICT,
		[STEP_AGAIN] = TALE_VERDICT,
		[STEP_STALE] = TALE_STALE,
		[STEP_TURN] = TALE_TURN,
	};
	struct render body = {0};

	tale_callback(job->entry, calls[job->step], &body);
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
	const struct secret *secret = &job->queue->secrets[entry->terms.gateway];
	char signature[SIGNATURE_SIZE];
	enum err err =
		signature_make(secret, clock_now_us() / 1000000, body, size, signature);

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
	char *body = body_render(job, &size);
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

static bool job_is_for(const void *entry, const void *job)
{
	return ((const struct callback_job *)job)->entry == entry;
}

static void job_hasten(struct callback_job *message)
{
	(void)timer_hasten(&message->queue->timers, job_is_for, message->entry, clock_boot_us());
	free(message);
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
		if (job->hastens)
			job_hasten(job);
		else
			job_wait(job, job->due_us);
	}
}

/* What its step asks for before anything is told. False: the ledger could not be written. */
static bool job_turn(struct callback_job *job)
{
	if (job->step != STEP_TURN || job->entry->turned_at_us != 0)
		return true;
	return ledger_turn(job->queue->ledger, job->entry, clock_now_us()) == ERR_OK;
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
		if (err != ERR_OK || !job_turn(jobs[i]))
			job_wait(jobs[i], clock_boot_us() + DECIDE_AGAIN_MS * 1000);
		else if (!job_calls(jobs[i]))
			job_next(jobs[i], "delivered");
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

/* A callback whose end is not known is sent again; of one that turned only that is told. */
static void job_find(void *context, struct entry *entry)
{
	struct callback_queue *queue = context;
	int64_t waited_us = clock_now_us() - entry->verdict.at_us;
	struct callback_job *job = job_new(queue, entry, waited_us < 0 ? 0 : waited_us);

	if (job == NULL)
		return;
	if (entry->turned_at_us != 0)
		job->step = STEP_TURN;
	job_wait(job, job->due_us);
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

enum err callback_start(struct ledger *ledger, const struct secret *secrets,
			const struct callback_settings *settings, struct callback_queue **queue)
{
	struct callback_queue *started = calloc(1, sizeof *started);
	enum err err;

	if (started == NULL)
		return ERR_MEMORY;
	started->ledger = ledger;
	started->secrets = secrets;
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

static void inbox_put(struct callback_queue *queue, struct callback_job *job)
{
	pthread_mutex_lock(&queue->mutex);
	STAILQ_INSERT_TAIL(&queue->inbox, job, link);
	pthread_mutex_unlock(&queue->mutex);
	http_client_wake(queue->client);
}

enum err callback_schedule(struct callback_queue *queue, struct entry *entry)
{
	struct callback_job *job = job_new(queue, entry, 0);

	if (job == NULL)
		return ERR_MEMORY;
	inbox_put(queue, job);
	return ERR_OK;
}

enum err callback_hasten(struct callback_queue *queue, struct entry *entry)
{
	struct callback_job *job = job_new(queue, entry, 0);

	if (job == NULL)
		return ERR_MEMORY;
	job->hastens = true;
	inbox_put(queue, job);
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
