/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/breaker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/near.h"
#include "core/text.h"
#include "ctl/access.h"
#include "store/breaker.h"
#include "store/gateway.h"

#define REASON_LENGTH_MAX 200 /* code points */
#define US_PER_MINUTE INT64_C(60000000)
#define ALL ((1u << BREAKER_OPERATIONS) - 1)
#define ALL_BUT_INQUIRIES (ALL & ~(1u << BREAKER_INQUIRY))

enum { REASON = ACCESS_COUNT, MINUTES };

/* clang-format off */
static const struct cli_option options[] = { ACCESS_OPTIONS };
static const struct cli_option force_options[] = {
	ACCESS_OPTIONS,
	{ "reason", 0, CLI_TEXT, "TEXT", NULL, 0, 0, "why, for those who find it so" },
	{ "minutes", 0, CLI_INT, "N", "60", 1, 10080, "for how long" },
};
/* clang-format on */
const struct command_options ctl_breaker_list_options = { options,
							  sizeof options / sizeof *options };
const struct command_options ctl_breaker_force_options = {
	force_options, sizeof force_options / sizeof *force_options
};

/* What is stored, and what is wanted of it. */
struct work {
	const char *gateway; /* NULL: only look */
	unsigned operations; /* bits 1 << enum breaker_operation */
	struct breaker_row wish;
	int64_t span_us;
	int64_t now_us;
	size_t count;
	bool is_known;
	bool was_forced[BREAKER_OPERATIONS];
	struct breaker_row rows[BREAKER_ROWS_MAX];
	size_t gateway_count;
	char gateways[ROUTING_GATEWAYS_MAX][ROUTING_NAME_SIZE]; /* those there are */
};

/* ---- the database ---- */

static void gateway_add(void *context, const struct gateway_row *row)
{
	struct work *work = context;

	if (work->gateway_count < ROUTING_GATEWAYS_MAX)
		memcpy(work->gateways[work->gateway_count++], row->gateway, ROUTING_NAME_SIZE);
}

static bool is_gateway(const struct work *work, const char *name)
{
	for (size_t i = 0; i < work->gateway_count; i++)
		if (strcmp(work->gateways[i], name) == 0)
			return true;
	return false;
}

static enum err look(struct store_tx *tx, struct work *work)
{
	enum err err = store_breaker_list(tx, work->rows, &work->count);

	work->gateway_count = 0;
	if (err == ERR_OK)
		err = store_gateway_list(tx, gateway_add, work);
	return err == ERR_OK ? store_now(tx, &work->now_us) : err;
}

static enum err force_one(struct store_tx *tx, struct work *work, enum breaker_operation operation)
{
	if (work->wish.breaker.force == BREAKER_AUTOMATIC)
		return store_breaker_release(tx, work->gateway, operation);
	work->wish.operation = operation;
	work->wish.forced_at_us = work->now_us;
	work->wish.breaker.force_until_us = work->now_us + work->span_us;
	return store_breaker_force(tx, &work->wish);
}

static enum err change(struct store_tx *tx, struct work *work)
{
	enum err err = ERR_OK;

	work->is_known = is_gateway(work, work->gateway);
	memset(work->was_forced, 0, sizeof work->was_forced);
	for (size_t i = 0; i < work->count; i++) {
		const struct breaker_row *row = &work->rows[i];

		if (strcmp(row->gateway, work->gateway) != 0)
			continue;
		work->is_known = true;
		work->was_forced[row->operation] = row->breaker.force != BREAKER_AUTOMATIC;
	}
	if (!work->is_known)
		return ERR_OK;
	for (int i = 0; i < BREAKER_OPERATIONS && err == ERR_OK; i++)
		if ((work->operations & 1u << i) != 0)
			err = force_one(tx, work, (enum breaker_operation)i);
	return err;
}

static enum err do_work(struct store_tx *tx, void *context)
{
	struct work *work = context;
	enum err err = look(tx, work);

	return err == ERR_OK && work->gateway != NULL ? change(tx, work) : err;
}

static enum err run(const struct store_settings *settings, struct work *work,
		    char why[STORE_WHY_SIZE])
{
	struct store *store;
	enum err err = store_open(settings, &store, why);

	if (err != ERR_OK)
		return err;
	err = store_run(store, do_work, work);
	store_close(store);
	snprintf(why, STORE_WHY_SIZE, "%s", err_row(err)->title);
	return err;
}

/* ---- what is shown ---- */

static void show_until(const char *words, int64_t at_us)
{
	char text[CLOCK_TEXT_SIZE];

	printf("%s %s", words, clock_format(at_us, text));
}

/* "alpha  charge  open since …, tried again at …", or "alpha  charge  open, forced until … by ops: why" */
static void show_row(const struct breaker_row *row, int64_t now_us)
{
	const struct breaker *breaker = &row->breaker;
	const enum breaker_state shown = breaker_shown(breaker, now_us);

	printf("%-16s  %-9s  %s", row->gateway,
	       words_text(breaker_operation_words, (int)row->operation),
	       words_text(breaker_state_words, (int)shown));
	if (breaker_is_forced(breaker, now_us)) {
		show_until(", forced until", breaker->force_until_us);
		printf(" by %s: %s", row->forced_by, row->forced_reason);
	} else if (breaker->state != BREAKER_CLOSED) {
		show_until(" since", breaker->opened_at_us);
		show_until(breaker->state == BREAKER_OPEN ? ", tried again at" : ", tried until",
			   breaker->until_us);
	}
	putchar('\n');
}

static const struct breaker_row *find_row(const struct work *work, const char *gateway,
					  enum breaker_operation operation)
{
	for (size_t i = 0; i < work->count; i++)
		if (work->rows[i].operation == operation &&
		    strcmp(work->rows[i].gateway, gateway) == 0)
			return &work->rows[i];
	return NULL;
}

/* All of the gateways there are, then what the table has of others. */
static void show_all(const struct work *work)
{
	printf("%-16s  %-9s  STATE\n", "GATEWAY", "OPERATION");
	for (size_t i = 0; i < work->gateway_count; i++)
		for (int k = 0; k < BREAKER_OPERATIONS; k++) {
			const char *name = work->gateways[i];
			const struct breaker_row *row =
				find_row(work, name, (enum breaker_operation)k);
			struct breaker_row closed = { .operation = (enum breaker_operation)k };

			snprintf(closed.gateway, sizeof closed.gateway, "%s", name);
			show_row(row != NULL ? row : &closed, work->now_us);
		}
	for (size_t i = 0; i < work->count; i++)
		if (!is_gateway(work, work->rows[i].gateway))
			show_row(&work->rows[i], work->now_us);
}

static void show_change(const struct work *work)
{
	const struct breaker *wish = &work->wish.breaker;

	for (int i = 0; i < BREAKER_OPERATIONS; i++) {
		const char *operation = words_text(breaker_operation_words, i);

		if ((work->operations & 1u << i) == 0)
			continue;
		printf("%s %s: ", work->gateway, operation);
		if (wish->force == BREAKER_AUTOMATIC) {
			puts(work->was_forced[i] ? "no longer forced" : "was not forced");
			continue;
		}
		printf("forced %s", words_text(breaker_force_words, (int)wish->force));
		show_until(" until", wish->force_until_us);
		putchar('\n');
	}
}

/* ---- what is typed ---- */

static int fail_gateway(const struct work *work)
{
	struct near near;
	const char *best;

	near_start(&near, work->gateway);
	for (size_t i = 0; i < work->gateway_count; i++)
		near_offer(&near, work->gateways[i]);
	best = near_best(&near);
	return command_fail(ERR_NOT_FOUND, "there is no gateway '%.64s'%s%s%s", work->gateway,
			    best == NULL ? "" : ", did you mean ", best == NULL ? "" : best,
			    best == NULL ? "" : "?");
}

static int fail_operation(const char *word)
{
	struct near near;
	const char *best;

	near_start(&near, word);
	for (int i = 0; i < BREAKER_OPERATIONS; i++)
		near_offer(&near, words_text(breaker_operation_words, i));
	best = near_best(&near);
	if (best != NULL)
		return command_fail(ERR_INVALID, "no operation is called '%.64s', did you mean %s?",
				    word, best);
	return command_fail(ERR_INVALID,
			    "no operation is called '%.64s': there are charge, authorise, capture, "
			    "void, refund, payout and inquiry",
			    word);
}

static bool is_reason(const char *text)
{
	const size_t size = strlen(text);

	return size > 0 && text_is(TEXT_ANY, text, size) &&
	       text_length(text, size) <= REASON_LENGTH_MAX;
}

/* Reason, end and who says so. Returns 0 or a failure's exit status. */
static int take_force(const struct cli_values *values, struct work *work)
{
	if (!values->given[REASON])
		return command_fail(ERR_USAGE, "say why with --reason, for those who find it so");
	if (!is_reason(values->text[REASON]))
		return command_fail(ERR_INVALID,
				    "--reason must be 1 to %d characters of UTF-8 without controls",
				    REASON_LENGTH_MAX);
	snprintf(work->wish.forced_reason, sizeof work->wish.forced_reason, "%s",
		 values->text[REASON]);
	snprintf(work->wish.forced_by, sizeof work->wish.forced_by, "%s", access_person());
	work->span_us = values->integer[MINUTES] * US_PER_MINUTE;
	return 0;
}

/* Open the database as the options say, and do the work. Returns 0 or a failure's exit status. */
static int carry_out(const struct command_call *call, struct work *work,
		     void (*show)(const struct work *work))
{
	char why[SETTINGS_WHY_SIZE], store_why[STORE_WHY_SIZE];
	struct access access;
	int status = 0;
	enum err err = access_open(&access, call->values, why);

	if (err != ERR_OK)
		return command_fail(err, "%s", why);
	err = run(&access.store, work, store_why);
	if (err != ERR_OK)
		status = command_fail(err, "%s", store_why);
	else if (work->gateway != NULL && !work->is_known)
		status = fail_gateway(work);
	else
		show(work);
	access_done(&access);
	return status;
}

static int force(const struct command_call *call, enum breaker_force wanted, unsigned operations)
{
	struct work *work;
	int status = 0;
	int operation = -1;

	if (call->second != NULL) {
		operation = words_find(breaker_operation_words, call->second);
		if (operation < 0)
			return fail_operation(call->second);
	}
	work = calloc(1, sizeof *work);
	if (work == NULL)
		return command_fail(ERR_MEMORY, "%s", err_row(ERR_MEMORY)->title);
	work->gateway = call->argument;
	work->operations = operation < 0 ? operations : 1u << operation;
	work->wish.breaker.force = wanted;
	snprintf(work->wish.gateway, sizeof work->wish.gateway, "%s", call->argument);
	if (wanted != BREAKER_AUTOMATIC)
		status = take_force(call->values, work);
	if (status == 0)
		status = carry_out(call, work, show_change);
	free(work);
	return status;
}

int ctl_breaker_list(const struct command_call *call)
{
	struct work *work = calloc(1, sizeof *work);
	int status;

	if (work == NULL)
		return command_fail(ERR_MEMORY, "%s", err_row(ERR_MEMORY)->title);
	status = carry_out(call, work, show_all);
	free(work);
	return status;
}

int ctl_breaker_open(const struct command_call *call)
{
	return force(call, BREAKER_FORCED_OPEN, ALL_BUT_INQUIRIES);
}

int ctl_breaker_close(const struct command_call *call)
{
	return force(call, BREAKER_FORCED_CLOSED, ALL);
}

int ctl_breaker_auto(const struct command_call *call)
{
	return force(call, BREAKER_AUTOMATIC, ALL);
}
