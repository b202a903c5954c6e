/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Control: the sandbox's own port, where tests read the ledger and switch the gateways' modes.
 *
 * Ownership  borrows everything
 * Threads    safe
 */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include "sandbox/answer.h"
#include "sandbox/callback.h"
#include "sandbox/gateway.h"
#include "sandbox/http.h"
#include "sandbox/ledger.h"
#include "sandbox/profile.h"

struct control {
	struct ledger *ledger;
	struct callback_queue *callbacks;
	struct gateway *gateways[PROFILE_COUNT]; /* by profile */
	const char *settlement_directory;
	int port;
};

/* An http_serve whose context is a struct control. */
void control_serve(void *context, struct http_exchange *exchange, struct answer *answer);

#endif
