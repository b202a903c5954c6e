/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a command reaches the configuration and the database: the options of all that do, and what they change.
 *
 * Invariant  with --database-user, the configuration's password is not used: it belongs to another user
 * Ownership  access_done() wipes and frees all; `store` is borrowed from it
 * Threads    main thread only
 */
#ifndef CTL_ACCESS_H
#define CTL_ACCESS_H

#include "base/cli.h"
#include "core/err.h"
#include "service/settings.h"

/* clang-format off */
#define ACCESS_CONFIG_OPTION \
	{ "config", 'c', CLI_TEXT, "FILE", SETTINGS_DEFAULT_PATH, 0, 0, \
	  "read the configuration from FILE and its conf.d" }
#define ACCESS_OPTIONS \
	ACCESS_CONFIG_OPTION, \
	{ "database-user", 0, CLI_TEXT, "NAME", NULL, 0, 0, \
	  "connect as NAME instead of the configuration's user" }, \
	{ "database-password-file", 0, CLI_TEXT, "FILE", NULL, 0, 0, \
	  "read the password of that user from FILE" }, \
	{ "database-socket", 0, CLI_TEXT, "PATH", NULL, 0, 0, \
	  "connect to the database's socket at PATH" }
/* clang-format on */

/* An option table begins with ACCESS_OPTIONS (or ACCESS_CONFIG_OPTION alone); its own rows follow from ACCESS_COUNT. */
enum access_option {
	ACCESS_CONFIG,
	ACCESS_USER,
	ACCESS_PASSWORD_FILE,
	ACCESS_SOCKET,
	ACCESS_COUNT
};

struct access {
	struct settings *settings;
	struct secret password;
	struct store_settings store;
};

/*
 * Read the configuration and what the options above say of the database.
 * Returns  ERR_OK with *access; ERR_CONFIG or ERR_IO with what is wrong in `why`; ERR_MEMORY
 */
CHECKED enum err access_open(struct access *access, const struct cli_values *values,
			     char why[SETTINGS_WHY_SIZE]);
/* The same, with more of the configuration than what a connection needs. */
CHECKED enum err access_open_part(struct access *access, const struct cli_values *values,
				  enum settings_part part, char why[SETTINGS_WHY_SIZE]);
void access_done(struct access *access);

/* The name of the user who runs this; the program's where that cannot stand in a record. */
const char *access_person(void);

/* Whether work may be done without a transaction: it only reads. */
enum access_mode { ACCESS_LOOK, ACCESS_RUN };

#define ACCESS_WHY_SIZE SETTINGS_WHY_SIZE

/*
 * Read the configuration, connect, check that the schema is this build's, and do the work.
 * Returns  what the work returned, or what stood in its way, with one line (of the configuration
 *          several) in `why`
 */
CHECKED enum err access_run(const struct cli_values *values, enum access_mode mode,
			    store_work *work, void *context, char why[ACCESS_WHY_SIZE]);

/* The same with a connection of its own, for what runs its transactions itself. */
typedef enum err access_work(struct store *store, const struct access *access, void *context);
CHECKED enum err access_with(const struct cli_values *values, enum settings_part part,
			     access_work *work, void *context, char why[ACCESS_WHY_SIZE]);

#endif
