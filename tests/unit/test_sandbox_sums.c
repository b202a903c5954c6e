/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* What the sandbox's ledger makes of captures, voids and refunds. */
#include "sandbox/sums.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/sandbox_bench.h"
#include "tests/unit/unit.h"

/* Something about an operation that was entered before. */
static struct entry_terms terms_about(const struct entry *parent, enum operation_kind kind,
				      const char *reference, int64_t minor)
{
	static char id[ENTRY_ID_SIZE];
	struct entry_terms terms = terms_of(reference);

	terms.kind = kind;
	terms.amount.minor = minor;
	terms.parent = entry_id(parent, id);
	return terms;
}

/* Enter an operation about `parent`; returns the code it was declined with, "" where it was not. */
static const char *enter_about(struct bench *bench, const struct entry *parent,
			       enum operation_kind kind, int64_t minor,
			       const struct entry_verdict *verdict)
{
	static int number;
	struct entry_terms terms;
	struct entry *entry = NULL;
	char reference[32];

	(void)snprintf(reference, sizeof reference, "about_%d", number++);
	terms = terms_about(parent, kind, reference, minor);
	ck_assert_int_eq(enter(bench, &terms, verdict, &entry), LEDGER_ENTERED);
	ledger_release(bench->ledger, entry);
	return entry->verdict.decline_code == NULL ? "" : entry->verdict.decline_code;
}

static struct entry *authorise(struct bench *bench, const char *reference)
{
	struct entry_terms terms = terms_of(reference);
	struct entry *entry = NULL;

	terms.kind = OPERATION_AUTHORISE;
	ck_assert_int_eq(enter(bench, &terms, &succeeded, &entry), LEDGER_ENTERED);
	ledger_release(bench->ledger, entry);
	return entry;
}

/* In order, about one charge or authorisation of 1050. */
static const struct sums_case {
	enum operation_kind kind;
	int64_t minor;
	const char *charge, *authorisation; /* how it is declined; "": it is done */
} sums_cases[] = {
	{OPERATION_REFUND, 1051, "refund_exceeds_charge", "refund_exceeds_charge"},
	{OPERATION_REFUND, 50, "", "refund_exceeds_charge"},
	{OPERATION_CAPTURE, 1051, "parent_not_found", "capture_exceeds_authorisation"},
	{OPERATION_CAPTURE, 400, "parent_not_found", ""},
	{OPERATION_CAPTURE, 651, "parent_not_found", "capture_exceeds_authorisation"},
	{OPERATION_CAPTURE, 350, "parent_not_found", ""},
	{OPERATION_REFUND, 750, "", ""},
	{OPERATION_REFUND, 251, "refund_exceeds_charge", "refund_exceeds_charge"},
	{OPERATION_VOID, 1, "parent_not_found", ""},
	{OPERATION_VOID, 1, "parent_not_found", "nothing_to_void"},
	{OPERATION_CAPTURE, 1, "parent_not_found", "capture_exceeds_authorisation"},
	{OPERATION_REFUND, 250, "", "refund_exceeds_charge"},
	{OPERATION_REFUND, 1, "refund_exceeds_charge", "refund_exceeds_charge"},
};

static void sums_walk(struct bench *bench, struct entry *root, bool charge, bool restarts)
{
	int64_t number = root->number;

	for (size_t i = 0; i < sizeof sums_cases / sizeof sums_cases[0]; i++) {
		const struct sums_case *each = &sums_cases[i];
		char id[ENTRY_ID_SIZE];

		ck_assert_msg(strcmp(enter_about(bench, root, each->kind, each->minor, &succeeded),
				     charge ? each->charge : each->authorisation) == 0,
			      "case %zu", i);
		if (!restarts)
			continue;
		bench_reopen(bench);
		(void)snprintf(id, sizeof id, "alpha_%06d", (int)number);
		root = ledger_by_id(bench->ledger, ALPHA, id);
		ck_assert_ptr_nonnull(root);
	}
}

START_TEST(sums_are_never_passed_nor_after_a_restart)
{
	struct bench bench;

	bench_begin(&bench);
	sums_walk(&bench, enter_new(&bench, "charge", &succeeded), true, _i == 1);
	sums_walk(&bench, authorise(&bench, "authorisation"), false, _i == 1);
	bench_end(&bench);
}
END_TEST

START_TEST(what_is_open_or_will_succeed_later_keeps_its_part)
{
	const struct entry_verdict late = {ENTRY_DECLINED, ENTRY_DECLINED, "do_not_honor", AT_US,
					   ENTRY_SUCCEEDED};
	const struct entry_verdict never = {ENTRY_ACCEPTED, ENTRY_DECLINED, "do_not_honor", AT_US,
					    ENTRY_ACCEPTED};
	struct bench bench;
	struct entry *charge;

	bench_begin(&bench);
	charge = enter_new(&bench, "charge", &succeeded);

	ck_assert_str_eq(enter_about(&bench, charge, OPERATION_REFUND, 500, &accepted), "");
	ck_assert_str_eq(enter_about(&bench, charge, OPERATION_REFUND, 500, &late),
			 "do_not_honor");
	ck_assert_str_eq(enter_about(&bench, charge, OPERATION_REFUND, 9999, &never),
			 "do_not_honor");
	ck_assert_str_eq(enter_about(&bench, charge, OPERATION_REFUND, 51, &succeeded),
			 "refund_exceeds_charge");
	ck_assert_str_eq(enter_about(&bench, charge, OPERATION_REFUND, 50, &succeeded), "");
	bench_end(&bench);
}
END_TEST

START_TEST(a_reversed_refund_may_be_refunded_again)
{
	const struct entry_verdict reversed = {ENTRY_SUCCEEDED, ENTRY_SUCCEEDED, NULL, AT_US,
					       ENTRY_REVERSED};
	struct bench bench;
	struct entry_terms terms;
	struct entry *charge, *refund = NULL;
	json_t *rows, *row;

	bench_begin(&bench);
	charge = enter_new(&bench, "charge", &succeeded);
	terms = terms_about(charge, OPERATION_REFUND, "refund", 1050);
	ck_assert_int_eq(enter(&bench, &terms, &reversed, &refund), LEDGER_ENTERED);
	ck_assert_str_eq(enter_about(&bench, charge, OPERATION_REFUND, 1, &succeeded),
			 "refund_exceeds_charge");
	ck_assert_int_eq(ledger_turn(bench.ledger, refund, AT_US + 1000000), ERR_OK);
	bench_reopen(&bench);

	charge = ledger_by_id(bench.ledger, ALPHA, "alpha_000001");
	refund = ledger_by_id(bench.ledger, ALPHA, "alpha_000002");
	ck_assert_int_eq(ledger_status(bench.ledger, refund), ENTRY_REVERSED);
	rows = rows_of(&bench, "refund");
	row = json_array_get(rows, 0);
	ck_assert_str_eq(json_string_value(json_object_get(row, "outcome")), "succeeded");
	ck_assert_str_eq(json_string_value(json_object_get(row, "turned")), "reversed");
	ck_assert_str_eq(json_string_value(json_object_get(row, "turned_at")),
			 "2026-01-01T00:00:01.000000Z");
	ck_assert_str_eq(json_string_value(json_object_get(row, "parent")), "alpha_000001");
	json_decref(rows);
	ck_assert_str_eq(enter_about(&bench, charge, OPERATION_REFUND, 1050, &succeeded), "");
	bench_end(&bench);
}
END_TEST

START_TEST(a_late_success_counts_from_its_turn_on)
{
	const struct entry_verdict late = {ENTRY_DECLINED, ENTRY_DECLINED, "do_not_honor", AT_US,
					   ENTRY_SUCCEEDED};
	struct bench bench;
	struct entry *entry;

	bench_begin(&bench);
	entry = enter_new(&bench, "charge", &late);
	ck_assert_uint_eq(ledger_charges(bench.ledger, ALPHA), 0);
	ck_assert_str_eq(enter_about(&bench, entry, OPERATION_REFUND, 1, &succeeded),
			 "parent_not_succeeded");
	ck_assert_uint_eq(unfinished(&bench), 1);

	for (int i = 1; i <= 2; i++)
		ck_assert_int_eq(ledger_turn(bench.ledger, entry, AT_US + i), ERR_OK);

	ck_assert_uint_eq(ledger_charges(bench.ledger, ALPHA), 1);
	ck_assert_int_eq(entry->turned_at_us, AT_US + 1);
	ck_assert_str_eq(enter_about(&bench, entry, OPERATION_REFUND, 1, &succeeded), "");
	bench_end(&bench);
}
END_TEST

START_TEST(what_was_declined_and_came_back_takes_no_part)
{
	const struct entry_verdict back = {ENTRY_DECLINED, ENTRY_DECLINED, "do_not_honor", AT_US,
					   ENTRY_REVERSED};
	struct bench bench;
	struct entry_terms terms;
	struct entry *charge, *refund = NULL;
	json_t *rows, *row;

	bench_begin(&bench);
	charge = enter_new(&bench, "charge", &succeeded);
	terms = terms_about(charge, OPERATION_REFUND, "refund", 1050);
	ck_assert_int_eq(enter(&bench, &terms, &back, &refund), LEDGER_ENTERED);
	ck_assert_int_eq(ledger_turn(bench.ledger, refund, AT_US + 1000000), ERR_OK);
	bench_reopen(&bench);

	charge = ledger_by_id(bench.ledger, ALPHA, "alpha_000001");
	refund = ledger_by_id(bench.ledger, ALPHA, "alpha_000002");
	ck_assert_int_eq(ledger_status(bench.ledger, refund), ENTRY_REVERSED);
	rows = rows_of(&bench, "refund");
	row = json_array_get(rows, 0);
	ck_assert_str_eq(json_string_value(json_object_get(row, "outcome")), "succeeded");
	ck_assert_str_eq(json_string_value(json_object_get(row, "turned")), "reversed");
	json_decref(rows);
	ck_assert_str_eq(enter_about(&bench, charge, OPERATION_REFUND, 1050, &succeeded), "");
	ck_assert_str_eq(enter_about(&bench, charge, OPERATION_REFUND, 1, &succeeded),
			 "refund_exceeds_charge");
	bench_end(&bench);
}
END_TEST

START_TEST(other_currencies_and_parents_are_declined)
{
	struct bench bench;
	struct entry *charge, *void_entry = NULL;
	struct entry_terms terms;
	struct entry *entry = NULL;

	bench_begin(&bench);
	charge = enter_new(&bench, "charge", &succeeded);
	terms = terms_about(charge, OPERATION_REFUND, "euro", 1);
	memcpy(terms.amount.currency, "EUR", 4);
	ck_assert_int_eq(enter(&bench, &terms, &succeeded, &entry), LEDGER_ENTERED);
	ck_assert_str_eq(entry->verdict.decline_code, "currency_mismatch");
	ck_assert_ptr_null(entry->callback_id);

	for (size_t i = 0; i < 4; i++) {
		static const char *const ids[] = {"alpha_000009", "alpha_1", "beta_000001", "x"};
		char reference[16];

		(void)snprintf(reference, sizeof reference, "lost_%zu", i);
		terms = terms_about(charge, OPERATION_REFUND, reference, 1);
		terms.parent = ids[i];
		ck_assert_int_eq(enter(&bench, &terms, &succeeded, &void_entry), LEDGER_ENTERED);
		ck_assert_str_eq(void_entry->verdict.decline_code, "parent_not_found");
	}
	bench_end(&bench);
}
END_TEST

START_TEST(without_idempotency_the_same_key_is_done_again)
{
	struct bench bench;
	struct entry_terms terms = terms_of("op_1.1");
	struct entry *first = NULL, *second = NULL;
	const struct entry *found = NULL;
	enum entry_status status;

	bench_begin(&bench);
	terms.gateway = GAMMA;
	ck_assert_int_eq(enter(&bench, &terms, &accepted, &first), LEDGER_ENTERED);
	ck_assert_int_eq(enter(&bench, &terms, &accepted, &second), LEDGER_ENTERED);
	ck_assert_ptr_ne(first, second);
	ck_assert_int_eq(ledger_decide(bench.ledger, &first, 1, AT_US + 1), ERR_OK);
	bench_reopen(&bench);

	ck_assert_uint_eq(ledger_charges(bench.ledger, GAMMA), 1);
	ck_assert_uint_eq(ledger_charges(bench.ledger, ALPHA), 0);
	ck_assert(ledger_find(bench.ledger, GAMMA, "op_1.1", &found, &status));
	ck_assert_int_eq(found->number, 2);
	ck_assert_int_eq(status, ENTRY_ACCEPTED);
	ck_assert_int_eq(ledger_status(bench.ledger,
				       ledger_by_id(bench.ledger, GAMMA, "gamma_000001")),
			 ENTRY_SUCCEEDED);
	bench_end(&bench);
}
END_TEST

UNIT_MAIN("sandbox_sums", {
	tcase_add_loop_test(tests, sums_are_never_passed_nor_after_a_restart, 0, 2);
	tcase_add_test(tests, what_is_open_or_will_succeed_later_keeps_its_part);
	tcase_add_test(tests, a_reversed_refund_may_be_refunded_again);
	tcase_add_test(tests, a_late_success_counts_from_its_turn_on);
	tcase_add_test(tests, what_was_declined_and_came_back_takes_no_part);
	tcase_add_test(tests, other_currencies_and_parents_are_declined);
	tcase_add_test(tests, without_idempotency_the_same_key_is_done_again);
})
