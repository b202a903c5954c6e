/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configuration, inside: what loading (conf_load.c, conf_value.c), reading files (conf_source.c),
 * reporting (conf_problem.c) and asking (conf.c) share.
 *
 * Ownership  struct conf owns its values, their texts and its files' names, and borrows the program's tables, which
 *            outlive it
 * Threads    one thread loads; a loaded struct conf is never changed
 */
#ifndef BASE_CONF_PRIVATE_H
#define BASE_CONF_PRIVATE_H

#include "base/conf.h"

#define CONF_FILE_MAX (256 * 1024) /* bytes of one file */
#define CONF_FILES_MAX 128         /* files in conf.d */
#define CONF_NAME_SIZE 128         /* a dotted name */
#define CONF_PATH_SIZE 4096

struct conf_value {
	int64_t integer;         /* CONF_INT, CONF_BOOL */
	char *text;              /* the others */
	bool given;              /* some file has it, if only with a wrong value */
	struct conf_place place; /* where, if it is given */
	const char *file;        /* and in which file */
};

/* The rows of one group and, beside them by index, their values. */
struct conf_rows {
	const struct conf_setting *settings;
	size_t count;
	struct conf_value *values;
};

struct conf_items {
	size_t count;
	struct conf_place places[CONF_LIST_MAX];
	const char *files[CONF_LIST_MAX];
	struct conf_value *values[CONF_LIST_MAX];
};

struct conf {
	const struct conf_table *table;
	struct conf_value *values;
	struct conf_items *lists;
	char *files[CONF_FILES_MAX + 1]; /* names of those that were read */
	size_t file_count;
};

/* Row index of a name; `count` where there is none. */
size_t conf_setting_find(const struct conf_setting *settings, size_t count, const char *name);
size_t conf_list_find(const struct conf_table *table, const char *name);

/* Make the result at least as grave as `err`. */
void conf_problems_raise(struct conf_problems *problems, enum err err);

/* Loading: the file being read, and where its settings go. */
struct conf_load {
	struct conf *conf;
	struct conf_problems *problems;
	const char *path;
	const char *file; /* the same, as long as the configuration is there */
	char directory
		[CONF_PATH_SIZE]; /* of the file, absolute: relative paths in it start there */
	bool file_broken; /* a syntax error: settings that seem absent may stand behind it */
	bool any_broken;  /* so it is in one of the files read so far */
};

struct config_setting_t; /* libconfig's */

/* Where a named setting, or a group of a list, stands: what conf_source_tie() tied to it. */
struct conf_place conf_place_of(const struct config_setting_t *member);

/* libconfig's type as people call it: "a group". */
const char *conf_kind(const struct config_setting_t *member);

/* True for a number that conf_source_read() refused and reported. */
bool conf_is_refused(const struct config_setting_t *member);

/* Check one setting of a file and take its value in; `name` is what problems call it. */
void conf_value_load(struct conf_load *load, const struct conf_setting *setting,
		     const struct config_setting_t *member, struct conf_value *value,
		     const char *name);

/* Take the default of a setting that has one. A wrong default is a bug in the program's table. */
void conf_value_default(struct conf_load *load, const struct conf_setting *setting,
			struct conf_value *value);

/* One file as libconfig gets to see it. */
struct conf_source {
	char *text;  /* heap, NUL-terminated */
	bool broken; /* it ends before the file does: a text or comment in it was never closed */
	/* Of each setting's name, and of each group without one, in order: libconfig has no columns. */
	struct conf_place *places;
	size_t place_count;
};

/*
 * Read a file and make it safe for libconfig: comments are taken out, decimal integers get the
 * suffix that makes every libconfig read 64 bits, refused numbers become hexadecimal (which nothing
 * else in the result is), @include is taken out. Line numbers stay.
 * Returns  false where the file could not be read at all (the problem is added), with *source
 *          untouched
 */
bool conf_source_read(struct conf_problems *problems, const char *path, struct conf_source *source);
void conf_source_done(struct conf_source *source);

/* Tie the places to the settings under `root`; they must outlive it. */
void conf_source_tie(const struct conf_source *source, struct config_setting_t *root);

/* The first thing that has a place in this line, else the line's begin. */
struct conf_place conf_source_place(const struct conf_source *source, unsigned int line);

#endif
