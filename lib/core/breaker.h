/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Breaker: whether a gateway is worth asking for a kind of operation now, judged by how its latest
 * calls ended.
 *
 * Invariant  an open breaker lets no call through until its time is over, and then one, the probe;
 *            only what happened to calls that began after the last change of state counts; a forced
 *            breaker neither counts nor changes
 * Units      microseconds of one clock, which may be set back
 * Ownership  plain values
 * Threads    safe: pure functions over their arguments
 * Source     DESIGN.md: Retry, Inquiries, Breaker
 */
#ifndef CORE_BREAKER_H
#define CORE_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/operation.h"
#include "core/transition.h"

/* Kinds of operations as in core/operation.h, and asking what became of one. */
enum breaker_operation {
	BREAKER_CHARGE = OPERATION_CHARGE,
	BREAKER_AUTHORISE = OPERATION_AUTHORISE,
	BREAKER_CAPTURE = OPERATION_CAPTURE,
	BREAKER_VOID = OPERATION_VOID,
	BREAKER_REFUND = OPERATION_REFUND,
	BREAKER_PAYOUT = OPERATION_PAYOUT,
	BREAKER_INQUIRY,
};
#define BREAKER_OPERATIONS 7

enum breaker_state {
	BREAKER_CLOSED,    /* calls go */
	BREAKER_HALF_OPEN, /* one call, the probe, is to tell */
	BREAKER_OPEN,      /* none go */
};
#define BREAKER_STATES 3

enum breaker_event {
	BREAKER_TRIPPED,   /* too many calls failed */
	BREAKER_PROBED,    /* its time is over: somebody took the probe upon himself */
	BREAKER_RECOVERED, /* the probe ended well */
	BREAKER_RELAPSED,  /* the probe failed too */
};
#define BREAKER_EVENTS 4

/* What an operator wants, whatever the calls tell. */
enum breaker_force { BREAKER_AUTOMATIC, BREAKER_FORCED_OPEN, BREAKER_FORCED_CLOSED };

/* How a call ended, as far as it tells about the gateway. */
enum breaker_result {
	BREAKER_OK,      /* a definite answer; a decline is one */
	BREAKER_FAILURE, /* not sent, or unknown; of an inquiry: no clear answer */
	BREAKER_NEUTRAL, /* it never came to a call: nothing can be told */
};

extern const struct words breaker_operation_words; /* "charge" … "payout", "inquiry" */
extern const struct words breaker_state_words;     /* "closed", "half_open", "open" */
extern const struct words breaker_force_words;     /* "automatic", "open", "closed" */

struct breaker_rules {
	unsigned failure_percent; /* trips at this share of failures, 1..100 … */
	unsigned calls_min;       /* … of at least so many calls … */
	int64_t window_us;        /* … within this time; */
	unsigned failures_in_row; /* and at so many failures in a row */
	int64_t open_us;          /* how long it is open first; each relapse doubles that … */
	int64_t open_max_us;      /* … up to this */
};

/* DESIGN.md's: 50 % of at least 20 calls in 30 s, or 5 in a row; open for 30 s, at most 10 min. */
extern const struct breaker_rules breaker_rules_default;

/* What is remembered. All zero is a closed breaker. */
struct breaker {
	enum breaker_state state;
	int64_t opened_at_us;  /* when it tripped; 0 when closed */
	int64_t until_us;      /* open: when the probe is due; half open: when the probe is given up */
	int64_t span_us;       /* how long it was open last; 0 when closed */
	int64_t changed_at_us; /* when its state changed last */
	enum breaker_force force;
	int64_t force_until_us; /* with a force: when it ends */
};

#define BREAKER_PARTS 10 /* of the window */

/* What was counted. All zero is nothing. */
struct breaker_counts {
	uint32_t calls[BREAKER_PARTS];
	uint32_t failures[BREAKER_PARTS];
	int64_t part; /* the number of the newest, counted since 1970 */
	uint32_t failures_in_row;
};

/* A call that is over. */
struct breaker_call {
	enum breaker_result result;
	int64_t began_us;
	int64_t now_us;
};

enum breaker_answer {
	BREAKER_PASS,      /* call */
	BREAKER_WAIT,      /* do not, before *again_at_us */
	BREAKER_PROBE_DUE, /* do not, unless the probe is taken: breaker_probe() */
	BREAKER_PROBE_OUT, /* the probe is taken: who has it may call, before *again_at_us */
};

/* Returns true and writes *to where the table has (from, event); else false with *to untouched. */
bool breaker_next(enum breaker_state from, enum breaker_event event, enum breaker_state *to);

/* Whether a force is in effect. */
bool breaker_is_forced(const struct breaker *breaker, int64_t now_us);

/* The state that callers meet: what an operator forces, else the breaker's own. */
enum breaker_state breaker_shown(const struct breaker *breaker, int64_t now_us);

/* Whether a call may go. *again_at_us is written with BREAKER_WAIT and BREAKER_PROBE_OUT. */
enum breaker_answer breaker_ask(const struct breaker *breaker, int64_t now_us,
				int64_t *again_at_us);

/*
 * Count a call that is over. One that began before the last change of state, and any while the
 * breaker is open or forced, tells nothing.
 * Returns  true where the state changed
 */
bool breaker_count(const struct breaker_rules *rules, struct breaker *breaker,
		   struct breaker_counts *counts, const struct breaker_call *call);

/*
 * Take the probe, for at most `lease_us`.
 * Returns  true; false with nothing changed unless breaker_ask() says BREAKER_PROBE_DUE
 */
bool breaker_probe(struct breaker *breaker, int64_t now_us, int64_t lease_us);

#endif
