/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ledger: every operation the gateways ever took, in memory by all its names and in a file that
 * only grows.
 *
 * Invariant  one entry per idempotent gateway and reference, ever; nothing is told of an entry
 *            before its line is on the disk; an accepted entry reaches its verdict once; captures,
 *            voids and refunds never pass the sums of what they are about (sandbox/sums.h)
 * Units      times in microseconds UTC
 * Ownership  the ledger owns its entries; they stay where they are until ledger_close()
 * Threads    safe
 */
#ifndef SANDBOX_LEDGER_H
#define SANDBOX_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "sandbox/entry.h"
#include "sandbox/journal.h"
#include "sandbox/render.h"

#define LEDGER_ENTRIES_MAX 4000000
#define LEDGER_DECIDE_MAX 256 /* entries decided with one write */

struct ledger;

/*
 * Open or create the ledger file and read it.
 * Returns  ERR_OK with *ledger; ERR_IO, ERR_MALFORMED or ERR_MEMORY with a sentence in `why` that
 * names the file
 */
CHECKED enum err ledger_open(const char *path, struct ledger **ledger, char why[JOURNAL_WHY_SIZE]);

/* In order of precedence; at a gateway without idempotency none of the first three */
enum ledger_outcome {
	LEDGER_KEY_REUSED,  /* the reference is taken by other content */
	LEDGER_IN_PROGRESS, /* the same content, and its first request is still
					     running */
	LEDGER_REPLAYED,    /* the same content: *entry is the one of then */
	LEDGER_FULL,        /* LEDGER_ENTRIES_MAX */
	LEDGER_ENTERED,     /* *entry is new, durable and running: ledger_release() it */
};

/*
 * Take an operation, once. With `with_callback` the entry gets a callback id. Where the sums of
 * its parent forbid what would succeed, the entry is a decline made at once, without callback.
 * Returns  ERR_OK with *outcome; ERR_IO, ERR_MEMORY: nothing was taken
 * Writes   *entry with LEDGER_REPLAYED and LEDGER_ENTERED only
 */
CHECKED enum err ledger_enter(struct ledger *ledger, const struct entry_terms *terms,
			      const struct entry_verdict *verdict, bool with_callback,
			      enum ledger_outcome *outcome, struct entry **entry);

/* The first request of the entry is answered, or never will be: from now on its key is replayed. */
void ledger_release(struct ledger *ledger, struct entry *entry);

/* The durable entry of a gateway's reference, the latest where there are several, and its status
 * now. False (nothing written) where there is none. */
bool ledger_find(struct ledger *ledger, size_t gateway, const char *reference,
		 const struct entry **entry, enum entry_status *status);

/* The durable entry of this gateway's own id ("alpha_000001"), or NULL. */
struct entry *ledger_by_id(struct ledger *ledger, size_t gateway, const char *id);

/* An entry's status now. */
enum entry_status ledger_status(struct ledger *ledger, const struct entry *entry);

/*
 * Let accepted entries reach their verdict, durably; those that have are left as they are.
 * Returns  ERR_OK; ERR_IO, ERR_MEMORY: none did. `count` is at most LEDGER_DECIDE_MAX
 */
CHECKED enum err ledger_decide(struct ledger *ledger, struct entry *const *entries, size_t count,
			       int64_t at_us);

/*
 * Turn a decided entry's verdict to what it becomes later, durably and once.
 * Returns  ERR_OK; ERR_IO, ERR_MEMORY: it did not turn
 */
CHECKED enum err ledger_turn(struct ledger *ledger, struct entry *entry, int64_t at_us);

/*
 * The entry's callback needs no further try: `outcome` is "delivered" or "abandoned". The line
 * reaches the disk with the next one or with ledger_sync(); lost in a crash, it means one more
 * delivery.
 */
void ledger_called_back(struct ledger *ledger, struct entry *entry, const char *outcome,
			int64_t at_us);

/* Make all lines durable. Returns ERR_OK or ERR_IO. */
CHECKED enum err ledger_sync(struct ledger *ledger);

/* Call `each` for every entry that is not decided, has not turned yet, or whose callback is not
 * done. Before threads start. */
void ledger_each_unfinished(struct ledger *ledger, void (*each)(void *context, struct entry *entry),
			    void *context);

/*
 * Render the array of decided operations that bear this name (reference, transaction, operation or
 * attempt id), or of all where it is NULL, in the order they were taken.
 */
void ledger_render(struct ledger *ledger, const char *name, struct render *render);

/* Call `each`, under the mutex and a few hundred at a time, for every entry that is decided, in the
 * order they were taken. */
void ledger_each_decided(struct ledger *ledger,
			 void (*each)(void *context, const struct entry *entry), void *context);

/* How many of a gateway's charges succeeded. */
uint64_t ledger_charges(struct ledger *ledger, size_t gateway);

/* How many entries there are. */
size_t ledger_count(struct ledger *ledger);

/* Write what waits, close, free. Accepts NULL. No other thread may use it any more. */
void ledger_close(struct ledger *ledger);

#endif
