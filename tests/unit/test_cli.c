/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define ARGUMENTS_MAX 8

enum { CONFIG, CHECK, PORT, CHECKSUM, SEED };

/* clang-format off */
static const struct cli_option options[] = {
	{ "config", 'c', CLI_TEXT, "FILE", "/etc/payops/apid.conf", 0, 0,
	  "read the configuration from FILE; the files in conf.d beside it are read after it in "
	  "the order of their names" },
	{ "check-config", 0, CLI_FLAG, NULL, NULL, 0, 0, "check the configuration and exit" },
	{ "port", 'p', CLI_INT, "PORT", "8080", 1, 65535, "listen on PORT" },
	{ "checksum-of-a-very-long-name", 0, CLI_TEXT, "TEXT", NULL, 0, 0, "compare with TEXT" },
	{ "seed", 's', CLI_INT, "N", NULL, INT64_MIN, INT64_MAX, "begin at N" },
};
/* clang-format on */
static const struct cli_program program = { "apid", "Take payments over HTTP.", NULL, options,
					    COUNT(options), "apid(8)" };
static const struct cli_program with_arguments = { "payopsctl gateway check", "Check gateways.",
						   "[GATEWAY ...]", options, COUNT(options), NULL };

/* What a run of cli_parse() left. */
struct run {
	char *argv[ARGUMENTS_MAX + 1];
	enum cli_outcome outcome;
	struct cli_values values;
	char out[4096], err[4096];
};

static int redirect(int fd, const char *path)
{
	int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600);

	ck_assert_int_ge(file, 0);
	ck_assert_int_ge(dup2(file, fd), 0);
	ck_assert_int_eq(unlink(path), 0);
	return file;
}

static void text_of(int file, char *text, size_t size)
{
	ssize_t got = pread(file, text, size - 1, 0);

	ck_assert_int_ge(got, 0);
	text[got] = '\0';
	close(file);
}

/* Each test is a process of its own, so its stdout and stderr may go to files. */
static void capture(int files[2])
{
	char directory[] = "/tmp/payops-test-cli-XXXXXX", path[64];

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/out", directory);
	files[0] = redirect(STDOUT_FILENO, path);
	files[1] = redirect(STDERR_FILENO, path);
	ck_assert_int_eq(rmdir(directory), 0);
}

static void run(struct run *run, const struct cli_program *of, const char *const *arguments)
{
	int files[2], argc = 1;

	*run = (struct run){ .argv = { (char *)"program" } };
	for (; argc <= ARGUMENTS_MAX && arguments[argc - 1] != NULL; argc++)
		run->argv[argc] = (char *)arguments[argc - 1];
	capture(files);
	run->outcome = cli_parse(of, argc, run->argv, &run->values);
	text_of(files[0], run->out, sizeof run->out);
	text_of(files[1], run->err, sizeof run->err);
}

static const char *const nothing[] = { NULL };

START_TEST(cli_parse_fills_in_defaults)
{
	struct run r;

	run(&r, &program, nothing);

	ck_assert_int_eq(r.outcome, CLI_RUN);
	ck_assert_str_eq(r.values.text[CONFIG], "/etc/payops/apid.conf");
	ck_assert_str_eq(r.values.text[CHECKSUM], "");
	ck_assert_int_eq(r.values.integer[PORT], 8080);
	ck_assert_int_eq(r.values.integer[SEED], 0);
	for (size_t i = 0; i < COUNT(options); i++)
		ck_assert(!r.values.given[i]);
	ck_assert_int_eq(r.values.rest, 1);
	ck_assert_str_eq(r.out, "");
	ck_assert_str_eq(r.err, "");
}
END_TEST

/* Ways to write the same three options. */
static const char *const spellings[][ARGUMENTS_MAX] = {
	{ "--config=f", "--check-config", "--port=1", NULL },
	{ "--config", "f", "--check-config", "--port", "1", NULL },
	{ "-c", "f", "-p", "1", "--check-config", NULL },
	{ "-cf", "-p1", "--check-config", NULL },
	{ "--conf=f", "--check-", "--po", "1", NULL },
	{ "-c", "x", "-p", "2", "-cf", "-p1", "--check-config", NULL }, /* the last one wins */
};

START_TEST(cli_parse_reads_every_spelling)
{
	struct run r;

	run(&r, &program, spellings[_i]);

	ck_assert_str_eq(r.err, "");
	ck_assert_int_eq(r.outcome, CLI_RUN);
	ck_assert_str_eq(r.values.text[CONFIG], "f");
	ck_assert_int_eq(r.values.integer[PORT], 1);
	ck_assert_int_eq(r.values.integer[CHECK], 1);
	ck_assert(r.values.given[CONFIG] && r.values.given[CHECK] && r.values.given[PORT]);
	ck_assert(!r.values.given[CHECKSUM] && !r.values.given[SEED]);
}
END_TEST

static const struct {
	const char *const arguments[ARGUMENTS_MAX];
	const char *err;
} wrongs[] = {
	{ { "--chekc-config" }, "unknown option --chekc-config, did you mean --check-config?" },
	{ { "--frobnicate=5" }, "unknown option --frobnicate" },
	{ { "--hlep" }, "unknown option --hlep, did you mean --help?" },
	{ { "--chec" }, "--chec is the beginning of several options" },
	{ { "-x" }, "unknown option -x" },
	{ { "-\xff" }, "unknown option -?" },
	{ { "-p1x", "-c" }, "--port must be a whole number from 1 to 65535, not '1x'" },
	{ { "--port" }, "--port needs an argument" },
	{ { "-c" }, "--config needs an argument" },
	{ { "--check-config=1" }, "--check-config takes no argument" },
	{ { "--help=1" }, "--help takes no argument" },
	{ { "--port=" }, "--port must be a whole number from 1 to 65535, not ''" },
	{ { "--port=0" }, "--port must be a whole number from 1 to 65535, not '0'" },
	{ { "--port=65536" }, "--port must be a whole number from 1 to 65535, not '65536'" },
	{ { "--port=+1" }, "--port must be a whole number from 1 to 65535, not '+1'" },
	{ { "--port= 1" }, "--port must be a whole number from 1 to 65535, not ' 1'" },
	{ { "--port=0x1" }, "--port must be a whole number from 1 to 65535, not '0x1'" },
	{ { "--port=1.0" }, "--port must be a whole number from 1 to 65535, not '1.0'" },
	{ { "--port=99999999999999999999" },
	  "--port must be a whole number from 1 to 65535, not '99999999999999999999'" },
	{ { "stray" }, "unexpected argument 'stray'" },
	{ { "--", "--port" }, "unexpected argument '--port'" },
	{ { "a\nb\x1b[1m\xc3\xa9" }, "unexpected argument 'a?b?[1m?" "?'" },
	{ { "0123456789012345678901234567890123456789012345678901234567890123456789" },
	  "unexpected argument '012345678901234567890123456789012345678901234567890123456789...'" },
};

START_TEST(cli_parse_says_in_one_line_what_is_wrong)
{
	char expected[512];
	struct run r;

	run(&r, &program, wrongs[_i].arguments);

	snprintf(expected, sizeof expected, "apid: %s; see 'apid --help'\n", wrongs[_i].err);
	ck_assert_str_eq(r.err, expected);
	ck_assert_str_eq(r.out, "");
	ck_assert_int_eq(r.outcome, CLI_WRONG);
}
END_TEST

START_TEST(cli_parse_reads_integers_of_64_bits)
{
	static const char *const least[] = { "--seed=-9223372036854775808", NULL };
	static const char *const most[] = { "-s", "9223372036854775807", NULL };
	struct run r;

	run(&r, &program, least);
	ck_assert(r.values.integer[SEED] == INT64_MIN);
	run(&r, &program, most);
	ck_assert(r.values.integer[SEED] == INT64_MAX);
	ck_assert_str_eq(r.values.text[SEED], "9223372036854775807");
}
END_TEST

START_TEST(cli_parse_finds_the_arguments_after_and_between_options)
{
	static const char *const arguments[] = { "alpha", "-p", "5", "beta", "--", "-c", NULL };
	struct run r;

	run(&r, &with_arguments, arguments);

	ck_assert_int_eq(r.outcome, CLI_RUN);
	ck_assert_int_eq(r.values.integer[PORT], 5);
	ck_assert(!r.values.given[CONFIG]);
	ck_assert_str_eq(r.argv[r.values.rest], "alpha");
	ck_assert_str_eq(r.argv[r.values.rest + 1], "beta");
	ck_assert_str_eq(r.argv[r.values.rest + 2], "-c");
	ck_assert_ptr_null(r.argv[r.values.rest + 3]);
}
END_TEST

START_TEST(cli_parse_may_run_again_for_a_command)
{
	static const char *const first[] = { "-p", "5", "alpha", NULL };
	static const char *const second[] = { "-p", "6", NULL };
	struct run r;

	run(&r, &with_arguments, first);
	run(&r, &program, second);

	ck_assert_int_eq(r.outcome, CLI_RUN);
	ck_assert_int_eq(r.values.integer[PORT], 6);
	ck_assert_int_eq(r.values.rest, 3);
}
END_TEST

START_TEST(cli_help_is_aligned_within_80_columns)
{
	static const char *const arguments[] = { "--help", "--bogus", NULL };
	struct run r;

	run(&r, &program, arguments);

	ck_assert_int_eq(r.outcome, CLI_HELP_SHOWN);
	ck_assert_str_eq(r.err, "");
	ck_assert_str_eq(
		r.out,
		"Usage: apid [OPTION]...\n"
		"Take payments over HTTP.\n"
		"\n"
		"Options:\n"
		"  -c, --config=FILE   read the configuration from FILE; the files in conf.d\n"
		"                      beside it are read after it in the order of their names\n"
		"                      (default: /etc/payops/apid.conf)\n"
		"      --check-config  check the configuration and exit\n"
		"  -p, --port=PORT     listen on PORT (1 to 65535; default: 8080)\n"
		"      --checksum-of-a-very-long-name=TEXT\n"
		"                      compare with TEXT\n"
		"  -s, --seed=N        begin at N\n"
		"      --help          show this help and exit\n"
		"      --version       show the version and exit\n"
		"\n"
		"The manual page is apid(8).\n");
}
END_TEST

START_TEST(cli_help_names_the_arguments)
{
	static const char *const arguments[] = { "--help", NULL };
	struct run r;

	run(&r, &with_arguments, arguments);

	ck_assert_ptr_null(strstr(r.out, "manual page"));
	r.out[strcspn(r.out, "\n")] = '\0';
	ck_assert_str_eq(r.out, "Usage: payopsctl gateway check [OPTION]... [GATEWAY ...]");
}
END_TEST

START_TEST(cli_version_names_program_package_and_number)
{
	static const char *const arguments[] = { "--version", NULL };
	struct run r;

	run(&r, &program, arguments);

	ck_assert_int_eq(r.outcome, CLI_HELP_SHOWN);
	ck_assert_int_eq(strncmp(r.out, "apid (payops) ", 14), 0);
	ck_assert_uint_gt(strspn(r.out + 14, "0123456789."), 2);
	ck_assert_str_eq(strchr(r.out, '\n'), "\n");
}
END_TEST

START_TEST(cli_parse_stops_on_a_default_out_of_bounds)
{
	static const struct cli_option bad[] = {
		{ "port", 0, CLI_INT, "PORT", "0", 1, 65535, "listen on PORT" },
	};
	const struct cli_program of = { "apid", "Summary.", NULL, bad, 1, NULL };
	struct run r;

	run(&r, &of, nothing);
}
END_TEST

START_TEST(cli_fail_writes_its_message_at_once_and_hides_controls)
{
	char text[8192];
	int files[2];

	capture(files);
	errno = ENOENT;
	cli_fail("apid", "%s", "a\x1b[1m\x7f\nb\tc");
	cli_fail("apid", "%d line\n", 1);
	ck_assert_int_eq(errno, ENOENT);
	text_of(files[1], text, sizeof text);

	ck_assert_str_eq(text, "apid: a?[1m?\nb\tc\napid: 1 line\n");
}
END_TEST

START_TEST(cli_fail_cuts_what_is_too_long)
{
	char text[8192], message[6000];
	int files[2];

	memset(message, 'a', sizeof message - 1);
	message[sizeof message - 1] = '\0';
	capture(files);
	cli_fail("apid", "%s", message);
	text_of(files[1], text, sizeof text);

	ck_assert_uint_lt(strlen(text), 4097);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

UNIT_MAIN("cli", {
	tcase_add_test(tests, cli_parse_fills_in_defaults);
	tcase_add_loop_test(tests, cli_parse_reads_every_spelling, 0, (int)COUNT(spellings));
	tcase_add_loop_test(tests, cli_parse_says_in_one_line_what_is_wrong, 0, (int)COUNT(wrongs));
	tcase_add_test(tests, cli_parse_reads_integers_of_64_bits);
	tcase_add_test(tests, cli_parse_finds_the_arguments_after_and_between_options);
	tcase_add_test(tests, cli_parse_may_run_again_for_a_command);
	tcase_add_test(tests, cli_help_is_aligned_within_80_columns);
	tcase_add_test(tests, cli_help_names_the_arguments);
	tcase_add_test(tests, cli_version_names_program_package_and_number);
	tcase_add_test_raise_signal(tests, cli_parse_stops_on_a_default_out_of_bounds, SIGABRT);
	tcase_add_test(tests, cli_fail_writes_its_message_at_once_and_hides_controls);
	tcase_add_test(tests, cli_fail_cuts_what_is_too_long);
})
