/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Routes: which handler serves a method and path, from a table.
 *
 * Threads    safe: pure functions
 */
#ifndef SANDBOX_ROUTE_H
#define SANDBOX_ROUTE_H

#include <stddef.h>

#include "sandbox/answer.h"
#include "sandbox/http.h"

#define ROUTE_NAME_SIZE 33

/* `name` is what stood for the path's "*", or "". */
typedef void route_serve(void *context, struct http_exchange *exchange, const char *name,
			 struct answer *answer);

struct route {
	const char *method;
	const char *path; /* at most one "*", which stands for 1..32 characters other than '/' */
	route_serve *serve;
};

/* Serve the exchange by its route; answers 404 where no path fits, 405 with Allow where only the
 * method does not. */
void route_dispatch(const struct route *routes, size_t count, void *context,
		    struct http_exchange *exchange, struct answer *answer);

#endif
