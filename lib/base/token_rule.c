/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/token_rule.h"

#include <string.h>

#include "core/text.h"

#define SECONDS_MAX ((int64_t)1 << 53)

static const struct token_rule_algorithm algorithms[] = {
	[TOKEN_HS256] = { "HS256", 32 },
	[TOKEN_RS256] = { "RS256", TOKEN_RULE_PART_MAX },
	[TOKEN_ES256] = { "ES256", 64 },
};

const struct token_rule_algorithm *token_rule_algorithm(enum token_algorithm algorithm)
{
	return &algorithms[algorithm];
}

bool token_rule_merchant(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t size = text != NULL ? strspn(text, allowed) : 0;

	return size > 0 && size < sizeof((struct token_claims *)0)->merchant && text[size] == '\0';
}

bool token_rule_subject(const char *text)
{
	size_t size = text != NULL ? strlen(text) : 0;

	return size > 0 && size < sizeof((struct token_claims *)0)->subject &&
	       text_is(TEXT_VISIBLE, text, size);
}

bool token_rule_seconds(int64_t seconds)
{
	return seconds >= 0 && seconds <= SECONDS_MAX;
}
