/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/breakers.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/breaker.h"

#define POOL_WAIT_MS 1000
#define LOOK_EXCHANGES 10      /* an operator may close it: nobody waits for longer unasked */
#define APART_US INT64_C(5000) /* those who wait come back one by one … */
#define APART_MAX_US INT64_C(60000000) /* … within this time */
#define OTHER_LEASE_US                                                                             \
	INT64_C(240000000) /* the longest: of a gateway that is not configured here */

/* The one call of a half open breaker, where this process may make it. */
enum probe { PROBE_NONE, PROBE_FREE, PROBE_ALLOWED, PROBE_SENT };

struct unit {
	struct breaker breaker;
	struct breaker_counts counts;
	struct id probe_by;
	uint32_t version;              /* of the row that was read last; 0: none */
	uint32_t seen;                 /* the exchange that read it */
	enum breaker_state read_state; /* of that row */
	int64_t read_changed_at_us;
	bool changed; /* here, and not written yet */
	bool probe_wanted;
	enum probe probe;
	int64_t again_at_us;     /* the time that was given last to one who waits */
	enum breaker_state told; /* what the log said of it */
	enum breaker_force told_force;
};

struct gate {
	char gateway[GATEWAY_NAME_SIZE];
	int64_t probe_lease_us;
	struct unit units[BREAKER_OPERATIONS];
};

/* For the log, when the mutex is free. */
struct news {
	char gateway[GATEWAY_NAME_SIZE];
	enum breaker_operation operation;
	struct breaker breaker;
};

struct breakers {
	struct breakers_settings settings;
	struct store_pool *pool;
	struct id me;
	_Atomic int64_t clock_ahead_us; /* the database's clock minus the boot clock */
	pthread_t thread;
	bool started;

	pthread_mutex_t mutex; /* guards: settings, gates, gate_count, urgent, stopping */
	pthread_cond_t awaited;
	struct gate gates[BREAKERS_GATEWAYS_MAX];
	size_t gate_count;
	bool urgent; /* something waits for an exchange */
	bool stopping;

	/* Of breakers_refresh() alone: */
	struct breaker_row wishes[BREAKER_ROWS_MAX];
	size_t wish_count;
	struct breaker_row rows[BREAKER_ROWS_MAX];
	size_t row_count;
	struct news news[BREAKER_ROWS_MAX];
	size_t news_count;
	uint32_t exchange;
};

/* ---- the gates ---- */

static struct gate *gate_find_locked(struct breakers *breakers, const char *gateway)
{
	const struct gateway *configured;
	struct gate *gate;

	for (size_t i = 0; i < breakers->gate_count; i++)
		if (strcmp(breakers->gates[i].gateway, gateway) == 0)
			return &breakers->gates[i];
	if (breakers->gate_count == BREAKERS_GATEWAYS_MAX)
		return NULL;
	gate = &breakers->gates[breakers->gate_count++];
	configured = breakers->settings.gateways == NULL
			     ? NULL
			     : gateway_find(breakers->settings.gateways, gateway);
	snprintf(gate->gateway, sizeof gate->gateway, "%s", gateway);
	gate->probe_lease_us = configured == NULL ? OTHER_LEASE_US
						  : (int64_t)configured->total_timeout_ms * 1000 +
							    breakers->settings.probe_margin_us;
	return gate;
}

static struct unit *unit_find_locked(struct breakers *breakers, const char *gateway,
				     enum breaker_operation operation)
{
	struct gate *gate = gate_find_locked(breakers, gateway);

	return gate == NULL ? NULL : &gate->units[operation];
}

static void hurry_locked(struct breakers *breakers)
{
	breakers->urgent = true;
	pthread_cond_signal(&breakers->awaited);
}

int64_t breakers_now_us(const struct breakers *breakers)
{
	return clock_boot_us() + atomic_load(&breakers->clock_ahead_us);
}

/* ---- calls ---- */

void breakers_claim(struct breakers *breakers)
{
	pthread_mutex_lock(&breakers->mutex);
	for (size_t i = 0; i < breakers->gate_count; i++)
		for (size_t k = 0; k < BREAKER_OPERATIONS; k++)
			if (breakers->gates[i].units[k].probe == PROBE_ALLOWED)
				breakers->gates[i].units[k].probe = PROBE_FREE;
	pthread_mutex_unlock(&breakers->mutex);
}

/* So that not all of a long queue come back at the same moment. */
static int64_t place_in_queue(struct unit *unit, int64_t earliest_us)
{
	const int64_t next_us = unit->again_at_us + APART_US;

	unit->again_at_us = next_us < earliest_us || next_us > earliest_us + APART_MAX_US
				    ? earliest_us
				    : next_us;
	return unit->again_at_us;
}

static bool allow_locked(struct breakers *breakers, struct unit *unit, int64_t now_us,
			 int64_t *again_at_us)
{
	const int64_t exchange_us = (int64_t)breakers->settings.refresh_ms * 1000;
	const int64_t look_us = now_us + LOOK_EXCHANGES * exchange_us;
	int64_t until_us = now_us;

	switch (breaker_ask(&unit->breaker, now_us, &until_us)) {
	case BREAKER_PASS:
		return true;
	case BREAKER_WAIT:
		until_us = until_us < look_us ? until_us : look_us;
		break;
	case BREAKER_PROBE_OUT:
		if (unit->probe == PROBE_FREE) {
			unit->probe = PROBE_ALLOWED;
			return true;
		}
		until_us = now_us + exchange_us;
		break;
	case BREAKER_PROBE_DUE:
		if (!unit->probe_wanted)
			hurry_locked(breakers);
		unit->probe_wanted = true;
		until_us = now_us + exchange_us;
		break;
	}
	*again_at_us = place_in_queue(unit, until_us);
	return false;
}

bool breakers_allow(struct breakers *breakers, const char *gateway,
		    enum breaker_operation operation, int64_t now_us, int64_t *again_at_us)
{
	struct unit *unit;
	bool allowed = true;

	pthread_mutex_lock(&breakers->mutex);
	unit = unit_find_locked(breakers, gateway, operation);
	if (unit != NULL)
		allowed = allow_locked(breakers, unit, now_us, again_at_us);
	pthread_mutex_unlock(&breakers->mutex);
	return allowed;
}

void breakers_sent(struct breakers *breakers, const char *gateway, enum breaker_operation operation)
{
	struct unit *unit;

	pthread_mutex_lock(&breakers->mutex);
	unit = unit_find_locked(breakers, gateway, operation);
	if (unit != NULL && unit->probe == PROBE_ALLOWED)
		unit->probe = PROBE_SENT;
	pthread_mutex_unlock(&breakers->mutex);
}

void breakers_count(struct breakers *breakers, const char *gateway,
		    enum breaker_operation operation, const struct breaker_call *call)
{
	struct unit *unit;

	pthread_mutex_lock(&breakers->mutex);
	unit = unit_find_locked(breakers, gateway, operation);
	if (unit != NULL &&
	    breaker_count(&breakers->settings.rules, &unit->breaker, &unit->counts, call)) {
		unit->probe_by = (struct id){ { 0 } };
		unit->probe = PROBE_NONE;
		unit->changed = true;
		hurry_locked(breakers);
	} else if (unit != NULL && unit->probe == PROBE_SENT && call->result == BREAKER_NEUTRAL &&
		   call->began_us >= unit->breaker.changed_at_us) {
		unit->probe = PROBE_FREE;
	}
	pthread_mutex_unlock(&breakers->mutex);
}

enum breaker_state breakers_state(struct breakers *breakers, const char *gateway,
				  enum breaker_operation operation)
{
	const int64_t now_us = breakers_now_us(breakers);
	enum breaker_state state = BREAKER_CLOSED;
	struct unit *unit;

	pthread_mutex_lock(&breakers->mutex);
	unit = unit_find_locked(breakers, gateway, operation);
	if (unit != NULL)
		state = breaker_shown(&unit->breaker, now_us);
	pthread_mutex_unlock(&breakers->mutex);
	return state;
}

size_t breakers_list(struct breakers *breakers, struct breakers_figure *list, size_t max)
{
	const int64_t now_us = breakers_now_us(breakers);
	size_t count = 0;

	pthread_mutex_lock(&breakers->mutex);
	for (size_t i = 0; i < breakers->gate_count; i++)
		for (size_t k = 0; k < BREAKER_OPERATIONS && count < max; k++) {
			const struct gate *gate = &breakers->gates[i];
			struct breakers_figure *figure = &list[count++];

			memcpy(figure->gateway, gate->gateway, sizeof figure->gateway);
			figure->operation = (enum breaker_operation)k;
			figure->state = breaker_shown(&gate->units[k].breaker, now_us);
		}
	pthread_mutex_unlock(&breakers->mutex);
	return count;
}

/* ---- the exchange with the table ---- */

/* What this process wants the row to be: its own change, or the probe taken. */
static void wish_locked(struct breakers *breakers, const struct gate *gate,
			enum breaker_operation operation, int64_t now_us)
{
	const struct unit *unit = &gate->units[operation];
	struct breaker_row *wish = &breakers->wishes[breakers->wish_count];

	*wish = (struct breaker_row){ .operation = operation,
				      .breaker = unit->breaker,
				      .probe_by = unit->probe_by,
				      .version = unit->version };
	memcpy(wish->gateway, gate->gateway, sizeof wish->gateway);
	if (!unit->changed) {
		if (!breaker_probe(&wish->breaker, now_us, gate->probe_lease_us))
			return;
		wish->probe_by = breakers->me;
	}
	breakers->wish_count++;
}

static void wishes_gather(struct breakers *breakers)
{
	const int64_t now_us = breakers_now_us(breakers);

	breakers->wish_count = 0;
	pthread_mutex_lock(&breakers->mutex);
	for (size_t i = 0; i < breakers->gate_count; i++)
		for (size_t k = 0; k < BREAKER_OPERATIONS; k++) {
			struct unit *unit = &breakers->gates[i].units[k];

			if (unit->changed || unit->probe_wanted)
				wish_locked(breakers, &breakers->gates[i],
					    (enum breaker_operation)k, now_us);
			unit->probe_wanted = false;
		}
	pthread_mutex_unlock(&breakers->mutex);
}

static enum err exchange_work(struct store_tx *tx, void *context)
{
	struct breakers *breakers = context;
	enum err err = ERR_OK;
	int64_t now_us;

	for (size_t i = 0; i < breakers->wish_count && err == ERR_OK; i++)
		err = store_breaker_write(tx, &breakers->wishes[i]);
	if (err == ERR_OK)
		err = store_breaker_list(tx, breakers->rows, &breakers->row_count);
	if (err == ERR_OK)
		err = store_now(tx, &now_us);
	if (err == ERR_OK)
		atomic_store(&breakers->clock_ahead_us, now_us - clock_boot_us());
	return err;
}

static void news_add_locked(struct breakers *breakers, struct gate *gate,
			    enum breaker_operation operation)
{
	struct unit *unit = &gate->units[operation];
	struct news *news;

	if (unit->told == unit->breaker.state && unit->told_force == unit->breaker.force)
		return;
	unit->told = unit->breaker.state;
	unit->told_force = unit->breaker.force;
	news = &breakers->news[breakers->news_count++];
	*news = (struct news){ .operation = operation, .breaker = unit->breaker };
	memcpy(news->gateway, gate->gateway, sizeof news->gateway);
}

/* Only an operator changed the row: its state is the one that was changed here, which stands. */
static bool stands(const struct unit *unit, const struct breaker_row *row)
{
	return unit->changed && row->breaker.state == unit->read_state &&
	       row->breaker.changed_at_us == unit->read_changed_at_us;
}

/* The row is of another version than the one known: its state is right, whatever was thought here. */
static void adopt_locked(struct breakers *breakers, struct unit *unit,
			 const struct breaker_row *row)
{
	const bool same_state = unit->breaker.state == row->breaker.state &&
				unit->breaker.changed_at_us == row->breaker.changed_at_us;

	unit->version = row->version;
	unit->again_at_us = 0;
	if (stands(unit, row)) {
		unit->breaker.force = row->breaker.force;
		unit->breaker.force_until_us = row->breaker.force_until_us;
		hurry_locked(breakers);
		return;
	}
	unit->breaker = row->breaker;
	unit->probe_by = row->probe_by;
	unit->read_state = row->breaker.state;
	unit->read_changed_at_us = row->breaker.changed_at_us;
	unit->changed = false;
	if (same_state)
		return;
	unit->counts = (struct breaker_counts){ .part = 0 };
	unit->probe = id_equal(row->probe_by, breakers->me) ? PROBE_FREE : PROBE_NONE;
}

static void rows_adopt(struct breakers *breakers)
{
	const struct breaker_row gone = { .version = 0 };

	breakers->exchange++;
	breakers->news_count = 0;
	pthread_mutex_lock(&breakers->mutex);
	for (size_t i = 0; i < breakers->row_count; i++) {
		const struct breaker_row *row = &breakers->rows[i];
		struct unit *unit = unit_find_locked(breakers, row->gateway, row->operation);

		if (unit == NULL)
			continue;
		unit->seen = breakers->exchange;
		if (unit->version != row->version)
			adopt_locked(breakers, unit, row);
	}
	for (size_t i = 0; i < breakers->gate_count; i++)
		for (size_t k = 0; k < BREAKER_OPERATIONS; k++) {
			struct unit *unit = &breakers->gates[i].units[k];

			if (unit->version != 0 && unit->seen != breakers->exchange)
				adopt_locked(breakers, unit, &gone);
			news_add_locked(breakers, &breakers->gates[i], (enum breaker_operation)k);
		}
	pthread_mutex_unlock(&breakers->mutex);
}

static void news_log(const struct breakers *breakers)
{
	for (size_t i = 0; i < breakers->news_count; i++) {
		const struct news *news = &breakers->news[i];

		log_warning("breaker changed", LOG_TEXT("gateway", news->gateway),
			    LOG_TEXT("operation",
				     words_text(breaker_operation_words, (int)news->operation)),
			    LOG_TEXT("state",
				     words_text(breaker_state_words, (int)news->breaker.state)),
			    LOG_TEXT("forced",
				     words_text(breaker_force_words, (int)news->breaker.force)),
			    LOG_INT("until_us", news->breaker.until_us));
	}
}

enum err breakers_refresh(struct breakers *breakers)
{
	enum err err;

	wishes_gather(breakers);
	if (breakers->wish_count > 0)
		err = store_pool_run(breakers->pool, POOL_WAIT_MS, exchange_work, breakers);
	else
		err = store_pool_look(breakers->pool, POOL_WAIT_MS, exchange_work, breakers);
	if (err != ERR_OK)
		return err;
	rows_adopt(breakers);
	news_log(breakers);
	return ERR_OK;
}

/* ---- the thread ---- */

/* Sleep until it is time, or something waits. False: stopping. */
static bool wait_for_work(struct breakers *breakers)
{
	struct timespec until;
	bool stopping;
	int status = 0;

	pthread_mutex_lock(&breakers->mutex);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += breakers->settings.refresh_ms / 1000;
	until.tv_nsec += (long)(breakers->settings.refresh_ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!breakers->stopping && !breakers->urgent && status != ETIMEDOUT)
		status = pthread_cond_timedwait(&breakers->awaited, &breakers->mutex, &until);
	breakers->urgent = false;
	stopping = breakers->stopping;
	pthread_mutex_unlock(&breakers->mutex);
	return !stopping;
}

static void *breakers_main(void *context)
{
	struct breakers *breakers = context;
	bool away = false; /* the database, said in the log once */

	while (wait_for_work(breakers)) {
		const enum err err = breakers_refresh(breakers);

		if (err != ERR_OK && !away)
			log_warning("the breakers of other processes are not known", LOG_ERR(err));
		away = err != ERR_OK;
	}
	return NULL;
}

/* ---- life ---- */

static void sync_init(struct breakers *breakers)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&breakers->awaited, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&breakers->mutex, NULL);
}

enum err breakers_new(const struct breakers_settings *settings, struct store_pool *pool,
		      struct breakers **breakers)
{
	struct breakers *made = calloc(1, sizeof *made);
	enum err err;

	if (made == NULL)
		return ERR_MEMORY;
	made->settings = *settings;
	made->pool = pool;
	crypto_random(made->me.bytes, sizeof made->me.bytes);
	sync_init(made);
	for (size_t i = 0; i < settings->gateways->count; i++)
		(void)gate_find_locked(made, settings->gateways->list[i].name);
	made->settings.gateways = NULL;
	err = breakers_refresh(made);
	if (err != ERR_OK) {
		breakers_free(made);
		return err;
	}
	*breakers = made;
	return ERR_OK;
}

void breakers_tune(struct breakers *breakers, const struct breakers_settings *settings)
{
	pthread_mutex_lock(&breakers->mutex);
	for (size_t i = 0; i < breakers->gate_count; i++)
		if (breakers->gates[i].probe_lease_us != OTHER_LEASE_US)
			breakers->gates[i].probe_lease_us +=
				settings->probe_margin_us - breakers->settings.probe_margin_us;
	breakers->settings.rules = settings->rules;
	breakers->settings.probe_margin_us = settings->probe_margin_us;
	breakers->settings.refresh_ms = settings->refresh_ms;
	pthread_mutex_unlock(&breakers->mutex);
}

enum err breakers_start(struct breakers *breakers)
{
	breakers->started = pthread_create(&breakers->thread, NULL, breakers_main, breakers) == 0;
	return breakers->started ? ERR_OK : ERR_MEMORY;
}

void breakers_free(struct breakers *breakers)
{
	if (breakers == NULL)
		return;
	if (breakers->started) {
		pthread_mutex_lock(&breakers->mutex);
		breakers->stopping = true;
		pthread_cond_signal(&breakers->awaited);
		pthread_mutex_unlock(&breakers->mutex);
		pthread_join(breakers->thread, NULL);
	}
	pthread_cond_destroy(&breakers->awaited);
	pthread_mutex_destroy(&breakers->mutex);
	free(breakers);
}
