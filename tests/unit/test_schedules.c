/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random schedules on the real tables: whatever happens in whatever order, what is stored agrees with what the gateways
 * did, and no operation is done twice but where an exception says so. The sandbox's rules are the oracle.
 *
 * PAYOPS_SEED replays; PAYOPS_SCHEDULES=100000 runs so many.
 */
#include "tests/unit/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/fsck.h"

#define SCHEDULES (3 * SCHEDULE_PAYMENTS)
#define SCHEDULES_MANY                                                                             \
	10000 /* from here on all that is expected must be met, else each step somewhere */
#define ROUNDS 36
#define ROUNDS_AFTERWARDS                                                                          \
	16 /* weeks later: of merchants, people, and gateways that change their mind */

static struct service service;
static struct theatre *theatre;

static void create(void)
{
	service_create(&service, "schedules");
}

static void drop(void)
{
	service_drop(&service);
}

/* Three gateways as the sandbox's are; where a payment begins follows from its id. */
static void set_up(void)
{
	static const char *const more[] = { "beta", "gamma" };

	service_open(&service);
	service.gateways.list[0].callback_secrets[0].size = sizeof SANDBOX_MODEL_SECRET - 1;
	memcpy(service.gateways.list[0].callback_secrets[0].bytes, SANDBOX_MODEL_SECRET,
	       sizeof SANDBOX_MODEL_SECRET);
	service.gateways.list[0].callback_secret_count = 1;
	for (size_t i = 0; i < 2; i++)
		service_add_gateway(&service, more[i]);
	service.gateways.list[2].idempotent = false;
	service.gateways.list[2].authoritative = false;
	service_publish(&service);
	for (size_t i = 0; i < 3; i++)
		service.view->rules[0].targets[i].priority = 1;
	theatre = calloc(1, sizeof *theatre);
	ck_assert_ptr_nonnull(theatre);
}

static void tear_down(void)
{
	free(theatre);
	service_close(&service);
}

/* --- the oracle --- */

/* What the gateways did for one of our operations. */
struct done {
	unsigned succeeded; /* and stand */
	unsigned undone;    /* succeeded, and were taken back */
};

static struct done done_for(struct theatre *all, const char *operation)
{
	struct done done = { 0, 0 };

	for (size_t i = 0; i < SCHEDULE_PAYMENTS; i++)
		for (size_t k = 0; k < all->payments[i].deed_count; k++) {
			const struct entry *entry = all->payments[i].deeds[k].entry;
			const enum entry_status status = sandbox_model_status(&all->model, entry);

			if (strcmp(entry->terms.name[ENTRY_OPERATION], operation) != 0)
				continue;
			done.succeeded += status == ENTRY_SUCCEEDED;
			done.undone += status == ENTRY_REVERSED || status == ENTRY_RETURNED;
		}
	return done;
}

struct judging {
	struct theatre *theatre;
	uint64_t seed;
};

static void event_print(void *context, char **row)
{
	(void)context;
	printf("  %s %s %s: transaction %s, operation %s, attempt %s %s %s: %s\n", row[0], row[1],
	       row[2], row[3], row[4], row[5], row[6], row[7], row[8]);
}

static void exception_print(void *context, char **row)
{
	(void)context;
	printf("  %s of attempt %s, %s: %s\n", row[0], row[1], row[2], row[3]);
}

/* What happened to a payment that ended wrongly, for whoever looks for the reason. */
static void story_print(const char *hex)
{
	char text[512];

	snprintf(text, sizeof text,
		 "SELECT e.sequence, e.at_us - %lld, e.type, e.transaction_to, e.operation_to, "
		 "RIGHT(HEX(e.attempt_id), 6), a.gateway, e.attempt_to, e.reason FROM event e LEFT "
		 "JOIN attempt a ON a.id = e.attempt_id WHERE e.transaction_id = x'%s' ORDER BY "
		 "e.sequence",
		 (long long)SERVICE_NOW_US, hex);
	service_rows(&service, event_print, NULL, text);
	snprintf(text, sizeof text,
		 "SELECT kind, RIGHT(HEX(attempt_id), 6), state, detail FROM exception WHERE "
		 "transaction_id = x'%s'",
		 hex);
	service_rows(&service, exception_print, NULL, text);
	fflush(stdout);
}

/* Fails with the story of the operation's payment. */
#define EXPECT(CONDITION, HEX, ...)                                                                \
	do {                                                                                       \
		if (!(CONDITION)) {                                                                \
			story_print(HEX);                                                          \
			ck_abort_msg(__VA_ARGS__);                                                 \
		}                                                                                  \
	} while (0)

/* id, kind, status, late successes about it, its transaction's status, next action, attempts, gateways */
static void operation_judge(void *context, char **row)
{
	const struct judging *judging = context;
	struct coverage *coverage = judging->theatre->coverage;
	const enum operation_kind kind =
		(enum operation_kind)words_find(operation_kind_words, row[1]);
	const enum operation_status status =
		(enum operation_status)words_find(operation_status_words, row[2]);
	const unsigned late = (unsigned)strtoul(row[3], NULL, 10);
	const bool succeeded = status == OS_SUCCEEDED;
	const bool undone = status == OS_REVERSED || status == OS_RETURNED;
	const bool parked = status == OS_PARKED;
	const bool waits = kind == OPERATION_VOID && row[10][0] != '0';
	char text[ID_TEXT_SIZE];
	struct id id;
	struct done done;

	ck_assert(crypto_unhex(row[0], id.bytes, ID_SIZE));
	done = done_for(judging->theatre, id_format(ID_OPERATION, id, text));
	EXPECT(done.succeeded + done.undone <= (succeeded || undone || parked) + late, row[9],
	       "%s %s %s: done %u times, and %u named; seed %" PRIu64, row[1], text, row[2],
	       done.succeeded + done.undone, late, judging->seed);
	EXPECT(done.succeeded + done.undone >= (succeeded || undone) + late, row[9],
	       "%s %s %s: done %u times only, %u named; seed %" PRIu64, row[1], text, row[2],
	       done.succeeded + done.undone, late, judging->seed);
	unit_expect(!undone || done.undone > 0,
		    "%s %s is %s, and was not taken back; seed %" PRIu64, row[1], text, row[2],
		    judging->seed);
	EXPECT(operation_is_final(status) || succeeded || waits ||
		       (parked && strcmp(row[5], "human") == 0),
	       row[9], "%s %s is %s in the end; seed %" PRIu64, row[1], text, row[2],
	       judging->seed);
	coverage->late += late;
	coverage->fallbacks += strtoul(row[7], NULL, 10) > 1;
	coverage->surplus += succeeded && row[8][0] == '1';
	coverage->reversed += status == OS_REVERSED;
	coverage->returned += status == OS_RETURNED;
	coverage->parked += parked;
	coverage->ends[words_find(transaction_status_words, row[4])][kind]++;
}

/* id, status, amount, captured, refunded, and of its operations: captured and refunded, by those that succeeded */
static void transaction_judge(void *context, char **row)
{
	const struct judging *judging = context;

	EXPECT(strcmp(row[3], row[5]) == 0 && strcmp(row[4], row[6]) == 0, row[0],
	       "transaction %s (%s): captured %s, refunded %s; its operations say %s and %s; "
	       "seed %" PRIu64,
	       row[0], row[1], row[3], row[4], row[5], row[6], judging->seed);
}

/* operation, gateway, keys used there, declines there, transaction */
static void keys_judge(void *context, char **row)
{
	const struct judging *judging = context;

	EXPECT(strtoul(row[2], NULL, 10) <= 1 + strtoul(row[3], NULL, 10), row[4],
	       "operation %s was tried with %s keys at %s, declined %s times; seed %" PRIu64,
	       row[0], row[2], row[1], row[3], judging->seed);
}

static void violation_found(void *context, const struct store_fsck_check *check,
			    const struct store_fsck_violation *violation)
{
	const struct judging *judging = context;
	char text[ID_TEXT_SIZE];

	ck_abort_msg("%s %s: %s: %s; seed %" PRIu64, check->invariant, check->name,
		     id_format(check->subject, violation->id, text), violation->detail,
		     judging->seed);
}

static void check(struct judging *judging)
{
	const struct store_fsck_watch watch = {
		.found = violation_found, .context = judging, .page = STORE_FSCK_PAGE, .most = 1
	};
	struct store_fsck_tally tally;

	for (size_t i = 0; i < store_fsck_count(); i++)
		if (store_fsck_check(i)->absent == NULL)
			ck_assert_int_eq(store_fsck_run(service.store, i, &watch, &tally), ERR_OK);
	service_rows(
		&service, operation_judge, judging,
		"SELECT HEX(o.id), o.kind, o.status, (SELECT COUNT(*) FROM exception e JOIN "
		"attempt a ON a.id = e.attempt_id WHERE a.operation_id = o.id AND e.kind = "
		"'late_success'), t.status, o.next_action, o.attempt_count, (SELECT "
		"COUNT(DISTINCT gateway) FROM attempt a WHERE a.operation_id = o.id), "
		"o.surplus, HEX(o.transaction_id), "
		"(SELECT COUNT(*) FROM operation c WHERE c.transaction_id = o.transaction_id AND "
		"c.kind = 'capture' AND c.status = 'parked') "
		"FROM operation o JOIN transaction t ON t.id = o.transaction_id");
	service_rows(&service, keys_judge, judging,
		     "SELECT HEX(operation_id), gateway, COUNT(DISTINCT gateway_key), "
		     "SUM(status = 'declined'), HEX(MAX(transaction_id)) FROM attempt GROUP BY "
		     "operation_id, gateway");
	service_rows(
		&service, transaction_judge, judging,
		"SELECT HEX(t.id), t.status, t.amount_minor, t.amount_captured, "
		"t.amount_refunded, COALESCE(SUM(IF(o.kind IN ('charge', 'capture') AND "
		"o.status = 'succeeded', o.amount_minor, 0)), 0), COALESCE(SUM(IF(o.kind = "
		"'refund' AND o.status = 'succeeded' AND o.surplus = 0, o.amount_minor, 0)), 0) "
		"FROM transaction t JOIN operation o ON o.transaction_id = t.id GROUP BY t.id");
}

/* --- what must have been met --- */

static void print_step(const struct coverage *coverage, enum schedule_step step, const char *name)
{
	const bool of_payment = step >= STEP_OF_PAYMENT;

	printf("%-15s", name);
	for (int state = 0; state < (of_payment ? TS_COUNT : AS_COUNT); state++)
		printf(" %s %" PRIu64,
		       words_text(of_payment ? transaction_status_words : attempt_status_words,
				  state),
		       coverage->states[step][state]);
	if (of_payment)
		printf(" | done %" PRIu64, coverage->done[step]);
	printf(" |");
	for (int kind = 0; kind < OPERATION_KIND_COUNT; kind++)
		printf(" %s %" PRIu64, words_text(operation_kind_words, kind),
		       coverage->kinds[step][kind]);
	printf("\n");
}

#define BIT(STATUS) (1u << (STATUS))
#define LIVE                                                                                       \
	(BIT(AS_PREPARED) | BIT(AS_SENT) | BIT(AS_ACCEPTED) | BIT(AS_REQUIRES_ACTION) |            \
	 BIT(AS_UNKNOWN))
#define ALL_KINDS ((1u << OPERATION_KIND_COUNT) - 1)
#define LEADING (BIT(OPERATION_CHARGE) | BIT(OPERATION_AUTHORISE) | BIT(OPERATION_PAYOUT))

/* clang-format off */
static const struct expected {
	const char *name;
	unsigned states; /* in which each of these must have been met */
	unsigned kinds;  /* and about each of these, of a payment: of its first operation */
	bool done;       /* and once agreed to */
} expected[STEP_COUNT] = {
	[STEP_SEND] =           { "send", BIT(AS_PREPARED) | BIT(AS_UNKNOWN), ALL_KINDS, false },
	[STEP_GIVE_UP] =        { "give up", BIT(AS_PREPARED) | BIT(AS_UNKNOWN), ALL_KINDS, false },
	[STEP_ARRIVE] =         { "arrive", BIT(AS_PREPARED) | BIT(AS_SENT) | BIT(AS_UNKNOWN),
		  ALL_KINDS, false },
	[STEP_LOSE] =           { "lose", BIT(AS_PREPARED) | BIT(AS_SENT) | BIT(AS_UNKNOWN),
		  ALL_KINDS, false },
	[STEP_ANSWER] =         { "answer", LIVE | BIT(AS_SUCCEEDED) | BIT(AS_DECLINED), ALL_KINDS,
		  false },
	[STEP_ANSWER_TWICE] =   { "answer twice", LIVE | BIT(AS_SUCCEEDED) | BIT(AS_DECLINED),
		  ALL_KINDS, false },
	[STEP_ASK] =            { "ask", BIT(AS_UNKNOWN) | BIT(AS_ACCEPTED) |
		  BIT(AS_REQUIRES_ACTION) |
				  BIT(AS_SUCCEEDED) | BIT(AS_DECLINED) | BIT(AS_NOT_FOUND),
				  ALL_KINDS, false },
	[STEP_ASK_AGAIN] =      { "ask again", BIT(AS_UNKNOWN) | BIT(AS_ACCEPTED) |
		  BIT(AS_REQUIRES_ACTION) |
				  BIT(AS_SUCCEEDED) | BIT(AS_DECLINED), ALL_KINDS, false },
	[STEP_ABANDON] =        { "abandon", LIVE | BIT(AS_SUCCEEDED) | BIT(AS_DECLINED), ALL_KINDS,
		  false },
	[STEP_MARK] =           { "mark", BIT(AS_PREPARED) | BIT(AS_UNKNOWN), ALL_KINDS, false },
	[STEP_CALLBACK] =       { "callback", LIVE | BIT(AS_SUCCEEDED) | BIT(AS_DECLINED),
		  ALL_KINDS, false },
	[STEP_CALLBACK_AGAIN] = { "callback again", BIT(AS_SUCCEEDED) | BIT(AS_DECLINED), ALL_KINDS,
		  false },
	[STEP_CALLBACK_STALE] = { "callback stale", LIVE | BIT(AS_SUCCEEDED) | BIT(AS_DECLINED),
		  ALL_KINDS, false },
	[STEP_CALLBACK_TURN] =  { "callback turn", LIVE | BIT(AS_SUCCEEDED) | BIT(AS_DECLINED),
		  ALL_KINDS, false },
	[STEP_HINT] =           { "hint", LIVE | BIT(AS_SUCCEEDED) | BIT(AS_DECLINED), ALL_KINDS,
		  false },
	[STEP_CALLBACK_WRONG] = { "callback wrong", LIVE | BIT(AS_SUCCEEDED) | BIT(AS_DECLINED),
		  ALL_KINDS, false },
	[STEP_REPLAY] =         { "replay", BIT(AS_SUCCEEDED) | BIT(AS_DECLINED) | BIT(AS_UNKNOWN),
		  LEADING, false },
	[STEP_DUPLICATE] =      { "duplicate", (1u << TS_COUNT) - 1, LEADING, true },
	[STEP_PROCESS] =        { "process", (1u << TS_COUNT) - 1, LEADING, true },
	[STEP_CAPTURE] =        { "capture", (1u << TS_COUNT) - 1, LEADING, true },
	[STEP_REFUND] =         { "refund", (1u << TS_COUNT) - 1, LEADING, true },
	[STEP_VOID] =           { "void", (1u << TS_COUNT) - 1, LEADING, true },
	[STEP_CANCEL] =         { "cancel", (1u << TS_COUNT) - 1, LEADING, true },
	[STEP_LOOK] =           { "look", (1u << TS_COUNT) - 1, LEADING, true },
	[STEP_RESOLVE] =        { "resolve", BIT(TS_COMPLETED) | BIT(TS_FAILED) | BIT(TS_PARKED),
		  LEADING, true },
	[STEP_RESUME] =         { "resume", BIT(TS_COMPLETED) | BIT(TS_FAILED) | BIT(TS_PARKED),
		  LEADING, true },
	[STEP_SURPLUS] =        { "surplus", BIT(TS_COMPLETED) | BIT(TS_FAILED) | BIT(TS_PARKED),
		  LEADING, true },
};
/* clang-format on */

static unsigned missing(const uint64_t *counts, unsigned count, unsigned wanted)
{
	unsigned missed = 0;

	for (unsigned i = 0; i < count; i++)
		missed += (wanted & BIT(i)) != 0 && counts[i] == 0;
	return missed;
}

static bool is_unmet(const uint64_t *counts)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < OPERATION_KIND_COUNT; kind++)
		sum += counts[kind];
	return sum == 0;
}

static void check_coverage(const struct coverage *coverage, bool many)
{
	unsigned missed = 0;

	for (int step = 0; step < STEP_COUNT; step++) {
		const struct expected *row = &expected[step];
		const unsigned here =
			many ? missing(coverage->states[step], AS_COUNT, row->states) +
					missing(coverage->kinds[step], OPERATION_KIND_COUNT,
						row->kinds) +
					(row->done && coverage->done[step] == 0)
			     : is_unmet(coverage->kinds[step]);

		print_step(coverage, (enum schedule_step)step, row->name);
		if (here > 0)
			printf("^ %u that must be met were not\n", here);
		missed += here;
	}
	printf("late successes %" PRIu64 ", given back %" PRIu64 ", fallbacks %" PRIu64
	       ", reversed %" PRIu64 ", returned %" PRIu64 ", parked %" PRIu64 "\n",
	       coverage->late, coverage->surplus, coverage->fallbacks, coverage->reversed,
	       coverage->returned, coverage->parked);
	fflush(stdout);
	ck_assert_uint_eq(missed, 0);
	ck_assert(!many ||
		  (coverage->late > 0 && coverage->surplus > 0 && coverage->fallbacks > 0 &&
		   coverage->reversed > 0 && coverage->returned > 0));
	ck_assert(coverage->parked > 0);
}

/* What is open in the end may be settled by people afterwards. */
static void play(struct judging *judging, unsigned rounds)
{
	for (unsigned round = 0; round < rounds; round++)
		theatre_round(judging->theatre);
	theatre_settle(judging->theatre);
	check(judging);
}

static uint64_t schedules_wanted(void)
{
	const char *text = getenv("PAYOPS_SCHEDULES");

	return text == NULL ? SCHEDULES : strtoull(text, NULL, 10);
}

START_TEST(whatever_happens_in_whatever_order_is_what_is_stored)
{
	const uint64_t seed = seed_start();
	const uint64_t wanted = schedules_wanted();
	struct coverage coverage = { .late = 0 };
	uint64_t batch_seed =
		seed; /* with this one alone, and PAYOPS_SCHEDULES=1, a batch repeats */
	uint64_t run = 0;

	theatre_open(theatre, &service, &coverage);
	for (; run < wanted; run += SCHEDULE_PAYMENTS) {
		struct judging judging = { theatre, batch_seed };

		theatre_begin(theatre, judging.seed);
		play(&judging, ROUNDS);
		play(&judging, ROUNDS_AFTERWARDS);
		theatre_end(theatre);
		batch_seed = seed_next(&batch_seed);
	}
	printf("claimed by either program: %" PRIu64 ", %" PRIu64 "\n", theatre->workers[0].claimed,
	       theatre->workers[1].claimed);
	theatre_close(theatre);
	check_coverage(&coverage, run >= SCHEDULES_MANY);
	printf("%" PRIu64 " schedules\n", run);
}
END_TEST

UNIT_MAIN("schedules", {
	service_require();
	tcase_set_timeout(tests, getenv("PAYOPS_SCHEDULES") != NULL ? 0 : 300);
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, whatever_happens_in_whatever_order_is_what_is_stored);
})
