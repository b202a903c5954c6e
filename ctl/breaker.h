/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl breaker: show the circuit breakers, and force them.
 *
 * Threads    main thread only
 */
#ifndef CTL_BREAKER_H
#define CTL_BREAKER_H

#include "ctl/command.h"

extern const struct command_options ctl_breaker_list_options;
extern const struct command_options ctl_breaker_force_options;

/* Print all; returns the exit status. */
int ctl_breaker_list(const struct command_call *call);

/*
 * Force the breakers of the gateway that call->argument names open or closed, or leave them to
 * themselves again: the one of the operation call->second, else all (open: but that of inquiries).
 * Return the exit status (65: no such operation, no reason; 66: no such gateway).
 */
int ctl_breaker_open(const struct command_call *call);
int ctl_breaker_close(const struct command_call *call);
int ctl_breaker_auto(const struct command_call *call);

#endif
