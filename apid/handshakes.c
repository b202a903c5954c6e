/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/handshakes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

struct handshakes {
	struct metrics *metrics;
	pthread_mutex_t mutex; /* guards: quiet_until_us, left_out */
	int64_t quiet_until_us[HANDSHAKES_SLOTS][TLS_FAILURES]; /* of those who share a slot */
	int64_t left_out;
};

enum err handshakes_new(struct metrics *metrics, struct handshakes **handshakes)
{
	struct handshakes *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	made->metrics = metrics;
	pthread_mutex_init(&made->mutex, NULL);
	*handshakes = made;
	return ERR_OK;
}

void handshakes_free(struct handshakes *handshakes)
{
	if (handshakes == NULL)
		return;
	pthread_mutex_destroy(&handshakes->mutex);
	free(handshakes);
}

/* FNV-1a */
static size_t slot_of(const struct address *address)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < sizeof address->bytes; i++)
		hash = (hash ^ address->bytes[i]) * 16777619U;
	return (hash ^ hash >> 16) % HANDSHAKES_SLOTS;
}

bool handshakes_is_told(struct handshakes *handshakes, const struct http_tls_failure *failure,
			int64_t now_boot_us, int64_t *left_out)
{
	int64_t *quiet_until_us =
		&handshakes->quiet_until_us[slot_of(&failure->peer)][failure->what];
	bool told;

	pthread_mutex_lock(&handshakes->mutex);
	told = now_boot_us >= *quiet_until_us;
	if (told) {
		*quiet_until_us = now_boot_us + HANDSHAKES_QUIET_US;
		*left_out = handshakes->left_out;
		handshakes->left_out = 0;
	} else {
		handshakes->left_out++;
	}
	pthread_mutex_unlock(&handshakes->mutex);
	return told;
}

void handshakes_failed(void *context, const struct http_tls_failure *failure)
{
	struct handshakes *handshakes = context;
	char peer[ADDRESS_TEXT_SIZE];
	int64_t left_out;

	metrics_tls_failure(handshakes->metrics, failure->what);
	if (handshakes_is_told(handshakes, failure, clock_boot_us(), &left_out))
		log_info("TLS handshake failed",
			 LOG_TEXT("peer", address_write(failure->peer, peer)),
			 LOG_TEXT("failure", words_text(tls_failure_words, (int)failure->what)),
			 LOG_TEXT("reason", failure->reason), LOG_INT("left_out", left_out));
}
