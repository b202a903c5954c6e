/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/request.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "service/change.h"
#include "service/fingerprint.h"
#include "store/exception.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *const request_members[REQUEST_MEMBERS] = { "amount", "currency", "reason",
						       "payment_token" };

/* What each kind is called: in the timeline, and in what a key stands for. */
static const struct verb {
	enum operation_kind kind;
	const char *type; /* of the event */
	const char *path; /* of its keys, below the transaction */
} verbs[] = {
	{ OPERATION_CAPTURE, .type = "capture_requested", "capture" },
	{ OPERATION_REFUND, .type = "refund_requested", "refunds" },
};

struct scene {
	struct store_tx *tx;
	const struct request_order *order;
	const struct verb *verb;
	struct operation_row operation; /* the new one, made before the first try */
	struct transaction_row transaction;
	struct exception_row exception; /* request_surplus(): of the late success that is given back */
	struct change_note note;
	enum request_outcome outcome;
	struct operation_row stored; /* what the outcome is about */
	int64_t left_minor;
	int64_t now_us;
};

static const struct verb *verb_of(enum operation_kind kind)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (verbs[i].kind == kind)
			return &verbs[i];
	assert(false && "operations of this kind are not asked for so");
	return NULL;
}

static struct id id_new(int64_t now_us)
{
	uint8_t random[10];

	crypto_random(random, sizeof random);
	return id_make(now_us, random);
}

static void hashes_fill(const struct vault *vault, const struct request_order *order,
			const struct verb *verb, struct operation_row *row)
{
	char transaction[ID_TEXT_SIZE];
	char scope[96];
	char amount[48] = "";
	const struct fingerprint_member members[REQUEST_MEMBERS] = {
		{ request_members[0], amount },
		{ request_members[1], order->currency },
		{ request_members[2], order->reason },
		{ request_members[3], order->token },
	};

	snprintf(scope, sizeof scope, "POST /transactions/%s/%s",
		 id_format(ID_TRANSACTION, order->transaction_id, transaction), verb->path);
	if (order->amount_minor != 0)
		fingerprint_amount(order->form, order->amount_minor, amount, sizeof amount);
	fingerprint_members(vault, scope, members, REQUEST_MEMBERS, fingerprint_place(row));
}

/* All but what only the locked transaction tells. */
static enum err operation_fill(const struct vault *vault, struct scene *scene, int64_t now_us)
{
	const struct request_order *order = scene->order;
	struct operation_row *row = &scene->operation;

	*row = (struct operation_row){
		.id = id_new(now_us),
		.transaction_id = order->transaction_id,
		.kind = order->kind,
		.amount_minor = order->amount_minor,
		.status = OS_PENDING,
		.next_action = NEXT_SEND,
		.gateway_key_number = 1,
		.form = order->form,
		.trace = order->trace,
	};
	snprintf(row->merchant, sizeof row->merchant, "%s", order->merchant);
	snprintf(row->reason, sizeof row->reason, "%s", order->reason);
	snprintf(row->idempotency_key, sizeof row->idempotency_key, "%s", order->idempotency_key);
	if (row->idempotency_key[0] != '\0')
		hashes_fill(vault, order, scene->verb, row);
	return vault_seal_token(vault, row->id, order->token, row->payment_token_sealed,
				&row->payment_token_sealed_size, row->payment_token_key_id);
}

/* What its key, or an earlier try of this very request, has begun. */
static enum err stored_find(struct scene *scene, bool *found)
{
	const struct operation_row *asked = &scene->operation;
	struct operation_row *stored = &scene->stored;
	enum err err = asked->idempotency_key[0] != '\0'
			       ? store_operation_read_key(scene->tx, asked->merchant,
							  asked->idempotency_key, stored)
			       : store_operation_read(scene->tx, asked->id, stored);

	*found = err == ERR_OK;
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	if (id_equal(stored->id, asked->id))
		scene->outcome = REQUEST_CREATED;
	else
		scene->outcome = fingerprint_equal(fingerprint_of(stored), fingerprint_of(asked))
					 ? REQUEST_REPLAYED
					 : REQUEST_KEY_REUSED;
	return ERR_OK;
}

/* Whether the transaction allows it at all, and how much of it is left; under its lock. */
static enum err allowance(struct scene *scene, bool *allowed)
{
	const struct transaction_row *transaction = &scene->transaction;
	struct operation_row release;
	struct operation_sums sums;
	struct id release_id;
	enum err err = store_operation_sums(scene->tx, transaction->id, &sums);

	*allowed = false;
	if (err != ERR_OK)
		return err;
	if (scene->order->kind == OPERATION_REFUND) {
		*allowed = transaction->amount_captured > 0;
		scene->left_minor = transaction->amount_captured - sums.refunds;
		return ERR_OK;
	}
	scene->left_minor = transaction->amount.minor - sums.captures;
	if (transaction->status != TS_AUTHORISED)
		return ERR_OK;
	err = store_operation_find_void(scene->tx, transaction->id, &release_id);
	if (err == ERR_OK)
		err = store_operation_read(scene->tx, release_id, &release);
	/* What is being released is not captured any more. */
	*allowed = err == ERR_OK && release.status == OS_PENDING &&
		   release.next_action == NEXT_EXPIRE;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err operation_write(struct scene *scene, const char *type)
{
	struct change change;
	enum err err;

	scene->operation.created_at_us = scene->now_us;
	scene->operation.next_action_at_us = scene->now_us;
	change = change_begin_new(&scene->transaction, &scene->operation, scene->now_us);
	change.type = type;
	change.api_call_id = scene->order->api_call_id;
	err = change_write(scene->tx, &change, &scene->note);
	/* Its key, or the surplus, was taken by a neighbour just now: look again. */
	if (err == ERR_CONFLICT)
		return ERR_BUSY;
	scene->outcome = REQUEST_CREATED;
	scene->stored = scene->operation;
	return err;
}

static enum err create(struct scene *scene)
{
	struct operation_row *row = &scene->operation;
	bool allowed;
	enum err err = allowance(scene, &allowed);

	if (err != ERR_OK)
		return err;
	row->amount_minor = scene->order->amount_minor != 0 ? scene->order->amount_minor
							    : scene->left_minor;
	if (!allowed || scene->left_minor <= 0 || row->amount_minor > scene->left_minor) {
		scene->outcome = allowed ? REQUEST_TOO_MUCH : REQUEST_REFUSED;
		return ERR_OK;
	}
	err = store_attempt_find_parent(scene->tx, row->transaction_id, row->kind,
					&row->parent_attempt_id);
	if (err == ERR_NOT_FOUND) {
		scene->outcome = REQUEST_REFUSED;
		return ERR_OK;
	}
	return err == ERR_OK ? operation_write(scene, scene->verb->type) : err;
}

static enum err create_work(struct store_tx *tx, void *context)
{
	struct scene *scene = context;
	const struct request_order *order = scene->order;
	bool found;
	enum err err = store_transaction_lock(tx, order->transaction_id, &scene->transaction);

	scene->tx = tx;
	scene->note = (struct change_note){ .type = "" };
	if (err == ERR_OK && strcmp(scene->transaction.merchant, order->merchant) != 0)
		err = ERR_NOT_FOUND;
	if (err == ERR_OK)
		err = store_now(tx, &scene->now_us);
	if (err == ERR_OK)
		err = stored_find(scene, &found);
	if (err != ERR_OK || found)
		return err;
	if (!version_matches(order->wanted, scene->transaction.version))
		return ERR_STALE;
	return create(scene);
}

static void receipt_fill(const struct scene *scene, struct request_receipt *receipt)
{
	*receipt = (struct request_receipt){
		.operation_id = scene->stored.id,
		.amount_minor = scene->stored.amount_minor,
		.form = scene->stored.form,
		.created_at_us = scene->stored.created_at_us,
		.left_minor = scene->left_minor,
		.transaction = scene->transaction,
	};
	memcpy(receipt->reason, scene->stored.reason, sizeof receipt->reason);
	if (scene->outcome == REQUEST_KEY_REUSED)
		receipt->differing = fingerprint_differing(fingerprint_of(&scene->stored),
							   fingerprint_of(&scene->operation));
}

/* What its runs came to. */
static enum err settle(struct scene *scene, enum err err, enum request_outcome *outcome,
		       struct request_receipt *receipt)
{
	if (err == ERR_UNCERTAIN) {
		scene->outcome = REQUEST_UNCERTAIN;
		scene->stored = scene->operation;
		scene->note.type[0] = '\0';
	} else if (err != ERR_OK) {
		return err;
	}
	change_log(&scene->note);
	receipt_fill(scene, receipt);
	*outcome = scene->outcome;
	return ERR_OK;
}

enum err request_create(struct store_pool *pool, const struct vault *vault,
			const struct request_order *order, int wait_ms,
			enum request_outcome *outcome, struct request_receipt *receipt)
{
	struct scene scene = { .order = order, .verb = verb_of(order->kind) };
	int64_t now_us = clock_now_us();
	enum err err = operation_fill(vault, &scene, now_us);

	if (err != ERR_OK)
		return err;
	err = store_pool_run(pool, wait_ms, create_work, &scene);
	/* The commit's answer was lost: a second run finds what the first has done, or refuses what was not done. */
	if (err == ERR_UNCERTAIN) {
		err = store_pool_run(pool, wait_ms, create_work, &scene);
		if (err != ERR_OK && err_row(err)->class != ERR_CLASS_CALLER)
			err = ERR_UNCERTAIN;
	}
	return settle(&scene, err, outcome, receipt);
}

/* ---- what was taken beside the decision ---- */

/* What gives it back; false: what ended so late took no money, and holds none. */
static bool surplus_fill(struct scene *scene, const struct operation_row *late)
{
	struct operation_row *row = &scene->operation;

	row->transaction_id = late->transaction_id;
	row->kind = late->kind == OPERATION_AUTHORISE ? OPERATION_VOID : OPERATION_REFUND;
	row->amount_minor = late->amount_minor;
	row->status = OS_PENDING;
	row->next_action = NEXT_SEND;
	row->gateway_key_number = 1;
	row->form = OPERATION_NO_FORM;
	row->surplus = true;
	row->parent_attempt_id = scene->exception.attempt_id;
	memcpy(row->merchant, late->merchant, sizeof row->merchant);
	snprintf(row->reason, sizeof row->reason, "late success");
	return late->kind == OPERATION_CHARGE || late->kind == OPERATION_CAPTURE ||
	       late->kind == OPERATION_AUTHORISE;
}

static enum err surplus_lock(struct scene *scene, struct operation_row *late)
{
	struct attempt_row attempt;
	enum err err = store_attempt_read(scene->tx, scene->exception.attempt_id, &attempt);

	if (err == ERR_OK)
		err = store_transaction_lock(scene->tx, attempt.transaction_id,
					     &scene->transaction);
	if (err == ERR_OK)
		err = store_operation_read(scene->tx, attempt.operation_id, late);
	return err == ERR_OK ? store_now(scene->tx, &scene->now_us) : err;
}

static enum err surplus_work(struct store_tx *tx, void *context)
{
	struct scene *scene = context;
	struct operation_row late;
	bool reversed;
	enum err err = store_exception_find(tx, scene->exception.id, &scene->exception);

	scene->tx = tx;
	scene->note = (struct change_note){ .type = "" };
	scene->outcome = REQUEST_REFUSED;
	if (err != ERR_OK || scene->exception.kind != EXCEPTION_LATE_SUCCESS)
		return err;
	err = surplus_lock(scene, &late);
	if (err != ERR_OK)
		return err;
	err = store_operation_find_surplus(tx, scene->exception.attempt_id, &scene->stored);
	if (err == ERR_OK)
		scene->outcome = id_equal(scene->stored.id, scene->operation.id) ? REQUEST_CREATED
										 : REQUEST_REPLAYED;
	if (err != ERR_NOT_FOUND)
		return err;
	if (!surplus_fill(scene, &late) || scene->exception.state != EXCEPTION_OPEN)
		return ERR_OK;
	/* Its gateway gave it back by itself, whatever a human still has to decide. */
	err = store_event_find_reversed(tx, late.transaction_id, scene->exception.attempt_id,
					&reversed);
	if (err != ERR_OK || reversed)
		return err;
	return operation_write(scene, "surplus_refund_requested");
}

enum err request_surplus(struct store *store, struct id exception_id,
			 enum request_outcome *outcome, struct request_receipt *receipt)
{
	const struct request_order order = { .api_call_id = "" };
	struct scene scene = { .order = &order, .exception.id = exception_id };
	enum err err;

	scene.operation.id = id_new(clock_now_us());
	err = store_run(store, surplus_work, &scene);
	return settle(&scene, err, outcome, receipt);
}
