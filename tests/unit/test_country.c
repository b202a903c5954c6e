/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/country.h"

#include <string.h>

#include "tests/unit/unit.h"

START_TEST(country_codes_are_in_order_and_found)
{
	size_t count = 0;

	for (; country_codes[count] != NULL; count++) {
		ck_assert_uint_eq(strlen(country_codes[count]), 2);
		ck_assert(count == 0 || strcmp(country_codes[count - 1], country_codes[count]) < 0);
		ck_assert(country_is_assigned(country_codes[count]));
	}
	ck_assert_uint_eq(count, 249 + 1); /* ISO 3166-1 has 249 */
}
END_TEST

/* Every pair of letters. */
START_TEST(country_is_assigned_takes_no_other)
{
	unsigned found = 0;

	for (char first = 'A'; first <= 'Z'; first++)
		for (char second = 'A'; second <= 'Z'; second++)
			found += country_is_assigned((char[3]){ first, second, '\0' });
	ck_assert_uint_eq(found, 250);
	ck_assert(!country_is_assigned("id"));
	ck_assert(!country_is_assigned("ZZ"));
	ck_assert(!country_is_assigned("AA"));
	ck_assert(!country_is_assigned("UK"));
}
END_TEST

UNIT_MAIN("country", {
	tcase_add_test(tests, country_codes_are_in_order_and_found);
	tcase_add_test(tests, country_is_assigned_takes_no_other);
})
