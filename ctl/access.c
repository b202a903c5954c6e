/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/access.h"

#include <stdio.h>

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
	enum err err;

	*access = (struct access){ .settings = NULL };
	err = settings_load(values->text[ACCESS_CONFIG], SETTINGS_DATABASE, &access->settings, why,
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
	settings_free(access->settings);
	secret_done(&access->password);
	*access = (struct access){ .settings = NULL };
}
