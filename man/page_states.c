/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "man/pages.h"

#include <assert.h>
#include <stdbool.h>

#include "core/attempt.h"
#include "core/operation.h"
#include "core/transaction.h"

#define LINE_SIZE 96

struct meaning {
	const char *text;
	bool is_final;
};

struct machine {
	const char *title;
	const char *text;
	const struct words *states;
	const struct words *events;
	bool (*next)(int from, int event, int *to);
	const struct meaning *meanings; /* one for each state */
};

static bool next_of_transaction(int from, int event, int *to)
{
	enum transaction_status status;

	if (!transaction_next((enum transaction_status)from, (enum transaction_event)event,
			      &status))
		return false;
	*to = (int)status;
	return true;
}

static bool next_of_operation(int from, int event, int *to)
{
	enum operation_status status;

	if (!operation_next((enum operation_status)from, (enum operation_event)event, &status))
		return false;
	*to = (int)status;
	return true;
}

static bool next_of_attempt(int from, int event, int *to)
{
	enum attempt_status status;

	if (!attempt_next((enum attempt_status)from, (enum attempt_event)event, &status))
		return false;
	*to = (int)status;
	return true;
}

static const struct meaning of_transactions[TS_COUNT] = {
	[TS_PENDING] = { "It is stored, and nothing was sent.", false },
	[TS_PROCESSING] = { "A gateway is, or was, asked to carry it out; with the reason "
			    "`outcome_unknown`, the customer "
			    "may have been charged and the gateway is asked. Do not pay again.",
			    false },
	[TS_AUTHORISED] = { "The money is held. It is to be captured, or it is released.", false },
	[TS_COMPLETED] = { "The money was moved. Refunds change `amount_refunded`, not the status.",
			   true },
	[TS_FAILED] = { "It was certainly not carried out, and no more tries follow.", true },
	[TS_CANCELLED] = { "It was cancelled, voided, or it expired; the reason says which.",
			   true },
	[TS_PARKED] = { "The automatic ways are used up: a human decides.", false },
};

static const struct meaning of_operations[OS_COUNT] = {
	[OS_AWAITING_APPROVAL] = { "Somebody has to approve it.", false },
	[OS_PENDING] = { "It is stored, and nothing was sent.", false },
	[OS_PROCESSING] = { "A try was begun.", false },
	[OS_SUCCEEDED] = { "The gateway did it.", true },
	[OS_FAILED] = { "It was certainly not done, and no more tries follow.", true },
	[OS_PARKED] = { "The automatic ways are used up: a human decides.", false },
	[OS_CANCELLED] = { "It was given up before anything was sent.", true },
	[OS_REVERSED] = { "Of a refund: the gateway took it back.", true },
	[OS_RETURNED] = { "Of a payout: it came back.", true },
};

static const struct meaning of_attempts[AS_COUNT] = {
	[AS_PREPARED] = { "It is stored, before anything was sent. Found after a crash, it is "
			  "unknown.",
			  false },
	[AS_SENT] = { "Bytes have left.", false },
	[AS_ACCEPTED] = { "The gateway took it, and will tell.", false },
	[AS_REQUIRES_ACTION] = { "The customer must act, as `instructions` say.", false },
	[AS_SUCCEEDED] = { "The gateway did it.", true },
	[AS_DECLINED] = { "The gateway did not do it, and said why.", true },
	[AS_NOT_SENT] = { "Certainly nothing reached the gateway.", true },
	[AS_UNKNOWN] = { "It may have been carried out: the gateway is asked, and nothing is sent "
			 "again.",
			 false },
	[AS_NOT_FOUND] = { "The gateway never got it: an authoritative answer, given twice.",
			   true },
};

static const struct machine machines[] = {
	{ "TRANSACTIONS",
	  "One intended movement of money. This is what the API calls `status` of a payment.",
	  &transaction_status_words, &transaction_event_words, next_of_transaction,
	  of_transactions },
	{ "OPERATIONS",
	  "One thing that a gateway is asked to do for a transaction: charge, authorise, capture, "
	  "void, refund "
	  "or payout. This is `status` of a refund. Charge, authorise and payout move their "
	  "transaction's status.",
	  &operation_status_words, &operation_event_words, next_of_operation, of_operations },
	{ "ATTEMPTS",
	  "One try of an operation at one gateway. An operation has at most one that is not "
	  "`declined`, "
	  "`not_sent` or `not_found`; so another try is made only where no earlier one can have "
	  "moved money.",
	  &attempt_status_words, &attempt_event_words, next_of_attempt, of_attempts },
};

/* Each state with the arrows that leave it. */
static void diagram_put(struct mdoc *page, const struct machine *machine)
{
	char line[LINE_SIZE];

	mdoc_macro(page, ".Bd -literal -offset indent");
	for (int from = 0; from < machine->states->count; from++) {
		bool is_first = true;
		int to;

		for (int event = 0; event < machine->events->count; event++) {
			if (!machine->next(from, event, &to))
				continue;
			(void)snprintf(line, sizeof line, "%-17s -- %-15s --> %s",
				       is_first ? words_text(*machine->states, from) : "",
				       words_text(*machine->events, event),
				       words_text(*machine->states, to));
			mdoc_literal(page, line);
			is_first = false;
		}
	}
	mdoc_macro(page, ".Ed");
}

static void machine_put(struct mdoc *page, const struct machine *machine)
{
	mdoc_macro(page, ".Sh %s", machine->title);
	mdoc_text(page, machine->text);
	mdoc_macro(page, ".Bl -tag -width Ds");
	for (int state = 0; state < machine->states->count; state++) {
		const struct meaning *meaning = &machine->meanings[state];

		assert(meaning->text != NULL);
		mdoc_macro(page, ".It Cm %s%s", words_text(*machine->states, state),
			   meaning->is_final ? " Pq final" : "");
		mdoc_text(page, meaning->text);
	}
	mdoc_macro(page, ".El");
	mdoc_macro(page, ".Pp\nWhat is not drawn here is refused:");
	diagram_put(page, machine);
}

void page_states(struct mdoc *page)
{
	mdoc_head(page, "payops-states", "PAYOPS-STATES",
		  "states of payments, operations and attempts");
	mdoc_text(page, "A payment is a transaction, which has operations, which have attempts. "
			"Each has a state, which only the steps that are drawn here change; "
			"a step is written with an event and with its entries in the ledger in "
			"one commit. What is final is never left, but for an operation that the "
			"gateway takes back later.");
	mdoc_macro(page, ".Pp");
	mdoc_text(page, "Of an operation that is not final it is stored what happens next and when "
			"(`next_action`):");
	mdoc_macro(page, ".Bl -tag -width Ds -compact");
	mdoc_macro(page, ".It Cm send\nA try is sent.\n.It Cm ask\nThe gateway is asked.");
	mdoc_macro(page, ".It Cm expire\nIt is cancelled, or released.");
	mdoc_macro(page, ".It Cm human\nA human decides.");
	mdoc_macro(page, ".It Cm none\nNothing: it is final.\n.El");
	for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++)
		machine_put(page, &machines[i]);
	mdoc_macro(page, ".Sh SEE ALSO\n.Xr payops-api 7 ,\n.Xr payops-errors 7 ,\n.Xr apid 8 ,\n"
			 ".Xr payops-sandbox 8 ,\n.Xr payopsctl 8");
}
