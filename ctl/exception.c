/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/exception.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/token_rule.h"
#include "core/card.h"
#include "core/text.h"
#include "ctl/access.h"
#include "ctl/member.h"
#include "ctl/page.h"
#include "service/exception.h"
#include "service/request.h"
#include "service/why.h"

#define LABEL_WIDTH 13
#define MORE ": take another --kind or --limit."

enum { KIND = ACCESS_COUNT, STATE, LIMIT, JSON };
enum { OWNER = ACCESS_COUNT };
enum { NOTE = ACCESS_COUNT, RESUME };

/* clang-format off */
static const struct cli_option list_options[] = {
	ACCESS_OPTIONS,
	{ "kind", 0, CLI_TEXT, "KIND", NULL, 0, 0,
	  "only late_success, integrity, orphan_callback or unwanted_success" },
	{ "state", 0, CLI_TEXT, "STATE", "open", 0, 0, "those that are open, or resolved" },
	{ "limit", 0, CLI_INT, "N", "50", 1, 1000, "at most so many, the oldest first" },
	{ "json", 0, CLI_FLAG, NULL, NULL, 0, 0, "print one JSON array" },
};
static const struct cli_option show_options[] = { ACCESS_OPTIONS };
static const struct cli_option own_options[] = {
	ACCESS_OPTIONS,
	{ "owner", 0, CLI_TEXT, "NAME", NULL, 0, 0, "who settles it" },
};
static const struct cli_option refund_options[] = { ACCESS_OPTIONS };
static const struct cli_option resolve_options[] = {
	ACCESS_OPTIONS,
	{ "note", 0, CLI_TEXT, "TEXT", NULL, 0, 0, "what it was, and what was done" },
	{ "resume", 0, CLI_FLAG, NULL, NULL, 0, 0,
	  "let the payment that was parked because of it go on" },
};
/* clang-format on */
#define OPTIONS_OF(ROWS) { ROWS, sizeof ROWS / sizeof *ROWS }
const struct command_options ctl_exception_list_options = OPTIONS_OF(list_options);
const struct command_options ctl_exception_show_options = OPTIONS_OF(show_options);
const struct command_options ctl_exception_own_options = OPTIONS_OF(own_options);
const struct command_options ctl_exception_refund_options = OPTIONS_OF(refund_options);
const struct command_options ctl_exception_resolve_options = OPTIONS_OF(resolve_options);

/* ---- list ---- */

struct listing {
	struct exception_filter filter;
	json_t *list; /* NULL: lines */
	unsigned limit;
	unsigned count;
	bool more;
};

static const char *id_or_none(enum id_kind kind, struct id id, char out[ID_TEXT_SIZE])
{
	return id_is_empty(id) ? "-" : id_format(kind, id, out);
}

static json_t *object_of(const struct exception_row *row)
{
	json_t *object = json_object();

	member_id(object, "exception_id", ID_EXCEPTION, row->id);
	member_text(object, "kind", words_text(exception_kind_words, (int)row->kind));
	member_text(object, "state", words_text(exception_state_words, (int)row->state));
	member_text(object, "merchant", row->merchant);
	member_id(object, "transaction_id", ID_TRANSACTION, row->transaction_id);
	member_id(object, "attempt_id", ID_ATTEMPT, row->attempt_id);
	member_text(object, "detail", row->detail);
	member_time(object, "opened_at", row->opened_at_us);
	member_text(object, "owner", row->owner);
	member_text(object, "owned_by", row->owned_by);
	member_time(object, "owned_at", row->owned_at_us);
	member_text(object, "resolved_by", row->resolved_by);
	member_time(object, "resolved_at", row->resolved_at_us);
	member_text(object, "note", row->note);
	return object;
}

static void list_row(void *context, const struct exception_row *row)
{
	struct listing *listing = context;
	char id[ID_TEXT_SIZE], transaction[ID_TEXT_SIZE], at[PAGE_TIME_SIZE];

	listing->more = listing->count == listing->limit;
	if (listing->more)
		return;
	listing->count++;
	if (listing->list != NULL) {
		(void)json_array_append_new(listing->list, object_of(row));
		return;
	}
	if (listing->count == 1)
		printf("%-30s  %-17s  %-19s  %-32s  %s\n", "EXCEPTION", "KIND", "OPENED",
		       "TRANSACTION", "OWNER");
	printf("%-30s  %-17s  %-19s  %-32s  %s\n", id_format(ID_EXCEPTION, row->id, id),
	       words_text(exception_kind_words, (int)row->kind), page_time(row->opened_at_us, at),
	       id_or_none(ID_TRANSACTION, row->transaction_id, transaction),
	       row->owner[0] == '\0' ? "nobody" : row->owner);
}

static enum err list_work(struct store_tx *tx, void *context)
{
	struct listing *listing = context;

	return store_exception_list(tx, &listing->filter, list_row, listing);
}

int ctl_exception_list(const struct command_call *call)
{
	const struct cli_values *values = call->values;
	const char *kind = values->given[KIND] ? values->text[KIND] : "";
	int state = words_find(exception_state_words, values->text[STATE]);
	const unsigned limit = (unsigned)values->integer[LIMIT];
	struct listing listing = { .filter = { .kind = kind, .limit = limit + 1 }, .limit = limit };
	char why[ACCESS_WHY_SIZE];
	enum err err;

	if (kind[0] != '\0' && words_find(exception_kind_words, kind) < 0)
		return command_fail(ERR_INVALID,
				    "there are no exceptions of the kind '%.40s': take "
				    "late_success, integrity, orphan_callback or unwanted_success",
				    kind);
	if (state < 0)
		return command_fail(ERR_INVALID, "--state must be open or resolved");
	listing.filter.state = (enum exception_state)state;
	if (values->given[JSON])
		listing.list = json_array();
	err = access_run(values, ACCESS_LOOK, list_work, &listing, why);
	if (err == ERR_OK)
		member_list_end(listing.list, listing.count, "no exceptions");
	if (err == ERR_OK && listing.more)
		member_list_more(listing.list, listing.count, MORE);
	json_decref(listing.list);
	return err == ERR_OK ? 0 : command_fail(err, "%s", why);
}

/* ---- show ---- */

static void show_field(const char *label, const char *value)
{
	if (value[0] == '\0')
		return;
	printf("%-*s", LABEL_WIDTH, label);
	page_text(PAGE_PLAIN, LABEL_WIDTH, LABEL_WIDTH, value);
}

static void show_person(const char *label, const char *by, int64_t at_us)
{
	char line[EXCEPTION_PERSON_SIZE + PAGE_TIME_SIZE + 8], at[PAGE_TIME_SIZE];

	snprintf(line, sizeof line, "%s, %s", by, page_time(at_us, at));
	show_field(label, by[0] == '\0' ? "" : line);
}

static void show(const struct exception_row *row)
{
	const struct why_exception words = why_exception_words(row);
	char id[ID_TEXT_SIZE], at[PAGE_TIME_SIZE];

	show_field("exception", id_format(ID_EXCEPTION, row->id, id));
	show_field("kind", words_text(exception_kind_words, (int)row->kind));
	show_field("state", words_text(exception_state_words, (int)row->state));
	show_field("opened", page_time(row->opened_at_us, at));
	show_field("merchant", row->merchant);
	show_field("transaction", id_or_none(ID_TRANSACTION, row->transaction_id, id));
	show_field("attempt", id_or_none(ID_ATTEMPT, row->attempt_id, id));
	show_field("detail", row->detail);
	show_field("owner", row->owner[0] == '\0' ? "nobody" : row->owner);
	show_person("owned by", row->owned_by, row->owned_at_us);
	show_person("resolved by", row->resolved_by, row->resolved_at_us);
	show_field("note", row->note);
	show_field("meaning", words.text);
	if (row->state == EXCEPTION_OPEN)
		show_field("to do", words.advice);
}

struct finding {
	struct id id;
	struct exception_row row;
};

static enum err find_work(struct store_tx *tx, void *context)
{
	struct finding *finding = context;

	return store_exception_find(tx, finding->id, &finding->row);
}

static int fail(const struct command_call *call, enum err err, const char *why)
{
	if (err == ERR_NOT_FOUND)
		return command_fail(err, "there is no exception %s", call->argument);
	if (err == ERR_UNCERTAIN)
		return command_fail(err,
				    "the connection broke meanwhile: see with 'exception show %s' "
				    "whether it was done",
				    call->argument);
	return command_fail(err, "%s", why);
}

static int fail_id(const struct command_call *call)
{
	return command_fail(ERR_INVALID, "'%.64s' is no exception's id", call->argument);
}

int ctl_exception_show(const struct command_call *call)
{
	struct finding finding;
	char why[ACCESS_WHY_SIZE];
	enum err err;

	if (!id_parse(ID_EXCEPTION, call->argument, &finding.id))
		return fail_id(call);
	err = access_run(call->values, ACCESS_LOOK, find_work, &finding, why);
	if (err != ERR_OK)
		return fail(call, err, why);
	show(&finding.row);
	return 0;
}

/* ---- own, resolve ---- */

typedef enum err exception_do(struct store *store, const struct exception_act *act,
			      enum exception_outcome *outcome, struct exception_row *row);

struct acting {
	exception_do *act_on;
	struct exception_act act;
	enum exception_outcome outcome;
	struct exception_row row;
};

static enum err act_work(struct store *store, const struct access *access, void *context)
{
	struct acting *acting = context;

	(void)access;
	return acting->act_on(store, &acting->act, &acting->outcome, &acting->row);
}

/* What is said of each outcome but done. */
static const char *const refusals[] = {
	[EXCEPTION_WAS_RESOLVED] = "it was resolved before; nothing was changed",
	[EXCEPTION_NOT_PARKED] = "nothing is parked because of it that a machine may resume; "
				 "nothing was changed: resolve it without --resume",
	[EXCEPTION_OTHERS_OPEN] = "other exceptions of its transaction are open; nothing was "
				  "changed: resolve them first",
	[EXCEPTION_MAY_HAVE_CHARGED] = "a try may have charged or paid the customer, so no other "
				       "can be made; nothing was changed: resolve it without "
				       "--resume",
};

/* Returns the exit status; 0: it was done. */
static int act(const struct command_call *call, struct acting *acting)
{
	char why[ACCESS_WHY_SIZE];
	enum err err;

	if (!id_parse(ID_EXCEPTION, call->argument, &acting->act.id))
		return fail_id(call);
	acting->act.by = access_person();
	err = access_with(call->values, SETTINGS_DATABASE, act_work, acting, why);
	if (err != ERR_OK)
		return fail(call, err, why);
	if (acting->outcome != EXCEPTION_DONE)
		return command_fail(ERR_STATE, "%s: %s", call->argument, refusals[acting->outcome]);
	return 0;
}

int ctl_exception_own(const struct command_call *call)
{
	struct acting acting = { .act_on = exception_own };
	const char *owner = call->values->text[OWNER];
	int status;

	if (!call->values->given[OWNER])
		return command_fail(ERR_USAGE, "say who settles it with --owner");
	if (strlen(owner) >= EXCEPTION_PERSON_SIZE || !token_rule_subject(owner))
		return command_fail(ERR_INVALID, "--owner must be 1 to %d visible ASCII characters",
				    EXCEPTION_PERSON_SIZE - 1);
	acting.act.owner = owner;
	status = act(call, &acting);
	if (status == 0)
		printf("%s is settled by %s\n", call->argument, owner);
	return status;
}

/* ---- refund ---- */

struct refunding {
	struct id id;
	enum request_outcome outcome;
	struct request_receipt receipt;
};

static enum err refund_work(struct store *store, const struct access *access, void *context)
{
	struct refunding *refunding = context;

	(void)access;
	return request_surplus(store, refunding->id, &refunding->outcome, &refunding->receipt);
}

int ctl_exception_refund(const struct command_call *call)
{
	struct refunding refunding = { .outcome = REQUEST_REFUSED };
	char why[ACCESS_WHY_SIZE], id[ID_TEXT_SIZE];
	enum err err;

	if (!id_parse(ID_EXCEPTION, call->argument, &refunding.id))
		return fail_id(call);
	err = access_with(call->values, SETTINGS_DATABASE, refund_work, &refunding, why);
	if (err != ERR_OK)
		return fail(call, err, why);
	if (refunding.outcome == REQUEST_REFUSED)
		return command_fail(ERR_STATE,
				    "%s: it is no open late_success of a charge, capture or "
				    "authorisation, or it came back by itself; nothing was done",
				    call->argument);
	printf("%s %s\n", id_format(ID_REFUND, refunding.receipt.operation_id, id),
	       refunding.outcome == REQUEST_REPLAYED ? "was ordered before" : "will be sent");
	return 0;
}

static bool is_note(const char *note)
{
	size_t size = strlen(note);

	return size > 0 && size < EXCEPTION_NOTE_SIZE && text_is(TEXT_ANY, note, size);
}

int ctl_exception_resolve(const struct command_call *call)
{
	struct acting acting = { .act_on = exception_resolve };
	const char *note = call->values->text[NOTE];
	int status;

	if (!call->values->given[NOTE])
		return command_fail(ERR_USAGE, "say what it was with --note");
	if (!is_note(note))
		return command_fail(ERR_INVALID,
				    "--note must be 1 to %d bytes of UTF-8 without controls",
				    EXCEPTION_NOTE_SIZE - 1);
	if (card_number_in(note, strlen(note)))
		return command_fail(ERR_INVALID, "--note must not hold a card number");
	acting.act.note = note;
	acting.act.resume = call->values->given[RESUME];
	status = act(call, &acting);
	if (status == 0)
		printf("%s is resolved%s\n", call->argument,
		       acting.act.resume ? "; its payment goes on" : "");
	return status;
}
