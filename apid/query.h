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

#define QUERY_PARAMETERS_MAX 4
#define QUERY_NAME_SIZE 33
#define QUERY_VALUE_SIZE 257

struct query {
	size_t count;
	struct {
		char name[QUERY_NAME_SIZE];
		char value[QUERY_VALUE_SIZE]; /* decoded */
	} list[QUERY_PARAMETERS_MAX];
};

#define QUERY_WHY_SIZE 160

/*
 * Read "a=1&b=2" against `allowed` ("a b").
 * Returns  ERR_OK with *query; ERR_QUERY with a sentence in `why` that repeats nothing of the query but known names
 */
CHECKED enum err query_read(const char *allowed, const char *text, struct query *query,
			    char why[QUERY_WHY_SIZE]);

/* The value of a parameter, or NULL where it is not given. */
const char *query_find(const struct query *query, const char *name);

/*
 * A plain integer from min to max; `otherwise` where it is not given.
 * Returns  true with *value; false (untouched)
 */
bool query_integer(const struct query *query, const char *name, const int64_t range[2],
		   int64_t otherwise, int64_t *value);

#endif
