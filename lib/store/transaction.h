/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of transaction.
 *
 * Units      amounts in minor units of the row's currency; times UTC microseconds
 * Ownership  rows are plain values in the caller's storage
 * Threads    as the store transaction passed in
 */
#ifndef STORE_TRANSACTION_H
#define STORE_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/attempt.h"
#include "core/id.h"
#include "core/operation.h"
#include "core/payment.h"
#include "core/transaction.h"
#include "store/merchant.h"
#include "store/store.h"

/* How an amount was written: words of columns amount_form; core has no use for them. */
extern const struct words amount_form_words;

struct transaction_row {
	struct id id;
	char merchant[MERCHANT_SIZE];
	char customer[PAYMENT_CUSTOMER_SIZE];
	enum transaction_kind kind;
	struct money amount;
	uint8_t exponent;
	enum amount_form form;
	char method[PAYMENT_METHOD_SIZE];
	char description[PAYMENT_DESCRIPTION_SIZE]; /* "" is NULL in the table, here and below */
	char country[3];
	char callback_url[PAYMENT_URL_SIZE];
	char metadata[PAYMENT_METADATA_SIZE];
	enum transaction_status status;
	char status_reason[REASON_SIZE];
	uint32_t version; /* also the sequence of its latest event */
	int64_t amount_captured;
	int64_t amount_refunded;
	char failure_code[REASON_SIZE];
	int64_t created_at_us;
	int64_t updated_at_us;
};

/*
 * A transaction with what GET shows of its money operation (charge, authorise, payout) and that
 * one's latest attempt.
 */
struct transaction_view {
	struct transaction_row row;
	enum next_action next_action; /* NEXT_NONE when nothing is to come */
	int64_t next_action_at_us;    /* 0: none */
	char gateway[33];             /* "" before the first attempt */
	char gateway_ref[129];        /* "" when not known */
	char decline_code[REASON_SIZE];
	char instructions[ATTEMPT_INSTRUCTIONS_SIZE]; /* JSON, while the customer must act */
	struct id payment_method_id;  /* that it names; empty: none */
};

/* Returns ERR_OK; ERR_CONFLICT (id exists); ERR_NOT_FOUND (no such merchant). */
CHECKED enum err store_transaction_insert(struct store_tx *tx, const struct transaction_row *row);

/* The same for many at once: all or none. Their updated_at_us is a span, from now by the database's clock. */
CHECKED enum err store_transaction_insert_all(struct store_tx *tx,
					      const struct transaction_row *const *rows,
					      size_t count);

/* Read and lock (FOR UPDATE). Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_transaction_lock(struct store_tx *tx, struct id id,
					struct transaction_row *row);

/*
 * Write status, status_reason, version, amount_captured, amount_refunded, failure_code, updated_at_us.
 * The row must be locked; exactly one row with version = row->version - 1 must change, else
 * ERR_STORE (a bug elsewhere).
 */
CHECKED enum err store_transaction_update(struct store_tx *tx, const struct transaction_row *row);

/* Write description and metadata of a row that is locked; what else changes, store_transaction_update() writes. */
CHECKED enum err store_transaction_amend(struct store_tx *tx, const struct transaction_row *row);

/* One of the merchant's. Returns ERR_OK; ERR_NOT_FOUND, also when it is another merchant's. */
CHECKED enum err store_transaction_find(struct store_tx *tx, const char *merchant, struct id id,
					struct transaction_view *view);

/* Whose it is. Returns ERR_OK; ERR_NOT_FOUND. */
CHECKED enum err store_transaction_merchant(struct store_tx *tx, struct id id,
					    char merchant[MERCHANT_SIZE]);

typedef void store_transaction_each(void *context, const struct transaction_view *view);

/*
 * Those of 1..TRANSACTION_SHOW_MAX ids, in any order, each once; ids of another merchant's, or of nothing, are passed
 * over. The view is valid during the call of `each`.
 */
#define TRANSACTION_SHOW_MAX 256
CHECKED enum err store_transaction_show(struct store_tx *tx, const char *merchant,
					const struct id *ids, size_t count,
					store_transaction_each *each, void *context);

/*
 * A list of the merchant's, newest first by (created_at_us, id): after the given place (after_us INT64_MAX: from the
 * top), at most `limit` (1..200). Filters that are 0 or NULL let all pass.
 */
#define TRANSACTION_LIST_LIMIT_MAX 200
struct transaction_page {
	const char *merchant;
	int64_t after_us;
	struct id after_id;
	unsigned limit;
	int64_t from_us; /* created then or later */
	const char *customer;
	unsigned statuses; /* one bit for each enum transaction_status */
	const char *currency;
	const char *method;
	const char *kind;    /* its word */
	const char *gateway; /* of the latest attempt of the money operation, as in the view */
};

struct transaction_page_end {
	bool more;     /* the list goes on after this place */
	int64_t at_us; /* a place of the list, though not always that of a row */
	struct id id;
};

/*
 * Read one page; `each` is called per row. Only so many rows are looked at for one page, so a page may be short, or
 * empty, where few rows pass the filters: *end says whether there may be more and where to go on.
 */
CHECKED enum err store_transaction_list(struct store_tx *tx, const struct transaction_page *page,
					store_transaction_each *each, void *context,
					struct transaction_page_end *end);

#endif
