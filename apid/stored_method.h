/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stored method: find the payment method that a payment names, or refuse the payment.
 *
 * Invariant  whether a method is unknown, deleted or another's is not told; what an idempotency key began is not
 *            refused because its method is gone or has expired since
 * Ownership  the token in what is found is the caller's to wipe
 * Threads    safe
 */
#ifndef APID_STORED_METHOD_H
#define APID_STORED_METHOD_H

#include <stdbool.h>

#include "apid/call.h"
#include "core/payment.h"
#include "service/payment_method.h"

/*
 * The method of a request that names one; with a key that began a payment, one that no gateway knows, since nothing new
 * is made.
 * Returns  true with *use; false: it was refused
 */
bool stored_method_take(struct call *call, const struct payment_request *request, const char *key,
			struct payment_method_use *use);

#endif
