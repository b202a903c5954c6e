/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/err.h"

#include <signal.h>
#include <string.h>
#include <sysexits.h>

#include "tests/unit/unit.h"

static bool is_sysexit(int status)
{
	return status >= EX__BASE && status <= EX__MAX;
}

START_TEST(err_ok_is_success)
{
	const struct err_row *row = err_row(ERR_OK);

	ck_assert_str_eq(row->name, "OK");
	ck_assert_str_eq(row->code, "ok");
	ck_assert_int_eq(row->http_status, 200);
	ck_assert_int_eq(row->exit_status, 0);
	ck_assert(!err_retryable(ERR_OK));
}
END_TEST

START_TEST(err_rows_are_complete)
{
	const struct err_row *row = err_row((enum err)_i);

	ck_assert_ptr_nonnull(row->name);
	ck_assert_uint_gt(strlen(row->title), 0);
	ck_assert_int_ne(row->class, ERR_CLASS_NONE);
	ck_assert_msg(is_sysexit(row->exit_status), "%s exits %d", row->name, row->exit_status);
	ck_assert_uint_gt(strlen(row->code), 0);
	ck_assert_uint_eq(strspn(row->code, "abcdefghijklmnopqrstuvwxyz_"), strlen(row->code));
}
END_TEST

START_TEST(err_names_and_codes_are_unique)
{
	for (int other = 0; other < _i; other++) {
		ck_assert_str_ne(err_row((enum err)_i)->name, err_row((enum err)other)->name);
		ck_assert_str_ne(err_row((enum err)_i)->code, err_row((enum err)other)->code);
	}
}
END_TEST

/* A client library repeats 5xx and reports 4xx by reflex: the class must agree with the status. */
START_TEST(err_status_agrees_with_class)
{
	const struct err_row *row = err_row((enum err)_i);

	switch (row->class) {
	case ERR_CLASS_CALLER:
		ck_assert_int_eq(row->http_status / 100, 4);
		break;
	case ERR_CLASS_RETRY:
		ck_assert_msg(row->http_status == 502 || row->http_status == 503, "%s", row->name);
		break;
	case ERR_CLASS_UNCERTAIN:
		ck_assert_int_eq(row->http_status, 202);
		break;
	case ERR_CLASS_FATAL:
		ck_assert_int_eq(row->http_status, 500);
		break;
	case ERR_CLASS_NONE:
		ck_abort_msg("%s has no class", row->name);
	}
	ck_assert_int_eq(err_retryable((enum err)_i), row->class == ERR_CLASS_RETRY);
}
END_TEST

START_TEST(err_unknown_outcome_is_never_retryable)
{
	ck_assert(!err_retryable(ERR_UNCERTAIN));
	ck_assert(err_retryable(ERR_BUSY));
	ck_assert(!err_retryable(ERR_STORE));
}
END_TEST

START_TEST(err_row_of_no_failure_is_a_bug)
{
	err_row(ERR_COUNT);
}
END_TEST

UNIT_MAIN("err", {
	tcase_add_test(tests, err_ok_is_success);
	tcase_add_loop_test(tests, err_rows_are_complete, 1, ERR_COUNT);
	tcase_add_loop_test(tests, err_names_and_codes_are_unique, 0, ERR_COUNT);
	tcase_add_loop_test(tests, err_status_agrees_with_class, 1, ERR_COUNT);
	tcase_add_test(tests, err_unknown_outcome_is_never_retryable);
	tcase_add_test_raise_signal(tests, err_row_of_no_failure_is_a_bug, SIGABRT);
})
