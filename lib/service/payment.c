/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/payment.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "store/event.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LOOK_UP_TRIES 5 /* after a commit whose answer was lost */
#define LOOK_UP_PAUSE_US INT64_C(200000)
#define SCOPE "POST /transactions" /* a key belongs to a method and path */

struct acceptance {
	const struct payment_order *order;
	struct operation_row operation;
	struct transaction_row transaction;
	struct event_row event;
	enum payment_outcome outcome;
	struct payment_receipt receipt;
};

/* Text members by their place in the request. */
static const struct {
	const char *name;
	size_t offset;
} text_members[] = {
	{ "currency", offsetof(struct payment_request, amount.currency) },
	{ "payment_method", offsetof(struct payment_request, method) },
	{ "description", offsetof(struct payment_request, description) },
	{ "customer_id", offsetof(struct payment_request, customer) },
	{ "payment_token", offsetof(struct payment_request, token) },
	{ "country", offsetof(struct payment_request, country) },
	{ "metadata", offsetof(struct payment_request, metadata) },
	{ "callback_url", offsetof(struct payment_request, callback_url) },
};

/* The canonical text of a member: what two requests with the same key must agree on. */
static const char *member_text(const struct payment_request *request, const char *name, char *room,
			       size_t size)
{
	for (size_t i = 0; i < sizeof text_members / sizeof text_members[0]; i++)
		if (strcmp(text_members[i].name, name) == 0)
			return (const char *)request + text_members[i].offset;
	if (strcmp(name, "amount") == 0)
		snprintf(room, size, "%d:%lld", (int)request->form,
			 (long long)request->amount.minor);
	else if (strcmp(name, "capture") == 0)
		snprintf(room, size, "%d", (int)request->capture);
	else if (strcmp(name, "process") == 0)
		snprintf(room, size, "%d", (int)request->process);
	else
		assert(false && "a field of payment_fields() has no canonical text");
	return room;
}

/* The scope's hash, then one per field in the order of payment_fields(). */
static size_t hashes_make(const struct vault *vault, const struct payment_request *request,
			  uint8_t hashes[OPERATION_HASHES_SIZE])
{
	size_t count;
	const struct field_spec *specs = payment_fields(&count);
	char room[48];

	assert((count + 1) * VAULT_HASH_SIZE <= OPERATION_HASHES_SIZE);
	vault_hash(vault, "scope", SCOPE, hashes);
	for (size_t i = 0; i < count; i++)
		vault_hash(vault, specs[i].name,
			   member_text(request, specs[i].name, room, sizeof room),
			   hashes + (i + 1) * VAULT_HASH_SIZE);
	return (count + 1) * VAULT_HASH_SIZE;
}

static struct id id_new(int64_t now_us)
{
	uint8_t random[10];

	crypto_random(random, sizeof random);
	return id_make(now_us, random);
}

static enum err token_seal(struct operation_row *row, const struct vault *vault, const char *token)
{
	struct vault_place place = { VAULT_PAYMENT_TOKEN, row->id };
	struct vault_sealed sealed;
	enum err err;

	if (token[0] == '\0')
		return ERR_OK;
	err = vault_seal(vault, &place, token, &sealed);
	if (err != ERR_OK)
		return err;
	memcpy(row->payment_token_sealed, sealed.bytes, sealed.size);
	row->payment_token_sealed_size = sealed.size;
	memcpy(row->payment_token_key_id, sealed.key_id, sizeof row->payment_token_key_id);
	return ERR_OK;
}

static enum err operation_fill(struct acceptance *acceptance, const struct vault *vault)
{
	const struct payment_order *order = acceptance->order;
	struct operation_row *row = &acceptance->operation;

	*row = (struct operation_row){
		.id = id_new(order->now_us),
		.transaction_id = id_new(order->now_us),
		.kind = OPERATION_CHARGE,
		.amount_minor = order->request->amount.minor,
		.status = OS_PENDING,
		.next_action = NEXT_SEND,
		.next_action_at_us = order->now_us,
		.gateway_key_number = 1,
		.created_at_us = order->now_us,
		.updated_at_us = order->now_us,
	};
	snprintf(row->merchant, sizeof row->merchant, "%s", order->merchant);
	snprintf(row->idempotency_key, sizeof row->idempotency_key, "%s", order->idempotency_key);
	if (row->idempotency_key[0] != '\0')
		row->request_hashes_size = hashes_make(vault, order->request, row->request_hashes);
	return token_seal(row, vault, order->request->token);
}

static void transaction_fill(struct acceptance *acceptance)
{
	const struct payment_request *request = acceptance->order->request;
	struct transaction_row *row = &acceptance->transaction;

	*row = (struct transaction_row){
		.id = acceptance->operation.transaction_id,
		.kind = TRANSACTION_PAYMENT,
		.amount = request->amount,
		.exponent = request->exponent,
		.form = request->form,
		.status = TS_PENDING,
		.version = 1,
		.created_at_us = acceptance->order->now_us,
		.updated_at_us = acceptance->order->now_us,
	};
	memcpy(row->merchant, acceptance->operation.merchant, sizeof row->merchant);
	memcpy(row->customer, request->customer, sizeof row->customer);
	memcpy(row->method, request->method, sizeof row->method);
	memcpy(row->description, request->description, sizeof row->description);
	memcpy(row->country, request->country, sizeof row->country);
	memcpy(row->callback_url, request->callback_url, sizeof row->callback_url);
	memcpy(row->metadata, request->metadata, sizeof row->metadata);
}

static void event_fill(struct acceptance *acceptance)
{
	struct event_row *event = &acceptance->event;

	*event = (struct event_row){
		.transaction_id = acceptance->transaction.id,
		.sequence = acceptance->transaction.version,
		.id = id_new(acceptance->order->now_us),
		.type = "created",
		.operation_id = acceptance->operation.id,
		.transaction_from = EVENT_NO_STATUS,
		.transaction_to = TS_PENDING,
		.operation_from = EVENT_NO_STATUS,
		.operation_to = OS_PENDING,
		.attempt_from = EVENT_NO_STATUS,
		.attempt_to = EVENT_NO_STATUS,
		.at_us = acceptance->order->now_us,
	};
	memcpy(event->merchant, acceptance->operation.merchant, sizeof event->merchant);
	snprintf(event->api_call_id, sizeof event->api_call_id, "%s",
		 acceptance->order->api_call_id);
}

/* Bits of the members whose hashes differ; the scope's difference sets none. */
static unsigned hashes_differing(const struct operation_row *stored,
				 const struct operation_row *asked)
{
	unsigned differing = 0;

	for (size_t i = VAULT_HASH_SIZE; i < asked->request_hashes_size; i += VAULT_HASH_SIZE)
		if (i >= stored->request_hashes_size ||
		    memcmp(stored->request_hashes + i, asked->request_hashes + i,
			   VAULT_HASH_SIZE) != 0)
			differing |= 1u << (i / VAULT_HASH_SIZE - 1);
	return differing;
}

/*
 * The operation could not be inserted: it is ours (a commit whose answer was lost), or its key has
 * an owner.
 */
static enum err conflict_resolve(struct store_tx *tx, struct acceptance *acceptance)
{
	struct operation_row *asked = &acceptance->operation;
	struct operation_row stored;
	bool same;
	enum err err = store_operation_lock(tx, asked->id, &stored);

	if (err == ERR_NOT_FOUND && asked->idempotency_key[0] != '\0')
		err = store_operation_find_key(tx, asked->merchant, asked->idempotency_key,
					       &stored);
	if (err == ERR_NOT_FOUND)
		return ERR_BUSY; /* the owner was rolled back meanwhile: insert again */
	if (err != ERR_OK)
		return err;
	same = stored.request_hashes_size == asked->request_hashes_size &&
	       memcmp(stored.request_hashes, asked->request_hashes, asked->request_hashes_size) ==
		       0;
	acceptance->receipt.transaction_id = stored.transaction_id;
	acceptance->receipt.created_at_us = stored.created_at_us;
	acceptance->receipt.differing = same ? 0 : hashes_differing(&stored, asked);
	if (id_equal(stored.id, asked->id))
		acceptance->outcome = PAYMENT_CREATED;
	else
		acceptance->outcome = same ? PAYMENT_REPLAYED : PAYMENT_KEY_REUSED;
	return ERR_OK;
}

static enum err accept_work(struct store_tx *tx, void *context)
{
	struct acceptance *acceptance = context;
	/* Due at once, by the clock that claims go by. */
	enum err err = store_now(tx, &acceptance->operation.next_action_at_us);

	if (err == ERR_OK)
		err = store_operation_insert(tx, &acceptance->operation);
	if (err == ERR_CONFLICT)
		return conflict_resolve(tx, acceptance);
	if (err != ERR_OK)
		return err;
	err = store_transaction_insert(tx, &acceptance->transaction);
	if (err == ERR_NOT_FOUND)
		return ERR_MERCHANT;
	if (err != ERR_OK)
		return err;
	acceptance->outcome = PAYMENT_CREATED;
	acceptance->receipt = (struct payment_receipt){
		.transaction_id = acceptance->transaction.id,
		.created_at_us = acceptance->transaction.created_at_us,
	};
	return store_event_insert(tx, &acceptance->event);
}

/*
 * The commit's answer was lost. The ids are fixed, so inserting again either meets the committed
 * rows or makes them: it can never make a second payment.
 */
static enum err accept_settle(struct store_pool *pool, struct acceptance *acceptance, int wait_ms)
{
	enum err err = ERR_UNCERTAIN;

	for (int i = 0; i < LOOK_UP_TRIES && err != ERR_OK && err != ERR_MERCHANT; i++) {
		clock_sleep_us(LOOK_UP_PAUSE_US);
		err = store_pool_run(pool, wait_ms, accept_work, acceptance);
	}
	if (err == ERR_OK || err == ERR_MERCHANT)
		return err;
	acceptance->outcome = PAYMENT_UNCERTAIN;
	acceptance->receipt = (struct payment_receipt){
		.transaction_id = acceptance->transaction.id,
		.created_at_us = acceptance->transaction.created_at_us,
	};
	return ERR_OK;
}

enum err payment_accept(struct store_pool *pool, const struct vault *vault,
			const struct payment_order *order, int wait_ms,
			enum payment_outcome *outcome, struct payment_receipt *receipt)
{
	struct acceptance acceptance = { .order = order };
	enum err err = operation_fill(&acceptance, vault);

	if (err != ERR_OK)
		return err;
	transaction_fill(&acceptance);
	event_fill(&acceptance);
	err = store_pool_run(pool, wait_ms, accept_work, &acceptance);
	if (err == ERR_UNCERTAIN)
		err = accept_settle(pool, &acceptance, wait_ms);
	if (err != ERR_OK)
		return err;
	*outcome = acceptance.outcome;
	*receipt = acceptance.receipt;
	return ERR_OK;
}
