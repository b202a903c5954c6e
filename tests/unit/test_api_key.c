/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/service/api_key.c against a server: one live key a name, two while the one replaces the other. */
#include "service/api_key.h"

#include <string.h>

#include "store_scratch.h"
#include "unit.h"

#define DAY_US (INT64_C(86400) * 1000000)

static struct api_key_wish wish_for(const char *merchant, const char *name)
{
	struct api_key_wish wish = { .merchant = merchant,
				     .name = name,
				     .by = "ann",
				     .scopes = SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE,
				     .scopes_max = SCOPE_ALL,
				     .lifetime_us = DAY_US };
	char text[KEY_TOKEN_SIZE];

	key_token_make(&wish.token, text);
	return wish;
}

typedef enum err make_work(struct store_tx *, const struct api_key_wish *, enum api_key_outcome *,
			   struct api_key_row *);

static enum api_key_outcome run(make_work *make, const char *merchant, const char *name,
				struct api_key_row *row)
{
	const struct api_key_wish wish = wish_for(merchant, name);
	enum api_key_outcome outcome = API_KEY_NO_MERCHANT;

	ck_assert_int_eq(make(&tx, &wish, &outcome, row), ERR_OK);
	return outcome;
}

START_TEST(api_key_issue_makes_one_key_a_name)
{
	struct api_key_row row, other;

	ck_assert_int_eq(run(api_key_issue, "nobody", "till", &row), API_KEY_NO_MERCHANT);
	ck_assert_int_eq(run(api_key_issue, "shop", "till", &row), API_KEY_MADE);
	ck_assert_str_eq(row.scopes, "payments:read refunds:write");
	ck_assert_int_eq(row.expires_at_us - row.created_at_us, DAY_US);
	ck_assert_int_eq(run(api_key_issue, "shop", "till", &other), API_KEY_NAME_TAKEN);
	ck_assert_int_eq(run(api_key_issue, "shop", "web", &other), API_KEY_MADE);
	ck_assert_int_eq(run(api_key_issue, "other", "till", &other), API_KEY_MADE);
}
END_TEST

START_TEST(api_key_replace_makes_a_second_one_and_no_third)
{
	struct api_key_row first, second, third;

	ck_assert_int_eq(run(api_key_replace, "nobody", "till", &first), API_KEY_NO_MERCHANT);
	ck_assert_int_eq(run(api_key_replace, "shop", "till", &first), API_KEY_NO_NAME);
	ck_assert_int_eq(run(api_key_issue, "shop", "till", &first), API_KEY_MADE);
	scratch_do(store->mysql, "UPDATE api_key SET scopes = 'payouts:write'");
	ck_assert_int_eq(run(api_key_replace, "shop", "till", &second), API_KEY_MADE);
	ck_assert_str_eq(second.scopes, "payouts:write");
	ck_assert_int_eq(run(api_key_replace, "shop", "till", &third), API_KEY_TWO_LIVE);
	ck_assert_int_eq(run(api_key_issue, "shop", "till", &third), API_KEY_NAME_TAKEN);

	ck_assert_int_eq(api_key_revoke(&tx, NULL, first.id, "ben", &first), ERR_OK);
	ck_assert_int_eq(run(api_key_replace, "shop", "till", &third), API_KEY_MADE);
	ck_assert_int_eq(third.slot, 1);
}
END_TEST

START_TEST(api_key_that_expired_makes_room)
{
	struct api_key_row first, second;

	ck_assert_int_eq(run(api_key_issue, "shop", "till", &first), API_KEY_MADE);
	scratch_do(store->mysql, "UPDATE api_key SET created_at_us = 1, expires_at_us = 2");
	ck_assert_int_eq(run(api_key_replace, "shop", "till", &second), API_KEY_NO_NAME);
	ck_assert_int_eq(run(api_key_issue, "shop", "till", &second), API_KEY_MADE);
}
END_TEST

START_TEST(api_key_revoke_keeps_who_was_first)
{
	struct api_key_row row, again;

	ck_assert_int_eq(run(api_key_issue, "shop", "till", &row), API_KEY_MADE);
	ck_assert_int_eq(api_key_revoke(&tx, NULL, row.id, "ben", &row), ERR_OK);
	ck_assert_int_gt(row.revoked_at_us, 0);
	ck_assert_int_eq(api_key_revoke(&tx, NULL, row.id, "cal", &again), ERR_OK);
	ck_assert_str_eq(again.revoked_by, "ben");
	ck_assert_int_eq(again.revoked_at_us, row.revoked_at_us);
	ck_assert_int_eq(api_key_revoke(&tx, NULL, "0123456789abcdef", "cal", &again),
			 ERR_NOT_FOUND);
}
END_TEST

START_TEST(api_key_of_another_merchant_is_not_there)
{
	struct api_key_row row, seen;

	ck_assert_int_eq(run(api_key_issue, "shop", "till", &row), API_KEY_MADE);

	ck_assert_int_eq(api_key_show(&tx, "shop", row.id, &seen), ERR_OK);
	ck_assert_str_eq(seen.name, "till");
	ck_assert_int_eq(api_key_show(&tx, "other", row.id, &seen), ERR_NOT_FOUND);
	ck_assert_int_eq(api_key_revoke(&tx, "other", row.id, "eve", &seen), ERR_NOT_FOUND);
	ck_assert_int_eq(api_key_show(&tx, NULL, row.id, &seen), ERR_OK);
	ck_assert_int_eq(seen.revoked_at_us, 0);
	ck_assert_int_eq(api_key_revoke(&tx, "shop", row.id, "ann", &seen), ERR_OK);
	ck_assert_int_gt(seen.revoked_at_us, 0);
}
END_TEST

/* Every scope that who wants a key may have, against every scope that the key shall allow. */
START_TEST(api_key_allows_no_more_than_who_makes_it_may_do)
{
	for (unsigned may = 1; may <= SCOPE_ALL; may <<= 1)
		for (unsigned shall = 1; shall <= SCOPE_ALL; shall <<= 1) {
			struct api_key_wish wish = wish_for("shop", "till");
			const enum api_key_outcome expected =
				may == shall ? API_KEY_MADE : API_KEY_BEYOND;
			enum api_key_outcome outcome;
			struct api_key_row row, second;

			wish.scopes = shall;
			wish.scopes_max = may;
			ck_assert_int_eq(api_key_issue(&tx, &wish, &outcome, &row), ERR_OK);
			ck_assert_int_eq(outcome, expected);
			if (outcome == API_KEY_BEYOND) {
				wish.scopes_max = SCOPE_ALL;
				ck_assert_int_eq(api_key_issue(&tx, &wish, &outcome, &row), ERR_OK);
			}
			wish = wish_for("shop", "till");
			wish.id = row.id;
			wish.scopes_max = may;
			ck_assert_int_eq(api_key_replace(&tx, &wish, &outcome, &second), ERR_OK);
			ck_assert_int_eq(outcome, expected);
			scratch_do(store->mysql, "DELETE FROM api_key");
		}
}
END_TEST

START_TEST(api_key_that_is_not_live_is_not_replaced)
{
	struct api_key_wish wish = wish_for("shop", "till");
	enum api_key_outcome outcome;
	struct api_key_row old, row;

	ck_assert_int_eq(run(api_key_issue, "shop", "till", &old), API_KEY_MADE);
	ck_assert_int_eq(api_key_revoke(&tx, "shop", old.id, "ann", &old), ERR_OK);
	ck_assert_int_eq(run(api_key_issue, "shop", "till", &row), API_KEY_MADE);
	wish.id = old.id;

	ck_assert_int_eq(api_key_replace(&tx, &wish, &outcome, &row), ERR_OK);

	ck_assert_int_eq(outcome, API_KEY_NO_NAME);
}
END_TEST

START_TEST(api_key_lives_until_the_time_it_was_made_for)
{
	struct api_key_wish wish = wish_for("shop", "till");
	enum api_key_outcome outcome;
	struct api_key_row row;

	wish.expires_at_us = INT64_C(4102444800000000);
	ck_assert_int_eq(api_key_issue(&tx, &wish, &outcome, &row), ERR_OK);

	ck_assert_int_eq(outcome, API_KEY_MADE);
	ck_assert_int_eq(row.expires_at_us, wish.expires_at_us);
}
END_TEST

START_TEST(api_key_names_are_visible_and_short)
{
	char name[API_KEY_NAME_SIZE + 1];

	sample_fill(name, API_KEY_NAME_SIZE, 'n');
	ck_assert(api_key_is_name(name));
	ck_assert(api_key_is_name("till-1"));
	sample_fill(name, sizeof name, 'n');
	ck_assert(!api_key_is_name(name));
	ck_assert(!api_key_is_name(""));
	ck_assert(!api_key_is_name("a b"));
	ck_assert(!api_key_is_name("a\n"));
	ck_assert(!api_key_is_name("\xc3\xa4"));
}
END_TEST

UNIT_MAIN("api_key", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_add_test(tests, api_key_issue_makes_one_key_a_name);
	tcase_add_test(tests, api_key_replace_makes_a_second_one_and_no_third);
	tcase_add_test(tests, api_key_that_expired_makes_room);
	tcase_add_test(tests, api_key_revoke_keeps_who_was_first);
	tcase_add_test(tests, api_key_of_another_merchant_is_not_there);
	tcase_add_test(tests, api_key_allows_no_more_than_who_makes_it_may_do);
	tcase_add_test(tests, api_key_that_is_not_live_is_not_replaced);
	tcase_add_test(tests, api_key_lives_until_the_time_it_was_made_for);
	tcase_add_test(tests, api_key_names_are_visible_and_short);
})
