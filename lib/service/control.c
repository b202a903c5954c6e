/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/control.h"

#include <string.h>

#include "service/change.h"
#include "store/attempt.h"
#include "store/callback.h"

struct scene;
typedef enum err decision(struct scene *scene);

struct scene {
	struct store_tx *tx;
	const struct control_request *request;
	decision *decide;
	struct operation_row operation;
	struct transaction_row transaction;
	struct change change;
	struct change_note note;
	enum control_outcome outcome;
	struct transaction_view view;
	int64_t now_us;
	const char
		*done; /* what an earlier run wrote, whose commit was not answered; NULL: nothing */
	enum control_outcome done_outcome;
};

/* The one writer of a step: rows, event, note. */
static enum err step_write(struct scene *scene, enum control_outcome outcome, const char *type,
			   const char *reason)
{
	scene->outcome = outcome;
	scene->change.type = type;
	scene->change.reason = reason;
	return change_write(scene->tx, &scene->change, &scene->note);
}

static enum err decided(struct scene *scene, enum control_outcome outcome)
{
	scene->outcome = outcome;
	return ERR_OK;
}

static enum err decide_process(struct scene *scene)
{
	switch (scene->transaction.status) {
	case TS_PROCESSING:
	case TS_AUTHORISED:
	case TS_COMPLETED:
		return decided(scene, CONTROL_BEFORE);
	case TS_FAILED:
	case TS_CANCELLED:
	case TS_PARKED:
		return decided(scene, CONTROL_REFUSED);
	case TS_PENDING:
		break;
	}
	if (scene->operation.next_action != NEXT_EXPIRE)
		return decided(scene, CONTROL_BEFORE);
	change_next(&scene->change, NEXT_SEND, scene->now_us);
	return step_write(scene, CONTROL_DONE, "process_requested", "");
}

/* Cancelled, or failed because the client said so: a repeated request finds its own effect. */
static bool is_cancelled(const struct transaction_row *transaction)
{
	return transaction->status == TS_CANCELLED ||
	       strcmp(transaction->failure_code, REASON_CANCELLED_BY_CLIENT) == 0;
}

/* Waiting for its next try: nothing is at a gateway, and nothing contradicts that. */
static enum err waits_for_retry(struct scene *scene, bool *waits)
{
	struct attempt_row live;
	int64_t open_exceptions = 0;
	enum err err;

	*waits = false;
	if (scene->operation.status != OS_PROCESSING || scene->operation.next_action != NEXT_SEND)
		return ERR_OK;
	err = store_attempt_lock_live(scene->tx, scene->operation.id, &live);
	if (err != ERR_NOT_FOUND)
		return err;
	err = store_exception_count_open(scene->tx, scene->transaction.id, &open_exceptions);
	*waits = err == ERR_OK && open_exceptions == 0;
	return err;
}

static enum err wish(struct scene *scene)
{
	if (scene->operation.cancel_wished_at_us != 0)
		return decided(scene, CONTROL_WISHED);
	scene->operation.cancel_wished_at_us = scene->now_us;
	return step_write(scene, CONTROL_WISHED, "cancel_wished", "");
}

static enum err decide_cancel(struct scene *scene)
{
	const struct transaction_row *transaction = &scene->transaction;
	bool withdrawable = transaction->status == TS_PENDING;
	enum err err = ERR_OK;

	if (is_cancelled(transaction))
		return decided(scene, CONTROL_BEFORE);
	if (transaction_is_final(transaction->status) || transaction->status == TS_AUTHORISED)
		return decided(scene, CONTROL_REFUSED);
	if (!withdrawable)
		err = waits_for_retry(scene, &withdrawable);
	if (err != ERR_OK)
		return err;
	if (!withdrawable)
		return scene->request->remember ? wish(scene) : decided(scene, CONTROL_REFUSED);
	err = change_withdraw(&scene->change, REASON_CANCELLED_BY_CLIENT);
	return err == ERR_OK
		       ? step_write(scene, CONTROL_DONE, "cancelled", REASON_CANCELLED_BY_CLIENT)
		       : err;
}

/* Send the void that waits for the authorisation's end. What is not locked is none: nothing is held. */
static enum err decide_void(struct scene *scene)
{
	struct operation_row *release = &scene->operation;
	struct operation_sums sums;
	enum err err;

	if (release->kind != OPERATION_VOID)
		return decided(scene, CONTROL_REFUSED);
	if (release->next_action == NEXT_NONE || release->next_action == NEXT_SEND ||
	    release->next_action == NEXT_ASK)
		return decided(scene, CONTROL_BEFORE);
	if (release->status == OS_PARKED) /* its gateway would not: a human decides */
		return decided(scene, CONTROL_REFUSED);
	err = store_operation_sums(scene->tx, scene->transaction.id, &sums);
	if (err != ERR_OK || sums.open_captures > 0)
		return err == ERR_OK ? decided(scene, CONTROL_REFUSED) : err;
	change_next(&scene->change, NEXT_SEND, scene->now_us);
	return step_write(scene, CONTROL_DONE, "void_requested", "");
}

/* What came of it since then does not matter: this request has had its effect. */
static enum err effect_find(struct scene *scene, bool *found)
{
	const struct control_request *request = scene->request;

	*found = false;
	if (scene->done == NULL)
		return ERR_OK;
	scene->outcome = scene->done_outcome;
	return store_event_find_call(scene->tx, request->transaction_id, scene->done,
				     request->api_call_id, found);
}

static enum err view_read(struct scene *scene)
{
	return store_transaction_find(scene->tx, scene->request->merchant,
				      scene->request->transaction_id, &scene->view);
}

static enum err control_work(struct store_tx *tx, void *context)
{
	struct scene *scene = context;
	struct change_target target = { .merchant = scene->request->merchant,
					.transaction_id = scene->request->transaction_id,
					.wanted = scene->request->wanted };
	bool found;
	enum err err;

	scene->tx = tx;
	err = effect_find(scene, &found);
	if (err != ERR_OK || found)
		return err == ERR_OK ? view_read(scene) : err;
	scene->note = (struct change_note){ .type = "" };
	if (scene->decide == decide_void)
		err = store_operation_find_void(tx, target.transaction_id, &target.operation_id);
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		return err;
	err = change_lock(tx, &target, &scene->operation, &scene->transaction, &scene->now_us);
	if (err != ERR_OK)
		return err;
	scene->change = change_begin(&scene->transaction, &scene->operation, NULL, scene->now_us);
	scene->change.api_call_id = scene->request->api_call_id;
	err = scene->decide(scene);
	return err == ERR_OK ? view_read(scene) : err;
}

static enum err control_run(struct store_pool *pool, struct scene *scene, int wait_ms,
			    enum control_outcome *outcome, struct transaction_view *view)
{
	enum err err = store_pool_run(pool, wait_ms, control_work, scene);

	/* The commit's answer was lost: a second run finds what the first has done. */
	if (err == ERR_UNCERTAIN) {
		scene->done = scene->note.type[0] == '\0' ? NULL : scene->change.type;
		scene->done_outcome = scene->outcome;
		err = store_pool_run(pool, wait_ms, control_work, scene);
		if (err != ERR_OK) /* stale: perhaps the first run itself made it so */
			err = ERR_UNCERTAIN;
	}
	if (err != ERR_OK)
		return err;
	change_log(&scene->note);
	*outcome = scene->outcome;
	*view = scene->view;
	return ERR_OK;
}

enum err control_process(struct store_pool *pool, const struct control_request *request,
			 int wait_ms, enum control_outcome *outcome, struct transaction_view *view)
{
	struct scene scene = { .request = request, .decide = decide_process };

	return control_run(pool, &scene, wait_ms, outcome, view);
}

enum err control_cancel(struct store_pool *pool, const struct control_request *request, int wait_ms,
			enum control_outcome *outcome, struct transaction_view *view)
{
	struct scene scene = { .request = request, .decide = decide_cancel };

	return control_run(pool, &scene, wait_ms, outcome, view);
}

enum err control_void(struct store_pool *pool, const struct control_request *request, int wait_ms,
		      enum control_outcome *outcome, struct transaction_view *view)
{
	struct scene scene = { .request = request, .decide = decide_void };

	return control_run(pool, &scene, wait_ms, outcome, view);
}

#define ASK_REST_US INT64_C(5000000)

struct asking {
	const struct control_request *request;
	bool due;
};

static enum err ask_work(struct store_tx *tx, void *context)
{
	struct asking *asking = context;

	return store_operation_ask_now(tx, asking->request->merchant,
				       asking->request->transaction_id, ASK_REST_US, &asking->due);
}

enum err control_ask(struct store_pool *pool, const struct control_request *request, int wait_ms,
		     bool *due)
{
	struct asking asking = { .request = request };
	const enum err err = store_pool_run(pool, wait_ms, ask_work, &asking);

	if (err == ERR_OK)
		*due = asking.due;
	return err;
}

struct search {
	const char *merchant;
	const char *key;
	struct operation_key found;
};

static enum err search_work(struct store_tx *tx, void *context)
{
	struct search *search = context;
	enum err err = store_operation_show_key(tx, search->merchant, search->key, &search->found);

	if (err != ERR_NOT_FOUND)
		return err;
	err = store_operation_probe_key(tx, search->merchant, search->key);
	return err == ERR_OK ? ERR_BUSY : err; /* committed meanwhile: look again */
}

enum err control_find_key(struct store_pool *pool, const char *merchant, const char *key,
			  int wait_ms, struct operation_key *found)
{
	struct search search = { .merchant = merchant, .key = key };
	enum err err = store_pool_look(pool, wait_ms, search_work, &search);

	if (err == ERR_BUSY)
		return ERR_KEY_IN_FLIGHT;
	if (err == ERR_OK)
		*found = search.found;
	return err;
}
