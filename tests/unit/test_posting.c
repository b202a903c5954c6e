/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/posting.h"

#include "tests/unit/unit.h"

#define NO POSTING_NO_STATUS
#define COUNT(ROWS) (int)(sizeof(ROWS) / sizeof((ROWS)[0]))

/* The table of DESIGN.md, Data, in its words. */
/* clang-format off */
static const struct {
	enum posting posting;
	const char *debit, *credit;
} wanted[] = {
	{ POSTING_CHARGE_SUCCEEDED, "gateway_receivable", "merchant_payable" },
	{ POSTING_CHARGE_UNKNOWN, "suspense_receivable", "suspense_payable" },
	{ POSTING_CHARGE_KNOWN, "suspense_payable", "suspense_receivable" },
	{ POSTING_REFUND_RESERVED, "merchant_payable", "refunds_in_flight" },
	{ POSTING_REFUND_SUCCEEDED, "refunds_in_flight", "gateway_receivable" },
	{ POSTING_REFUND_FAILED, "refunds_in_flight", "merchant_payable" },
	{ POSTING_REFUND_REVERSED, "gateway_receivable", "merchant_payable" },
	{ POSTING_PAYOUT_RESERVED, "merchant_payable", "payouts_in_flight" },
	{ POSTING_PAYOUT_SUCCEEDED, "payouts_in_flight", "gateway_float" },
	{ POSTING_PAYOUT_FAILED, "payouts_in_flight", "merchant_payable" },
	{ POSTING_PAYOUT_RETURNED, "gateway_float", "merchant_payable" },
	{ POSTING_SURPLUS_FOUND, "gateway_receivable", "surplus_owed" },
	{ POSTING_SURPLUS_REFUNDED, "surplus_owed", "gateway_receivable" },
	{ POSTING_SURPLUS_PAID_OUT, "surplus_owed", "gateway_float" },
	{ POSTING_SURPLUS_RETURNED, "gateway_float", "surplus_owed" },
	{ POSTING_SETTLEMENT_FEE, "fees", "gateway_receivable" },
	{ POSTING_GATEWAY_PAID_OUT, "bank", "gateway_receivable" },
};
/* clang-format on */

START_TEST(posting_debits_and_credits_as_the_design_says)
{
	const struct posting_row *row = posting_row(wanted[_i].posting);

	ck_assert_int_eq(COUNT(wanted), POSTING_COUNT);
	ck_assert_str_eq(words_text(posting_account_words, (int)row->debit), wanted[_i].debit);
	ck_assert_str_eq(words_text(posting_account_words, (int)row->credit), wanted[_i].credit);
	ck_assert_int_ne(row->debit, row->credit);
}
END_TEST

/* What holds after a reservation ends must be what held before it, or what it was reserved for. */
static const struct {
	enum posting reserved, ended;
} undone[] = {
	{ POSTING_CHARGE_UNKNOWN, POSTING_CHARGE_KNOWN },
	{ POSTING_REFUND_RESERVED, POSTING_REFUND_FAILED },
	{ POSTING_PAYOUT_RESERVED, POSTING_PAYOUT_FAILED },
	{ POSTING_SURPLUS_FOUND, POSTING_SURPLUS_REFUNDED },
	{ POSTING_SURPLUS_PAID_OUT, POSTING_SURPLUS_RETURNED },
};

START_TEST(posting_that_undoes_another_is_its_mirror)
{
	const struct posting_row *reserved = posting_row(undone[_i].reserved);
	const struct posting_row *ended = posting_row(undone[_i].ended);

	ck_assert_int_eq(reserved->debit, ended->credit);
	ck_assert_int_eq(reserved->credit, ended->debit);
}
END_TEST

/* A reservation is made before a gateway is chosen, so neither of its accounts may be a gateway's. */
START_TEST(posting_of_a_reservation_names_no_gateway)
{
	static const enum posting reservations[] = { POSTING_REFUND_RESERVED,
						     POSTING_REFUND_FAILED,
						     POSTING_PAYOUT_RESERVED,
						     POSTING_PAYOUT_FAILED };
	const struct posting_row *row = posting_row(reservations[_i]);

	ck_assert(!posting_account_is_of_gateway(row->debit));
	ck_assert(!posting_account_is_of_gateway(row->credit));
}
END_TEST

#define IN_TIME POSTING_IN_TIME
#define FOUND POSTING_LATE_FOUND
#define UNDONE POSTING_LATE_UNDONE

/* clang-format off */
static const struct {
	const char *what;
	struct posting_step step;
	int count;
	enum posting postings[2];
} steps[] = {
	{ "a charge that is taken in",
	  { OPERATION_CHARGE, false, IN_TIME, NO, OS_PENDING, NO, NO },
	  0, { 0 } },
	{ "a charge that is sent",
	  { OPERATION_CHARGE, false, IN_TIME, OS_PENDING, OS_PROCESSING, NO, AS_PREPARED },
	  0, { 0 } },
	{ "a charge that succeeds",
	  { OPERATION_CHARGE, false, IN_TIME, OS_PROCESSING, OS_SUCCEEDED, AS_SENT, AS_SUCCEEDED },
	  1, { POSTING_CHARGE_SUCCEEDED } },
	{ "a charge that fails",
	  { OPERATION_CHARGE, false, IN_TIME, OS_PROCESSING, OS_FAILED, AS_SENT, AS_DECLINED },
	  0, { 0 } },
	{ "a charge whose answer is lost",
	  { OPERATION_CHARGE, false, IN_TIME, OS_PROCESSING, OS_PROCESSING, AS_SENT, AS_UNKNOWN },
	  1, { POSTING_CHARGE_UNKNOWN } },
	{ "a charge that stays unknown",
	  { OPERATION_CHARGE, false, IN_TIME, OS_PROCESSING, OS_PARKED, AS_UNKNOWN, AS_UNKNOWN },
	  0, { 0 } },
	{ "a lost charge that succeeded",
	  { OPERATION_CHARGE, false, IN_TIME, OS_PARKED, OS_SUCCEEDED, AS_UNKNOWN, AS_SUCCEEDED },
	  2, { POSTING_CHARGE_KNOWN, POSTING_CHARGE_SUCCEEDED } },
	{ "a lost charge that was declined",
	  { OPERATION_CHARGE, false, IN_TIME, OS_PROCESSING, OS_FAILED, AS_UNKNOWN, AS_DECLINED },
	  1, { POSTING_CHARGE_KNOWN } },
	{ "a charge's late success",
	  { OPERATION_CHARGE, false, FOUND, OS_FAILED, OS_FAILED, AS_DECLINED, AS_DECLINED },
	  1, { POSTING_SURPLUS_FOUND } },
	{ "a capture's late success",
	  { OPERATION_CAPTURE, false, FOUND, OS_FAILED, OS_FAILED, AS_NOT_FOUND, AS_NOT_FOUND },
	  1, { POSTING_SURPLUS_FOUND } },
	{ "a refund's late success",
	  { OPERATION_REFUND, false, FOUND, OS_FAILED, OS_FAILED, AS_DECLINED, AS_DECLINED },
	  1, { POSTING_SURPLUS_REFUNDED } },
	{ "a surplus refund's late success",
	  { OPERATION_REFUND, true, FOUND, OS_FAILED, OS_FAILED, AS_DECLINED, AS_DECLINED },
	  1, { POSTING_SURPLUS_REFUNDED } },
	{ "a payout's late success",
	  { OPERATION_PAYOUT, false, FOUND, OS_FAILED, OS_FAILED, AS_DECLINED, AS_DECLINED },
	  1, { POSTING_SURPLUS_PAID_OUT } },
	{ "a charge's late success taken back",
	  { OPERATION_CHARGE, false, UNDONE, OS_FAILED, OS_FAILED, AS_DECLINED, AS_DECLINED },
	  1, { POSTING_SURPLUS_REFUNDED } },
	{ "a capture's late success taken back",
	  { OPERATION_CAPTURE, false, UNDONE, OS_FAILED, OS_FAILED, AS_DECLINED, AS_DECLINED },
	  1, { POSTING_SURPLUS_REFUNDED } },
	{ "a refund's late success taken back",
	  { OPERATION_REFUND, false, UNDONE, OS_FAILED, OS_FAILED, AS_DECLINED, AS_DECLINED },
	  1, { POSTING_SURPLUS_FOUND } },
	{ "a surplus refund's late success taken back",
	  { OPERATION_REFUND, true, UNDONE, OS_FAILED, OS_FAILED, AS_DECLINED, AS_DECLINED },
	  1, { POSTING_SURPLUS_FOUND } },
	{ "a payout's late success taken back",
	  { OPERATION_PAYOUT, false, UNDONE, OS_FAILED, OS_FAILED, AS_DECLINED, AS_DECLINED },
	  1, { POSTING_SURPLUS_RETURNED } },
	{ "an authorisation's late success taken back",
	  { OPERATION_AUTHORISE, false, UNDONE, OS_FAILED, OS_FAILED, AS_DECLINED, AS_DECLINED },
	  0, { 0 } },
	{ "an authorisation's late success",
	  { OPERATION_AUTHORISE, false, FOUND, OS_FAILED, OS_FAILED, AS_DECLINED, AS_DECLINED },
	  0, { 0 } },
	{ "a void's late success",
	  { OPERATION_VOID, false, FOUND, OS_PARKED, OS_PARKED, AS_DECLINED, AS_DECLINED },
	  0, { 0 } },
	{ "an authorisation",
	  { OPERATION_AUTHORISE, false, IN_TIME, OS_PROCESSING, OS_SUCCEEDED,
	    AS_SENT, AS_SUCCEEDED },
	  0, { 0 } },
	{ "an authorisation whose answer is lost",
	  { OPERATION_AUTHORISE, false, IN_TIME, OS_PROCESSING, OS_PROCESSING,
	    AS_SENT, AS_UNKNOWN },
	  0, { 0 } },
	{ "a capture",
	  { OPERATION_CAPTURE, false, IN_TIME, OS_PROCESSING, OS_SUCCEEDED, AS_SENT, AS_SUCCEEDED },
	  1, { POSTING_CHARGE_SUCCEEDED } },
	{ "a lost capture",
	  { OPERATION_CAPTURE, false, IN_TIME, OS_PROCESSING, OS_PROCESSING, AS_SENT, AS_UNKNOWN },
	  1, { POSTING_CHARGE_UNKNOWN } },
	{ "a void",
	  { OPERATION_VOID, false, IN_TIME, OS_PROCESSING, OS_SUCCEEDED, AS_SENT, AS_SUCCEEDED },
	  0, { 0 } },
	{ "a refund asked for",
	  { OPERATION_REFUND, false, IN_TIME, NO, OS_PENDING, NO, NO },
	  1, { POSTING_REFUND_RESERVED } },
	{ "a refund to be approved",
	  { OPERATION_REFUND, false, IN_TIME, NO, OS_AWAITING_APPROVAL, NO, NO },
	  1, { POSTING_REFUND_RESERVED } },
	{ "a refund approved",
	  { OPERATION_REFUND, false, IN_TIME, OS_AWAITING_APPROVAL, OS_PENDING, NO, NO },
	  0, { 0 } },
	{ "a refund whose answer is lost",
	  { OPERATION_REFUND, false, IN_TIME, OS_PROCESSING, OS_PROCESSING, AS_SENT, AS_UNKNOWN },
	  0, { 0 } },
	{ "a refund that succeeds",
	  { OPERATION_REFUND, false, IN_TIME, OS_PROCESSING, OS_SUCCEEDED, AS_SENT, AS_SUCCEEDED },
	  1, { POSTING_REFUND_SUCCEEDED } },
	{ "a refund that fails",
	  { OPERATION_REFUND, false, IN_TIME, OS_PROCESSING, OS_FAILED, AS_SENT, AS_DECLINED },
	  1, { POSTING_REFUND_FAILED } },
	{ "a refund called off",
	  { OPERATION_REFUND, false, IN_TIME, OS_PENDING, OS_CANCELLED, NO, NO },
	  1, { POSTING_REFUND_FAILED } },
	{ "a refund taken back",
	  { OPERATION_REFUND, false, IN_TIME, OS_SUCCEEDED, OS_REVERSED,
	    AS_SUCCEEDED, AS_SUCCEEDED },
	  1, { POSTING_REFUND_REVERSED } },
	{ "a surplus refund asked for",
	  { OPERATION_REFUND, true, IN_TIME, NO, OS_PENDING, NO, NO },
	  0, { 0 } },
	{ "a surplus refund that succeeds",
	  { OPERATION_REFUND, true, IN_TIME, OS_PROCESSING, OS_SUCCEEDED, AS_SENT, AS_SUCCEEDED },
	  1, { POSTING_SURPLUS_REFUNDED } },
	{ "a surplus refund that fails",
	  { OPERATION_REFUND, true, IN_TIME, OS_PROCESSING, OS_FAILED, AS_SENT, AS_DECLINED },
	  0, { 0 } },
	{ "a surplus refund taken back",
	  { OPERATION_REFUND, true, IN_TIME, OS_SUCCEEDED, OS_REVERSED,
	    AS_SUCCEEDED, AS_SUCCEEDED },
	  1, { POSTING_SURPLUS_FOUND } },
	{ "a payout asked for",
	  { OPERATION_PAYOUT, false, IN_TIME, NO, OS_PENDING, NO, NO },
	  1, { POSTING_PAYOUT_RESERVED } },
	{ "a payout that succeeds",
	  { OPERATION_PAYOUT, false, IN_TIME, OS_PROCESSING, OS_SUCCEEDED, AS_SENT, AS_SUCCEEDED },
	  1, { POSTING_PAYOUT_SUCCEEDED } },
	{ "a payout that fails",
	  { OPERATION_PAYOUT, false, IN_TIME, OS_PARKED, OS_FAILED, AS_UNKNOWN, AS_NOT_FOUND },
	  1, { POSTING_PAYOUT_FAILED } },
	{ "a payout called off",
	  { OPERATION_PAYOUT, false, IN_TIME, OS_PENDING, OS_CANCELLED, NO, NO },
	  1, { POSTING_PAYOUT_FAILED } },
	{ "a payout returned",
	  { OPERATION_PAYOUT, false, IN_TIME, OS_SUCCEEDED, OS_RETURNED,
	    AS_SUCCEEDED, AS_SUCCEEDED },
	  1, { POSTING_PAYOUT_RETURNED } },
};
/* clang-format on */

START_TEST(posting_follows_from_the_step)
{
	enum posting out[POSTING_STEP_MAX];
	const size_t count = posting_of_step(&steps[_i].step, out);

	ck_assert_msg((int)count == steps[_i].count, "%s: %zu postings", steps[_i].what, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(out[i] == steps[_i].postings[i], "%s: posting %d", steps[_i].what,
			      (int)out[i]);
}
END_TEST

/* Whatever kind and step: never more than there is room for. */
START_TEST(posting_of_every_step_fits)
{
	enum posting out[POSTING_STEP_MAX];
	struct posting_step step = { .kind = (enum operation_kind)_i };

	for (int flags = 0; flags < 6; flags++)
		for (int from = NO; from < OS_COUNT; from++)
			for (int to = 0; to < OS_COUNT; to++)
				for (int attempt = NO; attempt < AS_COUNT * AS_COUNT; attempt++) {
					step.surplus = (flags & 1) != 0;
					step.late = (enum posting_late)(flags / 2);
					step.operation_from = from;
					step.operation_to = to;
					step.attempt_from = attempt < 0 ? NO : attempt / AS_COUNT;
					step.attempt_to = attempt < 0 ? NO : attempt % AS_COUNT;
					ck_assert_uint_le(posting_of_step(&step, out),
							  POSTING_STEP_MAX);
				}
}
END_TEST

UNIT_MAIN("posting", {
	tcase_add_loop_test(tests, posting_debits_and_credits_as_the_design_says, 0, COUNT(wanted));
	tcase_add_loop_test(tests, posting_that_undoes_another_is_its_mirror, 0, COUNT(undone));
	tcase_add_loop_test(tests, posting_of_a_reservation_names_no_gateway, 0, 4);
	tcase_add_loop_test(tests, posting_follows_from_the_step, 0, COUNT(steps));
	tcase_add_loop_test(tests, posting_of_every_step_fits, 0, OPERATION_KIND_COUNT);
})
