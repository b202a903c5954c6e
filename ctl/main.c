/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* payopsctl: find the command in the table, read its options, run it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "ctl/breaker.h"
#include "ctl/callback.h"
#include "ctl/command.h"
#include "ctl/exception.h"
#include "ctl/fsck.h"
#include "ctl/gateway.h"
#include "ctl/key.h"
#include "ctl/keys.h"
#include "ctl/merchant.h"
#include "ctl/migrate.h"
#include "ctl/route.h"
#include "ctl/token.h"
#include "ctl/why.h"

#define MANUAL "payopsctl(8)"

/* clang-format off */
static const struct command commands[] = {
	/* words, summary, argument, options, function */
	{ "migrate status", "show the migrations and what is done of each", NULL,
	  &ctl_migrate_options, ctl_migrate_status },
	{ "migrate plan", "print the statements that migrate up would run", NULL,
	  &ctl_migrate_options, ctl_migrate_plan },
	{ "migrate up", "bring the database to the newest schema", NULL,
	  &ctl_migrate_options, ctl_migrate_up },
	{ "migrate verify", "check that the schema is complete and unchanged", NULL,
	  &ctl_migrate_options, ctl_migrate_verify },
	{ "migrate grant", "make a database user and give it its rights", NULL,
	  &ctl_migrate_grant_options, ctl_migrate_grant },
	{ "fsck", "check that what is stored keeps the rules of money", NULL,
	  &ctl_fsck_options, ctl_fsck },
	{ "why", "explain a payment: was it charged, is it safe to pay again", "TRANSACTION_ID",
	  &ctl_why_options, ctl_why },
	{ "exception list", "list what waits for a human", NULL,
	  &ctl_exception_list_options, ctl_exception_list },
	{ "exception show", "show an exception and what to do about it", "EXCEPTION_ID",
	  &ctl_exception_show_options, ctl_exception_show },
	{ "exception own", "say who settles an exception", "EXCEPTION_ID",
	  &ctl_exception_own_options, ctl_exception_own },
	{ "exception refund", "give back a late success, bound to its attempt", "EXCEPTION_ID",
	  &ctl_exception_refund_options, ctl_exception_refund },
	{ "exception resolve", "close an exception with a note", "EXCEPTION_ID",
	  &ctl_exception_resolve_options, ctl_exception_resolve },
	{ "callback list", "list what gateways have sent", NULL,
	  &ctl_callback_list_options, ctl_callback_list },
	{ "callback replay", "apply a stored message of a gateway again", "GATEWAY KEY",
	  &ctl_callback_replay_options, ctl_callback_replay },
	{ "gateway apply", "take over gateways and accounts from a file", "FILE",
	  &ctl_apply_options, ctl_gateway_apply },
	{ "gateway list", "show the gateways and their states", NULL,
	  &ctl_gateway_list_options, ctl_gateway_list },
	{ "gateway enable", "let a gateway take payments", "NAME",
	  &ctl_gateway_state_options, ctl_gateway_enable },
	{ "gateway drain", "send a gateway no new payments", "NAME",
	  &ctl_gateway_state_options, ctl_gateway_drain },
	{ "gateway disable", "send a gateway nothing but inquiries", "NAME",
	  &ctl_gateway_state_options, ctl_gateway_disable },
	{ "gateway maintain", "plan or end a gateway's maintenance", "NAME",
	  &ctl_gateway_maintain_options, ctl_gateway_maintain },
	{ "route apply", "take over the rules that choose gateways from a file", "FILE",
	  &ctl_apply_options, ctl_route_apply },
	{ "route list", "show the rules in order", NULL,
	  &ctl_route_list_options, ctl_route_list },
	{ "route explain", "show what the rules do with a payment", NULL,
	  &ctl_route_explain_options, ctl_route_explain },
	{ "token issue", "make an access token for a merchant", NULL,
	  &ctl_token_issue_options, ctl_token_issue },
	{ "key issue", "make an API key for a merchant's program", NULL,
	  &ctl_key_issue_options, ctl_key_issue },
	{ "key list", "list API keys, without their secrets", NULL,
	  &ctl_key_list_options, ctl_key_list },
	{ "key rotate", "make a second API key of a name, to replace the first", "NAME",
	  &ctl_key_rotate_options, ctl_key_rotate },
	{ "key revoke", "revoke an API key for good", "ID",
	  &ctl_key_revoke_options, ctl_key_revoke },
	{ "merchant add", "add a merchant", "NAME",
	  &ctl_merchant_add_options, ctl_merchant_add },
	{ "breaker list", "show the circuit breakers of all gateways", NULL,
	  &ctl_breaker_list_options, ctl_breaker_list },
	{ "breaker open", "let nothing be sent to a gateway", "GATEWAY [OPERATION]",
	  &ctl_breaker_force_options, ctl_breaker_open },
	{ "breaker close", "let all be sent to a gateway, however it does", "GATEWAY [OPERATION]",
	  &ctl_breaker_force_options, ctl_breaker_close },
	{ "breaker auto", "leave a gateway's circuit breakers to themselves again",
	  "GATEWAY [OPERATION]", &ctl_breaker_list_options, ctl_breaker_auto },
	{ "keys new", "make a file with a new random key", "FILE",
	  &ctl_keys_new_options, ctl_keys_new },
	{ "keys status", "count what is sealed with which key", NULL,
	  &ctl_keys_status_options, ctl_keys_status },
	{ "keys rotate", "seal everything with the newest key", NULL,
	  &ctl_keys_rotate_options, ctl_keys_rotate },
};
/* clang-format on */
static const struct command_table table = { commands, sizeof commands / sizeof *commands };

static const struct cli_program program = { .name = COMMAND_PROGRAM, .manual = MANUAL };

/* The whole program's, or a family's: "payopsctl migrate --help". */
static int show_help(const char *family)
{
	printf("Usage: %s %s [OPTION]...\n", COMMAND_PROGRAM,
	       family == NULL ? "COMMAND [ARGUMENT]" : family);
	printf("Set up and administer payops.\n\nCommands:\n");
	command_list(&table, family);
	printf("\nOptions:\n"
	       "  --help     show this help and exit; behind a command, the help of that command\n"
	       "  --version  show the version and exit\n"
	       "\nThe manual page is %s.\n",
	       MANUAL);
	return 0;
}

/* "GATEWAY KEY": two; "NAME [KIND]": one, or two with what may be left out. */
static int count_arguments(const char *names, bool optional)
{
	int count = 0;

	for (; names != NULL && *names != '\0'; names += strspn(names, " ")) {
		count += optional || *names != '[';
		names += strcspn(names, " ");
	}
	return count;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	int wanted = count_arguments(command->argument, false);
	int most = count_arguments(command->argument, true);
	int given;
	struct cli_values values;
	char name[COMMAND_NAME_SIZE];
	const struct cli_program described = { name,
					       command->summary,
					       command->argument,
					       command->options->rows,
					       command->options->count,
					       MANUAL };

	snprintf(name, sizeof name, "%s %s", COMMAND_PROGRAM, command->words);
	switch (cli_parse(&described, argc, argv, &values)) {
	case CLI_HELP_SHOWN:
		return 0;
	case CLI_WRONG:
		return err_row(ERR_USAGE)->exit_status;
	case CLI_RUN:
		break;
	}
	given = argc - values.rest;
	if (given < wanted || given > most)
		return command_fail(ERR_USAGE, "%s takes %s%s; see '%s --help'", command->words,
				    most == 1 ? "one " : "", command->argument, name);
	return command->run(&(struct command_call){
		.values = &values,
		.argument = given > 0 ? argv[values.rest] : NULL,
		.second = given > 1 ? argv[values.rest + 1] : NULL,
	});
}

/* An option in place of a command. */
static int run_option(char **argv)
{
	struct cli_values values;

	if (strcmp(argv[1], "--help") == 0)
		return show_help(NULL);
	if (strcmp(argv[1], "--version") != 0)
		return command_fail(
			ERR_USAGE, "begin with a command, options stand behind it; see '%s --help'",
			COMMAND_PROGRAM);
	(void)cli_parse(&program, 2, argv, &values);
	return 0;
}

static int run(int argc, char **argv)
{
	const struct command *command;
	int word_count;

	if (argc < 2)
		return command_fail(ERR_USAGE, "name a command; see '%s --help'", COMMAND_PROGRAM);
	if (argv[1][0] == '-')
		return run_option(argv);
	command = command_find(&table, argc, argv, &word_count);
	if (command != NULL)
		return run_command(command, argc - word_count, argv + word_count);
	if (argc > 2 && strcmp(argv[2], "--help") == 0 && command_is_family(&table, argv[1]))
		return show_help(argv[1]);
	return command_unknown(&table, argc, argv);
}

int main(int argc, char **argv)
{
	int status;

	limits_forbid_core();
	log_open(COMMAND_PROGRAM, LOG_ERROR, STDERR_FILENO);
	status = run(argc, argv);
	/* A token that did not reach a full disk must not look issued. */
	if ((fflush(stdout) != 0 || ferror(stdout) != 0) && status == 0)
		status = command_fail(ERR_IO, "cannot write the output: %s", strerror(errno));
	return status;
}
