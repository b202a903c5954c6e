/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/call.h"
#include "apid/dispatcher.h"
#include "apid/guesser.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/transition.h"
#include "service/callback.h"
#include "service/catalogue.h"
#include "store/transaction.h"

#include <string.h>

#define GATEWAY_UNKNOWN "unknown" /* label of messages that no gateway signed */

/* What became of one try to take the message as one gateway's. */
enum fate {
	FATE_NOT_THEIRS, /* not signed by it, or its transaction was never sent to it */
	FATE_ANSWERED,
};

/* For adapters: the value of a header that stands there exactly once. */
static const char *header_once(void *context, const char *name)
{
	size_t count;
	const char *value = http_header(context, name, &count);

	return count == 1 ? value : NULL;
}

static void count(const struct call *call, const char *gateway, const char *result)
{
	metrics_callback(call->app->metrics, gateway, result);
}

static enum err verify(const struct call *call, const struct gateway *gateway,
		       struct gateway_notice *notice)
{
	const struct gateway_message message = {
		.body = call->http->body,
		.body_size = call->http->body_size,
		.header = header_once,
		.context = (void *)call->http, /* header_once() only reads it */
	};

	return gateway->adapter->read_callback(gateway, &message, clock_now_us(), notice);
}

/*
 * The gateway has to send it again: also where the commit's answer was lost, since a repetition
 * changes nothing.
 */
static void refuse_delivery(struct call *call, enum err err)
{
	call_refuse(call, err == ERR_UNCERTAIN ? ERR_UNAVAILABLE : err, NULL);
}

static enum fate deliver(struct call *call, const struct callback_delivery *delivery)
{
	const char *name = delivery->gateway->name;
	enum callback_outcome outcome;
	enum callback_result result = CALLBACK_APPLIED;
	const enum err err = callback_receive(call->app->callbacks, delivery,
					      call->deadline_boot_us, &outcome, &result);

	if (err != ERR_OK) {
		refuse_delivery(call, err);
		return FATE_ANSWERED;
	}
	switch (outcome) {
	case CALLBACK_OUTCOME_FOREIGN:
		count(call, name, "foreign");
		return FATE_NOT_THEIRS;
	case CALLBACK_OUTCOME_DUPLICATE:
		count(call, name, "duplicate");
		break;
	case CALLBACK_OUTCOME_STORED:
		count(call, name, words_text(callback_result_words, (int)result));
		dispatcher_wake(call->app->dispatcher);
		break;
	}
	call_answer(call, 200, json_pack("{s:b}", "received", 1));
	return FATE_ANSWERED;
}

/* Who may have signed: a gateway, or a merchant's account there. */
struct signer {
	const struct gateway *gateway;
	const char *merchant; /* NULL: the gateway */
};

/* Take the message as the signer's, for the transaction of the path where it names one. */
static enum fate take(struct call *call, const struct catalogue_view *view,
		      const struct signer *signer, const char *path_id)
{
	const struct gateway *gateway = signer->gateway;
	struct gateway_notice notice;
	struct callback_delivery delivery = { .gateway = gateway,
					      .view = view,
					      .notice = &notice,
					      .body = call->http->body,
					      .body_size = call->http->body_size,
					      .api_call_id = call->api_call_id,
					      .now_us = clock_now_us(),
					      .merchant = signer->merchant };
	const enum err err = verify(call, gateway, &notice);

	if (err == ERR_SIGNATURE)
		return FATE_NOT_THEIRS;
	if (err != ERR_OK) {
		count(call, gateway->name, "malformed");
		call_refuse(call, err, "The message is signed but cannot be read.");
		return FATE_ANSWERED;
	}
	if (path_id != NULL && !id_parse(ID_TRANSACTION, path_id, &delivery.transaction_id)) {
		call_refuse(call, ERR_NOT_FOUND, "There is no such transaction.");
		return FATE_ANSWERED;
	}
	return deliver(call, &delivery);
}

/* Whose accounts may have signed: of this merchant, of all (NULL), of none (""). */
static bool may_sign(const struct catalogue_account *account, unsigned gateway,
		     const char *merchant)
{
	return account->gateway == gateway && account->signs &&
	       (merchant == NULL || strcmp(account->merchant, merchant) == 0);
}

/* By the gateway's own secrets, then by those of the accounts there that have some. */
static enum fate take_of(struct call *call, const struct catalogue_view *view, unsigned gateway,
			 const char *merchant)
{
	const char *path_id = merchant == NULL ? NULL : call->match.parameter;
	struct signer signer = { .gateway = &view->gateways.list[gateway] };
	enum fate fate = take(call, view, &signer, path_id);

	for (size_t i = 0; view->signing_count > 0 && i < view->account_count; i++) {
		const struct catalogue_account *account = &view->accounts[i];

		if (fate == FATE_ANSWERED)
			return fate;
		if (!may_sign(account, gateway, merchant))
			continue;
		signer = (struct signer){ account->own, account->merchant };
		fate = take(call, view, &signer, path_id);
	}
	return fate;
}

static void refuse_forged(struct call *call, const char *gateway)
{
	count(call, gateway, "forged");
	if (guesser_forged(call))
		return;
	log_warning("callback refused", LOG_TEXT("gateway", gateway),
		    LOG_TEXT("reason", "no gateway of this transaction signed it"));
	/* Each gateway has a scheme of its own, none of them registered. */
	http_reply_header(call->reply, "WWW-Authenticate", "Gateway-Signature realm=\"payops\"");
	call_refuse(call, ERR_SIGNATURE, NULL);
}

struct owner {
	struct id transaction_id;
	char *merchant;
};

static enum err owner_work(struct store_tx *tx, void *context)
{
	const struct owner *owner = context;

	return store_transaction_merchant(tx, owner->transaction_id, owner->merchant);
}

/* Whose transaction the path names, "" where there is none. False: it was answered, since that cannot be known now. */
static bool merchant_find(struct call *call, char merchant[MERCHANT_SIZE])
{
	struct owner owner = { .merchant = merchant };
	enum err err;

	if (!id_parse(ID_TRANSACTION, call->match.parameter, &owner.transaction_id))
		return true;
	err = store_pool_look(call->app->pool, call_wait_ms(call), owner_work, &owner);
	if (err == ERR_OK || err == ERR_NOT_FOUND)
		return true;
	call_refuse(call, err, NULL);
	return false;
}

/*
 * The path names no gateway: the signature tells whose it is; a shared secret leaves several to be
 * tried.
 */
void callbacks_transaction(struct call *call)
{
	const struct catalogue_view *view = catalogue_hold(call->app->catalogue);
	char merchant[MERCHANT_SIZE] = "";
	enum fate fate = FATE_NOT_THEIRS;

	if (view->signing_count > 0 && !merchant_find(call, merchant))
		fate = FATE_ANSWERED;
	for (unsigned i = 0; i < view->gateways.count && fate != FATE_ANSWERED; i++)
		fate = take_of(call, view, i, merchant);
	catalogue_release(view);
	if (fate != FATE_ANSWERED)
		refuse_forged(call, GATEWAY_UNKNOWN);
}

void callbacks_gateway(struct call *call)
{
	const struct catalogue_view *view = catalogue_hold(call->app->catalogue);
	const struct gateway *gateway = gateway_find(&view->gateways, call->match.parameter);

	if (gateway == NULL)
		call_refuse(call, ERR_NOT_FOUND, "There is no such gateway.");
	else if (take_of(call, view, (unsigned)(gateway - view->gateways.list), NULL) ==
		 FATE_NOT_THEIRS)
		refuse_forged(call, gateway->name);
	catalogue_release(view);
}
