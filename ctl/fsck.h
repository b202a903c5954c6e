/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl fsck: does what is stored keep the invariants?
 *
 * Threads    main thread only
 */
#ifndef CTL_FSCK_H
#define CTL_FSCK_H

#include "ctl/command.h"

extern const struct command_options ctl_fsck_options;

/*
 * Prints a line for each check and each row that is wrong on stdout; how far it is on stderr, where that is a terminal.
 * Returns  the exit status: 0 where all rows are right, that of ERR_INVALID where one is wrong, else that of what the
 *          database answered
 */
int ctl_fsck(const struct command_call *call);

#endif
