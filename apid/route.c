/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/route.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "apid/http_message.h"
#include "base/token.h"

#define PARAMETERS 2 /* of a path at most */

/* clang-format off */
static const struct route routes[] = {
#define ROUTE(method, path, auth, scope, body_max, query, flags, handler) \
	{ method, path, auth, scope, body_max, query, flags },
#include "apid/route.def"
#undef ROUTE
};
/* clang-format on */

const struct route *route_at(int index)
{
	assert(index >= 0 && index < ROUTE_COUNT);
	return &routes[index];
}

/* A raw parameter of a path that fits a template. */
struct span {
	const char *text;
	size_t size;
};

static bool path_fits(const char *template, const char *path, struct span parameters[PARAMETERS])
{
	size_t count = 0;

	for (size_t i = 0; i < PARAMETERS; i++)
		parameters[i] = (struct span){ "", 0 };
	while (*template == '/' && *path == '/') {
		const size_t wanted = strcspn(++template, "/");
		const size_t size = strcspn(++path, "/");

		if (size == 0)
			return false;
		if (*template == '{' && count < PARAMETERS)
			parameters[count++] = (struct span){ path, size };
		else if (size != wanted || memcmp(template, path, size) != 0)
			return false;
		template += wanted;
		path += size;
	}
	return *template == '\0' && *path == '\0';
}

/* RFC 9112 section 3.2.2: a server must take the absolute form too. */
static const char *path_of(const char *target)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		const size_t size = strlen(schemes[i]);

		if (strncmp(target, schemes[i], size) == 0)
			return target + size + strcspn(target + size, "/");
	}
	return target;
}

/* A path without parameters stands before those whose parameter could be read as it. */
static bool is_literal(const char *path)
{
	struct span raw[PARAMETERS];

	for (int i = 0; i < ROUTE_COUNT; i++)
		if (strchr(routes[i].path, '{') == NULL && path_fits(routes[i].path, path, raw))
			return true;
	return false;
}

static bool method_fits(const struct route *route, const char *method)
{
	return strcmp(route->method, method) == 0 ||
	       (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void allow_add(char allow[ROUTE_ALLOW_SIZE], const char *method)
{
	const size_t used = strlen(allow);
	const int size = snprintf(allow + used, ROUTE_ALLOW_SIZE - used, "%s%s",
				  used > 0 ? ", " : "", method);

	assert(size > 0 && (size_t)size < ROUTE_ALLOW_SIZE - used);
	(void)size;
}

static enum route_outcome parameter_read(struct span raw, char out[ROUTE_PARAMETER_SIZE])
{
	const enum err err =
		http_percent_decode(raw.text, raw.size, '+', out, ROUTE_PARAMETER_SIZE);

	if (err == ERR_TOO_LONG)
		return ROUTE_NO_PATH; /* longer than any id */
	return err == ERR_OK ? ROUTE_FOUND : ROUTE_MALFORMED;
}

enum route_outcome route_find(const char *method, const char *path, struct route_match *match)
{
	struct span raw[PARAMETERS], found[PARAMETERS] = { { "", 0 }, { "", 0 } };
	enum route_outcome outcome;
	bool literal;

	*match = (struct route_match){ .index = -1 };
	path = path_of(path);
	literal = is_literal(path);
	for (int i = 0; i < ROUTE_COUNT; i++) {
		if (!path_fits(routes[i].path, path, raw) ||
		    (literal && strchr(routes[i].path, '{') != NULL))
			continue;
		allow_add(match->allow, routes[i].method);
		if (strcmp(routes[i].method, "GET") == 0)
			allow_add(match->allow, "HEAD");
		if (method_fits(&routes[i], method)) {
			match->index = i;
			memcpy(found, raw, sizeof found);
		}
	}
	if (match->allow[0] == '\0')
		return ROUTE_NO_PATH;
	allow_add(match->allow, "OPTIONS");
	if (strcmp(method, "OPTIONS") == 0)
		return ROUTE_ASKED;
	if (match->index < 0)
		return ROUTE_NO_METHOD;
	outcome = parameter_read(found[0], match->parameter);
	return outcome == ROUTE_FOUND ? parameter_read(found[1], match->second) : outcome;
}
