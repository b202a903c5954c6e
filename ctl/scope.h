/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scopes on a command line: what is said where one of the words is none.
 *
 * Threads    main thread only
 */
#ifndef CTL_SCOPE_H
#define CTL_SCOPE_H

/* Say which word of `text`, that token_scopes_parse() refused, is no scope, and which are; returns the exit status. */
int scope_fail(const char *text);

#endif
