/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands of payopsctl: the shape of a row in main.c's table, and how a row is found, listed and failed.
 *
 * Invariant  a command is its words ("token issue"): a family and what is done in it
 * Ownership  rows are constants; a call borrows argv
 * Threads    main thread only
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cli.h"
#include "core/err.h"

#define COMMAND_PROGRAM "payopsctl"
#define COMMAND_NAME_SIZE 64 /* "payopsctl token issue" */

struct command_options {
	const struct cli_option *rows;
	size_t count;
};

/* What was typed behind a command's words. */
struct command_call {
	const struct cli_values *values;
	const char *argument; /* the first one; NULL where the row takes none */
	const char *second;   /* NULL where the row has no second one, or it was left out */
};

/* Returns the exit status, after one line on stderr where it is not 0. */
typedef int command_run(const struct command_call *call);

struct command {
	const char *words;
	const char *summary;
	/* Arguments it must have, and one that may follow: "FILE", "GATEWAY KEY", "NAME [KIND]"; NULL: none. */
	const char *argument;
	const struct command_options *options;
	command_run *run;
};

struct command_table {
	const struct command *rows;
	size_t count;
};

/* The row whose words argv[1] and following are, with how many they are in *word_count; NULL where none is. */
const struct command *command_find(const struct command_table *table, int argc, char *const *argv,
				   int *word_count);

/* True where `family` is the first word of a row. */
bool command_is_family(const struct command_table *table, const char *family);

/* One line for each row ("  migrate up    summary"); of one family only where `family` is not NULL. */
void command_list(const struct command_table *table, const char *family);

/*
 * Say on stderr that argv[1] and following are no command, and which one may have been meant.
 * Returns  the exit status
 */
int command_unknown(const struct command_table *table, int argc, char *const *argv);

/* "payopsctl: message" on stderr; returns the exit status of `err`. */
int command_fail(enum err err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
