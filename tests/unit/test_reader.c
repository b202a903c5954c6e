/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers: who is looked for together, who is told what, and who is gone by then. */
#include "service/reader.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/service_fixture.h"

#define ASKERS 9
#define NOBODY 7 /* is not found */

struct answer {
	char merchant[MERCHANT_SIZE];
	int number;
};

static struct service service;
static struct reader *reader;

/* What a look is told to do, and what it saw. */
static struct stage {
	sem_t entered; /* a gated look has begun */
	sem_t go;      /* it may end */
	bool gated;    /* the next one */
	enum err err;  /* of the next one, though it found all */
	size_t finds, looks, together;
} stage;

static enum err end(void)
{
	const enum err err = stage.err;

	stage.err = ERR_OK;
	if (!stage.gated)
		return err;
	stage.gated = false;
	sem_post(&stage.entered);
	sem_wait(&stage.go);
	return err;
}

static enum err find_one(struct store_tx *tx, const char *merchant, const void *question,
			 void *answer)
{
	struct answer found = { .number = *(const int *)question };

	ck_assert_ptr_nonnull(tx);
	(void)snprintf(found.merchant, sizeof found.merchant, "%s", merchant);
	memcpy(answer, &found, sizeof found);
	stage.finds++;
	return found.number == NOBODY ? ERR_NOT_FOUND : ERR_OK;
}

static enum err find(struct store_tx *tx, const char *merchant, const void *question, void *answer)
{
	const enum err err = find_one(tx, merchant, question, answer);

	return err == ERR_OK ? end() : err;
}

static enum err look(struct store_tx *tx, struct reader_group *group)
{
	ck_assert_uint_le(group->count, READER_MAX);
	stage.looks++;
	stage.together += group->count;
	for (size_t i = 0; i < group->count; i++) {
		struct reader_ask *ask = group->asks[i];

		ck_assert_str_eq(ask->merchant, group->merchant);
		ck_assert(!ask->found);
		ask->found = find_one(tx, group->merchant, ask->question, ask->answer) == ERR_OK;
	}
	return end();
}

static const struct reader_kind both = { 1, sizeof(int), sizeof(struct answer), find, look };
static const struct reader_kind only_find = { 1, sizeof(int), sizeof(struct answer), find, NULL };
static const struct reader_kind only_look = { 1, sizeof(int), sizeof(struct answer), NULL, look };

static void create(void)
{
	service_create(&service, "reader");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	memset(&stage, 0, sizeof stage);
	sem_init(&stage.entered, 0, 0);
	sem_init(&stage.go, 0, 0);
	service_open(&service);
}

static void tear_down(void)
{
	reader_stop(reader);
	reader = NULL;
	service_close(&service);
}

static void begin(const struct reader_kind *kind)
{
	ck_assert_int_eq(reader_start(kind, &service.database, &reader), ERR_OK);
}

struct asker {
	const char *merchant;
	int number;
	int64_t wait_us;
	struct answer answer;
	enum err err;
	pthread_t thread;
};

static void *asker_main(void *context)
{
	struct asker *asker = context;

	asker->err = reader_ask(reader, asker->merchant, &asker->number,
				clock_boot_us() + asker->wait_us, &asker->answer);
	return NULL;
}

static void await_waiting(size_t count)
{
	while (reader_figures(reader).waiting < count)
		clock_sleep_us(1000);
}

static struct asker ask(int number)
{
	struct asker asker = { .merchant = "shop", .number = number, .wait_us = 20 * SECOND_US };

	asker_main(&asker);
	return asker;
}

/* One whose look stands still until the stage lets it go. */
static void ask_gated(struct asker *asker)
{
	stage.gated = true;
	ck_assert_int_eq(pthread_create(&asker->thread, NULL, asker_main, asker), 0);
	while (sem_wait(&stage.entered) != 0)
		continue;
}

/* Of three merchants, while the only thread is at work. */
static void ask_together(struct asker askers[ASKERS])
{
	static const char *const merchants[] = { "shop", "other", "third" };
	struct asker first = { .merchant = "shop", .number = 0, .wait_us = 20 * SECOND_US };

	ask_gated(&first);
	for (int i = 0; i < ASKERS; i++) {
		askers[i] = (struct asker){ merchants[i % 3], i,      20 * SECOND_US,
					    { .number = -1 }, ERR_OK, 0 };
		ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, asker_main, &askers[i]),
				 0);
	}
	await_waiting(ASKERS);
	sem_post(&stage.go);
	ck_assert_int_eq(pthread_join(first.thread, NULL), 0);
	for (int i = 0; i < ASKERS; i++)
		ck_assert_int_eq(pthread_join(askers[i].thread, NULL), 0);
	ck_assert_int_eq(first.err, ERR_OK);
	for (int i = 0; i < ASKERS; i++) {
		ck_assert_int_eq(askers[i].err, i == NOBODY ? ERR_NOT_FOUND : ERR_OK);
		ck_assert_int_eq(askers[i].answer.number, i == NOBODY ? -1 : i);
		ck_assert_str_eq(askers[i].answer.merchant, i == NOBODY ? "" : askers[i].merchant);
	}
}

START_TEST(those_of_one_merchant_are_looked_for_together_and_get_their_own)
{
	struct asker askers[ASKERS];

	begin(&both);
	ask_together(askers);
	ck_assert_uint_eq(stage.looks, 3);
	ck_assert_uint_eq(stage.together, ASKERS);
	ck_assert_uint_eq(stage.finds, 1 + ASKERS);
}
END_TEST

START_TEST(one_who_is_alone_is_looked_for_alone)
{
	begin(&both);
	ck_assert_int_eq(ask(3).answer.number, 3);
	ck_assert_int_eq(ask(NOBODY).err, ERR_NOT_FOUND);
	ck_assert_uint_eq(stage.looks, 0);
	ck_assert_uint_eq(stage.finds, 2);
}
END_TEST

START_TEST(a_kind_may_do_with_either)
{
	struct asker askers[ASKERS];

	begin(&only_find);
	ask_together(askers);
	ck_assert_uint_eq(stage.looks, 0);
	reader_stop(reader);
	begin(&only_look);
	ck_assert_int_eq(ask(3).answer.number, 3);
	ck_assert_int_eq(ask(NOBODY).err, ERR_NOT_FOUND);
	ck_assert_uint_eq(stage.looks, 2);
}
END_TEST

/* What was asked and answered is the thread's until it is done with it: the sanitizer watches. */
START_TEST(nobody_waits_beyond_his_deadline)
{
	struct asker hasty = { .merchant = "shop", .number = 1, .wait_us = SECOND_US };
	struct asker behind = { .merchant = "shop", .number = 1, .wait_us = SECOND_US / 20 };
	const int64_t began_us = clock_boot_us();

	begin(&both);
	ask_gated(&hasty);
	asker_main(&behind);
	ck_assert_int_eq(pthread_join(hasty.thread, NULL), 0);
	ck_assert_int_lt(clock_boot_us() - began_us, 20 * SECOND_US);
	ck_assert_int_eq(hasty.err, ERR_DEADLINE);
	ck_assert_int_eq(behind.err, ERR_DEADLINE);
	ck_assert_int_eq(hasty.answer.number + behind.answer.number, 0);
	sem_post(&stage.go);
	ck_assert_int_eq(ask(2).answer.number, 2);
	ck_assert_uint_eq(stage.finds, 2); /* who was only waiting was never looked for */
}
END_TEST

START_TEST(what_the_database_met_is_told_and_nothing_is_answered)
{
	struct asker told;

	begin(&only_look);
	stage.err = ERR_STORE;
	told = ask(3);
	ck_assert_int_eq(told.err, ERR_STORE);
	ck_assert_int_eq(told.answer.number, 0);
	ck_assert_int_eq(ask(3).err, ERR_OK);
}
END_TEST

START_TEST(a_look_that_must_run_again_starts_anew)
{
	begin(&only_look);
	stage.err = ERR_BUSY;
	ck_assert_int_eq(ask(3).answer.number, 3);
	ck_assert_uint_eq(stage.looks, 2); /* which asserts that nothing is found yet */
}
END_TEST

UNIT_MAIN("reader", {
	service_require();
	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, those_of_one_merchant_are_looked_for_together_and_get_their_own);
	tcase_add_test(tests, one_who_is_alone_is_looked_for_alone);
	tcase_add_test(tests, a_kind_may_do_with_either);
	tcase_add_test(tests, nobody_waits_beyond_his_deadline);
	tcase_add_test(tests, what_the_database_met_is_told_and_nothing_is_answered);
	tcase_add_test(tests, a_look_that_must_run_again_starts_anew);
})
