/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mdoc: text as the source of manual pages, mdoc(7), which mandoc -Tlint -W style finds nothing in.
 *
 * Invariant  a sentence begins a line, and no line is longer than 80 bytes where words allow it
 * Threads    one
 */
#ifndef MAN_MDOC_H
#define MAN_MDOC_H

#include <stdio.h>

struct mdoc {
	FILE *out;
	size_t column; /* of the line of text that is being written; 0: none is */
};

/* Sentences; `code` in them is literal, **strong** is plain, an empty line begins a paragraph. */
void mdoc_text(struct mdoc *page, const char *text);

/* A line of a macro, as a printf format; what stands in the middle of text ends its line first. */
void mdoc_macro(struct mdoc *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line of a display: nothing in it is a macro. */
void mdoc_literal(struct mdoc *page, const char *line);

/* The page's beginning, up to its description. */
void mdoc_head(struct mdoc *page, const char *name, const char *title, const char *about);

#endif
