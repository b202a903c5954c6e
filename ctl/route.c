/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/route.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "core/routing_text.h"
#include "core/text.h"
#include "ctl/access.h"
#include "ctl/gateway.h"
#include "ctl/routing_file.h"
#include "service/catalogue.h"
#include "store/catalogue.h"

enum { COUNTRY = ACCESS_COUNT, CURRENCY, METHOD, KIND, OPERATION, AMOUNT, MERCHANT };

/* clang-format off */
static const struct cli_option list_options[] = { ACCESS_OPTIONS };
static const struct cli_option explain_options[] = {
	ACCESS_OPTIONS,
	{ "country", 0, CLI_TEXT, "CC", "", 0, 0,
	  "the payment's country, two capitals; not known when left out" },
	{ "currency", 0, CLI_TEXT, "CUR", NULL, 0, 0, "its currency" },
	{ "method", 0, CLI_TEXT, "WORD", "credit_card", 0, 0, "its payment method" },
	{ "kind", 0, CLI_TEXT, "WORD", "payment", 0, 0,
	  "payment, deposit, withdrawal or instalment" },
	{ "operation", 0, CLI_TEXT, "WORD", "charge", 0, 0, "what is asked of the gateway" },
	{ "amount", 0, CLI_INT, "MINOR", "1000", 1, MONEY_MAX_MINOR, "its amount in minor units" },
	{ "merchant", 0, CLI_TEXT, "NAME", "", 0, 0, "its merchant" },
};
/* clang-format on */
const struct command_options ctl_route_list_options = {
	list_options, sizeof list_options / sizeof *list_options
};
const struct command_options ctl_route_explain_options = {
	explain_options, sizeof explain_options / sizeof *explain_options
};

/* ---- apply ---- */

struct apply {
	struct routes_file file;
	bool dry_run;
	char file_why[ROUTING_FILE_WHY_SIZE];
	int64_t version;
	size_t gateway_count;
	char gateways[ROUTING_GATEWAYS_MAX][ROUTING_NAME_SIZE];
};

static void gateway_add(void *context, const struct gateway_row *row)
{
	struct apply *apply = context;

	if (apply->gateway_count < ROUTING_GATEWAYS_MAX)
		memcpy(apply->gateways[apply->gateway_count++], row->gateway, ROUTING_NAME_SIZE);
}

static bool is_known(const struct apply *apply, const char *gateway)
{
	for (size_t i = 0; i < apply->gateway_count; i++)
		if (strcmp(apply->gateways[i], gateway) == 0)
			return true;
	return false;
}

/* Every rule that names a gateway which is not there. */
static enum err gateways_judge(struct apply *apply)
{
	struct conf_problems problems = { .text = apply->file_why,
					  .size = sizeof apply->file_why };
	char text[ROUTING_WHY_SIZE];

	for (size_t i = 0; i < apply->file.target_count; i++) {
		const struct route_target_row *target = &apply->file.targets[i];

		if (is_known(apply, target->gateway))
			continue;
		snprintf(text, sizeof text,
			 "has %s, which is no gateway: see payopsctl gateway list",
			 target->gateway);
		routes_file_problem(&apply->file, &problems, target->number, "gateways", text);
	}
	conf_problems_end(&problems);
	return problems.err;
}

static enum err rows_insert(struct store_tx *tx, const struct routes_file *file)
{
	enum err err = store_route_clear(tx);

	for (size_t i = 0; i < file->rule_count && err == ERR_OK; i++)
		err = store_route_rule_insert(tx, &file->rules[i]);
	for (size_t i = 0; i < file->target_count && err == ERR_OK; i++)
		err = store_route_target_insert(tx, &file->targets[i]);
	return err;
}

static enum err apply_work(struct store_tx *tx, void *context)
{
	struct apply *apply = context;
	int64_t now_us;
	enum err err = store_catalogue_lock(tx, &apply->version);

	apply->gateway_count = 0;
	apply->file_why[0] = '\0';
	if (err == ERR_OK)
		err = store_now(tx, &now_us);
	if (err == ERR_OK)
		err = store_gateway_list(tx, gateway_add, apply);
	if (err == ERR_OK)
		err = gateways_judge(apply);
	if (err == ERR_OK && !apply->dry_run)
		err = rows_insert(tx, &apply->file);
	if (err == ERR_OK && !apply->dry_run) {
		err = store_catalogue_raise(tx, now_us);
		apply->version++;
	}
	return err;
}

int ctl_route_apply(const struct command_call *call)
{
	char why[SETTINGS_WHY_SIZE] = "";
	struct apply apply = { .dry_run = call->values->given[APPLY_DRY_RUN] };
	enum err err = routes_file_read(call->argument, &apply.file, apply.file_why);
	const size_t count = apply.file.rule_count;

	if (err != ERR_OK)
		return command_fail(err, "%s", apply.file_why);
	err = access_run(call->values, ACCESS_RUN, apply_work, &apply, why);
	routes_file_done(&apply.file);
	if (err != ERR_OK)
		return command_fail(err, "%s",
				    apply.file_why[0] != '\0' ? apply.file_why : why);
	if (apply.dry_run)
		printf("%zu rules would be in force; nothing was changed: --dry-run\n", count);
	else
		printf("%zu rules are in force as version %" PRId64 "\n", count, apply.version);
	return 0;
}

/* ---- list and explain ---- */

struct showing {
	struct catalogue_view *view;
	char why[CATALOGUE_WHY_SIZE];
};

static enum err view_work(struct store_tx *tx, void *context)
{
	struct showing *showing = context;

	return catalogue_read(tx, CATALOGUE_SHOW, &showing->view, showing->why);
}

/* True with a view to be released; else *status is the exit status. */
static bool view_open(const struct command_call *call, struct showing *showing, int *status)
{
	char why[SETTINGS_WHY_SIZE] = "";
	enum err err = access_run(call->values, ACCESS_LOOK, view_work, showing, why);

	if (err != ERR_OK)
		*status = command_fail(err, "%s", showing->why[0] != '\0' ? showing->why : why);
	return err == ERR_OK;
}

static void print_set(const char *name, const char *set)
{
	if (set[0] != '\0')
		printf("  %s %s", name, set);
}

static void print_rule(const struct routing_table *table, size_t index)
{
	const struct routing_rule *rule = &table->rules[index];

	printf("%3zu  %-16s", index + 1, rule->name);
	print_set("merchants", rule->merchants);
	print_set("kinds", rule->kinds);
	print_set("countries", rule->countries);
	print_set("currencies", rule->currencies);
	print_set("methods", rule->methods);
	if (rule->amount_min != 0)
		printf("  from %" PRId64, rule->amount_min);
	if (rule->amount_max != 0)
		printf("  to %" PRId64, rule->amount_max);
	fputs("  ->", stdout);
	for (size_t i = 0; i < rule->target_count; i++) {
		const struct routing_target *target = &rule->targets[i];
		const bool shares = i > 0 && target[-1].priority == target->priority;

		printf("%s %s:%u", shares ? " |" : (i > 0 ? "," : ""),
		       table->gateways[target->gateway].name, target->weight);
	}
	putchar('\n');
}

int ctl_route_list(const struct command_call *call)
{
	struct showing showing = { .view = NULL };
	int status = 0;

	if (!view_open(call, &showing, &status))
		return status;
	for (size_t i = 0; i < showing.view->routing.rule_count; i++)
		print_rule(&showing.view->routing, i);
	catalogue_release(showing.view);
	return 0;
}

/* Words of the command line into facts; returns the exit status of the first that is wrong. */
static int facts_read(const struct cli_values *values, struct routing_facts *facts)
{
	const int kind = words_find(transaction_kind_words, values->text[KIND]);
	const int operation = words_find(operation_kind_words, values->text[OPERATION]);
	const char *country = values->text[COUNTRY];
	uint8_t random[10];

	crypto_random(random, sizeof random);
	if (!values->given[CURRENCY])
		return command_fail(ERR_USAGE, "name the currency with --currency");
	if (currency_find(values->text[CURRENCY]) == NULL)
		return command_fail(ERR_INVALID, "--currency must be an ISO 4217 code");
	if (country[0] != '\0' && !text_is(TEXT_COUNTRY, country, strlen(country)))
		return command_fail(ERR_INVALID, "--country must be two capitals");
	if (kind < 0)
		return command_fail(ERR_INVALID,
				    "--kind must be payment, deposit, withdrawal or instalment");
	if (operation < 0)
		return command_fail(ERR_INVALID, "--operation must be charge, authorise, capture, "
						 "void, refund or payout");
	*facts = (struct routing_facts){ .transaction_id = id_make(clock_now_us(), random),
					 .kind = (enum transaction_kind)kind,
					 .operation = (enum operation_kind)operation,
					 .merchant = values->text[MERCHANT],
					 .country = country,
					 .method = values->text[METHOD],
					 .token_gateway = "",
					 .now_us = clock_now_us() };
	facts->amount.minor = values->integer[AMOUNT];
	memcpy(facts->amount.currency, values->text[CURRENCY], sizeof facts->amount.currency);
	return 0;
}

static void print_decision(const struct routing_table *table, const struct routing_facts *facts)
{
	const struct routing_decision decision = routing_decide(table, facts);

	for (size_t i = 0; i < table->rule_count; i++) {
		const enum routing_miss miss = routing_judge(&table->rules[i], facts);

		if (decision.rule != ROUTING_NO_RULE && i > (size_t)decision.rule)
			break;
		if (miss == ROUTING_FITS)
			printf("rule %zu %s fits\n", i + 1, table->rules[i].name);
		else
			printf("rule %zu %s misses: its %s differs\n", i + 1, table->rules[i].name,
			       words_text(routing_miss_words, (int)miss));
	}
	for (size_t i = 0; i < decision.count; i++) {
		const struct routing_candidate *candidate = &decision.candidates[i];
		const char *name = table->gateways[candidate->gateway].name;

		if (candidate->drop == ROUTING_USABLE)
			printf("  %zu. %s\n", i + 1, name);
		else
			printf("  not %s: %s\n", name,
			       words_text(routing_drop_words, (int)candidate->drop));
	}
	if (decision.usable_count == 0)
		puts("no gateway takes it: the payment would be refused with no_route");
}

int ctl_route_explain(const struct command_call *call)
{
	struct showing showing = { .view = NULL };
	struct routing_facts facts;
	int status = facts_read(call->values, &facts);

	if (status != 0 || !view_open(call, &showing, &status))
		return status;
	print_decision(&showing.view->routing, &facts);
	catalogue_release(showing.view);
	return 0;
}
