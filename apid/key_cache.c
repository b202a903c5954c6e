/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/key_cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define SLOTS 512 /* each id has one it may stand in; a newer one takes it */

struct slot {
	char id[KEY_TOKEN_ID_SIZE]; /* "": empty */
	struct api_key_grant grant;
	int64_t found_boot_us; /* when the look-up began that found it */
	int64_t asked_boot_us; /* when the latest began */
};

struct key_cache {
	api_key_lookup_work *find;
	struct reader *keys;
	pthread_mutex_t mutex; /* guards: slots */
	struct slot slots[SLOTS];
};

enum err key_cache_new(api_key_lookup_work *find, struct reader *keys, struct key_cache **cache)
{
	struct key_cache *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	made->find = find;
	made->keys = keys;
	pthread_mutex_init(&made->mutex, NULL);
	*cache = made;
	return ERR_OK;
}

void key_cache_free(struct key_cache *cache)
{
	if (cache == NULL)
		return;
	pthread_mutex_destroy(&cache->mutex);
	free(cache);
}

/* Ids are random, so that some of their digits spread them. */
static struct slot *slot_of(struct key_cache *cache, const char *id)
{
	return &cache->slots[strtoul(id + 8, NULL, 16) % SLOTS];
}

/* What is remembered of the key; false where this caller must look it up. */
static bool recall(struct key_cache *cache, const char *id, int64_t boot_us,
		   struct api_key_grant *grant)
{
	struct slot *slot = slot_of(cache, id);
	int64_t age_us;
	bool known;

	pthread_mutex_lock(&cache->mutex);
	age_us = boot_us - slot->found_boot_us;
	known = strcmp(slot->id, id) == 0 && age_us < 2 * KEY_FRESH_US;
	if (known && age_us >= KEY_FRESH_US && boot_us - slot->asked_boot_us >= KEY_FRESH_US) {
		slot->asked_boot_us = boot_us;
		known = false;
	}
	if (known)
		*grant = slot->grant;
	pthread_mutex_unlock(&cache->mutex);
	return known;
}

static void remember(struct key_cache *cache, const char *id, int64_t boot_us,
		     const struct api_key_grant *grant)
{
	struct slot *slot = slot_of(cache, id);

	pthread_mutex_lock(&cache->mutex);
	if (strcmp(slot->id, id) != 0 || slot->found_boot_us < boot_us) {
		memcpy(slot->id, id, sizeof slot->id);
		slot->grant = *grant;
		slot->found_boot_us = slot->asked_boot_us = boot_us;
	}
	pthread_mutex_unlock(&cache->mutex);
}

static void forget(struct key_cache *cache, const char *id)
{
	struct slot *slot = slot_of(cache, id);

	pthread_mutex_lock(&cache->mutex);
	if (strcmp(slot->id, id) == 0)
		slot->id[0] = '\0';
	pthread_mutex_unlock(&cache->mutex);
}

static enum err look_up(struct key_cache *cache, const char *id, struct key_moment at,
			struct api_key_grant *grant)
{
	enum err err = cache->find(cache->keys, id, at.deadline_boot_us, grant);

	if (err == ERR_OK)
		remember(cache, id, at.boot_us, grant);
	if (err != ERR_NOT_FOUND)
		return err;
	forget(cache, id);
	return ERR_UNAUTHENTICATED;
}

enum err key_cache_check(struct key_cache *cache, const struct key_token *token,
			 struct key_moment at, struct token_claims *claims)
{
	struct api_key_grant grant;
	enum err err = ERR_OK;

	if (!recall(cache, token->id, at.boot_us, &grant))
		err = look_up(cache, token->id, at, &grant);
	if (err != ERR_OK)
		return err;
	if (!secret_equal(grant.digest, sizeof grant.digest, token->digest, sizeof token->digest) ||
	    at.now_s >= grant.claims.expires_at_s)
		return ERR_UNAUTHENTICATED;
	*claims = grant.claims;
	return ERR_OK;
}

bool key_cache_knows(struct key_cache *cache, const struct key_token *token)
{
	const struct slot *slot = slot_of(cache, token->id);
	bool knows;

	pthread_mutex_lock(&cache->mutex);
	knows = strcmp(slot->id, token->id) == 0 &&
		secret_equal(slot->grant.digest, sizeof slot->grant.digest, token->digest,
			     sizeof token->digest);
	pthread_mutex_unlock(&cache->mutex);
	return knows;
}
