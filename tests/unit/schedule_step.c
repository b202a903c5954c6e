/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/schedule.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service/control.h"
#include "service/exception.h"
#include "service/payment.h"
#include "service/request.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])

typedef void happening(struct theatre *theatre, struct payment *payment);

/* --- calls and their senders --- */

static struct flight *flight_draw(struct theatre *theatre, struct payment *payment)
{
	struct flight *under_way[SCHEDULE_FLIGHTS];
	unsigned count = 0;

	for (size_t i = 0; i < payment->flight_count; i++)
		if (payment->flights[i].stage != FLIGHT_OVER)
			under_way[count++] = &payment->flights[i];
	return count == 0 ? NULL : under_way[theatre_draw(theatre, count)];
}

static void go_on(struct theatre *theatre, struct payment *payment)
{
	struct flight *flight = flight_draw(theatre, payment);

	if (flight != NULL)
		flight_go_on(theatre, payment, flight);
}

static void abandon(struct theatre *theatre, struct payment *payment)
{
	struct flight *flight = flight_draw(theatre, payment);

	if (flight == NULL)
		return;
	schedule_count(theatre, STEP_ABANDON, (int)flight->status, flight->job.order.kind);
	flight->abandoned = true;
}

static void mark(struct theatre *theatre, struct payment *payment)
{
	struct flight *flight = flight_draw(theatre, payment);
	const struct due_job *job;

	if (flight == NULL || flight->abandoned || flight->marked || flight->job.kind != DUE_SEND ||
	    flight->stage == FLIGHT_HELD)
		return;
	schedule_count(theatre, STEP_MARK, (int)flight->status, flight->job.order.kind);
	flight->marked = true;
	job = &flight->job;
	ck_assert_int_eq(due_mark_sent(theatre->service->pool, &job, 1), ERR_OK);
}

/* --- gateways and their callbacks --- */

static struct deed *deed_draw(struct theatre *theatre, struct payment *payment)
{
	return payment->deed_count == 0
		       ? NULL
		       : &payment->deeds[theatre_draw(theatre, (unsigned)payment->deed_count)];
}

static void decide(struct theatre *theatre, struct payment *payment)
{
	struct deed *deed = deed_draw(theatre, payment);

	if (deed != NULL && !deed->never &&
	    !entry_status_is_decided(sandbox_model_status(&theatre->model, deed->entry)))
		sandbox_model_decide(&theatre->model, deed->entry);
}

static void deliver(struct theatre *theatre, struct payment *payment, const struct deed *deed,
		    const struct gateway_notice *notice, const char *body)
{
	const struct callback_delivery delivery = { .gateway = deed->gateway,
						    .notice = notice,
						    .transaction_id = payment->id,
						    .body = body,
						    .body_size = strlen(body),
						    .api_call_id = "call_1",
						    .now_us = clock_now_us() };
	enum callback_outcome outcome;
	enum callback_result result;

	ck_assert_int_eq(service_deliver(theatre->service, &delivery, &outcome, &result), ERR_OK);
	ck_assert_int_ne(outcome, CALLBACK_OUTCOME_FOREIGN);
	payment->callback_gateway = deed->gateway;
	snprintf(payment->callback_key, sizeof payment->callback_key, "%s", notice->callback_id);
}

/* What the step tells of it: the verdict, what came before it, or what became of it. */
static const enum tale_call tales[STEP_COUNT] = {
	[STEP_CALLBACK] = TALE_VERDICT,     [STEP_CALLBACK_AGAIN] = TALE_VERDICT,
	[STEP_CALLBACK_STALE] = TALE_STALE, [STEP_CALLBACK_TURN] = TALE_TURN,
	[STEP_HINT] = TALE_VERDICT,         [STEP_CALLBACK_WRONG] = TALE_VERDICT,
};

void deed_call_back(struct theatre *theatre, struct payment *payment, struct deed *deed,
		    enum schedule_step step)
{
	char body[SANDBOX_MODEL_BODY];
	struct gateway_notice notice;

	if (deed->entry->callback_id == NULL)
		return;
	sandbox_model_notice(deed->gateway, deed->entry, tales[step], body, &notice);
	if (step == STEP_HINT)
		notice.has_amount = false;
	if (step == STEP_CALLBACK_WRONG)
		notice.amount.minor++;
	if (step == STEP_HINT || step == STEP_CALLBACK_WRONG)
		strncat(notice.callback_id, step == STEP_HINT ? ".hint" : ".wrong",
			sizeof notice.callback_id - strlen(notice.callback_id) - 1);
	schedule_count(theatre, step, (int)deed->status, deed->entry->terms.kind);
	deliver(theatre, payment, deed, &notice, body);
	deed->told += step == STEP_CALLBACK || step == STEP_CALLBACK_AGAIN;
	deed->turn_told += step == STEP_CALLBACK_TURN;
}

static void call_back(struct theatre *theatre, struct payment *payment)
{
	struct deed *deed = deed_draw(theatre, payment);

	if (deed != NULL &&
	    entry_status_is_decided(sandbox_model_status(&theatre->model, deed->entry)))
		deed_call_back(theatre, payment, deed,
			       deed->told > 0 ? STEP_CALLBACK_AGAIN : STEP_CALLBACK);
}

static void call_back_stale(struct theatre *theatre, struct payment *payment)
{
	struct deed *deed = deed_draw(theatre, payment);

	if (deed != NULL && deed->entry->verdict.opened != deed->entry->verdict.final)
		deed_call_back(theatre, payment, deed, STEP_CALLBACK_STALE);
}

static void hint(struct theatre *theatre, struct payment *payment)
{
	struct deed *deed = deed_draw(theatre, payment);

	if (deed != NULL &&
	    entry_status_is_decided(sandbox_model_status(&theatre->model, deed->entry)))
		deed_call_back(theatre, payment, deed, STEP_HINT);
}

/* Another amount than what was ordered. */
static void call_back_wrong(struct theatre *theatre, struct payment *payment)
{
	struct deed *deed = deed_draw(theatre, payment);

	if (deed != NULL &&
	    entry_status_is_decided(sandbox_model_status(&theatre->model, deed->entry)))
		deed_call_back(theatre, payment, deed, STEP_CALLBACK_WRONG);
}

/* A gateway changes its mind, tells it, and may tell it again. */
static void turn(struct theatre *theatre, struct payment *payment)
{
	struct deed *deed = deed_draw(theatre, payment);

	if (deed == NULL || deed->entry->verdict.later == ENTRY_ACCEPTED ||
	    !entry_status_is_decided(sandbox_model_status(&theatre->model, deed->entry)))
		return;
	if (!deed->turned)
		sandbox_model_turn(&theatre->model, deed->entry);
	deed->turned = true;
	if (theatre_chance(theatre, 2))
		deed_call_back(theatre, payment, deed, STEP_CALLBACK_TURN);
}

static void replay(struct theatre *theatre, struct payment *payment)
{
	const struct callback_replay_request request = { payment->callback_gateway,
							 payment->callback_key, "call_1" };
	struct callback_replay report;

	if (payment->callback_gateway == NULL)
		return;
	schedule_count(theatre, STEP_REPLAY, (int)payment->deeds[0].status,
		       payment->deeds[0].entry->terms.kind);
	ck_assert_int_eq(callback_replay(theatre->service->store, &request, &report), ERR_OK);
}

/* --- the merchant --- */

static enum operation_kind leading_kind(const struct payment *payment)
{
	if (payment->kind == TRANSACTION_WITHDRAWAL)
		return OPERATION_PAYOUT;
	return payment->request.capture == CAPTURE_MANUAL ? OPERATION_AUTHORISE : OPERATION_CHARGE;
}

static void count_request(struct theatre *theatre, const struct payment *payment,
			  enum schedule_step step, bool done)
{
	schedule_count(theatre, step, (int)payment->status, leading_kind(payment));
	theatre->coverage->done[step] += done;
}

/* What makes sense is wished for mostly, what is refused anyway now and then. */
static bool is_wished(struct theatre *theatre, const struct payment *payment, unsigned sensible)
{
	return (sensible & 1u << payment->status) != 0 || theatre_chance(theatre, 5);
}

/* The same request once more, and one that is not quite the same. */
static void duplicate(struct theatre *theatre, struct payment *payment)
{
	const bool other = theatre_chance(theatre, 4);
	struct payment_request request = payment->request;
	const struct payment_order order = { .merchant = SERVICE_MERCHANT,
					     .kind = payment->kind,
					     .request = &request,
					     .idempotency_key = payment->key,
					     .api_call_id = "call_1",
					     .now_us = clock_now_us(),
					     .manual_expiry_us = SECOND_US };
	struct payment_receipt receipt;
	enum payment_outcome outcome;

	request.amount.minor += other ? 1 : 0;
	ck_assert_int_eq(payment_accept(theatre->intake, &theatre->service->vault, &order,
					clock_boot_us() + SERVICE_WAIT_MS * INT64_C(1000), &outcome,
					&receipt),
			 ERR_OK);
	ck_assert_int_eq(outcome, other ? PAYMENT_KEY_REUSED : PAYMENT_REPLAYED);
	ck_assert(id_equal(receipt.transaction_id, payment->id));
	count_request(theatre, payment, STEP_DUPLICATE, other);
}

static void request_part(struct theatre *theatre, struct payment *payment, enum operation_kind kind,
			 enum schedule_step step)
{
	char key[40];
	const struct request_order order = {
		.merchant = SERVICE_MERCHANT,
		.transaction_id = payment->id,
		.kind = kind,
		.amount_minor = theatre_chance(theatre, 3)
					? 0
					: 1 + theatre_draw(theatre, (unsigned)SERVICE_AMOUNT),
		.form = OPERATION_NO_FORM,
		.currency = "",
		.reason = "",
		.token = "",
		.idempotency_key = key,
		.api_call_id = "call_1",
	};
	struct request_receipt receipt;
	enum request_outcome outcome;

	/* one of few keys, so that some are said again */
	snprintf(key, sizeof key, "%s-%u-%u", payment->key, (unsigned)kind,
		 theatre_draw(theatre, 6));
	ck_assert_int_eq(request_create(theatre->service->pool, &theatre->service->vault, &order,
					SERVICE_WAIT_MS, &outcome, &receipt),
			 ERR_OK);
	count_request(theatre, payment, step, outcome == REQUEST_CREATED);
}

static void capture(struct theatre *theatre, struct payment *payment)
{
	if (!is_wished(theatre, payment, 1u << TS_AUTHORISED))
		return;
	request_part(theatre, payment, OPERATION_CAPTURE, STEP_CAPTURE);
}

static void refund(struct theatre *theatre, struct payment *payment)
{
	if (!is_wished(theatre, payment, 1u << TS_AUTHORISED | 1u << TS_COMPLETED))
		return;
	request_part(theatre, payment, OPERATION_REFUND, STEP_REFUND);
}

typedef enum err control(struct store_pool *pool, const struct control_request *request,
			 int wait_ms, enum control_outcome *outcome, struct transaction_view *view);

static void wish(struct theatre *theatre, struct payment *payment, control *wanted,
		 enum schedule_step step)
{
	const struct control_request request = { .merchant = SERVICE_MERCHANT,
						 .transaction_id = payment->id,
						 .api_call_id = "call_1",
						 .remember = theatre_chance(theatre, 2) };
	enum control_outcome outcome;
	struct transaction_view view;

	ck_assert_int_eq(wanted(theatre->service->pool, &request, SERVICE_WAIT_MS, &outcome, &view),
			 ERR_OK);
	count_request(theatre, payment, step, outcome >= CONTROL_DONE);
}

static void release(struct theatre *theatre, struct payment *payment)
{
	if (!is_wished(theatre, payment, 1u << TS_AUTHORISED))
		return;
	wish(theatre, payment, control_void, STEP_VOID);
}

static void cancel(struct theatre *theatre, struct payment *payment)
{
	wish(theatre, payment, control_cancel, STEP_CANCEL);
}

static void process(struct theatre *theatre, struct payment *payment)
{
	if (!is_wished(theatre, payment, 1u << TS_PENDING))
		return;
	wish(theatre, payment, control_process, STEP_PROCESS);
}

/* The merchant asks how it stands, and we ask the gateway. */
static void look(struct theatre *theatre, struct payment *payment)
{
	const struct control_request request = { .merchant = SERVICE_MERCHANT,
						 .transaction_id = payment->id,
						 .api_call_id = "call_1" };
	bool due;

	if (!is_wished(theatre, payment, 1u << TS_PROCESSING))
		return;
	ck_assert_int_eq(control_ask(theatre->service->pool, &request, SERVICE_WAIT_MS, &due),
			 ERR_OK);
	count_request(theatre, payment, STEP_LOOK, due);
}

/* --- people --- */

static void resolve(struct theatre *theatre, struct payment *payment)
{
	struct exception_act act = { .by = "ann",
				     .note = "looked at it",
				     .resume = theatre_chance(theatre, 2) };
	enum exception_outcome outcome;
	struct exception_row row;

	if (payment->exception_count == 0)
		return;
	act.id = payment->exceptions[theatre_draw(theatre, (unsigned)payment->exception_count)];
	ck_assert_int_eq(exception_resolve(theatre->service->store, &act, &outcome, &row), ERR_OK);
	count_request(theatre, payment, act.resume ? STEP_RESUME : STEP_RESOLVE,
		      outcome == EXCEPTION_DONE);
}

static void give_back(struct theatre *theatre, struct payment *payment)
{
	struct request_receipt receipt;
	enum request_outcome outcome;

	if (payment->exception_count == 0)
		return;
	ck_assert_int_eq(request_surplus(theatre->service->store,
					 payment->exceptions[theatre_draw(
						 theatre, (unsigned)payment->exception_count)],
					 &outcome, &receipt),
			 ERR_OK);
	count_request(theatre, payment, STEP_SURPLUS, outcome == REQUEST_CREATED);
}

/* --- one of these --- */

static void nothing(struct theatre *theatre, struct payment *payment)
{
	(void)theatre;
	(void)payment;
}

/* clang-format off */
static const struct {
	happening *happens;
	unsigned weight;
} happenings[] = {
	{ go_on, 40 },    { abandon, 2 },         { mark, 3 },   { decide, 8 },
	{ call_back, 8 }, { call_back_stale, 2 }, { hint, 2 },   { turn, 5 },
	{ replay, 2 },    { duplicate, 2 },       { capture, 3 }, { refund, 5 },
	{ release, 1 },   { cancel, 2 },          { process, 1 }, { look, 2 },
	{ resolve, 4 },   { give_back, 3 },       { call_back_wrong, 1 }, { nothing, 4 },
};
/* clang-format on */
#define WEIGHTS 100

void payment_step(struct theatre *theatre, struct payment *payment)
{
	unsigned lot = theatre_draw(theatre, WEIGHTS);

	if (payment->status == TS_AUTHORISED && theatre_chance(theatre, 6)) {
		capture(theatre, payment);
		return;
	}
	for (size_t i = 0; i < COUNT(happenings); i++) {
		if (lot < happenings[i].weight) {
			happenings[i].happens(theatre, payment);
			return;
		}
		lot -= happenings[i].weight;
	}
	ck_abort_msg("the weights are more than %d", WEIGHTS);
}
