/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Log buffer: lines on their way to the log's file descriptor, many in one write(2).
 *
 * Invariant  lines leave whole and in the order they were put in, LOG_BUFFER_MS after the first of them at the latest,
 *            at once where there is no more room. What the file takes no more of (a full disk) is lost, as with a
 *            write for each line
 * Threads    safe but for stop, which comes when no other thread puts lines in any more
 */
#ifndef BASE_LOG_BUFFER_H
#define BASE_LOG_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

#define LOG_BUFFER_SIZE 65536 /* of each half: one is filled while the other is written */
#define LOG_BUFFER_MS 5

struct log_buffer;

/* Returns ERR_OK with *buffer; ERR_MEMORY also where its thread cannot be had. */
CHECKED enum err log_buffer_start(int fd, struct log_buffer **buffer);

/* Put `size` bytes, whole lines of at most LOG_BUFFER_SIZE; `now`: return when they were written. */
void log_buffer_put(struct log_buffer *buffer, const char *lines, size_t size, bool now);

/*
 * Write what waits, from a signal handler of a process that dies: takes no lock, so a line that another thread is
 * putting in may be torn.
 */
void log_buffer_spill(struct log_buffer *buffer);

/* Write what waits and free. Accepts NULL. */
void log_buffer_stop(struct log_buffer *buffer);

#endif
