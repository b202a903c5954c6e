/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fingerprint: what two requests with one idempotency key must agree on, kept as keyed hashes: of the scope (method and
 * path), then of each member of the parsed body, so that a refusal can name members without keeping values.
 *
 * Invariant  equal requests have equal fingerprints whatever their spelling; a hash tells nothing without the key
 * Threads    safe: pure functions
 */
#ifndef SERVICE_FINGERPRINT_H
#define SERVICE_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/payment.h"
#include "service/vault.h"
#include "store/operation.h"

/* Of POST /transactions: one hash per member of payment_fields(), in their order, into the row's request_hashes. */
void fingerprint_payment(const struct vault *vault, const struct payment_request *request,
			 struct operation_row *row);

/* The same scope and content. */
bool fingerprint_equal(const struct operation_row *stored, const struct operation_row *asked);

/* Bits of the members that differ, by their index; a differing scope sets none. */
unsigned fingerprint_differing(const struct operation_row *stored,
			       const struct operation_row *asked);

#endif
