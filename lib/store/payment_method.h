/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of payment_method: a gateway's token of a customer's card or account, and what people know it by.
 *
 * Invariant  never a card number; the token stands sealed; a customer has one default at most, and a gateway's token
 *            once
 * Units      UTC microseconds
 * Ownership  rows are plain values in the caller's storage
 * Threads    as the store transaction passed in; the customer's row is locked first
 */
#ifndef STORE_PAYMENT_METHOD_H
#define STORE_PAYMENT_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/id.h"
#include "core/payment_method.h"
#include "store/customer.h"
#include "store/store.h"

#define METHOD_TOKEN_SEALED_SIZE 256

struct payment_method_row {
	struct id id;
	struct id customer_row; /* of the table customer */
	char merchant[MERCHANT_SIZE];
	char gateway[33];
	char method[PAYMENT_METHOD_SIZE];
	uint8_t token_sealed[METHOD_TOKEN_SEALED_SIZE];
	size_t token_sealed_size;
	uint8_t token_hash[CUSTOMER_HASH_SIZE];
	char key_id[33];
	char brand[METHOD_BRAND_SIZE]; /* "" is NULL in the table, here and below */
	char last4[5];
	int expiry_month; /* 0: not known */
	int expiry_year;
	bool is_default;
	uint32_t version;
	int64_t created_at_us;
	int64_t updated_at_us;
	struct creation_key key;
};

/* Returns ERR_OK; ERR_CONFLICT (the customer has this token of this gateway, or another default; the key was used). */
CHECKED enum err store_payment_method_insert(struct store_tx *tx,
					     const struct payment_method_row *row);

/* One of the customer's. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_payment_method_find(struct store_tx *tx, struct id customer_row,
					   struct id id, struct payment_method_row *row);

/* The same by the customer's own id, unless erased. */
CHECKED enum err store_payment_method_find_of(struct store_tx *tx, const char *merchant,
					      const char *customer, struct id id,
					      struct payment_method_row *row);

/* The one that has this token, by gateway and hash of `row`. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_payment_method_find_token(struct store_tx *tx,
						 const struct payment_method_row *row,
						 struct payment_method_row *found);

/* The one that this key of the merchant's made, of any customer. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_payment_method_find_key(struct store_tx *tx, const char *merchant,
					       const struct creation_key *key,
					       struct payment_method_row *row);

CHECKED enum err store_payment_method_count(struct store_tx *tx, struct id customer_row,
					    int64_t *count);

/* All of the customer's, newest first; `each` is called per row. */
typedef void store_payment_method_each(void *context, const struct payment_method_row *row);
CHECKED enum err store_payment_method_list(struct store_tx *tx, struct id customer_row,
					   store_payment_method_each *each, void *context);

/* Let none be the default. */
CHECKED enum err store_payment_method_clear_default(struct store_tx *tx, struct id customer_row,
						    int64_t now_us);

/* Delete one of the customer's. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_payment_method_delete(struct store_tx *tx, struct id customer_row,
					     struct id id);
CHECKED enum err store_payment_method_delete_all(struct store_tx *tx, struct id customer_row);

#endif
