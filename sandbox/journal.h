/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Journal: an append-only file of lines, durable in groups.
 *
 * Invariant  a line that was waited for is on the disk; one that could not be written is not in the
 *            file; one process has the file open (flock)
 * Ownership  the journal copies its lines
 * Threads    safe; whoever waits first writes for all who appended meanwhile
 * Source     flock(2), fdatasync(2)
 */
#ifndef SANDBOX_JOURNAL_H
#define SANDBOX_JOURNAL_H

#include <stddef.h>

#include "core/err.h"

#define JOURNAL_LINE_MAX 8192 /* its line feed included */
#define JOURNAL_WHY_SIZE 512

struct journal;
struct journal_batch; /* what one write makes durable */

/* One complete line of the file without its line feed, terminated. Anything but ERR_OK ends the
 * reading. */
typedef enum err journal_reader(void *context, const char *line, size_t size);

/*
 * Open or create the file (mode 0600) and read every line of it. A last line without a line feed
 * was never durable and is cut off. Returns  ERR_OK with *journal; ERR_IO (cannot be opened, is in
 * use, read or written) or the reader's error; `why` then says what is wrong, with path and line
 */
CHECKED enum err journal_open(const char *path, journal_reader *read, void *context,
			      struct journal **journal, char why[JOURNAL_WHY_SIZE]);

/*
 * Append a line that ends in a line feed; it reaches the disk with its batch.
 * Returns  ERR_OK, with *batch where `batch` is not NULL: to be given to journal_wait() once, by
 * this thread; ERR_MEMORY, ERR_TOO_LONG: nothing was appended
 */
CHECKED enum err journal_append(struct journal *journal, const char *line, size_t size,
				struct journal_batch **batch);

/*
 * Wait until the batch is on the disk, and let go of it.
 * Returns  ERR_OK; ERR_IO: none of the batch's lines is in the file
 */
CHECKED enum err journal_wait(struct journal *journal, struct journal_batch *batch);

/* Make everything appended so far durable. Returns as journal_wait(). Costs nothing where nothing
 * waits. */
CHECKED enum err journal_sync(struct journal *journal);

/* Write what waits, close, free. Accepts NULL. No other thread may use it any more. */
void journal_close(struct journal *journal);

#endif
