/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What tests of the use cases stand on: a scratch database on the server behind PAYOPS_TEST_SOCKET
 * (where root has no password), two merchants, a vault, one gateway with the real adapter, and rows
 * that are put into any state at once.
 *
 * Ownership  a struct service is the test program's; service_close() and service_drop() undo open and create
 * Threads    `pool` is safe; `store` and all functions here belong to the test's own thread
 */
#ifndef TESTS_SERVICE_FIXTURE_H
#define TESTS_SERVICE_FIXTURE_H

#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/gateway.h"
#include "service/batch.h"
#include "service/callback.h"
#include "service/catalogue.h"
#include "service/due.h"
#include "service/outcome.h"
#include "service/vault.h"
#include "store/attempt.h"
#include "store/callback.h"
#include "store/event.h"
#include "store/operation.h"
#include "store/store.h"
#include "store/transaction.h"

#define SERVICE_MERCHANT "shop"
#define SERVICE_OTHER_MERCHANT "other"
#define SERVICE_GATEWAY "alpha"
#define SERVICE_TOKEN "tok_ok"
#define SERVICE_AMOUNT INT64_C(1050)
#define SERVICE_CURRENCY "USD"
#define SERVICE_POOL_SIZE 16
#define SERVICE_WAIT_MS 10000

#define SECOND_US INT64_C(1000000)
#define SERVICE_NOW_US INT64_C(1767225600000000) /* 2026-01-01: where tests stop the clock */
#define SERVICE_QUIET_US (2 * SECOND_US)
#define SERVICE_CALLBACK_WAIT_US (15 * SECOND_US)
#define SERVICE_AUTHORISATION_US (3600 * SECOND_US)
#define SERVICE_TIMEOUT_MS 30000
#define SERVICE_SEND_WINDOW_US (5 * SECOND_US)
#define SERVICE_LEASE_MARGIN_US (4 * SECOND_US)

struct service {
	char name[64]; /* of the database */
	struct store_settings database;
	struct store_pool *pool;
	struct batch *callbacks; /* what receives them */
	struct store *store; /* a connection beside the pool, whose clock may stand still */
	struct vault vault;
	struct gateway_set gateways; /* what the catalogue was made of, by service_publish() */
	struct catalogue_view *view; /* the catalogue's, for tests that route otherwise */
	struct due_settings due;
	void *beside; /* the connection of service_rows(), once it was called */
};

/* Ends the program with 77 (skipped) where there is no server. */
void service_require(void);

/* For unchecked fixtures: the database payops_test_<name>_<pid> with our schema, and its end. */
void service_create(struct service *service, const char *name);
void service_drop(struct service *service);

/* For checked fixtures: no rows but the merchants', and everything a use case takes. */
void service_open(struct service *service);
void service_close(struct service *service);

/*
 * Make a catalogue of `gateways` with one rule, the default, that tries them in that order. It takes
 * the place of the one before.
 */
void service_publish(struct service *service);

/* Add a gateway like the first, by this name; to be published. */
void service_add_gateway(struct service *service, const char *name);

/* Stop the clock of `store`'s session at a time. */
void service_stop_clock(struct service *service, int64_t now_us);

/* What the clock of `store`'s session shows. */
int64_t service_now(struct service *service);

/* Run a statement on a connection of its own, for what lib/store has no function; it must succeed. */
void service_do(const struct service *service, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same; returns the first cell of its result as a number. */
long long service_number(const struct service *service, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same for each row of its result, NULL cells as ""; on one connection, which is kept. */
void service_rows(struct service *service, void (*each)(void *context, char **row), void *context,
		  const char *text);

/* One payment with its operation and an attempt; without_attempt: none is there. */
struct story {
	struct transaction_row transaction;
	struct operation_row operation;
	struct attempt_row attempt;
	bool without_attempt;
};

/*
 * A payment that was just accepted at `now_us`: pending, to be sent now, its token sealed. Ids are
 * new each time. story_attempt() moves it on: an attempt in this status, the operation in that one,
 * all as it would have come about (its lease is over, what is open is open since then).
 */
struct story story_pending(const struct service *service, int64_t now_us);
struct story story_attempt(const struct service *service, enum attempt_status attempt,
			   enum operation_status operation, int64_t now_us);

/*
 * What else is asked for a payment (a capture, void or refund of all of it, about the parent's attempt): its own
 * operation and attempt beside the same transaction. story_part_put() commits these two alone.
 */
struct story story_part(const struct story *parent, enum operation_kind kind,
			enum attempt_status attempt, enum operation_status operation);
void story_part_put(struct service *service, const struct story *story);

/* An authorisation that succeeded, of which nothing is captured. */
struct story story_authorised(const struct service *service, int64_t now_us);

/* Commit the rows of a story, with one event per version of the transaction; read them again. */
void story_put(struct service *service, const struct story *story);
void story_get(struct service *service, struct story *story);

/* The latest event, after checking that sequences run from 1 to the transaction's version without a gap. */
struct event_row story_last_event(struct service *service, const struct story *story);

/* What a gateway says about an attempt, and how we came to hear it. */
struct telling {
	enum outcome_source source;
	struct gateway_answer answer;
	const struct gateway *gateway; /* NULL: the fixture's */
	bool unconfirmed;              /* by this process's own clock */
	int64_t age_us;                /* since it was asked for */
};

/* An answer with this event; a decline has a code, and is final unless it is made retryable. */
struct gateway_answer service_answer(enum attempt_event event);

/* outcome_apply() in a committed transaction of `store`; *effect is written on ERR_OK only. */
enum err service_apply(struct service *service, const struct outcome_report *report,
		       enum outcome_effect *effect);

/* callback_receive() with the fixture's committers and patience. */
enum err service_deliver(struct service *service, const struct callback_delivery *delivery,
			 enum callback_outcome *outcome, enum callback_result *result);

/* due_mark_sent() of one job. */
enum err service_mark(struct service *service, const struct due_job *job);

/* Apply it to the story's attempt under call id "call_1", commit, and read the rows again. */
enum outcome_effect story_tell(struct service *service, struct story *story,
			       const struct telling *telling);

/* Open exceptions of a kind; the transaction's attempts. */
long long story_exceptions(const struct service *service, const struct story *story,
			   enum exception_kind kind);
long long story_attempts(const struct service *service, const struct story *story);

/*
 * Run `each` on `count` elements of `contexts`, one thread each, all started at once; returns when
 * all have ended.
 */
void service_together(size_t count, void *(*each)(void *context), void *contexts, size_t size);

#endif
