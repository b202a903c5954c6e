/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Batch: requests that wait in one queue and are worked off together, as many as wait, by threads with a database
 * connection each.
 *
 * Invariant  a lone request does not wait for others; while others are worked off one does no longer than `gather_ms`,
 *            and after several no longer than until `gap_ms` after they were begun; a request is refused only while no
 *            worker has taken it: from then on it is carried out, whoever still waits for it, also after the database
 *            was away; one whose row another holds delays no other
 * Ownership  items are the caller's, but after ERR_UNCERTAIN and batch_put() the batch's, which gives them to
 *            `item_done`
 * Threads    safe
 */
#ifndef SERVICE_BATCH_H
#define SERVICE_BATCH_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* The first member of what is queued; batch_run() and batch_put() fill all of it. */
struct batch_item {
	struct batch_item *next;
	int64_t queued_boot_us;
	sem_t done;
	atomic_int state;
	bool decided;   /* by the work: err is what became of it, whatever becomes of the others */
	bool uncertain; /* a commit that it was in had its answer lost */
	bool held;      /* set aside by the work: another holds a row of it, so it comes again a little later */
	int64_t held_boot_us; /* since when, 0: it never was */
	enum err err;   /* read after ERR_OK of batch_run(), or by item_done() */
};

/*
 * Work off `count` items (1..size_max), none of them decided, most simply by batch_commit().
 * Returns  ERR_OK: all are decided, or held; ERR_UNAVAILABLE: nothing was committed for those that are not;
 *          ERR_UNCERTAIN: a commit's answer was lost, so those that are not decided are given again, on a new
 *          connection, until it is known what became of them
 */
typedef enum err batch_work(void *context, struct store *store, struct batch_item **items,
			    size_t count);

struct batch_settings {
	struct store_settings database; /* texts and password must outlive the batch */
	size_t workers;
	size_t size_max;  /* of one batch */
	size_t queue_max; /* waiting, not yet taken */
	int gather_ms;    /* while a worker is at work, another takes fewer items than it has only after this */
	int gap_ms;       /* of one worker: a batch of several is begun so long before the next, unless that is full */
	int settle_ms;    /* how long an uncertain commit is looked into, and what was left to be done is tried */
	batch_work *work;
	/* An item that nobody waits for is worked off: take it back, or free it. In the worker's thread. */
	void (*item_done)(void *context, struct batch_item *item);
	void *context;
};

struct batch;

/* Start the workers; connections are opened at the first need. Returns ERR_OK; ERR_MEMORY. */
CHECKED enum err batch_start(const struct batch_settings *settings, struct batch **batch);

/* Work off what waits, end the workers, free. Accepts NULL. No batch_run() may be under way. */
void batch_stop(struct batch *batch);

/*
 * Queue an item and wait for it until the deadline (boot clock).
 * Returns  ERR_OK: it was worked off, see item->err; ERR_OVERLOADED (too many wait), ERR_DEADLINE (it came before a
 *          worker took the item): nothing happened; ERR_UNCERTAIN: the deadline came while it was being worked off, so
 *          the item is the batch's
 */
CHECKED enum err batch_run(struct batch *batch, struct batch_item *item, int64_t deadline_boot_us);

/*
 * Queue an item that nobody waits for: it comes back by item_done().
 * Returns  true; false where too many wait, or the batch is stopping: it stays the caller's
 */
bool batch_put(struct batch *batch, struct batch_item *item);

/* Some of the items of a batch, as the context of the store transaction that is to commit them together. */
struct batch_part {
	void *context;
	struct batch_item **items;
	size_t count;
};

/*
 * Commit the items together by `work`, whose context is a struct batch_part. Where that is refused, in parts, until
 * what was refused stands alone and is decided with its own error: one bad item fails nobody else. The work may decide
 * items itself, or set them aside as held, before it writes anything for them: they are no part of its commit, and it
 * leaves alone those that are decided or held. What is held is tried again with what comes, for a few seconds; then it
 * is decided with ERR_BUSY.
 * Returns  as a batch_work
 */
CHECKED enum err batch_commit(struct store *store, const struct batch_part *all, store_work *work);

/* For the metrics. */
#define BATCH_SIZE_CLASSES 10 /* up to 1, 2, 4 … 256 items, and more */
struct batch_figures {
	uint64_t batches;
	uint64_t items;
	uint64_t by_size[BATCH_SIZE_CLASSES];
	size_t waiting;
};
struct batch_figures batch_figures(struct batch *batch);

/* The longest that an item waited to be worked off, or waits by now, since this was asked last. For one caller. */
int64_t batch_waited_us(struct batch *batch);

#endif
