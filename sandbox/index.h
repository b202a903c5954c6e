/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Index: entries by each of their names (sandbox/entry.h), in one hash table.
 *
 * Ownership  the table borrows entries, whose links are its chains; struct index is the ledger's,
 *            starts as { 0 }
 * Threads    the ledger's mutex guards it
 * Source     FNV-1a, 64 bits
 */
#ifndef SANDBOX_INDEX_H
#define SANDBOX_INDEX_H

#include <stddef.h>

#include "core/err.h"
#include "sandbox/entry.h"

struct index {
	struct entry_link **buckets;
	size_t room;  /* a power of two, or 0 */
	size_t count; /* links */
};

/* Make room for one more entry. Returns ERR_OK; ERR_MEMORY where there is no table at all. */
CHECKED enum err index_reserve(struct index *index);

/* Put an entry in, after index_reserve(); take it out. */
void index_insert(struct index *index, struct entry *entry);
void index_remove(struct index *index, struct entry *entry);

/* The entry of this gateway and reference, or NULL. */
struct entry *index_reference(const struct index *index, size_t gateway, const char *reference);

/*
 * All entries that bear this text as any of their names, each once, by ordinal.
 * Returns  ERR_OK with *found (NULL for none) to be freed with free(); ERR_MEMORY
 */
CHECKED enum err index_collect(const struct index *index, const char *name, struct entry ***found,
			       size_t *count);

void index_done(struct index *index);

#endif
