/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Migration files: found, read, checked and cut into statements. Private to lib/store.
 *
 * Invariant  migrations are numbered 1, 2, … without a gap; a statement ends with a semicolon at the end of its line;
 *            lines that begin with "--" are comments and part of no statement
 * Ownership  scripts and migrations own their texts: script_done(), migrations_done()
 * Threads    safe
 */
#ifndef STORE_MIGRATE_FILE_H
#define STORE_MIGRATE_FILE_H

#include <stddef.h>

#include "core/err.h"
#include "store/migrate.h"

#define SCRIPT_SIZE_MAX (1024 * 1024)
#define SCRIPT_STATEMENTS_MAX 256
#define SCRIPT_CHECKSUM_SIZE 65 /* SHA-256 in hex, of the file as it is */

struct script {
	char *text; /* the statements, each terminated */
	const char *statements[SCRIPT_STATEMENTS_MAX];
	int count;
	char checksum[SCRIPT_CHECKSUM_SIZE];
};

struct migration {
	int version;
	char name[MIGRATE_NAME_SIZE]; /* "0001_create_payments" */
	struct script script;
};

struct migrations {
	struct migration *list; /* version 1 first */
	size_t count;
};

/*
 * Read one file of statements.
 * Returns  ERR_OK; ERR_IO; ERR_CONFIG where it does not end in a semicolon, is empty or too long; ERR_MEMORY; with one
 *          line in `why`
 */
CHECKED enum err script_read(const char *path, struct script *script, char why[STORE_WHY_SIZE]);
void script_done(struct script *script);

/*
 * Cut `text` (terminated) into statements, in place: comments and closing semicolons are taken out.
 * Returns  how many; -1 where the last one has no semicolon or there are more than SCRIPT_STATEMENTS_MAX
 */
int script_split(char *text, const char *statements[SCRIPT_STATEMENTS_MAX]);

/*
 * Read every NNNN_verb_noun.sql of a directory. grants_*.sql and what does not end in .sql is passed over; any other
 * .sql file, a number that is there twice, and a gap are ERR_CONFIG.
 */
CHECKED enum err migrations_read(const char *directory, struct migrations *migrations,
				 char why[STORE_WHY_SIZE]);
void migrations_done(struct migrations *migrations);

#endif
