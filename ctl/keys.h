/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl keys: files of random bytes for token_keys, seal_keys and vault.hash_key_file.
 *
 * Threads    main thread only
 */
#ifndef CTL_KEYS_H
#define CTL_KEYS_H

#include "ctl/command.h"

extern const struct command_options ctl_keys_new_options;

/* Makes the file that call->argument names, readable by its owner alone; returns the exit status (65: it exists). */
int ctl_keys_new(const struct command_call *call);

#endif
