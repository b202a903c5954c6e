/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/customer_country.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SLOTS 256 /* each merchant has one it may stand in; a newer one takes it */

enum knowledge { NOT_KNOWN, NONE, SOME };

struct slot {
	char merchant[MERCHANT_SIZE];
	enum knowledge knowledge;
	int64_t asked_boot_us; /* of NONE: when it was asked for */
};

struct customer_country {
	struct store_pool *pool;
	pthread_mutex_t mutex; /* guards: slots */
	struct slot slots[SLOTS];
};

enum err customer_country_new(struct store_pool *pool, struct customer_country **countries)
{
	struct customer_country *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	made->pool = pool;
	pthread_mutex_init(&made->mutex, NULL);
	*countries = made;
	return ERR_OK;
}

void customer_country_free(struct customer_country *countries)
{
	if (countries == NULL)
		return;
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

struct looking {
	const char *merchant;
	const char *customer;
	enum knowledge known;
	char country[3];
};

static enum err look(struct store_tx *tx, void *context)
{
	struct looking *looking = context;
	bool any = true;
	enum err err = ERR_OK;

	looking->country[0] = '\0';
	if (looking->known == NOT_KNOWN)
		err = store_customer_any_country(tx, looking->merchant, &any);
	if (err != ERR_OK)
		return err;
	looking->known = any ? SOME : NONE;
	if (any)
		err = store_customer_country(tx, looking->merchant, looking->customer,
					     looking->country);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err customer_country_find(struct customer_country *countries, const char *merchant,
			       const char *customer, int wait_ms, char country[3])
{
	const int64_t asked_boot_us = clock_boot_us();
	struct looking looking = { .merchant = merchant,
				   .customer = customer,
				   .known = recall(countries, merchant) };
	enum knowledge before;
	enum err err;

	if (looking.known == NONE) {
		country[0] = '\0';
		return ERR_OK;
	}
	before = looking.known;
	err = store_pool_look(countries->pool, wait_ms, look, &looking);
	if (err != ERR_OK)
		return err;
	if (before == NOT_KNOWN)
		remember(countries, merchant, looking.known, asked_boot_us);
	memcpy(country, looking.country, sizeof looking.country);
	return ERR_OK;
}
