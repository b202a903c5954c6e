/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/exception.h"

#include "store/sheet_private.h"
#include "store/statement.h"

static const char *const kinds[] = { "late_success", "integrity", "orphan_callback",
				     "unwanted_success" };
const struct words exception_kind_words = { kinds, sizeof kinds / sizeof kinds[0] };

static const char *const states[] = { "open", "resolved" };
const struct words exception_state_words = { states, sizeof states / sizeof states[0] };

#define OPENING_COLUMNS                                                                            \
	COLUMN_FIXED(struct exception_row, id),                                                    \
		COLUMN_WORD(struct exception_row, kind, exception_kind_words),                     \
		COLUMN_TEXT_OR_NULL(struct exception_row, merchant),                               \
		COLUMN_FIXED_OR_NULL(struct exception_row, transaction_id),                        \
		COLUMN_FIXED_OR_NULL(struct exception_row, attempt_id),                            \
		COLUMN_TEXT(struct exception_row, detail),                                         \
		COLUMN_NUMBER(struct exception_row, opened_at_us)
#define SETTLING_COLUMNS                                                                           \
	COLUMN_WORD(struct exception_row, state, exception_state_words),                           \
		COLUMN_TEXT_OR_NULL(struct exception_row, owner),                                  \
		COLUMN_TEXT_OR_NULL(struct exception_row, owned_by),                               \
		COLUMN_NUMBER_OR_NULL(struct exception_row, owned_at_us),                          \
		COLUMN_TEXT_OR_NULL(struct exception_row, resolved_by),                            \
		COLUMN_NUMBER_OR_NULL(struct exception_row, resolved_at_us),                       \
		COLUMN_TEXT_OR_NULL(struct exception_row, note)

static const struct column opening_columns[] = { OPENING_COLUMNS };
static const struct column settling_columns[] = { SETTLING_COLUMNS };
static const struct column all_columns[] = { OPENING_COLUMNS, SETTLING_COLUMNS };
static const struct shape opening = SHAPE(opening_columns);
static const struct shape settling = SHAPE(settling_columns);
static const struct shape shape = SHAPE(all_columns);

enum err store_exception_open(struct store_tx *tx, const struct exception_row *row)
{
	struct cells cells = { .count = 0 };

	sheet_uncount(tx, row->transaction_id);
	cells_add_row(&cells, &opening, row);
	return statement_write(tx, STATEMENT_EXCEPTION_OPEN, &cells, NULL);
}

enum err store_exception_count_open(struct store_tx *tx, struct id transaction_id, int64_t *count)
{
	bool known;
	enum err err = sheet_count(tx, SHEET_OPEN_EXCEPTIONS, transaction_id, count, &known);

	if (err != ERR_OK || known)
		return err;
	return statement_count(tx, STATEMENT_EXCEPTION_COUNT_OPEN, transaction_id, count);
}

static enum err read_one(struct store_tx *tx, enum statement_id statement, struct id id,
			 struct exception_row *row)
{
	struct cells cells = { .count = 0 };
	struct exception_row found;
	enum err err;

	cells_add_id(&cells, &id);
	err = statement_read(tx, statement, &cells, &shape, &found);
	if (err == ERR_OK)
		*row = found;
	return err;
}

enum err store_exception_find(struct store_tx *tx, struct id id, struct exception_row *row)
{
	return read_one(tx, STATEMENT_EXCEPTION_FIND, id, row);
}

enum err store_exception_lock(struct store_tx *tx, struct id id, struct exception_row *row)
{
	return read_one(tx, STATEMENT_EXCEPTION_LOCK, id, row);
}

enum err store_exception_update(struct store_tx *tx, const struct exception_row *row)
{
	struct cells cells = { .count = 0 };

	sheet_uncount(tx, row->transaction_id);
	cells_add_row(&cells, &settling, row);
	cells_add_id(&cells, &row->id);
	return statement_write_one(tx, STATEMENT_EXCEPTION_UPDATE, &cells);
}

struct listing {
	store_exception_each *each;
	void *context;
};

static void list_each(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each(listing->context, row);
}

static enum err list(struct store_tx *tx, enum statement_id statement, const struct cells *cells,
		     struct listing *listing)
{
	struct exception_row row;
	const struct statement_many many = { statement, cells,     &shape,
					     &row,      list_each, listing };

	return statement_read_many(tx, &many);
}

enum err store_exception_list_of(struct store_tx *tx, struct id transaction_id,
				 store_exception_each *each, void *context)
{
	struct listing listing = { each, context };
	struct cells cells = { .count = 0 };

	cells_add_id(&cells, &transaction_id);
	return list(tx, STATEMENT_EXCEPTION_LIST_OF, &cells, &listing);
}

enum err store_exception_list(struct store_tx *tx, const struct exception_filter *filter,
			      store_exception_each *each, void *context)
{
	struct listing listing = { each, context };
	struct cells cells = { .count = 0 };

	cells_add_text(&cells, words_text(exception_state_words, (int)filter->state));
	cells_add_text(&cells, filter->kind);
	cells_add_text(&cells, filter->kind);
	cells_add_integer(&cells, filter->limit);
	return list(tx, STATEMENT_EXCEPTION_LIST, &cells, &listing);
}

struct count_row {
	int64_t count;
};
static const struct column count_columns[] = { COLUMN_NUMBER(struct count_row, count) };
static const struct shape count_shape = SHAPE(count_columns);

enum err store_exception_count_kind(struct store_tx *tx, struct id transaction_id,
				    enum operation_kind kind, bool unmatched, int64_t *count)
{
	struct count_row found;
	struct cells cells = { .count = 0 };
	enum err err;

	cells_add_id(&cells, &transaction_id);
	cells_add_text(&cells, words_text(operation_kind_words, (int)kind));
	cells_add_integer(&cells, unmatched ? 1 : 0);
	err = statement_read(tx, STATEMENT_EXCEPTION_COUNT_KIND, &cells, &count_shape, &found);
	if (err == ERR_OK)
		*count = found.count;
	return err;
}

enum err store_exception_resolve(struct store_tx *tx, const struct exception_place *place,
				 const char *note, int64_t at_us)
{
	struct cells cells = { .count = 0 };

	sheet_uncount(tx, place->transaction_id);
	cells_add_text(&cells, "payops");
	cells_add_integer(&cells, at_us);
	cells_add_text(&cells, note);
	cells_add_id(&cells, &place->attempt_id);
	cells_add_text(&cells, words_text(exception_kind_words, (int)place->kind));
	return statement_write(tx, STATEMENT_EXCEPTION_RESOLVE, &cells, NULL);
}

enum err store_exception_tell(struct store_tx *tx, const struct exception_place *place,
			      const char *detail)
{
	struct cells cells = { .count = 0 };

	cells_add_text(&cells, detail);
	cells_add_id(&cells, &place->attempt_id);
	cells_add_text(&cells, words_text(exception_kind_words, (int)place->kind));
	return statement_write(tx, STATEMENT_EXCEPTION_TELL, &cells, NULL);
}
