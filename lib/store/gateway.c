/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/gateway.h"

#include <string.h>

#include "store/statement.h"

static const struct column columns[] = {
	COLUMN_TEXT(struct gateway_row, gateway),
	COLUMN_TEXT(struct gateway_row, adapter),
	COLUMN_TEXT(struct gateway_row, base_url),
	COLUMN_TEXT(struct gateway_row, api_key_file),
	COLUMN_TEXT(struct gateway_row, callback_secret_file),
	COLUMN_TEXT_OR_NULL(struct gateway_row, callback_secret_file_previous),
	COLUMN_NUMBER(struct gateway_row, connect_timeout_ms),
	COLUMN_NUMBER(struct gateway_row, total_timeout_ms),
	COLUMN_NUMBER(struct gateway_row, quiet_ms),
	COLUMN_NUMBER(struct gateway_row, callback_wait_ms),
	COLUMN_NUMBER(struct gateway_row, idempotent),
	COLUMN_NUMBER(struct gateway_row, authoritative),
	COLUMN_TEXT_OR_NULL(struct gateway_row, operations),
	COLUMN_TEXT_OR_NULL(struct gateway_row, currencies),
	COLUMN_TEXT_OR_NULL(struct gateway_row, countries),
	COLUMN_TEXT_OR_NULL(struct gateway_row, methods),
	COLUMN_TEXT_OR_NULL(struct gateway_row, limits),
	COLUMN_WORD(struct gateway_row, state, routing_state_words),
	COLUMN_TEXT_OR_NULL(struct gateway_row, state_reason),
	COLUMN_NUMBER_OR_NULL(struct gateway_row, maintenance_from_us),
	COLUMN_NUMBER_OR_NULL(struct gateway_row, maintenance_until_us),
	COLUMN_TEXT_OR_NULL(struct gateway_row, maintenance_reason),
	COLUMN_NUMBER(struct gateway_row, authorisation_expiry_s),
	COLUMN_NUMBER(struct gateway_row, changed_at_us),
};
static const struct shape shape = SHAPE(columns);

static const struct column account_columns[] = {
	COLUMN_TEXT(struct gateway_account_row, gateway),
	COLUMN_TEXT(struct gateway_account_row, merchant),
	COLUMN_TEXT(struct gateway_account_row, account),
	COLUMN_TEXT_OR_NULL(struct gateway_account_row, api_key_file),
	COLUMN_TEXT_OR_NULL(struct gateway_account_row, callback_secret_file),
	COLUMN_TEXT_OR_NULL(struct gateway_account_row, callback_secret_file_previous),
};
static const struct shape account_shape = SHAPE(account_columns);

struct listing {
	store_gateway_each *each;
	store_gateway_account_each *each_account;
	void *context;
};

static void list_each(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each(listing->context, row);
}

enum err store_gateway_list(struct store_tx *tx, store_gateway_each *each, void *context)
{
	struct gateway_row row;
	struct listing listing = { .each = each, .context = context };
	const struct cells none = { .count = 0 };
	const struct statement_many many = {
		STATEMENT_GATEWAY_LIST, &none, &shape, &row, list_each, &listing
	};

	return statement_read_many(tx, &many);
}

static void list_each_account(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each_account(listing->context, row);
}

enum err store_gateway_account_list(struct store_tx *tx, store_gateway_account_each *each,
				    void *context)
{
	struct gateway_account_row row;
	struct listing listing = { .each_account = each, .context = context };
	const struct cells none = { .count = 0 };
	const struct statement_many many = { STATEMENT_ACCOUNT_LIST, &none,
					     &account_shape,         &row,
					     list_each_account,      &listing };

	return statement_read_many(tx, &many);
}

enum err store_gateway_put(struct store_tx *tx, const struct gateway_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &shape, row);
	return statement_write(tx, STATEMENT_GATEWAY_PUT, &cells, NULL);
}

bool store_gateway_same(const struct gateway_row *a, const struct gateway_row *b)
{
	const struct shape compared = { columns, sizeof columns / sizeof columns[0] - 1 };
	struct cells left = { .count = 0 };
	struct cells right = { .count = 0 };

	cells_add_row(&left, &compared, a);
	cells_add_row(&right, &compared, b);
	for (size_t i = 0; i < left.count; i++) {
		const struct cell *one = &left.list[i];
		const struct cell *other = &right.list[i];

		if (one->null != other->null || one->integer != other->integer ||
		    one->size != other->size ||
		    (one->size > 0 && memcmp(one->bytes, other->bytes, one->size) != 0))
			return false;
	}
	return true;
}

bool store_gateway_account_same(const struct gateway_account_row *a,
				const struct gateway_account_row *b)
{
	return strcmp(a->gateway, b->gateway) == 0 && strcmp(a->merchant, b->merchant) == 0 &&
	       strcmp(a->account, b->account) == 0 &&
	       strcmp(a->api_key_file, b->api_key_file) == 0 &&
	       strcmp(a->callback_secret_file, b->callback_secret_file) == 0 &&
	       strcmp(a->callback_secret_file_previous, b->callback_secret_file_previous) == 0;
}

enum err store_gateway_account_clear(struct store_tx *tx)
{
	const struct cells none = { .count = 0 };

	return statement_write(tx, STATEMENT_ACCOUNT_CLEAR, &none, NULL);
}

enum err store_gateway_account_insert(struct store_tx *tx, const struct gateway_account_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &account_shape, row);
	return statement_write(tx, STATEMENT_ACCOUNT_INSERT, &cells, NULL);
}
