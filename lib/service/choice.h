/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Choice: at which gateway an operation is tried next, when, and when it is given up.
 *
 * Invariant  nothing is chosen while an earlier attempt is not definitely uncharged. The next candidate
 *            of the route at once after what another gateway may see otherwise; the same one again
 *            after "not found", and otherwise only when no other is left, 2, 4 and 8 s later and
 *            within the gateway's budget. Where a gateway has no room for another call it is waited
 *            for, since it is well, only busy. A gateway's idempotency key rises with each definite
 *            decline at that gateway, and with nothing else
 * Units      microseconds of the database clock
 * Ownership  plain values; gateways belong to the view
 * Threads    budgets belong to the one thread that claims
 * Source     DESIGN.md: States, Routing, Retry
 */
#ifndef SERVICE_CHOICE_H
#define SERVICE_CHOICE_H

#include <stdint.h>

#include "core/budget.h"
#include "service/breakers.h"
#include "service/catalogue.h"
#include "service/room.h"
#include "store/attempt.h"
#include "store/operation.h"
#include "store/transaction.h"

/* Retries at each gateway. All bytes 0 is new. */
struct choice_budgets {
	size_t count;
	struct {
		char gateway[GATEWAY_NAME_SIZE];
		struct budget budget;
	} list[GATEWAYS_MAX];
};

struct choice_request {
	const struct catalogue_view *view;
	struct breakers *breakers;      /* NULL: none is open */
	struct choice_budgets *budgets; /* NULL: there is always some left */
	struct room *room;              /* NULL: there is always some */
	int64_t boot_us;                /* the moment on the boot clock, by which room is kept */
	const struct transaction_row *transaction;
	const struct operation_row *operation;
	/* Of a capture, void or refund: the attempt whose money it is about. It goes to that gateway. */
	const struct attempt_row *parent;
	int64_t now_us;
};

enum choice_outcome {
	CHOICE_SEND,
	CHOICE_WAIT, /* nothing is done before again_at_us */
	CHOICE_FAIL, /* it is used up, or nothing takes it any more */
};

#define CHOICE_CANDIDATES_SIZE 256

struct choice {
	enum choice_outcome outcome;
	int64_t again_at_us;  /* with CHOICE_WAIT */
	const char *failure;  /* with CHOICE_FAIL: a failure code */
	const struct gateway *gateway; /* with CHOICE_SEND, as below */
	char account[GATEWAY_ACCOUNT_SIZE];
	unsigned key_number; /* n of the gateway's idempotency key */
	bool is_retry;       /* the same gateway again */
	char rule[ROUTING_NAME_SIZE]; /* "" where it goes to its parent's gateway */
	char candidates[CHOICE_CANDIDATES_SIZE];
};

/*
 * Choose for an operation that is locked and due to be sent.
 * Returns  ERR_OK; ERR_CONFLICT where an attempt may have charged; what the database answered
 */
CHECKED enum err choice_make(struct store_tx *tx, const struct choice_request *request,
			     struct choice *choice);

/* What routing knows of a stored transaction. */
struct routing_facts choice_facts(const struct transaction_row *transaction,
				  enum operation_kind operation, int64_t now_us);

#endif
