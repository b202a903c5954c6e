/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Payment methods: the fields of POST /customers/{id}/payment-methods, judged into a plain value.
 *
 * Invariant  what was accepted holds a gateway's token and what people know it by, never a card number
 * Ownership  plain value
 * Threads    safe: pure functions
 * Source     API.md: Paths
 */
#ifndef CORE_PAYMENT_METHOD_H
#define CORE_PAYMENT_METHOD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/field.h"
#include "core/payment.h"

#define METHOD_BRAND_SIZE 33
#define METHOD_GATEWAY_SIZE 33

/* Whether it is the customer's default. */
enum payment_method_wish {
	METHOD_AS_NEEDED, /* the first one is */
	METHOD_DEFAULT,
	METHOD_NOT_DEFAULT,
};

struct payment_method_request {
	char gateway[METHOD_GATEWAY_SIZE];
	char token[PAYMENT_TOKEN_SIZE];
	char method[PAYMENT_METHOD_SIZE];
	char brand[METHOD_BRAND_SIZE]; /* "" when absent, as last4 */
	char last4[5];
	int expiry_month; /* 0 when absent */
	int expiry_year;
	enum payment_method_wish wish;
};

/* gateway, payment_token, payment_method, brand, last4, expiry_month, expiry_year, default. */
const struct field_spec *payment_method_fields(size_t *count);

/*
 * Judge the members of a request.
 * Returns  true with *request written; false with at least one entry in *errors and *request untouched
 */
bool payment_method_read(const struct field_member *members, size_t count,
			 struct payment_method_request *request, struct field_errors *errors);

/* Whether the month of expiry (0: not known, which never expires) is over on `today`, "2026-03-01". */
bool payment_method_is_expired(int month, int year, const char *today);

#endif
