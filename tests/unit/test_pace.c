/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/pace.h"

#include "unit.h"

#define SECOND_US INT64_C(1000000)
#define LOOK_US (SECOND_US / 10)

static const struct pace_rules rules = {
	.wait_max_us = 100000, .look_us = LOOK_US, .slowest = 50, .fastest = 10000
};

START_TEST(pace_begins_at_its_fastest_and_then_allows_everything)
{
	struct pace pace = pace_begin(&rules, 0);

	ck_assert_uint_eq(pace_allows(&rules, &pace, 256, 0), 256);
	pace_take(&pace, 256);
	ck_assert_uint_eq(pace_allows(&rules, &pace, 256, 1), 256);
}
END_TEST

START_TEST(pace_falls_while_requests_wait_but_never_below_its_slowest)
{
	struct pace pace = pace_begin(&rules, 0);

	pace_look(&rules, &pace, 100001, LOOK_US);
	ck_assert_int_eq(pace.per_second, 7500);
	for (int64_t i = 2; i < 100; i++)
		pace_look(&rules, &pace, SECOND_US, i * LOOK_US);
	ck_assert_int_eq(pace.per_second, 50);
}
END_TEST

START_TEST(pace_grows_again_when_nobody_waits_too_long)
{
	struct pace pace = pace_begin(&rules, 0);
	int64_t looks = 0;

	pace.per_second = rules.slowest;
	while (pace.per_second < rules.fastest) {
		const int64_t before = pace.per_second;

		pace_look(&rules, &pace, 100000, ++looks * LOOK_US);
		ck_assert_int_gt(pace.per_second, before);
	}
	ck_assert_int_lt(looks, 60); /* six seconds */
	pace_look(&rules, &pace, 0, ++looks * LOOK_US);
	ck_assert_int_eq(pace.per_second, rules.fastest);
}
END_TEST

/* What is taken up over ten seconds, in steps of this many microseconds. */
static size_t taken_in_ten_seconds(struct pace *pace, int64_t step_us)
{
	size_t taken = 0;

	for (int64_t now_us = step_us; now_us <= 10 * SECOND_US; now_us += step_us) {
		const size_t allowed = pace_allows(&rules, pace, 256, now_us);

		pace_take(pace, allowed);
		taken += allowed;
	}
	return taken;
}

START_TEST(pace_allows_as_many_as_its_name_says_however_often_it_is_asked)
{
	static const int64_t steps_us[] = { 333, 5000, 20000, 100000 };
	struct pace pace = pace_begin(&rules, 0);
	size_t taken;

	pace.per_second = 500;
	taken = taken_in_ten_seconds(&pace, steps_us[_i]);

	ck_assert_uint_ge(taken, 4900);
	ck_assert_uint_le(taken, 5000 + 50);
}
END_TEST

START_TEST(pace_saves_no_more_than_a_look_is_worth)
{
	struct pace pace = pace_begin(&rules, 0);

	pace.per_second = 500;

	ck_assert_uint_eq(pace_allows(&rules, &pace, 256, 3600 * SECOND_US), 50);
}
END_TEST

START_TEST(pace_is_looked_at_in_time_and_never_where_no_wait_is_named)
{
	const struct pace_rules never = { .look_us = LOOK_US, .slowest = 1, .fastest = 9 };
	struct pace pace = pace_begin(&rules, 0);

	ck_assert(!pace_is_due(&rules, &pace, LOOK_US - 1));
	ck_assert(pace_is_due(&rules, &pace, LOOK_US));
	ck_assert(!pace_is_due(&never, &pace, SECOND_US));
	ck_assert_uint_eq(pace_allows(&never, &pace, 256, SECOND_US), 256);
}
END_TEST

UNIT_MAIN("pace", {
	tcase_add_test(tests, pace_begins_at_its_fastest_and_then_allows_everything);
	tcase_add_test(tests, pace_falls_while_requests_wait_but_never_below_its_slowest);
	tcase_add_test(tests, pace_grows_again_when_nobody_waits_too_long);
	tcase_add_loop_test(tests, pace_allows_as_many_as_its_name_says_however_often_it_is_asked,
			    0, 4);
	tcase_add_test(tests, pace_saves_no_more_than_a_look_is_worth);
	tcase_add_test(tests, pace_is_looked_at_in_time_and_never_where_no_wait_is_named);
})
