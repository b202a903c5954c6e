/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Callbacks: one thread that lets accepted operations reach their verdict when due, and tells their
 * callers.
 *
 * Invariant  a callback leaves only after its operation's verdict is durable; it is repeated with
 *            the same id until answered 2xx, or given up after its last try; what is not finished
 *            at the end is found again at start
 * Units      milliseconds in settings
 * Ownership  the queue borrows ledger and secret, which outlive it
 * Threads    callback_schedule() by any thread; start and stop by one
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
 * Start the thread, with everything the ledger has unfinished.
 * Returns  ERR_OK with *queue; ERR_MEMORY, ERR_NETWORK or ERR_INTERNAL
 */
CHECKED enum err callback_start(struct ledger *ledger, const struct secret *secret,
				const struct callback_settings *settings,
				struct callback_queue **queue);

/*
 * Take over a new entry that is accepted or has a callback: decide and call back `due_ms` from now.
 * Returns  ERR_OK; ERR_MEMORY: it waits for the next start
 */
CHECKED enum err callback_schedule(struct callback_queue *queue, struct entry *entry, int due_ms);

/* End the thread; calls in flight are dropped. Accepts NULL. No other thread may schedule any more.
 */
void callback_stop(struct callback_queue *queue);

#endif
