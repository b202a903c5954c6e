/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/key_cache.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define BOOT_US INT64_C(5000000)
#define DEADLINE_US (BOOT_US + INT64_C(10000000))
#define NOW_S 1800000000

/* In the place of a database: one key, and how often it was asked for. */
struct reader {
	enum err answer;
	struct api_key_grant grant;
	unsigned asked;
	/* Called during the look-up: what others do meanwhile. */
	void (*meanwhile)(void);
};

static enum err find(struct reader *keys, const char *id, int64_t deadline_boot_us,
		     struct api_key_grant *grant)
{
	(void)id;
	ck_assert_int_eq(deadline_boot_us, DEADLINE_US);
	keys->asked++;
	if (keys->meanwhile != NULL)
		keys->meanwhile();
	if (keys->answer == ERR_OK)
		*grant = keys->grant;
	return keys->answer;
}

/* lint: state: what the fixture makes and ends */
static struct reader keys;
/* lint: state: as keys */
static struct key_cache *cache;
/* lint: state: as keys */
static struct key_token token;

static void begin(void)
{
	char text[KEY_TOKEN_SIZE];

	key_token_make(&token, text);
	keys = (struct reader){ .answer = ERR_OK,
			       .grant = { .claims = { .merchant = "shop",
						      .subject = "till",
						      .scopes = SCOPE_PAYMENTS_READ,
						      .expires_at_s = NOW_S + 3600 } } };
	memcpy(keys.grant.digest, token.digest, sizeof token.digest);
	ck_assert_int_eq(key_cache_new(find, &keys, &cache), ERR_OK);
}

static void end(void)
{
	key_cache_free(cache);
}

static struct key_moment moment_at(int64_t now_s, int64_t boot_us)
{
	return (struct key_moment){ now_s, boot_us, DEADLINE_US };
}

static enum err check_at(int64_t after_us)
{
	struct token_claims claims;

	return key_cache_check(cache, &token, moment_at(NOW_S, BOOT_US + after_us), &claims);
}

START_TEST(key_cache_tells_what_the_key_allows)
{
	struct token_claims claims = { .scopes = 0 };

	ck_assert_int_eq(key_cache_check(cache, &token, moment_at(NOW_S, BOOT_US), &claims),
			 ERR_OK);
	ck_assert_str_eq(claims.merchant, "shop");
	ck_assert_str_eq(claims.subject, "till");
	ck_assert_uint_eq(claims.scopes, SCOPE_PAYMENTS_READ);
}
END_TEST

START_TEST(key_cache_asks_once_a_second)
{
	for (int64_t after_us = 0; after_us < 10 * KEY_FRESH_US; after_us += KEY_FRESH_US / 4)
		ck_assert_int_eq(check_at(after_us), ERR_OK);

	ck_assert_uint_eq(keys.asked, 10);
}
END_TEST

START_TEST(key_cache_refuses_a_key_that_was_revoked_a_second_ago)
{
	ck_assert_int_eq(check_at(0), ERR_OK);
	keys.answer = ERR_NOT_FOUND;

	ck_assert_int_eq(check_at(KEY_FRESH_US - 1), ERR_OK);
	ck_assert_int_eq(check_at(KEY_FRESH_US), ERR_UNAUTHENTICATED);
	ck_assert_int_eq(check_at(KEY_FRESH_US), ERR_UNAUTHENTICATED);
	ck_assert_uint_eq(keys.asked, 3);
}
END_TEST

static void others_go_on(void)
{
	keys.meanwhile = NULL;
	ck_assert_int_eq(check_at(KEY_FRESH_US), ERR_OK);
	ck_assert_int_eq(check_at(2 * KEY_FRESH_US - 1), ERR_OK);
	ck_assert_uint_eq(keys.asked, 2);
}

START_TEST(key_cache_lets_one_ask_while_the_others_go_on)
{
	ck_assert_int_eq(check_at(0), ERR_OK);
	keys.meanwhile = others_go_on;

	ck_assert_int_eq(check_at(KEY_FRESH_US), ERR_OK);
	ck_assert_ptr_null(keys.meanwhile);
	ck_assert_uint_eq(keys.asked, 2);
}
END_TEST

static void others_stop(void)
{
	keys.meanwhile = NULL;
	keys.answer = ERR_NOT_FOUND;
	ck_assert_int_eq(check_at(2 * KEY_FRESH_US), ERR_UNAUTHENTICATED);
}

START_TEST(key_cache_believes_nothing_older_than_two_seconds)
{
	ck_assert_int_eq(check_at(0), ERR_OK);
	keys.meanwhile = others_stop;

	ck_assert_int_eq(check_at(KEY_FRESH_US), ERR_UNAUTHENTICATED);
	ck_assert_ptr_null(keys.meanwhile);
}
END_TEST

static void another_asks_later(void)
{
	keys.meanwhile = NULL;
	ck_assert_int_eq(check_at(3 * KEY_FRESH_US), ERR_OK);
}

START_TEST(key_cache_does_not_take_an_older_answer_for_a_newer_one)
{
	keys.meanwhile = another_asks_later;
	ck_assert_int_eq(check_at(0), ERR_OK);
	ck_assert_uint_eq(keys.asked, 2);

	ck_assert_int_eq(check_at(4 * KEY_FRESH_US - 1), ERR_OK);
	ck_assert_uint_eq(keys.asked, 2);
}
END_TEST

START_TEST(key_cache_says_that_the_database_is_away)
{
	ck_assert_int_eq(check_at(0), ERR_OK);
	keys.answer = ERR_UNAVAILABLE;

	ck_assert_int_eq(check_at(KEY_FRESH_US), ERR_UNAVAILABLE);
	ck_assert_int_eq(check_at(2 * KEY_FRESH_US), ERR_UNAVAILABLE);
	keys.answer = ERR_OK;
	ck_assert_int_eq(check_at(2 * KEY_FRESH_US), ERR_OK);
}
END_TEST

/* Every bit of the hash counts, those behind a zero byte too. */
START_TEST(key_cache_refuses_another_secret)
{
	memset(keys.grant.digest, 0, sizeof keys.grant.digest);
	memset(token.digest, 0, sizeof token.digest);
	ck_assert_int_eq(check_at(0), ERR_OK);
	for (size_t bit = 0; bit < 8 * sizeof token.digest; bit++) {
		token.digest[bit / 8] = (uint8_t)(1U << bit % 8);
		unit_expect(check_at(0) == ERR_UNAUTHENTICATED, "bit %zu does not count", bit);
		token.digest[bit / 8] = 0;
	}
	ck_assert_int_eq(check_at(0), ERR_OK);
	ck_assert_uint_eq(keys.asked, 1);
}
END_TEST

START_TEST(key_cache_lets_a_key_expire_though_it_is_remembered)
{
	struct token_claims claims;

	keys.grant.claims.expires_at_s = NOW_S + 1;
	ck_assert_int_eq(check_at(0), ERR_OK);
	ck_assert_int_eq(key_cache_check(cache, &token, moment_at(NOW_S + 1, BOOT_US), &claims),
			 ERR_UNAUTHENTICATED);
	ck_assert_uint_eq(keys.asked, 1);
}
END_TEST

/* Its calendar is the wall clock's, which somebody may set; how old it is what is remembered is not. */
START_TEST(key_cache_looks_again_in_time_whatever_the_wall_clock)
{
	static const int64_t jumps_s[] = { 3600, 86400, -3600, -86400 };
	struct token_claims claims;

	keys.grant.claims.expires_at_s = NOW_S + 7 * 86400;
	for (size_t i = 0; i < sizeof jumps_s / sizeof jumps_s[0]; i++) {
		const int64_t boot_us = BOOT_US + (int64_t)i * 10 * KEY_FRESH_US;
		const struct key_moment before = moment_at(NOW_S, boot_us);
		const struct key_moment at_once = moment_at(NOW_S + jumps_s[i], boot_us);
		const struct key_moment later =
			moment_at(NOW_S + jumps_s[i], boot_us + 2 * KEY_FRESH_US);

		keys.answer = ERR_OK;
		keys.asked = 0;
		ck_assert_int_eq(key_cache_check(cache, &token, before, &claims), ERR_OK);
		ck_assert_int_eq(key_cache_check(cache, &token, at_once, &claims), ERR_OK);
		ck_assert_uint_eq(keys.asked, 1);
		keys.answer = ERR_NOT_FOUND; /* revoked */
		ck_assert_int_eq(key_cache_check(cache, &token, later, &claims),
				 ERR_UNAUTHENTICATED);
	}
}
END_TEST

/* More keys than slots: each is judged by its own row, whoever stood in the slot before. */
START_TEST(key_cache_does_not_mistake_a_key_for_another)
{
	for (unsigned n = 0; n < 3000; n++) {
		struct token_claims claims = { .scopes = 0 };
		char merchant[sizeof claims.merchant];

		(void)snprintf(token.id, sizeof token.id, "%016x", n % 1500);
		(void)snprintf(merchant, sizeof merchant, "m%u", n % 1500);
		memcpy(keys.grant.claims.merchant, merchant, sizeof merchant);
		ck_assert_int_eq(key_cache_check(cache, &token, moment_at(NOW_S, BOOT_US), &claims),
				 ERR_OK);
		ck_assert_str_eq(claims.merchant, merchant);
	}
}
END_TEST

UNIT_MAIN("key_cache", tcase_add_checked_fixture(tests, begin, end);
	  tcase_add_test(tests, key_cache_tells_what_the_key_allows);
	  tcase_add_test(tests, key_cache_asks_once_a_second);
	  tcase_add_test(tests, key_cache_refuses_a_key_that_was_revoked_a_second_ago);
	  tcase_add_test(tests, key_cache_lets_one_ask_while_the_others_go_on);
	  tcase_add_test(tests, key_cache_believes_nothing_older_than_two_seconds);
	  tcase_add_test(tests, key_cache_does_not_take_an_older_answer_for_a_newer_one);
	  tcase_add_test(tests, key_cache_says_that_the_database_is_away);
	  tcase_add_test(tests, key_cache_refuses_another_secret);
	  tcase_add_test(tests, key_cache_lets_a_key_expire_though_it_is_remembered);
	  tcase_add_test(tests, key_cache_looks_again_in_time_whatever_the_wall_clock);
	  tcase_add_test(tests, key_cache_does_not_mistake_a_key_for_another))
