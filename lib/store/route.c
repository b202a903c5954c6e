/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/route.h"

#include "store/statement.h"

static const struct column rule_columns[] = {
	COLUMN_NUMBER(struct route_rule_row, number),
	COLUMN_TEXT(struct route_rule_row, rule),
	COLUMN_TEXT_OR_NULL(struct route_rule_row, merchants),
	COLUMN_TEXT_OR_NULL(struct route_rule_row, kinds),
	COLUMN_TEXT_OR_NULL(struct route_rule_row, countries),
	COLUMN_TEXT_OR_NULL(struct route_rule_row, currencies),
	COLUMN_TEXT_OR_NULL(struct route_rule_row, methods),
	COLUMN_NUMBER_OR_NULL(struct route_rule_row, amount_min),
	COLUMN_NUMBER_OR_NULL(struct route_rule_row, amount_max),
};
static const struct shape rule_shape = SHAPE(rule_columns);

static const struct column target_columns[] = {
	COLUMN_NUMBER(struct route_target_row, number),
	COLUMN_TEXT(struct route_target_row, gateway),
	COLUMN_NUMBER(struct route_target_row, priority),
	COLUMN_NUMBER(struct route_target_row, weight),
};
static const struct shape target_shape = SHAPE(target_columns);

struct listing {
	store_route_rule_each *each_rule;
	store_route_target_each *each_target;
	void *context;
};

static void list_each_rule(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each_rule(listing->context, row);
}

enum err store_route_rule_list(struct store_tx *tx, store_route_rule_each *each, void *context)
{
	struct route_rule_row row;
	struct listing listing = { .each_rule = each, .context = context };
	const struct cells none = { .count = 0 };
	const struct statement_many many = { STATEMENT_ROUTE_RULE_LIST, &none, &rule_shape, &row,
					     list_each_rule,            &listing };

	return statement_read_many(tx, &many);
}

static void list_each_target(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each_target(listing->context, row);
}

enum err store_route_target_list(struct store_tx *tx, store_route_target_each *each, void *context)
{
	struct route_target_row row;
	struct listing listing = { .each_target = each, .context = context };
	const struct cells none = { .count = 0 };
	const struct statement_many many = { STATEMENT_ROUTE_TARGET_LIST, &none,
					     &target_shape,               &row,
					     list_each_target,            &listing };

	return statement_read_many(tx, &many);
}

enum err store_route_clear(struct store_tx *tx)
{
	const struct cells none = { .count = 0 };
	enum err err = statement_write(tx, STATEMENT_ROUTE_TARGET_CLEAR, &none, NULL);

	return err == ERR_OK ? statement_write(tx, STATEMENT_ROUTE_RULE_CLEAR, &none, NULL) : err;
}

enum err store_route_rule_insert(struct store_tx *tx, const struct route_rule_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &rule_shape, row);
	return statement_write(tx, STATEMENT_ROUTE_RULE_INSERT, &cells, NULL);
}

enum err store_route_target_insert(struct store_tx *tx, const struct route_target_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &target_shape, row);
	return statement_write(tx, STATEMENT_ROUTE_TARGET_INSERT, &cells, NULL);
}
