/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Settlement: what a gateway says at the end of a day that it moved, as a CSV file in its own
 * spelling, with differences planted on purpose and a manifest that tells them.
 *
 * Invariant  without damage the file holds every movement of money of that UTC day once, and its
 *            totals are the sums of its lines
 * Units      minor units; money that comes to us is positive, fees are positive
 * Ownership  lines borrow from the ledger's entries; settlement_done() frees the rest
 * Threads    one thread per settlement
 */
#ifndef SANDBOX_SETTLEMENT_H
#define SANDBOX_SETTLEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "sandbox/entry.h"
#include "sandbox/ledger.h"
#include "sandbox/render.h"

#define SETTLEMENT_DATE_SIZE 11 /* "2026-11-28" and its NUL */
#define SETTLEMENT_DIFFERENCES_MAX 64
#define SETTLEMENT_TEXT_SIZE 80
#define SETTLEMENT_PATH_MAX 4096

struct settlement_line {
	const char *type; /* charge, capture, refund, payout, refund_reversal, payout_return */
	const struct entry *entry;
	char id[ENTRY_ID_SIZE];
	const char *reference;
	char currency[4];
	int64_t gross_minor;
	int64_t fee_minor;
	int64_t at_us;
	const char *gross_text; /* stands in the amount's place; NULL: the amount does */
	bool damaged;
	bool left_out;
};

/* A difference between the file and what happened */
struct settlement_difference {
	const char *kind;
	char id[ENTRY_ID_SIZE]; /* of the line; "": the file as a whole */
	const char *field;      /* NULL: the whole line */
	char truth[SETTLEMENT_TEXT_SIZE];
	char told[SETTLEMENT_TEXT_SIZE];
};

/* Start as { 0 } */
struct settlement {
	size_t gateway; /* sandbox/profile.h */
	char date[SETTLEMENT_DATE_SIZE];
	struct settlement_line *lines;
	size_t count;
	size_t room;
	struct settlement_difference differences[SETTLEMENT_DIFFERENCES_MAX];
	size_t difference_count;
	bool total_wrong; /* by one minor unit, in the first currency's net */
	bool truncated;   /* the file ends in the middle of its last third */
};

/*
 * Gather the movements of a gateway's day.
 * Returns  ERR_OK with *settlement; ERR_INVALID where `date` is no date; ERR_MEMORY
 */
CHECKED enum err settlement_gather(struct ledger *ledger, size_t gateway, const char *date,
				   struct settlement *settlement);

/* Make room for one more line. Returns ERR_OK or ERR_MEMORY. */
CHECKED enum err settlement_reserve(struct settlement *settlement);

/*
 * Write GATEWAY-DATE.csv and GATEWAY-DATE.manifest.json into the directory, which is made where it
 * is absent; both are whole or as they were. The manifest is rendered into `manifest`, too.
 * Returns  ERR_OK; ERR_IO, ERR_MEMORY
 */
CHECKED enum err settlement_write(const struct settlement *settlement, const char *directory,
				  struct render *manifest);

/* Accepts an empty one. */
void settlement_done(struct settlement *settlement);

#endif
