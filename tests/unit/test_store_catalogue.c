/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/store/gateway.c and route.c against a server. */
#include <string.h>

#include "store/catalogue.h"
#include "store/gateway.h"
#include "store/route.h"
#include "store_scratch.h"
#include "unit.h"

static struct gateway_row gateway_least(const char *name)
{
	struct gateway_row row = { .adapter = "sandbox",
				   .base_url = "http://127.0.0.1:1",
				   .api_key_file = "/k",
				   .callback_secret_file = "/s",
				   .connect_timeout_ms = 1,
				   .total_timeout_ms = 1,
				   .quiet_ms = 1,
				   .callback_wait_ms = 1,
				   .authorisation_expiry_s = 1 };

	snprintf(row.gateway, sizeof row.gateway, "%s", name);
	return row;
}

static struct gateway_row gateway_full(const char *name)
{
	struct gateway_row row = gateway_least(name);

	memset(row.adapter, 'a', sizeof row.adapter - 1);
	memset(row.base_url, 'u', sizeof row.base_url - 1);
	memset(row.api_key_file, 'k', sizeof row.api_key_file - 1);
	memset(row.callback_secret_file, 's', sizeof row.callback_secret_file - 1);
	memset(row.callback_secret_file_previous, 'p', GATEWAY_PATH_SIZE - 1);
	row.total_timeout_ms = INT32_MAX;
	row.connect_timeout_ms = INT32_MAX;
	row.quiet_ms = INT64_MAX;
	row.callback_wait_ms = INT64_MAX;
	row.idempotent = true;
	row.authoritative = true;
	memset(row.operations, 'o', ROUTING_SET_SIZE - 1);
	memset(row.currencies, 'c', ROUTING_SET_SIZE - 1);
	memset(row.countries, 'l', ROUTING_SET_SIZE - 1);
	memset(row.methods, 'm', ROUTING_SET_SIZE - 1);
	memset(row.limits, 'i', ROUTING_SET_SIZE - 1);
	row.state = ROUTING_DISABLED;
	memset(row.state_reason, 'r', sizeof row.state_reason - 1);
	row.maintenance_from_us = INT64_MAX - 1;
	row.maintenance_until_us = INT64_MAX;
	memset(row.maintenance_reason, 'w', sizeof row.maintenance_reason - 1);
	row.changed_at_us = INT64_MAX;
	row.authorisation_expiry_s = INT64_MAX;
	return row;
}

struct gateways_seen {
	struct gateway_row list[4];
	size_t count;
};

static void gateway_see(void *context, const struct gateway_row *row)
{
	struct gateways_seen *seen = context;

	seen->list[seen->count++] = *row;
}

static void ck_gateway(const struct gateway_row *a, const struct gateway_row *b)
{
	ck_assert_str_eq(a->gateway, b->gateway);
	ck_assert_str_eq(a->adapter, b->adapter);
	ck_assert_str_eq(a->base_url, b->base_url);
	ck_assert_str_eq(a->api_key_file, b->api_key_file);
	ck_assert_str_eq(a->callback_secret_file, b->callback_secret_file);
	ck_assert_str_eq(a->callback_secret_file_previous, b->callback_secret_file_previous);
	ck_assert_int_eq(a->connect_timeout_ms, b->connect_timeout_ms);
	ck_assert_int_eq(a->total_timeout_ms, b->total_timeout_ms);
	ck_assert_int_eq(a->quiet_ms, b->quiet_ms);
	ck_assert_int_eq(a->callback_wait_ms, b->callback_wait_ms);
	ck_assert_int_eq(a->idempotent, b->idempotent);
	ck_assert_int_eq(a->authoritative, b->authoritative);
	ck_assert_str_eq(a->operations, b->operations);
	ck_assert_str_eq(a->currencies, b->currencies);
	ck_assert_str_eq(a->countries, b->countries);
	ck_assert_str_eq(a->methods, b->methods);
	ck_assert_str_eq(a->limits, b->limits);
	ck_assert_int_eq(a->state, b->state);
	ck_assert_str_eq(a->state_reason, b->state_reason);
	ck_assert_int_eq(a->maintenance_from_us, b->maintenance_from_us);
	ck_assert_int_eq(a->maintenance_until_us, b->maintenance_until_us);
	ck_assert_str_eq(a->maintenance_reason, b->maintenance_reason);
	ck_assert_int_eq(a->changed_at_us, b->changed_at_us);
	ck_assert_int_eq(a->authorisation_expiry_s, b->authorisation_expiry_s);
}

START_TEST(gateway_round_trip_of_extremes_and_of_empties)
{
	const struct gateway_row rows[] = { gateway_full("alpha"), gateway_least("beta") };
	struct gateways_seen seen = { .count = 0 };

	ck_assert_int_eq(store_gateway_put(&tx, &rows[1]), ERR_OK);
	ck_assert_int_eq(store_gateway_put(&tx, &rows[0]), ERR_OK);
	ck_assert_int_eq(store_gateway_list(&tx, gateway_see, &seen), ERR_OK);

	ck_assert_uint_eq(seen.count, 2);
	ck_gateway(&seen.list[0], &rows[0]);
	ck_gateway(&seen.list[1], &rows[1]);
}
END_TEST

START_TEST(gateway_put_writes_every_column_of_one_that_is_used)
{
	const struct gateway_row before = gateway_least("alpha");
	const struct gateway_row after = gateway_full("alpha");
	const struct route_rule_row rule = { .number = 1, .rule = "default" };
	const struct route_target_row target = { 1, "alpha", 1, 1 };
	struct gateways_seen seen = { .count = 0 };

	ck_assert_int_eq(store_gateway_put(&tx, &before), ERR_OK);
	ck_assert_int_eq(store_route_rule_insert(&tx, &rule), ERR_OK);
	ck_assert_int_eq(store_route_target_insert(&tx, &target), ERR_OK);
	ck_assert_int_eq(store_gateway_put(&tx, &after), ERR_OK);
	ck_assert_int_eq(store_gateway_list(&tx, gateway_see, &seen), ERR_OK);

	ck_assert_uint_eq(seen.count, 1);
	ck_gateway(&seen.list[0], &after);
}
END_TEST

START_TEST(catalogue_version_rises)
{
	int64_t before;
	int64_t locked;
	int64_t after;

	ck_assert_int_eq(store_catalogue_version(&tx, &before), ERR_OK);
	ck_assert_int_eq(store_catalogue_lock(&tx, &locked), ERR_OK);
	ck_assert_int_eq(store_catalogue_raise(&tx, 5), ERR_OK);
	ck_assert_int_eq(store_catalogue_version(&tx, &after), ERR_OK);

	ck_assert_int_eq(locked, before);
	ck_assert_int_eq(after, before + 1);
}
END_TEST

struct accounts_seen {
	struct gateway_account_row list[4];
	size_t count;
};

static void account_see(void *context, const struct gateway_account_row *row)
{
	struct accounts_seen *seen = context;

	seen->list[seen->count++] = *row;
}

START_TEST(account_is_one_per_gateway_and_merchant)
{
	const struct gateway_row gateway = gateway_least("alpha");
	const struct gateway_account_row one = { "alpha", "shop", "acct_1",
						 "/key",  "/new", "/previous" };
	const struct gateway_account_row two = { "alpha", "other", "acct_2", "", "", "" };
	const struct gateway_account_row nowhere = { "beta", "shop", "acct_1", "", "", "" };
	const struct gateway_account_row nobody = { "alpha", "nobody", "acct_1", "", "", "" };
	struct accounts_seen seen = { .count = 0 };

	ck_assert_int_eq(store_gateway_put(&tx, &gateway), ERR_OK);
	ck_assert_int_eq(store_gateway_account_insert(&tx, &one), ERR_OK);
	ck_assert_int_eq(store_gateway_account_insert(&tx, &two), ERR_OK);
	ck_assert_int_eq(store_gateway_account_insert(&tx, &one), ERR_CONFLICT);
	ck_assert_int_eq(store_gateway_account_insert(&tx, &nowhere), ERR_NOT_FOUND);
	ck_assert_int_eq(store_gateway_account_insert(&tx, &nobody), ERR_NOT_FOUND);
	ck_assert_int_eq(store_gateway_account_list(&tx, account_see, &seen), ERR_OK);

	ck_assert_uint_eq(seen.count, 2);
	ck_assert_str_eq(seen.list[0].merchant, "other");
	ck_assert_str_eq(seen.list[0].api_key_file, "");
	ck_assert_str_eq(seen.list[1].account, "acct_1");
	ck_assert_str_eq(seen.list[1].api_key_file, "/key");
	seen.count = 0;
	ck_assert_int_eq(store_gateway_account_clear(&tx), ERR_OK);
	ck_assert_int_eq(store_gateway_account_list(&tx, account_see, &seen), ERR_OK);
	ck_assert_uint_eq(seen.count, 0);
}
END_TEST

struct routes_seen {
	struct route_rule_row rules[4];
	size_t rule_count;
	struct route_target_row targets[4];
	size_t target_count;
};

static void rule_see(void *context, const struct route_rule_row *row)
{
	struct routes_seen *seen = context;

	seen->rules[seen->rule_count++] = *row;
}

static void target_see(void *context, const struct route_target_row *row)
{
	struct routes_seen *seen = context;

	seen->targets[seen->target_count++] = *row;
}

static void ck_rule(const struct route_rule_row *a, const struct route_rule_row *b)
{
	ck_assert_int_eq(a->number, b->number);
	ck_assert_str_eq(a->rule, b->rule);
	ck_assert_str_eq(a->merchants, b->merchants);
	ck_assert_str_eq(a->kinds, b->kinds);
	ck_assert_str_eq(a->countries, b->countries);
	ck_assert_str_eq(a->currencies, b->currencies);
	ck_assert_str_eq(a->methods, b->methods);
	ck_assert_int_eq(a->amount_min, b->amount_min);
	ck_assert_int_eq(a->amount_max, b->amount_max);
}

START_TEST(route_round_trip_in_order)
{
	struct route_rule_row rules[] = { { .number = 1, .rule = "full" },
					  { .number = 2, .rule = "default" } };
	const struct gateway_row gateways[] = { gateway_least("alpha"), gateway_least("beta") };
	const struct route_target_row targets[] = { { 2, "alpha", 1, 1000 },
						    { 1, "alpha", 255, 1 },
						    { 1, "beta", 1, 30 } };
	struct routes_seen seen = { .rule_count = 0 };

	memset(rules[0].merchants, 'm', ROUTING_SET_SIZE - 1);
	memset(rules[0].kinds, 'k', ROUTING_SET_SIZE - 1);
	memset(rules[0].countries, 'l', ROUTING_SET_SIZE - 1);
	memset(rules[0].currencies, 'c', ROUTING_SET_SIZE - 1);
	memset(rules[0].methods, 'o', ROUTING_SET_SIZE - 1);
	rules[0].amount_min = 1;
	rules[0].amount_max = INT64_MAX;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(store_gateway_put(&tx, &gateways[i]), ERR_OK);
	for (int i = 1; i >= 0; i--)
		ck_assert_int_eq(store_route_rule_insert(&tx, &rules[i]), ERR_OK);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(store_route_target_insert(&tx, &targets[i]), ERR_OK);
	ck_assert_int_eq(store_route_rule_list(&tx, rule_see, &seen), ERR_OK);
	ck_assert_int_eq(store_route_target_list(&tx, target_see, &seen), ERR_OK);

	ck_assert_uint_eq(seen.rule_count, 2);
	ck_rule(&seen.rules[0], &rules[0]);
	ck_rule(&seen.rules[1], &rules[1]);
	ck_assert_uint_eq(seen.target_count, 3);
	ck_assert_str_eq(seen.targets[0].gateway, "beta");
	ck_assert_int_eq(seen.targets[0].weight, 30);
	ck_assert_int_eq(seen.targets[1].priority, 255);
	ck_assert_int_eq(seen.targets[2].number, 2);
	ck_assert_int_eq(store_route_clear(&tx), ERR_OK);
	seen.rule_count = 0;
	ck_assert_int_eq(store_route_rule_list(&tx, rule_see, &seen), ERR_OK);
	ck_assert_uint_eq(seen.rule_count, 0);
}
END_TEST

START_TEST(route_refuses_what_is_there_twice_or_leads_nowhere)
{
	const struct route_rule_row rule = { .number = 1, .rule = "default" };
	const struct route_rule_row same_name = { .number = 2, .rule = "default" };
	const struct route_target_row nowhere = { 1, "alpha", 1, 1 };
	const struct route_target_row no_rule = { 9, "alpha", 1, 1 };
	const struct gateway_row gateway = gateway_least("alpha");

	ck_assert_int_eq(store_route_rule_insert(&tx, &rule), ERR_OK);
	ck_assert_int_eq(store_route_rule_insert(&tx, &rule), ERR_CONFLICT);
	ck_assert_int_eq(store_route_rule_insert(&tx, &same_name), ERR_CONFLICT);
	ck_assert_int_eq(store_route_target_insert(&tx, &nowhere), ERR_NOT_FOUND);
	ck_assert_int_eq(store_gateway_put(&tx, &gateway), ERR_OK);
	ck_assert_int_eq(store_route_target_insert(&tx, &nowhere), ERR_OK);
	ck_assert_int_eq(store_route_target_insert(&tx, &nowhere), ERR_CONFLICT);
	ck_assert_int_eq(store_route_target_insert(&tx, &no_rule), ERR_NOT_FOUND);
}
END_TEST

#define GATEWAY_INSERT(NAME, CONNECT, FROM, UNTIL, WHY)                                            \
	"INSERT INTO gateway (gateway, adapter, base_url, api_key_file, callback_secret_file, "    \
	"connect_timeout_ms, total_timeout_ms, quiet_ms, callback_wait_ms, idempotent, "           \
	"authoritative, state, maintenance_from_us, maintenance_until_us, maintenance_reason, "    \
	"changed_at_us) VALUES ('" NAME "', 'a', 'u', 'k', 's', " CONNECT                          \
	", 5, 1, 1, 1, 1, 'enabled', " FROM ", " UNTIL ", " WHY ", 1)"
#define RULE_INSERT(COLUMNS, VALUES)                                                               \
	"INSERT INTO route_rule (number, rule, " COLUMNS ") VALUES (1, 'r', " VALUES ")"

static const char *const refused[] = {
	"INSERT INTO catalogue (id, version, changed_at_us) VALUES (2, 0, 0)",
	GATEWAY_INSERT("", "1", "NULL", "NULL", "NULL"),
	GATEWAY_INSERT("Alpha", "1", "NULL", "NULL", "NULL"),
	GATEWAY_INSERT("a", "0", "NULL", "NULL", "NULL"),
	GATEWAY_INSERT("a", "6", "NULL", "NULL", "NULL"),
	GATEWAY_INSERT("a", "1", "2", "NULL", "'x'"),
	GATEWAY_INSERT("a", "1", "NULL", "3", "'x'"),
	GATEWAY_INSERT("a", "1", "3", "3", "'x'"),
	GATEWAY_INSERT("a", "1", "2", "3", "NULL"),
	GATEWAY_INSERT("a", "1", "NULL", "NULL", "'x'"),
	RULE_INSERT("amount_min", "5"),
	RULE_INSERT("amount_max", "5"),
	RULE_INSERT("currencies, amount_min", "'EUR', 0"),
	RULE_INSERT("currencies, amount_min, amount_max", "'EUR', 6, 5"),
};

START_TEST(catalogue_tables_refuse_what_makes_no_sense)
{
	MYSQL *mysql = scratch_connect();

	ck_assert_uint_ne(scratch_refused(mysql, refused[_i]), 0);
	mysql_close(mysql);
}
END_TEST

UNIT_MAIN("store_catalogue", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_add_test(tests, gateway_round_trip_of_extremes_and_of_empties);
	tcase_add_test(tests, gateway_put_writes_every_column_of_one_that_is_used);
	tcase_add_test(tests, catalogue_version_rises);
	tcase_add_test(tests, account_is_one_per_gateway_and_merchant);
	tcase_add_test(tests, route_round_trip_in_order);
	tcase_add_test(tests, route_refuses_what_is_there_twice_or_leads_nowhere);
	tcase_add_loop_test(tests, catalogue_tables_refuse_what_makes_no_sense, 0,
			    (int)(sizeof refused / sizeof refused[0]));
})
