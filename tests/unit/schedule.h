/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random schedules: many payments at once, and what may happen to each of them and around it, one step at a time: two
 * programs that claim, senders that stall or die, answers that are lost, late or recorded twice, questions, callbacks
 * of every kind, gateways that change their mind, merchants, people, and clocks that somebody sets. The gateways are
 * the sandbox's own, without a network; every use case is the one that apid calls.
 *
 * Invariant  what happens follows from the seed alone
 * Threads    one, beside the committers
 */
#ifndef TESTS_SCHEDULE_H
#define TESTS_SCHEDULE_H

#include <pthread.h>
#include <semaphore.h>

#include "apid/quiet.h"
#include "core/transaction.h"
#include "service/record.h"
#include "tests/unit/sandbox_model.h"
#include "tests/unit/seed.h"
#include "tests/unit/service_fixture.h"

#define SCHEDULE_PAYMENTS 64 /* at once */
#define SCHEDULE_FLIGHTS 64  /* of one payment */
#define SCHEDULE_ENTRIES 48
#define SCHEDULE_EXCEPTIONS 8
#define SCHEDULE_TELLINGS 1024
#define SCHEDULE_WORKERS 2

/* What becomes of a call to a gateway: an attempt that is sent, or a question about one. */
enum flight_stage {
	FLIGHT_HELD,    /* claimed: it may still be too late */
	FLIGHT_FLYING,  /* on its way */
	FLIGHT_ARRIVED, /* the gateway did it, and answered */
	FLIGHT_OVER,    /* recorded, or nobody is left to record it */
};

struct flight {
	struct due_job job; /* holds nothing: the catalogue outlives it */
	enum flight_stage stage;
	unsigned worker;
	bool abandoned; /* its sender died: nobody will record the answer */
	bool marked;
	int64_t started_boot_us;
	int64_t sent_boot_us;
	struct gateway_answer answer; /* FLIGHT_ARRIVED */
	enum attempt_status status;   /* of its attempt, when it was looked at last */
};

/* A success at a gateway, or what may become one. */
struct deed {
	struct entry *entry;
	const struct gateway *gateway;
	bool never;    /* it stays open, however long one waits */
	bool turned;   /* it became what nobody expected, and that will be told */
	unsigned told; /* callbacks about its verdict */
	unsigned turn_told;
	enum attempt_status status; /* of its attempt, when it was looked at last */
};

struct payment {
	struct id id;
	char key[32];
	struct payment_request request;
	enum transaction_kind kind;
	enum transaction_status status; /* as all below: when it was looked at last */
	struct flight flights[SCHEDULE_FLIGHTS];
	size_t flight_count;
	struct deed deeds[SCHEDULE_ENTRIES];
	size_t deed_count;
	struct id exceptions[SCHEDULE_EXCEPTIONS]; /* open ones */
	size_t exception_count;
	char callback_key[GATEWAY_CALLBACK_ID_SIZE]; /* of the latest one */
	const struct gateway *callback_gateway;
};

/* One of two programs: what it remembers of attempts dies with it. */
struct worker {
	struct quiet quiet;
	struct due_clock clock;
	uint64_t claimed;
};

struct telling_record {
	struct record record; /* first */
	struct gateway_answer answer;
};

/* What happened to what: the rows of what must be met (test_schedules.c). */
enum schedule_step {
	STEP_SEND,
	STEP_GIVE_UP,
	STEP_ARRIVE,
	STEP_LOSE,
	STEP_ANSWER,
	STEP_ANSWER_TWICE,
	STEP_ASK,
	STEP_ASK_AGAIN,
	STEP_ABANDON,
	STEP_MARK,
	STEP_CALLBACK,
	STEP_CALLBACK_AGAIN,
	STEP_CALLBACK_STALE,
	STEP_CALLBACK_TURN,
	STEP_HINT,
	STEP_CALLBACK_WRONG,
	STEP_REPLAY,
	/* from here on about the payment itself */
	STEP_DUPLICATE,
	STEP_PROCESS,
	STEP_CAPTURE,
	STEP_REFUND,
	STEP_VOID,
	STEP_CANCEL,
	STEP_LOOK,
	STEP_RESOLVE,
	STEP_RESUME,
	STEP_SURPLUS,
};
#define STEP_COUNT 27
#define STEP_OF_PAYMENT STEP_DUPLICATE

/* How often each step met each state: of the attempt it was about, or of the payment; and each kind of operation. */
struct coverage {
	uint64_t states[STEP_COUNT][AS_COUNT];
	uint64_t kinds[STEP_COUNT][OPERATION_KIND_COUNT];
	uint64_t done[STEP_COUNT]; /* of a merchant's or person's: what was agreed to */
	uint64_t ends[TS_COUNT][OPERATION_KIND_COUNT];
	uint64_t fallbacks, late, surplus, reversed, returned, parked;
};

struct theatre {
	struct service *service;
	struct sandbox_model model;
	struct batch *intake;
	struct batch *records;
	struct record_settings record_settings;
	sem_t recorded;
	uint64_t random;
	char forgetful; /* the first letter of a gateway that forgets for a moment, until then */
	int64_t forgetful_until_us;
	unsigned forgot; /* bits: who did so before */
	struct worker workers[SCHEDULE_WORKERS];
	struct payment payments[SCHEDULE_PAYMENTS];
	struct telling_record tellings[SCHEDULE_TELLINGS];
	size_t telling_count;
	struct coverage *coverage;
};

/* The committers, and their end. */
void theatre_open(struct theatre *theatre, struct service *service, struct coverage *coverage);
void theatre_close(struct theatre *theatre);

/* New payments and empty gateways; what is left of those before is removed. */
void theatre_begin(struct theatre *theatre, uint64_t seed);
void theatre_end(struct theatre *theatre);

/* A round: time passes, programs claim, each payment meets one thing. */
void theatre_round(struct theatre *theatre);

/* Everything is delivered, answered and waited for, until nothing is under way any more. */
void theatre_settle(struct theatre *theatre);

/* What schedule.c and schedule_step.c share. */
unsigned theatre_draw(struct theatre *theatre, unsigned sides);
bool theatre_chance(struct theatre *theatre, unsigned one_in);
void theatre_claim(struct theatre *theatre, unsigned worker, size_t limit);
void theatre_pass(struct theatre *theatre, int64_t span_us);
void theatre_flush(struct theatre *theatre);
void theatre_look(struct theatre *theatre);

void schedule_count(struct theatre *theatre, enum schedule_step step, int state,
		    enum operation_kind kind);
void flight_go_on(struct theatre *theatre, struct payment *payment, struct flight *flight);
void deed_call_back(struct theatre *theatre, struct payment *payment, struct deed *deed,
		    enum schedule_step step);

/* One thing that may happen to a payment, drawn by weight. */
void payment_step(struct theatre *theatre, struct payment *payment);

#endif
