/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reader: what many requests look up, by threads with a database connection each. Those that ask at the same time are
 * looked for together, since the round trip to the database costs more than the row; and a database that stalls holds
 * up nobody beyond his deadline, as a connection in the request's own thread would.
 *
 * Invariant  an answer is never older than its question; only those of one merchant share a statement
 * Ownership  questions and answers are plain values, copied in and out: who asks may be gone before there is an answer
 * Threads    safe
 * Source     API.md: Deadline
 */
#ifndef SERVICE_READER_H
#define SERVICE_READER_H

#include <stdalign.h>

#include "service/batch.h"
#include "store/merchant.h"

#define READER_MAX 16 /* asks that are looked for together */

/* One who waits. */
struct reader_ask {
	struct batch_item item;
	char merchant[MERCHANT_SIZE];
	bool looked;
	bool found;
	const void *question;
	void *answer;
	alignas(max_align_t) unsigned char values[]; /* both */
};

/* Those of one merchant: 1..READER_MAX. */
struct reader_group {
	const char *merchant;
	size_t count;
	struct reader_ask *asks[READER_MAX];
};

/* One question. Returns ERR_OK with *answer; ERR_NOT_FOUND; else what the database met. */
typedef enum err reader_find(struct store_tx *tx, const char *merchant, const void *question,
			     void *answer);

/*
 * All of a group: for each, the answer and that it was found, which is false before. May run again.
 * Returns  ERR_OK, whatever was found; else what the database met
 */
typedef enum err reader_look(struct store_tx *tx, struct reader_group *group);

struct reader_kind {
	size_t threads;
	size_t question_size;
	size_t answer_size;
	reader_find *find; /* of one who is alone; NULL: by the look */
	reader_look *look; /* NULL: each by the find */
};

struct reader;

/*
 * Start the threads. Connections to `database`, whose texts must outlive the reader as *kind must, are opened at the
 * first need. Returns ERR_OK; ERR_MEMORY.
 */
CHECKED enum err reader_start(const struct reader_kind *kind, const struct store_settings *database,
			      struct reader **reader);

/* Accepts NULL. Nobody may be asking. */
void reader_stop(struct reader *reader);

/*
 * Ask, and wait until the deadline (boot clock). `merchant` is "" where the question is about none.
 * Returns  ERR_OK with *answer (untouched otherwise); ERR_NOT_FOUND; ERR_OVERLOADED; ERR_DEADLINE; ERR_MEMORY; else
 *          what the database met
 */
CHECKED enum err reader_ask(struct reader *reader, const char *merchant, const void *question,
			    int64_t deadline_boot_us, void *answer);

/* For the metrics. */
struct batch_figures reader_figures(struct reader *reader);

#endif
