/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Roll: one gateway's entries by their number, from 1.
 *
 * Ownership  the roll borrows entries; struct roll is the ledger's, starts as { 0 }
 * Threads    the ledger's mutex guards it
 */
#ifndef SANDBOX_ROLL_H
#define SANDBOX_ROLL_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "sandbox/entry.h"

struct roll {
	struct entry **entries; /* NULL where there is none of the number */
	size_t room;
	int64_t last; /* the highest number ever put in */
};

/* Make room for this number. Returns ERR_OK; ERR_MEMORY with the roll as it was. */
CHECKED enum err roll_reserve(struct roll *roll, int64_t number);

/* Put an entry in at its number, after roll_reserve(); take it out. */
void roll_insert(struct roll *roll, struct entry *entry);
void roll_remove(struct roll *roll, const struct entry *entry);

/* The entry of a number, or of the gateway's own id ("alpha_000001"); NULL where there is none. */
struct entry *roll_find(const struct roll *roll, int64_t number);
struct entry *roll_find_id(const struct roll *roll, const char *id);

void roll_done(struct roll *roll);

#endif
