/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rendering: JSON text built into a growing buffer; commas come by themselves.
 *
 * Invariant  after the first failed allocation every call does nothing and render_take() says so
 * Ownership  struct render is the caller's; its text is the heap's until taken or done
 * Threads    one thread per struct render
 */
#ifndef SANDBOX_RENDER_H
#define SANDBOX_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Start as { 0 } */
struct render {
	char *text;
	size_t size;
	size_t room;
	bool failed;
};

/* Open and close an object '{' '}' or array '[' ']'. */
void render_begin(struct render *render, char bracket);
void render_end(struct render *render, char bracket);

/* A member of the open object; a NULL text leaves the member out. Text is escaped; names are
 * literals and are not. */
void render_text(struct render *render, const char *name, const char *text);
void render_integer(struct render *render, const char *name, int64_t value);

/* Open a member that is an object or array; render_end() closes it. */
void render_member(struct render *render, const char *name, char bracket);

/* A line feed, to end a line of a JSON-lines file; the next render_begin() starts without a comma.
 */
void render_line_end(struct render *render);

/*
 * Take the terminated text; the render is empty again.
 * Returns  text to be freed with free(), *size without its NUL; NULL where memory was short (*size
 * untouched)
 */
char *render_take(struct render *render, size_t *size);

/* Free what was not taken. Accepts an empty one. */
void render_done(struct render *render);

#endif
