/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/sandbox_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/unit.h"

const struct entry_verdict succeeded = {ENTRY_SUCCEEDED, ENTRY_SUCCEEDED, NULL, AT_US,
					       ENTRY_ACCEPTED};
const struct entry_verdict declined = {ENTRY_DECLINED, ENTRY_DECLINED, "expired_card", AT_US,
					      ENTRY_ACCEPTED};
const struct entry_verdict accepted = {ENTRY_ACCEPTED, ENTRY_SUCCEEDED, NULL, AT_US,
					      ENTRY_ACCEPTED};

void bench_open(struct bench *bench)
{
	char why[JOURNAL_WHY_SIZE];

	ck_assert_int_eq(ledger_open(bench->path, &bench->ledger, why), ERR_OK);
}

void bench_begin(struct bench *bench)
{
	(void)snprintf(bench->directory, sizeof bench->directory,
		       "/tmp/test_sandbox_ledger.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(bench->directory));
	(void)snprintf(bench->path, sizeof bench->path, "%s/ledger", bench->directory);
	bench_open(bench);
}

void bench_reopen(struct bench *bench)
{
	ledger_close(bench->ledger);
	bench_open(bench);
}

void bench_end(struct bench *bench)
{
	ledger_close(bench->ledger);
	ck_assert_int_eq(unlink(bench->path), 0);
	ck_assert_int_eq(rmdir(bench->directory), 0);
}

struct entry_terms terms_of(const char *reference)
{
	return (struct entry_terms){
		.gateway = ALPHA,
		.kind = OPERATION_CHARGE,
		.amount = {1050, "USD"},
		.name = {reference, "trans_1", "op_1", "att_1"},
		.payment_token = "tok_sync",
		.callback_url = "http://127.0.0.1/callback",
	};
}

enum ledger_outcome enter(struct bench *bench, const struct entry_terms *terms,
				 const struct entry_verdict *verdict, struct entry **entry)
{
	enum ledger_outcome outcome;

	ck_assert_int_eq(ledger_enter(bench->ledger, terms, verdict, true, &outcome, entry),
			 ERR_OK);
	return outcome;
}

struct entry *enter_new(struct bench *bench, const char *reference,
			       const struct entry_verdict *verdict)
{
	struct entry_terms terms = terms_of(reference);
	struct entry *entry = NULL;

	ck_assert_int_eq(enter(bench, &terms, verdict, &entry), LEDGER_ENTERED);
	ledger_release(bench->ledger, entry);
	return entry;
}

json_t *rows_of(struct bench *bench, const char *name)
{
	struct render render = {0};
	size_t size = 0;
	char *text;
	json_t *rows;

	ledger_render(bench->ledger, name, &render);
	text = render_take(&render, &size);
	ck_assert_ptr_nonnull(text);
	rows = json_loadb(text, size, 0, NULL);
	ck_assert(json_is_array(rows));
	free(text);
	return rows;
}

size_t count_rows(struct bench *bench, const char *name)
{
	json_t *rows = rows_of(bench, name);
	size_t count = json_array_size(rows);

	json_decref(rows);
	return count;
}

static void count_unfinished(void *context, struct entry *entry)
{
	size_t *count = context;

	ck_assert_ptr_nonnull(entry);
	(*count)++;
}

size_t unfinished(struct bench *bench)
{
	size_t count = 0;

	ledger_each_unfinished(bench->ledger, count_unfinished, &count);
	return count;
}
