/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pages: text for people on standard output, wrapped to the terminal, in colour where it is one.
 *
 * Invariant  nothing that a gateway or client wrote can move the cursor: controls are shown as "?"
 * Threads    main thread only
 */
#ifndef CTL_PAGE_H
#define CTL_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_WIDTH_MAX 100

/* Standard output is a terminal, and NO_COLOR is not set. */
bool page_has_colours(void);

enum page_style { PAGE_PLAIN, PAGE_STRONG, PAGE_DIM, PAGE_GOOD, PAGE_DOUBT, PAGE_BAD };

/*
 * Print `text` from the column where the line is (`column`: how much of it is used), wrapped between
 * blanks, following lines indented to `indent`; ends the line.
 */
void page_text(enum page_style style, int column, int indent, const char *text);

/* "2026-03-01 12:00:00" UTC in that style. */
#define PAGE_TIME_SIZE 24
const char *page_time(int64_t at_us, char out[PAGE_TIME_SIZE]);

#endif
