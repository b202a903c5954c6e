/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* apid/customer_country.c against a server: who pays for a look-up, and what is seen when. */
#include "apid/customer_country.h"

#include "base/clock.h"
#include "tests/unit/service_fixture.h"

#include <pthread.h>
#include <string.h>

static struct service service;
static struct customer_country *countries;

static void create(void)
{
	service_create(&service, "country");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	service_open(&service);
	ck_assert_int_eq(customer_country_new(&service.database, &countries), ERR_OK);
}

static void tear_down(void)
{
	customer_country_free(countries);
	service_close(&service);
}

static void put(const char *merchant, const char *customer, const char *country)
{
	service_do(
		&service,
		"INSERT INTO customer (id, merchant, customer, status, country, version, "
		"created_at_us, updated_at_us) VALUES (UNHEX(MD5('%s%s')), '%s', '%s', 'active', "
		"NULLIF('%s', ''), 1, 1, 1)",
		merchant, customer, merchant, customer, country);
}

static const char *find(const char *merchant, const char *customer)
{
	static char country[3];

	country[0] = '?';
	ck_assert_int_eq(customer_country_find(countries, merchant, customer,
					       clock_boot_us() + 20 * SECOND_US, country),
			 ERR_OK);
	return country;
}

START_TEST(a_customers_country_is_found_with_its_merchant)
{
	put("shop", "a", "ID");
	put("shop", "b", "");
	put("other", "b", "SG");
	ck_assert_str_eq(find("shop", "a"), "ID");
	ck_assert_str_eq(find("shop", "b"), "");
	ck_assert_str_eq(find("shop", "c"), "");
	ck_assert_str_eq(find("other", "a"), "");
	ck_assert_str_eq(find("other", "b"), "SG");
	service_do(&service, "UPDATE customer SET country = 'MY' WHERE customer = 'a'");
	ck_assert_str_eq(find("shop", "a"), "MY");
}
END_TEST

/* Whoever keeps no profiles does not pay for them: nobody is asked, even where there is no time left to ask. */
START_TEST(that_a_merchant_has_none_is_remembered)
{
	char country[3] = "??";

	ck_assert_str_eq(find("shop", "a"), "");
	ck_assert_int_eq(customer_country_find(countries, "shop", "b", 0, country), ERR_OK);
	ck_assert_str_eq(country, "");
}
END_TEST

struct waiting {
	const char *merchant;
	int64_t took_us;
	enum err err;
	char country[3];
};

static void *wait_for(void *context)
{
	struct waiting *waiting = context;
	const int64_t began_us = clock_boot_us();

	memcpy(waiting->country, "??", 3);
	waiting->err = customer_country_find(countries, waiting->merchant, "a",
					     began_us + SECOND_US / 2, waiting->country);
	waiting->took_us = clock_boot_us() - began_us;
	return NULL;
}

/* Of those who ask at the same time, each has his own, and nobody waits beyond it for a table that is locked. */
START_TEST(a_database_that_stalls_holds_up_nobody_beyond_his_deadline)
{
	struct waiting list[] = { { .merchant = "shop" },
				  { .merchant = "other" },
				  { .merchant = "shop" } };
	enum { COUNT = sizeof list / sizeof list[0] };
	pthread_t threads[COUNT];

	put("shop", "a", "ID");
	put("other", "a", "SG");
	service_rows(&service, NULL, NULL, "LOCK TABLES customer WRITE");
	for (int i = 0; i < COUNT; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for, &list[i]), 0);
	for (int i = 0; i < COUNT; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	service_rows(&service, NULL, NULL, "UNLOCK TABLES");

	for (int i = 0; i < COUNT; i++) {
		ck_assert_int_eq(list[i].err, ERR_DEADLINE);
		ck_assert_str_eq(list[i].country, "??");
		ck_assert_int_ge(list[i].took_us, SECOND_US / 2);
	}
	ck_assert_str_eq(find("shop", "a"), "ID");
	ck_assert_str_eq(find("other", "a"), "SG");
}
END_TEST

START_TEST(a_first_profile_is_seen_at_once_here_and_soon_elsewhere)
{
	const int64_t deadline_us = clock_boot_us() + 10 * SECOND_US;

	ck_assert_str_eq(find("shop", "a"), "");
	put("shop", "a", "ID");
	customer_country_learn(countries, "shop");
	ck_assert_str_eq(find("shop", "a"), "ID");
	ck_assert_str_eq(find("other", "a"), "");
	put("other", "a", "SG"); /* by another process: nobody tells */
	while (find("other", "a")[0] == '\0')
		ck_assert_int_lt(clock_boot_us(), deadline_us);
	ck_assert_str_eq(find("other", "a"), "SG");
}
END_TEST

UNIT_MAIN("customer_country", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_customers_country_is_found_with_its_merchant);
	tcase_add_test(tests, that_a_merchant_has_none_is_remembered);
	tcase_add_test(tests, a_database_that_stalls_holds_up_nobody_beyond_his_deadline);
	tcase_add_test(tests, a_first_profile_is_seen_at_once_here_and_soon_elsewhere);
})
