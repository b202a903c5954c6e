/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Catalogue: the gateways with their secrets, the merchants' accounts there and the rules that choose
 * among them, as one immutable view of what the tables held at one version.
 *
 * Invariant  a view never changes; a new version replaces it as a whole, and one that cannot be used
 *            (a secret that cannot be read) leaves the old view in force; what holds a view may use
 *            all of it until it lets go
 * Ownership  catalogue_hold() counts, catalogue_release() gives back; catalogue_close() joins the
 *            watcher and lets go of the last view, which lives on while somebody holds it
 * Threads    safe; the watcher is a thread of its own. Its mutex guards a pointer and a number: no
 *            reader waits for the database or a file
 */
#ifndef SERVICE_CATALOGUE_H
#define SERVICE_CATALOGUE_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/routing.h"
#include "gateway/gateway.h"
#include "store/gateway.h"
#include "store/store.h"

#define CATALOGUE_WHY_SIZE 1024
#define CATALOGUE_ACCOUNTS_MAX 10000
#define CATALOGUE_LOOK_MS 500 /* how often a running server looks for a new version */

static_assert(GATEWAYS_MAX == ROUTING_GATEWAYS_MAX, "one index for both");

/* What a merchant is called at a gateway. */
struct catalogue_account {
	unsigned gateway; /* index */
	char merchant[MERCHANT_SIZE];
	char account[GATEWAY_ACCOUNT_SIZE];
	struct gateway *own; /* the gateway with the merchant's own credentials; NULL: none */
	bool signs;          /* its callbacks have secrets of their own, which only `own` knows */
};

struct catalogue_view {
	int64_t version;
	struct gateway_set gateways;  /* by name; one index with routing.gateways */
	struct routing_table routing; /* points at the two below */
	struct routing_gateway capabilities[GATEWAYS_MAX];
	struct routing_rule *rules;
	struct catalogue_account *accounts; /* by gateway and merchant */
	size_t account_count;
	size_t signing_count; /* accounts that sign */
	atomic_size_t holders;
};

/* Whether a view is for sending, with secrets read from their files, or for looking at only. */
enum catalogue_use { CATALOGUE_SHOW, CATALOGUE_SEND };

/*
 * Make a view of what the tables hold now.
 * Returns  ERR_OK with *view, held once; ERR_CONFIG or ERR_IO with one line in `why`: nobody can send
 *          by it; ERR_BUSY (it changed meanwhile), or what the database answered
 */
CHECKED enum err catalogue_read(struct store_tx *tx, enum catalogue_use use,
				struct catalogue_view **view, char why[CATALOGUE_WHY_SIZE]);

struct catalogue;

/*
 * Read the first view and start the watcher; `pool` is borrowed until catalogue_close().
 * Returns  as catalogue_read()
 */
CHECKED enum err catalogue_open(struct store_pool *pool, struct catalogue **catalogue,
				char why[CATALOGUE_WHY_SIZE]);
void catalogue_close(struct catalogue *catalogue);

/* One that nobody watches, for tests: takes over a view made with calloc() and held once. */
CHECKED enum err catalogue_of(struct catalogue_view *view, struct catalogue **catalogue);

/* Look for a new version now; the watcher does nothing else. True: there is a new view. */
bool catalogue_refresh(struct catalogue *catalogue);

/*
 * Make a view of all that is there now, files of secrets too, whatever the version; it is held once and not in force.
 * Returns  as catalogue_read()
 */
CHECKED enum err catalogue_prepare(struct catalogue *catalogue, struct catalogue_view **view,
				   char why[CATALOGUE_WHY_SIZE]);

/* Put it in force, unless a newer one came meanwhile; takes over the hold. */
void catalogue_adopt(struct catalogue *catalogue, struct catalogue_view *view);

/* Have the watcher do both as soon as the database answers. */
void catalogue_ask_again(struct catalogue *catalogue);

/* The view in force. Never NULL. */
const struct catalogue_view *catalogue_hold(struct catalogue *catalogue);

/* Hold one more time what is held already. */
const struct catalogue_view *catalogue_share(const struct catalogue_view *view);
void catalogue_release(const struct catalogue_view *view);

/*
 * The gateway as this merchant uses it: with its own credential where it has one. *account: what it
 * is called there, or "".
 */
const struct gateway *catalogue_gateway(const struct catalogue_view *view, unsigned gateway,
					const char *merchant, const char **account);

#endif
