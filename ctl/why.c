/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/why.h"

#include <stdio.h>
#include <string.h>

#include "ctl/access.h"
#include "ctl/page.h"
#include "service/why.h"

#define LABEL_WIDTH 14 /* "Pay again?    " */
#define STEP_INDENT 5

enum { EVIDENCE = ACCESS_COUNT };

/* clang-format off */
static const struct cli_option options[] = {
	ACCESS_OPTIONS,
	{ "evidence", 0, CLI_FLAG, NULL, NULL, 0, 0,
	  "show under each step the ids under which it is on record" },
};
/* clang-format on */
const struct command_options ctl_why_options = { options, sizeof options / sizeof *options };

struct asking {
	struct id id;
	char merchant[MERCHANT_SIZE];
	struct why why;
};

static enum err look(struct store_tx *tx, void *context)
{
	struct asking *asking = context;
	enum err err = store_transaction_merchant(tx, asking->id, asking->merchant);

	return err == ERR_OK ? why_read(tx, asking->merchant, asking->id, &asking->why) : err;
}

static void show_labelled(const char *label, enum page_style style, const char *text)
{
	printf("%-*s", LABEL_WIDTH, label);
	page_text(style, LABEL_WIDTH, LABEL_WIDTH, text);
}

static enum page_style style_of_verdict(enum why_verdict verdict)
{
	switch (verdict) {
	case WHY_CHARGED:
	case WHY_NOT_CHARGED:
		return PAGE_STRONG;
	case WHY_MAYBE:
	case WHY_AUTHORISED:
		break;
	}
	return PAGE_DOUBT;
}

static void show_head(const struct asking *asking)
{
	const struct why *why = &asking->why;
	const struct transaction_row *row = &why->transaction;
	char id[ID_TEXT_SIZE], line[WHY_TEXT_SIZE];

	snprintf(line, sizeof line, "%s: %s of %s by %s, merchant %s, customer %s: %s",
		 id_format(ID_TRANSACTION, row->id, id),
		 words_text(transaction_kind_words, (int)row->kind), why->amount, row->method,
		 asking->merchant, row->customer,
		 words_text(transaction_status_words, (int)row->status));
	page_text(PAGE_STRONG, 0, 2, line);
	putchar('\n');
	show_labelled("Charged?", style_of_verdict(why->verdict), why->verdict_text);
	show_labelled("Pay again?", why_retry_is_safe(why->retry) ? PAGE_GOOD : PAGE_BAD,
		      why->retry_text);
	for (size_t i = 0; i < why->next_count; i++)
		show_labelled(i == 0 ? "Next" : "", PAGE_PLAIN, why->next[i].text);
	if (why->next_count == 0)
		show_labelled("Next", PAGE_PLAIN, "Nothing: it is over.");
}

/* A rule is said once, where it first follows. */
static bool rule_is_new(const struct why *why, size_t step)
{
	if (why->steps[step].rule[0] == '\0')
		return false;
	for (size_t i = 0; i < step; i++)
		if (strcmp(why->steps[i].rule, why->steps[step].rule) == 0)
			return false;
	return true;
}

static void show_indented(const char *label, const char *text)
{
	printf("%*s%s", STEP_INDENT, "", label);
	page_text(PAGE_DIM, STEP_INDENT + (int)strlen(label), STEP_INDENT + (int)strlen(label),
		  text);
}

static void show_steps(const struct why *why, bool evidence)
{
	char at[PAGE_TIME_SIZE];

	page_text(PAGE_STRONG, 0, 0, "What happened");
	for (size_t i = 0; i < why->step_count; i++) {
		const struct why_step *step = &why->steps[i];

		printf("%3zu. %s  ", i + 1, page_time(step->at_us, at));
		page_text(PAGE_PLAIN, STEP_INDENT + (int)strlen(at) + 2,
			  STEP_INDENT + (int)strlen(at) + 2, step->text);
		if (rule_is_new(why, i))
			show_indented("Rule: ", step->rule);
		if (evidence)
			show_indented("Shown by: ", step->evidence);
	}
}

static void show_exception(const struct why_exception *exception)
{
	const struct exception_row *row = &exception->row;
	char id[ID_TEXT_SIZE], at[PAGE_TIME_SIZE], line[WHY_TEXT_SIZE];
	bool open = row->state == EXCEPTION_OPEN;

	snprintf(line, sizeof line, "%s (%s), %s since %s%s%s",
		 id_format(ID_EXCEPTION, row->id, id),
		 words_text(exception_kind_words, (int)row->kind), open ? "open" : "resolved",
		 page_time(open ? row->opened_at_us : row->resolved_at_us, at),
		 open ? ", owner: " : ", by ",
		 open ? (row->owner[0] == '\0' ? "nobody" : row->owner) : row->resolved_by);
	page_text(open ? PAGE_BAD : PAGE_PLAIN, 0, 2, line);
	printf("%*s", STEP_INDENT, "");
	page_text(PAGE_PLAIN, STEP_INDENT, STEP_INDENT, exception->text);
	show_indented("Detail: ", row->detail);
	if (open)
		show_indented("To do: ", exception->advice);
	else
		show_indented("Note: ", row->note);
}

static void show(const struct asking *asking, bool evidence)
{
	const struct why *why = &asking->why;

	show_head(asking);
	if (why->exception_count > 0) {
		putchar('\n');
		page_text(PAGE_STRONG, 0, 0, "Exceptions");
	}
	for (size_t i = 0; i < why->exception_count; i++)
		show_exception(&why->exceptions[i]);
	putchar('\n');
	show_steps(why, evidence);
	if (why->truncated)
		page_text(PAGE_DOUBT, 0, 0,
			  "There is more on record than is shown here: what came last is missing.");
}

int ctl_why(const struct command_call *call)
{
	struct asking asking = { .merchant = "" };
	char why[ACCESS_WHY_SIZE];
	enum err err;

	if (!id_parse(ID_TRANSACTION, call->argument, &asking.id))
		return command_fail(ERR_INVALID, "'%.64s' is no transaction's id", call->argument);
	err = access_run(call->values, ACCESS_LOOK, look, &asking, why);
	if (err == ERR_NOT_FOUND)
		return command_fail(err, "there is no transaction %s", call->argument);
	if (err != ERR_OK)
		return command_fail(err, "%s", why);
	show(&asking, call->values->given[EVIDENCE]);
	why_done(&asking.why);
	return 0;
}
