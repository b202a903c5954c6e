/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/routing_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "core/routing_text.h"
#include "core/text.h"
#include "gateway/gateway.h"

#define GATEWAYS "gateways"
#define ACCOUNTS "accounts"
#define ROUTES "routes"

/* clang-format off */
static const struct conf_setting gateway_settings[] = {
	/* name, type, default, min, max, words, help, change */
	{ "name", CONF_TEXT, NULL, 1, ROUTING_NAME_SIZE - 1, NULL, "", CONF_UNSAID },
	{ "adapter", CONF_TEXT, NULL, 1, ROUTING_NAME_SIZE - 1, NULL, "", CONF_UNSAID },
	{ "base_url", CONF_TEXT, NULL, 1, GATEWAY_BASE_URL_SIZE - 1, NULL, "", CONF_UNSAID },
	{ "api_key_file", CONF_PATH, NULL, 1, GATEWAY_PATH_SIZE - 1, NULL, "", CONF_UNSAID },
	{ "callback_secret_file", CONF_PATH, NULL, 1, GATEWAY_PATH_SIZE - 1, NULL, "",
	  CONF_UNSAID },
	{ "callback_secret_file_previous", CONF_PATH, "", 0, GATEWAY_PATH_SIZE - 1, NULL, "",
	  CONF_UNSAID },
	{ "connect_timeout_ms", CONF_INT, "3000", 10, 60000, NULL, "", CONF_UNSAID },
	{ "total_timeout_ms", CONF_INT, "30000", 100, 120000, NULL, "", CONF_UNSAID },
	{ "quiet_ms", CONF_INT, "60000", 100, 3600000, NULL, "", CONF_UNSAID },
	{ "callback_wait_ms", CONF_INT, "15000", 100, 86400000, NULL, "", CONF_UNSAID },
	{ "authorisation_expiry_s", CONF_INT, "518400", 1, 31536000, NULL, "", CONF_UNSAID },
	{ "idempotent", CONF_BOOL, "true", 0, 0, NULL, "", CONF_UNSAID },
	{ "authoritative", CONF_BOOL, "true", 0, 0, NULL, "", CONF_UNSAID },
	{ "operations", CONF_TEXT, "", 0, 0, NULL, "", CONF_UNSAID },
	{ "currencies", CONF_TEXT, "", 0, 0, NULL, "", CONF_UNSAID },
	{ "countries", CONF_TEXT, "", 0, 0, NULL, "", CONF_UNSAID },
	{ "methods", CONF_TEXT, "", 0, 0, NULL, "", CONF_UNSAID },
	{ "limits", CONF_TEXT, "", 0, 0, NULL, "", CONF_UNSAID },
};

static const struct conf_setting account_settings[] = {
	{ "gateway", CONF_TEXT, NULL, 1, ROUTING_NAME_SIZE - 1, NULL, "", CONF_UNSAID },
	{ "merchant", CONF_TEXT, NULL, 1, MERCHANT_SIZE - 1, NULL, "", CONF_UNSAID },
	{ "account", CONF_TEXT, NULL, 1, GATEWAY_ACCOUNT_SIZE - 1, NULL, "", CONF_UNSAID },
	{ "api_key_file", CONF_PATH, "", 0, GATEWAY_PATH_SIZE - 1, NULL, "", CONF_UNSAID },
	{ "callback_secret_file", CONF_PATH, "", 0, GATEWAY_PATH_SIZE - 1, NULL, "",
	  CONF_UNSAID },
	{ "callback_secret_file_previous", CONF_PATH, "", 0, GATEWAY_PATH_SIZE - 1, NULL, "",
	  CONF_UNSAID },
};

static const struct conf_setting route_settings[] = {
	{ "name", CONF_TEXT, NULL, 1, ROUTING_NAME_SIZE - 1, NULL, "", CONF_UNSAID },
	{ "merchants", CONF_TEXT, "", 0, 0, NULL, "", CONF_UNSAID },
	{ "kinds", CONF_TEXT, "", 0, 0, NULL, "", CONF_UNSAID },
	{ "countries", CONF_TEXT, "", 0, 0, NULL, "", CONF_UNSAID },
	{ "currencies", CONF_TEXT, "", 0, 0, NULL, "", CONF_UNSAID },
	{ "methods", CONF_TEXT, "", 0, 0, NULL, "", CONF_UNSAID },
	{ "amount_min", CONF_INT, "0", 0, MONEY_MAX_MINOR, NULL, "", CONF_UNSAID },
	{ "amount_max", CONF_INT, "0", 0, MONEY_MAX_MINOR, NULL, "", CONF_UNSAID },
	{ "gateways", CONF_TEXT, NULL, 1, 511, NULL, "", CONF_UNSAID },
};

#define LIST(NAME, ROWS) { NAME, ROWS, sizeof ROWS / sizeof ROWS[0], "" }
static const struct conf_list gateways_lists[] = {
	LIST(GATEWAYS, gateway_settings),
	LIST(ACCOUNTS, account_settings),
};
static const struct conf_list routes_lists[] = { LIST(ROUTES, route_settings) };

static const struct conf_table gateways_table = { NULL, 0, gateways_lists, 2, true };
static const struct conf_table routes_table = { NULL, 0, routes_lists, 1, true };
/* clang-format on */

/* One group of a list while it is judged. */
struct group {
	const char *path;
	const struct conf *conf;
	struct conf_problems *problems;
	const char *list;
	size_t index;
};

static void problem(const struct group *group, const char *name, const char *text)
{
	conf_problem(group->problems, group->path,
		     conf_list_place(group->conf, group->list, group->index, name), "%s%s%s",
		     name == NULL ? "" : name, name == NULL ? "" : " ", text);
}

static const char *text_of(const struct group *group, const char *name)
{
	return conf_list_text(group->conf, group->list, group->index, name);
}

static int64_t integer_of(const struct group *group, const char *name)
{
	return conf_list_int(group->conf, group->list, group->index, name);
}

/* A word of its own among those before it. */
static void take_name(const struct group *group, char name[ROUTING_NAME_SIZE])
{
	const char *text = text_of(group, "name");

	snprintf(name, ROUTING_NAME_SIZE, "%s", text);
	if (!text_is(TEXT_WORD, text, strlen(text)))
		problem(group, "name", "must be a word of a-z, 0-9 and _");
	for (size_t i = 0; i < group->index; i++)
		if (strcmp(conf_list_text(group->conf, group->list, i, "name"), text) == 0)
			problem(group, "name", "is taken by another before it");
}

static void take_set(const struct group *group, const char *name, enum routing_words words,
		     char set[ROUTING_SET_SIZE])
{
	char why[ROUTING_WHY_SIZE];

	if (!routing_set_read(words, text_of(group, name), set, why))
		problem(group, name, why);
}

static void take_secret_file(const struct group *group, const char *name,
			     char path[GATEWAY_PATH_SIZE])
{
	const char *text = text_of(group, name);
	struct secret secret = { .size = 0 };
	char why[512];

	snprintf(path, GATEWAY_PATH_SIZE, "%s", text);
	if (text[0] != '\0' && secret_read_file(text, &secret, why, sizeof why) != ERR_OK)
		conf_problem(group->problems, group->path,
			     conf_list_place(group->conf, group->list, group->index, name), "%s",
			     why);
	secret_done(&secret);
}

/* An adapter that this build has, and nothing asked of it that it cannot do. */
static void take_adapter(const struct group *group, struct gateway_row *row)
{
	const struct gateway_adapter *adapter = gateway_adapter_find(text_of(group, "adapter"));
	unsigned wanted;

	snprintf(row->adapter, sizeof row->adapter, "%s", text_of(group, "adapter"));
	take_set(group, "operations", ROUTING_OPERATIONS, row->operations);
	if (adapter == NULL) {
		problem(group, "adapter", "is none that this build has");
		return;
	}
	wanted = row->operations[0] == '\0' ? 0 : routing_operations(row->operations);
	if ((wanted & ~adapter->operations) != 0)
		problem(group, "operations", "has one that the adapter cannot do");
}

static void take_times(const struct group *group, struct gateway_row *row)
{
	row->connect_timeout_ms = (int)integer_of(group, "connect_timeout_ms");
	row->total_timeout_ms = (int)integer_of(group, "total_timeout_ms");
	row->quiet_ms = integer_of(group, "quiet_ms");
	row->callback_wait_ms = integer_of(group, "callback_wait_ms");
	row->authorisation_expiry_s = integer_of(group, "authorisation_expiry_s");
	if (row->total_timeout_ms < row->connect_timeout_ms)
		problem(group, "total_timeout_ms", "must not be below connect_timeout_ms");
}

static void take_gateway(const struct group *group, struct gateway_row *row)
{
	char why[ROUTING_WHY_SIZE];
	const char *url = text_of(group, "base_url");

	take_name(group, row->gateway);
	take_adapter(group, row);
	snprintf(row->base_url, sizeof row->base_url, "%s", url);
	if (!text_is(TEXT_URL, url, strlen(url)) || url[strlen(url) - 1] == '/')
		problem(group, "base_url",
			"must be an http or https address without a slash at the end");
	take_secret_file(group, "api_key_file", row->api_key_file);
	take_secret_file(group, "callback_secret_file", row->callback_secret_file);
	take_secret_file(group, "callback_secret_file_previous",
			 row->callback_secret_file_previous);
	take_times(group, row);
	row->idempotent = conf_list_bool(group->conf, group->list, group->index, "idempotent");
	row->authoritative =
		conf_list_bool(group->conf, group->list, group->index, "authoritative");
	take_set(group, "currencies", ROUTING_CURRENCIES, row->currencies);
	take_set(group, "countries", ROUTING_COUNTRIES, row->countries);
	take_set(group, "methods", ROUTING_METHODS, row->methods);
	if (!routing_limits_read(text_of(group, "limits"), row->limits, why))
		problem(group, "limits", why);
}

static void take_account(const struct group *group, const struct gateways_file *file,
			 struct gateway_account_row *row)
{
	size_t at = 0;

	snprintf(row->gateway, sizeof row->gateway, "%s", text_of(group, "gateway"));
	snprintf(row->merchant, sizeof row->merchant, "%s", text_of(group, "merchant"));
	snprintf(row->account, sizeof row->account, "%s", text_of(group, "account"));
	if (!text_is(TEXT_VISIBLE, row->account, strlen(row->account)))
		problem(group, "account", "must be visible ASCII without blanks");
	while (at < file->count && strcmp(file->rows[at].gateway, row->gateway) != 0)
		at++;
	if (at == file->count)
		problem(group, "gateway", "is none of this file");
	for (size_t i = 0; i < group->index; i++)
		if (strcmp(file->accounts[i].gateway, row->gateway) == 0 &&
		    strcmp(file->accounts[i].merchant, row->merchant) == 0)
			problem(group, NULL, "the merchant has an account at this gateway already");
	take_secret_file(group, "api_key_file", row->api_key_file);
	take_secret_file(group, "callback_secret_file", row->callback_secret_file);
	take_secret_file(group, "callback_secret_file_previous",
			 row->callback_secret_file_previous);
	if (row->callback_secret_file[0] == '\0' && row->callback_secret_file_previous[0] != '\0')
		problem(group, "callback_secret_file_previous", "needs a callback_secret_file");
}

/* At least one element, so that an empty list is not want of memory. */
static void *rows_new(size_t count, size_t size)
{
	return calloc(count + 1, size);
}

static enum err judge_end(struct conf_problems *problems)
{
	conf_problems_end(problems);
	return problems->err;
}

enum err gateways_file_read(const char *path, struct gateways_file *file,
			    char why[ROUTING_FILE_WHY_SIZE])
{
	struct gateways_file read = { .count = 0 };
	struct conf_problems problems = { .text = why, .size = ROUTING_FILE_WHY_SIZE };
	struct group group = { .path = path, .problems = &problems };
	struct conf *conf;
	enum err err = conf_load(&gateways_table, path, &conf, why, ROUTING_FILE_WHY_SIZE);

	if (err != ERR_OK)
		return err;
	group.conf = conf;
	read.count = conf_list_count(conf, GATEWAYS);
	read.account_count = conf_list_count(conf, ACCOUNTS);
	read.rows = rows_new(read.count, sizeof *read.rows);
	read.accounts = rows_new(read.account_count, sizeof *read.accounts);
	if (read.rows == NULL || read.accounts == NULL)
		problems.err = ERR_MEMORY;
	group.list = GATEWAYS;
	for (size_t i = 0; problems.err != ERR_MEMORY && i < read.count; i++) {
		group.index = i;
		take_gateway(&group, &read.rows[i]);
	}
	group.list = ACCOUNTS;
	for (size_t i = 0; problems.err != ERR_MEMORY && i < read.account_count; i++) {
		group.index = i;
		take_account(&group, &read, &read.accounts[i]);
	}
	if (read.count == 0 || read.count > ROUTING_GATEWAYS_MAX)
		conf_problem(&problems, path, (struct conf_place){ 0, 0 },
			     "gateways: name 1 to %d gateways", ROUTING_GATEWAYS_MAX);
	conf_free(conf);
	err = judge_end(&problems);
	if (err != ERR_OK)
		gateways_file_done(&read);
	else
		*file = read;
	return err;
}

void gateways_file_done(struct gateways_file *file)
{
	free(file->rows);
	free(file->accounts);
	*file = (struct gateways_file){ .count = 0 };
}

/* ---- routes ---- */

static bool is_default(const struct route_rule_row *row)
{
	return row->merchants[0] == '\0' && row->kinds[0] == '\0' && row->countries[0] == '\0' &&
	       row->currencies[0] == '\0' && row->methods[0] == '\0' && row->amount_min == 0 &&
	       row->amount_max == 0;
}

static void take_targets(const struct group *group, struct routes_file *file)
{
	struct routing_named_target targets[ROUTING_TARGETS_MAX];
	char why[ROUTING_WHY_SIZE];
	size_t count = 0;

	if (!routing_targets_read(text_of(group, "gateways"), targets, &count, why))
		problem(group, "gateways", why);
	for (size_t i = 0; i < count; i++) {
		struct route_target_row *row = &file->targets[file->target_count++];

		*row = (struct route_target_row){ .number = (int)group->index + 1,
						  .priority = (int)targets[i].priority,
						  .weight = (int)targets[i].weight };
		memcpy(row->gateway, targets[i].name, sizeof row->gateway);
	}
}

static void take_amounts(const struct group *group, struct route_rule_row *row)
{
	row->amount_min = integer_of(group, "amount_min");
	row->amount_max = integer_of(group, "amount_max");
	if (row->amount_max != 0 && row->amount_min > row->amount_max)
		problem(group, "amount_max", "must not be below amount_min");
	if ((row->amount_min != 0 || row->amount_max != 0) && row->currencies[0] == '\0')
		problem(group, row->amount_min != 0 ? "amount_min" : "amount_max",
			"needs currencies beside it: it is in their minor units");
}

static void take_route(const struct group *group, struct routes_file *file)
{
	struct route_rule_row *row = &file->rules[group->index];
	const bool last = group->index + 1 == file->rule_count;

	row->number = (int)group->index + 1;
	take_name(group, row->rule);
	take_set(group, "merchants", ROUTING_MERCHANTS, row->merchants);
	take_set(group, "kinds", ROUTING_KINDS, row->kinds);
	take_set(group, "countries", ROUTING_COUNTRIES, row->countries);
	take_set(group, "currencies", ROUTING_CURRENCIES, row->currencies);
	take_set(group, "methods", ROUTING_METHODS, row->methods);
	take_amounts(group, row);
	take_targets(group, file);
	if (last && !is_default(row))
		problem(group, NULL,
			"the last rule must be a default: without any condition, so that it takes "
			"what no other does");
	if (!last && is_default(row))
		problem(group, NULL,
			"this rule has no condition: those after it would never be reached");
}

enum err routes_file_read(const char *path, struct routes_file *file,
			  char why[ROUTING_FILE_WHY_SIZE])
{
	struct routes_file read = { .path = path };
	struct conf_problems problems = { .text = why, .size = ROUTING_FILE_WHY_SIZE };
	struct group group = { .path = path, .problems = &problems, .list = ROUTES };
	enum err err = conf_load(&routes_table, path, &read.conf, why, ROUTING_FILE_WHY_SIZE);

	if (err != ERR_OK)
		return err;
	group.conf = read.conf;
	read.rule_count = conf_list_count(read.conf, ROUTES);
	read.rules = rows_new(read.rule_count, sizeof *read.rules);
	read.targets = rows_new(read.rule_count * ROUTING_TARGETS_MAX, sizeof *read.targets);
	if (read.rules == NULL || read.targets == NULL)
		problems.err = ERR_MEMORY;
	for (size_t i = 0; problems.err != ERR_MEMORY && i < read.rule_count; i++) {
		group.index = i;
		take_route(&group, &read);
	}
	if (read.rule_count == 0)
		conf_problem(&problems, path, (struct conf_place){ 0, 0 },
			     "routes: name at least one, the default");
	err = judge_end(&problems);
	if (err != ERR_OK)
		routes_file_done(&read);
	else
		*file = read;
	return err;
}

void routes_file_problem(const struct routes_file *file, struct conf_problems *problems, int number,
			 const char *name, const char *text)
{
	const struct group group = { file->path, file->conf, problems, ROUTES, (size_t)number - 1 };

	problem(&group, name, text);
}

void routes_file_done(struct routes_file *file)
{
	conf_free(file->conf);
	free(file->rules);
	free(file->targets);
	*file = (struct routes_file){ .path = NULL };
}
