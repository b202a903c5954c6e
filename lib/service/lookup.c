/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/lookup.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READERS 2
#define BATCH_MAX 16
#define QUEUE_MAX 2048
#define GATHER_MS 1

struct lookup { /* on the heap: it may outlive who waits for it */
	struct batch_item item;
	char merchant[MERCHANT_SIZE];
	struct id id;
	bool asked; /* in this run of the work */
	bool found;
	struct transaction_view view;
};

/* Those of one batch, or those of one merchant among them, which share a statement. */
struct group {
	struct lookup *list[BATCH_MAX];
	size_t count;
};

static void found_take(void *context, const struct transaction_view *view)
{
	struct group *group = context;

	for (size_t i = 0; i < group->count; i++) {
		if (!id_equal(group->list[i]->id, view->row.id))
			continue;
		group->list[i]->view = *view;
		group->list[i]->found = true;
	}
}

static enum err group_read(struct store_tx *tx, struct group *group)
{
	struct lookup *first = group->list[0];
	struct id ids[BATCH_MAX];
	enum err err;

	if (group->count == 1) {
		err = store_transaction_find(tx, first->merchant, first->id, &first->view);
		first->found = err == ERR_OK;
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	}
	for (size_t i = 0; i < group->count; i++)
		ids[i] = group->list[i]->id;
	return store_transaction_show(tx, first->merchant, ids, group->count, found_take, group);
}

/* Those from `first` on that are of its merchant. */
static void group_gather(const struct group *all, size_t first, struct group *group)
{
	group->count = 0;
	for (size_t i = first; i < all->count; i++) {
		if (strcmp(all->list[i]->merchant, all->list[first]->merchant) != 0)
			continue;
		all->list[i]->asked = true;
		group->list[group->count++] = all->list[i];
	}
}

/* May run again: starts anew each time. */
static enum err all_read(struct store_tx *tx, void *context)
{
	const struct group *all = context;
	struct group group;
	enum err err = ERR_OK;

	for (size_t i = 0; i < all->count; i++)
		all->list[i]->asked = all->list[i]->found = false;
	for (size_t i = 0; i < all->count && err == ERR_OK; i++) {
		if (all->list[i]->asked)
			continue;
		group_gather(all, i, &group);
		err = group_read(tx, &group);
	}
	return err;
}

static enum err lookup_work(void *context, struct store *store, struct batch_item **items,
			    size_t count)
{
	struct group all = { .count = count };
	enum err err;

	(void)context;
	for (size_t i = 0; i < count; i++)
		all.list[i] = (struct lookup *)items[i];
	err = store_look(store, all_read, &all);
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		items[i]->decided = true;
		items[i]->err = all.list[i]->found ? ERR_OK : ERR_NOT_FOUND;
	}
	return err;
}

static void lookup_done(void *context, struct batch_item *item)
{
	(void)context;
	free(item);
}

enum err lookup_start(const struct store_settings *database, struct batch **lookups)
{
	const struct batch_settings settings = {
		.database = *database,
		.workers = READERS,
		.size_max = BATCH_MAX,
		.queue_max = QUEUE_MAX,
		.gather_ms = GATHER_MS,
		.settle_ms = 0, /* nothing is committed */
		.work = lookup_work,
		.item_done = lookup_done,
	};

	static_assert(offsetof(struct lookup, item) == 0, "an item is a lookup");
	return batch_start(&settings, lookups);
}

enum err lookup_transaction(struct batch *lookups, const char *merchant, struct id id,
			    int64_t deadline_boot_us, struct transaction_view *view)
{
	struct lookup *lookup = malloc(sizeof *lookup);
	enum err err;

	if (lookup == NULL)
		return ERR_MEMORY;
	snprintf(lookup->merchant, sizeof lookup->merchant, "%s", merchant);
	lookup->id = id;
	err = batch_run(lookups, &lookup->item, deadline_boot_us);
	if (err == ERR_UNCERTAIN)
		return ERR_DEADLINE;
	if (err == ERR_OK)
		err = lookup->item.err;
	if (err == ERR_OK)
		*view = lookup->view;
	free(lookup);
	return err;
}
