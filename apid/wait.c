/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/wait.h"

#include "base/clock.h"
#include "service/lookup.h"

#define PAUSE_MIN_US 5000
#define PAUSE_MAX_US 160000
#define MARGIN_US 50000 /* left of the deadline for the answer */

static const int64_t seconds_range[2] = { 0, 30 };

int64_t wait_latest(const struct call *call)
{
	return call->deadline_boot_us - MARGIN_US;
}

bool wait_read(struct call *call, int64_t *until_boot_us)
{
	const int64_t latest_us = wait_latest(call);
	int64_t seconds;

	if (!query_integer(&call->query, "wait", seconds_range, 0, &seconds)) {
		call_refuse(call, ERR_QUERY,
			    "The parameter wait must be a whole number of seconds from 0 to 30.");
		return false;
	}
	*until_boot_us = 0;
	if (seconds > 0) {
		*until_boot_us = clock_boot_us() + seconds * 1000000;
		if (*until_boot_us > latest_us)
			*until_boot_us = latest_us;
	}
	return true;
}

bool wait_is_over(const struct transaction_view *view)
{
	switch (view->row.status) {
	case TS_PENDING:
	case TS_PROCESSING:
		return view->next_action == NEXT_EXPIRE || view->next_action == NEXT_HUMAN;
	case TS_AUTHORISED:
	case TS_COMPLETED:
	case TS_FAILED:
	case TS_CANCELLED:
	case TS_PARKED:
		break;
	}
	return true;
}

static bool has_time(const struct call *call, int64_t until_boot_us)
{
	return clock_boot_us() < until_boot_us && !atomic_load(&call->app->draining);
}

/* What cannot be read for a moment is read the next time. */
static void look_until(struct call *call, int64_t until_boot_us, uint32_t than, bool instructed,
		       struct transaction_view *view)
{
	struct transaction_view seen;
	int64_t pause_us = PAUSE_MIN_US;

	while ((than == 0 || view->row.version == than) && !wait_is_over(view) &&
	       !(instructed && view->instructions[0] != '\0') && has_time(call, until_boot_us)) {
		const int64_t left_us = until_boot_us - clock_boot_us();

		clock_sleep_us(left_us < pause_us ? left_us : pause_us);
		pause_us = pause_us * 2 < PAUSE_MAX_US ? pause_us * 2 : PAUSE_MAX_US;
		if (lookup_transaction(call->app->lookups, call->claims.merchant, view->row.id,
				       call->deadline_boot_us, &seen) == ERR_OK)
			*view = seen;
	}
}

void wait_for_outcome(struct call *call, int64_t until_boot_us, uint32_t than,
		      struct transaction_view *view)
{
	look_until(call, until_boot_us, than, false, view);
}

void wait_for_answer(struct call *call, int64_t until_boot_us, struct transaction_view *view)
{
	look_until(call, until_boot_us, 0, true, view);
}
