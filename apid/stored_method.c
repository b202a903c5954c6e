/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/stored_method.h"

#include <stdio.h>
#include <string.h>

#include "apid/key.h"
#include "base/clock.h"

#define NO_GATEWAY "-" /* no gateway is called so: nothing is ever sent there */

static void refuse_field(struct call *call, const char *field, const char *code,
			 const char *message)
{
	json_t *errors = json_array();

	problem_error_add(errors, field, PROBLEM_IN_BODY, code, message);
	call_refuse_errors(call, ERR_INVALID, NULL, errors);
}

static enum err look(struct call *call, const struct payment_request *request,
		     struct payment_method_use *use)
{
	const struct customer_desk desk = { call->app->pool, &call->settings->vault,
					    call_wait_ms(call) };
	struct payment_method_target target = { .merchant = call->claims.merchant,
						.customer = request->customer };

	if (!id_parse(ID_PAYMENT_METHOD, request->method_id, &target.id))
		return ERR_NOT_FOUND; /* what is not an id names nothing */
	return payment_method_take(&desk, &target, use);
}

/* Whether it may be paid with now; false: refused. */
static bool judge(struct call *call, const struct payment_request *request,
		  const struct payment_method_use *use)
{
	char today[CLOCK_TEXT_SIZE], message[96];

	clock_format(clock_now_us(), today);
	if (payment_method_is_expired(use->expiry_month, use->expiry_year, today)) {
		refuse_field(call, "payment_method_id", "expired",
			     "has expired: ask the customer for another");
		return false;
	}
	/* Deposits and withdrawals do not say how. */
	if (request->method[0] == '\0' || strcmp(request->method, use->method) == 0)
		return true;
	(void)snprintf(message, sizeof message, "must be that of the payment_method_id: %s",
		       use->method);
	refuse_field(call, "payment_method", "differs", message);
	return false;
}

/* What its key began is answered by it, whatever became of the method. */
static bool is_replay(struct call *call, const char *key, struct payment_method_use *use)
{
	if (key_find(call, key) != ERR_OK)
		return false;
	*use = (struct payment_method_use){ .gateway = NO_GATEWAY };
	memset(&use->id, 0xff, sizeof use->id);
	return true;
}

bool stored_method_take(struct call *call, const struct payment_request *request, const char *key,
			struct payment_method_use *use)
{
	enum err err;

	if (is_replay(call, key, use))
		return true;
	err = look(call, request, use);
	if (err == ERR_OK)
		return judge(call, request, use);
	if (err == ERR_NOT_FOUND)
		refuse_field(call, "payment_method_id", "not_found",
			     "is no payment method of this customer's");
	else
		call_refuse(call, err, NULL);
	return false;
}
