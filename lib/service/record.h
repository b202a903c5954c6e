/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Record: what gateway calls came to, committed with all others that wait.
 *
 * Invariant  an outcome that cannot be committed fails nobody else's
 * Ownership  a record is the caller's until batch_put() and from `done` on; what its report points to lives as long
 * Threads    `done` is called in a committer's thread, everything else from any
 */
#ifndef SERVICE_RECORD_H
#define SERVICE_RECORD_H

#include "service/batch.h"
#include "service/outcome.h"

struct record {
	struct batch_item
		item; /* first; its err: ERR_OK, or why nothing was committed (ERR_UNCERTAIN: perhaps) */
	struct outcome_report report;
	enum outcome_effect effect;   /* with ERR_OK, as the note */
	struct change_note note;
};

typedef void record_done(void *context, struct record *record);

struct record_settings {
	const struct store_settings *database; /* its texts must outlive the committers */
	size_t queue_max;
	record_done *done;
	void *context;
};

/* Start the committers. The settings must outlive them; batch_stop() works off what waits and ends them. */
CHECKED enum err record_start(const struct record_settings *settings, struct batch **records);

#endif
