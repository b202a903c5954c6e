/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/choice.h"

#include "core/consequence.h"
#include "core/decline.h"
#include "core/schedule.h"

#include <stdio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define WAIT_MAX_US (900 * SECOND_US) /* for a gateway that is away, before a payment is given up */
#define BUDGET_WAIT_MAX_US (60 * SECOND_US) /* for a retry's turn */
#define AWAY_PAUSE_US (60 * SECOND_US)      /* between looks at a gateway that is switched off */

/* What the operation met at one gateway. */
struct tried {
	unsigned attempts; /* 0: it was never tried there */
	unsigned declines;
	enum attempt_status ended; /* the latest one there */
	bool again;                /* that one allows another at this gateway */
};

struct history {
	const struct catalogue_view *view;
	struct tried at[GATEWAYS_MAX];
	unsigned count;
	bool live; /* one is not definitely uncharged */
	enum attempt_status last;
	int last_gateway; /* index, or -1: it is not in the catalogue any more */
	bool last_elsewhere;
	bool last_again;
	int64_t last_at_us;
};

struct making {
	const struct choice_request *request;
	struct choice *choice;
	struct history history;
	struct routing_decision decision;
	int64_t again_at_us; /* the earliest time at which something changes, or 0 */
	bool busy; /* where it should go now has no room: it waits, however long, and goes nowhere else */
};

static bool allows_again(const struct attempt_row *attempt)
{
	if (attempt->status == AS_DECLINED)
		return decline_find(attempt->decline_code)->again;
	return attempt->status == AS_NOT_SENT || attempt->status == AS_NOT_FOUND;
}

static bool allows_elsewhere(const struct attempt_row *attempt)
{
	if (attempt->status == AS_DECLINED)
		return decline_find(attempt->decline_code)->elsewhere;
	return attempt->status == AS_NOT_SENT || attempt->status == AS_NOT_FOUND;
}

static int gateway_index(const struct catalogue_view *view, const char *name)
{
	const size_t at = routing_gateway_find(&view->routing, name);

	return at < view->routing.gateway_count ? (int)at : -1;
}

/* Rows come in order of their numbers. */
static void history_add(void *context, const struct attempt_row *attempt)
{
	struct history *history = context;
	struct tried *tried;

	history->count++;
	history->live |= !attempt_is_uncharged(attempt->status);
	history->last = attempt->status;
	history->last_elsewhere = allows_elsewhere(attempt);
	history->last_again = allows_again(attempt);
	history->last_at_us = attempt->updated_at_us;
	history->last_gateway = gateway_index(history->view, attempt->gateway);
	if (history->last_gateway < 0)
		return;
	tried = &history->at[history->last_gateway];
	tried->attempts++;
	tried->declines += attempt->status == AS_DECLINED ? 1 : 0;
	tried->ended = attempt->status;
	tried->again = allows_again(attempt);
}

static enum err history_read(struct store_tx *tx, struct making *making)
{
	const struct operation_row *operation = making->request->operation;

	making->history = (struct history){ .view = making->request->view, .last_gateway = -1 };
	if (operation->attempt_count == 0)
		return ERR_OK;
	return store_attempt_list_of(tx, operation->id, history_add, &making->history);
}

struct routing_facts choice_facts(const struct transaction_row *transaction,
				  enum operation_kind operation, int64_t now_us)
{
	return (struct routing_facts){ .transaction_id = transaction->id,
				       .kind = transaction->kind,
				       .operation = operation,
				       .merchant = transaction->merchant,
				       .country = transaction->country,
				       .method = transaction->method,
				       .amount = transaction->amount,
				       .token_gateway = "",
				       .now_us = now_us };
}

/* The one gateway of the parent, drained or not: only what is switched off or away waits. */
static void decide_for_parent(struct making *making)
{
	const struct choice_request *request = making->request;
	const int gateway = gateway_index(request->view, request->parent->gateway);
	const struct routing_gateway *capability;
	enum routing_drop drop = ROUTING_USABLE;

	making->decision = (struct routing_decision){ .rule = ROUTING_NO_RULE };
	if (gateway < 0)
		return;
	capability = &request->view->capabilities[gateway];
	if (capability->state == ROUTING_DISABLED)
		drop = ROUTING_DROP_DISABLED;
	else if (routing_in_maintenance(capability, request->now_us))
		drop = ROUTING_DROP_MAINTENANCE;
	making->decision.count = 1;
	making->decision.candidates[0] = (struct routing_candidate){ (unsigned)gateway, drop };
	making->decision.usable_count = drop == ROUTING_USABLE ? 1 : 0;
}

static void decide(struct making *making)
{
	const struct choice_request *request = making->request;
	struct routing_facts facts;

	if (request->parent != NULL) {
		decide_for_parent(making);
		return;
	}
	facts = choice_facts(request->transaction, request->operation->kind, request->now_us);
	facts.amount.minor = request->operation->amount_minor;
	facts.token_gateway = request->operation->token_gateway;
	making->decision = routing_decide(&request->view->routing, &facts);
}

/* "alpha beta !gamma:currency", as many as fit. */
static void candidates_write(const struct making *making)
{
	const struct routing_decision *decision = &making->decision;
	const struct routing_table *table = &making->request->view->routing;
	struct choice *choice = making->choice;
	size_t used = 0;

	choice->candidates[0] = '\0';
	choice->rule[0] = '\0';
	if (decision->rule != ROUTING_NO_RULE)
		memcpy(choice->rule, table->rules[decision->rule].name, sizeof choice->rule);
	for (size_t i = 0; i < decision->count; i++) {
		const struct routing_candidate *candidate = &decision->candidates[i];
		const bool usable = candidate->drop == ROUTING_USABLE;
		char word[2 * ROUTING_NAME_SIZE];
		const int size = snprintf(
			word, sizeof word, "%s%s%s%s%s", used > 0 ? " " : "", usable ? "" : "!",
			table->gateways[candidate->gateway].name, usable ? "" : ":",
			usable ? "" : words_text(routing_drop_words, (int)candidate->drop));

		if (used + (size_t)size >= sizeof choice->candidates)
			return;
		memcpy(choice->candidates + used, word, (size_t)size + 1);
		used += (size_t)size;
	}
}

static void wait_until(struct making *making, int64_t at_us)
{
	if (making->again_at_us == 0 || at_us < making->again_at_us)
		making->again_at_us = at_us;
}

/* Whether its breaker lets a call go; where not, that is a time to look again. */
static bool is_open_to(struct making *making, unsigned gateway)
{
	const struct choice_request *request = making->request;
	int64_t again_at_us;

	if (request->breakers == NULL ||
	    breakers_allow(request->breakers, request->view->gateways.list[gateway].name,
			   (enum breaker_operation)request->operation->kind, request->now_us,
			   &again_at_us))
		return true;
	wait_until(making, again_at_us);
	return false;
}

/* Whether it has room for another call; where not, that is a time to look again. */
static bool has_room(struct making *making, unsigned gateway)
{
	const struct choice_request *request = making->request;
	int64_t wait_us = 0;

	if (request->room != NULL)
		wait_us = room_wait_us(request->room, request->view->gateways.list[gateway].name,
				       request->boot_us);
	if (wait_us == 0)
		return true;
	wait_until(making, request->now_us + wait_us);
	making->busy = true;
	return false;
}

static struct budget *budget_of(struct choice_budgets *budgets, const char *gateway,
				int64_t now_us)
{
	size_t at = 0;

	while (at < budgets->count && strcmp(budgets->list[at].gateway, gateway) != 0)
		at++;
	if (at == budgets->count) {
		at = budgets->count < GATEWAYS_MAX ? budgets->count++ : 0;
		snprintf(budgets->list[at].gateway, sizeof budgets->list[at].gateway, "%s",
			 gateway);
		budgets->list[at].budget = budget_full(&budget_rules_default, now_us);
	}
	return &budgets->list[at].budget;
}

/* First tries earn what retries spend. */
static bool budget_agrees(const struct making *making, unsigned gateway, bool is_retry)
{
	const struct choice_request *request = making->request;
	struct budget *budget;

	if (request->budgets == NULL)
		return true;
	budget = budget_of(request->budgets, request->view->gateways.list[gateway].name,
			   request->now_us);
	if (is_retry)
		return budget_spend(&budget_rules_default, budget, request->now_us);
	budget_earn(&budget_rules_default, budget, request->now_us);
	return true;
}

static bool send_to(struct making *making, unsigned gateway, bool is_retry)
{
	const struct choice_request *request = making->request;
	struct choice *choice = making->choice;
	const char *account;

	choice->outcome = CHOICE_SEND;
	choice->gateway = catalogue_gateway(request->view, gateway, request->operation->merchant,
					    &account);
	if (request->parent != NULL)
		account = request->parent->account;
	snprintf(choice->account, sizeof choice->account, "%s", account);
	choice->key_number = making->history.at[gateway].declines + 1;
	choice->is_retry = is_retry;
	return true;
}

/* A usable gateway where it was never tried, at once. */
static bool try_fresh(struct making *making)
{
	const struct routing_decision *decision = &making->decision;

	for (size_t i = 0; i < decision->usable_count; i++) {
		const unsigned gateway = decision->candidates[i].gateway;

		if (making->history.at[gateway].attempts > 0 || !is_open_to(making, gateway))
			continue;
		if (!has_room(making, gateway))
			return false;
		(void)budget_agrees(making, gateway, false);
		return send_to(making, gateway, false);
	}
	return false;
}

static uint32_t seed_of(const struct operation_row *operation)
{
	uint32_t seed;

	memcpy(&seed, operation->id.bytes + ID_SIZE - sizeof seed, sizeof seed);
	return seed + operation->retry_count;
}

/* When a retry is due; false: none is left. */
static bool retry_due(const struct making *making, int64_t *due_us)
{
	const struct operation_row *operation = making->request->operation;
	const struct history *history = &making->history;
	int64_t delay_us;

	if (!schedule_retry(operation->retry_count + 1, seed_of(operation), &delay_us))
		return false;
	/* "Not found" took its time already. */
	*due_us = history->last_at_us + (history->last == AS_NOT_FOUND ? 0 : delay_us);
	return true;
}

static bool is_usable(const struct making *making, unsigned gateway)
{
	const struct routing_decision *decision = &making->decision;

	for (size_t i = 0; i < decision->usable_count; i++)
		if (decision->candidates[i].gateway == gateway)
			return true;
	return false;
}

/* The gateway again, when its breaker and its budget let it. */
static bool try_again_at(struct making *making, unsigned gateway)
{
	const int64_t now_us = making->request->now_us;

	if (!is_open_to(making, gateway) || !has_room(making, gateway))
		return false;
	if (budget_agrees(making, gateway, true))
		return send_to(making, gateway, true);
	if (now_us - making->history.last_at_us < BUDGET_WAIT_MAX_US)
		wait_until(making, now_us + SECOND_US +
					   seed_of(making->request->operation) % SECOND_US);
	return false;
}

/* A gateway again that may see it otherwise by now. */
static bool try_again(struct making *making)
{
	const struct routing_decision *decision = &making->decision;
	int64_t due_us;

	if (!retry_due(making, &due_us))
		return false;
	for (size_t i = 0; i < decision->usable_count; i++) {
		const unsigned gateway = decision->candidates[i].gateway;
		const struct tried *tried = &making->history.at[gateway];

		if (tried->attempts == 0 || !tried->again)
			continue;
		if (making->request->now_us < due_us)
			wait_until(making, due_us);
		else if (try_again_at(making, gateway))
			return true;
		if (making->busy)
			return false;
	}
	return false;
}

/*
 * After "not found", the same gateway with the same key comes first. No budget holds it back: it is what recovers from
 * a crash of ours, when many come at once, and it adds no call to what was ordered.
 */
static bool try_same(struct making *making)
{
	const struct history *history = &making->history;
	int64_t due_us;

	if (history->last != AS_NOT_FOUND || history->last_gateway < 0 ||
	    !is_usable(making, (unsigned)history->last_gateway) || !retry_due(making, &due_us))
		return false;
	return is_open_to(making, (unsigned)history->last_gateway) &&
	       has_room(making, (unsigned)history->last_gateway) &&
	       send_to(making, (unsigned)history->last_gateway, true);
}

/* What is away for a while only may be waited for. */
static void wait_for_maintenance(struct making *making)
{
	const struct choice_request *request = making->request;

	for (size_t i = making->decision.usable_count; i < making->decision.count; i++) {
		const struct routing_candidate *candidate = &making->decision.candidates[i];
		const struct tried *tried = &making->history.at[candidate->gateway];

		if (candidate->drop == ROUTING_DROP_MAINTENANCE &&
		    (tried->again || making->history.count == 0))
			wait_until(making, request->view->capabilities[candidate->gateway]
						   .maintenance_until_us);
	}
}

static const char *failure_of(const struct making *making)
{
	if (making->history.count == 0)
		return making->decision.usable_count > 0 || making->again_at_us != 0
			       ? FAILURE_UNAVAILABLE
			       : FAILURE_NO_ROUTE;
	if (making->history.last == AS_DECLINED)
		return FAILURE_DECLINED;
	return making->history.last == AS_NOT_FOUND ? FAILURE_LOST : FAILURE_UNREACHABLE;
}

/* Nothing can be sent now: wait, as long as that may help, or give up. */
static void settle(struct making *making)
{
	const struct choice_request *request = making->request;
	const int64_t since_us = request->transaction->updated_at_us;
	struct choice *choice = making->choice;

	wait_for_maintenance(making);
	if (request->parent != NULL && making->decision.usable_count == 0)
		wait_until(making, request->now_us + AWAY_PAUSE_US);
	if (making->again_at_us != 0 &&
	    (request->parent != NULL || making->busy ||
	     making->again_at_us - since_us <= WAIT_MAX_US)) {
		choice->outcome = CHOICE_WAIT;
		choice->again_at_us = making->again_at_us;
		return;
	}
	choice->outcome = CHOICE_FAIL;
	choice->failure = failure_of(making);
}

/* Another attempt may follow the last one, here or elsewhere. */
static bool may_follow(const struct operation_row *operation, const struct history *history)
{
	return consequence_may_repeat(operation->kind, history->last) &&
	       (history->last_elsewhere || history->last_again);
}

enum err choice_make(struct store_tx *tx, const struct choice_request *request,
		     struct choice *choice)
{
	struct choice made = { .gateway = NULL };
	struct making making = { .request = request, .choice = &made };
	const bool is_first = request->operation->attempt_count == 0;
	enum err err = history_read(tx, &making);

	if (err != ERR_OK)
		return err;
	if (making.history.live)
		return ERR_CONFLICT;
	decide(&making);
	candidates_write(&making);
	if (!is_first && !may_follow(request->operation, &making.history)) {
		made.outcome = CHOICE_FAIL;
		made.failure = failure_of(&making);
	} else if (!try_same(&making) &&
		   !(!making.busy && (is_first || making.history.last_elsewhere) &&
		     try_fresh(&making)) &&
		   !(!making.busy && try_again(&making))) {
		settle(&making);
	}
	*choice = made;
	return ERR_OK;
}
