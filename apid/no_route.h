/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * No route: refuse a payment that no gateway takes, before it is accepted.
 *
 * Invariant  what an idempotency key began is not refused by rules that came later
 * Threads    safe
 */
#ifndef APID_NO_ROUTE_H
#define APID_NO_ROUTE_H

#include <stdbool.h>

#include "apid/call.h"
#include "core/payment.h"
#include "core/transaction.h"

/*
 * Judge a request from `country` ("": not known) whose stored token only `token_gateway` knows ("": it has none),
 * and that comes with this idempotency key ("": none).
 * Returns  true where it may be accepted; false: it was refused, with the rule that fits it and what
 *          each of its gateways says
 */
bool no_route_check(struct call *call, enum transaction_kind kind,
		    const struct payment_request *request, const char *country,
		    const char *token_gateway, const char *key);

#endif
