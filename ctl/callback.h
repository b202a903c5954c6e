/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl callback: what gateways have sent, and applying it again.
 *
 * Threads    main thread only
 */
#ifndef CTL_CALLBACK_H
#define CTL_CALLBACK_H

#include "ctl/command.h"

extern const struct command_options ctl_callback_list_options;
extern const struct command_options ctl_callback_replay_options;

/* Return the exit status (66: there is no such gateway or callback). */
int ctl_callback_list(const struct command_call *call);
int ctl_callback_replay(const struct command_call *call);

#endif
