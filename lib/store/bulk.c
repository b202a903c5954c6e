/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/bulk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * A statement costs as much as several rows, so what is few is one or two; of what is many the memory counts, which
 * both sides need for each parameter of a prepared statement.
 */
static const size_t class_sizes[] = { 256, 128, 64, 48, 32, 28, 24, 20, 16, 14,
				      12,  10,  8,  7,  6,  5,  4,  3,  2,  1 };
#define CLASSES (sizeof class_sizes / sizeof class_sizes[0])

struct bulk {
	MYSQL_STMT *prepared[STATEMENT_COUNT][CLASSES];
};

/* What one execution binds: one struct cells per row, then a bind and a size per parameter. */
struct binding {
	bulk_add *add; /* NULL: by the shape */
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

/* "INSERT … VALUES {(?, ?)} …" with each such tuple `count` times; malloc, or NULL. */
static char *text_make(const char *text, size_t count)
{
	char *made = malloc(count * (strlen(text) + 1)), *end = made;
	const char *open, *close;

	assert(strchr(text, '{') != NULL);
	if (made == NULL)
		return NULL;
	while ((open = strchr(text, '{')) != NULL) {
		close = strchr(open, '}');
		assert(close != NULL);
		end = mempcpy(end, text, (size_t)(open - text));
		for (size_t i = 0; i < count; i++) {
			if (i > 0)
				*end++ = ',';
			end = mempcpy(end, open + 1, (size_t)(close - open) - 1);
		}
		text = close + 1;
	}
	memcpy(end, text, strlen(text) + 1);
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
		if (binding->add != NULL)
			binding->add(cells, rows->list[first + i]);
		else
			cells_add_row(cells, rows->shape, rows->list[first + i]);
		for (size_t k = 0; k < cells->count; k++, used++)
			statement_bind(&cells->list[k], &binding->binds[used],
				       &binding->sizes[used]);
	}
}

/* The statement of a class, prepared at its first use on the connection. */
static enum err prepared_get(struct store_tx *tx, enum statement_id id, size_t class,
			     MYSQL_STMT **prepared)
{
	struct store *store = tx->store;
	enum err err = ERR_OK;

	if (store->lost)
		return ERR_UNAVAILABLE;
	if (store->bulk == NULL)
		store->bulk = calloc(1, sizeof *store->bulk);
	if (store->bulk == NULL)
		return ERR_MEMORY;
	if (store->bulk->prepared[id][class] == NULL)
		err = prepare(tx, id, class);
	if (err == ERR_OK)
		*prepared = store->bulk->prepared[id][class];
	return err;
}

static enum err execute(struct store_tx *tx, const struct bulk_rows *rows, size_t first,
			size_t class, const struct binding *binding)
{
	MYSQL_STMT *prepared;
	enum err err = prepared_get(tx, rows->id, class, &prepared);

	if (err != ERR_OK)
		return err;
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

enum err bulk_write_by(struct store_tx *tx, const struct bulk_rows *rows, bulk_add *add,
		       uint64_t *affected)
{
	const size_t width = strlen(statement_row(rows->id)->parameters);
	size_t most = rows->count < class_sizes[0] ? rows->count : class_sizes[0];
	struct binding binding = { .add = add };
	enum err err = ERR_MEMORY;

	assert(statement_row(rows->id)->kind == STATEMENT_ROWS);
	assert(add != NULL || rows->shape->count == width);
	binding.cells = malloc(most * sizeof *binding.cells);
	binding.binds = calloc(most * width, sizeof *binding.binds);
	binding.sizes = malloc(most * width * sizeof *binding.sizes);
	if (binding.cells != NULL && binding.binds != NULL && binding.sizes != NULL)
		err = execute_all(tx, rows, &binding, affected);
	free(binding.cells);
	free(binding.binds);
	free(binding.sizes);
	return err;
}

enum err bulk_write(struct store_tx *tx, const struct bulk_rows *rows, uint64_t *affected)
{
	return bulk_write_by(tx, rows, NULL, affected);
}

enum err bulk_put(struct store_tx *tx, enum statement_id id, const struct shape *shape,
		  const void *const *list, size_t count)
{
	const struct bulk_rows rows = { id, shape, list, count };
	uint64_t affected;

	return bulk_write(tx, &rows, &affected);
}

/* The smallest class that holds them. */
static size_t class_for(size_t count)
{
	size_t class = CLASSES - 1;

	while (class_sizes[class] < count)
		class --;
	return class;
}

enum err bulk_prepared(struct store_tx *tx, enum statement_id id, size_t *count,
		       MYSQL_STMT **prepared)
{
	const size_t class = class_for(*count);
	enum err err = prepared_get(tx, id, class, prepared);

	assert(*count >= 1 && *count <= BULK_SET_MAX);
	if (err == ERR_OK)
		*count = class_sizes[class];
	return err;
}

/* A statement's parameters: whose, where it asks, and the ids, the last one again up to `count`. */
struct set_binding {
	MYSQL_BIND binds[1 + BULK_SET_MAX];
	struct cell cells[1 + BULK_SET_MAX];
	unsigned long sizes[1 + BULK_SET_MAX];
	size_t used;
};

static void bind_next(struct set_binding *binding, struct cell cell)
{
	const size_t at = binding->used++;

	binding->cells[at] = cell;
	memset(&binding->binds[at], 0, sizeof binding->binds[at]);
	statement_bind(&binding->cells[at], &binding->binds[at], &binding->sizes[at]);
}

static void bind_set(const struct bulk_read *read, size_t count, struct set_binding *binding)
{
	binding->used = 0;
	if (read->merchant != NULL)
		bind_next(binding, (struct cell){ .kind = CELL_TEXT,
						  .bytes = read->merchant,
						  .size = strlen(read->merchant) });
	for (size_t i = 0; i < count; i++)
		bind_next(binding,
			  (struct cell){ .kind = CELL_BYTES,
					 .bytes = &read->ids[i < read->count ? i : read->count - 1],
					 .size = sizeof read->ids[0] });
	assert(binding->used <= 1 + BULK_SET_MAX);
}

enum err bulk_read(struct store_tx *tx, const struct bulk_read *read)
{
	const size_t class = class_for(read->count);
	const struct statement_many many = { .id = read->id,
					     .shape = read->shape,
					     .row = read->row,
					     .each = read->each,
					     .context = read->context };
	struct set_binding binding;
	MYSQL_STMT *prepared;
	enum err err = prepared_get(tx, read->id, class, &prepared);

	assert(statement_row(read->id)->kind == STATEMENT_SET);
	assert(read->count >= 1 && read->count <= BULK_SET_MAX);
	if (err != ERR_OK)
		return err;
	bind_set(read, class_sizes[class], &binding);
	if (mysql_stmt_bind_param(prepared, binding.binds) || mysql_stmt_execute(prepared) != 0)
		return statement_failed(tx, read->id, mysql_stmt_errno(prepared));
	return statement_fetch_many(tx, prepared, &many);
}
