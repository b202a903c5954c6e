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
	uint32_t transaction_version; /* each step of the refund makes a new one */
};

/* One of the merchant's. Returns ERR_OK; ERR_NOT_FOUND, also when it is another merchant's. */
CHECKED enum err store_refund_find(struct store_tx *tx, const char *merchant, struct id id,
				   struct refund_view *view);

/* Those of a transaction, oldest first: _MAX and one more at most; `each` is called per row. */
#define REFUND_LIST_OF_MAX 1000
typedef void store_refund_each(void *context, const struct refund_view *view);
CHECKED enum err store_refund_list(struct store_tx *tx, const char *merchant,
				   struct id transaction_id, store_refund_each *each,
				   void *context);

/*
 * A list of the merchant's, newest first by (created_at_us, id): after the given place (after_us INT64_MAX: from the
 * top), at most `limit` (1..200). Filters that are 0 or NULL let all pass.
 */
#define REFUND_LIST_LIMIT_MAX 200
struct refund_page {
	const char *merchant;
	int64_t after_us;
	struct id after_id;
	unsigned limit;
	int64_t from_us;      /* created then or later */
	unsigned statuses;    /* one bit for each enum operation_status */
	const char *currency; /* of the transaction, as method and customer */
	const char *method;
	const char *customer;
	const char *gateway; /* of the latest attempt, as in the view */
};

struct refund_page_end {
	bool more;     /* the list goes on after this place */
	int64_t at_us; /* a place of the list, though not always that of a row */
	struct id id;
};

/*
 * Read one page; `each` is called per row. Only so many refunds are looked at for one page, so a page may be short, or
 * empty, where few pass the filters: *end says whether there may be more and where to go on.
 */
CHECKED enum err store_refund_page(struct store_tx *tx, const struct refund_page *page,
				   store_refund_each *each, void *context,
				   struct refund_page_end *end);

#endif
