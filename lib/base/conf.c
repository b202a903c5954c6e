/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/conf_private.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INDENT 8

size_t conf_setting_find(const struct conf_setting *settings, size_t count, const char *name)
{
	size_t i = 0;

	while (i < count && strcmp(settings[i].name, name) != 0)
		i++;
	return i;
}

size_t conf_list_find(const struct conf_table *table, const char *name)
{
	size_t i = 0;

	while (i < table->list_count && strcmp(table->lists[i].name, name) != 0)
		i++;
	return i;
}

static void values_free(struct conf_value *values, size_t count)
{
	for (size_t i = 0; values != NULL && i < count; i++)
		free(values[i].text);
	free(values);
}

void conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	values_free(conf->values, conf->table->count);
	for (size_t i = 0; conf->lists != NULL && i < conf->table->list_count; i++)
		for (size_t j = 0; j < conf->lists[i].count; j++)
			values_free(conf->lists[i].values[j], conf->table->lists[i].count);
	for (size_t i = 0; i < conf->file_count; i++)
		free(conf->files[i]);
	free(conf->lists);
	free(conf);
}

static bool is_text(enum conf_type type)
{
	return type == CONF_TEXT || type == CONF_PATH || type == CONF_WORD;
}

static struct conf_rows item_rows(const struct conf *conf, size_t list, size_t index)
{
	const struct conf_list *row = &conf->table->lists[list];

	return (struct conf_rows){ row->settings, row->count, conf->lists[list].values[index] };
}

static struct conf_rows top_rows(const struct conf *conf)
{
	return (struct conf_rows){ conf->table->settings, conf->table->count, conf->values };
}

static size_t list_index(const struct conf *conf, const char *list)
{
	size_t index = conf_list_find(conf->table, list);

	assert(index < conf->table->list_count);
	return index;
}

static struct conf_rows list_rows(const struct conf *conf, const char *list, size_t index)
{
	size_t row = list_index(conf, list);

	assert(index < conf->lists[row].count);
	return item_rows(conf, row, index);
}

static const char *text_in(struct conf_rows rows, const char *name)
{
	size_t i = conf_setting_find(rows.settings, rows.count, name);

	assert(i < rows.count && is_text(rows.settings[i].type));
	return rows.values[i].text;
}

static int64_t integer_in(struct conf_rows rows, const char *name, enum conf_type type)
{
	size_t i = conf_setting_find(rows.settings, rows.count, name);

	assert(i < rows.count && rows.settings[i].type == type);
	(void)type;
	return rows.values[i].integer;
}

const char *conf_text(const struct conf *conf, const char *name)
{
	return text_in(top_rows(conf), name);
}

int64_t conf_int(const struct conf *conf, const char *name)
{
	return integer_in(top_rows(conf), name, CONF_INT);
}

bool conf_bool(const struct conf *conf, const char *name)
{
	return integer_in(top_rows(conf), name, CONF_BOOL) != 0;
}

size_t conf_list_count(const struct conf *conf, const char *list)
{
	return conf->lists[list_index(conf, list)].count;
}

const char *conf_list_text(const struct conf *conf, const char *list, size_t index,
			   const char *name)
{
	return text_in(list_rows(conf, list, index), name);
}

int64_t conf_list_int(const struct conf *conf, const char *list, size_t index, const char *name)
{
	return integer_in(list_rows(conf, list, index), name, CONF_INT);
}

bool conf_list_bool(const struct conf *conf, const char *list, size_t index, const char *name)
{
	return integer_in(list_rows(conf, list, index), name, CONF_BOOL) != 0;
}

struct conf_place conf_list_place(const struct conf *conf, const char *list, size_t index,
				  const char *name)
{
	struct conf_rows rows = list_rows(conf, list, index);
	size_t i = name == NULL ? rows.count : conf_setting_find(rows.settings, rows.count, name);

	assert(name == NULL || i < rows.count);
	return i < rows.count && rows.values[i].given
		       ? rows.values[i].place
		       : conf->lists[list_index(conf, list)].places[index];
}

static void where_write(const char *file, struct conf_place place, char text[CONF_WHERE_SIZE])
{
	if (file == NULL)
		text[0] = '\0';
	else
		snprintf(text, CONF_WHERE_SIZE, "%s:%u:%u: ", file, place.line, place.column);
}

void conf_where(const struct conf *conf, const char *name, char text[CONF_WHERE_SIZE])
{
	size_t i = conf_setting_find(conf->table->settings, conf->table->count, name);

	assert(i < conf->table->count);
	where_write(conf->values[i].file, conf->values[i].place, text);
}

void conf_list_where(const struct conf *conf, const char *list, size_t index, const char *name,
		     char text[CONF_WHERE_SIZE])
{
	struct conf_rows rows = list_rows(conf, list, index);
	size_t i = name == NULL ? rows.count : conf_setting_find(rows.settings, rows.count, name);
	const struct conf_items *items = &conf->lists[list_index(conf, list)];

	assert(name == NULL || i < rows.count);
	if (i < rows.count && rows.values[i].given)
		where_write(rows.values[i].file, rows.values[i].place, text);
	else
		where_write(items->files[index], items->places[index], text);
}

static bool is_same(struct conf_rows one, struct conf_rows other, size_t i)
{
	return is_text(one.settings[i].type) ? strcmp(one.values[i].text, other.values[i].text) == 0
					     : one.values[i].integer == other.values[i].integer;
}

static bool are_same_items(const struct conf *one, const struct conf *other, size_t list)
{
	if (one->lists[list].count != other->lists[list].count)
		return false;
	for (size_t i = 0; i < one->lists[list].count; i++)
		for (size_t k = 0; k < one->table->lists[list].count; k++)
			if (!is_same(item_rows(one, list, i), item_rows(other, list, i), k))
				return false;
	return true;
}

void conf_compare(const struct conf *one, const struct conf *other, conf_difference *tell,
		  void *context)
{
	const struct conf_table *table = one->table;

	assert(table == other->table);
	for (size_t i = 0; i < table->count; i++)
		if (!is_same(top_rows(one), top_rows(other), i))
			tell(context, table->settings[i].name, table->settings[i].change);
	for (size_t i = 0; i < table->list_count; i++)
		if (!are_same_items(one, other, i))
			tell(context, table->lists[i].name, table->lists[i].settings[0].change);
}

/* What stands behind a setting's help. */
static const char *const change_texts[] = {
	[CONF_UNSAID] = "",
	[CONF_RESTART] = " (restart)",
	[CONF_LIVE] = " (live)",
};

/* Where a configuration is printed to, and how deep in its groups. */
struct printer {
	FILE *out;
	int depth;
	bool help;
};

static void print_indent(const struct printer *printer)
{
	fprintf(printer->out, "%*s", printer->depth * INDENT, "");
}

static void print_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_setting(const struct printer *printer, const struct conf_setting *setting,
			  const struct conf_value *value, const char *name)
{
	if (printer->help) {
		print_indent(printer);
		fprintf(printer->out, "# %s%s\n", setting->help, change_texts[setting->change]);
	}
	print_indent(printer);
	fprintf(printer->out, "%s = ", name);
	switch (setting->type) {
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_WORD:
		print_quoted(printer->out, value->text);
		break;
	case CONF_INT:
		fprintf(printer->out, "%" PRId64, value->integer);
		break;
	case CONF_BOOL:
		fputs(value->integer != 0 ? "true" : "false", printer->out);
		break;
	}
	fputs(";\n", printer->out);
}

/*
 * True where an earlier row is in the group that the first `size` bytes of row `index`'s name say.
 */
static bool group_is_printed(struct conf_rows rows, size_t index, size_t size)
{
	for (size_t i = 0; i < index; i++)
		if (strncmp(rows.settings[i].name, rows.settings[index].name, size) == 0)
			return true;
	return false;
}

/*
 * All rows whose names begin with the `size` bytes of `prefix`; a group is printed once, at its
 * first row.
 */
static void print_group(struct printer *printer, struct conf_rows rows, const char *prefix,
			size_t size)
{
	for (size_t i = 0; i < rows.count; i++) {
		const char *name = rows.settings[i].name;
		const char *dot;
		size_t group;

		if (strncmp(name, prefix, size) != 0)
			continue;
		dot = strchr(name + size, '.');
		if (dot == NULL) {
			print_setting(printer, &rows.settings[i], &rows.values[i], name + size);
			continue;
		}
		group = (size_t)(dot - name) + 1;
		if (group_is_printed(rows, i, group))
			continue;
		print_indent(printer);
		fprintf(printer->out, "%.*s:\n", (int)(group - 1 - size), name + size);
		print_indent(printer);
		fputs("{\n", printer->out);
		printer->depth++;
		print_group(printer, rows, name, group);
		printer->depth--;
		print_indent(printer);
		fputs("};\n", printer->out);
	}
}

static void print_list(struct printer *printer, const struct conf *conf, size_t list)
{
	const struct conf_list *row = &conf->table->lists[list];
	size_t count = conf->lists[list].count;

	fprintf(printer->out, "\n# %s\n", row->help);
	for (size_t i = 0; i < row->count; i++)
		fprintf(printer->out, "#   %s: %s%s\n", row->settings[i].name,
			row->settings[i].help, change_texts[row->settings[i].change]);
	fprintf(printer->out, "%s = (\n", row->name);
	printer->help = false;
	printer->depth++;
	for (size_t i = 0; i < count; i++) {
		fputs("{\n", printer->out);
		print_group(printer, item_rows(conf, list, i), "", 0);
		fputs(i + 1 < count ? "},\n" : "}\n", printer->out);
	}
	printer->depth--;
	fputs(");\n", printer->out);
}

static void write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, text, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		text += written;
		size -= (size_t)written;
	}
}

void conf_print(const struct conf *conf, int fd)
{
	char *text = NULL;
	size_t size = 0;
	struct printer printer = { .out = open_memstream(&text, &size), .help = true };

	if (printer.out == NULL)
		return;
	print_group(&printer, top_rows(conf), "", 0);
	for (size_t i = 0; i < conf->table->list_count; i++)
		print_list(&printer, conf, i);
	if (fclose(printer.out) == 0)
		write_all(fd, text, size);
	free(text);
}
