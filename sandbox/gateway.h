/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gateway: one played gateway's port, and the mode it is in.
 *
 * Units      milliseconds
 * Ownership  a gateway borrows what its operations point to; it owns its server
 * Threads    safe once open; gateway_mode_set() calls are made one after the other inside
 */
#ifndef SANDBOX_GATEWAY_H
#define SANDBOX_GATEWAY_H

#include <stdint.h>
#include <sys/socket.h>

#include "core/err.h"
#include "core/transition.h"
#include "sandbox/operations.h"

#define GATEWAY_MODE_MAX_MS 120000

enum gateway_mode {
	GATEWAY_OK,
	GATEWAY_DOWN, /* the port is closed: connecting is refused */
	GATEWAY_SLOW, /* every answer is delayed by ms */
	GATEWAY_5XX,  /* answers 500 without doing anything */
	GATEWAY_HANG, /* takes requests, does nothing and never answers */
};
extern const struct words gateway_mode_words;

struct gateway;

struct gateway_state {
	enum gateway_mode mode;
	int ms;
	uint64_t requests; /* since the start */
	uint64_t charges;  /* that succeeded, ever */
};

/*
 * Open the port and serve; both arguments are copied.
 * Returns  ERR_OK with *gateway; ERR_IO (the port is taken), ERR_MEMORY
 */
CHECKED enum err gateway_open(const struct sockaddr_storage *address,
			      const struct operations *operations, struct gateway **gateway);

/* Close the port, end all requests, free. Accepts NULL. */
void gateway_close(struct gateway *gateway);

/*
 * Change the mode; with GATEWAY_DOWN all connections are broken and the port is closed on return,
 * with any other it is open. Returns ERR_OK; ERR_IO, ERR_MEMORY: the port cannot be opened, the
 * gateway stays down
 */
CHECKED enum err gateway_mode_set(struct gateway *gateway, enum gateway_mode mode, int ms);

struct gateway_state gateway_state_get(struct gateway *gateway);

#endif
