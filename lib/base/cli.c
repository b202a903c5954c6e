/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "base/cli.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/near.h"

#define PAGE_WIDTH 79
#define HELP_COLUMN_MAX 30
#define OPTION_SIZE 128
#define HELP_SIZE 1024
#define FAIL_SIZE 4096
#define QUOTED_SIZE 64

/* getopt's values for options without a letter start above all letters: LONG_FIRST + index. */
#define LONG_FIRST 256
#define LETTERS_SIZE (2 * CLI_OPTIONS_MAX + 2)

static const struct cli_option common[] = {
	{ .name = "help", .kind = CLI_FLAG, .help = "show this help and exit" },
	{ .name = "version", .kind = CLI_FLAG, .help = "show the version and exit" },
};
#define COMMON_COUNT (sizeof common / sizeof common[0])

static size_t option_count(const struct cli_program *program)
{
	return program->count + COMMON_COUNT;
}

/* The program's rows, then the common ones. */
static const struct cli_option *option_at(const struct cli_program *program, size_t index)
{
	return index < program->count ? &program->options[index] : &common[index - program->count];
}

/* "  -c, --config=FILE" */
static int option_format(const struct cli_option *option, char *out, size_t out_size)
{
	char letter[] = "    ";

	if (option->letter != 0)
		memcpy(letter, (char[]){ '-', option->letter, ',' }, 3);
	return snprintf(out, out_size, "  %s--%s%s%s", letter, option->name,
			option->kind == CLI_FLAG ? "" : "=",
			option->kind == CLI_FLAG ? "" : option->argument);
}

/* The help text with what bounds and default add to it. */
static void help_format(const struct cli_option *option, char out[HELP_SIZE])
{
	bool has_default = option->kind != CLI_FLAG && option->default_text != NULL &&
			   option->default_text[0] != '\0';
	char bounds[64] = "";

	if (option->kind == CLI_INT && (option->min > INT64_MIN || option->max < INT64_MAX))
		snprintf(bounds, sizeof bounds, "%" PRId64 " to %" PRId64, option->min,
			 option->max);
	if (bounds[0] == '\0' && !has_default)
		snprintf(out, HELP_SIZE, "%s", option->help);
	else
		snprintf(out, HELP_SIZE, "%s (%s%s%s%s)", option->help, bounds,
			 bounds[0] != '\0' && has_default ? "; " : "",
			 has_default ? "default: " : "", has_default ? option->default_text : "");
}

/* How many bytes of `text` a line of `width` columns takes: whole words, at least one. */
static size_t line_size(const char *text, size_t width)
{
	size_t size = strcspn(text, " ");

	while (text[size] == ' ') {
		size_t next = size + 1 + strcspn(text + size + 1, " ");

		if (next > width)
			break;
		size = next;
	}
	return size;
}

/* Print `text` word by word, each line after the first indented to `column`. */
static void print_wrapped(const char *text, int column)
{
	size_t width = (size_t)(PAGE_WIDTH - column);

	for (;;) {
		size_t size = line_size(text, width);

		printf("%.*s\n", (int)size, text);
		text += size;
		text += strspn(text, " ");
		if (*text == '\0')
			return;
		printf("%*s", column, "");
	}
}

static int help_column(const struct cli_program *program)
{
	char text[OPTION_SIZE];
	int column = 0;

	for (size_t i = 0; i < option_count(program); i++) {
		int width = option_format(option_at(program, i), text, sizeof text) + 2;

		if (width > column && width <= HELP_COLUMN_MAX)
			column = width;
	}
	return column;
}

static void print_help(const struct cli_program *program)
{
	int column = help_column(program);
	char text[OPTION_SIZE], help[HELP_SIZE];

	printf("Usage: %s [OPTION]...%s%s\n", program->name, program->arguments == NULL ? "" : " ",
	       program->arguments == NULL ? "" : program->arguments);
	print_wrapped(program->summary, 0);
	printf("\nOptions:\n");
	for (size_t i = 0; i < option_count(program); i++) {
		int width = option_format(option_at(program, i), text, sizeof text);

		if (width + 2 > column)
			printf("%s\n%*s", text, column, "");
		else
			printf("%-*s", column, text);
		help_format(option_at(program, i), help);
		print_wrapped(help, column);
	}
	if (program->manual != NULL)
		printf("\nThe manual page is %s.\n", program->manual);
	fflush(stdout);
}

static void print_version(const struct cli_program *program)
{
	printf("%s (payops) %s\n", program->name, PACKAGE_VERSION);
	fflush(stdout);
}

/* An argument as it may stand in a message: short, visible ASCII. */
static const char *quoted(const char *argument, char out[QUOTED_SIZE])
{
	size_t size = strnlen(argument, QUOTED_SIZE);
	bool cut = size == QUOTED_SIZE;
	size_t shown = cut ? QUOTED_SIZE - 4 : size;

	for (size_t i = 0; i < shown; i++)
		out[i] = argument[i] < ' ' || argument[i] > '~' ? '?' : argument[i];
	memcpy(out + shown, cut ? "..." : "", cut ? 4 : 1);
	return out;
}

/* One way for all: what is wrong, then where to look. */
__attribute__((format(printf, 2, 3))) static enum cli_outcome
wrong(const struct cli_program *program, const char *format, ...)
{
	char text[HELP_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	cli_fail(program->name, "%s; see '%s --help'", text, program->name);
	return CLI_WRONG;
}

static bool integer_parse(const char *text, int64_t *integer)
{
	size_t sign = text[0] == '-' ? 1 : 0;
	size_t digits = strspn(text + sign, "0123456789");
	long long value;

	if (digits == 0 || text[sign + digits] != '\0')
		return false;
	errno = 0;
	value = strtoll(text, NULL, 10);
	if (errno == ERANGE)
		return false;
	*integer = value;
	return true;
}

static bool integer_fits(const struct cli_option *option, const char *text, int64_t *integer)
{
	int64_t value;

	if (!integer_parse(text, &value) || value < option->min || value > option->max)
		return false;
	*integer = value;
	return true;
}

static void take_defaults(const struct cli_program *program, struct cli_values *values)
{
	*values = (struct cli_values){ 0 };
	for (size_t i = 0; i < program->count; i++) {
		const struct cli_option *option = &program->options[i];
		bool fits = true;

		values->text[i] = option->default_text == NULL ? "" : option->default_text;
		if (option->kind == CLI_INT && option->default_text != NULL)
			fits = integer_fits(option, option->default_text, &values->integer[i]);
		assert(fits && (option->kind == CLI_FLAG || option->argument != NULL));
		(void)fits;
	}
}

/* A row of the program's own table; `argument` is NULL for flags. */
static enum cli_outcome take_option(const struct cli_program *program, size_t index,
				    const char *argument, struct cli_values *values)
{
	const struct cli_option *option = &program->options[index];
	char shown[QUOTED_SIZE];

	switch (option->kind) {
	case CLI_FLAG:
		values->integer[index] = 1;
		break;
	case CLI_TEXT:
		values->text[index] = argument;
		break;
	case CLI_INT:
		if (!integer_fits(option, argument, &values->integer[index]))
			return wrong(program,
				     "--%s must be a whole number from %" PRId64 " to %" PRId64
				     ", not '%s'",
				     option->name, option->min, option->max,
				     quoted(argument, shown));
		values->text[index] = argument;
		break;
	}
	values->given[index] = true;
	return CLI_RUN;
}

/* The option getopt means by `value`; option_count() where it means none. */
static size_t option_by_value(const struct cli_program *program, int value)
{
	if (value >= LONG_FIRST)
		return (size_t)(value - LONG_FIRST);
	for (size_t i = 0; i < program->count; i++)
		if (value != 0 && program->options[i].letter == value)
			return i;
	return option_count(program);
}

static size_t count_beginning_with(const struct cli_program *program, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < option_count(program); i++)
		if (strncmp(option_at(program, i)->name, name, strlen(name)) == 0)
			count++;
	return count;
}

static enum cli_outcome wrong_long(const struct cli_program *program, const char *argument)
{
	char name[QUOTED_SIZE];
	struct near near;
	const char *best;

	quoted(argument + strspn(argument, "-"), name);
	name[strcspn(name, "=")] = '\0';
	if (count_beginning_with(program, name) > 1)
		return wrong(program, "--%s is the beginning of several options", name);
	near_start(&near, name);
	for (size_t i = 0; i < option_count(program); i++)
		near_offer(&near, option_at(program, i)->name);
	best = near_best(&near);
	return wrong(program, "unknown option --%s%s%s%s", name,
		     best == NULL ? "" : ", did you mean --", best == NULL ? "" : best,
		     best == NULL ? "" : "?");
}

/* getopt returned '?' or ':'. */
static enum cli_outcome wrong_option(const struct cli_program *program, int result, char **argv)
{
	size_t index = option_by_value(program, optopt);
	char letter[2] = { (char)optopt, '\0' }, shown[QUOTED_SIZE];

	if (index < option_count(program))
		return wrong(program, "--%s %s", option_at(program, index)->name,
			     result == ':' ? "needs an argument" : "takes no argument");
	if (optopt != 0)
		return wrong(program, "unknown option -%s", quoted(letter, shown));
	return wrong_long(program, argv[optind - 1]);
}

/*
 * The table in getopt's two forms. The leading ':' tells a missing argument from an unknown option.
 */
static void getopt_tables(const struct cli_program *program, struct option *longs, char *letters)
{
	*letters++ = ':';
	for (size_t i = 0; i < option_count(program); i++) {
		const struct cli_option *option = option_at(program, i);
		int has_argument = option->kind == CLI_FLAG ? no_argument : required_argument;

		longs[i] = (struct option){ option->name, has_argument, NULL, LONG_FIRST + (int)i };
		if (option->letter == 0)
			continue;
		*letters++ = option->letter;
		if (has_argument == required_argument)
			*letters++ = ':';
	}
	*letters = '\0';
	longs[option_count(program)] = (struct option){ NULL, 0, NULL, 0 };
}

static enum cli_outcome take(const struct cli_program *program, int result, char **argv,
			     struct cli_values *values)
{
	size_t index = option_by_value(program, result);

	if (result == '?' || result == ':')
		return wrong_option(program, result, argv);
	assert(index < option_count(program));
	if (index < program->count)
		return take_option(program, index, optarg, values);
	if (index == program->count)
		print_help(program);
	else
		print_version(program);
	return CLI_HELP_SHOWN;
}

enum cli_outcome cli_parse(const struct cli_program *program, int argc, char **argv,
			   struct cli_values *values)
{
	struct option longs[CLI_OPTIONS_MAX + COMMON_COUNT + 1];
	char letters[LETTERS_SIZE], shown[QUOTED_SIZE];
	enum cli_outcome outcome = CLI_RUN;
	int result;

	assert(program->count <= CLI_OPTIONS_MAX);
	take_defaults(program, values);
	getopt_tables(program, longs, letters);
	opterr = 0;
	optind = 0; /* glibc: begin anew, a program may parse for its command after itself */
	while (outcome == CLI_RUN && (result = getopt_long(argc, argv, letters, longs, NULL)) != -1)
		outcome = take(program, result, argv, values);
	if (outcome != CLI_RUN)
		return outcome;
	values->rest = optind;
	if (program->arguments == NULL && optind < argc)
		return wrong(program, "unexpected argument '%s'", quoted(argv[optind], shown));
	return CLI_RUN;
}

/* Line breaks stay: a configuration's problems are several lines. */
static void hide_controls(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' ? *text != '\n' && *text != '\t' : *text == 0x7f)
			*text = '?';
}

void cli_fail(const char *program, const char *format, ...)
{
	char text[FAIL_SIZE];
	int saved_errno = errno;
	va_list arguments;
	ssize_t written;
	size_t size;
	int before = snprintf(text, sizeof text - 1, "%s: ", program);

	if (before < 0 || (size_t)before >= sizeof text - 1)
		before = 0;
	va_start(arguments, format);
	vsnprintf(text + before, sizeof text - 1 - (size_t)before, format, arguments);
	va_end(arguments);
	hide_controls(text);
	size = strlen(text);
	if (size > 0 && text[size - 1] != '\n')
		text[size++] = '\n';
	do {
		written = write(STDERR_FILENO, text, size);
	} while (written < 0 && errno == EINTR);
	errno = saved_errno;
}
