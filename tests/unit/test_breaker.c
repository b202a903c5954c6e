/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Circuit breakers: the whole space of states, forces, events and results, and when one trips. */
#include "core/breaker.h"

#include <string.h>

#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define S INT64_C(1000000)
#define NOW (INT64_C(1767225600) * S)
#define NONE (-1)
#define UNTOUCHED INT64_C(-7)
#define COUNT(ROWS) ((int)(sizeof(ROWS) / sizeof(ROWS)[0]))

#define RULES (&breaker_rules_default)

/* clang-format off */
static const int expected[BREAKER_STATES][BREAKER_EVENTS] = {
	/*                       tripped       probed             recovered       relapsed */
	[BREAKER_CLOSED]    = { BREAKER_OPEN, NONE,              NONE,           NONE         },
	[BREAKER_HALF_OPEN] = { NONE,         BREAKER_HALF_OPEN, BREAKER_CLOSED, BREAKER_OPEN },
	[BREAKER_OPEN]      = { NONE,         BREAKER_HALF_OPEN, NONE,           NONE         },
};
/* clang-format on */

START_TEST(breaker_changes_only_as_the_table_says)
{
	for (int from = 0; from < BREAKER_STATES; from++)
		for (int event = 0; event < BREAKER_EVENTS; event++) {
			enum breaker_state to = BREAKER_CLOSED;
			const bool known = breaker_next((enum breaker_state)from,
							(enum breaker_event)event, &to);

			unit_expect(known == (expected[from][event] != NONE), "%d, %d", from,
				    event);
			unit_expect(!known || (int)to == expected[from][event], "%d, %d", from,
				    event);
		}
}
END_TEST

/* A breaker that came into this state 10 s ago, for a minute. */
static struct breaker breaker_in(enum breaker_state state)
{
	struct breaker breaker = { .state = state, .changed_at_us = NOW - 10 * S };

	if (state == BREAKER_CLOSED)
		return breaker;
	breaker.opened_at_us = NOW - 300 * S;
	breaker.span_us = 60 * S;
	breaker.until_us = NOW + 50 * S;
	return breaker;
}

#define CLOSED BREAKER_CLOSED
#define OPEN BREAKER_OPEN
#define HALF_OPEN BREAKER_HALF_OPEN
#define AUTOMATIC BREAKER_AUTOMATIC
#define FORCED_OPEN BREAKER_FORCED_OPEN
#define FORCED_CLOSED BREAKER_FORCED_CLOSED
#define PASS BREAKER_PASS
#define WAIT BREAKER_WAIT
#define PROBE_DUE BREAKER_PROBE_DUE
#define PROBE_OUT BREAKER_PROBE_OUT

/* clang-format off */
static const struct ask {
	enum breaker_state state;
	enum breaker_force force;
	int64_t force_left_us;
	int64_t until_left_us;
	enum breaker_answer answer;
	int64_t again_in_us; /* NONE: nothing is written */
	enum breaker_state shown;
} asks[] = {
	/* state     force          its rest rest  answer   again   shown */
	{ CLOSED,    AUTOMATIC,     0,     0,     PASS,      NONE,  CLOSED    },
	{ CLOSED,    FORCED_OPEN,   9 * S, 0,     WAIT,      9 * S, OPEN      },
	{ CLOSED,    FORCED_OPEN,   1,     0,     WAIT,      1,     OPEN      },
	{ CLOSED,    FORCED_OPEN,   0,     0,     PASS,      NONE,  CLOSED    },
	{ CLOSED,    FORCED_CLOSED, 9 * S, 0,     PASS,      NONE,  CLOSED    },
	{ CLOSED,    FORCED_CLOSED, 0,     0,     PASS,      NONE,  CLOSED    },
	{ OPEN,      AUTOMATIC,     0,     5 * S, WAIT,      5 * S, OPEN      },
	{ OPEN,      AUTOMATIC,     0,     1,     WAIT,      1,     OPEN      },
	{ OPEN,      AUTOMATIC,     0,     0,     PROBE_DUE, NONE,  OPEN      },
	{ OPEN,      FORCED_OPEN,   9 * S, 0,     WAIT,      9 * S, OPEN      },
	{ OPEN,      FORCED_OPEN,   0,     5 * S, WAIT,      5 * S, OPEN      },
	{ OPEN,      FORCED_OPEN,   0,     0,     PROBE_DUE, NONE,  OPEN      },
	{ OPEN,      FORCED_CLOSED, 9 * S, 5 * S, PASS,      NONE,  CLOSED    },
	{ OPEN,      FORCED_CLOSED, 0,     5 * S, WAIT,      5 * S, OPEN      },
	{ OPEN,      FORCED_CLOSED, 0,     0,     PROBE_DUE, NONE,  OPEN      },
	{ HALF_OPEN, AUTOMATIC,     0,     5 * S, PROBE_OUT, 5 * S, HALF_OPEN },
	{ HALF_OPEN, AUTOMATIC,     0,     0,     PROBE_DUE, NONE,  HALF_OPEN },
	{ HALF_OPEN, FORCED_OPEN,   9 * S, 5 * S, WAIT,      9 * S, OPEN      },
	{ HALF_OPEN, FORCED_OPEN,   0,     5 * S, PROBE_OUT, 5 * S, HALF_OPEN },
	{ HALF_OPEN, FORCED_CLOSED, 9 * S, 0,     PASS,      NONE,  CLOSED    },
	{ HALF_OPEN, FORCED_CLOSED, 0,     0,     PROBE_DUE, NONE,  HALF_OPEN },
};
/* clang-format on */

START_TEST(breaker_answers_by_state_force_and_time)
{
	const struct ask *row = &asks[_i];
	struct breaker breaker = breaker_in(row->state);
	int64_t again_at_us = UNTOUCHED;

	breaker.force = row->force;
	breaker.force_until_us = NOW + row->force_left_us;
	breaker.until_us = NOW + row->until_left_us;

	ck_assert_int_eq(breaker_ask(&breaker, NOW, &again_at_us), row->answer);

	ck_assert_int_eq(again_at_us,
			 row->again_in_us == NONE ? UNTOUCHED : NOW + row->again_in_us);
	ck_assert_int_eq(breaker_shown(&breaker, NOW), row->shown);
}
END_TEST

START_TEST(breaker_that_a_clock_set_back_would_hold_open_for_hours_is_probed)
{
	static const enum breaker_state held[] = { BREAKER_OPEN, BREAKER_HALF_OPEN };
	struct breaker breaker = breaker_in(held[_i]);
	int64_t again_at_us;

	ck_assert_int_ne(breaker_ask(&breaker, breaker.changed_at_us - S, &again_at_us),
			 BREAKER_PROBE_DUE);
	ck_assert_int_eq(breaker_ask(&breaker, breaker.changed_at_us - 3600 * S, &again_at_us),
			 BREAKER_PROBE_DUE);
}
END_TEST

/* clang-format off */
static const struct ending {
	enum breaker_state state;
	enum breaker_result result;
	int to; /* NONE: it does not change */
} endings[] = {
	{ BREAKER_CLOSED,    BREAKER_OK,      NONE           },
	{ BREAKER_CLOSED,    BREAKER_FAILURE, NONE           }, /* one alone */
	{ BREAKER_CLOSED,    BREAKER_NEUTRAL, NONE           },
	{ BREAKER_OPEN,      BREAKER_OK,      NONE           },
	{ BREAKER_OPEN,      BREAKER_FAILURE, NONE           },
	{ BREAKER_OPEN,      BREAKER_NEUTRAL, NONE           },
	{ BREAKER_HALF_OPEN, BREAKER_OK,      BREAKER_CLOSED },
	{ BREAKER_HALF_OPEN, BREAKER_FAILURE, BREAKER_OPEN   },
	{ BREAKER_HALF_OPEN, BREAKER_NEUTRAL, NONE           },
};
/* clang-format on */

START_TEST(breaker_hears_of_a_call_by_state_and_result)
{
	const struct ending *row = &endings[_i];
	const struct breaker before = breaker_in(row->state);
	const struct breaker_call call = { row->result, NOW - S, NOW };
	struct breaker breaker = before;
	struct breaker_counts counts = { .part = 0 };

	ck_assert_int_eq(breaker_count(RULES, &breaker, &counts, &call), row->to != NONE);

	if (row->to == NONE) {
		ck_assert_mem_eq(&breaker, &before, sizeof breaker);
		return;
	}
	ck_assert_int_eq(breaker.state, row->to);
	ck_assert_int_eq(breaker.changed_at_us, NOW);
}
END_TEST

START_TEST(breaker_hears_nothing_from_before_its_last_change_or_while_it_is_forced)
{
	static const enum breaker_force forces[] = { BREAKER_FORCED_OPEN, BREAKER_FORCED_CLOSED };

	for (int i = 0; i < COUNT(endings); i++)
		for (int force = 0; force < COUNT(forces); force++) {
			const struct breaker before = breaker_in(endings[i].state);
			struct breaker_call call = { endings[i].result, before.changed_at_us - 1,
						     NOW };
			struct breaker_counts counts = { .part = 0 };
			struct breaker breaker = before;

			unit_expect(!breaker_count(RULES, &breaker, &counts, &call), "%d", i);
			unit_expect(breaker.state == before.state, "%d", i);
			call.began_us = NOW - S;
			breaker.force = forces[force];
			breaker.force_until_us = NOW + 1;
			unit_expect(!breaker_count(RULES, &breaker, &counts, &call), "%d", i);
			unit_expect(breaker.state == before.state, "%d", i);
			unit_expect(counts.failures_in_row == 0, "%d", i);
		}
}
END_TEST

/* ---- tripping ---- */

struct trial {
	struct breaker breaker;
	struct breaker_counts counts;
	int64_t now_us;
};

static struct trial trial_new(void)
{
	return (struct trial){ .now_us = NOW };
}

/* "+" ok, "-" failure, "." a second passes. Returns how many were read until it opened; NONE: it stayed closed. */
static int trial_play(struct trial *trial, const char *script)
{
	for (int i = 0; script[i] != '\0'; i++) {
		const struct breaker_call call = { script[i] == '-' ? BREAKER_FAILURE : BREAKER_OK,
						   trial->now_us, trial->now_us };

		if (script[i] == '.')
			trial->now_us += S;
		else if (breaker_count(RULES, &trial->breaker, &trial->counts, &call))
			return i + 1;
	}
	return NONE;
}

static const struct script {
	const char *calls;
	int opens_after;
} scripts[] = {
	{ "----", NONE },
	{ "-----", 5 },
	{ "----+----+----+---", NONE },
	{ "-.-.-.-.-", 9 },
	{ "-.........................................-.-.-.-", 49 },
	{ "+-+-+-+-+-+-+-+-+-+-", 20 },
	{ "+-+-+-+-+-+-+-+-+-+", NONE },
	{ "-+-+-+-+-+-+-+-+-+-+-", 21 },         /* the twentieth ended well */
	{ "++++++++++++----", NONE },              /* a quarter */
	{ "++++++++++----+----+----", 24 },       /* 11 of 23 are not half, 12 of 24 are */
	{ "+-+-+-+-+-+-..............................+-+-+-+-", NONE }, /* the first are 30 s old */
};

START_TEST(breaker_trips_at_half_of_twenty_in_thirty_seconds_or_at_five_in_a_row)
{
	struct trial trial = trial_new();

	ck_assert_int_eq(trial_play(&trial, scripts[_i].calls), scripts[_i].opens_after);

	if (scripts[_i].opens_after == NONE) {
		ck_assert_int_eq(trial.breaker.state, BREAKER_CLOSED);
		return;
	}
	ck_assert_int_eq(trial.breaker.state, BREAKER_OPEN);
	ck_assert_int_eq(trial.breaker.opened_at_us, trial.now_us);
	ck_assert_int_eq(trial.breaker.until_us, trial.now_us + 30 * S);
}
END_TEST

START_TEST(breaker_never_trips_by_what_is_definite)
{
	struct trial trial = trial_new();

	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(trial_play(&trial, "+++."), NONE);
}
END_TEST

/* What the counts should say, from all calls there were. */
struct past {
	int64_t part[4096];
	bool failed[4096];
	int count;
};

static bool past_trips(const struct past *past, int64_t part)
{
	uint64_t calls = 0, failures = 0;
	unsigned row = 0;

	for (int i = 0; i < past->count; i++) {
		row = past->failed[i] ? row + 1 : 0;
		if (past->part[i] <= part - BREAKER_PARTS)
			continue;
		calls++;
		failures += past->failed[i];
	}
	return row >= RULES->failures_in_row ||
	       (calls >= RULES->calls_min && failures * 100 >= calls * RULES->failure_percent);
}

START_TEST(breaker_counts_as_one_who_remembers_every_call)
{
	uint64_t seed = seed_start();

	for (int round = 0; round < 300; round++) {
		struct trial trial = trial_new();
		struct past past = { .count = 0 };
		const unsigned bad = (unsigned)(seed_next(&seed) % 70);

		for (int i = 0; i < 400; i++) {
			const bool failed = seed_next(&seed) % 100 < bad;
			const int64_t part = trial.now_us / (RULES->window_us / BREAKER_PARTS);
			const char call[] = { failed ? '-' : '+', '\0' };
			const bool opened = trial_play(&trial, call) != NONE;

			past.part[past.count] = part;
			past.failed[past.count++] = failed;
			unit_expect(opened == (failed && past_trips(&past, part)),
				    "round %d, call %d", round, i);
			if (opened)
				break;
			trial.now_us += (int64_t)(seed_next(&seed) % (4 * S));
		}
	}
}
END_TEST

START_TEST(breaker_counts_anew_when_the_clock_is_set_back)
{
	struct trial trial = trial_new();

	ck_assert_int_eq(trial_play(&trial, "+-+-+-+-+-+-+-+-+-+"), NONE);
	trial.now_us -= 3600 * S;

	ck_assert_int_eq(trial_play(&trial, "-+-+-+"), NONE);
}
END_TEST

/* ---- the way back ---- */

/* Take the probe when it is due, and end it. */
static void probe(struct trial *trial, enum breaker_result result)
{
	const int64_t due_us = trial->breaker.until_us;
	struct breaker_call call = { result, due_us + S, due_us + 2 * S };

	ck_assert(!breaker_probe(&trial->breaker, due_us - 1, 40 * S));
	ck_assert(breaker_probe(&trial->breaker, due_us, 40 * S));
	ck_assert_int_eq(trial->breaker.state, BREAKER_HALF_OPEN);
	ck_assert_int_eq(trial->breaker.until_us, due_us + 40 * S);
	ck_assert(!breaker_probe(&trial->breaker, due_us + 40 * S - 1, 40 * S));
	ck_assert(breaker_count(RULES, &trial->breaker, &trial->counts, &call));
	trial->now_us = call.now_us;
}

START_TEST(breaker_is_open_twice_as_long_after_each_failed_probe_up_to_ten_minutes)
{
	static const int64_t spans_s[] = { 30, 60, 120, 240, 480, 600, 600 };
	struct trial trial = trial_new();
	const int64_t opened_at_us = trial.now_us;

	ck_assert_int_eq(trial_play(&trial, "-----"), 5);
	for (int i = 0; i < COUNT(spans_s); i++) {
		ck_assert_int_eq(trial.breaker.state, BREAKER_OPEN);
		ck_assert_int_eq(trial.breaker.until_us, trial.now_us + spans_s[i] * S);
		ck_assert_int_eq(trial.breaker.opened_at_us, opened_at_us);
		probe(&trial, BREAKER_FAILURE);
	}
}
END_TEST

START_TEST(breaker_closes_after_a_good_probe_and_begins_anew)
{
	struct trial trial = trial_new();

	ck_assert_int_eq(trial_play(&trial, "-----"), 5);
	probe(&trial, BREAKER_FAILURE);
	probe(&trial, BREAKER_OK);

	ck_assert_int_eq(trial.breaker.state, BREAKER_CLOSED);
	ck_assert_int_eq(trial.breaker.opened_at_us, 0);
	ck_assert_int_eq(trial.breaker.until_us, 0);
	ck_assert_int_eq(trial_play(&trial, "----+-----"), 10);
	ck_assert_int_eq(trial.breaker.until_us, trial.now_us + 30 * S);
}
END_TEST

START_TEST(breaker_gives_a_probe_that_never_came_back_to_the_next)
{
	struct trial trial = trial_new();
	struct breaker_call late = { BREAKER_OK, 0, 0 };

	ck_assert_int_eq(trial_play(&trial, "-----"), 5);
	ck_assert(breaker_probe(&trial.breaker, NOW + 30 * S, 40 * S));

	ck_assert(breaker_probe(&trial.breaker, NOW + 70 * S, 40 * S));

	ck_assert_int_eq(trial.breaker.until_us, NOW + 110 * S);
	late = (struct breaker_call){ BREAKER_OK, NOW + 31 * S, NOW + 71 * S };
	ck_assert(!breaker_count(RULES, &trial.breaker, &trial.counts, &late));
	ck_assert_int_eq(trial.breaker.state, BREAKER_HALF_OPEN);
}
END_TEST

START_TEST(breaker_words_stand_for_their_values)
{
	for (int kind = 0; kind < OPERATION_KIND_COUNT; kind++)
		ck_assert_str_eq(words_text(breaker_operation_words, kind),
				 words_text(operation_kind_words, kind));
	ck_assert_str_eq(words_text(breaker_operation_words, BREAKER_INQUIRY), "inquiry");
	ck_assert_str_eq(words_text(breaker_state_words, BREAKER_HALF_OPEN), "half_open");
	ck_assert_str_eq(words_text(breaker_force_words, BREAKER_FORCED_CLOSED), "closed");
}
END_TEST

UNIT_MAIN("breaker", {
	tcase_add_test(tests, breaker_changes_only_as_the_table_says);
	tcase_add_loop_test(tests, breaker_answers_by_state_force_and_time, 0, COUNT(asks));
	tcase_add_loop_test(
		tests, breaker_that_a_clock_set_back_would_hold_open_for_hours_is_probed, 0, 2);
	tcase_add_loop_test(tests, breaker_hears_of_a_call_by_state_and_result, 0, COUNT(endings));
	tcase_add_test(tests,
		       breaker_hears_nothing_from_before_its_last_change_or_while_it_is_forced);
	tcase_add_loop_test(
		tests, breaker_trips_at_half_of_twenty_in_thirty_seconds_or_at_five_in_a_row, 0,
		COUNT(scripts));
	tcase_add_test(tests, breaker_never_trips_by_what_is_definite);
	tcase_add_test(tests, breaker_counts_as_one_who_remembers_every_call);
	tcase_add_test(tests, breaker_counts_anew_when_the_clock_is_set_back);
	tcase_add_test(tests,
		       breaker_is_open_twice_as_long_after_each_failed_probe_up_to_ten_minutes);
	tcase_add_test(tests, breaker_closes_after_a_good_probe_and_begins_anew);
	tcase_add_test(tests, breaker_gives_a_probe_that_never_came_back_to_the_next);
	tcase_add_test(tests, breaker_words_stand_for_their_values);
})
