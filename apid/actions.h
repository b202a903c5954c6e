/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Actions: what a transaction still allows, said where a request about it was refused.
 *
 * Threads    safe: constants
 */
#ifndef APID_ACTIONS_H
#define APID_ACTIONS_H

#include "store/transaction.h"

#define ACTIONS_MAX 4 /* with the NULL */

/* NULL-terminated words: "capture", "void", "refund", … */
const char *const *actions_of(const struct transaction_row *transaction);

#endif
