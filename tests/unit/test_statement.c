/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/statement.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

/* Question marks outside quoted texts. */
static size_t count_marks(const char *text)
{
	bool quoted = false;
	size_t marks = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\'')
			quoted = !quoted;
		else if (*text == '?' && !quoted)
			marks++;
	}
	return marks;
}

START_TEST(statement_has_a_letter_for_each_parameter)
{
	const struct statement_row *row = statement_row((enum statement_id)_i);

	ck_assert_uint_eq(count_marks(row->text), strlen(row->parameters));
	ck_assert_uint_le(strlen(row->parameters), CELLS_MAX);
	ck_assert_uint_eq(strspn(row->parameters, "itb"), strlen(row->parameters));
	ck_assert_uint_eq(strspn(row->columns, "itb"), strlen(row->columns));
	ck_assert_uint_le(strlen(row->columns), CELLS_MAX);
}
END_TEST

START_TEST(statement_has_columns_exactly_where_it_reads)
{
	const struct statement_row *row = statement_row((enum statement_id)_i);
	const bool many = row->kind == STATEMENT_ROWS || row->kind == STATEMENT_SET;
	const bool writes = row->kind == STATEMENT_WRITE || row->kind == STATEMENT_ROWS;

	if (writes)
		ck_assert_str_eq(row->columns, "");
	else
		ck_assert_str_ne(row->columns, "");
	ck_assert_int_eq(!writes, strncmp(row->text, "SELECT ", 7) == 0);
	ck_assert_int_eq(many, strchr(row->text, '{') != NULL);
	if (row->kind == STATEMENT_SET)
		ck_assert_ptr_nonnull(strstr(row->text, "IN ({?})"));
}
END_TEST

/* Rows on a sheet are written by the second, others by the first: they must change the same columns. */
static const struct pair_case {
	enum statement_id one;
	enum statement_id many;
} pair_cases[] = {
	{ STATEMENT_TRANSACTION_UPDATE, STATEMENT_TRANSACTION_WRITE_ALL },
	{ STATEMENT_OPERATION_UPDATE, STATEMENT_OPERATION_WRITE_ALL },
	{ STATEMENT_ATTEMPT_UPDATE, STATEMENT_ATTEMPT_WRITE_ALL },
	{ STATEMENT_CALLBACK_UPDATE, STATEMENT_CALLBACK_WRITE_ALL },
};

START_TEST(statement_for_many_rows_changes_what_that_for_one_row_does)
{
	const char *one = strstr(statement_row(pair_cases[_i].one)->text, " SET ") + 5;
	const char *many = statement_row(pair_cases[_i].many)->text;
	const char *end = strstr(one, " WHERE ");

	while (one < end) {
		char column[48] = "";
		char wanted[128];

		ck_assert_int_eq(sscanf(one, "%40[a-z_]", column), 1);
		snprintf(wanted, sizeof wanted, "%s = VALUES(%s)", column, column);
		ck_assert_msg(strstr(many, wanted) != NULL, "%s is not in: %s", wanted, many);
		while (one < end && (*one != ',' || one[1] != ' ' || one[2] < 'a' || one[2] > 'z'))
			one++;
		one += 2;
	}
}
END_TEST

/* What one of the two servers does not have, or what hides a mistake. */
static const char *const banned[] = { "*,",        "SELECT *", ".*",      "RETURNING",
				      "FOR SHARE", "IGNORE",   "REPLACE", "ALTER ",
				      "DROP ",     ";",        "  " };

/* The only tables whose rows are ever deleted: they say how to go on, not what happened, or belong to somebody. */
static const char *const deletions[] = { "DELETE FROM gateway_account", "DELETE FROM route_rule",
					 "DELETE FROM route_target",
					 "DELETE FROM payment_method WHERE " };

START_TEST(statement_deletes_nothing_that_happened)
{
	const struct statement_row *row = statement_row((enum statement_id)_i);
	bool allowed = strstr(row->text, "DELETE ") == NULL;

	for (size_t i = 0; i < sizeof deletions / sizeof deletions[0]; i++)
		allowed |= strncmp(row->text, deletions[i], strlen(deletions[i])) == 0;
	ck_assert_msg(allowed, "%s deletes", row->name);
}
END_TEST

START_TEST(statement_names_its_columns_and_runs_on_both_servers)
{
	const struct statement_row *row = statement_row((enum statement_id)_i);

	for (size_t i = 0; i < sizeof banned / sizeof banned[0]; i++)
		ck_assert_msg(strstr(row->text, banned[i]) == NULL, "%s has %s", row->name,
			      banned[i]);
}
END_TEST

START_TEST(statement_that_reads_many_rows_has_a_bound)
{
	const struct statement_row *row = statement_row((enum statement_id)_i);

	if (row->kind == STATEMENT_MANY)
		ck_assert_ptr_nonnull(strstr(row->text, " LIMIT "));
}
END_TEST

START_TEST(statement_names_differ)
{
	for (int i = 0; i < _i; i++)
		ck_assert_str_ne(statement_row((enum statement_id)i)->name,
				 statement_row((enum statement_id)_i)->name);
}
END_TEST

UNIT_MAIN("statement", {
	tcase_add_loop_test(tests, statement_has_a_letter_for_each_parameter, 0, STATEMENT_COUNT);
	tcase_add_loop_test(tests, statement_has_columns_exactly_where_it_reads, 0,
			    STATEMENT_COUNT);
	tcase_add_loop_test(tests, statement_names_its_columns_and_runs_on_both_servers, 0,
			    STATEMENT_COUNT);
	tcase_add_loop_test(tests, statement_deletes_nothing_that_happened, 0, STATEMENT_COUNT);
	tcase_add_loop_test(tests, statement_that_reads_many_rows_has_a_bound, 0, STATEMENT_COUNT);
	tcase_add_loop_test(tests, statement_for_many_rows_changes_what_that_for_one_row_does, 0,
			    (int)(sizeof pair_cases / sizeof pair_cases[0]));
	tcase_add_loop_test(tests, statement_names_differ, 0, STATEMENT_COUNT);
})
