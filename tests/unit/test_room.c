/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* How calls in flight are shared: what hangs leaves room for what is well. */
#include "service/room.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#define NOW_US INT64_C(1800000000000000)
#define LIMIT 240
#define SECOND_US INT64_C(1000000)

/* Begin calls until there is no room for more; returns how many. */
static unsigned fill(struct room *room, const char *gateway)
{
	unsigned count = 0;

	while (count <= 2 * LIMIT && room_wait_us(room, gateway, NOW_US) == 0) {
		room_enter(room, gateway, NOW_US);
		count++;
	}
	return count;
}

START_TEST(a_gateway_that_hangs_takes_half_and_leaves_half)
{
	struct room room = { .limit = LIMIT, .shared = true };

	ck_assert_uint_eq(fill(&room, "alpha"), LIMIT / 2);

	ck_assert_uint_eq(fill(&room, "beta"), LIMIT / 4);
	ck_assert_uint_le(room.total, LIMIT);
}
END_TEST

/* They begin by turns, as payments for all of them come. */
START_TEST(each_of_several_that_hang_takes_no_more_than_is_left)
{
	const unsigned hanging = (unsigned)_i;
	struct room room = { .limit = LIMIT, .shared = true };
	bool begun = true;

	while (begun) {
		begun = false;
		for (unsigned i = 0; i < hanging; i++) {
			char gateway[GATEWAY_NAME_SIZE];

			snprintf(gateway, sizeof gateway, "hangs-%u", i);
			if (room_wait_us(&room, gateway, NOW_US) > 0)
				continue;
			room_enter(&room, gateway, NOW_US);
			begun = true;
		}
	}

	ck_assert_uint_le(room.total, LIMIT - LIMIT / (hanging + 1));
	ck_assert_uint_ge(room.total, LIMIT - LIMIT / (hanging + 1) - hanging);
	ck_assert_uint_gt(fill(&room, "well"), 0);
}
END_TEST

START_TEST(a_call_that_ended_makes_room)
{
	struct room room = { .limit = LIMIT, .shared = true };

	(void)fill(&room, "alpha");
	ck_assert(room_wait_us(&room, "alpha", NOW_US) > 0);

	room_leave(&room, "alpha", NOW_US);

	ck_assert(room_wait_us(&room, "alpha", NOW_US) == 0);
	ck_assert_uint_eq(room.total, LIMIT / 2 - 1);
}
END_TEST

START_TEST(a_gateway_without_calls_is_never_refused_for_its_share)
{
	struct room room = { .limit = 1, .shared = true };

	ck_assert(room_wait_us(&room, "alpha", NOW_US) == 0);
	room_enter(&room, "alpha", NOW_US);
	ck_assert(room_wait_us(&room, "alpha", NOW_US) > 0);
	ck_assert(room_wait_us(&room, "beta", NOW_US) == 0);
}
END_TEST

START_TEST(those_who_find_none_wait_a_moment_while_calls_come_and_go)
{
	struct room room = { .limit = LIMIT, .shared = true };

	(void)fill(&room, "alpha");
	room_leave(&room, "alpha", NOW_US + SECOND_US);
	room_enter(&room, "alpha", NOW_US + SECOND_US);

	ck_assert_int_eq(room_wait_us(&room, "alpha", NOW_US + SECOND_US), 5000);
	ck_assert_int_eq(room_wait_us(&room, "alpha", NOW_US + SECOND_US), 5000);
}
END_TEST

START_TEST(where_none_has_ended_for_a_while_they_look_again_one_after_the_other)
{
	struct room room = { .limit = LIMIT, .shared = true };
	const int64_t stuck_us = NOW_US + SECOND_US;
	int64_t first_us, last_us = 0;

	(void)fill(&room, "alpha");

	first_us = room_wait_us(&room, "alpha", stuck_us);
	ck_assert_int_gt(first_us, 0);
	for (unsigned i = 0; i < 1000; i++)
		last_us = room_wait_us(&room, "alpha", stuck_us);
	ck_assert_int_ge(last_us, first_us + SECOND_US);
	ck_assert_int_eq(room_wait_us(&room, "alpha", stuck_us + 10 * SECOND_US), first_us);
}
END_TEST

START_TEST(where_there_is_one_gateway_or_no_limit_there_is_always_room)
{
	struct room without = { .limit = 0, .shared = true };
	struct room alone = { .limit = LIMIT, .shared = false };

	ck_assert_uint_eq(fill(&without, "alpha"), 2 * LIMIT + 1);
	ck_assert_uint_eq(fill(&alone, "alpha"), 2 * LIMIT + 1);
	ck_assert_uint_eq(room_claimable(&without), SIZE_MAX);
	ck_assert_uint_eq(room_claimable(&alone), SIZE_MAX);
}
END_TEST

START_TEST(no_more_is_looked_at_than_the_fullest_could_take_but_some_always)
{
	struct room room = { .limit = LIMIT, .shared = true };

	ck_assert_uint_eq(room_claimable(&room), LIMIT);
	for (unsigned i = 0; i < 50; i++)
		room_enter(&room, "alpha", NOW_US);
	room_enter(&room, "beta", NOW_US);
	ck_assert_uint_eq(room_claimable(&room), LIMIT - 51 - 50);
	(void)fill(&room, "alpha");
	ck_assert_uint_eq(room_claimable(&room), 16);
}
END_TEST

/* What could not be told apart must not be counted wrongly. */
START_TEST(more_gateways_than_are_known_have_room)
{
	struct room room = { .limit = 4 * GATEWAYS_MAX, .shared = true };

	for (unsigned i = 0; i < GATEWAYS_MAX; i++) {
		char gateway[GATEWAY_NAME_SIZE];

		snprintf(gateway, sizeof gateway, "gateway-%u", i);
		room_enter(&room, gateway, NOW_US);
	}
	room_enter(&room, "one-more", NOW_US);
	ck_assert(room_wait_us(&room, "one-more", NOW_US) == 0);
	room_leave(&room, "one-more", NOW_US);
	ck_assert_uint_eq(room.total, GATEWAYS_MAX);
}
END_TEST

UNIT_MAIN("room", {
	tcase_add_test(tests, a_gateway_that_hangs_takes_half_and_leaves_half);
	tcase_add_loop_test(tests, each_of_several_that_hang_takes_no_more_than_is_left, 1, 6);
	tcase_add_test(tests, a_call_that_ended_makes_room);
	tcase_add_test(tests, a_gateway_without_calls_is_never_refused_for_its_share);
	tcase_add_test(tests, those_who_find_none_wait_a_moment_while_calls_come_and_go);
	tcase_add_test(tests, where_none_has_ended_for_a_while_they_look_again_one_after_the_other);
	tcase_add_test(tests, where_there_is_one_gateway_or_no_limit_there_is_always_room);
	tcase_add_test(tests, no_more_is_looked_at_than_the_fullest_could_take_but_some_always);
	tcase_add_test(tests, more_gateways_than_are_known_have_room);
})
