/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The version of the catalogue: gateways, accounts and routes.
 *
 * Invariant  who writes any of its tables locks the version first and raises it in the same
 *            transaction, so that a version tells of all of them
 * Threads    as the store transaction passed in
 */
#ifndef STORE_CATALOGUE_H
#define STORE_CATALOGUE_H

#include <stdint.h>

#include "store/store.h"

/* As committed. */
CHECKED enum err store_catalogue_version(struct store_tx *tx, int64_t *version);

/* For this transaction's change of it. */
CHECKED enum err store_catalogue_lock(struct store_tx *tx, int64_t *version);
CHECKED enum err store_catalogue_raise(struct store_tx *tx, int64_t now_us);

#endif
