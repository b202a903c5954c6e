/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/why.h"

#include <stdio.h>
#include <string.h>

static const char *const verdicts[] = { "yes", "maybe", "authorised", "no" };
const struct words why_verdict_words = { verdicts, sizeof verdicts / sizeof verdicts[0] };

static const char *const retries[] = { "contradicted", "outcome_open",   "already_charged",
				       "authorised",   "exception_open", "parked",
				       "under_way",    "given_back",     "nothing_charged" };
const struct words why_retry_words = { retries, sizeof retries / sizeof retries[0] };

/* ---- the judgement ---- */

static bool is_money(enum operation_kind kind)
{
	return kind == OPERATION_CHARGE || kind == OPERATION_AUTHORISE || kind == OPERATION_PAYOUT;
}

/* Collects from the customer, or pays them: what "charged" is about. */
static bool moves_money(enum operation_kind kind)
{
	return kind == OPERATION_CHARGE || kind == OPERATION_CAPTURE || kind == OPERATION_PAYOUT;
}

static bool is_contradicted(const struct why_state *state)
{
	for (size_t i = 0; i < state->count; i++)
		if (state->operations[i].contradicted)
			return true;
	return false;
}

static bool is_open(const struct why_state *state, bool (*concerns)(enum operation_kind kind))
{
	for (size_t i = 0; i < state->count; i++)
		if (state->operations[i].open && concerns(state->operations[i].kind))
			return true;
	return false;
}

static bool has(const struct why_state *state, enum operation_kind kind,
		enum operation_status status)
{
	for (size_t i = 0; i < state->count; i++)
		if (state->operations[i].kind == kind && state->operations[i].status == status)
			return true;
	return false;
}

/* Set aside, and not let go since. */
static bool is_held(const struct why_state *state)
{
	return has(state, OPERATION_AUTHORISE, OS_SUCCEEDED) &&
	       !has(state, OPERATION_VOID, OS_SUCCEEDED) && state->status != TS_CANCELLED &&
	       state->status != TS_FAILED;
}

/* Collected for certain; what is open beside it leaves only "how much" open. */
static bool is_charged(const struct why_state *state)
{
	return state->amount_captured > 0 || has(state, OPERATION_CHARGE, OS_SUCCEEDED) ||
	       has(state, OPERATION_PAYOUT, OS_SUCCEEDED);
}

enum why_verdict why_judge(const struct why_state *state)
{
	if (is_charged(state))
		return WHY_CHARGED;
	if (is_contradicted(state) || is_open(state, moves_money))
		return WHY_MAYBE;
	if (is_held(state))
		return WHY_AUTHORISED;
	return is_open(state, is_money) ? WHY_MAYBE : WHY_NOT_CHARGED;
}

enum why_retry why_judge_retry(const struct why_state *state)
{
	bool given_back = is_charged(state) && state->amount_captured > 0 &&
			  state->amount_refunded == state->amount_captured;

	if (is_contradicted(state))
		return WHY_RETRY_CONTRADICTED;
	if (!is_charged(state) && (is_open(state, moves_money) || is_open(state, is_money)))
		return WHY_RETRY_OUTCOME_OPEN;
	if (is_charged(state) && !given_back)
		return WHY_RETRY_CHARGED;
	if (is_held(state) && !given_back)
		return WHY_RETRY_AUTHORISED;
	if (state->exception_open)
		return WHY_RETRY_EXCEPTION_OPEN;
	if (state->status == TS_PARKED)
		return WHY_RETRY_PARKED;
	if (!transaction_is_final(state->status))
		return WHY_RETRY_UNDER_WAY;
	return given_back ? WHY_RETRY_GIVEN_BACK : WHY_RETRY_SAFE;
}

bool why_retry_is_safe(enum why_retry retry)
{
	return retry == WHY_RETRY_SAFE || retry == WHY_RETRY_GIVEN_BACK;
}

/* ---- words for kinds of operations ---- */

static const struct kind_words {
	const char *noun;
	const char *done;    /* what the gateway did */
	const char *nothing; /* where it certainly did not */
	const char *maybe;   /* while that is open */
} kinds[OPERATION_KIND_COUNT] = {
	[OPERATION_CHARGE] = { "charge", "charged the customer {amount}", "Nothing was charged",
			       "the customer may have been charged" },
	[OPERATION_AUTHORISE] = { "authorisation", "set {amount} aside for the merchant",
				  "Nothing was set aside",
				  "the customer's money may have been set aside" },
	[OPERATION_CAPTURE] = { "capture", "collected {amount} of what was set aside",
				"Nothing was collected by it", "{amount} may have been collected" },
	[OPERATION_VOID] = { "release", "let go what was set aside", "Nothing was let go",
			     "what was set aside may have been let go" },
	[OPERATION_REFUND] = { "refund", "gave {amount} back to the customer",
			       "Nothing was given back by it",
			       "{amount} may have been given back" },
	[OPERATION_PAYOUT] = { "payout", "paid {amount} out to the customer",
			       "Nothing was paid out", "the customer may have been paid" },
};

/* ---- rules, each in one sentence ---- */

#define RULE_STORED                                                                                \
	"Nothing is sent before the payment is stored, and the same request again finds the one "  \
	"that is stored."
#define RULE_WRITE_FIRST                                                                           \
	"Every try is written down before it can reach a gateway, so that none is forgotten."
#define RULE_ONE_LIVE                                                                              \
	"Another try is made only when every earlier one certainly moved no money."
#define RULE_NEVER_TWICE                                                                           \
	"A try that may have been carried out is asked about; it is never sent again blindly."
#define RULE_DEFINITE                                                                              \
	"An answer is believed only where its reference, amount and currency are those we ordered."
#define RULE_SIGNED                                                                                \
	"A message is believed only where the gateway signed it and its reference, amount and "    \
	"currency are those we ordered; repeated, it counts once."
#define RULE_DECLINED                                                                              \
	"A decline is definite: the gateway moved no money, and only then may another try follow."
#define RULE_NOT_SENT                                                                              \
	"Where certainly nothing reached the gateway, trying again is safe."
#define RULE_NOT_FOUND                                                                             \
	"\"Not found\" is believed only of a gateway that can tell for sure, once the request "    \
	"cannot be on its way, and when it is said twice."
#define RULE_AWAIT                                                                                 \
	"Taken is not done: the gateway's message is awaited, and when it is late the gateway is " \
	"asked."
#define RULE_CONTRADICTION                                                                         \
	"What contradicts a decision is kept and never applied: nothing more is sent, and a "      \
	"human settles it."
#define RULE_HUMAN                                                                                 \
	"What the rules cannot settle is decided by a human, never by the passing of time."
#define RULE_CANCEL "Only what certainly moved no money can be called cancelled."
#define RULE_WISH                                                                                  \
	"While the outcome is open the wish is kept: nothing more is sent, and a success is put "  \
	"before a human."
#define RULE_AMEND                                                                                 \
	"What a payment is about may be amended while nothing was sent; its amount never."
#define RULE_ROUTE                                                                                 \
	"Another gateway is tried only where every earlier one certainly moved no money, and "     \
	"only one that the rules name."
#define RULE_SUMS                                                                                  \
	"No more is captured than was authorised, and no more refunded than was captured."
#define RULE_RELEASE                                                                               \
	"Money is not held for ever: what of it was not captured is released, but not while a "    \
	"capture is open."
#define RULE_CAME_BACK                                                                             \
	"Money that came back after a success is taken back in the books; it is never sent again " \
	"by itself."
#define RULE_START "However often it is asked for, a payment is started once."

/* Of rows of one type the more special ones come first. */
/* clang-format off */
static const struct why_row rows[] = {
	/* type, reason, source, text, rule */
	{ "created", NULL, WHY_ANY,
	  "A payment of {amount} was accepted and stored. Nothing had been sent to a gateway "
	  "yet.",
	  RULE_STORED },
	{ "process_requested", NULL, WHY_ANY,
	  "The merchant asked for it to be carried out.", RULE_START },
	{ "updated", NULL, WHY_ANY,
	  "The merchant changed its description or metadata.", RULE_AMEND },
	{ "attempt_prepared", NULL, WHY_FIRST,
	  "The {operation} of {amount} was made ready for {gateway}.", RULE_WRITE_FIRST },
	{ "attempt_prepared", NULL, WHY_AGAIN,
	  "Try {number} of the {operation} was made ready for {gateway}.", RULE_ONE_LIVE },
	{ "attempt_prepared", NULL, WHY_ELSEWHERE,
	  "Try {number} of the {operation} was made ready for {gateway}, instead of {before}.",
	  RULE_ONE_LIVE },
	{ "attempt_sent", NULL, WHY_ANY,
	  "It was sent to {gateway}, whose answer takes its time.", RULE_NEVER_TWICE },
	{ "attempt_accepted", NULL, WHY_ANSWER,
	  "{gateway} answered that it took the {operation} and will tell the outcome later.",
	  RULE_AWAIT },
	{ "attempt_accepted", NULL, WHY_INQUIRY,
	  "Asked, {gateway} said that it has the {operation} and is not done with it.",
	  RULE_AWAIT },
	{ "attempt_accepted", NULL, WHY_CALLBACK,
	  "{gateway} sent a signed message that it has the {operation} and is not done with it.",
	  RULE_AWAIT },
	{ "attempt_requires_action", NULL, WHY_ANY,
	  "{gateway} waits for the customer, who must act before anything is carried out.",
	  RULE_AWAIT },
	{ "attempt_succeeded", NULL, WHY_ANSWER,
	  "{gateway} answered that it {done}.", RULE_DEFINITE },
	{ "attempt_succeeded", NULL, WHY_INQUIRY,
	  "Asked what became of it, {gateway} said that it {done}.", RULE_DEFINITE },
	{ "attempt_succeeded", NULL, WHY_CALLBACK,
	  "{gateway} sent a signed message that it {done}.", RULE_SIGNED },
	{ "attempt_declined", NULL, WHY_ANSWER,
	  "{gateway} declined the {operation}: {reason}. {nothing}.", RULE_DECLINED },
	{ "attempt_declined", NULL, WHY_INQUIRY,
	  "Asked what became of it, {gateway} said that it declined the {operation}: {reason}. "
	  "{nothing}.", RULE_DECLINED },
	{ "attempt_declined", NULL, WHY_CALLBACK,
	  "{gateway} sent a signed message that it declined the {operation}: {reason}. {nothing}.",
	  RULE_DECLINED },
	{ "attempt_not_sent", NULL, WHY_ANY,
	  "{gateway} could not be reached: {reason}. {nothing}.", RULE_NOT_SENT },
	{ "attempt_unknown", "lease_expired", WHY_ANY,
	  "The program that carried the {operation} to {gateway} ended before it wrote an answer "
	  "down: {maybe}.", RULE_NEVER_TWICE },
	{ "attempt_unknown", NULL, WHY_ANY,
	  "No answer of {gateway} came that can be relied on ({reason}): {maybe}.",
	  RULE_NEVER_TWICE },
	{ "attempt_not_found", NULL, WHY_ANY,
	  "Asked twice what became of it, {gateway} said twice that it does not know it. "
	  "{nothing}.", RULE_NOT_FOUND },
	{ "attempt_contradicted", NULL, WHY_CALLBACK,
	  "{gateway} sent a signed message that it {done}, after the try had been decided "
	  "otherwise. It was kept, and nothing was moved by it.", RULE_CONTRADICTION },
	{ "attempt_contradicted", NULL, WHY_ANY,
	  "{gateway} said that it {done}, after the try had been decided otherwise. It was kept, "
	  "and nothing was moved by it.", RULE_CONTRADICTION },
	{ "late_success_reversed", NULL, WHY_CALLBACK,
	  "{gateway} sent a signed message that the late {operation} came back: the {amount} are "
	  "where they were before it, and the books no longer count them.", RULE_CAME_BACK },
	{ "late_success_reversed", NULL, WHY_ANY,
	  "{gateway} said that the late {operation} came back: the {amount} are where they were "
	  "before it, and the books no longer count them.", RULE_CAME_BACK },
	{ "refund_reversed", NULL, WHY_CALLBACK,
	  "{gateway} sent a signed message that the refund came back: the customer does not have "
	  "the {amount}, and they count as not refunded again.", RULE_CAME_BACK },
	{ "refund_reversed", NULL, WHY_ANY,
	  "{gateway} said that the refund came back: the customer does not have the {amount}, and "
	  "they count as not refunded again.", RULE_CAME_BACK },
	{ "payout_returned", NULL, WHY_CALLBACK,
	  "{gateway} sent a signed message that the payout came back: the customer does not have "
	  "the {amount}, and they are the merchant's again.", RULE_CAME_BACK },
	{ "payout_returned", NULL, WHY_ANY,
	  "{gateway} said that the payout came back: the customer does not have the {amount}, and "
	  "they are the merchant's again.", RULE_CAME_BACK },
	{ "parked", "inquiries_exhausted", WHY_ANY,
	  "All questions in seven days settled nothing: it was put before a human.", RULE_HUMAN },
	{ "parked", "exception_open", WHY_ANY,
	  "Something contradicts what we know: it was put before a human before anything more was "
	  "sent.", RULE_CONTRADICTION },
	{ "parked", NULL, WHY_ANY,
	  "It could not go on by itself ({reason}): it was put before a human.", RULE_HUMAN },
	{ "resumed", NULL, WHY_ANY,
	  "A human settled what stood against it, and let it go on.", RULE_ONE_LIVE },
	{ "capture_requested", NULL, WHY_ANY,
	  "The merchant asked to capture {amount} of what is authorised.", RULE_SUMS },
	{ "refund_requested", NULL, WHY_ANY,
	  "The merchant asked to give {amount} back. That much is reserved.", RULE_SUMS },
	{ "surplus_refund_requested", NULL, WHY_ANY,
	  "{amount} that were charged beyond what was ordered are to be given back.",
	  RULE_CONTRADICTION },
	{ "void_planned", NULL, WHY_ANY,
	  "The rest of the authorisation will be released in time.", RULE_RELEASE },
	{ "void_requested", NULL, WHY_ANY,
	  "The merchant asked to release the rest of the authorisation.", RULE_RELEASE },
	{ "void_cancelled", NULL, WHY_ANY,
	  "Nothing of the authorisation is left to be released.", RULE_RELEASE },
	{ "route_exhausted", NULL, WHY_ANY,
	  "No gateway was left that could take it. {nothing}.", RULE_ROUTE },
	{ "cancelled", NULL, WHY_ANY,
	  "The merchant cancelled it. {nothing}.", RULE_CANCEL },
	{ "expired", NULL, WHY_ANY,
	  "It was not started in time, and was cancelled. {nothing}.", RULE_CANCEL },
	{ "cancel_wished", NULL, WHY_ANY,
	  "The merchant asked to cancel it while its outcome was open.", RULE_WISH },
};
/* clang-format on */

static bool row_fits(const struct why_row *row, const struct why_facts *facts)
{
	return strcmp(row->type, facts->type) == 0 &&
	       (row->reason == NULL || strcmp(row->reason, facts->reason) == 0) &&
	       (row->source == WHY_ANY || row->source == facts->source);
}

const struct why_row *why_row_find(const struct why_facts *facts)
{
	const struct why_row *first = NULL;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (row_fits(&rows[i], facts))
			return &rows[i];
		if (first == NULL && rows[i].reason == NULL &&
		    strcmp(rows[i].type, facts->type) == 0)
			first = &rows[i];
	}
	return first;
}

const struct why_row *why_rows(size_t *count)
{
	*count = sizeof rows / sizeof rows[0];
	return rows;
}

/* ---- filling ---- */

struct sentence {
	char *out;
	size_t used;
	const struct why_facts *facts;
};

static void put(struct sentence *sentence, const char *text, size_t size)
{
	size_t room = WHY_TEXT_SIZE - 1 - sentence->used;

	if (size > room)
		size = room;
	memcpy(sentence->out + sentence->used, text, size);
	sentence->used += size;
	sentence->out[sentence->used] = '\0';
}

/* Codes are read out: "insufficient_funds" as "insufficient funds". */
static void put_spoken(struct sentence *sentence, const char *code)
{
	if (code[0] == '\0')
		code = "no reason given";
	for (; *code != '\0'; code++)
		put(sentence, *code == '_' ? " " : code, 1);
}

static void put_number(struct sentence *sentence, unsigned number)
{
	char digits[16];

	put(sentence, digits, (size_t)snprintf(digits, sizeof digits, "%u", number));
}

static bool named(const char *place, size_t size, const char *name)
{
	return strlen(name) == size && memcmp(place, name, size) == 0;
}

struct place {
	const char *name;
	const char *text;
};

static const char *place_find(const struct place *places, size_t count, const char *name,
			      size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (named(name, size, places[i].name))
			return places[i].text;
	return NULL;
}

/* Places of facts; what stands in them is foreign text, and never filled itself. NULL: none. */
static const char *fact_of_place(const struct why_facts *facts, const char *name, size_t size)
{
	const struct place places[] = {
		{ "amount", facts->amount },
		{ "gateway", facts->gateway },
		{ "before", facts->gateway_before },
		{ "detail", facts->detail },
	};

	return place_find(places, sizeof places / sizeof places[0], name, size);
}

/* Places of our own words for the operation, which have places too. NULL: none. */
static const char *words_of_place(const struct why_facts *facts, const char *name, size_t size)
{
	const struct kind_words *words = &kinds[facts->kind];
	const struct place places[] = {
		{ "operation", words->noun },
		{ "done", words->done },
		{ "nothing", words->nothing },
		{ "maybe", words->maybe },
	};

	return place_find(places, sizeof places / sizeof places[0], name, size);
}

static void put_filled(struct sentence *sentence, const char *text);

static void put_place(struct sentence *sentence, const char *name, size_t size)
{
	const char *fact = fact_of_place(sentence->facts, name, size);
	const char *words = words_of_place(sentence->facts, name, size);

	if (named(name, size, "reason"))
		put_spoken(sentence, sentence->facts->reason);
	else if (named(name, size, "number"))
		put_number(sentence, sentence->facts->number);
	else if (fact != NULL)
		put(sentence, fact, strlen(fact));
	else if (words != NULL)
		put_filled(sentence, words);
}

/* Ends, since the words for operations have places of facts only. */
static void put_filled(struct sentence *sentence, const char *text)
{
	while (*text != '\0') {
		const char *open = strchr(text, '{');
		const char *close = open == NULL ? NULL : strchr(open, '}');

		if (close == NULL) {
			put(sentence, text, strlen(text));
			return;
		}
		put(sentence, text, (size_t)(open - text));
		put_place(sentence, open + 1, (size_t)(close - open - 1));
		text = close + 1;
	}
}

const char *why_fill(const char *text, const struct why_facts *facts, char out[WHY_TEXT_SIZE])
{
	struct sentence sentence = { .out = out, .facts = facts };

	out[0] = '\0';
	put_filled(&sentence, text);
	return out;
}

/* ---- verdicts, and what comes next ---- */

#define SETTLE_CONTRADICTION                                                                       \
	"No: {gateway} reported a success after it had been decided otherwise. Settle the "        \
	"exception first."
#define SETTLE_EXCEPTION                                                                           \
	"No: an open exception may be about money of this payment. Settle it first."
#define WAIT_FOR_HUMAN "No: it waits for the decision of a human."
#define CANCEL_FIRST "No: this one goes on by itself. Cancel it first."

/* Of what the customer pays, and of what they are paid. */
struct direction {
	const char *in;
	const char *out;
};

/* clang-format off */
static const struct direction verdict_texts[] = {
	[WHY_CHARGED] = { "Yes: the customer was charged {detail}.",
			  "Yes: the customer was paid {detail}." },
	[WHY_MAYBE] = { "Maybe: {gateway} may have charged the customer {amount}.",
			"Maybe: {gateway} may have paid the customer {amount}." },
	[WHY_AUTHORISED] = { "Not yet: {amount} is set aside, and nothing was collected.",
			     "Not yet: {amount} is set aside." },
	[WHY_NOT_CHARGED] = { "No: nothing was charged.", "No: nothing was paid out." },
};

static const struct direction retry_texts[] = {
	[WHY_RETRY_CONTRADICTED] = { SETTLE_CONTRADICTION, SETTLE_CONTRADICTION },
	[WHY_RETRY_OUTCOME_OPEN] = {
		"No: the customer may have been charged already. Wait until it is known.",
		"No: the customer may have been paid already. Wait until it is known." },
	[WHY_RETRY_CHARGED] = { "No: it would charge the customer a second time.",
				"No: it would pay the customer a second time." },
	[WHY_RETRY_AUTHORISED] = {
		"No: the money is set aside already. Capture it, or void it first.",
		"No: the money is set aside already." },
	[WHY_RETRY_EXCEPTION_OPEN] = { SETTLE_EXCEPTION, SETTLE_EXCEPTION },
	[WHY_RETRY_PARKED] = { WAIT_FOR_HUMAN, WAIT_FOR_HUMAN },
	[WHY_RETRY_UNDER_WAY] = { CANCEL_FIRST, CANCEL_FIRST },
	[WHY_RETRY_GIVEN_BACK] = {
		"Yes: all that was charged was given back. Paying again is a new charge.",
		"Yes: all that was paid came back. Paying again is a new payout." },
	[WHY_RETRY_SAFE] = {
		"Yes: nothing was charged, and no further try will be made.",
		"Yes: nothing was paid out, and no further try will be made." },
};
/* clang-format on */

const char *why_verdict_text(enum why_verdict verdict, bool payout)
{
	return payout ? verdict_texts[verdict].out : verdict_texts[verdict].in;
}

const char *why_retry_text(enum why_retry retry, bool payout)
{
	return payout ? retry_texts[retry].out : retry_texts[retry].in;
}

/* While a try is out, by its status: what the next question waits for. */
static const char *ask_text(bool has_live, enum attempt_status live)
{
	if (!has_live)
		return "{gateway} is asked at {detail}.";
	switch (live) {
	case AS_PREPARED:
	case AS_SENT:
		return "The answer of {gateway} is awaited. Where none is there at {detail}, "
		       "{gateway} is asked.";
	case AS_ACCEPTED:
		return "The message of {gateway} is awaited. Where none is there at {detail}, "
		       "{gateway} is asked.";
	case AS_REQUIRES_ACTION:
		return "The customer must act. Where nothing is heard by {detail}, {gateway} is "
		       "asked.";
	case AS_UNKNOWN:
	case AS_SUCCEEDED:
	case AS_DECLINED:
	case AS_NOT_SENT:
	case AS_NOT_FOUND:
		break;
	}
	return "{gateway} is asked at {detail} what became of the {operation}.";
}

const char *why_next_text(enum next_action action, bool has_live, enum attempt_status live)
{
	switch (action) {
	case NEXT_SEND:
		return "The {operation} is sent at {detail}.";
	case NEXT_ASK:
		return ask_text(has_live, live);
	case NEXT_EXPIRE:
		return "It waits for the merchant. At {detail} it ends by itself.";
	case NEXT_HUMAN:
		return has_live ? "A human decides about the {operation}: {maybe}."
				: "A human decides about the {operation}. {nothing}.";
	case NEXT_NONE:
		break;
	}
	return "Nothing: it is over.";
}
