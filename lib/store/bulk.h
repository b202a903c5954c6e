/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bulk: STATEMENT_ROWS, an INSERT whose {tuple} stands once per row, and STATEMENT_SET, a SELECT whose {?} stands once
 * per id; prepared in size classes. Private to lib/store.
 *
 * Invariant  a count is written as few statements of twenty sizes, up to 32 as two at most; each is prepared at its
 *            first use on a connection, so max_prepared_stmt_count need allow twenty per such statement and connection
 * Ownership  the connection owns what was prepared; rows stay the caller's
 * Threads    as the connection
 */
#ifndef STORE_BULK_H
#define STORE_BULK_H

#include <stddef.h>
#include <stdint.h>

#include "store/statement.h"

struct bulk_rows {
	enum statement_id id;
	const struct shape *shape;
	const void *const *list; /* of structs of the shape's type */
	size_t count;
};

/*
 * Insert all rows. *affected: the sum of what the statements counted.
 * Returns  ERR_OK or what connection_err() says; one bad row fails its whole statement
 */
CHECKED enum err bulk_write(struct store_tx *tx, const struct bulk_rows *rows, uint64_t *affected);

/* The same where nobody asks how many were counted. */
CHECKED enum err bulk_put(struct store_tx *tx, enum statement_id id, const struct shape *shape,
			  const void *const *list, size_t count);

/* The same with rows that are more than a shape can say: `add` appends the cells of one, the shape is NULL. */
typedef void bulk_add(struct cells *cells, const void *row);
CHECKED enum err bulk_write_by(struct store_tx *tx, const struct bulk_rows *rows, bulk_add *add,
			       uint64_t *affected);

struct bulk_read {
	enum statement_id id;
	const struct shape *shape;
	const struct id *ids;
	size_t count; /* 1..BULK_SET_MAX */
	void *row;    /* the caller's space for one row */
	statement_each *each;
	void *context;
	const char *merchant; /* the statement's parameter before the ids; NULL: it has none */
};
#define BULK_SET_MAX 256

/*
 * Read what belongs to a set of ids, in one statement: the smallest class that holds them, filled up with the last id.
 * Returns as statement_read_many()
 */
CHECKED enum err bulk_read(struct store_tx *tx, const struct bulk_read *read);

/*
 * A statement for at least *count (1..BULK_SET_MAX), for the caller to bind and execute; *count becomes what it is for.
 * It stays the connection's.
 */
CHECKED enum err bulk_prepared(struct store_tx *tx, enum statement_id id, size_t *count,
			       MYSQL_STMT **prepared);

/* Close what was prepared. Accepts NULL. */
void bulk_free(struct bulk *bulk);

#endif
