/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/clock_test.h"
#include "base/crypto.h"
#include "base/repeat.h"
#include "service/intake.h"

#define BOOT_US (1000 * SECOND_US)
#define TIMEOUT_US (SERVICE_TIMEOUT_MS * INT64_C(1000))
#define CLAIM_MAX 64
#define SETTLED_WITHIN_US                                                                          \
	(60 * 24 * HOUR_US) /* inquiries last a week, holds too, and clocks were set */
#define HOUR_US (3600 * SECOND_US)

unsigned theatre_draw(struct theatre *theatre, unsigned sides)
{
	return (unsigned)(seed_next(&theatre->random) % sides);
}

bool theatre_chance(struct theatre *theatre, unsigned one_in)
{
	return theatre_draw(theatre, one_in) == 0;
}

void schedule_count(struct theatre *theatre, enum schedule_step step, int state,
		    enum operation_kind kind)
{
	theatre->coverage->states[step][state]++;
	theatre->coverage->kinds[step][kind]++;
}

/* --- beginning and end --- */

/* In a committer's thread. */
static void record_done_here(void *context, struct record *record)
{
	struct theatre *theatre = context;

	(void)record;
	sem_post(&theatre->recorded);
}

void theatre_open(struct theatre *theatre, struct service *service, struct coverage *coverage)
{
	theatre->service = service;
	theatre->coverage = coverage;
	sem_init(&theatre->recorded, 0, 0);
	theatre->record_settings = (struct record_settings){ .database = &service->database,
							     .queue_max = SCHEDULE_TELLINGS,
							     .done = record_done_here,
							     .context = theatre };
	ck_assert_int_eq(intake_start(&service->database, &theatre->intake), ERR_OK);
	ck_assert_int_eq(record_start(&theatre->record_settings, &theatre->records), ERR_OK);
}

void theatre_close(struct theatre *theatre)
{
	batch_stop(theatre->records);
	batch_stop(theatre->intake);
	sem_destroy(&theatre->recorded);
	repeat_start(0);
	clock_test_stop();
}

/* Of each ten payments: five sales, three that are captured later, a deposit and a withdrawal. */
static void request_fill(struct theatre *theatre, struct payment *payment)
{
	const unsigned sort = theatre_draw(theatre, 10);

	payment->kind = sort == 8   ? TRANSACTION_DEPOSIT
			: sort == 9 ? TRANSACTION_WITHDRAWAL
				    : TRANSACTION_PAYMENT;
	payment->request = (struct payment_request){
		.amount = { SERVICE_AMOUNT, SERVICE_CURRENCY },
		.exponent = 2,
		.form = AMOUNT_MINOR,
		.capture = sort >= 5 && sort <= 7 ? CAPTURE_MANUAL : CAPTURE_AUTOMATIC,
		.process = payment->kind == TRANSACTION_PAYMENT && theatre_chance(theatre, 8)
				   ? PROCESS_MANUAL
				   : PROCESS_AUTO,
		.method = "credit_card",
		.customer = "cust_001",
		.token = SERVICE_TOKEN,
	};
}

static void payment_begin(struct theatre *theatre, unsigned number)
{
	struct payment *payment = &theatre->payments[number];
	struct payment_order order = { .merchant = SERVICE_MERCHANT,
				       .request = &payment->request,
				       .idempotency_key = payment->key,
				       .api_call_id = "call_1",
				       .now_us = clock_now_us(),
				       .manual_expiry_us = HOUR_US };
	struct payment_receipt receipt;
	enum payment_outcome outcome;

	request_fill(theatre, payment);
	snprintf(payment->key, sizeof payment->key, "schedule-%u", number);
	order.kind = payment->kind;
	ck_assert_int_eq(payment_accept(theatre->intake, &theatre->service->vault, &order,
					clock_boot_us() + SERVICE_WAIT_MS * INT64_C(1000), &outcome,
					&receipt),
			 ERR_OK);
	ck_assert_int_eq(outcome, PAYMENT_CREATED);
	payment->id = receipt.transaction_id;
}

static void row_ignore(void *context, char **row)
{
	(void)context;
	(void)row;
}

void theatre_begin(struct theatre *theatre, uint64_t seed)
{
	static const char *const tables[] = { "ledger_entry", "exception", "event",      "callback",
					      "attempt",      "operation", "transaction" };
	char text[64];

	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		snprintf(text, sizeof text, "DELETE FROM %s", tables[i]);
		service_rows(theatre->service, row_ignore, NULL, text);
	}
	theatre->random = seed;
	theatre->forgetful_until_us = 0;
	theatre->forgot = 0;
	repeat_start(seed | 1);
	clock_test_start(SERVICE_NOW_US, BOOT_US);
	memset(theatre->workers, 0, sizeof theatre->workers);
	memset(theatre->payments, 0, sizeof theatre->payments);
	theatre->telling_count = 0;
	sandbox_model_open(&theatre->model);
	for (unsigned i = 0; i < SCHEDULE_PAYMENTS; i++)
		payment_begin(theatre, i);
}

void theatre_end(struct theatre *theatre)
{
	sandbox_model_close(&theatre->model);
}

/* --- what is known of the payments now --- */

static struct payment *payment_of(struct theatre *theatre, struct id id)
{
	for (size_t i = 0; i < SCHEDULE_PAYMENTS; i++)
		if (id_equal(theatre->payments[i].id, id))
			return &theatre->payments[i];
	ck_abort_msg("a payment that nobody made");
	return NULL;
}

static struct id id_of(const char *hex)
{
	struct id id;

	ck_assert(crypto_unhex(hex, id.bytes, ID_SIZE));
	return id;
}

static void attempt_look(void *context, char **row)
{
	struct payment *payment = payment_of(context, id_of(row[0]));
	const struct id id = id_of(row[1]);
	const int status = words_find(attempt_status_words, row[2]);

	for (size_t i = 0; i < payment->flight_count; i++)
		if (id_equal(payment->flights[i].job.order.attempt_id, id))
			payment->flights[i].status = (enum attempt_status)status;
	for (size_t i = 0; i < payment->deed_count; i++)
		if (strcmp(payment->deeds[i].entry->terms.name[ENTRY_REFERENCE], row[3]) == 0 &&
		    strcmp(payment->deeds[i].gateway->name, row[4]) == 0)
			payment->deeds[i].status = (enum attempt_status)status;
}

static void transaction_look(void *context, char **row)
{
	struct payment *payment = payment_of(context, id_of(row[0]));

	payment->status = (enum transaction_status)words_find(transaction_status_words, row[1]);
	payment->exception_count = 0;
}

static void exception_look(void *context, char **row)
{
	struct payment *payment = payment_of(context, id_of(row[0]));

	if (payment->exception_count < SCHEDULE_EXCEPTIONS)
		payment->exceptions[payment->exception_count++] = id_of(row[1]);
}

void theatre_look(struct theatre *theatre)
{
	service_rows(theatre->service, transaction_look, theatre,
		     "SELECT HEX(id), status FROM transaction");
	service_rows(theatre->service, attempt_look, theatre,
		     "SELECT HEX(transaction_id), HEX(id), status, our_reference, gateway "
		     "FROM attempt ORDER BY operation_id, number");
	service_rows(theatre->service, exception_look, theatre,
		     "SELECT HEX(transaction_id), HEX(id) FROM exception WHERE state = 'open' "
		     "AND transaction_id IS NOT NULL ORDER BY id");
}

/* --- calls --- */

static struct flight *flight_new(struct payment *payment)
{
	for (size_t i = 0; i < payment->flight_count; i++)
		if (payment->flights[i].stage == FLIGHT_OVER)
			return &payment->flights[i];
	ck_assert_uint_lt(payment->flight_count, SCHEDULE_FLIGHTS);
	return &payment->flights[payment->flight_count++];
}

void theatre_claim(struct theatre *theatre, unsigned worker, size_t limit)
{
	struct service *service = theatre->service;
	struct due_settings due = service->due;
	struct due_job jobs[CLAIM_MAX];
	size_t count = 0;

	due.clock = &theatre->workers[worker].clock;
	ck_assert_int_eq(due_clock_look(service->pool, &theatre->workers[worker].clock), ERR_OK);
	ck_assert_int_eq(due_claim(service->pool, &due, limit < CLAIM_MAX ? limit : CLAIM_MAX, jobs,
				   &count, NULL),
			 ERR_OK);
	theatre->workers[worker].claimed += count;
	for (size_t i = 0; i < count; i++) {
		struct payment *payment = payment_of(theatre, jobs[i].order.transaction_id);
		struct flight *flight = flight_new(payment);

		*flight = (struct flight){ .job = jobs[i],
					   .worker = worker,
					   .started_boot_us = clock_boot_us(),
					   .status = jobs[i].kind == DUE_SEND ? AS_PREPARED
									      : AS_UNKNOWN };
		flight->job.view = NULL;
		quiet_see(&theatre->workers[worker].quiet, jobs[i].order.attempt_id,
			  flight->started_boot_us);
		due_job_done(&jobs[i]);
	}
}

/* As the dispatcher does it: judged once, when the answer comes. */
static void record_put(struct theatre *theatre, struct flight *flight,
		       const struct gateway_answer *answer)
{
	const struct due_job *job = &flight->job;
	struct telling_record *telling = &theatre->tellings[theatre->telling_count++];
	const struct quiet_answer heard = { job->lease_span_us, job->gateway->quiet_us,
					    flight->started_boot_us, clock_boot_us() };
	const bool confirmed = answer->event == AE_NOT_FOUND &&
			       quiet_not_found(&theatre->workers[flight->worker].quiet,
					       job->order.attempt_id, &heard);

	ck_assert_uint_le(theatre->telling_count, SCHEDULE_TELLINGS);
	telling->answer = *answer;
	telling->record = (struct record){
		.report = { .source = job->kind == DUE_SEND ? OUTCOME_ANSWER : OUTCOME_INQUIRY,
			    .operation_id = job->order.operation_id,
			    .attempt_id = job->order.attempt_id,
			    .gateway = job->gateway,
			    .answer = &telling->answer,
			    .api_call_id = "",
			    .asked_at_us = job->claimed_at_us,
			    .quiet_confirmed = confirmed },
	};
}

/* The answer is recorded, and where the commit was not answered, once more. */
static void flight_record(struct theatre *theatre, struct flight *flight,
			  const struct gateway_answer *answer, enum schedule_step step)
{
	const bool asks = flight->job.kind == DUE_ASK;

	record_put(theatre, flight, answer);
	schedule_count(theatre, step, (int)flight->status, flight->job.order.kind);
	flight->stage = FLIGHT_OVER;
	if (!theatre_chance(theatre, 4) || theatre->telling_count == SCHEDULE_TELLINGS)
		return;
	theatre->tellings[theatre->telling_count] = theatre->tellings[theatre->telling_count - 1];
	theatre->tellings[theatre->telling_count].record.report.answer =
		&theatre->tellings[theatre->telling_count].answer;
	theatre->telling_count++;
	schedule_count(theatre, asks ? STEP_ASK_AGAIN : STEP_ANSWER_TWICE, (int)flight->status,
		       flight->job.order.kind);
}

void theatre_flush(struct theatre *theatre)
{
	for (size_t i = 0; i < theatre->telling_count; i++)
		ck_assert(batch_put(theatre->records, &theatre->tellings[i].record.item));
	for (size_t i = 0; i < theatre->telling_count; i++)
		sem_wait(&theatre->recorded);
	for (size_t i = 0; i < theatre->telling_count; i++)
		ck_assert_int_eq(theatre->tellings[i].record.item.err, ERR_OK);
	theatre->telling_count = 0;
}

static const char *code_draw(struct theatre *theatre)
{
	static const char *const codes[] = { "issuer_unavailable", "try_again_later",
					     "card_not_supported", "do_not_honor" };

	return codes[theatre_draw(theatre, sizeof codes / sizeof codes[0])];
}

/* What becomes later of what was decided: seldom, and by kind. */
static enum entry_status later_draw(struct theatre *theatre, enum operation_kind kind,
				    enum entry_status final)
{
	if (final == ENTRY_DECLINED && theatre_chance(theatre, 6))
		return ENTRY_SUCCEEDED;
	if (final == ENTRY_SUCCEEDED && kind == OPERATION_REFUND && theatre_chance(theatre, 4))
		return ENTRY_REVERSED;
	if (final == ENTRY_SUCCEEDED && kind == OPERATION_PAYOUT && theatre_chance(theatre, 4))
		return ENTRY_RETURNED;
	return ENTRY_ACCEPTED;
}

static struct entry_verdict verdict_draw(struct theatre *theatre, enum operation_kind kind)
{
	const unsigned lot = theatre_draw(theatre, 100);
	const bool acts = lot >= 60 && lot < 70 && kind <= OPERATION_AUTHORISE;
	struct entry_verdict verdict = { .at_us = clock_now_us() };

	verdict.final = lot < 55 || lot == 60 || lot == 61 ? ENTRY_SUCCEEDED : ENTRY_DECLINED;
	verdict.opened = acts                    ? ENTRY_REQUIRES_ACTION
			 : lot >= 43 && lot < 60 ? ENTRY_ACCEPTED
						 : verdict.final;
	if (verdict.final == ENTRY_DECLINED)
		verdict.decline_code = code_draw(theatre);
	verdict.later = later_draw(theatre, kind, verdict.final);
	return verdict;
}

/* A gateway whose inquiries see for a moment what was before: less than its quiet period. */
static bool forgets(const struct theatre *theatre, const char *gateway)
{
	return clock_boot_us() < theatre->forgetful_until_us && gateway[0] == theatre->forgetful;
}

static void flight_ask(struct theatre *theatre, struct flight *flight)
{
	const struct due_job *job = &flight->job;
	struct gateway_order order = job->order;

	if (forgets(theatre, job->gateway->name))
		snprintf(order.our_reference, sizeof order.our_reference, "nobody-knows-it");
	sandbox_model_ask(&theatre->model, job->gateway->name, &order, &flight->answer);
}

/* Nothing is done by a gateway that the request did not reach. */
static void flight_arrive(struct theatre *theatre, struct payment *payment, struct flight *flight)
{
	const struct due_job *job = &flight->job;
	const struct entry_verdict verdict = verdict_draw(theatre, job->order.kind);
	struct sandbox_deed deed;

	flight->stage = FLIGHT_ARRIVED;
	if (job->kind == DUE_ASK) {
		flight_ask(theatre, flight);
		return;
	}
	flight->answer = (struct gateway_answer){ .event = AE_LOST, .reason = "lost" };
	if (theatre_chance(theatre, 10))
		return;
	schedule_count(theatre, STEP_ARRIVE, (int)flight->status, job->order.kind);
	sandbox_model_perform(&theatre->model, job->gateway->name, &job->order, &verdict, &deed);
	flight->answer = deed.answer;
	if (!deed.is_new)
		return;
	ck_assert_uint_lt(payment->deed_count, SCHEDULE_ENTRIES);
	payment->deeds[payment->deed_count++] = (struct deed){ .entry = deed.entry,
							       .gateway = job->gateway,
							       .never = theatre_chance(theatre, 6),
							       .status = flight->status };
}

static void flight_finish(struct theatre *theatre, struct flight *flight)
{
	const struct gateway_answer lost = { .event = AE_LOST, .reason = "timed out" };
	const bool asks = flight->job.kind == DUE_ASK;
	const bool is_lost = theatre_chance(theatre, asks ? 8 : 3);

	if (flight->abandoned)
		flight->stage = FLIGHT_OVER;
	else
		flight_record(theatre, flight, is_lost ? &lost : &flight->answer,
			      asks ? STEP_ASK : STEP_ANSWER);
}

/* Whoever comes too late to send gives up. */
static void flight_take_off(struct theatre *theatre, struct flight *flight)
{
	const struct gateway_answer not_sent = { .event = AE_NOT_SENT, .reason = "too late" };
	const struct gateway_answer refused = { .event = AE_NOT_SENT, .reason = "refused" };
	const bool asks = flight->job.kind == DUE_ASK;
	const bool late = !asks && clock_boot_us() > flight->job.send_by_boot_us;

	flight->sent_boot_us = clock_boot_us();
	flight->stage = FLIGHT_FLYING;
	if (flight->abandoned)
		flight->stage = FLIGHT_OVER;
	else if (late || (!asks && theatre_chance(theatre, 12)))
		flight_record(theatre, flight, late ? &not_sent : &refused, STEP_GIVE_UP);
	else
		schedule_count(theatre, STEP_SEND, (int)flight->status, flight->job.order.kind);
}

/* The connection broke; the request is still on its way. */
static void flight_break(struct theatre *theatre, struct flight *flight)
{
	const struct gateway_answer lost = { .event = AE_LOST, .reason = "connection reset" };

	flight_record(theatre, flight, &lost, STEP_LOSE);
	flight->stage = FLIGHT_FLYING;
	flight->abandoned = true;
}

/* The next thing that happens to a call. */
void flight_go_on(struct theatre *theatre, struct payment *payment, struct flight *flight)
{
	switch (flight->stage) {
	case FLIGHT_HELD:
		flight_take_off(theatre, flight);
		break;
	case FLIGHT_FLYING:
		if (!flight->abandoned && flight->job.kind == DUE_SEND &&
		    theatre_chance(theatre, 4))
			flight_break(theatre, flight);
		else
			flight_arrive(theatre, payment, flight);
		break;
	case FLIGHT_ARRIVED:
		flight_finish(theatre, flight);
		break;
	case FLIGHT_OVER:
		break;
	}
}

/* --- time --- */

/* What flies longer than a call may last has arrived, or never will. */
static void flight_outlast(struct theatre *theatre, struct payment *payment, struct flight *flight,
			   int64_t span_us)
{
	if (flight->stage != FLIGHT_FLYING ||
	    clock_boot_us() + span_us <= flight->sent_boot_us + TIMEOUT_US)
		return;
	if (theatre_chance(theatre, 2))
		flight_arrive(theatre, payment, flight);
	else
		flight->answer = (struct gateway_answer){ .event = AE_LOST, .reason = "gone" };
	flight_finish(theatre, flight);
}

void theatre_pass(struct theatre *theatre, int64_t span_us)
{
	for (size_t i = 0; i < SCHEDULE_PAYMENTS; i++)
		for (size_t k = 0; k < theatre->payments[i].flight_count; k++)
			flight_outlast(theatre, &theatre->payments[i],
				       &theatre->payments[i].flights[k], span_us);
	theatre_flush(theatre);
	clock_test_advance(span_us);
}

/* Somebody sets a clock: nothing may end early by it. */
static void theatre_jump(struct theatre *theatre)
{
	static const int64_t jumps_us[] = { HOUR_US, -HOUR_US, 24 * HOUR_US, -24 * HOUR_US };

	clock_test_jump(theatre_chance(theatre, 3) ? CLOCK_TEST_WALL : CLOCK_TEST_DATABASE,
			jumps_us[theatre_draw(theatre, 4)]);
}

/* A program dies: what it held is nobody's, what it sent goes on. */
static void worker_crash(struct theatre *theatre, unsigned worker)
{
	memset(&theatre->workers[worker].quiet, 0, sizeof theatre->workers[worker].quiet);
	theatre->workers[worker].clock = (struct due_clock){ .begun = false };
	for (size_t i = 0; i < SCHEDULE_PAYMENTS; i++)
		for (size_t k = 0; k < theatre->payments[i].flight_count; k++) {
			struct flight *flight = &theatre->payments[i].flights[k];

			if (flight->worker != worker || flight->stage == FLIGHT_OVER)
				continue;
			schedule_count(theatre, STEP_ABANDON, (int)flight->status,
				       flight->job.order.kind);
			flight->abandoned = true;
		}
}

/* How much time passes in a round: of a hundred. */
static const struct {
	unsigned weight;
	int64_t span_us;
} spans[] = {
	{ 25, 0 },
	{ 20, SECOND_US / 10 },
	{ 20, SECOND_US },
	{ 17, 3 * SECOND_US },
	{ 8, 8 * SECOND_US },
	{ 5, 45 * SECOND_US },
	{ 3, HOUR_US / 6 },
	{ 2, 24 * HOUR_US },
};

static int64_t span_draw(struct theatre *theatre)
{
	unsigned lot = theatre_draw(theatre, 100);
	size_t at = 0;

	while (lot >= spans[at].weight)
		lot -= spans[at++].weight;
	return spans[at].span_us;
}

/* Each gateway once: what is said twice, a quiet period apart, is true. */
static void theatre_forget(struct theatre *theatre)
{
	const unsigned gateway = theatre_draw(theatre, 3);

	if ((theatre->forgot & 1u << gateway) != 0)
		return;
	theatre->forgot |= 1u << gateway;
	theatre->forgetful = "abg"[gateway];
	theatre->forgetful_until_us = clock_boot_us() + SERVICE_QUIET_US - 1;
}

void theatre_round(struct theatre *theatre)
{
	theatre_pass(theatre, span_draw(theatre));
	if (theatre_chance(theatre, 4))
		theatre_forget(theatre);
	if (theatre_chance(theatre, 50))
		theatre_jump(theatre);
	for (unsigned worker = 0; worker < SCHEDULE_WORKERS; worker++) {
		if (theatre_chance(theatre, 25))
			worker_crash(theatre, worker);
		if (!theatre_chance(theatre, 3))
			theatre_claim(theatre, worker, 1 + theatre_draw(theatre, CLAIM_MAX));
	}
	theatre_look(theatre);
	for (size_t i = 0; i < SCHEDULE_PAYMENTS; i++)
		payment_step(theatre, &theatre->payments[i]);
	theatre_flush(theatre);
}

/* --- to the end --- */

/* Every gateway decides but for what it never does, and tells what became of it after all. */
static void deed_settle(struct theatre *theatre, struct payment *payment, struct deed *deed)
{
	const enum entry_status status = sandbox_model_status(&theatre->model, deed->entry);

	if (!entry_status_is_decided(status) && !deed->never) {
		sandbox_model_decide(&theatre->model, deed->entry);
		if (theatre_chance(theatre, 2))
			deed_call_back(theatre, payment, deed, STEP_CALLBACK);
	}
	if (deed->turned && deed->turn_told == 0)
		deed_call_back(theatre, payment, deed, STEP_CALLBACK_TURN);
}

static void payment_settle(struct theatre *theatre, struct payment *payment)
{
	for (size_t i = 0; i < payment->flight_count; i++)
		while (payment->flights[i].stage != FLIGHT_OVER)
			flight_go_on(theatre, payment, &payment->flights[i]);
	for (size_t i = 0; i < payment->deed_count; i++)
		deed_settle(theatre, payment, &payment->deeds[i]);
}

static void due_print(void *context, char **row)
{
	(void)context;
	printf("%s %s of %s: %s, %s; attempt %s at %s since %s s, asked %s times\n", row[0], row[1],
	       row[2], row[3], row[4], row[5], row[6], row[7], row[8]);
}

static void number_take(void *context, char **row)
{
	*(int64_t *)context = strtoll(row[0], NULL, 10);
}

/* When something is due next, by the database's clock; 0: never. A void waits as long as people for a capture. */
static int64_t next_due_us(struct theatre *theatre)
{
	int64_t at_us = 0;

	service_rows(
		theatre->service, number_take, &at_us,
		"SELECT COALESCE(MIN(o.next_action_at_us), 0) FROM operation o WHERE "
		"o.next_action IN ('send', 'ask', 'expire') AND NOT (o.kind = 'void' AND EXISTS "
		"(SELECT 1 FROM operation c WHERE c.transaction_id = o.transaction_id AND c.kind = "
		"'capture' AND c.status = 'parked'))");
	return at_us;
}

void theatre_settle(struct theatre *theatre)
{
	const int64_t end_us = clock_now_us() + SETTLED_WITHIN_US;
	int64_t span_us = SECOND_US;
	int64_t now_us;

	ck_assert(clock_database_us(&now_us));
	for (unsigned round = 0; now_us < end_us; round++) {
		int64_t due_us;

		theatre_claim(theatre, round % SCHEDULE_WORKERS, CLAIM_MAX);
		if (round % 4 == 0)
			theatre_look(theatre);
		for (size_t i = 0; i < SCHEDULE_PAYMENTS; i++)
			payment_settle(theatre, &theatre->payments[i]);
		theatre_flush(theatre);
		due_us = next_due_us(theatre);
		if (due_us == 0)
			return;
		ck_assert(clock_database_us(&now_us));
		span_us += span_us / 8;
		if (due_us > now_us)
			theatre_pass(theatre,
				     due_us - now_us > span_us ? due_us - now_us : span_us);
	}
	service_rows(
		theatre->service, due_print, NULL,
		"SELECT o.kind, HEX(o.id), HEX(o.transaction_id), o.status, o.next_action, "
		"a.status, a.gateway, a.open_since_us DIV 1000000, a.asked_count FROM operation "
		"o LEFT JOIN attempt a ON a.live_operation_id = o.id WHERE o.next_action IN "
		"('send', 'ask', 'expire')");
	fflush(stdout);
	ck_abort_msg("something is still under way");
}
