/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl exception: what waits for a human, who settles it, and how it was settled.
 *
 * Threads    main thread only
 */
#ifndef CTL_EXCEPTION_H
#define CTL_EXCEPTION_H

#include "ctl/command.h"

extern const struct command_options ctl_exception_list_options;
extern const struct command_options ctl_exception_show_options;
extern const struct command_options ctl_exception_own_options;
extern const struct command_options ctl_exception_refund_options;
extern const struct command_options ctl_exception_resolve_options;

/* Return the exit status (66: there is no such exception; 65: it is not as the command needs it). */
int ctl_exception_list(const struct command_call *call);
int ctl_exception_show(const struct command_call *call);
int ctl_exception_own(const struct command_call *call);
int ctl_exception_refund(const struct command_call *call);
int ctl_exception_resolve(const struct command_call *call);

#endif
