/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Views of the catalogue: what the tables hold, what cannot be used, and changes while one is held. */
#include "service/catalogue.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/catalogue.h"
#include "store/route.h"
#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (int)(sizeof(ROWS) / sizeof(ROWS)[0])

/* lint: state: one service per test process, made and closed by the fixture */
static struct service service;
/* lint: state: the secrets' file of the running test */
static char secret_path[64];

static void create(void)
{
	service_create(&service, "catalogue");
}

static void drop(void)
{
	service_drop(&service);
}

/* Two gateways, an account with its own credential, one rule and the default. */
static void tables_fill(void)
{
	static const char *const names[] = { "beta", "alpha" };

	service_do(&service, "DELETE FROM route_target");
	service_do(&service, "DELETE FROM route_rule");
	service_do(&service, "DELETE FROM gateway_account");
	service_do(&service, "DELETE FROM gateway");
	for (int i = 0; i < COUNT(names); i++)
		service_do(&service,
			   "INSERT INTO gateway (gateway, adapter, base_url, api_key_file, "
			   "callback_secret_file, callback_secret_file_previous, "
			   "connect_timeout_ms, total_timeout_ms, quiet_ms, callback_wait_ms, "
			   "idempotent, authoritative, currencies, operations, state, "
			   "changed_at_us) VALUES ('%s', 'sandbox', 'http://127.0.0.1:9', '%s', "
			   "'%s', '%s', 10, 20, 30, 40, 1, 0, 'EUR USD', 'charge refund', "
			   "'enabled', 1)",
			   names[i], secret_path, secret_path, secret_path);
	service_do(&service,
		   "INSERT INTO gateway_account (gateway, merchant, account, api_key_file) VALUES "
		   "('alpha', 'other', 'acct_o', NULL), ('alpha', 'shop', 'acct_s', '%s')",
		   secret_path);
	service_do(&service, "INSERT INTO route_rule (number, rule, countries) VALUES "
			     "(1, 'indonesia', 'ID'), (2, 'default', NULL)");
	service_do(&service,
		   "INSERT INTO route_target (number, gateway, priority, weight) VALUES "
		   "(1, 'beta', 1, 7), (2, 'alpha', 1, 1), (2, 'beta', 2, 1)");
	service_do(&service, "UPDATE catalogue SET version = version + 1");
}

static void set_up(void)
{
	int fd;

	service_open(&service);
	snprintf(secret_path, sizeof secret_path, "/tmp/payops-test-catalogue-XXXXXX");
	fd = mkstemp(secret_path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "sesame", 6), 6);
	close(fd);
	tables_fill();
}

static void tear_down(void)
{
	service_close(&service);
	unlink(secret_path);
}

struct reading {
	enum catalogue_use use;
	struct catalogue_view *view;
	char why[CATALOGUE_WHY_SIZE];
};

static enum err read_work(struct store_tx *tx, void *context)
{
	struct reading *reading = context;

	return catalogue_read(tx, reading->use, &reading->view, reading->why);
}

static enum err read_view(struct reading *reading, enum catalogue_use use)
{
	*reading = (struct reading){ .use = use };
	return store_look(service.store, read_work, reading);
}

START_TEST(a_view_holds_what_the_tables_hold)
{
	struct reading reading;
	const struct gateway *gateway;
	const struct routing_rule *rules;

	ck_assert_msg(read_view(&reading, CATALOGUE_SEND) == ERR_OK, "%s", reading.why);

	ck_assert_uint_eq(reading.view->gateways.count, 2);
	gateway = &reading.view->gateways.list[0];
	ck_assert_str_eq(gateway->name, "alpha");
	ck_assert_ptr_eq(gateway->adapter, &gateway_sandbox);
	ck_assert_str_eq((const char *)gateway->api_key.bytes, "sesame");
	ck_assert_uint_eq(gateway->callback_secret_count, 2);
	ck_assert_int_eq(gateway->connect_timeout_ms, 10);
	ck_assert_int_eq(gateway->total_timeout_ms, 20);
	ck_assert_int_eq(gateway->quiet_us, 30000);
	ck_assert_int_eq(gateway->callback_wait_us, 40000);
	ck_assert_int_eq(gateway->authorisation_us, INT64_C(518400000000));
	ck_assert(gateway->idempotent && !gateway->authoritative);
	ck_assert_str_eq(reading.view->capabilities[0].currencies, "EUR USD");
	ck_assert_uint_eq(reading.view->capabilities[0].operations,
			  1u << OPERATION_CHARGE | 1u << OPERATION_REFUND);
	rules = reading.view->routing.rules;
	ck_assert_uint_eq(reading.view->routing.rule_count, 2);
	ck_assert_str_eq(rules[0].countries, "ID");
	ck_assert(rules[0].targets[0].gateway == 1 && rules[0].targets[0].weight == 7);
	ck_assert(rules[1].target_count == 2 && rules[1].targets[1].gateway == 1);
	catalogue_release(reading.view);
}
END_TEST

START_TEST(a_merchant_uses_its_own_account_and_credential)
{
	struct reading reading;
	const struct gateway *gateway;
	const char *account;

	ck_assert_int_eq(read_view(&reading, CATALOGUE_SEND), ERR_OK);

	gateway = catalogue_gateway(reading.view, 0, "shop", &account);
	ck_assert_str_eq(account, "acct_s");
	ck_assert_ptr_ne(gateway, &reading.view->gateways.list[0]);
	ck_assert_str_eq(gateway->name, "alpha");
	gateway = catalogue_gateway(reading.view, 0, "other", &account);
	ck_assert_str_eq(account, "acct_o");
	ck_assert_ptr_eq(gateway, &reading.view->gateways.list[0]);
	gateway = catalogue_gateway(reading.view, 1, "shop", &account);
	ck_assert_str_eq(account, "");
	ck_assert_ptr_eq(gateway, &reading.view->gateways.list[1]);
	catalogue_release(reading.view);
}
END_TEST

START_TEST(an_account_may_have_secrets_for_callbacks)
{
	struct reading reading;
	const struct gateway *gateway;
	const char *account;

	service_do(&service,
		   "UPDATE gateway_account SET callback_secret_file = '%s', "
		   "callback_secret_file_previous = IF(%d, '%s', NULL) WHERE merchant = 'other'",
		   secret_path, _i, secret_path);
	ck_assert_int_eq(read_view(&reading, CATALOGUE_SEND), ERR_OK);

	gateway = catalogue_gateway(reading.view, 0, "other", &account);
	ck_assert_ptr_ne(gateway, &reading.view->gateways.list[0]);
	ck_assert_uint_eq(gateway->callback_secret_count, 1u + (unsigned)_i);
	ck_assert_uint_eq(gateway->api_key.size, reading.view->gateways.list[0].api_key.size);
	ck_assert_uint_eq(reading.view->signing_count, 1);
	ck_assert(reading.view->accounts[0].signs && !reading.view->accounts[1].signs);
	ck_assert_uint_eq(reading.view->gateways.list[0].callback_secret_count, 2);
	catalogue_release(reading.view);
}
END_TEST

START_TEST(an_empty_catalogue_is_a_view_without_routes)
{
	struct reading reading;

	service_do(&service, "DELETE FROM route_target");
	service_do(&service, "DELETE FROM route_rule");
	service_do(&service, "DELETE FROM gateway_account");
	service_do(&service, "DELETE FROM gateway");

	ck_assert_int_eq(read_view(&reading, CATALOGUE_SEND), ERR_OK);
	ck_assert_uint_eq(reading.view->routing.rule_count, 0);
	catalogue_release(reading.view);
}
END_TEST

/* What makes the tables unusable, and what is said of it. */
static const struct {
	const char *statement;
	const char *why;
	enum err err;
} unusable[] = {
	{ "UPDATE gateway SET adapter = 'fax' WHERE gateway = 'beta'", "adapter fax", ERR_CONFIG },
	{ "UPDATE gateway SET api_key_file = '/nowhere'", "/nowhere", ERR_IO },
	{ "UPDATE gateway SET callback_secret_file_previous = '/nowhere'", "/nowhere", ERR_IO },
	{ "UPDATE gateway_account SET api_key_file = '/nowhere'", "/nowhere", ERR_IO },
	{ "UPDATE route_rule SET countries = 'SG' WHERE number = 2", "default is missing",
	  ERR_CONFIG },
	{ "DELETE FROM route_target WHERE number = 1", "rule indonesia", ERR_CONFIG },
};

START_TEST(what_cannot_be_used_is_refused_with_the_reason)
{
	struct reading reading;

	service_do(&service, "%s", unusable[_i].statement);

	ck_assert_int_eq(read_view(&reading, CATALOGUE_SEND), unusable[_i].err);
	ck_assert_ptr_null(reading.view);
	ck_assert_msg(strstr(reading.why, unusable[_i].why) != NULL, "%s", reading.why);
}
END_TEST

START_TEST(a_view_to_look_at_needs_no_secrets)
{
	struct reading reading;

	service_do(&service, "UPDATE gateway SET api_key_file = '/nowhere'");

	ck_assert_int_eq(read_view(&reading, CATALOGUE_SHOW), ERR_OK);
	ck_assert_uint_eq(reading.view->gateways.list[0].api_key.size, 0);
	catalogue_release(reading.view);
}
END_TEST

static struct catalogue *open_catalogue(void)
{
	struct catalogue *catalogue = NULL;
	char why[CATALOGUE_WHY_SIZE] = "";

	ck_assert_msg(catalogue_open(service.pool, &catalogue, why) == ERR_OK, "%s", why);
	return catalogue;
}

static bool holds_version(struct catalogue *catalogue, int64_t version)
{
	const struct catalogue_view *view = catalogue_hold(catalogue);
	const bool holds = view->version == version;

	catalogue_release(view);
	return holds;
}

/* Wait for the watcher, which looks twice a second. */
static void await_version(struct catalogue *catalogue, int64_t version)
{
	for (int i = 0; i < 100 && !holds_version(catalogue, version); i++)
		usleep(20000);
	ck_assert(holds_version(catalogue, version));
}

START_TEST(a_change_is_seen_and_what_is_held_stays_as_it_was)
{
	struct catalogue *catalogue = open_catalogue();
	const struct catalogue_view *before = catalogue_hold(catalogue);
	const struct catalogue_view *after;

	service_do(&service, "UPDATE gateway SET state = 'draining' WHERE gateway = 'alpha'");
	service_do(&service, "UPDATE catalogue SET version = version + 1");
	await_version(catalogue, before->version + 1);
	after = catalogue_hold(catalogue);

	ck_assert_int_eq(before->capabilities[0].state, ROUTING_ENABLED);
	ck_assert_int_eq(after->capabilities[0].state, ROUTING_DRAINING);
	catalogue_release(before);
	catalogue_close(catalogue);
	ck_assert_str_eq(after->gateways.list[1].name, "beta"); /* held past the end */
	catalogue_release(after);
}
END_TEST

START_TEST(what_cannot_be_used_leaves_the_old_view_until_it_is_mended)
{
	struct catalogue *catalogue = open_catalogue();
	const struct catalogue_view *before = catalogue_hold(catalogue);
	const int64_t version = before->version;

	service_do(&service, "UPDATE gateway SET adapter = 'fax'");
	service_do(&service, "UPDATE catalogue SET version = version + 1");
	usleep(1200000);
	ck_assert(holds_version(catalogue, version));
	service_do(&service, "UPDATE gateway SET adapter = 'sandbox'");
	await_version(catalogue, version + 1);

	catalogue_release(before);
	catalogue_close(catalogue);
}
END_TEST

UNIT_MAIN("catalogue", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_view_holds_what_the_tables_hold);
	tcase_add_test(tests, a_merchant_uses_its_own_account_and_credential);
	tcase_add_loop_test(tests, an_account_may_have_secrets_for_callbacks, 0, 2);
	tcase_add_test(tests, an_empty_catalogue_is_a_view_without_routes);
	tcase_add_loop_test(tests, what_cannot_be_used_is_refused_with_the_reason, 0,
			    COUNT(unusable));
	tcase_add_test(tests, a_view_to_look_at_needs_no_secrets);
	tcase_add_test(tests, a_change_is_seen_and_what_is_held_stays_as_it_was);
	tcase_add_test(tests, what_cannot_be_used_leaves_the_old_view_until_it_is_mended);
})
