/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/customer_country.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service/batch.h"

#define SLOTS 256 /* each merchant has one it may stand in; a newer one takes it */
#define READERS 1
#define BATCH_MAX 16
#define QUEUE_MAX 2048
#define GATHER_MS 1

enum knowledge { NOT_KNOWN, NONE, SOME };

struct slot {
	char merchant[MERCHANT_SIZE];
	enum knowledge knowledge;
	int64_t asked_boot_us; /* of NONE: when it was asked for */
};

struct customer_country {
	struct batch *readers;
	pthread_mutex_t mutex; /* guards: slots */
	struct slot slots[SLOTS];
};

struct looking { /* on the heap: it may outlive who waits for it */
	struct batch_item item;
	char merchant[MERCHANT_SIZE];
	char customer[PAYMENT_CUSTOMER_SIZE];
	enum knowledge before; /* what was known of the merchant */
	enum knowledge known;
	char country[3];
};

struct party { /* those of one batch */
	struct looking **list;
	size_t count;
};

/* What was found for a neighbour of the same merchant, or what the database says now. */
static enum err merchant_look(struct store_tx *tx, const struct party *party, size_t index)
{
	struct looking *looking = party->list[index];
	bool any;
	enum err err;

	looking->known = looking->before;
	for (size_t i = 0; i < index && looking->known == NOT_KNOWN; i++)
		if (strcmp(party->list[i]->merchant, looking->merchant) == 0)
			looking->known = party->list[i]->known;
	if (looking->known != NOT_KNOWN)
		return ERR_OK;
	err = store_customer_any_country(tx, looking->merchant, &any);
	if (err == ERR_OK)
		looking->known = any ? SOME : NONE;
	return err;
}

/* May run again: starts anew each time. */
static enum err party_look(struct store_tx *tx, void *context)
{
	const struct party *party = context;
	enum err err = ERR_OK;

	for (size_t i = 0; i < party->count && err == ERR_OK; i++) {
		struct looking *looking = party->list[i];

		looking->country[0] = '\0';
		err = merchant_look(tx, party, i);
		if (err == ERR_OK && looking->known == SOME)
			err = store_customer_country(tx, looking->merchant, looking->customer,
						     looking->country);
		if (err == ERR_NOT_FOUND)
			err = ERR_OK;
	}
	return err;
}

static enum err look_work(void *context, struct store *store, struct batch_item **items,
			  size_t count)
{
	struct looking *list[BATCH_MAX];
	struct party party = { list, count };
	enum err err;

	(void)context;
	for (size_t i = 0; i < count; i++)
		list[i] = (struct looking *)items[i];
	err = store_look(store, party_look, &party);
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		items[i]->decided = true;
		items[i]->err = ERR_OK;
	}
	return err;
}

static void look_done(void *context, struct batch_item *item)
{
	(void)context;
	free(item);
}

enum err customer_country_new(const struct store_settings *database,
			      struct customer_country **countries)
{
	const struct batch_settings settings = {
		.database = *database,
		.workers = READERS,
		.size_max = BATCH_MAX,
		.queue_max = QUEUE_MAX,
		.gather_ms = GATHER_MS,
		.settle_ms = 0, /* nothing is committed */
		.work = look_work,
		.item_done = look_done,
	};
	struct customer_country *made = calloc(1, sizeof *made);
	enum err err;

	static_assert(offsetof(struct looking, item) == 0, "an item is a looking");
	if (made == NULL)
		return ERR_MEMORY;
	err = batch_start(&settings, &made->readers);
	if (err != ERR_OK) {
		free(made);
		return err;
	}
	pthread_mutex_init(&made->mutex, NULL);
	*countries = made;
	return ERR_OK;
}

void customer_country_free(struct customer_country *countries)
{
	if (countries == NULL)
		return;
	batch_stop(countries->readers);
	pthread_mutex_destroy(&countries->mutex);
	free(countries);
}

static struct slot *slot_of(struct customer_country *countries, const char *merchant)
{
	unsigned hash = 0;

	for (; *merchant != '\0'; merchant++)
		hash = hash * 31 + (unsigned char)*merchant;
	return &countries->slots[hash % SLOTS];
}

static enum knowledge recall(struct customer_country *countries, const char *merchant)
{
	const struct slot *slot = slot_of(countries, merchant);
	enum knowledge known = NOT_KNOWN;

	pthread_mutex_lock(&countries->mutex);
	if (strcmp(slot->merchant, merchant) == 0 &&
	    (slot->knowledge == SOME ||
	     clock_boot_us() - slot->asked_boot_us < CUSTOMER_COUNTRY_FRESH_US))
		known = slot->knowledge;
	pthread_mutex_unlock(&countries->mutex);
	return known;
}

/* What was asked for before a profile was written does not undo that there is one. */
static void remember(struct customer_country *countries, const char *merchant,
		     enum knowledge knowledge, int64_t asked_boot_us)
{
	struct slot *slot = slot_of(countries, merchant);

	pthread_mutex_lock(&countries->mutex);
	if (strcmp(slot->merchant, merchant) != 0) {
		(void)snprintf(slot->merchant, sizeof slot->merchant, "%s", merchant);
		slot->knowledge = NOT_KNOWN;
	}
	if (slot->knowledge != SOME) {
		slot->knowledge = knowledge;
		slot->asked_boot_us = asked_boot_us;
	}
	pthread_mutex_unlock(&countries->mutex);
}

void customer_country_learn(struct customer_country *countries, const char *merchant)
{
	remember(countries, merchant, SOME, 0);
}

enum err customer_country_find(struct customer_country *countries, const char *merchant,
			       const char *customer, int64_t deadline_boot_us, char country[3])
{
	const int64_t asked_boot_us = clock_boot_us();
	const enum knowledge before = recall(countries, merchant);
	struct looking *looking;
	enum err err;

	if (before == NONE) {
		country[0] = '\0';
		return ERR_OK;
	}
	looking = malloc(sizeof *looking);
	if (looking == NULL)
		return ERR_MEMORY;
	looking->before = before;
	(void)snprintf(looking->merchant, sizeof looking->merchant, "%s", merchant);
	(void)snprintf(looking->customer, sizeof looking->customer, "%s", customer);
	err = batch_run(countries->readers, &looking->item, deadline_boot_us);
	if (err == ERR_UNCERTAIN)
		return ERR_DEADLINE;
	if (err == ERR_OK)
		err = looking->item.err;
	if (err == ERR_OK) {
		if (before == NOT_KNOWN)
			remember(countries, merchant, looking->known, asked_boot_us);
		memcpy(country, looking->country, sizeof looking->country);
	}
	free(looking);
	return err;
}
