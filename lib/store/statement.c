/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/statement.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define RESULT_BYTES_MAX 8192 /* all texts and bytes of one row */

static const struct statement_row rows[STATEMENT_COUNT] = {
#define X(name, kind, when, parameters, columns, text)                                             \
	{ #name, STATEMENT_##kind, STATEMENT_##when, parameters, columns, text },
#include "store/statement.def"
#undef X
};

/* Where the client library puts one row. */
struct result {
	MYSQL_BIND binds[CELLS_MAX];
	int64_t integers[CELLS_MAX];
	unsigned long sizes[CELLS_MAX];
	connection_bool nulls[CELLS_MAX];
	connection_bool cut[CELLS_MAX];
	unsigned char bytes[RESULT_BYTES_MAX];
};

const struct statement_row *statement_row(enum statement_id id)
{
	assert(id < STATEMENT_COUNT);
	return &rows[id];
}

static enum cell_kind letter_kind(char letter)
{
	assert(letter == 'i' || letter == 't' || letter == 'b');
	if (letter == 'i')
		return CELL_INTEGER;
	return letter == 't' ? CELL_TEXT : CELL_BYTES;
}

/* The statement could not be prepared: say it in words (a prepare has no values in its message). */
static enum err prepare_failed(struct store *store, MYSQL_STMT *prepared, const char *name,
			       char why[STORE_WHY_SIZE])
{
	enum err err = connection_err(mysql_stmt_errno(prepared), &store->lost);

	snprintf(why, STORE_WHY_SIZE, "statement %s: %s (%u)%s", name, mysql_stmt_error(prepared),
		 mysql_stmt_errno(prepared), store->lost ? "" : "; run payopsctl migrate up");
	mysql_stmt_close(prepared);
	return err == ERR_UNAVAILABLE ? ERR_UNAVAILABLE : ERR_SCHEMA;
}

static enum err prepare(struct store *store, enum statement_id id, char why[STORE_WHY_SIZE])
{
	const struct statement_row *row = statement_row(id);
	MYSQL_STMT *prepared = mysql_stmt_init(store->mysql);

	if (prepared == NULL) {
		snprintf(why, STORE_WHY_SIZE, "statement %s: out of memory", row->name);
		return ERR_MEMORY;
	}
	if (mysql_stmt_prepare(prepared, row->text, strlen(row->text)) != 0)
		return prepare_failed(store, prepared, row->name, why);
	assert(mysql_stmt_param_count(prepared) == strlen(row->parameters));
	assert(mysql_stmt_field_count(prepared) == strlen(row->columns));
	store->statements[id] = prepared;
	return ERR_OK;
}

enum err statement_prepare_all(struct store *store, char why[STORE_WHY_SIZE])
{
	enum err err = ERR_OK;

	for (enum statement_id id = 0; id < STATEMENT_COUNT && err == ERR_OK; id++)
		if (rows[id].when == STATEMENT_HOT && rows[id].kind != STATEMENT_ROWS &&
		    rows[id].kind != STATEMENT_SET)
			err = prepare(store, id, why);
	return err;
}

void statement_close_all(struct store *store)
{
	for (enum statement_id id = 0; id < STATEMENT_COUNT; id++) {
		if (store->statements[id] != NULL)
			mysql_stmt_close(store->statements[id]);
		store->statements[id] = NULL;
	}
}

/* Map, note and log what a statement met. */
enum err statement_failed(struct store_tx *tx, enum statement_id id, unsigned code)
{
	bool lost;
	enum err err = connection_err(code, &lost);

	if (lost)
		tx->store->lost = true;
	if (lost || err == ERR_BUSY)
		tx->doomed = err;
	if (err == ERR_STORE)
		log_error("the database refused a statement", LOG_TEXT("statement", rows[id].name),
			  LOG_INT("error", code));
	return err;
}

/* A result that the code does not expect: the schema and the code disagree. */
static enum err unexpected(enum statement_id id, const char *what)
{
	log_error("a statement gave an unexpected result", LOG_TEXT("statement", rows[id].name),
		  LOG_TEXT("what", what));
	return ERR_STORE;
}

void statement_bind(const struct cell *cell, MYSQL_BIND *bind, unsigned long *size)
{
	*size = cell->size;
	bind->length = size;
	bind->buffer_length = cell->size;
	/* The client library only reads parameters, though its type says otherwise. */
	bind->buffer = (void *)(uintptr_t)cell->bytes;
	bind->buffer_type = cell->kind == CELL_TEXT ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
	if (cell->kind == CELL_INTEGER) {
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = (void *)(uintptr_t)&cell->integer;
	}
	if (cell->null)
		bind->buffer_type = MYSQL_TYPE_NULL;
}

static enum err execute(struct store_tx *tx, enum statement_id id, const struct cells *cells)
{
	const char *letters = rows[id].parameters;
	MYSQL_STMT *prepared = tx->store->statements[id];
	MYSQL_BIND binds[CELLS_MAX];
	unsigned long sizes[CELLS_MAX];

	assert(cells->count == strlen(letters));
	memset(binds, 0, cells->count * sizeof binds[0]);
	for (size_t i = 0; i < cells->count; i++) {
		assert(cells->list[i].kind == letter_kind(letters[i]));
		statement_bind(&cells->list[i], &binds[i], &sizes[i]);
	}
	if (cells->count > 0 && mysql_stmt_bind_param(prepared, binds))
		return statement_failed(tx, id, mysql_stmt_errno(prepared));
	if (mysql_stmt_execute(prepared) != 0)
		return statement_failed(tx, id, mysql_stmt_errno(prepared));
	return ERR_OK;
}

static enum err run(struct store_tx *tx, enum statement_id id, const struct cells *cells)
{
	char why[STORE_WHY_SIZE];
	enum err err;

	if (tx->store->lost)
		return ERR_UNAVAILABLE;
	if (tx->store->statements[id] == NULL) {
		assert(rows[id].when == STATEMENT_COLD);
		err = prepare(tx->store, id, why);
		if (err != ERR_OK) {
			log_error("a statement cannot be prepared", LOG_TEXT("why", why));
			return err;
		}
	}
	return execute(tx, id, cells);
}

enum err statement_write(struct store_tx *tx, enum statement_id id, const struct cells *cells,
			 uint64_t *affected)
{
	enum err err;

	assert(rows[id].kind == STATEMENT_WRITE);
	err = run(tx, id, cells);
	if (err == ERR_OK && affected != NULL)
		*affected = mysql_stmt_affected_rows(tx->store->statements[id]);
	return err;
}

enum err statement_write_one(struct store_tx *tx, enum statement_id id, const struct cells *cells)
{
	uint64_t affected = 0;
	enum err err = statement_write(tx, id, cells, &affected);

	if (err == ERR_OK && affected != 1)
		return unexpected(id, "other than one row was there to change");
	return err;
}

static enum err bind_result(MYSQL_STMT *prepared, const struct shape *shape, struct result *result)
{
	size_t used = 0;

	memset(result->binds, 0, shape->count * sizeof result->binds[0]);
	for (size_t i = 0; i < shape->count; i++) {
		MYSQL_BIND *bind = &result->binds[i];
		size_t capacity = column_capacity(&shape->columns[i]);

		bind->length = &result->sizes[i];
		bind->is_null = &result->nulls[i];
		bind->error = &result->cut[i];
		bind->buffer_type = MYSQL_TYPE_BLOB;
		bind->buffer = result->bytes + used;
		bind->buffer_length = capacity;
		if (column_cell_kind(&shape->columns[i]) == CELL_INTEGER) {
			bind->buffer_type = MYSQL_TYPE_LONGLONG;
			bind->buffer = &result->integers[i];
			bind->buffer_length = sizeof result->integers[i];
		}
		used += capacity;
		assert(used <= sizeof result->bytes);
	}
	return mysql_stmt_bind_result(prepared, result->binds) ? ERR_STORE : ERR_OK;
}

/* One fetched row into the caller's struct. */
static enum err take(enum statement_id id, const struct shape *shape, const struct result *result,
		     void *row)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct column *column = &shape->columns[i];
		struct cell cell = { .kind = column_cell_kind(column),
				     .null = result->nulls[i],
				     .integer = result->integers[i],
				     .bytes = result->binds[i].buffer,
				     .size = result->sizes[i] };

		if (cell.kind != CELL_INTEGER && !cell.null && cell.size > column_capacity(column))
			return unexpected(id, "a value is too long");
		if (column_write(column, &cell, row) != ERR_OK)
			return unexpected(id, "a value does not fit its member");
	}
	return ERR_OK;
}

/* MYSQL_DATA_TRUNCATED is judged by take(), column by column. */
static bool fetched(int answer)
{
	return answer == 0 || answer == MYSQL_DATA_TRUNCATED;
}

/*
 * Let go of a result. Where the server broke it off (a deadlock, a lock waited for in vain: the names of its columns
 * had been sent by then), Connector/C 3.3 keeps the statement as if rows were still to come, mysql_stmt_free_result()
 * or not, and its next execution waits for them until the statement timeout, locks held. A reset makes it new.
 */
static void result_done(MYSQL_STMT *prepared, enum err err)
{
	if (err == ERR_OK)
		mysql_stmt_free_result(prepared);
	else
		(void)mysql_stmt_reset(prepared);
}

static enum err fetch_one(struct store_tx *tx, enum statement_id id, const struct shape *shape,
			  void *row)
{
	MYSQL_STMT *prepared = tx->store->statements[id];
	struct result result;
	enum err err;
	int answer;

	if (bind_result(prepared, shape, &result) != ERR_OK)
		return statement_failed(tx, id, mysql_stmt_errno(prepared));
	answer = mysql_stmt_fetch(prepared);
	if (answer == MYSQL_NO_DATA)
		return rows[id].kind == STATEMENT_MAYBE ? ERR_NOT_FOUND : unexpected(id, "no row");
	if (!fetched(answer))
		return statement_failed(tx, id, mysql_stmt_errno(prepared));
	err = take(id, shape, &result, row);
	if (err != ERR_OK)
		return err;
	answer = mysql_stmt_fetch(prepared);
	if (answer == MYSQL_NO_DATA)
		return ERR_OK;
	return fetched(answer) ? unexpected(id, "several rows")
			       : statement_failed(tx, id, mysql_stmt_errno(prepared));
}

static void check_shape(enum statement_id id, const struct shape *shape)
{
	const char *letters = rows[id].columns;

	assert(shape->count == strlen(letters) && shape->count <= CELLS_MAX);
	for (size_t i = 0; i < shape->count; i++)
		assert(column_cell_kind(&shape->columns[i]) == letter_kind(letters[i]));
}

enum err statement_read(struct store_tx *tx, enum statement_id id, const struct cells *cells,
			const struct shape *shape, void *row)
{
	enum err err;

	assert(rows[id].kind == STATEMENT_ONE || rows[id].kind == STATEMENT_MAYBE);
	check_shape(id, shape);
	err = run(tx, id, cells);
	if (err != ERR_OK)
		return err;
	err = fetch_one(tx, id, shape, row);
	result_done(tx->store->statements[id], err == ERR_NOT_FOUND ? ERR_OK : err);
	return err;
}

struct count_row {
	int64_t count;
};
static const struct column count_columns[] = { COLUMN_NUMBER(struct count_row, count) };
static const struct shape count_shape = SHAPE(count_columns);

enum err statement_count(struct store_tx *tx, enum statement_id id, struct id of, int64_t *count)
{
	struct count_row found;
	struct cells cells = { .count = 0 };
	enum err err;

	cells_add_id(&cells, &of);
	err = statement_read(tx, id, &cells, &count_shape, &found);
	if (err == ERR_OK)
		*count = found.count;
	return err;
}

static enum err fetch_many(struct store_tx *tx, MYSQL_STMT *prepared,
			   const struct statement_many *many)
{
	struct result result;
	enum err err;
	int answer;

	if (bind_result(prepared, many->shape, &result) != ERR_OK ||
	    mysql_stmt_store_result(prepared) != 0)
		return statement_failed(tx, many->id, mysql_stmt_errno(prepared));
	while (fetched(answer = mysql_stmt_fetch(prepared))) {
		err = take(many->id, many->shape, &result, many->row);
		if (err != ERR_OK)
			return err;
		many->each(many->context, many->row);
	}
	return answer == MYSQL_NO_DATA ? ERR_OK
				       : statement_failed(tx, many->id, mysql_stmt_errno(prepared));
}

enum err statement_fetch_many(struct store_tx *tx, MYSQL_STMT *prepared,
			      const struct statement_many *many)
{
	enum err err;

	check_shape(many->id, many->shape);
	err = fetch_many(tx, prepared, many);
	result_done(prepared, err);
	return err;
}

enum err statement_read_many(struct store_tx *tx, const struct statement_many *many)
{
	enum err err;

	assert(rows[many->id].kind == STATEMENT_MANY);
	err = run(tx, many->id, many->cells);
	if (err != ERR_OK)
		return err;
	return statement_fetch_many(tx, tx->store->statements[many->id], many);
}
