/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a gateway says of every kind of operation but the charge (test_outcome.c), over the whole space, and what
 * becomes of operation, transaction and sums. Nothing is committed: each walk is rolled back.
 */
#include "service/outcome.h"

#include <stdio.h>
#include <string.h>

#include "store/exception.h"
#include "tests/unit/outcome_space.h"

static struct service service;

static void create(void)
{
	service_create(&service, "outcome_kinds");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	service_open(&service);
	service_stop_clock(&service, NOW_US);
}

static void tear_down(void)
{
	service_close(&service);
}

/* clang-format off */
static const struct kind {
	enum operation_kind kind;
	bool leads;                       /* its transaction's status follows its own */
	bool may_fail;                    /* else a human decides */
	enum transaction_status open;     /* of the transaction, where it does not follow */
	enum transaction_status succeeded;
	int captured, refunded;           /* by a success, of the amount */
	const char *repeats;              /* after what again: Declined, Not sent, not Found */
	int taken_back;                   /* what its gateway may say later */
	enum operation_status ended;      /* by that */
} kinds[] = {
	{ OPERATION_AUTHORISE, true, true, TS_PROCESSING, TS_AUTHORISED, 0, 0, "DNF",
	  -1, OS_FAILED },
	{ OPERATION_CAPTURE, false, true, TS_AUTHORISED, TS_COMPLETED, 1, 0, "DNF",
	  -1, OS_FAILED },
	{ OPERATION_VOID, false, false, TS_AUTHORISED, TS_CANCELLED, 0, 0, "DNF",
	  -1, OS_FAILED },
	{ OPERATION_REFUND, false, true, TS_COMPLETED, TS_COMPLETED, 0, 1, "DNF",
	  AE_REVERSED, OS_REVERSED },
	{ OPERATION_PAYOUT, true, true, TS_PROCESSING, TS_COMPLETED, 0, 0, "N",
	  AE_RETURNED, OS_RETURNED },
};

static const struct saying taken_backs[] = {
	{ "reversed", AE_REVERSED, false, false, 0 },
	{ "returned", AE_RETURNED, false, false, 0 },
};
/* clang-format on */

#define TOLD (COUNT(sayings) + COUNT(taken_backs))

/* One step in the space, and all that is there before and after it. */
struct step {
	const struct kind *kind;
	struct scenario scenario;
	char letter; /* of outcome_space.h; V: taken back, after a success; W: the same, both against the decision */
	struct story parent;
	struct story before;
	struct story after;
	struct operation_row release; /* waits beside a capture */
	enum outcome_effect effect;
	int exceptions[2]; /* late, of integrity */
	char where[160];
};

#define HOLDS(CONDITION) ck_assert_msg((CONDITION), "%s: %s", step->where, #CONDITION)

static bool is_open(enum attempt_status status)
{
	return status == AS_ACCEPTED || status == AS_REQUIRES_ACTION || status == AS_UNKNOWN;
}

static char letter_of_step(const struct step *step)
{
	const struct scenario *scenario = &step->scenario;
	const enum attempt_event said = scenario->saying->event;

	if (said != AE_REVERSED && said != AE_RETURNED)
		return letter_of(scenario);
	if ((int)said != step->kind->taken_back)
		return scenario->context != FINAL && scenario->source == OUTCOME_INQUIRY &&
				       is_open(scenario->status)
			       ? '?'
			       : '.';
	if (scenario->context == FINAL)
		return scenario->status == AS_SUCCEEDED ? 'V' : 'W';
	if (become[scenario->status][3] == '!')
		return 'W';
	return become[scenario->status][3] == 'S' ? 'V' : '.';
}

static enum operation_status status_before(const struct step *step)
{
	if (step->scenario.context == UNDER_WAY)
		return OS_PROCESSING;
	if (step->scenario.context == PARKED)
		return OS_PARKED;
	if (step->scenario.status == AS_SUCCEEDED)
		return OS_SUCCEEDED;
	return step->kind->may_fail ? OS_FAILED : OS_CANCELLED;
}

static void transaction_fit(struct story *story, const struct kind *kind,
			    enum operation_status status)
{
	const bool succeeded = status == OS_SUCCEEDED;
	struct transaction_row *transaction = &story->transaction;

	if (!kind->leads)
		transaction->status = succeeded ? kind->succeeded : kind->open;
	else if (succeeded)
		transaction->status = kind->succeeded;
	transaction->amount_captured =
		kind->kind == OPERATION_REFUND || (succeeded && kind->captured != 0)
			? SERVICE_AMOUNT
			: 0;
	transaction->amount_refunded = succeeded ? kind->refunded * SERVICE_AMOUNT : 0;
}

static void leading_make(struct step *step, enum operation_status status)
{
	struct story *story = &step->before;

	*story = story_attempt(&service, step->scenario.status, status, NOW_US);
	story->operation.kind = step->kind->kind;
	if (step->kind->kind == OPERATION_PAYOUT)
		story->transaction.kind = TRANSACTION_WITHDRAWAL;
}

static void part_make(struct step *step, enum operation_status status)
{
	const bool is_refund = step->kind->kind == OPERATION_REFUND;

	step->parent = is_refund ? story_attempt(&service, AS_SUCCEEDED, OS_SUCCEEDED, NOW_US)
				 : story_authorised(&service, NOW_US);
	step->before = story_part(&step->parent, step->kind->kind, step->scenario.status,
				  status == OS_CANCELLED ? OS_FAILED : status);
	step->before.operation.status = status;
}

static void step_make(struct step *step)
{
	const enum operation_status status = status_before(step);

	if (step->kind->leads)
		leading_make(step, status);
	else
		part_make(step, status);
	transaction_fit(&step->before, step->kind, status);
	/* Said once already, long ago: once more and it is believed. */
	step->before.attempt.not_found_at_us = NOW_US - 60 * SECOND_US;
	step->after = step->before;
	step->release =
		story_part(&step->before, OPERATION_VOID, AS_DECLINED, OS_PENDING).operation;
	step->release.parent_attempt_id = step->parent.attempt.id;
	step->release.next_action = NEXT_EXPIRE;
}

static enum err step_put(struct store_tx *tx, const struct step *step)
{
	enum err err = store_operation_insert(tx, &step->before.operation);

	if (err == ERR_OK)
		err = store_transaction_insert(tx, &step->before.transaction);
	if (err == ERR_OK)
		err = store_attempt_insert(tx, &step->before.attempt);
	if (err == ERR_OK && step->kind->kind == OPERATION_CAPTURE)
		err = store_operation_insert(tx, &step->release);
	return err;
}

static void exception_count(void *context, const struct exception_row *row)
{
	struct step *step = context;

	ck_assert(row->kind == EXCEPTION_LATE_SUCCESS || row->kind == EXCEPTION_INTEGRITY);
	step->exceptions[row->kind == EXCEPTION_INTEGRITY]++;
}

static enum err step_tell(struct store_tx *tx, struct step *step)
{
	struct gateway_answer answer = service_answer(step->scenario.saying->event);
	const struct outcome_report report = { .source = step->scenario.source,
					       .operation_id = step->before.operation.id,
					       .attempt_id = step->before.attempt.id,
					       .gateway = &service.gateways.list[0],
					       .answer = &answer,
					       .api_call_id = "call_1",
					       .asked_at_us = NOW_US,
					       .quiet_confirmed = true };
	struct change_note note;
	enum err err;

	answer.retryable = step->scenario.saying->retryable;
	answer.integrity = step->scenario.saying->integrity;
	err = outcome_apply(tx, &report, &step->effect, &note);
	if (err == ERR_OK)
		err = store_operation_read(tx, step->after.operation.id, &step->after.operation);
	if (err == ERR_OK)
		err = store_transaction_lock(tx, step->after.transaction.id,
					     &step->after.transaction);
	if (err == ERR_OK)
		err = store_attempt_read(tx, step->after.attempt.id, &step->after.attempt);
	if (err == ERR_OK && step->kind->kind == OPERATION_CAPTURE)
		err = store_operation_read(tx, step->release.id, &step->release);
	return err == ERR_OK ? store_exception_list_of(tx, step->after.transaction.id,
						       exception_count, step)
			     : err;
}

/* What the operation must be now. */
static enum operation_status status_wanted(const struct step *step)
{
	const enum context context = step->scenario.context;

	switch (step->letter) {
	case 'S':
		return OS_SUCCEEDED;
	case 'V':
		return step->kind->ended;
	case 'D':
	case 'N':
	case 'F':
		if (context == FINAL)
			return step->before.operation.status;
		if (context == UNDER_WAY && strchr(step->kind->repeats, step->letter) != NULL &&
		    (step->letter != 'D' || step->scenario.saying->retryable))
			return OS_PROCESSING;
		return step->kind->may_fail ? OS_FAILED : OS_PARKED;
	case '!':
	case 'W':
		return context == UNDER_WAY ? OS_PARKED : step->before.operation.status;
	default:
		return step->before.operation.status;
	}
}

static enum transaction_status transaction_wanted(const struct step *step,
						  enum operation_status status)
{
	if (status == OS_SUCCEEDED || status == OS_REVERSED || status == OS_RETURNED)
		return step->kind->succeeded;
	if (!step->kind->leads)
		return step->kind->open;
	if (status == OS_FAILED)
		return TS_FAILED;
	return status == OS_PARKED ? TS_PARKED : TS_PROCESSING;
}

static enum next_action next_wanted(const struct step *step, enum operation_status status)
{
	if (operation_is_final(status))
		return NEXT_NONE;
	if (status == OS_PARKED)
		return NEXT_HUMAN;
	if (strchr("DNF", step->letter) != NULL)
		return NEXT_SEND;
	return strchr("ARU", step->letter) != NULL ? NEXT_ASK : step->before.operation.next_action;
}

/* A success is a step, and so is what follows from it: a void planned or dropped, what is taken back. */
static unsigned steps_wanted(const struct step *step)
{
	const enum operation_kind kind = step->kind->kind;

	if (step->letter == 'S')
		return kind == OPERATION_AUTHORISE || kind == OPERATION_CAPTURE ? 2 : 1;
	if (step->letter == 'V')
		return step->before.attempt.status == AS_SUCCEEDED ? 1 : 2;
	if (step->letter == 'W')
		return 2;
	return step->letter == '.' || step->letter == '?' ? 0 : 1;
}

static void step_check(const struct step *step)
{
	const struct story *before = &step->before;
	const struct story *after = &step->after;
	const enum operation_status status = status_wanted(step);
	const bool succeeded = status == OS_SUCCEEDED;
	const char letter = step->letter;
	const bool is_late = letter == '!' || letter == 'W';

	HOLDS(step->effect == effect_of(letter == 'W' ? '!' : letter, &step->scenario));
	HOLDS(after->attempt.status ==
	      (letter == 'V' ? AS_SUCCEEDED : status_of_letter(letter, before->attempt.status)));
	HOLDS(after->operation.status == status);
	HOLDS(after->operation.next_action == next_wanted(step, status));
	HOLDS(after->transaction.status == transaction_wanted(step, status));
	HOLDS(after->transaction.version - before->transaction.version == steps_wanted(step));
	HOLDS(after->transaction.amount_captured ==
	      (step->kind->kind == OPERATION_REFUND || (succeeded && step->kind->captured != 0)
		       ? SERVICE_AMOUNT
		       : 0));
	HOLDS(after->transaction.amount_refunded ==
	      (succeeded ? step->kind->refunded * SERVICE_AMOUNT : 0));
	HOLDS(after->attempt.contradicted_at_us == (is_late ? NOW_US : 0));
	HOLDS(step->exceptions[0] == is_late);
	HOLDS(step->exceptions[1] == (step->scenario.saying->integrity && !is_late));
	if (step->kind->kind == OPERATION_CAPTURE)
		HOLDS(step->release.status == (letter == 'S' ? OS_CANCELLED : OS_PENDING));
}

static enum err step_walk(struct store_tx *tx, struct step *step)
{
	const struct scenario *scenario = &step->scenario;
	enum err err;

	step->letter = letter_of_step(step);
	snprintf(step->where, sizeof step->where, "%s, %s attempt, %s, %s by %s",
		 words_text(operation_kind_words, (int)step->kind->kind),
		 words_text(attempt_status_words, (int)scenario->status),
		 context_names[scenario->context], scenario->saying->name,
		 source_names[scenario->source]);
	step_make(step);
	err = step_put(tx, step);
	if (err == ERR_OK)
		err = step_tell(tx, step);
	if (err == ERR_OK)
		step_check(step);
	else
		fprintf(stderr, "%s\n", step->where);
	return err;
}

struct walk {
	const struct kind *kind;
	enum attempt_status status;
	unsigned steps;
};

static enum err walk_work(struct store_tx *tx, void *context)
{
	struct walk *walk = context;
	enum err err = ERR_OK;

	walk->steps = 0;
	for (size_t i = 0; err == ERR_OK && i < CONTEXTS * SOURCES * TOLD; i++) {
		const size_t told = i % TOLD;
		struct step step = {
			.kind = walk->kind,
			.scenario = { .status = walk->status,
				      .context = (enum context)(i / TOLD / SOURCES),
				      .source = (enum outcome_source)(i / TOLD % SOURCES),
				      .saying = told < COUNT(sayings)
							? &sayings[told]
							: &taken_backs[told - COUNT(sayings)] },
		};

		err = step_walk(tx, &step);
		walk->steps++;
	}
	return err == ERR_OK ? ERR_STATE : err; /* rolled back */
}

START_TEST(every_kind_becomes_what_the_design_says)
{
	struct walk walk = { .kind = &kinds[_i / STATUSES],
			     .status = (enum attempt_status)(_i % STATUSES) };

	ck_assert_int_eq(store_run(service.store, walk_work, &walk), ERR_STATE);

	ck_assert_uint_eq(walk.steps, CONTEXTS * SOURCES * TOLD);
}
END_TEST

UNIT_MAIN("outcome_kinds", {
	service_require();
	tcase_set_timeout(tests, 120);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, every_kind_becomes_what_the_design_says, 0,
			    (int)COUNT(kinds) * STATUSES);
})
