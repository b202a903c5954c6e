/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "apid/call.h"
#include "apid/transaction_list.h"

#define CUSTOMER_FIELD "customer_id"

/* The customer of the path, judged as in a payment. False: refused. */
static bool customer_is_valid(struct call *call)
{
	const char *customer = call->match.parameter;
	const struct field_member member = {
		CUSTOMER_FIELD,
		{ .kind = VALUE_STRING, .text = customer, .text_size = strlen(customer) },
	};
	struct field_errors errors = { .count = 0 };
	json_t *list;
	size_t count;
	const struct field_spec *spec = payment_fields(TRANSACTION_PAYMENT, &count);

	while (strcmp(spec->name, CUSTOMER_FIELD) != 0)
		spec++;
	if (text_is_utf8(customer, member.value.text_size))
		field_check(spec, 1, &member, 1, &errors);
	else
		field_error_add(&errors, CUSTOMER_FIELD, FIELD_CHARACTERS, "must be UTF-8");
	if (errors.count == 0)
		return true;
	list = json_array();
	problem_error_add(list, CUSTOMER_FIELD, PROBLEM_ELSEWHERE,
			  field_code_word(errors.list[0].code), errors.list[0].message);
	call_refuse_errors(call, ERR_INVALID, "The customer in the path is not valid.", list);
	return false;
}

void customers_transactions(struct call *call)
{
	char customer[3 * PAYMENT_CUSTOMER_SIZE + 1];
	char path[sizeof "/customers//transactions" + sizeof customer];
	bool encoded;

	if (!customer_is_valid(call))
		return;
	encoded = http_percent_encode(call->match.parameter, customer, sizeof customer);
	assert(encoded);
	(void)encoded;
	(void)snprintf(path, sizeof path, "/customers/%s/transactions", customer);
	transaction_list_serve(call, path, call->match.parameter);
}
