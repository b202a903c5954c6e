/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/timer.h"

#include <stdbool.h>

#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define ITEMS 500
#define LATEST_US 1000

struct thing {
	int64_t due_us;
	bool popped;
};

static bool is_thing(const void *context, const void *item)
{
	return context == item;
}

/* Everything comes out once, in order, and none before its time. */
static void pop_all(struct timer_queue *queue, int64_t now_us, size_t count)
{
	int64_t last_us = INT64_MIN;

	for (size_t i = 0; i < count; i++) {
		struct thing *thing = timer_pop_due(queue, now_us);

		ck_assert_ptr_nonnull(thing);
		ck_assert(!thing->popped);
		ck_assert_int_ge(thing->due_us, last_us);
		ck_assert_int_le(thing->due_us, now_us);
		last_us = thing->due_us;
		thing->popped = true;
	}
	ck_assert_ptr_null(timer_pop_due(queue, now_us));
}

START_TEST(timers_come_out_in_order_also_when_some_were_hastened)
{
	uint64_t seed = seed_start();
	struct thing things[ITEMS] = { { 0 } };
	struct timer_queue queue = { 0 };
	size_t early = 0;

	for (size_t i = 0; i < ITEMS; i++) {
		things[i].due_us = (int64_t)(seed_next(&seed) % LATEST_US);
		ck_assert_int_eq(timer_push(&queue, things[i].due_us, &things[i]), ERR_OK);
	}
	for (size_t i = 0; i < ITEMS; i += 3) {
		int64_t now_us = (int64_t)(seed_next(&seed) % LATEST_US);

		ck_assert(timer_hasten(&queue, is_thing, &things[i], now_us));
		if (things[i].due_us > now_us)
			things[i].due_us = now_us;
	}
	for (size_t i = 0; i < ITEMS; i++)
		early += things[i].due_us <= LATEST_US / 2;

	pop_all(&queue, LATEST_US / 2, early);
	ck_assert_int_gt(timer_wait_us(&queue, LATEST_US / 2, 7), 0);
	pop_all(&queue, LATEST_US, ITEMS - early);
	ck_assert_int_eq(timer_wait_us(&queue, LATEST_US, 7), 7);
	timer_done(&queue);
}
END_TEST

START_TEST(what_is_not_waiting_cannot_be_hastened)
{
	struct thing waiting = { 100, false }, other = { 100, false };
	struct timer_queue queue = { 0 };

	ck_assert(!timer_hasten(&queue, is_thing, &other, 0));
	ck_assert_int_eq(timer_push(&queue, waiting.due_us, &waiting), ERR_OK);

	ck_assert(!timer_hasten(&queue, is_thing, &other, 0));
	ck_assert_ptr_null(timer_pop_due(&queue, 99));
	ck_assert(timer_hasten(&queue, is_thing, &waiting, 200)); /* due earlier anyhow */
	ck_assert_ptr_eq(timer_pop_due(&queue, 100), &waiting);
	timer_done(&queue);
}
END_TEST

UNIT_MAIN("sandbox_timer", {
	tcase_add_test(tests, timers_come_out_in_order_also_when_some_were_hastened);
	tcase_add_test(tests, what_is_not_waiting_cannot_be_hastened);
})
