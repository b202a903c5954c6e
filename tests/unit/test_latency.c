/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/bench/latency.h"

#include "tests/unit/unit.h"

START_TEST(latency_quantile_is_within_one_percent_at_any_size)
{
	for (uint64_t ns = 1; ns < UINT64_MAX / 3; ns += ns / 3 + 1) {
		struct latency latency = { 0 };
		uint64_t told;

		latency_add(&latency, ns);
		latency_add(&latency, UINT64_MAX);
		told = latency_quantile_ns(&latency, 0.5);
		unit_expect((told > ns ? told - ns : ns - told) <= ns / 100, "%llu is told as %llu",
			    (unsigned long long)ns, (unsigned long long)told);
	}
}
END_TEST

START_TEST(latency_quantile_is_what_its_share_is_not_above)
{
	struct latency latency = { 0 };

	for (uint64_t ns = 1; ns <= 100; ns++)
		latency_add(&latency, ns);

	ck_assert_uint_eq(latency_quantile_ns(&latency, 0.5), 50);
	ck_assert_uint_eq(latency_quantile_ns(&latency, 0.99), 99);
	ck_assert_uint_eq(latency_quantile_ns(&latency, 0.999), 100);
	ck_assert_uint_eq(latency_quantile_ns(&latency, 1), 100);
}
END_TEST

START_TEST(latency_quantile_is_never_above_the_largest)
{
	struct latency latency = { 0 };

	latency_add(&latency, 1000000000);

	ck_assert_uint_le(latency_quantile_ns(&latency, 0.999), latency.max_ns);
}
END_TEST

START_TEST(latency_quantile_of_nothing_is_zero)
{
	struct latency latency = { 0 };

	ck_assert_uint_eq(latency_quantile_ns(&latency, 0.5), 0);
}
END_TEST

START_TEST(latency_merge_adds_what_the_other_has)
{
	struct latency into = { 0 }, from = { 0 };

	latency_add(&into, 10);
	latency_add(&from, 20);
	latency_add(&from, 30);
	latency_merge(&into, &from);

	ck_assert_uint_eq(into.count, 3);
	ck_assert_uint_eq(into.max_ns, 30);
	ck_assert_uint_eq(latency_quantile_ns(&into, 0.5), 20);
}
END_TEST

UNIT_MAIN("latency", {
	tcase_add_test(tests, latency_quantile_is_within_one_percent_at_any_size);
	tcase_add_test(tests, latency_quantile_is_what_its_share_is_not_above);
	tcase_add_test(tests, latency_quantile_is_never_above_the_largest);
	tcase_add_test(tests, latency_quantile_of_nothing_is_zero);
	tcase_add_test(tests, latency_merge_adds_what_the_other_has);
})
