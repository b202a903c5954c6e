/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/outcome_private.h"

#include "base/crypto.h"
#include "core/consequence.h"
#include "core/decline.h"
#include "core/schedule.h"
#include "store/callback.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define ASK_GAP_US INT64_C(1000000) /* least time between two inquiries about one attempt */
#define EVENTS_MAX 200              /* of one transaction that are looked at */
#define SETTLING_US (INT64_C(7) * 24 * 3600 * 1000000) /* as long as inquiries last altogether */

static void text_set(char *field, size_t size, const char *text)
{
	snprintf(field, size, "%s", text);
}

void outcome_step_begin(struct scene *scene)
{
	scene->change = change_begin(&scene->transaction, &scene->operation, &scene->attempt,
				     scene->now_us);
	scene->change.api_call_id = scene->report->api_call_id;
}

enum err outcome_step_write(struct scene *scene, const char *type, const char *reason)
{
	scene->change.type = type;
	scene->change.reason = reason;
	return change_write(scene->tx, &scene->change, &scene->note);
}

/* What was said is kept on the attempt, whatever it changes. */
static void answer_keep(struct scene *scene, enum attempt_class class)
{
	struct attempt_row *attempt = &scene->attempt;
	const struct gateway_answer *answer = scene->answer;

	attempt->class = class;
	attempt->answered_at_us = scene->now_us;
	text_set(attempt->reason, sizeof attempt->reason, answer->reason);
	if (answer->http_status != 0)
		attempt->http_status = answer->http_status;
	if (answer->gateway_ref[0] != '\0')
		text_set(attempt->gateway_ref, sizeof attempt->gateway_ref, answer->gateway_ref);
	if (answer->masked[0] != '\0')
		text_set(attempt->answer_masked, sizeof attempt->answer_masked, answer->masked);
	if (answer->instructions[0] != '\0')
		text_set(attempt->instructions, sizeof attempt->instructions, answer->instructions);
}

/* What a human has to know first, by kind. */
static const char *const exception_advice[] = {
	[EXCEPTION_LATE_SUCCESS] = "",
	[EXCEPTION_INTEGRITY] = "",
	[EXCEPTION_ORPHAN_CALLBACK] = "",
	[EXCEPTION_UNWANTED_SUCCESS] = "charged after its cancellation was wished, refund it: ",
};

enum err outcome_exception_open(struct scene *scene, enum exception_kind kind)
{
	uint8_t random[10];
	struct exception_row row = {
		.kind = kind,
		.transaction_id = scene->transaction.id,
		.attempt_id = scene->attempt.id,
		.opened_at_us = scene->now_us,
	};

	crypto_random(random, sizeof random);
	row.id = id_make(scene->now_us, random);
	memcpy(row.merchant, scene->transaction.merchant, sizeof row.merchant);
	snprintf(row.detail, sizeof row.detail, "%s%s said %s: %s (its reference: %s)",
		 exception_advice[kind], scene->attempt.gateway,
		 words_text(attempt_event_words, (int)scene->answer->event), scene->answer->reason,
		 scene->answer->gateway_ref);
	return store_exception_open(scene->tx, &row);
}

enum err outcome_park(struct scene *scene, const char *reason)
{
	return scene->operation.status == OS_PARKED ? ERR_OK : change_park(&scene->change, reason);
}

static bool still_open(const struct scene *scene)
{
	enum attempt_status status = scene->attempt.status;

	return !operation_is_final(scene->operation.status) &&
	       (status == AS_UNKNOWN || status == AS_ACCEPTED || status == AS_REQUIRES_ACTION);
}

/* The first of the schedule's times that is to come: questions asked beside it do not use it up. */
static bool schedule_next(const struct attempt_row *attempt, int64_t now_us, int64_t *at_us)
{
	for (unsigned asked = 0; asked < attempt->asked_count; asked++)
		if (schedule_inquiry(attempt->open_since_us, asked, at_us) && *at_us > now_us)
			return true;
	return schedule_inquiry(attempt->open_since_us, attempt->asked_count, at_us);
}

/* It succeeded, and its gateway hinted since that it was taken back: asked about until that is known. */
static bool is_doubted(const struct scene *scene)
{
	return scene->operation.status == OS_SUCCEEDED && scene->operation.next_action == NEXT_ASK;
}

/* An answer that is recorded again, since its commit's answer was lost, is still one. */
static void question_count(struct scene *scene)
{
	struct attempt_row *attempt = &scene->attempt;

	if (scene->report->asked_at_us >= attempt->asked_at_us)
		attempt->asked_count++;
	attempt->asked_at_us = scene->now_us;
}

/* What is to come of it, without a step of its own. */
static enum err rows_update(struct scene *scene)
{
	enum err err;

	scene->operation.updated_at_us = scene->now_us;
	err = store_operation_update(scene->tx, &scene->operation);
	return err == ERR_OK ? store_attempt_update(scene->tx, &scene->attempt) : err;
}

/* A human has it already; what was asked for a hint's sake is not asked again. */
static enum err asked_once(struct scene *scene)
{
	if (scene->operation.next_action == NEXT_ASK)
		change_next(&scene->change, NEXT_HUMAN, scene->now_us);
	return rows_update(scene);
}

/* It is as it was; where its gateway says neither, a human has to look. */
static enum err doubt_end(struct scene *scene, bool unexplained)
{
	enum err err = ERR_OK;

	if (unexplained)
		err = outcome_exception_open(scene, EXCEPTION_INTEGRITY);
	change_next(&scene->change, NEXT_NONE, 0);
	return err == ERR_OK ? rows_update(scene) : err;
}

/*
 * An inquiry settled nothing: ask when the same answer would settle it (`settles_us`), else (0) at
 * the schedule's next time; at the schedule's end a human decides.
 */
static enum err ask_again(struct scene *scene, int64_t settles_us, enum outcome_effect *effect)
{
	struct attempt_row *attempt = &scene->attempt;
	int64_t at_us;
	bool scheduled;
	enum err err;

	if (scene->report->source != OUTCOME_INQUIRY || (!still_open(scene) && !is_doubted(scene)))
		return ERR_OK;
	*effect = OUTCOME_RESCHEDULED;
	question_count(scene);
	attempt->updated_at_us = scene->now_us;
	scheduled = schedule_next(attempt, scene->now_us, &at_us);
	if (settles_us != 0 && scene->now_us < attempt->open_since_us + SETTLING_US) {
		at_us = settles_us;
		scheduled = true;
	}
	if (scene->operation.status == OS_PARKED)
		return asked_once(scene);
	if (!scheduled && is_doubted(scene))
		return doubt_end(scene, true);
	if (!scheduled) {
		err = outcome_park(scene, "inquiries_exhausted");
		return err == ERR_OK ? outcome_step_write(scene, "parked", "inquiries_exhausted")
				     : err;
	}
	if (at_us < scene->now_us + ASK_GAP_US)
		at_us = scene->now_us + ASK_GAP_US;
	change_next(&scene->change, NEXT_ASK, at_us);
	return rows_update(scene);
}

/* Every attempt is definitely uncharged: try again, or end it. */
static enum err retry_or_fail(struct scene *scene, bool told_retryable, const char *failure)
{
	struct operation_row *operation = &scene->operation;
	const bool retryable = told_retryable && consequence_may_repeat(operation->kind,
									scene->attempt.status);
	int64_t open_exceptions;
	enum err err;

	if (operation_is_final(operation->status))
		return ERR_OK; /* ended without waiting for this attempt */
	err = change_stoppers(scene->tx, operation, &open_exceptions);
	if (err != ERR_OK)
		return err;
	if (open_exceptions > 0)
		return outcome_park(scene, "exception_open");
	if (retryable && operation->cancel_wished_at_us != 0)
		return change_withdraw(&scene->change, REASON_CANCELLED_BY_CLIENT);
	/* Where, when, and whether at all, is chosen when it is taken up: choice.h. */
	if (retryable && !operation->human_verdict && operation->status == OS_PROCESSING) {
		change_reason(&scene->change, "retry_scheduled");
		change_next(&scene->change, NEXT_SEND, scene->now_us);
		return ERR_OK;
	}
	if (!consequence_may_fail(operation->kind))
		return outcome_park(scene, failure);
	return change_fail(&scene->change, failure);
}

/* Money was taken that nobody wants any more. An authorisation is released instead. */
static enum err unwanted(struct scene *scene)
{
	if (scene->operation.cancel_wished_at_us == 0)
		return ERR_OK;
	change_reason(&scene->change, "cancel_wished");
	return scene->operation.kind == OPERATION_AUTHORISE
		       ? ERR_OK
		       : outcome_exception_open(scene, EXCEPTION_UNWANTED_SUCCESS);
}

/*
 * What is authorised does not stay so: a void waits from the start for the time when the gateway
 * would let it go, or is sent at once where nobody wants it any more.
 */
static enum err release_plan(struct scene *scene)
{
	const bool unwanted = scene->operation.cancel_wished_at_us != 0;
	struct operation_row *release = &scene->release;
	struct change change;
	struct change_note note;
	uint8_t random[10];

	crypto_random(random, sizeof random);
	*release = (struct operation_row){
		.id = id_make(scene->now_us, random),
		.transaction_id = scene->transaction.id,
		.kind = OPERATION_VOID,
		.amount_minor = scene->operation.amount_minor,
		.status = OS_PENDING,
		.gateway_key_number = 1,
		.created_at_us = scene->now_us,
		.parent_attempt_id = scene->attempt.id,
		.form = OPERATION_NO_FORM,
	};
	memcpy(release->merchant, scene->operation.merchant, sizeof release->merchant);
	change = change_begin_new(&scene->transaction, release, scene->now_us);
	change.type = "void_planned";
	change.api_call_id = scene->report->api_call_id;
	change_next(&change, unwanted ? NEXT_SEND : NEXT_EXPIRE,
		    unwanted ? scene->now_us
			     : scene->now_us + scene->report->gateway->authorisation_us);
	return change_write(scene->tx, &change, &note);
}

/* All is captured: there is nothing to release any more. */
static enum err release_drop(struct scene *scene)
{
	struct change change =
		change_begin(&scene->transaction, &scene->release, NULL, scene->now_us);
	struct change_note note;
	enum err err;

	if (!scene->has_release || scene->release.status != OS_PENDING ||
	    scene->transaction.status == TS_AUTHORISED)
		return ERR_OK;
	err = change_operation(&change, OE_CANCELLED);
	if (err != ERR_OK)
		return err;
	change_reason(&change, "captured");
	change.type = "void_cancelled";
	change.reason = "captured";
	change.api_call_id = scene->report->api_call_id;
	return change_write(scene->tx, &change, &note);
}

/* What else a success means, each a step of its own. */
static enum err follow_success(struct scene *scene)
{
	const struct operation_row *operation = &scene->operation;
	const struct exception_place late = { operation->transaction_id,
					      operation->parent_attempt_id,
					      EXCEPTION_LATE_SUCCESS };

	if (operation->surplus)
		return store_exception_resolve(scene->tx, &late, "the surplus was given back",
					       scene->now_us);
	if (operation->kind == OPERATION_AUTHORISE)
		return release_plan(scene);
	return operation->kind == OPERATION_CAPTURE ? release_drop(scene) : ERR_OK;
}

/* Whoever wanted the rest released; nobody: its time was over. */
static void release_asked(void *context, const struct event_row *event)
{
	const char **reason = context;

	if (strcmp(event->type, "cancel_wished") == 0)
		*reason = REASON_CANCELLED_BY_CLIENT;
	if (strcmp(event->type, "void_requested") == 0)
		*reason = REASON_VOIDED;
}

/* What is cancelled by its void says why. */
static enum err release_explain(struct scene *scene)
{
	struct transaction_row *transaction = &scene->transaction;
	const char *reason = REASON_EXPIRED;
	enum err err;

	if (scene->operation.kind != OPERATION_VOID || transaction->status != TS_CANCELLED)
		return ERR_OK;
	err = store_event_list(scene->tx, transaction->merchant, transaction->id, 0, EVENTS_MAX,
			       release_asked, &reason);
	if (err == ERR_OK)
		text_set(transaction->status_reason, sizeof transaction->status_reason, reason);
	return err;
}

static enum err apply_succeeded(struct scene *scene, enum outcome_effect *effect)
{
	enum err err;

	if (change_attempt(&scene->change, AE_SUCCEEDED) != ERR_OK)
		return ERR_OK;
	answer_keep(scene, ATTEMPT_DEFINITE);
	err = change_operation(&scene->change, OE_SUCCEEDED);
	if (err != ERR_OK)
		return err;
	change_reason(&scene->change, "");
	err = unwanted(scene);
	if (err == ERR_OK)
		err = release_explain(scene);
	*effect = OUTCOME_APPLIED;
	if (err == ERR_OK)
		err = outcome_step_write(scene, "attempt_succeeded", scene->answer->reason);
	return err == ERR_OK ? follow_success(scene) : err;
}

static const struct taken_back {
	enum attempt_event said;
	enum operation_kind kind;
	enum operation_event event;
	const char *type;
	const char *reason;
} taken_backs[] = {
	{ AE_REVERSED, OPERATION_REFUND, OE_REVERSED, .type = "refund_reversed", "reversed" },
	{ AE_RETURNED, OPERATION_PAYOUT, OE_RETURNED, .type = "payout_returned", "returned" },
};

/* It came back after it succeeded; where we had not heard of the success yet, that first. */
static enum err apply_taken_back(struct scene *scene, enum outcome_effect *effect)
{
	const bool reversed = scene->answer->event == AE_REVERSED;
	const struct taken_back *row = &taken_backs[reversed ? 0 : 1];
	enum err err;

	if (scene->operation.kind != row->kind)
		return ask_again(scene, 0, effect);
	if (scene->attempt.status != AS_SUCCEEDED && !operation_is_final(scene->operation.status)) {
		err = apply_succeeded(scene, effect);
		if (err != ERR_OK)
			return err;
		outcome_step_begin(scene);
	}
	if (scene->attempt.status != AS_SUCCEEDED ||
	    change_operation(&scene->change, row->event) != ERR_OK)
		return ERR_OK;
	change_reason(&scene->change, row->reason);
	*effect = OUTCOME_APPLIED;
	return outcome_step_write(scene, row->type, scene->answer->reason);
}

static enum err apply_declined(struct scene *scene, enum outcome_effect *effect)
{
	enum err err;

	if (change_attempt(&scene->change, AE_DECLINED) != ERR_OK)
		return ERR_OK;
	answer_keep(scene, ATTEMPT_DEFINITE);
	text_set(scene->attempt.decline_code, sizeof scene->attempt.decline_code,
		 scene->answer->decline_code);
	err = retry_or_fail(scene, scene->answer->retryable, FAILURE_DECLINED);
	*effect = OUTCOME_APPLIED;
	return err == ERR_OK
		       ? outcome_step_write(scene, "attempt_declined", scene->answer->decline_code)
		       : err;
}

static enum err apply_not_sent(struct scene *scene, enum outcome_effect *effect)
{
	enum err err;

	/* Only the sender knows what it did not send. */
	if (scene->report->source != OUTCOME_ANSWER ||
	    change_attempt(&scene->change, AE_NOT_SENT) != ERR_OK)
		return ask_again(scene, 0, effect);
	answer_keep(scene, ATTEMPT_NOT_SENT);
	err = retry_or_fail(scene, true, FAILURE_UNREACHABLE);
	*effect = OUTCOME_APPLIED;
	return err == ERR_OK ? outcome_step_write(scene, "attempt_not_sent", scene->answer->reason)
			     : err;
}

/* The outcome is open: ask at that time. What is parked or final stays so, with its own reason. */
static void outcome_await(struct scene *scene, int64_t ask_at_us, const char *reason)
{
	if (scene->operation.status != OS_PROCESSING)
		return;
	change_next(&scene->change, NEXT_ASK, ask_at_us);
	change_reason(&scene->change, reason);
}

/* The gateway took it, or the customer must act: wait for the callback, then ask. */
static enum err apply_open(struct scene *scene, enum outcome_effect *effect)
{
	const struct outcome_report *report = scene->report;
	enum attempt_event event = scene->answer->event;
	int64_t kept;
	int64_t ask_at_us = scene->now_us + report->gateway->callback_wait_us;
	enum err err;

	if (change_attempt(&scene->change, event) != ERR_OK)
		return ask_again(scene, 0, effect);
	answer_keep(scene, ATTEMPT_DEFINITE);
	if (report->source == OUTCOME_INQUIRY)
		question_count(scene);
	if (scene->attempt.open_since_us == 0)
		scene->attempt.open_since_us = scene->now_us;
	err = store_callback_count_kept(scene->tx, scene->transaction.id, &kept);
	if (err != ERR_OK)
		return err;
	outcome_await(scene, kept > 0 ? scene->now_us : ask_at_us,
		      event == AE_ACCEPTED ? "awaiting_gateway" : "awaiting_customer");
	*effect = OUTCOME_APPLIED;
	return outcome_step_write(
		scene, event == AE_ACCEPTED ? "attempt_accepted" : "attempt_requires_action",
		scene->answer->reason);
}

/* The outcome is open from now on: the first inquiry is due at the start of the schedule. */
static enum err become_unknown(struct scene *scene)
{
	int64_t ask_at_us = scene->now_us;
	bool scheduled = schedule_inquiry(scene->now_us, 0, &ask_at_us);

	assert(scheduled);
	answer_keep(scene, ATTEMPT_UNKNOWN);
	scene->attempt.open_since_us = scene->now_us;
	outcome_await(scene, ask_at_us, "outcome_unknown");
	return outcome_step_write(scene, "attempt_unknown", scene->answer->reason);
}

static enum err apply_lost(struct scene *scene, enum outcome_effect *effect)
{
	enum err err = ERR_OK;

	if (scene->answer->integrity)
		err = outcome_exception_open(scene, EXCEPTION_INTEGRITY);
	if (err != ERR_OK)
		return err;
	if (change_attempt(&scene->change, AE_LOST) == ERR_OK) {
		*effect = OUTCOME_APPLIED;
		err = become_unknown(scene);
	} else {
		err = ask_again(scene, 0, effect);
	}
	if (scene->answer->integrity)
		*effect = OUTCOME_INTEGRITY;
	return err;
}

/*
 * Our own clock, which starts anew with the process, is still short of lease and quiet period:
 * steps in which it gets there with a handful of questions, however short the quiet period.
 */
static int64_t catch_up_us(const struct scene *scene)
{
	int64_t half_lease_us = (scene->attempt.lease_until_us - scene->attempt.prepared_at_us) / 2;
	int64_t quiet_us = scene->report->gateway->quiet_us;

	return quiet_us > half_lease_us ? quiet_us : half_lease_us;
}

/*
 * Believed only from an authoritative gateway, past lease and quiet period, said twice a quiet
 * period apart.
 */
static enum err apply_not_found(struct scene *scene, enum outcome_effect *effect)
{
	struct attempt_row *attempt = &scene->attempt;
	const struct gateway *gateway = scene->report->gateway;
	int64_t believable_us = attempt->lease_until_us + gateway->quiet_us;
	/* Asked later than now: the database's clock was set back since. */
	int64_t said_us = scene->report->asked_at_us < scene->now_us ? scene->report->asked_at_us
								     : scene->now_us;
	enum err err;

	if (scene->report->source != OUTCOME_INQUIRY || attempt->status != AS_UNKNOWN ||
	    !gateway->authoritative)
		return ask_again(scene, 0, effect);
	if (said_us < believable_us)
		return ask_again(scene, believable_us, effect);
	if (attempt->not_found_at_us == 0) {
		/* The next must be asked for a quiet period after this one was heard. */
		attempt->not_found_at_us = scene->now_us;
		return ask_again(scene, scene->now_us + gateway->quiet_us, effect);
	}
	if (said_us < attempt->not_found_at_us + gateway->quiet_us)
		return ask_again(scene, attempt->not_found_at_us + gateway->quiet_us, effect);
	if (!scene->report->quiet_confirmed)
		return ask_again(scene, scene->now_us + catch_up_us(scene), effect);
	err = change_attempt(&scene->change, AE_NOT_FOUND);
	if (err != ERR_OK)
		return err;
	answer_keep(scene, ATTEMPT_DEFINITE);
	err = retry_or_fail(scene, true, FAILURE_LOST);
	*effect = OUTCOME_APPLIED;
	return err == ERR_OK ? outcome_step_write(scene, "attempt_not_found", scene->answer->reason)
			     : err;
}

/* Asked whether it was taken back, its gateway says that it stands, or that it never was. */
static bool is_answer_to_doubt(const struct scene *scene)
{
	const enum attempt_event said = scene->answer->event;

	return scene->report->source == OUTCOME_INQUIRY && is_doubted(scene) &&
	       (said == AE_SUCCEEDED || said == AE_DECLINED);
}

typedef enum err applier(struct scene *scene, enum outcome_effect *effect);

static applier *const appliers[AE_COUNT] = {
	[AE_ACCEPTED] = apply_open,       [AE_REQUIRES_ACTION] = apply_open,
	[AE_SUCCEEDED] = apply_succeeded, [AE_DECLINED] = apply_declined,
	[AE_NOT_SENT] = apply_not_sent,   [AE_LOST] = apply_lost,
	[AE_NOT_FOUND] = apply_not_found, [AE_REVERSED] = apply_taken_back,
	[AE_RETURNED] = apply_taken_back,
};

struct successor {
	const struct attempt_row *of;
	struct id id; /* empty: there is none */
	char gateway_ref[ATTEMPT_GATEWAY_REF_SIZE];
};

/* Rows come in order of their numbers: the last counts. */
static void successor_find(void *context, const struct attempt_row *row)
{
	struct successor *successor = context;
	const struct attempt_row *of = successor->of;

	if (row->number <= of->number || strcmp(row->gateway, of->gateway) != 0 ||
	    strcmp(row->our_reference, of->our_reference) != 0)
		return;
	successor->id = row->id;
	text_set(successor->gateway_ref, sizeof successor->gateway_ref, row->gateway_ref);
}

/* Also where it tells only that the success came back. */
static bool tells_success(const struct scene *scene)
{
	const enum attempt_event said = scene->answer->event;

	return said == AE_SUCCEEDED || said == AE_REVERSED || said == AE_RETURNED;
}

/*
 * What was not found is tried again with the same key. A success under it is then that of the last try, whichever was
 * asked about, and no second one: but for the answer of a sender whose gateway does not know its keys again, and where
 * the gateway's own reference is another.
 */
static enum err key_follow(struct scene *scene)
{
	const struct outcome_report *report = scene->report;
	struct successor successor = { .of = &scene->attempt };
	enum err err;

	if (scene->attempt.status != AS_NOT_FOUND || !tells_success(scene) ||
	    (report->source == OUTCOME_ANSWER && !report->gateway->idempotent))
		return ERR_OK;
	err = store_attempt_list_of(scene->tx, scene->operation.id, successor_find, &successor);
	if (err != ERR_OK || id_is_empty(successor.id) ||
	    (successor.gateway_ref[0] != '\0' && scene->answer->gateway_ref[0] != '\0' &&
	     strcmp(successor.gateway_ref, scene->answer->gateway_ref) != 0))
		return err;
	return store_attempt_lock(scene->tx, successor.id, &scene->attempt);
}

/* A capture may be the last one, which leaves nothing to release. */
static enum err release_lock(struct scene *scene)
{
	struct id id;
	enum err err;

	if (scene->operation.kind != OPERATION_CAPTURE)
		return ERR_OK;
	err = store_operation_find_void(scene->tx, scene->operation.transaction_id, &id);
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	scene->has_release = err == ERR_OK;
	return err == ERR_OK ? store_operation_lock(scene->tx, id, &scene->release) : err;
}

/* In this order everywhere: operation, transaction, attempt. */
static enum err scene_lock(struct scene *scene)
{
	enum err err =
		store_operation_lock(scene->tx, scene->report->operation_id, &scene->operation);

	if (err == ERR_OK)
		err = release_lock(scene);
	if (err == ERR_OK)
		err = store_transaction_lock(scene->tx, scene->operation.transaction_id,
					     &scene->transaction);
	if (err == ERR_OK)
		err = store_attempt_lock(scene->tx, scene->report->attempt_id, &scene->attempt);
	if (err == ERR_OK && !id_equal(scene->attempt.operation_id, scene->operation.id))
		err = ERR_NOT_FOUND;
	if (err == ERR_OK)
		err = key_follow(scene);
	if (err == ERR_OK)
		err = store_now(scene->tx, &scene->now_us);
	return err;
}

enum err outcome_apply(struct store_tx *tx, const struct outcome_report *report,
		       enum outcome_effect *effect, struct change_note *note)
{
	struct scene scene = { .tx = tx, .report = report, .answer = report->answer };
	enum outcome_effect reached = OUTCOME_UNCHANGED;
	enum err err = scene_lock(&scene);

	if (err != ERR_OK)
		return err;
	outcome_step_begin(&scene);
	if (outcome_is_late(&scene))
		err = outcome_late(&scene, &reached);
	else if (is_answer_to_doubt(&scene))
		err = doubt_end(&scene, report->answer->event == AE_DECLINED);
	else if (appliers[report->answer->event] != NULL)
		err = appliers[report->answer->event](&scene, &reached);
	if (err != ERR_OK)
		return err;
	*effect = reached;
	*note = scene.note;
	return ERR_OK;
}
