/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/transition.h"

#include <assert.h>
#include <string.h>

bool transition_find(const struct transition *table, size_t count, int from, int event, int *to)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].from == from && table[i].event == event) {
			*to = table[i].to;
			return true;
		}
	}
	return false;
}

const char *words_text(struct words words, int value)
{
	assert(value >= 0 && value < words.count);
	return words.list[value];
}

int words_find(struct words words, const char *text)
{
	for (int i = 0; i < words.count; i++)
		if (strcmp(words.list[i], text) == 0)
			return i;
	return -1;
}
