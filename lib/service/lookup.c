/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/lookup.h"

#include <string.h>

static enum err find(struct store_tx *tx, const char *merchant, const void *question, void *answer)
{
	return store_transaction_find(tx, merchant, *(const struct id *)question, answer);
}

static void view_take(void *context, const struct transaction_view *view)
{
	const struct reader_group *group = context;

	for (size_t i = 0; i < group->count; i++) {
		struct reader_ask *ask = group->asks[i];

		if (!id_equal(*(const struct id *)ask->question, view->row.id))
			continue;
		memcpy(ask->answer, view, sizeof *view);
		ask->found = true;
	}
}

static enum err look(struct store_tx *tx, struct reader_group *group)
{
	struct id ids[READER_MAX];

	for (size_t i = 0; i < group->count; i++)
		ids[i] = *(const struct id *)group->asks[i]->question;
	return store_transaction_show(tx, group->merchant, ids, group->count, view_take, group);
}

enum err lookup_start(const struct store_settings *database, struct reader **lookups)
{
	static const struct reader_kind kind = { .threads = 2,
						 .question_size = sizeof(struct id),
						 .answer_size = sizeof(struct transaction_view),
						 .find = find,
						 .look = look };

	return reader_start(&kind, database, lookups);
}

enum err lookup_transaction(struct reader *lookups, const char *merchant, struct id id,
			    int64_t deadline_boot_us, struct transaction_view *view)
{
	return reader_ask(lookups, merchant, &id, deadline_boot_us, view);
}

/* They all ask for the one that they are of. */
static enum err look_merchant(struct store_tx *tx, struct reader_group *group)
{
	struct merchant_row row;
	const enum err err = store_merchant_find(tx, group->merchant, &row);

	for (size_t i = 0; i < group->count && err == ERR_OK; i++) {
		memcpy(group->asks[i]->answer, &row, sizeof row);
		group->asks[i]->found = true;
	}
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err lookup_start_merchants(const struct store_settings *database, struct reader **merchants)
{
	static const struct reader_kind kind = { .threads = 1,
						 .answer_size = sizeof(struct merchant_row),
						 .look = look_merchant };

	return reader_start(&kind, database, merchants);
}

enum err lookup_merchant(struct reader *merchants, const char *merchant, int64_t deadline_boot_us,
			 struct merchant_row *row)
{
	return reader_ask(merchants, merchant, "", deadline_boot_us, row);
}
