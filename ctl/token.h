/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl token: access tokens for clients of apid, signed with a key of the configuration.
 *
 * Threads    main thread only
 */
#ifndef CTL_TOKEN_H
#define CTL_TOKEN_H

#include "ctl/command.h"

extern const struct command_options ctl_token_issue_options;

/* Prints the token and nothing else on stdout; returns the exit status. */
int ctl_token_issue(const struct command_call *call);

#endif
