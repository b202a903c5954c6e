/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bulk: STATEMENT_ROWS, an INSERT whose {tuple} stands once per row, prepared in size classes. Private to lib/store.
 *
 * Invariant  a count is written as few statements of the classes 1, 4, 16, 64, 256; each is prepared at its first use
 *            on a connection, so max_prepared_stmt_count need allow five per such statement and connection
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

/* Close what was prepared. Accepts NULL. */
void bulk_free(struct bulk *bulk);

#endif
