/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/rotation.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/customer.h"
#include "store/operation.h"
#include "store/payment_method.h"

#define WORKERS 3
#define COMMIT_ROWS (4 * SEAL_ROWS_MAX) /* as many are locked at once, for some milliseconds */
#define PASS_ROWS 200000                /* looked for at once */
#define IDLE_PASSES 20                  /* without any row, before what is held is left */
#define IDLE_PAUSE_US INT64_C(100000)
#define TEXT_SIZE CUSTOMER_METADATA_SEALED_SIZE /* no sealed text is longer */

/* A sealed column: its place, and where a row has it. */
#define COLUMN_AT(TABLE, PLACE, T, M, KEY)                                                         \
	{                                                                                          \
		TABLE, PLACE, sizeof(((T *)0)->M), offsetof(T, M), offsetof(T, M##_size),          \
			offsetof(T, KEY)                                                           \
	}
static const struct sealed_column {
	enum seal_table table;
	const char *name;
	size_t room;
	size_t bytes_at, size_at, key_at;
} columns[ROTATION_COLUMN_COUNT] = {
	[ROTATION_OPERATION_TOKEN] =
		COLUMN_AT(SEAL_OPERATIONS, VAULT_PAYMENT_TOKEN, struct operation_row,
			  payment_token_sealed, payment_token_key_id),
	[ROTATION_PROFILE] = COLUMN_AT(SEAL_CUSTOMERS, VAULT_PROFILE, struct customer_row,
				       profile_sealed, key_id),
	[ROTATION_METADATA] = COLUMN_AT(SEAL_CUSTOMERS, VAULT_METADATA, struct customer_row,
					metadata_sealed, key_id),
	[ROTATION_METHOD_TOKEN] = COLUMN_AT(SEAL_METHODS, VAULT_METHOD_TOKEN,
					    struct payment_method_row, token_sealed, key_id),
};

/* Every row begins with its id. */
_Static_assert(offsetof(struct operation_row, id) == 0 && offsetof(struct customer_row, id) == 0 &&
		       offsetof(struct payment_method_row, id) == 0,
	       "a row is known by its first member");

static const size_t row_sizes[SEAL_TABLE_COUNT] = {
	[SEAL_OPERATIONS] = sizeof(struct operation_row),
	[SEAL_CUSTOMERS] = sizeof(struct customer_row),
	[SEAL_METHODS] = sizeof(struct payment_method_row),
};

const char *rotation_column_name(enum rotation_column column)
{
	return columns[column].name;
}

/* ---- which keys ---- */

struct counting {
	enum seal_table table;
	struct rotation_keys *keys;
};

static struct rotation_key *key_of(struct rotation_keys *keys, const char *key_id)
{
	size_t at = 0;

	while (at < keys->count && strcmp(keys->list[at].key_id, key_id) != 0)
		at++;
	if (at == keys->count) {
		at = keys->count < ROTATION_KEYS_MAX ? keys->count++ : ROTATION_KEYS_MAX - 1;
		(void)snprintf(keys->list[at].key_id, sizeof keys->list[at].key_id, "%s", key_id);
	}
	return &keys->list[at];
}

static void count_add(void *context, const char *key_id, const int64_t values[SEAL_COLUMNS_MAX])
{
	const struct counting *counting = context;
	struct rotation_key *key = key_of(counting->keys, key_id);

	for (int column = 0; column < ROTATION_COLUMN_COUNT; column++)
		if (columns[column].table == counting->table)
			key->values[column] += *values++;
}

enum err rotation_count(struct store_tx *tx, const struct vault *vault, struct rotation_keys *keys)
{
	struct counting counting = { .keys = keys };
	enum err err = ERR_OK;

	*keys = (struct rotation_keys){ .count = 0 };
	for (size_t i = 0; i < vault->count; i++)
		key_of(keys, vault->keys[i].key_id)->configured = true;
	for (int table = 0; err == ERR_OK && table < SEAL_TABLE_COUNT; table++) {
		counting.table = (enum seal_table)table;
		err = store_seal_count(tx, counting.table, count_add, &counting);
	}
	return err;
}

struct checking {
	const struct vault *vault;
	char *missing;
};

static void key_check(void *context, const char *key_id)
{
	const struct checking *checking = context;

	if (!vault_has(checking->vault, key_id))
		(void)snprintf(checking->missing, VAULT_KEY_ID_SIZE, "%s", key_id);
}

enum err rotation_check(struct store_tx *tx, const struct vault *vault,
			char missing[VAULT_KEY_ID_SIZE])
{
	struct checking checking = { vault, missing };
	enum err err = ERR_OK;

	missing[0] = '\0';
	for (int table = 0; err == ERR_OK && table < SEAL_TABLE_COUNT; table++)
		err = store_seal_keys(tx, (enum seal_table)table, key_check, &checking);
	return err == ERR_OK && missing[0] != '\0' ? ERR_CONFIG : err;
}

/* ---- sealing anew ---- */

struct run { /* shared by the workers */
	const struct rotation_settings *settings;
	enum seal_table table;
	struct id *ids; /* of this pass */
	size_t count;
	atomic_size_t next;                      /* the first id that nobody took */
	atomic_uint_fast64_t rows, failed, held; /* of this pass */
	atomic_size_t failure_count;
	atomic_int err;  /* the first that ended a worker */
	uint64_t before; /* rows of earlier passes */
	struct rotation_tally *tally;
};

struct worker {
	struct run *run;
	struct store *store;
	pthread_t thread;
	const struct id *ids; /* of this commit */
	size_t count;
	char *rows; /* SEAL_ROWS_MAX of them */
	const void *list[SEAL_ROWS_MAX];
	size_t row_count;
	void *row; /* space for one that is read */
	uint64_t sealed, failed, seen;
	char texts[SEAL_COLUMNS_MAX][TEXT_SIZE];
	char why[STORE_WHY_SIZE];
};

static struct vault_column column_of(const struct sealed_column *column, char *row)
{
	size_t size;

	memcpy(&size, row + column->size_at, sizeof size);
	return (struct vault_column){ (uint8_t *)row + column->bytes_at, column->room, size,
				      row + column->key_at };
}

static void failure_add(struct run *run, int column, struct id row)
{
	const size_t at = atomic_fetch_add(&run->failure_count, 1);

	if (at < ROTATION_FAILURES_MAX)
		run->tally->failures[at] =
			(struct rotation_failure){ (enum rotation_column)column, row };
}

/* Open all of a row before anything of it is sealed: they share the key's id. */
static bool row_open(struct worker *worker, char *row, struct id id)
{
	const struct run *run = worker->run;
	size_t text = 0;

	for (int i = 0; i < ROTATION_COLUMN_COUNT; i++) {
		const struct vault_place place = { columns[i].name, id };
		struct vault_column column;

		if (columns[i].table != run->table)
			continue;
		column = column_of(&columns[i], row);
		if (vault_open_column(run->settings->vault, &place, &column, worker->texts[text++],
				      TEXT_SIZE) != ERR_OK) {
			failure_add(worker->run, i, id);
			return false;
		}
	}
	return true;
}

static bool row_seal(struct worker *worker, char *row, struct id id)
{
	const struct run *run = worker->run;
	bool sealed = true;
	size_t text = 0;

	for (int i = 0; i < ROTATION_COLUMN_COUNT; i++) {
		const struct vault_place place = { columns[i].name, id };
		struct vault_column column;

		if (columns[i].table != run->table)
			continue;
		column = column_of(&columns[i], row);
		sealed = vault_seal_column(run->settings->vault, &place, worker->texts[text++],
					   &column) == ERR_OK &&
			 sealed;
		memcpy(row + columns[i].size_at, &column.size, sizeof column.size);
	}
	return sealed;
}

/* A row that was read: to be written, unless it is sealed with the newest key meanwhile, or wiped. */
static void row_take(void *context, const void *read)
{
	struct worker *worker = context;
	const struct run *run = worker->run;
	const size_t size = row_sizes[run->table];
	char *row = worker->rows + worker->row_count * size;
	const char *key_id = NULL;
	struct id id;

	worker->seen++;
	memcpy(row, read, size);
	memcpy(&id, row, sizeof id);
	for (int i = 0; i < ROTATION_COLUMN_COUNT; i++)
		if (columns[i].table == run->table)
			key_id = row + columns[i].key_at;
	if (*key_id == '\0' || strcmp(key_id, vault_key_id(run->settings->vault)) == 0)
		return;
	if (row_open(worker, row, id) && row_seal(worker, row, id))
		worker->list[worker->row_count++] = row;
	else
		worker->failed++;
}

static enum err commit_work(struct store_tx *tx, void *context)
{
	struct worker *worker = context;
	enum err err = ERR_OK;

	worker->sealed = worker->failed = worker->seen = 0;
	for (size_t first = 0; err == ERR_OK && first < worker->count; first += SEAL_ROWS_MAX) {
		const size_t left = worker->count - first;
		const struct seal_locking locking = {
			.table = worker->run->table,
			.ids = worker->ids + first,
			.count = left < SEAL_ROWS_MAX ? left : SEAL_ROWS_MAX,
			.row = worker->row,
			.each = row_take,
			.context = worker,
		};

		worker->row_count = 0;
		err = store_seal_lock(tx, &locking);
		if (err == ERR_OK)
			err = store_seal_write(tx, worker->run->table, worker->list,
					       worker->row_count);
		worker->sealed += worker->row_count;
	}
	return err;
}

/* Whom this meets goes first: what could not be committed for others is left for the next pass. */
static enum err commit_some(struct worker *worker)
{
	struct run *run = worker->run;
	enum err err = store_run(worker->store, commit_work, worker);

	if (err == ERR_BUSY) {
		atomic_fetch_add(&run->held, worker->count);
		return ERR_OK;
	}
	if (err != ERR_OK)
		return err;
	atomic_fetch_add(&run->rows, worker->sealed);
	atomic_fetch_add(&run->failed, worker->failed);
	atomic_fetch_add(&run->held, worker->count - worker->seen);
	return ERR_OK;
}

static void tell(const struct worker *worker)
{
	const struct run *run = worker->run;

	if (run->settings->progress != NULL)
		run->settings->progress(run->settings->context,
					run->before + atomic_load(&run->rows));
}

static void work(struct worker *worker, bool tells)
{
	struct run *run = worker->run;

	while (atomic_load(&run->err) == ERR_OK) {
		const size_t first = atomic_fetch_add(&run->next, COMMIT_ROWS);
		enum err err;
		int none = ERR_OK;

		if (first >= run->count)
			return;
		worker->ids = run->ids + first;
		worker->count = run->count - first < COMMIT_ROWS ? run->count - first : COMMIT_ROWS;
		err = commit_some(worker);
		if (err != ERR_OK)
			(void)atomic_compare_exchange_strong(&run->err, &none, (int)err);
		if (tells)
			tell(worker);
	}
}

static void *work_beside(void *context)
{
	work(context, false);
	return NULL;
}

/* ---- passes ---- */

static enum err stale_look(struct store_tx *tx, void *context)
{
	struct run *run = context;

	return store_seal_stale(tx, run->table, vault_key_id(run->settings->vault), run->ids,
				PASS_ROWS, &run->count);
}

/* All ids of the pass, by all workers; the caller's thread is the first of them. */
static enum err pass(struct run *run, struct worker workers[WORKERS])
{
	size_t started = 1;

	atomic_store(&run->next, 0);
	atomic_store(&run->rows, 0);
	atomic_store(&run->failed, 0);
	atomic_store(&run->held, 0);
	atomic_store(&run->failure_count, run->tally->failed);
	for (; started < WORKERS; started++)
		if (pthread_create(&workers[started].thread, NULL, work_beside,
				   &workers[started]) != 0)
			break;
	work(&workers[0], true);
	for (size_t i = 1; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	tell(&workers[0]);
	return (enum err)atomic_load(&run->err);
}

static enum err table_run(struct run *run, struct worker workers[WORKERS], uint64_t *failed,
			  uint64_t *held)
{
	unsigned idle = 0;
	enum err err;

	for (;;) {
		err = store_look(workers[0].store, stale_look, run);
		if (err != ERR_OK || run->count == 0)
			return err;
		err = pass(run, workers);
		run->before += atomic_load(&run->rows);
		run->tally->rows[run->table] += atomic_load(&run->rows);
		*failed = atomic_load(&run->failed);
		*held = atomic_load(&run->held);
		if (err != ERR_OK)
			return err;
		if (atomic_load(&run->rows) > 0) {
			idle = 0;
			continue;
		}
		if (*held == 0 || ++idle == IDLE_PASSES)
			return ERR_OK;
		clock_sleep_us(IDLE_PAUSE_US);
	}
}

static enum err tables_run(struct run *run, struct worker workers[WORKERS])
{
	enum err err = ERR_OK;

	for (int table = 0; err == ERR_OK && table < SEAL_TABLE_COUNT; table++) {
		uint64_t failed = 0, held = 0;

		run->table = (enum seal_table)table;
		err = table_run(run, workers, &failed, &held);
		run->tally->failed += failed;
		run->tally->held += held;
	}
	return err;
}

static enum err worker_open(struct worker *worker, struct run *run)
{
	size_t largest = 0;

	for (int table = 0; table < SEAL_TABLE_COUNT; table++)
		largest = row_sizes[table] > largest ? row_sizes[table] : largest;
	worker->run = run;
	worker->rows = malloc(SEAL_ROWS_MAX * largest);
	worker->row = malloc(largest);
	if (worker->rows == NULL || worker->row == NULL)
		return ERR_MEMORY;
	return store_open(run->settings->database, &worker->store, worker->why);
}

static void worker_close(struct worker *worker)
{
	store_close(worker->store);
	free(worker->rows);
	free(worker->row);
}

enum err rotation_run(const struct rotation_settings *settings, struct rotation_tally *tally,
		      char why[STORE_WHY_SIZE])
{
	struct run run = { .settings = settings, .tally = tally };
	struct worker *workers = calloc(WORKERS, sizeof *workers);
	enum err err = ERR_OK;

	*tally = (struct rotation_tally){ .held = 0 };
	run.ids = malloc(PASS_ROWS * sizeof *run.ids);
	if (workers == NULL || run.ids == NULL)
		err = ERR_MEMORY;
	(void)snprintf(why, STORE_WHY_SIZE, "%s", err_row(ERR_MEMORY)->title);
	for (size_t i = 0; err == ERR_OK && i < WORKERS; i++) {
		err = worker_open(&workers[i], &run);
		if (workers[i].why[0] != '\0')
			(void)snprintf(why, STORE_WHY_SIZE, "%s", workers[i].why);
	}
	if (err == ERR_OK) {
		err = tables_run(&run, workers);
		(void)snprintf(why, STORE_WHY_SIZE, "%s", err_row(err)->title);
	}
	for (size_t i = 0; workers != NULL && i < WORKERS; i++) {
		explicit_bzero(workers[i].texts, sizeof workers[i].texts);
		worker_close(&workers[i]);
	}
	free(workers);
	free(run.ids);
	return err;
}
