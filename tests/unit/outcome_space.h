/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole space of outcomes: every word a gateway can say, about an attempt in every status, from every source, while
 * its operation is under way, parked or final; and what the attempt becomes. Written from DESIGN.md, States; it knows
 * nothing of lib/core.
 */
#ifndef TESTS_OUTCOME_SPACE_H
#define TESTS_OUTCOME_SPACE_H

#include <string.h>

#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define NOW_US SERVICE_NOW_US

/* clang-format off */
static const struct saying {
	const char *name;
	enum attempt_event event;
	bool retryable;
	bool integrity;
	size_t column; /* of `become` */
} sayings[] = {
	{ "sent", AE_SENT, false, false, 0 },
	{ "accepted", AE_ACCEPTED, false, false, 1 },
	{ "requires_action", AE_REQUIRES_ACTION, false, false, 2 },
	{ "succeeded", AE_SUCCEEDED, false, false, 3 },
	{ "declined", AE_DECLINED, false, false, 4 },
	{ "declined, try again", AE_DECLINED, true, false, 4 },
	{ "not_sent", AE_NOT_SENT, false, false, 5 },
	{ "lost", AE_LOST, false, false, 6 },
	{ "lost, other amount", AE_LOST, false, true, 6 },
	{ "not_found", AE_NOT_FOUND, false, false, 7 },
};
/* clang-format on */

static const char *const source_names[] = { "answer", "inquiry", "callback" };
#define SOURCES 3

/* The operation's status, by the attempt's: under way, parked, final. */
enum context { UNDER_WAY, PARKED, FINAL };
static const char *const context_names[] = { "under way", "parked", "final" };
#define CONTEXTS 3

/*
 * What the attempt becomes while nothing is final:
 *
 *   A accepted, R requires_action, S succeeded, D declined, U unknown
 *   N not_sent, but only when the sender itself says so; else "."
 *   F not_found, but only when an inquiry says so; else "."
 *   ? nothing; when an inquiry says so, it is asked again later
 *   ! nothing; a success that contradicts is stored and told
 *   . nothing
 */
#define STATUSES 9
/* clang-format off */
static const char become[STATUSES][9] = {
	/*                      sent, acc., action, succ., decl., not_sent, lost, not_found */
	[AS_PREPARED]        = ".ARSDNU.",
	[AS_SENT]            = ".ARSD.U.",
	[AS_ACCEPTED]        = ".?RSD???",
	[AS_REQUIRES_ACTION] = ".A?SD???",
	[AS_SUCCEEDED]       = "........",
	[AS_DECLINED]        = "...!....",
	[AS_NOT_SENT]        = "...!....",
	[AS_UNKNOWN]         = ".ARSD??F",
	[AS_NOT_FOUND]       = "...!....",
};
/* clang-format on */

static enum attempt_status status_of_letter(char letter, enum attempt_status before)
{
	switch (letter) {
	case 'A':
		return AS_ACCEPTED;
	case 'R':
		return AS_REQUIRES_ACTION;
	case 'S':
		return AS_SUCCEEDED;
	case 'D':
		return AS_DECLINED;
	case 'N':
		return AS_NOT_SENT;
	case 'U':
		return AS_UNKNOWN;
	case 'F':
		return AS_NOT_FOUND;
	default:
		return before;
	}
}

struct scenario {
	enum attempt_status status;
	enum context context;
	enum outcome_source source;
	const struct saying *saying;
};

/* The letter that holds here: who says it counts, and a final transaction is never left. */
static char letter_of(const struct scenario *scenario)
{
	char letter = become[scenario->status][scenario->saying->column];

	if (letter == 'N' && scenario->source != OUTCOME_ANSWER)
		return '.';
	if (letter == 'F' && scenario->source != OUTCOME_INQUIRY)
		return '.';
	if (letter == '?' && (scenario->source != OUTCOME_INQUIRY || scenario->context == FINAL))
		return '.';
	if (letter == 'S' && scenario->context == FINAL)
		return '!';
	return letter;
}

static enum outcome_effect effect_of(char letter, const struct scenario *scenario)
{
	if (letter == '!')
		return OUTCOME_CONTRADICTED;
	if (scenario->saying->integrity)
		return OUTCOME_INTEGRITY;
	if (letter == '?')
		return OUTCOME_RESCHEDULED;
	return letter == '.' ? OUTCOME_UNCHANGED : OUTCOME_APPLIED;
}

#endif
