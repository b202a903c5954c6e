/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/due.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "core/consequence.h"
#include "service/change.h"
#include "store/callback.h"
#include "store/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACQUIRE_WAIT_MS 1000
#define ASK_LEASE_MARGIN_US INT64_C(2000000)
#define UNCONFIGURED_PAUSE_US INT64_C(60000000)
#define EXPIRY_PAUSE_US INT64_C(60000000)
#define RELEASE_PAUSE_US INT64_C(60000000) /* a void waits as long for a capture that is open */

struct claim {
	const struct due_settings *settings;
	const struct catalogue_view *view;
	size_t limit;
	int64_t boot_us; /* read before the claim began: never later than the database's idea of its start */
	struct due_job *jobs;
	struct change_note *notes; /* as many as jobs */
	size_t count, note_count;
	size_t taken; /* rows that were due, whatever became of them */
	bool full;    /* as many as its limit */
	struct room room; /* with what is claimed now; kept once it is committed */
	bool alone; /* one operation, written at once: see claim_singly() */
};

/* One claimed operation while its job is made. */
struct item {
	struct claim *claim;
	struct store_tx *tx;
	struct operation_row *operation;
	struct transaction_row transaction;
	struct attempt_row attempt;
	struct attempt_row parent; /* whose money a capture, void or refund is about */
	int64_t now_us;
};

static enum err note_keep(struct item *item, struct change *change)
{
	struct claim *claim = item->claim;
	enum err err = change_write(item->tx, change, &claim->notes[claim->note_count]);

	if (err == ERR_OK)
		claim->note_count++;
	return err;
}

static void order_fill(const struct item *item, struct gateway_order *order)
{
	const struct operation_row *operation = item->operation;
	char transaction[ID_TEXT_SIZE];

	*order = (struct gateway_order){
		.kind = operation->kind,
		.transaction_id = operation->transaction_id,
		.operation_id = operation->id,
		.attempt_id = item->attempt.id,
		.amount = item->transaction.amount,
		.exponent = item->transaction.exponent,
		.trace = operation->trace,
	};
	order->amount.minor = operation->amount_minor;
	memcpy(order->our_reference, item->attempt.our_reference, sizeof order->our_reference);
	memcpy(order->gateway_key, item->attempt.gateway_key, sizeof order->gateway_key);
	memcpy(order->parent_ref, item->parent.gateway_ref, sizeof order->parent_ref);
	snprintf(order->callback_url, sizeof order->callback_url, "%s/callback/%s",
		 item->claim->settings->callback_base,
		 id_format(ID_TRANSACTION, operation->transaction_id, transaction));
}

/* Only a sender needs the payment token. */
static enum err order_unseal(const struct item *item, struct gateway_order *order)
{
	const struct operation_row *operation = item->operation;
	struct vault_place place = { VAULT_PAYMENT_TOKEN, operation->id };
	struct vault_sealed sealed = { .size = operation->payment_token_sealed_size };

	if (sealed.size == 0)
		return ERR_OK;
	memcpy(sealed.bytes, operation->payment_token_sealed, sealed.size);
	memcpy(sealed.key_id, operation->payment_token_key_id, sizeof sealed.key_id);
	return vault_open(item->claim->settings->vault, &place, &sealed, order->payment_token,
			  sizeof order->payment_token);
}

static void attempt_fill(struct item *item, const struct choice *choice)
{
	const struct due_settings *settings = item->claim->settings;
	const struct gateway *gateway = choice->gateway;
	struct operation_row *operation = item->operation;
	struct attempt_row *attempt = &item->attempt;
	char operation_text[ID_TEXT_SIZE];
	uint8_t random[10];

	crypto_random(random, sizeof random);
	*attempt = (struct attempt_row){
		.id = id_make(item->now_us, random),
		.operation_id = operation->id,
		.transaction_id = operation->transaction_id,
		.number = operation->attempt_count + 1,
		.status = AS_PREPARED,
		.class = ATTEMPT_CLASS_NONE,
		.prepared_at_us = item->now_us,
		.send_by_us = item->now_us + settings->send_window_us,
	};
	attempt->lease_until_us = attempt->send_by_us + settings->lease_margin_us +
				  (int64_t)gateway->total_timeout_ms * 1000;
	memcpy(attempt->merchant, operation->merchant, sizeof attempt->merchant);
	memcpy(attempt->gateway, gateway->name, sizeof gateway->name);
	memcpy(attempt->account, choice->account, sizeof attempt->account);
	/* The gateway's own key: the same again unless it rose after a definite decline there. */
	snprintf(attempt->gateway_key, sizeof attempt->gateway_key, "%s-%u",
		 id_format(ID_OPERATION, operation->id, operation_text), choice->key_number);
	memcpy(attempt->our_reference, attempt->gateway_key, sizeof attempt->our_reference);
}

/*
 * Not even parking is allowed by the tables: leave it for a while, loudly, rather than stop
 * everything.
 */
static enum err item_postpone(struct item *item)
{
	char transaction[ID_TEXT_SIZE];
	enum err err = store_operation_lock(item->tx, item->operation->id, item->operation);

	if (err != ERR_OK)
		return err;
	id_format(ID_TRANSACTION, item->operation->transaction_id, transaction);
	log_error("operation and transaction disagree", LOG_TEXT("transaction_id", transaction));
	item->operation->next_action_at_us = item->now_us + UNCONFIGURED_PAUSE_US;
	return store_operation_update(item->tx, item->operation);
}

/* The rows in memory are half changed: read them again, then let a human decide. */
static enum err item_park(struct item *item, const char *reason)
{
	struct change change;
	enum err err = store_operation_lock(item->tx, item->operation->id, item->operation);

	if (err == ERR_OK)
		err = store_transaction_lock(item->tx, item->operation->transaction_id,
					     &item->transaction);
	if (err != ERR_OK)
		return err;
	change = change_begin(&item->transaction, item->operation, NULL, item->now_us);
	change.type = "parked";
	change.reason = reason;
	if (change_park(&change, reason) != ERR_OK)
		return item_postpone(item);
	return note_keep(item, &change);
}

/* It is not to be sent any more. No attempt may be live beside these actions: one is for a human. */
static enum err item_withdraw(struct item *item, const char *type, const char *reason)
{
	struct change change =
		change_begin(&item->transaction, item->operation, NULL, item->now_us);
	enum err err = store_attempt_lock_live(item->tx, item->operation->id, &item->attempt);

	if (err != ERR_NOT_FOUND)
		return err == ERR_OK ? ERR_CONFLICT : err;
	err = change_withdraw(&change, reason);
	if (err != ERR_OK)
		return err;
	change.type = type;
	change.reason = reason;
	return note_keep(item, &change);
}

/* Whether a gateway's breaker, or that it has no room, keeps us from asking it, and until when. */
static bool is_shut(const struct item *item, const struct gateway *gateway, int64_t *again_at_us)
{
	struct claim *claim = item->claim;
	struct breakers *breakers = claim->settings->breakers;
	int64_t wait_us;

	if (breakers != NULL && !breakers_allow(breakers, gateway->name, BREAKER_INQUIRY,
						item->now_us, again_at_us))
		return true;
	wait_us = room_wait_us(&claim->room, gateway->name, claim->boot_us);
	if (wait_us > 0)
		*again_at_us = item->now_us + wait_us;
	return wait_us > 0;
}

/* Nothing is done now, and the same is due again at that time. */
static enum err item_wait(struct item *item, int64_t again_at_us)
{
	item->operation->next_action_at_us = again_at_us;
	item->operation->updated_at_us = item->now_us;
	return store_operation_update(item->tx, item->operation);
}

/* Captures, voids and refunds go to the gateway account of what they are about. */
static enum err parent_read(struct item *item)
{
	if (consequence_leads(item->operation->kind))
		return ERR_OK;
	return store_attempt_read(item->tx, item->operation->parent_attempt_id, &item->parent);
}

/* Nothing is released while a capture is open: it would be refused, or lose what it takes. */
static enum err release_blocked(struct item *item, bool *blocked)
{
	struct operation_sums sums;
	enum err err = ERR_OK;

	*blocked = false;
	if (item->operation->kind != OPERATION_VOID)
		return ERR_OK;
	err = store_operation_sums(item->tx, item->operation->transaction_id, &sums);
	if (err == ERR_OK)
		*blocked = sums.open_captures > 0;
	return err;
}

static enum err choose(struct item *item, struct choice *choice)
{
	const struct due_settings *settings = item->claim->settings;
	const bool leads = consequence_leads(item->operation->kind);
	const struct choice_request request = { .view = item->claim->view,
						.breakers = settings->breakers,
						.budgets = settings->budgets,
						.room = &item->claim->room,
						.boot_us = item->claim->boot_us,
						.transaction = &item->transaction,
						.operation = item->operation,
						.parent = leads ? NULL : &item->parent,
						.now_us = item->now_us };

	return choice_make(item->tx, &request, choice);
}

/* No gateway is left for it: it ends, or where that may not be, a human decides. */
static enum err item_give_up(struct item *item, const char *failure)
{
	struct change change =
		change_begin(&item->transaction, item->operation, NULL, item->now_us);
	enum err err;

	if (!consequence_may_fail(item->operation->kind))
		return item_park(item, failure);
	change.type = "route_exhausted";
	change.reason = failure;
	if (item->operation->status != OS_PROCESSING) {
		err = change_operation(&change, OE_STARTED);
		if (err != ERR_OK)
			return err;
	}
	err = change_fail(&change, failure);
	return err == ERR_OK ? note_keep(item, &change) : err;
}

/*
 * Prepare an attempt. The lease's end is the operation's next action: whoever finds it then asks.
 */
static enum err item_prepare(struct item *item, const struct choice *choice, struct due_job *job)
{
	struct operation_row *operation = item->operation;
	struct change change;
	enum err err;

	attempt_fill(item, choice);
	order_fill(item, &job->order);
	err = order_unseal(item, &job->order);
	if (err != ERR_OK)
		return err;
	change = change_begin(&item->transaction, operation, &item->attempt, item->now_us);
	change.attempt_is_new = true;
	change.type = "attempt_prepared";
	change.reason = choice->gateway->name;
	if (operation->status != OS_PROCESSING)
		err = change_operation(&change, OE_STARTED);
	if (err != ERR_OK)
		return err;
	operation->attempt_count++;
	operation->retry_count += choice->is_retry ? 1 : 0;
	operation->gateway_key_number = choice->key_number;
	change_reason(&change, "");
	change_next(&change, NEXT_ASK, item->attempt.lease_until_us);
	job->kind = DUE_SEND;
	job->lease_expired = false;
	job->gateway = choice->gateway;
	job->lease_span_us = item->attempt.lease_until_us - item->attempt.prepared_at_us;
	job->send_by_boot_us = item->claim->boot_us + item->claim->settings->send_window_us;
	return note_keep(item, &change);
}

/* Send it to the gateway that is chosen now, unless something stands against it. */
static enum err item_send(struct item *item, struct due_job *job)
{
	struct operation_row *operation = item->operation;
	struct choice choice;
	enum err err = parent_read(item);

	if (err != ERR_OK)
		return err;
	err = choose(item, &choice);
	if (err != ERR_OK)
		return err;
	memcpy(operation->route_rule, choice.rule, sizeof operation->route_rule);
	memcpy(operation->route_candidates, choice.candidates, sizeof operation->route_candidates);
	switch (choice.outcome) {
	case CHOICE_SEND:
		break;
	case CHOICE_WAIT:
		return item_wait(item, choice.again_at_us);
	case CHOICE_FAIL:
		return item_give_up(item, choice.failure);
	}
	return item_prepare(item, &choice, job);
}

/*
 * Its token is sealed with a key that this process does not have: another may have it, or this one after its next
 * start. So nobody decides, and it is due again later.
 */
static bool key_is_missing(const struct item *item)
{
	const struct operation_row *operation = item->operation;
	char transaction[ID_TEXT_SIZE];

	if (operation->payment_token_sealed_size == 0 ||
	    vault_has(item->claim->settings->vault, operation->payment_token_key_id))
		return false;
	log_error("a payment token's key is not in seal_keys",
		  LOG_TEXT("key_id", operation->payment_token_key_id),
		  LOG_TEXT("transaction_id",
			   id_format(ID_TRANSACTION, operation->transaction_id, transaction)));
	return true;
}

/* Send it, unless something stands against it. */
static enum err item_start(struct item *item, struct due_job *job)
{
	struct operation_row *operation = item->operation;
	int64_t stoppers;
	bool blocked;
	/* Something contradicts what we know: no further attempt until a human has looked. */
	enum err err = change_stoppers(item->tx, operation, &stoppers);

	if (err == ERR_OK && stoppers > 0)
		return item_park(item, "exception_open");
	if (err == ERR_OK && operation->cancel_wished_at_us != 0)
		return item_withdraw(item, "cancelled", REASON_CANCELLED_BY_CLIENT);
	if (err == ERR_OK)
		err = release_blocked(item, &blocked);
	if (err == ERR_OK && blocked)
		return item_wait(item, item->now_us + RELEASE_PAUSE_US);
	if (err == ERR_OK && key_is_missing(item))
		return item_wait(item, item->now_us + UNCONFIGURED_PAUSE_US);
	return err == ERR_OK ? item_send(item, job) : err;
}

/* A prepared or sent attempt whose lease ended: its sender is gone, and what it did is unknown. */
static enum err item_adopt(struct item *item)
{
	struct change change =
		change_begin(&item->transaction, item->operation, &item->attempt, item->now_us);
	enum err err = change_attempt(&change, AE_LOST);

	if (err != ERR_OK)
		return err;
	change.type = "attempt_unknown";
	change.reason = "lease_expired";
	item->attempt.class = ATTEMPT_UNKNOWN;
	item->attempt.open_since_us = item->now_us;
	snprintf(item->attempt.reason, sizeof item->attempt.reason, "lease_expired");
	change_reason(&change, "outcome_unknown");
	return note_keep(item, &change);
}

/*
 * The gateway to ask about the attempt; NULL where it cannot be asked now. *again_at_us: when the
 * next question is due.
 */
static const struct gateway *gateway_to_ask(const struct item *item, int64_t *again_at_us)
{
	const struct catalogue_view *view = item->claim->view;
	const size_t at = routing_gateway_find(&view->routing, item->attempt.gateway);
	const struct gateway *gateway = NULL;
	const char *account;

	if (at < view->routing.gateway_count)
		gateway = catalogue_gateway(view, (unsigned)at, item->attempt.merchant, &account);
	if (gateway == NULL) {
		log_warning("no such gateway is configured",
			    LOG_TEXT("gateway", item->attempt.gateway));
		*again_at_us = item->now_us + UNCONFIGURED_PAUSE_US;
		return NULL;
	}
	if (is_shut(item, gateway, again_at_us))
		return NULL;
	*again_at_us = item->now_us + ASK_LEASE_MARGIN_US +
		       (int64_t)gateway->total_timeout_ms * 1000;
	return gateway;
}

/*
 * Ask what became of the live attempt. While the question is out, the next one is due only after it
 * timed out.
 */
static enum err item_ask(struct item *item, struct due_job *job)
{
	struct operation_row *operation = item->operation;
	bool in_flight;
	enum err err = store_attempt_lock_live(item->tx, operation->id, &item->attempt);

	if (err != ERR_OK)
		return err;
	in_flight = item->attempt.status == AS_PREPARED || item->attempt.status == AS_SENT;
	job->gateway = gateway_to_ask(item, &operation->next_action_at_us);
	order_fill(item, &job->order);
	job->kind = DUE_ASK;
	job->lease_expired = in_flight;
	job->lease_span_us = item->attempt.lease_until_us - item->attempt.prepared_at_us;
	job->send_by_boot_us = 0;
	if (in_flight)
		return item_adopt(item);
	operation->updated_at_us = item->now_us;
	return store_operation_update(item->tx, operation);
}

/* Trouble that trying again will not mend, and that must not keep the others waiting. */
static bool is_poison(enum err err)
{
	return err == ERR_CRYPTO || err == ERR_STATE || err == ERR_NOT_FOUND ||
	       err == ERR_CONFLICT || err == ERR_TOO_LONG;
}

/* What is due; the claim gives no other actions. */
static enum err item_take(struct item *item, struct due_job *job)
{
	switch (item->operation->next_action) {
	case NEXT_SEND:
		return item_start(item, job);
	case NEXT_ASK:
		return item_ask(item, job);
	case NEXT_EXPIRE:
		if (!due_clock_lets_expire(item->claim->settings->clock, item->claim->boot_us))
			return item_wait(item, item->now_us + EXPIRY_PAUSE_US);
		/* An authorisation ends by a void at its gateway, anything else by itself. */
		if (item->operation->kind == OPERATION_VOID)
			return item_start(item, job);
		return item_withdraw(item, "expired", REASON_EXPIRED);
	case NEXT_NONE:
	case NEXT_HUMAN:
		break;
	}
	return ERR_STATE;
}

static enum err item_claim(struct claim *claim, struct store_tx *tx,
			   struct operation_row *operation, int64_t now_us)
{
	struct item item = { .claim = claim, .tx = tx, .operation = operation, .now_us = now_us };
	struct due_job *job = &claim->jobs[claim->count];
	enum err err = store_transaction_lock(tx, operation->transaction_id, &item.transaction);

	if (err != ERR_OK)
		return err;
	job->gateway = NULL;
	job->claimed_at_us = now_us;
	err = item_take(&item, job);
	if (is_poison(err))
		return item_park(&item, err_row(err)->code);
	if (err == ERR_OK && job->gateway != NULL) {
		claim->count++;
		room_enter(&claim->room, job->gateway->name, claim->boot_us);
	}
	return err;
}

static int by_transaction(const void *a, const void *b)
{
	const struct operation_row *left = a;
	const struct operation_row *right = b;

	return id_compare(left->transaction_id, right->transaction_id);
}

/* Lock the attempts that matter, at once. */
static enum err claim_lock(struct store_tx *tx, const struct operation_row *rows, size_t count)
{
	struct id live[OPERATION_CLAIM_MAX]; /* those whose attempts matter */
	size_t live_count = 0;

	for (size_t i = 0; i < count; i++)
		if (rows[i].next_action != NEXT_SEND || rows[i].cancel_wished_at_us != 0)
			live[live_count++] = rows[i].id;
	return store_sheet_lock_live(tx, live, live_count);
}

/* Their transactions first: those that another holds are left, and still due. */
static enum err claim_sift(struct store_tx *tx, struct operation_row *rows, size_t *count)
{
	size_t kept = 0;
	enum err err = store_sheet_lock_transactions(tx);

	for (size_t i = 0; err == ERR_OK && i < *count; i++)
		if (store_sheet_has_transaction(tx, rows[i].transaction_id))
			rows[kept++] = rows[i];
	*count = kept;
	return err;
}

static enum err claim_rows(struct claim *claim, struct store_tx *tx, struct operation_row *rows)
{
	size_t count = 0;
	int64_t now_us;
	enum err err = store_operation_claim(tx, claim->limit, rows, &count);

	if (err != ERR_OK || count == 0)
		return err;
	claim->taken = count;
	err = store_now(tx, &now_us);
	/* Transactions are locked in id order, as everywhere. */
	qsort(rows, count, sizeof *rows, by_transaction);
	if (err == ERR_OK && !claim->alone)
		err = claim_sift(tx, rows, &count);
	if (err == ERR_OK && !claim->alone)
		err = claim_lock(tx, rows, count);
	claim->full = count == claim->limit;
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		err = item_claim(claim, tx, &rows[i], now_us);
	return err;
}

static enum err claim_work(struct store_tx *tx, void *context)
{
	struct claim *claim = context;
	struct operation_row *rows = calloc(claim->limit, sizeof *rows);
	enum err err = rows == NULL ? ERR_MEMORY : ERR_OK;

	claim->count = claim->note_count = claim->taken = 0;
	claim->full = false;
	if (claim->settings->room != NULL)
		claim->room = *claim->settings->room;
	claim->room.shared = claim->view->routing.gateway_count > 1;
	if (claim->settings->breakers != NULL)
		breakers_claim(claim->settings->breakers);
	if (err == ERR_OK && !claim->alone)
		err = store_sheet_open(tx);
	if (err == ERR_OK)
		err = claim_rows(claim, tx, rows);
	free(rows);
	return err;
}

/* It is committed. */
static void claim_keep(const struct claim *claim)
{
	if (claim->settings->room != NULL)
		*claim->settings->room = claim->room;
	for (size_t i = 0; i < claim->note_count; i++)
		change_log(&claim->notes[i]);
}

/*
 * Written together they were refused: one by one, so that the one to blame is met alone (is_poison) and holds up none
 * of the others.
 */
static enum err claim_singly(struct store_pool *pool, const struct claim *all, size_t *count)
{
	struct claim one = *all;
	enum err err = ERR_OK;

	one.limit = 1;
	one.alone = true;
	*count = 0;
	for (size_t i = 0; i < all->limit; i++) {
		one.jobs = all->jobs + *count;
		err = store_pool_run(pool, ACQUIRE_WAIT_MS, claim_work, &one);
		if (err != ERR_OK || one.taken == 0)
			break;
		claim_keep(&one);
		*count += one.count;
	}
	return *count > 0 ? ERR_OK : err;
}

static enum err claim_all(struct store_pool *pool, struct claim *claim, size_t *count)
{
	enum err err = store_pool_run(pool, ACQUIRE_WAIT_MS, claim_work, claim);

	if (is_poison(err) || err == ERR_STORE)
		return claim_singly(pool, claim, count);
	if (err != ERR_OK)
		return err;
	claim_keep(claim);
	*count = claim->count;
	return ERR_OK;
}

enum err due_claim(struct store_pool *pool, const struct due_settings *settings, size_t limit,
		   struct due_job *jobs, size_t *count, bool *full)
{
	struct change_note notes[OPERATION_CLAIM_MAX];
	struct claim claim = {
		.settings = settings,
		.limit = limit < OPERATION_CLAIM_MAX ? limit : OPERATION_CLAIM_MAX,
		.boot_us = clock_boot_us(),
		.jobs = jobs,
		.notes = notes,
	};
	enum err err;

	claim.view = catalogue_hold(settings->catalogue);
	err = claim_all(pool, &claim, count);
	for (size_t i = 0; err == ERR_OK && i < *count; i++)
		jobs[i].view = catalogue_share(claim.view);
	if (full != NULL)
		*full = err == ERR_OK && claim.full;
	catalogue_release(claim.view);
	return err;
}

void due_job_done(struct due_job *job)
{
	catalogue_release(job->view);
	explicit_bzero(job, sizeof *job);
}

struct marking {
	const struct due_job *const *jobs;
	size_t count;
	struct change_note *notes;
};

static enum err mark_one(struct store_tx *tx, const struct due_job *job, struct change_note *note)
{
	struct operation_row operation;
	struct transaction_row transaction;
	struct attempt_row attempt;
	struct change change;
	int64_t now_us;
	enum err err = store_operation_lock(tx, job->order.operation_id, &operation);

	if (err == ERR_OK)
		err = store_transaction_lock(tx, operation.transaction_id, &transaction);
	if (err == ERR_OK)
		err = store_attempt_lock(tx, job->order.attempt_id, &attempt);
	if (err == ERR_OK)
		err = store_now(tx, &now_us);
	if (err != ERR_OK)
		return err;
	change = change_begin(&transaction, &operation, &attempt, now_us);
	if (change_attempt(&change, AE_SENT) != ERR_OK)
		return ERR_OK; /* a callback was faster */
	attempt.sent_at_us = now_us;
	change.type = "attempt_sent";
	return change_write(tx, &change, note);
}

static enum err mark_work(struct store_tx *tx, void *context)
{
	const struct marking *marking = context;
	struct id operations[DUE_MARK_MAX];
	struct id attempts[DUE_MARK_MAX];
	bool held;
	enum err err = store_sheet_open(tx);

	for (size_t i = 0; i < marking->count; i++) {
		operations[i] = marking->jobs[i]->order.operation_id;
		attempts[i] = marking->jobs[i]->order.attempt_id;
		marking->notes[i] = (struct change_note){ .type = "" };
	}
	if (err == ERR_OK)
		err = store_sheet_lock(tx, operations, marking->count);
	if (err == ERR_OK)
		err = store_sheet_lock_attempts(tx, operations, attempts, marking->count);
	for (size_t i = 0; err == ERR_OK && i < marking->count; i++) {
		/* What another holds is not marked: the mark says nothing that its answer will not. */
		err = store_sheet_is_held(tx, operations[i], attempts[i], &held);
		if (err == ERR_OK && !held)
			err = mark_one(tx, marking->jobs[i], &marking->notes[i]);
	}
	return err;
}

enum err due_mark_sent(struct store_pool *pool, const struct due_job *const *jobs, size_t count)
{
	struct change_note notes[DUE_MARK_MAX];
	struct marking marking = { jobs, count, notes };
	enum err err = store_pool_run(pool, ACQUIRE_WAIT_MS, mark_work, &marking);

	for (size_t i = 0; err == ERR_OK && i < count; i++)
		change_log(&notes[i]);
	return err;
}
