/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Transactions that are asked for together: each asker gets its own, and nobody another merchant's. */
#include "service/lookup.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/service_fixture.h"

#define STORIES 16
#define ROUNDS 40

static struct service service;
static struct reader *lookups;
static struct story stories[STORIES]; /* every third is the other merchant's */

static void create(void)
{
	service_create(&service, "lookup");
}

static void drop(void)
{
	service_drop(&service);
}

static const char *owner(size_t i)
{
	return i % 3 == 0 ? SERVICE_OTHER_MERCHANT : SERVICE_MERCHANT;
}

static void set_up(void)
{
	service_open(&service);
	for (size_t i = 0; i < STORIES; i++) {
		stories[i] = story_pending(&service, SERVICE_NOW_US);
		snprintf(stories[i].transaction.merchant, MERCHANT_SIZE, "%s", owner(i));
		snprintf(stories[i].operation.merchant, MERCHANT_SIZE, "%s", owner(i));
		stories[i].transaction.amount.minor = stories[i].operation.amount_minor =
			1000 + (int64_t)i;
		story_put(&service, &stories[i]);
	}
	ck_assert_int_eq(lookup_start(&service.database, &lookups), ERR_OK);
}

static void tear_down(void)
{
	reader_stop(lookups);
	service_close(&service);
}

static enum err ask(const char *merchant, struct id id, struct transaction_view *view)
{
	return lookup_transaction(lookups, merchant, id, clock_boot_us() + 20 * SECOND_US, view);
}

struct asker {
	size_t story;
	const char *merchant;
	size_t right; /* answers as they must be */
};

static void *asker_main(void *context)
{
	struct asker *asker = context;
	const struct story *story = &stories[asker->story];
	const bool own = strcmp(asker->merchant, owner(asker->story)) == 0;
	struct transaction_view view;

	for (int round = 0; round < ROUNDS; round++) {
		const enum err err = ask(asker->merchant, story->transaction.id, &view);

		if (!own)
			asker->right += err == ERR_NOT_FOUND;
		else
			asker->right += err == ERR_OK &&
					id_equal(view.row.id, story->transaction.id) &&
					view.row.amount.minor == 1000 + (int64_t)asker->story &&
					strcmp(view.row.merchant, asker->merchant) == 0 &&
					view.next_action == NEXT_SEND;
	}
	return NULL;
}

/* Two askers a transaction, half of them of the wrong merchant, all at once. */
START_TEST(askers_get_what_they_asked_for_and_only_their_own)
{
	struct asker askers[2 * STORIES];
	struct batch_figures figures;

	for (size_t i = 0; i < 2 * STORIES; i++)
		askers[i] = (struct asker){ i / 2,
					    i % 4 < 2 ? SERVICE_MERCHANT : SERVICE_OTHER_MERCHANT,
					    0 };
	service_together(2 * STORIES, asker_main, askers, sizeof askers[0]);

	for (size_t i = 0; i < 2 * STORIES; i++)
		ck_assert_uint_eq(askers[i].right, ROUNDS);
	figures = reader_figures(lookups);
	ck_assert_uint_eq(figures.items, 2 * STORIES * ROUNDS);
	ck_assert_uint_lt(figures.batches, figures.items / 2); /* they did share statements */
}
END_TEST

START_TEST(lookup_sees_what_was_committed_before_it)
{
	struct transaction_view view;

	for (int round = 1; round <= ROUNDS; round++) {
		service_do(&service, "UPDATE transaction SET updated_at_us = %lld",
			   (long long)(SERVICE_NOW_US + round));
		ck_assert_int_eq(ask(owner(1), stories[1].transaction.id, &view), ERR_OK);
		ck_assert_int_eq(view.row.updated_at_us, SERVICE_NOW_US + round);
	}
}
END_TEST

START_TEST(lookup_of_nothing_is_not_found_and_leaves_the_view_alone)
{
	const struct story other = story_pending(&service, SERVICE_NOW_US);
	struct transaction_view view = { .next_action_at_us = 42 };

	ck_assert_int_eq(ask(SERVICE_MERCHANT, other.transaction.id, &view), ERR_NOT_FOUND);
	ck_assert_int_eq(ask(owner(1), stories[0].transaction.id, &view), ERR_NOT_FOUND);
	ck_assert_int_eq(view.next_action_at_us, 42);
}
END_TEST

START_TEST(lookup_tells_when_the_database_is_away_and_recovers)
{
	struct transaction_view view;
	struct store_settings away = service.database;
	struct reader *unreachable;
	long long reader;

	away.socket = "/nonexistent/db.sock";
	ck_assert_int_eq(lookup_start(&away, &unreachable), ERR_OK);
	ck_assert_int_eq(lookup_transaction(unreachable, owner(1), stories[1].transaction.id,
					    clock_boot_us() + 20 * SECOND_US, &view),
			 ERR_UNAVAILABLE);
	reader_stop(unreachable);

	ck_assert_int_eq(ask(owner(1), stories[1].transaction.id, &view), ERR_OK);
	reader = service_number(&service, "SELECT MAX(id) FROM information_schema.processlist "
					  "WHERE id <> CONNECTION_ID()");
	service_do(&service, "KILL %lld", reader);
	ck_assert_int_eq(ask(owner(1), stories[1].transaction.id, &view), ERR_OK);
}
END_TEST

START_TEST(lookup_of_a_merchant_tells_what_it_may_do)
{
	const int64_t deadline_us = clock_boot_us() + 20 * SECOND_US;
	struct reader *merchants;
	struct merchant_row row;

	ck_assert_int_eq(lookup_start_merchants(&service.database, &merchants), ERR_OK);
	ck_assert_int_eq(lookup_merchant(merchants, "nobody", deadline_us, &row), ERR_NOT_FOUND);
	ck_assert_int_eq(lookup_merchant(merchants, SERVICE_MERCHANT, deadline_us, &row), ERR_OK);
	ck_assert_str_eq(row.merchant, SERVICE_MERCHANT);
	ck_assert(!row.keyless_withdrawals);
	service_do(&service, "UPDATE merchant SET keyless_withdrawals = 1");
	ck_assert_int_eq(lookup_merchant(merchants, SERVICE_MERCHANT, deadline_us, &row), ERR_OK);
	ck_assert(row.keyless_withdrawals);
	reader_stop(merchants);
}
END_TEST

UNIT_MAIN("lookup", {
	service_require();
	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, askers_get_what_they_asked_for_and_only_their_own);
	tcase_add_test(tests, lookup_sees_what_was_committed_before_it);
	tcase_add_test(tests, lookup_of_nothing_is_not_found_and_leaves_the_view_alone);
	tcase_add_test(tests, lookup_tells_when_the_database_is_away_and_recovers);
	tcase_add_test(tests, lookup_of_a_merchant_tells_what_it_may_do);
})
