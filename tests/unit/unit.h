/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One unit-test program is one Check suite of one case, made from a table of tests.
 *
 *	UNIT_MAIN("money", tcase_add_test(tests, money_refuses_floats))
 *
 * ck_assert*() writes to a pipe each time it is passed. A test that walks a large space calls
 * unit_expect() in its loop, which costs nothing until it fails.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

static inline int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Fail the test unless CONDITION holds; the format and its arguments name the case. */
#define unit_expect(CONDITION, ...)                                                                \
	do {                                                                                       \
		if (!(CONDITION))                                                                  \
			ck_abort_msg(__VA_ARGS__);                                                 \
	} while (0)

/* BODY registers tests on `tests`: tcase_add_test(), tcase_add_loop_test(). */
#define UNIT_MAIN(NAME, BODY)                                                                      \
	int main(void)                                                                             \
	{                                                                                          \
		Suite *suite = suite_create(NAME);                                                 \
		TCase *tests = tcase_create(NAME);                                                 \
                                                                                                   \
		tcase_set_timeout(tests, 60);                                                      \
		BODY;                                                                              \
		suite_add_tcase(suite, tests);                                                     \
		return unit_run(suite);                                                            \
	}

#endif
