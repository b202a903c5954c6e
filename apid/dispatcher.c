/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/dispatcher.h"

#include "apid/quiet.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/http_client.h"
#include "base/log.h"
#include "core/pace.h"
#include "service/due.h"
#include "service/record.h"
#include "service/settings_live.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 200         /* how often due rows are looked for when nobody wakes us */
#define RECORD_AGAIN_MS 500 /* pause after the database failed us */
#define CLAIM_GAP_US 10000  /* between two claims: what becomes due meanwhile is claimed together */
#define PACE_LOOK_US INT64_C(100000)
#define CLOCK_LOOK_US INT64_C(1000000)
#define PACE_SLOWEST 100   /* operations a second */
#define PACE_FASTEST 20000 /* from here on, all that is due */
#define PACE_WAIT_US 10000 /* until the pace may allow something again */
#define SENT_AFTER_MS 500  /* past the connect timeout a call's bytes must be on their way */

/* One gateway call from its start until its outcome is committed. */
struct flight {
	struct record record; /* first: its outcome on the way to the database */
	struct dispatcher *dispatcher;
	struct flight *next; /* in `flying`, `landed` or `refused` */
	struct due_job job;
	struct gateway_answer answer;
	int64_t started_boot_us;
	int64_t duration_us;
	bool quiet_confirmed; /* with AE_NOT_FOUND, judged once */
	bool marked_sent;
};

struct dispatcher {
	struct store_pool *pool;
	struct settings_live *live;
	struct breakers *breakers;
	struct due_clock clock;
	struct metrics *metrics;
	size_t in_flight_max;
	struct http_client *client;
	pthread_t thread;
	struct flight *flying; /* the thread's own, as all below */
	struct flight *landed; /* answered, not handed to the committers yet */
	size_t landed_count;
	struct batch *records; /* the committers */
	struct record_settings record_settings;
	atomic_size_t recording; /* handed to them */

	pthread_mutex_t mutex;  /* guards: refused, and that the client is there for a committer */
	struct flight *refused; /* what they could not commit */

	int64_t claimed_boot_us; /* when they were looked for last */
	int64_t claim_boot_us;   /* when to look for due rows again */
	int64_t record_boot_us;  /* when to try the database again */
	int64_t look_boot_us;    /* when to look at the database's clock again */
	struct batch *intake;
	struct pace_rules pace_rules;
	struct pace pace; /* of claims, while requests have to wait */
	struct quiet quiet;
	struct room room; /* of the calls that `flying` holds */
	atomic_bool woken;
	atomic_bool stopping;
	_Atomic int64_t stop_boot_us;
	bool cutting_off; /* what ends now tells nothing about its gateway */
	atomic_size_t in_flight;
};

static enum attempt_class class_of(enum attempt_event event)
{
	if (event == AE_NOT_SENT)
		return ATTEMPT_NOT_SENT;
	return event == AE_LOST ? ATTEMPT_UNKNOWN : ATTEMPT_DEFINITE;
}

static void flight_log(const struct flight *flight)
{
	char transaction[ID_TEXT_SIZE];
	char attempt[ID_TEXT_SIZE];
	char trace[TRACE_ID_TEXT_SIZE];

	trace_id_text(&flight->job.order.trace, trace);
	id_format(ID_TRANSACTION, flight->job.order.transaction_id, transaction);
	id_format(ID_ATTEMPT, flight->job.order.attempt_id, attempt);
	log_info(flight->job.kind == DUE_SEND ? "attempt answered" : "inquiry answered",
		 LOG_TEXT("transaction_id", transaction), LOG_TEXT("attempt_id", attempt),
		 LOG_TEXT("gateway", flight->job.gateway->name),
		 LOG_TEXT("event", words_text(attempt_event_words, (int)flight->answer.event)),
		 LOG_INT("http_status", flight->answer.http_status),
		 LOG_TEXT("reason", flight->answer.reason),
		 LOG_TEXT("trace_id", trace[0] != '\0' ? trace : NULL),
		 LOG_INT("duration_us", flight->duration_us));
}

static void flying_remove(struct dispatcher *dispatcher, const struct flight *flight)
{
	struct flight **place = &dispatcher->flying;

	while (*place != NULL && *place != flight)
		place = &(*place)->next;
	if (*place != NULL)
		*place = flight->next;
}

static enum breaker_operation breaker_operation_of(const struct due_job *job)
{
	return job->kind == DUE_ASK ? BREAKER_INQUIRY : (enum breaker_operation)job->order.kind;
}

/*
 * What a call tells about its gateway: a definite answer is a good sign, whatever it says. Of an inquiry so is one that
 * speaks of another amount: it is about one payment, and must not keep all others from being asked about.
 */
static bool is_good_sign(const struct flight *flight)
{
	return class_of(flight->answer.event) == ATTEMPT_DEFINITE ||
	       (flight->job.kind == DUE_ASK && flight->answer.integrity);
}

static void flight_count(const struct flight *flight, bool called)
{
	const struct dispatcher *dispatcher = flight->dispatcher;
	struct breakers *breakers = dispatcher->breakers;
	struct breaker_call call = { .result =
					     is_good_sign(flight) ? BREAKER_OK : BREAKER_FAILURE };

	if (breakers == NULL)
		return;
	if (!called || dispatcher->cutting_off)
		call.result = BREAKER_NEUTRAL;
	call.now_us = breakers_now_us(breakers);
	call.began_us = call.now_us - (clock_boot_us() - flight->started_boot_us);
	breakers_count(breakers, flight->job.gateway->name, breaker_operation_of(&flight->job),
		       &call);
}

/* From flying to landed: what the call told is known, and must be committed. */
static void flight_land(struct flight *flight)
{
	struct dispatcher *dispatcher = flight->dispatcher;

	flying_remove(dispatcher, flight);
	room_leave(&dispatcher->room, flight->job.gateway->name, clock_boot_us());
	flight->next = dispatcher->landed;
	dispatcher->landed = flight;
	dispatcher->landed_count++;
	metrics_gateway_call(dispatcher->metrics, flight->job.gateway->name,
			     flight->job.kind == DUE_ASK, class_of(flight->answer.event),
			     flight->duration_us);
	flight_log(flight);
}

/* Judged once: however often or late it is recorded, it is one answer. */
static bool quiet_judge(struct flight *flight)
{
	const struct quiet_answer answer = { .lease_span_us = flight->job.lease_span_us,
					     .quiet_us = flight->job.gateway->quiet_us,
					     .asked_boot_us = flight->started_boot_us,
					     .heard_boot_us = clock_boot_us() };

	return flight->answer.event == AE_NOT_FOUND &&
	       quiet_not_found(&flight->dispatcher->quiet, flight->job.order.attempt_id, &answer);
}

static void flight_done(void *context, const struct http_answer *http)
{
	struct flight *flight = context;
	const struct gateway_adapter *adapter = flight->job.gateway->adapter;

	fault_point("gateway_answered");
	flight->duration_us = http->duration_us;
	if (flight->job.kind == DUE_SEND)
		adapter->read(&flight->job.order, http, &flight->answer);
	else
		adapter->read_inquiry(&flight->job.order, http, &flight->answer);
	gateway_answer_hide(flight->job.gateway, &flight->job.order, &flight->answer);
	flight->quiet_confirmed = quiet_judge(flight);
	flight_count(flight, true);
	flight_land(flight);
}

/* Nothing was sent: a charge is certainly not made, an inquiry told nothing. */
static void flight_abort(struct flight *flight, enum err err)
{
	flight->answer = (struct gateway_answer){
		.event = flight->job.kind == DUE_SEND ? AE_NOT_SENT : AE_LOST,
	};
	strncat(flight->answer.reason, err_row(err)->title, sizeof flight->answer.reason - 1);
	flight_count(flight, false);
	flight_land(flight);
}

static void flight_start(struct dispatcher *dispatcher, const struct due_job *job)
{
	struct flight *flight = calloc(1, sizeof *flight);
	const struct gateway_adapter *adapter = job->gateway->adapter;
	char body[GATEWAY_BODY_MAX];
	struct http_request request;
	enum err err;

	if (flight == NULL) {
		log_error("a claimed operation is left to its lease", LOG_ERR(ERR_MEMORY));
		room_leave(&dispatcher->room, job->gateway->name, clock_boot_us());
		catalogue_release(job->view);
		return;
	}
	flight->dispatcher = dispatcher;
	flight->job = *job;
	flight->started_boot_us = clock_boot_us();
	flight->next = dispatcher->flying;
	dispatcher->flying = flight;
	quiet_see(&dispatcher->quiet, job->order.attempt_id, flight->started_boot_us);
	if (dispatcher->breakers != NULL)
		breakers_sent(dispatcher->breakers, job->gateway->name, breaker_operation_of(job));
	err = job->kind == DUE_SEND ? adapter->build(job->gateway, &job->order, body, &request)
				    : adapter->build_inquiry(job->gateway, &job->order, &request);
	if (err == ERR_OK) {
		gateway_request_trace(&job->order, &request);
		request.send_by_boot_us = job->send_by_boot_us;
		err = http_client_start(dispatcher->client, &request, flight_done, flight);
	}
	explicit_bzero(&request, sizeof request);
	if (err != ERR_OK)
		flight_abort(flight, err);
}

/*
 * True where trying again later may help. An uncertain commit is safe to repeat: the tables refuse
 * the second one.
 */
static bool worth_again(enum err err)
{
	return err_retryable(err) || err == ERR_UNCERTAIN;
}

static bool past_lease(const struct flight *flight)
{
	return clock_boot_us() - flight->started_boot_us > flight->job.lease_span_us;
}

/* What it tells leaves room for another attempt. */
static bool is_uncharged(enum attempt_event event)
{
	return event == AE_DECLINED || event == AE_NOT_SENT || event == AE_NOT_FOUND;
}

static void flight_free(struct flight *flight)
{
	due_job_done(&flight->job);
	explicit_bzero(flight, sizeof *flight);
	free(flight);
}

/* In a committer's thread: what is committed is done with; the rest is the dispatcher's again. */
static void flight_recorded(void *context, struct record *record)
{
	struct dispatcher *dispatcher = context;
	struct flight *flight = (struct flight *)record;

	if (record->item.err == ERR_OK) {
		pthread_mutex_lock(&dispatcher->mutex);
		if (is_uncharged(flight->answer.event) && !dispatcher->cutting_off)
			dispatcher_wake(dispatcher); /* another try may be due at once */
		pthread_mutex_unlock(&dispatcher->mutex);
		flight_free(flight);
	} else {
		pthread_mutex_lock(&dispatcher->mutex);
		flight->next = dispatcher->refused;
		dispatcher->refused = flight;
		pthread_mutex_unlock(&dispatcher->mutex);
	}
	atomic_fetch_sub(&dispatcher->recording, 1);
}

static void record_fill(struct flight *flight)
{
	flight->record.report = (struct outcome_report){
		.source = flight->job.kind == DUE_SEND ? OUTCOME_ANSWER : OUTCOME_INQUIRY,
		.operation_id = flight->job.order.operation_id,
		.attempt_id = flight->job.order.attempt_id,
		.gateway = flight->job.gateway,
		.answer = &flight->answer,
		.api_call_id = "",
		.asked_at_us = flight->job.claimed_at_us,
		.quiet_confirmed = flight->quiet_confirmed,
	};
}

/* What could not be committed: again in a while, or left to its lease. */
static void refused_take(struct dispatcher *dispatcher)
{
	struct flight *flight;

	pthread_mutex_lock(&dispatcher->mutex);
	flight = dispatcher->refused;
	dispatcher->refused = NULL;
	pthread_mutex_unlock(&dispatcher->mutex);
	while (flight != NULL) {
		struct flight *next = flight->next;

		if (worth_again(flight->record.item.err) && !past_lease(flight)) {
			flight->next = dispatcher->landed;
			dispatcher->landed = flight;
			dispatcher->landed_count++;
			dispatcher->record_boot_us = clock_boot_us() + RECORD_AGAIN_MS * 1000;
		} else {
			log_error("an outcome is left to its lease",
				  LOG_ERR(flight->record.item.err));
			flight_free(flight);
		}
		flight = next;
	}
}

/* Hand what has landed to the committers. */
static void landed_record(struct dispatcher *dispatcher)
{
	refused_take(dispatcher);
	if (clock_boot_us() < dispatcher->record_boot_us)
		return;
	while (dispatcher->landed != NULL) {
		struct flight *flight = dispatcher->landed;

		dispatcher->landed = flight->next;
		record_fill(flight);
		atomic_fetch_add(&dispatcher->recording, 1);
		if (!batch_put(dispatcher->records, &flight->record.item)) {
			atomic_fetch_sub(&dispatcher->recording, 1);
			flight->next = dispatcher->landed;
			dispatcher->landed = flight;
			return;
		}
		dispatcher->landed_count--;
	}
}

/* Calls that outlast connecting and are not marked yet, up to DUE_MARK_MAX. */
static size_t flying_choose(const struct dispatcher *dispatcher, struct flight **chosen)
{
	const int64_t now_us = clock_boot_us();
	size_t count = 0;

	for (struct flight *flight = dispatcher->flying; flight != NULL && count < DUE_MARK_MAX;
	     flight = flight->next) {
		int64_t after_ms = flight->job.gateway->connect_timeout_ms + SENT_AFTER_MS;

		if (!flight->marked_sent && flight->job.kind == DUE_SEND &&
		    now_us - flight->started_boot_us >= after_ms * 1000)
			chosen[count++] = flight;
	}
	return count;
}

/*
 * The timeline shows that they left. Only straight after the client ran, when every call that could not connect in time
 * has ended.
 */
static void flying_mark(struct dispatcher *dispatcher)
{
	struct flight *chosen[DUE_MARK_MAX];
	const struct due_job *jobs[DUE_MARK_MAX];
	size_t count;

	if (clock_boot_us() < dispatcher->record_boot_us || atomic_load(&dispatcher->stopping))
		return;
	count = flying_choose(dispatcher, chosen);
	for (size_t i = 0; i < count; i++) {
		chosen[i]->marked_sent = true;
		jobs[i] = &chosen[i]->job;
	}
	if (count == 0 || due_mark_sent(dispatcher->pool, jobs, count) == ERR_OK)
		return;
	log_note(LOG_WARNING, "sent attempts could not be marked");
	dispatcher->record_boot_us = clock_boot_us() + RECORD_AGAIN_MS * 1000;
}

/* How many may be claimed now; when to look next. */
static size_t claim_limit(struct dispatcher *dispatcher, size_t used)
{
	size_t room = used < dispatcher->in_flight_max ? dispatcher->in_flight_max - used : 0;
	size_t claimable = room_claimable(&dispatcher->room);
	size_t limit = room < OPERATION_CLAIM_MAX ? room : OPERATION_CLAIM_MAX;
	size_t allowed;

	limit = claimable < limit ? claimable : limit;
	dispatcher->claimed_boot_us = clock_boot_us();
	dispatcher->claim_boot_us = dispatcher->claimed_boot_us + TICK_MS * 1000;
	allowed = pace_allows(&dispatcher->pace_rules, &dispatcher->pace, limit,
			      dispatcher->claimed_boot_us);
	if (allowed < limit)
		dispatcher->claim_boot_us = dispatcher->claimed_boot_us + PACE_WAIT_US;
	return allowed;
}

static void claim(struct dispatcher *dispatcher, struct due_settings due, size_t used)
{
	static_assert(sizeof(struct due_job) * OPERATION_CLAIM_MAX < 1 << 20, "fits the stack");
	struct due_job jobs[OPERATION_CLAIM_MAX];
	size_t limit = claim_limit(dispatcher, used);
	size_t count = 0;
	bool full;
	enum err err;

	if (limit == 0)
		return;
	due.clock = &dispatcher->clock;
	due.room = &dispatcher->room;
	err = due_claim(dispatcher->pool, &due, limit, jobs, &count, &full);
	if (err != ERR_OK) {
		log_warning("due operations could not be claimed", LOG_ERR(err));
		dispatcher->claim_boot_us = clock_boot_us() + RECORD_AGAIN_MS * 1000;
		return;
	}
	pace_take(&dispatcher->pace, count);
	if (count > 0)
		fault_point("claim_committed");
	for (size_t i = 0; i < count; i++) {
		if (jobs[i].lease_expired)
			metrics_count(dispatcher->metrics, METRICS_LEASE_EXPIRED);
		flight_start(dispatcher, &jobs[i]);
	}
	explicit_bzero(jobs, sizeof jobs);
	/* Behind many that wait for a gateway there may be one whose gateway is well. */
	if (full && dispatcher->pace.per_second == PACE_FASTEST)
		dispatcher->claim_boot_us = 0;
}

/* Whether somebody set the clock by which everything is due. */
static void clock_keep(struct dispatcher *dispatcher)
{
	const int64_t now_us = clock_boot_us();

	if (now_us < dispatcher->look_boot_us || now_us < dispatcher->record_boot_us ||
	    atomic_load(&dispatcher->stopping))
		return;
	dispatcher->look_boot_us = now_us + CLOCK_LOOK_US;
	if (due_clock_look(dispatcher->pool, &dispatcher->clock) != ERR_OK)
		log_note(LOG_WARNING, "the database's clock could not be looked at");
}

/* By the settings in force. */
static void claim_now(struct dispatcher *dispatcher, size_t flying)
{
	const struct settings *settings = settings_live_hold(dispatcher->live);

	dispatcher->in_flight_max = settings->in_flight_max;
	dispatcher->room.limit = settings->in_flight_max;
	dispatcher->pace_rules.wait_max_us = settings->request_wait_us;
	claim(dispatcher, settings->due,
	      flying + dispatcher->landed_count + atomic_load(&dispatcher->recording));
	settings_release(settings);
}

/* How long the client may wait: until the next look at the database. */
static int wait_ms(const struct dispatcher *dispatcher)
{
	int64_t left_us = dispatcher->claim_boot_us - clock_boot_us();

	if (left_us <= 0)
		return 0;
	return left_us / 1000 + 1 < TICK_MS ? (int)(left_us / 1000) + 1 : TICK_MS;
}

static bool may_end(const struct dispatcher *dispatcher, size_t flying)
{
	if (!atomic_load(&dispatcher->stopping))
		return false;
	return (flying == 0 && dispatcher->landed == NULL &&
		atomic_load(&dispatcher->recording) == 0) ||
	       clock_boot_us() >= atomic_load(&dispatcher->stop_boot_us);
}

/* Woken: look soon, but not for each of many that become due together. */
static void woken_look(struct dispatcher *dispatcher)
{
	const int64_t soon_us = dispatcher->claimed_boot_us + CLAIM_GAP_US;

	if (atomic_exchange(&dispatcher->woken, false) && soon_us < dispatcher->claim_boot_us)
		dispatcher->claim_boot_us = soon_us;
}

/* Requests that have to wait slow down what is claimed. */
static void pace_keep(struct dispatcher *dispatcher)
{
	const int64_t now_us = clock_boot_us();

	if (pace_is_due(&dispatcher->pace_rules, &dispatcher->pace, now_us))
		pace_look(&dispatcher->pace_rules, &dispatcher->pace,
			  batch_waited_us(dispatcher->intake), now_us);
}

static void *dispatcher_main(void *context)
{
	struct dispatcher *dispatcher = context;
	size_t flying = 0;

	while (!may_end(dispatcher, flying)) {
		woken_look(dispatcher);
		pace_keep(dispatcher);
		clock_keep(dispatcher);
		if (clock_boot_us() >= dispatcher->claim_boot_us &&
		    !atomic_load(&dispatcher->stopping))
			claim_now(dispatcher, flying);
		flying = http_client_run(dispatcher->client, atomic_load(&dispatcher->stopping)
								     ? TICK_MS
								     : wait_ms(dispatcher));
		if (flying > 0)
			fault_point("gateway_calls_out");
		atomic_store(&dispatcher->in_flight, flying);
		flying_mark(dispatcher);
		landed_record(dispatcher);
	}
	return NULL;
}

static enum err parts_start(struct dispatcher *dispatcher, const struct store_settings *database)
{
	enum err err;

	dispatcher->record_settings = (struct record_settings){
		.database = database,
		.queue_max = SETTINGS_IN_FLIGHT_MAX + OPERATION_CLAIM_MAX,
		.done = flight_recorded,
		.context = dispatcher,
	};
	err = record_start(&dispatcher->record_settings, &dispatcher->records);
	if (err == ERR_OK)
		err = http_client_new(&dispatcher->client);
	if (err == ERR_OK &&
	    pthread_create(&dispatcher->thread, NULL, dispatcher_main, dispatcher) != 0)
		err = ERR_MEMORY;
	return err;
}

enum err dispatcher_start(const struct dispatcher_settings *settings,
			  struct dispatcher **dispatcher)
{
	struct dispatcher *started = calloc(1, sizeof *started);
	const struct settings *now;
	enum err err;

	if (started == NULL)
		return ERR_MEMORY;
	now = settings_live_hold(settings->live);
	started->pool = settings->pool;
	started->live = settings->live;
	started->breakers = now->due.breakers;
	started->metrics = settings->metrics;
	started->intake = settings->intake;
	started->pace_rules = (struct pace_rules){ .wait_max_us = now->request_wait_us,
						   .look_us = PACE_LOOK_US,
						   .slowest = PACE_SLOWEST,
						   .fastest = PACE_FASTEST };
	started->pace = pace_begin(&started->pace_rules, clock_boot_us());
	settings_release(now);
	pthread_mutex_init(&started->mutex, NULL);
	err = parts_start(started, settings->database);
	if (err != ERR_OK) {
		http_client_free(started->client);
		batch_stop(started->records);
		pthread_mutex_destroy(&started->mutex);
		free(started);
		return err;
	}
	*dispatcher = started;
	return ERR_OK;
}

void dispatcher_wake(struct dispatcher *dispatcher)
{
	if (!atomic_exchange(&dispatcher->woken, true))
		http_client_wake(dispatcher->client);
}

static size_t flights_drop(struct flight **list)
{
	size_t count = 0;

	for (; *list != NULL; count++) {
		struct flight *flight = *list;

		*list = flight->next;
		flight_free(flight);
	}
	return count;
}

void dispatcher_stop(struct dispatcher *dispatcher, int patience_ms)
{
	size_t count;

	if (dispatcher == NULL)
		return;
	atomic_store(&dispatcher->stop_boot_us, clock_boot_us() + (int64_t)patience_ms * 1000);
	atomic_store(&dispatcher->stopping, true);
	http_client_wake(dispatcher->client);
	pthread_join(dispatcher->thread, NULL);
	/*
	 * Calls cut off here land as unknown, so that the next apid asks at once instead of after
	 * their lease.
	 */
	pthread_mutex_lock(&dispatcher->mutex);
	dispatcher->cutting_off = true; /* from here on no committer wakes the client */
	pthread_mutex_unlock(&dispatcher->mutex);
	http_client_free(dispatcher->client);
	refused_take(dispatcher);
	dispatcher->record_boot_us = 0;
	landed_record(dispatcher);
	batch_stop(dispatcher->records); /* works off what was handed over */
	count = flights_drop(&dispatcher->landed) + flights_drop(&dispatcher->refused);
	if (count > 0)
		log_info("outcomes are left to their leases", LOG_INT("count", (int64_t)count));
	pthread_mutex_destroy(&dispatcher->mutex);
	free(dispatcher);
}

size_t dispatcher_in_flight(const struct dispatcher *dispatcher)
{
	return atomic_load(&dispatcher->in_flight);
}

struct batch_figures dispatcher_outcomes(const struct dispatcher *dispatcher)
{
	return batch_figures(dispatcher->records);
}

uint64_t dispatcher_resend_total(const struct dispatcher *dispatcher)
{
	return http_client_resend_total(dispatcher->client);
}
