/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Due: claim operations whose time has come, and make the jobs that a dispatcher carries out.
 *
 * Invariant  an attempt row is committed before its job is returned, so that a socket never opens
 *            for an attempt the
 *            database does not know; a claim is a lease: its end is the operation's next action, so
 *            that another apid
 *            takes over after a crash; lease > send-by + total timeout + margin
 * Threads    safe
 */
#ifndef SERVICE_DUE_H
#define SERVICE_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/id.h"
#include "gateway/gateway.h"
#include "service/breakers.h"
#include "service/catalogue.h"
#include "service/choice.h"
#include "service/due_clock.h"
#include "service/vault.h"
#include "store/operation.h"
#include "store/store.h"

struct due_settings {
	struct catalogue *catalogue;
	const struct vault *vault;
	const char *callback_base; /* our public URL, no trailing slash */
	int64_t send_window_us;    /* from claim to send-by */
	int64_t lease_margin_us;
	struct breakers *breakers; /* NULL: every gateway is asked */
	struct choice_budgets *budgets; /* of the one thread that claims; NULL: no limit */
	struct room *room;              /* the same thread's; NULL: no limit */
	const struct due_clock *clock;  /* the same thread's; NULL: nobody sets the database's */
};

enum due_kind { DUE_SEND, DUE_ASK };

struct due_job {
	enum due_kind kind;
	bool lease_expired; /* with DUE_ASK: its sender was gone */
	const struct gateway *gateway;
	const struct catalogue_view *view; /* holds the gateway: due_job_done() */
	struct gateway_order order;
	int64_t lease_span_us;   /* of the attempt: from prepared to lease end */
	int64_t send_by_boot_us; /* with DUE_SEND: the sender gives up past it (boot clock) */
	int64_t claimed_at_us;   /* of the database's clock */
};

/*
 * Claim up to `limit` (<= OPERATION_CLAIM_MAX) due operations in one commit. *full (may be NULL): it took up as many as
 * it may, with or without a job for each, so more may be due.
 * Returns  ERR_OK with *count jobs; ERR_UNCERTAIN: forget this claim, its leases will end
 */
CHECKED enum err due_claim(struct store_pool *pool, const struct due_settings *settings,
			   size_t limit, struct due_job *jobs, size_t *count, bool *full);

/*
 * Let go of what a claimed job holds, and wipe it. Its room it has until whoever carries it out calls room_leave().
 */
void due_job_done(struct due_job *job);

/* Commit that the bytes of these attempts (1..DUE_MARK_MAX) have left while their answers are still awaited. */
#define DUE_MARK_MAX 64
CHECKED enum err due_mark_sent(struct store_pool *pool, const struct due_job *const *jobs,
			       size_t count);

#endif
