/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/change.h"

#include "base/crypto.h"
#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/consequence.h"
#include "core/posting.h"
#include "store/exception.h"
#include "store/ledger.h"

struct change change_begin(struct transaction_row *transaction, struct operation_row *operation,
			   struct attempt_row *attempt, int64_t now_us)
{
	return (struct change){
		.transaction = transaction,
		.operation = operation,
		.attempt = attempt,
		.transaction_from = (int)transaction->status,
		.operation_from = (int)operation->status,
		.attempt_from = attempt == NULL ? EVENT_NO_STATUS : (int)attempt->status,
		.type = "",
		.reason = "",
		.api_call_id = "",
		.now_us = now_us,
	};
}

enum err change_lock(struct store_tx *tx, const struct change_target *target,
		     struct operation_row *operation, struct transaction_row *transaction,
		     int64_t *now_us)
{
	struct id operation_id = target->operation_id;
	enum err err = ERR_OK;

	if (id_is_empty(operation_id))
		err = store_operation_find_money(tx, target->transaction_id, &operation_id);
	if (err == ERR_OK)
		err = store_operation_lock(tx, operation_id, operation);
	if (err == ERR_OK && strcmp(operation->merchant, target->merchant) != 0)
		err = ERR_NOT_FOUND;
	if (err == ERR_OK)
		err = store_transaction_lock(tx, target->transaction_id, transaction);
	if (err == ERR_OK && !version_matches(target->wanted, transaction->version))
		err = ERR_STALE;
	return err == ERR_OK ? store_now(tx, now_us) : err;
}

struct change change_begin_new(struct transaction_row *transaction, struct operation_row *operation,
			       int64_t now_us)
{
	struct change change = change_begin(transaction, operation, NULL, now_us);

	change.operation_is_new = true;
	change.operation_from = EVENT_NO_STATUS;
	return change;
}

/* What gives back a surplus is outside of its transaction. */
static enum err consequence_take(struct change *change, enum operation_event event)
{
	struct transaction_row *transaction = change->transaction;
	struct consequence_sums sums = { transaction->amount.minor, transaction->amount_captured,
					 transaction->amount_refunded };
	int follows = CONSEQUENCE_NONE;

	if (!change->operation->surplus)
		follows = consequence_of(change->operation->kind, event,
					 change->operation->amount_minor, &sums);
	if (follows != CONSEQUENCE_NONE &&
	    !transaction_next(transaction->status, (enum transaction_event)follows,
			      &transaction->status))
		return ERR_STATE;
	transaction->amount_captured = sums.captured;
	transaction->amount_refunded = sums.refunded;
	return ERR_OK;
}

enum err change_operation(struct change *change, enum operation_event event)
{
	enum operation_status to;
	enum err err;

	if (!operation_next(change->operation->status, event, &to))
		return ERR_STATE;
	err = consequence_take(change, event);
	if (err == ERR_OK)
		change->operation->status = to;
	return err;
}

enum err change_attempt(struct change *change, enum attempt_event event)
{
	return attempt_next(change->attempt->status, event, &change->attempt->status) ? ERR_OK
										      : ERR_STATE;
}

enum err change_stoppers(struct store_tx *tx, const struct operation_row *operation, int64_t *count)
{
	const bool is_refund = operation->kind == OPERATION_REFUND;

	/* What fits no attempt may be a success of an earlier refund; a void moves no money. */
	if (is_refund || operation->kind == OPERATION_VOID)
		return store_exception_count_kind(tx, operation->transaction_id, operation->kind,
						  is_refund, count);
	return store_exception_count_open(tx, operation->transaction_id, count);
}

void change_reason(struct change *change, const char *reason)
{
	struct transaction_row *transaction = change->transaction;
	struct operation_row *operation = change->operation;

	if (consequence_leads(operation->kind))
		snprintf(transaction->status_reason, sizeof transaction->status_reason, "%s",
			 reason);
	else
		snprintf(operation->status_reason, sizeof operation->status_reason, "%s", reason);
}

enum err change_fail(struct change *change, const char *reason)
{
	struct transaction_row *transaction = change->transaction;
	enum err err = change_operation(change, OE_FAILED);

	if (err != ERR_OK)
		return err;
	change_reason(change, reason);
	if (transaction->status == TS_FAILED && change->transaction_from != TS_FAILED)
		snprintf(transaction->failure_code, sizeof transaction->failure_code, "%s", reason);
	return ERR_OK;
}

enum err change_park(struct change *change, const char *reason)
{
	enum err err = change_operation(change, OE_PARKED);

	if (err != ERR_OK)
		return err;
	change_reason(change, reason);
	change_next(change, NEXT_HUMAN, change->now_us);
	return ERR_OK;
}

enum err change_withdraw(struct change *change, const char *reason)
{
	enum err err;

	if (change->operation->status != OS_PENDING)
		return change_fail(change, reason);
	err = change_operation(change, OE_CANCELLED);
	if (err == ERR_OK)
		change_reason(change, reason);
	return err;
}

void change_next(struct change *change, enum next_action action, int64_t at_us)
{
	change->operation->next_action = action;
	change->operation->next_action_at_us = action == NEXT_NONE ? 0 : at_us;
}

static struct event_row event_of(const struct change *change)
{
	uint8_t random[10];
	struct event_row event = {
		.transaction_id = change->transaction->id,
		.sequence = change->transaction->version,
		.operation_id = change->operation->id,
		.transaction_from = change->transaction_from,
		.transaction_to = (int)change->transaction->status,
		.operation_from = change->operation_from,
		.operation_to = (int)change->operation->status,
		.attempt_from = change->attempt_is_new ? EVENT_NO_STATUS : change->attempt_from,
		.attempt_to = EVENT_NO_STATUS,
		.at_us = change->now_us,
	};

	crypto_random(random, sizeof random);
	event.id = id_make(change->now_us, random);
	if (change->attempt != NULL) {
		event.attempt_id = change->attempt->id;
		event.attempt_to = (int)change->attempt->status;
	}
	memcpy(event.merchant, change->transaction->merchant, sizeof event.merchant);
	snprintf(event.type, sizeof event.type, "%s", change->type);
	snprintf(event.reason, sizeof event.reason, "%s", change->reason);
	snprintf(event.api_call_id, sizeof event.api_call_id, "%s", change->api_call_id);
	return event;
}

static struct change_note note_of(const struct change *change)
{
	struct change_note note = {
		.transaction_id = change->transaction->id,
		.status = change->transaction->status,
	};

	if (change->attempt != NULL)
		note.attempt_id = change->attempt->id;
	snprintf(note.type, sizeof note.type, "%s", change->type);
	snprintf(note.reason, sizeof note.reason, "%s", change->reason);
	return note;
}

static void side_fill(struct ledger_side *side, enum account account, unsigned line,
		      const struct attempt_row *attempt)
{
	*side = (struct ledger_side){ .line = line, .account = account };
	if (attempt == NULL || !posting_account_is_of_gateway(account))
		return;
	memcpy(side->gateway, attempt->gateway, sizeof side->gateway);
	memcpy(side->gateway_account, attempt->account, sizeof side->gateway_account);
}

static void posting_fill(const struct change *change, const struct event_row *event, size_t index,
			 enum posting posting, struct ledger_row *row)
{
	const struct posting_row *said = posting_row(posting);
	const unsigned line = (unsigned)(2 * index) + 1;

	*row = (struct ledger_row){
		.entry_group = event->id,
		.transaction_id = event->transaction_id,
		.operation_id = event->operation_id,
		.attempt_id = event->attempt_id,
		.amount_minor = change->operation->amount_minor,
		.at_us = event->at_us,
	};
	memcpy(row->merchant, event->merchant, sizeof row->merchant);
	memcpy(row->currency, change->transaction->amount.currency, sizeof row->currency);
	side_fill(&row->debit, said->debit, line, change->attempt);
	side_fill(&row->credit, said->credit, line + 1, change->attempt);
}

enum err change_post(struct store_tx *tx, const struct change *change,
		     const struct event_row *event)
{
	const struct posting_step step = {
		.kind = change->operation->kind,
		.surplus = change->operation->surplus,
		.late = change->late,
		.operation_from = event->operation_from,
		.operation_to = event->operation_to,
		.attempt_from = event->attempt_from,
		.attempt_to = event->attempt_to,
	};
	enum posting postings[POSTING_STEP_MAX];
	struct ledger_row rows[POSTING_STEP_MAX];
	const size_t count = posting_of_step(&step, postings);

	static_assert(POSTING_NO_STATUS == EVENT_NO_STATUS, "one word for no status");
	for (size_t i = 0; i < count; i++)
		posting_fill(change, event, i, postings[i], &rows[i]);
	return store_ledger_insert(tx, rows, count);
}

static enum err rows_write(struct store_tx *tx, struct change *change)
{
	enum err err = ERR_OK;

	/*
	 * The attempt first: where it conflicts with a live one, nothing of the step was written.
	 */
	if (change->attempt != NULL) {
		change->attempt->updated_at_us = change->now_us;
		err = change->attempt_is_new ? store_attempt_insert(tx, change->attempt)
					     : store_attempt_update(tx, change->attempt);
	}
	if (err == ERR_OK)
		err = change->operation_is_new ? store_operation_insert(tx, change->operation)
					       : store_operation_update(tx, change->operation);
	return err == ERR_OK ? store_transaction_update(tx, change->transaction) : err;
}

enum err change_write(struct store_tx *tx, struct change *change, struct change_note *note)
{
	struct event_row event;
	enum err err;

	change->transaction->version++;
	change->transaction->updated_at_us = change->now_us;
	change->operation->updated_at_us = change->now_us;
	if (operation_is_final(change->operation->status)) {
		change_next(change, NEXT_NONE, 0);
		change->operation->payment_token_sealed_size = 0;
	}
	err = rows_write(tx, change);
	if (err != ERR_OK)
		return err;
	event = event_of(change);
	err = store_event_insert(tx, &event);
	if (err == ERR_OK)
		err = change_post(tx, change, &event);
	if (err == ERR_OK)
		*note = note_of(change);
	return err;
}

void change_log(const struct change_note *note)
{
	char transaction[ID_TEXT_SIZE];
	char attempt[ID_TEXT_SIZE];
	bool has_attempt = !id_is_empty(note->attempt_id);

	if (note->type[0] == '\0')
		return;
	id_format(ID_TRANSACTION, note->transaction_id, transaction);
	id_format(ID_ATTEMPT, note->attempt_id, attempt);
	log_info("state changed", LOG_TEXT("event", note->type),
		 LOG_TEXT("transaction_id", transaction),
		 LOG_TEXT("attempt_id", has_attempt ? attempt : NULL),
		 LOG_TEXT("status", words_text(transaction_status_words, (int)note->status)),
		 LOG_TEXT("reason", note->reason[0] == '\0' ? NULL : note->reason));
}
