/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/intake.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "service/change.h"
#include "service/fingerprint.h"

#define COMMITTERS 2 /* while one waits for the disk, the other takes what has come */
#define BATCH_MAX 256
#define QUEUE_MAX 2048
#define LOCK_WAIT_S 1 /* a key that another server holds must not hold up the neighbours */
#define GATHER_MS 10
#define SETTLE_MS 60000

/* What one commit is about; sorted by key, so that those of one key stand together. */
struct commit {
	struct acceptance **list;
	size_t count;
	struct acceptance *leaders[BATCH_MAX]; /* the first of each key */
	size_t leader_count;
	bool probing; /* a lock was waited for in vain: see leaders_probe() */
};

static int by_key(const void *a, const void *b)
{
	const struct operation_row *left = &(*(struct acceptance *const *)a)->operation;
	const struct operation_row *right = &(*(struct acceptance *const *)b)->operation;
	int order = strcmp(left->idempotency_key, right->idempotency_key);

	if (order == 0)
		order = strcmp(left->merchant, right->merchant);
	return order != 0 ? order : id_compare(left->id, right->id);
}

static bool same_key(const struct acceptance *leader, const struct acceptance *other)
{
	return leader->operation.idempotency_key[0] != '\0' &&
	       strcmp(leader->operation.idempotency_key, other->operation.idempotency_key) == 0 &&
	       strcmp(leader->operation.merchant, other->operation.merchant) == 0;
}

static void leaders_choose(struct commit *commit)
{
	commit->leader_count = 0;
	for (size_t i = 0; i < commit->count; i++)
		if (!commit->list[i]->item.decided &&
		    (commit->leader_count == 0 ||
		     !same_key(commit->leaders[commit->leader_count - 1], commit->list[i])))
			commit->leaders[commit->leader_count++] = commit->list[i];
}

static void group_set_aside(struct commit *commit, const struct acceptance *leader)
{
	for (size_t i = 0; i < commit->count; i++) {
		struct acceptance *acceptance = commit->list[i];

		if (acceptance != leader && !same_key(leader, acceptance))
			continue;
		acceptance->item.decided = true;
		acceptance->item.err = acceptance->item.uncertain ? ERR_UNCERTAIN : ERR_BUSY;
	}
}

/*
 * A key that another server is at work on would hold up all that are committed with it: found without waiting for its
 * lock, once one was waited for in vain, and set aside.
 */
static enum err leaders_probe(struct store_tx *tx, struct commit *commit)
{
	size_t kept = 0;

	for (size_t i = 0; i < commit->leader_count; i++) {
		struct acceptance *leader = commit->leaders[i];
		enum err err = ERR_OK;

		if (leader->operation.idempotency_key[0] != '\0' &&
		    (commit->probing || leader->was_held))
			err = store_operation_probe_key(tx, leader->operation.merchant,
							leader->operation.idempotency_key);
		if (err == ERR_BUSY)
			group_set_aside(commit, leader);
		else if (err != ERR_OK && err != ERR_NOT_FOUND)
			return err;
		else
			commit->leaders[kept++] = leader;
	}
	commit->leader_count = kept;
	return ERR_OK;
}

/* What a request means when this operation is stored under its id or key. */
static void decide(struct acceptance *acceptance, const struct operation_row *stored)
{
	const struct fingerprint first = fingerprint_of(stored);
	const struct fingerprint asked = fingerprint_of(&acceptance->operation);
	const bool same = fingerprint_equal(first, asked);

	acceptance->receipt = (struct payment_receipt){
		.transaction_id = stored->transaction_id,
		.created_at_us = stored->created_at_us,
		.differing = same ? 0 : fingerprint_differing(first, asked),
	};
	if (id_equal(stored->id, acceptance->operation.id))
		acceptance->outcome = PAYMENT_CREATED;
	else
		acceptance->outcome = same ? PAYMENT_REPLAYED : PAYMENT_KEY_REUSED;
}

/* The leader and all behind it that bear its key. */
static void decide_group(struct commit *commit, const struct acceptance *leader,
			 const struct operation_row *stored)
{
	size_t i = 0;

	while (commit->list[i] != leader)
		i++;
	do
		decide(commit->list[i++], stored);
	while (i < commit->count && same_key(leader, commit->list[i]));
}

/*
 * Some operations were left out: read whose is stored. *fresh: it is the leader's own, of this very
 * transaction; not where an earlier commit, whose answer was lost, made it.
 */
static enum err stored_find(struct store_tx *tx, const struct acceptance *leader,
			    struct operation_row *stored, bool *fresh)
{
	const struct operation_row *asked = &leader->operation;
	struct transaction_row transaction;
	enum err err = asked->idempotency_key[0] != '\0'
			       ? store_operation_find_key(tx, asked->merchant,
							  asked->idempotency_key, stored)
			       : store_operation_lock(tx, asked->id, stored);

	*fresh = false;
	if (err == ERR_NOT_FOUND)
		return ERR_BUSY; /* its owner was rolled back meanwhile */
	if (err != ERR_OK || !id_equal(stored->id, asked->id))
		return err;
	err = store_transaction_lock(tx, stored->transaction_id, &transaction);
	*fresh = err == ERR_NOT_FOUND;
	return *fresh ? ERR_OK : err;
}

/* Keep those leaders whose operations are new, and decide the others. */
static enum err leaders_sift(struct store_tx *tx, struct commit *commit)
{
	struct operation_row stored;
	size_t kept = 0;
	bool fresh;
	enum err err;

	for (size_t i = 0; i < commit->leader_count; i++) {
		struct acceptance *leader = commit->leaders[i];

		err = stored_find(tx, leader, &stored, &fresh);
		if (err != ERR_OK)
			return err;
		decide_group(commit, leader, &stored);
		if (fresh)
			commit->leaders[kept++] = leader;
	}
	commit->leader_count = kept;
	return ERR_OK;
}

/* A payout is reserved from the start. */
static enum err reservations_post(struct store_tx *tx, const struct commit *commit)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < commit->leader_count && err == ERR_OK; i++) {
		struct acceptance *leader = commit->leaders[i];
		const struct change change = change_begin_new(
			&leader->transaction, &leader->operation, leader->event.at_us);

		if (leader->operation.kind == OPERATION_PAYOUT)
			err = change_post(tx, &change, &leader->event);
	}
	return err;
}

static enum err payments_insert(struct store_tx *tx, const struct commit *commit)
{
	const struct transaction_row *transactions[BATCH_MAX];
	const struct event_row *events[BATCH_MAX];
	enum err err;

	for (size_t i = 0; i < commit->leader_count; i++) {
		transactions[i] = &commit->leaders[i]->transaction;
		events[i] = &commit->leaders[i]->event;
	}
	err = store_transaction_insert_all(tx, transactions, commit->leader_count);
	if (err == ERR_OK)
		err = store_event_insert_all(tx, events, commit->leader_count);
	return err == ERR_OK ? reservations_post(tx, commit) : err;
}

/* Operations first: their keys decide which payments there are. Leaders that stay are those that are new. */
static enum err operations_insert(struct store_tx *tx, struct commit *commit)
{
	const struct operation_row *operations[BATCH_MAX];
	size_t inserted;
	enum err err;

	for (size_t i = 0; i < commit->leader_count; i++)
		operations[i] = &commit->leaders[i]->operation;
	err = store_operation_accept_all(tx, operations, commit->leader_count, &inserted);
	if (err != ERR_OK)
		return err;
	if (inserted < commit->leader_count)
		return leaders_sift(tx, commit);
	for (size_t i = 0; i < commit->leader_count; i++)
		decide_group(commit, commit->leaders[i], operations[i]);
	return ERR_OK;
}

static enum err commit_work(struct store_tx *tx, void *context)
{
	const struct batch_part *part = context;
	bool *probing = part->context;
	struct commit commit = { .list = (struct acceptance **)part->items,
				 .count = part->count,
				 .probing = *probing };
	enum err err;

	*probing = true; /* where this is not the last try */
	leaders_choose(&commit);
	err = leaders_probe(tx, &commit);
	if (err == ERR_OK && commit.leader_count > 0)
		err = operations_insert(tx, &commit);
	return err == ERR_OK && commit.leader_count > 0 ? payments_insert(tx, &commit) : err;
}

static enum err intake_work(void *context, struct store *store, struct batch_item **items,
			    size_t count)
{
	bool probing = false;
	const struct batch_part all = { &probing, items, count };

	(void)context;
	assert(count <= BATCH_MAX);
	qsort(items, count, sizeof(struct batch_item *), by_key);
	return batch_commit(store, &all, commit_work);
}

/* Who sent it was told of the payment, whose outcome was not known. */
static void acceptance_done(void *context, struct batch_item *item)
{
	const struct acceptance *acceptance = (struct acceptance *)item;
	char id[ID_TEXT_SIZE];

	(void)context;
	if (item->err != ERR_OK)
		log_error("a payment that was said to be under way was not taken in",
			  LOG_TEXT("transaction_id",
				   id_format(ID_TRANSACTION, acceptance->transaction.id, id)),
			  LOG_TEXT("merchant", acceptance->transaction.merchant),
			  LOG_ERR(item->err));
	free(item);
}

enum err intake_start(const struct store_settings *database, struct batch **intake)
{
	struct batch_settings settings = {
		.database = *database,
		.workers = COMMITTERS,
		.size_max = BATCH_MAX,
		.queue_max = QUEUE_MAX,
		.gather_ms = GATHER_MS,
		.settle_ms = SETTLE_MS,
		.work = intake_work,
		.item_done = acceptance_done,
	};

	static_assert(offsetof(struct acceptance, item) == 0, "an item is an acceptance");
	settings.database.lock_wait_max_s = LOCK_WAIT_S;
	settings.database.counts_changed = true;
	return batch_start(&settings, intake);
}
