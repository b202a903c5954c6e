/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Log: one JSON object per line to a file descriptor (stderr), each with one write(2), or collected.
 *
 * Invariant  one event is one line: all text is escaped, control characters and invalid UTF-8 too;
 *            a line is at most LOG_LINE_MAX bytes (longer text is cut with a mark); a struct secret
 *            cannot be passed
 * Fields     "time" (RFC 3339, microseconds, UTC), "level", "component", "msg", then the context,
 *            then the fields
 * Threads    safe; the context is per thread
 *
 *	log_info("attempt concluded", LOG_TEXT("gateway", name), LOG_INT("duration_us", us));
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define LOG_LINE_MAX 4096

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

enum log_kind { LOG_KIND_TEXT, LOG_KIND_FOREIGN, LOG_KIND_INT, LOG_KIND_BOOL, LOG_KIND_ERR };

struct log_field {
	const char *name; /* a literal: [a-z_]+ */
	enum log_kind kind;
	union {
		const char *text; /* NULL: the field is left out */
		int64_t integer;
		enum err err;
	} value;
};

#define LOG_TEXT(NAME, TEXT) ((struct log_field){ (NAME), LOG_KIND_TEXT, { .text = (TEXT) } })
/* Text from outside: at most 128 bytes of it, digits of card numbers masked (core/card.h). */
#define LOG_FOREIGN(NAME, TEXT) ((struct log_field){ (NAME), LOG_KIND_FOREIGN, { .text = (TEXT) } })
#define LOG_INT(NAME, INTEGER)                                                                     \
	((struct log_field){ (NAME), LOG_KIND_INT, { .integer = (INTEGER) } })
#define LOG_BOOL(NAME, BOOL)                                                                       \
	((struct log_field){ (NAME), LOG_KIND_BOOL, { .integer = (BOOL) ? 1 : 0 } })
#define LOG_ERR(ERR) ((struct log_field){ "err", LOG_KIND_ERR, { .err = (ERR) } })

/*
 * `component` is a literal ("apid"). Lines below `level` are dropped. Call once, before threads
 * start.
 */
void log_open(const char *component, enum log_level level, int fd);

/*
 * From here on lines below LOG_WARNING are collected and written together, LOG_BUFFER_MS (log_buffer.h) later at the
 * latest; a warning or an error is written at once, behind what was collected. abort(), a failed assert() and faults
 * lose nothing; kill -9 may lose the last milliseconds. Where memory is short, each line is written by itself.
 */
void log_collect_start(void);

/* Write what was collected, and collect no more. Call it when no other thread writes lines. */
void log_collect_stop(void);

/* Level by its word ("debug", "info", "warning", "error"). False where the word is none of them. */
bool log_level_parse(const char *word, enum log_level *level);
void log_level_set(enum log_level level);

/*
 * Fields that every line of this thread carries until cleared: the id of the call being served and
 * its merchant.
 * The texts are copied (64 bytes each, NULL leaves one out).
 */
void log_context_set(const char *api_call_id, const char *merchant);
/* The same of the client's trace id (64 bytes); log_context_set() leaves it. */
void log_context_trace(const char *trace_id);

void log_context_clear(void);

void log_write(enum log_level level, const char *message, const struct log_field *fields,
	       size_t count);

#define LOG_FIELDS_(...) ((const struct log_field[]){ __VA_ARGS__ })
#define LOG_WRITE_(LEVEL, MESSAGE, ...)                                                            \
	log_write((LEVEL), (MESSAGE), LOG_FIELDS_(__VA_ARGS__),                                    \
		  sizeof LOG_FIELDS_(__VA_ARGS__) / sizeof(struct log_field))
/* Each takes a literal message and at least one field; log_note() is for none. */
#define log_debug(MESSAGE, ...) LOG_WRITE_(LOG_DEBUG, MESSAGE, __VA_ARGS__)
#define log_info(MESSAGE, ...) LOG_WRITE_(LOG_INFO, MESSAGE, __VA_ARGS__)
#define log_warning(MESSAGE, ...) LOG_WRITE_(LOG_WARNING, MESSAGE, __VA_ARGS__)
#define log_error(MESSAGE, ...) LOG_WRITE_(LOG_ERROR, MESSAGE, __VA_ARGS__)
#define log_note(LEVEL, MESSAGE) log_write((LEVEL), (MESSAGE), NULL, 0)

#endif
