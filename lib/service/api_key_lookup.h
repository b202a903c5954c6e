/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * API key lookup: what a key allows, as the database says now, by a reader.
 *
 * Invariant  a secret is not seen here, only its hash
 * Threads    safe
 * Source     API.md: Authentication, Deadline
 */
#ifndef SERVICE_API_KEY_LOOKUP_H
#define SERVICE_API_KEY_LOOKUP_H

#include "service/reader.h"
#include "store/api_key.h"

/* What a key that is not revoked allows; its end is in the claims. */
struct api_key_grant {
	uint8_t digest[CRYPTO_SHA256_SIZE];
	struct token_claims claims;
};

/* As reader_start(). */
CHECKED enum err api_key_lookup_start(const struct store_settings *database, struct reader **keys);

/*
 * What the key of this id allows, to who knows its secret.
 * Returns  as reader_ask(); ERR_NOT_FOUND where there is none, or it was revoked
 */
typedef enum err api_key_lookup_work(struct reader *keys, const char *id, int64_t deadline_boot_us,
				     struct api_key_grant *grant);
CHECKED enum err api_key_lookup_find(struct reader *keys, const char *id, int64_t deadline_boot_us,
				     struct api_key_grant *grant);

#endif
