/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/payment.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "service/fingerprint.h"
#include "service/intake.h"
#include "service/payment_method.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_PAUSE_US INT64_C(100000) /* before looking again at a key that is in flight */

static struct id id_new(int64_t now_us)
{
	uint8_t random[10];

	crypto_random(random, sizeof random);
	return id_make(now_us, random);
}

/* What is asked of a gateway for it. */
static enum operation_kind operation_kind_of(const struct payment_order *order)
{
	if (order->kind == TRANSACTION_WITHDRAWAL)
		return OPERATION_PAYOUT;
	return order->request->capture == CAPTURE_MANUAL ? OPERATION_AUTHORISE : OPERATION_CHARGE;
}

/* A stored token is that of one gateway: it is bound to it. */
static void bind(struct operation_row *row, const struct payment_method_use *stored)
{
	row->payment_method_id = stored->id;
	memcpy(row->token_gateway, stored->gateway, sizeof row->token_gateway);
}

static enum err operation_fill(struct operation_row *row, const struct vault *vault,
			       const struct payment_order *order)
{
	const char *token = order->stored != NULL ? order->stored->token : order->request->token;

	*row = (struct operation_row){
		.id = id_new(order->now_us),
		.transaction_id = id_new(order->now_us),
		.kind = operation_kind_of(order),
		.amount_minor = order->request->amount.minor,
		.status = OS_PENDING,
		.next_action = order->request->process == PROCESS_MANUAL ? NEXT_EXPIRE : NEXT_SEND,
		/* From now: due at once, or at the end of the wait for its start. */
		.next_action_at_us =
			order->request->process == PROCESS_MANUAL ? order->manual_expiry_us : 0,
		.gateway_key_number = 1,
		.created_at_us = order->now_us,
		.updated_at_us = order->now_us,
		.trace = order->trace,
	};
	if (order->stored != NULL)
		bind(row, order->stored);
	snprintf(row->merchant, sizeof row->merchant, "%s", order->merchant);
	snprintf(row->idempotency_key, sizeof row->idempotency_key, "%s", order->idempotency_key);
	if (row->idempotency_key[0] != '\0')
		fingerprint_payment(vault, order->kind, order->request, row);
	return vault_seal_token(vault, row->id, token, row->payment_token_sealed,
				&row->payment_token_sealed_size, row->payment_token_key_id);
}

static void transaction_fill(struct acceptance *acceptance, const struct payment_order *order)
{
	const struct payment_request *request = order->request;
	const char *country = order->country != NULL ? order->country : request->country;
	struct transaction_row *row = &acceptance->transaction;

	*row = (struct transaction_row){
		.id = acceptance->operation.transaction_id,
		.kind = order->kind,
		.amount = request->amount,
		.exponent = request->exponent,
		.form = request->form,
		.status = TS_PENDING,
		.version = 1,
		.created_at_us = order->now_us,
		.updated_at_us = 0, /* from now, by the clock that everything later goes by */
	};
	memcpy(row->merchant, acceptance->operation.merchant, sizeof row->merchant);
	memcpy(row->customer, request->customer, sizeof row->customer);
	memcpy(row->method, request->method, sizeof row->method);
	memcpy(row->description, request->description, sizeof row->description);
	snprintf(row->country, sizeof row->country, "%s", country);
	memcpy(row->callback_url, request->callback_url, sizeof row->callback_url);
	memcpy(row->metadata, request->metadata, sizeof row->metadata);
}

static void event_fill(struct acceptance *acceptance, const struct payment_order *order)
{
	struct event_row *event = &acceptance->event;

	*event = (struct event_row){
		.transaction_id = acceptance->transaction.id,
		.sequence = acceptance->transaction.version,
		.id = id_new(order->now_us),
		.type = "created",
		.operation_id = acceptance->operation.id,
		.transaction_from = EVENT_NO_STATUS,
		.transaction_to = TS_PENDING,
		.operation_from = EVENT_NO_STATUS,
		.operation_to = OS_PENDING,
		.attempt_from = EVENT_NO_STATUS,
		.attempt_to = EVENT_NO_STATUS,
		.at_us = order->now_us,
	};
	memcpy(event->merchant, acceptance->operation.merchant, sizeof event->merchant);
	snprintf(event->api_call_id, sizeof event->api_call_id, "%s", order->api_call_id);
}

static enum err acceptance_new(const struct vault *vault, const struct payment_order *order,
			       struct acceptance **acceptance)
{
	struct acceptance *made = malloc(sizeof *made);
	enum err err;

	if (made == NULL)
		return ERR_MEMORY;
	made->was_held = false;
	err = operation_fill(&made->operation, vault, order);
	if (err != ERR_OK) {
		free(made);
		return err;
	}
	transaction_fill(made, order);
	event_fill(made, order);
	*acceptance = made;
	return ERR_OK;
}

/* What may be said when the commit's answer is not known: the id under which to ask. */
static struct payment_receipt receipt_of(const struct acceptance *acceptance)
{
	return (struct payment_receipt){
		.transaction_id = acceptance->transaction.id,
		.created_at_us = acceptance->transaction.created_at_us,
	};
}

/* What a payment's own error means to its client. */
static enum err refusal_of(const struct acceptance *acceptance)
{
	const enum err err = acceptance->item.err;

	if (err == ERR_NOT_FOUND)
		return ERR_MERCHANT;
	if (err == ERR_BUSY && acceptance->operation.idempotency_key[0] != '\0')
		return ERR_KEY_IN_FLIGHT;
	return err;
}

static enum err settle(const struct acceptance *acceptance, enum payment_outcome *outcome,
		       struct payment_receipt *receipt)
{
	const enum err err = refusal_of(acceptance);

	if (err == ERR_UNCERTAIN) {
		*outcome = PAYMENT_UNCERTAIN;
		*receipt = receipt_of(acceptance);
		return ERR_OK;
	}
	if (err == ERR_OK) {
		*outcome = acceptance->outcome;
		*receipt = acceptance->receipt;
	}
	return err;
}

/* The acceptance is used up, and freed. */
static enum err accept_once(struct batch *intake, struct acceptance *acceptance,
			    int64_t deadline_boot_us, enum payment_outcome *outcome,
			    struct payment_receipt *receipt)
{
	const struct payment_receipt asked = receipt_of(acceptance);
	enum err err = batch_run(intake, &acceptance->item, deadline_boot_us);

	if (err == ERR_UNCERTAIN) {
		*outcome = PAYMENT_UNCERTAIN;
		*receipt = asked;
		return ERR_OK;
	}
	if (err == ERR_OK)
		err = settle(acceptance, outcome, receipt);
	free(acceptance);
	return err;
}

/* A key that another server is at work on: its answer is waited for, as long as the client does. */
enum err payment_accept(struct batch *intake, const struct vault *vault,
			const struct payment_order *order, int64_t deadline_boot_us,
			enum payment_outcome *outcome, struct payment_receipt *receipt)
{
	struct acceptance *acceptance;
	enum err err = acceptance_new(vault, order, &acceptance);

	while (err == ERR_OK) {
		err = accept_once(intake, acceptance, deadline_boot_us, outcome, receipt);
		if (err != ERR_KEY_IN_FLIGHT || clock_boot_us() + KEY_PAUSE_US >= deadline_boot_us)
			return err;
		clock_sleep_us(KEY_PAUSE_US);
		err = acceptance_new(vault, order, &acceptance);
		if (err == ERR_OK)
			acceptance->was_held = true;
	}
	return err;
}
