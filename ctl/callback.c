/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/callback.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/access.h"
#include "ctl/member.h"
#include "ctl/page.h"
#include "service/callback.h"
#include "service/catalogue.h"

#define MORE ": take other filters or another --limit."
#define MORE_OF_ONE ": of a transaction's, the first 200 are looked at."
#define CALL_ID COMMAND_PROGRAM /* of the events that a replay causes */

enum { GATEWAY = ACCESS_COUNT, RESULT, TRANSACTION, SINCE, LIMIT, JSON };

/* clang-format off */
static const struct cli_option list_options[] = {
	ACCESS_OPTIONS,
	{ "gateway", 0, CLI_TEXT, "NAME", NULL, 0, 0, "only those of this gateway" },
	{ "result", 0, CLI_TEXT, "RESULT", NULL, 0, 0,
	  "only applied, hint, kept, superseded, contradiction, integrity or orphan" },
	{ "transaction", 0, CLI_TEXT, "ID", NULL, 0, 0, "only those about this transaction" },
	{ "since", 0, CLI_TEXT, "TIME", NULL, 0, 0,
	  "only those received then or later: 2026-03-01, or 2026-03-01T12:00:00Z" },
	{ "limit", 0, CLI_INT, "N", "50", 1, 1000, "at most so many, the newest first" },
	{ "json", 0, CLI_FLAG, NULL, NULL, 0, 0, "print one JSON array" },
};
static const struct cli_option replay_options[] = { ACCESS_OPTIONS };
/* clang-format on */
const struct command_options ctl_callback_list_options = {
	list_options, sizeof list_options / sizeof *list_options
};
const struct command_options ctl_callback_replay_options = {
	replay_options, sizeof replay_options / sizeof *replay_options
};

/* ---- list ---- */

struct listing {
	struct callback_filter filter;
	struct id transaction_id; /* empty: any */
	json_t *list;             /* NULL: lines */
	unsigned limit;
	unsigned looked_at; /* of the transaction's */
	unsigned count;
	const char *more; /* how to see those that are not shown; NULL: all are */
};

static void put_amount(json_t *object, const struct callback_row *row)
{
	(void)json_object_set_new(object, "amount_minor",
				  row->has_amount ? json_integer(row->amount.minor) : json_null());
	member_text(object, "currency", row->amount.currency);
}

static json_t *object_of(const struct callback_row *row)
{
	json_t *object = json_object();

	member_text(object, "gateway", row->gateway);
	member_text(object, "callback_key", row->callback_key);
	member_text(object, "result", words_text(callback_result_words, (int)row->result));
	member_time(object, "received_at", row->received_at_us);
	member_text(object, "word", row->word);
	put_amount(object, row);
	member_text(object, "gateway_txn_id", row->gateway_ref);
	member_text(object, "our_reference", row->our_reference);
	member_id(object, "transaction_id", ID_TRANSACTION, row->transaction_id);
	member_id(object, "attempt_id", ID_ATTEMPT, row->attempt_id);
	member_text(object, "body", row->body_masked);
	return object;
}

static bool is_wanted(const struct listing *listing, const struct callback_row *row)
{
	const struct callback_filter *filter = &listing->filter;
	const char *result = words_text(callback_result_words, (int)row->result);

	return id_is_empty(listing->transaction_id) ||
	       ((filter->gateway[0] == '\0' || strcmp(filter->gateway, row->gateway) == 0) &&
		(filter->result[0] == '\0' || strcmp(filter->result, result) == 0) &&
		row->received_at_us >= filter->since_us);
}

static void list_row(void *context, const struct callback_row *row)
{
	struct listing *listing = context;
	char id[ID_TEXT_SIZE] = "-", at[PAGE_TIME_SIZE];

	if (!id_is_empty(listing->transaction_id) && listing->looked_at++ == CALLBACK_LIST_OF_MAX) {
		if (listing->more == NULL)
			listing->more = MORE_OF_ONE;
		return;
	}
	if (!is_wanted(listing, row))
		return;
	if (listing->count == listing->limit) {
		listing->more = MORE;
		return;
	}
	listing->count++;
	if (listing->list != NULL) {
		(void)json_array_append_new(listing->list, object_of(row));
		return;
	}
	if (listing->count == 1)
		printf("%-19s  %-10s  %-13s  %-12s  %-32s  %s\n", "RECEIVED", "GATEWAY", "RESULT",
		       "WORD", "TRANSACTION", "KEY");
	if (!id_is_empty(row->transaction_id))
		id_format(ID_TRANSACTION, row->transaction_id, id);
	printf("%-19s  %-10s  %-13s  %-12s  %-32s  %s\n", page_time(row->received_at_us, at),
	       row->gateway, words_text(callback_result_words, (int)row->result), row->word, id,
	       row->callback_key);
}

static enum err list_work(struct store_tx *tx, void *context)
{
	struct listing *listing = context;

	if (!id_is_empty(listing->transaction_id))
		return store_callback_list_of(tx, listing->transaction_id, list_row, listing);
	return store_callback_list(tx, &listing->filter, list_row, listing);
}

/* A day or a moment of UTC. */
static bool read_time(const char *text, int64_t *at_us)
{
	char moment[CLOCK_TEXT_SIZE];

	if (strchr(text, 'T') != NULL)
		return clock_parse(text, at_us);
	return snprintf(moment, sizeof moment, "%sT00:00:00Z", text) < (int)sizeof moment &&
	       clock_parse(moment, at_us);
}

/* What the filters say. Returns 0, or the exit status after saying what is wrong. */
static int read_filters(const struct cli_values *values, struct listing *listing)
{
	struct callback_filter *filter = &listing->filter;

	filter->gateway = values->given[GATEWAY] ? values->text[GATEWAY] : "";
	filter->result = values->given[RESULT] ? values->text[RESULT] : "";
	listing->limit = (unsigned)values->integer[LIMIT];
	filter->limit = listing->limit + 1;
	if (filter->result[0] != '\0' && words_find(callback_result_words, filter->result) < 0)
		return command_fail(ERR_INVALID,
				    "'%.40s' is no result: take applied, hint, kept, superseded, "
				    "contradiction, integrity or orphan",
				    filter->result);
	if (values->given[TRANSACTION] &&
	    !id_parse(ID_TRANSACTION, values->text[TRANSACTION], &listing->transaction_id))
		return command_fail(ERR_INVALID, "'%.64s' is no transaction's id",
				    values->text[TRANSACTION]);
	if (values->given[SINCE] && !read_time(values->text[SINCE], &filter->since_us))
		return command_fail(ERR_INVALID, "--since must be a day (2026-03-01) or a time "
						 "(2026-03-01T12:00:00Z)");
	return 0;
}

int ctl_callback_list(const struct command_call *call)
{
	struct listing listing = { .list = NULL };
	int status = read_filters(call->values, &listing);
	char why[ACCESS_WHY_SIZE];
	enum err err;

	if (status != 0)
		return status;
	if (call->values->given[JSON])
		listing.list = json_array();
	err = access_run(call->values, ACCESS_LOOK, list_work, &listing, why);
	if (err == ERR_OK)
		member_list_end(listing.list, listing.count, "no callbacks");
	if (err == ERR_OK && listing.more != NULL)
		member_list_more(listing.list, listing.count, listing.more);
	json_decref(listing.list);
	return err == ERR_OK ? 0 : command_fail(err, "%s", why);
}

/* ---- replay ---- */

struct replaying {
	const char *gateway;
	const char *key;
	bool gateway_missing;
	struct callback_replay report;
};

/* The gateways as the tables have them; what was verified before needs no secret. */
static enum err view_work(struct store_tx *tx, void *context)
{
	struct catalogue_view **view = context;
	char why[CATALOGUE_WHY_SIZE];

	return catalogue_read(tx, CATALOGUE_SHOW, view, why);
}

static enum err replay_work(struct store *store, const struct access *access, void *context)
{
	struct replaying *replaying = context;
	struct callback_replay_request request = { .key = replaying->key,
						   .api_call_id = CALL_ID };
	struct catalogue_view *view;
	enum err err = store_look(store, view_work, &view);

	(void)access;
	if (err != ERR_OK)
		return err;
	request.gateway = gateway_find(&view->gateways, replaying->gateway);
	replaying->gateway_missing = request.gateway == NULL;
	err = replaying->gateway_missing ? ERR_NOT_FOUND
					 : callback_replay(store, &request, &replaying->report);
	catalogue_release(view);
	return err;
}

/* What a replay came to, where it wrote an event and where it did not. */
static const char *effect_of(const struct callback_replay *report)
{
	switch (report->after) {
	case CALLBACK_APPLIED:
		return "it was applied now";
	case CALLBACK_HINT:
		return "it cannot be believed by itself: the gateway is asked now";
	case CALLBACK_KEPT:
		return "nothing was changed: the gateway's own answer is still on its way";
	case CALLBACK_SUPERSEDED:
		return "nothing was changed: it tells nothing new";
	case CALLBACK_CONTRADICTION:
		return report->moved ? "it contradicts what was decided: see its exception"
				     : "nothing was changed: its contradiction is known";
	case CALLBACK_INTEGRITY:
		return "nothing was changed: it differs from our order, see its exception";
	case CALLBACK_ORPHAN:
		break;
	}
	return "nothing was changed: it still fits no try of ours";
}

static void show_replay(const struct replaying *replaying)
{
	const struct callback_replay *report = &replaying->report;
	char id[ID_TEXT_SIZE];

	printf("%s %s (%s before): %s\n", replaying->gateway, replaying->key,
	       words_text(callback_result_words, (int)report->before), effect_of(report));
	if (!id_is_empty(report->transaction_id))
		printf("its transaction is %s\n",
		       id_format(ID_TRANSACTION, report->transaction_id, id));
}

int ctl_callback_replay(const struct command_call *call)
{
	struct replaying replaying = { call->argument, call->second, false,
				       { .moved = false } };
	char why[ACCESS_WHY_SIZE];
	enum err err = access_with(call->values, SETTINGS_DATABASE, replay_work, &replaying, why);

	if (err == ERR_NOT_FOUND && replaying.gateway_missing)
		return command_fail(err, "there is no gateway %.32s", replaying.gateway);
	if (err == ERR_NOT_FOUND)
		return command_fail(err, "%.32s has sent no callback %.128s", replaying.gateway,
				    replaying.key);
	if (err == ERR_UNCERTAIN)
		return command_fail(err, "the connection broke meanwhile: replay it again, which "
					 "has no second effect");
	if (err != ERR_OK)
		return command_fail(err, "%s", why);
	show_replay(&replaying);
	return 0;
}
