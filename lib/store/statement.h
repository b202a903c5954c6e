/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Statements: the registry made from statement.def, prepared on a connection and run with typed cells. Private to
 * lib/store.
 *
 * Invariant  cells and shapes fit their statement's letters (assert); what a statement refuses is mapped by
 *            connection_err() and logged once with number and name, never with values
 * Ownership  rows and cells are the caller's
 * Threads    as the connection
 */
#ifndef STORE_STATEMENT_H
#define STORE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/cell.h"
#include "store/connection.h"
#include "store/store.h"

enum statement_id {
#define X(name, kind, when, parameters, columns, text) STATEMENT_##name,
#include "store/statement.def"
#undef X
	STATEMENT_COUNT
};

enum statement_kind {
	STATEMENT_ONE,
	STATEMENT_MAYBE,
	STATEMENT_MANY,
	STATEMENT_WRITE,
	STATEMENT_ROWS, /* a WRITE of many rows at once: bulk.h */
	STATEMENT_SET,  /* a MANY for a set of ids: bulk.h */
};
enum statement_when { STATEMENT_HOT, STATEMENT_COLD };

struct statement_row {
	const char *name;
	enum statement_kind kind;
	enum statement_when when;
	const char *parameters;
	const char *columns;
	const char *text;
};

struct bulk;
struct sheet;

struct store {
	MYSQL *mysql;
	MYSQL_STMT *statements[STATEMENT_COUNT];
	struct bulk *bulk; /* NULL until the first STATEMENT_ROWS */
	bool lost;         /* the connection is of no more use: only closing helps */
	bool reached;      /* the last run got as far as its work */
	int64_t told_us;   /* the time that its session was told by a test; 0: none */
};

struct store_tx {
	struct store *store;
	enum err doomed; /* ERR_OK, else what a statement met that no commit may follow */
	struct sheet *sheet; /* NULL: every row is written at once */
};

/* The row of a statement in the registry. */
const struct statement_row *statement_row(enum statement_id id);

/*
 * Prepare every HOT statement.
 * Returns  ERR_OK; ERR_UNAVAILABLE where the connection broke; ERR_SCHEMA with one line in `why`
 */
CHECKED enum err statement_prepare_all(struct store *store, char why[STORE_WHY_SIZE]);
void statement_close_all(struct store *store);

/* Map, note and log what a statement met: for those that are run elsewhere too (bulk.c). */
enum err statement_failed(struct store_tx *tx, enum statement_id id, unsigned code);

/* Point a parameter at its cell; both must live until the execution. */
void statement_bind(const struct cell *cell, MYSQL_BIND *bind, unsigned long *size);

/*
 * Run a WRITE. *affected (may be NULL): rows inserted, found by an UPDATE, or deleted.
 * Returns  ERR_OK or what connection_err() says
 */
CHECKED enum err statement_write(struct store_tx *tx, enum statement_id id,
				 const struct cells *cells, uint64_t *affected);

/* Run an UPDATE that must find exactly one row: ERR_STORE otherwise, logged, since it is a bug elsewhere. */
CHECKED enum err statement_write_one(struct store_tx *tx, enum statement_id id,
				     const struct cells *cells);

/*
 * Run a ONE or MAYBE and write its row by the shape.
 * Returns  ERR_OK; ERR_NOT_FOUND (MAYBE); ERR_STORE where a value does not fit, or there are too
 *          few or many rows; *row may then be written in part: callers pass a row of their own and copy it
 */
CHECKED enum err statement_read(struct store_tx *tx, enum statement_id id,
				const struct cells *cells, const struct shape *shape, void *row);

/* Run a ONE that takes an id and gives a number. *count is untouched on failure. */
CHECKED enum err statement_count(struct store_tx *tx, enum statement_id id, struct id of,
				 int64_t *count);

/*
 * Run a MANY; `each` is called per row, when all of them have arrived.
 * `row` is the caller's space for one row. Returns ERR_OK (no rows too); ERR_STORE where a value does not fit.
 */
typedef void statement_each(void *context, const void *row);
struct statement_many {
	enum statement_id id;
	const struct cells *cells;
	const struct shape *shape;
	void *row;
	statement_each *each;
	void *context;
};
CHECKED enum err statement_read_many(struct store_tx *tx, const struct statement_many *many);

/* Take the rows of an executed statement: for those that are run elsewhere too (bulk.c). `many` names no cells. */
CHECKED enum err statement_fetch_many(struct store_tx *tx, MYSQL_STMT *prepared,
				      const struct statement_many *many);

#endif
