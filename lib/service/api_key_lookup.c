/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/api_key_lookup.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READERS 1
#define BATCH_MAX 16
#define QUEUE_MAX 2048
#define GATHER_MS 1
#define US_PER_S 1000000

struct finding { /* on the heap: it may outlive who waits for it */
	struct batch_item item;
	char id[KEY_TOKEN_ID_SIZE];
	bool found;
	struct api_key_row row;
};

struct party { /* those of one batch */
	struct finding **list;
	size_t count;
};

/* May run again: starts anew each time. */
static enum err party_find(struct store_tx *tx, void *context)
{
	const struct party *party = context;
	enum err err = ERR_OK;

	for (size_t i = 0; i < party->count && err == ERR_OK; i++) {
		struct finding *finding = party->list[i];

		err = store_api_key_find(tx, finding->id, &finding->row);
		finding->found = err == ERR_OK;
		if (err == ERR_NOT_FOUND)
			err = ERR_OK;
	}
	return err;
}

static enum err find_work(void *context, struct store *store, struct batch_item **items,
			  size_t count)
{
	struct finding *list[BATCH_MAX];
	struct party party = { list, count };
	enum err err;

	(void)context;
	for (size_t i = 0; i < count; i++)
		list[i] = (struct finding *)items[i];
	err = store_look(store, party_find, &party);
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		items[i]->decided = true;
		items[i]->err = list[i]->found ? ERR_OK : ERR_NOT_FOUND;
	}
	return err;
}

static void find_done(void *context, struct batch_item *item)
{
	(void)context;
	free(item);
}

enum err api_key_lookup_start(const struct store_settings *database, struct batch **keys)
{
	const struct batch_settings settings = {
		.database = *database,
		.workers = READERS,
		.size_max = BATCH_MAX,
		.queue_max = QUEUE_MAX,
		.gather_ms = GATHER_MS,
		.settle_ms = 0, /* nothing is committed */
		.work = find_work,
		.item_done = find_done,
	};

	static_assert(offsetof(struct finding, item) == 0, "an item is a finding");
	return batch_start(&settings, keys);
}

static enum err grant_take(const struct api_key_row *row, struct api_key_grant *grant)
{
	struct api_key_grant found = { .claims = { .scopes = 0 } };

	if (row->revoked_at_us != 0)
		return ERR_NOT_FOUND;
	if (!token_scopes_parse(row->scopes, &found.claims.scopes))
		return ERR_STORE;
	memcpy(found.digest, row->digest, sizeof found.digest);
	(void)snprintf(found.claims.merchant, sizeof found.claims.merchant, "%s", row->merchant);
	(void)snprintf(found.claims.subject, sizeof found.claims.subject, "%s", row->name);
	memcpy(found.claims.api_key, row->id, sizeof found.claims.api_key);
	found.claims.expires_at_s = row->expires_at_us / US_PER_S;
	*grant = found;
	return ERR_OK;
}

enum err api_key_lookup_find(struct batch *keys, const char *id, int64_t deadline_boot_us,
			     struct api_key_grant *grant)
{
	struct finding *finding = malloc(sizeof *finding);
	enum err err;

	if (finding == NULL)
		return ERR_MEMORY;
	(void)snprintf(finding->id, sizeof finding->id, "%s", id);
	err = batch_run(keys, &finding->item, deadline_boot_us);
	if (err == ERR_UNCERTAIN)
		return ERR_DEADLINE;
	if (err == ERR_OK)
		err = finding->item.err;
	if (err == ERR_OK)
		err = grant_take(&finding->row, grant);
	free(finding);
	return err;
}
