/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/settings_live.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings_live {
	pthread_mutex_t mutex; /* guards: settings */
	const struct settings *settings;
};

enum err settings_live_new(const struct settings *first, struct settings_live **live)
{
	struct settings_live *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&made->mutex, NULL);
	made->settings = settings_share(first);
	*live = made;
	return ERR_OK;
}

void settings_live_free(struct settings_live *live)
{
	if (live == NULL)
		return;
	settings_release(live->settings);
	pthread_mutex_destroy(&live->mutex);
	free(live);
}

const struct settings *settings_live_hold(struct settings_live *live)
{
	const struct settings *settings;

	pthread_mutex_lock(&live->mutex);
	settings = settings_share(live->settings);
	pthread_mutex_unlock(&live->mutex);
	return settings;
}

void settings_live_replace(struct settings_live *live, const struct settings *fresh)
{
	const struct settings *before;

	pthread_mutex_lock(&live->mutex);
	before = live->settings;
	live->settings = fresh;
	pthread_mutex_unlock(&live->mutex);
	settings_release(before);
}

/* ---- what changes ---- */

static void name_add(char names[SETTINGS_NAMES_SIZE], const char *name)
{
	const size_t used = strlen(names);

	snprintf(names + used, SETTINGS_NAMES_SIZE - used, "%s%s", used == 0 ? "" : ", ", name);
}

static void take_add(void *context, const char *name, enum conf_change change)
{
	struct settings_changes *changes = context;

	if (change == CONF_LIVE)
		name_add(changes->taken, name);
}

static void restart_add(void *context, const char *name, enum conf_change change)
{
	struct settings_changes *changes = context;

	if (change == CONF_RESTART)
		name_add(changes->restart, name);
}

static bool is_other_secret(const struct secret *one, const struct secret *other)
{
	return !secret_equal(one->bytes, one->size, other->bytes, other->size);
}

/* Lists whose files have other content; where a name changed too, the list is told already. */
static void keys_compare(const struct settings *fresh, const struct settings *before,
			 struct settings_changes *changes)
{
	if (memcmp(&fresh->token_keys, &before->token_keys, sizeof fresh->token_keys) != 0 &&
	    strstr(changes->taken, "token_keys") == NULL)
		name_add(changes->taken, "token_keys");
	if (memcmp(fresh->vault.keys, before->vault.keys, sizeof fresh->vault.keys) != 0 &&
	    strstr(changes->taken, "seal_keys") == NULL)
		name_add(changes->taken, "seal_keys");
	if (fresh->tls != NULL && before->tls != NULL && !tls_equal(fresh->tls, before->tls) &&
	    strstr(changes->taken, "tls.") == NULL)
		name_add(changes->taken, "tls.certificate_file");
}

/* A listener is opened at the start only, and has a certificate as long as it is open. */
static void tls_keep(struct settings *fresh, const struct settings *before,
		     const struct settings *first)
{
	if ((fresh->tls != NULL) == (first->tls != NULL))
		return;
	tls_release(fresh->tls);
	fresh->tls = before->tls == NULL ? NULL : tls_share(before->tls);
}

/* The same of what stays as it is. */
static void secrets_compare(const struct settings *fresh, const struct settings *first,
			    struct settings_changes *changes)
{
	const struct {
		const char *name;
		const struct secret *one;
		const struct secret *other;
	} secrets[] = {
		{ "database.password_file", &fresh->database_password, &first->database_password },
		{ "vault.hash_key_file", &fresh->vault.hash_key, &first->vault.hash_key },
	};

	for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
		if (is_other_secret(secrets[i].one, secrets[i].other) &&
		    strstr(changes->restart, secrets[i].name) == NULL)
			name_add(changes->restart, secrets[i].name);
}

void settings_succeed(struct settings *fresh, const struct settings *before,
		      const struct settings *first, struct settings_changes *changes)
{
	*changes = (struct settings_changes){ .taken = "" };
	conf_compare(before->conf, fresh->conf, take_add, changes);
	conf_compare(first->conf, fresh->conf, restart_add, changes);
	tls_keep(fresh, before, first);
	keys_compare(fresh, before, changes);
	secrets_compare(fresh, first, changes);
	fresh->generation = before->generation + 1;
	fresh->vault.hash_key = first->vault.hash_key;
	fresh->due.catalogue = before->due.catalogue;
	fresh->due.breakers = before->due.breakers;
	fresh->due.budgets = before->due.budgets;
}
