/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timers: a queue of things that are due, earliest first; equal times come out in no fixed order.
 *
 * Units      microseconds of the boot clock
 * Ownership  the queue borrows the items
 * Threads    one thread per queue
 */
#ifndef SANDBOX_TIMER_H
#define SANDBOX_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct timer {
	int64_t due_us;
	void *item;
};

/* Start as { 0 } */
struct timer_queue {
	struct timer *heap;
	size_t count;
	size_t room;
};

/* Returns ERR_OK, or ERR_MEMORY with the queue as it was. */
CHECKED enum err timer_push(struct timer_queue *queue, int64_t due_us, void *item);

/* The earliest item when it is due at `now_us`, taken off the queue; NULL where none is. */
void *timer_pop_due(struct timer_queue *queue, int64_t now_us);

/*
 * Make the first item for which `wanted` says true due at `now_us`, where it is due later.
 * Looks at all items. Returns false where there is none.
 */
bool timer_hasten(struct timer_queue *queue, bool (*wanted)(const void *context, const void *item),
		  const void *context, int64_t now_us);

/* Microseconds from `now_us` until the earliest is due, 0 where it is; `idle_us` for an empty
 * queue. */
int64_t timer_wait_us(const struct timer_queue *queue, int64_t now_us, int64_t idle_us);

/* Free the queue's own memory. Items left in it are the caller's: pop them first with now_us =
 * INT64_MAX. */
void timer_done(struct timer_queue *queue);

#endif
