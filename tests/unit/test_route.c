/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/route.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *method, *path;
	enum route_outcome outcome;
	const char *template;  /* of the row, with ROUTE_FOUND */
	const char *parameter; /* decoded */
} cases[] = {
	{ "POST", "/transactions", ROUTE_FOUND, "/transactions", "" },
	{ "GET", "/transactions/trans_1", ROUTE_FOUND, "/transactions/{transaction_id}",
	  "trans_1" },
	{ "HEAD", "/transactions/trans_1", ROUTE_FOUND, "/transactions/{transaction_id}",
	  "trans_1" },
	{ "GET", "/transactions/t/events", ROUTE_FOUND, "/transactions/{transaction_id}/events",
	  "t" },
	{ "GET", "/customers/a%2Fb/transactions", ROUTE_FOUND,
	  "/customers/{customer_id}/transactions", "a/b" },
	{ "DELETE", "/customers/a%2Fb/payment-methods/pm%5f1", ROUTE_FOUND,
	  "/customers/{customer_id}/payment-methods/{payment_method_id}", "a/b" },
	{ "GET", "/customers/a/payment-methods/%zz", ROUTE_MALFORMED, NULL, NULL },
	{ "GET", "/customers/a/payment-methods/", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "/customers/a/payment-methods/b/c", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "/customers/a", ROUTE_FOUND, "/customers/{customer_id}", "a" },
	{ "GET", "/customers/a+b/transactions", ROUTE_FOUND,
	  "/customers/{customer_id}/transactions", "a+b" },
	{ "POST", "/gateways/alpha/callbacks", ROUTE_FOUND, "/gateways/{gateway}/callbacks",
	  "alpha" },
	{ "GET", "http://shop.example/healthz", ROUTE_FOUND, "/healthz", "" },
	{ "GET", "/customers/a%zz/transactions", ROUTE_MALFORMED, NULL, NULL },
	{ "GET", "/customers/a%/transactions", ROUTE_MALFORMED, NULL, NULL },
	{ "GET", "/customers/a%00/transactions", ROUTE_MALFORMED, NULL, NULL },
	{ "GET", "/transactions", ROUTE_FOUND, "/transactions", "" },
	{ "HEAD", "/transactions", ROUTE_FOUND, "/transactions", "" },
	{ "PUT", "/transactions", ROUTE_NO_METHOD, NULL, NULL },
	{ "HEAD", "/transactions/cancel-by-key", ROUTE_NO_METHOD, NULL, NULL },
	{ "PATCH", "/transactions/cancel-by-key", ROUTE_NO_METHOD, NULL, NULL },
	{ "POST", "/transactions/cancel-by-key", ROUTE_FOUND, "/transactions/cancel-by-key", "" },
	{ "HEAD", "/callback/t", ROUTE_NO_METHOD, NULL, NULL },
	{ "DELETE", "/healthz", ROUTE_NO_METHOD, NULL, NULL },
	{ "TRACE", "/healthz", ROUTE_NO_METHOD, NULL, NULL },
	{ "get", "/healthz", ROUTE_NO_METHOD, NULL, NULL },
	{ "OPTIONS", "/healthz", ROUTE_ASKED, NULL, NULL },
	{ "OPTIONS", "/nothing", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "/", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "*", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "http://shop.example", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "/healthz/", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "//healthz", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "/Healthz", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "/transactions/", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "/transactions//events", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "/transactions/t/nothing", ROUTE_NO_PATH, NULL, NULL },
	{ "GET", "/transactions/t/events/1", ROUTE_NO_PATH, NULL, NULL },
};

START_TEST(route_find_takes_exactly_the_table)
{
	struct route_match match;
	const enum route_outcome outcome = route_find(cases[_i].method, cases[_i].path, &match);

	ck_assert_msg(outcome == cases[_i].outcome, "%s %s", cases[_i].method, cases[_i].path);
	if (outcome != ROUTE_FOUND)
		return;
	ck_assert_str_eq(route_at(match.index)->path, cases[_i].template);
	ck_assert_str_eq(match.parameter, cases[_i].parameter);
}
END_TEST

START_TEST(route_find_gives_both_parameters_of_a_path)
{
	struct route_match match;

	ck_assert_int_eq(route_find("GET", "/customers/a%2Fb/payment-methods/pm%5f1", &match),
			 ROUTE_FOUND);
	ck_assert_str_eq(match.parameter, "a/b");
	ck_assert_str_eq(match.second, "pm_1");
	ck_assert_int_eq(route_find("GET", "/customers/a/payment-methods", &match), ROUTE_FOUND);
	ck_assert_str_eq(match.parameter, "a");
	ck_assert_str_eq(match.second, "");
}
END_TEST

START_TEST(route_find_says_what_is_allowed)
{
	struct route_match match;

	ck_assert_int_eq(route_find("PUT", "/transactions", &match), ROUTE_NO_METHOD);
	ck_assert_str_eq(match.allow, "POST, GET, HEAD, OPTIONS");
	ck_assert_int_eq(route_find("OPTIONS", "/transactions/t", &match), ROUTE_ASKED);
	ck_assert_str_eq(match.allow, "GET, HEAD, PATCH, OPTIONS");
}
END_TEST

START_TEST(route_find_takes_no_parameter_longer_than_any_id)
{
	struct route_match match;
	char path[ROUTE_PARAMETER_SIZE + 64];
	char name[ROUTE_PARAMETER_SIZE + 1];

	memset(name, 'a', ROUTE_PARAMETER_SIZE);
	name[ROUTE_PARAMETER_SIZE] = '\0';
	(void)snprintf(path, sizeof path, "/transactions/%s", name);
	ck_assert_int_eq(route_find("GET", path, &match), ROUTE_NO_PATH);

	name[ROUTE_PARAMETER_SIZE - 1] = '\0';
	(void)snprintf(path, sizeof path, "/transactions/%s", name);
	ck_assert_int_eq(route_find("GET", path, &match), ROUTE_FOUND);
	ck_assert_str_eq(match.parameter, name);
}
END_TEST

START_TEST(route_rows_are_sound)
{
	const struct route *route = route_at(_i);

	ck_assert_int_eq(route->path[0], '/');
	ck_assert_int_eq((route->auth == ROUTE_TOKEN), (route->scope != 0));
	ck_assert_int_eq(strcmp(route->method, "POST") == 0 || strcmp(route->method, "PATCH") == 0,
			 route->body_max > 0);
	for (int other = 0; other < _i; other++)
		ck_assert(strcmp(route_at(other)->path, route->path) != 0 ||
			  strcmp(route_at(other)->method, route->method) != 0);
}
END_TEST

UNIT_MAIN("route", {
	tcase_add_loop_test(tests, route_find_takes_exactly_the_table, 0,
			    (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, route_find_gives_both_parameters_of_a_path);
	tcase_add_test(tests, route_find_says_what_is_allowed);
	tcase_add_test(tests, route_find_takes_no_parameter_longer_than_any_id);
	tcase_add_loop_test(tests, route_rows_are_sound, 0, ROUTE_COUNT);
})
