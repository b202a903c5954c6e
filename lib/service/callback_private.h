/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Callbacks, inside lib/service: the rules that a message is judged by (callback.c), for those that receive many at
 * once (callback_receive.c).
 *
 * Invariant  a receipt's row is stored, or being stored in the same transaction, before it is judged
 * Threads    as the store transaction of the receipt
 */
#ifndef SERVICE_CALLBACK_PRIVATE_H
#define SERVICE_CALLBACK_PRIVATE_H

#include "service/callback.h"
#include "service/change.h"
#include "store/attempt.h"

/* A message on its way through one store transaction. */
struct receipt {
	const struct callback_delivery *delivery;
	struct store_tx *tx;
	struct callback_row row;
	struct attempt_row attempt; /* when matched */
	bool matched;
	bool patient; /* what another holds is waited for */
	bool held;    /* another holds what it is about: nothing was done */
	bool elsewhere; /* its references name an attempt of another transaction than the path's */
	enum callback_outcome outcome;
	struct change_note note;
};

/* The row of a delivery before anything is known of it. */
void callback_row_fill(struct receipt *receipt);

/*
 * Find the attempt it speaks of: by its references, else by the path (which may tell that it is foreign: see outcome).
 * Returns  ERR_OK with row, matched, elsewhere and outcome, or with held; ERR_BUSY, ERR_UNAVAILABLE
 */
CHECKED enum err callback_match(struct receipt *receipt);

/* It speaks of this attempt. */
void callback_matched(struct receipt *receipt, const struct attempt_row *attempt);

/* What becomes of it: row.result, an outcome or an exception, *note. Returns as outcome_apply(). */
CHECKED enum err callback_judge(struct receipt *receipt);

#endif
