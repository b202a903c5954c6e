/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/call.h"
#include "apid/render.h"
#include "store/refund.h"
#include "store/transaction.h"

struct look {
	struct call *call;
	struct id id;
	struct refund_view view;
	json_t *list; /* array, emptied at each try */
};

static enum err look_refund(struct store_tx *tx, void *context)
{
	struct look *at = context;

	return store_refund_find(tx, at->call->claims.merchant, at->id, &at->view);
}

void refunds_show(struct call *call)
{
	struct look at = { .call = call };
	enum err err = ERR_NOT_FOUND; /* what is not an id names nothing */

	if (id_parse(ID_REFUND, call->match.parameter, &at.id))
		err = store_pool_look(call->app->pool, call_wait_ms(call), look_refund, &at);
	if (err == ERR_OK)
		call_answer(call, 200, render_refund(&at.view));
	else
		call_refuse(call, err, err == ERR_NOT_FOUND ? "There is no such refund." : NULL);
}

static void refund_add(void *context, const struct refund_view *view)
{
	(void)json_array_append_new(context, render_refund(view));
}

static enum err look_refunds(struct store_tx *tx, void *context)
{
	struct look *at = context;
	const char *merchant = at->call->claims.merchant;
	struct transaction_view transaction;
	const enum err err = store_transaction_find(tx, merchant, at->id, &transaction);

	(void)json_array_clear(at->list);
	if (err != ERR_OK)
		return err;
	return store_refund_list(tx, merchant, at->id, refund_add, at->list);
}

void refunds_list(struct call *call)
{
	struct look at = { .call = call, .list = json_array() };
	enum err err = ERR_NOT_FOUND;

	if (id_parse(ID_TRANSACTION, call->match.parameter, &at.id))
		err = store_pool_look(call->app->pool, call_wait_ms(call), look_refunds, &at);
	if (err == ERR_OK) {
		call_answer(call, 200, at.list);
		return;
	}
	json_decref(at.list);
	call_refuse(call, err, err == ERR_NOT_FOUND ? "There is no such transaction." : NULL);
}
