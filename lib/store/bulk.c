/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/bulk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CLASSES 9

static const size_t class_sizes[CLASSES] = { 256, 128, 64, 32, 16, 8, 4, 2, 1 };

struct bulk {
	MYSQL_STMT *prepared[STATEMENT_COUNT][CLASSES];
};

/* What one execution binds: one struct cells per row, then a bind and a size per parameter. */
struct binding {
	struct cells *cells;
	MYSQL_BIND *binds;
	unsigned long *sizes;
};

void bulk_free(struct bulk *bulk)
{
	if (bulk == NULL)
		return;
	for (size_t id = 0; id < STATEMENT_COUNT; id++)
		for (size_t class = 0; class < CLASSES; class ++)
			if (bulk->prepared[id][class] != NULL)
				mysql_stmt_close(bulk->prepared[id][class]);
	free(bulk);
}

/* "INSERT … VALUES {(?, ?)} …" with the tuple `count` times; malloc, or NULL. */
static char *text_make(const char *text, size_t count)
{
	const char *open = strchr(text, '{');
	const char *close = strchr(text, '}');
	size_t tuple_size, head_size;
	char *made, *end;

	assert(open != NULL && close != NULL);
	head_size = (size_t)(open - text);
	tuple_size = (size_t)(close - open) - 1;
	made = malloc(strlen(text) + count * (tuple_size + 1));
	if (made == NULL)
		return NULL;
	end = mempcpy(made, text, head_size);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			*end++ = ',';
		end = mempcpy(end, open + 1, tuple_size);
	}
	memcpy(end, close + 1, strlen(close + 1) + 1);
	return made;
}

static enum err prepare(struct store_tx *tx, enum statement_id id, size_t class)
{
	struct store *store = tx->store;
	char *text = text_make(statement_row(id)->text, class_sizes[class]);
	MYSQL_STMT *prepared = mysql_stmt_init(store->mysql);
	enum err err = ERR_OK;

	if (text == NULL || prepared == NULL)
		err = ERR_MEMORY;
	else if (mysql_stmt_prepare(prepared, text, strlen(text)) != 0)
		err = statement_failed(tx, id, mysql_stmt_errno(prepared));
	free(text);
	if (err == ERR_OK)
		store->bulk->prepared[id][class] = prepared;
	else if (prepared != NULL)
		mysql_stmt_close(prepared);
	return err;
}

static void bind_rows(const struct bulk_rows *rows, size_t first, size_t count,
		      const struct binding *binding)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		struct cells *cells = &binding->cells[i];

		cells->count = 0;
		cells_add_row(cells, rows->shape, rows->list[first + i]);
		for (size_t k = 0; k < cells->count; k++, used++)
			statement_bind(&cells->list[k], &binding->binds[used],
				       &binding->sizes[used]);
	}
}

static enum err execute(struct store_tx *tx, const struct bulk_rows *rows, size_t first,
			size_t class, const struct binding *binding)
{
	MYSQL_STMT *prepared;
	enum err err;

	if (tx->store->bulk->prepared[rows->id][class] == NULL) {
		err = prepare(tx, rows->id, class);
		if (err != ERR_OK)
			return err;
	}
	prepared = tx->store->bulk->prepared[rows->id][class];
	bind_rows(rows, first, class_sizes[class], binding);
	if (mysql_stmt_bind_param(prepared, binding->binds) || mysql_stmt_execute(prepared) != 0)
		return statement_failed(tx, rows->id, mysql_stmt_errno(prepared));
	return ERR_OK;
}

static enum err execute_all(struct store_tx *tx, const struct bulk_rows *rows,
			    const struct binding *binding, uint64_t *affected)
{
	uint64_t counted = 0;
	size_t first = 0;
	enum err err;

	for (size_t class = 0; class < CLASSES; class ++) {
		while (rows->count - first >= class_sizes[class]) {
			err = execute(tx, rows, first, class, binding);
			if (err != ERR_OK)
				return err;
			counted += mysql_stmt_affected_rows(
				tx->store->bulk->prepared[rows->id][class]);
			first += class_sizes[class];
		}
	}
	*affected = counted;
	return ERR_OK;
}

enum err bulk_write(struct store_tx *tx, const struct bulk_rows *rows, uint64_t *affected)
{
	size_t most = rows->count < class_sizes[0] ? rows->count : class_sizes[0];
	struct binding binding;
	enum err err = ERR_MEMORY;

	assert(statement_row(rows->id)->kind == STATEMENT_ROWS);
	assert(rows->shape->count == strlen(statement_row(rows->id)->parameters));
	if (tx->store->lost)
		return ERR_UNAVAILABLE;
	if (tx->store->bulk == NULL)
		tx->store->bulk = calloc(1, sizeof *tx->store->bulk);
	binding.cells = malloc(most * sizeof *binding.cells);
	binding.binds = calloc(most * rows->shape->count, sizeof *binding.binds);
	binding.sizes = malloc(most * rows->shape->count * sizeof *binding.sizes);
	if (tx->store->bulk != NULL && binding.cells != NULL && binding.binds != NULL &&
	    binding.sizes != NULL)
		err = execute_all(tx, rows, &binding, affected);
	free(binding.cells);
	free(binding.binds);
	free(binding.sizes);
	return err;
}
