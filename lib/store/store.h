/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Store: connections to the database, the one transaction runner, and the pool.
 *
 * Invariant  every statement comes from the registry and was prepared when its connection opened; isolation is READ
 *            COMMITTED, time zone +00:00, strict sql_mode, utf8mb4; autocommit
 * Ownership  a struct store belongs to one thread at a time; the pool hands them out
 * Threads    the pool is safe; a connection is not
 *
 * Failures   unique violation (1062) -> ERR_CONFLICT; missing parent row (1452) -> ERR_NOT_FOUND;
 *            1205, 1213, 1020, 1317, Galera abort (1047, 1213) -> ERR_BUSY; connection lost or
 *            refused -> ERR_UNAVAILABLE, but lost after COMMIT was sent -> ERR_UNCERTAIN; anything
 *            else -> ERR_STORE, logged once with number and statement name, never values
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "core/err.h"

#define STORE_WHY_SIZE 512
/* Of one transaction that meets ERR_BUSY, with a growing random pause of 1..50 ms. */
#define STORE_TRIES 8

struct store_settings {
	const char *host; /* used when socket is "" */
	int port;
	const char *socket; /* path, or "" */
	const char *user;
	const struct secret *password; /* NULL: none */
	const char *database;
	int connect_timeout_ms;
	int statement_timeout_ms; /* read and write timeout of the connection */
	int lock_wait_max_s;      /* 0: five seconds */
	bool counts_changed; /* an UPDATE or upsert counts rows it changed, not rows it found */
};

struct store;    /* one connection */
struct store_tx; /* a transaction in progress on it, or an autocommit look */

/*
 * Connect, set the session, prepare every statement.
 * Returns  ERR_OK; ERR_UNAVAILABLE; ERR_SCHEMA where a statement cannot be prepared (a table or
 *          column is missing); with one line in `why`
 */
CHECKED enum err store_open(const struct store_settings *settings, struct store **store,
			    char why[STORE_WHY_SIZE]);
void store_close(struct store *store);

/* The connection is of no more use: only closing helps. */
bool store_is_lost(const struct store *store);

/*
 * Work inside a transaction. Return ERR_OK to commit, anything else to roll back. May be called again from the start
 * after ERR_BUSY, so it must have no effect outside the transaction but its outputs.
 */
typedef enum err store_work(struct store_tx *tx, void *context);

/*
 * Begin, work, commit; again on ERR_BUSY up to STORE_TRIES.
 * Returns  what the work returned, or ERR_BUSY, ERR_UNAVAILABLE (nothing was committed), ERR_UNCERTAIN (the commit's
 *          answer was lost: look it up)
 */
CHECKED enum err store_run(struct store *store, store_work *work, void *context);

/* The same with fewer tries (1..STORE_TRIES), where others wait for the same connection. */
CHECKED enum err store_run_tries(struct store *store, unsigned tries, store_work *work,
				 void *context);

/* The same without a transaction: each statement by itself (reads). Retried on ERR_BUSY too. */
CHECKED enum err store_look(struct store *store, store_work *work, void *context);

/* The database's clock, UTC microseconds. */
CHECKED enum err store_now(struct store_tx *tx, int64_t *now_us);

/*
 * Pool of `size` connections. Opening makes the first connection at once (so that a wrong setting stops the start), the
 * others when needed. A connection that broke is closed on release and opened again on a later acquire.
 * Acquire returns ERR_OK; ERR_OVERLOADED when none was free within wait_ms; ERR_UNAVAILABLE when none can be opened.
 */
struct store_pool;
CHECKED enum err store_pool_open(const struct store_settings *settings, size_t size,
				 struct store_pool **pool, char why[STORE_WHY_SIZE]);
void store_pool_close(struct store_pool *pool);
CHECKED enum err store_pool_acquire(struct store_pool *pool, int wait_ms, struct store **store);
void store_pool_release(struct store_pool *pool, struct store *store);

/* acquire, store_run or store_look, release. */
CHECKED enum err store_pool_run(struct store_pool *pool, int wait_ms, store_work *work,
				void *context);
CHECKED enum err store_pool_look(struct store_pool *pool, int wait_ms, store_work *work,
				 void *context);

/* How often ERR_BUSY made a transaction run again, since the process started (any pool). */
uint64_t store_pool_retries(const struct store_pool *pool);

/*
 * Judge the server's settings: innodb_flush_log_at_trx_commit = 1, sync_binlog = 1 when log_bin is
 * on, innodb_doublewrite on (or a storage that detects torn pages: OFF is refused), the session's
 * isolation and strict sql_mode, MariaDB >= 10.6 or MySQL >= 8.0.16 (CHECK constraints), and schema
 * version == MIGRATE_VERSION.
 * Returns  ERR_OK; ERR_UNSAFE or ERR_SCHEMA with one clear line in `why` that names the setting, its
 *          value, the wanted value and what to do ("run payopsctl migrate up"); what the database
 *          answered where they cannot be read
 */
CHECKED enum err store_check_durability(struct store *store, char why[STORE_WHY_SIZE]);
CHECKED enum err store_check_schema(struct store *store, char why[STORE_WHY_SIZE]);

#endif
