/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Breakers: the circuit breakers of all gateways in this process's memory, and the exchange of their
 * states with the table that all apids share.
 *
 * Invariant  calls are counted in memory only; a change of state is in force here at once, elsewhere
 *            after an exchange; of all processes one has the probe of a half open breaker, and it
 *            lets one call go
 * Units      microseconds of the database clock, as breakers_now_us() has it
 * Ownership  settings and pool are borrowed until breakers_free()
 * Threads    safe; what is allowed is claimed by one thread. No I/O under its mutex, and none at all
 *            but in breakers_new() and breakers_refresh()
 */
#ifndef SERVICE_BREAKERS_H
#define SERVICE_BREAKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/breaker.h"
#include "core/err.h"
#include "gateway/gateway.h"
#include "store/store.h"

#define BREAKERS_GATEWAYS_MAX 64 /* one more is never refused anything */

struct breakers_settings {
	struct breaker_rules rules;
	const struct gateway_set *gateways; /* those of the start; only breakers_new() reads them */
	int64_t probe_margin_us; /* how long a probe may take beside its gateway's total timeout */
	int refresh_ms;          /* how often the states are exchanged; a change goes out at once */
};

struct breakers;

/*
 * Make them, and read what is remembered.
 * Returns  ERR_OK with *breakers; ERR_MEMORY; what the database answered
 */
CHECKED enum err breakers_new(const struct breakers_settings *settings, struct store_pool *pool,
			      struct breakers **breakers);

/* Go by other rules and times from now on; states and counts stay. */
void breakers_tune(struct breakers *breakers, const struct breakers_settings *settings);

/* Start the thread that exchanges states. Returns ERR_OK; ERR_MEMORY. */
CHECKED enum err breakers_start(struct breakers *breakers);

/* Stop the thread, free. Accepts NULL. */
void breakers_free(struct breakers *breakers);

/* A claim begins, or begins again: what the one before was allowed and did not send is taken back. */
void breakers_claim(struct breakers *breakers);

/*
 * Whether a call may go to a gateway now. Ask about the gateway that is taken if it is allowed: true
 * may be the one probe.
 * Returns  true; false with *again_at_us, when to ask again: those who wait get times of their own
 */
bool breakers_allow(struct breakers *breakers, const char *gateway,
		    enum breaker_operation operation, int64_t now_us, int64_t *again_at_us);

/* What was allowed is on its way. */
void breakers_sent(struct breakers *breakers, const char *gateway,
		   enum breaker_operation operation);

/* A call is over. */
void breakers_count(struct breakers *breakers, const char *gateway,
		    enum breaker_operation operation, const struct breaker_call *call);

/* The database's clock, told by this machine's since the last exchange. */
int64_t breakers_now_us(const struct breakers *breakers);

/* The state that calls meet; asking changes nothing. */
enum breaker_state breakers_state(struct breakers *breakers, const char *gateway,
				  enum breaker_operation operation);

/* The states of all, by gateway and operation. Returns how many were written, at most `max`. */
struct breakers_figure {
	char gateway[GATEWAY_NAME_SIZE];
	enum breaker_operation operation;
	enum breaker_state state;
};
size_t breakers_list(struct breakers *breakers, struct breakers_figure *list, size_t max);

/*
 * Write what changed here, unless another process was faster, and read what changed elsewhere. For
 * the thread, and for tests; one at a time.
 */
CHECKED enum err breakers_refresh(struct breakers *breakers);

#endif
