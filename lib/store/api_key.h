/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of api_key: what is known of the keys of merchants' programs.
 *
 * Invariant  a secret's hash stands here, never the secret; at most two keys of a merchant's name have a slot
 * Units      microseconds of the database clock
 * Threads    as the store transaction passed in
 */
#ifndef STORE_API_KEY_H
#define STORE_API_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/key_token.h"
#include "base/token.h"
#include "core/id.h"
#include "store/merchant.h"
#include "store/store.h"

#define API_KEY_NAME_SIZE 65
#define API_KEY_BY_SIZE 65
#define API_KEY_SLOTS 2

struct api_key_row {
	char id[KEY_TOKEN_ID_SIZE];
	char merchant[MERCHANT_SIZE];
	char name[API_KEY_NAME_SIZE];
	int slot; /* 1 or 2; 0: not in use any more */
	uint8_t digest[CRYPTO_SHA256_SIZE];
	char scopes[TOKEN_SCOPES_SIZE]; /* words with a blank between */
	int64_t created_at_us;
	char created_by[API_KEY_BY_SIZE];
	int64_t expires_at_us;
	int64_t revoked_at_us; /* 0: not */
	char revoked_by[API_KEY_BY_SIZE];
};

/* Returns ERR_OK; ERR_CONFLICT where the id or the slot is taken; ERR_NOT_FOUND where the merchant is not there. */
CHECKED enum err store_api_key_insert(struct store_tx *tx, const struct api_key_row *row);

/* Returns ERR_OK with *row, revoked and expired ones too; ERR_NOT_FOUND. */
CHECKED enum err store_api_key_find(struct store_tx *tx, const char *id, struct api_key_row *row);

/* Lock and read those of a name that have a slot, by slot. */
CHECKED enum err store_api_key_lock(struct store_tx *tx, const char *merchant, const char *name,
				    struct api_key_row rows[API_KEY_SLOTS], size_t *count);

/* Take the slot from those of a name that have expired at `now_us`. */
CHECKED enum err store_api_key_vacate(struct store_tx *tx, const char *merchant, const char *name,
				      int64_t now_us);

/* Revoke it, for good. ERR_OK too where there is none, or it was revoked before: it stays as it is. */
CHECKED enum err store_api_key_revoke(struct store_tx *tx, const char *id, int64_t now_us,
				      const char *by);

/* Those of a merchant, or of all where `merchant` is "": by merchant, name and age; _MAX and one more at most. */
#define API_KEY_LIST_MAX 10000
typedef void store_api_key_each(void *context, const struct api_key_row *row);
CHECKED enum err store_api_key_list(struct store_tx *tx, const char *merchant,
				    store_api_key_each *each, void *context);

/* A merchant's, newest first, behind a place (INT64_MAX: from the top); at most `limit`. */
#define API_KEY_LIST_LIMIT_MAX 200
struct api_key_place {
	int64_t at_us;
	struct id id; /* the sixteen digits as they are */
};
CHECKED enum err store_api_key_page(struct store_tx *tx, const char *merchant,
				    const struct api_key_place *after, unsigned limit,
				    store_api_key_each *each, void *context);

#endif
