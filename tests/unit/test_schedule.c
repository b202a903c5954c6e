/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/schedule.h"

#include "tests/unit/unit.h"

#define COUNT(array) ((int)(sizeof array / sizeof array[0]))
#define SECOND INT64_C(1000000)
#define SINCE INT64_C(1795000000000000)
#define UNTOUCHED INT64_C(-77)

static const int64_t offsets_s[] = { 2,     5,     15,     60,     300,    900,    3600,   14400,
				     43200, 86400, 172800, 259200, 345600, 432000, 518400, 604800 };

START_TEST(schedule_asks_at_the_offsets_of_the_design)
{
	int64_t at_us = UNTOUCHED;

	ck_assert(schedule_inquiry(SINCE, (unsigned)_i, &at_us));

	ck_assert_int_eq(at_us, SINCE + offsets_s[_i] * SECOND);
}
END_TEST

START_TEST(schedule_stops_asking_after_seven_days)
{
	static const unsigned asked[] = { COUNT(offsets_s), COUNT(offsets_s) + 1, 1000,
					  UINT32_MAX };
	int64_t at_us = UNTOUCHED;

	for (int i = 0; i < COUNT(asked); i++)
		ck_assert(!schedule_inquiry(SINCE, asked[i], &at_us));
	ck_assert_int_eq(at_us, UNTOUCHED);
}
END_TEST

START_TEST(schedule_never_asks_earlier_than_before)
{
	int64_t before_us = SINCE;

	for (unsigned asked = 0; asked < COUNT(offsets_s); asked++) {
		int64_t at_us;

		ck_assert(schedule_inquiry(SINCE, asked, &at_us));
		ck_assert_int_gt(at_us, before_us);
		before_us = at_us;
	}
}
END_TEST

START_TEST(schedule_retries_after_two_four_and_eight_seconds_give_or_take_a_quarter)
{
	const int64_t base_us = (INT64_C(1) << _i) * SECOND;
	int64_t least_us = INT64_MAX;
	int64_t most_us = 0;

	for (uint64_t seed = 0; seed <= UINT32_MAX; seed += 99991) {
		int64_t delay_us = UNTOUCHED;

		ck_assert(schedule_retry((unsigned)_i, (uint32_t)seed, &delay_us));
		ck_assert_int_ge(delay_us, base_us - base_us / 4);
		ck_assert_int_le(delay_us, base_us + base_us / 4);
		least_us = delay_us < least_us ? delay_us : least_us;
		most_us = delay_us > most_us ? delay_us : most_us;
	}
	/* The seeds really spread: both ends are nearly reached. */
	ck_assert_int_lt(least_us, base_us - base_us / 5);
	ck_assert_int_gt(most_us, base_us + base_us / 5);
}
END_TEST

START_TEST(schedule_retry_is_the_same_for_the_same_seed)
{
	int64_t first_us;
	int64_t second_us;

	ck_assert(schedule_retry(1, 12345, &first_us));
	ck_assert(schedule_retry(1, 12345, &second_us));

	ck_assert_int_eq(first_us, second_us);
}
END_TEST

START_TEST(schedule_has_no_other_retries)
{
	static const unsigned retries[] = { 0, SCHEDULE_RETRIES_MAX + 1, UINT32_MAX };
	int64_t delay_us = UNTOUCHED;

	for (int i = 0; i < COUNT(retries); i++)
		ck_assert(!schedule_retry(retries[i], 1, &delay_us));
	ck_assert_int_eq(delay_us, UNTOUCHED);
}
END_TEST

UNIT_MAIN("schedule", {
	tcase_add_loop_test(tests, schedule_asks_at_the_offsets_of_the_design, 0, COUNT(offsets_s));
	tcase_add_test(tests, schedule_stops_asking_after_seven_days);
	tcase_add_test(tests, schedule_never_asks_earlier_than_before);
	tcase_add_loop_test(
		tests, schedule_retries_after_two_four_and_eight_seconds_give_or_take_a_quarter, 1,
		SCHEDULE_RETRIES_MAX + 1);
	tcase_add_test(tests, schedule_retry_is_the_same_for_the_same_seed);
	tcase_add_test(tests, schedule_has_no_other_retries);
})
