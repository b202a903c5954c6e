/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/callback_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "service/batch.h"
#include "service/catalogue.h"
#include "store/sheet.h"

#define COMMITTERS 1
#define BATCH_MAX 128
#define QUEUE_MAX 2048
#define GAP_MS 10 /* a commit costs much the same for few as for many, and gateways wait longer */
#define LOCK_WAIT_S 1 /* for a message that another server is just storing: see probe() */
#define SETTLE_MS 10000
#define CALL_ID_SIZE 65

/* One that waits for its commit, with all it needs: who brought it may be gone by then. */
struct arrival {
	struct batch_item item; /* first */
	struct callback_delivery delivery;
	struct gateway_notice notice;
	char api_call_id[CALL_ID_SIZE];
	struct callback_row row; /* as it was before any try */
	struct receipt receipt;
};

static int by_key(const void *a, const void *b)
{
	const struct callback_row *left = &(*(struct arrival *const *)a)->row;
	const struct callback_row *right = &(*(struct arrival *const *)b)->row;
	int order = strcmp(left->gateway, right->gateway);

	return order != 0 ? order : strcmp(left->callback_key, right->callback_key);
}

static bool same_message(const struct callback_row *left, const struct callback_row *right)
{
	return strcmp(left->gateway, right->gateway) == 0 &&
	       strcmp(left->callback_key, right->callback_key) == 0;
}

/* One commit: the receipts that are still to be judged. */
struct commit {
	struct store_tx *tx;
	struct arrival **list; /* sorted by key */
	size_t count;
	struct receipt *stored[BATCH_MAX];
	size_t stored_count;
	bool probing; /* a lock was waited for in vain: see probe() */
};

/*
 * An earlier commit of it had its answer lost. Where it was committed, it has had its effect: what its row says stands,
 * and it is not judged again.
 */
static enum err settled_find(struct store_tx *tx, const struct batch_item *item,
			     struct receipt *receipt, bool *settled)
{
	struct callback_row found;
	enum err err;

	*settled = false;
	if (!item->uncertain || receipt->outcome == CALLBACK_OUTCOME_FOREIGN)
		return ERR_OK;
	err = store_callback_lock(tx, receipt->row.gateway, receipt->row.callback_key, &found);
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err != ERR_OK)
		return err;
	*settled = true;
	if (id_equal(found.id, receipt->row.id))
		receipt->row = found;
	else
		receipt->outcome = CALLBACK_OUTCOME_DUPLICATE;
	return ERR_OK;
}

static void receipts_begin(const struct commit *commit)
{
	for (size_t i = 0; i < commit->count; i++) {
		struct arrival *arrival = commit->list[i];

		arrival->receipt = (struct receipt){
			.delivery = &arrival->delivery,
			.tx = commit->tx,
			.row = arrival->row,
			.outcome = CALLBACK_OUTCOME_STORED,
			.note = { .type = "" },
		};
	}
}

/* The attempts of the transactions that paths name: most messages speak of one that knows their reference already. */
static void match_known(void *context, const struct attempt_row *attempt)
{
	const struct commit *commit = context;

	for (size_t i = 0; i < commit->count; i++) {
		struct receipt *receipt = &commit->list[i]->receipt;
		const struct callback_delivery *delivery = receipt->delivery;

		if (delivery->merchant == NULL && attempt->gateway_ref[0] != '\0' &&
		    id_equal(delivery->transaction_id, attempt->transaction_id) &&
		    strcmp(delivery->gateway->name, attempt->gateway) == 0 &&
		    strcmp(delivery->notice->gateway_ref, attempt->gateway_ref) == 0)
			callback_matched(receipt, attempt);
	}
}

static enum err match_all(struct commit *commit)
{
	struct id paths[BATCH_MAX];
	size_t count = 0;
	enum err err = ERR_OK;

	for (size_t i = 0; i < commit->count; i++)
		if (!id_is_empty(commit->list[i]->delivery.transaction_id))
			paths[count++] = commit->list[i]->delivery.transaction_id;
	if (count > 0)
		err = store_attempt_list_many(commit->tx, paths, count, match_known, commit);
	for (size_t i = 0; err == ERR_OK && i < commit->count; i++) {
		struct receipt *receipt = &commit->list[i]->receipt;

		if (!receipt->matched)
			err = callback_match(receipt);
	}
	return err;
}

/* Whether what a message is about is free; where it is not, nothing is done for it in this commit. */
static enum err held_find(const struct commit *commit)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < commit->count; i++) {
		struct arrival *arrival = commit->list[i];
		struct receipt *receipt = &arrival->receipt;

		if (!receipt->held && receipt->matched)
			err = store_sheet_is_held(commit->tx, receipt->attempt.operation_id,
						  receipt->attempt.id, &receipt->held);
		arrival->item.held = arrival->item.held || receipt->held;
	}
	return err;
}

static enum err lock_all(const struct commit *commit)
{
	struct id operations[BATCH_MAX];
	struct id attempts[BATCH_MAX];
	size_t count = 0;
	enum err err;

	for (size_t i = 0; i < commit->count; i++) {
		const struct receipt *receipt = &commit->list[i]->receipt;

		if (!receipt->matched)
			continue;
		operations[count] = receipt->attempt.operation_id;
		attempts[count++] = receipt->attempt.id;
	}
	err = store_sheet_lock(commit->tx, operations, count);
	if (err == ERR_OK)
		err = store_sheet_lock_attempts(commit->tx, operations, attempts, count);
	return err == ERR_OK ? held_find(commit) : err;
}

/*
 * A message that another server is just storing would hold up all that are committed with it: found without waiting,
 * once one was waited for in vain.
 */
static enum err probe(const struct commit *commit, struct arrival *arrival)
{
	enum err err;

	if (!commit->probing && arrival->item.held_boot_us == 0)
		return ERR_OK;
	err = store_callback_probe(commit->tx, arrival->row.gateway, arrival->row.callback_key);
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	arrival->item.held = err == ERR_BUSY;
	return arrival->item.held ? ERR_OK : err;
}

/* Of several deliveries of one message the first is stored; what was foreign on one path may not be on another. */
static enum err leaders_choose(struct commit *commit)
{
	const struct callback_row *stored = NULL;
	bool settled;

	commit->stored_count = 0;
	for (size_t i = 0; i < commit->count; i++) {
		struct arrival *arrival = commit->list[i];
		struct receipt *receipt = &arrival->receipt;
		enum err err = arrival->item.held ? ERR_OK : probe(commit, arrival);

		if (err != ERR_OK)
			return err;
		if (arrival->item.held)
			continue;
		err = settled_find(commit->tx, &arrival->item, receipt, &settled);
		if (err != ERR_OK)
			return err;
		if (settled || receipt->outcome == CALLBACK_OUTCOME_FOREIGN)
			continue;
		if (stored != NULL && same_message(stored, &receipt->row)) {
			receipt->outcome = CALLBACK_OUTCOME_DUPLICATE;
			continue;
		}
		stored = &receipt->row;
		commit->stored[commit->stored_count++] = receipt;
	}
	return ERR_OK;
}

/* Some were there already: tell which, and leave them. */
static enum err duplicates_sift(struct commit *commit)
{
	size_t kept = 0;

	for (size_t i = 0; i < commit->stored_count; i++) {
		struct receipt *receipt = commit->stored[i];
		struct callback_row found;
		enum err err = store_callback_lock(commit->tx, receipt->row.gateway,
						   receipt->row.callback_key, &found);

		if (err != ERR_OK)
			return err;
		if (id_equal(found.id, receipt->row.id))
			commit->stored[kept++] = receipt;
		else
			receipt->outcome = CALLBACK_OUTCOME_DUPLICATE;
	}
	commit->stored_count = kept;
	return ERR_OK;
}

/* What most messages come to: a row that says so from the start is not written a second time. */
static enum callback_result result_expected(const struct receipt *receipt)
{
	return receipt->matched ? CALLBACK_APPLIED : CALLBACK_ORPHAN;
}

/*
 * Their rows before their effects: of two deliveries at once, to two servers even, the second waits here, or has found
 * what it is about held, and is then a duplicate.
 */
static enum err rows_insert(struct commit *commit)
{
	const struct callback_row *rows[BATCH_MAX];
	size_t inserted;
	enum err err;

	err = leaders_choose(commit);
	if (err != ERR_OK || commit->stored_count == 0)
		return err;
	for (size_t i = 0; i < commit->stored_count; i++) {
		commit->stored[i]->row.result = result_expected(commit->stored[i]);
		rows[i] = &commit->stored[i]->row;
	}
	err = store_callback_insert_all(commit->tx, rows, commit->stored_count, &inserted);
	if (err == ERR_OK && inserted < commit->stored_count)
		err = duplicates_sift(commit);
	return err;
}

static enum err judge_all(const struct commit *commit)
{
	const struct callback_row *rows[BATCH_MAX];
	size_t count = 0;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < commit->stored_count; i++) {
		struct receipt *receipt = commit->stored[i];

		err = callback_judge(receipt);
		if (receipt->row.result != result_expected(receipt))
			rows[count++] = &receipt->row;
	}
	if (err != ERR_OK || count == 0)
		return err;
	return store_callback_write_all(commit->tx, rows, count);
}

static enum err commit_work(struct store_tx *tx, void *context)
{
	const struct batch_part *part = context;
	bool *probing = part->context;
	struct commit commit = { .tx = tx,
				 .list = (struct arrival **)part->items,
				 .count = part->count,
				 .probing = *probing };
	enum err err = store_sheet_open(tx);

	if (err != ERR_OK)
		return err;
	*probing = true; /* where this is not the last try */
	receipts_begin(&commit);
	err = match_all(&commit);
	if (err == ERR_OK)
		err = lock_all(&commit);
	if (err == ERR_OK)
		err = rows_insert(&commit);
	return err == ERR_OK ? judge_all(&commit) : err;
}

static enum err callbacks_work(void *context, struct store *store, struct batch_item **items,
			       size_t count)
{
	bool probing = false;
	const struct batch_part all = { &probing, items, count };

	(void)context;
	assert(count <= BATCH_MAX);
	qsort(items, count, sizeof(struct batch_item *), by_key);
	return batch_commit(store, &all, commit_work);
}

static void arrival_free(struct arrival *arrival)
{
	catalogue_release(arrival->delivery.view);
	free(arrival);
}

/* Who brought it went away: it will be brought again, and is then a duplicate. */
static void arrival_done(void *context, struct batch_item *item)
{
	struct arrival *arrival = (struct arrival *)item;

	(void)context;
	if (item->err == ERR_OK)
		change_log(&arrival->receipt.note);
	arrival_free(arrival);
}

enum err callback_start(const struct store_settings *database, struct batch **callbacks)
{
	struct batch_settings settings = {
		.database = *database,
		.workers = COMMITTERS,
		.size_max = BATCH_MAX,
		.queue_max = QUEUE_MAX,
		.gap_ms = GAP_MS,
		.settle_ms = SETTLE_MS,
		.work = callbacks_work,
		.item_done = arrival_done,
	};

	static_assert(offsetof(struct arrival, item) == 0, "an item is an arrival");
	settings.database.lock_wait_max_s = LOCK_WAIT_S;
	settings.database.counts_changed = true;
	return batch_start(&settings, callbacks);
}

static struct arrival *arrival_new(const struct callback_delivery *delivery)
{
	struct arrival *arrival = calloc(1, sizeof *arrival);

	if (arrival == NULL)
		return NULL;
	arrival->receipt.delivery = delivery;
	callback_row_fill(&arrival->receipt);
	arrival->row = arrival->receipt.row;
	arrival->notice = *delivery->notice;
	strncat(arrival->api_call_id, delivery->api_call_id, sizeof arrival->api_call_id - 1);
	arrival->delivery = *delivery;
	if (delivery->view != NULL)
		(void)catalogue_share(delivery->view);
	arrival->delivery.notice = &arrival->notice;
	arrival->delivery.api_call_id = arrival->api_call_id;
	arrival->delivery.body = NULL;
	arrival->delivery.body_size = 0;
	return arrival;
}

static enum err settle(const struct arrival *arrival, enum callback_outcome *outcome,
		       enum callback_result *result)
{
	if (arrival->item.err != ERR_OK)
		return arrival->item.err;
	change_log(&arrival->receipt.note);
	*outcome = arrival->receipt.outcome;
	if (*outcome == CALLBACK_OUTCOME_STORED)
		*result = arrival->receipt.row.result;
	return ERR_OK;
}

enum err callback_receive(struct batch *callbacks, const struct callback_delivery *delivery,
			  int64_t deadline_boot_us, enum callback_outcome *outcome,
			  enum callback_result *result)
{
	struct arrival *arrival = arrival_new(delivery);
	enum err err;

	if (arrival == NULL)
		return ERR_MEMORY;
	err = batch_run(callbacks, &arrival->item, deadline_boot_us);
	if (err == ERR_UNCERTAIN)
		return err;
	if (err == ERR_OK)
		err = settle(arrival, outcome, result);
	arrival_free(arrival);
	return err;
}
