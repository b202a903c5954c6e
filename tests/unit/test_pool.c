/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* The pool of lib/store/pool.c against a server. */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store_scratch.h"
#include "unit.h"

#define SIZE 3
#define THREADS 8
#define ROUNDS 20

static struct store_pool *pool;
static MYSQL *beside;
static char link_path[PATH_MAX]; /* the server's socket, which tests can take away */

static void link_server(void)
{
	ck_assert_int_eq(symlink(scratch_settings().socket, link_path), 0);
}

static void set_up(void)
{
	struct store_settings settings = scratch_settings();
	char why[STORE_WHY_SIZE];
	enum err err;

	scratch_clean();
	beside = scratch_connect();
	snprintf(link_path, sizeof link_path, "/tmp/payops_test_%ld.sock", (long)getpid());
	unlink(link_path);
	link_server();
	settings.socket = link_path;
	err = store_pool_open(&settings, SIZE, &pool, why);
	ck_assert_msg(err == ERR_OK, "%s", why);
}

static void tear_down(void)
{
	store_pool_close(pool);
	mysql_close(beside);
	unlink(link_path);
}

static struct store *acquire(void)
{
	struct store *taken = NULL;

	ck_assert_int_eq(store_pool_acquire(pool, 1000, &taken), ERR_OK);
	ck_assert_ptr_nonnull(taken);
	return taken;
}

static void kill_store(const struct store *victim)
{
	scratch_do(beside, "KILL %lu", mysql_thread_id(victim->mysql));
}

static enum err read_clock(struct store_tx *work_tx, void *context)
{
	return store_now(work_tx, context);
}

START_TEST(pool_open_says_why_it_cannot)
{
	struct store_settings settings = scratch_settings();
	struct store_pool *opened = NULL;
	char why[STORE_WHY_SIZE] = "";

	settings.socket = "/nonexistent/socket";

	ck_assert_int_eq(store_pool_open(&settings, 1, &opened, why), ERR_UNAVAILABLE);
	ck_assert_ptr_null(opened);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/socket"));
}
END_TEST

START_TEST(pool_hands_out_as_many_as_it_has)
{
	struct store *taken[SIZE];
	struct store *more = NULL;

	for (int i = 0; i < SIZE; i++) {
		taken[i] = acquire();
		for (int j = 0; j < i; j++)
			ck_assert_ptr_ne(taken[i], taken[j]);
	}
	ck_assert_int_eq(store_pool_acquire(pool, 0, &more), ERR_OVERLOADED);
	ck_assert_int_eq(store_pool_acquire(pool, 30, &more), ERR_OVERLOADED);
	ck_assert_ptr_null(more);

	store_pool_release(pool, taken[1]);
	ck_assert_ptr_eq(acquire(), taken[1]);
	for (int i = 0; i < SIZE; i++)
		store_pool_release(pool, taken[i]);
}
END_TEST

static void *release_later(void *held)
{
	clock_sleep_us(50000);
	store_pool_release(pool, held);
	return NULL;
}

START_TEST(pool_wakes_who_waits)
{
	struct store *taken[SIZE];
	struct store *more = NULL;
	pthread_t thread;

	for (int i = 0; i < SIZE; i++)
		taken[i] = acquire();
	pthread_create(&thread, NULL, release_later, taken[0]);

	ck_assert_int_eq(store_pool_acquire(pool, 10000, &more), ERR_OK);

	ck_assert_ptr_eq(more, taken[0]);
	pthread_join(thread, NULL);
	for (int i = 0; i < SIZE; i++)
		store_pool_release(pool, taken[i]);
}
END_TEST

START_TEST(pool_opens_a_broken_connection_again)
{
	struct store *broken = acquire();
	int64_t now_us = 0;

	kill_store(broken);
	ck_assert_int_eq(store_run(broken, read_clock, &now_us), ERR_UNAVAILABLE);
	store_pool_release(pool, broken);

	for (int i = 0; i < 2 * SIZE; i++)
		ck_assert_int_eq(store_pool_run(pool, 1000, read_clock, &now_us), ERR_OK);
	ck_assert_int_gt(now_us, 0);
}
END_TEST

START_TEST(pool_run_and_look_survive_connections_that_broke_while_idle)
{
	struct store *taken[SIZE];
	int64_t now_us = 0;

	for (int i = 0; i < SIZE; i++)
		taken[i] = acquire();
	for (int i = 0; i < SIZE; i++) {
		kill_store(taken[i]);
		store_pool_release(pool, taken[i]);
	}

	ck_assert_int_eq(store_pool_run(pool, 1000, read_clock, &now_us), ERR_OK);
	taken[0] = acquire();
	ck_assert_int_eq(store_pool_look(pool, 1000, read_clock, &now_us), ERR_OK);
	ck_assert_int_eq(store_pool_run(pool, 1000, read_clock, &now_us), ERR_OK);
	store_pool_release(pool, taken[0]);
}
END_TEST

static enum err be_killed(struct store_tx *work_tx, void *context)
{
	int64_t now_us;
	int *calls = context;

	(*calls)++;
	kill_store(work_tx->store);
	return store_now(work_tx, &now_us);
}

START_TEST(pool_run_does_not_repeat_work_that_had_begun)
{
	int calls = 0;

	ck_assert_int_eq(store_pool_run(pool, 1000, be_killed, &calls), ERR_UNAVAILABLE);
	ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(pool_says_unavailable_while_the_server_is_away_and_recovers)
{
	struct store *taken = acquire();
	int64_t now_us = 0;

	kill_store(taken);
	store_pool_release(pool, taken);
	unlink(link_path);
	for (int i = 0; i < 2 * SIZE; i++)
		ck_assert_int_eq(store_pool_run(pool, 100, read_clock, &now_us), ERR_UNAVAILABLE);

	link_server();
	ck_assert_int_eq(store_pool_run(pool, 100, read_clock, &now_us), ERR_OK);
}
END_TEST

struct writer {
	pthread_t thread;
	unsigned number;
	unsigned written;
	unsigned next;
};

static enum err write_one(struct store_tx *work_tx, void *context)
{
	const struct writer *writer = context;
	struct transaction_row row = sample_transaction(writer->next);

	return store_transaction_insert(work_tx, &row);
}

static void *write_many(void *context)
{
	struct writer *writer = context;

	for (unsigned i = 0; i < ROUNDS; i++) {
		writer->next = writer->number * ROUNDS + i;
		if (store_pool_run(pool, 20000, write_one, writer) == ERR_OK)
			writer->written++;
	}
	return NULL;
}

START_TEST(pool_serves_more_threads_than_it_has_connections)
{
	struct writer writers[THREADS] = { { .number = 0 } };

	for (unsigned i = 0; i < THREADS; i++) {
		writers[i].number = i;
		pthread_create(&writers[i].thread, NULL, write_many, &writers[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(writers[i].thread, NULL);
		ck_assert_uint_eq(writers[i].written, ROUNDS);
	}

	ck_assert_int_eq(scratch_number(beside, "SELECT COUNT(*) FROM transaction"),
			 THREADS * ROUNDS);
}
END_TEST

START_TEST(pool_keeps_its_own_copy_of_the_settings)
{
	char database[64];
	struct secret password = { .size = 0 };
	struct store_settings settings = scratch_settings();
	struct store_pool *opened = NULL;
	struct store *first = NULL;
	struct store *second = NULL;
	char why[STORE_WHY_SIZE];

	snprintf(database, sizeof database, "%s", scratch_database());
	settings.database = database;
	settings.password = &password;
	ck_assert_int_eq(store_pool_open(&settings, 2, &opened, why), ERR_OK);
	memset(database, 'x', sizeof database - 1);
	memset(&password, 'x', sizeof password);

	ck_assert_int_eq(store_pool_acquire(opened, 0, &first), ERR_OK);
	ck_assert_int_eq(store_pool_acquire(opened, 0, &second), ERR_OK);
	store_pool_release(opened, first);
	store_pool_release(opened, second);
	store_pool_close(opened);
}
END_TEST

UNIT_MAIN("pool", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, pool_open_says_why_it_cannot);
	tcase_add_test(tests, pool_hands_out_as_many_as_it_has);
	tcase_add_test(tests, pool_wakes_who_waits);
	tcase_add_test(tests, pool_opens_a_broken_connection_again);
	tcase_add_test(tests, pool_run_and_look_survive_connections_that_broke_while_idle);
	tcase_add_test(tests, pool_run_does_not_repeat_work_that_had_begun);
	tcase_add_test(tests, pool_says_unavailable_while_the_server_is_away_and_recovers);
	tcase_add_test(tests, pool_serves_more_threads_than_it_has_connections);
	tcase_add_test(tests, pool_keeps_its_own_copy_of_the_settings);
})
