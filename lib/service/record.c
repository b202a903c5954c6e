/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/record.h"

#include <assert.h>
#include <stdint.h>

#include "base/fault.h"
#include "store/sheet.h"

#define COMMITTERS 1
#define BATCH_MAX 256
#define GAP_MS 10 /* a commit costs much the same for few as for many, and no client waits for it */
#define SETTLE_MS 10000
#define LOCK_WAIT_S 1 /* a row that somebody holds must not hold up the others for long */

/* In this order everywhere: operation, transaction, attempt. What another holds is set aside. */
static enum err lock_all(struct store_tx *tx, struct record *const *records, size_t count)
{
	struct id operations[BATCH_MAX];
	struct id attempts[BATCH_MAX];
	enum err err;

	assert(count >= 1 && count <= BATCH_MAX);
	for (size_t i = 0; i < count; i++) {
		operations[i] = records[i]->report.operation_id;
		attempts[i] = records[i]->report.attempt_id;
	}
	err = store_sheet_lock(tx, operations, count);
	if (err == ERR_OK)
		err = store_sheet_lock_attempts(tx, operations, attempts, count);
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		err = store_sheet_is_held(tx, operations[i], attempts[i], &records[i]->item.held);
	return err;
}

static enum err commit_work(struct store_tx *tx, void *context)
{
	const struct batch_part *part = context;
	struct record **records = (struct record **)part->items;
	enum err err = store_sheet_open(tx);

	if (err == ERR_OK)
		err = lock_all(tx, records, part->count);
	for (size_t i = 0; err == ERR_OK && i < part->count; i++) {
		struct record *record = records[i];

		record->note = (struct change_note){ .type = "" };
		if (!record->item.held)
			err = outcome_apply(tx, &record->report, &record->effect, &record->note);
	}
	return err;
}

static enum err records_work(void *context, struct store *store, struct batch_item **items,
			     size_t count)
{
	const struct batch_part all = { NULL, items, count };
	enum err err;

	(void)context;
	assert(count <= BATCH_MAX);
	fault_point("outcome_before_commit");
	err = batch_commit(store, &all, commit_work);
	fault_point("outcome_after_commit");
	return err;
}

static void item_done(void *context, struct batch_item *item)
{
	const struct record_settings *settings = context;
	struct record *record = (struct record *)item;

	if (item->err == ERR_OK)
		change_log(&record->note);
	settings->done(settings->context, record);
}

enum err record_start(const struct record_settings *settings, struct batch **records)
{
	struct batch_settings batch = {
		.database = *settings->database,
		.workers = COMMITTERS,
		.size_max = BATCH_MAX,
		.queue_max = settings->queue_max,
		.gap_ms = GAP_MS,
		.settle_ms = SETTLE_MS,
		.work = records_work,
		.item_done = item_done,
		.context = (void *)(uintptr_t)settings, /* which it only reads */
	};

	static_assert(offsetof(struct record, item) == 0, "an item is a record");
	batch.database.lock_wait_max_s = LOCK_WAIT_S;
	return batch_start(&batch, records);
}
