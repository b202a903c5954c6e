/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/amend.h"

#include <stdio.h>
#include <string.h>

#include "service/metadata.h"

struct amending {
	const struct amend_request *request;
	struct operation_row operation;
	struct transaction_row transaction;
	struct change_note note;
	enum amend_outcome outcome;
	struct transaction_view view;
};

static enum err apply(struct amending *amending)
{
	const struct amendment *amendment = amending->request->amendment;
	struct transaction_row *row = &amending->transaction;
	const struct transaction_row before = *row;
	enum err err = ERR_OK;

	amending->outcome = AMEND_REFUSED;
	if (row->status != TS_PENDING)
		return ERR_OK;
	if (amendment->changes_description)
		memcpy(row->description, amendment->description, sizeof row->description);
	if (amendment->metadata != NULL)
		err = metadata_merge(before.metadata, amendment->metadata, row->metadata);
	amending->outcome = AMEND_TOO_LARGE;
	if (err != ERR_OK)
		return err == ERR_TOO_LONG ? ERR_OK : err;
	amending->outcome = strcmp(row->description, before.description) == 0 &&
					    strcmp(row->metadata, before.metadata) == 0
				    ? AMEND_UNCHANGED
				    : AMEND_DONE;
	return ERR_OK;
}

static enum err write_texts(struct store_tx *tx, struct amending *amending, int64_t now_us)
{
	struct change change =
		change_begin(&amending->transaction, &amending->operation, NULL, now_us);
	enum err err = store_transaction_amend(tx, &amending->transaction);

	if (err != ERR_OK)
		return err;
	change.type = "updated";
	change.api_call_id = amending->request->api_call_id;
	return change_write(tx, &change, &amending->note);
}

static enum err amend_work(struct store_tx *tx, void *context)
{
	struct amending *amending = context;
	const struct change_target *target = &amending->request->target;
	int64_t now_us;
	enum err err;

	amending->note = (struct change_note){ .type = "" };
	err = change_lock(tx, target, &amending->operation, &amending->transaction, &now_us);
	if (err == ERR_OK)
		err = apply(amending);
	if (err == ERR_OK && amending->outcome == AMEND_DONE)
		err = write_texts(tx, amending, now_us);
	if (err != ERR_OK)
		return err;
	return store_transaction_find(tx, target->merchant, target->transaction_id,
				      &amending->view);
}

enum err amend(struct store_pool *pool, const struct amend_request *request, int wait_ms,
	       enum amend_outcome *outcome, struct transaction_view *view)
{
	struct amending amending = { .request = request };
	enum err err = store_pool_run(pool, wait_ms, amend_work, &amending);

	/* The commit's answer was lost: what a second run finds done may be the first one's. */
	if (err == ERR_UNCERTAIN) {
		err = store_pool_run(pool, wait_ms, amend_work, &amending);
		if (err != ERR_OK || amending.outcome == AMEND_REFUSED)
			err = ERR_UNCERTAIN;
	}
	if (err != ERR_OK)
		return err;
	change_log(&amending.note);
	*outcome = amending.outcome;
	*view = amending.view;
	return ERR_OK;
}
