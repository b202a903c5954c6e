/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/change.h"

#include "base/crypto.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

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
	struct id operation_id;
	enum err err = store_operation_find_money(tx, target->transaction_id, &operation_id);

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

enum err change_transaction(struct change *change, enum transaction_event event)
{
	return transaction_next(change->transaction->status, event, &change->transaction->status)
		       ? ERR_OK
		       : ERR_STATE;
}

enum err change_operation(struct change *change, enum operation_event event)
{
	return operation_next(change->operation->status, event, &change->operation->status)
		       ? ERR_OK
		       : ERR_STATE;
}

enum err change_attempt(struct change *change, enum attempt_event event)
{
	return attempt_next(change->attempt->status, event, &change->attempt->status) ? ERR_OK
										      : ERR_STATE;
}

enum err change_withdraw(struct change *change, const char *reason)
{
	struct transaction_row *transaction = change->transaction;
	bool started = change->operation->status != OS_PENDING;
	enum err err = change_operation(change, started ? OE_FAILED : OE_CANCELLED);

	if (err == ERR_OK)
		err = change_transaction(change, started ? TE_FAILED : TE_CANCELLED);
	if (err != ERR_OK)
		return err;
	snprintf(transaction->status_reason, sizeof transaction->status_reason, "%s", reason);
	if (started)
		snprintf(transaction->failure_code, sizeof transaction->failure_code, "%s", reason);
	return ERR_OK;
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
	/*
	 * The attempt first: where it conflicts with a live one, nothing of the step was written.
	 */
	if (change->attempt != NULL) {
		change->attempt->updated_at_us = change->now_us;
		err = change->attempt_is_new ? store_attempt_insert(tx, change->attempt)
					     : store_attempt_update(tx, change->attempt);
		if (err != ERR_OK)
			return err;
	}
	err = store_operation_update(tx, change->operation);
	if (err != ERR_OK)
		return err;
	err = store_transaction_update(tx, change->transaction);
	if (err != ERR_OK)
		return err;
	event = event_of(change);
	err = store_event_insert(tx, &event);
	if (err != ERR_OK)
		return err;
	*note = note_of(change);
	return ERR_OK;
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
