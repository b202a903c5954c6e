/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/near.h"

#include <string.h>

#define NOT_NEAR (NEAR_NAME_MAX + 1)

/* Three rows of the edit table: the one being filled and the two before it. */
struct rows {
	size_t older[NEAR_NAME_MAX + 1];
	size_t old[NEAR_NAME_MAX + 1];
	size_t current[NEAR_NAME_MAX + 1];
};

/* ASCII only: names of settings and options are, and libc's tolower() depends on the locale. */
static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t cell(const struct rows *rows, const char *a, const char *b, size_t i, size_t j)
{
	size_t replaced = rows->old[j - 1] + (fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1);
	size_t edits = least(replaced, least(rows->old[j], rows->current[j - 1]) + 1);

	if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]))
		edits = least(edits, rows->older[j - 2] + 1);
	return edits;
}

size_t near_distance(const char *a, const char *b)
{
	size_t a_size = strlen(a), b_size = strlen(b);
	struct rows rows = { 0 };

	if (a_size > NEAR_NAME_MAX || b_size > NEAR_NAME_MAX)
		return NOT_NEAR;
	for (size_t j = 0; j <= b_size; j++)
		rows.current[j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		memcpy(rows.older, rows.old, sizeof rows.older);
		memcpy(rows.old, rows.current, sizeof rows.old);
		rows.current[0] = i;
		for (size_t j = 1; j <= b_size; j++)
			rows.current[j] = cell(&rows, a, b, i, j);
	}
	return rows.current[b_size];
}

void near_start(struct near *near, const char *wanted)
{
	*near = (struct near){ .distance = NOT_NEAR };
	if (strlen(wanted) <= NEAR_NAME_MAX)
		memcpy(near->wanted, wanted, strlen(wanted) + 1);
}

static const char *last_part(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot == NULL ? name : dot + 1;
}

void near_offer(struct near *near, const char *name)
{
	size_t whole = near_distance(near->wanted, name);
	/* A name in the wrong group counts as one edit away from its group. */
	size_t part = near_distance(last_part(near->wanted), last_part(name)) + 1;
	size_t distance = least(whole, part);

	if (strlen(name) > NEAR_NAME_MAX || distance >= near->distance)
		return;
	near->distance = distance;
	memcpy(near->best, name, strlen(name) + 1);
}

const char *near_best(const struct near *near)
{
	size_t allowed = 1 + strlen(last_part(near->wanted)) / 4;

	return near->wanted[0] != '\0' && near->distance <= allowed ? near->best : NULL;
}
