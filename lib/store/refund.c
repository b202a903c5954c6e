/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/refund.h"

#include <assert.h>
#include <stdio.h>

#include "store/statement.h"

#define LOOK_MAX                                                                                   \
	1000 /* refunds that are judged for one page: each needs its transaction and attempt */
#define WORDS_SIZE 128

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
	COLUMN_NUMBER(struct refund_view, transaction_version),
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

/* ---- a page of all of the merchant's ---- */

struct gathering {
	const struct refund_page *page;
	store_refund_each *each;
	void *context;
	int64_t from_us;
	unsigned count;
	struct refund_page_end end;
};

static const char *or_any(const char *text)
{
	return text != NULL ? text : "";
}

static void add_place(const struct gathering *gathering, struct cells *cells)
{
	const struct refund_page *page = gathering->page;

	cells_add_text(cells, page->merchant);
	cells_add_integer(cells, page->after_us);
	cells_add_integer(cells, page->after_us);
	cells_add_id(cells, &page->after_id);
	cells_add_integer(cells, gathering->from_us);
}

/* Look no further than the time of the last row that may be judged; rows of that very time are. */
static enum err bound_read(struct store_tx *tx, struct gathering *gathering)
{
	static const struct column bound_columns[] = {
		COLUMN_NUMBER(struct refund_view, created_at_us),
	};
	static const struct shape bound_shape = SHAPE(bound_columns);
	struct refund_view bound;
	struct cells cells = { .count = 0 };
	enum err err;

	add_place(gathering, &cells);
	cells_add_integer(&cells, LOOK_MAX - 1);
	err = statement_read(tx, STATEMENT_REFUND_BOUND, &cells, &bound_shape, &bound);
	if (err == ERR_OK)
		gathering->from_us = bound.created_at_us;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* The row behind the page only tells that there is one. */
static void page_each(void *context, const void *row)
{
	struct gathering *gathering = context;
	const struct refund_view *view = row;

	if (gathering->count++ == gathering->page->limit) {
		gathering->end.more = true;
		return;
	}
	if (gathering->count == gathering->page->limit) {
		gathering->end.at_us = view->created_at_us;
		gathering->end.id = view->id;
	}
	gathering->each(gathering->context, view);
}

static void add_filter(struct cells *cells, const char *text)
{
	cells_add_text(cells, or_any(text));
	cells_add_text(cells, or_any(text));
}

/* "failed,parked" */
static void statuses_write(unsigned statuses, char out[WORDS_SIZE])
{
	size_t used = 0;

	out[0] = '\0';
	for (int status = 0; status < operation_status_words.count; status++)
		if ((statuses >> status & 1) != 0)
			used += (size_t)snprintf(out + used, WORDS_SIZE - used, "%s%s",
						 used > 0 ? "," : "",
						 words_text(operation_status_words, status));
	assert(used < WORDS_SIZE);
}

static enum err page_read(struct store_tx *tx, struct gathering *gathering)
{
	const struct refund_page *page = gathering->page;
	struct refund_view view;
	char statuses[WORDS_SIZE];
	struct cells cells = { .count = 0 };
	const struct statement_many many = {
		STATEMENT_REFUND_PAGE, &cells, &shape, &view, page_each, gathering
	};

	statuses_write(page->statuses, statuses);
	add_place(gathering, &cells);
	add_filter(&cells, statuses);
	add_filter(&cells, page->currency);
	add_filter(&cells, page->method);
	add_filter(&cells, page->customer);
	add_filter(&cells, page->gateway);
	cells_add_integer(&cells, (int64_t)page->limit + 1);
	return statement_read_many(tx, &many);
}

enum err store_refund_page(struct store_tx *tx, const struct refund_page *page,
			   store_refund_each *each, void *context, struct refund_page_end *end)
{
	struct gathering gathering = {
		.page = page, .each = each, .context = context, .from_us = page->from_us
	};
	const bool narrowed = page->statuses != 0 || page->currency != NULL ||
			      page->method != NULL || page->customer != NULL ||
			      page->gateway != NULL;
	enum err err = ERR_OK;

	assert(page->limit >= 1 && page->limit <= REFUND_LIST_LIMIT_MAX);
	if (narrowed)
		err = bound_read(tx, &gathering);
	if (err == ERR_OK)
		err = page_read(tx, &gathering);
	if (err != ERR_OK)
		return err;
	*end = gathering.end;
	if (!end->more && gathering.from_us > page->from_us)
		*end = (struct refund_page_end){ .more = true, .at_us = gathering.from_us };
	return ERR_OK;
}
