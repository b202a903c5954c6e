/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/pace.h"

#define MILLION INT64_C(1000000)

struct pace pace_begin(const struct pace_rules *rules, int64_t now_us)
{
	return (struct pace){ .per_second = rules->fastest,
			      .at_us = now_us,
			      .looked_at_us = now_us };
}

bool pace_is_due(const struct pace_rules *rules, const struct pace *pace, int64_t now_us)
{
	return rules->wait_max_us > 0 && now_us - pace->looked_at_us >= rules->look_us;
}

void pace_look(const struct pace_rules *rules, struct pace *pace, int64_t waited_us, int64_t now_us)
{
	pace->looked_at_us = now_us;
	if (waited_us > rules->wait_max_us)
		pace->per_second -= pace->per_second / 4;
	else
		pace->per_second += pace->per_second / 8 + 1;
	if (pace->per_second < rules->slowest)
		pace->per_second = rules->slowest;
	if (pace->per_second > rules->fastest)
		pace->per_second = rules->fastest;
}

/* At most a look's worth is saved, at least one: what was not taken up in time is no claim on the future. */
static int64_t saved_most(const struct pace_rules *rules, const struct pace *pace)
{
	const int64_t most = pace->per_second * rules->look_us;

	return most > MILLION ? most : MILLION;
}

size_t pace_allows(const struct pace_rules *rules, struct pace *pace, size_t wanted, int64_t now_us)
{
	const int64_t most = saved_most(rules, pace);
	int64_t passed_us = now_us - pace->at_us;

	if (rules->wait_max_us == 0 || pace->per_second == rules->fastest)
		return wanted;
	if (passed_us > MILLION)
		passed_us = MILLION;
	pace->at_us = now_us;
	pace->saved_millionths += pace->per_second * passed_us;
	if (pace->saved_millionths > most)
		pace->saved_millionths = most;
	return (size_t)(pace->saved_millionths / MILLION) < wanted
		       ? (size_t)(pace->saved_millionths / MILLION)
		       : wanted;
}

void pace_take(struct pace *pace, size_t taken)
{
	pace->saved_millionths -= (int64_t)taken * MILLION;
	if (pace->saved_millionths < 0)
		pace->saved_millionths = 0;
}
