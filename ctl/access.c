/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/access.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/token_rule.h"
#include "ctl/command.h"

static enum err take_password(struct access *access, const struct cli_values *values,
			      char why[SETTINGS_WHY_SIZE])
{
	enum err err;

	if (values->given[ACCESS_USER]) {
		access->store.user = values->text[ACCESS_USER];
		access->store.password = NULL;
	}
	if (!values->given[ACCESS_PASSWORD_FILE])
		return ERR_OK;
	err = secret_read_file(values->text[ACCESS_PASSWORD_FILE], &access->password, why,
			       SETTINGS_WHY_SIZE);
	access->store.password = &access->password;
	return err;
}

enum err access_open(struct access *access, const struct cli_values *values,
		     char why[SETTINGS_WHY_SIZE])
{
	return access_open_part(access, values, SETTINGS_DATABASE, why);
}

enum err access_open_part(struct access *access, const struct cli_values *values,
			  enum settings_part part, char why[SETTINGS_WHY_SIZE])
{
	enum err err;

	*access = (struct access){ .settings = NULL };
	err = settings_load(values->text[ACCESS_CONFIG], part, &access->settings, why,
			    SETTINGS_WHY_SIZE);
	if (err == ERR_MEMORY)
		snprintf(why, SETTINGS_WHY_SIZE, "%s", err_row(err)->title);
	if (err != ERR_OK)
		return err;
	access->store = access->settings->database;
	if (values->given[ACCESS_SOCKET])
		access->store.socket = values->text[ACCESS_SOCKET];
	err = take_password(access, values, why);
	if (err != ERR_OK)
		access_done(access);
	return err;
}

void access_done(struct access *access)
{
	settings_release(access->settings);
	secret_done(&access->password);
	*access = (struct access){ .settings = NULL };
}

const char *access_person(void)
{
	const struct passwd *user = getpwuid(getuid());

	return user != NULL && token_rule_subject(user->pw_name) ? user->pw_name : COMMAND_PROGRAM;
}

enum err access_with(const struct cli_values *values, enum settings_part part, access_work *work,
		     void *context, char why[ACCESS_WHY_SIZE])
{
	struct access access;
	struct store *store;
	enum err err = access_open_part(&access, values, part, why);

	if (err != ERR_OK)
		return err;
	err = store_open(&access.store, &store, why);
	if (err == ERR_OK) {
		err = store_check_schema(store, why);
		if (err == ERR_OK) {
			err = work(store, &access, context);
			snprintf(why, ACCESS_WHY_SIZE, "%s", err_row(err)->title);
		}
		store_close(store);
	}
	access_done(&access);
	return err;
}

struct single {
	enum access_mode mode;
	store_work *work;
	void *context;
};

static enum err single_run(struct store *store, const struct access *access, void *context)
{
	const struct single *single = context;

	(void)access;
	return single->mode == ACCESS_LOOK ? store_look(store, single->work, single->context)
					   : store_run(store, single->work, single->context);
}

enum err access_run(const struct cli_values *values, enum access_mode mode, store_work *work,
		    void *context, char why[ACCESS_WHY_SIZE])
{
	struct single single = { mode, work, context };

	return access_with(values, SETTINGS_DATABASE, single_run, &single, why);
}
