/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What API keys allow, as it was found in the database a moment ago.
 *
 * Invariant  a key is looked up again once KEY_FRESH_US have passed, by one of those who need it while the others go on
 *            with what was found, and by each of them from twice that on: a revoked key is refused within two seconds.
 *            What is remembered is the hash of a secret; refusals are not remembered
 * Ownership  the reader of keys is borrowed until key_cache_free()
 * Threads    safe; the look-up happens outside of the mutex
 * Source     API.md: Authentication
 */
#ifndef APID_KEY_CACHE_H
#define APID_KEY_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/key_token.h"
#include "base/token.h"
#include "core/err.h"
#include "service/api_key_lookup.h"

#define KEY_FRESH_US INT64_C(1000000)

struct key_cache;

CHECKED enum err key_cache_new(api_key_lookup_work *find, struct reader *keys,
			       struct key_cache **cache);
/* Accepts NULL. */
void key_cache_free(struct key_cache *cache);

/* When a key is judged: keys expire by the calendar, what is remembered ages by the boot clock, as who waits does. */
struct key_moment {
	int64_t now_s;
	int64_t boot_us;
	int64_t deadline_boot_us; /* of a look-up */
};

/*
 * Whether this is a key's secret, and the key is neither revoked nor expired.
 * Returns  ERR_OK with *claims; ERR_UNAUTHENTICATED, whichever of these it is; ERR_DEADLINE, or what else the
 *          look-up met
 */
CHECKED enum err key_cache_check(struct key_cache *cache, const struct key_token *token,
				 struct key_moment at, struct token_claims *claims);

/* Whether this was a key's secret when the key was looked up last, as far as is remembered, however long ago. */
bool key_cache_knows(struct key_cache *cache, const struct key_token *token);

#endif
