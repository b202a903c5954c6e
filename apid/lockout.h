/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lock-out: who brings wrong credentials again and again is refused for a while, longer each time.
 *
 * Invariant  a lock ends by itself, and begins only after so many failures of that very subject in a window of time;
 *            memory is bounded: where there are more subjects than room, those that are calm longest are forgotten
 * Units      failures; microseconds of the boot clock
 * Ownership  lockout_free()
 * Threads    safe
 */
#ifndef APID_LOCKOUT_H
#define APID_LOCKOUT_H

#include <stdint.h>

#include "core/err.h"

struct lockout;

struct lockout_settings {
	int failures; /* within the window, at which a lock begins; 0: never */
	int64_t window_us;
	int64_t first_us; /* how long the first lock is; each one that follows soon is twice as long */
	int64_t longest_us; /* at most this; a subject that was calm for as long begins anew */
};

enum lockout_kind {                  /* one that fails in two ways is two subjects */
		    LOCKOUT_CALLER,  /* an address that brings tokens and keys */
		    LOCKOUT_GATEWAY, /* an address that brings callbacks */
		    LOCKOUT_KEY,     /* the id of an API key, wherever its secret is guessed */
};

#define LOCKOUT_NAME_SIZE 16
struct lockout_subject {
	enum lockout_kind kind;
	uint8_t name[LOCKOUT_NAME_SIZE];
};

CHECKED enum err lockout_new(const struct lockout_settings *settings, struct lockout **lockout);

/* Accepts NULL. */
void lockout_free(struct lockout *lockout);

/* Seconds that the subject is locked out for from now, rounded up; 0: it is not. A NULL lockout locks nobody out. */
int lockout_left_s(struct lockout *lockout, const struct lockout_subject *subject,
		   int64_t now_boot_us);

/* A failure of the subject. Returns the seconds of the lock that begins with it; 0: none does. */
int lockout_fail(struct lockout *lockout, const struct lockout_subject *subject,
		 int64_t now_boot_us);

#endif
