/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/certificate.h"

#include "tests/unit/unit.h"

#define DAY (INT64_C(86400) * 1000000)
#define BEGINS (100 * DAY)
#define ENDS (190 * DAY)

static const struct {
	int64_t now_us;
	enum certificate_state state;
} moments[] = {
	{ 0, CERTIFICATE_EARLY },
	{ BEGINS - 1, CERTIFICATE_EARLY },
	{ BEGINS, CERTIFICATE_GOOD },
	{ ENDS - 14 * DAY - 1, CERTIFICATE_GOOD },
	{ ENDS - 14 * DAY, CERTIFICATE_ENDS },
	{ ENDS - 1, CERTIFICATE_ENDS },
	{ ENDS, CERTIFICATE_EXPIRED },
	{ ENDS + 1000 * DAY, CERTIFICATE_EXPIRED },
};

START_TEST(certificate_state_tells_the_end_two_weeks_before)
{
	ck_assert_int_eq(certificate_state(BEGINS, ENDS, moments[_i].now_us), moments[_i].state);
}
END_TEST

START_TEST(certificate_state_of_one_that_is_never_valid_is_early_first)
{
	ck_assert_int_eq(certificate_state(ENDS, BEGINS, BEGINS), CERTIFICATE_EARLY);
	ck_assert_int_eq(certificate_state(ENDS, BEGINS, ENDS), CERTIFICATE_EXPIRED);
}
END_TEST

UNIT_MAIN("certificate", {
	tcase_add_loop_test(tests, certificate_state_tells_the_end_two_weeks_before, 0,
			    (int)(sizeof moments / sizeof moments[0]));
	tcase_add_test(tests, certificate_state_of_one_that_is_never_valid_is_early_first);
})
