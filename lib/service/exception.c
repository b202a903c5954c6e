/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/exception.h"

#include "core/consequence.h"
#include "service/change.h"

#include <stdio.h>
#include <string.h>

struct scene {
	const struct exception_act *act;
	struct store_tx *tx;
	struct exception_row row;
	struct operation_row operation;
	struct transaction_row transaction;
	struct change_note note;
	enum exception_outcome outcome;
	int64_t now_us;
};

static void text_set(char *field, size_t size, const char *text)
{
	snprintf(field, size, "%s", text);
}

static enum err own_work(struct store_tx *tx, void *context)
{
	struct scene *scene = context;
	struct exception_row *row = &scene->row;
	enum err err = store_exception_lock(tx, scene->act->id, row);

	if (err == ERR_OK)
		err = store_now(tx, &row->owned_at_us);
	if (err != ERR_OK)
		return err;
	scene->outcome = EXCEPTION_WAS_RESOLVED;
	if (row->state == EXCEPTION_RESOLVED)
		return ERR_OK;
	scene->outcome = EXCEPTION_DONE;
	text_set(row->owner, sizeof row->owner, scene->act->owner);
	text_set(row->owned_by, sizeof row->owned_by, scene->act->by);
	return store_exception_update(tx, row);
}

/* Whose try it is about; without one it is about the money itself. */
static enum err operation_find(struct scene *scene, struct id *operation_id)
{
	struct attempt_row attempt;
	enum err err;

	if (id_is_empty(scene->row.attempt_id))
		return store_operation_find_money(scene->tx, scene->row.transaction_id,
						  operation_id);
	err = store_attempt_read(scene->tx, scene->row.attempt_id, &attempt);
	if (err == ERR_OK)
		*operation_id = attempt.operation_id;
	return err;
}

/* In this order everywhere: operation, transaction; the exception last. */
static enum err operation_lock(struct scene *scene)
{
	struct id operation_id;
	enum err err = operation_find(scene, &operation_id);

	if (err == ERR_OK)
		err = store_operation_lock(scene->tx, operation_id, &scene->operation);
	if (err == ERR_OK)
		err = store_transaction_lock(scene->tx, scene->operation.transaction_id,
					     &scene->transaction);
	return err;
}

struct tries {
	const struct operation_row *operation;
	bool doubtful;
};

/* Contradicted, or nothing that a machine may repeat. */
static void try_judge(void *context, const struct attempt_row *row)
{
	struct tries *tries = context;

	tries->doubtful |= row->contradicted_at_us != 0 ||
			   !consequence_may_repeat(tries->operation->kind, row->status);
}

/* Whether the operation may be tried again once this exception is closed. */
static enum err resume_judge(struct scene *scene)
{
	struct tries tries = { .operation = &scene->operation };
	int64_t open = 0;
	enum err err;

	scene->outcome = EXCEPTION_NOT_PARKED;
	if (id_is_empty(scene->row.transaction_id) || scene->operation.status != OS_PARKED ||
	    scene->operation.human_verdict)
		return ERR_OK;
	scene->outcome = EXCEPTION_OTHERS_OPEN;
	err = store_exception_count_open(scene->tx, scene->transaction.id, &open);
	if (err != ERR_OK || open > 1)
		return err;
	scene->outcome = EXCEPTION_MAY_HAVE_CHARGED;
	err = store_attempt_list_of(scene->tx, scene->operation.id, try_judge, &tries);
	if (err == ERR_OK && !tries.doubtful)
		scene->outcome = EXCEPTION_DONE;
	return err;
}

static enum err resume(struct scene *scene)
{
	struct change change =
		change_begin(&scene->transaction, &scene->operation, NULL, scene->now_us);
	enum err err = change_operation(&change, OE_STARTED);

	if (err != ERR_OK)
		return err;
	change.type = "resumed";
	change.reason = "exception_resolved";
	change_reason(&change, "retry_scheduled");
	scene->operation.retry_count = 0;
	change_next(&change, NEXT_SEND, scene->now_us);
	return change_write(scene->tx, &change, &scene->note);
}

static enum err row_resolve(struct scene *scene)
{
	struct exception_row *row = &scene->row;

	row->state = EXCEPTION_RESOLVED;
	row->resolved_at_us = scene->now_us;
	text_set(row->resolved_by, sizeof row->resolved_by, scene->act->by);
	text_set(row->note, sizeof row->note, scene->act->note);
	return store_exception_update(scene->tx, row);
}

static enum err resolve_work(struct store_tx *tx, void *context)
{
	struct scene *scene = context;
	const struct exception_act *act = scene->act;
	enum err err = store_exception_find(tx, act->id, &scene->row);

	scene->tx = tx;
	scene->note = (struct change_note){ .type = "" };
	scene->operation = (struct operation_row){ .status = OS_PENDING };
	if (err == ERR_OK && act->resume && !id_is_empty(scene->row.transaction_id))
		err = operation_lock(scene);
	if (err == ERR_OK)
		err = store_exception_lock(tx, act->id, &scene->row);
	if (err == ERR_OK)
		err = store_now(tx, &scene->now_us);
	if (err != ERR_OK)
		return err;
	scene->outcome = EXCEPTION_WAS_RESOLVED;
	if (scene->row.state == EXCEPTION_RESOLVED)
		return ERR_OK;
	scene->outcome = EXCEPTION_DONE;
	if (act->resume)
		err = resume_judge(scene);
	if (err != ERR_OK || scene->outcome != EXCEPTION_DONE)
		return err;
	err = row_resolve(scene);
	return err == ERR_OK && act->resume ? resume(scene) : err;
}

static enum err act_run(struct store *store, store_work *work, const struct exception_act *act,
			enum exception_outcome *outcome, struct exception_row *row)
{
	struct scene scene = { .act = act, .note = { .type = "" } };
	enum err err = store_run(store, work, &scene);

	if (err != ERR_OK)
		return err;
	change_log(&scene.note);
	*outcome = scene.outcome;
	*row = scene.row;
	return ERR_OK;
}

enum err exception_own(struct store *store, const struct exception_act *act,
		       enum exception_outcome *outcome, struct exception_row *row)
{
	return act_run(store, own_work, act, outcome, row);
}

enum err exception_resolve(struct store *store, const struct exception_act *act,
			   enum exception_outcome *outcome, struct exception_row *row)
{
	return act_run(store, resolve_work, act, outcome, row);
}
