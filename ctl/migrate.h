/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payopsctl migrate: bring the database's schema to this build's version, and give database users their rights.
 *
 * Threads    main thread only
 */
#ifndef CTL_MIGRATE_H
#define CTL_MIGRATE_H

#include "ctl/command.h"

extern const struct command_options ctl_migrate_options; /* of status, plan, up and verify */
extern const struct command_options ctl_migrate_grant_options;

/* Each prints on stdout and returns the exit status, that of what migrate.h answered. */
int ctl_migrate_status(const struct command_call *call);
int ctl_migrate_plan(const struct command_call *call);
int ctl_migrate_up(const struct command_call *call);
int ctl_migrate_verify(const struct command_call *call);
int ctl_migrate_grant(const struct command_call *call);

#endif
