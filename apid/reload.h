/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reload: at SIGHUP the configuration and every file it names are read again and put in force, while requests go on.
 *
 * Invariant  all of it is read and judged before any of it is put in force: what is wrong anywhere changes nothing
 * Ownership  everything is borrowed
 * Threads    of the one that waits for signals
 */
#ifndef APID_RELOAD_H
#define APID_RELOAD_H

#include "apid/app.h"
#include "service/settings_live.h"

/* What is wrong without a seal key that is in use; its id goes in. */
#define RELOAD_KEY_MISSING                                                                         \
	"what is stored was sealed with the key '%s', which is not in seal_keys: put it back; "    \
	"'payopsctl keys rotate' seals everything with the first key, after which it may go"

struct reload {
	const char *path;             /* of the configuration */
	const struct settings *first; /* those of the start */
	struct app *app;
};

/* Read it again; what came of it is in the log and counted. True: it is in force. */
bool reload_run(const struct reload *reload);

#endif
