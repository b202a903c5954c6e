/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/migrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/access.h"
#include "ctl/page.h"
#include "store/migrate.h"

#define US_PER_CS 10000 /* hundredths of a second: what a person reads */
#define CS_PER_S 100

enum {
	SQL_DIRECTORY = ACCESS_COUNT,
	ROLE,
	USER,
	HOST,
	PASSWORD_FILE,
};

/* clang-format off */
#define MIGRATE_OPTIONS \
	ACCESS_OPTIONS, \
	{ "sql-directory", 0, CLI_TEXT, "DIR", PAYOPS_SQLDIR, 0, 0, "read the SQL files from DIR" }

static const struct cli_option options[] = { MIGRATE_OPTIONS };

static const struct cli_option grant_options[] = {
	MIGRATE_OPTIONS,
	{ "role", 0, CLI_TEXT, "ROLE", "apid", 0, 0, "give the rights of this role" },
	{ "user", 0, CLI_TEXT, "NAME", NULL, 0, 0, "the database user who gets them" },
	{ "host", 0, CLI_TEXT, "HOST", "localhost", 0, 0, "the host that user connects from" },
	{ "password-file", 0, CLI_TEXT, "FILE", NULL, 0, 0,
	  "where the user is missing, make it with the password in FILE" },
};
/* clang-format on */
const struct command_options ctl_migrate_options = { options, sizeof options / sizeof *options };
const struct command_options ctl_migrate_grant_options = {
	grant_options, sizeof grant_options / sizeof *grant_options
};

typedef enum err migrate_function(const struct store_settings *settings, const char *directory,
				  migrate_report *report, void *context, char why[STORE_WHY_SIZE]);

/* What all four have in common. Returns the exit status. */
static int run(const struct command_call *call, migrate_function *function, migrate_report *report,
	       void *context)
{
	char why[SETTINGS_WHY_SIZE], store_why[STORE_WHY_SIZE] = "";
	struct access access;
	enum err err = access_open(&access, call->values, why);

	if (err != ERR_OK)
		return command_fail(err, "%s", why);
	err = function(&access.store, call->values->text[SQL_DIRECTORY], report, context,
		       store_why);
	access_done(&access);
	if (err != ERR_OK)
		return command_fail(err, "%s",
				    store_why[0] != '\0' ? store_why : err_row(err)->title);
	return 0;
}

/* All that was reported: a table's columns are as wide as the widest of its cells. */
struct rows {
	struct migrate_row *list;
	size_t count;
	bool lost; /* memory was short */
};

static void collect(void *context, const struct migrate_row *row, const char *text)
{
	struct rows *rows = context;
	struct migrate_row *list = realloc(rows->list, (rows->count + 1) * sizeof *list);

	(void)text;
	if (list == NULL) {
		rows->lost = true;
		return;
	}
	rows->list = list;
	rows->list[rows->count++] = *row;
}

/* The escape sequence of a state's colour (ECMA-48: green, yellow, red). */
static const char *state_colour(enum migrate_state state)
{
	switch (state) {
	case MIGRATE_DONE:
		return "\033[32m";
	case MIGRATE_PENDING:
		return "\033[33m";
	case MIGRATE_PARTLY:
	case MIGRATE_CHANGED:
	case MIGRATE_UNKNOWN:
		return "\033[31m";
	}
	return "";
}

/* The name without its number, which stands beside it: "create_payments". */
static const char *name_of(const struct migrate_row *row)
{
	const char *rest = row->name + strspn(row->name, "0123456789");

	return *rest == '_' ? rest + 1 : row->name;
}

static int name_width(const struct rows *rows)
{
	size_t width = strlen("NAME");

	for (size_t i = 0; i < rows->count; i++)
		if (strlen(name_of(&rows->list[i])) > width)
			width = strlen(name_of(&rows->list[i]));
	return (int)width;
}

static void print_table(const struct rows *rows)
{
	bool colours = page_has_colours();
	int width = name_width(rows);

	printf("VERSION  %-*s  STATE    STATEMENTS\n", width, "NAME");
	for (size_t i = 0; i < rows->count; i++) {
		const struct migrate_row *row = &rows->list[i];

		printf("%04d     %-*s  %s%-7s%s  %d of %d\n", row->version, width, name_of(row),
		       colours ? state_colour(row->state) : "", migrate_state_word(row->state),
		       colours ? "\033[0m" : "", row->statements_done, row->statement_count);
	}
}

int ctl_migrate_status(const struct command_call *call)
{
	struct rows rows = { .list = NULL };
	int status = run(call, migrate_status, collect, &rows);

	if (status == 0 && rows.lost)
		status = command_fail(ERR_MEMORY, "%s", err_row(ERR_MEMORY)->title);
	if (status == 0)
		print_table(&rows);
	free(rows.list);
	return status;
}

/* The migration that was reported last; its version is 0 before the first. */
struct progress {
	int version;
	int64_t started_at_us;
	bool any;
};

static void print_plan(void *context, const struct migrate_row *row, const char *text)
{
	struct progress *progress = context;

	if (text == NULL && row->state == MIGRATE_DONE)
		return;
	if (text == NULL) {
		printf("%04d %s: %s, so that migrate up would refuse to go on\n", row->version,
		       name_of(row), migrate_state_word(row->state));
		progress->any = true;
		return;
	}
	if (progress->version != row->version)
		printf("%s%04d %s: statements %d to %d of %d\n", progress->any ? "\n" : "",
		       row->version, name_of(row), row->statements_done + 1, row->statement_count,
		       row->statement_count);
	printf("\n%s;\n", text);
	progress->version = row->version;
	progress->any = true;
}

int ctl_migrate_plan(const struct command_call *call)
{
	struct progress progress = { .version = 0 };
	int status = run(call, migrate_plan, print_plan, &progress);

	if (status == 0 && !progress.any)
		printf("nothing to do\n");
	return status;
}

/* Called before and after each migration; one that was done before is told once, as done. */
static void print_progress(void *context, const struct migrate_row *row, const char *text)
{
	struct progress *progress = context;
	int64_t duration_cs;

	(void)text;
	if (row->state != MIGRATE_DONE) {
		progress->version = row->version;
		progress->started_at_us = clock_boot_us();
		return;
	}
	if (progress->version != row->version)
		return;
	duration_cs = (clock_boot_us() - progress->started_at_us + US_PER_CS / 2) / US_PER_CS;
	printf("%04d %s: %d of %d statements, %" PRId64 ".%02" PRId64 " s\n", row->version,
	       name_of(row), row->statements_done, row->statement_count, duration_cs / CS_PER_S,
	       duration_cs % CS_PER_S);
	fflush(stdout); /* the next one may take minutes */
	progress->any = true;
}

int ctl_migrate_up(const struct command_call *call)
{
	struct progress progress = { .version = 0 };
	int status = run(call, migrate_up, print_progress, &progress);

	if (status == 0 && !progress.any)
		printf("nothing to do\n");
	return status;
}

/* What brings a migration in this state to "done". */
static const char *state_advice(enum migrate_state state)
{
	switch (state) {
	case MIGRATE_DONE:
		return "";
	case MIGRATE_PENDING:
	case MIGRATE_PARTLY:
		return "run " COMMAND_PROGRAM " migrate up";
	case MIGRATE_CHANGED:
		return "put back the file it was applied from";
	case MIGRATE_UNKNOWN:
		return "it has no file here: use the SQL files of the payops that applied it";
	}
	return "";
}

static void print_deviation(void *context, const struct migrate_row *row, const char *text)
{
	int *count = context;

	(void)text;
	*count += 1;
	if (row->state != MIGRATE_DONE)
		printf("%04d %s: %s, %d of %d statements; %s\n", row->version, name_of(row),
		       migrate_state_word(row->state), row->statements_done, row->statement_count,
		       state_advice(row->state));
}

int ctl_migrate_verify(const struct command_call *call)
{
	int count = 0;
	int status = run(call, migrate_verify, print_deviation, &count);

	if (status == 0)
		printf("%d migration%s, all done and unchanged\n", count, count == 1 ? "" : "s");
	return status;
}

static enum err grant(const struct cli_values *values, const struct store_settings *settings,
		      struct secret *password, char why[STORE_WHY_SIZE])
{
	bool has_password = values->given[PASSWORD_FILE];
	enum err err = ERR_OK;

	if (has_password)
		err = secret_read_file(values->text[PASSWORD_FILE], password, why, STORE_WHY_SIZE);
	if (err != ERR_OK)
		return err;
	return migrate_grant(settings, values->text[SQL_DIRECTORY], values->text[ROLE],
			     values->text[USER], values->text[HOST], has_password ? password : NULL,
			     why);
}

int ctl_migrate_grant(const struct command_call *call)
{
	const struct cli_values *values = call->values;
	char why[SETTINGS_WHY_SIZE], store_why[STORE_WHY_SIZE] = "";
	struct secret password = { .size = 0 };
	struct access access;
	enum err err;

	if (!values->given[USER])
		return command_fail(
			ERR_USAGE,
			"name the database user with --user; see '%s migrate grant --help'",
			COMMAND_PROGRAM);
	err = access_open(&access, values, why);
	if (err != ERR_OK)
		return command_fail(err, "%s", why);
	err = grant(values, &access.store, &password, store_why);
	secret_done(&password);
	access_done(&access);
	if (err != ERR_OK)
		return command_fail(err, "%s",
				    store_why[0] != '\0' ? store_why : err_row(err)->title);
	printf("user %s at %s has the rights of role %s\n", values->text[USER], values->text[HOST],
	       values->text[ROLE]);
	return 0;
}
