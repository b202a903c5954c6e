/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Command lines: one option table per program or command feeds getopt_long, --help and the
 * manual-page test.
 *
 * Threads    main thread only
 */
#ifndef BASE_CLI_H
#define BASE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum cli_kind { CLI_FLAG, CLI_TEXT, CLI_INT };

struct cli_option {
	const char *name; /* long name without dashes: "check-config" */
	char letter;      /* short option or 0 */
	enum cli_kind kind;
	const char *argument;     /* name of the argument in --help: "FILE"; NULL for flags */
	const char *default_text; /* NULL: none ("" / 0 / false) */
	int64_t min, max;         /* CLI_INT */
	const char *help;
};

struct cli_program {
	const char *name;                 /* "payopsctl token issue" */
	const char *summary;              /* one line */
	const char *arguments;            /* "[GATEWAY ...]" or NULL when none are taken */
	const struct cli_option *options; /* --help and --version are added to every table */
	size_t count;
	const char *manual; /* "payopsctl(8)" */
};

#define CLI_OPTIONS_MAX 32

struct cli_values {
	const char *text
		[CLI_OPTIONS_MAX]; /* by index of the option table; borrowed from argv or the default */
	int64_t integer[CLI_OPTIONS_MAX];
	bool given[CLI_OPTIONS_MAX];
	int rest; /* index in argv of the first argument that is not an option */
};

enum cli_outcome { CLI_RUN, CLI_HELP_SHOWN, CLI_WRONG };

/*
 * Read argv. CLI_HELP_SHOWN: --help or --version was printed on stdout (exit 0). CLI_WRONG: one
 * line on stderr that says what is wrong and names --help (exit 64).
 */
enum cli_outcome cli_parse(const struct cli_program *program, int argc, char **argv,
			   struct cli_values *values);

/*
 * "name: message" on stderr in one write; for failures before a log is open, and in command-line
 * tools.
 */
void cli_fail(const char *program, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
