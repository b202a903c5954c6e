/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/customer.h"

#include <assert.h>
#include <string.h>

#include "store/statement.h"

static const char *const status_list[] = { "active", "erased" };
const struct words customer_status_words = { status_list, 2 };

static const struct column columns[] = {
	COLUMN_FIXED(struct customer_row, id),
	COLUMN_TEXT(struct customer_row, merchant),
	COLUMN_TEXT(struct customer_row, customer),
	COLUMN_WORD(struct customer_row, status, customer_status_words),
	COLUMN_TEXT_OR_NULL(struct customer_row, country),
	COLUMN_BYTES_OR_NULL(struct customer_row, profile_sealed, profile_sealed_size),
	COLUMN_BYTES_OR_NULL(struct customer_row, metadata_sealed, metadata_sealed_size),
	COLUMN_TEXT_OR_NULL(struct customer_row, key_id),
	COLUMN_FIXED_OR_NULL(struct customer_row, email_hash),
	COLUMN_FIXED_OR_NULL(struct customer_row, phone_hash),
	COLUMN_NUMBER(struct customer_row, version),
	COLUMN_NUMBER(struct customer_row, created_at_us),
	COLUMN_NUMBER(struct customer_row, updated_at_us),
	COLUMN_NUMBER_OR_NULL(struct customer_row, erased_at_us),
	COLUMN_FIXED_OR_NULL(struct customer_row, key.hash),
	COLUMN_BYTES_OR_NULL(struct customer_row, key.request, key.request_size),
};
static const struct shape shape = SHAPE(columns);

/* What an update writes: all from the status on. */
#define IDENTITY_COLUMNS 3
static const struct shape changes = { columns + IDENTITY_COLUMNS,
				      sizeof columns / sizeof columns[0] - IDENTITY_COLUMNS };

enum err store_customer_insert(struct store_tx *tx, const struct customer_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &shape, row);
	return statement_write(tx, STATEMENT_CUSTOMER_INSERT, &cells, NULL);
}

static enum err read_one(struct store_tx *tx, enum statement_id id, const char *const whose[2],
			 struct customer_row *row)
{
	struct cells cells = { .count = 0 };
	struct customer_row found;
	enum err err;

	cells_add_text(&cells, whose[0]);
	cells_add_text(&cells, whose[1]);
	err = statement_read(tx, id, &cells, &shape, &found);
	if (err == ERR_OK)
		*row = found;
	return err;
}

enum err store_customer_find(struct store_tx *tx, const char *merchant, const char *customer,
			     struct customer_row *row)
{
	return read_one(tx, STATEMENT_CUSTOMER_FIND, (const char *[2]){ merchant, customer }, row);
}

enum err store_customer_lock(struct store_tx *tx, const char *merchant, const char *customer,
			     struct customer_row *row)
{
	return read_one(tx, STATEMENT_CUSTOMER_LOCK, (const char *[2]){ merchant, customer }, row);
}

enum err store_customer_find_key(struct store_tx *tx, const char *merchant,
				 const struct creation_key *key, struct customer_row *row)
{
	struct cells cells = { .count = 0 };
	struct customer_row found;
	enum err err;

	cells_add_text(&cells, merchant);
	cells_add_raw(&cells, key->hash, sizeof key->hash);
	err = statement_read(tx, STATEMENT_CUSTOMER_FIND_KEY, &cells, &shape, &found);
	if (err == ERR_OK)
		*row = found;
	return err;
}

enum err store_customer_update(struct store_tx *tx, const struct customer_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &changes, row);
	cells_add_id(&cells, &row->id);
	cells_add_integer(&cells, (int64_t)row->version - 1);
	return statement_write_one(tx, STATEMENT_CUSTOMER_UPDATE, &cells);
}

struct country_row {
	char country[3];
};
static const struct column country_columns[] = { COLUMN_TEXT(struct country_row, country) };
static const struct shape country_shape = SHAPE(country_columns);

enum err store_customer_country(struct store_tx *tx, const char *merchant, const char *customer,
				char country[3])
{
	struct cells cells = { .count = 0 };
	struct country_row found;
	enum err err;

	cells_add_text(&cells, merchant);
	cells_add_text(&cells, customer);
	err = statement_read(tx, STATEMENT_CUSTOMER_COUNTRY, &cells, &country_shape, &found);
	if (err == ERR_OK)
		memcpy(country, found.country, sizeof found.country);
	return err;
}

enum err store_customer_any_country(struct store_tx *tx, const char *merchant, bool *any)
{
	struct cells cells = { .count = 0 };
	struct country_row found;
	enum err err;

	cells_add_text(&cells, merchant);
	err = statement_read(tx, STATEMENT_CUSTOMER_ANY_COUNTRY, &cells, &country_shape, &found);
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		return err;
	*any = err == ERR_OK;
	return ERR_OK;
}

/* ---- lists ---- */

static void add_hash_filter(struct cells *cells, const uint8_t *hash)
{
	for (int i = 0; i < 2; i++)
		cells_add_raw(cells, hash != NULL ? hash : (const uint8_t *)"",
			      hash != NULL ? CUSTOMER_HASH_SIZE : 0);
}

/* The narrowest index for the filters, with its own column's value. */
static enum statement_id path_begin(const struct customer_page *page, struct cells *cells)
{
	cells_add_text(cells, page->merchant);
	if (page->email_hash != NULL) {
		cells_add_raw(cells, page->email_hash, CUSTOMER_HASH_SIZE);
		return STATEMENT_CUSTOMER_LIST_EMAIL;
	}
	if (page->phone_hash != NULL) {
		cells_add_raw(cells, page->phone_hash, CUSTOMER_HASH_SIZE);
		return STATEMENT_CUSTOMER_LIST_PHONE;
	}
	if (page->country != NULL) {
		cells_add_text(cells, page->country);
		return STATEMENT_CUSTOMER_LIST_COUNTRY;
	}
	cells_add_text(cells, words_text(customer_status_words, (int)page->status));
	return STATEMENT_CUSTOMER_LIST;
}

struct listing {
	store_customer_each *each;
	void *context;
};

static void list_each(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each(listing->context, row);
}

enum err store_customer_list(struct store_tx *tx, const struct customer_page *page,
			     store_customer_each *each, void *context)
{
	const char *country = page->country != NULL ? page->country : "";
	struct cells cells = { .count = 0 };
	struct listing listing = { each, context };
	struct customer_row row;
	const struct statement_many many = {
		path_begin(page, &cells), &cells, &shape, &row, list_each, &listing
	};

	assert(page->limit >= 1);
	cells_add_integer(&cells, page->after_us);
	cells_add_integer(&cells, page->after_us);
	cells_add_id(&cells, &page->after_id);
	cells_add_integer(&cells, page->from_us);
	cells_add_text(&cells, words_text(customer_status_words, (int)page->status));
	cells_add_text(&cells, country);
	cells_add_text(&cells, country);
	add_hash_filter(&cells, page->email_hash);
	add_hash_filter(&cells, page->phone_hash);
	cells_add_integer(&cells, page->limit);
	return statement_read_many(tx, &many);
}
