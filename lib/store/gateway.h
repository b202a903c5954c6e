/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of gateway and gateway_account.
 *
 * Invariant  who writes them locks and raises the catalogue's version (store/catalogue.h)
 * Units      UTC microseconds, timeouts in milliseconds
 * Ownership  rows are plain values in the caller's storage
 * Threads    as the store transaction passed in
 */
#ifndef STORE_GATEWAY_H
#define STORE_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attempt.h"
#include "core/routing.h"
#include "store/merchant.h"
#include "store/store.h"

#define GATEWAY_PATH_SIZE 512
#define GATEWAY_BASE_URL_SIZE 401
#define GATEWAY_ACCOUNT_SIZE 65

struct gateway_row {
	char gateway[ROUTING_NAME_SIZE];
	char adapter[ROUTING_NAME_SIZE];
	char base_url[GATEWAY_BASE_URL_SIZE];
	char api_key_file[GATEWAY_PATH_SIZE];
	char callback_secret_file[GATEWAY_PATH_SIZE];
	char callback_secret_file_previous[GATEWAY_PATH_SIZE]; /* "" is NULL, here and below */
	int connect_timeout_ms;
	int total_timeout_ms;
	int64_t quiet_ms;
	int64_t callback_wait_ms;
	bool idempotent;
	bool authoritative;
	char operations[ROUTING_SET_SIZE];
	char currencies[ROUTING_SET_SIZE];
	char countries[ROUTING_SET_SIZE];
	char methods[ROUTING_SET_SIZE];
	char limits[ROUTING_SET_SIZE];
	enum routing_state state;
	char state_reason[ROUTING_REASON_SIZE];
	int64_t maintenance_from_us; /* 0 is NULL */
	int64_t maintenance_until_us;
	char maintenance_reason[ROUTING_REASON_SIZE];
	int64_t changed_at_us;
	int64_t authorisation_expiry_s;
};

/* What a merchant is called at a gateway, perhaps with credentials of its own. */
struct gateway_account_row {
	char gateway[ROUTING_NAME_SIZE];
	char merchant[MERCHANT_SIZE];
	char account[GATEWAY_ACCOUNT_SIZE];
	char api_key_file[GATEWAY_PATH_SIZE]; /* "": the gateway's */
	char callback_secret_file[GATEWAY_PATH_SIZE]; /* "": the gateway's */
	char callback_secret_file_previous[GATEWAY_PATH_SIZE];
};

/* All gateways by name, all accounts by gateway and merchant; `each` is called per row. */
typedef void store_gateway_each(void *context, const struct gateway_row *row);
typedef void store_gateway_account_each(void *context, const struct gateway_account_row *row);
CHECKED enum err store_gateway_list(struct store_tx *tx, store_gateway_each *each, void *context);
CHECKED enum err store_gateway_account_list(struct store_tx *tx, store_gateway_account_each *each,
					    void *context);

/* Insert it, or write all of it over the one of this name. */
CHECKED enum err store_gateway_put(struct store_tx *tx, const struct gateway_row *row);

bool store_gateway_account_same(const struct gateway_account_row *a,
				const struct gateway_account_row *b);

/* Whether two rows hold the same, but for changed_at_us. */
bool store_gateway_same(const struct gateway_row *a, const struct gateway_row *b);

/* Delete all; insert one: ERR_CONFLICT (it is there), ERR_NOT_FOUND (its gateway or merchant is not). */
CHECKED enum err store_gateway_account_clear(struct store_tx *tx);
CHECKED enum err store_gateway_account_insert(struct store_tx *tx,
					      const struct gateway_account_row *row);

#endif
