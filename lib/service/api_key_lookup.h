/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * API key lookup: what a key allows, as the database says now. A reader of its own asks, for all who wait together, so
 * that a database that stalls holds up nobody beyond his deadline.
 *
 * Invariant  a secret is not seen here, only its hash; an answer is never older than the request for it
 * Threads    safe
 * Source     API.md: Authentication, Deadline
 */
#ifndef SERVICE_API_KEY_LOOKUP_H
#define SERVICE_API_KEY_LOOKUP_H

#include "service/batch.h"
#include "store/api_key.h"

/* What a key that is not revoked allows; its end is in the claims. */
struct api_key_grant {
	uint8_t digest[CRYPTO_SHA256_SIZE];
	struct token_claims claims;
};

/* Start the reader on a connection of its own to `database`, whose texts must outlive it. batch_stop() ends it. */
CHECKED enum err api_key_lookup_start(const struct store_settings *database, struct batch **keys);

/*
 * What the key of this id allows, to who knows its secret.
 * Returns  ERR_OK with *grant (untouched otherwise); ERR_NOT_FOUND where there is none, or it was revoked;
 *          ERR_OVERLOADED; ERR_DEADLINE; else what the database met
 */
typedef enum err api_key_lookup_work(struct batch *keys, const char *id, int64_t deadline_boot_us,
				     struct api_key_grant *grant);
CHECKED enum err api_key_lookup_find(struct batch *keys, const char *id, int64_t deadline_boot_us,
				     struct api_key_grant *grant);

#endif
