/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/metrics.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apid/route.h"
#include "tests/unit/unit.h"

static const struct breakers_figure breakers[] = {
	{ "alpha", BREAKER_CHARGE, BREAKER_OPEN },
	{ "alpha", BREAKER_INQUIRY, BREAKER_HALF_OPEN },
	{ "beta", BREAKER_PAYOUT, BREAKER_CLOSED },
};
static const struct metrics_figures quiet_figures = { .uptime_us = 1000000,
						      .breakers = breakers,
						      .breaker_count = 3,
						      .certificate = true,
						      .certificate_left_us = -1500000 };

/* The page after some of everything was counted. */
static char *page_of_everything(void)
{
	struct metrics *metrics;
	char *page;

	ck_assert_int_eq(metrics_new(&metrics), ERR_OK);
	for (int route = METRICS_NO_ROUTE; route < ROUTE_COUNT; route++)
		metrics_request(metrics, route, 200, 1500);
	metrics_request(metrics, 0, 503, 40000000);
	metrics_gateway_call(metrics, "alpha", 0, ATTEMPT_DEFINITE, 250000);
	metrics_gateway_call(metrics, "alpha", 0, ATTEMPT_UNKNOWN, 250001);
	metrics_gateway_call(metrics, "alpha", 1, ATTEMPT_UNKNOWN, 1);
	metrics_gateway_call(metrics, "beta", 0, ATTEMPT_NOT_SENT, -1);
	metrics_callback(metrics, "alpha", "applied");
	metrics_callback(metrics, "alpha", "applied");
	metrics_callback(metrics, "unknown", "forged");
	for (int counter = 0; counter < METRICS_COUNTERS; counter++)
		metrics_count(metrics, (enum metrics_counter)counter);
	metrics_tls_failure(metrics, TLS_ALERT);
	metrics_room(metrics, 7);
	page = metrics_render(metrics, &quiet_figures);
	ck_assert_ptr_nonnull(page);
	metrics_free(metrics);
	return page;
}

static const char *const samples[] = {
	"payops_tls_certificate_expiry_seconds -1",
	"payops_http_requests_total{route=\"POST /transactions\",code=\"200\"} 1",
	"payops_http_requests_total{route=\"POST /transactions\",code=\"503\"} 1",
	"payops_http_requests_total{route=\"none\",code=\"200\"} 1",
	"payops_http_request_seconds_bucket{route=\"POST /transactions\",le=\"0.001\"} 0",
	"payops_http_request_seconds_bucket{route=\"POST /transactions\",le=\"0.0025\"} 1",
	"payops_http_request_seconds_bucket{route=\"POST /transactions\",le=\"30\"} 1",
	"payops_http_request_seconds_bucket{route=\"POST /transactions\",le=\"+Inf\"} 2",
	"payops_http_request_seconds_sum{route=\"POST /transactions\"} 40.001500",
	"payops_http_request_seconds_count{route=\"POST /transactions\"} 2",
	"payops_attempts_total{gateway=\"alpha\",class=\"definite\"} 1",
	"payops_attempts_total{gateway=\"alpha\",class=\"unknown\"} 1",
	"payops_attempts_total{gateway=\"beta\",class=\"not_sent\"} 1",
	"payops_inquiries_total{gateway=\"alpha\",result=\"unknown\"} 1",
	"payops_gateway_request_seconds_bucket{gateway=\"alpha\",operation=\"attempt\",le=\"0.25\"}"
	" 1",
	"payops_gateway_request_seconds_bucket{gateway=\"alpha\",operation=\"attempt\",le=\"0.5\"} "
	"2",
	"payops_gateway_request_seconds_count{gateway=\"alpha\",operation=\"inquiry\"} 1",
	"payops_gateway_request_seconds_sum{gateway=\"beta\",operation=\"attempt\"} 0.000000",
	"payops_callbacks_total{gateway=\"alpha\",result=\"applied\"} 2",
	"payops_callbacks_total{gateway=\"unknown\",result=\"forged\"} 1",
	"payops_idempotency_total{result=\"created\"} 1",
	"payops_idempotency_total{result=\"replayed\"} 1",
	"payops_idempotency_total{result=\"reused\"} 1",
	"payops_lease_expired_total 1",
	"payops_requests_shed_total 1",
	"payops_requests_room 7",
	"payops_tls_handshake_failures_total{failure=\"alert\"} 1",
	"payops_tls_handshake_failures_total{failure=\"version\"} 0",
	"payops_queue_depth{queue=\"due\"} 0",
	"payops_rows_without_next_action 0",
	"payops_breaker_state{gateway=\"alpha\",operation=\"charge\"} 2",
	"payops_breaker_state{gateway=\"alpha\",operation=\"inquiry\"} 1",
	"payops_breaker_state{gateway=\"beta\",operation=\"payout\"} 0",
	"payops_client_resend_total 0",
};

static bool has_line(const char *page, const char *line)
{
	const size_t size = strlen(line);

	for (const char *at = page; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, line, size) == 0 && (at[size] == '\n' || at[size] == '\0'))
			return true;
	}
	return false;
}

START_TEST(metrics_render_shows_what_was_counted)
{
	char *page = page_of_everything();

	ck_assert_msg(has_line(page, samples[_i]), "%s", samples[_i]);
	free(page);
}
END_TEST

static bool ends_with(const char *text, size_t size, const char *end)
{
	return size > strlen(end) && memcmp(text + size - strlen(end), end, strlen(end)) == 0;
}

/* The size of the family's name that a sample's name begins with: a histogram's has three endings. */
static size_t family_size(const char *sample)
{
	static const char *const endings[] = { "_bucket", "_sum", "_count" };
	const size_t size = strcspn(sample, "{ ");

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
		if (ends_with(sample, size, endings[i]))
			return size - strlen(endings[i]);
	return size;
}

/* What promtool would complain about: samples outside their family, families twice, counters without _total. */
START_TEST(metrics_render_is_valid_exposition_text)
{
	char *page = page_of_everything();
	char *rest = page, *line;
	char family[128] = "", type[32], head[160];

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			(void)snprintf(family, sizeof family, "%.*s", (int)strcspn(line + 7, " "),
				       line + 7);
			(void)snprintf(head, sizeof head, "# HELP %s ", family);
			ck_assert_msg(rest == NULL || strstr(rest, head) == NULL, "%s", head);
		} else if (strncmp(line, "# TYPE ", 7) == 0) {
			(void)snprintf(type, sizeof type, "%s", strrchr(line, ' ') + 1);
			ck_assert(strncmp(line + 7, family, strlen(family)) == 0);
			ck_assert_int_eq(strcmp(type, "counter") == 0,
					 ends_with(family, strlen(family), "_total"));
		} else if (*line != '\0') {
			ck_assert_msg(family_size(line) == strlen(family) &&
					      strncmp(line, family, strlen(family)) == 0,
				      "%s outside of %s", line, family);
			ck_assert_msg(rest == NULL || !has_line(rest, line), "twice: %s", line);
		}
	}
	free(page);
}
END_TEST

START_TEST(metrics_render_leaves_out_what_the_database_did_not_tell)
{
	const struct metrics_figures figures = { .rows_without_next_action = -1,
						 .calls_in_flight = 7,
						 .resend_total = 1 };
	struct metrics *metrics;
	char *page;

	ck_assert_int_eq(metrics_new(&metrics), ERR_OK);
	page = metrics_render(metrics, &figures);

	ck_assert_ptr_null(strstr(page, "\npayops_rows_without_next_action "));
	ck_assert_ptr_null(strstr(page, "\npayops_queue_depth{queue=\"due\"}"));
	ck_assert(has_line(page, "payops_queue_depth{queue=\"in_flight\"} 7"));
	ck_assert(has_line(page, "payops_client_resend_total 1"));
	free(page);
	metrics_free(metrics);
}
END_TEST

START_TEST(metrics_names_are_bounded)
{
	struct metrics *metrics;
	char name[32];
	char *page;

	ck_assert_int_eq(metrics_new(&metrics), ERR_OK);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof name, "gateway%d", i);
		metrics_gateway_call(metrics, name, 0, ATTEMPT_DEFINITE, 1);
		metrics_callback(metrics, name, "applied");
	}
	page = metrics_render(metrics, &quiet_figures);

	ck_assert_ptr_nonnull(strstr(page, "gateway=\"gateway0\""));
	ck_assert_ptr_null(strstr(page, "gateway=\"gateway999\""));
	free(page);
	metrics_free(metrics);
}
END_TEST

START_TEST(metrics_tell_how_many_were_committed_together)
{
	struct metrics_figures figures = quiet_figures;
	struct metrics *metrics;
	char *page;

	figures.queues[METRICS_QUEUE_INTAKE] = (struct batch_figures){
		.batches = 6, .items = 300, .by_size = { [0] = 3, [5] = 2, [8] = 1 }, .waiting = 7
	};
	ck_assert_int_eq(metrics_new(&metrics), ERR_OK);
	page = metrics_render(metrics, &figures);

	ck_assert_ptr_nonnull(strstr(page, "payops_queue_depth{queue=\"intake\"} 7\n"));
	ck_assert_ptr_nonnull(strstr(page, "payops_intake_batch_size_bucket{le=\"1\"} 3\n"));
	ck_assert_ptr_nonnull(strstr(page, "payops_intake_batch_size_bucket{le=\"16\"} 3\n"));
	ck_assert_ptr_nonnull(strstr(page, "payops_intake_batch_size_bucket{le=\"32\"} 5\n"));
	ck_assert_ptr_nonnull(strstr(page, "payops_intake_batch_size_bucket{le=\"128\"} 5\n"));
	ck_assert_ptr_nonnull(strstr(page, "payops_intake_batch_size_bucket{le=\"256\"} 6\n"));
	ck_assert_ptr_nonnull(strstr(page, "payops_intake_batch_size_bucket{le=\"+Inf\"} 6\n"));
	ck_assert_ptr_nonnull(strstr(page, "payops_intake_batch_size_sum 300\n"));
	free(page);
	metrics_free(metrics);
}
END_TEST

UNIT_MAIN("metrics", {
	tcase_add_loop_test(tests, metrics_render_shows_what_was_counted, 0,
			    (int)(sizeof samples / sizeof samples[0]));
	tcase_add_test(tests, metrics_render_is_valid_exposition_text);
	tcase_add_test(tests, metrics_render_leaves_out_what_the_database_did_not_tell);
	tcase_add_test(tests, metrics_names_are_bounded);
	tcase_add_test(tests, metrics_tell_how_many_were_committed_together);
})
