/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/ledger.h"

#include <assert.h>

#include "store/bulk.h"
#include "store/sheet_private.h"
#include "store/statement.h"

#define ROWS_MAX 256 /* written together */

/* The line of a side; its amount, and the 0 of the other side, stand in the statement. */
#define SIDE(MEMBER)                                                                               \
	COLUMN_FIXED(struct ledger_row, entry_group),                                              \
		COLUMN_NUMBER(struct ledger_row, MEMBER.line),                                     \
		COLUMN_FIXED_OR_NULL(struct ledger_row, transaction_id),                           \
		COLUMN_FIXED_OR_NULL(struct ledger_row, operation_id),                             \
		COLUMN_FIXED_OR_NULL(struct ledger_row, attempt_id),                               \
		COLUMN_TEXT(struct ledger_row, merchant),                                          \
		COLUMN_TEXT(struct ledger_row, MEMBER.gateway),                                    \
		COLUMN_TEXT(struct ledger_row, MEMBER.gateway_account),                            \
		COLUMN_WORD(struct ledger_row, MEMBER.account, posting_account_words),             \
		COLUMN_TEXT(struct ledger_row, currency),                                          \
		COLUMN_NUMBER(struct ledger_row, amount_minor),                                    \
		COLUMN_NUMBER(struct ledger_row, at_us)

static const struct column columns[] = { SIDE(debit), SIDE(credit) };
static const struct shape shape = SHAPE(columns);

enum err store_ledger_insert(struct store_tx *tx, const struct ledger_row *rows, size_t count)
{
	const struct ledger_row *list[ROWS_MAX];
	enum err err = ERR_OK;

	assert(count <= ROWS_MAX);
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		list[i] = &rows[i];
		if (sheet_is_open(tx))
			err = sheet_append(tx, SHEET_LEDGER, &rows[i]);
	}
	if (err != ERR_OK || count == 0 || sheet_is_open(tx))
		return err;
	return ledger_insert_all(tx, list, count);
}

enum err ledger_insert_all(struct store_tx *tx, const struct ledger_row *const *rows, size_t count)
{
	return bulk_put(tx, STATEMENT_LEDGER_INSERT_ALL, &shape, (const void *const *)rows, count);
}
