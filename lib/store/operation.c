/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/operation.h"

#include <assert.h>
#include <string.h>

#include "store/bulk.h"
#include "store/sheet_private.h"
#include "store/statement.h"

static const struct column columns[] = {
	COLUMN_FIXED(struct operation_row, id),
	COLUMN_FIXED(struct operation_row, transaction_id),
	COLUMN_TEXT(struct operation_row, merchant),
	COLUMN_WORD(struct operation_row, kind, operation_kind_words),
	COLUMN_NUMBER(struct operation_row, amount_minor),
	COLUMN_WORD(struct operation_row, status, operation_status_words),
	COLUMN_WORD(struct operation_row, next_action, next_action_words),
	COLUMN_NUMBER_OR_NULL(struct operation_row, next_action_at_us),
	COLUMN_NUMBER(struct operation_row, gateway_key_number),
	COLUMN_NUMBER(struct operation_row, attempt_count),
	COLUMN_NUMBER(struct operation_row, retry_count),
	COLUMN_NUMBER(struct operation_row, human_verdict),
	COLUMN_TEXT_OR_NULL(struct operation_row, idempotency_key),
	COLUMN_BYTES_OR_NULL(struct operation_row, request_hashes, request_hashes_size),
	COLUMN_BYTES_OR_NULL(struct operation_row, payment_token_sealed, payment_token_sealed_size),
	COLUMN_TEXT_OR_NULL(struct operation_row, payment_token_key_id),
	COLUMN_NUMBER(struct operation_row, created_at_us),
	COLUMN_NUMBER(struct operation_row, updated_at_us),
	COLUMN_NUMBER_OR_NULL(struct operation_row, cancel_wished_at_us),
	COLUMN_BYTES_OR_NULL(struct operation_row, trace.bytes, trace.size),
	COLUMN_FIXED_OR_NULL(struct operation_row, payment_method_id),
	COLUMN_TEXT_OR_NULL(struct operation_row, token_gateway),
	/* of captures, voids and refunds */
	COLUMN_FIXED_OR_NULL(struct operation_row, parent_attempt_id),
	COLUMN_NUMBER(struct operation_row, surplus),
	COLUMN_TEXT_OR_NULL(struct operation_row, reason),
	COLUMN_WORD_OR_NULL(struct operation_row, form, amount_form_words, OPERATION_NO_FORM),
	COLUMN_TEXT_OR_NULL(struct operation_row, status_reason),
	COLUMN_TEXT_OR_NULL(struct operation_row, route_rule),
	COLUMN_TEXT_OR_NULL(struct operation_row, route_candidates),
};
static const struct shape shape = SHAPE(columns);
#define ACCEPTED_COLUMNS 22 /* those that a payment's own operation has */
#define NEXT_ACTION_AT 7    /* its place in them */

static const struct column changing[] = {
	COLUMN_WORD(struct operation_row, status, operation_status_words),
	COLUMN_WORD(struct operation_row, next_action, next_action_words),
	COLUMN_NUMBER_OR_NULL(struct operation_row, next_action_at_us),
	COLUMN_NUMBER(struct operation_row, gateway_key_number),
	COLUMN_NUMBER(struct operation_row, attempt_count),
	COLUMN_NUMBER(struct operation_row, retry_count),
	COLUMN_NUMBER(struct operation_row, human_verdict),
	COLUMN_NUMBER_OR_NULL(struct operation_row, cancel_wished_at_us),
	COLUMN_NUMBER(struct operation_row, updated_at_us),
	COLUMN_TEXT_OR_NULL(struct operation_row, status_reason),
	COLUMN_TEXT_OR_NULL(struct operation_row, route_rule),
	COLUMN_TEXT_OR_NULL(struct operation_row, route_candidates),
};
static const struct shape change = SHAPE(changing);

static const struct column figure_columns[] = {
	COLUMN_NUMBER(struct operation_figures, without_next_action),
	COLUMN_NUMBER(struct operation_figures, due),
	COLUMN_NUMBER(struct operation_figures, oldest_due_us),
};
static const struct shape figure_shape = SHAPE(figure_columns);

struct sole_row {
	struct id operation_id;
};
static const struct column sole_columns[] = { COLUMN_FIXED(struct sole_row, operation_id) };
static const struct shape sole_shape = SHAPE(sole_columns);

static const struct column sums_columns[] = {
	COLUMN_NUMBER(struct operation_sums, refunds),
	COLUMN_NUMBER(struct operation_sums, captures),
	COLUMN_NUMBER(struct operation_sums, open_captures),
};
static const struct shape sums_shape = SHAPE(sums_columns);

static const struct column key_columns[] = {
	COLUMN_FIXED(struct operation_key, transaction_id),
	COLUMN_NUMBER(struct operation_key, first_seen_at_us),
	COLUMN_WORD(struct operation_key, status, transaction_status_words),
};
static const struct shape key_shape = SHAPE(key_columns);

enum err store_operation_insert(struct store_tx *tx, const struct operation_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_row(&cells, &shape, row);
	return statement_write(tx, STATEMENT_OPERATION_INSERT, &cells, NULL);
}

enum err store_operation_accept_all(struct store_tx *tx, const struct operation_row *const *rows,
				    size_t count, size_t *inserted)
{
	struct column accepting[ACCEPTED_COLUMNS];
	const struct shape accept_shape = SHAPE(accepting);
	const struct bulk_rows bulk = { STATEMENT_OPERATION_ACCEPT_ALL, &accept_shape,
					(const void *const *)rows, count };
	uint64_t affected;
	enum err err;

	memcpy(accepting, columns, sizeof accepting); /* the first ones */
	accepting[NEXT_ACTION_AT].nullable = false;   /* 0 is at once, not never */
	err = bulk_write(tx, &bulk, &affected);
	if (err == ERR_OK)
		*inserted = (size_t)affected;
	return err;
}

static enum err read_one(struct store_tx *tx, enum statement_id id, const struct cells *cells,
			 struct operation_row *row)
{
	struct operation_row found;
	enum err err = statement_read(tx, id, cells, &shape, &found);

	if (err == ERR_OK)
		*row = found;
	return err;
}

enum err store_operation_lock(struct store_tx *tx, struct id id, struct operation_row *row)
{
	struct cells cells = { .count = 0 };
	const struct operation_row *kept = sheet_find(tx, SHEET_OPERATION, id);
	enum err err;

	if (kept != NULL) {
		*row = *kept;
		return ERR_OK;
	}
	cells_add_id(&cells, &id);
	err = read_one(tx, STATEMENT_OPERATION_LOCK, &cells, row);
	return err == ERR_OK && sheet_is_open(tx) ? sheet_put(tx, SHEET_OPERATION, row, 0) : err;
}

enum err operation_lock_all(struct store_tx *tx, const struct sheet_query *query)
{
	struct operation_row row;

	return sheet_query_run(tx, STATEMENT_OPERATION_LOCK_ALL, &shape, &row, query);
}

struct finding {
	operation_id_each *each;
	void *context;
};

static void find_each(void *context, const void *row)
{
	const struct finding *finding = context;

	finding->each(finding->context, ((const struct sole_row *)row)->operation_id);
}

enum err operation_find_voids(struct store_tx *tx, const struct id *operations, size_t count,
			      operation_id_each *each, void *context)
{
	struct sole_row row;
	struct finding finding = { each, context };
	const struct bulk_read read = { .id = STATEMENT_OPERATION_FIND_VOIDS,
					.shape = &sole_shape,
					.ids = operations,
					.count = count,
					.row = &row,
					.each = find_each,
					.context = &finding };

	return bulk_read(tx, &read);
}

enum err operation_write_all(struct store_tx *tx, const struct operation_row *const *rows,
			     size_t count)
{
	return bulk_put(tx, STATEMENT_OPERATION_WRITE_ALL, &shape, (const void *const *)rows,
			count);
}

enum err store_operation_find_key(struct store_tx *tx, const char *merchant, const char *key,
				  struct operation_row *row)
{
	struct cells cells = { .count = 0 };

	enum err err = sheet_flush(tx);

	if (err != ERR_OK)
		return err;
	cells_add_text(&cells, merchant);
	cells_add_text(&cells, key);
	return read_one(tx, STATEMENT_OPERATION_FIND_KEY, &cells, row);
}

enum err store_operation_show_key(struct store_tx *tx, const char *merchant, const char *key,
				  struct operation_key *found)
{
	struct operation_key shown;
	struct cells cells = { .count = 0 };
	enum err err;

	cells_add_text(&cells, merchant);
	cells_add_text(&cells, key);
	err = statement_read(tx, STATEMENT_OPERATION_SHOW_KEY, &cells, &key_shape, &shown);
	if (err == ERR_OK)
		*found = shown;
	return err;
}

enum err store_operation_probe_key(struct store_tx *tx, const char *merchant, const char *key)
{
	struct sole_row found;
	struct cells cells = { .count = 0 };

	cells_add_text(&cells, merchant);
	cells_add_text(&cells, key);
	return statement_read(tx, STATEMENT_OPERATION_PROBE_KEY, &cells, &sole_shape, &found);
}

struct listing {
	store_operation_each *each;
	void *context;
};

static void list_each(void *context, const void *row)
{
	const struct listing *listing = context;

	listing->each(listing->context, row);
}

enum err store_operation_list_of(struct store_tx *tx, const char *merchant,
				 struct id transaction_id, store_operation_each *each,
				 void *context)
{
	struct operation_row row;
	struct listing listing = { each, context };
	struct cells cells = { .count = 0 };
	const struct statement_many many = {
		STATEMENT_OPERATION_LIST_OF, &cells, &shape, &row, list_each, &listing
	};

	cells_add_id(&cells, &transaction_id);
	cells_add_text(&cells, merchant);
	return statement_read_many(tx, &many);
}

enum err store_operation_ask_now(struct store_tx *tx, const char *merchant,
				 struct id transaction_id, int64_t rest_us, bool *due)
{
	struct cells cells = { .count = 0 };
	uint64_t affected = 0;
	enum err err;

	cells_add_id(&cells, &transaction_id);
	cells_add_text(&cells, merchant);
	cells_add_integer(&cells, rest_us);
	err = statement_write(tx, STATEMENT_OPERATION_ASK_NOW, &cells, &affected);
	if (err == ERR_OK)
		*due = affected > 0;
	return err;
}

struct found_row {
	int64_t found;
};

enum err store_operation_bring_back(struct store_tx *tx, int64_t ahead_us, uint64_t *count)
{
	static const enum statement_id bring[] = { STATEMENT_OPERATION_BRING_ATTEMPTS,
						   STATEMENT_OPERATION_BRING_TRANSACTIONS,
						   STATEMENT_OPERATION_BRING_BACK };
	static const struct column finding[] = { COLUMN_NUMBER(struct found_row, found) };
	static const struct shape shape_found = SHAPE(finding);
	struct found_row row = { .found = 0 };
	struct cells cells = { .count = 0 };
	enum err err;

	cells_add_integer(&cells, ahead_us);
	*count = 0;
	err = statement_read(tx, STATEMENT_OPERATION_OF_FUTURE, &cells, &shape_found, &row);
	for (size_t i = 0; err == ERR_OK && row.found != 0 && i < sizeof bring / sizeof bring[0];
	     i++)
		err = statement_write(tx, bring[i], &cells, count);
	return err;
}

enum err store_operation_find_money(struct store_tx *tx, struct id transaction_id,
				    struct id *operation_id)
{
	struct sole_row found;
	struct cells cells = { .count = 0 };
	enum err err;

	cells_add_id(&cells, &transaction_id);
	err = statement_read(tx, STATEMENT_OPERATION_FIND_MONEY, &cells, &sole_shape, &found);
	if (err == ERR_OK)
		*operation_id = found.operation_id;
	return err;
}

enum err store_operation_read_key(struct store_tx *tx, const char *merchant, const char *key,
				  struct operation_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_text(&cells, merchant);
	cells_add_text(&cells, key);
	return read_one(tx, STATEMENT_OPERATION_READ_KEY, &cells, row);
}

enum err store_operation_read(struct store_tx *tx, struct id id, struct operation_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_id(&cells, &id);
	return read_one(tx, STATEMENT_OPERATION_READ, &cells, row);
}

enum err store_operation_find_surplus(struct store_tx *tx, struct id attempt_id,
				      struct operation_row *row)
{
	struct cells cells = { .count = 0 };

	cells_add_id(&cells, &attempt_id);
	return read_one(tx, STATEMENT_OPERATION_FIND_SURPLUS, &cells, row);
}

enum err store_operation_find_void(struct store_tx *tx, struct id transaction_id,
				   struct id *operation_id)
{
	struct sole_row found;
	struct cells cells = { .count = 0 };
	enum err err;

	cells_add_id(&cells, &transaction_id);
	err = statement_read(tx, STATEMENT_OPERATION_FIND_VOID, &cells, &sole_shape, &found);
	if (err == ERR_OK)
		*operation_id = found.operation_id;
	return err;
}

enum err store_operation_sums(struct store_tx *tx, struct id transaction_id,
			      struct operation_sums *sums)
{
	struct operation_sums found;
	struct cells cells = { .count = 0 };
	enum err err = sheet_flush(tx);

	if (err != ERR_OK)
		return err;
	cells_add_id(&cells, &transaction_id);
	err = statement_read(tx, STATEMENT_OPERATION_SUMS, &cells, &sums_shape, &found);
	if (err == ERR_OK)
		*sums = found;
	return err;
}

/* On the sheet rows are written whole: what says which key a wiped token was sealed with goes with it. */
static bool keep_changed(struct store_tx *tx, const struct operation_row *row)
{
	struct operation_row whole;

	if (!sheet_is_open(tx))
		return false;
	whole = *row;
	if (whole.payment_token_sealed_size == 0)
		whole.payment_token_key_id[0] = '\0';
	return sheet_change(tx, SHEET_OPERATION, &whole);
}

enum err store_operation_update(struct store_tx *tx, const struct operation_row *row)
{
	int64_t sealed = row->payment_token_sealed_size == 0 ? 0 : 1;
	struct cells cells = { .count = 0 };

	if (keep_changed(tx, row))
		return ERR_OK;
	cells_add_row(&cells, &change, row);
	cells_add_integer(&cells, sealed);
	cells_add_integer(&cells, sealed);
	cells_add_id(&cells, &row->id);
	return statement_write_one(tx, STATEMENT_OPERATION_UPDATE, &cells);
}

struct claim {
	struct operation_row *rows;
	size_t count;
};

static void claim_each(void *context, const void *row)
{
	struct claim *claim = context;

	claim->rows[claim->count++] = *(const struct operation_row *)row;
}

enum err store_operation_claim(struct store_tx *tx, size_t limit, struct operation_row *rows,
			       size_t *count)
{
	struct operation_row row;
	struct claim claim = { rows, 0 };
	struct cells cells = { .count = 0 };
	const struct statement_many many = {
		STATEMENT_OPERATION_CLAIM, &cells, &shape, &row, claim_each, &claim
	};
	enum err err;

	assert(limit >= 1 && limit <= OPERATION_CLAIM_MAX);
	cells_add_integer(&cells, (int64_t)limit);
	err = statement_read_many(tx, &many);
	for (size_t i = 0; err == ERR_OK && sheet_is_open(tx) && i < claim.count; i++)
		err = sheet_put(tx, SHEET_OPERATION, &rows[i], 0);
	if (err == ERR_OK)
		*count = claim.count;
	return err;
}

enum err store_operation_figures(struct store_tx *tx, struct operation_figures *figures)
{
	struct operation_figures found;
	const struct cells none = { .count = 0 };
	enum err err =
		statement_read(tx, STATEMENT_OPERATION_FIGURES, &none, &figure_shape, &found);

	if (err == ERR_OK)
		*figures = found;
	return err;
}
