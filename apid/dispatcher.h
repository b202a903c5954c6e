/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Dispatcher: one thread that claims due operations, keeps their gateway calls in flight and
 * records what came of them.
 *
 * Invariant  an attempt is committed before its call starts; no database transaction is open while
 *            a call is made; what is in flight when the process dies is found again by its lease
 * Threads    dispatcher_wake() and the figures from any thread; the rest from main()
 */
#ifndef APID_DISPATCHER_H
#define APID_DISPATCHER_H

#include <stddef.h>
#include <stdint.h>

#include "apid/metrics.h"
#include "core/err.h"
#include "service/batch.h"
#include "store/store.h"

struct dispatcher;
struct settings_live;

struct dispatcher_settings {
	struct store_pool *pool;
	const struct store_settings *database; /* of the committers of outcomes */
	struct settings_live *live;            /* of which each claim holds those in force */
	struct batch *intake;                  /* whose requests due work yields to */
	struct metrics *metrics;
};

/* Start the thread and the committers. What the settings point to is borrowed until dispatcher_stop(). */
CHECKED enum err dispatcher_start(const struct dispatcher_settings *settings,
				  struct dispatcher **dispatcher);

/* Something may be due: look now instead of at the next tick. */
void dispatcher_wake(struct dispatcher *dispatcher);

/*
 * Stop claiming, let calls in flight finish for up to `patience_ms`, record them, join the thread,
 * free. Calls that do not finish are left to their leases.
 */
void dispatcher_stop(struct dispatcher *dispatcher, int patience_ms);

/* Calls in flight now; silent resends seen (must stay 0). */
size_t dispatcher_in_flight(const struct dispatcher *dispatcher);
/* Of the queue of outcomes that wait for their commit. */
struct batch_figures dispatcher_outcomes(const struct dispatcher *dispatcher);
uint64_t dispatcher_resend_total(const struct dispatcher *dispatcher);

#endif
