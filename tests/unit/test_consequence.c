/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/consequence.h"

#include <string.h>

#include "tests/unit/unit.h"

#define STAYS CONSEQUENCE_NONE
#define COUNT(ROWS) (int)(sizeof(ROWS) / sizeof((ROWS)[0]))

/* Written from DESIGN.md, States: of 1000 ordered, `captured` and `refunded` before a step over `amount`. */
/* clang-format off */
static const struct {
	enum operation_kind kind;
	enum operation_event event;
	int64_t captured, refunded, amount;
	int follows;
	int64_t captured_after, refunded_after;
} steps[] = {
	{ OPERATION_CHARGE,    OE_STARTED,   0,    0,   1000, TE_STARTED,    0,    0   },
	{ OPERATION_CHARGE,    OE_SUCCEEDED, 0,    0,   1000, TE_COMPLETED,  1000, 0   },
	{ OPERATION_CHARGE,    OE_FAILED,    0,    0,   1000, TE_FAILED,     0,    0   },
	{ OPERATION_CHARGE,    OE_CANCELLED, 0,    0,   1000, TE_CANCELLED,  0,    0   },
	{ OPERATION_CHARGE,    OE_PARKED,    0,    0,   1000, TE_PARKED,     0,    0   },
	{ OPERATION_AUTHORISE, OE_STARTED,   0,    0,   1000, TE_STARTED,    0,    0   },
	{ OPERATION_AUTHORISE, OE_SUCCEEDED, 0,    0,   1000, TE_AUTHORISED, 0,    0   },
	{ OPERATION_AUTHORISE, OE_FAILED,    0,    0,   1000, TE_FAILED,     0,    0   },
	{ OPERATION_AUTHORISE, OE_CANCELLED, 0,    0,   1000, TE_CANCELLED,  0,    0   },
	{ OPERATION_AUTHORISE, OE_PARKED,    0,    0,   1000, TE_PARKED,     0,    0   },
	{ OPERATION_CAPTURE,   OE_STARTED,   0,    0,   400,  STAYS,         0,    0   },
	{ OPERATION_CAPTURE,   OE_SUCCEEDED, 0,    0,   400,  STAYS,         400,  0   },
	{ OPERATION_CAPTURE,   OE_SUCCEEDED, 600,  100, 400,  TE_COMPLETED,  1000, 100 },
	{ OPERATION_CAPTURE,   OE_FAILED,    600,  0,   400,  STAYS,         600,  0   },
	{ OPERATION_CAPTURE,   OE_PARKED,    600,  0,   400,  STAYS,         600,  0   },
	{ OPERATION_VOID,      OE_STARTED,   0,    0,   1000, STAYS,         0,    0   },
	{ OPERATION_VOID,      OE_SUCCEEDED, 0,    0,   1000, TE_CANCELLED,  0,    0   },
	{ OPERATION_VOID,      OE_SUCCEEDED, 400,  0,   1000, TE_COMPLETED,  400,  0   },
	{ OPERATION_VOID,      OE_CANCELLED, 1000, 0,   1000, STAYS,         1000, 0   },
	{ OPERATION_VOID,      OE_PARKED,    0,    0,   1000, STAYS,         0,    0   },
	{ OPERATION_REFUND,    OE_STARTED,   1000, 0,   300,  STAYS,         1000, 0   },
	{ OPERATION_REFUND,    OE_SUCCEEDED, 1000, 0,   300,  STAYS,         1000, 300 },
	{ OPERATION_REFUND,    OE_SUCCEEDED, 1000, 700, 300,  STAYS,         1000, 1000 },
	{ OPERATION_REFUND,    OE_FAILED,    1000, 0,   300,  STAYS,         1000, 0   },
	{ OPERATION_REFUND,    OE_PARKED,    1000, 0,   300,  STAYS,         1000, 0   },
	{ OPERATION_REFUND,    OE_REVERSED,  1000, 300, 300,  STAYS,         1000, 0   },
	{ OPERATION_PAYOUT,    OE_STARTED,   0,    0,   1000, TE_STARTED,    0,    0   },
	{ OPERATION_PAYOUT,    OE_SUCCEEDED, 0,    0,   1000, TE_COMPLETED,  0,    0   },
	{ OPERATION_PAYOUT,    OE_FAILED,    0,    0,   1000, TE_FAILED,     0,    0   },
	{ OPERATION_PAYOUT,    OE_CANCELLED, 0,    0,   1000, TE_CANCELLED,  0,    0   },
	{ OPERATION_PAYOUT,    OE_PARKED,    0,    0,   1000, TE_PARKED,     0,    0   },
	{ OPERATION_PAYOUT,    OE_RETURNED,  0,    0,   1000, STAYS,         0,    0   },
};
/* clang-format on */

START_TEST(consequence_is_as_the_design_says)
{
	struct consequence_sums sums = { 1000, steps[_i].captured, steps[_i].refunded };
	const int follows =
		consequence_of(steps[_i].kind, steps[_i].event, steps[_i].amount, &sums);

	ck_assert_int_eq(follows, steps[_i].follows);
	ck_assert_int_eq(sums.ordered, 1000);
	ck_assert_int_eq(sums.captured, steps[_i].captured_after);
	ck_assert_int_eq(sums.refunded, steps[_i].refunded_after);
}
END_TEST

static bool is_expected(enum operation_kind kind, enum operation_event event)
{
	for (int i = 0; i < COUNT(steps); i++)
		if (steps[i].kind == kind && steps[i].event == event)
			return true;
	return false;
}

/* Which word of a gateway takes back what, and of which it says that it had been done. */
/* clang-format off */
static const struct {
	int event;
	bool implies;
} undoings[OPERATION_KIND_COUNT] = {
	[OPERATION_CHARGE] = { AE_REVERSED, false }, [OPERATION_AUTHORISE] = { AE_REVERSED, false },
	[OPERATION_CAPTURE] = { AE_REVERSED, false },
	[OPERATION_VOID] = { CONSEQUENCE_NONE, false },
	[OPERATION_REFUND] = { AE_REVERSED, true }, [OPERATION_PAYOUT] = { AE_RETURNED, true },
};
/* clang-format on */

START_TEST(what_was_done_too_late_is_undone_by_its_own_word)
{
	const enum operation_kind kind = (enum operation_kind)_i;

	ck_assert_int_eq(consequence_late_undone_by(kind), undoings[_i].event);
	ck_assert_int_eq(consequence_undoing_implies(kind), undoings[_i].implies);
}
END_TEST

START_TEST(consequence_of_everything_else_is_none)
{
	const enum operation_kind kind = (enum operation_kind)(_i / OE_COUNT);
	const enum operation_event event = (enum operation_event)(_i % OE_COUNT);
	struct consequence_sums sums = { 1000, 500, 200 };

	if (is_expected(kind, event))
		return;
	ck_assert_int_eq(consequence_of(kind, event, 100, &sums), STAYS);
	ck_assert_int_eq(sums.captured, 500);
	ck_assert_int_eq(sums.refunded, 200);
}
END_TEST

/* clang-format off */
static const struct {
	enum operation_kind kind;
	bool leads, may_fail;
	const char *repeats; /* letters of the attempt statuses after which a machine may try again */
} kinds[] = {
	{ OPERATION_CHARGE,    true,  true,  "dnf" },
	{ OPERATION_AUTHORISE, true,  true,  "dnf" },
	{ OPERATION_CAPTURE,   false, true,  "dnf" },
	{ OPERATION_VOID,      false, false, "dnf" },
	{ OPERATION_REFUND,    false, true,  "dnf" },
	{ OPERATION_PAYOUT,    true,  true,  "n"   },
};
/* clang-format on */

static const char letters[AS_COUNT] = { [AS_DECLINED] = 'd', [AS_NOT_SENT] = 'n',
					[AS_NOT_FOUND] = 'f' };

START_TEST(consequence_tells_kinds_apart)
{
	const enum operation_kind kind = kinds[_i].kind;

	ck_assert(consequence_leads(kind) == kinds[_i].leads);
	ck_assert(consequence_may_fail(kind) == kinds[_i].may_fail);
	for (int status = 0; status < AS_COUNT; status++) {
		const char letter = letters[status];
		const bool repeats = letter != '\0' && strchr(kinds[_i].repeats, letter) != NULL;

		ck_assert_msg(consequence_may_repeat(kind, (enum attempt_status)status) == repeats,
			      "%s", words_text(attempt_status_words, status));
	}
}
END_TEST

UNIT_MAIN("consequence", {
	tcase_add_loop_test(tests, consequence_is_as_the_design_says, 0, COUNT(steps));
	tcase_add_loop_test(tests, what_was_done_too_late_is_undone_by_its_own_word, 0,
			    OPERATION_KIND_COUNT);
	tcase_add_loop_test(tests, consequence_of_everything_else_is_none, 0,
			    OPERATION_KIND_COUNT *OE_COUNT);
	tcase_add_loop_test(tests, consequence_tells_kinds_apart, 0, COUNT(kinds));
})
