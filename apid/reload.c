/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/reload.h"

#include "apid/certificate.h"
#include "base/clock.h"
#include "base/log.h"
#include "service/breakers.h"
#include "service/catalogue.h"
#include "service/rotation.h"

#include <stddef.h>
#include <stdio.h>

#define ACQUIRE_WAIT_MS 1000

/* What was read, on its way into force. */
struct fresh {
	struct settings *settings;
	struct catalogue_view *view; /* NULL: the database is away, the watcher will read it */
	struct settings_changes changes;
};

static void fresh_done(struct fresh *fresh)
{
	settings_release(fresh->settings);
	catalogue_release(fresh->view);
}

static bool refuse(const struct reload *reload, enum err err, const char *why)
{
	metrics_count(reload->app->metrics, METRICS_RELOAD_REFUSED);
	log_error("the configuration was read again and changes nothing: the old one stays in "
		  "force",
		  LOG_ERR(err), LOG_TEXT("why", why));
	return false;
}

/* That the database is away is no fault of the configuration. */
static bool view_read(const struct reload *reload, struct fresh *fresh)
{
	char why[CATALOGUE_WHY_SIZE] = "";
	const enum err err = catalogue_prepare(reload->app->catalogue, &fresh->view, why);

	return err != ERR_CONFIG && err != ERR_IO ? true : refuse(reload, err, why);
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

/* As at the start: without a key in use payments would wait for it, and profiles would not open. */
static bool keys_check(const struct reload *reload, const struct fresh *fresh)
{
	struct key_check check = { .vault = &fresh->settings->vault };
	char why[STORE_WHY_SIZE];

	if (store_pool_look(reload->app->pool, ACQUIRE_WAIT_MS, look_keys, &check) != ERR_CONFIG)
		return true;
	(void)snprintf(why, sizeof why, RELOAD_KEY_MISSING, check.missing);
	return refuse(reload, ERR_CONFIG, why);
}

static bool fresh_read(const struct reload *reload, struct fresh *fresh)
{
	char why[SETTINGS_WHY_SIZE] = "";
	const enum err err =
		settings_load(reload->path, SETTINGS_ALL, &fresh->settings, why, sizeof why);

	if (err != ERR_OK)
		return refuse(reload, err, why[0] != '\0' ? why : err_row(err)->title);
	return keys_check(reload, fresh) && view_read(reload, fresh);
}

/* Gateways' secrets go first: whatever follows may already need them. */
static void fresh_publish(const struct reload *reload, struct fresh *fresh)
{
	struct app *app = reload->app;
	const struct settings *before = settings_live_hold(app->settings);

	settings_succeed(fresh->settings, before, reload->first, &fresh->changes);
	settings_release(before);
	if (fresh->view != NULL)
		catalogue_adopt(app->catalogue, fresh->view);
	else
		catalogue_ask_again(app->catalogue);
	breakers_tune(app->breakers, &fresh->settings->breakers);
	log_level_set(fresh->settings->log_level);
	settings_live_replace(app->settings, fresh->settings);
}

static void report(const struct reload *reload, const struct fresh *fresh)
{
	const struct settings_changes *changes = &fresh->changes;

	metrics_count(reload->app->metrics, METRICS_RELOAD_TAKEN);
	if (changes->restart[0] != '\0')
		log_warning("some settings need a restart", LOG_TEXT("settings", changes->restart));
	if (fresh->view == NULL)
		log_note(LOG_WARNING, "the database is away: gateways' secrets are read again "
				      "when it is back");
	log_info("configuration read again",
		 LOG_TEXT("changed", changes->taken[0] != '\0' ? changes->taken : NULL),
		 LOG_TEXT("restart", changes->restart[0] != '\0' ? changes->restart : NULL));
	certificate_tell(fresh->settings, clock_now_us());
}

bool reload_run(const struct reload *reload)
{
	struct fresh fresh = { .settings = NULL };

	if (!fresh_read(reload, &fresh)) {
		fresh_done(&fresh);
		return false;
	}
	fresh_publish(reload, &fresh);
	report(reload, &fresh);
	return true;
}
