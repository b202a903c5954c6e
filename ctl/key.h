/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl key: API keys of merchants' programs.
 *
 * Invariant  a secret is printed once, when the key is made and committed, and is nowhere else
 * Threads    main thread only
 */
#ifndef CTL_KEY_H
#define CTL_KEY_H

#include "ctl/command.h"

extern const struct command_options ctl_key_issue_options;
extern const struct command_options ctl_key_list_options;
extern const struct command_options ctl_key_rotate_options;
extern const struct command_options ctl_key_revoke_options;

/* These print the key and nothing else on stdout; return the exit status. */
int ctl_key_issue(const struct command_call *call);
int ctl_key_rotate(const struct command_call *call);

int ctl_key_list(const struct command_call *call);
int ctl_key_revoke(const struct command_call *call);

#endif
