/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/rate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS 64
#define SLOTS 32 /* of a shard */
#define MERCHANT_ROOM 33
#define NS_PER_US 1000
#define NS_PER_S INT64_C(1000000000)

/*
 * A bucket is one time: when it will be full, if nothing is taken (GCRA). A bucket that is full says nothing, and its
 * slot is free.
 */
struct bucket {
	char merchant[MERCHANT_ROOM];
	int64_t full_at_ns;
	int64_t interval_ns; /* of the limit this was reckoned with */
};

struct shard {
	pthread_mutex_t mutex; /* guards: buckets */
	struct bucket buckets[SLOTS];
};

struct rate {
	struct shard shards[SHARDS];
};

enum err rate_new(struct rate **rate)
{
	struct rate *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&made->shards[i].mutex, NULL);
	*rate = made;
	return ERR_OK;
}

void rate_free(struct rate *rate)
{
	if (rate == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&rate->shards[i].mutex);
	free(rate);
}

/* FNV-1a: merchants are ours, nobody chooses them to collide. */
static struct shard *shard_of(struct rate *rate, const char *merchant)
{
	uint32_t hash = 2166136261U;

	for (; *merchant != '\0'; merchant++)
		hash = (hash ^ (unsigned char)*merchant) * 16777619U;
	return &rate->shards[(hash ^ hash >> 16) % SHARDS];
}

/* The merchant's, or the fullest one, which is full now for the merchant. */
static struct bucket *bucket_of(struct shard *shard, const char *merchant)
{
	struct bucket *fullest = &shard->buckets[0];

	for (size_t i = 0; i < SLOTS; i++) {
		struct bucket *bucket = &shard->buckets[i];

		if (strcmp(bucket->merchant, merchant) == 0)
			return bucket;
		if (bucket->full_at_ns < fullest->full_at_ns)
			fullest = bucket;
	}
	(void)snprintf(fullest->merchant, sizeof fullest->merchant, "%s", merchant);
	fullest->full_at_ns = 0;
	fullest->interval_ns = 0;
	return fullest;
}

static int64_t seconds_up(int64_t ns)
{
	return ns <= 0 ? 0 : (ns + NS_PER_S - 1) / NS_PER_S;
}

/* Under another limit than before the same number of requests is missing. */
static int64_t missing_of(const struct bucket *bucket, int64_t interval_ns, int64_t now_ns)
{
	const int64_t missing_ns = bucket->full_at_ns - now_ns;

	if (missing_ns <= 0)
		return 0;
	return bucket->interval_ns == interval_ns ? missing_ns
						  : missing_ns / bucket->interval_ns * interval_ns;
}

/* In which one request comes back. */
static int64_t interval_of(struct rate_settings limit)
{
	return NS_PER_S / limit.per_second;
}

static struct rate_verdict judge(struct rate_settings limit, struct bucket *bucket, int64_t now_ns)
{
	const int64_t interval_ns = interval_of(limit);
	const int64_t room_ns = limit.burst * interval_ns;
	int64_t missing_ns = missing_of(bucket, interval_ns, now_ns) + interval_ns;
	struct rate_verdict verdict = { .allowed = missing_ns <= room_ns };

	if (verdict.allowed) {
		bucket->full_at_ns = now_ns + missing_ns;
		bucket->interval_ns = interval_ns;
	} else {
		verdict.retry_in_s = seconds_up(missing_ns - room_ns);
		missing_ns -= interval_ns;
	}
	verdict.left = missing_ns < room_ns ? (room_ns - missing_ns) / interval_ns : 0;
	verdict.full_in_s = seconds_up(missing_ns);
	verdict.is_scarce = verdict.left < limit.burst / 2;
	return verdict;
}

struct rate_verdict rate_take(struct rate *rate, struct rate_settings limit, const char *merchant,
			      int64_t now_boot_us)
{
	struct rate_verdict verdict = { .allowed = true, .left = limit.burst };
	struct shard *shard;

	if (limit.per_second == 0)
		return verdict;
	shard = shard_of(rate, merchant);
	pthread_mutex_lock(&shard->mutex);
	verdict = judge(limit, bucket_of(shard, merchant), now_boot_us * NS_PER_US);
	pthread_mutex_unlock(&shard->mutex);
	return verdict;
}

int64_t rate_window_s(struct rate_settings limit)
{
	return limit.per_second == 0 ? 0 : seconds_up(limit.burst * interval_of(limit));
}
