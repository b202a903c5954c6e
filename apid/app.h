/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * App: what every request handler and the dispatcher may use, made in main() before threads start.
 *
 * Invariant  frozen but for the pool, the counters, the flags and which settings are in force
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
#include "gateway/gateway.h"
#include "service/api_key_lookup.h"
#include "store/store.h"

struct batch;
struct breakers;
struct catalogue;
struct customer_country;
struct dispatcher;
struct reader;
struct reference;
struct settings_live;

struct app {
	struct store_pool *pool;
	struct batch *intake;    /* committers of payments */
	struct batch *callbacks; /* of gateways' messages */
	struct reader *lookups;  /* of transactions by id */
	struct reader *keys;     /* of API keys */
	struct reader *methods;  /* of payment methods */
	struct reader *merchants;
	struct catalogue *catalogue;
	struct customer_country *countries;
	struct settings_live *settings; /* which a call holds one of: call.h */
	api_key_lookup_work *find_key;  /* by its reader */
	struct metrics *metrics;
	struct breakers *breakers;
	struct dispatcher *dispatcher;
	int64_t started_at_us;
	const struct reference *reference;
	struct lockout *lockout;       /* of those who guess; NULL: nobody is locked out */
	struct address_ranges proxies; /* that are trusted to say whom they speak for */
	atomic_bool draining;
};

#endif
