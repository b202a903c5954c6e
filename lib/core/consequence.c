/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/consequence.h"

#include <stddef.h>

/* Judged when the sums are moved. */
enum condition { ALWAYS, ALL_CAPTURED, SOME_CAPTURED, NONE_CAPTURED };

/* clang-format off */
static const struct consequence { /* everything absent has none */
	enum operation_kind kind;
	enum operation_event on;
	enum condition condition; /* of the transaction's event */
	int event;
	int captured; /* sign with which the amount is added */
	int refunded;
} consequences[] = {
	{ OPERATION_CHARGE,    OE_STARTED,   ALWAYS,        TE_STARTED,       0,  0 },
	{ OPERATION_CHARGE,    OE_SUCCEEDED, ALWAYS,        TE_COMPLETED,     1,  0 },
	{ OPERATION_CHARGE,    OE_FAILED,    ALWAYS,        TE_FAILED,        0,  0 },
	{ OPERATION_CHARGE,    OE_CANCELLED, ALWAYS,        TE_CANCELLED,     0,  0 },
	{ OPERATION_CHARGE,    OE_PARKED,    ALWAYS,        TE_PARKED,        0,  0 },
	{ OPERATION_AUTHORISE, OE_STARTED,   ALWAYS,        TE_STARTED,       0,  0 },
	{ OPERATION_AUTHORISE, OE_SUCCEEDED, ALWAYS,        TE_AUTHORISED,    0,  0 },
	{ OPERATION_AUTHORISE, OE_FAILED,    ALWAYS,        TE_FAILED,        0,  0 },
	{ OPERATION_AUTHORISE, OE_CANCELLED, ALWAYS,        TE_CANCELLED,     0,  0 },
	{ OPERATION_AUTHORISE, OE_PARKED,    ALWAYS,        TE_PARKED,        0,  0 },
	{ OPERATION_PAYOUT,    OE_STARTED,   ALWAYS,        TE_STARTED,       0,  0 },
	{ OPERATION_PAYOUT,    OE_SUCCEEDED, ALWAYS,        TE_COMPLETED,     0,  0 },
	{ OPERATION_PAYOUT,    OE_FAILED,    ALWAYS,        TE_FAILED,        0,  0 },
	{ OPERATION_PAYOUT,    OE_CANCELLED, ALWAYS,        TE_CANCELLED,     0,  0 },
	{ OPERATION_PAYOUT,    OE_PARKED,    ALWAYS,        TE_PARKED,        0,  0 },
	{ OPERATION_CAPTURE,   OE_SUCCEEDED, ALL_CAPTURED,  TE_COMPLETED,     1,  0 },
	{ OPERATION_VOID,      OE_SUCCEEDED, NONE_CAPTURED, TE_CANCELLED,     0,  0 },
	{ OPERATION_VOID,      OE_SUCCEEDED, SOME_CAPTURED, TE_COMPLETED,     0,  0 },
	{ OPERATION_REFUND,    OE_SUCCEEDED, ALWAYS,        CONSEQUENCE_NONE, 0,  1 },
	{ OPERATION_REFUND,    OE_REVERSED,  ALWAYS,        CONSEQUENCE_NONE, 0, -1 },
};
/* clang-format on */

static bool holds(enum condition condition, const struct consequence_sums *sums)
{
	switch (condition) {
	case ALWAYS:
		return true;
	case ALL_CAPTURED:
		return sums->captured == sums->ordered;
	case SOME_CAPTURED:
		return sums->captured > 0;
	case NONE_CAPTURED:
		return sums->captured == 0;
	}
	return false;
}

int consequence_of(enum operation_kind kind, enum operation_event event, int64_t amount_minor,
		   struct consequence_sums *sums)
{
	int reached = CONSEQUENCE_NONE;

	for (size_t i = 0; i < sizeof consequences / sizeof consequences[0]; i++) {
		const struct consequence *row = &consequences[i];

		if (row->kind != kind || row->on != event)
			continue;
		sums->captured += row->captured * amount_minor;
		sums->refunded += row->refunded * amount_minor;
		if (holds(row->condition, sums))
			reached = row->event;
	}
	return reached;
}

bool consequence_leads(enum operation_kind kind)
{
	return kind == OPERATION_CHARGE || kind == OPERATION_AUTHORISE || kind == OPERATION_PAYOUT;
}

bool consequence_may_repeat(enum operation_kind kind, enum attempt_status ended)
{
	if (kind == OPERATION_PAYOUT)
		return ended == AS_NOT_SENT;
	return attempt_is_uncharged(ended);
}

bool consequence_may_fail(enum operation_kind kind)
{
	return kind != OPERATION_VOID;
}

/* clang-format off */
static const struct {
	int event; /* enum attempt_event, or CONSEQUENCE_NONE */
	bool implies;
} late_undoings[OPERATION_KIND_COUNT] = {
	[OPERATION_CHARGE]    = { AE_REVERSED, false },
	[OPERATION_AUTHORISE] = { AE_REVERSED, false },
	[OPERATION_CAPTURE]   = { AE_REVERSED, false },
	[OPERATION_VOID]      = { CONSEQUENCE_NONE, false },
	[OPERATION_REFUND]    = { AE_REVERSED, true },
	[OPERATION_PAYOUT]    = { AE_RETURNED, true },
};
/* clang-format on */

int consequence_late_undone_by(enum operation_kind kind)
{
	return late_undoings[kind].event;
}

bool consequence_undoing_implies(enum operation_kind kind)
{
	return late_undoings[kind].implies;
}
