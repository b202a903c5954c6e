/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/store/api_key.c against a server: what the table's constraints hold, whoever writes. */
#include "store/api_key.h"

#include <string.h>

#include "store_scratch.h"
#include "unit.h"

static struct api_key_row sample(unsigned n, int slot)
{
	struct api_key_row row = { .slot = slot, .created_at_us = 1000 + n, .expires_at_us = 9000 };

	ck_assert_int_eq(snprintf(row.id, sizeof row.id, "%016x", n), 16);
	SET_TEXT(row.merchant, "shop");
	sample_fill(row.name, sizeof row.name, 'n');
	sample_fill(row.created_by, sizeof row.created_by, 'b');
	SET_TEXT(row.scopes, "payments:read payments:write");
	memset(row.digest, (int)n, sizeof row.digest);
	return row;
}

static void insert(const struct api_key_row *row)
{
	ck_assert_int_eq(store_api_key_insert(&tx, row), ERR_OK);
}

static void ck_row(const struct api_key_row *a, const struct api_key_row *b)
{
	ck_assert_str_eq(a->id, b->id);
	ck_assert_str_eq(a->merchant, b->merchant);
	ck_assert_str_eq(a->name, b->name);
	ck_assert_int_eq(a->slot, b->slot);
	ck_assert_mem_eq(a->digest, b->digest, sizeof a->digest);
	ck_assert_str_eq(a->scopes, b->scopes);
	ck_assert_int_eq(a->created_at_us, b->created_at_us);
	ck_assert_str_eq(a->created_by, b->created_by);
	ck_assert_int_eq(a->expires_at_us, b->expires_at_us);
	ck_assert_int_eq(a->revoked_at_us, b->revoked_at_us);
	ck_assert_str_eq(a->revoked_by, b->revoked_by);
}

START_TEST(api_key_round_trip)
{
	struct api_key_row row = sample(1, 2), found;

	token_scopes_write(SCOPE_ALL, row.scopes);
	insert(&row);
	ck_assert_int_eq(store_api_key_find(&tx, row.id, &found), ERR_OK);
	ck_row(&found, &row);
	ck_assert_int_eq(store_api_key_find(&tx, "0000000000000002", &found), ERR_NOT_FOUND);
}
END_TEST

START_TEST(api_key_slots_are_two_a_name)
{
	struct api_key_row row = sample(1, 1), held[API_KEY_SLOTS];
	size_t count = 0;

	insert(&row);
	row = sample(2, 1);
	ck_assert_int_eq(store_api_key_insert(&tx, &row), ERR_CONFLICT);
	row.slot = 3;
	ck_assert_int_eq(store_api_key_insert(&tx, &row), ERR_STORE);
	row.slot = 2;
	insert(&row);
	row = sample(3, 1);
	SET_TEXT(row.merchant, "other");
	insert(&row);

	ck_assert_int_eq(store_api_key_lock(&tx, "shop", row.name, held, &count), ERR_OK);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(held[0].id, "0000000000000001");
	ck_assert_str_eq(held[1].id, "0000000000000002");
}
END_TEST

START_TEST(api_key_vacate_takes_slots_of_expired_keys_only)
{
	struct api_key_row row = sample(1, 1), held[API_KEY_SLOTS];
	size_t count = 0;

	insert(&row);
	row = sample(2, 2);
	row.expires_at_us = 9001;
	insert(&row);

	ck_assert_int_eq(store_api_key_vacate(&tx, "shop", row.name, 9000), ERR_OK);
	ck_assert_int_eq(store_api_key_lock(&tx, "shop", row.name, held, &count), ERR_OK);
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(held[0].id, row.id);
}
END_TEST

START_TEST(api_key_is_revoked_once)
{
	struct api_key_row row = sample(1, 1), found;

	insert(&row);
	ck_assert_int_eq(store_api_key_revoke(&tx, row.id, 5000, "ann"), ERR_OK);
	ck_assert_int_eq(store_api_key_revoke(&tx, row.id, 6000, "ben"), ERR_OK);
	ck_assert_int_eq(store_api_key_find(&tx, row.id, &found), ERR_OK);
	row.slot = 0;
	row.revoked_at_us = 5000;
	SET_TEXT(row.revoked_by, "ann");
	ck_row(&found, &row);
}
END_TEST

static void list_each(void *context, const struct api_key_row *row)
{
	char *ids = context;
	size_t count = strlen(ids);

	ids[count] = row->id[KEY_TOKEN_ID_SIZE - 2];
	ids[count + 1] = '\0';
}

START_TEST(api_keys_are_listed_by_merchant_name_and_age)
{
	static const struct {
		const char *merchant, *name;
	} rows[] = { { "shop", "b" }, { "shop", "a" }, { "other", "z" }, { "shop", "a" } };
	char ids[8] = "";

	for (unsigned i = 0; i < 4; i++) {
		struct api_key_row row = sample(i + 1, 0);

		SET_TEXT(row.merchant, rows[i].merchant);
		SET_TEXT(row.name, rows[i].name);
		insert(&row);
	}
	ck_assert_int_eq(store_api_key_list(&tx, "", list_each, ids), ERR_OK);
	ck_assert_str_eq(ids, "3241");
	memset(ids, 0, sizeof ids);
	ck_assert_int_eq(store_api_key_list(&tx, "shop", list_each, ids), ERR_OK);
	ck_assert_str_eq(ids, "241");
}
END_TEST

START_TEST(api_key_constraints_restate_the_rules)
{
	struct api_key_row row = sample(1, 1);

	row.expires_at_us = row.created_at_us;
	ck_assert_int_eq(store_api_key_insert(&tx, &row), ERR_STORE);
	row = sample(1, 1);
	row.scopes[0] = '\0';
	ck_assert_int_eq(store_api_key_insert(&tx, &row), ERR_STORE);
	row = sample(1, 1);
	row.revoked_at_us = 5000;
	ck_assert_int_eq(store_api_key_insert(&tx, &row), ERR_STORE);
	SET_TEXT(row.revoked_by, "ann");
	ck_assert_int_eq(store_api_key_insert(&tx, &row), ERR_STORE);
	row.slot = 0;
	insert(&row);
	row = sample(2, 1);
	row.id[15] = '\0';
	ck_assert_int_eq(store_api_key_insert(&tx, &row), ERR_STORE);
	row = sample(2, 1);
	SET_TEXT(row.merchant, "nobody");
	ck_assert_int_eq(store_api_key_insert(&tx, &row), ERR_NOT_FOUND);
}
END_TEST

UNIT_MAIN("store_api_key", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_add_test(tests, api_key_round_trip);
	tcase_add_test(tests, api_key_slots_are_two_a_name);
	tcase_add_test(tests, api_key_vacate_takes_slots_of_expired_keys_only);
	tcase_add_test(tests, api_key_is_revoked_once);
	tcase_add_test(tests, api_keys_are_listed_by_merchant_name_and_age);
	tcase_add_test(tests, api_key_constraints_restate_the_rules);
})
