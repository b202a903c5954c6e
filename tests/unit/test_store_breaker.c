/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* lib/store/breaker.c against a server: of two who change the same version, one wins. */
#include "store/breaker.h"

#include <string.h>

#include "store_scratch.h"
#include "unit.h"

/* Open at alpha for charges, as one who saw `version` would write it. */
static struct breaker_row opened(uint32_t version, int64_t at_us)
{
	return (struct breaker_row){ .gateway = "alpha",
				     .operation = BREAKER_CHARGE,
				     .breaker = { .state = BREAKER_OPEN,
						  .opened_at_us = at_us,
						  .until_us = at_us + 30,
						  .span_us = 30,
						  .changed_at_us = at_us },
				     .version = version };
}

static struct breaker_row half_open(uint32_t version, unsigned by)
{
	struct breaker_row row = opened(version, 100);

	row.breaker.state = BREAKER_HALF_OPEN;
	row.probe_by = sample_id(9, by);
	return row;
}

static struct breaker_row forced(const char *gateway, enum breaker_operation operation)
{
	struct breaker_row row = {
		.operation = operation,
		.breaker = { .force = BREAKER_FORCED_OPEN, .force_until_us = INT64_MAX },
		.forced_at_us = 1,
	};

	SET_TEXT(row.gateway, gateway);
	sample_fill(row.forced_reason, 201, 'r');
	sample_fill(row.forced_by, sizeof row.forced_by, 'b');
	return row;
}

static size_t list(struct breaker_row rows[BREAKER_ROWS_MAX])
{
	size_t count = 0;

	ck_assert_int_eq(store_breaker_list(&tx, rows, &count), ERR_OK);
	return count;
}

static struct breaker_row only_row(void)
{
	struct breaker_row rows[BREAKER_ROWS_MAX];

	ck_assert_uint_eq(list(rows), 1);
	return rows[0];
}

static void ck_state(const struct breaker_row *a, const struct breaker_row *b)
{
	ck_assert_int_eq(a->breaker.state, b->breaker.state);
	ck_assert_int_eq(a->breaker.opened_at_us, b->breaker.opened_at_us);
	ck_assert_int_eq(a->breaker.until_us, b->breaker.until_us);
	ck_assert_int_eq(a->breaker.span_us, b->breaker.span_us);
	ck_assert_int_eq(a->breaker.changed_at_us, b->breaker.changed_at_us);
	ck_id(a->probe_by, b->probe_by);
}

START_TEST(breaker_round_trip)
{
	const struct breaker_row wanted = half_open(0, 1);
	struct breaker_row row;

	ck_assert_int_eq(store_breaker_write(&tx, &wanted), ERR_OK);

	row = only_row();
	ck_assert_str_eq(row.gateway, "alpha");
	ck_assert_int_eq(row.operation, BREAKER_CHARGE);
	ck_state(&row, &wanted);
	ck_assert_int_eq(row.breaker.force, BREAKER_AUTOMATIC);
	ck_assert_uint_eq(row.version, 1);
}
END_TEST

START_TEST(of_two_first_writers_the_first_wins)
{
	const struct breaker_row first = opened(0, 100);
	const struct breaker_row second = opened(0, 200);

	ck_assert_int_eq(store_breaker_write(&tx, &first), ERR_OK);
	ck_assert_int_eq(store_breaker_write(&tx, &second), ERR_OK);

	ck_assert_int_eq(only_row().breaker.opened_at_us, 100);
	ck_assert_uint_eq(only_row().version, 1);
}
END_TEST

START_TEST(of_two_who_take_the_probe_the_first_has_it)
{
	const struct breaker_row open = opened(0, 100);
	const struct breaker_row first = half_open(1, 1);
	const struct breaker_row second = half_open(1, 2);

	ck_assert_int_eq(store_breaker_write(&tx, &open), ERR_OK);
	ck_assert_int_eq(store_breaker_write(&tx, &first), ERR_OK);
	ck_assert_int_eq(store_breaker_write(&tx, &second), ERR_OK);

	ck_id(only_row().probe_by, first.probe_by);
	ck_assert_uint_eq(only_row().version, 2);
}
END_TEST

START_TEST(a_force_leaves_the_state_and_a_release_too)
{
	const struct breaker_row open = opened(0, 100);
	const struct breaker_row wanted = forced("alpha", BREAKER_CHARGE);
	struct breaker_row row;

	ck_assert_int_eq(store_breaker_write(&tx, &open), ERR_OK);
	ck_assert_int_eq(store_breaker_force(&tx, &wanted), ERR_OK);

	row = only_row();
	ck_assert_int_eq(row.breaker.state, BREAKER_OPEN);
	ck_assert_int_eq(row.breaker.force, BREAKER_FORCED_OPEN);
	ck_assert_int_eq(row.breaker.force_until_us, INT64_MAX);
	ck_assert_str_eq(row.forced_reason, wanted.forced_reason);
	ck_assert_str_eq(row.forced_by, wanted.forced_by);
	ck_assert_int_eq(row.forced_at_us, 1);
	ck_assert_uint_eq(row.version, 2);

	ck_assert_int_eq(store_breaker_release(&tx, "alpha", BREAKER_CHARGE), ERR_OK);
	row = only_row();
	ck_state(&row, &open);
	ck_assert_int_eq(row.breaker.force, BREAKER_AUTOMATIC);
	ck_assert_int_eq(row.breaker.force_until_us, 0);
	ck_assert_str_eq(row.forced_reason, "");
	ck_assert_uint_eq(row.version, 3);
}
END_TEST

START_TEST(a_force_is_not_undone_by_who_did_not_see_it)
{
	const struct breaker_row wanted = forced("alpha", BREAKER_CHARGE);
	const struct breaker_row open = opened(0, 100);

	ck_assert_int_eq(store_breaker_force(&tx, &wanted), ERR_OK);
	ck_assert_int_eq(store_breaker_write(&tx, &open), ERR_OK);

	ck_assert_int_eq(only_row().breaker.state, BREAKER_CLOSED);
	ck_assert_int_eq(only_row().breaker.force, BREAKER_FORCED_OPEN);
}
END_TEST

START_TEST(what_is_not_forced_is_released_without_a_trace)
{
	const struct breaker_row open = opened(0, 100);

	ck_assert_int_eq(store_breaker_release(&tx, "alpha", BREAKER_CHARGE), ERR_OK);
	ck_assert_int_eq(store_breaker_write(&tx, &open), ERR_OK);
	ck_assert_int_eq(store_breaker_release(&tx, "alpha", BREAKER_CHARGE), ERR_OK);

	ck_assert_uint_eq(only_row().version, 1);
}
END_TEST

START_TEST(rows_are_listed_by_gateway_and_operation)
{
	static const struct {
		const char *gateway;
		enum breaker_operation operation;
	} wanted[] = { { "alpha", BREAKER_CHARGE },
		       { "alpha", BREAKER_INQUIRY },
		       { "beta", BREAKER_REFUND } };
	struct breaker_row rows[BREAKER_ROWS_MAX];

	for (int i = 2; i >= 0; i--) {
		const struct breaker_row row = forced(wanted[i].gateway, wanted[i].operation);

		ck_assert_int_eq(store_breaker_force(&tx, &row), ERR_OK);
	}

	ck_assert_uint_eq(list(rows), 3);

	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(rows[i].gateway, wanted[i].gateway);
		ck_assert_int_eq(rows[i].operation, wanted[i].operation);
	}
}
END_TEST

static const struct {
	enum breaker_state state;
	int64_t opened_at_us, until_us, span_us;
	unsigned probe_by;
	enum err err;
} states[] = {
	{ BREAKER_CLOSED, 0, 0, 0, 0, ERR_OK },
	{ BREAKER_CLOSED, 1, 0, 0, 0, ERR_STORE },
	{ BREAKER_CLOSED, 0, 1, 0, 0, ERR_STORE },
	{ BREAKER_CLOSED, 0, 0, 1, 0, ERR_STORE },
	{ BREAKER_CLOSED, 0, 0, 0, 1, ERR_STORE },
	{ BREAKER_OPEN, 1, 1, 1, 0, ERR_OK },
	{ BREAKER_OPEN, 0, 1, 1, 0, ERR_STORE },
	{ BREAKER_OPEN, 1, 0, 1, 0, ERR_STORE },
	{ BREAKER_OPEN, 1, 1, 0, 0, ERR_STORE },
	{ BREAKER_OPEN, 1, 1, -1, 0, ERR_STORE },
	{ BREAKER_OPEN, 1, 1, 1, 1, ERR_STORE },
	{ BREAKER_HALF_OPEN, 1, 1, 1, 1, ERR_OK },
	{ BREAKER_HALF_OPEN, 1, 1, 1, 0, ERR_STORE },
};

START_TEST(breaker_constraints_restate_the_rules)
{
	struct breaker_row row = { .gateway = "alpha",
				   .breaker = { .state = states[_i].state,
						.opened_at_us = states[_i].opened_at_us,
						.until_us = states[_i].until_us,
						.span_us = states[_i].span_us } };

	if (states[_i].probe_by != 0)
		row.probe_by = sample_id(9, states[_i].probe_by);

	ck_assert_int_eq(store_breaker_write(&tx, &row), states[_i].err);
}
END_TEST

START_TEST(a_force_without_reason_or_end_is_refused)
{
	struct breaker_row row = forced("alpha", BREAKER_CHARGE);

	row.breaker.force_until_us = 0;
	ck_assert_int_eq(store_breaker_force(&tx, &row), ERR_STORE);
	row = forced("alpha", BREAKER_CHARGE);
	row.forced_reason[0] = '\0';
	ck_assert_int_eq(store_breaker_force(&tx, &row), ERR_STORE);
	row = forced("alpha", BREAKER_CHARGE);
	row.forced_by[0] = '\0';
	ck_assert_int_eq(store_breaker_force(&tx, &row), ERR_STORE);
}
END_TEST

UNIT_MAIN("store_breaker", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, scratch_drop);
	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_add_test(tests, breaker_round_trip);
	tcase_add_test(tests, of_two_first_writers_the_first_wins);
	tcase_add_test(tests, of_two_who_take_the_probe_the_first_has_it);
	tcase_add_test(tests, a_force_leaves_the_state_and_a_release_too);
	tcase_add_test(tests, a_force_is_not_undone_by_who_did_not_see_it);
	tcase_add_test(tests, what_is_not_forced_is_released_without_a_trace);
	tcase_add_test(tests, rows_are_listed_by_gateway_and_operation);
	tcase_add_loop_test(tests, breaker_constraints_restate_the_rules, 0,
			    (int)(sizeof states / sizeof states[0]));
	tcase_add_test(tests, a_force_without_reason_or_end_is_refused);
})
