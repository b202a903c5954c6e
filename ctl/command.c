/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/near.h"

#define MESSAGE_SIZE 3072
#define FAMILY_SIZE 32

/* How many arguments after argv[0] spell `words`; 0 where they do not. */
static int count_words(const char *words, int argc, char *const *argv)
{
	int count = 0;

	while (*words != '\0') {
		size_t size = strcspn(words, " ");

		count++;
		if (count >= argc || strlen(argv[count]) != size ||
		    memcmp(argv[count], words, size) != 0)
			return 0;
		words += size + (words[size] == ' ' ? 1 : 0);
	}
	return count;
}

const struct command *command_find(const struct command_table *table, int argc, char *const *argv,
				   int *word_count)
{
	for (size_t i = 0; i < table->count; i++) {
		int count = count_words(table->rows[i].words, argc, argv);

		if (count == 0)
			continue;
		*word_count = count;
		return &table->rows[i];
	}
	return NULL;
}

static bool is_of_family(const struct command *row, const char *family)
{
	size_t size = strlen(family);

	return strncmp(row->words, family, size) == 0 && row->words[size] == ' ';
}

bool command_is_family(const struct command_table *table, const char *family)
{
	for (size_t i = 0; i < table->count; i++)
		if (is_of_family(&table->rows[i], family))
			return true;
	return false;
}

/* "merchant add NAME" */
static int format_row(const struct command *row, char out[COMMAND_NAME_SIZE])
{
	return snprintf(out, COMMAND_NAME_SIZE, "%s%s%s", row->words,
			row->argument == NULL ? "" : " ",
			row->argument == NULL ? "" : row->argument);
}

void command_list(const struct command_table *table, const char *family)
{
	char text[COMMAND_NAME_SIZE];
	int width = 0;

	for (size_t i = 0; i < table->count; i++) {
		int size = format_row(&table->rows[i], text);

		width = size > width ? size : width;
	}
	for (size_t i = 0; i < table->count; i++) {
		if (family != NULL && !is_of_family(&table->rows[i], family))
			continue;
		format_row(&table->rows[i], text);
		printf("  %-*s    %s\n", width, text, table->rows[i].summary);
	}
}

/* "status, plan, up": what can be done in a family. */
static void format_family(const struct command_table *table, const char *family, char *out,
			  size_t out_size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < table->count && used < out_size; i++) {
		if (!is_of_family(&table->rows[i], family))
			continue;
		used += (size_t)snprintf(out + used, out_size - used, "%s%s", used > 0 ? ", " : "",
					 table->rows[i].words + strlen(family) + 1);
	}
}

static void turn(char *text, char from, char to)
{
	for (; *text != '\0'; text++)
		if (*text == from)
			*text = to;
}

/* near.h knows groups by their dot, so "status" alone finds "migrate.status". */
static void offer(struct near *near, const struct command *row)
{
	char dotted[COMMAND_NAME_SIZE], family[FAMILY_SIZE];

	snprintf(family, sizeof family, "%.*s", (int)strcspn(row->words, " "), row->words);
	near_offer(near, family);
	snprintf(dotted, sizeof dotted, "%s", row->words);
	turn(dotted, ' ', '.');
	near_offer(near, dotted);
}

/* What was probably meant by `typed`, or NULL. Lives as long as `near`. */
static const char *nearest(const struct command_table *table, const char *typed, struct near *near)
{
	char dotted[COMMAND_NAME_SIZE];

	snprintf(dotted, sizeof dotted, "%s", typed);
	turn(dotted, ' ', '.');
	near_start(near, dotted);
	for (size_t i = 0; i < table->count; i++)
		offer(near, &table->rows[i]);
	if (near_best(near) == NULL)
		return NULL;
	turn(near->best, '.', ' ');
	return near->best;
}

int command_unknown(const struct command_table *table, int argc, char *const *argv)
{
	bool has_second = argc > 2 && argv[2][0] != '-';
	char typed[COMMAND_NAME_SIZE], family[256] = "";
	bool is_family = command_is_family(table, argv[1]);
	const char *best;
	struct near near;

	if (is_family)
		format_family(table, argv[1], family, sizeof family);
	if (is_family && !has_second)
		return command_fail(ERR_USAGE, "%s needs one of %s; see '%s --help'", argv[1],
				    family, COMMAND_PROGRAM);
	snprintf(typed, sizeof typed, "%s%s%s", argv[1], has_second ? " " : "",
		 has_second ? argv[2] : "");
	best = nearest(table, typed, &near);
	if (best == NULL && has_second && !is_family)
		best = nearest(table, argv[1], &near);
	if (best != NULL)
		return command_fail(ERR_USAGE,
				    "unknown command '%s', did you mean '%s'? See '%s --help'",
				    typed, best, COMMAND_PROGRAM);
	if (is_family)
		return command_fail(ERR_USAGE, "unknown command '%s': %s has %s; see '%s --help'",
				    typed, argv[1], family, COMMAND_PROGRAM);
	return command_fail(ERR_USAGE, "unknown command '%s'; see '%s --help'", typed,
			    COMMAND_PROGRAM);
}

int command_fail(enum err err, const char *format, ...)
{
	char text[MESSAGE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	cli_fail(COMMAND_PROGRAM, "%s", text);
	return err_row(err)->exit_status;
}
