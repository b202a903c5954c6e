/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON writer: text that grows as it is written, for answers that are given thousands of times a second. The bytes are
 * those of json_text() for the same values.
 *
 *	json_open(&writer, '{');
 *	json_name(&writer, "status");
 *	json_put_text(&writer, "pending");
 *	json_close(&writer, '}');
 *
 * Invariant  commas stand where they must; opening, naming and closing in the right order is the caller's part
 * Ownership  a writer is the caller's; json_writer_take() hands its text over, json_writer_done() drops it
 * Threads    one
 */
#ifndef BASE_JSON_WRITER_H
#define BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer {
	char *text; /* not terminated */
	size_t used, room;
	bool failed; /* memory was short: nothing more is written */
};

#define JSON_WRITER_EMPTY ((struct json_writer){ .text = NULL })

/* `bracket`: '{' or '['; '}' or ']'. */
void json_open(struct json_writer *writer, char bracket);
void json_close(struct json_writer *writer, char bracket);

/* The name of the member whose value comes next: a literal that needs no escape. */
void json_name(struct json_writer *writer, const char *name);

/* A string; null where it is "" or not UTF-8. */
void json_put_text(struct json_writer *writer, const char *text);
void json_put_integer(struct json_writer *writer, int64_t integer);
void json_put_null(struct json_writer *writer);

/* A value that is JSON text already. */
void json_put_raw(struct json_writer *writer, const char *json);

/* The text, terminated (malloc; the writer is empty then); NULL where memory was short. */
char *json_writer_take(struct json_writer *writer);

/* Drop what was written, to begin anew or to end. */
void json_writer_done(struct json_writer *writer);

#endif
