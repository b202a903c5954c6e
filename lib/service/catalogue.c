/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/catalogue.h"

#include "base/log.h"
#include "core/routing_text.h"
#include "store/catalogue.h"
#include "store/route.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ACQUIRE_WAIT_MS 1000
#define NO_VERSION (-1)

struct catalogue {
	struct store_pool *pool; /* NULL: nobody watches */
	pthread_t watcher;
	pthread_mutex_t mutex; /* guards: view, asked, stopping */
	pthread_cond_t stop;
	struct catalogue_view *view;
	bool asked; /* to read it all, whatever the version */
	bool stopping;
	int64_t bad_version; /* the watcher's own: already complained about */
};

/* ---- reading ---- */

/* While rows come in. */
struct reading {
	enum catalogue_use use;
	struct catalogue_view *view;
	char *why;
	size_t rule_room;
	size_t account_room;
	enum err err; /* the first thing that was wrong with a row */
};

static bool refuse(struct reading *reading, enum err err, const char *what, const char *name)
{
	if (reading->err == ERR_OK) {
		reading->err = err;
		snprintf(reading->why, CATALOGUE_WHY_SIZE, "%s%s%s", what,
			 name[0] == '\0' ? "" : " ", name);
	}
	return false;
}

/* Room for one more element of an array that grows. */
static bool grow(struct reading *reading, void **list, size_t count, size_t *room, size_t size)
{
	size_t wanted = *room == 0 ? 8 : *room * 2;
	void *grown;

	if (count < *room)
		return true;
	grown = realloc(*list, wanted * size);
	if (grown == NULL)
		return refuse(reading, ERR_MEMORY, err_row(ERR_MEMORY)->title, "");
	*list = grown;
	*room = wanted;
	return true;
}

static bool secret_take(struct reading *reading, const char *path, struct secret *secret)
{
	enum err err;

	if (reading->use == CATALOGUE_SHOW)
		return true;
	err = secret_read_file(path, secret, reading->why, CATALOGUE_WHY_SIZE);
	if (err != ERR_OK && reading->err == ERR_OK)
		reading->err = err; /* `why` says it */
	return err == ERR_OK;
}

static bool callback_secrets_take(struct reading *reading, const char *now, const char *previous,
				  struct gateway *gateway)
{
	const char *const files[] = { now, previous };

	gateway->callback_secret_count = 0;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		if (files[i][0] == '\0')
			continue;
		if (!secret_take(reading, files[i],
				 &gateway->callback_secrets[gateway->callback_secret_count]))
			return false;
		gateway->callback_secret_count++;
	}
	return true;
}

static bool secrets_take(struct reading *reading, const struct gateway_row *row,
			 struct gateway *gateway)
{
	return secret_take(reading, row->api_key_file, &gateway->api_key) &&
	       callback_secrets_take(reading, row->callback_secret_file,
				     row->callback_secret_file_previous, gateway);
}

static void capability_fill(struct routing_gateway *capability, const struct gateway_row *row,
			    const struct gateway_adapter *adapter)
{
	*capability = (struct routing_gateway){
		.operations = routing_operations(row->operations) & adapter->operations,
		.state = row->state,
		.maintenance_from_us = row->maintenance_from_us,
		.maintenance_until_us = row->maintenance_until_us,
	};
	memcpy(capability->name, row->gateway, sizeof capability->name);
	memcpy(capability->currencies, row->currencies, sizeof capability->currencies);
	memcpy(capability->countries, row->countries, sizeof capability->countries);
	memcpy(capability->methods, row->methods, sizeof capability->methods);
	memcpy(capability->limits, row->limits, sizeof capability->limits);
	memcpy(capability->maintenance_reason, row->maintenance_reason,
	       sizeof capability->maintenance_reason);
}

static_assert(sizeof((struct gateway *)0)->name == ROUTING_NAME_SIZE, "names are copied whole");
static_assert(sizeof((struct gateway *)0)->base_url >= GATEWAY_BASE_URL_SIZE, "as are addresses");

static void gateway_take(void *context, const struct gateway_row *row)
{
	struct reading *reading = context;
	struct gateway_set *set = &reading->view->gateways;
	const struct gateway_adapter *adapter = gateway_adapter_find(row->adapter);
	struct gateway *gateway = &set->list[set->count];

	if (reading->err != ERR_OK)
		return;
	if (set->count == GATEWAYS_MAX) {
		refuse(reading, ERR_CONFIG, "there are more than 16 gateways", "");
		return;
	}
	if (adapter == NULL) {
		refuse(reading, ERR_CONFIG, "this build has no adapter", row->adapter);
		return;
	}
	memcpy(gateway->name, row->gateway, sizeof gateway->name);
	memcpy(gateway->base_url, row->base_url, sizeof row->base_url);
	gateway->adapter = adapter;
	gateway->connect_timeout_ms = row->connect_timeout_ms;
	gateway->total_timeout_ms = row->total_timeout_ms;
	gateway->idempotent = row->idempotent;
	gateway->authoritative = row->authoritative;
	gateway->quiet_us = row->quiet_ms * 1000;
	gateway->callback_wait_us = row->callback_wait_ms * 1000;
	gateway->authorisation_us = row->authorisation_expiry_s * 1000000;
	capability_fill(&reading->view->capabilities[set->count], row, adapter);
	if (secrets_take(reading, row, gateway))
		set->count++;
}

static bool gateway_index(struct reading *reading, const char *name, unsigned *index)
{
	const struct gateway_set *set = &reading->view->gateways;

	for (*index = 0; *index < set->count; (*index)++)
		if (strcmp(set->list[*index].name, name) == 0)
			return true;
	return refuse(reading, ERR_CONFIG, "there is no gateway", name);
}

/* What an account has not of its own is the gateway's. */
static void credentials_take(struct reading *reading, const struct gateway_account_row *row,
			     struct catalogue_account *account)
{
	const bool has_key = row->api_key_file[0] != '\0';
	const bool signs = row->callback_secret_file[0] != '\0';

	if (!has_key && !signs)
		return;
	account->own = malloc(sizeof *account->own);
	if (account->own == NULL) {
		refuse(reading, ERR_MEMORY, err_row(ERR_MEMORY)->title, "");
		return;
	}
	*account->own = reading->view->gateways.list[account->gateway];
	if (has_key && !secret_take(reading, row->api_key_file, &account->own->api_key))
		return;
	if (!signs || !callback_secrets_take(reading, row->callback_secret_file,
					     row->callback_secret_file_previous, account->own))
		return;
	account->signs = true;
	reading->view->signing_count++;
}

static void account_take(void *context, const struct gateway_account_row *row)
{
	struct reading *reading = context;
	struct catalogue_view *view = reading->view;
	struct catalogue_account *account;
	unsigned gateway;

	if (reading->err != ERR_OK || !gateway_index(reading, row->gateway, &gateway) ||
	    !grow(reading, (void **)&view->accounts, view->account_count, &reading->account_room,
		  sizeof *view->accounts))
		return;
	if (view->account_count == CATALOGUE_ACCOUNTS_MAX) {
		refuse(reading, ERR_CONFIG, "there are more than 10000 gateway accounts", "");
		return;
	}
	account = &view->accounts[view->account_count++];
	*account = (struct catalogue_account){ .gateway = gateway };
	memcpy(account->merchant, row->merchant, sizeof account->merchant);
	memcpy(account->account, row->account, sizeof account->account);
	if (reading->use == CATALOGUE_SEND)
		credentials_take(reading, row, account);
}

static void rule_take(void *context, const struct route_rule_row *row)
{
	struct reading *reading = context;
	struct catalogue_view *view = reading->view;
	struct routing_rule *rule;

	if (reading->err != ERR_OK ||
	    !grow(reading, (void **)&view->rules, view->routing.rule_count, &reading->rule_room,
		  sizeof *view->rules))
		return;
	if (view->routing.rule_count == ROUTING_RULES_MAX ||
	    row->number != (int)view->routing.rule_count + 1) {
		refuse(reading, ERR_CONFIG, "rules are not numbered 1 to at most 256", "");
		return;
	}
	rule = &view->rules[view->routing.rule_count++];
	*rule = (struct routing_rule){ .amount_min = row->amount_min,
				       .amount_max = row->amount_max };
	memcpy(rule->name, row->rule, sizeof rule->name);
	memcpy(rule->merchants, row->merchants, sizeof rule->merchants);
	memcpy(rule->kinds, row->kinds, sizeof rule->kinds);
	memcpy(rule->countries, row->countries, sizeof rule->countries);
	memcpy(rule->currencies, row->currencies, sizeof rule->currencies);
	memcpy(rule->methods, row->methods, sizeof rule->methods);
}

static void target_take(void *context, const struct route_target_row *row)
{
	struct reading *reading = context;
	struct catalogue_view *view = reading->view;
	struct routing_rule *rule;
	unsigned gateway;

	if (reading->err != ERR_OK || !gateway_index(reading, row->gateway, &gateway))
		return;
	rule = &view->rules[row->number - 1]; /* its rule is there: foreign key */
	rule->targets[rule->target_count++] = (struct routing_target){
		.gateway = gateway,
		.priority = (unsigned)row->priority,
		.weight = (unsigned)row->weight,
	};
}

/* The last rule must take what no other takes. Without any rule nothing is taken at all. */
static void rules_judge(struct reading *reading)
{
	const struct routing_table *table = &reading->view->routing;

	for (size_t i = 0; i < table->rule_count; i++)
		if (reading->view->rules[i].target_count == 0)
			refuse(reading, ERR_CONFIG, "no gateway is named by rule",
			       reading->view->rules[i].name);
	if (table->rule_count > 0 &&
	    !routing_is_default(&reading->view->rules[table->rule_count - 1]))
		refuse(reading, ERR_CONFIG, "the last rule has conditions: a default is missing",
		       "");
}

static enum err rows_read(struct store_tx *tx, struct reading *reading)
{
	struct catalogue_view *view = reading->view;
	enum err err = store_gateway_list(tx, gateway_take, reading);

	if (err == ERR_OK)
		err = store_gateway_account_list(tx, account_take, reading);
	if (err == ERR_OK)
		err = store_route_rule_list(tx, rule_take, reading);
	if (err == ERR_OK)
		err = store_route_target_list(tx, target_take, reading);
	if (err != ERR_OK)
		return err;
	rules_judge(reading);
	view->routing.gateway_count = view->gateways.count;
	view->routing.gateways = view->capabilities;
	view->routing.rules = view->rules;
	return reading->err;
}

static void view_free(struct catalogue_view *view)
{
	for (size_t i = 0; i < view->account_count; i++) {
		if (view->accounts[i].own != NULL)
			explicit_bzero(view->accounts[i].own, sizeof *view->accounts[i].own);
		free(view->accounts[i].own);
	}
	free(view->accounts);
	free(view->rules);
	explicit_bzero(view, sizeof *view);
	free(view);
}

enum err catalogue_read(struct store_tx *tx, enum catalogue_use use, struct catalogue_view **view,
			char why[CATALOGUE_WHY_SIZE])
{
	struct reading reading = { .use = use, .why = why };
	int64_t version_after;
	enum err err;

	reading.view = calloc(1, sizeof *reading.view);
	if (reading.view == NULL)
		return ERR_MEMORY;
	atomic_init(&reading.view->holders, 1);
	err = store_catalogue_version(tx, &reading.view->version);
	if (err == ERR_OK)
		err = rows_read(tx, &reading);
	/* Each list is of one moment; all are of one version where it stayed the same. */
	if (store_catalogue_version(tx, &version_after) == ERR_OK &&
	    version_after != reading.view->version)
		err = ERR_BUSY;
	if (err != ERR_OK) {
		view_free(reading.view);
		return err;
	}
	*view = reading.view;
	return ERR_OK;
}

/* ---- holding ---- */

const struct catalogue_view *catalogue_share(const struct catalogue_view *view)
{
	atomic_fetch_add(&((struct catalogue_view *)view)->holders, 1);
	return view;
}

void catalogue_release(const struct catalogue_view *view)
{
	struct catalogue_view *held = (struct catalogue_view *)view;

	if (held != NULL && atomic_fetch_sub(&held->holders, 1) == 1)
		view_free(held);
}

const struct catalogue_view *catalogue_hold(struct catalogue *catalogue)
{
	const struct catalogue_view *view;

	pthread_mutex_lock(&catalogue->mutex);
	view = catalogue_share(catalogue->view);
	pthread_mutex_unlock(&catalogue->mutex);
	return view;
}

const struct gateway *catalogue_gateway(const struct catalogue_view *view, unsigned gateway,
					const char *merchant, const char **account)
{
	*account = "";
	for (size_t i = 0; i < view->account_count; i++) {
		const struct catalogue_account *at = &view->accounts[i];

		if (at->gateway != gateway || strcmp(at->merchant, merchant) != 0)
			continue;
		*account = at->account;
		return at->own != NULL ? at->own : &view->gateways.list[gateway];
	}
	return &view->gateways.list[gateway];
}

/* ---- watching ---- */

struct look {
	int64_t known_version;
	struct catalogue_view *view; /* NULL: nothing is new */
	int64_t version;
	char why[CATALOGUE_WHY_SIZE];
};

static enum err look_work(struct store_tx *tx, void *context)
{
	struct look *look = context;
	enum err err = store_catalogue_version(tx, &look->version);

	if (err != ERR_OK || look->version == look->known_version)
		return err;
	return catalogue_read(tx, CATALOGUE_SEND, &look->view, look->why);
}

void catalogue_adopt(struct catalogue *catalogue, struct catalogue_view *view)
{
	struct catalogue_view *old = view;

	pthread_mutex_lock(&catalogue->mutex);
	if (view->version >= catalogue->view->version) {
		old = catalogue->view;
		catalogue->view = view;
	}
	pthread_mutex_unlock(&catalogue->mutex);
	catalogue_release(old);
}

enum err catalogue_prepare(struct catalogue *catalogue, struct catalogue_view **view,
			   char why[CATALOGUE_WHY_SIZE])
{
	struct look look = { .known_version = NO_VERSION };
	enum err err = store_pool_look(catalogue->pool, ACQUIRE_WAIT_MS, look_work, &look);

	if (err == ERR_OK)
		*view = look.view;
	else
		snprintf(why, CATALOGUE_WHY_SIZE, "%s", look.why);
	return err;
}

void catalogue_ask_again(struct catalogue *catalogue)
{
	pthread_mutex_lock(&catalogue->mutex);
	catalogue->asked = true;
	pthread_mutex_unlock(&catalogue->mutex);
}

/* The version that need not be read again; whether that was asked for is forgotten. */
static int64_t known_version(struct catalogue *catalogue)
{
	int64_t version;

	pthread_mutex_lock(&catalogue->mutex);
	version = catalogue->asked ? NO_VERSION : catalogue->view->version;
	catalogue->asked = false;
	pthread_mutex_unlock(&catalogue->mutex);
	return version;
}

/* Once for each version: what is wrong with a file may be mended without another. */
static void complain(struct catalogue *catalogue, const struct look *look, enum err err)
{
	if ((err != ERR_CONFIG && err != ERR_IO) || catalogue->bad_version == look->version)
		return;
	catalogue->bad_version = look->version;
	log_error("the changed gateways and routes cannot be used: the old ones stay in force",
		  LOG_INT("version", look->version), LOG_TEXT("why", look->why));
}

bool catalogue_refresh(struct catalogue *catalogue)
{
	struct look look = { .known_version = known_version(catalogue) };
	enum err err = store_pool_look(catalogue->pool, ACQUIRE_WAIT_MS, look_work, &look);

	if (err != ERR_OK) {
		complain(catalogue, &look, err);
		if (look.known_version == NO_VERSION && err != ERR_CONFIG && err != ERR_IO)
			catalogue_ask_again(catalogue);
		return false;
	}
	if (look.view == NULL)
		return false;
	log_info("gateways and routes changed", LOG_INT("version", look.view->version),
		 LOG_INT("gateways", (int64_t)look.view->gateways.count),
		 LOG_INT("rules", (int64_t)look.view->routing.rule_count));
	catalogue_adopt(catalogue, look.view);
	return true;
}

/* True: it is time to look; false: it is time to stop. */
static bool wait_for_look(struct catalogue *catalogue)
{
	struct timespec until;
	bool stopping;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += CATALOGUE_LOOK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&catalogue->mutex);
	while (!catalogue->stopping &&
	       pthread_cond_timedwait(&catalogue->stop, &catalogue->mutex, &until) == 0)
		;
	stopping = catalogue->stopping;
	pthread_mutex_unlock(&catalogue->mutex);
	return !stopping;
}

static void *watch(void *context)
{
	struct catalogue *catalogue = context;

	while (wait_for_look(catalogue))
		(void)catalogue_refresh(catalogue);
	return NULL;
}

static struct catalogue *catalogue_new(struct store_pool *pool, struct catalogue_view *view)
{
	struct catalogue *catalogue = calloc(1, sizeof *catalogue);
	pthread_condattr_t attributes;

	if (catalogue == NULL)
		return NULL;
	catalogue->pool = pool;
	catalogue->view = view;
	catalogue->bad_version = NO_VERSION;
	pthread_mutex_init(&catalogue->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&catalogue->stop, &attributes);
	pthread_condattr_destroy(&attributes);
	return catalogue;
}

static void catalogue_free(struct catalogue *catalogue)
{
	catalogue_release(catalogue->view);
	pthread_cond_destroy(&catalogue->stop);
	pthread_mutex_destroy(&catalogue->mutex);
	free(catalogue);
}

enum err catalogue_of(struct catalogue_view *view, struct catalogue **catalogue)
{
	struct catalogue *made = catalogue_new(NULL, view);

	if (made == NULL)
		return ERR_MEMORY;
	*catalogue = made;
	return ERR_OK;
}

enum err catalogue_open(struct store_pool *pool, struct catalogue **catalogue,
			char why[CATALOGUE_WHY_SIZE])
{
	struct look look = { .known_version = NO_VERSION };
	struct catalogue *opened;
	enum err err = store_pool_look(pool, ACQUIRE_WAIT_MS, look_work, &look);

	if (err != ERR_OK) {
		snprintf(why, CATALOGUE_WHY_SIZE, "%s",
			 look.why[0] != '\0' ? look.why : err_row(err)->title);
		return err;
	}
	opened = catalogue_new(pool, look.view);
	if (opened == NULL) {
		catalogue_release(look.view);
		return ERR_MEMORY;
	}
	if (pthread_create(&opened->watcher, NULL, watch, opened) != 0) {
		catalogue_free(opened);
		return ERR_MEMORY;
	}
	if (look.view->routing.rule_count == 0)
		log_note(LOG_WARNING, "there are no routes yet: every payment will be refused");
	*catalogue = opened;
	return ERR_OK;
}

void catalogue_close(struct catalogue *catalogue)
{
	if (catalogue == NULL)
		return;
	if (catalogue->pool != NULL) {
		pthread_mutex_lock(&catalogue->mutex);
		catalogue->stopping = true;
		pthread_cond_signal(&catalogue->stop);
		pthread_mutex_unlock(&catalogue->mutex);
		pthread_join(catalogue->watcher, NULL);
	}
	catalogue_free(catalogue);
}
