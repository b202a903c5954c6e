/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/breaker.h"

#include <assert.h>

/* A clock that reads this much less than when the state changed was set back. */
#define SET_BACK_US INT64_C(5000000)

static const char *const operations[] = { "charge", "authorise", "capture", "void",
					  "refund", "payout",    "inquiry" };
static const char *const states[] = { "closed", "half_open", "open" };
static const char *const forces[] = { "automatic", "open", "closed" };

const struct words breaker_operation_words = { operations, BREAKER_OPERATIONS };
const struct words breaker_state_words = { states, BREAKER_STATES };
const struct words breaker_force_words = { forces, sizeof forces / sizeof forces[0] };

const struct breaker_rules breaker_rules_default = {
	.failure_percent = 50,
	.calls_min = 20,
	.window_us = INT64_C(30000000),
	.failures_in_row = 5,
	.open_us = INT64_C(30000000),
	.open_max_us = INT64_C(600000000),
};

/* clang-format off */
static const struct transition transitions[] = { /* everything absent is refused */
	/* from               event               to                 */
	{ BREAKER_CLOSED,     BREAKER_TRIPPED,    BREAKER_OPEN      },
	{ BREAKER_OPEN,       BREAKER_PROBED,     BREAKER_HALF_OPEN },
	{ BREAKER_HALF_OPEN,  BREAKER_PROBED,     BREAKER_HALF_OPEN }, /* the one before was given up */
	{ BREAKER_HALF_OPEN,  BREAKER_RECOVERED,  BREAKER_CLOSED    },
	{ BREAKER_HALF_OPEN,  BREAKER_RELAPSED,   BREAKER_OPEN      },
};
/* clang-format on */

bool breaker_next(enum breaker_state from, enum breaker_event event, enum breaker_state *to)
{
	int next;

	if (!transition_find(transitions, sizeof transitions / sizeof transitions[0], (int)from,
			     (int)event, &next))
		return false;
	*to = (enum breaker_state)next;
	return true;
}

bool breaker_is_forced(const struct breaker *breaker, int64_t now_us)
{
	return breaker->force != BREAKER_AUTOMATIC && now_us < breaker->force_until_us;
}

enum breaker_state breaker_shown(const struct breaker *breaker, int64_t now_us)
{
	if (!breaker_is_forced(breaker, now_us))
		return breaker->state;
	return breaker->force == BREAKER_FORCED_OPEN ? BREAKER_OPEN : BREAKER_CLOSED;
}

static bool is_over(const struct breaker *breaker, int64_t now_us)
{
	return now_us >= breaker->until_us || now_us < breaker->changed_at_us - SET_BACK_US;
}

enum breaker_answer breaker_ask(const struct breaker *breaker, int64_t now_us, int64_t *again_at_us)
{
	const bool forced = breaker_is_forced(breaker, now_us);
	const enum breaker_state state = breaker_shown(breaker, now_us);

	if (state == BREAKER_CLOSED)
		return BREAKER_PASS;
	if (!forced && is_over(breaker, now_us))
		return BREAKER_PROBE_DUE;
	*again_at_us = forced ? breaker->force_until_us : breaker->until_us;
	return state == BREAKER_OPEN ? BREAKER_WAIT : BREAKER_PROBE_OUT;
}

/* The only writer of a state. */
static void change(struct breaker *breaker, enum breaker_event event, int64_t now_us,
		   int64_t span_us)
{
	const bool known = breaker_next(breaker->state, event, &breaker->state);

	assert(known);
	breaker->changed_at_us = now_us;
	if (breaker->state == BREAKER_CLOSED) {
		breaker->opened_at_us = 0;
		breaker->until_us = 0;
		breaker->span_us = 0;
		return;
	}
	if (event == BREAKER_TRIPPED)
		breaker->opened_at_us = now_us;
	if (breaker->state == BREAKER_OPEN)
		breaker->span_us = span_us;
	breaker->until_us = now_us + span_us;
}

bool breaker_probe(struct breaker *breaker, int64_t now_us, int64_t lease_us)
{
	int64_t again_at_us;

	if (breaker_ask(breaker, now_us, &again_at_us) != BREAKER_PROBE_DUE)
		return false;
	change(breaker, BREAKER_PROBED, now_us, lease_us);
	return true;
}

/* Parts that are over make room; a clock that was set back, or long silence, leaves nothing. */
static void counts_advance(struct breaker_counts *counts, int64_t part)
{
	if (part < counts->part || part - counts->part >= BREAKER_PARTS) {
		const uint32_t failures_in_row = counts->failures_in_row;

		*counts = (struct breaker_counts){ .part = part,
						   .failures_in_row = failures_in_row };
		return;
	}
	while (counts->part < part) {
		counts->part++;
		counts->calls[counts->part % BREAKER_PARTS] = 0;
		counts->failures[counts->part % BREAKER_PARTS] = 0;
	}
}

static bool trips(const struct breaker_rules *rules, const struct breaker_counts *counts)
{
	uint64_t calls = 0;
	uint64_t failures = 0;

	if (counts->failures_in_row >= rules->failures_in_row)
		return true;
	for (size_t i = 0; i < BREAKER_PARTS; i++) {
		calls += counts->calls[i];
		failures += counts->failures[i];
	}
	return calls >= rules->calls_min && failures * 100 >= calls * rules->failure_percent;
}

static bool count_closed(const struct breaker_rules *rules, struct breaker *breaker,
			 struct breaker_counts *counts, const struct breaker_call *call)
{
	const int64_t width_us = rules->window_us / BREAKER_PARTS;
	const bool failed = call->result == BREAKER_FAILURE;
	size_t place;

	assert(width_us > 0 && call->now_us >= 0);
	counts_advance(counts, call->now_us / width_us);
	place = (size_t)(counts->part % BREAKER_PARTS);
	counts->calls[place]++;
	counts->failures[place] += failed ? 1 : 0;
	counts->failures_in_row = failed ? counts->failures_in_row + 1 : 0;
	if (!failed || !trips(rules, counts))
		return false;
	change(breaker, BREAKER_TRIPPED, call->now_us, rules->open_us);
	return true;
}

static void count_probe(const struct breaker_rules *rules, struct breaker *breaker,
			const struct breaker_call *call)
{
	int64_t span_us = breaker->span_us * 2;

	if (span_us < rules->open_us)
		span_us = rules->open_us;
	if (span_us > rules->open_max_us)
		span_us = rules->open_max_us;
	change(breaker, call->result == BREAKER_OK ? BREAKER_RECOVERED : BREAKER_RELAPSED,
	       call->now_us, span_us);
}

bool breaker_count(const struct breaker_rules *rules, struct breaker *breaker,
		   struct breaker_counts *counts, const struct breaker_call *call)
{
	bool changed = false;

	if (call->result == BREAKER_NEUTRAL || breaker_is_forced(breaker, call->now_us) ||
	    call->began_us < breaker->changed_at_us)
		return false;
	switch (breaker->state) {
	case BREAKER_CLOSED:
		changed = count_closed(rules, breaker, counts, call);
		break;
	case BREAKER_HALF_OPEN:
		count_probe(rules, breaker, call);
		changed = true;
		break;
	case BREAKER_OPEN:
		break;
	}
	if (changed)
		*counts = (struct breaker_counts){ .part = 0 };
	return changed;
}
