/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Routes in words, in parts by what they are about; members of answers are in describe_schemas.c, parameters in
 * describe_parameters.c. */
#include "apid/describe.h"

#include <string.h>

#include "apid/api_key_fields.h"
#include "apid/explain.h"
#include "apid/idempotency_key.h"
#include "core/amendment.h"
#include "core/customer.h"
#include "core/operation.h"
#include "core/payment.h"
#include "core/payment_method.h"

#define PAYMENTS "Payments"
#define REFUNDS "Captures and refunds"
#define TRANSFERS "Deposits and withdrawals"
#define CUSTOMERS "Customers"
#define PROOF "Proof"
#define ROUTING "Routing"
#define KEYS "API keys"
#define GATEWAYS "Callbacks"
#define SERVER "Server"

const char *const describe_tags[][2] = {
	{ PAYMENTS, "Take payments, see what became of them, change and stop them." },
	{ REFUNDS, "Collect what is authorised, release it, give back what was collected." },
	{ TRANSFERS,
	  "Money from users and to them, as the old deposit service's clients send it." },
	{ CUSTOMERS,
	  "Who pays: profiles, which are kept encrypted, and the tokens that they pay with." },
	{ PROOF, "What happened to a payment, step by step, and whether paying again is safe." },
	{ ROUTING, "Which gateways there are, and where a payment would go." },
	{ KEYS, "Make, replace and revoke what your programs bear in place of tokens." },
	{ GATEWAYS, "Messages of payment gateways, signed by them." },
	{ SERVER, "Probes of the process, and this description." },
	{ NULL, NULL },
};

#define PAGE_TEXT                                                                                  \
	"A page that is not the last has the next one's address in its Link header; it goes with " \
	"the same filters only. A page may be short, or empty, where few rows pass the "           \
	"filters: the next page goes on behind what was looked at."

static const struct field_spec *fields_of_payments(size_t *count)
{
	return payment_fields(TRANSACTION_PAYMENT, count);
}

static const struct field_spec *fields_of_transfers(size_t *count)
{
	return payment_fields(TRANSACTION_DEPOSIT, count);
}

/* clang-format off */
static const struct describe_route routes[] = {
#include "apid/describe_payments.def"
#include "apid/describe_keys.def"
#include "apid/describe_customers.def"
#include "apid/describe_server.def"
};
/* clang-format on */

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

const struct describe_route *describe_routes(size_t *count)
{
	*count = COUNT_OF(routes);
	return routes;
}

const struct describe_route *describe_route(const char *method, const char *path)
{
	for (size_t i = 0; i < COUNT_OF(routes); i++)
		if (strcmp(routes[i].method, method) == 0 && strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}
