/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/api_key.h"

#include <assert.h>

#include "store/statement.h"

static const struct column columns[] = {
	COLUMN_TEXT(struct api_key_row, id),
	COLUMN_TEXT(struct api_key_row, merchant),
	COLUMN_TEXT(struct api_key_row, name),
	COLUMN_NUMBER_OR_NULL(struct api_key_row, slot),
	COLUMN_FIXED(struct api_key_row, digest),
	COLUMN_TEXT(struct api_key_row, scopes),
	COLUMN_NUMBER(struct api_key_row, created_at_us),
	COLUMN_TEXT(struct api_key_row, created_by),
	COLUMN_NUMBER(struct api_key_row, expires_at_us),
	COLUMN_NUMBER_OR_NULL(struct api_key_row, revoked_at_us),
	COLUMN_TEXT_OR_NULL(struct api_key_row, revoked_by),
};
static const struct shape shape = SHAPE(columns);

enum err store_api_key_insert(struct store_tx *tx, const struct api_key_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &shape, row);
	return statement_write(tx, STATEMENT_API_KEY_INSERT, &cells, NULL);
}

enum err store_api_key_find(struct store_tx *tx, const char *id, struct api_key_row *row)
{
	struct cells cells = { .count = 0 };
	struct api_key_row found;
	enum err err;

	cells_add_text(&cells, id);
	err = statement_read(tx, STATEMENT_API_KEY_FIND, &cells, &shape, &found);
	if (err == ERR_OK)
		*row = found;
	return err;
}

struct holders {
	struct api_key_row *rows;
	size_t count;
};

static void lock_each(void *context, const void *row)
{
	struct holders *holders = context;

	assert(holders->count < API_KEY_SLOTS);
	holders->rows[holders->count++] = *(const struct api_key_row *)row;
}

enum err store_api_key_lock(struct store_tx *tx, const char *merchant, const char *name,
			    struct api_key_row rows[API_KEY_SLOTS], size_t *count)
{
	struct cells cells = { .count = 0 };
	struct holders holders = { .rows = rows };
	struct api_key_row row;
	const struct statement_many many = {
		STATEMENT_API_KEY_LOCK, &cells, &shape, &row, lock_each, &holders
	};
	enum err err;

	cells_add_text(&cells, merchant);
	cells_add_text(&cells, name);
	err = statement_read_many(tx, &many);
	if (err == ERR_OK)
		*count = holders.count;
	return err;
}

enum err store_api_key_vacate(struct store_tx *tx, const char *merchant, const char *name,
			      int64_t now_us)
{
	struct cells cells = { .count = 0 };

	cells_add_text(&cells, merchant);
	cells_add_text(&cells, name);
	cells_add_integer(&cells, now_us);
	return statement_write(tx, STATEMENT_API_KEY_VACATE, &cells, NULL);
}

enum err store_api_key_revoke(struct store_tx *tx, const char *id, int64_t now_us, const char *by)
{
	struct cells cells = { .count = 0 };

	cells_add_integer(&cells, now_us);
	cells_add_text(&cells, by);
	cells_add_text(&cells, id);
	return statement_write(tx, STATEMENT_API_KEY_REVOKE, &cells, NULL);
}

struct listing {
	store_api_key_each *each;
	void *context;
};

static void list_each(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each(listing->context, row);
}

enum err store_api_key_list(struct store_tx *tx, const char *merchant, store_api_key_each *each,
			    void *context)
{
	struct cells cells = { .count = 0 };
	struct listing listing = { each, context };
	struct api_key_row row;
	const struct statement_many many = {
		STATEMENT_API_KEY_LIST, &cells, &shape, &row, list_each, &listing
	};

	cells_add_text(&cells, merchant);
	cells_add_text(&cells, merchant);
	return statement_read_many(tx, &many);
}

enum err store_api_key_page(struct store_tx *tx, const char *merchant,
			    const struct api_key_place *after, unsigned limit,
			    store_api_key_each *each, void *context)
{
	struct cells cells = { .count = 0 };
	struct listing listing = { each, context };
	struct api_key_row row;
	const struct statement_many many = {
		STATEMENT_API_KEY_PAGE, &cells, &shape, &row, list_each, &listing
	};

	cells_add_text(&cells, merchant);
	cells_add_integer(&cells, after->at_us);
	cells_add_integer(&cells, after->at_us);
	cells_add_id(&cells, &after->id);
	cells_add_integer(&cells, limit);
	return statement_read_many(tx, &many);
}
