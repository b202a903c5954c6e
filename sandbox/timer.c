/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/timer.h"

#include <stdlib.h>

#define TIMER_ROOM_FIRST 64

static enum err reserve(struct timer_queue *queue)
{
	size_t room = queue->room == 0 ? TIMER_ROOM_FIRST : queue->room * 2;
	struct timer *heap;

	if (queue->count < queue->room)
		return ERR_OK;
	heap = realloc(queue->heap, room * sizeof *heap);
	if (heap == NULL)
		return ERR_MEMORY;
	queue->heap = heap;
	queue->room = room;
	return ERR_OK;
}

/* Let a timer rise from `at`, where a hole is, to its place. */
static void rise(struct timer_queue *queue, size_t at, struct timer timer)
{
	while (at > 0 && queue->heap[(at - 1) / 2].due_us > timer.due_us) {
		queue->heap[at] = queue->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	queue->heap[at] = timer;
}

enum err timer_push(struct timer_queue *queue, int64_t due_us, void *item)
{
	enum err err = reserve(queue);

	if (err != ERR_OK)
		return err;
	queue->count++;
	rise(queue, queue->count - 1, (struct timer){due_us, item});
	return ERR_OK;
}

bool timer_hasten(struct timer_queue *queue, bool (*wanted)(const void *context, const void *item),
		  const void *context, int64_t now_us)
{
	for (size_t i = 0; i < queue->count; i++) {
		struct timer timer = queue->heap[i];

		if (!wanted(context, timer.item))
			continue;
		if (timer.due_us > now_us)
			rise(queue, i, (struct timer){now_us, timer.item});
		return true;
	}
	return false;
}

/* Let `last` sink from the top, where a hole is, to its place. */
static void sink(struct timer_queue *queue, struct timer last)
{
	size_t at = 0;

	for (;;) {
		size_t child = at * 2 + 1;

		if (child + 1 < queue->count &&
		    queue->heap[child + 1].due_us < queue->heap[child].due_us)
			child++;
		if (child >= queue->count || queue->heap[child].due_us >= last.due_us)
			break;
		queue->heap[at] = queue->heap[child];
		at = child;
	}
	queue->heap[at] = last;
}

void *timer_pop_due(struct timer_queue *queue, int64_t now_us)
{
	void *item;

	if (queue->count == 0 || queue->heap[0].due_us > now_us)
		return NULL;
	item = queue->heap[0].item;
	queue->count--;
	if (queue->count > 0)
		sink(queue, queue->heap[queue->count]);
	return item;
}

int64_t timer_wait_us(const struct timer_queue *queue, int64_t now_us, int64_t idle_us)
{
	if (queue->count == 0)
		return idle_us;
	return queue->heap[0].due_us > now_us ? queue->heap[0].due_us - now_us : 0;
}

void timer_done(struct timer_queue *queue)
{
	free(queue->heap);
	*queue = (struct timer_queue){0};
}
