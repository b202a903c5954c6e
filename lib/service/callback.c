/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/callback_private.h"

#include "base/crypto.h"
#include "core/card.h"
#include "core/consequence.h"
#include "service/outcome.h"
#include "store/sheet.h"
#include "store/operation.h"
#include "store/transaction.h"

#include <stdio.h>
#include <string.h>

static const enum callback_result result_of_effect[] = {
	[OUTCOME_CONTRADICTED] = CALLBACK_CONTRADICTION,
	[OUTCOME_INTEGRITY] = CALLBACK_INTEGRITY,
	[OUTCOME_UNCHANGED] = CALLBACK_SUPERSEDED,
	[OUTCOME_RESCHEDULED] = CALLBACK_HINT,
	[OUTCOME_APPLIED] = CALLBACK_APPLIED,
};

void callback_row_fill(struct receipt *receipt)
{
	const struct callback_delivery *delivery = receipt->delivery;
	const struct gateway_notice *notice = delivery->notice;
	struct callback_row *row = &receipt->row;
	struct gateway_answer masked = { .masked = "" };
	char hex[2 * CRYPTO_SHA256_SIZE + 1];
	uint8_t random[10];

	crypto_random(random, sizeof random);
	*row = (struct callback_row){
		.id = id_make(delivery->now_us, random),
		.has_amount = notice->has_amount,
		.amount = notice->amount,
		.result = CALLBACK_ORPHAN,
		.received_at_us = delivery->now_us,
	};
	crypto_sha256(delivery->body, delivery->body_size, row->body_sha256);
	/* An id with a card number is none: it would be kept as it came. */
	if (notice->callback_id[0] != '\0' && !card_word_in(notice->callback_id))
		snprintf(row->callback_key, sizeof row->callback_key, "%s", notice->callback_id);
	else
		snprintf(row->callback_key, sizeof row->callback_key, "sha256:%s",
			 crypto_hex(row->body_sha256, sizeof row->body_sha256, hex));
	gateway_answer_mask(&masked, delivery->body, delivery->body_size);
	snprintf(row->body_masked, sizeof row->body_masked, "%s", masked.masked);
	memcpy(row->gateway, delivery->gateway->name, sizeof delivery->gateway->name);
	memcpy(row->gateway_ref, notice->gateway_ref, sizeof row->gateway_ref);
	memcpy(row->our_reference, notice->our_reference, sizeof row->our_reference);
	memcpy(row->word, notice->word, sizeof row->word);
	memcpy(row->decline_word, notice->decline_word, sizeof row->decline_word);
	memcpy(row->operation_word, notice->operation_word, sizeof row->operation_word);
	card_mask(row->word, strlen(row->word));
	card_mask(row->decline_word, strlen(row->decline_word));
	card_mask(row->operation_word, strlen(row->operation_word));
}

void callback_matched(struct receipt *receipt, const struct attempt_row *attempt)
{
	receipt->attempt = *attempt;
	receipt->matched = true;
	receipt->row.transaction_id = attempt->transaction_id;
	receipt->row.attempt_id = attempt->id;
}

/* Who signs for one merchant's account is believed about no other's payments. */
static bool may_speak_of(const struct callback_delivery *delivery, const char *merchant)
{
	return delivery->merchant == NULL || strcmp(delivery->merchant, merchant) == 0;
}

/* By the gateway's reference, then by ours; it must belong to the path's transaction. */
static enum err match(struct receipt *receipt)
{
	const struct callback_delivery *delivery = receipt->delivery;
	struct attempt_row attempt;
	enum err err = store_attempt_find(receipt->tx, delivery->gateway->name,
					  delivery->notice->gateway_ref,
					  delivery->notice->our_reference, &attempt);

	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err != ERR_OK)
		return err;
	if (!may_speak_of(delivery, attempt.merchant)) {
		receipt->outcome = CALLBACK_OUTCOME_FOREIGN;
		return ERR_OK;
	}
	receipt->elsewhere = !id_is_empty(delivery->transaction_id) &&
			     !id_equal(delivery->transaction_id, attempt.transaction_id);
	if (!receipt->elsewhere)
		callback_matched(receipt, &attempt);
	return ERR_OK;
}

/* In a batch nobody waits for what another holds. */
static enum err money_lock(struct receipt *receipt, struct id operation_id)
{
	struct operation_row operation;
	enum err err;

	if (receipt->patient)
		return store_operation_lock(receipt->tx, operation_id, &operation);
	err = store_sheet_lock(receipt->tx, &operation_id, 1);
	return err == ERR_OK ? store_sheet_is_held(receipt->tx, operation_id, operation_id,
						   &receipt->held)
			     : err;
}

/*
 * No reference fits, but the path names the transaction: its gateway may mean the attempt whose own
 * answer, with the gateway's reference, is still to come. Our reference is known from the start: a
 * message that bears another one, or is about another payment, does not mean this attempt.
 */
static enum err match_by_path(struct receipt *receipt)
{
	const struct callback_delivery *delivery = receipt->delivery;
	char merchant[MERCHANT_SIZE];
	struct id operation_id;
	bool used;
	enum err err;

	if (receipt->matched || id_is_empty(delivery->transaction_id))
		return ERR_OK;
	err = store_attempt_gateway_used(receipt->tx, delivery->transaction_id,
					 delivery->gateway->name, &used);
	if (err == ERR_OK && used && delivery->merchant != NULL)
		err = store_transaction_merchant(receipt->tx, delivery->transaction_id, merchant);
	if (err != ERR_OK)
		return err;
	if (!used || (delivery->merchant != NULL && !may_speak_of(delivery, merchant))) {
		receipt->outcome = CALLBACK_OUTCOME_FOREIGN;
		return ERR_OK;
	}
	receipt->row.transaction_id = delivery->transaction_id;
	/*
	 * Locked also where nothing fits: the exception that follows must be seen by the next
	 * claim.
	 */
	err = store_operation_find_money(receipt->tx, delivery->transaction_id, &operation_id);
	if (err == ERR_OK)
		err = money_lock(receipt, operation_id);
	if (err != ERR_OK || receipt->held)
		return err;
	if (err == ERR_OK && (receipt->elsewhere || delivery->notice->our_reference[0] != '\0'))
		return ERR_OK;
	if (err == ERR_OK)
		err = store_attempt_lock_live(receipt->tx, operation_id, &receipt->attempt);
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err != ERR_OK)
		return err;
	receipt->matched = strcmp(receipt->attempt.gateway, delivery->gateway->name) == 0 &&
			   receipt->attempt.gateway_ref[0] == '\0';
	if (receipt->matched)
		receipt->row.attempt_id = receipt->attempt.id;
	return ERR_OK;
}

enum err callback_match(struct receipt *receipt)
{
	enum err err = match(receipt);

	if (err != ERR_OK || receipt->outcome == CALLBACK_OUTCOME_FOREIGN)
		return err;
	return match_by_path(receipt);
}

static enum err exception_open(struct receipt *receipt, enum exception_kind kind,
			       const char *detail)
{
	uint8_t random[10];
	struct exception_row row = {
		.kind = kind,
		.transaction_id = receipt->row.transaction_id,
		.attempt_id = receipt->row.attempt_id,
		.opened_at_us = receipt->delivery->now_us,
	};

	crypto_random(random, sizeof random);
	row.id = id_make(receipt->delivery->now_us, random);
	if (receipt->matched)
		memcpy(row.merchant, receipt->attempt.merchant, sizeof row.merchant);
	snprintf(row.detail, sizeof row.detail, "callback of %s: %s", receipt->row.gateway, detail);
	return store_exception_open(receipt->tx, &row);
}

static enum err outcome_take(struct receipt *receipt)
{
	const struct callback_delivery *delivery = receipt->delivery;
	enum outcome_effect effect;
	struct outcome_report report = {
		.source = OUTCOME_CALLBACK,
		.operation_id = receipt->attempt.operation_id,
		.attempt_id = receipt->attempt.id,
		.gateway = delivery->gateway,
		.answer = &delivery->notice->answer,
		.api_call_id = delivery->api_call_id,
		.without_amount = !delivery->notice->has_amount,
	};
	enum err err = outcome_apply(receipt->tx, &report, &effect, &receipt->note);

	if (err == ERR_OK)
		receipt->row.result = result_of_effect[effect];
	return err;
}

/* A success for what was decided otherwise, or its end: worth an exception, with or without an amount. */
static bool hints_late_success(const struct receipt *receipt, const struct operation_row *operation)
{
	const enum attempt_status status = receipt->attempt.status;
	const enum attempt_event said = receipt->delivery->notice->answer.event;

	return (said == AE_SUCCEEDED || (int)said == consequence_late_undone_by(operation->kind)) &&
	       status != AS_SUCCEEDED &&
	       (attempt_is_uncharged(status) || operation_is_final(operation->status));
}

/* It succeeded, and is said to have come back since. */
static bool hints_taken_back(const struct receipt *receipt, const struct operation_row *operation)
{
	const enum attempt_event said = receipt->delivery->notice->answer.event;

	return receipt->attempt.status == AS_SUCCEEDED && operation->status == OS_SUCCEEDED &&
	       operation->next_action == NEXT_NONE &&
	       ((said == AE_REVERSED && operation->kind == OPERATION_REFUND) ||
		(said == AE_RETURNED && operation->kind == OPERATION_PAYOUT));
}

/* What was decided is asked about again, from the start of the schedule. */
static enum err doubt_begin(struct receipt *receipt, struct operation_row *operation,
			    int64_t now_us)
{
	struct attempt_row *attempt = &receipt->attempt;

	operation->next_action = NEXT_ASK;
	attempt->open_since_us = now_us;
	attempt->asked_count = 0;
	attempt->updated_at_us = now_us;
	return store_attempt_update(receipt->tx, attempt);
}

/* Somebody may know more about it; what is parked is asked about once. */
static bool may_be_asked(const struct receipt *receipt, const struct operation_row *operation)
{
	const enum attempt_status status = receipt->attempt.status;

	if (operation->status == OS_PARKED)
		return status == AS_UNKNOWN || status == AS_ACCEPTED ||
		       status == AS_REQUIRES_ACTION;
	return operation->next_action == NEXT_ASK && !attempt_is_uncharged(status);
}

/*
 * Nothing is believed: the gateway is asked at once, unless its own answer is still under way. A
 * late success, or its end, is stored as a contradiction, which moves no money of the payment's.
 */
static enum err take_hint(struct receipt *receipt)
{
	struct operation_row operation;
	int64_t now_us;
	enum err err = store_operation_lock(receipt->tx, receipt->attempt.operation_id, &operation);

	if (err == ERR_OK)
		err = store_attempt_lock(receipt->tx, receipt->attempt.id, &receipt->attempt);
	if (err == ERR_OK)
		err = store_now(receipt->tx, &now_us);
	if (err != ERR_OK)
		return err;
	if (receipt->attempt.status == AS_PREPARED || receipt->attempt.status == AS_SENT) {
		receipt->row.result = CALLBACK_KEPT;
		/* At once: its answer may follow in the same commit, and must find it. */
		return store_callback_update(receipt->tx, &receipt->row);
	}
	if (hints_late_success(receipt, &operation))
		return outcome_take(receipt);
	receipt->row.result = CALLBACK_SUPERSEDED;
	if (hints_taken_back(receipt, &operation))
		err = doubt_begin(receipt, &operation, now_us);
	if (err != ERR_OK || !may_be_asked(receipt, &operation))
		return err;
	receipt->row.result = CALLBACK_HINT;
	operation.next_action = NEXT_ASK;
	operation.next_action_at_us = now_us;
	operation.updated_at_us = now_us;
	return store_operation_update(receipt->tx, &operation);
}

/* What the message says must be what we ordered. */
static enum err agrees(struct receipt *receipt, const char **difference)
{
	const struct gateway_notice *notice = receipt->delivery->notice;
	const char *known_ref = receipt->attempt.gateway_ref;
	struct operation_row operation;
	struct transaction_row transaction;
	enum err err = store_operation_lock(receipt->tx, receipt->attempt.operation_id, &operation);

	if (err == ERR_OK)
		err = store_transaction_lock(receipt->tx, operation.transaction_id, &transaction);
	/* Its gateway's own answer may have been recorded since it was found. */
	if (err == ERR_OK)
		err = store_attempt_lock(receipt->tx, receipt->attempt.id, &receipt->attempt);
	if (err != ERR_OK)
		return err;
	*difference = NULL;
	if (notice->amount.minor != operation.amount_minor)
		*difference = "another amount";
	else if (strcmp(notice->amount.currency, transaction.amount.currency) != 0)
		*difference = "another currency";
	else if (known_ref[0] != '\0' && notice->gateway_ref[0] != '\0' &&
		 strcmp(known_ref, notice->gateway_ref) != 0)
		*difference = "another gateway reference";
	else if (notice->our_reference[0] != '\0' &&
		 strcmp(receipt->attempt.our_reference, notice->our_reference) != 0)
		*difference = "another reference of ours";
	return ERR_OK;
}

/* The same of the operation it names: one that was refunded was not charged anew. */
static enum err agrees_in_kind(struct receipt *receipt, const char **difference)
{
	const struct callback_delivery *delivery = receipt->delivery;
	struct operation_row operation;
	enum err err = store_operation_lock(receipt->tx, receipt->attempt.operation_id, &operation);

	*difference = NULL;
	if (err == ERR_OK &&
	    !delivery->gateway->adapter->is_kind(delivery->notice->operation_word, operation.kind))
		*difference = "another operation";
	return err;
}

static enum err apply(struct receipt *receipt)
{
	const struct gateway_notice *notice = receipt->delivery->notice;
	const bool is_hint = !notice->has_amount || notice->answer.event == AE_LOST;
	const char *difference;
	enum err err = agrees_in_kind(receipt, &difference);

	if (err == ERR_OK && difference == NULL && is_hint)
		return take_hint(receipt);
	if (err == ERR_OK && difference == NULL)
		err = agrees(receipt, &difference);
	if (err != ERR_OK)
		return err;
	if (difference != NULL) {
		receipt->row.result = CALLBACK_INTEGRITY;
		return exception_open(receipt, EXCEPTION_INTEGRITY, difference);
	}
	return outcome_take(receipt);
}

enum err callback_judge(struct receipt *receipt)
{
	if (receipt->matched)
		return apply(receipt);
	return exception_open(receipt, EXCEPTION_ORPHAN_CALLBACK, "fits no attempt");
}

/* A replay: the receipt of a row that is there already. */
struct replay {
	const struct callback_replay_request *request;
	struct callback_replay *report;
	struct receipt receipt;
	struct callback_delivery delivery;
	struct gateway_notice notice;
};

/* What the gateway said, from what was kept of it; its words are read by the tables of today. */
static void notice_rebuild(const struct callback_row *row, const struct gateway *gateway,
			   struct gateway_notice *notice)
{
	*notice = (struct gateway_notice){ .has_amount = row->has_amount, .amount = row->amount };
	memcpy(notice->gateway_ref, row->gateway_ref, sizeof notice->gateway_ref);
	memcpy(notice->our_reference, row->our_reference, sizeof notice->our_reference);
	memcpy(notice->word, row->word, sizeof notice->word);
	memcpy(notice->decline_word, row->decline_word, sizeof notice->decline_word);
	memcpy(notice->operation_word, row->operation_word, sizeof notice->operation_word);
	gateway->adapter->read_word(notice->word, notice->decline_word, &notice->answer);
	memcpy(notice->answer.gateway_ref, row->gateway_ref, sizeof notice->answer.gateway_ref);
}

static enum err replay_begin(struct replay *replay, struct store_tx *tx)
{
	const struct callback_replay_request *request = replay->request;
	struct callback_row row;
	int64_t now_us;
	enum err err = store_callback_read(tx, request->gateway->name, request->key, &row);

	if (err == ERR_OK)
		err = store_now(tx, &now_us);
	if (err != ERR_OK)
		return err;
	notice_rebuild(&row, request->gateway, &replay->notice);
	replay->delivery = (struct callback_delivery){
		.gateway = request->gateway,
		.notice = &replay->notice,
		.transaction_id = row.transaction_id,
		.api_call_id = request->api_call_id,
		.now_us = now_us,
	};
	replay->receipt = (struct receipt){
		.delivery = &replay->delivery,
		.tx = tx,
		.row = row,
		.patient = true,
		.outcome = CALLBACK_OUTCOME_STORED,
		.note = { .type = "" },
	};
	*replay->report = (struct callback_replay){ .before = row.result, .after = row.result };
	return ERR_OK;
}

/* In this order everywhere: operation, callback. */
static enum err replay_lock(struct replay *replay)
{
	struct receipt *receipt = &replay->receipt;
	struct operation_row operation;
	struct callback_row row;
	enum err err = store_operation_lock(receipt->tx, receipt->attempt.operation_id, &operation);

	if (err == ERR_OK)
		err = store_callback_lock(receipt->tx, receipt->row.gateway,
					  receipt->row.callback_key, &row);
	if (err == ERR_OK)
		replay->report->before = replay->report->after = receipt->row.result = row.result;
	return err;
}

/*
 * Nothing is kept of a replay that changed nothing: what the row says of its own effect stays, and
 * one that fits nothing has its exception already.
 */
static enum err replay_work(struct store_tx *tx, void *context)
{
	struct replay *replay = context;
	struct receipt *receipt = &replay->receipt;
	struct callback_replay *report = replay->report;
	enum err err = replay_begin(replay, tx);

	if (err == ERR_OK)
		err = callback_match(receipt);
	if (err != ERR_OK || !receipt->matched)
		return err;
	err = replay_lock(replay);
	if (err == ERR_OK)
		err = callback_judge(receipt);
	if (err != ERR_OK)
		return err;
	report->after = receipt->row.result;
	report->moved = receipt->note.type[0] != '\0';
	report->transaction_id = receipt->row.transaction_id;
	if (report->after == CALLBACK_SUPERSEDED)
		return ERR_OK;
	return store_callback_update(tx, &receipt->row);
}

enum err callback_replay(struct store *store, const struct callback_replay_request *request,
			 struct callback_replay *report)
{
	struct callback_replay reached;
	struct replay replay = { .request = request, .report = &reached };
	enum err err = store_run(store, replay_work, &replay);

	if (err != ERR_OK)
		return err;
	change_log(&replay.receipt.note);
	*report = reached;
	return ERR_OK;
}
