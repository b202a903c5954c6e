/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/operations.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/text.h"
#include "sandbox/request.h"
#include "sandbox/profile.h"
#include "sandbox/route.h"
#include "sandbox/tale.h"

#define EARLY_POLL_MS 5
#define EARLY_WAIT_MS 5000 /* longest wait for the callback that comes before its answer */

/* What is left to do for a request once its answer is made, before it leaves. */
struct closing {
	struct entry *entry; /* new: its key is running until then; NULL: none */
	bool mannered;       /* the token says how to answer */
	struct token token;
};

static bool is_authentic(const struct operations *operations, const struct http_exchange *exchange)
{
	static const char scheme[] = "Bearer ";
	const struct secret *key = operations->api_key;
	size_t count;
	const char *value = http_exchange_header(exchange, "Authorization", &count);

	if (count != 1 || value == NULL || strncmp(value, scheme, sizeof scheme - 1) != 0)
		return false;
	value += sizeof scheme - 1;
	return secret_equal(value, strlen(value), key->bytes, key->size);
}

static bool header_is_json(const struct http_exchange *exchange)
{
	static const char json[] = "application/json";
	size_t count;
	const char *value = http_exchange_header(exchange, "Content-Type", &count);

	return count == 1 && value != NULL && strncasecmp(value, json, sizeof json - 1) == 0 &&
	       strchr("; ", value[sizeof json - 1]) != NULL;
}

static bool header_key(const struct http_exchange *exchange, const char **key)
{
	size_t count;
	size_t size;

	*key = http_exchange_header(exchange, "Idempotency-Key", &count);
	if (count != 1 || *key == NULL)
		return false;
	size = strlen(*key);
	return size >= 1 && size <= ENTRY_NAME_MAX && text_is(TEXT_VISIBLE, *key, size);
}

/* Judge headers and body. False: *answer refuses. */
static bool operation_read(const struct operations *operations,
			   const struct http_exchange *exchange, struct request *request,
			   struct answer *answer)
{
	struct request_refusal refusal = {.why = ""};
	const char *key;

	if (exchange->body_too_large)
		answer_refuse(answer, REFUSAL_BODY_TOO_LARGE, NULL);
	else if (!header_is_json(exchange))
		answer_refuse(answer, REFUSAL_MEDIA_TYPE, NULL);
	else if (!header_key(exchange, &key))
		answer_refuse(answer, REFUSAL_KEY, NULL);
	else if (!request_read(exchange->body, exchange->body_size, operations->profile, request,
			       &refusal))
		answer_refuse(answer, refusal.refusal, refusal.why[0] == '\0' ? NULL : refusal.why);
	else if (strcmp(key, request->terms.name[ENTRY_REFERENCE]) != 0)
		answer_refuse(answer, REFUSAL_KEY_MISMATCH, NULL);
	else
		return true;
	return false;
}

/* What a verdict turns to, and of which kinds of operations. */
static const struct turn {
	enum entry_status later;
	unsigned kinds;
	enum token_turn or_else; /* what holds for the other kinds */
} turns[] = {
	[TOKEN_STAYS] = {ENTRY_ACCEPTED, PROFILE_ALL_OPERATIONS, TOKEN_STAYS},
	[TOKEN_TURNS_SUCCESS] = {ENTRY_SUCCEEDED, PROFILE_ALL_OPERATIONS, TOKEN_STAYS},
	[TOKEN_TURNS_REVERSED] = {ENTRY_REVERSED, 1U << OPERATION_REFUND, TOKEN_STAYS},
	[TOKEN_TURNS_RETURNED] = {ENTRY_RETURNED, 1U << OPERATION_PAYOUT, TOKEN_STAYS},
	[TOKEN_TURNS_BACK] = {ENTRY_REVERSED, 1U << OPERATION_REFUND, TOKEN_TURNS_RETURNED},
};

static enum entry_status later_of(enum token_turn turn, enum operation_kind kind)
{
	while ((turns[turn].kinds & 1U << kind) == 0)
		turn = turns[turn].or_else;
	return turns[turn].later;
}

static struct entry_verdict verdict_of(const struct token *token, enum operation_kind kind)
{
	static const enum entry_status opened[] = {
		[TOKEN_AT_ONCE] = ENTRY_SUCCEEDED, /* the final one */
		[TOKEN_LATER] = ENTRY_ACCEPTED,
		[TOKEN_ACTS] = ENTRY_REQUIRES_ACTION,
	};
	struct entry_verdict verdict = {
		.final = token->verdict == TOKEN_SUCCEEDS ? ENTRY_SUCCEEDED : ENTRY_DECLINED,
		.decline_code = token->decline_code,
		.at_us = clock_now_us(),
	};

	verdict.opened = opened[token->timing] == ENTRY_SUCCEEDED ? verdict.final
								  : opened[token->timing];
	verdict.later = later_of(token->turn, kind);
	return verdict;
}

/* The entry is new: whatever happens to the answer from here on, it counts. */
static void operation_entered(const struct operations *operations, struct entry *entry)
{
	const struct entry_verdict *verdict = &entry->verdict;
	bool unfinished = !entry_status_is_decided(verdict->opened) ||
			  verdict->later != ENTRY_ACCEPTED || entry->callback_id != NULL;

	if (unfinished && callback_schedule(operations->callbacks, entry) != ERR_OK)
		log_note(LOG_ERROR, "out of memory: an operation waits for the next start");
}

static bool with_callback(const struct request *request, const struct entry_verdict *verdict)
{
	bool told = request->token.calls != TOKEN_NO_CALL || verdict->later != ENTRY_ACCEPTED;

	return told && request->terms.callback_url != NULL;
}

/* Take it, and make the answer that its state deserves; the manner comes later. */
static void operation_take(const struct operations *operations, const struct request *request,
			   struct closing *closing, struct answer *answer)
{
	struct entry_verdict verdict = verdict_of(&request->token, request->terms.kind);
	enum ledger_outcome outcome;
	struct entry *entry;
	enum err err;

	err = ledger_enter(operations->ledger, &request->terms, &verdict,
			   with_callback(request, &verdict), &outcome, &entry);
	if (err != ERR_OK) {
		answer_refuse(answer, REFUSAL_STORAGE, NULL);
		return;
	}
	switch (outcome) {
	case LEDGER_KEY_REUSED:
		answer_refuse(answer, REFUSAL_KEY_REUSED, NULL);
		break;
	case LEDGER_IN_PROGRESS:
		answer_refuse(answer, REFUSAL_IN_PROGRESS, NULL);
		break;
	case LEDGER_FULL:
		answer_refuse(answer, REFUSAL_FULL, NULL);
		break;
	case LEDGER_REPLAYED:
		tale_answer(entry, entry->verdict.opened, false, answer);
		answer->replayed = true;
		break;
	case LEDGER_ENTERED:
		*closing = (struct closing){entry, true, request->token};
		operation_entered(operations, entry);
		tale_answer(entry, entry->verdict.opened, false, answer);
		break;
	}
}

static void operation_post(const struct operations *operations, struct http_exchange *exchange,
			   struct closing *closing, struct answer *answer)
{
	struct request request = {0};
	const struct entry *parent = NULL;

	if (!operation_read(operations, exchange, &request, answer))
		return;
	if (request.terms.parent != NULL)
		parent = ledger_by_id(operations->ledger, operations->profile,
				      request.terms.parent);
	if (parent != NULL)
		request_inherit(&request, parent->terms.payment_token);
	if (request.token.verdict == TOKEN_DOES_NOTHING)
		*closing = (struct closing){NULL, true, request.token};
	else
		operation_take(operations, &request, closing, answer);
	request_done(&request);
}

/* A gateway whose inquiry cannot be trusted sees nothing of what is new, or not decided yet. */
static bool is_blind(const struct profile *profile, const struct entry *entry,
		     enum entry_status status)
{
	int64_t age_us = clock_now_us() - entry->verdict.at_us;

	return profile->blind_ms > 0 && (!entry_status_is_decided(status) ||
					 age_us < profile->blind_ms * INT64_C(1000));
}

static void operation_get(const struct operations *operations, struct http_exchange *exchange,
			  struct answer *answer)
{
	const struct entry *entry;
	enum entry_status status;
	size_t count;
	const char *reference = http_exchange_query(exchange, "reference", &count);

	if (count != 1 || reference == NULL || *reference == '\0')
		answer_refuse(answer, REFUSAL_REFERENCE, NULL);
	else if (!ledger_find(operations->ledger, operations->profile, reference, &entry,
			      &status) ||
		 is_blind(profile_row(operations->profile), entry, status))
		answer_refuse(answer, REFUSAL_NOT_FOUND, NULL);
	else
		tale_answer(entry, status, true, answer);
}

static bool callback_await(struct http_exchange *exchange, const struct entry *entry)
{
	for (int waited_ms = 0; waited_ms < EARLY_WAIT_MS; waited_ms += EARLY_POLL_MS) {
		if (entry->callback_id == NULL || atomic_load(&entry->callback_tried))
			return true;
		if (!http_exchange_pause(exchange, EARLY_POLL_MS))
			return false;
	}
	return true;
}

static bool pause_ms(struct http_exchange *exchange, int ms)
{
	return ms == 0 || http_exchange_pause(exchange, ms);
}

/* How the token wants its caller treated. The answer is made already and is kept, dropped or
 * delayed. */
static void manner_apply(struct http_exchange *exchange, const struct closing *closing,
			 struct answer *answer)
{
	static const enum answer_pace paces[] = {
		[TOKEN_HALVES] = ANSWER_HALVED,
		[TOKEN_CUTS] = ANSWER_CUT,
		[TOKEN_BREAKS] = ANSWER_BROKEN,
		[TOKEN_DRIPS] = ANSWER_DRIPS,
	};

	switch (closing->token.manner) {
	case TOKEN_ANSWERS:
		break;
	case TOKEN_HOLDS:
		http_exchange_hold(exchange);
		answer_close(answer);
		return;
	case TOKEN_RESETS:
		answer_reset(answer);
		return;
	case TOKEN_AFTER_CALLBACK:
		if (!callback_await(exchange, closing->entry))
			answer_close(answer);
		break;
	case TOKEN_REFUSES:
		answer_refuse(answer, closing->token.instead, NULL);
		break;
	case TOKEN_PAGE:
		answer_page(answer);
		break;
	case TOKEN_SWELLS:
		answer_swell(answer);
		break;
	case TOKEN_REPEATS:
		answer_repeat_status(answer);
		break;
	case TOKEN_WIDENS:
		answer_widen(answer);
		break;
	case TOKEN_HALVES:
	case TOKEN_CUTS:
	case TOKEN_BREAKS:
	case TOKEN_DRIPS:
		answer->pace = paces[closing->token.manner];
		answer->cut_bytes = (size_t)closing->token.cut_bytes;
		break;
	}
	if (!pause_ms(exchange, closing->token.answer_ms))
		answer_close(answer);
}

/* What the handlers of the routes get as their context. */
struct serving {
	const struct operations *operations;
	struct closing closing;
};

static void post_serve(void *context, struct http_exchange *exchange, const char *name,
		       struct answer *answer)
{
	struct serving *serving = context;

	(void)name;
	if (!is_authentic(serving->operations, exchange))
		answer_refuse(answer, REFUSAL_UNAUTHENTICATED, NULL);
	else
		operation_post(serving->operations, exchange, &serving->closing, answer);
}

static void get_serve(void *context, struct http_exchange *exchange, const char *name,
		      struct answer *answer)
{
	struct serving *serving = context;

	(void)name;
	if (!is_authentic(serving->operations, exchange))
		answer_refuse(answer, REFUSAL_UNAUTHENTICATED, NULL);
	else
		operation_get(serving->operations, exchange, answer);
}

static const struct route routes[] = {
	{"GET", "/v1/operations", get_serve},
	{"POST", "/v1/operations", post_serve},
};

void operations_serve(const struct operations *operations, struct http_exchange *exchange,
		      int delay_ms, struct answer *answer)
{
	struct serving serving = {.operations = operations};
	const struct closing *closing = &serving.closing;

	route_dispatch(routes, sizeof routes / sizeof routes[0], &serving, exchange, answer);
	if (closing->mannered)
		manner_apply(exchange, closing, answer);
	if (answer->kind == ANSWER_SEND && !pause_ms(exchange, delay_ms))
		answer_close(answer);
	/* Before the answer leaves: who has it may send the key again at once. */
	if (closing->entry != NULL)
		ledger_release(operations->ledger, closing->entry);
}
