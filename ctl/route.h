/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl route: apply the file of rules, list them, and explain what they do with a payment.
 *
 * Invariant  an applied file replaces all rules, or nothing changes
 * Threads    main thread only
 */
#ifndef CTL_ROUTE_H
#define CTL_ROUTE_H

#include "ctl/command.h"

extern const struct command_options ctl_route_list_options;
extern const struct command_options ctl_route_explain_options;

int ctl_route_apply(const struct command_call *call); /* its options are ctl_apply_options */
int ctl_route_list(const struct command_call *call);
int ctl_route_explain(const struct command_call *call);

#endif
