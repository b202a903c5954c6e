/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/batch.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define SETTLE_PAUSE_US INT64_C(200000)
#define PARTS 16 /* of a commit that was refused: few steps, since each may wait for a lock */
#define TRIES_ALONE 4
#define HELD_PAUSE_US                                                                              \
	INT64_C(2000) /* before what is held is tried again, alone; longer each time */
#define HELD_PAUSE_MAX_US INT64_C(50000)
#define HELD_MAX_US INT64_C(5000000)

enum item_state {
	ITEM_WAITING,  /* in the queue: may be withdrawn */
	ITEM_TAKEN,    /* by a worker */
	ITEM_LEFT,     /* there never was a waiter */
	ITEM_PROMISED, /* its waiter went away, and may have told that it is under way */
	ITEM_DONE,
};

struct batch {
	struct batch_settings settings;
	size_t threads_count;
	pthread_t *threads;

	pthread_mutex_t mutex; /* guards: all below */
	pthread_cond_t queued;
	struct batch_item *first;
	struct batch_item *last;
	size_t waiting;
	size_t under_way; /* taken by workers, not worked off yet */
	bool resting; /* the one worker, until enough wait or its gap is over: see gap_left_us() */
	bool stopping;
	struct batch_figures figures; /* but for what waits */
	int64_t waited_us;            /* see batch_waited_us() */
};

/* One worker's connection and what it has taken. */
struct worker {
	struct batch *batch;
	struct store *store;
	struct batch_item **items;
	size_t count;
	size_t held;            /* the first of them, kept from the last time: held, or owed */
	int64_t pause_us;       /* before they are tried again; 0: nothing is held */
	int64_t began_boot_us;  /* with what it has taken */
	int64_t queued_boot_us; /* of the oldest of the others */
	int64_t waited_us;      /* of that one, when it was worked off */
	bool away;              /* the database, said in the log once */
};

/* ---- the queue ---- */

static bool queue_put(struct batch *batch, struct batch_item *item)
{
	bool room;

	pthread_mutex_lock(&batch->mutex);
	room = batch->waiting < batch->settings.queue_max && !batch->stopping;
	if (room) {
		if (batch->last != NULL)
			batch->last->next = item;
		else
			batch->first = item;
		batch->last = item;
		batch->waiting++;
		if (batch->resting ? batch->waiting >= batch->settings.size_max
				   : batch->waiting == 1 || batch->waiting >= batch->under_way)
			pthread_cond_signal(&batch->queued);
	}
	pthread_mutex_unlock(&batch->mutex);
	return room;
}

static struct batch_item *queue_pop(struct batch *batch)
{
	struct batch_item *item = batch->first;

	batch->first = item->next;
	if (batch->first == NULL)
		batch->last = NULL;
	batch->waiting--;
	item->next = NULL;
	return item;
}

/* Take an item out of the queue, unless a worker has taken it. */
static bool queue_withdraw(struct batch *batch, struct batch_item *item)
{
	struct batch_item *before = NULL;
	struct batch_item *at;

	pthread_mutex_lock(&batch->mutex);
	for (at = batch->first; at != NULL && at != item; at = at->next)
		before = at;
	if (at != NULL) {
		if (before != NULL)
			before->next = item->next;
		else
			batch->first = item->next;
		if (batch->last == item)
			batch->last = before;
		batch->waiting--;
	}
	pthread_mutex_unlock(&batch->mutex);
	return at != NULL;
}

static struct timespec from_now(int64_t us)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += us / 1000000;
	until.tv_nsec += us % 1000000 * 1000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return until;
}

/*
 * How long the worker lets more gather, since what it took last were several: they keep coming. One that comes alone,
 * after another that came alone, does not wait.
 */
static int64_t gap_left_us(const struct worker *worker, size_t taken)
{
	const struct batch *batch = worker->batch;
	const int64_t gap_us = batch->settings.gap_ms * INT64_C(1000);
	int64_t left_us;

	if (taken <= 1 || batch->stopping || batch->waiting >= batch->settings.size_max)
		return 0;
	left_us = worker->began_boot_us + gap_us - clock_boot_us();
	return left_us < gap_us ? left_us : gap_us; /* tests set that clock back */
}

/*
 * Sleep until something waits that is worth a batch of its own: as much as others are at work on, or what was let
 * gather. Batches that begin with the first item that comes stay small under load, and each costs the same round trips.
 * taken: how many the worker took last. It waits no longer than its pause (0: as long as it takes).
 */
static void queue_await(const struct worker *worker, size_t taken)
{
	struct batch *batch = worker->batch;
	const int64_t gather_us = batch->settings.gather_ms * INT64_C(1000);
	struct timespec until;
	int waited = 0;

	while ((!batch->stopping || worker->pause_us > 0) && waited != ETIMEDOUT) {
		int64_t left_us;

		if (batch->first == NULL && worker->pause_us == 0) {
			pthread_cond_wait(&batch->queued, &batch->mutex);
			continue;
		}
		left_us = gap_left_us(worker, taken);
		if (batch->first != NULL && left_us <= 0 && batch->waiting >= batch->under_way)
			return;
		if (batch->first == NULL)
			left_us = worker->pause_us;
		batch->resting = batch->first != NULL && left_us > 0;
		until = from_now(left_us > 0 ? left_us : gather_us);
		waited = pthread_cond_clockwait(&batch->queued, &batch->mutex, CLOCK_MONOTONIC,
						&until);
		batch->resting = false;
	}
}

static void figures_add(struct batch_figures *figures, size_t count)
{
	size_t class = 0;

	if (count == 0)
		return;
	while (class < BATCH_SIZE_CLASSES - 1 && (size_t)1 << class < count)
		class ++;
	figures->batches++;
	figures->items += count;
	figures->by_size[class]++;
}

/* Take what waits. False: stopping, and nothing is left. */
static bool queue_take(struct worker *worker)
{
	struct batch *batch = worker->batch;
	const size_t taken = worker->count;

	pthread_mutex_lock(&batch->mutex);
	batch->under_way -= worker->count;
	worker->count = worker->held;
	if (worker->waited_us > batch->waited_us)
		batch->waited_us = worker->waited_us;
	do
		queue_await(worker, taken);
	while (batch->first == NULL && !batch->stopping && worker->held == 0);
	worker->began_boot_us = clock_boot_us();
	worker->queued_boot_us =
		batch->first != NULL ? batch->first->queued_boot_us : worker->began_boot_us;
	while (batch->first != NULL && worker->count < batch->settings.size_max) {
		struct batch_item *item = queue_pop(batch);
		int waiting = ITEM_WAITING;

		atomic_compare_exchange_strong(&item->state, &waiting, ITEM_TAKEN);
		worker->items[worker->count++] = item;
	}
	batch->under_way += worker->count;
	figures_add(&batch->figures, worker->count - worker->held);
	pthread_mutex_unlock(&batch->mutex);
	return worker->count > 0;
}

static bool is_stopping(struct batch *batch)
{
	bool stopping;

	pthread_mutex_lock(&batch->mutex);
	stopping = batch->stopping;
	pthread_mutex_unlock(&batch->mutex);
	return stopping;
}

/* ---- a worker ---- */

static enum err connect(struct worker *worker)
{
	char why[STORE_WHY_SIZE];
	enum err err;

	if (worker->store != NULL)
		return ERR_OK;
	err = store_open(&worker->batch->settings.database, &worker->store, why);
	if ((err != ERR_OK) != worker->away) {
		worker->away = err != ERR_OK;
		if (worker->away)
			log_error("the database cannot be reached", LOG_TEXT("why", why),
				  LOG_ERR(err));
		else
			log_note(LOG_INFO, "the database is back");
	}
	return err == ERR_OK ? ERR_OK : ERR_UNAVAILABLE;
}

/* Those that are decided to the end of the list: how many are left. */
static size_t open_first(struct worker *worker)
{
	size_t open = 0;

	for (size_t i = 0; i < worker->count; i++) {
		struct batch_item *item = worker->items[i];

		if (item->decided)
			continue;
		worker->items[i] = worker->items[open];
		worker->items[open++] = item;
	}
	return open;
}

static enum err work_once(struct worker *worker)
{
	const struct batch_settings *settings = &worker->batch->settings;
	size_t open = open_first(worker);
	enum err err = open == 0 ? ERR_OK : connect(worker);

	if (err != ERR_OK || open == 0)
		return err;
	err = settings->work(settings->context, worker->store, worker->items, open);
	if (store_is_lost(worker->store)) {
		store_close(worker->store);
		worker->store = NULL;
	}
	return err;
}

/*
 * A connection that broke while it lay idle is found out by its first use: one more try. A commit
 * whose answer was lost is looked into until it is known, since its items may not be refused.
 */
static enum err work_through(struct worker *worker)
{
	const int64_t end_us = clock_boot_us() + worker->batch->settings.settle_ms * INT64_C(1000);
	const bool was_open = worker->store != NULL;
	enum err err = work_once(worker);
	bool uncertain = err == ERR_UNCERTAIN;

	if (err == ERR_UNAVAILABLE && was_open)
		err = work_once(worker);
	uncertain = uncertain || err == ERR_UNCERTAIN;
	while (uncertain && err != ERR_OK && clock_boot_us() < end_us &&
	       !is_stopping(worker->batch)) {
		clock_sleep_us(SETTLE_PAUSE_US);
		err = work_once(worker);
	}
	return uncertain && err != ERR_OK ? ERR_UNCERTAIN : err;
}

/*
 * Who was told that it is under way cannot be told that the database was away. For as long as an uncertain commit would
 * be looked into.
 */
static bool is_owed(const struct worker *worker, const struct batch_item *item, enum err err)
{
	const int64_t settle_us = worker->batch->settings.settle_ms * INT64_C(1000);

	return err == ERR_UNAVAILABLE && !item->decided &&
	       atomic_load(&item->state) == ITEM_PROMISED &&
	       clock_boot_us() - item->queued_boot_us < settle_us && !is_stopping(worker->batch);
}

/*
 * What a decided item came to stands, whatever became of the others in its batch.
 * Returns  false where it is not done: it is still owed
 */
static bool finish(struct worker *worker, struct batch_item *item, enum err err)
{
	const struct batch_settings *settings = &worker->batch->settings;
	int taken = ITEM_TAKEN;

	if (!item->decided)
		item->err = item->uncertain && err != ERR_OK ? ERR_UNCERTAIN : err;
	if (atomic_compare_exchange_strong(&item->state, &taken, ITEM_DONE)) {
		sem_post(&item->done);
		return true;
	}
	if (is_owed(worker, item, err))
		return false;
	sem_destroy(&item->done);
	settings->item_done(settings->context, item);
	return true;
}

/* Others may come in beside what is held, however much it is. */
static bool is_kept(const struct worker *worker, const struct batch_item *item, size_t kept)
{
	return item->held && !item->decided && kept < worker->batch->settings.size_max / 2 &&
	       clock_boot_us() - item->held_boot_us < HELD_MAX_US;
}

/* What is held, or owed, stays with the worker; everything else is done. */
static void finish_all(struct worker *worker, enum err err)
{
	size_t kept = 0;

	for (size_t i = 0; i < worker->count; i++) {
		struct batch_item *item = worker->items[i];

		if (err == ERR_OK && is_kept(worker, item, kept))
			worker->items[kept++] = item;
		else if (!finish(worker, item, item->held && err == ERR_OK ? ERR_BUSY : err))
			worker->items[kept++] = item;
	}
	if (kept == 0)
		worker->pause_us = 0;
	else if (kept < worker->count || worker->pause_us == 0)
		worker->pause_us = HELD_PAUSE_US;
	else if (2 * worker->pause_us <= HELD_PAUSE_MAX_US)
		worker->pause_us *= 2;
	worker->held = kept;
}

static void *worker_main(void *context)
{
	struct batch *batch = context;
	struct worker worker = { .batch = batch };

	worker.items = calloc(batch->settings.size_max, sizeof *worker.items);
	assert(worker.items != NULL);
	while (queue_take(&worker)) {
		const enum err err = work_through(&worker);

		worker.waited_us = clock_boot_us() - worker.queued_boot_us;
		finish_all(&worker, err);
		if (worker.held == batch->settings.size_max) /* nothing that comes may wake it */
			clock_sleep_us(worker.pause_us);
	}
	store_close(worker.store);
	free(worker.items);
	return NULL;
}

/* ---- public ---- */

enum err batch_start(const struct batch_settings *settings, struct batch **batch)
{
	struct batch *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	assert(settings->gap_ms == 0 || settings->workers == 1);
	made->settings = *settings;
	pthread_mutex_init(&made->mutex, NULL);
	pthread_cond_init(&made->queued, NULL);
	made->threads = calloc(settings->workers, sizeof *made->threads);
	if (made->threads == NULL) {
		batch_stop(made);
		return ERR_MEMORY;
	}
	for (size_t i = 0; i < settings->workers; i++) {
		if (pthread_create(&made->threads[i], NULL, worker_main, made) != 0) {
			batch_stop(made);
			return ERR_MEMORY;
		}
		made->threads_count++;
	}
	*batch = made;
	return ERR_OK;
}

void batch_stop(struct batch *batch)
{
	if (batch == NULL)
		return;
	pthread_mutex_lock(&batch->mutex);
	batch->stopping = true;
	pthread_cond_broadcast(&batch->queued);
	pthread_mutex_unlock(&batch->mutex);
	for (size_t i = 0; i < batch->threads_count; i++)
		pthread_join(batch->threads[i], NULL);
	pthread_cond_destroy(&batch->queued);
	pthread_mutex_destroy(&batch->mutex);
	free(batch->threads);
	free(batch);
}

static bool wait_done(struct batch_item *item, int64_t deadline_boot_us)
{
	int64_t left_us = deadline_boot_us - clock_boot_us();
	struct timespec until;

	if (left_us < 0)
		left_us = 0;
	until = from_now(left_us);
	while (sem_clockwait(&item->done, CLOCK_MONOTONIC, &until) != 0)
		if (errno == ETIMEDOUT)
			return false;
	return true;
}

static void item_init(struct batch_item *item, enum item_state state)
{
	item->next = NULL;
	item->queued_boot_us = clock_boot_us();
	item->decided = false;
	item->uncertain = false;
	item->held = false;
	item->held_boot_us = 0;
	item->err = ERR_OK;
	atomic_init(&item->state, state);
	sem_init(&item->done, 0, 0);
}

bool batch_put(struct batch *batch, struct batch_item *item)
{
	item_init(item, ITEM_LEFT);
	if (queue_put(batch, item))
		return true;
	sem_destroy(&item->done);
	return false;
}

enum err batch_run(struct batch *batch, struct batch_item *item, int64_t deadline_boot_us)
{
	enum err err = ERR_OK;
	int taken = ITEM_TAKEN;

	item_init(item, ITEM_WAITING);
	if (!queue_put(batch, item)) {
		err = ERR_OVERLOADED;
	} else if (!wait_done(item, deadline_boot_us)) {
		if (queue_withdraw(batch, item))
			err = ERR_DEADLINE;
		else if (atomic_compare_exchange_strong(&item->state, &taken, ITEM_PROMISED))
			return ERR_UNCERTAIN;
		else /* it was finished this very moment */
			while (sem_wait(&item->done) != 0)
				continue;
	}
	sem_destroy(&item->done);
	return err;
}

/* Stands alone: this is what became of it. After a lost answer, only a real refusal says that it was not committed. */
static void decide(struct batch_item *item, enum err err)
{
	if (item->decided) /* by the work itself, which set it aside */
		return;
	item->decided = true;
	if (item->uncertain && err != ERR_OK && err_row(err)->class != ERR_CLASS_CALLER)
		item->err = ERR_UNCERTAIN;
	else
		item->err = err;
}

static enum err commit_part(struct store *store, const struct batch_part *part, store_work *work)
{
	const size_t size = (part->count + PARTS - 1) / PARTS;
	struct batch_part run = *part;
	enum err err = store_run_tries(store, part->count == 1 ? TRIES_ALONE : 1, work, &run);

	for (size_t i = 0; err == ERR_UNCERTAIN && i < part->count; i++)
		part->items[i]->uncertain = true;
	if (err == ERR_UNCERTAIN || err == ERR_UNAVAILABLE)
		return err;
	for (size_t i = 0; (err == ERR_OK || part->count == 1) && i < part->count; i++)
		if (!part->items[i]->held)
			decide(part->items[i], err);
	if (err == ERR_OK || part->count == 1)
		return ERR_OK;
	err = ERR_OK;
	for (size_t i = 0; i < part->count && err == ERR_OK; i += size) {
		const size_t left = part->count - i;
		const struct batch_part smaller = { part->context, part->items + i,
						    left < size ? left : size };

		err = commit_part(store, &smaller, work);
	}
	return err;
}

enum err batch_commit(struct store *store, const struct batch_part *all, store_work *work)
{
	enum err err;

	for (size_t i = 0; i < all->count; i++)
		all->items[i]->held = false;
	err = commit_part(store, all, work);
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i]->held && all->items[i]->held_boot_us == 0)
			all->items[i]->held_boot_us = clock_boot_us();
	return err;
}

struct batch_figures batch_figures(struct batch *batch)
{
	struct batch_figures figures;

	pthread_mutex_lock(&batch->mutex);
	figures = batch->figures;
	figures.waiting = batch->waiting;
	pthread_mutex_unlock(&batch->mutex);
	return figures;
}

int64_t batch_waited_us(struct batch *batch)
{
	int64_t waited_us;
	int64_t waits_us = 0;

	pthread_mutex_lock(&batch->mutex);
	waited_us = batch->waited_us;
	batch->waited_us = 0;
	if (batch->first != NULL)
		waits_us = clock_boot_us() - batch->first->queued_boot_us;
	pthread_mutex_unlock(&batch->mutex);
	return waited_us > waits_us ? waited_us : waits_us;
}
