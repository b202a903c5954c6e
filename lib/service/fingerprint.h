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

#define FINGERPRINT_MEMBERS_MAX 16

struct fingerprint_member {
	const char *name;
	const char *text; /* canonical: equal for what means the same; "" for none */
};

/* What a row keeps of a request, and where it is written. */
struct fingerprint {
	const uint8_t *hashes;
	size_t size;
};
struct fingerprint_place {
	uint8_t *hashes;
	size_t room;
	size_t *size;
};
struct fingerprint fingerprint_of(const struct operation_row *row);
struct fingerprint_place fingerprint_place(struct operation_row *row);

/* Of the scope and these members, in their order; there must be room. */
void fingerprint_members(const struct vault *vault, const char *scope,
			 const struct fingerprint_member *members, size_t count,
			 struct fingerprint_place place);

/* The canonical text of an amount as it was written (enum amount_form). */
void fingerprint_amount(int form, int64_t minor, char *text, size_t size);

/*
 * Of a payment, deposit or withdrawal: the members of its payment_fields(). The last, payment_method_id, is younger
 * than what is stored: where it is absent it leaves no hash, so that requests without it are equal to those of old.
 */
void fingerprint_payment(const struct vault *vault, enum transaction_kind kind,
			 const struct payment_request *request, struct operation_row *row);

/* The same scope and content. */
bool fingerprint_equal(struct fingerprint stored, struct fingerprint asked);

/* Bits of the members that differ, by their index; a differing scope sets none. */
unsigned fingerprint_differing(struct fingerprint stored, struct fingerprint asked);

#endif
