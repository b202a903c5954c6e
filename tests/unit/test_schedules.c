/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random schedules over one charge: two programs that claim, senders that stall or die, answers that are lost or
 * recorded twice, questions answered late, callbacks, people who settle exceptions, and time that jumps between all
 * of it. A model of a gateway, which does not know idempotency, is the oracle.
 *
 * Time passes by moving everything that is stored into the past. PAYOPS_SEED replays; PAYOPS_LONG=1 runs 100,000.
 */
#include "service/due.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "core/operation.h"
#include "service/exception.h"
#include "tests/unit/seed.h"
#include "tests/unit/service_fixture.h"

#define SCHEDULES 300
#define SCHEDULES_LONG 100000
#define STEPS 24
#define SETTLING_ROUNDS 120
#define TRIES_MAX 32
#define CALLS_MAX 64
#define LIMIT 16
#define TIMEOUT_US (SERVICE_TIMEOUT_MS * INT64_C(1000))

static struct service service;

static void create(void)
{
	service_create(&service, "schedules");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	service_open(&service);
}

static void tear_down(void)
{
	service_close(&service);
}

/* What the gateway did with a request that reached it. */
enum deed {
	DEED_NONE,
	DEED_CHARGED,
	DEED_DECLINED,
	DEED_TURNED /* declined, and charged after all */
};

/* What has become of a request, on our side and on the way. */
enum stage { STAGE_HELD, STAGE_FLYING, STAGE_ARRIVED, STAGE_OVER };

struct
try {
	struct id attempt_id;
	char reference[ATTEMPT_REFERENCE_SIZE];
	enum stage stage;
	bool abandoned; /* its sender died: nobody will record the answer */
	int64_t send_by_us;
	int64_t sent_us;
	enum deed deed;
	unsigned called_back;
};

/* A question that was answered and is not recorded yet. */
struct call {
	struct id attempt_id;
	struct gateway_answer answer;
	int64_t asked_us;
	bool done;
};

struct world {
	uint64_t random;
	int64_t now_us; /* passes only by pass() */
	struct story story;
	struct try tries[TRIES_MAX];
	size_t try_count;
	struct call calls[CALLS_MAX];
	size_t call_count;
	unsigned charged;
};

static unsigned draw(struct world *world, unsigned sides)
{
	return (unsigned)(seed_next(&world->random) % sides);
}

static const char *hex_of(const struct world *world, char hex[2 * ID_SIZE + 1])
{
	return crypto_hex(world->story.transaction.id.bytes, ID_SIZE, hex);
}

/* --- the gateway --- */

static struct try *try_of(struct world *world, struct id attempt_id)
{
	for (size_t i = 0; i < world->try_count; i++)
		if (id_equal(world->tries[i].attempt_id, attempt_id))
			return &world->tries[i];
	ck_abort_msg("an attempt that nobody sent");
	return NULL;
}

static void arrive(struct world *world, struct try *try)
{
	static const enum deed deeds[] = { DEED_CHARGED,  DEED_CHARGED,  DEED_CHARGED,
					   DEED_DECLINED, DEED_DECLINED, DEED_NONE };

	try->stage = STAGE_ARRIVED;
	try->deed = deeds[draw(world, sizeof deeds / sizeof deeds[0])];
	world->charged += try->deed == DEED_CHARGED;
}

static struct gateway_answer told(const struct try *try)
{
	struct gateway_answer answer = service_answer(try->deed == DEED_DECLINED ? AE_DECLINED
						      : try->deed == DEED_NONE   ? AE_NOT_FOUND
										 : AE_SUCCEEDED);

	answer.retryable = answer.event == AE_DECLINED;
	snprintf(answer.gateway_ref, sizeof answer.gateway_ref, "gw_%.40s", try->reference);
	return answer;
}

/* --- what we do --- */

static void record(struct world *world, enum outcome_source source, struct id attempt_id,
		   const struct gateway_answer *answer, int64_t age_us)
{
	const struct outcome_report report = { .source = source,
					       .operation_id = world->story.operation.id,
					       .attempt_id = attempt_id,
					       .gateway = &service.gateways.list[0],
					       .answer = answer,
					       .api_call_id = "call_1",
					       .asked_at_us = service_now(&service) - age_us,
					       .quiet_confirmed = true };
	enum outcome_effect effect;

	ck_assert_int_eq(service_apply(&service, &report, &effect), ERR_OK);
	/* A commit whose answer was lost is recorded once more. */
	if (draw(world, 4) == 0)
		ck_assert_int_eq(service_apply(&service, &report, &effect), ERR_OK);
}

static void claim(struct world *world)
{
	struct due_job jobs[LIMIT];
	size_t count = 0;

	ck_assert_int_eq(due_claim(service.pool, &service.due, LIMIT, jobs, &count), ERR_OK);
	for (size_t i = 0; i < count; i++) {
		const struct gateway_order *order = &jobs[i].order;

		ck_assert(id_equal(order->operation_id, world->story.operation.id));
		if (jobs[i].kind == DUE_SEND) {
			struct try *try = &world->tries[world->try_count++];

			ck_assert_uint_le(world->try_count, TRIES_MAX);
			*try = (struct try){ .attempt_id = order->attempt_id,
					     .send_by_us = world->now_us + SERVICE_SEND_WINDOW_US };
			memcpy(try->reference, order->our_reference, sizeof try->reference);
		} else if (world->call_count < CALLS_MAX) {
			world->calls[world->call_count++] = (struct call){
				.attempt_id = order->attempt_id,
				.answer = told(try_of(world, order->attempt_id)),
				.asked_us = world->now_us,
			};
		}
		due_job_done(&jobs[i]);
	}
}

static void finish_call(struct world *world, struct call *call)
{
	record(world, OUTCOME_INQUIRY, call->attempt_id, &call->answer,
	       world->now_us - call->asked_us);
	call->done = true;
}

static void finish_try(struct world *world, struct try *try)
{
	struct gateway_answer answer = told(try);

	if (answer.event == AE_NOT_FOUND || draw(world, 3) == 0)
		answer = service_answer(AE_LOST);
	if (!try->abandoned)
		record(world, OUTCOME_ANSWER, try->attempt_id, &answer, 0);
	try->stage = STAGE_OVER;
}

/* The next thing that happens to a request. Whoever comes too late to send gives up. */
static void go_on(struct world *world, struct try *try)
{
	const struct gateway_answer not_sent = service_answer(AE_NOT_SENT);
	const struct gateway_answer lost = service_answer(AE_LOST);

	switch (try->stage) {
	case STAGE_HELD:
		try->stage = STAGE_FLYING;
		try->sent_us = world->now_us;
		if (!try->abandoned && world->now_us <= try->send_by_us)
			break;
		if (!try->abandoned)
			record(world, OUTCOME_ANSWER, try->attempt_id, &not_sent, 0);
		try->stage = STAGE_OVER;
		break;
	case STAGE_FLYING:
		if (!try->abandoned && draw(world, 2) == 0) {
			/* The connection broke; the request is still on its way. */
			record(world, OUTCOME_ANSWER, try->attempt_id, &lost, 0);
			try->abandoned = true;
			break;
		}
		arrive(world, try);
		break;
	case STAGE_ARRIVED:
		finish_try(world, try);
		break;
	case STAGE_OVER:
		break;
	}
}

static void call_back(struct world *world, struct try *try)
{
	char key[24];
	struct gateway_notice notice = { .word = "completed",
					 .has_amount = true,
					 .amount = world->story.transaction.amount };
	const struct callback_delivery delivery = { .gateway = &service.gateways.list[0],
						    .notice = &notice,
						    .transaction_id = world->story.transaction.id,
						    .body = key,
						    .body_size = sizeof key,
						    .api_call_id = "call_1",
						    .now_us = clock_now_us() };
	enum callback_outcome outcome;
	enum callback_result result;

	if (try->deed == DEED_NONE || (try->stage != STAGE_ARRIVED && try->stage != STAGE_OVER))
		return;
	memset(key, 0, sizeof key);
	snprintf(key, sizeof key, "cb_%llx", (unsigned long long)seed_next(&world->random));
	memcpy(notice.callback_id, key, sizeof key);
	notice.answer = told(try);
	memcpy(notice.gateway_ref, notice.answer.gateway_ref, sizeof notice.gateway_ref);
	memcpy(notice.our_reference, try->reference, sizeof notice.our_reference);
	ck_assert_int_eq(service_deliver(&service, &delivery, &outcome, &result), ERR_OK);
	try->called_back++;
}

static void turn(struct world *world, struct try *try)
{
	if (try->deed != DEED_DECLINED)
		return;
	try->deed = DEED_TURNED;
	try->called_back = 0;
	world->charged++;
}

/* A human settles one open exception, and wants the payment to go on. */
static void settle_exception(struct world *world)
{
	static const char *const pieces[] = { "1, 4", "5, 4", "9, 4", "13, 4" };
	struct exception_act act = { .by = "ann", .note = "looked at it", .resume = true };
	enum exception_outcome outcome;
	struct exception_row row;
	char hex[2 * ID_SIZE + 1];

	if (service_number(&service,
			   "SELECT COUNT(*) FROM exception WHERE transaction_id = x'%s' AND state "
			   "= 'open'",
			   hex_of(world, hex)) == 0)
		return;
	for (unsigned i = 0; i < 4; i++) {
		const long long piece = service_number(
			&service,
			"SELECT CONV(HEX(SUBSTR(id, %s)), 16, 10) FROM exception WHERE "
			"transaction_id = x'%s' AND state = 'open' ORDER BY id LIMIT 1",
			pieces[i], hex_of(world, hex));

		for (unsigned byte = 0; byte < 4; byte++)
			act.id.bytes[4 * i + byte] = (uint8_t)(piece >> (24 - 8 * byte));
	}
	ck_assert_int_eq(exception_resolve(service.store, &act, &outcome, &row), ERR_OK);
	if (outcome == EXCEPTION_DONE)
		return;
	act.resume = false;
	ck_assert_int_eq(exception_resolve(service.store, &act, &outcome, &row), ERR_OK);
}

/* What flies longer than a call may last has arrived or never will. */
static void pass(struct world *world, int64_t span_us)
{
	char hex[2 * ID_SIZE + 1];

	for (size_t i = 0; i < world->try_count; i++) {
		struct try *try = &world->tries[i];

		if (try->stage == STAGE_FLYING &&
		    world->now_us + span_us > try->sent_us + TIMEOUT_US) {
			if (draw(world, 2) == 0)
				arrive(world, try);
			finish_try(world, try);
		}
	}
	world->now_us += span_us;
	service_do(
		&service,
		"UPDATE operation o JOIN (SELECT %lld AS us) s "
		"LEFT JOIN attempt a ON a.operation_id = o.id SET "
		"o.next_action_at_us = o.next_action_at_us - s.us, o.created_at_us = "
		"o.created_at_us - s.us, "
		"o.updated_at_us = o.updated_at_us - s.us, a.send_by_us = a.send_by_us - s.us, "
		"a.lease_until_us = a.lease_until_us - s.us, a.prepared_at_us = a.prepared_at_us - "
		"s.us, "
		"a.sent_at_us = a.sent_at_us - s.us, a.answered_at_us = a.answered_at_us - s.us, "
		"a.open_since_us = a.open_since_us - s.us, a.asked_at_us = a.asked_at_us - s.us, "
		"a.not_found_at_us = a.not_found_at_us - s.us, a.updated_at_us = a.updated_at_us - "
		"s.us "
		"WHERE o.transaction_id = x'%s'",
		(long long)span_us, hex_of(world, hex));
}

/* --- schedules --- */

static void step(struct world *world)
{
	static const int64_t spans_us[] = { SECOND_US / 10, 3 * SECOND_US,   8 * SECOND_US,
					    45 * SECOND_US, 600 * SECOND_US, 86400 * SECOND_US };
	struct try *try = world->try_count == 0
				  ? NULL
				  : &world->tries[draw(world, (unsigned)world->try_count)];
	struct call *call = world->call_count == 0
				    ? NULL
				    : &world->calls[draw(world, (unsigned)world->call_count)];

	switch (draw(world, 16)) {
	case 0:
	case 1:
	case 2:
	case 3: /* either of two programs: only the database tells them who was first */
		claim(world);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		if (try != NULL)
			go_on(world, try);
		break;
	case 8:
	case 9:
		if (call != NULL && !call->done)
			finish_call(world, call);
		break;
	case 10:
		if (try != NULL)
			call_back(world, try);
		break;
	case 11:
		if (try != NULL)
			try->abandoned = true;
		break;
	case 12:
		if (draw(world, 3) == 0 && try != NULL)
			turn(world, try);
		settle_exception(world);
		break;
	default:
		pass(world, spans_us[draw(world, sizeof spans_us / sizeof spans_us[0])]);
	}
}

static long long count_of(const struct world *world, const char *table, const char *condition)
{
	char hex[2 * ID_SIZE + 1];

	return service_number(&service,
			      "SELECT COUNT(*) FROM %s WHERE transaction_id = x'%s' AND %s", table,
			      hex_of(world, hex), condition);
}

/* Every success that came late is told at last; then nothing is under way any more. */
static void settle(struct world *world, uint64_t schedule)
{
	for (unsigned round = 0; round < SETTLING_ROUNDS; round++) {
		claim(world);
		for (size_t i = 0; i < world->try_count; i++) {
			while (world->tries[i].stage != STAGE_OVER)
				go_on(world, &world->tries[i]);
			if (world->tries[i].deed == DEED_TURNED && world->tries[i].called_back == 0)
				call_back(world, &world->tries[i]);
		}
		for (size_t i = 0; i < world->call_count; i++)
			if (!world->calls[i].done)
				finish_call(world, &world->calls[i]);
		world->call_count = 0;
		if (count_of(world, "operation", "status IN ('pending', 'processing')") == 0)
			return;
		pass(world, (round < SETTLING_ROUNDS / 2 ? 60 : 86400) * SECOND_US);
	}
	ck_abort_msg("schedule %" PRIu64 " is still under way", schedule);
}

/* What is open has a next action. */
static void check(const struct world *world, uint64_t schedule)
{
	ck_assert_msg(count_of(world, "operation",
			       "status IN ('pending', 'processing', 'parked') AND (next_action = "
			       "'none' OR next_action_at_us IS NULL)") == 0,
		      "schedule %" PRIu64 ": nothing will happen to it any more", schedule);
}

/* How schedules ended: each way must have been gone. */
struct ends {
	unsigned completed;
	unsigned failed;
	unsigned contradicted;
};

static void check_end(const struct world *world, uint64_t schedule, struct ends *ends)
{
	const long long late = count_of(world, "exception", "kind = 'late_success'");
	const bool completed = count_of(world, "operation", "status = 'succeeded'") == 1;
	const bool failed = count_of(world, "operation", "status = 'failed'") == 1;

	ends->completed += completed;
	ends->failed += failed;
	ends->contradicted += late > 0;
	ck_assert_msg(!completed || world->charged >= 1,
		      "schedule %" PRIu64 ": completed, and never charged", schedule);
	ck_assert_msg((long long)world->charged <= !failed + late,
		      "schedule %" PRIu64 ": charged %u times, %lld named", schedule,
		      world->charged, late);
	ck_assert_msg(completed || failed ||
			      count_of(world, "operation",
				       "status = 'parked' AND next_action = 'human'") == 1,
		      "schedule %" PRIu64 ": ended in no way that there is", schedule);
}

START_TEST(whatever_happens_in_whatever_order_it_is_charged_once)
{
	const uint64_t seed = seed_start();
	struct ends ends = { .completed = 0 };
	const uint64_t count = getenv("PAYOPS_LONG") != NULL ? SCHEDULES_LONG : SCHEDULES;

	for (uint64_t schedule = 0; schedule < count; schedule++) {
		struct world world = { .random = seed + schedule * UINT64_C(1000003),
				       .now_us = clock_now_us() };

		world.story = story_pending(&service, world.now_us);
		story_put(&service, &world.story);
		for (unsigned i = 0; i < STEPS; i++) {
			step(&world);
			if (i % 8 == 7)
				check(&world, schedule);
		}
		settle(&world, schedule);
		check(&world, schedule);
		check_end(&world, schedule, &ends);
	}
	printf("completed %u, failed %u, contradicted %u\n", ends.completed, ends.failed,
	       ends.contradicted);
	ck_assert(ends.completed > 0 && ends.failed > 0 && ends.contradicted > 0);
}
END_TEST

UNIT_MAIN("schedules", {
	service_require();
	tcase_set_timeout(tests, getenv("PAYOPS_LONG") != NULL ? 0 : 240);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, whatever_happens_in_whatever_order_it_is_charged_once);
})
