/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/transaction.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/statement.h"

/*
 * A page is found in two steps: keys from an index in the order of the list, then the objects of these keys. Filters
 * that no index narrows are judged row by row: of a few rows first, which is enough where most pass, then of four times
 * as many, and so on up to what one page may cost.
 */
#define FIRST_LOOK(LIMIT) (2 * ((size_t)(LIMIT) + 1)) /* rows, of each status */
#define LOOK_GROWTH 4
#define LOOK_MAX_ATTEMPTS 150 /* where the latest attempt of each is looked up */
#define KEYS_MAX ((TRANSACTION_LIST_LIMIT_MAX + 1) * (TS_COUNT + 1))
#define SHOWN_AT_ONCE 64
#define WORDS_SIZE 80

static_assert(SHOWN_AT_ONCE <= TRANSACTION_SHOW_MAX, "one statement for them");

struct key {
	int64_t created_at_us;
	struct id id;
};

/* The indexes a list can follow, and how many rows of each are looked at for one page. */
enum path { PATH_ALL, PATH_STATUS, PATH_CUSTOMER, PATH_GATEWAY };

static const struct {
	enum statement_id keys;
	enum statement_id bound;
	size_t look_max;
} paths[] = {
	[PATH_ALL] = { STATEMENT_TRANSACTION_KEYS, STATEMENT_TRANSACTION_BOUND, 1200 },
	[PATH_STATUS] = { STATEMENT_TRANSACTION_KEYS_STATUS, STATEMENT_TRANSACTION_BOUND_STATUS,
			  1000 },
	[PATH_CUSTOMER] = { STATEMENT_TRANSACTION_KEYS_CUSTOMER,
			    STATEMENT_TRANSACTION_BOUND_CUSTOMER, 1000 },
	[PATH_GATEWAY] = { STATEMENT_TRANSACTION_KEYS_GATEWAY, STATEMENT_TRANSACTION_BOUND_GATEWAY,
			   400 },
};

struct gathering { /* of one page */
	struct store_tx *tx;
	const struct transaction_page *page;
	enum path path;
	bool narrowed;    /* by filters that the index does not know */
	int64_t after_us; /* this look begins after this place */
	struct id after_id;
	int64_t from_us;       /* and ends with this time */
	size_t look;           /* how many rows it is for */
	struct id first, last; /* PATH_GATEWAY: of its transactions */
	struct key keys[KEYS_MAX];
	size_t count;
};

static const struct column key_columns[] = {
	COLUMN_NUMBER(struct key, created_at_us),
	COLUMN_FIXED(struct key, id),
};
static const struct shape key_shape = SHAPE(key_columns);

static const char *or_any(const char *text)
{
	return text != NULL ? text : "";
}

static const char *status_text(int status)
{
	return words_text(transaction_status_words, status);
}

/* ---- which rows ---- */

/* PATH_GATEWAY: what its index can say of a place. */
static void add_range(struct gathering *gathering, struct cells *cells)
{
	static const uint8_t first[10] = { 0 };
	const bool includes = !id_is_empty(gathering->after_id);

	gathering->first = id_make(gathering->from_us, first);
	gathering->last = id_last_of(gathering->after_us - (includes ? 0 : 1));
	cells_add_id(cells, &gathering->first);
	cells_add_id(cells, &gathering->last);
}

static void add_index(struct gathering *gathering, int status, struct cells *cells)
{
	const struct transaction_page *page = gathering->page;

	cells_add_text(cells, page->merchant);
	if (gathering->path == PATH_CUSTOMER)
		cells_add_text(cells, page->customer);
	if (gathering->path == PATH_STATUS)
		cells_add_text(cells, status_text(status));
	if (gathering->path == PATH_GATEWAY) {
		cells_add_text(cells, page->gateway);
		add_range(gathering, cells);
	}
}

static void add_place(struct gathering *gathering, struct cells *cells)
{
	cells_add_integer(cells, gathering->after_us);
	cells_add_integer(cells, gathering->after_us);
	cells_add_id(cells, &gathering->after_id);
	cells_add_integer(cells, gathering->from_us);
}

static void key_take(void *context, const void *row)
{
	struct gathering *gathering = context;

	assert(gathering->count < KEYS_MAX);
	gathering->keys[gathering->count++] = *(const struct key *)row;
}

static void add_filter(struct cells *cells, const char *text)
{
	cells_add_text(cells, text);
	cells_add_text(cells, text);
}

/* "pending,parked", or "" for all. */
static void statuses_write(const struct transaction_page *page, char out[WORDS_SIZE])
{
	size_t used = 0;

	out[0] = '\0';
	for (int status = 0; status < TS_COUNT; status++)
		if ((page->statuses >> status & 1) != 0)
			used += (size_t)snprintf(out + used, WORDS_SIZE - used, "%s%s",
						 used > 0 ? "," : "", status_text(status));
	assert(used < WORDS_SIZE);
}

static enum err keys_read(struct gathering *gathering, int status)
{
	const struct transaction_page *page = gathering->page;
	struct key key;
	char statuses[WORDS_SIZE];
	struct cells cells = { .count = 0 };
	const struct statement_many many = {
		paths[gathering->path].keys, &cells, &key_shape, &key, key_take, gathering
	};

	add_index(gathering, status, &cells);
	add_place(gathering, &cells);
	add_filter(&cells, or_any(page->currency));
	add_filter(&cells, or_any(page->method));
	add_filter(&cells, or_any(page->kind));
	if (gathering->path == PATH_CUSTOMER || gathering->path == PATH_GATEWAY) {
		statuses_write(page, statuses);
		add_filter(&cells, statuses);
	}
	if (gathering->path == PATH_CUSTOMER)
		add_filter(&cells, or_any(page->gateway));
	cells_add_integer(&cells, (int64_t)page->limit + 1);
	return statement_read_many(gathering->tx, &many);
}

/* Look no further than the time of the last row of this look; rows of that very time are. */
static enum err bound_read(struct gathering *gathering, int status)
{
	static const struct column by_id[] = { COLUMN_FIXED(struct key, id) };
	static const struct column by_time[] = { COLUMN_NUMBER(struct key, created_at_us) };
	static const struct shape id_shape = SHAPE(by_id), time_shape = SHAPE(by_time);
	const bool of_gateway = gathering->path == PATH_GATEWAY;
	struct key bound;
	struct cells cells = { .count = 0 };
	enum err err;

	add_index(gathering, status, &cells);
	if (!of_gateway)
		add_place(gathering, &cells);
	cells_add_integer(&cells, (int64_t)gathering->look - 1);
	err = statement_read(gathering->tx, paths[gathering->path].bound, &cells,
			     of_gateway ? &id_shape : &time_shape, &bound);
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err == ERR_OK && !of_gateway)
		gathering->from_us = bound.created_at_us;
	if (err == ERR_OK && of_gateway && id_time_us(bound.id) > gathering->from_us)
		gathering->from_us = id_time_us(bound.id);
	return err;
}

typedef enum err per_status(struct gathering *gathering, int status);

/* Once, or for each status that is asked for where the index begins with it. */
static enum err each_status(struct gathering *gathering, per_status *read)
{
	enum err err = ERR_OK;

	if (gathering->path != PATH_STATUS)
		return read(gathering, 0);
	for (int status = 0; err == ERR_OK && status < TS_COUNT; status++)
		if ((gathering->page->statuses >> status & 1) != 0)
			err = read(gathering, status);
	return err;
}

/* Newest first. */
static int compare(const void *a, const void *b)
{
	const struct key *left = a, *right = b;

	if (left->created_at_us != right->created_at_us)
		return left->created_at_us < right->created_at_us ? 1 : -1;
	return id_compare(right->id, left->id);
}

static size_t look_max(const struct gathering *gathering)
{
	return gathering->path == PATH_CUSTOMER && gathering->page->gateway != NULL
		       ? LOOK_MAX_ATTEMPTS
		       : paths[gathering->path].look_max;
}

/* From the place on, as far as one look goes. */
static enum err keys_look(struct gathering *gathering)
{
	enum err err = ERR_OK;

	gathering->from_us = gathering->page->from_us;
	if (gathering->narrowed)
		err = each_status(gathering, bound_read);
	if (err == ERR_OK)
		err = each_status(gathering, keys_read);
	return err;
}

/* Look until the page is full, the list is at its end, or it is enough for one page. */
static enum err keys_find(struct gathering *gathering)
{
	const struct transaction_page *page = gathering->page;
	size_t left = look_max(gathering), wanted = FIRST_LOOK(page->limit);
	enum err err;

	for (;;) {
		gathering->look = wanted < left ? wanted : left;
		left -= gathering->look;
		wanted *= LOOK_GROWTH;
		err = keys_look(gathering);
		if (err != ERR_OK || gathering->count > page->limit || left == 0 ||
		    gathering->from_us <= page->from_us)
			return err;
		gathering->after_us = gathering->from_us;
		gathering->after_id = (struct id){ .bytes = { 0 } };
	}
}

/* The keys of the page, in order, and where it ends. */
static enum err keys_gather(struct gathering *gathering, struct transaction_page_end *end)
{
	const struct transaction_page *page = gathering->page;
	enum err err = keys_find(gathering);

	if (err != ERR_OK)
		return err;
	qsort(gathering->keys, gathering->count, sizeof gathering->keys[0], compare);
	*end = (struct transaction_page_end){ .more = gathering->from_us > page->from_us,
					      .at_us = gathering->from_us };
	if (gathering->count > page->limit) {
		gathering->count = page->limit;
		end->more = true;
		end->at_us = gathering->keys[page->limit - 1].created_at_us;
		end->id = gathering->keys[page->limit - 1].id;
	}
	return ERR_OK;
}

/* ---- their objects ---- */

struct showing { /* some of the page */
	const struct transaction_page *page;
	const struct key *keys;
	size_t count;
	bool found[SHOWN_AT_ONCE];
	struct transaction_view views[SHOWN_AT_ONCE];
};

static void view_take(void *context, const struct transaction_view *view)
{
	struct showing *showing = context;

	for (size_t i = 0; i < showing->count; i++)
		if (id_equal(showing->keys[i].id, view->row.id)) {
			showing->views[i] = *view;
			showing->found[i] = true;
		}
}

/* A status may have changed since the keys were read: what does not fit any more is left out. */
static bool still_fits(const struct transaction_page *page, const struct transaction_view *view)
{
	return page->statuses == 0 || (page->statuses >> view->row.status & 1) != 0;
}

static enum err show_some(struct store_tx *tx, struct showing *showing,
			  store_transaction_each *each, void *context)
{
	struct id ids[SHOWN_AT_ONCE];
	enum err err;

	for (size_t i = 0; i < showing->count; i++)
		ids[i] = showing->keys[i].id;
	memset(showing->found, 0, sizeof showing->found);
	err = store_transaction_show(tx, showing->page->merchant, ids, showing->count, view_take,
				     showing);
	for (size_t i = 0; err == ERR_OK && i < showing->count; i++)
		if (showing->found[i] && still_fits(showing->page, &showing->views[i]))
			each(context, &showing->views[i]);
	return err;
}

static enum err show_all(const struct gathering *gathering, store_transaction_each *each,
			 void *context)
{
	struct showing *showing = malloc(sizeof *showing);
	enum err err = ERR_OK;

	if (showing == NULL)
		return ERR_MEMORY;
	showing->page = gathering->page;
	for (size_t at = 0; err == ERR_OK && at < gathering->count; at += SHOWN_AT_ONCE) {
		const size_t left = gathering->count - at;

		showing->keys = gathering->keys + at;
		showing->count = left < SHOWN_AT_ONCE ? left : SHOWN_AT_ONCE;
		err = show_some(gathering->tx, showing, each, context);
	}
	free(showing);
	return err;
}

static enum path path_for(const struct transaction_page *page)
{
	if (page->customer != NULL)
		return PATH_CUSTOMER;
	if (page->gateway != NULL)
		return PATH_GATEWAY;
	return page->statuses != 0 ? PATH_STATUS : PATH_ALL;
}

enum err store_transaction_list(struct store_tx *tx, const struct transaction_page *page,
				store_transaction_each *each, void *context,
				struct transaction_page_end *end)
{
	struct gathering gathering = {
		.tx = tx, .page = page, .after_us = page->after_us, .after_id = page->after_id
	};
	struct transaction_page_end reached;
	enum err err;

	assert(page->limit >= 1 && page->limit <= TRANSACTION_LIST_LIMIT_MAX);
	gathering.path = path_for(page);
	gathering.narrowed = page->currency != NULL || page->method != NULL || page->kind != NULL ||
			     page->gateway != NULL ||
			     (gathering.path == PATH_CUSTOMER && page->statuses != 0);
	err = keys_gather(&gathering, &reached);
	if (err == ERR_OK)
		err = show_all(&gathering, each, context);
	if (err == ERR_OK)
		*end = reached;
	return err;
}
