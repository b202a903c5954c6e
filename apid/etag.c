/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/etag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ETAG_SIZE 16
#define DIGITS_MAX 10 /* of a version */

typedef void each_tag(void *context, const char *tag, size_t size);

/* Every member of every line of a header that lists tags. */
static bool tags_read(const struct http_call *call, const char *name, each_tag *each, void *context)
{
	bool given = false;

	for (size_t i = 0; i < call->line_count; i++) {
		const char *list = call->lines[i].value;

		if (strcasecmp(call->lines[i].name, name) != 0)
			continue;
		given = true;
		for (list += strspn(list, " \t,"); *list != '\0'; list += strspn(list, " \t,")) {
			const size_t size = strcspn(list, " \t,");

			each(context, list, size);
			list += size;
		}
	}
	return given;
}

static bool is_star(const char *tag, size_t size)
{
	return size == 1 && *tag == '*';
}

void etag_set(struct http_reply *reply, uint32_t version)
{
	char etag[ETAG_SIZE];

	(void)snprintf(etag, sizeof etag, "\"%" PRIu32 "\"", version);
	http_reply_header(reply, "ETag", etag);
}

struct holding {
	char etag[ETAG_SIZE];
	bool held;
};

static void compare(void *context, const char *tag, size_t size)
{
	struct holding *holding = context;
	const size_t weak = size > 2 && memcmp(tag, "W/", 2) == 0 ? 2 : 0;

	if (is_star(tag, size) || (size - weak == strlen(holding->etag) &&
				   memcmp(tag + weak, holding->etag, size - weak) == 0))
		holding->held = true;
}

bool etag_is_held(const struct http_call *call, uint32_t version)
{
	struct holding holding = { .held = false };

	(void)snprintf(holding.etag, sizeof holding.etag, "\"%" PRIu32 "\"", version);
	(void)tags_read(call, "If-None-Match", compare, &holding);
	return holding.held;
}

static void version_take(void *context, const char *tag, size_t size)
{
	struct version_match *match = context;
	uint64_t version = 0;

	if (is_star(tag, size)) {
		match->any = true;
		return;
	}
	if (match->count == VERSIONS_MAX || size < 3 || size > DIGITS_MAX + 2 || tag[0] != '"' ||
	    tag[1] == '0' || tag[size - 1] != '"')
		return;
	for (size_t i = 1; i < size - 1; i++) {
		if (tag[i] < '0' || tag[i] > '9')
			return;
		version = version * 10 + (uint64_t)(tag[i] - '0');
	}
	if (version <= UINT32_MAX)
		match->list[match->count++] = (uint32_t)version;
}

const struct version_match *etag_wanted(const struct http_call *call, struct version_match *match)
{
	*match = (struct version_match){ .any = false };
	return tags_read(call, "If-Match", version_take, match) ? match : NULL;
}
