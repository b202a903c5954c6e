/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of customer.
 *
 * Invariant  what tells who somebody is stands sealed or as a keyed hash; an erased row holds none of it
 * Units      UTC microseconds
 * Ownership  rows are plain values in the caller's storage
 * Threads    as the store transaction passed in
 */
#ifndef STORE_CUSTOMER_H
#define STORE_CUSTOMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/id.h"
#include "core/payment.h"
#include "core/transition.h"
#include "store/merchant.h"
#include "store/store.h"

#define CUSTOMER_PROFILE_SEALED_SIZE 2560
#define CUSTOMER_METADATA_SEALED_SIZE 4160
#define CUSTOMER_HASH_SIZE 16

#define CREATION_HASHES_SIZE 128

/* The idempotency key that made a row, and what was asked for; keyed hashes. All bytes 0: it was made without one. */
struct creation_key {
	uint8_t hash[CUSTOMER_HASH_SIZE];
	uint8_t request[CREATION_HASHES_SIZE];
	size_t request_size;
};

enum customer_status { CUSTOMER_ACTIVE, CUSTOMER_ERASED };
extern const struct words customer_status_words;

struct customer_row {
	struct id id;
	char merchant[MERCHANT_SIZE];
	char customer[PAYMENT_CUSTOMER_SIZE]; /* the merchant's own id */
	enum customer_status status;
	char country[3]; /* "" is NULL in the table, here and below */
	uint8_t profile_sealed[CUSTOMER_PROFILE_SEALED_SIZE];
	size_t profile_sealed_size;
	uint8_t metadata_sealed[CUSTOMER_METADATA_SEALED_SIZE];
	size_t metadata_sealed_size;
	char key_id[33]; /* what both are sealed with */
	uint8_t email_hash[CUSTOMER_HASH_SIZE];
	uint8_t phone_hash[CUSTOMER_HASH_SIZE];
	uint32_t version;
	int64_t created_at_us;
	int64_t updated_at_us;
	int64_t erased_at_us; /* 0: not */
	struct creation_key key;
};

/*
 * Returns  ERR_OK; ERR_CONFLICT (the merchant has one of this id, erased ones too, or of this key); ERR_NOT_FOUND (no
 *          such merchant)
 */
CHECKED enum err store_customer_insert(struct store_tx *tx, const struct customer_row *row);

/* The merchant's customer of this id, erased ones too. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_customer_find(struct store_tx *tx, const char *merchant,
				     const char *customer, struct customer_row *row);
/* The same, and lock it (FOR UPDATE). */
CHECKED enum err store_customer_lock(struct store_tx *tx, const char *merchant,
				     const char *customer, struct customer_row *row);

/* The one that this key of the merchant's made. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_customer_find_key(struct store_tx *tx, const char *merchant,
					 const struct creation_key *key, struct customer_row *row);

/* Write all but ids of a locked row whose version is row->version - 1; ERR_STORE where that is not so (a bug). */
CHECKED enum err store_customer_update(struct store_tx *tx, const struct customer_row *row);

/* The customer's country. Returns ERR_OK; ERR_NOT_FOUND where there is none, or no such customer. */
CHECKED enum err store_customer_country(struct store_tx *tx, const char *merchant,
					const char *customer, char country[3]);

/* Whether any customer of the merchant's has a country. */
CHECKED enum err store_customer_any_country(struct store_tx *tx, const char *merchant, bool *any);

/*
 * A list of the merchant's, newest first by (created_at_us, id): after the given place (after_us INT64_MAX: from the
 * top). Filters that are "" or NULL let all pass.
 */
#define CUSTOMER_LIST_LIMIT_MAX 200
struct customer_page {
	const char *merchant;
	enum customer_status status;
	int64_t after_us;
	struct id after_id;
	int64_t from_us; /* created then or later */
	unsigned limit;
	const char *country;
	const uint8_t *email_hash; /* CUSTOMER_HASH_SIZE bytes */
	const uint8_t *phone_hash;
};

/* Read at most page->limit rows; `each` is called per row, which is valid during the call. */
typedef void store_customer_each(void *context, const struct customer_row *row);
CHECKED enum err store_customer_list(struct store_tx *tx, const struct customer_page *page,
				     store_customer_each *each, void *context);

#endif
