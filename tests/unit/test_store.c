/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/sheet.h"
#include "store_scratch.h"
#include "unit.h"

static MYSQL *beside; /* a plain connection of another session */

static void set_up(void)
{
	scratch_open();
	beside = scratch_connect();
}

static void tear_down(void)
{
	mysql_close(beside);
	scratch_close();
}

static long long transactions_there(void)
{
	return scratch_number(beside, "SELECT COUNT(*) FROM transaction");
}

START_TEST(store_open_sets_the_session)
{
	ck_assert_str_eq(scratch_text(store->mysql, "SELECT @@time_zone"), "+00:00");
	ck_assert_str_eq(scratch_text(store->mysql, "SELECT @@autocommit"), "1");
	ck_assert_str_eq(scratch_text(store->mysql, "SELECT @@character_set_connection"),
			 "utf8mb4");
	ck_assert_str_eq(scratch_text(store->mysql, "SELECT @@innodb_lock_wait_timeout"), "5");
	ck_assert_ptr_nonnull(
		strstr(scratch_text(store->mysql, "SELECT @@sql_mode"), "STRICT_TRANS_TABLES"));
	ck_assert_ptr_nonnull(
		strstr(scratch_text(store->mysql, "SHOW VARIABLES WHERE Variable_name IN "
						  "('tx_isolation', 'transaction_isolation') AND "
						  "Value = 'READ-COMMITTED'"),
		       "isolation"));
}
END_TEST

START_TEST(store_open_bounds_a_lock_wait_below_the_statement_timeout)
{
	struct store_settings settings = scratch_settings();
	struct store *hurried;
	char why[STORE_WHY_SIZE];

	settings.statement_timeout_ms = 2500;
	ck_assert_int_eq(store_open(&settings, &hurried, why), ERR_OK);

	ck_assert_str_eq(scratch_text(hurried->mysql, "SELECT @@innodb_lock_wait_timeout"), "2");
	store_close(hurried);
}
END_TEST

static const struct {
	const char *socket;
	const char *user;
	const char *database;
	enum err err;
	const char *why;
} opens[] = {
	{ "/nonexistent/socket", NULL, NULL, ERR_UNAVAILABLE, "/nonexistent/socket" },
	{ NULL, "payops_nobody", NULL, ERR_UNAVAILABLE, "ccess denied" },
	{ NULL, NULL, "payops_no_such_database", ERR_UNAVAILABLE, "payops_no_such_database" },
	{ NULL, NULL, "mysql", ERR_SCHEMA, "payopsctl migrate up" },
};

START_TEST(store_open_says_why_it_cannot)
{
	struct store_settings settings = scratch_settings();
	struct store *opened = NULL;
	char why[STORE_WHY_SIZE] = "";

	if (opens[_i].socket != NULL)
		settings.socket = opens[_i].socket;
	if (opens[_i].user != NULL)
		settings.user = opens[_i].user;
	if (opens[_i].database != NULL)
		settings.database = opens[_i].database;

	ck_assert_int_eq(store_open(&settings, &opened, why), opens[_i].err);
	ck_assert_ptr_null(opened);
	ck_assert_msg(strstr(why, opens[_i].why) != NULL, "%s", why);
	ck_assert_ptr_null(strchr(why, '\n'));
}
END_TEST

START_TEST(store_open_by_host_does_not_use_the_socket)
{
	struct store_settings settings = scratch_settings();
	struct store *opened = NULL;
	char why[STORE_WHY_SIZE];

	settings.socket = "";
	settings.host = "localhost";
	settings.port = 1;

	ck_assert_int_eq(store_open(&settings, &opened, why), ERR_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(why, "localhost port 1"));
}
END_TEST

/* Work that plays a part: what it returns on each call, after having inserted a row. */
struct part {
	enum err returns[STORE_TRIES + 1];
	int calls;
};

static enum err play(struct store_tx *work_tx, void *context)
{
	struct part *part = context;
	struct transaction_row row = sample_transaction((unsigned)part->calls);

	ck_assert_int_eq(store_transaction_insert(work_tx, &row), ERR_OK);
	return part->returns[part->calls++];
}

START_TEST(store_run_commits)
{
	struct part part = { { ERR_OK }, 0 };

	ck_assert_int_eq(store_run(store, play, &part), ERR_OK);
	ck_assert_int_eq(part.calls, 1);
	ck_assert_int_eq(transactions_there(), 1);
}
END_TEST

START_TEST(store_run_rolls_back_and_returns_what_the_work_returned)
{
	static const enum err errs[] = { ERR_CONFLICT, ERR_NOT_FOUND, ERR_STATE, ERR_STORE };
	struct part part = { { errs[_i] }, 0 };

	ck_assert_int_eq(store_run(store, play, &part), errs[_i]);
	ck_assert_int_eq(part.calls, 1);
	ck_assert_int_eq(transactions_there(), 0);
	part = (struct part){ { ERR_OK }, 0 };
	ck_assert_int_eq(store_run(store, play, &part), ERR_OK);
}
END_TEST

START_TEST(store_run_runs_again_when_busy)
{
	struct part part = { { ERR_BUSY, ERR_BUSY, ERR_OK }, 0 };
	uint64_t before = store_pool_retries(NULL);

	ck_assert_int_eq(store_run(store, play, &part), ERR_OK);
	ck_assert_int_eq(part.calls, 3);
	ck_assert_int_eq(transactions_there(), 1);
	ck_assert_uint_eq(store_pool_retries(NULL), before + 2);
}
END_TEST

START_TEST(store_run_gives_up_after_its_tries)
{
	struct part part = { .calls = 0 };

	for (int i = 0; i <= STORE_TRIES; i++)
		part.returns[i] = ERR_BUSY;

	ck_assert_int_eq(store_run(store, play, &part), ERR_BUSY);
	ck_assert_int_eq(part.calls, STORE_TRIES);
	ck_assert_int_eq(transactions_there(), 0);
}
END_TEST

START_TEST(store_look_is_each_statement_by_itself_and_runs_again_too)
{
	struct part part = { { ERR_BUSY, ERR_STATE }, 0 };

	ck_assert_int_eq(store_look(store, play, &part), ERR_STATE);
	ck_assert_int_eq(part.calls, 2);
	ck_assert_int_eq(transactions_there(), 2);
}
END_TEST

static enum err insert_twice(struct store_tx *work_tx, void *context)
{
	struct transaction_row row = sample_transaction(1);

	(void)context;
	ck_assert_int_eq(store_transaction_insert(work_tx, &row), ERR_OK);
	ck_assert_int_eq(store_transaction_insert(work_tx, &row), ERR_CONFLICT);
	row = sample_transaction(2);
	ck_assert_int_eq(store_transaction_insert(work_tx, &row), ERR_OK);
	return ERR_OK;
}

START_TEST(store_run_goes_on_after_a_conflict_that_the_work_took)
{
	ck_assert_int_eq(store_run(store, insert_twice, NULL), ERR_OK);
	ck_assert_int_eq(transactions_there(), 2);
}
END_TEST

static enum err ignore_busy(struct store_tx *work_tx, void *context)
{
	struct transaction_row row = sample_transaction(1);
	struct transaction_row other = sample_transaction(2);
	int *calls = context;
	enum err err;

	(*calls)++;
	ck_assert_int_eq(store_transaction_insert(work_tx, &other), ERR_OK);
	err = store_transaction_lock(work_tx, row.id, &row);
	if (*calls == 1) {
		ck_assert_int_eq(err, ERR_BUSY);
		scratch_do(beside, "ROLLBACK");
	}
	return ERR_OK;
}

START_TEST(store_run_does_not_commit_over_a_lock_timeout_that_was_ignored)
{
	int calls = 0;

	insert_transaction(1);
	scratch_do(store->mysql, "SET innodb_lock_wait_timeout = 1");
	scratch_do(beside, "START TRANSACTION");
	scratch_do(beside, "UPDATE transaction SET version = 2 "
			   "WHERE id = X'01000000000000010000000000000001'");

	ck_assert_int_eq(store_run(store, ignore_busy, &calls), ERR_OK);

	ck_assert_int_eq(calls, 2);
	ck_assert_int_eq(transactions_there(), 2);
}
END_TEST

/* Two transactions that take two rows in opposite order, and meet. */
struct crossing {
	struct store *store;
	struct id first, second;
	pthread_barrier_t *barrier;
	enum err err;
	int calls;
};

static enum err cross(struct store_tx *work_tx, void *context)
{
	struct crossing *crossing = context;
	struct transaction_row row;
	enum err err = store_transaction_lock(work_tx, crossing->first, &row);

	if (err != ERR_OK)
		return err;
	if (crossing->calls++ == 0)
		pthread_barrier_wait(crossing->barrier);
	row.version++;
	err = store_transaction_update(work_tx, &row);
	if (err == ERR_OK)
		err = store_transaction_lock(work_tx, crossing->second, &row);
	if (err != ERR_OK)
		return err;
	row.version++;
	return store_transaction_update(work_tx, &row);
}

static void *cross_thread(void *context)
{
	struct crossing *crossing = context;

	crossing->err = store_run(crossing->store, cross, crossing);
	return NULL;
}

START_TEST(store_run_resolves_a_deadlock)
{
	struct crossing crossings[2] = { { .first = sample_id(1, 1), .second = sample_id(1, 2) },
					 { .first = sample_id(1, 2), .second = sample_id(1, 1) } };
	uint64_t before = store_pool_retries(NULL);
	pthread_barrier_t barrier;
	pthread_t threads[2];

	insert_transaction(1);
	insert_transaction(2);
	pthread_barrier_init(&barrier, NULL, 2);
	for (int i = 0; i < 2; i++) {
		crossings[i].store = scratch_store();
		crossings[i].barrier = &barrier;
		pthread_create(&threads[i], NULL, cross_thread, &crossings[i]);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		store_close(crossings[i].store);
		ck_assert_int_eq(crossings[i].err, ERR_OK);
	}

	ck_assert_int_eq(crossings[0].calls + crossings[1].calls, 3);
	ck_assert_uint_eq(store_pool_retries(NULL), before + 1);
	ck_assert_str_eq(scratch_text(beside, "SELECT GROUP_CONCAT(version) FROM transaction"),
			 "3,3");
	pthread_barrier_destroy(&barrier);
}
END_TEST

static void kill_store(struct store *victim)
{
	scratch_do(beside, "KILL %lu", mysql_thread_id(victim->mysql));
}

static enum err be_killed_and_go_on(struct store_tx *work_tx, void *context)
{
	struct transaction_row row = sample_transaction(1);

	ck_assert_int_eq(store_transaction_insert(work_tx, &row), ERR_OK);
	kill_store(context);
	row = sample_transaction(2);
	return store_transaction_insert(work_tx, &row);
}

START_TEST(store_run_says_unavailable_when_the_connection_is_lost)
{
	struct part part = { { ERR_OK }, 0 };

	ck_assert_int_eq(store_run(store, be_killed_and_go_on, store), ERR_UNAVAILABLE);
	ck_assert_int_eq(transactions_there(), 0);
	ck_assert_int_eq(store_run(store, play, &part), ERR_UNAVAILABLE);
	ck_assert_int_eq(store_look(store, play, &part), ERR_UNAVAILABLE);
	ck_assert_int_eq(part.calls, 0);
}
END_TEST

static enum err be_killed_and_ignore_it(struct store_tx *work_tx, void *context)
{
	enum err err = be_killed_and_go_on(work_tx, context);

	ck_assert_int_eq(err, ERR_UNAVAILABLE);
	return ERR_OK;
}

START_TEST(store_run_does_not_commit_over_a_lost_connection_that_was_ignored)
{
	ck_assert_int_eq(store_run(store, be_killed_and_ignore_it, store), ERR_UNAVAILABLE);
}
END_TEST

static enum err be_killed_before_commit(struct store_tx *work_tx, void *context)
{
	struct transaction_row row = sample_transaction(1);

	ck_assert_int_eq(store_transaction_insert(work_tx, &row), ERR_OK);
	kill_store(context);
	return ERR_OK;
}

START_TEST(store_run_says_uncertain_when_the_answer_to_commit_is_lost)
{
	ck_assert_int_eq(store_run(store, be_killed_before_commit, store), ERR_UNCERTAIN);
	ck_assert(store->lost);
}
END_TEST

START_TEST(store_run_says_unavailable_when_it_cannot_even_begin)
{
	struct part part = { { ERR_OK }, 0 };

	kill_store(store);

	ck_assert_int_eq(store_run(store, play, &part), ERR_UNAVAILABLE);
	ck_assert_int_eq(part.calls, 0);
	ck_assert(!store->reached);
}
END_TEST

/* What is locked for a decision stays locked until it is written: whoever comes meanwhile waits. */
static enum err lock_operation(struct store_tx *work_tx)
{
	struct operation_row row;

	return store_operation_lock(work_tx, sample_id(2, 1), &row);
}

static enum err lock_transaction(struct store_tx *work_tx)
{
	struct transaction_row row;

	return store_transaction_lock(work_tx, sample_id(1, 1), &row);
}

static enum err lock_attempt(struct store_tx *work_tx)
{
	struct attempt_row row;

	return store_attempt_lock(work_tx, sample_attempt(1, 1).id, &row);
}

static enum err lock_live(struct store_tx *work_tx)
{
	struct attempt_row row;

	return store_attempt_lock_live(work_tx, sample_id(2, 1), &row);
}

static enum err (*const locks[])(struct store_tx *) = { lock_operation, lock_transaction,
							lock_attempt, lock_live };

struct contention {
	enum err (*lock)(struct store_tx *);
	struct store *other; /* NULL: this is the other */
	enum err met;
};

static enum err contend(struct store_tx *work_tx, void *context)
{
	struct contention *contention = context;
	struct contention late = { .lock = contention->lock };
	enum err err = contention->lock(work_tx);

	if (err == ERR_OK && contention->other != NULL)
		contention->met = store_run_tries(contention->other, 1, contend, &late);
	return err;
}

START_TEST(store_locks_keep_others_out)
{
	struct store_settings settings = scratch_settings();
	struct contention contention = { .lock = locks[_i] };
	char why[STORE_WHY_SIZE];

	insert_transaction(1);
	insert_operation(1);
	insert_attempt(1, 1, AS_PREPARED);
	settings.lock_wait_max_s = 1;
	ck_assert_int_eq(store_open(&settings, &contention.other, why), ERR_OK);

	ck_assert_int_eq(store_run(store, contend, &contention), ERR_OK);

	ck_assert_int_eq(contention.met, ERR_BUSY);
	store_close(contention.other);
}
END_TEST

/* Busy first: the column names have arrived by then, the error comes in place of a row. */
struct refused_read {
	store_work *lock;
	int calls;
};

static enum err lock_again(struct store_tx *work_tx, void *context)
{
	struct refused_read *read = context;

	if (read->calls++ == 1)
		scratch_do(beside, "ROLLBACK");
	return read->lock(work_tx, read);
}

static enum err lock_many(struct store_tx *work_tx, void *context)
{
	const struct id ids[] = { sample_id(2, 1), sample_id(2, 2) };
	enum err err = store_sheet_open(work_tx);

	(void)context;
	return err == ERR_OK ? store_sheet_lock_live(work_tx, ids, 2) : err;
}

static enum err lock_one(struct store_tx *work_tx, void *context)
{
	(void)context;
	return lock_live(work_tx);
}

static store_work *const refused_reads[] = { lock_one, lock_many };

START_TEST(store_run_again_after_a_read_was_refused_half_way_is_not_held_up)
{
	struct refused_read read = { .lock = refused_reads[_i] };
	int64_t begun_us;

	insert_transaction(1);
	insert_operation(1);
	insert_attempt(1, 1, AS_PREPARED);
	insert_operation(2);
	insert_attempt(2, 2, AS_PREPARED);
	scratch_do(store->mysql, "SET innodb_lock_wait_timeout = 1");
	scratch_do(beside, "START TRANSACTION");
	scratch_do(beside, "UPDATE attempt SET reason = 'held'");
	begun_us = clock_boot_us();

	ck_assert_int_eq(store_run(store, lock_again, &read), ERR_OK);

	ck_assert_int_eq(read.calls, 2);
	ck_assert_int_lt(clock_boot_us() - begun_us, INT64_C(5000000));
}
END_TEST

START_TEST(store_now_is_the_database_clock_in_microseconds)
{
	int64_t first_us;
	int64_t second_us;

	ck_assert_int_eq(store_now(&tx, &first_us), ERR_OK);
	ck_assert_int_eq(store_now(&tx, &second_us), ERR_OK);
	ck_assert_int_ge(second_us, first_us);
	ck_assert_int_le(second_us - first_us, INT64_C(60000000));
	scratch_do(store->mysql, "SET timestamp = 1767225600.123456");
	ck_assert_int_eq(store_now(&tx, &first_us), ERR_OK);
	ck_assert_int_eq(first_us, INT64_C(1767225600123456));
}
END_TEST

UNIT_MAIN("store", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, store_open_sets_the_session);
	tcase_add_test(tests, store_open_bounds_a_lock_wait_below_the_statement_timeout);
	tcase_add_loop_test(tests, store_open_says_why_it_cannot, 0,
			    (int)(sizeof opens / sizeof opens[0]));
	tcase_add_test(tests, store_open_by_host_does_not_use_the_socket);
	tcase_add_test(tests, store_run_commits);
	tcase_add_loop_test(tests, store_run_rolls_back_and_returns_what_the_work_returned, 0, 4);
	tcase_add_test(tests, store_run_runs_again_when_busy);
	tcase_add_test(tests, store_run_gives_up_after_its_tries);
	tcase_add_test(tests, store_look_is_each_statement_by_itself_and_runs_again_too);
	tcase_add_test(tests, store_run_goes_on_after_a_conflict_that_the_work_took);
	tcase_add_test(tests, store_run_does_not_commit_over_a_lock_timeout_that_was_ignored);
	tcase_add_test(tests, store_run_resolves_a_deadlock);
	tcase_add_test(tests, store_run_says_unavailable_when_the_connection_is_lost);
	tcase_add_test(tests, store_run_does_not_commit_over_a_lost_connection_that_was_ignored);
	tcase_add_test(tests, store_run_says_uncertain_when_the_answer_to_commit_is_lost);
	tcase_add_test(tests, store_run_says_unavailable_when_it_cannot_even_begin);
	tcase_add_loop_test(tests, store_locks_keep_others_out, 0,
			    (int)(sizeof locks / sizeof locks[0]));
	tcase_add_loop_test(tests, store_run_again_after_a_read_was_refused_half_way_is_not_held_up,
			    0, (int)(sizeof refused_reads / sizeof refused_reads[0]));
	tcase_add_test(tests, store_now_is_the_database_clock_in_microseconds);
})
