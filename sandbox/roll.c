/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/roll.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROLL_ROOM_FIRST 1024

enum err roll_reserve(struct roll *roll, int64_t number)
{
	size_t room = roll->room == 0 ? ROLL_ROOM_FIRST : roll->room;
	struct entry **entries;

	while (room < (size_t)number)
		room *= 2;
	if (room == roll->room)
		return ERR_OK;
	entries = realloc(roll->entries, room * sizeof(struct entry *));
	if (entries == NULL)
		return ERR_MEMORY;
	for (size_t i = roll->room; i < room; i++)
		entries[i] = NULL;
	roll->entries = entries;
	roll->room = room;
	return ERR_OK;
}

void roll_insert(struct roll *roll, struct entry *entry)
{
	assert(entry->number > 0 && (size_t)entry->number <= roll->room);
	roll->entries[entry->number - 1] = entry;
	if (entry->number > roll->last)
		roll->last = entry->number;
}

void roll_remove(struct roll *roll, const struct entry *entry)
{
	roll->entries[entry->number - 1] = NULL;
}

struct entry *roll_find(const struct roll *roll, int64_t number)
{
	return number < 1 || number > roll->last ? NULL : roll->entries[number - 1];
}

/* The digits find the entry, its own spelling tells whether it is the one. */
struct entry *roll_find_id(const struct roll *roll, const char *id)
{
	const char *digits = strchr(id, '_');
	char spelled[ENTRY_ID_SIZE];
	struct entry *entry;

	if (digits == NULL)
		return NULL;
	entry = roll_find(roll, strtoll(digits + 1, NULL, 10));
	return entry != NULL && strcmp(entry_id(entry, spelled), id) == 0 ? entry : NULL;
}

void roll_done(struct roll *roll)
{
	free(roll->entries);
	*roll = (struct roll){0};
}
