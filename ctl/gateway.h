/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl gateway: apply the file of gateways and accounts, list them, and say which take part.
 *
 * Invariant  an applied file is taken as a whole or not at all; a gateway that is no longer in it is
 *            disabled, never deleted: its attempts are still asked about
 * Threads    main thread only
 */
#ifndef CTL_GATEWAY_H
#define CTL_GATEWAY_H

#include "ctl/command.h"

extern const struct command_options ctl_apply_options;
extern const struct command_options ctl_gateway_list_options;
extern const struct command_options ctl_gateway_state_options;
extern const struct command_options ctl_gateway_maintain_options;

/* The table of --dry-run in ctl_apply_options. */
enum { APPLY_DRY_RUN = 4 };

int ctl_gateway_apply(const struct command_call *call);
int ctl_gateway_list(const struct command_call *call);
int ctl_gateway_enable(const struct command_call *call);
int ctl_gateway_drain(const struct command_call *call);
int ctl_gateway_disable(const struct command_call *call);
int ctl_gateway_maintain(const struct command_call *call);

#endif
