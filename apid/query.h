/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Query parameters: only those a route names, each at most once, since a typo must not widen a financial list.
 *
 * Ownership  plain values
 * Threads    safe: pure functions
 */
#ifndef APID_QUERY_H
#define APID_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define QUERY_PARAMETERS_MAX 12
#define QUERY_NAME_SIZE 33
#define QUERY_VALUE_SIZE 257
#define QUERY_TEXT_SIZE 1024

struct query {
	size_t count;
	struct {
		uint16_t name; /* where it begins in the text */
		uint16_t value;
	} list[QUERY_PARAMETERS_MAX];
	size_t used;
	char text[QUERY_TEXT_SIZE]; /* names and values, decoded, each with its NUL */
};

#define QUERY_WHY_SIZE 256

/*
 * Read "a=1&b=2" against `allowed` ("a b").
 * Returns  ERR_OK with *query; ERR_QUERY with *query empty and a sentence in `why` that repeats nothing
 *          of the query but known names
 */
CHECKED enum err query_read(const char *allowed, const char *text, struct query *query,
			    char why[QUERY_WHY_SIZE]);

/* The value of a parameter, or NULL where it is not given. */
const char *query_find(const struct query *query, const char *name);

/* The same with "" where it is not given. */
const char *query_text(const struct query *query, const char *name);

/*
 * A plain integer from min to max; `otherwise` where it is not given.
 * Returns  true with *value; false (untouched)
 */
bool query_integer(const struct query *query, const char *name, const int64_t range[2],
		   int64_t otherwise, int64_t *value);

#endif
