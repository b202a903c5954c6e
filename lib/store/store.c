/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/log.h"
#include "store/bulk.h"
#include "store/sheet_private.h"
#include "store/statement.h"

#define PAUSE_MIN_US 1000
#define PAUSE_MAX_US 50000

/* lint: state: a counter for the metrics, of all pools */
static atomic_uint_fast64_t retries;

uint64_t store_pool_retries(const struct store_pool *pool)
{
	(void)pool;
	return atomic_load(&retries);
}

enum err store_open(const struct store_settings *settings, struct store **store,
		    char why[STORE_WHY_SIZE])
{
	struct store *opened = calloc(1, sizeof *opened);
	enum err err;

	if (opened == NULL) {
		snprintf(why, STORE_WHY_SIZE, "out of memory");
		return ERR_MEMORY;
	}
	err = connection_open(settings, &opened->mysql, why);
	if (err == ERR_OK)
		err = statement_prepare_all(opened, why);
	if (err != ERR_OK) {
		store_close(opened);
		return err;
	}
	*store = opened;
	return ERR_OK;
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	connection_enter_thread();
	statement_close_all(store);
	bulk_free(store->bulk);
	if (store->mysql != NULL)
		mysql_close(store->mysql);
	free(store);
}

bool store_is_lost(const struct store *store)
{
	return store->lost;
}

/* BEGIN, COMMIT and ROLLBACK: logged here, since they are not in the registry. */
static enum err command(struct store *store, const char *text)
{
	bool lost;
	enum err err = connection_command(store->mysql, text, &lost);

	if (lost)
		store->lost = true;
	if (err == ERR_STORE)
		log_error("the database refused a statement", LOG_TEXT("statement", text),
			  LOG_INT("error", mysql_errno(store->mysql)));
	return err;
}

/* Nothing was committed whatever becomes of this: a connection that cannot roll back is closed, which does it. */
static void rollback(struct store *store)
{
	if (!store->lost && command(store, "ROLLBACK") != ERR_OK)
		store->lost = true;
}

static enum err commit(struct store *store)
{
	enum err err = command(store, "COMMIT");

	if (err == ERR_OK)
		return ERR_OK;
	if (store->lost)
		return ERR_UNCERTAIN;
	rollback(store);
	return err;
}

#ifdef PAYOPS_FAULTS
/* A test moves the database's clock as well (base/clock_test.h). */
static enum err tell_time(struct store *store)
{
	char text[64] = "SET timestamp = DEFAULT";
	int64_t at_us = 0;
	enum err err;

	(void)clock_database_us(&at_us);
	if (at_us == store->told_us)
		return ERR_OK;
	if (at_us != 0)
		snprintf(text, sizeof text, "SET timestamp = %lld.%06lld",
			 (long long)(at_us / 1000000), (long long)(at_us % 1000000));
	err = command(store, text);
	if (err == ERR_OK)
		store->told_us = at_us;
	return err;
}
#else
static enum err tell_time(struct store *store)
{
	(void)store;
	return ERR_OK;
}
#endif

static enum err run_once(struct store *store, store_work *work, void *context)
{
	struct store_tx tx = { .store = store, .doomed = ERR_OK };
	enum err err = tell_time(store);

	if (err == ERR_OK)
		err = command(store, "START TRANSACTION");
	if (err != ERR_OK)
		return err;
	store->reached = true;
	err = work(&tx, context);
	if (err == ERR_OK)
		err = sheet_flush(&tx);
	if (err == ERR_OK)
		err = tx.doomed;
	sheet_free(tx.sheet);
	if (err != ERR_OK) {
		rollback(store);
		return err;
	}
	fault_point("store_before_commit");
	err = commit(store);
	fault_point("store_after_commit");
	return err;
}

static enum err look_once(struct store *store, store_work *work, void *context)
{
	struct store_tx tx = { .store = store, .doomed = ERR_OK };
	enum err err = tell_time(store);

	if (err == ERR_OK)
		err = work(&tx, context);
	return err == ERR_OK ? tx.doomed : err;
}

/* Grows with the tries, and differs between those who met each other. */
static void pause_before(unsigned try)
{
	int64_t most_us = PAUSE_MIN_US << try;
	uint32_t random;

	if (most_us > PAUSE_MAX_US)
		most_us = PAUSE_MAX_US;
	crypto_random(&random, sizeof random);
	clock_sleep_us(PAUSE_MIN_US + random % (most_us - PAUSE_MIN_US + 1));
}

typedef enum err run_function(struct store *store, store_work *work, void *context);

static enum err run_again(struct store *store, run_function *once, unsigned tries, store_work *work,
			  void *context)
{
	enum err err;

	connection_enter_thread();
	store->reached = false;
	for (unsigned try = 1;; try++) {
		if (store->lost)
			return ERR_UNAVAILABLE;
		err = once(store, work, context);
		if (err != ERR_BUSY || try == tries)
			return err;
		atomic_fetch_add(&retries, 1);
		pause_before(try);
	}
}

enum err store_run(struct store *store, store_work *work, void *context)
{
	return run_again(store, run_once, STORE_TRIES, work, context);
}

enum err store_run_tries(struct store *store, unsigned tries, store_work *work, void *context)
{
	assert(tries >= 1 && tries <= STORE_TRIES);
	return run_again(store, run_once, tries, work, context);
}

enum err store_look(struct store *store, store_work *work, void *context)
{
	return run_again(store, look_once, STORE_TRIES, work, context);
}

enum err store_now(struct store_tx *tx, int64_t *now_us)
{
	struct now_row {
		int64_t now_us;
	} row;
	static const struct column columns[] = { COLUMN_NUMBER(struct now_row, now_us) };
	static const struct shape shape = SHAPE(columns);
	const struct cells none = { .count = 0 };
	enum err err;

	if (sheet_now(tx, now_us))
		return ERR_OK;
	err = statement_read(tx, STATEMENT_NOW, &none, &shape, &row);
	if (err != ERR_OK)
		return err;
	*now_us = row.now_us;
	sheet_keep_now(tx, row.now_us);
	return ERR_OK;
}
