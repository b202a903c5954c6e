/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* A ledger of the sandbox in a directory of its own, and operations to put into it. */
#ifndef TESTS_UNIT_SANDBOX_BENCH_H
#define TESTS_UNIT_SANDBOX_BENCH_H

#include <jansson.h>
#include <stddef.h>

#include "sandbox/ledger.h"

#define AT_US INT64_C(1767225600000000) /* 2026-01-01 */
#define ALPHA 0
#define GAMMA 2

extern const struct entry_verdict succeeded;
extern const struct entry_verdict declined; /* expired_card */
extern const struct entry_verdict accepted; /* will succeed */

struct bench {
	char directory[64];
	char path[96];
	struct ledger *ledger;
};

void bench_begin(struct bench *bench);
void bench_open(struct bench *bench);
void bench_reopen(struct bench *bench);
void bench_end(struct bench *bench);

/* A charge of 10.50 USD at alpha; all texts are constants, but for the reference. */
struct entry_terms terms_of(const char *reference);

/* Enter with a callback; the second one answers too. */
enum ledger_outcome enter(struct bench *bench, const struct entry_terms *terms,
			  const struct entry_verdict *verdict, struct entry **entry);
struct entry *enter_new(struct bench *bench, const char *reference,
			const struct entry_verdict *verdict);

/* What the control API shows of a name, NULL: of all; the array is the caller's. */
json_t *rows_of(struct bench *bench, const char *name);
size_t count_rows(struct bench *bench, const char *name);

/* How many entries the ledger calls unfinished. */
size_t unfinished(struct bench *bench);

#endif
