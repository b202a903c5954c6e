/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/event.h"

#include "store/bulk.h"
#include "store/sheet_private.h"
#include "store/statement.h"

#define STATUS(MEMBER, WORDS) COLUMN_WORD_OR_NULL(struct event_row, MEMBER, WORDS, EVENT_NO_STATUS)

static const struct column columns[] = {
	COLUMN_FIXED(struct event_row, transaction_id),
	COLUMN_NUMBER(struct event_row, sequence),
	COLUMN_FIXED(struct event_row, id),
	COLUMN_TEXT(struct event_row, merchant),
	COLUMN_TEXT(struct event_row, type),
	COLUMN_FIXED_OR_NULL(struct event_row, operation_id),
	COLUMN_FIXED_OR_NULL(struct event_row, attempt_id),
	STATUS(transaction_from, transaction_status_words),
	STATUS(transaction_to, transaction_status_words),
	STATUS(operation_from, operation_status_words),
	STATUS(operation_to, operation_status_words),
	STATUS(attempt_from, attempt_status_words),
	STATUS(attempt_to, attempt_status_words),
	COLUMN_TEXT_OR_NULL(struct event_row, reason),
	COLUMN_TEXT_OR_NULL(struct event_row, api_call_id),
	COLUMN_NUMBER(struct event_row, at_us),
};
static const struct shape shape = SHAPE(columns);

enum err store_event_insert(struct store_tx *tx, const struct event_row *row)
{
	struct cells cells = { .count = 0 };

	if (sheet_is_open(tx))
		return sheet_append(tx, SHEET_EVENTS, row);
	cells_add_row(&cells, &shape, row);
	return statement_write(tx, STATEMENT_EVENT_INSERT, &cells, NULL);
}

enum err store_event_insert_all(struct store_tx *tx, const struct event_row *const *rows,
				size_t count)
{
	return bulk_put(tx, STATEMENT_EVENT_INSERT_ALL, &shape, (const void *const *)rows, count);
}

struct found_row {
	bool found;
};
static const struct column found_columns[] = { COLUMN_NUMBER(struct found_row, found) };
static const struct shape found_shape = SHAPE(found_columns);

static enum err find(struct store_tx *tx, enum statement_id statement, const struct cells *cells,
		     bool *found)
{
	struct found_row row;
	enum err err = sheet_flush(tx);

	if (err == ERR_OK)
		err = statement_read(tx, statement, cells, &found_shape, &row);
	if (err == ERR_OK)
		*found = row.found;
	return err;
}

enum err store_event_find_call(struct store_tx *tx, struct id transaction_id, const char *type,
			       const char *api_call_id, bool *found)
{
	struct cells cells = { .count = 0 };

	cells_add_id(&cells, &transaction_id);
	cells_add_text(&cells, type);
	cells_add_text(&cells, api_call_id);
	return find(tx, STATEMENT_EVENT_FIND_CALL, &cells, found);
}

enum err store_event_find_reversed(struct store_tx *tx, struct id transaction_id,
				   struct id attempt_id, bool *found)
{
	struct cells cells = { .count = 0 };

	cells_add_id(&cells, &transaction_id);
	cells_add_id(&cells, &attempt_id);
	return find(tx, STATEMENT_EVENT_FIND_REVERSED, &cells, found);
}

struct listing {
	store_event_each *each;
	void *context;
};

static void list_each(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each(listing->context, row);
}

/* lint: parameters: see the header */
enum err store_event_list(struct store_tx *tx, const char *merchant, struct id transaction_id,
			  uint32_t after, unsigned limit, store_event_each *each, void *context)
{
	struct event_row row;
	struct listing listing = { each, context };
	struct cells cells = { .count = 0 };
	const struct statement_many many = {
		STATEMENT_EVENT_LIST, &cells, &shape, &row, list_each, &listing
	};

	cells_add_id(&cells, &transaction_id);
	cells_add_text(&cells, merchant);
	cells_add_integer(&cells, after);
	cells_add_integer(&cells, limit);
	return statement_read_many(tx, &many);
}
