/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fault.h"
#include "store/connection.h"
#include "store/migrate_file.h"

#define TEXT_SIZE 1024
#define ERROR_NO_SUCH_TABLE 1146

#define NOW_US "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
#define CREATE_TABLE                                                                               \
	"CREATE TABLE IF NOT EXISTS schema_migration (version INT NOT NULL, "                      \
	"name VARBINARY(128) NOT NULL, "                                                           \
	"checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "                       \
	"statement_count INT NOT NULL, statements_done INT NOT NULL, "                             \
	"statement_refused INT NOT NULL DEFAULT 0, "                                               \
	"started_at_us BIGINT NOT NULL, finished_at_us BIGINT NULL, PRIMARY KEY (version), "       \
	"CONSTRAINT schema_migration_done CHECK (statements_done >= 0 "                            \
	"AND statements_done <= statement_count), "                                                \
	"CONSTRAINT schema_migration_finished CHECK (finished_at_us IS NULL "                      \
	"OR statements_done = statement_count)) "                                                  \
	"ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
#define READ_RECORDS                                                                               \
	"SELECT version, name, checksum, statement_count, statements_done, "                       \
	"finished_at_us IS NOT NULL, statement_refused FROM schema_migration ORDER BY version"

/* The database's name may be too long for a lock's. */
#define TAKE_LOCK "SELECT GET_LOCK(CONCAT('payops_migrate_', LEFT(SHA2(DATABASE(), 256), 32)), 0)"

/* What was recorded of a migration. */
struct record {
	struct migrate_row row;
	char checksum[SCRIPT_CHECKSUM_SIZE];
	bool finished;
	int statement_refused; /* the server refused it, so it is certainly not done; 0: none */
};

struct migrator {
	MYSQL *mysql;
	struct migrations files;
	struct record *records; /* by version */
	size_t record_count;
	migrate_report *report;
	void *context;
	char *why;
};

const char *migrate_state_word(enum migrate_state state)
{
	switch (state) {
	case MIGRATE_PENDING:
		return "pending";
	case MIGRATE_PARTLY:
		return "partly";
	case MIGRATE_DONE:
		return "done";
	case MIGRATE_CHANGED:
		return "changed";
	case MIGRATE_UNKNOWN:
		return "unknown";
	}
	return "unknown";
}

/* Say what the server answered; `name` and `number` tell which statement it was about. */
static enum err refused(struct migrator *migrator, const char *name, int number)
{
	unsigned code = mysql_errno(migrator->mysql);

	if (number > 0)
		snprintf(migrator->why, STORE_WHY_SIZE, "%s, statement %d: %.256s (%u)", name,
			 number, mysql_error(migrator->mysql), code);
	else
		snprintf(migrator->why, STORE_WHY_SIZE, "%s: %.256s (%u)", name,
			 mysql_error(migrator->mysql), code);
	return connection_err(code, NULL) == ERR_UNAVAILABLE ? ERR_UNAVAILABLE : ERR_STORE;
}

static enum err command(struct migrator *migrator, const char *text)
{
	bool lost;

	if (connection_command(migrator->mysql, text, &lost) == ERR_OK)
		return ERR_OK;
	return refused(migrator, "schema_migration", 0);
}

/* The columns are INT NOT NULL: what the server writes of them is a number that fits. */
static int read_int(const char *cell)
{
	return (int)strtol(cell, NULL, 10);
}

static void read_record(MYSQL_ROW cells, struct record *record)
{
	record->row.version = read_int(cells[0]);
	snprintf(record->row.name, sizeof record->row.name, "%s", cells[1]);
	snprintf(record->checksum, sizeof record->checksum, "%s", cells[2]);
	record->row.statement_count = read_int(cells[3]);
	record->row.statements_done = read_int(cells[4]);
	record->finished = read_int(cells[5]) != 0;
	record->statement_refused = read_int(cells[6]);
}

static enum err take_records(struct migrator *migrator, MYSQL_RES *result)
{
	size_t count = (size_t)mysql_num_rows(result);
	MYSQL_ROW cells;

	free(migrator->records);
	migrator->record_count = 0;
	migrator->records = calloc(count + 1, sizeof(struct record));
	if (migrator->records == NULL) {
		snprintf(migrator->why, STORE_WHY_SIZE, "out of memory");
		return ERR_MEMORY;
	}
	while (migrator->record_count < count && (cells = mysql_fetch_row(result)) != NULL)
		read_record(cells, &migrator->records[migrator->record_count++]);
	return ERR_OK;
}

/* Before the first run there is no table: nothing is recorded then. */
static enum err read_records(struct migrator *migrator)
{
	MYSQL_RES *result;
	bool lost;
	enum err err;

	if (connection_command(migrator->mysql, READ_RECORDS, &lost) != ERR_OK) {
		if (mysql_errno(migrator->mysql) == ERROR_NO_SUCH_TABLE)
			return ERR_OK;
		return refused(migrator, "schema_migration", 0);
	}
	result = mysql_store_result(migrator->mysql);
	if (result == NULL)
		return refused(migrator, "schema_migration", 0);
	err = take_records(migrator, result);
	mysql_free_result(result);
	return err;
}

static const struct record *find_record(const struct migrator *migrator, int version)
{
	for (size_t i = 0; i < migrator->record_count; i++)
		if (migrator->records[i].row.version == version)
			return &migrator->records[i];
	return NULL;
}

static struct migrate_row judge(const struct migrator *migrator, const struct migration *file)
{
	const struct record *record = find_record(migrator, file->version);
	struct migrate_row row = { .version = file->version,
				   .state = MIGRATE_PENDING,
				   .statement_count = file->script.count };

	memcpy(row.name, file->name, sizeof row.name);
	if (record == NULL)
		return row;
	row.statements_done = record->row.statements_done;
	if (strcmp(record->checksum, file->script.checksum) != 0)
		row.state = MIGRATE_CHANGED;
	else
		row.state = record->finished ? MIGRATE_DONE : MIGRATE_PARTLY;
	return row;
}

static void tell(const struct migrator *migrator, const struct migrate_row *row, const char *text)
{
	if (migrator->report != NULL)
		migrator->report(migrator->context, row, text);
}

/* Files are numbered without a gap, so that what has no file comes behind them, or before the first. */
static bool is_unknown(const struct migrator *migrator, const struct record *record)
{
	return record->row.version < 1 || (size_t)record->row.version > migrator->files.count;
}

typedef enum err migrate_step(struct migrator *migrator, struct migrate_row *row,
			      const struct migration *file);

/* Walk all migrations in order; `file` is NULL for one that is recorded but has no file. Stops at the first failure. */
static enum err walk(struct migrator *migrator, migrate_step *step)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < migrator->files.count && err == ERR_OK; i++) {
		struct migrate_row row = judge(migrator, &migrator->files.list[i]);

		err = step(migrator, &row, &migrator->files.list[i]);
	}
	for (size_t i = 0; i < migrator->record_count && err == ERR_OK; i++) {
		struct migrate_row row = migrator->records[i].row;

		row.state = MIGRATE_UNKNOWN;
		if (is_unknown(migrator, &migrator->records[i]))
			err = step(migrator, &row, NULL);
	}
	return err;
}

static enum err step_status(struct migrator *migrator, struct migrate_row *row,
			    const struct migration *file)
{
	(void)file;
	tell(migrator, row, NULL);
	return ERR_OK;
}

static enum err step_plan(struct migrator *migrator, struct migrate_row *row,
			  const struct migration *file)
{
	if (file == NULL || row->state == MIGRATE_DONE || row->state == MIGRATE_CHANGED) {
		tell(migrator, row, NULL);
		return ERR_OK;
	}
	for (; row->statements_done < row->statement_count; row->statements_done++)
		tell(migrator, row, file->script.statements[row->statements_done]);
	return ERR_OK;
}

/* For verify: all are told, the first that is not done is named. */
static enum err step_verify(struct migrator *migrator, struct migrate_row *row,
			    const struct migration *file)
{
	(void)file;
	tell(migrator, row, NULL);
	if (row->state != MIGRATE_DONE && migrator->why[0] == '\0')
		snprintf(migrator->why, STORE_WHY_SIZE, "migration %s is %s", row->name,
			 migrate_state_word(row->state));
	return ERR_OK;
}

/* For up, before anything is done: history must be as the files say. */
static enum err step_refuse(struct migrator *migrator, struct migrate_row *row,
			    const struct migration *file)
{
	const char *reason = NULL;

	(void)file;
	if (row->state == MIGRATE_CHANGED)
		reason = "its file was changed after it was applied: restore it, write a new one";
	else if (row->state == MIGRATE_UNKNOWN)
		reason = "it was applied and has no file: the files are older than the schema";
	else if (row->state == MIGRATE_PENDING && find_record(migrator, row->version + 1) != NULL)
		reason = "it was not applied, but the next one was";
	if (reason == NULL)
		return ERR_OK;
	snprintf(migrator->why, STORE_WHY_SIZE, "migration %s: %s", row->name, reason);
	return ERR_SCHEMA;
}

/* clang-format off */
/* What a statement answers that was done already. */
static const struct {
	const char *verb;
	unsigned code;
} done_already[] = {
	{ "CREATE", 1050 }, /* table exists */
	{ "CREATE", 1061 }, /* index exists */
	{ "CREATE", 1304 }, /* routine exists */
	{ "CREATE", 1359 }, /* trigger exists */
	{ "DROP", 1051 },   /* no such table */
	{ "DROP", 1091 },   /* no such index */
	{ "DROP", 1305 },   /* no such routine */
	{ "DROP", 1360 },   /* no such trigger */
	{ "ALTER", 1050 },  /* table exists: RENAME */
	{ "ALTER", 1054 },  /* no such column: CHANGE, RENAME COLUMN */
	{ "ALTER", 1060 },  /* column exists */
	{ "ALTER", 1061 },  /* index exists */
	{ "ALTER", 1091 },  /* no such column, index or constraint */
	{ "ALTER", 1146 },  /* no such table: RENAME */
	{ "ALTER", 1826 },  /* constraint exists */
	{ "ALTER", 3822 },  /* CHECK exists (MySQL) */
	{ "RENAME", 1050 },
	{ "RENAME", 1146 },
};
/* clang-format on */

static bool was_done_already(const char *text, unsigned code)
{
	for (size_t i = 0; i < sizeof done_already / sizeof done_already[0]; i++)
		if (done_already[i].code == code &&
		    strncasecmp(text, done_already[i].verb, strlen(done_already[i].verb)) == 0)
			return true;
	return false;
}

static enum err record_start(struct migrator *migrator, const struct migrate_row *row,
			     const char *checksum)
{
	char text[TEXT_SIZE];

	snprintf(text, sizeof text,
		 "INSERT INTO schema_migration (version, name, checksum, statement_count, "
		 "statements_done, started_at_us) VALUES (%d, '%s', '%s', %d, 0, " NOW_US ")",
		 row->version, row->name, checksum, row->statement_count);
	return command(migrator, text);
}

static enum err record_progress(struct migrator *migrator, const struct migrate_row *row)
{
	char text[TEXT_SIZE];

	snprintf(text, sizeof text,
		 "UPDATE schema_migration SET statements_done = %d, finished_at_us = %s "
		 "WHERE version = %d",
		 row->statements_done,
		 row->statements_done == row->statement_count ? NOW_US : "NULL", row->version);
	return command(migrator, text);
}

/*
 * The server's own "no" is kept: the next run must not take the same "no" for "it was done already". Where it
 * cannot be kept, the server is away, and the statement is in doubt.
 */
static enum err record_refusal(struct migrator *migrator, const struct migrate_row *row)
{
	const enum err err = refused(migrator, row->name, row->statements_done + 1);
	char text[TEXT_SIZE];
	bool lost;

	snprintf(text, sizeof text,
		 "UPDATE schema_migration SET statement_refused = %d WHERE version = %d",
		 row->statements_done + 1, row->version);
	if (err != ERR_UNAVAILABLE &&
	    connection_command(migrator->mysql, "ROLLBACK", &lost) == ERR_OK)
		(void)!connection_command(migrator->mysql, text, &lost);
	return err;
}

/*
 * One statement and its record. What changes rows commits together with the record; a definition commits by itself,
 * so that one that was done and not recorded is possible: `in_doubt`.
 */
static enum err apply_statement(struct migrator *migrator, struct migrate_row *row,
				const char *text, bool in_doubt)
{
	bool lost;
	enum err err = command(migrator, "START TRANSACTION");

	if (err != ERR_OK)
		return err;
	if (connection_command(migrator->mysql, text, &lost) != ERR_OK &&
	    !(in_doubt && was_done_already(text, mysql_errno(migrator->mysql))))
		return record_refusal(migrator, row);
	fault_point("migrate_statement_done");
	row->statements_done++;
	err = record_progress(migrator, row);
	return err == ERR_OK ? command(migrator, "COMMIT") : err;
}

static enum err step_apply(struct migrator *migrator, struct migrate_row *row,
			   const struct migration *file)
{
	const struct record *record = find_record(migrator, row->version);
	bool in_doubt = row->state == MIGRATE_PARTLY &&
			record->statement_refused != row->statements_done + 1;
	enum err err = ERR_OK;

	tell(migrator, row, NULL);
	if (row->state == MIGRATE_DONE)
		return ERR_OK;
	if (row->state == MIGRATE_PENDING)
		err = record_start(migrator, row, file->script.checksum);
	while (err == ERR_OK && row->statements_done < row->statement_count) {
		err = apply_statement(migrator, row, file->script.statements[row->statements_done],
				      in_doubt);
		in_doubt = false;
	}
	/* All was done, but not called finished. */
	if (err == ERR_OK && row->state == MIGRATE_PARTLY)
		err = record_progress(migrator, row);
	if (err != ERR_OK)
		return err;
	row->state = MIGRATE_DONE;
	tell(migrator, row, NULL);
	return ERR_OK;
}

static enum err take_lock(struct migrator *migrator)
{
	MYSQL_RES *result;
	MYSQL_ROW cells;
	bool taken;
	enum err err = command(migrator, TAKE_LOCK);

	if (err != ERR_OK)
		return err;
	result = mysql_store_result(migrator->mysql);
	if (result == NULL)
		return refused(migrator, "schema_migration", 0);
	cells = mysql_fetch_row(result);
	taken = cells != NULL && cells[0] != NULL && strcmp(cells[0], "1") == 0;
	mysql_free_result(result);
	if (taken)
		return ERR_OK;
	snprintf(migrator->why, STORE_WHY_SIZE, "another migrator is at work on this database");
	return ERR_BUSY;
}

/* Closing the connection gives the lock back. */
static enum err up(struct migrator *migrator)
{
	enum err err = take_lock(migrator);

	if (err == ERR_OK)
		err = command(migrator, CREATE_TABLE);
	if (err == ERR_OK)
		err = read_records(migrator);
	if (err == ERR_OK)
		err = walk(migrator, step_refuse);
	return err == ERR_OK ? walk(migrator, step_apply) : err;
}

static enum err status(struct migrator *migrator)
{
	enum err err = read_records(migrator);

	return err == ERR_OK ? walk(migrator, step_status) : err;
}

static enum err plan(struct migrator *migrator)
{
	enum err err = read_records(migrator);

	return err == ERR_OK ? walk(migrator, step_plan) : err;
}

static enum err verify(struct migrator *migrator)
{
	enum err err = read_records(migrator);

	if (err == ERR_OK)
		err = walk(migrator, step_verify);
	if (err == ERR_OK && migrator->why[0] != '\0')
		return ERR_SCHEMA;
	return err;
}

typedef enum err migrate_work(struct migrator *migrator);

/* A definition on a large table takes as long as it takes: the client must not give up waiting. */
static enum err with_migrator(struct migrator *migrator, const struct store_settings *settings,
			      const char *directory, migrate_work *work)
{
	struct store_settings patient = *settings;
	enum err err;

	patient.statement_timeout_ms = 0;
	migrator->why[0] = '\0';
	err = migrations_read(directory, &migrator->files, migrator->why);
	if (err != ERR_OK)
		return err;
	err = connection_open(&patient, &migrator->mysql, migrator->why);
	if (err == ERR_OK) {
		err = work(migrator);
		mysql_close(migrator->mysql);
	}
	free(migrator->records);
	migrations_done(&migrator->files);
	return err;
}

enum err migrate_status(const struct store_settings *settings, const char *directory,
			migrate_report *report, void *context, char why[STORE_WHY_SIZE])
{
	struct migrator migrator = { .report = report, .context = context, .why = why };

	return with_migrator(&migrator, settings, directory, status);
}

enum err migrate_plan(const struct store_settings *settings, const char *directory,
		      migrate_report *report, void *context, char why[STORE_WHY_SIZE])
{
	struct migrator migrator = { .report = report, .context = context, .why = why };

	return with_migrator(&migrator, settings, directory, plan);
}

enum err migrate_up(const struct store_settings *settings, const char *directory,
		    migrate_report *report, void *context, char why[STORE_WHY_SIZE])
{
	struct migrator migrator = { .report = report, .context = context, .why = why };

	return with_migrator(&migrator, settings, directory, up);
}

enum err migrate_verify(const struct store_settings *settings, const char *directory,
			migrate_report *report, void *context, char why[STORE_WHY_SIZE])
{
	struct migrator migrator = { .report = report, .context = context, .why = why };

	return with_migrator(&migrator, settings, directory, verify);
}
