/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/call.h"
#include "apid/idempotency_key.h"
#include "apid/render.h"
#include "service/control.h"

static void answer_found(struct call *call, const char *key, const struct operation_key *found)
{
	char id[ID_TEXT_SIZE];
	json_t *body =
		json_pack("{s:s, s:s, s:s, s:s}", "idempotency_key", key, "state", "done",
			  "transaction_id", id_format(ID_TRANSACTION, found->transaction_id, id),
			  "status", words_text(transaction_status_words, (int)found->status));

	if (body != NULL)
		(void)json_object_set_new(body, "first_seen_at",
					  render_time(found->first_seen_at_us));
	call_answer(call, 200, body);
}

void idempotency_keys_show(struct call *call)
{
	char key[IDEMPOTENCY_KEY_SIZE];
	struct operation_key found;
	const char *why;
	enum err err = ERR_NOT_FOUND; /* what is not a key has begun nothing */

	if (idempotency_key_parse(call->match.parameter, key, &why) == ERR_OK)
		err = control_find_key(call->app->pool, call->claims.merchant, key,
				       call_wait_ms(call), &found);
	if (err == ERR_OK)
		answer_found(call, key, &found);
	else if (err == ERR_KEY_IN_FLIGHT)
		call_answer(call, 200,
			    json_pack("{s:s, s:s}", "idempotency_key", key, "state", "in_flight"));
	else
		call_refuse(call, err,
			    err == ERR_NOT_FOUND ? "Nothing was begun with this key." : NULL);
}
