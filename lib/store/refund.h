/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Refunds as they are shown: operations of that kind, with what they share with their transaction and latest attempt.
 *
 * Units      minor units of the transaction's currency; times UTC microseconds
 * Ownership  plain values
 * Threads    as the store transaction passed in
 */
#ifndef STORE_REFUND_H
#define STORE_REFUND_H

#include <stdint.h>

#include "store/operation.h"
#include "store/store.h"

struct refund_view {
	struct id id;
	struct id transaction_id;
	struct money amount;
	uint8_t exponent;
	int form; /* as in struct operation_row */
	enum amount_form transaction_form;
	bool surplus;
	char reason[PAYMENT_DESCRIPTION_SIZE];
	enum operation_status status;
	char status_reason[REASON_SIZE];
	enum next_action next_action;
	int64_t next_action_at_us; /* 0: none */
	int64_t created_at_us;
	int64_t updated_at_us;
	char gateway[33]; /* "" before the first attempt */
	char gateway_ref[ATTEMPT_GATEWAY_REF_SIZE];
	char decline_code[REASON_SIZE];
};

/* One of the merchant's. Returns ERR_OK; ERR_NOT_FOUND, also when it is another merchant's. */
CHECKED enum err store_refund_find(struct store_tx *tx, const char *merchant, struct id id,
				   struct refund_view *view);

/* Those of a transaction, oldest first, at most 1000; `each` is called per row. */
typedef void store_refund_each(void *context, const struct refund_view *view);
CHECKED enum err store_refund_list(struct store_tx *tx, const char *merchant,
				   struct id transaction_id, store_refund_each *each,
				   void *context);

#endif
