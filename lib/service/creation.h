/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Creation: what an idempotency key means to an object that is no money: a customer, or a payment method.
 *
 * Invariant  a merchant's key makes one customer at most, and one payment method; it lives as long as what it made
 * Ownership  plain values
 * Threads    safe: pure functions
 * Source     API.md: Idempotency
 */
#ifndef SERVICE_CREATION_H
#define SERVICE_CREATION_H

#include <stdbool.h>

#include "service/fingerprint.h"
#include "store/customer.h"

struct creation {
	const char *idempotency_key; /* 1..255 visible ASCII */
	unsigned differing; /* written where it was used for other content: bits of the members */
};

/* The row's key: none, all bytes 0, where `creation` is NULL. The fingerprint goes to creation_place(). */
void creation_key_begin(const struct vault *vault, const char *merchant,
			const struct creation *creation, struct creation_key *key);
struct fingerprint_place creation_place(struct creation_key *key);

/* Whether the key of a stored row was for the same content; where not, what differs is in *creation. */
bool creation_is_same(struct creation *creation, const struct creation_key *stored,
		      const struct creation_key *asked);

#endif
