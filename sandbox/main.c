/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payops-sandbox: plays payment gateways on loopback ports. Start and stop order mirror each other:
 * ledger, callbacks, gateways, control.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/log.h"
#include "base/secret.h"
#include "core/text.h"
#include "sandbox/callback.h"
#include "sandbox/control.h"
#include "sandbox/gateway.h"
#include "sandbox/http.h"
#include "sandbox/ledger.h"
#include "sandbox/loopback.h"
#include "sandbox/profile.h"

#define PROGRAM "payops-sandbox"
#define FILES_WANTED 8192

enum option {
	OPTION_LISTEN,
	OPTION_PORT,
	OPTION_LEDGER,
	OPTION_API_KEY_FILE,
	OPTION_CALLBACK_SECRET_FILE,
	OPTION_CALLBACK_RETRY_MS,
	OPTION_CALLBACK_TRIES,
	OPTION_LOG_LEVEL,
};

/* clang-format off */
static const struct cli_option options[] = {
	[OPTION_LISTEN] = { "listen", 'l', CLI_TEXT, "ADDRESS", "127.0.0.1", 0, 0,
		"loopback address to listen on" },
	[OPTION_PORT] = { "port", 'p', CLI_INT, "N", "8090", 1, 65535 - PROFILE_COUNT,
		"control port; the gateways listen on the ports behind it" },
	[OPTION_LEDGER] = { "ledger", 'f', CLI_TEXT, "FILE", NULL, 0, 0,
		"ledger file, made where absent (required)" },
	[OPTION_API_KEY_FILE] = { "api-key-file", 0, CLI_TEXT, "FILE", NULL, 0, 0,
		"file with the API key of the gateways (required)" },
	[OPTION_CALLBACK_SECRET_FILE] = { "callback-secret-file", 0, CLI_TEXT, "FILE", NULL, 0, 0,
		"file with the secret that signs callbacks (required)" },
	[OPTION_CALLBACK_RETRY_MS] = { "callback-retry-ms", 0, CLI_INT, "N", "60000", 1, 600000,
		"longest wait between two tries of a callback" },
	[OPTION_CALLBACK_TRIES] = { "callback-tries", 0, CLI_INT, "N", "20", 1, 100000,
		"tries of a callback before it is given up" },
	[OPTION_LOG_LEVEL] = { "log-level", 0, CLI_TEXT, "LEVEL", "info", 0, 0,
		"debug, info, warning or error" },
};
/* clang-format on */

static const struct cli_program program = {
	.name = PROGRAM,
	.summary = "play payment gateways on loopback ports, for development and tests",
	.options = options,
	.count = sizeof options / sizeof options[0],
	.manual = PROGRAM "(8)",
};

struct sandbox { /* start as { 0 } */
	struct secret api_key;
	struct secret callback_secret;
	struct ledger *ledger;
	struct callback_queue *callbacks;
	struct control control;
	struct http_server *server;
};

static enum err options_check(const struct cli_values *values, enum log_level *level)
{
	static const enum option required[] = {OPTION_LEDGER, OPTION_API_KEY_FILE,
					       OPTION_CALLBACK_SECRET_FILE};
	struct sockaddr_storage ignored;

	for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
		if (values->text[required[i]] != NULL && values->text[required[i]][0] != '\0')
			continue;
		cli_fail(PROGRAM, "--%s is required; try --help", options[required[i]].name);
		return ERR_USAGE;
	}
	if (!loopback_address(values->text[OPTION_LISTEN], 0, &ignored)) {
		cli_fail(PROGRAM,
			 "--listen takes a loopback address only, such as 127.0.0.1 or ::1");
		return ERR_USAGE;
	}
	if (!log_level_parse(values->text[OPTION_LOG_LEVEL], level)) {
		cli_fail(PROGRAM, "--log-level is debug, info, warning or error");
		return ERR_USAGE;
	}
	return ERR_OK;
}

static enum err secret_open(const char *path, struct secret *secret)
{
	char why[256];
	enum err err = secret_read_file(path, secret, why, sizeof why);

	if (err != ERR_OK)
		cli_fail(PROGRAM, "%s", why);
	return err;
}

static enum err secrets_open(struct sandbox *sandbox, const struct cli_values *values)
{
	enum err err = secret_open(values->text[OPTION_API_KEY_FILE], &sandbox->api_key);

	if (err == ERR_OK &&
	    !text_is(TEXT_VISIBLE, (const char *)sandbox->api_key.bytes, sandbox->api_key.size)) {
		cli_fail(PROGRAM, "%s: the API key must be visible ASCII without blanks",
			 values->text[OPTION_API_KEY_FILE]);
		err = ERR_CONFIG;
	}
	if (err == ERR_OK)
		err = secret_open(values->text[OPTION_CALLBACK_SECRET_FILE],
				  &sandbox->callback_secret);
	return err;
}

/* A connection takes a descriptor; where the limit cannot be raised, fewer are accepted. */
static void files_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= FILES_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_note(LOG_WARNING, "the limit of open files could not be raised");
}

/* Threads inherit the mask: the signals reach sigwait() in main only. */
static void signals_block(sigset_t *ending)
{
	(void)sigemptyset(ending);
	(void)sigaddset(ending, SIGTERM);
	(void)sigaddset(ending, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, ending, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static struct sockaddr_storage address_of(const struct cli_values *values, int offset)
{
	struct sockaddr_storage address = {0};
	uint16_t port = (uint16_t)(values->integer[OPTION_PORT] + offset);

	if (!loopback_address(values->text[OPTION_LISTEN], port, &address))
		abort(); /* options_check() took it */
	return address;
}

static enum err ledger_start(struct sandbox *sandbox, const char *path)
{
	char why[JOURNAL_WHY_SIZE];
	enum err err = ledger_open(path, &sandbox->ledger, why);

	if (err != ERR_OK)
		cli_fail(PROGRAM, "%s", why);
	return err;
}

static enum err callbacks_start(struct sandbox *sandbox, const struct cli_values *values)
{
	const struct callback_settings settings = {
		.wait_max_ms = values->integer[OPTION_CALLBACK_RETRY_MS],
		.tries_max = values->integer[OPTION_CALLBACK_TRIES],
	};
	enum err err = callback_start(sandbox->ledger, &sandbox->callback_secret, &settings,
				      &sandbox->callbacks);

	if (err != ERR_OK)
		cli_fail(PROGRAM, "callbacks cannot be started: %s", err_row(err)->title);
	return err;
}

static enum err gateways_start(struct sandbox *sandbox, const struct cli_values *values)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < PROFILE_COUNT; i++) {
		const struct operations operations = {i, sandbox->ledger, sandbox->callbacks,
						      &sandbox->api_key};
		struct sockaddr_storage address = address_of(values, profile_row(i)->port_offset);

		err = gateway_open(&address, &operations, &sandbox->control.gateways[i]);
		if (err != ERR_OK)
			cli_fail(PROGRAM, "gateway %s cannot listen on port %d",
				 profile_row(i)->name,
				 (int)values->integer[OPTION_PORT] + profile_row(i)->port_offset);
	}
	return err;
}

static enum err control_start(struct sandbox *sandbox, const struct cli_values *values)
{
	struct sockaddr_storage address = address_of(values, 0);
	enum err err;

	sandbox->control.ledger = sandbox->ledger;
	sandbox->control.port = (int)values->integer[OPTION_PORT];
	err = http_server_open(&address, control_serve, &sandbox->control, &sandbox->server);
	if (err != ERR_OK)
		cli_fail(PROGRAM, "the control API cannot listen on port %d",
			 sandbox->control.port);
	return err;
}

static enum err sandbox_start(struct sandbox *sandbox, const struct cli_values *values)
{
	enum err err = secrets_open(sandbox, values);

	if (err == ERR_OK)
		err = ledger_start(sandbox, values->text[OPTION_LEDGER]);
	if (err == ERR_OK)
		err = callbacks_start(sandbox, values);
	if (err == ERR_OK)
		err = gateways_start(sandbox, values);
	if (err == ERR_OK)
		err = control_start(sandbox, values);
	return err;
}

static void sandbox_stop(struct sandbox *sandbox)
{
	http_server_close(sandbox->server);
	for (size_t i = PROFILE_COUNT; i > 0; i--)
		gateway_close(sandbox->control.gateways[i - 1]);
	callback_stop(sandbox->callbacks);
	ledger_close(sandbox->ledger);
	secret_done(&sandbox->callback_secret);
	secret_done(&sandbox->api_key);
}

static enum err sandbox_run(const struct cli_values *values)
{
	struct sandbox sandbox = {0};
	sigset_t ending;
	int number = 0;
	enum err err;

	signals_block(&ending);
	files_raise();
	err = sandbox_start(&sandbox, values);
	if (err == ERR_OK) {
		log_info("ready", LOG_TEXT("listen", values->text[OPTION_LISTEN]),
			 LOG_INT("port", values->integer[OPTION_PORT]),
			 LOG_INT("gateways", PROFILE_COUNT),
			 LOG_INT("operations", (int64_t)ledger_count(sandbox.ledger)));
		(void)sigwait(&ending, &number);
		log_info("stopping", LOG_INT("signal", number));
	}
	sandbox_stop(&sandbox);
	return err;
}

int main(int argc, char **argv)
{
	struct cli_values values;
	enum log_level level;
	enum err err;

	switch (cli_parse(&program, argc, argv, &values)) {
	case CLI_HELP_SHOWN:
		return EXIT_SUCCESS;
	case CLI_WRONG:
		return err_row(ERR_USAGE)->exit_status;
	case CLI_RUN:
		break;
	}
	err = options_check(&values, &level);
	if (err == ERR_OK) {
		log_open("sandbox", level, STDERR_FILENO);
		err = sandbox_run(&values);
	}
	return err_row(err)->exit_status;
}
