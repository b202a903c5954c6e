/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/service/rotation.c and lib/store/seal.c against a server: all is sealed anew, and nothing else is touched. */
#include "service/rotation.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service/customer.h"
#include "service/payment_method.h"
#include "store/statement.h"
#include "tests/unit/service_fixture.h"

#define CUSTOMERS 300 /* more than are read at once */
#define TEXT(T)                                                                                    \
	{                                                                                          \
		.kind = VALUE_STRING, .text = (T), .text_size = sizeof(T) - 1                      \
	}

static struct service service;
static struct vault newer;    /* a new key in front of the fixture's */
static struct vault stranger; /* the old key's id with other bytes, behind the new one */
static struct rotation_tally tally;
static uint64_t told;

static const struct field_pair pairs[] = { { .name = "tier", .text = "gold", .text_size = 4 } };
static const struct field_member ana[] = {
	{ "name", TEXT("Ana Wijaya") },
	{ "metadata", { .kind = VALUE_OBJECT, .pairs = pairs, .pair_count = 1 } },
};

static void create(void)
{
	service_create(&service, "rotation");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	service_open(&service);
	newer = service.vault;
	newer.count = 2;
	newer.keys[1] = service.vault.keys[0];
	snprintf(newer.keys[0].key_id, sizeof newer.keys[0].key_id, "newer");
	newer.keys[0].key[0] ^= 1;
	stranger = newer;
	stranger.keys[1].key[5] ^= 1;
}

static void tear_down(void)
{
	service_close(&service);
}

static void put_customers(unsigned count)
{
	const struct customer_desk desk = { service.pool, &service.vault, SERVICE_WAIT_MS };
	static const struct payment_method_request card = { .gateway = "alpha",
							    .token = "tok_ok",
							    .method = "credit_card" };

	for (unsigned n = 0; n < count; n++) {
		char id[16];
		const struct customer_request request = {
			.merchant = SERVICE_MERCHANT,
			.customer = id,
			.members = ana + n % 2, /* every other one has metadata alone */
			.count = 2 - n % 2,
		};
		const struct payment_method_target target = { .merchant = SERVICE_MERCHANT,
							      .customer = id };
		static struct customer customer;
		struct payment_method_row row;
		enum customer_outcome outcome;
		enum payment_method_outcome added;

		snprintf(id, sizeof id, "c%u", n);
		ck_assert_int_eq(customer_create(&desk, &request, &outcome, &customer), ERR_OK);
		if (n % 3 == 0)
			ck_assert_int_eq(payment_method_add(&desk, &target, &card, &added, &row),
					 ERR_OK);
	}
}

static void tell(void *context, uint64_t rows)
{
	ck_assert_ptr_eq(context, &told);
	ck_assert_uint_ge(rows, told);
	told = rows;
}

static enum err rotate(const struct vault *vault)
{
	const struct rotation_settings settings = { &service.database, vault, tell, &told };
	char why[STORE_WHY_SIZE];

	told = 0;
	return rotation_run(&settings, &tally, why);
}

static enum err count_look(struct store_tx *tx, void *context)
{
	return rotation_count(tx, &newer, context);
}

static void check_count(unsigned key, enum rotation_column column, int64_t values)
{
	struct rotation_keys keys;

	ck_assert_int_eq(store_look(service.store, count_look, &keys), ERR_OK);
	ck_assert_uint_eq(keys.count, 2);
	ck_assert(keys.list[key].configured);
	ck_assert_int_eq(keys.list[key].values[column], values);
}

/* All that must stay as it is. */
static long long checksum(void)
{
	return service_number(
		&service,
		"SELECT (SELECT SUM(CRC32(CONCAT_WS('/', HEX(id), merchant, customer, status, "
		"country, HEX(email_hash), HEX(phone_hash), version, created_at_us, "
		"updated_at_us))) FROM customer) + (SELECT COALESCE(SUM(CRC32(CONCAT_WS('/', "
		"HEX(id), HEX(customer_row), gateway, method, HEX(token_hash), brand, is_default, "
		"version, updated_at_us))), 0) FROM payment_method)");
}

START_TEST(everything_is_sealed_anew_and_opens)
{
	const struct customer_desk desk = { service.pool, &newer, SERVICE_WAIT_MS };
	struct story story = story_pending(&service, clock_now_us());
	struct vault alone = newer;
	static struct customer customer;
	long long before;

	put_customers(CUSTOMERS);
	story.operation.next_action_at_us = clock_now_us();
	story_put(&service, &story);
	before = checksum();
	check_count(1, ROTATION_PROFILE, CUSTOMERS / 2);
	check_count(1, ROTATION_METADATA, CUSTOMERS);
	check_count(1, ROTATION_METHOD_TOKEN, CUSTOMERS / 3);
	check_count(1, ROTATION_OPERATION_TOKEN, 1);

	ck_assert_int_eq(rotate(&newer), ERR_OK);

	ck_assert_uint_eq(tally.rows[SEAL_CUSTOMERS], CUSTOMERS);
	ck_assert_uint_eq(tally.rows[SEAL_METHODS], CUSTOMERS / 3);
	ck_assert_uint_eq(tally.rows[SEAL_OPERATIONS], 1);
	ck_assert_uint_eq(tally.failed + tally.held, 0);
	ck_assert_uint_eq(told, CUSTOMERS + CUSTOMERS / 3 + 1);
	for (int column = 0; column < ROTATION_COLUMN_COUNT; column++)
		check_count(1, (enum rotation_column)column, 0);
	check_count(0, ROTATION_METADATA, CUSTOMERS);
	ck_assert_int_eq(checksum(), before);
	/* With the new key alone. */
	alone.count = 1;
	ck_assert_int_eq(
		customer_show(&(struct customer_desk){ service.pool, &alone, SERVICE_WAIT_MS },
			      SERVICE_MERCHANT, "c0", &customer),
		ERR_OK);
	ck_assert_str_eq(customer.profile.text[CUSTOMER_NAME], "Ana Wijaya");
	ck_assert_str_eq(customer.metadata, "{\"tier\":\"gold\"}");
	ck_assert_int_eq(customer_show(&desk, SERVICE_MERCHANT, "c1", &customer), ERR_OK);
	ck_assert_int_eq(rotate(&newer), ERR_OK);
	ck_assert_uint_eq(tally.rows[SEAL_CUSTOMERS], 0);
}
END_TEST

/* Each has its own value again: no other would open in its place. */
START_TEST(there_and_back_every_row_opens)
{
	struct vault back = newer;

	back.keys[0] = newer.keys[1];
	back.keys[1] = newer.keys[0];
	put_customers(CUSTOMERS);

	ck_assert_int_eq(rotate(&newer), ERR_OK);
	ck_assert_int_eq(rotate(&back), ERR_OK);

	ck_assert_uint_eq(tally.rows[SEAL_CUSTOMERS], CUSTOMERS);
	ck_assert_uint_eq(tally.rows[SEAL_METHODS], CUSTOMERS / 3);
	ck_assert_uint_eq(tally.failed + tally.held, 0);
}
END_TEST

#define ACROSS                                                                                     \
	3 /* rows: the last one's id is the end of the first's and the begin of the second's */

static enum err across_work(struct store_tx *tx, void *context)
{
	const struct customer_row *rows = context;
	const void *list[ACROSS];

	for (size_t i = 0; i < ACROSS; i++)
		list[i] = &rows[i];
	return store_seal_write(tx, SEAL_CUSTOMERS, list, ACROSS);
}

START_TEST(a_row_whose_id_lies_across_two_others_gets_its_own)
{
	static struct customer_row rows[ACROSS];
	static const uint8_t halves[ACROSS][2] = { { 1, 2 }, { 3, 4 }, { 2, 3 } };

	for (size_t i = 0; i < ACROSS; i++) {
		memset(rows[i].id.bytes, halves[i][0], ID_SIZE / 2);
		memset(rows[i].id.bytes + ID_SIZE / 2, halves[i][1], ID_SIZE / 2);
		rows[i].profile_sealed[0] = (uint8_t)('a' + i);
		rows[i].profile_sealed_size = 1;
		snprintf(rows[i].key_id, sizeof rows[i].key_id, "newer");
	}
	ck_assert_int_eq(store_run(service.store, across_work, rows), ERR_STORE);
	service_do(&service,
		   "INSERT INTO customer (id, merchant, customer, status, profile_sealed, key_id, "
		   "version, created_at_us, updated_at_us) SELECT UNHEX(CONCAT(REPEAT(a, 8), "
		   "REPEAT(b, 8))), '" SERVICE_MERCHANT
		   "', c, 'active', 'x', 'older', 1, 0, 0 FROM (SELECT '01' AS a, '02' AS b, 'a' "
		   "AS c UNION SELECT '03', '04', 'b' UNION SELECT '02', '03', 'c') v");

	ck_assert_int_eq(store_run(service.store, across_work, rows), ERR_OK);

	ck_assert_int_eq(
		service_number(&service,
			       "SELECT COUNT(*) FROM customer WHERE profile_sealed = "
			       "customer AND metadata_sealed IS NULL AND key_id = 'newer'"),
		ACROSS);
}
END_TEST

static enum err check_look(struct store_tx *tx, void *context)
{
	struct vault **vault = context;
	char missing[VAULT_KEY_ID_SIZE];
	enum err err = rotation_check(tx, *vault, missing);

	ck_assert_int_eq(err == ERR_CONFIG, missing[0] != '\0');
	return err;
}

static enum err check_keys(struct vault *vault)
{
	return store_look(service.store, check_look, &vault);
}

/* Each table by itself. */
START_TEST(a_key_that_is_needed_is_missed)
{
	struct vault alone = newer;
	struct story story = story_pending(&service, clock_now_us());

	alone.count = 1;
	ck_assert_int_eq(check_keys(&alone), ERR_OK);
	if (_i == 0) {
		story_put(&service, &story);
	} else {
		put_customers(1);
		service_do(&service, _i == 1 ? "DELETE FROM payment_method"
					     : "UPDATE customer SET key_id = 'newer'");
	}
	ck_assert_int_eq(check_keys(&alone), ERR_CONFIG);
	ck_assert_int_eq(check_keys(&newer), ERR_OK);
	ck_assert_int_eq(check_keys(&service.vault), _i == 2 ? ERR_CONFIG : ERR_OK);
}
END_TEST

START_TEST(what_does_not_open_stays_and_is_named)
{
	static struct customer customer;

	put_customers(CUSTOMERS);
	service_do(&service,
		   "UPDATE customer a JOIN customer b ON a.customer = 'c2' AND b.customer = "
		   "'c4' SET a.profile_sealed = b.profile_sealed");
	service_do(&service, "UPDATE payment_method m JOIN customer c ON c.id = m.customer_row AND "
			     "c.customer = 'c3' SET m.token_sealed = REVERSE(m.token_sealed)");

	ck_assert_int_eq(rotate(&newer), ERR_OK);

	ck_assert_uint_eq(tally.failed, 2);
	ck_assert_uint_eq(tally.rows[SEAL_CUSTOMERS], CUSTOMERS - 1);
	ck_assert_uint_eq(tally.rows[SEAL_METHODS], CUSTOMERS / 3 - 1);
	ck_assert_int_eq(tally.failures[0].column, ROTATION_PROFILE);
	ck_assert_int_eq(tally.failures[1].column, ROTATION_METHOD_TOKEN);
	ck_assert_int_eq(
		service_number(&service, "SELECT COUNT(*) FROM customer WHERE key_id <> 'newer'"),
		1);
	ck_assert_int_eq(
		customer_show(&(struct customer_desk){ service.pool, &newer, SERVICE_WAIT_MS },
			      SERVICE_MERCHANT, "c2", &customer),
		ERR_CRYPTO);
}
END_TEST

START_TEST(a_wrong_key_under_the_right_id_changes_nothing)
{
	long long before;

	put_customers(CUSTOMERS);
	before = service_number(&service, "SELECT SUM(CRC32(metadata_sealed)) FROM customer");

	ck_assert_int_eq(rotate(&stranger), ERR_OK);

	ck_assert_uint_eq(tally.failed, CUSTOMERS + CUSTOMERS / 3);
	ck_assert_uint_eq(tally.rows[SEAL_CUSTOMERS], 0);
	ck_assert_int_eq(
		service_number(&service, "SELECT SUM(CRC32(metadata_sealed)) FROM customer"),
		before);
	ck_assert_int_eq(rotate(&newer), ERR_OK);
	ck_assert_uint_eq(tally.failed, 0);
	ck_assert_uint_eq(tally.rows[SEAL_CUSTOMERS], CUSTOMERS);
}
END_TEST

/* A row that somebody holds is neither waited for nor lost. */
START_TEST(what_is_held_is_left_for_later)
{
	put_customers(8);
	ck_assert_int_eq(mysql_query(service.store->mysql, "START TRANSACTION"), 0);
	ck_assert_int_eq(mysql_query(service.store->mysql,
				     "UPDATE customer SET version = version + 1 "
				     "WHERE customer = 'c5'"),
			 0);

	ck_assert_int_eq(rotate(&newer), ERR_OK);

	ck_assert_uint_eq(tally.rows[SEAL_CUSTOMERS], 7);
	ck_assert_uint_eq(tally.held, 1);
	ck_assert_int_eq(mysql_query(service.store->mysql, "COMMIT"), 0);
	ck_assert_int_eq(rotate(&newer), ERR_OK);
	ck_assert_uint_eq(tally.rows[SEAL_CUSTOMERS], 1);
	ck_assert_uint_eq(tally.held, 0);
}
END_TEST

UNIT_MAIN("rotation", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, everything_is_sealed_anew_and_opens);
	tcase_add_test(tests, there_and_back_every_row_opens);
	tcase_add_test(tests, a_row_whose_id_lies_across_two_others_gets_its_own);
	tcase_add_loop_test(tests, a_key_that_is_needed_is_missed, 0, 3);
	tcase_add_test(tests, what_does_not_open_stays_and_is_named);
	tcase_add_test(tests, a_wrong_key_under_the_right_id_changes_nothing);
	tcase_add_test(tests, what_is_held_is_left_for_later);
})
