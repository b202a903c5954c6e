/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Apart from route.c, so that matching and metrics can be tested without the handlers. */
#include "apid/route.h"

#include <assert.h>

static route_handler *const handlers[ROUTE_COUNT] = {
#define ROUTE(method, path, auth, scope, body_max, query, flags, handler) handler,
#include "apid/route.def"
#undef ROUTE
};

route_handler *route_handler_at(int index)
{
	assert(index >= 0 && index < ROUTE_COUNT);
	return handlers[index];
}
