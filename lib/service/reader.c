/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX 2048
#define GATHER_MS 1

struct reader {
	const struct reader_kind *kind;
	struct batch *batch;
};

/* Those of one batch. */
struct party {
	const struct reader_kind *kind;
	struct reader_ask *asks[READER_MAX];
	size_t count;
};

/* Those from `first` on that are of its merchant. */
static void group_gather(const struct party *party, size_t first, struct reader_group *group)
{
	group->merchant = party->asks[first]->merchant;
	group->count = 0;
	for (size_t i = first; i < party->count; i++) {
		if (strcmp(party->asks[i]->merchant, group->merchant) != 0)
			continue;
		party->asks[i]->looked = true;
		group->asks[group->count++] = party->asks[i];
	}
}

static enum err group_look(struct store_tx *tx, const struct reader_kind *kind,
			   struct reader_group *group)
{
	enum err err = ERR_OK;

	if (kind->find == NULL || (kind->look != NULL && group->count > 1))
		return kind->look(tx, group);
	for (size_t i = 0; i < group->count && err == ERR_OK; i++) {
		struct reader_ask *ask = group->asks[i];

		err = kind->find(tx, group->merchant, ask->question, ask->answer);
		ask->found = err == ERR_OK;
		if (err == ERR_NOT_FOUND)
			err = ERR_OK;
	}
	return err;
}

/* May run again: starts anew each time. */
static enum err party_look(struct store_tx *tx, void *context)
{
	const struct party *party = context;
	struct reader_group group;
	enum err err = ERR_OK;

	for (size_t i = 0; i < party->count; i++)
		party->asks[i]->looked = party->asks[i]->found = false;
	for (size_t i = 0; i < party->count && err == ERR_OK; i++) {
		if (party->asks[i]->looked)
			continue;
		group_gather(party, i, &group);
		err = group_look(tx, party->kind, &group);
	}
	return err;
}

static enum err work(void *context, struct store *store, struct batch_item **items, size_t count)
{
	const struct reader *reader = context;
	struct party party = { .kind = reader->kind, .count = count };
	enum err err;

	for (size_t i = 0; i < count; i++)
		party.asks[i] = (struct reader_ask *)items[i];
	err = store_look(store, party_look, &party);
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		items[i]->decided = true;
		items[i]->err = party.asks[i]->found ? ERR_OK : ERR_NOT_FOUND;
	}
	return err;
}

static void item_done(void *context, struct batch_item *item)
{
	(void)context;
	free(item);
}

enum err reader_start(const struct reader_kind *kind, const struct store_settings *database,
		      struct reader **reader)
{
	struct reader *made = malloc(sizeof *made);
	const struct batch_settings settings = {
		.database = *database,
		.workers = kind->threads,
		.size_max = READER_MAX,
		.queue_max = QUEUE_MAX,
		.gather_ms = GATHER_MS,
		.settle_ms = 0, /* nothing is committed */
		.work = work,
		.item_done = item_done,
		.context = made,
	};
	enum err err;

	static_assert(offsetof(struct reader_ask, item) == 0, "an item is an ask");
	if (made == NULL)
		return ERR_MEMORY;
	made->kind = kind;
	err = batch_start(&settings, &made->batch);
	if (err == ERR_OK)
		*reader = made;
	else
		free(made);
	return err;
}

void reader_stop(struct reader *reader)
{
	if (reader == NULL)
		return;
	batch_stop(reader->batch);
	free(reader);
}

enum err reader_ask(struct reader *reader, const char *merchant, const void *question,
		    int64_t deadline_boot_us, void *answer)
{
	const struct reader_kind *kind = reader->kind;
	const size_t step = alignof(max_align_t);
	const size_t place = (kind->question_size + step - 1) / step * step;
	struct reader_ask *ask = malloc(sizeof *ask + place + kind->answer_size);
	enum err err;

	if (ask == NULL)
		return ERR_MEMORY;
	(void)snprintf(ask->merchant, sizeof ask->merchant, "%s", merchant);
	ask->question = memcpy(ask->values, question, kind->question_size);
	ask->answer = ask->values + place;
	err = batch_run(reader->batch, &ask->item, deadline_boot_us);
	if (err == ERR_UNCERTAIN) /* a thread is at it, and frees it */
		return ERR_DEADLINE;
	if (err == ERR_OK)
		err = ask->item.err;
	if (err == ERR_OK)
		memcpy(answer, ask->answer, kind->answer_size);
	free(ask);
	return err;
}

struct batch_figures reader_figures(struct reader *reader)
{
	return batch_figures(reader->batch);
}
