/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/merchant.h"

#include <stdio.h>
#include <string.h>

#include "base/token_rule.h"
#include "core/text.h"
#include "ctl/access.h"
#include "store/merchant.h"

#define NAME_LENGTH_MAX 120 /* code points */

enum { NAME = ACCESS_COUNT, IF_ABSENT, KEYLESS_WITHDRAWALS };

/* clang-format off */
static const struct cli_option options[] = {
	ACCESS_OPTIONS,
	{ "name", 0, CLI_TEXT, "TEXT", NULL, 0, 0,
	  "name for people; the merchant's id when left out" },
	{ "if-absent", 0, CLI_FLAG, NULL, NULL, 0, 0,
	  "succeed when the merchant exists already" },
	{ "keyless-withdrawals", 0, CLI_FLAG, NULL, NULL, 0, 0,
	  "let it withdraw without an Idempotency-Key, as old clients do" },
};
/* clang-format on */
const struct command_options ctl_merchant_add_options = { options,
							  sizeof options / sizeof *options };

static bool is_name(const char *name)
{
	size_t size = strlen(name);

	return size > 0 && text_is(TEXT_ANY, name, size) &&
	       text_length(name, size) <= NAME_LENGTH_MAX;
}

static enum err insert(struct store_tx *tx, void *context)
{
	struct merchant_row *row = context;
	enum err err = store_now(tx, &row->created_at_us);

	return err == ERR_OK ? store_merchant_insert(tx, row) : err;
}

static enum err add(const struct store_settings *settings, struct merchant_row *row,
		    char why[STORE_WHY_SIZE])
{
	struct store *store;
	enum err err = store_open(settings, &store, why);

	if (err != ERR_OK)
		return err;
	err = store_run(store, insert, row);
	store_close(store);
	/* The statement is prepared here, so that a missing right comes as either. */
	if (err == ERR_STORE || err == ERR_SCHEMA)
		snprintf(why, STORE_WHY_SIZE,
			 "the database refused to add merchant %s: connect with --database-user as "
			 "one "
			 "who may add rows to table merchant",
			 row->merchant);
	else
		snprintf(why, STORE_WHY_SIZE, "%s", err_row(err)->title);
	return err;
}

static int report(enum err err, const struct merchant_row *row, bool if_absent, const char *why)
{
	if (err == ERR_OK) {
		printf("added merchant %s (%s)\n", row->merchant, row->name);
		return 0;
	}
	if (err == ERR_CONFLICT && if_absent) {
		printf("merchant %s exists already\n", row->merchant);
		return 0;
	}
	if (err == ERR_CONFLICT)
		return command_fail(err,
				    "merchant %s exists already: name another, or add --if-absent",
				    row->merchant);
	if (err == ERR_UNCERTAIN)
		return command_fail(err,
				    "the connection broke while merchant %s was added: "
				    "run the command again with --if-absent",
				    row->merchant);
	return command_fail(err, "%s", why);
}

int ctl_merchant_add(const struct command_call *call)
{
	const struct cli_values *values = call->values;
	const char *name = values->given[NAME] ? values->text[NAME] : call->argument;
	char why[SETTINGS_WHY_SIZE], store_why[STORE_WHY_SIZE];
	struct merchant_row row = { .created_at_us = 0 };
	struct access access;
	enum err err;

	if (!token_rule_merchant(call->argument))
		return command_fail(
			ERR_INVALID,
			"'%.64s' cannot be a merchant: take 1 to %d of a-z, 0-9, _ and -",
			call->argument, MERCHANT_SIZE - 1);
	if (!is_name(name))
		return command_fail(ERR_INVALID,
				    "--name must be 1 to %d characters of UTF-8 without controls",
				    NAME_LENGTH_MAX);
	snprintf(row.merchant, sizeof row.merchant, "%s", call->argument);
	snprintf(row.name, sizeof row.name, "%s", name);
	row.keyless_withdrawals = values->given[KEYLESS_WITHDRAWALS];
	err = access_open(&access, values, why);
	if (err != ERR_OK)
		return command_fail(err, "%s", why);
	err = add(&access.store, &row, store_why);
	access_done(&access);
	return report(err, &row, values->given[IF_ABSENT], store_why);
}
