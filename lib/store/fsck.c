/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/fsck.h"

#include <assert.h>
#include <stdio.h>

#include "core/attempt.h"
#include "core/operation.h"
#include "core/transaction.h"
#include "store/statement.h"

/* --- the steps that the transition tables allow --- */

#define ALLOWED_SIZE 1024

/* One of the three state machines. */
struct machine {
	const struct words *words;
	bool (*allows)(int from, int to);
};

static bool transaction_allows(int from, int to)
{
	enum transaction_status next;

	for (int event = 0; event < TE_COUNT; event++)
		if (transaction_next((enum transaction_status)from, (enum transaction_event)event,
				     &next) &&
		    (int)next == to)
			return true;
	return false;
}

static bool operation_allows(int from, int to)
{
	enum operation_status next;

	for (int event = 0; event < OE_COUNT; event++)
		if (operation_next((enum operation_status)from, (enum operation_event)event,
				   &next) &&
		    (int)next == to)
			return true;
	return false;
}

static bool attempt_allows(int from, int to)
{
	enum attempt_status next;

	for (int event = 0; event < AE_COUNT; event++)
		if (attempt_next((enum attempt_status)from, (enum attempt_event)event, &next) &&
		    (int)next == to)
			return true;
	return false;
}

static const struct machine transaction_machine = { &transaction_status_words, transaction_allows };
static const struct machine operation_machine = { &operation_status_words, operation_allows };
static const struct machine attempt_machine = { &attempt_status_words, attempt_allows };

/* ",pending>processing,pending>cancelled,": what the statements look a step up in. */
static void format_allowed(const struct machine *machine, char out[ALLOWED_SIZE])
{
	int count = machine->words->count;
	size_t used = (size_t)snprintf(out, ALLOWED_SIZE, ",");

	for (int pair = 0; pair < count * count; pair++) {
		int from = pair / count, to = pair % count;

		if (!machine->allows(from, to))
			continue;
		used += (size_t)snprintf(out + used, ALLOWED_SIZE - used, "%s>%s,",
					 words_text(*machine->words, from),
					 words_text(*machine->words, to));
		assert(used < ALLOWED_SIZE);
	}
}

/* --- the checks --- */

/* clang-format off */
#define T ID_TRANSACTION
#define O ID_OPERATION
#define A ID_ATTEMPT
#define E ID_EVENT /* whose id an entry group bears */
#define PAGES(TABLE) STATEMENT_FSCK_PAGE_##TABLE
#define STATEMENT(NAME) STATEMENT_FSCK_##NAME

static const struct check {
	struct store_fsck_check shown;
	enum statement_id pages; /* gives the end of a page of the table */
	enum statement_id statement;
	const struct machine *machine; /* whose allowed steps the statement takes; NULL: none */
} checks[] = {
	{ { "I3", "captured-within-amount", "no more is captured than was ordered", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(CAPTURED_BOUND), NULL },
	{ { "I3", "captured-is-succeeded", "captured is the sum of succeeded charges and captures",
	    NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(CAPTURED_SUM), NULL },
	{ { "I3", "captured-fits-status",
	    "completed has captured; pending, failed, cancelled have not", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(CAPTURED_STATUS), NULL },
	{ { "I3", "captures-within-authorised",
	    "open and succeeded captures fit what is authorised", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(CAPTURES_BOUND), NULL },
	{ { "I3", "refunded-within-captured", "no more is refunded than was captured", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(REFUNDED_BOUND), NULL },
	{ { "I3", "refunded-is-succeeded", "refunded is the sum of succeeded refunds", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(REFUNDED_SUM), NULL },
	{ { "I3", "refunds-within-captured", "succeeded and open refunds fit what was captured",
	    NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(REFUNDS_BOUND), NULL },

	{ { "I4", "transaction-steps", "each step of a transaction is in the table", NULL, T },
	  PAGES(EVENTS), STATEMENT(TRANSACTION_STEPS), &transaction_machine },
	{ { "I4", "operation-steps", "each step of an operation is in the table", NULL, T },
	  PAGES(EVENTS), STATEMENT(OPERATION_STEPS), &operation_machine },
	{ { "I4", "attempt-steps", "each step of an attempt is in the table", NULL, T },
	  PAGES(EVENTS), STATEMENT(ATTEMPT_STEPS), &attempt_machine },
	{ { "I4", "transaction-chain", "each event starts where the one before it ended", NULL, T },
	  PAGES(EVENTS), STATEMENT(TRANSACTION_CHAIN), NULL },
	{ { "I4", "operation-chain", "each event starts where the operation was left", NULL, O },
	  PAGES(EVENTS), STATEMENT(OPERATION_CHAIN), NULL },
	{ { "I4", "attempt-chain", "each event starts where the attempt was left", NULL, A },
	  PAGES(EVENTS), STATEMENT(ATTEMPT_CHAIN), NULL },
	{ { "I4", "last-event-agrees", "a transaction is what its last event says", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(TRANSACTION_TOLD), NULL },
	{ { "I4", "operation-event-agrees", "an operation is what its last event says", NULL, O },
	  PAGES(OPERATIONS), STATEMENT(OPERATION_TOLD), NULL },
	{ { "I4", "attempt-event-agrees", "an attempt is what its last event says", NULL, A },
	  PAGES(ATTEMPTS), STATEMENT(ATTEMPT_TOLD), NULL },
	{ { "I4", "charge-fits-transaction", "a payment and its operation say the same", NULL, O },
	  PAGES(OPERATIONS), STATEMENT(CHARGE_STATUS), NULL },

	{ { "I5", "one-money-operation",
	    "a transaction has exactly one operation that moves money", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(MONEY_OPERATIONS), NULL },
	{ { "I5", "created-first", "a transaction begins with the event created", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(CREATED_FIRST), NULL },
	{ { "I5", "key-is-single", "a merchant's idempotency key has one operation", NULL, O },
	  PAGES(OPERATIONS), STATEMENT(KEY_SINGLE), NULL },
	{ { "I5", "key-has-hashes",
	    "what was asked is kept exactly where there is a key", NULL, O },
	  PAGES(OPERATIONS), STATEMENT(KEY_HASHES), NULL },
	{ { "I5", "one-live-attempt", "at most one attempt may have charged", NULL, O },
	  PAGES(OPERATIONS), STATEMENT(LIVE_ATTEMPTS), NULL },
	{ { "I5", "token-at-its-gateway",
	    "a stored token is sent to the gateway that knows it, and to no other", NULL, O },
	  PAGES(OPERATIONS), STATEMENT(TOKEN_GATEWAY), NULL },
	{ { "I5", "attempts-counted",
	    "attempts are numbered from 1, as the operation counts", NULL, O },
	  PAGES(OPERATIONS), STATEMENT(ATTEMPT_COUNT), NULL },
	{ { "I5", "operation-has-transaction", "an operation's transaction is there", NULL, O },
	  PAGES(OPERATIONS), STATEMENT(OPERATION_PARENT), NULL },
	{ { "I5", "attempt-has-operation", "an attempt's operation is there", NULL, A },
	  PAGES(ATTEMPTS), STATEMENT(ATTEMPT_PARENT), NULL },
	{ { "I5", "event-has-transaction", "an event's transaction is there", NULL, T },
	  PAGES(EVENTS), STATEMENT(EVENT_PARENT), NULL },

	{ { "I6", "ledger-groups", "what a step debits it credits", NULL, E },
	  PAGES(LEDGER), STATEMENT(LEDGER_GROUPS), NULL },
	{ { "I6", "ledger-receivable",
	    "gateways owe what was captured and not refunded", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(LEDGER_RECEIVABLE), NULL },
	{ { "I6", "ledger-payable",
	    "a merchant is owed what was captured, less what leaves", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(LEDGER_PAYABLE), NULL },
	{ { "I6", "ledger-in-flight",
	    "in flight is what open refunds and payouts reserve", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(LEDGER_IN_FLIGHT), NULL },
	{ { "I6", "ledger-float",
	    "gateways paid out what succeeded and did not return", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(LEDGER_FLOAT), NULL },
	{ { "I6", "ledger-suspense", "in suspense is what may have been taken", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(LEDGER_SUSPENSE), NULL },
	{ { "I6", "ledger-surplus",
	    "owed as surplus are late successes that did not go back", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(LEDGER_SURPLUS), NULL },

	{ { "I7", "authorised-ends",
	    "what is authorised will be captured or released", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(AUTHORISED_ENDS), NULL },
	{ { "I7", "next-action", "what is not final has a next action and its time", NULL, O },
	  PAGES(OPERATIONS), STATEMENT(NEXT_ACTION), NULL },
	{ { "I9", "audit-chain", "the audit chain verifies", "there is no audit chain yet", T },
	  0, 0, NULL },
	{ { "I10", "token-wiped", "what is final keeps no payment token", NULL, O },
	  PAGES(OPERATIONS), STATEMENT(TOKEN_WIPED), NULL },
	{ { "I12", "events-without-gaps", "events are numbered from 1 to the version", NULL, T },
	  PAGES(TRANSACTIONS), STATEMENT(EVENT_NUMBERS), NULL },
	{ { "I12", "published-in-order", "no event is published before an earlier one", NULL, T },
	  PAGES(EVENTS), STATEMENT(EVENT_ORDER), NULL },
};
/* clang-format on */

size_t store_fsck_count(void)
{
	return sizeof checks / sizeof checks[0];
}

const struct store_fsck_check *store_fsck_check(size_t index)
{
	assert(index < store_fsck_count());
	return &checks[index].shown;
}

/* --- one page --- */

struct page_row {
	int64_t keys;
	int64_t rows;
	struct id last; /* empty where there is no row */
};
static const struct column page_columns[] = {
	COLUMN_NUMBER(struct page_row, keys),
	COLUMN_NUMBER(struct page_row, rows),
	COLUMN_FIXED_OR_NULL(struct page_row, last),
};
static const struct shape page_shape = SHAPE(page_columns);

static const struct column violation_columns[] = {
	COLUMN_FIXED(struct store_fsck_violation, id),
	COLUMN_FIXED(struct store_fsck_violation, transaction_id),
	COLUMN_TEXT(struct store_fsck_violation, detail),
};
static const struct shape violation_shape = SHAPE(violation_columns);

struct page {
	const struct check *check;
	struct id after;
	unsigned size;
	unsigned most; /* that may still be found */
	struct page_row end;
	struct store_fsck_violation found[STORE_FSCK_FOUND_MAX];
	unsigned count;
};

static void take_violation(void *context, const void *row)
{
	struct page *page = context;

	if (page->count < page->most)
		page->found[page->count++] = *(const struct store_fsck_violation *)row;
}

static enum err read_found(struct store_tx *tx, struct page *page)
{
	struct store_fsck_violation violation;
	char allowed[ALLOWED_SIZE];
	struct cells cells = { .count = 0 };
	const struct statement_many many = { .id = page->check->statement,
					     .cells = &cells,
					     .shape = &violation_shape,
					     .row = &violation,
					     .each = take_violation,
					     .context = page };

	cells_add_id(&cells, &page->after);
	cells_add_id(&cells, &page->end.last);
	if (page->check->machine != NULL) {
		format_allowed(page->check->machine, allowed);
		cells_add_text(&cells, allowed);
	}
	cells_add_integer(&cells, page->most);
	return statement_read_many(tx, &many);
}

static enum err read_page(struct store_tx *tx, void *context)
{
	struct page *page = context;
	struct cells cells = { .count = 0 };
	enum err err;

	page->count = 0;
	cells_add_id(&cells, &page->after);
	cells_add_integer(&cells, page->size);
	err = statement_read(tx, page->check->pages, &cells, &page_shape, &page->end);
	if (err != ERR_OK || page->end.keys == 0)
		return err;
	return read_found(tx, page);
}

static void tell(const struct store_fsck_watch *watch, const struct page *page, int64_t rows)
{
	for (unsigned i = 0; i < page->count; i++)
		watch->found(watch->context, &page->check->shown, &page->found[i]);
	if (watch->progress != NULL)
		watch->progress(watch->context, &page->check->shown, rows);
}

enum err store_fsck_run(struct store *store, size_t index, const struct store_fsck_watch *watch,
			struct store_fsck_tally *tally)
{
	struct page page = { .check = &checks[index], .size = watch->page, .most = watch->most };
	struct store_fsck_tally sum = { .rows = 0 };
	enum err err;

	assert(index < store_fsck_count() && page.check->shown.absent == NULL);
	assert(watch->most >= 1 && watch->most <= STORE_FSCK_FOUND_MAX && watch->page >= 1);
	do {
		err = store_look(store, read_page, &page);
		if (err != ERR_OK)
			return err;
		sum.rows += page.end.rows;
		sum.violations += page.count;
		tell(watch, &page, sum.rows);
		page.most -= page.count;
		page.after = page.end.last;
	} while (page.end.keys == page.size && page.most > 0);
	*tally = sum;
	return ERR_OK;
}
