/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * App: what every request handler and the dispatcher may use, made in main() before threads start.
 *
 * Invariant  frozen but for the pool, the counters and the two flags
 * Threads    safe
 */
#ifndef APID_APP_H
#define APID_APP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "apid/lockout.h"
#include "apid/metrics.h"
#include "base/address.h"
#include "base/token.h"
#include "gateway/gateway.h"
#include "service/api_key.h"
#include "service/vault.h"
#include "store/store.h"

struct batch;
struct breakers;
struct catalogue;
struct customer_country;
struct dispatcher;
struct reference;

struct app {
	struct store_pool *pool;
	struct batch *intake;    /* committers of payments */
	struct batch *callbacks; /* of gateways' messages */
	struct batch *lookups;   /* readers of transactions by id */
	struct catalogue *catalogue;
	struct customer_country *countries;
	const struct token_keys *token_keys;
	api_key_find_work *find_key; /* in the pool's database */
	const struct vault *vault;
	struct metrics *metrics;
	struct breakers *breakers;
	struct dispatcher *dispatcher;
	int request_timeout_ms; /* when the client names none */
	int64_t manual_expiry_us;
	int64_t started_at_us;
	const char *cors_origins; /* separated by blanks */
	const struct reference *reference;
	struct lockout *lockout;       /* of those who guess; NULL: nobody is locked out */
	struct address_ranges proxies; /* that are trusted to say whom they speak for */
	atomic_bool draining;
};

#endif
