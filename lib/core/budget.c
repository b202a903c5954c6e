/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/budget.h"

#define CALL INT64_C(1000000)
#define PERCENT (CALL / 100)

const struct budget_rules budget_rules_default = {
	.percent = 10,
	.floor_per_second = 1,
	.burst = 10,
};

static void save(const struct budget_rules *rules, struct budget *budget, int64_t millionths)
{
	const int64_t most = (int64_t)rules->burst * CALL;

	if (millionths > most - budget->saved_millionths)
		budget->saved_millionths = most;
	else
		budget->saved_millionths += millionths;
}

/* One a second is one millionth in a microsecond. A clock that was set back gives nothing. */
static void flow(const struct budget_rules *rules, struct budget *budget, int64_t now_us)
{
	const int64_t passed_us = now_us - budget->at_us;
	const int64_t rate = rules->floor_per_second;

	if (budget->at_us != 0 && passed_us > 0 && rate > 0)
		save(rules, budget, passed_us > INT64_MAX / rate ? INT64_MAX : passed_us * rate);
	budget->at_us = now_us;
}

struct budget budget_full(const struct budget_rules *rules, int64_t now_us)
{
	return (struct budget){ .saved_millionths = (int64_t)rules->burst * CALL, .at_us = now_us };
}

void budget_earn(const struct budget_rules *rules, struct budget *budget, int64_t now_us)
{
	flow(rules, budget, now_us);
	save(rules, budget, (int64_t)rules->percent * PERCENT);
}

bool budget_spend(const struct budget_rules *rules, struct budget *budget, int64_t now_us)
{
	flow(rules, budget, now_us);
	if (budget->saved_millionths < CALL)
		return false;
	budget->saved_millionths -= CALL;
	return true;
}
