/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* apid: start in order, serve until told to stop, stop in the reverse order. */
#include "config.h"

#include "apid/app.h"
#include "apid/certificate.h"
#include "apid/customer_country.h"
#include "apid/dispatcher.h"
#include "apid/handshakes.h"
#include "apid/http.h"
#include "apid/pipeline.h"
#include "apid/reference.h"
#include "apid/reload.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/tls.h"
#include "service/callback.h"
#include "service/catalogue.h"
#include "service/intake.h"
#include "service/lookup.h"
#include "service/payment_method.h"
#include "service/rotation.h"
#include "service/settings_live.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BODY_MAX (64 * 1024)
#define CERTIFICATE_LOOK_S 86400
#define LOOPBACK "127.0.0.0/8 ::1"
#define FILES_OWN 64 /* besides connections of clients, to the database and to gateways */

enum option { OPT_CONFIG, OPT_CHECK, OPT_PRINT, OPT_UNSAFE };

static const struct cli_option options[] = {
	[OPT_CONFIG] = { .name = "config",
			 .letter = 'c',
			 .kind = CLI_TEXT,
			 .argument = "FILE",
			 .default_text = SETTINGS_DEFAULT_PATH,
			 .help = "read the configuration from FILE and its conf.d" },
	[OPT_CHECK] = { .name = "check-config",
			.kind = CLI_FLAG,
			.help = "judge the configuration and its key files, then exit" },
	[OPT_PRINT] = { .name = "print-config",
			.kind = CLI_FLAG,
			.help = "print the settings in force with their meaning, then exit" },
	[OPT_UNSAFE] = { .name = "unsafe-durability",
			 .kind = CLI_FLAG,
			 .help = "start although the database's settings would lose money" },
};

static const struct cli_program program = {
	.name = "apid",
	.summary = "REST daemon that takes payments and never charges twice",
	.options = options,
	.count = sizeof options / sizeof options[0],
	.manual = "apid(8)",
};

struct server {
	struct settings *settings; /* of the start: what needs a restart to change */
	const char *path;          /* of their file */
	struct app app;
	struct choice_budgets budgets;
	struct pipeline *pipeline;
	struct http_server *http;
	struct handshakes *handshakes;
	struct reference *reference;
	bool unsafe_durability;
};

/* Signals are blocked before any thread starts; one sigtimedwait() takes them. */
static void signals_block(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static enum err start_failed(const char *step, enum err err, const char *why)
{
	log_error("cannot start", LOG_TEXT("step", step), LOG_ERR(err), LOG_TEXT("why", why));
	return err;
}

struct key_check {
	const struct vault *vault;
	char missing[VAULT_KEY_ID_SIZE];
};

static enum err look_keys(struct store_tx *tx, void *context)
{
	struct key_check *check = context;

	return rotation_check(tx, check->vault, check->missing);
}

/* Without a key that sealed something, payments would wait for it and profiles would not open. */
static enum err keys_check(struct store *store, const struct vault *vault, char why[STORE_WHY_SIZE])
{
	struct key_check check = { .vault = vault };
	enum err err = store_look(store, look_keys, &check);

	if (err == ERR_CONFIG)
		(void)snprintf(why, STORE_WHY_SIZE, RELOAD_KEY_MISSING, check.missing);
	else if (err != ERR_OK)
		(void)snprintf(why, STORE_WHY_SIZE, "%s", err_row(err)->title);
	return err;
}

/* The database answers, is safe, has this build's schema, and holds nothing that we have no key for. */
static enum err database_start(struct server *server)
{
	const struct settings *settings = server->settings;
	char why[STORE_WHY_SIZE] = "";
	struct store *store;
	enum err err =
		store_pool_open(&settings->database, settings->pool_size, &server->app.pool, why);

	if (err != ERR_OK)
		return start_failed("database", err, why);
	err = store_pool_acquire(server->app.pool, settings->database.connect_timeout_ms, &store);
	if (err != ERR_OK)
		return start_failed("database", err, "no connection");
	err = store_check_schema(store, why);
	if (err == ERR_OK) {
		err = store_check_durability(store, why);
		if (err == ERR_UNSAFE && server->unsafe_durability) {
			log_warning("unsafe database settings were insisted on",
				    LOG_TEXT("why", why));
			err = ERR_OK;
		}
	}
	if (err == ERR_OK)
		err = keys_check(store, &settings->vault, why);
	store_pool_release(server->app.pool, store);
	return err == ERR_OK ? ERR_OK : start_failed("database", err, why);
}

/* The one that a reload put in force. */
static const struct tls *tls_now(void *context)
{
	const struct settings *settings = settings_live_hold(context);
	const struct tls *tls = tls_share(settings->tls);

	settings_release(settings);
	return tls;
}

/* Tokens and customers' data in clear must be somebody's wish. */
static void plain_tell(const struct settings *settings)
{
	const char *text = settings->listen_address;
	struct address_ranges loopback;
	struct address address;

	if (!settings->listen_plain_meant && address_ranges_read(LOOPBACK, &loopback) &&
	    address_parse(text, strlen(text), &address) && !address_ranges_have(&loopback, address))
		log_warning("plain HTTP can be reached from other machines: tokens and customers' "
			    "data travel in clear; listen on a loopback address, or set "
			    "listen.plain_is_meant where a proxy serves TLS",
			    LOG_TEXT("address", text));
}

static void listening_tell(const struct server *server)
{
	const struct settings *settings = server->settings;
	char expires[CLOCK_TEXT_SIZE];

	plain_tell(settings);
	if (settings->tls != NULL)
		log_info("serving TLS", LOG_TEXT("address", settings->tls_address),
			 LOG_INT("port", http_server_tls_port(server->http)),
			 LOG_TEXT("expires", clock_format(tls_ends_us(settings->tls), expires)));
	certificate_tell(settings, clock_now_us());
	log_info("ready", LOG_TEXT("address", settings->listen_address),
		 LOG_INT("port", http_server_port(server->http)), LOG_INT("pid", getpid()),
		 LOG_TEXT("version", PACKAGE_VERSION));
}

static enum err http_start(struct server *server)
{
	const struct settings *settings = server->settings;
	struct http_settings http = http_settings_default;
	char why[HTTP_WHY_SIZE] = "";
	enum err err;

	http.address = settings->listen_address;
	http.port = (uint16_t)settings->listen_port;
	http.connections_max = (unsigned)settings->connections_max;
	http.read_ms = settings->read_deadline_ms;
	http.body_max = BODY_MAX;
	if (settings->tls != NULL) {
		http.tls_address = settings->tls_address;
		http.tls_port = (uint16_t)settings->tls_port;
		http.hold_tls = tls_now;
		http.tls_context = server->app.settings;
		http.tls_failed = handshakes_failed;
		http.tls_failed_context = server->handshakes;
	}
	err = pipeline_new(&server->app, &pipeline_settings_default, &server->pipeline);
	if (err != ERR_OK)
		return start_failed("pipeline", err, "");
	err = http_server_start(&http, pipeline_serve, server->pipeline, &server->http, why);
	if (err != ERR_OK)
		return start_failed("http", err, why);
	listening_tell(server);
	return ERR_OK;
}

/* Those who commit, or read, what many requests wait for. */
static enum err queues_start(struct server *server)
{
	const struct store_settings *database = &server->settings->database;
	struct app *app = &server->app;
	enum err err = intake_start(database, &app->intake);

	if (err != ERR_OK)
		return start_failed("intake", err, "");
	err = callback_start(database, &app->callbacks);
	if (err != ERR_OK)
		return start_failed("callbacks", err, "");
	err = lookup_start(database, &app->lookups);
	if (err != ERR_OK)
		return start_failed("lookups", err, "");
	err = api_key_lookup_start(database, &app->keys);
	if (err != ERR_OK)
		return start_failed("API keys", err, "");
	err = payment_method_start(database, &app->methods);
	if (err != ERR_OK)
		return start_failed("payment methods", err, "");
	err = lookup_start_merchants(database, &app->merchants);
	if (err != ERR_OK)
		return start_failed("merchants", err, "");
	err = customer_country_new(database, &app->countries);
	return err == ERR_OK ? ERR_OK : start_failed("customers' countries", err, "");
}

/* Gateways and routes, and a breaker for each of those that are there. */
static enum err guards_start(struct server *server)
{
	struct settings *settings = server->settings;
	struct app *app = &server->app;
	const struct catalogue_view *view;
	char why[CATALOGUE_WHY_SIZE] = "";
	enum err err = catalogue_open(app->pool, &app->catalogue, why);

	if (err != ERR_OK)
		return start_failed("gateways and routes", err, why);
	view = catalogue_hold(app->catalogue);
	settings->breakers.gateways = &view->gateways;
	err = breakers_new(&settings->breakers, app->pool, &app->breakers);
	catalogue_release(view);
	if (err == ERR_OK)
		err = breakers_start(app->breakers);
	if (err != ERR_OK)
		return start_failed("breakers", err, "");
	settings->due.catalogue = app->catalogue;
	settings->due.breakers = app->breakers;
	settings->due.budgets = &server->budgets;
	return ERR_OK;
}

static enum err dispatching_start(struct server *server)
{
	const struct settings *settings = server->settings;
	const struct dispatcher_settings dispatching = {
		.pool = server->app.pool,
		.database = &settings->database,
		.live = server->app.settings,
		.intake = server->app.intake,
		.metrics = server->app.metrics,
	};
	enum err err = dispatcher_start(&dispatching, &server->app.dispatcher);

	return err == ERR_OK ? ERR_OK : start_failed("dispatcher", err, "");
}

static enum err texts_start(struct server *server)
{
	enum err err = reference_new(server->settings->swagger_ui_directory, &server->reference);

	server->app.reference = server->reference;
	return err == ERR_OK ? ERR_OK : start_failed("reference", err, "");
}

static enum err lockout_start(struct server *server)
{
	const struct settings *settings = server->settings;
	const struct lockout_settings lockout = {
		.failures = settings->lockout_failures,
		.window_us = settings->lockout_window_us,
		.first_us = settings->lockout_first_us,
		.longest_us = settings->lockout_longest_us,
	};
	enum err err = lockout_new(&lockout, &server->app.lockout);

	server->app.proxies = settings->trusted_proxies;
	return err == ERR_OK ? ERR_OK : start_failed("lockout", err, "");
}

static enum err server_start(struct server *server)
{
	struct app *app = &server->app;
	enum err err;

	app->find_key = api_key_lookup_find;
	app->started_at_us = clock_now_us();
	err = settings_live_new(server->settings, &app->settings);
	if (err == ERR_OK)
		err = metrics_new(&app->metrics);
	if (err == ERR_OK)
		err = handshakes_new(app->metrics, &server->handshakes);
	if (err != ERR_OK)
		return start_failed("metrics", err, "");
	err = texts_start(server);
	if (err == ERR_OK)
		err = lockout_start(server);
	if (err == ERR_OK)
		err = database_start(server);
	if (err != ERR_OK)
		return err;
	err = queues_start(server);
	if (err == ERR_OK)
		err = guards_start(server);
	if (err == ERR_OK)
		err = dispatching_start(server);
	return err == ERR_OK ? http_start(server) : err;
}

static int patience_of(const struct app *app)
{
	const struct settings *settings;
	int patience_ms;

	if (app->settings == NULL)
		return 0;
	settings = settings_live_hold(app->settings);
	patience_ms = settings->stop_patience_ms;
	settings_release(settings);
	return patience_ms;
}

/* The reverse of the start, each step logged; parts that never started are skipped. */
static void server_stop(struct server *server)
{
	struct app *app = &server->app;
	int patience_ms = patience_of(app);
	int64_t began_us = clock_boot_us();
	size_t busy = 0;

	atomic_store(&app->draining, true);
	if (server->http != NULL) {
		log_note(LOG_INFO, "stopping: no new connections");
		busy = http_server_drain(server->http, patience_ms / 2);
		log_info("stopping: requests finished", LOG_INT("cut_off", (int64_t)busy));
		http_server_stop(server->http);
	}
	pipeline_free(server->pipeline);
	customer_country_free(app->countries);
	reader_stop(app->merchants);
	reader_stop(app->methods);
	reader_stop(app->keys);
	reader_stop(app->lookups);
	batch_stop(app->callbacks);
	if (app->dispatcher != NULL) {
		patience_ms -= (int)((clock_boot_us() - began_us) / 1000);
		dispatcher_stop(app->dispatcher, patience_ms > 0 ? patience_ms : 0);
		log_note(LOG_INFO, "stopping: gateway calls finished");
	}
	batch_stop(app->intake); /* the dispatcher looks at it */
	breakers_free(app->breakers);
	catalogue_close(app->catalogue);
	store_pool_close(app->pool);
	reference_free(server->reference);
	lockout_free(app->lockout);
	handshakes_free(server->handshakes);
	metrics_free(app->metrics);
	settings_live_free(app->settings);
	log_info("stopped", LOG_INT("duration_us", clock_boot_us() - began_us));
}

static void wait_for_stop(struct server *server, const sigset_t *signals)
{
	const struct reload reload = { server->path, server->settings, &server->app };
	const struct timespec look = { .tv_sec = CERTIFICATE_LOOK_S };
	const struct settings *settings;
	int received;

	for (;;) {
		received = sigtimedwait(signals, NULL, &look);
		if (received == SIGHUP) {
			(void)reload_run(&reload);
		} else if (received > 0) {
			return;
		} else if (errno == EAGAIN) {
			settings = settings_live_hold(server->app.settings);
			certificate_tell(settings, clock_now_us());
			settings_release(settings);
		}
	}
}

/* Before any secret is used: what a crash leaves; and room for all that settings allow at once. */
static void limits_set(const struct settings *settings)
{
	const size_t files = (size_t)settings->connections_max + settings->pool_size +
			     settings->in_flight_max + FILES_OWN;

	if (!settings->core_dumps)
		limits_forbid_core();
	if (!limits_raise_files(files))
		log_warning("fewer files may be opened than connections need",
			    LOG_INT("wanted", (int64_t)files));
}

static int serve(struct settings *settings, const char *path, bool unsafe_durability)
{
	struct server server = { .settings = settings,
				 .path = path,
				 .unsafe_durability = unsafe_durability };
	sigset_t signals;
	enum err err;

	signals_block(&signals);
	log_open("apid", settings->log_level, STDERR_FILENO);
	log_collect_start();
	log_info("starting", LOG_TEXT("version", PACKAGE_VERSION));
	limits_set(settings);
	err = server_start(&server);
	if (err == ERR_OK)
		wait_for_stop(&server, &signals);
	server_stop(&server);
	log_collect_stop();
	return err_row(err)->exit_status;
}

int main(int argc, char **argv)
{
	struct cli_values values;
	struct settings *settings;
	char why[SETTINGS_WHY_SIZE] = "";
	int status = EXIT_SUCCESS;
	enum err err;

	switch (cli_parse(&program, argc, argv, &values)) {
	case CLI_HELP_SHOWN:
		return EXIT_SUCCESS;
	case CLI_WRONG:
		return err_row(ERR_USAGE)->exit_status;
	case CLI_RUN:
		break;
	}
	err = settings_load(values.text[OPT_CONFIG],
			    values.given[OPT_PRINT] ? SETTINGS_DATABASE : SETTINGS_ALL, &settings,
			    why, sizeof why);
	if (err != ERR_OK) {
		cli_fail("apid", "%s", why);
		return err_row(err)->exit_status;
	}
	if (values.given[OPT_PRINT])
		conf_print(settings->conf, STDOUT_FILENO);
	else if (values.given[OPT_CHECK])
		puts("configuration is valid");
	else
		status = serve(settings, values.text[OPT_CONFIG], values.given[OPT_UNSAFE]);
	settings_release(settings);
	return status;
}
