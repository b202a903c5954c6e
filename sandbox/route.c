/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/route.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool path_fits(const char *pattern, const char *path, char name[ROUTE_NAME_SIZE])
{
	size_t before = strcspn(pattern, "*");
	size_t size;

	name[0] = '\0';
	if (pattern[before] == '\0')
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, before) != 0)
		return false;
	size = strcspn(path + before, "/");
	if (size == 0 || size >= ROUTE_NAME_SIZE ||
	    strcmp(pattern + before + 1, path + before + size) != 0)
		return false;
	memcpy(name, path + before, size);
	name[size] = '\0';
	return true;
}

static void allow_add(char *allow, size_t size, const char *method)
{
	size_t used = strlen(allow);

	(void)snprintf(allow + used, size - used, "%s%s", used == 0 ? "" : ", ", method);
}

void route_dispatch(const struct route *routes, size_t count, void *context,
		    struct http_exchange *exchange, struct answer *answer)
{
	char allow[ANSWER_ALLOW_SIZE] = "";
	char name[ROUTE_NAME_SIZE];

	for (size_t i = 0; i < count; i++) {
		if (!path_fits(routes[i].path, exchange->path, name))
			continue;
		if (strcmp(routes[i].method, exchange->method) == 0) {
			routes[i].serve(context, exchange, name, answer);
			return;
		}
		allow_add(allow, sizeof allow, routes[i].method);
	}
	answer_refuse(answer, allow[0] == '\0' ? REFUSAL_PATH : REFUSAL_METHOD, NULL);
	memcpy(answer->allow, allow, sizeof allow);
}
