/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys that are looked up together: each asker gets its own, and none waits for a database beyond its deadline. */
#include "service/api_key_lookup.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service/api_key.h"
#include "store_scratch.h"
#include "unit.h"

#define KEYS 24
#define ROUNDS 40
#define SECOND_US INT64_C(1000000)

/* lint: state: what the fixture makes and ends */
static struct reader *keys;
/* lint: state: as keys */
static struct store_settings settings;

static void set_up(void)
{
	scratch_open();
	settings = scratch_settings();
	ck_assert_int_eq(api_key_lookup_start(&settings, &keys), ERR_OK);
}

static void tear_down(void)
{
	reader_stop(keys);
	scratch_close();
}

static struct api_key_row key_made(const char *name)
{
	struct api_key_wish wish = { .merchant = "shop",
				     .name = name,
				     .by = "ann",
				     .scopes = SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE,
				     .scopes_max = SCOPE_ALL,
				     .lifetime_us = 3600 * SECOND_US };
	enum api_key_outcome outcome;
	char text[KEY_TOKEN_SIZE];
	struct api_key_row row;

	key_token_make(&wish.token, text);
	ck_assert_int_eq(api_key_issue(&tx, &wish, &outcome, &row), ERR_OK);
	ck_assert_int_eq(outcome, API_KEY_MADE);
	return row;
}

static enum err find(const char *id, struct api_key_grant *grant)
{
	return api_key_lookup_find(keys, id, clock_boot_us() + 20 * SECOND_US, grant);
}

START_TEST(api_key_lookup_tells_what_a_key_allows_until_it_is_revoked)
{
	struct api_key_grant grant;
	struct api_key_row row;

	ck_assert_int_eq(find("0000000000000002", &grant), ERR_NOT_FOUND);
	row = key_made("till");

	ck_assert_int_eq(find(row.id, &grant), ERR_OK);
	ck_assert_mem_eq(grant.digest, row.digest, sizeof grant.digest);
	ck_assert_str_eq(grant.claims.merchant, "shop");
	ck_assert_str_eq(grant.claims.subject, "till");
	ck_assert_str_eq(grant.claims.api_key, row.id);
	ck_assert_uint_eq(grant.claims.scopes, SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE);
	ck_assert_int_eq(grant.claims.expires_at_s, row.expires_at_us / SECOND_US);

	ck_assert_int_eq(api_key_revoke(&tx, NULL, row.id, "ben", &row), ERR_OK);
	ck_assert_int_eq(find(row.id, &grant), ERR_NOT_FOUND);
}
END_TEST

struct asker {
	char id[KEY_TOKEN_ID_SIZE]; /* of the `live` a key */
	bool live;
	int right; /* answers as they must be */
};

static void *asker_main(void *context)
{
	struct asker *asker = context;
	struct api_key_grant grant;

	for (int round = 0; round < ROUNDS; round++) {
		const enum err err = find(asker->id, &grant);

		asker->right +=
			asker->live ? err == ERR_OK && strcmp(grant.claims.api_key, asker->id) == 0
				    : err == ERR_NOT_FOUND;
	}
	return NULL;
}

START_TEST(api_key_lookup_gives_each_its_own)
{
	struct asker askers[KEYS];
	pthread_t threads[KEYS];
	char name[32];

	for (int i = 0; i < KEYS; i++) {
		askers[i] = (struct asker){ .live = i % 3 != 0 };
		(void)snprintf(name, sizeof name, "together-%d", i);
		(void)snprintf(askers[i].id, sizeof askers[i].id, "%s",
			       askers[i].live ? key_made(name).id : "0000000000000001");
	}

	for (int i = 0; i < KEYS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, asker_main, &askers[i]), 0);
	for (int i = 0; i < KEYS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);

	for (int i = 0; i < KEYS; i++)
		ck_assert_int_eq(askers[i].right, ROUNDS);
}
END_TEST

START_TEST(api_key_lookup_is_not_begun_after_its_deadline)
{
	struct api_key_grant grant;
	const struct api_key_row row = key_made("late");

	ck_assert_int_eq(api_key_lookup_find(keys, row.id, clock_boot_us() - 1, &grant),
			 ERR_DEADLINE);
}
END_TEST

UNIT_MAIN("api_key_lookup", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, api_key_lookup_tells_what_a_key_allows_until_it_is_revoked);
	tcase_add_test(tests, api_key_lookup_gives_each_its_own);
	tcase_add_test(tests, api_key_lookup_is_not_begun_after_its_deadline);
})
