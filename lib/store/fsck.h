/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fsck: does what is stored keep the invariants? A table of checks, each of which names the rows that break it.
 *
 * Invariant  nothing is written or locked; a check compares rows of one moment only, since each of its pages is one
 *            statement: rows that change meanwhile are never called wrong
 * Ownership  checks are constants; a violation is valid during the call
 * Threads    as the connection passed in
 */
#ifndef STORE_FSCK_H
#define STORE_FSCK_H

#include <stddef.h>
#include <stdint.h>

#include "core/id.h"
#include "store/store.h"

#define STORE_FSCK_PAGE 1000 /* rows that one statement looks at */
#define STORE_FSCK_FOUND_MAX 10

struct store_fsck_check {
	const char *invariant; /* "I4" */
	const char *name;      /* "last-event-agrees" */
	const char *meaning;   /* one line for people: what holds */
	const char *absent;    /* why there is nothing to check yet; NULL: it is checked */
	enum id_kind subject;  /* whose id a violation names */
};

struct store_fsck_violation {
	struct id id;
	struct id
		transaction_id; /* that it belongs to; `id` itself where the subject is a transaction */
	char detail[256];
};

/* The checks, in the order of their invariants; `index` counts from 0. */
size_t store_fsck_count(void);
const struct store_fsck_check *store_fsck_check(size_t index);

struct store_fsck_watch {
	void (*found)(void *context, const struct store_fsck_check *check,
		      const struct store_fsck_violation *violation);
	/* After each page, with the rows seen so far; may be NULL. */
	void (*progress)(void *context, const struct store_fsck_check *check, int64_t rows);
	void *context;
	unsigned page; /* STORE_FSCK_PAGE, or less */
	unsigned most; /* violations after which the check ends: 1..STORE_FSCK_FOUND_MAX */
};

struct store_fsck_tally {
	int64_t rows;
	unsigned violations;
};

/*
 * Run a check that is not absent over its whole table; violations come in the order of primary keys.
 * Returns  ERR_OK with *tally, violations or not; ERR_UNAVAILABLE, ERR_BUSY, ERR_SCHEMA, ERR_STORE
 */
CHECKED enum err store_fsck_run(struct store *store, size_t index,
				const struct store_fsck_watch *watch,
				struct store_fsck_tally *tally);

#endif
