/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Near misses: the known name that someone who typed an unknown one probably meant.
 *
 * Invariant  names are compared without case; a dotted name is also near when its last part is
 * Units      at most NEAR_NAME_MAX bytes; longer names are near nothing
 * Ownership  plain values; nothing to free
 * Threads    safe
 * Source     F. Damerau (1964), optimal string alignment: insert, delete, replace, swap neighbours
 *
 *	near_start(&near, typed); then near_offer(&near, known) for each; then near_best(&near)
 */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stddef.h>

#define NEAR_NAME_MAX 127

struct near {
	char wanted[NEAR_NAME_MAX + 1];
	char best[NEAR_NAME_MAX + 1];
	size_t distance; /* of `best` */
};

/*
 * How many edits lie between two names, case aside; NEAR_NAME_MAX + 1 where one is too long to
 * tell.
 */
size_t near_distance(const char *a, const char *b);

/* Begin a search for the name nearest to `wanted`. */
void near_start(struct near *near, const char *wanted);

/* Consider one known name. Of equally near names the first offered stays. */
void near_offer(struct near *near, const char *name);

/*
 * The nearest name offered, or NULL where none is near enough to be worth saying. Lives as long as
 * `near`.
 */
const char *near_best(const struct near *near);

#endif
