/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "apid/actions.h"
#include "apid/call.h"
#include "apid/dispatcher.h"
#include "apid/etag.h"
#include "apid/idempotency_key.h"
#include "apid/members.h"
#include "apid/render.h"
#include "base/json.h"
#include "service/amend.h"
#include "service/control.h"

#define REFUSED_START "Only a payment that waits for its start can be started."
#define REFUSED_CANCEL "It is over, or the customer may have been charged: it cannot be cancelled."
#define REFUSED_VOID                                                                               \
	"Only what is authorised, and of which no capture is open, can be released."
#define REMEMBERED                                                                                 \
	"The customer may have been charged. The wish to cancel is remembered: nothing more is "   \
	"sent, and a success will be proposed for refund."

/* How each outcome of a request is answered. Status 409 is a refusal, with this detail. */
struct answer {
	int status;
	const char *detail;
	bool wake; /* there is something to send */
};

static const struct answer process_answers[] = {
	[CONTROL_BEFORE] = { 200, NULL, false },
	[CONTROL_REFUSED] = { 409, REFUSED_START, false },
	[CONTROL_DONE] = { 202, NULL, true },
};

static const struct answer cancel_answers[] = {
	[CONTROL_BEFORE] = { 200, NULL, false },
	[CONTROL_REFUSED] = { 409, REFUSED_CANCEL, false },
	[CONTROL_DONE] = { 200, NULL, false },
	[CONTROL_WISHED] = { 409, REMEMBERED, false },
};

static const struct answer void_answers[] = {
	[CONTROL_BEFORE] = { 200, NULL, false },
	[CONTROL_REFUSED] = { 409, REFUSED_VOID, false },
	[CONTROL_DONE] = { 202, NULL, true },
};

static void answer_view(struct call *call, int status, const struct transaction_view *view)
{
	struct json_writer writer = JSON_WRITER_EMPTY;

	etag_set(call->reply, view->row.version);
	render_transaction(&writer, view, RENDER_CUSTOMER);
	call_answer_written(call, status, &writer);
}

typedef enum err control(struct store_pool *pool, const struct control_request *request,
			 int wait_ms, enum control_outcome *outcome, struct transaction_view *view);

static void act(struct call *call, control *act_on, struct control_request *request,
		const struct answer *answers)
{
	struct version_match match;
	enum control_outcome outcome;
	struct transaction_view view;
	const char *status;
	enum err err;

	request->wanted = etag_wanted(call->http, &match);
	err = act_on(call->app->pool, request, call_wait_ms(call), &outcome, &view);

	if (err == ERR_NOT_FOUND) {
		call_refuse(call, err, "There is no such transaction.");
		return;
	}
	if (err != ERR_OK) {
		call_refuse(call, err, NULL);
		return;
	}
	if (answers[outcome].wake)
		dispatcher_wake(call->app->dispatcher);
	status = words_text(transaction_status_words, (int)view.row.status);
	if (answers[outcome].status == 409)
		call_refuse_state(call, answers[outcome].detail, status,
				  actions_of(&view.row));
	else
		answer_view(call, answers[outcome].status, &view);
}

/* The transaction of the path, and a body that says nothing. False: refused. */
static bool request_read(struct call *call, struct control_request *request)
{
	struct field_member members[FIELD_MEMBERS_MAX];
	size_t count;

	*request = (struct control_request){ .merchant = call->claims.merchant,
					     .api_call_id = call->api_call_id };
	if (!members_read(call, NULL, 0, members, &count))
		return false;
	if (id_parse(ID_TRANSACTION, call->match.parameter, &request->transaction_id))
		return true;
	call_refuse(call, ERR_NOT_FOUND, "There is no such transaction.");
	return false;
}

void controls_process(struct call *call)
{
	struct control_request request;

	if (request_read(call, &request))
		act(call, control_process, &request, process_answers);
}

void controls_cancel(struct call *call)
{
	struct control_request request;

	if (request_read(call, &request))
		act(call, control_cancel, &request, cancel_answers);
}

void controls_void(struct call *call)
{
	struct control_request request;

	if (request_read(call, &request))
		act(call, control_void, &request, void_answers);
}

/* ---- PATCH /transactions/{transaction_id} ---- */

#define REFUSED_AMEND "Only a payment of which nothing was sent yet can be changed."

static void refuse_metadata(struct call *call)
{
	json_t *errors = json_array();

	problem_error_add(errors, "metadata", PROBLEM_IN_BODY, field_code_word(FIELD_LENGTH),
			  "with what is there already it would be more than 20 members or 4096 "
			  "bytes of JSON: remove some with null");
	call_refuse_errors(call, ERR_INVALID, NULL, errors);
}

static void answer_amended(struct call *call, enum amend_outcome outcome,
			   const struct transaction_view *view)
{
	switch (outcome) {
	case AMEND_REFUSED:
		call_refuse_state(call, REFUSED_AMEND,
				  words_text(transaction_status_words, (int)view->row.status),
				  actions_of(&view->row));
		return;
	case AMEND_TOO_LARGE:
		refuse_metadata(call);
		return;
	case AMEND_UNCHANGED:
	case AMEND_DONE:
		answer_view(call, 200, view);
		return;
	}
}

/* Members of the body, which the arena keeps, into an amendment. False: refused. */
static bool amendment_take(struct call *call, struct json_arena *arena,
			   struct field_member members[FIELD_MEMBERS_MAX],
			   struct amendment *amendment)
{
	struct field_errors errors = { .count = 0 };
	enum err err;
	const size_t count = json_members(call->body, members, arena, &err);

	if (err != ERR_OK) {
		call_refuse(call, err, "The body has too many members.");
		return false;
	}
	if (amendment_read(members, count, amendment, &errors))
		return true;
	call_refuse_errors(call, ERR_INVALID, NULL, problem_errors(&errors));
	return false;
}

void controls_amend(struct call *call)
{
	struct field_member members[FIELD_MEMBERS_MAX];
	struct json_arena arena;
	struct amendment amendment;
	struct version_match match;
	struct amend_request request = { .target = { .merchant = call->claims.merchant },
					 .api_call_id = call->api_call_id,
					 .amendment = &amendment };
	enum amend_outcome outcome;
	struct transaction_view view;
	enum err err = ERR_NOT_FOUND; /* what is not an id names nothing */

	if (!amendment_take(call, &arena, members, &amendment))
		return;
	request.target.wanted = etag_wanted(call->http, &match);
	if (id_parse(ID_TRANSACTION, call->match.parameter, &request.target.transaction_id))
		err = amend(call->app->pool, &request, call_wait_ms(call), &outcome, &view);
	if (err == ERR_OK)
		answer_amended(call, outcome, &view);
	else
		call_refuse(call, err,
			    err == ERR_NOT_FOUND ? "There is no such transaction." : NULL);
}

/* ---- POST /transactions/cancel-by-key ---- */

static bool key_read(struct call *call, char key[IDEMPOTENCY_KEY_SIZE])
{
	struct field_member members[FIELD_MEMBERS_MAX];
	const struct field_value *value;
	size_t spec_count;
	const struct field_spec *specs = idempotency_key_fields(&spec_count);
	const char *why;
	size_t count;
	json_t *errors;

	if (!members_read(call, specs, spec_count, members, &count))
		return false;
	value = field_find(members, count, specs[0].name);
	if (idempotency_key_parse(value->text, key, &why) == ERR_OK)
		return true;
	errors = json_array();
	problem_error_add(errors, specs[0].name, PROBLEM_IN_BODY, field_code_word(FIELD_CHARACTERS),
			  why);
	call_refuse_errors(call, ERR_INVALID, NULL, errors);
	return false;
}

void controls_cancel_by_key(struct call *call)
{
	char key[IDEMPOTENCY_KEY_SIZE];
	struct control_request request = { .merchant = call->claims.merchant,
					   .api_call_id = call->api_call_id,
					   .remember = true };
	struct operation_key found;
	enum err err;

	if (!key_read(call, key))
		return;
	err = control_find_key(call->app->pool, request.merchant, key, call_wait_ms(call), &found);
	if (err == ERR_NOT_FOUND) {
		call_refuse(call, err,
			    "Nothing was begun with this key. A request with it that is still on "
			    "its way is not stopped by this.");
		return;
	}
	if (err != ERR_OK) {
		call_refuse(call, err, NULL);
		return;
	}
	request.transaction_id = found.transaction_id;
	act(call, control_cancel, &request, cancel_answers);
}
