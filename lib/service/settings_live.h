/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Settings in force: which settings a running program goes by, so that it can take over others.
 *
 * Invariant  what is held never changes: who holds settings for the time of one request sees the old
 *            ones or the new ones, never some of both. What cannot change without a restart is kept
 *            from those before
 * Ownership  settings_live_hold() counts, settings_release() gives back
 * Threads    safe. The mutex guards a pointer: no reader waits for a file
 */
#ifndef SERVICE_SETTINGS_LIVE_H
#define SERVICE_SETTINGS_LIVE_H

#include "service/settings.h"

struct settings_live;

/* Begin with these, held once more. Returns ERR_OK with *live; ERR_MEMORY. */
CHECKED enum err settings_live_new(const struct settings *first, struct settings_live **live);

/* Let go of those in force. Accepts NULL. */
void settings_live_free(struct settings_live *live);

/* Those in force. Never NULL. */
const struct settings *settings_live_hold(struct settings_live *live);

/* What the change to other settings means, as texts of names with ", " between. */
#define SETTINGS_NAMES_SIZE 512
struct settings_changes {
	char taken[SETTINGS_NAMES_SIZE];   /* live ones whose values differ from those in force */
	char restart[SETTINGS_NAMES_SIZE]; /* those that differ from the start's, which stay */
};

/*
 * Make `fresh` ready to follow: what the program itself put into those before, and what must not change, is copied from
 * them. `first` are the start's.
 */
void settings_succeed(struct settings *fresh, const struct settings *before,
		      const struct settings *first, struct settings_changes *changes);

/* Put them in force; takes over the one hold. One thread at a time. */
void settings_live_replace(struct settings_live *live, const struct settings *fresh);

#endif
