/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Retry budgets: a share of the traffic, a floor, and no more saved than allowed. */
#include "core/budget.h"

#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define S INT64_C(1000000)
#define NOW (INT64_C(1767225600) * S)

/* Spend until nothing is left. */
static int spend_all(const struct budget_rules *rules, struct budget *budget, int64_t now_us)
{
	int spent = 0;

	while (budget_spend(rules, budget, now_us))
		spent++;
	return spent;
}

START_TEST(budget_gives_a_tenth_of_the_traffic)
{
	const struct budget_rules rules = { .percent = 10, .floor_per_second = 0, .burst = 1000 };
	struct budget budget = { .at_us = NOW };

	for (int i = 0; i < 999; i++)
		budget_earn(&rules, &budget, NOW);

	ck_assert_int_eq(spend_all(&rules, &budget, NOW), 99);
	budget_earn(&rules, &budget, NOW);
	ck_assert_int_eq(spend_all(&rules, &budget, NOW), 1);
	ck_assert_int_eq(spend_all(&rules, &budget, NOW + 3600 * S), 0);
}
END_TEST

START_TEST(budget_without_traffic_gives_its_floor)
{
	const struct budget_rules rules = { .percent = 10, .floor_per_second = 2, .burst = 100 };
	struct budget budget = { .at_us = NOW };

	ck_assert_int_eq(spend_all(&rules, &budget, NOW), 0);
	ck_assert_int_eq(spend_all(&rules, &budget, NOW + S / 2 - 1), 0);
	ck_assert_int_eq(spend_all(&rules, &budget, NOW + S / 2), 1);
	ck_assert_int_eq(spend_all(&rules, &budget, NOW + 5 * S), 9);
}
END_TEST

START_TEST(budget_saves_no_more_than_its_burst)
{
	const struct budget_rules *rules = &budget_rules_default;
	struct budget budget = budget_full(rules, NOW);

	for (int i = 0; i < 10000; i++)
		budget_earn(rules, &budget, NOW + i);

	ck_assert_int_eq(spend_all(rules, &budget, NOW + 24 * 3600 * S), 10);
	ck_assert_int_eq(spend_all(rules, &budget, INT64_MAX), 10);
}
END_TEST

START_TEST(budget_gives_nothing_for_a_clock_that_was_set_back)
{
	const struct budget_rules *rules = &budget_rules_default;
	struct budget budget = budget_full(rules, NOW);

	ck_assert_int_eq(spend_all(rules, &budget, NOW), 10);

	ck_assert_int_eq(spend_all(rules, &budget, NOW - 3600 * S), 0);
	ck_assert_int_eq(spend_all(rules, &budget, NOW - 3600 * S + S), 1);
}
END_TEST

START_TEST(budget_that_is_all_zero_begins_at_its_first_call)
{
	struct budget budget = { .at_us = 0 };

	ck_assert_int_eq(spend_all(&budget_rules_default, &budget, NOW), 0);
	ck_assert_int_eq(spend_all(&budget_rules_default, &budget, NOW + S), 1);
}
END_TEST

START_TEST(budget_never_gives_more_than_burst_share_and_floor)
{
	uint64_t seed = seed_start();

	for (int round = 0; round < 500; round++) {
		const struct budget_rules rules = {
			.percent = (unsigned)(seed_next(&seed) % 101),
			.floor_per_second = (unsigned)(seed_next(&seed) % 5),
			.burst = 1 + (unsigned)(seed_next(&seed) % 50),
		};
		struct budget budget = budget_full(&rules, NOW);
		int64_t now_us = NOW, earned = 0, spent = 0, most;

		for (int i = 0; i < 400; i++) {
			now_us += (int64_t)(seed_next(&seed) % (S / 5));
			if (seed_next(&seed) % 2 == 0) {
				budget_earn(&rules, &budget, now_us);
				earned++;
			} else if (budget_spend(&rules, &budget, now_us)) {
				spent++;
			}
			most = rules.burst * S + earned * rules.percent * S / 100 +
			       (now_us - NOW) * rules.floor_per_second;
			unit_expect(spent * S <= most, "round %d, step %d", round, i);
		}
	}
}
END_TEST

UNIT_MAIN("budget", {
	tcase_add_test(tests, budget_gives_a_tenth_of_the_traffic);
	tcase_add_test(tests, budget_without_traffic_gives_its_floor);
	tcase_add_test(tests, budget_saves_no_more_than_its_burst);
	tcase_add_test(tests, budget_gives_nothing_for_a_clock_that_was_set_back);
	tcase_add_test(tests, budget_that_is_all_zero_begins_at_its_first_call);
	tcase_add_test(tests, budget_never_gives_more_than_burst_share_and_floor);
})
