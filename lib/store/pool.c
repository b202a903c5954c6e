/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "store/statement.h"

struct store_pool {
	struct store_settings settings; /* points to what the pool owns */
	char *texts[4];
	struct secret password;

	pthread_mutex_t mutex; /* guards: idle, idle_count, absent, away */
	pthread_cond_t freed;  /* a connection, or the right to open one, came back */
	struct store **idle;   /* a stack: the one used last is the warmest */
	size_t idle_count;
	size_t absent; /* how many may still be opened */
	bool away;     /* the last opening failed: said in the log once */

	size_t size;
};

static bool keep_text(struct store_pool *pool, size_t index, const char *from, const char **to)
{
	pool->texts[index] = strdup(from != NULL ? from : "");
	*to = pool->texts[index];
	return pool->texts[index] != NULL;
}

static bool keep_settings(struct store_pool *pool, const struct store_settings *settings)
{
	pool->settings = *settings;
	if (settings->password != NULL) {
		pool->password = *settings->password;
		pool->settings.password = &pool->password;
	}
	return keep_text(pool, 0, settings->host, &pool->settings.host) &&
	       keep_text(pool, 1, settings->socket, &pool->settings.socket) &&
	       keep_text(pool, 2, settings->user, &pool->settings.user) &&
	       keep_text(pool, 3, settings->database, &pool->settings.database);
}

/* The condition variable waits by the monotonic clock: a jump of the wall clock must not stretch or end a wait. */
static void init_locks(struct store_pool *pool)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&pool->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->freed, &attributes);
	pthread_condattr_destroy(&attributes);
}

static struct store_pool *pool_new(const struct store_settings *settings, size_t size)
{
	struct store_pool *pool = calloc(1, sizeof *pool);

	if (pool == NULL)
		return NULL;
	init_locks(pool);
	pool->size = size;
	pool->absent = size;
	pool->idle = calloc(size, sizeof(struct store *));
	if (pool->idle == NULL || !keep_settings(pool, settings)) {
		store_pool_close(pool);
		return NULL;
	}
	return pool;
}

enum err store_pool_open(const struct store_settings *settings, size_t size,
			 struct store_pool **pool, char why[STORE_WHY_SIZE])
{
	struct store_pool *opened;
	enum err err;

	assert(size > 0);
	opened = pool_new(settings, size);
	if (opened == NULL) {
		snprintf(why, STORE_WHY_SIZE, "out of memory");
		return ERR_MEMORY;
	}
	err = store_open(&opened->settings, &opened->idle[0], why);
	if (err != ERR_OK) {
		store_pool_close(opened);
		return err;
	}
	opened->idle_count = 1;
	opened->absent--;
	*pool = opened;
	return ERR_OK;
}

void store_pool_close(struct store_pool *pool)
{
	if (pool == NULL)
		return;
	assert(pool->idle_count + pool->absent == pool->size);
	for (size_t i = 0; i < pool->idle_count; i++)
		store_close(pool->idle[i]);
	free(pool->idle);
	for (size_t i = 0; i < sizeof pool->texts / sizeof pool->texts[0]; i++)
		free(pool->texts[i]);
	secret_done(&pool->password);
	pthread_cond_destroy(&pool->freed);
	pthread_mutex_destroy(&pool->mutex);
	free(pool);
}

static struct timespec wait_until(int wait_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return until;
}

/* An idle connection in *store, or NULL there and the right to open one. False: none came free in time. */
static bool take(struct store_pool *pool, int wait_ms, struct store **store)
{
	struct timespec until = wait_until(wait_ms);
	bool taken = true;
	int waited = 0;

	*store = NULL;
	pthread_mutex_lock(&pool->mutex);
	while (pool->idle_count == 0 && pool->absent == 0 && waited != ETIMEDOUT)
		waited = pthread_cond_timedwait(&pool->freed, &pool->mutex, &until);
	if (pool->idle_count > 0)
		*store = pool->idle[--pool->idle_count];
	else if (pool->absent > 0)
		pool->absent--;
	else
		taken = false;
	pthread_mutex_unlock(&pool->mutex);
	return taken;
}

/* Give back a connection, or with NULL the right to open one. */
static void give(struct store_pool *pool, struct store *store)
{
	pthread_mutex_lock(&pool->mutex);
	if (store != NULL)
		pool->idle[pool->idle_count++] = store;
	else
		pool->absent++;
	assert(pool->idle_count + pool->absent <= pool->size);
	pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->mutex);
}

/* Returns whether that is news. */
static bool set_away(struct store_pool *pool, bool away)
{
	bool news;

	pthread_mutex_lock(&pool->mutex);
	news = pool->away != away;
	pool->away = away;
	pthread_mutex_unlock(&pool->mutex);
	return news;
}

static enum err open_one(struct store_pool *pool, struct store **store)
{
	char why[STORE_WHY_SIZE];
	enum err err = store_open(&pool->settings, store, why);

	if (set_away(pool, err != ERR_OK)) {
		if (err != ERR_OK)
			log_error("the database cannot be reached", LOG_TEXT("why", why),
				  LOG_ERR(err));
		else
			log_note(LOG_INFO, "the database is back");
	}
	return err == ERR_OK ? ERR_OK : ERR_UNAVAILABLE;
}

enum err store_pool_acquire(struct store_pool *pool, int wait_ms, struct store **store)
{
	struct store *taken;
	enum err err;

	if (!take(pool, wait_ms, &taken))
		return ERR_OVERLOADED;
	if (taken == NULL) {
		err = open_one(pool, &taken);
		if (err != ERR_OK) {
			give(pool, NULL);
			return err;
		}
	}
	*store = taken;
	return ERR_OK;
}

void store_pool_release(struct store_pool *pool, struct store *store)
{
	if (store->lost) {
		store_close(store);
		store = NULL;
	}
	give(pool, store);
}

typedef enum err run_function(struct store *store, store_work *work, void *context);

/*
 * A connection that broke while it lay idle is found out by its first use. Where the work has not begun (or only
 * reads), a new connection is tried once, so that a database's restart costs nobody an answer after it is back.
 */
static enum err with_connection(struct store_pool *pool, int wait_ms, run_function *run,
				store_work *work, void *context)
{
	struct store *store;
	enum err err = store_pool_acquire(pool, wait_ms, &store);

	if (err != ERR_OK)
		return err;
	err = run(store, work, context);
	if (err == ERR_UNAVAILABLE && store->lost && !store->reached) {
		store_close(store);
		err = open_one(pool, &store);
		if (err != ERR_OK) {
			give(pool, NULL);
			return err;
		}
		err = run(store, work, context);
	}
	store_pool_release(pool, store);
	return err;
}

enum err store_pool_run(struct store_pool *pool, int wait_ms, store_work *work, void *context)
{
	return with_connection(pool, wait_ms, store_run, work, context);
}

enum err store_pool_look(struct store_pool *pool, int wait_ms, store_work *work, void *context)
{
	return with_connection(pool, wait_ms, store_look, work, context);
}
