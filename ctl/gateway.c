/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/gateway.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "core/text.h"
#include "ctl/access.h"
#include "ctl/routing_file.h"
#include "store/catalogue.h"
#include "store/gateway.h"

#define US_PER_MINUTE INT64_C(60000000)
#define MINUTES_MAX 43200 /* 30 days */
#define NOT_IN_FILE "not in the applied file"

static_assert((int)APPLY_DRY_RUN == (int)ACCESS_COUNT, "the option's place in its table");

enum { REASON = ACCESS_COUNT, FOR, IN, END };

/* clang-format off */
static const struct cli_option apply_options[] = {
	ACCESS_OPTIONS,
	{ "dry-run", 0, CLI_FLAG, NULL, NULL, 0, 0,
	  "judge the file and say what would change, but change nothing" },
};
static const struct cli_option list_options[] = { ACCESS_OPTIONS };
#define REASON_OPTION \
	{ "reason", 0, CLI_TEXT, "TEXT", NULL, 0, 0, "why, for those who read it later" }
static const struct cli_option state_options[] = { ACCESS_OPTIONS, REASON_OPTION };
static const struct cli_option maintain_options[] = {
	ACCESS_OPTIONS,
	REASON_OPTION,
	{ "for", 0, CLI_INT, "MINUTES", NULL, 1, MINUTES_MAX, "how long it will be away" },
	{ "in", 0, CLI_INT, "MINUTES", "0", 0, MINUTES_MAX, "when that begins; now when left out" },
	{ "end", 0, CLI_FLAG, NULL, NULL, 0, 0, "it is back, or will not be away" },
};
#define OPTIONS(ROWS) { ROWS, sizeof ROWS / sizeof *ROWS }
const struct command_options ctl_apply_options = OPTIONS(apply_options);
const struct command_options ctl_gateway_list_options = OPTIONS(list_options);
const struct command_options ctl_gateway_state_options = OPTIONS(state_options);
const struct command_options ctl_gateway_maintain_options = OPTIONS(maintain_options);
/* clang-format on */

/* The gateways that are there. */
struct known {
	struct gateway_row list[ROUTING_GATEWAYS_MAX];
	size_t count;
};

static void known_add(void *context, const struct gateway_row *row)
{
	struct known *known = context;

	if (known->count < ROUTING_GATEWAYS_MAX)
		known->list[known->count++] = *row;
}

static struct gateway_row *known_find(struct known *known, const char *name)
{
	for (size_t i = 0; i < known->count; i++)
		if (strcmp(known->list[i].gateway, name) == 0)
			return &known->list[i];
	return NULL;
}

/* ---- apply ---- */

enum verdict { ADDED, CHANGED, UNCHANGED, DISABLED };
static const char *const verdict_words[] = { "added", "changed", "unchanged", "disabled" };

struct apply {
	struct gateways_file file;
	bool dry_run;
	char *why;
	struct known known;
	enum verdict verdicts[2 * ROUTING_GATEWAYS_MAX];
	char names[2 * ROUTING_GATEWAYS_MAX][ROUTING_NAME_SIZE];
	size_t count;
	bool accounts_changed;
	bool changed;
	int64_t version;
	int64_t now_us;
	size_t account_at; /* while the accounts are compared */
};

static void verdict_add(struct apply *apply, const char *name, enum verdict verdict)
{
	snprintf(apply->names[apply->count], ROUTING_NAME_SIZE, "%s", name);
	apply->verdicts[apply->count++] = verdict;
	apply->changed |= verdict != UNCHANGED;
}

static enum err put(struct store_tx *tx, struct apply *apply, struct gateway_row *row)
{
	row->changed_at_us = apply->now_us;
	return store_gateway_put(tx, row);
}

/* What operators said of it stays: the file does not know of it. */
static void state_keep(struct gateway_row *row, const struct gateway_row *before)
{
	row->state = before->state;
	memcpy(row->state_reason, before->state_reason, sizeof row->state_reason);
	row->maintenance_from_us = before->maintenance_from_us;
	row->maintenance_until_us = before->maintenance_until_us;
	memcpy(row->maintenance_reason, before->maintenance_reason,
	       sizeof row->maintenance_reason);
}

static enum err apply_row(struct store_tx *tx, struct apply *apply, struct gateway_row *row)
{
	const struct gateway_row *before = known_find(&apply->known, row->gateway);

	if (before == NULL) {
		verdict_add(apply, row->gateway, ADDED);
		return put(tx, apply, row);
	}
	state_keep(row, before);
	verdict_add(apply, row->gateway, store_gateway_same(row, before) ? UNCHANGED : CHANGED);
	return store_gateway_same(row, before) ? ERR_OK : put(tx, apply, row);
}

static bool in_file(const struct apply *apply, const char *name)
{
	for (size_t i = 0; i < apply->file.count; i++)
		if (strcmp(apply->file.rows[i].gateway, name) == 0)
			return true;
	return false;
}

static enum err disable_others(struct store_tx *tx, struct apply *apply)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < apply->known.count && err == ERR_OK; i++) {
		struct gateway_row *row = &apply->known.list[i];

		if (in_file(apply, row->gateway))
			continue;
		verdict_add(apply, row->gateway,
			    row->state == ROUTING_DISABLED ? UNCHANGED : DISABLED);
		if (row->state == ROUTING_DISABLED)
			continue;
		row->state = ROUTING_DISABLED;
		snprintf(row->state_reason, sizeof row->state_reason, NOT_IN_FILE);
		err = put(tx, apply, row);
	}
	return err;
}

/* The file's order need not be that of the table, so each is looked up. */
static void account_compare(void *context, const struct gateway_account_row *row)
{
	struct apply *apply = context;

	apply->account_at++;
	for (size_t i = 0; i < apply->file.account_count; i++)
		if (store_gateway_account_same(&apply->file.accounts[i], row))
			return;
	apply->accounts_changed = true;
}

static enum err apply_accounts(struct store_tx *tx, struct apply *apply)
{
	enum err err;

	apply->account_at = 0;
	apply->accounts_changed = false;
	err = store_gateway_account_list(tx, account_compare, apply);
	apply->accounts_changed |= apply->account_at != apply->file.account_count;
	if (err != ERR_OK || !apply->accounts_changed)
		return err;
	apply->changed = true;
	err = store_gateway_account_clear(tx);
	for (size_t i = 0; i < apply->file.account_count && err == ERR_OK; i++) {
		err = store_gateway_account_insert(tx, &apply->file.accounts[i]);
		if (err == ERR_NOT_FOUND)
			snprintf(apply->why, SETTINGS_WHY_SIZE, "accounts: there is no merchant %s",
				 apply->file.accounts[i].merchant);
	}
	return err;
}

static enum err apply_work(struct store_tx *tx, void *context)
{
	struct apply *apply = context;
	enum err err = store_catalogue_lock(tx, &apply->version);

	apply->count = 0;
	apply->changed = false;
	apply->known.count = 0;
	if (err == ERR_OK)
		err = store_now(tx, &apply->now_us);
	if (err == ERR_OK)
		err = store_gateway_list(tx, known_add, &apply->known);
	for (size_t i = 0; i < apply->file.count && err == ERR_OK; i++)
		err = apply_row(tx, apply, &apply->file.rows[i]);
	if (err == ERR_OK)
		err = disable_others(tx, apply);
	if (err == ERR_OK && apply->count > ROUTING_GATEWAYS_MAX) {
		snprintf(apply->why, SETTINGS_WHY_SIZE,
			 "there would be %zu gateways with those of before, at most %d may be",
			 apply->count, ROUTING_GATEWAYS_MAX);
		err = ERR_INVALID;
	}
	if (err == ERR_OK)
		err = apply_accounts(tx, apply);
	if (err == ERR_OK && apply->changed) {
		err = store_catalogue_raise(tx, apply->now_us);
		apply->version++;
	}
	/* A judged change that is not wanted is rolled back. */
	return err == ERR_OK && apply->dry_run ? ERR_CONFLICT : err;
}

static void apply_report(const struct apply *apply)
{
	for (size_t i = 0; i < apply->count; i++)
		printf("%-9s  %s%s\n", verdict_words[apply->verdicts[i]], apply->names[i],
		       apply->verdicts[i] == DISABLED ? " (" NOT_IN_FILE ")" : "");
	printf("%-9s  %zu accounts\n", verdict_words[apply->accounts_changed ? CHANGED : UNCHANGED],
	       apply->file.account_count);
	if (apply->dry_run)
		puts("nothing was changed: --dry-run");
	else
		printf("version %" PRId64 " is in force\n", apply->version);
}

int ctl_gateway_apply(const struct command_call *call)
{
	char file_why[ROUTING_FILE_WHY_SIZE] = "";
	char why[SETTINGS_WHY_SIZE] = "";
	char fault[SETTINGS_WHY_SIZE] = "";
	struct apply apply = { .dry_run = call->values->given[APPLY_DRY_RUN], .why = fault };
	enum err err = gateways_file_read(call->argument, &apply.file, file_why);

	if (err != ERR_OK)
		return command_fail(err, "%s", file_why);
	err = access_run(call->values, ACCESS_RUN, apply_work, &apply, why);
	if (err == ERR_CONFLICT && apply.dry_run)
		err = ERR_OK;
	if (err == ERR_OK)
		apply_report(&apply);
	gateways_file_done(&apply.file);
	return err == ERR_OK ? 0 : command_fail(err, "%s", fault[0] != '\0' ? fault : why);
}

/* ---- list ---- */

static void print_row(const struct gateway_row *row, int64_t now_us)
{
	char until[CLOCK_TEXT_SIZE];
	const bool away = now_us >= row->maintenance_from_us && now_us < row->maintenance_until_us;

	printf("%-16s  %-9s  %-8s  %s", row->gateway,
	       words_text(routing_state_words, (int)row->state), row->adapter, row->base_url);
	if (row->currencies[0] != '\0')
		printf("  currencies %s", row->currencies);
	if (row->countries[0] != '\0')
		printf("  countries %s", row->countries);
	if (row->state_reason[0] != '\0')
		printf("  (%s)", row->state_reason);
	if (row->maintenance_until_us > now_us)
		printf("  %s until %s: %s", away ? "in maintenance" : "maintenance is planned",
		       clock_format(row->maintenance_until_us, until), row->maintenance_reason);
	putchar('\n');
}

static enum err list_work(struct store_tx *tx, void *context)
{
	struct known *known = context;

	known->count = 0;
	return store_gateway_list(tx, known_add, known);
}

int ctl_gateway_list(const struct command_call *call)
{
	char why[SETTINGS_WHY_SIZE] = "";
	struct known known = { .count = 0 };
	enum err err = access_run(call->values, ACCESS_LOOK, list_work, &known, why);

	if (err != ERR_OK)
		return command_fail(err, "%s", why);
	for (size_t i = 0; i < known.count; i++)
		print_row(&known.list[i], clock_now_us());
	return 0;
}

/* ---- state and maintenance ---- */

struct alter {
	const char *name;
	const char *reason; /* "" when none is given */
	bool is_state;
	enum routing_state state;
	int64_t in_us; /* maintenance: from now; `for_us` 0 ends it */
	int64_t for_us;
	char *why;
	struct known known;
	struct gateway_row after;
};

static void alter_row(const struct alter *alter, struct gateway_row *row, int64_t now_us)
{
	if (alter->is_state) {
		row->state = alter->state;
		snprintf(row->state_reason, sizeof row->state_reason, "%s", alter->reason);
		return;
	}
	row->maintenance_from_us = alter->for_us == 0 ? 0 : now_us + alter->in_us;
	row->maintenance_until_us =
		alter->for_us == 0 ? 0 : row->maintenance_from_us + alter->for_us;
	snprintf(row->maintenance_reason, sizeof row->maintenance_reason, "%s", alter->reason);
}

static enum err alter_work(struct store_tx *tx, void *context)
{
	struct alter *alter = context;
	struct gateway_row *row;
	int64_t version;
	int64_t now_us;
	enum err err = store_catalogue_lock(tx, &version);

	alter->known.count = 0;
	if (err == ERR_OK)
		err = store_now(tx, &now_us);
	if (err == ERR_OK)
		err = store_gateway_list(tx, known_add, &alter->known);
	if (err != ERR_OK)
		return err;
	row = known_find(&alter->known, alter->name);
	if (row == NULL) {
		snprintf(alter->why, SETTINGS_WHY_SIZE, "there is no gateway '%.32s'", alter->name);
		return ERR_NOT_FOUND;
	}
	alter->after = *row;
	alter_row(alter, &alter->after, now_us);
	if (store_gateway_same(row, &alter->after))
		return ERR_OK;
	alter->after.changed_at_us = now_us;
	err = store_gateway_put(tx, &alter->after);
	return err == ERR_OK ? store_catalogue_raise(tx, now_us) : err;
}

static bool reason_fits(const char *reason)
{
	const size_t size = strlen(reason);

	return size < ROUTING_REASON_SIZE && text_is(TEXT_ANY, reason, size);
}

static int run_alter(const struct command_call *call, struct alter *alter)
{
	char why[SETTINGS_WHY_SIZE] = "";
	char fault[SETTINGS_WHY_SIZE] = "";
	enum err err;

	alter->name = call->argument;
	alter->reason = call->values->given[REASON] ? call->values->text[REASON] : "";
	alter->why = fault;
	if (!reason_fits(alter->reason))
		return command_fail(ERR_INVALID,
				    "--reason must be at most %d bytes of UTF-8 without controls",
				    ROUTING_REASON_SIZE - 1);
	err = access_run(call->values, ACCESS_RUN, alter_work, alter, why);
	if (err != ERR_OK)
		return command_fail(err, "%s", fault[0] != '\0' ? fault : why);
	print_row(&alter->after, clock_now_us());
	return 0;
}

static int run_state(const struct command_call *call, enum routing_state state)
{
	struct alter alter = { .is_state = true, .state = state };

	return run_alter(call, &alter);
}

int ctl_gateway_enable(const struct command_call *call)
{
	return run_state(call, ROUTING_ENABLED);
}

int ctl_gateway_drain(const struct command_call *call)
{
	return run_state(call, ROUTING_DRAINING);
}

int ctl_gateway_disable(const struct command_call *call)
{
	return run_state(call, ROUTING_DISABLED);
}

int ctl_gateway_maintain(const struct command_call *call)
{
	const struct cli_values *values = call->values;
	struct alter alter = { .in_us = values->integer[IN] * US_PER_MINUTE,
			       .for_us = values->integer[FOR] * US_PER_MINUTE };

	if (values->given[END] == values->given[FOR])
		return command_fail(ERR_USAGE, "say either --for MINUTES or --end");
	if (values->given[END])
		return run_alter(call, &alter);
	if (!values->given[REASON] || values->text[REASON][0] == '\0')
		return command_fail(ERR_USAGE,
				    "say why with --reason TEXT: clients are told, as are others");
	return run_alter(call, &alter);
}
