/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Waiting for what becomes of a payment: ?wait=<seconds>, and the inquiry that ?refresh=true asks for.
 *
 * Invariant  no database connection is held while waiting, and no request waits past its deadline or keeps a stopping
 *            server
 * Threads    as the call: it sleeps
 */
#ifndef APID_WAIT_H
#define APID_WAIT_H

#include "apid/call.h"
#include "store/transaction.h"

/*
 * Read the parameter wait, 0 to 30 seconds; *until_boot_us is then the end of waiting, 0 where there is to be none.
 * Returns  true; false: refused
 */
bool wait_read(struct call *call, int64_t *until_boot_us);

/* The latest time to wait to: a little before the deadline of the request. */
int64_t wait_latest(const struct call *call);

/* True where nothing more comes by itself, or soon: the outcome is known, or it waits for somebody. */
bool wait_is_over(const struct transaction_view *view);

/*
 * Look at the payment until wait_is_over(), or it is no longer the version `than` (0: whatever it is), or the time is
 * up. `view` was read before; it is the latest one afterwards.
 */
void wait_for_outcome(struct call *call, int64_t until_boot_us, uint32_t than,
		      struct transaction_view *view);

/*
 * The same for who began the payment: no longer than until the customer must act, since the instructions are in the
 * answer, and nothing comes before the customer has seen them.
 */
void wait_for_answer(struct call *call, int64_t until_boot_us, struct transaction_view *view);

#endif
