/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/scope.h"

#include <stdio.h>
#include <string.h>

#include "base/near.h"
#include "base/token.h"
#include "ctl/command.h"

#define LIST_SIZE 640

int scope_fail(const char *text)
{
	char word[NEAR_NAME_MAX + 1], known[LIST_SIZE] = "";
	size_t used = 0;
	unsigned bits = 0;
	struct near near;
	const char *best;

	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		snprintf(word, sizeof word, "%.*s", (int)strcspn(text, " "), text);
		if (!token_scopes_parse(word, &bits))
			break;
		text += strcspn(text, " ");
	}
	near_start(&near, word);
	for (unsigned bit = 1; bit <= SCOPE_ALL; bit <<= 1) {
		const char *scope = token_scope_word((enum token_scope)bit);

		near_offer(&near, scope);
		used += (size_t)snprintf(known + used, sizeof known - used, " %s", scope);
	}
	best = near_best(&near);
	if (best != NULL)
		return command_fail(ERR_INVALID, "unknown scope '%.64s', did you mean %s?", word,
				    best);
	return command_fail(ERR_INVALID, "unknown scope '%.64s': there are%s", word, known);
}
