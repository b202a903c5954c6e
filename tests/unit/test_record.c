/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* What gateway calls came to, while somebody else holds a row: the others do not wait for it. */
#include "service/record.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "tests/unit/service_fixture.h"

#define QUEUE_MAX 16
#define SOON_US (4 * SECOND_US) /* less than a lock is waited for in all */
#define LATER_US (20 * SECOND_US)

static struct service service;
static struct record_settings settings;
static struct batch *records;

/* A record, and whether it came back. */
struct told {
	struct record record; /* first */
	struct gateway_answer answer;
	atomic_bool done;
};

static void create(void)
{
	service_create(&service, "record");
}

static void drop(void)
{
	service_drop(&service);
}

static void told_done(void *context, struct record *record)
{
	struct told *told = (struct told *)record;

	(void)context;
	atomic_store(&told->done, true);
}

static void set_up(void)
{
	service_open(&service);
	settings = (struct record_settings){ .database = &service.database,
					     .queue_max = QUEUE_MAX,
					     .done = told_done };
	ck_assert_int_eq(record_start(&settings, &records), ERR_OK);
}

static void tear_down(void)
{
	batch_stop(records);
	service_close(&service);
}

static void tell(struct told *told, const struct story *story)
{
	*told = (struct told){ .answer = service_answer(AE_SUCCEEDED) };
	told->record.report = (struct outcome_report){ .source = OUTCOME_ANSWER,
						       .operation_id = story->operation.id,
						       .attempt_id = story->attempt.id,
						       .gateway = &service.gateways.list[0],
						       .answer = &told->answer,
						       .api_call_id = "" };
	ck_assert(batch_put(records, &told->record.item));
}

static bool comes_back(struct told *told, int64_t within_us)
{
	const int64_t until_us = clock_boot_us() + within_us;

	while (!atomic_load(&told->done) && clock_boot_us() < until_us)
		clock_sleep_us(SECOND_US / 200);
	return atomic_load(&told->done);
}

/* A capture, and the void that waits beside it. */
static struct story capture_put(struct story *release)
{
	const struct story paid = story_authorised(&service, clock_now_us());
	struct story capture = story_part(&paid, OPERATION_CAPTURE, AS_SENT, OS_PROCESSING);

	*release = story_part(&paid, OPERATION_VOID, AS_DECLINED, OS_PENDING);
	release->operation.next_action = NEXT_EXPIRE;
	release->without_attempt = true;
	story_put(&service, &paid);
	story_part_put(&service, &capture);
	story_part_put(&service, release);
	return capture;
}

/* What somebody else holds. */
enum held { HELD_OPERATION, HELD_TRANSACTION, HELD_ATTEMPT, HELD_VOID };
#define HELDS 4

struct holding {
	enum held what;
	struct story held;
	struct story release;
	struct story free;
	struct told first;
	struct told second;
};

static enum err hold(struct store_tx *tx, struct holding *holding)
{
	struct operation_row operation;
	struct transaction_row transaction;
	struct attempt_row attempt;

	switch (holding->what) {
	case HELD_OPERATION:
		return store_operation_lock(tx, holding->held.operation.id, &operation);
	case HELD_TRANSACTION:
		return store_transaction_lock(tx, holding->held.transaction.id, &transaction);
	case HELD_ATTEMPT:
		return store_attempt_lock(tx, holding->held.attempt.id, &attempt);
	case HELD_VOID:
		return store_operation_lock(tx, holding->release.operation.id, &operation);
	}
	return ERR_STATE;
}

static enum err hold_work(struct store_tx *tx, void *context)
{
	struct holding *holding = context;
	const enum err err = hold(tx, holding);

	if (err != ERR_OK)
		return err;
	tell(&holding->first, &holding->held);
	tell(&holding->second, &holding->free);
	ck_assert(comes_back(&holding->second, SOON_US));
	ck_assert(!atomic_load(&holding->first.done));
	return ERR_OK;
}

START_TEST(one_that_somebody_holds_delays_no_other)
{
	struct holding holding = { .what = (enum held)_i };

	holding.held = capture_put(&holding.release);
	holding.free = story_attempt(&service, AS_SENT, OS_PROCESSING, clock_now_us());
	story_put(&service, &holding.free);

	ck_assert_int_eq(store_run(service.store, hold_work, &holding), ERR_OK);

	ck_assert_int_eq(holding.second.record.item.err, ERR_OK);
	ck_assert(comes_back(&holding.first, LATER_US));
	ck_assert_int_eq(holding.first.record.item.err, ERR_OK);
	story_get(&service, &holding.held);
	ck_assert_int_eq(holding.held.operation.status, OS_SUCCEEDED);
	ck_assert_int_eq(holding.held.transaction.status, TS_COMPLETED);
	holding.release.without_attempt = true;
	story_get(&service, &holding.release);
	ck_assert_int_eq(holding.release.operation.status, OS_CANCELLED);
}
END_TEST

static enum err hold_for_long_work(struct store_tx *tx, void *context)
{
	struct holding *holding = context;
	const enum err err = hold(tx, holding);

	if (err != ERR_OK)
		return err;
	tell(&holding->first, &holding->held);
	ck_assert(comes_back(&holding->first, LATER_US));
	return ERR_OK;
}

START_TEST(one_that_is_held_for_long_comes_back_undone)
{
	struct holding holding = { .what = HELD_OPERATION };

	holding.held = story_attempt(&service, AS_SENT, OS_PROCESSING, clock_now_us());
	story_put(&service, &holding.held);

	ck_assert_int_eq(store_run(service.store, hold_for_long_work, &holding), ERR_OK);

	ck_assert_int_eq(holding.first.record.item.err, ERR_BUSY);
	story_get(&service, &holding.held);
	ck_assert_int_eq(holding.held.attempt.status, AS_SENT);
}
END_TEST

START_TEST(one_about_nothing_fails_by_itself)
{
	struct story story = story_attempt(&service, AS_SENT, OS_PROCESSING, clock_now_us());
	struct story nothing = story_attempt(&service, AS_SENT, OS_PROCESSING, clock_now_us());
	struct told told[2];

	story_put(&service, &story);
	tell(&told[0], &nothing);
	tell(&told[1], &story);

	ck_assert(comes_back(&told[0], LATER_US));
	ck_assert(comes_back(&told[1], LATER_US));
	ck_assert_int_eq(told[0].record.item.err, ERR_NOT_FOUND);
	ck_assert_int_eq(told[1].record.item.err, ERR_OK);
}
END_TEST

UNIT_MAIN("record", {
	service_require();
	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, one_that_somebody_holds_delays_no_other, 0, HELDS);
	tcase_add_test(tests, one_that_is_held_for_long_comes_back_undone);
	tcase_add_test(tests, one_about_nothing_fails_by_itself);
})
