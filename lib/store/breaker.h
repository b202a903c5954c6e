/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of breaker: the circuit breakers of all gateways, as all apids know them.
 *
 * Invariant  the state is written by who changed the version he had read; an operator's force
 *            leaves the state alone
 * Units      microseconds of the database clock
 * Threads    as the store transaction passed in
 */
#ifndef STORE_BREAKER_H
#define STORE_BREAKER_H

#include <stddef.h>
#include <stdint.h>

#include "core/breaker.h"
#include "core/id.h"
#include "store/store.h"

#define BREAKER_GATEWAY_SIZE 33
#define BREAKER_REASON_SIZE 801 /* 200 code points */
#define BREAKER_BY_SIZE 65
#define BREAKER_ROWS_MAX 448 /* 64 gateways, seven operations each */

struct breaker_row {
	char gateway[BREAKER_GATEWAY_SIZE];
	enum breaker_operation operation;
	struct breaker breaker;
	struct id probe_by; /* half open: the process that has the probe */
	/* With a force: */
	char forced_reason[BREAKER_REASON_SIZE];
	char forced_by[BREAKER_BY_SIZE];
	int64_t forced_at_us;
	uint32_t version; /* 0: there is no row yet */
};

/* Read up to BREAKER_ROWS_MAX rows, by gateway and operation. */
CHECKED enum err store_breaker_list(struct store_tx *tx, struct breaker_row *rows, size_t *count);

/*
 * Write the state (not the force) of a row whose stored version is row->version, and raise that by
 * one. Where it is another by now, nothing is changed: read it to see.
 */
CHECKED enum err store_breaker_write(struct store_tx *tx, const struct breaker_row *row);

/* Write the force (not the state), with reason, by whom and when. */
CHECKED enum err store_breaker_force(struct store_tx *tx, const struct breaker_row *row);

/* Take a force back. ERR_OK too where there is none. */
CHECKED enum err store_breaker_release(struct store_tx *tx, const char *gateway,
				       enum breaker_operation operation);

#endif
