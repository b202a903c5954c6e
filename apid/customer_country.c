/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/customer_country.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service/reader.h"

#define SLOTS 256 /* each merchant has one it may stand in; a newer one takes it */

enum knowledge { NOT_KNOWN, NONE, SOME };

struct slot {
	char merchant[MERCHANT_SIZE];
	enum knowledge knowledge;
	int64_t asked_boot_us; /* of NONE: when it was asked for */
};

struct customer_country {
	struct reader *reader;
	pthread_mutex_t mutex; /* guards: slots */
	struct slot slots[SLOTS];
};

struct question {
	char customer[PAYMENT_CUSTOMER_SIZE];
	bool some; /* it is remembered that the merchant has profiles with a country */
};

struct answer {
	bool some;
	char country[3];
};

static enum err customer_look(struct store_tx *tx, const char *merchant, struct reader_ask *ask,
			      bool some)
{
	const struct question *question = ask->question;
	struct answer answer = { .some = some };
	enum err err = ERR_NOT_FOUND;

	if (some)
		err = store_customer_country(tx, merchant, question->customer, answer.country);
	*(struct answer *)ask->answer = answer;
	ask->found = true;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err look(struct store_tx *tx, struct reader_group *group)
{
	bool some = false;
	enum err err = ERR_OK;

	for (size_t i = 0; i < group->count && !some; i++)
		some = ((const struct question *)group->asks[i]->question)->some;
	if (!some)
		err = store_customer_any_country(tx, group->merchant, &some);
	for (size_t i = 0; i < group->count && err == ERR_OK; i++)
		err = customer_look(tx, group->merchant, group->asks[i], some);
	return err;
}

enum err customer_country_new(const struct store_settings *database,
			      struct customer_country **countries)
{
	static const struct reader_kind kind = { .threads = 1,
						 .question_size = sizeof(struct question),
						 .answer_size = sizeof(struct answer),
						 .look = look };
	struct customer_country *made = calloc(1, sizeof *made);
	enum err err;

	if (made == NULL)
		return ERR_MEMORY;
	err = reader_start(&kind, database, &made->reader);
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
	reader_stop(countries->reader);
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
	struct question question = { .some = before == SOME };
	struct answer answer = { .country = "" };
	enum err err = ERR_OK;

	(void)snprintf(question.customer, sizeof question.customer, "%s", customer);
	if (before != NONE)
		err = reader_ask(countries->reader, merchant, &question, deadline_boot_us, &answer);
	if (err != ERR_OK)
		return err;
	if (before == NOT_KNOWN)
		remember(countries, merchant, answer.some ? SOME : NONE, asked_boot_us);
	memcpy(country, answer.country, sizeof answer.country);
	return ERR_OK;
}
