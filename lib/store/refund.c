/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/refund.h"

#include "store/statement.h"

static const struct column columns[] = {
	COLUMN_FIXED(struct refund_view, id),
	COLUMN_FIXED(struct refund_view, transaction_id),
	COLUMN_NUMBER(struct refund_view, amount.minor),
	COLUMN_TEXT(struct refund_view, amount.currency),
	COLUMN_NUMBER(struct refund_view, exponent),
	COLUMN_WORD_OR_NULL(struct refund_view, form, amount_form_words, OPERATION_NO_FORM),
	COLUMN_WORD(struct refund_view, transaction_form, amount_form_words),
	COLUMN_NUMBER(struct refund_view, surplus),
	COLUMN_TEXT_OR_NULL(struct refund_view, reason),
	COLUMN_WORD(struct refund_view, status, operation_status_words),
	COLUMN_TEXT_OR_NULL(struct refund_view, status_reason),
	COLUMN_WORD(struct refund_view, next_action, next_action_words),
	COLUMN_NUMBER_OR_NULL(struct refund_view, next_action_at_us),
	COLUMN_NUMBER(struct refund_view, created_at_us),
	COLUMN_NUMBER(struct refund_view, updated_at_us),
	COLUMN_TEXT_OR_NULL(struct refund_view, gateway),
	COLUMN_TEXT_OR_NULL(struct refund_view, gateway_ref),
	COLUMN_TEXT_OR_NULL(struct refund_view, decline_code),
};
static const struct shape shape = SHAPE(columns);

enum err store_refund_find(struct store_tx *tx, const char *merchant, struct id id,
			   struct refund_view *view)
{
	struct refund_view found;
	struct cells cells = { .count = 0 };
	enum err err;

	cells_add_id(&cells, &id);
	cells_add_text(&cells, merchant);
	err = statement_read(tx, STATEMENT_REFUND_FIND, &cells, &shape, &found);
	if (err == ERR_OK)
		*view = found;
	return err;
}

struct listing {
	store_refund_each *each;
	void *context;
};

static void list_each(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each(listing->context, row);
}

enum err store_refund_list(struct store_tx *tx, const char *merchant, struct id transaction_id,
			   store_refund_each *each, void *context)
{
	struct refund_view view;
	struct listing listing = { each, context };
	struct cells cells = { .count = 0 };
	const struct statement_many many = {
		STATEMENT_REFUND_LIST, &cells, &shape, &view, list_each, &listing
	};

	cells_add_id(&cells, &transaction_id);
	cells_add_text(&cells, merchant);
	return statement_read_many(tx, &many);
}
