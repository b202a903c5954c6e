/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payops-sandbox: plays payment gateways on loopback ports. Start and stop order mirror each other:
 * ledger, callbacks, gateways, control.
 */
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/limits.h"
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
	OPTION_SETTLEMENT,
	OPTION_KEYS,
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
	[OPTION_SETTLEMENT] = { "settlement", 's', CLI_TEXT, "DIRECTORY", NULL, 0, 0,
		"where settlement files are written (the ledger file's name and .settlement)" },
	[OPTION_KEYS] = { "keys", 'k', CLI_TEXT, "DIRECTORY", NULL, 0, 0,
		"directory with NAME.api-key and NAME.callback-secret of each gateway" },
	[OPTION_API_KEY_FILE] = { "api-key-file", 0, CLI_TEXT, "FILE", NULL, 0, 0,
		"file with one API key for all gateways" },
	[OPTION_CALLBACK_SECRET_FILE] = { "callback-secret-file", 0, CLI_TEXT, "FILE", NULL, 0, 0,
		"file with one secret that signs the callbacks of all gateways" },
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
	struct secret api_keys[PROFILE_COUNT];
	struct secret callback_secrets[PROFILE_COUNT];
	struct ledger *ledger;
	struct callback_queue *callbacks;
	struct control control;
	struct http_server *server;
	char settlement_directory[PATH_MAX];
};

static bool is_given(const struct cli_values *values, enum option option)
{
	return values->text[option] != NULL && values->text[option][0] != '\0';
}

/* Keys come from a directory, one pair for each gateway, or as one pair for all. */
static enum err keys_check(const struct cli_values *values)
{
	static const enum option pair[] = {OPTION_API_KEY_FILE, OPTION_CALLBACK_SECRET_FILE};
	bool directory = is_given(values, OPTION_KEYS);

	for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
		if (is_given(values, pair[i]) != directory)
			continue;
		cli_fail(PROGRAM,
			 directory ? "--keys and --%s exclude each other; try --help"
				   : "--keys or --%s is required; try --help",
			 options[pair[i]].name);
		return ERR_USAGE;
	}
	return ERR_OK;
}

static enum err options_check(const struct cli_values *values, enum log_level *level)
{
	struct sockaddr_storage ignored;

	if (!is_given(values, OPTION_LEDGER)) {
		cli_fail(PROGRAM, "--ledger is required; try --help");
		return ERR_USAGE;
	}
	if (keys_check(values) != ERR_OK)
		return ERR_USAGE;
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

/* The file of one gateway's key or secret: in the directory, else the one for all. */
static const char *key_path(const struct cli_values *values, enum option for_all, size_t profile,
			    char room[PATH_MAX])
{
	const char *kind = for_all == OPTION_API_KEY_FILE ? "api-key" : "callback-secret";

	if (!is_given(values, OPTION_KEYS))
		return values->text[for_all];
	(void)snprintf(room, PATH_MAX, "%s/%s.%s", values->text[OPTION_KEYS],
		       profile_row(profile)->name, kind);
	return room;
}

static enum err gateway_secrets_open(struct sandbox *sandbox, const struct cli_values *values,
				     size_t profile)
{
	const struct secret *key = &sandbox->api_keys[profile];
	char room[PATH_MAX];
	const char *path = key_path(values, OPTION_API_KEY_FILE, profile, room);
	enum err err = secret_open(path, &sandbox->api_keys[profile]);

	if (err != ERR_OK)
		return err;
	if (!text_is(TEXT_VISIBLE, (const char *)key->bytes, key->size)) {
		cli_fail(PROGRAM, "%s: the API key must be visible ASCII without blanks", path);
		return ERR_CONFIG;
	}
	return secret_open(key_path(values, OPTION_CALLBACK_SECRET_FILE, profile, room),
			   &sandbox->callback_secrets[profile]);
}

static enum err secrets_open(struct sandbox *sandbox, const struct cli_values *values)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < PROFILE_COUNT; i++)
		err = gateway_secrets_open(sandbox, values, i);
	return err;
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
	enum err err = callback_start(sandbox->ledger, sandbox->callback_secrets, &settings,
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
						      &sandbox->api_keys[i]};
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
	sandbox->control.callbacks = sandbox->callbacks;
	(void)snprintf(sandbox->settlement_directory, sizeof sandbox->settlement_directory, "%s%s",
		       is_given(values, OPTION_SETTLEMENT) ? values->text[OPTION_SETTLEMENT]
							   : values->text[OPTION_LEDGER],
		       is_given(values, OPTION_SETTLEMENT) ? "" : ".settlement");
	sandbox->control.settlement_directory = sandbox->settlement_directory;
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
	for (size_t i = 0; i < PROFILE_COUNT; i++) {
		secret_done(&sandbox->callback_secrets[i]);
		secret_done(&sandbox->api_keys[i]);
	}
}

static enum err sandbox_run(const struct cli_values *values)
{
	struct sandbox sandbox = {0};
	sigset_t ending;
	int number = 0;
	enum err err;

	signals_block(&ending);
	limits_forbid_core();
	if (!limits_raise_files(FILES_WANTED)) /* fewer connections are accepted then */
		log_note(LOG_WARNING, "the limit of open files could not be raised");
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
