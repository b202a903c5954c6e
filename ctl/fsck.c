/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/fsck.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/access.h"
#include "store/fsck.h"

#define LINE_FORMAT "%-5s  %-3s  %-26s  "

enum { ALL = ACCESS_COUNT };

/* clang-format off */
static const struct cli_option options[] = {
	ACCESS_OPTIONS,
	{ "all", 0, CLI_FLAG, NULL, NULL, 0, 0,
	  "run all checks and print up to 10 wrong rows of each, instead of ending at the first" },
};
/* clang-format on */
const struct command_options ctl_fsck_options = { options, sizeof options / sizeof *options };

struct fsck {
	struct store *store;
	bool all;
	bool terminal; /* progress is shown */
	unsigned violations;
};

static void clear_progress(const struct fsck *fsck)
{
	if (fsck->terminal)
		fputs("\r\033[K", stderr);
}

static void show_progress(void *context, const struct store_fsck_check *check, int64_t rows)
{
	const struct fsck *fsck = context;

	if (fsck->terminal)
		fprintf(stderr, "\r\033[K%s %s: %" PRId64 " rows", check->invariant, check->name,
			rows);
}

/* The row by its wire id, and the payment it belongs to. */
static void show_violation(void *context, const struct store_fsck_check *check,
			   const struct store_fsck_violation *violation)
{
	const struct fsck *fsck = context;
	char id[ID_TEXT_SIZE], transaction[ID_TEXT_SIZE];

	clear_progress(fsck);
	id_format(check->subject, violation->id, id);
	id_format(ID_TRANSACTION, violation->transaction_id, transaction);
	printf(LINE_FORMAT, "WRONG", check->invariant, check->name);
	if (check->subject == ID_TRANSACTION)
		printf("%s: ", id);
	else
		printf("%s of %s: ", id, transaction);
	printf("%s (rule: %s)\n", violation->detail, check->meaning);
}

static enum err run_check(struct fsck *fsck, size_t index)
{
	const struct store_fsck_check *check = store_fsck_check(index);
	const struct store_fsck_watch watch = { .found = show_violation,
						.progress = show_progress,
						.context = fsck,
						.page = STORE_FSCK_PAGE,
						.most = fsck->all ? STORE_FSCK_FOUND_MAX : 1 };
	struct store_fsck_tally tally;
	enum err err;

	if (check->absent != NULL) {
		printf(LINE_FORMAT "not applicable yet: %s\n", "-", check->invariant, check->name,
		       check->absent);
		return ERR_OK;
	}
	err = store_fsck_run(fsck->store, index, &watch, &tally);
	clear_progress(fsck);
	if (err != ERR_OK)
		return err;
	if (tally.violations == 0)
		printf(LINE_FORMAT "%" PRId64 " rows\n", "ok", check->invariant, check->name,
		       tally.rows);
	else
		fsck->violations += tally.violations;
	return ERR_OK;
}

static enum err run_checks(struct fsck *fsck)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < store_fsck_count() && err == ERR_OK; i++) {
		if (fsck->violations > 0 && !fsck->all)
			break;
		err = run_check(fsck, i);
		fflush(stdout);
	}
	return err;
}

static enum err check_database(struct fsck *fsck, const struct store_settings *settings,
			       char why[STORE_WHY_SIZE])
{
	enum err err = store_open(settings, &fsck->store, why);

	if (err != ERR_OK)
		return err;
	err = store_check_schema(fsck->store, why);
	if (err == ERR_OK) {
		err = run_checks(fsck);
		snprintf(why, STORE_WHY_SIZE, "not all could be checked: %s", err_row(err)->title);
	}
	store_close(fsck->store);
	return err;
}

int ctl_fsck(const struct command_call *call)
{
	struct fsck fsck = { .all = call->values->given[ALL],
			     .terminal = isatty(STDERR_FILENO) == 1 };
	char why[SETTINGS_WHY_SIZE], store_why[STORE_WHY_SIZE];
	struct access access;
	enum err err = access_open(&access, call->values, why);

	if (err != ERR_OK)
		return command_fail(err, "%s", why);
	err = check_database(&fsck, &access.store, store_why);
	access_done(&access);
	if (err != ERR_OK)
		return command_fail(err, "%s", store_why);
	if (fsck.violations == 0)
		return 0;
	return command_fail(
		ERR_INVALID, "%s",
		fsck.all ? "rows are wrong: those named above"
			 : "a row is wrong: the one named above; --all goes on after it");
}
