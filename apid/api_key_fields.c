/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/api_key_fields.h"

#include "base/clock.h"
#include "store/api_key.h"

#define EXPIRES_FIELD                                                                              \
	{                                                                                          \
		.name = "expires_at", .rule = FIELD_TEXT, .class = TEXT_VISIBLE, .min = 1,         \
		.max = CLOCK_TEXT_SIZE, /* +00:00 may stand for Z */                               \
			.help = "When it expires, in UTC by RFC 3339: a minute to ten years from " \
				"now; in "                                                         \
				"365 days where it is left out."                                   \
	}

static const struct field_spec fields[] = {
	{ .name = "name",
	  .rule = FIELD_TEXT,
	  .required = true,
	  .class = TEXT_VISIBLE,
	  .min = 1,
	  .max = API_KEY_NAME_SIZE - 1,
	  .help = "What people know the key by: the program that gets it. No other live key has "
		  "the same." },
	{ .name = "scope",
	  .rule = FIELD_TEXT,
	  .required = true,
	  .class = TEXT_FREE,
	  .min = 1,
	  .max = TOKEN_SCOPES_SIZE - 1,
	  .help = "What it allows, as words separated by blanks; no more than the token of this "
		  "request does." },
	EXPIRES_FIELD,
};
static const struct field_spec rotation_fields[] = { EXPIRES_FIELD };

const struct field_spec *api_key_fields(size_t *count)
{
	*count = sizeof fields / sizeof fields[0];
	return fields;
}

const struct field_spec *api_key_rotation_fields(size_t *count)
{
	*count = sizeof rotation_fields / sizeof rotation_fields[0];
	return rotation_fields;
}
