/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/catalogue.h"

#include "store/statement.h"

struct version_row {
	int64_t version;
};
static const struct column columns[] = { COLUMN_NUMBER(struct version_row, version) };
static const struct shape shape = SHAPE(columns);

static enum err version_read(struct store_tx *tx, enum statement_id id, int64_t *version)
{
	struct version_row found;
	const struct cells none = { .count = 0 };
	enum err err = statement_read(tx, id, &none, &shape, &found);

	if (err == ERR_OK)
		*version = found.version;
	return err;
}

enum err store_catalogue_version(struct store_tx *tx, int64_t *version)
{
	return version_read(tx, STATEMENT_CATALOGUE_VERSION, version);
}

enum err store_catalogue_lock(struct store_tx *tx, int64_t *version)
{
	return version_read(tx, STATEMENT_CATALOGUE_LOCK, version);
}

enum err store_catalogue_raise(struct store_tx *tx, int64_t now_us)
{
	struct cells cells = { .count = 0 };

	cells_add_integer(&cells, now_us);
	return statement_write_one(tx, STATEMENT_CATALOGUE_RAISE, &cells);
}
