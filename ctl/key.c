/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/key.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/token_rule.h"
#include "ctl/access.h"
#include "ctl/member.h"
#include "ctl/page.h"
#include "ctl/scope.h"
#include "service/api_key.h"

#define US_PER_DAY (INT64_C(86400) * 1000000)

enum { MERCHANT = ACCESS_COUNT, DAYS, NAME, SCOPE };
enum { LIST_MERCHANT = ACCESS_COUNT, LIST_JSON };

/* clang-format off */
#define MAKE_OPTIONS \
	ACCESS_OPTIONS, \
	{ "merchant", 0, CLI_TEXT, "NAME", NULL, 0, 0, "the merchant that the key speaks for" }, \
	{ "days", 0, CLI_INT, "N", "365", 1, 3650, "how long it is valid" }
static const struct cli_option issue_options[] = {
	MAKE_OPTIONS,
	{ "name", 0, CLI_TEXT, "NAME", NULL, 0, 0,
	  "what people know the key by: the program that has it" },
	{ "scope", 0, CLI_TEXT, "WORDS", NULL, 0, 0,
	  "what the key allows, with blanks between the words" },
};
static const struct cli_option rotate_options[] = { MAKE_OPTIONS };
static const struct cli_option list_options[] = {
	ACCESS_OPTIONS,
	{ "merchant", 0, CLI_TEXT, "NAME", NULL, 0, 0, "only those of this merchant" },
	{ "json", 0, CLI_FLAG, NULL, NULL, 0, 0, "print one JSON array" },
};
static const struct cli_option revoke_options[] = { ACCESS_OPTIONS };
/* clang-format on */
#define OPTIONS_OF(ROWS)                                                                           \
	{                                                                                          \
		ROWS, sizeof ROWS / sizeof *ROWS                                                   \
	}
const struct command_options ctl_key_issue_options = OPTIONS_OF(issue_options);
const struct command_options ctl_key_list_options = OPTIONS_OF(list_options);
const struct command_options ctl_key_rotate_options = OPTIONS_OF(rotate_options);
const struct command_options ctl_key_revoke_options = OPTIONS_OF(revoke_options);

/* ---- issue, rotate ---- */

typedef enum err make_work(struct store_tx *tx, const struct api_key_wish *wish,
			   enum api_key_outcome *outcome, struct api_key_row *row);

struct making {
	make_work *work;
	struct api_key_wish wish;
	enum api_key_outcome outcome;
	struct api_key_row row;
};

static enum err make(struct store_tx *tx, void *context)
{
	struct making *making = context;

	return making->work(tx, &making->wish, &making->outcome, &making->row);
}

static int report(const struct making *making, const char *text)
{
	const struct api_key_wish *wish = &making->wish;

	switch (making->outcome) {
	case API_KEY_NO_MERCHANT:
		return command_fail(ERR_NOT_FOUND,
				    "there is no merchant %s: add it with 'merchant add'",
				    wish->merchant);
	case API_KEY_NAME_TAKEN:
		return command_fail(ERR_CONFLICT,
				    "%s has a key '%s': take another name, or replace it with "
				    "'key rotate %s'",
				    wish->merchant, wish->name, wish->name);
	case API_KEY_NO_NAME:
		return command_fail(ERR_NOT_FOUND,
				    "%s has no live key '%s': 'key list' shows what there is",
				    wish->merchant, wish->name);
	case API_KEY_TWO_LIVE:
		return command_fail(ERR_CONFLICT,
				    "%s has two live keys '%s' already: revoke the old one first "
				    "('key list' shows its id)",
				    wish->merchant, wish->name);
	case API_KEY_BEYOND: /* an operator may issue whatever there is */
		break;
	case API_KEY_MADE:
		printf("%s\n", text);
		return 0;
	}
	return command_fail(ERR_INTERNAL, "%s", err_row(ERR_INTERNAL)->title);
}

static int make_key(const struct cli_values *values, struct making *making)
{
	char text[KEY_TOKEN_SIZE], why[ACCESS_WHY_SIZE];
	int status;
	enum err err;

	making->wish.by = access_person();
	making->wish.scopes_max = SCOPE_ALL;
	making->wish.lifetime_us = values->integer[DAYS] * US_PER_DAY;
	key_token_make(&making->wish.token, text);
	err = access_run(values, ACCESS_RUN, make, making, why);
	if (err == ERR_UNCERTAIN)
		status = command_fail(err,
				      "the connection broke while key %s was made, and it is lost: "
				      "revoke it where 'key list' shows it, and make another",
				      making->wish.token.id);
	else if (err != ERR_OK)
		status = command_fail(err, "%s", why);
	else
		status = report(making, text);
	explicit_bzero(text, sizeof text);
	return status;
}

/* Whose key, and its name. Returns 0 or a failure's exit status. */
static int take_name(const struct cli_values *values, const char *name, struct making *making)
{
	if (!values->given[MERCHANT])
		return command_fail(ERR_USAGE, "name the merchant with --merchant");
	if (!token_rule_merchant(values->text[MERCHANT]))
		return command_fail(
			ERR_INVALID,
			"'%.64s' cannot be a merchant: take 1 to 32 of a-z, 0-9, _ and -",
			values->text[MERCHANT]);
	if (!api_key_is_name(name))
		return command_fail(ERR_INVALID,
				    "a key's name is 1 to %d visible ASCII characters "
				    "without blanks",
				    API_KEY_NAME_SIZE - 1);
	making->wish.merchant = values->text[MERCHANT];
	making->wish.name = name;
	return 0;
}

int ctl_key_issue(const struct command_call *call)
{
	const struct cli_values *values = call->values;
	struct making making = { .work = api_key_issue };
	int status;

	if (!values->given[NAME] || !values->given[SCOPE])
		return command_fail(ERR_USAGE,
				    "say with --name which program gets the key, and with --scope "
				    "what it may do");
	status = take_name(values, values->text[NAME], &making);
	if (status != 0)
		return status;
	if (!token_scopes_parse(values->text[SCOPE], &making.wish.scopes))
		return scope_fail(values->text[SCOPE]);
	if (making.wish.scopes == 0)
		return command_fail(ERR_INVALID, "--scope names no scope");
	return make_key(values, &making);
}

int ctl_key_rotate(const struct command_call *call)
{
	struct making making = { .work = api_key_replace };
	int status = take_name(call->values, call->argument, &making);

	return status == 0 ? make_key(call->values, &making) : status;
}

/* ---- list ---- */

struct listing {
	const char *merchant;
	int64_t now_us;
	json_t *list; /* NULL: lines */
	unsigned count;
	bool more;
};

static const char *state_of(const struct api_key_row *row, int64_t now_us)
{
	if (row->revoked_at_us != 0)
		return "revoked";
	return row->expires_at_us <= now_us ? "expired" : "live";
}

static json_t *object_of(const struct api_key_row *row, int64_t now_us)
{
	json_t *object = json_object();

	member_text(object, "id", row->id);
	member_text(object, "merchant", row->merchant);
	member_text(object, "name", row->name);
	member_text(object, "state", state_of(row, now_us));
	member_text(object, "scope", row->scopes);
	member_time(object, "created_at", row->created_at_us);
	member_text(object, "created_by", row->created_by);
	member_time(object, "expires_at", row->expires_at_us);
	member_time(object, "revoked_at", row->revoked_at_us);
	member_text(object, "revoked_by", row->revoked_by);
	return object;
}

static void list_row(void *context, const struct api_key_row *row)
{
	struct listing *listing = context;
	char at[PAGE_TIME_SIZE];

	listing->more = listing->count == API_KEY_LIST_MAX;
	if (listing->more)
		return;
	listing->count++;
	if (listing->list != NULL) {
		(void)json_array_append_new(listing->list, object_of(row, listing->now_us));
		return;
	}
	if (listing->count == 1)
		printf("%-16s  %-7s  %-16s  %-20s  %-19s  %s\n", "ID", "STATE", "MERCHANT", "NAME",
		       "EXPIRES", "SCOPE");
	printf("%-16s  %-7s  %-16s  %-20s  %-19s  %s\n", row->id, state_of(row, listing->now_us),
	       row->merchant, row->name, page_time(row->expires_at_us, at), row->scopes);
}

static enum err list_work(struct store_tx *tx, void *context)
{
	struct listing *listing = context;
	enum err err = store_now(tx, &listing->now_us);

	return err == ERR_OK ? store_api_key_list(tx, listing->merchant, list_row, listing) : err;
}

int ctl_key_list(const struct command_call *call)
{
	const struct cli_values *values = call->values;
	struct listing listing = { .merchant = "" };
	char why[ACCESS_WHY_SIZE];
	enum err err;

	if (values->given[LIST_MERCHANT])
		listing.merchant = values->text[LIST_MERCHANT];
	if (values->given[LIST_JSON])
		listing.list = json_array();
	err = access_run(values, ACCESS_LOOK, list_work, &listing, why);
	if (err == ERR_OK)
		member_list_end(listing.list, listing.count, "no API keys");
	if (err == ERR_OK && listing.more)
		member_list_more(listing.list, listing.count, ": take --merchant.");
	json_decref(listing.list);
	return err == ERR_OK ? 0 : command_fail(err, "%s", why);
}

/* ---- revoke ---- */

struct revoking {
	const char *id;
	struct api_key_row row;
};

static enum err revoke_work(struct store_tx *tx, void *context)
{
	struct revoking *revoking = context;

	return api_key_revoke(tx, NULL, revoking->id, access_person(), &revoking->row);
}

int ctl_key_revoke(const struct command_call *call)
{
	struct revoking revoking = { .id = call->argument };
	const struct api_key_row *row = &revoking.row;
	char why[ACCESS_WHY_SIZE], at[PAGE_TIME_SIZE];
	enum err err;

	/* It may be a whole key: it is not repeated. */
	if (!key_token_is_id(revoking.id))
		return command_fail(ERR_INVALID,
				    "name the key by its id, 16 digits of 0-9 and a-f: what stands "
				    "between po_live_ and the next _, and what 'key list' shows");
	err = access_run(call->values, ACCESS_RUN, revoke_work, &revoking, why);
	if (err == ERR_NOT_FOUND)
		return command_fail(err, "there is no key %s", revoking.id);
	if (err == ERR_UNCERTAIN)
		return command_fail(
			err, "the connection broke meanwhile: run the command again to be sure");
	if (err != ERR_OK)
		return command_fail(err, "%s", why);
	printf("key %s (%s of %s) was revoked %s by %s\n", row->id, row->name, row->merchant,
	       page_time(row->revoked_at_us, at), row->revoked_by);
	return 0;
}
