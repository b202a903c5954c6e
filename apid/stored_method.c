/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/stored_method.h"

#include <stdio.h>
#include <string.h>

#include "apid/key.h"
#include "base/clock.h"

#define NO_GATEWAY "-" /* no gateway is called so: nothing is ever sent there */

static enum err look(struct call *call, const struct payment_request *request,
		     struct payment_method_use *use)
{
	struct payment_method_target target = { .merchant = call->claims.merchant,
						.customer = request->customer };

	if (!id_parse(ID_PAYMENT_METHOD, request->method_id, &target.id))
		return ERR_NOT_FOUND; /* what is not an id names nothing */
	return payment_method_take(call->app->methods, &call->settings->vault, &target,
				   call->deadline_boot_us, use);
}

static json_t *fault(const char *field, const char *code, const char *message)
{
	json_t *errors = json_array();

	problem_error_add(errors, field, PROBLEM_IN_BODY, code, message);
	return errors;
}

/* What speaks against what was looked for; NULL: nothing, or it could not be looked for. */
static json_t *fault_find(const struct payment_request *request, enum err err,
			  const struct payment_method_use *use)
{
	char today[CLOCK_TEXT_SIZE], message[96];

	if (err == ERR_NOT_FOUND)
		return fault("payment_method_id", "not_found",
			     "is no payment method of this customer's");
	if (err != ERR_OK)
		return NULL;
	clock_format(clock_now_us(), today);
	if (payment_method_is_expired(use->expiry_month, use->expiry_year, today))
		return fault("payment_method_id", "expired",
			     "has expired: ask the customer for another");
	/* Deposits and withdrawals do not say how. */
	if (request->method[0] == '\0' || strcmp(request->method, use->method) == 0)
		return NULL;
	(void)snprintf(message, sizeof message, "must be that of the payment_method_id: %s",
		       use->method);
	return fault("payment_method", "differs", message);
}

bool stored_method_take(struct call *call, const struct payment_request *request, const char *key,
			struct payment_method_use *use)
{
	const enum err err = look(call, request, use);
	json_t *errors = fault_find(request, err, use);
	enum err known;

	if (err == ERR_OK && errors == NULL)
		return true;
	/* What its key began is answered by it, whatever became of the method. */
	known = err_retryable(err) ? err : key_find(call, key);
	if (known == ERR_OK) {
		*use = (struct payment_method_use){ .gateway = NO_GATEWAY };
		memset(&use->id, 0xff, sizeof use->id);
	} else if (known == ERR_NOT_FOUND && errors != NULL) {
		call_refuse_errors(call, ERR_INVALID, NULL, json_incref(errors));
	} else {
		call_refuse(call, known == ERR_NOT_FOUND ? err : known, NULL);
	}
	json_decref(errors);
	return known == ERR_OK;
}
