/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Callbacks: one thread that lets accepted operations reach their verdict when due, turns those
 * that turn later, and tells their callers.
 *
 * Invariant  a callback leaves only after what it tells is durable; it is repeated with the same
 *            id until answered 2xx, or given up after its last try; an operation's callbacks
 *            follow each other; what is not finished at the end is found again at start
 * Units      milliseconds in settings
 * Ownership  the queue borrows ledger and secrets, which outlive it
 * Threads    callback_schedule(), callback_hasten() by any thread; start and stop by one
 */
#ifndef SANDBOX_CALLBACK_H
#define SANDBOX_CALLBACK_H

#include <stdint.h>

#include "base/secret.h"
#include "core/err.h"
#include "sandbox/entry.h"
#include "sandbox/ledger.h"

#define CALLBACK_IN_FLIGHT_MAX 64

struct callback_settings {
	int64_t wait_max_ms; /* no wait between two tries is longer */
	int64_t tries_max;
};

struct callback_queue;

/*
 * Start the thread, with everything the ledger has unfinished; `secrets` are by profile.
 * Returns  ERR_OK with *queue; ERR_MEMORY, ERR_NETWORK or ERR_INTERNAL
 */
CHECKED enum err callback_start(struct ledger *ledger, const struct secret *secrets,
				const struct callback_settings *settings,
				struct callback_queue **queue);

/*
 * Take over a new entry that is accepted, turns later or has a callback: its token says when what
 * is due. Returns ERR_OK; ERR_MEMORY: it waits for the next start
 */
CHECKED enum err callback_schedule(struct callback_queue *queue, struct entry *entry);

/* Let what the entry waits for, its verdict or its turn, be due now; nothing where it waits for
 * nothing. Returns ERR_OK; ERR_MEMORY */
CHECKED enum err callback_hasten(struct callback_queue *queue, struct entry *entry);

/* End the thread; calls in flight are dropped. Accepts NULL. No other thread may schedule any more.
 */
void callback_stop(struct callback_queue *queue);

#endif
