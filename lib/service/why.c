/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/why.h"

#include "base/clock.h"
#include "store/attempt.h"
#include "store/callback.h"
#include "store/event.h"
#include "store/operation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 1000
#define ATTEMPTS_MAX 65535
#define READS 5 /* of a transaction that moves on meanwhile */

/* Rows of one table, growing. */
struct rows {
	void *list;
	size_t size; /* of a row */
	size_t max;  /* shown; the store gives one more where there are more */
	size_t count;
	size_t room;
	bool cut;    /* there are more */
	bool failed; /* memory was short */
};

struct record {
	struct transaction_view view;
	struct rows operations;
	struct rows attempts;
	struct rows events;
	struct rows callbacks;
	struct rows exceptions;
};

static void rows_add(struct rows *rows, const void *row)
{
	rows->cut |= rows->count == rows->max;
	if (rows->cut)
		return;
	if (rows->count == rows->room) {
		size_t room = rows->room == 0 ? 8 : 2 * rows->room;
		void *grown = reallocarray(rows->list, room, rows->size);

		rows->failed |= grown == NULL;
		if (grown == NULL)
			return;
		rows->list = grown;
		rows->room = room;
	}
	memcpy((char *)rows->list + rows->count++ * rows->size, row, rows->size);
}

static void operation_add(void *context, const struct operation_row *row)
{
	rows_add(context, row);
}

static void attempt_add(void *context, const struct attempt_row *row)
{
	rows_add(context, row);
}

static void event_add(void *context, const struct event_row *row)
{
	rows_add(context, row);
}

static void callback_add(void *context, const struct callback_row *row)
{
	rows_add(context, row);
}

static void exception_add(void *context, const struct exception_row *row)
{
	rows_add(context, row);
}

static void record_done(struct record *record)
{
	free(record->operations.list);
	free(record->attempts.list);
	free(record->events.list);
	free(record->callbacks.list);
	free(record->exceptions.list);
}

static void record_clear(struct record *record)
{
	struct rows *all[] = { &record->operations, &record->attempts, &record->events,
			       &record->callbacks, &record->exceptions };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		all[i]->count = 0;
		all[i]->cut = false;
	}
}

static enum err record_read_once(struct store_tx *tx, const char *merchant, struct id id,
				 struct record *record)
{
	enum err err = store_transaction_find(tx, merchant, id, &record->view);

	record_clear(record);
	if (err == ERR_OK)
		err = store_operation_list_of(tx, merchant, id, operation_add,
					      &record->operations);
	if (err == ERR_OK)
		err = store_attempt_list(tx, merchant, id, ATTEMPTS_MAX + 1, attempt_add,
					 &record->attempts);
	if (err == ERR_OK)
		err = store_event_list(tx, merchant, id, 0, EVENTS_MAX + 1, event_add,
				       &record->events);
	if (err == ERR_OK)
		err = store_callback_list_of(tx, id, callback_add, &record->callbacks);
	if (err == ERR_OK)
		err = store_exception_list_of(tx, id, exception_add, &record->exceptions);
	if (err == ERR_OK && (record->operations.failed || record->attempts.failed ||
			      record->events.failed || record->callbacks.failed ||
			      record->exceptions.failed))
		err = ERR_MEMORY;
	return err;
}

/* Each statement sees what is committed when it runs: all of one version, or once more. */
static enum err record_read(struct store_tx *tx, const char *merchant, struct id id,
			    struct record *record)
{
	struct transaction_view after;

	for (int i = 0; i < READS; i++) {
		enum err err = record_read_once(tx, merchant, id, record);

		if (err == ERR_OK)
			err = store_transaction_find(tx, merchant, id, &after);
		if (err != ERR_OK || after.row.version == record->view.row.version)
			return err;
	}
	return ERR_BUSY;
}

/* ---- looking things up ---- */

static const struct operation_row *operation_of(const struct record *record, struct id id)
{
	const struct operation_row *list = record->operations.list;

	for (size_t i = 0; i < record->operations.count; i++)
		if (id_equal(list[i].id, id))
			return &list[i];
	return NULL;
}

static const struct attempt_row *attempt_of(const struct record *record, struct id id)
{
	const struct attempt_row *list = record->attempts.list;

	for (size_t i = 0; i < record->attempts.count; i++)
		if (id_equal(list[i].id, id))
			return &list[i];
	return NULL;
}

/* The operation's try before this one; NULL for the first. */
static const struct attempt_row *attempt_before(const struct record *record,
						const struct attempt_row *attempt)
{
	const struct attempt_row *list = record->attempts.list;

	for (size_t i = 0; i < record->attempts.count; i++)
		if (id_equal(list[i].operation_id, attempt->operation_id) &&
		    list[i].number + 1 == attempt->number)
			return &list[i];
	return NULL;
}

/* The operation's try that is not definitely uncharged, else its last one; NULL: none. */
static const struct attempt_row *attempt_decisive(const struct record *record, struct id operation)
{
	const struct attempt_row *list = record->attempts.list;
	const struct attempt_row *found = NULL;

	for (size_t i = 0; i < record->attempts.count; i++) {
		if (!id_equal(list[i].operation_id, operation))
			continue;
		if (!attempt_is_uncharged(list[i].status))
			return &list[i];
		found = &list[i];
	}
	return found;
}

static bool is_live(const struct attempt_row *attempt)
{
	return attempt != NULL && !attempt_is_uncharged(attempt->status);
}

/* Its contradiction is still for somebody to settle; also where that cannot be seen. */
static bool is_unsettled(const struct record *record, const struct attempt_row *attempt)
{
	const struct exception_row *list = record->exceptions.list;

	if (attempt->contradicted_at_us == 0)
		return false;
	for (size_t i = 0; i < record->exceptions.count; i++)
		if (list[i].kind == EXCEPTION_LATE_SUCCESS && list[i].state == EXCEPTION_OPEN &&
		    id_equal(list[i].attempt_id, attempt->id))
			return true;
	return record->exceptions.cut;
}

static void amount_put(const struct record *record, int64_t minor, char out[WHY_AMOUNT_SIZE])
{
	const struct transaction_row *row = &record->view.row;
	char major[MONEY_TEXT_SIZE];

	snprintf(out, WHY_AMOUNT_SIZE, "%s %s", money_format_major(minor, row->exponent, major),
		 row->amount.currency);
}

/* ---- the judgement ---- */

static struct why_operation operation_judge(const struct record *record,
					    const struct operation_row *operation)
{
	const struct attempt_row *list = record->attempts.list;
	struct why_operation judged = { .kind = operation->kind, .status = operation->status };

	for (size_t i = 0; i < record->attempts.count; i++) {
		if (!id_equal(list[i].operation_id, operation->id))
			continue;
		judged.open |= is_live(&list[i]) && list[i].status != AS_SUCCEEDED;
		judged.contradicted |= is_unsettled(record, &list[i]);
	}
	return judged;
}

/* One that cannot be seen may be open. */
static bool any_open_exception(const struct record *record)
{
	const struct exception_row *list = record->exceptions.list;

	for (size_t i = 0; i < record->exceptions.count; i++)
		if (list[i].state == EXCEPTION_OPEN)
			return true;
	return record->exceptions.cut;
}

/* The gateway that the verdict speaks of: of the contradicted or open try, else of the last. */
static const char *gateway_of_verdict(const struct record *record)
{
	const struct attempt_row *list = record->attempts.list;
	const char *gateway = "the gateway";

	for (size_t i = 0; i < record->attempts.count; i++)
		if (is_live(&list[i]))
			gateway = list[i].gateway;
	for (size_t i = 0; i < record->attempts.count; i++)
		if (is_unsettled(record, &list[i]))
			gateway = list[i].gateway;
	return gateway;
}

/* "10.50 USD, of which 5.00 USD were given back" */
static void collected_put(const struct record *record, bool payout, char out[WHY_TEXT_SIZE])
{
	const struct transaction_row *row = &record->view.row;
	char collected[WHY_AMOUNT_SIZE], back[WHY_AMOUNT_SIZE];

	amount_put(record, payout ? row->amount.minor : row->amount_captured, collected);
	amount_put(record, row->amount_refunded, back);
	if (row->amount_refunded == 0)
		snprintf(out, WHY_TEXT_SIZE, "%s", collected);
	else
		snprintf(out, WHY_TEXT_SIZE, "%s, of which %s was given back", collected,
			 row->amount_refunded == row->amount_captured ? "all" : back);
}

static enum err judge(const struct record *record, struct why *why)
{
	const struct operation_row *list = record->operations.list;
	const struct transaction_row *row = &record->view.row;
	struct why_operation *operations =
		calloc(record->operations.count + 1, sizeof *operations);
	struct why_state state = { .status = row->status,
				   .amount_captured = row->amount_captured,
				   .amount_refunded = row->amount_refunded,
				   .exception_open = any_open_exception(record),
				   .operations = operations,
				   .count = record->operations.count };
	char collected[WHY_TEXT_SIZE];
	bool payout = false;
	struct why_facts facts = { .type = "", .reason = "", .gateway_before = "" };

	if (operations == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < record->operations.count; i++) {
		operations[i] = operation_judge(record, &list[i]);
		payout |= list[i].kind == OPERATION_PAYOUT;
	}
	why->verdict = why_judge(&state);
	why->retry = why_judge_retry(&state);
	free(operations);
	collected_put(record, payout, collected);
	facts.amount = why->amount;
	facts.gateway = gateway_of_verdict(record);
	facts.detail = collected;
	why_fill(why_verdict_text(why->verdict, payout), &facts, why->verdict_text);
	why_fill(why_retry_text(why->retry, payout), &facts, why->retry_text);
	return ERR_OK;
}

/* ---- steps ---- */

/* The message that an event was made by: of its attempt, applied, and the last that came before. */
static const struct callback_row *callback_of(const struct record *record,
					      const struct event_row *event)
{
	const struct callback_row *list = record->callbacks.list;
	const struct callback_row *found = NULL;

	for (size_t i = 0; i < record->callbacks.count; i++)
		if (id_equal(list[i].attempt_id, event->attempt_id) &&
		    (list[i].result == CALLBACK_APPLIED ||
		     list[i].result == CALLBACK_CONTRADICTION))
			found = &list[i];
	return found;
}

/* How the gateway's word reached us: a message came by a call; what waited or was open was asked. */
static enum why_source source_of_word(const struct record *record, const struct event_row *event)
{
	if (strcmp(event->reason, "callback") == 0 ||
	    (event->api_call_id[0] != '\0' && callback_of(record, event) != NULL))
		return WHY_CALLBACK;
	return event->attempt_from == AS_PREPARED || event->attempt_from == AS_SENT ? WHY_ANSWER
										     : WHY_INQUIRY;
}

static enum why_source source_of(const struct record *record, const struct event_row *event,
				 const struct attempt_row *before,
				 const struct attempt_row *attempt)
{
	if (attempt == NULL)
		return WHY_ANY;
	if (event->attempt_from != EVENT_NO_STATUS)
		return source_of_word(record, event);
	if (before == NULL)
		return WHY_FIRST;
	return strcmp(before->gateway, attempt->gateway) == 0 ? WHY_AGAIN : WHY_ELSEWHERE;
}

struct evidence {
	char *out;
	size_t used;
};

static void evidence_add(struct evidence *evidence, const char *what, const char *value)
{
	size_t room = WHY_EVIDENCE_SIZE - evidence->used;
	int size;

	if (value[0] == '\0')
		return;
	size = snprintf(evidence->out + evidence->used, room, "%s%s%s",
			evidence->used == 0 ? "" : "; ", what, value);
	evidence->used += (size_t)size < room ? (size_t)size : room - 1;
}

/* What the row says now is of this event only where the attempt is as the event left it. */
static void evidence_of_answer(struct evidence *evidence, const struct event_row *event,
			       const struct attempt_row *attempt)
{
	char status[16] = "";

	if ((int)attempt->status != event->attempt_to || event->attempt_to == AS_PREPARED)
		return;
	if (attempt->http_status != 0)
		snprintf(status, sizeof status, "%d", attempt->http_status);
	evidence_add(evidence, "HTTP ", status);
	evidence_add(evidence, "the gateway's reference ", attempt->gateway_ref);
}

static void evidence_put(const struct record *record, const struct event_row *event,
			 enum why_source source, char out[WHY_EVIDENCE_SIZE])
{
	const struct attempt_row *attempt = attempt_of(record, event->attempt_id);
	const struct callback_row *callback =
		source == WHY_CALLBACK ? callback_of(record, event) : NULL;
	struct evidence evidence = { .out = out };
	char text[ID_TEXT_SIZE];

	snprintf(text, sizeof text, "%u", (unsigned)event->sequence);
	evidence_add(&evidence, "event ", text);
	if (attempt != NULL) {
		evidence_add(&evidence, "", id_format(ID_ATTEMPT, attempt->id, text));
		evidence_add(&evidence, "our reference ", attempt->our_reference);
		evidence_of_answer(&evidence, event, attempt);
	}
	if (callback != NULL)
		evidence_add(&evidence, "callback ", callback->callback_key);
	evidence_add(&evidence, "call ", event->api_call_id);
}

static void step_put(const struct record *record, const struct event_row *event,
		     struct why_step *step)
{
	const struct operation_row *operation = operation_of(record, event->operation_id);
	const struct attempt_row *attempt = attempt_of(record, event->attempt_id);
	const struct attempt_row *before =
		attempt == NULL ? NULL : attempt_before(record, attempt);
	char amount[WHY_AMOUNT_SIZE];
	const struct why_facts facts = {
		.kind = operation == NULL ? OPERATION_CHARGE : operation->kind,
		.source = source_of(record, event, before, attempt),
		.type = event->type,
		.reason = event->reason,
		.amount = amount,
		.gateway = attempt == NULL ? "the gateway" : attempt->gateway,
		.gateway_before = before == NULL ? "" : before->gateway,
		.detail = "",
		.number = attempt == NULL ? 0 : attempt->number,
	};
	const struct why_row *row = why_row_find(&facts);

	amount_put(record,
		   operation == NULL ? record->view.row.amount.minor : operation->amount_minor,
		   amount);
	*step = (struct why_step){ .at_us = event->at_us, .sequence = event->sequence };
	step->rule = row == NULL ? "" : row->rule;
	if (row != NULL)
		why_fill(row->text, &facts, step->text);
	else
		snprintf(step->text, sizeof step->text, "%s", event->type);
	evidence_put(record, event, facts.source, step->evidence);
}

/* Messages that moved nothing by themselves, by what became of them. */
/* clang-format off */
static const struct message {
	const char *text; /* NULL: the event that it made tells of it */
	const char *rule;
} messages[] = {
	[CALLBACK_APPLIED] = { NULL, NULL },
	[CALLBACK_HINT] = {
		"{gateway} sent a signed message (\"{reason}\") without an amount, or in a word "
		"we do not know. It was not believed: {gateway} was asked at once.",
		"Nothing is completed by a message that does not say how much." },
	[CALLBACK_KEPT] = {
		"{gateway} sent a signed message (\"{reason}\") while its own answer was still "
		"on its way. It was kept until that came.",
		"Nothing is completed by a message that does not say how much." },
	[CALLBACK_SUPERSEDED] = {
		"{gateway} sent a signed message (\"{reason}\") when the outcome was known "
		"already. Nothing was changed by it.",
		"A final state is not left, and a repeated message counts once." },
	[CALLBACK_CONTRADICTION] = { NULL, NULL },
	[CALLBACK_INTEGRITY] = {
		"{gateway} sent a signed message (\"{reason}\") about another amount "
		"({detail}), currency, reference or operation than we ordered. Nothing was "
		"changed by it.",
		"What differs from our order completes nothing: a human compares." },
	[CALLBACK_ORPHAN] = {
		"{gateway} sent a signed message (\"{reason}\") that fits no try of ours. Nothing "
		"was changed by it.",
		"A message moves only the try whose references it bears." },
};
/* clang-format on */

static bool message_put(const struct record *record, const struct callback_row *callback,
			struct why_step *step)
{
	const struct message *message = &messages[callback->result];
	struct evidence evidence = { .out = step->evidence };
	char amount[WHY_AMOUNT_SIZE] = "no amount";
	const struct why_facts facts = { .type = "", .reason = callback->word,
					 .amount = amount, .gateway = callback->gateway,
					 .gateway_before = "", .detail = amount };

	if (message->text == NULL)
		return false;
	*step = (struct why_step){ .at_us = callback->received_at_us, .rule = message->rule };
	if (callback->has_amount &&
	    strcmp(callback->amount.currency, record->view.row.amount.currency) == 0)
		amount_put(record, callback->amount.minor, amount);
	else if (callback->has_amount)
		snprintf(amount, sizeof amount, "in %s", callback->amount.currency);
	why_fill(message->text, &facts, step->text);
	evidence_add(&evidence, "callback ", callback->callback_key);
	evidence_add(&evidence, "its reference ", callback->gateway_ref);
	evidence_add(&evidence, "our reference ", callback->our_reference);
	return true;
}

/* Events and messages by time; what an event says stands in the order of its sequence. */
static enum err steps_make(const struct record *record, struct why *why)
{
	const struct event_row *events = record->events.list;
	const struct callback_row *callbacks = record->callbacks.list;
	size_t next = 0;

	why->steps = calloc(record->events.count + record->callbacks.count + 1,
			    sizeof *why->steps);
	if (why->steps == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i <= record->events.count; i++) {
		for (; next < record->callbacks.count &&
		       (i == record->events.count ||
			callbacks[next].received_at_us < events[i].at_us);
		     next++)
			if (message_put(record, &callbacks[next], &why->steps[why->step_count]))
				why->step_count++;
		if (i < record->events.count)
			step_put(record, &events[i], &why->steps[why->step_count++]);
	}
	return ERR_OK;
}

/* ---- what comes next, and exceptions ---- */

static void next_put(const struct record *record, const struct operation_row *operation,
		     struct why_next *next)
{
	const struct attempt_row *decisive = attempt_decisive(record, operation->id);
	char amount[WHY_AMOUNT_SIZE], at[CLOCK_TEXT_SIZE];
	const struct why_facts facts = {
		.kind = operation->kind,
		.type = "",
		.reason = record->view.row.status_reason,
		.amount = amount,
		.gateway = decisive == NULL ? "the gateway" : decisive->gateway,
		.gateway_before = "",
		.detail = clock_format(operation->next_action_at_us, at),
	};

	amount_put(record, operation->amount_minor, amount);
	*next = (struct why_next){ .action = operation->next_action,
				   .at_us = operation->next_action_at_us };
	why_fill(why_next_text(operation->next_action, is_live(decisive),
			       decisive == NULL ? AS_PREPARED : decisive->status),
		 &facts, next->text);
}

static enum err next_make(const struct record *record, struct why *why)
{
	const struct operation_row *list = record->operations.list;

	why->next = calloc(record->operations.count + 1, sizeof *why->next);
	if (why->next == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < record->operations.count; i++)
		if (list[i].next_action != NEXT_NONE)
			next_put(record, &list[i], &why->next[why->next_count++]);
	return ERR_OK;
}

static const struct {
	const char *text;
	const char *advice;
} exception_texts[] = {
	[EXCEPTION_LATE_SUCCESS] = {
		"The gateway reported a success for a try that had been decided otherwise.",
		"Look the try up at the gateway by its reference. Where it moved money that did "
		"not come back since, have that undone there; then resolve this with a note." },
	[EXCEPTION_INTEGRITY] = {
		"What the gateway said differs from our order in amount, currency, reference or "
		"operation.",
		"Compare the gateway's own record with the order, and have the gateway say what is "
		"true; then resolve this with a note." },
	[EXCEPTION_ORPHAN_CALLBACK] = {
		"A signed message of the gateway fits no try of ours.",
		"Ask the gateway what it is about. Where it fits by now, replay it (payopsctl "
		"callback replay); then resolve this with a note." },
	[EXCEPTION_UNWANTED_SUCCESS] = {
		"It succeeded after the merchant had asked to cancel it.",
		"Refund it; then resolve this with a note." },
};

struct why_exception why_exception_words(const struct exception_row *row)
{
	return (struct why_exception){ *row, exception_texts[row->kind].text,
				       exception_texts[row->kind].advice };
}

static enum err exceptions_make(const struct record *record, struct why *why)
{
	const struct exception_row *list = record->exceptions.list;

	why->exceptions = calloc(record->exceptions.count + 1, sizeof *why->exceptions);
	if (why->exceptions == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < record->exceptions.count; i++)
		why->exceptions[why->exception_count++] = why_exception_words(&list[i]);
	return ERR_OK;
}

enum err why_read(struct store_tx *tx, const char *merchant, struct id transaction_id,
		  struct why *why)
{
	struct record record = {
		.operations = { .size = sizeof(struct operation_row),
				.max = OPERATION_LIST_OF_MAX },
		.attempts = { .size = sizeof(struct attempt_row), .max = ATTEMPTS_MAX },
		.events = { .size = sizeof(struct event_row), .max = EVENTS_MAX },
		.callbacks = { .size = sizeof(struct callback_row), .max = CALLBACK_LIST_OF_MAX },
		.exceptions = { .size = sizeof(struct exception_row),
				.max = EXCEPTION_LIST_OF_MAX },
	};
	struct why made = { .steps = NULL };
	enum err err = record_read(tx, merchant, transaction_id, &record);

	if (err == ERR_OK) {
		made.transaction = record.view.row;
		made.truncated = record.operations.cut || record.attempts.cut ||
				 record.events.cut || record.callbacks.cut || record.exceptions.cut;
		amount_put(&record, record.view.row.amount.minor, made.amount);
		err = judge(&record, &made);
	}
	if (err == ERR_OK)
		err = steps_make(&record, &made);
	if (err == ERR_OK)
		err = next_make(&record, &made);
	if (err == ERR_OK)
		err = exceptions_make(&record, &made);
	record_done(&record);
	if (err != ERR_OK) {
		why_done(&made);
		return err;
	}
	*why = made;
	return ERR_OK;
}

void why_done(struct why *why)
{
	free(why->steps);
	free(why->next);
	free(why->exceptions);
	*why = (struct why){ .steps = NULL };
}
