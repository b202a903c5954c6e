/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Migrations: sql/NNNN_verb_noun.sql, applied in order, each statement recorded as it is done.
 *
 * Invariant  append-only and checksummed (SHA-256 of the file); a migrator killed anywhere can run
 *            again: the statement in doubt (done but not recorded) is recognised by "already
 *            exists" / "does not exist" errors; two migrators at once exclude each other by GET_LOCK
 * Table      schema_migration (version, name, checksum, statement_count, statements_done,
 *            started_at_us, finished_at_us), made by the first run
 * Threads    one thread
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

/* The schema this build needs; a test holds it equal to the highest file in sql/. */
#define MIGRATE_VERSION 22
#define MIGRATE_NAME_SIZE 128

enum migrate_state {
	MIGRATE_PENDING,
	MIGRATE_PARTLY,
	MIGRATE_DONE,
	MIGRATE_CHANGED, /* its file no longer has the recorded checksum */
	MIGRATE_UNKNOWN, /* recorded, but no file */
};

struct migrate_row {
	int version;
	char name[MIGRATE_NAME_SIZE];
	enum migrate_state state;
	int statements_done;
	int statement_count;
};

/*
 * Called once per migration in order (up: before and after each that it applies), `text` is NULL; for
 * plan once per statement that up would run, which is `text`, with row->statements_done before it.
 */
typedef void migrate_report(void *context, const struct migrate_row *row, const char *text);

/*
 * All work on `directory` and a connection opened without the statement registry (the schema may not exist yet): the
 * settings' user needs DDL rights. Progress is reported per migration (up: before and after each).
 * Returns  ERR_OK; ERR_IO (directory), ERR_CONFIG (names, gaps, file not ending in a semicolon),
 *          ERR_SCHEMA (verify: something CHANGED, UNKNOWN, PARTLY or PENDING; up: CHANGED or
 *          UNKNOWN refuses to go on), ERR_UNAVAILABLE, ERR_STORE with the server's words, ERR_BUSY
 *          (another migrator holds the lock); one line in `why`
 */
CHECKED enum err migrate_status(const struct store_settings *settings, const char *directory,
				migrate_report *report, void *context, char why[STORE_WHY_SIZE]);
CHECKED enum err migrate_plan(const struct store_settings *settings, const char *directory,
			      migrate_report *report, void *context, char why[STORE_WHY_SIZE]);
CHECKED enum err migrate_up(const struct store_settings *settings, const char *directory,
			    migrate_report *report, void *context, char why[STORE_WHY_SIZE]);
CHECKED enum err migrate_verify(const struct store_settings *settings, const char *directory,
				migrate_report *report, void *context, char why[STORE_WHY_SIZE]);

/*
 * Create the database user where it is missing (with `password`, NULL: none) and give it exactly the rights of
 * directory/grants_<role>.sql; only where it has others is it without any for a moment. Names must be
 * [A-Za-z0-9_.%-]{1,60} (ERR_CONFIG otherwise).
 */
/* lint: parameters: who gets which rights where, all of them words of one command line */
CHECKED enum err migrate_grant(const struct store_settings *settings, const char *directory,
			       const char *role, const char *user, const char *host,
			       const struct secret *password, char why[STORE_WHY_SIZE]);

/* The word of a state: "pending", "partly", "done", "changed", "unknown". */
const char *migrate_state_word(enum migrate_state state);

#endif
