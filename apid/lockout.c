/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/lockout.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

#define SHARDS 64
#define SLOTS 64 /* of a shard */
#define US_PER_S INT64_C(1000000)

/*
 * What a subject failed is one time: when it will all be forgiven, if nothing more fails (as in rate.c). A lock moves
 * that time behind its end, so that the failure after it begins the next one.
 */
struct slot {
	struct lockout_subject subject;
	int64_t calm_at_us; /* all is forgiven; 0: empty */
	int64_t locked_until_us;
	int64_t lock_us; /* how long the latest lock was; 0: none */
};

struct shard {
	pthread_mutex_t mutex; /* guards: slots */
	struct slot slots[SLOTS];
};

struct lockout {
	struct lockout_settings settings;
	uint64_t seed;                 /* nobody can choose subjects that share a shard */
	atomic_int_fast64_t latest_us; /* nobody is locked out from then on */
	struct shard shards[SHARDS];
};

enum err lockout_new(const struct lockout_settings *settings, struct lockout **lockout)
{
	struct lockout *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	made->settings = *settings;
	crypto_random(&made->seed, sizeof made->seed);
	atomic_init(&made->latest_us, 0);
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&made->shards[i].mutex, NULL);
	*lockout = made;
	return ERR_OK;
}

void lockout_free(struct lockout *lockout)
{
	if (lockout == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&lockout->shards[i].mutex);
	free(lockout);
}

/* FNV-1a from a random start. */
static struct shard *shard_of(struct lockout *lockout, const struct lockout_subject *subject)
{
	uint64_t hash = (lockout->seed ^ (uint64_t)subject->kind) * UINT64_C(1099511628211);

	for (size_t i = 0; i < LOCKOUT_NAME_SIZE; i++)
		hash = (hash ^ subject->name[i]) * UINT64_C(1099511628211);
	return &lockout->shards[(hash ^ hash >> 32) % SHARDS];
}

static bool is_of(const struct slot *slot, const struct lockout_subject *subject)
{
	return slot->calm_at_us != 0 && slot->subject.kind == subject->kind &&
	       memcmp(slot->subject.name, subject->name, LOCKOUT_NAME_SIZE) == 0;
}

/* The subject's; NULL where nothing is known of it. */
static struct slot *find(struct shard *shard, const struct lockout_subject *subject)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (is_of(&shard->slots[i], subject))
			return &shard->slots[i];
	return NULL;
}

/* The subject's, or the one that is calm soonest, emptied. */
static struct slot *take(struct shard *shard, const struct lockout_subject *subject)
{
	struct slot *slot = find(shard, subject);

	if (slot != NULL)
		return slot;
	slot = &shard->slots[0];
	for (size_t i = 1; i < SLOTS; i++)
		if (shard->slots[i].calm_at_us < slot->calm_at_us)
			slot = &shard->slots[i];
	*slot = (struct slot){ .subject = *subject };
	return slot;
}

static int seconds_up(int64_t us)
{
	return us <= 0 ? 0 : (int)((us + US_PER_S - 1) / US_PER_S);
}

int lockout_left_s(struct lockout *lockout, const struct lockout_subject *subject,
		   int64_t now_boot_us)
{
	const struct slot *slot;
	struct shard *shard;
	int64_t left_us = 0;

	if (lockout == NULL || now_boot_us >= atomic_load(&lockout->latest_us))
		return 0;
	shard = shard_of(lockout, subject);
	pthread_mutex_lock(&shard->mutex);
	slot = find(shard, subject);
	if (slot != NULL)
		left_us = slot->locked_until_us - now_boot_us;
	pthread_mutex_unlock(&shard->mutex);
	return seconds_up(left_us);
}

/* Lock it, twice as long as the latest time. */
static void lock(const struct lockout_settings *settings, struct slot *slot, int64_t now_us)
{
	const int64_t wished_us = slot->lock_us > 0 ? 2 * slot->lock_us : settings->first_us;

	slot->lock_us = wished_us < settings->longest_us ? wished_us : settings->longest_us;
	slot->locked_until_us = now_us + slot->lock_us;
	slot->calm_at_us = slot->locked_until_us + settings->window_us -
			   settings->window_us / settings->failures;
}

/* Whether a lock begins. What fails while it is locked, since it may be judged all the same, changes nothing. */
static bool fail(const struct lockout_settings *settings, struct slot *slot, int64_t now_us)
{
	if (now_us < slot->locked_until_us)
		return false;
	if (now_us >= slot->calm_at_us + settings->longest_us)
		slot->lock_us = 0;
	if (slot->calm_at_us < now_us)
		slot->calm_at_us = now_us;
	slot->calm_at_us += settings->window_us / settings->failures;
	if (slot->calm_at_us - now_us <=
	    settings->window_us - settings->window_us / settings->failures)
		return false;
	lock(settings, slot, now_us);
	return true;
}

static void note_latest(struct lockout *lockout, int64_t until_us)
{
	int_fast64_t latest_us = atomic_load(&lockout->latest_us);

	while (latest_us < until_us &&
	       !atomic_compare_exchange_weak(&lockout->latest_us, &latest_us, until_us))
		continue;
}

int lockout_fail(struct lockout *lockout, const struct lockout_subject *subject,
		 int64_t now_boot_us)
{
	struct shard *shard;
	struct slot *slot;
	int64_t lock_us = 0;

	if (lockout == NULL || lockout->settings.failures == 0)
		return 0;
	shard = shard_of(lockout, subject);
	pthread_mutex_lock(&shard->mutex);
	slot = take(shard, subject);
	if (fail(&lockout->settings, slot, now_boot_us))
		lock_us = slot->lock_us;
	pthread_mutex_unlock(&shard->mutex);
	if (lock_us > 0)
		note_latest(lockout, now_boot_us + lock_us);
	return seconds_up(lock_us);
}
