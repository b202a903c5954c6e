/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/callback.h"

#include "store/sheet_private.h"
#include "store/statement.h"

static const char *const kinds[] = { "late_success", "integrity", "orphan_callback",
				     "unwanted_success" };
const struct words exception_kind_words = { kinds, sizeof kinds / sizeof kinds[0] };

static const struct column columns[] = {
	COLUMN_FIXED(struct exception_row, id),
	COLUMN_WORD(struct exception_row, kind, exception_kind_words),
	COLUMN_TEXT_OR_NULL(struct exception_row, merchant),
	COLUMN_FIXED_OR_NULL(struct exception_row, transaction_id),
	COLUMN_FIXED_OR_NULL(struct exception_row, attempt_id),
	COLUMN_TEXT(struct exception_row, detail),
	COLUMN_NUMBER(struct exception_row, opened_at_us),
};
static const struct shape shape = SHAPE(columns);

enum err store_exception_open(struct store_tx *tx, const struct exception_row *row)
{
	struct cells cells = { .count = 0 };

	sheet_uncount(tx, row->transaction_id);
	cells_add_row(&cells, &shape, row);
	return statement_write(tx, STATEMENT_EXCEPTION_OPEN, &cells, NULL);
}

enum err store_exception_count_open(struct store_tx *tx, struct id transaction_id, int64_t *count)
{
	if (sheet_counted(tx, SHEET_OPEN_EXCEPTIONS, transaction_id, count))
		return ERR_OK;
	return statement_count(tx, STATEMENT_EXCEPTION_COUNT_OPEN, transaction_id, count);
}
