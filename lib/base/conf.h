/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configuration: libconfig files checked against a table of settings.
 *
 * Invariant  every setting is a row with type, default, bounds and a documented sentence; unknown
 *            keys, wrong types and values out of bounds are refused with file:line:column; after
 *            loading it is frozen
 * Files      <file>, then <directory of file>/conf.d/ *.conf in byte order of their names; a later
 *            file's scalar wins, lists of groups (gateways, keys) are appended
 * Ownership  struct conf owns its texts
 * Threads    safe once loaded
 *
 * A program passes its own tables, so that the file format is one mechanism and the settings are
 * data.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define CONF_WHY_SIZE 512
#define CONF_TEXT_SIZE 512
#define CONF_LIST_MAX 256 /* groups in one list */

enum conf_type {
	CONF_TEXT,
	CONF_PATH, /* relative paths are taken from the directory of the file that names them */
	CONF_INT,
	CONF_BOOL,
	CONF_WORD, /* one of `words` */
};

/* Whether a running program takes over a changed value. */
enum conf_change {
	CONF_UNSAID,  /* no program keeps the file in mind */
	CONF_RESTART, /* only one that is started again */
	CONF_LIVE,    /* when it is told to read its files again */
};

struct conf_setting {
	const char *name; /* dotted: "database.pool_size"; in a list: the member's name, "name" */
	enum conf_type type;
	const char *
		default_text; /* as it would stand in the file (ints: "16", bools: "true"); NULL: required */
	int64_t min, max;         /* CONF_INT; lengths for CONF_TEXT and CONF_PATH (0,0: 0..511) */
	const char *const *words; /* CONF_WORD: NULL-terminated */
	const char *help;         /* one sentence, for the manual page and --print-config */
	enum conf_change change;
};

/* A list of groups, each with its own settings: "gateways", "token_keys". */
struct conf_list {
	const char *name;
	const struct conf_setting *settings;
	size_t count;
	const char *help;
};

struct conf_table {
	const struct conf_setting *settings;
	size_t count;
	const struct conf_list *lists;
	size_t list_count;
	bool alone; /* a file by itself: no conf.d is read */
};

struct conf;

/* Where something stands in a file, both from 1; 0: not known. Columns count bytes. */
struct conf_place {
	unsigned int line;
	unsigned int column;
};

/* Everything that is wrong, line by line, in the caller's `text`, which starts as "". */
struct conf_problems {
	char *text;
	size_t size;
	size_t used;
	size_t left_out;
	enum err err; /* ERR_OK until there is one: MEMORY before IO before CONFIG */
};

/* Add "file:line:column: message", without what is not known of the place. */
void conf_problem(struct conf_problems *problems, const char *file, struct conf_place place,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Say how many problems did not fit. */
void conf_problems_end(struct conf_problems *problems);

/*
 * Read and check `path` and its conf.d.
 * Returns  ERR_OK with *conf, which borrows `table`; ERR_CONFIG or ERR_IO with every problem, one
 *          per line as "file:line:column: message" ("file: message" where it has no line), in `why`
 *          (as many as fit, then how many did not); ERR_MEMORY
 */
CHECKED enum err conf_load(const struct conf_table *table, const char *path, struct conf **conf,
			   char *why, size_t why_size);
void conf_free(struct conf *conf);

/*
 * Values by name; asking for a name that is not in the table, or as another type, is a bug
 * (assert).
 */
const char *conf_text(const struct conf *conf, const char *name);
int64_t conf_int(const struct conf *conf, const char *name);
bool conf_bool(const struct conf *conf, const char *name);

size_t conf_list_count(const struct conf *conf, const char *list);
const char *conf_list_text(const struct conf *conf, const char *list, size_t index,
			   const char *name);
int64_t conf_list_int(const struct conf *conf, const char *list, size_t index, const char *name);
bool conf_list_bool(const struct conf *conf, const char *list, size_t index, const char *name);

/* Where a group of a list stands in its file, or (`name` not NULL) that setting of it, if it does. */
struct conf_place conf_list_place(const struct conf *conf, const char *list, size_t index,
				  const char *name);

/*
 * The same two as a message begins with it: "file:line:column: ", or "" where no file gives it.
 */
#define CONF_WHERE_SIZE 4160
void conf_where(const struct conf *conf, const char *name, char text[CONF_WHERE_SIZE]);
void conf_list_where(const struct conf *conf, const char *list, size_t index, const char *name,
		     char text[CONF_WHERE_SIZE]);

/*
 * Tell the settings of which two configurations of one table hold different values, in the table's
 * order; a list by its own name, with the change of its first member.
 */
typedef void conf_difference(void *context, const char *name, enum conf_change change);
void conf_compare(const struct conf *one, const struct conf *other, conf_difference *tell,
		  void *context);

/*
 * Print all settings with their values in force, as a file that could be read back, each with its
 * help and what it takes to change it as comment.
 */
void conf_print(const struct conf *conf, int fd);

#endif
