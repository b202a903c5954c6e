/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/handshakes.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define NOW_US INT64_C(5000000)

static struct metrics *metrics;
static struct handshakes *handshakes;

static void set_up(void)
{
	ck_assert_int_eq(metrics_new(&metrics), ERR_OK);
	ck_assert_int_eq(handshakes_new(metrics, &handshakes), ERR_OK);
}

static void tear_down(void)
{
	handshakes_free(handshakes);
	metrics_free(metrics);
}

static struct http_tls_failure failure_of(uint32_t client, enum tls_failure what)
{
	const uint8_t four[4] = { 10, (uint8_t)(client >> 16), (uint8_t)(client >> 8),
				  (uint8_t)client };

	return (struct http_tls_failure){ address_of_four(four), what, "of a test" };
}

/* How many had no line before this one; -1: it has none itself. */
static int64_t told(uint32_t client, enum tls_failure what, int64_t now_us)
{
	const struct http_tls_failure failure = failure_of(client, what);
	int64_t left_out;

	return handshakes_is_told(handshakes, &failure, now_us, &left_out) ? left_out : -1;
}

START_TEST(handshakes_is_told_once_a_minute_of_each_kind)
{
	for (int what = 0; what < TLS_FAILURES; what++)
		ck_assert_int_eq(told(1, (enum tls_failure)what, NOW_US), 0);
	for (int what = 0; what < TLS_FAILURES; what++)
		ck_assert_int_eq(told(1, (enum tls_failure)what, NOW_US + HANDSHAKES_QUIET_US - 1),
				 -1);

	ck_assert_int_eq(told(1, TLS_ALERT, NOW_US + HANDSHAKES_QUIET_US), TLS_FAILURES);
	ck_assert_int_eq(told(1, TLS_VERSION, NOW_US + HANDSHAKES_QUIET_US), 0);
}
END_TEST

START_TEST(handshakes_is_told_so_often_however_many_knock)
{
	int lines = 0;

	for (uint32_t client = 0; client < 100000; client++)
		lines += told(client, TLS_NOT_TLS, NOW_US) >= 0;

	ck_assert_int_eq(lines, HANDSHAKES_SLOTS);
}
END_TEST

START_TEST(handshakes_failed_counts_all_of_them)
{
	const struct metrics_figures figures = { .uptime_us = 1 };
	char *page;

	for (uint32_t client = 0; client < 3; client++) {
		const struct http_tls_failure failure = failure_of(1, TLS_VERSION);

		handshakes_failed(handshakes, &failure);
	}

	page = metrics_render(metrics, &figures);
	ck_assert_ptr_nonnull(
		strstr(page, "payops_tls_handshake_failures_total{failure=\"version\"} 3\n"));
	free(page);
}
END_TEST

UNIT_MAIN("handshakes", {
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, handshakes_is_told_once_a_minute_of_each_kind);
	tcase_add_test(tests, handshakes_is_told_so_often_however_many_knock);
	tcase_add_test(tests, handshakes_failed_counts_all_of_them);
})
