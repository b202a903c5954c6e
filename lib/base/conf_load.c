/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/conf_private.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <libconfig.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/near.h"

#define CONF_SUFFIX ".conf"
#define CONF_DIRECTORY "conf.d"

static const struct conf_place no_place;

/*
 * Fill in what no file gave; report what one had to give where `whole`: all that could give it was
 * read.
 */
static void load_defaults(struct conf_load *load, struct conf_rows rows, const char *list,
			  struct conf_place place, bool whole)
{
	for (size_t i = 0; i < rows.count; i++) {
		if (rows.values[i].given)
			continue;
		if (rows.settings[i].default_text != NULL)
			conf_value_default(load, &rows.settings[i], &rows.values[i]);
		else if (whole)
			conf_problem(load->problems, load->path, place, "%s%s%s is required", list,
				     list[0] == '\0' ? "" : ": ", rows.settings[i].name);
	}
}

static bool starts_with_group(const char *name, const char *group)
{
	size_t size = strlen(group);

	return strncmp(name, group, size) == 0 && name[size] == '.';
}

static bool is_group_name(struct conf_rows rows, const char *name)
{
	for (size_t i = 0; i < rows.count; i++)
		if (starts_with_group(rows.settings[i].name, name))
			return true;
	return false;
}

/* Offer a setting's name and those of the groups it is in. */
static void offer_names(struct near *near, const char *name)
{
	char group[CONF_NAME_SIZE];

	near_offer(near, name);
	for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
		snprintf(group, sizeof group, "%.*s", (int)(dot - name), name);
		near_offer(near, group);
	}
}

static void report_unknown(struct conf_load *load, struct conf_rows rows,
			   const config_setting_t *member, const char *name)
{
	const struct conf_table *table = load->conf->table;
	struct near near;
	const char *best;

	near_start(&near, name);
	for (size_t i = 0; i < rows.count; i++)
		offer_names(&near, rows.settings[i].name);
	for (size_t i = 0; rows.settings == table->settings && i < table->list_count; i++)
		near_offer(&near, table->lists[i].name);
	best = near_best(&near);
	conf_problem(load->problems, load->path, conf_place_of(member), "unknown setting %s%s%s%s",
		     name, best == NULL ? "" : "; did you mean ", best == NULL ? "" : best,
		     best == NULL ? "" : "?");
}

static void load_group(struct conf_load *load, struct conf_rows rows, const config_setting_t *group,
		       const char *prefix);

static void load_item(struct conf_load *load, size_t list, const config_setting_t *group)
{
	const struct conf_list *row = &load->conf->table->lists[list];
	struct conf_items *items = &load->conf->lists[list];
	struct conf_rows rows = { row->settings, row->count, NULL };

	rows.values = calloc(row->count + 1, sizeof *rows.values);
	if (rows.values == NULL) {
		conf_problems_raise(load->problems, ERR_MEMORY);
		return;
	}
	items->places[items->count] = conf_place_of(group);
	items->files[items->count] = load->file;
	items->values[items->count++] = rows.values;
	load_group(load, rows, group, "");
	load_defaults(load, rows, row->name, conf_place_of(group), !load->file_broken);
}

static void load_list(struct conf_load *load, size_t list, const config_setting_t *member)
{
	const char *name = load->conf->table->lists[list].name;
	int length = config_setting_is_list(member) ? config_setting_length(member) : 0;

	if (!config_setting_is_list(member))
		conf_problem(load->problems, load->path, conf_place_of(member),
			     "%s must be a list of groups, %s = ( { ... }, { ... } ), not %s", name,
			     name, conf_kind(member));
	for (int i = 0; i < length; i++) {
		const config_setting_t *group = config_setting_get_elem(member, (unsigned int)i);

		if (load->conf->lists[list].count == CONF_LIST_MAX) {
			conf_problem(load->problems, load->path, conf_place_of(group),
				     "%s has more than %d groups", name, CONF_LIST_MAX);
			return;
		}
		if (config_setting_is_group(group))
			load_item(load, list, group);
		else if (!conf_is_refused(group))
			conf_problem(load->problems, load->path, conf_place_of(group),
				     "%s holds groups, { ... }, not %s", name, conf_kind(group));
	}
}

static void load_member(struct conf_load *load, struct conf_rows rows,
			const config_setting_t *member, const char *name)
{
	const struct conf_table *table = load->conf->table;
	size_t setting = conf_setting_find(rows.settings, rows.count, name);
	size_t list =
		rows.settings == table->settings ? conf_list_find(table, name) : table->list_count;

	if (setting < rows.count)
		conf_value_load(load, &rows.settings[setting], member, &rows.values[setting], name);
	else if (list < table->list_count)
		load_list(load, list, member);
	else if (!is_group_name(rows, name))
		report_unknown(load, rows, member, name);
	else if (config_setting_is_group(member))
		load_group(load, rows, member, name);
	else
		conf_problem(load->problems, load->path, conf_place_of(member),
			     "%s is a group of settings, %s: { ... }, not %s", name, name,
			     conf_kind(member));
}

/* Recursion ends: only groups that the table names are entered. */
static void load_group(struct conf_load *load, struct conf_rows rows, const config_setting_t *group,
		       const char *prefix)
{
	int length = config_setting_length(group);
	char name[CONF_NAME_SIZE];

	for (int i = 0; i < length; i++) {
		const config_setting_t *member = config_setting_get_elem(group, (unsigned int)i);

		/* The setting in which a syntax error lies. */
		if (config_setting_type(member) == CONFIG_TYPE_NONE)
			continue;
		snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".",
			 config_setting_name(member));
		load_member(load, rows, member, name);
	}
}

static void report_syntax(struct conf_load *load, const config_t *parsed,
			  const struct conf_source *source)
{
	const char *text = config_error_text(parsed);
	struct conf_place place =
		conf_source_place(source, (unsigned int)config_error_line(parsed));

	if (text != NULL && strstr(text, "duplicate") != NULL)
		conf_problem(load->problems, load->path, place,
			     "this setting stands in its group already; give it once in a file");
	else
		conf_problem(load->problems, load->path, place,
			     "syntax error; settings are name = 1; or name = \"text\"; groups "
			     "name: { ... }; lists name = ( { ... } );");
}

/* From here on messages name `path`, and relative paths start at its directory. */
static void load_enter(struct conf_load *load, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t size = slash == NULL ? 0 : (size_t)(slash - path);
	size_t used = 0;

	load->path = path;
	load->directory[0] = '\0';
	/* Absolute, so that what conf_print() writes means the same from everywhere. */
	if (path[0] != '/' && getcwd(load->directory, sizeof load->directory) != NULL)
		used = strlen(load->directory);
	snprintf(load->directory + used, sizeof load->directory - used, "%s%.*s",
		 size > 0 && path[0] != '/' ? "/" : "", (int)size, path);
}

/* NULL after a problem. */
static const char *file_keep(struct conf_load *load, const char *path)
{
	char *copy = strdup(path);

	if (copy == NULL)
		conf_problems_raise(load->problems, ERR_MEMORY);
	else
		load->conf->files[load->conf->file_count++] = copy;
	return copy;
}

static void load_file(struct conf_load *load, const char *path)
{
	struct conf_rows rows = { load->conf->table->settings, load->conf->table->count,
				  load->conf->values };
	struct conf_source source;
	config_t parsed;

	load_enter(load, path);
	load->file = file_keep(load, path);
	load->file_broken = true;
	if (conf_source_read(load->problems, path, &source)) {
		config_init(&parsed);
		load->file_broken = config_read_string(&parsed, source.text) != CONFIG_TRUE;
		if (load->file_broken && !source.broken)
			report_syntax(load, &parsed, &source);
		load->file_broken = load->file_broken || source.broken;
		conf_source_tie(&source, config_root_setting(&parsed));
		/* What was read before an error is checked all the same. */
		load_group(load, rows, config_root_setting(&parsed), "");
		config_destroy(&parsed);
		conf_source_done(&source);
	}
	load->any_broken = load->any_broken || load->file_broken;
}

static int is_conf_file(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name), suffix = sizeof CONF_SUFFIX - 1;

	return entry->d_name[0] != '.' && size > suffix &&
	       strcmp(entry->d_name + size - suffix, CONF_SUFFIX) == 0;
}

/* alphasort() would follow the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_directory(struct conf_load *load, const char *directory)
{
	char path[CONF_PATH_SIZE + NAME_MAX + 2];
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, is_conf_file, by_bytes);

	if (count < 0 && errno != ENOENT) {
		conf_problem(load->problems, directory, no_place, "cannot be read: %s",
			     strerror(errno));
		conf_problems_raise(load->problems, ERR_IO);
	}
	if (count > CONF_FILES_MAX)
		conf_problem(load->problems, directory, no_place, "has more than %d files",
			     CONF_FILES_MAX);
	for (int i = 0; i < count; i++) {
		if (i < CONF_FILES_MAX) {
			snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
			load_file(load, path);
		}
		free(entries[i]);
	}
	free(entries);
}

static void load_all(struct conf_load *load, const char *path)
{
	struct conf_rows rows = { load->conf->table->settings, load->conf->table->count,
				  load->conf->values };
	const char *slash = strrchr(path, '/');
	char directory[CONF_PATH_SIZE];

	if (strlen(path) + sizeof "/" CONF_DIRECTORY > sizeof directory) {
		conf_problem(load->problems, "configuration", no_place,
			     "the file's name is too long");
		conf_problems_raise(load->problems, ERR_IO);
		return;
	}
	snprintf(directory, sizeof directory, "%.*s%s", slash == NULL ? 0 : (int)(slash - path) + 1,
		 path, CONF_DIRECTORY);
	load_file(load, path);
	if (!load->conf->table->alone)
		load_directory(load, directory);
	load_enter(load, path);
	load_defaults(load, rows, "", no_place, !load->any_broken);
}

static struct conf *conf_new(const struct conf_table *table)
{
	struct conf *conf = calloc(1, sizeof *conf);

	if (conf == NULL)
		return NULL;
	conf->table = table;
	conf->values = calloc(table->count + 1, sizeof *conf->values);
	conf->lists = calloc(table->list_count + 1, sizeof *conf->lists);
	if (conf->values == NULL || conf->lists == NULL) {
		conf_free(conf);
		return NULL;
	}
	return conf;
}

enum err conf_load(const struct conf_table *table, const char *path, struct conf **conf, char *why,
		   size_t why_size)
{
	struct conf_problems problems = { .text = why, .size = why_size };
	struct conf_load load = { .conf = conf_new(table), .problems = &problems };

	assert(why != NULL && why_size > 0);
	why[0] = '\0';
	if (load.conf == NULL)
		return ERR_MEMORY;
	load_all(&load, path);
	conf_problems_end(&problems);
	if (problems.err != ERR_OK) {
		conf_free(load.conf);
		return problems.err;
	}
	*conf = load.conf;
	return ERR_OK;
}
