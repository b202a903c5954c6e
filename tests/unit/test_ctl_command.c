/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/command.h"

#include <string.h>

#include "tests/unit/capture.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define ARGUMENTS_MAX 4

static const struct command commands[] = {
	{ .words = "migrate status", .summary = "show" },
	{ .words = "migrate up", .summary = "apply" },
	{ .words = "merchant add", .summary = "add one", .argument = "NAME" },
	{ .words = "keys new", .summary = "make one", .argument = "FILE" },
};
static const struct command_table table = { commands, COUNT(commands) };

/* Words behind the program's name, as argv. */
static int argv_of(const char *const *words, char **argv)
{
	int argc = 1;

	argv[0] = (char *)"payopsctl";
	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)words[argc - 1];
	argv[argc] = NULL;
	return argc;
}

static const struct find_case {
	const char *typed[ARGUMENTS_MAX];
	const char *found; /* NULL: none */
	int word_count;
} finds[] = {
	{ { "migrate", "up" }, "migrate up", 2 },
	{ { "migrate", "status", "--config=x" }, "migrate status", 2 },
	{ { "keys", "new", "file" }, "keys new", 2 },
	{ { "migrate" }, NULL, 0 },
	{ { "migrate", "upp" }, NULL, 0 },
	{ { "migrate", "u" }, NULL, 0 },
	{ { "migrate", "--config=x", "up" }, NULL, 0 },
	{ { "migrate up" }, NULL, 0 },
	{ { "up", "migrate" }, NULL, 0 },
	{ { "MIGRATE", "up" }, NULL, 0 },
	{ { "", "up" }, NULL, 0 },
	{ { NULL }, NULL, 0 },
};

START_TEST(command_find_takes_the_row_with_exactly_these_words)
{
	const struct find_case *row = &finds[_i];
	char *argv[ARGUMENTS_MAX + 2];
	int argc = argv_of(row->typed, argv), word_count = 0;
	const struct command *found;

	found = command_find(&table, argc, argv, &word_count);

	ck_assert_int_eq(word_count, row->word_count);
	if (row->found == NULL)
		ck_assert_ptr_null(found);
	else
		ck_assert_str_eq(found->words, row->found);
}
END_TEST

static const struct unknown_case {
	const char *typed[ARGUMENTS_MAX];
	const char *said;
} unknowns[] = {
	{ { "migrate" }, "migrate needs one of status, up; see 'payopsctl --help'" },
	{ { "migrate", "--config=x" }, "migrate needs one of status, up; see 'payopsctl --help'" },
	{ { "migrate", "stauts" },
	  "unknown command 'migrate stauts', did you mean 'migrate status'? See 'payopsctl "
	  "--help'" },
	{ { "migrat", "up" },
	  "unknown command 'migrat up', did you mean 'migrate up'? See 'payopsctl --help'" },
	{ { "merchants" },
	  "unknown command 'merchants', did you mean 'merchant'? See 'payopsctl --help'" },
	{ { "merchants", "show" },
	  "unknown command 'merchants show', did you mean 'merchant'? See 'payopsctl --help'" },
	{ { "status" },
	  "unknown command 'status', did you mean 'migrate status'? See 'payopsctl --help'" },
	{ { "migrate", "frobnicate" },
	  "unknown command 'migrate frobnicate': migrate has status, up; see 'payopsctl --help'" },
	{ { "frobnicate" }, "unknown command 'frobnicate'; see 'payopsctl --help'" },
	{ { "", "" }, "unknown command ' '; see 'payopsctl --help'" },
	{ { "a\nb\033[2J" }, "unknown command 'a\nb?[2J'; see 'payopsctl --help'" },
};

START_TEST(command_unknown_says_which_one_was_meant)
{
	const struct unknown_case *row = &unknowns[_i];
	char *argv[ARGUMENTS_MAX + 2], expected[256];
	int argc = argv_of(row->typed, argv), status;
	struct capture capture;

	capture_start(&capture);
	status = command_unknown(&table, argc, argv);
	capture_end(&capture);

	snprintf(expected, sizeof expected, "payopsctl: %s\n", row->said);
	ck_assert_int_eq(status, 64);
	ck_assert_str_eq(capture.err, expected);
	ck_assert_str_eq(capture.out, "");
}
END_TEST

START_TEST(command_unknown_survives_a_word_of_any_length)
{
	char word[8192];
	char *argv[] = { (char *)"payopsctl", word, word, NULL };
	struct capture capture;
	int status;

	memset(word, 'm', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	capture_start(&capture);
	status = command_unknown(&table, 3, argv);
	capture_end(&capture);

	ck_assert_int_eq(status, 64);
	ck_assert_uint_lt(strlen(capture.err), 200);
}
END_TEST

START_TEST(command_list_gives_one_line_for_each_row)
{
	struct capture capture;

	capture_start(&capture);
	command_list(&table, NULL);
	capture_end(&capture);

	ck_assert_str_eq(capture.out, "  migrate status       show\n"
				      "  migrate up           apply\n"
				      "  merchant add NAME    add one\n"
				      "  keys new FILE        make one\n");
}
END_TEST

START_TEST(command_list_of_a_family_leaves_the_others_out)
{
	struct capture capture;

	capture_start(&capture);
	command_list(&table, "keys");
	capture_end(&capture);

	ck_assert_str_eq(capture.out, "  keys new FILE        make one\n");
}
END_TEST

START_TEST(command_is_family_knows_whole_first_words)
{
	ck_assert(command_is_family(&table, "migrate"));
	ck_assert(command_is_family(&table, "keys"));
	ck_assert(!command_is_family(&table, "key"));
	ck_assert(!command_is_family(&table, "migrate up"));
	ck_assert(!command_is_family(&table, ""));
}
END_TEST

START_TEST(command_fail_gives_the_exit_status_of_the_failure)
{
	struct capture capture;
	int status;

	capture_start(&capture);
	status = command_fail(ERR_UNAVAILABLE, "no %s", "answer");
	capture_end(&capture);

	ck_assert_int_eq(status, err_row(ERR_UNAVAILABLE)->exit_status);
	ck_assert_str_eq(capture.err, "payopsctl: no answer\n");
}
END_TEST

UNIT_MAIN("ctl_command",
	  tcase_add_loop_test(tests, command_find_takes_the_row_with_exactly_these_words, 0,
			      COUNT(finds));
	  tcase_add_loop_test(tests, command_unknown_says_which_one_was_meant, 0, COUNT(unknowns));
	  tcase_add_test(tests, command_unknown_survives_a_word_of_any_length);
	  tcase_add_test(tests, command_list_gives_one_line_for_each_row);
	  tcase_add_test(tests, command_list_of_a_family_leaves_the_others_out);
	  tcase_add_test(tests, command_is_family_knows_whole_first_words);
	  tcase_add_test(tests, command_fail_gives_the_exit_status_of_the_failure))
