/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transition tables: a state machine is an array of rows; everything absent is refused.
 *
 * Threads    safe: constants and pure functions
 */
#ifndef CORE_TRANSITION_H
#define CORE_TRANSITION_H

#include <stdbool.h>
#include <stddef.h>

struct transition {
	int from;
	int event;
	int to;
};

/* Returns true and writes *to where the table has (from, event); else false with *to untouched. */
bool transition_find(const struct transition *table, size_t count, int from, int event, int *to);

/* A closed list of words for an enum that counts from 0. */
struct words {
	const char *const *list;
	int count;
};

/* The word of a value; the value must be in the list (assert). */
const char *words_text(struct words words, int value);

/* The value of a word, or -1. */
int words_find(struct words words, const char *text);

#endif
