/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/quiet.h"

#include "tests/unit/unit.h"

#define SECOND INT64_C(1000000)
#define LEASE (40 * SECOND)
#define QUIET (60 * SECOND)

static const struct id attempt = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };

/* Asked and heard at once. */
static bool not_found(struct quiet *quiet, struct id id, int64_t lease_us, int64_t quiet_us,
		      int64_t at_us)
{
	const struct quiet_answer answer = { lease_us, quiet_us, at_us, at_us };

	return quiet_not_found(quiet, id, &answer);
}

START_TEST(not_found_that_took_long_to_be_said_counts_from_when_it_was_heard)
{
	const struct quiet_answer slow = { LEASE, QUIET, LEASE + QUIET, LEASE + 2 * QUIET };
	struct quiet quiet = { .slots = { { .first_seen_us = 0 } } };

	quiet_see(&quiet, attempt, 0);

	ck_assert(!quiet_not_found(&quiet, attempt, &slow));
	ck_assert(!not_found(&quiet, attempt, LEASE, QUIET, LEASE + 2 * QUIET));
	ck_assert(!not_found(&quiet, attempt, LEASE, QUIET, LEASE + 3 * QUIET - 1));
	ck_assert(not_found(&quiet, attempt, LEASE, QUIET, LEASE + 3 * QUIET));
}
END_TEST

START_TEST(not_found_is_believed_only_after_lease_and_two_quiet_periods)
{
	static const struct {
		int64_t at_us;
		bool believed;
	} answers[] = {
		{ 1 * SECOND, false },            /* lease still running */
		{ LEASE + QUIET - 1, false },     /* not quiet long enough */
		{ LEASE + QUIET, false },         /* the first that counts */
		{ LEASE + 2 * QUIET - 1, false }, /* said twice, too close together */
		{ LEASE + 2 * QUIET, true },
		{ LEASE + 3 * QUIET, true },
	};
	struct quiet quiet = { .slots = { { .first_seen_us = 0 } } };

	quiet_see(&quiet, attempt, 0);

	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
		ck_assert_msg(not_found(&quiet, attempt, LEASE, QUIET, answers[i].at_us) ==
				      answers[i].believed,
			      "answer %zu", i);
}
END_TEST

START_TEST(an_attempt_seen_again_keeps_its_first_time)
{
	struct quiet quiet = { .slots = { { .first_seen_us = 0 } } };

	quiet_see(&quiet, attempt, 5);
	quiet_see(&quiet, attempt, LEASE);

	ck_assert(!not_found(&quiet, attempt, LEASE, QUIET, 5 + LEASE + QUIET));
	ck_assert(not_found(&quiet, attempt, LEASE, QUIET, 5 + LEASE + 2 * QUIET));
}
END_TEST

/* Another attempt of the same set: the last bytes choose it. */
static struct id neighbour(unsigned number)
{
	struct id other = attempt;

	other.bytes[0] = 99;
	other.bytes[1] = (uint8_t)(number >> 8);
	other.bytes[2] = (uint8_t)number;
	return other;
}

START_TEST(an_attempt_that_is_asked_about_outlasts_any_number_of_sends)
{
	struct quiet quiet = { .slots = { { .first_seen_us = 0 } } };

	ck_assert(!not_found(&quiet, attempt, LEASE, QUIET, 1));
	for (unsigned i = 0; i < 1000; i++)
		quiet_see(&quiet, neighbour(i), 2 + (int64_t)i);

	ck_assert(!not_found(&quiet, attempt, LEASE, QUIET, 1 + LEASE + QUIET));
	ck_assert(not_found(&quiet, attempt, LEASE, QUIET, 1 + LEASE + 2 * QUIET));
}
END_TEST

START_TEST(attempts_that_are_asked_about_in_turn_all_settle)
{
	struct quiet quiet = { .slots = { { .first_seen_us = 0 } } };
	int64_t at_us[] = { 1, 1 + LEASE + QUIET, 1 + LEASE + 2 * QUIET };

	for (size_t i = 0; i < 3; i++)
		for (unsigned n = 0; n < QUIET_WAYS; n++)
			ck_assert(not_found(&quiet, neighbour(n), LEASE, QUIET, at_us[i]) ==
				  (i == 2));
}
END_TEST

START_TEST(an_attempt_that_finds_no_place_waits_until_others_settled)
{
	struct quiet quiet = { .slots = { { .first_seen_us = 0 } } };
	int64_t at_us[] = { 1, 1 + LEASE + QUIET, 1 + LEASE + 2 * QUIET };

	for (size_t i = 0; i < 3; i++) {
		for (unsigned n = 0; n < QUIET_WAYS; n++)
			(void)not_found(&quiet, neighbour(n), LEASE, QUIET, at_us[i]);
		ck_assert(!not_found(&quiet, attempt, LEASE, QUIET, at_us[i]));
	}

	ck_assert(!not_found(&quiet, attempt, LEASE, QUIET, at_us[2] + LEASE + QUIET));
	ck_assert(not_found(&quiet, attempt, LEASE, QUIET, at_us[2] + LEASE + 2 * QUIET));
}
END_TEST

START_TEST(a_forgotten_attempt_starts_over)
{
	struct quiet quiet = { .slots = { { .first_seen_us = 0 } } };

	quiet_see(&quiet, attempt, 0);
	for (unsigned i = 0; i < QUIET_WAYS; i++)
		quiet_see(&quiet, neighbour(i), 1 + (int64_t)i);

	ck_assert(!not_found(&quiet, attempt, LEASE, QUIET, LEASE + QUIET));
	ck_assert(!not_found(&quiet, attempt, LEASE, QUIET, LEASE + 2 * QUIET));
}
END_TEST

UNIT_MAIN("quiet", {
	tcase_add_test(tests, not_found_that_took_long_to_be_said_counts_from_when_it_was_heard);
	tcase_add_test(tests, not_found_is_believed_only_after_lease_and_two_quiet_periods);
	tcase_add_test(tests, an_attempt_seen_again_keeps_its_first_time);
	tcase_add_test(tests, an_attempt_that_is_asked_about_outlasts_any_number_of_sends);
	tcase_add_test(tests, attempts_that_are_asked_about_in_turn_all_settle);
	tcase_add_test(tests, an_attempt_that_finds_no_place_waits_until_others_settled);
	tcase_add_test(tests, a_forgotten_attempt_starts_over);
})
