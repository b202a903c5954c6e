/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Batches: what goes together, what is refused, and what nobody waits for any more. */
#include "service/batch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/service_fixture.h"

#define QUEUE_MAX 6

static struct service service;

/* What the work is told to do, and what it saw. */
static struct stage {
	sem_t entered; /* the work is in a batch */
	sem_t go;      /* it may end it */
	bool gated;
	enum err answers[4]; /* of the work, one call after the other; then ERR_OK */
	atomic_int calls;
	atomic_int sizes[16];
	atomic_int freed;
	enum err freed_err;
} stage;

struct piece {
	struct batch_item item; /* first */
	bool bad;
};

struct waiter {
	struct batch *batch;
	struct piece *piece;
	int64_t deadline_boot_us;
	enum err err;
};

static void create(void)
{
	service_create(&service, "batch");
}

static void drop(void)
{
	service_drop(&service);
}

static enum err work(void *context, struct store *store, struct batch_item **items, size_t count)
{
	const int call = atomic_fetch_add(&stage.calls, 1);

	(void)context;
	ck_assert_ptr_nonnull(store);
	if (call < 16)
		atomic_store(&stage.sizes[call], (int)count);
	if (stage.gated) {
		sem_post(&stage.entered);
		sem_wait(&stage.go);
	}
	if (call < 4 && stage.answers[call] != ERR_OK)
		return stage.answers[call];
	for (size_t i = 0; i < count; i++) {
		items[i]->decided = true;
		items[i]->err = ((struct piece *)items[i])->bad ? ERR_MERCHANT : ERR_OK;
	}
	return ERR_OK;
}

static void piece_done(void *context, struct batch_item *item)
{
	(void)context;
	stage.freed_err = item->err;
	free(item);
	atomic_fetch_add(&stage.freed, 1);
}

static struct batch *begin_as(bool gated, size_t workers, int gather_ms, int gap_ms)
{
	const struct batch_settings settings = {
		.database = service.database,
		.workers = workers,
		.size_max = 4,
		.queue_max = QUEUE_MAX,
		.gather_ms = gather_ms,
		.gap_ms = gap_ms,
		.settle_ms = 60000,
		.work = work,
		.item_done = piece_done,
	};
	struct batch *batch;

	memset(&stage, 0, sizeof stage);
	sem_init(&stage.entered, 0, 0);
	sem_init(&stage.go, 0, 0);
	stage.gated = gated;
	ck_assert_int_eq(batch_start(&settings, &batch), ERR_OK);
	return batch;
}

static struct batch *begin_with(bool gated, size_t workers, int gather_ms)
{
	return begin_as(gated, workers, gather_ms, 0);
}

static struct batch *begin(bool gated)
{
	return begin_as(gated, 1, 0, 0);
}

static void *wait_for(void *context)
{
	struct waiter *waiter = context;

	waiter->err = batch_run(waiter->batch, &waiter->piece->item, waiter->deadline_boot_us);
	return NULL;
}

static struct waiter waiter_of(struct batch *batch, int64_t wait_us)
{
	struct waiter waiter = { .batch = batch, .piece = calloc(1, sizeof(struct piece)) };

	ck_assert_ptr_nonnull(waiter.piece);
	waiter.deadline_boot_us = clock_boot_us() + wait_us;
	return waiter;
}

static void await_waiting(struct batch *batch, size_t count)
{
	while (batch_figures(batch).waiting < count)
		clock_sleep_us(1000);
}

START_TEST(those_that_wait_are_worked_off_together)
{
	struct batch *batch = begin(true);
	struct waiter waiters[QUEUE_MAX];
	pthread_t threads[QUEUE_MAX];

	for (size_t i = 0; i < QUEUE_MAX; i++) {
		waiters[i] = waiter_of(batch, 20 * SECOND_US);
		pthread_create(&threads[i], NULL, wait_for, &waiters[i]);
		if (i == 0)
			sem_wait(&stage.entered);
	}
	await_waiting(batch, QUEUE_MAX - 1);
	stage.gated = false;
	sem_post(&stage.go);
	for (size_t i = 0; i < QUEUE_MAX; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(waiters[i].err, ERR_OK);
		ck_assert_int_eq(waiters[i].piece->item.err, ERR_OK);
		free(waiters[i].piece);
	}

	ck_assert_int_eq(stage.sizes[0], 1); /* a lone one did not wait */
	ck_assert_int_eq(stage.sizes[1], 4);
	ck_assert_int_eq(stage.sizes[2], QUEUE_MAX - 5);
	batch_stop(batch);
}
END_TEST

/* Queue `count` items; for each of the first `batches`, wait until a worker is in it. */
static void wait_for_all(struct batch *batch, struct waiter *waiters, pthread_t *threads,
			 size_t count, size_t batches)
{
	for (size_t i = 0; i < count; i++) {
		waiters[i] = waiter_of(batch, 20 * SECOND_US);
		pthread_create(&threads[i], NULL, wait_for, &waiters[i]);
		if (i < batches)
			sem_wait(&stage.entered);
	}
}

static void finish_all(struct batch *batch, struct waiter *waiters, pthread_t *threads,
		       size_t count)
{
	stage.gated = false;
	for (size_t i = 0; i < count; i++)
		sem_post(&stage.go);
	for (size_t i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(waiters[i].err, ERR_OK);
		free(waiters[i].piece);
	}
	batch_stop(batch);
}

START_TEST(items_gather_while_others_are_worked_off)
{
	struct batch *batch = begin_with(true, 3, 20000);
	struct waiter waiters[4];
	pthread_t threads[4];

	wait_for_all(batch, waiters, threads, 3, 2);
	await_waiting(batch, 1);
	clock_sleep_us(50000);
	ck_assert_int_eq(atomic_load(&stage.calls), 2); /* one item is less than the two at work */

	wait_for_all(batch, waiters + 3, threads + 3, 1, 1);

	ck_assert_int_eq(stage.sizes[2], 2);
	finish_all(batch, waiters, threads, 4);
}
END_TEST

START_TEST(items_do_not_gather_for_long)
{
	struct batch *batch = begin_with(true, 3, 20);
	struct waiter waiters[3];
	pthread_t threads[3];

	wait_for_all(batch, waiters, threads, 3, 3);

	ck_assert_int_eq(stage.sizes[2], 1);
	finish_all(batch, waiters, threads, 3);
}
END_TEST

/* One, and two that came meanwhile: after them the worker lets more gather. */
static void several_at_once(struct batch *batch, struct waiter *waiters, pthread_t *threads)
{
	wait_for_all(batch, waiters, threads, 3, 1);
	await_waiting(batch, 2);
	sem_post(&stage.go);
	sem_wait(&stage.entered);
	sem_post(&stage.go);
}

START_TEST(after_several_more_gather_until_a_batch_is_full)
{
	struct batch *batch = begin_as(true, 1, 0, 60000);
	struct waiter waiters[7];
	pthread_t threads[7];

	several_at_once(batch, waiters, threads);
	wait_for_all(batch, waiters + 3, threads + 3, 3, 0);
	await_waiting(batch, 3);
	clock_sleep_us(50000);
	ck_assert_int_eq(atomic_load(&stage.calls), 2);

	wait_for_all(batch, waiters + 6, threads + 6, 1, 1);

	ck_assert_int_eq(stage.sizes[1], 2);
	ck_assert_int_eq(stage.sizes[2], 4);
	finish_all(batch, waiters, threads, 7);
}
END_TEST

START_TEST(after_several_the_gap_ends)
{
	struct batch *batch = begin_as(true, 1, 0, 20);
	struct waiter waiters[4];
	pthread_t threads[4];

	several_at_once(batch, waiters, threads);
	wait_for_all(batch, waiters + 3, threads + 3, 1, 1);

	ck_assert_int_eq(stage.sizes[2], 1);
	finish_all(batch, waiters, threads, 4);
}
END_TEST

START_TEST(one_that_comes_alone_waits_for_no_others)
{
	struct batch *batch = begin_as(true, 1, 0, 60000);
	struct waiter waiters[2];
	pthread_t threads[2];

	wait_for_all(batch, waiters, threads, 1, 1);
	sem_post(&stage.go);
	pthread_join(threads[0], NULL);
	wait_for_all(batch, waiters + 1, threads + 1, 1, 1);

	free(waiters[0].piece);
	finish_all(batch, waiters + 1, threads + 1, 1);
}
END_TEST

START_TEST(a_stop_ends_the_gap)
{
	struct batch *batch = begin_as(true, 1, 0, 60000);
	struct waiter waiters[3];
	pthread_t threads[3];
	struct piece *left = calloc(1, sizeof *left);

	several_at_once(batch, waiters, threads);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		free(waiters[i].piece);
	}
	stage.gated = false;
	ck_assert_ptr_nonnull(left);
	ck_assert(batch_put(batch, &left->item));

	batch_stop(batch);
	ck_assert_int_eq(atomic_load(&stage.freed), 1);
}
END_TEST

START_TEST(beyond_the_queue_is_refused_at_once)
{
	struct batch *batch = begin(true);
	struct waiter waiters[QUEUE_MAX + 1];
	pthread_t threads[QUEUE_MAX + 1];
	struct waiter late = waiter_of(batch, 20 * SECOND_US);

	for (size_t i = 0; i <= QUEUE_MAX; i++) {
		waiters[i] = waiter_of(batch, 20 * SECOND_US);
		pthread_create(&threads[i], NULL, wait_for, &waiters[i]);
		if (i == 0)
			sem_wait(&stage.entered);
	}
	await_waiting(batch, QUEUE_MAX);

	wait_for(&late);

	ck_assert_int_eq(late.err, ERR_OVERLOADED);
	stage.gated = false;
	sem_post(&stage.go);
	for (size_t i = 0; i <= QUEUE_MAX; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(waiters[i].err, ERR_OK);
		free(waiters[i].piece);
	}
	free(late.piece);
	batch_stop(batch);
}
END_TEST

START_TEST(a_deadline_withdraws_what_waits_and_leaves_what_is_taken)
{
	struct batch *batch = begin(true);
	struct waiter taken = waiter_of(batch, SECOND_US / 2);
	struct waiter waiting = waiter_of(batch, SECOND_US / 4);
	pthread_t thread;

	pthread_create(&thread, NULL, wait_for, &taken);
	sem_wait(&stage.entered);

	wait_for(&waiting);
	pthread_join(thread, NULL);

	ck_assert_int_eq(waiting.err, ERR_DEADLINE);
	ck_assert_int_eq(taken.err, ERR_UNCERTAIN);
	ck_assert_int_eq(atomic_load(&stage.freed), 0);
	sem_post(&stage.go);
	batch_stop(batch);
	ck_assert_int_eq(atomic_load(&stage.calls), 1); /* what was withdrawn was never begun */
	ck_assert_int_eq(atomic_load(&stage.freed), 1);
	free(waiting.piece);
}
END_TEST

START_TEST(what_was_left_is_carried_out_when_the_database_is_back)
{
	struct batch *batch = begin(true);
	struct waiter left = waiter_of(batch, SECOND_US / 4);

	for (size_t i = 0; i < 3; i++)
		stage.answers[i] = ERR_UNAVAILABLE;
	wait_for(&left);
	ck_assert_int_eq(left.err, ERR_UNCERTAIN);
	for (size_t i = 0; i < 4; i++) /* the answers, and then it is done */
		sem_post(&stage.go);
	while (atomic_load(&stage.freed) == 0)
		clock_sleep_us(1000);

	ck_assert_int_eq(atomic_load(&stage.calls), 4);
	ck_assert_int_eq(stage.freed_err, ERR_OK);
	batch_stop(batch);
}
END_TEST

START_TEST(who_comes_while_the_database_is_away_is_refused_beside_what_was_left)
{
	struct batch *batch = begin(true);
	struct waiter left = waiter_of(batch, SECOND_US / 4);
	struct waiter next = waiter_of(batch, 20 * SECOND_US);
	pthread_t thread;

	for (size_t i = 0; i < 4; i++)
		stage.answers[i] = ERR_UNAVAILABLE;
	wait_for(&left);
	pthread_create(&thread, NULL, wait_for, &next);
	await_waiting(batch, 1);
	for (size_t i = 0; i < 5; i++)
		sem_post(&stage.go);
	pthread_join(thread, NULL);

	ck_assert_int_eq(next.err, ERR_OK);
	ck_assert_int_eq(next.piece->item.err, ERR_UNAVAILABLE);
	while (atomic_load(&stage.freed) == 0)
		clock_sleep_us(1000);
	ck_assert_int_eq(stage.freed_err, ERR_OK);
	free(next.piece);
	batch_stop(batch);
}
END_TEST

START_TEST(stopping_waits_for_no_database)
{
	struct batch *batch = begin(true);
	struct waiter left = waiter_of(batch, SECOND_US / 4);

	for (size_t i = 0; i < 4; i++)
		stage.answers[i] = ERR_UNAVAILABLE;
	wait_for(&left);
	for (size_t i = 0; i < 5; i++)
		sem_post(&stage.go);
	batch_stop(batch);

	ck_assert_int_eq(atomic_load(&stage.freed), 1);
}
END_TEST

START_TEST(one_that_fails_by_itself_fails_nobody_else)
{
	struct batch *batch = begin(false);
	struct waiter good = waiter_of(batch, 20 * SECOND_US);
	struct waiter bad = waiter_of(batch, 20 * SECOND_US);

	bad.piece->bad = true;
	wait_for(&good);
	wait_for(&bad);

	ck_assert_int_eq(good.piece->item.err, ERR_OK);
	ck_assert_int_eq(bad.piece->item.err, ERR_MERCHANT);
	free(good.piece);
	free(bad.piece);
	batch_stop(batch);
}
END_TEST

static const struct trouble_case {
	enum err answers[4];
	int calls;
	enum err err;
} trouble_cases[] = {
	{ { ERR_UNAVAILABLE }, 1, ERR_UNAVAILABLE }, /* a new connection: no use to try again */
	{ { ERR_UNCERTAIN }, 2, ERR_OK },
	{ { ERR_UNCERTAIN, ERR_UNAVAILABLE, ERR_UNCERTAIN }, 4, ERR_OK },
	{ { ERR_STORE }, 1, ERR_STORE },
};

START_TEST(an_uncertain_batch_is_given_again_until_it_is_known)
{
	const struct trouble_case *row = &trouble_cases[_i];
	struct batch *batch = begin(false);
	struct waiter waiter = waiter_of(batch, 20 * SECOND_US);

	memcpy(stage.answers, row->answers, sizeof stage.answers);
	wait_for(&waiter);

	ck_assert_int_eq(waiter.err, ERR_OK);
	ck_assert_int_eq(waiter.piece->item.err, row->err);
	ck_assert_int_eq(atomic_load(&stage.calls), row->calls);
	free(waiter.piece);
	batch_stop(batch);
}
END_TEST

START_TEST(a_database_that_is_away_is_unavailable)
{
	struct batch *batch;
	struct waiter waiter;
	const char *socket = service.database.socket;

	service.database.socket = "/nonexistent/db.sock";
	batch = begin(false);
	waiter = waiter_of(batch, 20 * SECOND_US);
	wait_for(&waiter);
	service.database.socket = socket;

	ck_assert_int_eq(waiter.err, ERR_OK);
	ck_assert_int_eq(waiter.piece->item.err, ERR_UNAVAILABLE);
	ck_assert_int_eq(atomic_load(&stage.calls), 0);
	free(waiter.piece);
	batch_stop(batch);
}
END_TEST

UNIT_MAIN("batch", {
	service_require();
	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_test(tests, those_that_wait_are_worked_off_together);
	tcase_add_test(tests, items_gather_while_others_are_worked_off);
	tcase_add_test(tests, items_do_not_gather_for_long);
	tcase_add_test(tests, after_several_more_gather_until_a_batch_is_full);
	tcase_add_test(tests, after_several_the_gap_ends);
	tcase_add_test(tests, one_that_comes_alone_waits_for_no_others);
	tcase_add_test(tests, a_stop_ends_the_gap);
	tcase_add_test(tests, beyond_the_queue_is_refused_at_once);
	tcase_add_test(tests, a_deadline_withdraws_what_waits_and_leaves_what_is_taken);
	tcase_add_test(tests, what_was_left_is_carried_out_when_the_database_is_back);
	tcase_add_test(tests, who_comes_while_the_database_is_away_is_refused_beside_what_was_left);
	tcase_add_test(tests, stopping_waits_for_no_database);
	tcase_add_test(tests, one_that_fails_by_itself_fails_nobody_else);
	tcase_add_loop_test(tests, an_uncertain_batch_is_given_again_until_it_is_known, 0,
			    (int)(sizeof trouble_cases / sizeof trouble_cases[0]));
	tcase_add_test(tests, a_database_that_is_away_is_unavailable);
})
