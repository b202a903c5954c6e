/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/limits.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void files_set(rlim_t now, rlim_t max)
{
	const struct rlimit limit = { now, max };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static rlim_t files_now(void)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit.rlim_cur;
}

START_TEST(limits_raise_files_as_far_as_the_system_allows)
{
	files_set(64, 256);

	ck_assert(limits_raise_files(32));
	ck_assert_uint_eq(files_now(), 64);
	ck_assert(limits_raise_files(200));
	ck_assert_uint_eq(files_now(), 200);
	ck_assert(!limits_raise_files(1000));
	ck_assert_uint_eq(files_now(), 256);
}
END_TEST

/* Whether a child that dies of a signal leaves a core. */
static bool dumps_core(bool forbidden)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		if (forbidden)
			limits_forbid_core();
		signal(SIGQUIT, SIG_DFL);
		(void)raise(SIGQUIT);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	return WCOREDUMP(status);
}

START_TEST(limits_forbid_core_leaves_none)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_CORE, &limit), 0);

	ck_assert(!dumps_core(true));
	limits_forbid_core();
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &limit), 0);
	ck_assert_uint_le(limit.rlim_cur, 1);
}
END_TEST

UNIT_MAIN("limits", {
	tcase_add_test(tests, limits_raise_files_as_far_as_the_system_allows);
	tcase_add_test(tests, limits_forbid_core_leaves_none);
})
