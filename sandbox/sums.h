/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sums: how much of a charge or authorisation may still be captured, released or given back.
 *
 * Invariant  captures <= authorised, refunds <= captured; what is accepted and will succeed counts
 *            from the moment it is recorded; nothing is captured behind a void
 * Units      minor units of the charge's or authorisation's currency
 * Threads    the ledger's mutex guards the sums
 */
#ifndef SANDBOX_SUMS_H
#define SANDBOX_SUMS_H

#include "sandbox/entry.h"

/* True for capture, void and refund, which are about a charge or authorisation. */
bool sums_need_parent(enum operation_kind kind);

/*
 * Judge an operation about `parent`, a charge, an authorisation or a capture; NULL: there is none
 * of the id.
 * Returns  NULL where it may be done, and *root is the charge or authorisation; else the decline
 *          code, and *root is untouched
 */
const char *sums_judge(const struct entry_terms *terms, struct entry *parent, struct entry **root);

/* Count an operation that succeeded or will, at its root; take it back. One without root is left. */
void sums_take(const struct entry *entry);
void sums_give_back(const struct entry *entry);

#endif
