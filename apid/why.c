/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/call.h"
#include "apid/render.h"
#include "service/why.h"

struct look {
	const struct call *call;
	struct id id;
	struct why why;
};

static enum err look_why(struct store_tx *tx, void *context)
{
	struct look *look = context;

	return why_read(tx, look->call->claims.merchant, look->id, &look->why);
}

void why_show(struct call *call)
{
	struct look look = { .call = call };
	enum err err = ERR_NOT_FOUND; /* what is not an id names nothing */

	if (id_parse(ID_TRANSACTION, call->match.parameter, &look.id))
		err = store_pool_look(call->app->pool, call_wait_ms(call), look_why, &look);
	if (err == ERR_NOT_FOUND) {
		call_refuse(call, err, "There is no such transaction.");
		return;
	}
	if (err != ERR_OK) {
		call_refuse(call, err, NULL);
		return;
	}
	call_answer(call, 200, render_why(&look.why));
	why_done(&look.why);
}
