/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl merchant: who takes payments.
 *
 * Threads    main thread only
 */
#ifndef CTL_MERCHANT_H
#define CTL_MERCHANT_H

#include "ctl/command.h"

extern const struct command_options ctl_merchant_add_options;

/* Adds the merchant that call->argument names; returns the exit status (65: it exists, without --if-absent). */
int ctl_merchant_add(const struct command_call *call);

#endif
