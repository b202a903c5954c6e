/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Handshakes: TLS handshakes that failed are counted, and told in the log.
 *
 * Invariant  all are counted; a client's failures of one kind are one line in HANDSHAKES_QUIET_US, and those of all
 *            clients HANDSHAKES_SLOTS lines of each kind at most; the next line says how many had none
 * Units      microseconds of the boot clock
 * Ownership  handshakes_free()
 * Threads    safe
 */
#ifndef APID_HANDSHAKES_H
#define APID_HANDSHAKES_H

#include <stdbool.h>
#include <stdint.h>

#include "apid/http.h"
#include "apid/metrics.h"

#define HANDSHAKES_QUIET_US (INT64_C(60) * 1000000)
#define HANDSHAKES_SLOTS 64

struct handshakes;

/* `metrics` is borrowed until handshakes_free(). */
CHECKED enum err handshakes_new(struct metrics *metrics, struct handshakes **handshakes);

/* Accepts NULL. */
void handshakes_free(struct handshakes *handshakes);

/* An http_tls_failed. */
void handshakes_failed(void *handshakes, const struct http_tls_failure *failure);

/* Whether it gets a line; *left_out: how many got none since the line before. */
bool handshakes_is_told(struct handshakes *handshakes, const struct http_tls_failure *failure,
			int64_t now_boot_us, int64_t *left_out);

#endif
