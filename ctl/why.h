/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl why: the proof of a payment in words.
 *
 * Threads    main thread only
 */
#ifndef CTL_WHY_H
#define CTL_WHY_H

#include "ctl/command.h"

extern const struct command_options ctl_why_options;

/* Explains the transaction that call->argument names; returns the exit status (66: there is none). */
int ctl_why(const struct command_call *call);

#endif
