/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Change: the one place where statuses move. One step of a transaction, with its operation and
 * attempt, its event and its postings.
 *
 * Invariant  rows are locked in the order operation, transaction, attempt; every step raises the
 *            transaction's version by one and writes one event of that sequence, and the ledger's
 *            entries, in the same commit; the tables of lib/core decide what is allowed, and what a
 *            step of an operation does to its transaction
 * Ownership  the rows stay the caller's; a step is a plain value
 * Threads    as the store transaction passed in
 */
#ifndef SERVICE_CHANGE_H
#define SERVICE_CHANGE_H

#include <stdint.h>

#include "core/posting.h"
#include "core/version.h"
#include "store/attempt.h"
#include "store/event.h"
#include "store/operation.h"
#include "store/transaction.h"

struct change {
	struct transaction_row *transaction;
	struct operation_row *operation;
	struct attempt_row *attempt; /* NULL: the step concerns none */
	int transaction_from;
	int operation_from;
	int attempt_from;
	bool attempt_is_new;     /* insert it instead of updating */
	bool operation_is_new;   /* the same */
	enum posting_late late;  /* what was learned of a success of what was decided otherwise */
	const char *type;        /* "attempt_accepted": the event's type, a literal */
	const char *reason;      /* short words or "" */
	const char *api_call_id; /* "" when no call caused it */
	int64_t now_us;          /* of the database clock */
};

/* Start a step on locked rows, remembering their statuses. */
struct change change_begin(struct transaction_row *transaction, struct operation_row *operation,
			   struct attempt_row *attempt, int64_t now_us);

/* The same for an operation that is new: it is inserted. */
struct change change_begin_new(struct transaction_row *transaction, struct operation_row *operation,
			       int64_t now_us);

/*
 * Lock a merchant's transaction and one of its operations, in the order of all locks.
 * Returns  ERR_OK with both rows and the database's time; ERR_NOT_FOUND: no such one, or another merchant's; ERR_STALE:
 *          it is none of the wanted versions (NULL: any will do)
 */
struct change_target {
	const char *merchant;
	struct id transaction_id;
	struct id operation_id; /* empty: its money operation */
	const struct version_match *wanted;
};
CHECKED enum err change_lock(struct store_tx *tx, const struct change_target *target,
			     struct operation_row *operation, struct transaction_row *transaction,
			     int64_t *now_us);

/*
 * Move the operation, and by core/consequence.h its transaction's status and sums, or the attempt.
 * Returns  ERR_OK with the rows changed in memory; ERR_STATE where a table refuses it (rows untouched)
 */
CHECKED enum err change_operation(struct change *change, enum operation_event event);
CHECKED enum err change_attempt(struct change *change, enum attempt_event event);

/* Say why it waits or ended ("": no more): on the transaction where the operation leads it, else on itself. */
void change_reason(struct change *change, const char *reason);

/* The operation has failed, for this reason. Returns as change_operation(). */
CHECKED enum err change_fail(struct change *change, const char *reason);

/* Automatic ways are used up, for this reason: a human decides. Returns as change_operation(). */
CHECKED enum err change_park(struct change *change, const char *reason);

/*
 * End what was certainly not charged, for this reason: what is pending becomes cancelled; what is
 * processing, or was parked, has failed. Only while no attempt is live. Returns as change_operation().
 */
CHECKED enum err change_withdraw(struct change *change, const char *reason);

#define REASON_CANCELLED_BY_CLIENT "cancelled_by_client"
#define REASON_EXPIRED "expired"
#define REASON_VOIDED "voided"

/*
 * How many open exceptions stop this operation: of its transaction all, but what gives money back or lets it go is
 * stopped only by those about its own kind, and a refund by those that fit no attempt, which may be about one.
 */
CHECKED enum err change_stoppers(struct store_tx *tx, const struct operation_row *operation,
				 int64_t *count);

/* Set when and what happens next to the operation; NEXT_NONE takes no time. */
void change_next(struct change *change, enum next_action action, int64_t at_us);

/*
 * What a written step says in the log, kept until its commit: a step that was rolled back is not
 * logged.
 */
struct change_note {
	char type[EVENT_TYPE_SIZE]; /* "": nothing was written */
	char reason[REASON_SIZE];
	struct id transaction_id;
	struct id attempt_id; /* empty: none */
	enum transaction_status status;
};

/*
 * Write rows, event and postings, fill *note. The store transaction's caller commits, then calls
 * change_log().
 */
CHECKED enum err change_write(struct store_tx *tx, struct change *change, struct change_note *note);

/* Write what the ledger has to say of a step, which follows from the step alone. change_write() does it by itself. */
CHECKED enum err change_post(struct store_tx *tx, const struct change *change,
			     const struct event_row *event);

/* One line for a committed step; nothing for an empty note. */
void change_log(const struct change_note *note);

#endif
