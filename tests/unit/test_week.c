/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A week in a second: payments that gateways lose, take and forget, decline, hold and release, with all the waiting in
 * between, on the real tables and by the clocks that a test moves (base/clock_test.h). The driver is a dispatcher
 * without a network: it jumps to whatever is due next.
 *
 * What is random, and which random bytes ids are made of, follows from PAYOPS_SEED: two weeks are one to the byte.
 */
#include "service/due.h"

#include <stdio.h>
#include <string.h>

#include "apid/quiet.h"
#include "base/clock.h"
#include "base/clock_test.h"
#include "base/crypto.h"
#include "base/repeat.h"
#include "core/transaction.h"
#include "service/intake.h"
#include "tests/unit/seed.h"
#include "tests/unit/service_fixture.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define HOUR_US (3600 * SECOND_US)
#define DAY_US (24 * HOUR_US)
#define BOOT_US (500 * SECOND_US)
#define WEEKS_END_US (SERVICE_NOW_US + 9 * DAY_US) /* what began last has its week, and a day */
#define CALLS_MAX 256
#define CLAIM_MAX 64
#define PAYMENTS_MAX 512
#define LOG_SIZE (4 << 20)
#define OTHER "beta" /* where the other merchant's payments go */
#define WAITED_US                                                                                  \
	(4 * 15 * 60 * SECOND_US +                                                                 \
	 HOUR_US / 10) /* a quarter of an hour before each of four tries */
#define OTHERS 80
#define OUTAGE_FROM_US (SERVICE_NOW_US + DAY_US)
#define OUTAGE_TO_US (OUTAGE_FROM_US + HOUR_US + HOUR_US / 4)
#define TICK_US (SECOND_US / 20) /* between two looks at what is due */
#define MANUAL_US (6 * HOUR_US)

/* --- what gateways make of payments --- */

#define NEVER INT64_MAX

/* clang-format off */
static const struct tale {
	const char *name;
	unsigned count;
	enum capture_mode capture;
	enum process_mode process;
	enum attempt_event answer;  /* to the first request of its kind */
	enum attempt_event inquiry; /* until the turn */
	int64_t turns_us;           /* after the payment was made */
	enum attempt_event turned;  /* what inquiries are told from then on */
	const char *decline;
	/* how it must end */
	enum transaction_status status;
	const char *reason;
	unsigned attempts, asked_min, asked_max;
	int64_t from_us, to_us;     /* when, after it was made */
} tales[] = {
	{ "sold at once", 10, CAPTURE_AUTOMATIC, PROCESS_AUTO, AE_SUCCEEDED, AE_SUCCEEDED, NEVER,
		  AE_SUCCEEDED, "",
	  TS_COMPLETED, "", 1, 0, 0, 0, 5 * SECOND_US },
	{ "lost for ever", 3, CAPTURE_AUTOMATIC, PROCESS_AUTO, AE_LOST, AE_LOST, NEVER, AE_LOST, "",
	  TS_PARKED, "inquiries_exhausted", 1, 16, 16, 7 * DAY_US, 7 * DAY_US + 60 * SECOND_US },
	{ "lost, and found after five hours", 3, CAPTURE_AUTOMATIC, PROCESS_AUTO, AE_LOST, AE_LOST,
		  5 * HOUR_US, AE_SUCCEEDED, "",
	  TS_COMPLETED, "", 1, 8, 8, 12 * HOUR_US, 12 * HOUR_US + 60 * SECOND_US },
	{ "not found, and sent again", 3, CAPTURE_AUTOMATIC, PROCESS_AUTO, AE_LOST, AE_NOT_FOUND,
		  NEVER, AE_LOST, "",
	  TS_COMPLETED, "", 2, 0, 0, 40 * SECOND_US, 120 * SECOND_US },
	{ "taken, and never called back", 3, CAPTURE_AUTOMATIC, PROCESS_AUTO, AE_ACCEPTED,
		  AE_ACCEPTED, NEVER, AE_ACCEPTED, "",
	  TS_PARKED, "inquiries_exhausted", 1, 14, 16, 7 * DAY_US, 7 * DAY_US + 60 * SECOND_US },
	{ "taken, and decided on the third day", 3, CAPTURE_AUTOMATIC, PROCESS_AUTO, AE_ACCEPTED,
		  AE_ACCEPTED, 2 * DAY_US + HOUR_US, AE_SUCCEEDED, "",
	  TS_COMPLETED, "", 1, 1, 16, 3 * DAY_US, 3 * DAY_US + 60 * SECOND_US },
	{ "the customer never acts", 3, CAPTURE_AUTOMATIC, PROCESS_AUTO, AE_REQUIRES_ACTION,
		  AE_REQUIRES_ACTION, NEVER, AE_LOST, "",
	  TS_PARKED, "inquiries_exhausted", 1, 14, 16, 7 * DAY_US, 7 * DAY_US + 60 * SECOND_US },
	{ "the customer's time is over", 3, CAPTURE_AUTOMATIC, PROCESS_AUTO, AE_REQUIRES_ACTION,
		  AE_REQUIRES_ACTION, DAY_US - 1, AE_DECLINED, "customer_timeout",
	  TS_FAILED, "declined", 1, 1, 16, DAY_US, DAY_US + 60 * SECOND_US },
	{ "never reached", 3, CAPTURE_AUTOMATIC, PROCESS_AUTO, AE_NOT_SENT, AE_LOST, NEVER, AE_LOST,
		  "",
	  TS_FAILED, "gateway_unreachable", 4, 0, 0, 10 * SECOND_US, 25 * SECOND_US },
	{ "the bank is away", 3, CAPTURE_AUTOMATIC, PROCESS_AUTO, AE_DECLINED, AE_LOST, NEVER,
		  AE_LOST, "issuer_unavailable",
	  TS_FAILED, "declined", 4, 0, 0, 10 * SECOND_US, 25 * SECOND_US },
	{ "a final no", 3, CAPTURE_AUTOMATIC, PROCESS_AUTO, AE_DECLINED, AE_LOST, NEVER, AE_LOST,
		  "stolen_card",
	  TS_FAILED, "declined", 1, 0, 0, 0, 5 * SECOND_US },
	{ "held, and let go in time", 3, CAPTURE_MANUAL, PROCESS_AUTO, AE_SUCCEEDED, AE_SUCCEEDED,
		  NEVER, AE_SUCCEEDED, "",
	  TS_CANCELLED, "expired", 2, 0, 0, 7 * DAY_US, 7 * DAY_US + 60 * SECOND_US },
	{ "never started", 3, CAPTURE_AUTOMATIC, PROCESS_MANUAL, AE_SUCCEEDED, AE_SUCCEEDED, NEVER,
		  AE_SUCCEEDED, "",
	  TS_CANCELLED, "expired", 0, 0, 0, MANUAL_US, MANUAL_US + 5 * SECOND_US },
};
/* clang-format on */
#define TALES COUNT(tales)

/* One payment of the week; those of the other merchant have no tale but the outage. */
struct guest {
	const struct tale *tale; /* NULL: the other merchant's */
	int64_t comes_at_us;
	struct id id;
	unsigned sent;
};

struct call {
	struct due_job job; /* holds nothing */
	struct guest *guest;
	struct gateway_answer answer;
	int64_t began_boot_us;
	int64_t ends_at_us; /* 0: none */
};

struct week {
	uint64_t random;
	struct guest guests[PAYMENTS_MAX];
	size_t guest_count;
	size_t come;
	struct call calls[CALLS_MAX];
	struct quiet quiet;
	struct choice_budgets budgets;
	struct batch *intake;
	int64_t probes_us[64]; /* calls to the other gateway while its breaker was not closed */
	size_t probe_count;
	bool breaker_opened;
	char *log;
	size_t log_size;
};

static struct service service;

static void create(void)
{
	service_create(&service, "week");
}

static void drop(void)
{
	service_drop(&service);
}

/* --- the week's payments --- */

static int by_time(const void *a, const void *b)
{
	const struct guest *left = a;
	const struct guest *right = b;

	return (left->comes_at_us > right->comes_at_us) - (left->comes_at_us < right->comes_at_us);
}

static void guest_add(struct week *week, const struct tale *tale, int64_t from_us, int64_t span_us)
{
	ck_assert_uint_lt(week->guest_count, PAYMENTS_MAX);
	week->guests[week->guest_count++] = (struct guest){
		.tale = tale,
		.comes_at_us = from_us + (int64_t)(seed_next(&week->random) % (uint64_t)span_us),
	};
}

/* Tales begin on the first day, the other merchant's payments around the outage of its gateway. */
static void guests_invite(struct week *week)
{
	for (size_t i = 0; i < TALES; i++)
		for (unsigned k = 0; k < tales[i].count; k++)
			guest_add(week, &tales[i], SERVICE_NOW_US, DAY_US);
	for (unsigned k = 0; k < OTHERS; k++)
		guest_add(week, NULL, OUTAGE_FROM_US - HOUR_US, 4 * HOUR_US);
	qsort(week->guests, week->guest_count, sizeof week->guests[0], by_time);
}

static void guest_come(struct week *week, struct guest *guest)
{
	const struct payment_request request = {
		.amount = { SERVICE_AMOUNT, SERVICE_CURRENCY },
		.exponent = 2,
		.form = AMOUNT_MINOR,
		.capture = guest->tale == NULL ? CAPTURE_AUTOMATIC : guest->tale->capture,
		.process = guest->tale == NULL ? PROCESS_AUTO : guest->tale->process,
		.method = "credit_card",
		.customer = "cust_001",
		.token = SERVICE_TOKEN,
	};
	const struct payment_order order = {
		.merchant = guest->tale == NULL ? SERVICE_OTHER_MERCHANT : SERVICE_MERCHANT,
		.kind = TRANSACTION_PAYMENT,
		.request = &request,
		.idempotency_key = "",
		.api_call_id = "",
		.now_us = clock_now_us(),
		.manual_expiry_us = MANUAL_US,
	};
	struct payment_receipt receipt;
	enum payment_outcome outcome;

	ck_assert_int_eq(payment_accept(week->intake, &service.vault, &order,
					clock_boot_us() + SERVICE_WAIT_MS * INT64_C(1000), &outcome,
					&receipt),
			 ERR_OK);
	guest->id = receipt.transaction_id;
}

static struct guest *guest_of(struct week *week, struct id id)
{
	for (size_t i = 0; i < week->come; i++)
		if (id_equal(week->guests[i].id, id))
			return &week->guests[i];
	ck_abort_msg("a payment that nobody made");
	return NULL;
}

/* --- calls --- */

static bool outage(const struct due_job *job, int64_t at_us)
{
	return strcmp(job->gateway->name, OTHER) == 0 && at_us >= OUTAGE_FROM_US &&
	       at_us < OUTAGE_TO_US;
}

static enum attempt_event event_of(const struct call *call, int64_t at_us)
{
	const struct tale *tale = call->guest->tale;

	if (tale == NULL)
		return !outage(&call->job, at_us)   ? AE_SUCCEEDED
		       : call->job.kind == DUE_SEND ? AE_NOT_SENT
						    : AE_LOST;
	if (call->job.kind == DUE_ASK)
		return at_us - call->guest->comes_at_us >= tale->turns_us ? tale->turned
									  : tale->inquiry;
	/* What was not found is done when it is sent again; what is held is let go. */
	if (call->job.order.kind == OPERATION_VOID ||
	    (tale->inquiry == AE_NOT_FOUND && call->guest->sent > 1))
		return AE_SUCCEEDED;
	return tale->answer;
}

static struct gateway_answer answer_of(const struct call *call, int64_t at_us)
{
	struct gateway_answer answer = service_answer(event_of(call, at_us));

	if (answer.event == AE_DECLINED && call->guest->tale != NULL) {
		snprintf(answer.decline_code, sizeof answer.decline_code, "%s",
			 call->guest->tale->decline);
		answer.retryable = strcmp(call->guest->tale->decline, "stolen_card") != 0;
	}
	snprintf(answer.gateway_ref, sizeof answer.gateway_ref, "gw_%.60s",
		 call->job.order.our_reference);
	return answer;
}

static enum breaker_operation breaker_of(const struct due_job *job)
{
	return job->kind == DUE_ASK ? BREAKER_INQUIRY : (enum breaker_operation)job->order.kind;
}

static void probe_note(struct week *week, const struct due_job *job)
{
	if (strcmp(job->gateway->name, OTHER) != 0 ||
	    breakers_state(service.due.breakers, OTHER, BREAKER_CHARGE) == BREAKER_CLOSED)
		return;
	ck_assert_uint_lt(week->probe_count, COUNT(week->probes_us));
	week->probes_us[week->probe_count++] = clock_now_us();
}

static struct call *call_free(struct week *week)
{
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (week->calls[i].ends_at_us == 0)
			return &week->calls[i];
	ck_abort_msg("too many calls at once");
	return NULL;
}

/* 20 ms to 2 s, as gateways are. */
static void call_begin(struct week *week, const struct due_job *job)
{
	struct call *call = call_free(week);

	*call = (struct call){ .job = *job,
			       .guest = guest_of(week, job->order.transaction_id),
			       .began_boot_us = clock_boot_us(),
			       .ends_at_us = clock_now_us() + 20000 +
					     (int64_t)(seed_next(&week->random) % 1980000) };
	call->job.view = NULL;
	call->guest->sent += job->kind == DUE_SEND;
	quiet_see(&week->quiet, job->order.attempt_id, clock_boot_us());
	probe_note(week, job);
	breakers_sent(service.due.breakers, job->gateway->name, breaker_of(job));
	call->answer = answer_of(call, clock_now_us());
}

static void call_end(struct week *week, struct call *call)
{
	const struct due_job *job = &call->job;
	const enum attempt_event event = call->answer.event;
	struct breakers *breakers = service.due.breakers;
	const int64_t now_us = breakers_now_us(breakers);
	const struct breaker_call counted = {
		.result = event == AE_LOST || event == AE_NOT_SENT ? BREAKER_FAILURE : BREAKER_OK,
		.now_us = now_us,
		.began_us = now_us - (clock_boot_us() - call->began_boot_us),
	};
	const struct quiet_answer heard = { job->lease_span_us, job->gateway->quiet_us,
					    call->began_boot_us, clock_boot_us() };
	const struct outcome_report report = {
		.source = job->kind == DUE_SEND ? OUTCOME_ANSWER : OUTCOME_INQUIRY,
		.operation_id = job->order.operation_id,
		.attempt_id = job->order.attempt_id,
		.gateway = job->gateway,
		.answer = &call->answer,
		.api_call_id = "",
		.asked_at_us = job->claimed_at_us,
		.quiet_confirmed = event == AE_NOT_FOUND &&
				   quiet_not_found(&week->quiet, job->order.attempt_id, &heard),
	};
	enum outcome_effect effect;

	/* Tales are told at a gateway whose other traffic is large and well. */
	if (strcmp(job->gateway->name, OTHER) == 0)
		breakers_count(breakers, job->gateway->name, breaker_of(job), &counted);
	call->ends_at_us = 0;
	ck_assert_int_eq(service_apply(&service, &report, &effect), ERR_OK);
}

/* --- time --- */

static void number_take(void *context, char **row)
{
	*(int64_t *)context = strtoll(row[0], NULL, 10);
}

/* What comes first: a payment, the end of a call, what is due. */
static int64_t next_us(struct week *week)
{
	int64_t at_us = WEEKS_END_US;

	service_rows(&service, number_take, &at_us,
		     "SELECT next_action_at_us FROM operation WHERE next_action IN ('send', 'ask', "
		     "'expire') ORDER BY next_action_at_us LIMIT 1");
	if (week->come < week->guest_count && week->guests[week->come].comes_at_us < at_us)
		at_us = week->guests[week->come].comes_at_us;
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (week->calls[i].ends_at_us != 0 && week->calls[i].ends_at_us < at_us)
			at_us = week->calls[i].ends_at_us;
	return at_us;
}

static void claim(struct week *week)
{
	struct due_job jobs[CLAIM_MAX];
	size_t count = 0;

	ck_assert_int_eq(due_claim(service.pool, &service.due, CLAIM_MAX, jobs, &count, NULL),
			 ERR_OK);
	for (size_t i = 0; i < count; i++) {
		call_begin(week, &jobs[i]);
		due_job_done(&jobs[i]);
	}
}

static void exchange(struct week *week)
{
	ck_assert_int_eq(breakers_refresh(service.due.breakers), ERR_OK);
	week->breaker_opened |=
		breakers_state(service.due.breakers, OTHER, BREAKER_CHARGE) == BREAKER_OPEN;
}

static void week_live(struct week *week)
{
	int64_t at_us;

	while ((at_us = next_us(week)) < WEEKS_END_US) {
		clock_test_advance(at_us > clock_now_us() + TICK_US ? at_us - clock_now_us()
								    : TICK_US);
		for (; week->come < week->guest_count &&
		       week->guests[week->come].comes_at_us <= clock_now_us();
		     week->come++)
			guest_come(week, &week->guests[week->come]);
		for (size_t i = 0; i < CALLS_MAX; i++)
			if (week->calls[i].ends_at_us != 0 &&
			    week->calls[i].ends_at_us <= clock_now_us())
				call_end(week, &week->calls[i]);
		claim(week);
		exchange(week);
	}
}

/* --- the log --- */

static void log_add(void *context, char **row)
{
	struct week *week = context;
	const int size = snprintf(week->log + week->log_size, LOG_SIZE - week->log_size,
				  "%s %s %s %s %s %s %s %s %s %s\n", row[0], row[1], row[2], row[3],
				  row[4], row[5], row[6], row[7], row[8], row[9]);

	ck_assert(size > 0 && (size_t)size < LOG_SIZE - week->log_size);
	week->log_size += (size_t)size;
}

static void week_begin(struct week *week, uint64_t seed)
{
	const struct breakers_settings settings = { .rules = breaker_rules_default,
						    .gateways = &service.gateways,
						    .probe_margin_us = 9 * SECOND_US,
						    .refresh_ms = 6000 };

	clock_test_start(SERVICE_NOW_US, BOOT_US);
	repeat_start(seed | 1);
	service_open(&service);
	service_add_gateway(&service, OTHER);
	for (size_t i = 0; i < service.gateways.count; i++)
		service.gateways.list[i].authorisation_us = 7 * DAY_US;
	service_publish(&service);
	service.view->rules = calloc(2, sizeof *service.view->rules);
	ck_assert_ptr_nonnull(service.view->rules);
	free((void *)(uintptr_t)service.view->routing.rules);
	service.view->rules[0] = (struct routing_rule){ .name = "other",
							.merchants = SERVICE_OTHER_MERCHANT,
							.target_count = 1,
							.targets = { { 1, 1, 1 } } };
	service.view->rules[1] = (struct routing_rule){ .name = "default",
							.target_count = 1,
							.targets = { { 0, 1, 1 } } };
	service.view->routing.rules = service.view->rules;
	service.view->routing.rule_count = 2;
	ck_assert_int_eq(breakers_new(&settings, service.pool, &service.due.breakers), ERR_OK);
	ck_assert_int_eq(intake_start(&service.database, &week->intake), ERR_OK);
	service.due.budgets = &week->budgets;
	week->random = seed;
	week->log = malloc(LOG_SIZE);
	ck_assert_ptr_nonnull(week->log);
	guests_invite(week);
}

static void week_end(struct week *week)
{
	batch_stop(week->intake);
	breakers_free(service.due.breakers);
	service_close(&service);
	repeat_start(0);
	clock_test_stop();
	free(week->log);
	free(week);
}

static struct week *week_run(uint64_t seed)
{
	struct week *week = calloc(1, sizeof *week);

	ck_assert_ptr_nonnull(week);
	week_begin(week, seed);
	week_live(week);
	service_rows(&service, log_add, week,
		     "SELECT HEX(e.transaction_id), e.sequence, e.at_us, e.type, e.transaction_to, "
		     "e.operation_to, e.attempt_to, HEX(e.attempt_id), e.reason, HEX(e.id) FROM "
		     "event e ORDER BY e.transaction_id, e.sequence");
	return week;
}

/* --- how it ended --- */

struct judging {
	struct week *week;
	unsigned ended[TALES + 1];
	unsigned parked_of_other;
};

/* id, status, its reason or failure, attempts, the most questions about one, last change */
static void payment_judge(void *context, char **row)
{
	struct judging *judging = context;
	struct id id;
	const struct guest *guest;
	const struct tale *tale;
	int64_t after_us;
	unsigned asked;

	ck_assert(crypto_unhex(row[0], id.bytes, ID_SIZE));
	guest = guest_of(judging->week, id);
	tale = guest->tale;
	judging->ended[tale == NULL ? TALES : (size_t)(tale - tales)]++;
	after_us = strtoll(row[5], NULL, 10) - guest->comes_at_us;
	if (tale == NULL) {
		unit_expect(strcmp(row[1], "completed") == 0 || strcmp(row[1], "failed") == 0,
			    "the other merchant's is %s", row[1]);
		unit_expect(after_us <= WAITED_US, "it took %lld us", (long long)after_us);
		return;
	}
	asked = (unsigned)strtoul(row[4], NULL, 10);
	unit_expect(strcmp(row[1], words_text(transaction_status_words, (int)tale->status)) == 0 &&
			    strcmp(row[2], tale->reason) == 0,
		    "%s: %s %s", tale->name, row[1], row[2]);
	unit_expect(strtoul(row[3], NULL, 10) == tale->attempts, "%s: %s attempts", tale->name,
		    row[3]);
	unit_expect(tale->asked_max == 0 || (asked >= tale->asked_min && asked <= tale->asked_max),
		    "%s: asked %u times", tale->name, asked);
	unit_expect(after_us >= tale->from_us && after_us <= tale->to_us, "%s: after %lld us",
		    tale->name, (long long)after_us);
}

static void week_judge(struct week *week)
{
	struct judging judging = { .week = week };

	service_rows(&service, payment_judge, &judging,
		     "SELECT HEX(t.id), t.status, IF(t.status = 'failed', t.failure_code, "
		     "t.status_reason), (SELECT COUNT(*) FROM attempt a WHERE a.transaction_id = "
		     "t.id), (SELECT COALESCE(MAX(a.asked_count), 0) FROM attempt a WHERE "
		     "a.transaction_id = t.id), t.updated_at_us FROM transaction t");
	for (size_t i = 0; i < TALES; i++)
		unit_expect(judging.ended[i] == tales[i].count, "%s: %u ended", tales[i].name,
			    judging.ended[i]);
	ck_assert_uint_eq(judging.ended[TALES], OTHERS);
}

/* The breaker opened, and let one call go after 30 s, 1, 2, 4, 8 and then each 10 minutes. */
static void breaker_judge(const struct week *week)
{
	static const int64_t spans_s[] = { 60, 120, 240, 480, 600, 600 };

	ck_assert(week->breaker_opened);
	ck_assert_uint_ge(week->probe_count, COUNT(spans_s) + 1);
	for (size_t i = 0; i < COUNT(spans_s); i++) {
		const int64_t span_us = week->probes_us[i + 1] - week->probes_us[i];

		unit_expect(span_us >= spans_s[i] * SECOND_US &&
				    span_us <= (spans_s[i] + 90) * SECOND_US,
			    "probe %zu came %lld us after the one before", i + 1,
			    (long long)span_us);
	}
	ck_assert_int_eq(breakers_state(service.due.breakers, OTHER, BREAKER_CHARGE),
			 BREAKER_CLOSED);
}

/* In the outage, retries are at most what budget_rules_default allows. */
static void budget_judge(void)
{
	const long long attempts = service_number(
		&service, "SELECT COUNT(*) FROM attempt WHERE gateway = '" OTHER "'");

	ck_assert_int_gt(attempts, OTHERS / 2);
	ck_assert_int_lt(attempts, OTHERS + OTHERS / 10 + 10);
}

START_TEST(a_week_ends_as_it_must_and_the_same_seed_makes_the_same_week)
{
	const uint64_t seed = seed_start();
	const int64_t began_us = clock_boot_us();
	struct week *first = week_run(seed);
	char *log = strndup(first->log, first->log_size);
	struct week *again;

	ck_assert_ptr_nonnull(log);
	week_judge(first);
	breaker_judge(first);
	budget_judge();
	printf("%zu payments, %zu bytes of events\n", first->guest_count, first->log_size);
	week_end(first);
	printf("nine days in %lld ms\n", (long long)((clock_boot_us() - began_us) / 1000));
	again = week_run(seed);
	ck_assert_uint_eq(again->log_size, strlen(log));
	ck_assert(memcmp(again->log, log, again->log_size) == 0);
	week_end(again);
	again = week_run(seed + 1);
	week_judge(again);
	ck_assert(again->log_size != strlen(log) || memcmp(again->log, log, again->log_size) != 0);
	week_end(again);
	free(log);
}
END_TEST

UNIT_MAIN("week", {
	service_require();
	tcase_set_timeout(tests, 300);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_test(tests, a_week_ends_as_it_must_and_the_same_seed_makes_the_same_week);
})
