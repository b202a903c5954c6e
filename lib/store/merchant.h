/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of merchant.
 *
 * Threads    as the store transaction passed in
 */
#ifndef STORE_MERCHANT_H
#define STORE_MERCHANT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

#define MERCHANT_SIZE 33 /* [a-z0-9_-]{1,32} and a NUL */

struct merchant_row {
	char merchant[MERCHANT_SIZE];
	char name[481]; /* 120 code points */
	int64_t created_at_us;
	bool keyless_withdrawals; /* may withdraw without an idempotency key */
};

/* Returns ERR_OK; ERR_CONFLICT where it exists. */
CHECKED enum err store_merchant_insert(struct store_tx *tx, const struct merchant_row *row);

/* Returns ERR_OK with *row; ERR_NOT_FOUND. */
CHECKED enum err store_merchant_find(struct store_tx *tx, const char *merchant,
				     struct merchant_row *row);

#endif
