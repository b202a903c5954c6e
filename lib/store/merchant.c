/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/merchant.h"

#include "store/statement.h"

static const struct column columns[] = {
	COLUMN_TEXT(struct merchant_row, merchant),
	COLUMN_TEXT(struct merchant_row, name),
	COLUMN_NUMBER(struct merchant_row, created_at_us),
	COLUMN_NUMBER(struct merchant_row, keyless_withdrawals),
};
static const struct shape shape = SHAPE(columns);

enum err store_merchant_insert(struct store_tx *tx, const struct merchant_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &shape, row);
	return statement_write(tx, STATEMENT_MERCHANT_INSERT, &cells, NULL);
}

enum err store_merchant_find(struct store_tx *tx, const char *merchant, struct merchant_row *row)
{
	struct merchant_row found;
	struct cells cells = { .count = 0 };
	enum err err;

	cells_add_text(&cells, merchant);
	err = statement_read(tx, STATEMENT_MERCHANT_FIND, &cells, &shape, &found);
	if (err == ERR_OK)
		*row = found;
	return err;
}
