/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl keys: files of random bytes for token_keys, seal_keys and vault.hash_key_file; what is sealed with which of
 * seal_keys, and sealing all of it with the first one.
 *
 * Threads    main thread only
 */
#ifndef CTL_KEYS_H
#define CTL_KEYS_H

#include "ctl/command.h"

extern const struct command_options ctl_keys_new_options;
extern const struct command_options ctl_keys_status_options;
extern const struct command_options ctl_keys_rotate_options;

/* Makes the file that call->argument names, readable by its owner alone; returns the exit status (65: it exists). */
int ctl_keys_new(const struct command_call *call);

/* Count per key and column; the exit status is that of a wrong configuration (78) where a key in use is not there. */
int ctl_keys_status(const struct command_call *call);

/* Seal all anew under load; the exit status is 0 where nothing is left of the other keys. */
int ctl_keys_rotate(const struct command_call *call);

#endif
