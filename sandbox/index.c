/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/index.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INDEX_ROOM_FIRST 4096

static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash;
}

static struct entry_link **bucket_of(const struct index *index, const char *text)
{
	return &index->buckets[hash_of(text) & (index->room - 1)];
}

/* Which of its entry's names a link stands for. */
static size_t name_of(const struct entry_link *link)
{
	return (size_t)(link - link->entry->links);
}

static const char *text_of(const struct entry_link *link)
{
	return link->entry->terms.name[name_of(link)];
}

static void link_insert(const struct index *index, struct entry_link *link)
{
	struct entry_link **bucket = bucket_of(index, text_of(link));

	link->next = *bucket;
	*bucket = link;
}

static void rehash(struct index *index, struct entry_link **buckets, size_t room)
{
	struct index larger = {buckets, room, index->count};

	for (size_t i = 0; i < index->room; i++) {
		struct entry_link *link = index->buckets[i];

		while (link != NULL) {
			struct entry_link *next = link->next;

			link_insert(&larger, link);
			link = next;
		}
	}
	free(index->buckets);
	*index = larger;
}

enum err index_reserve(struct index *index)
{
	size_t room = index->room == 0 ? INDEX_ROOM_FIRST : index->room * 2;
	struct entry_link **buckets;

	if (index->count + ENTRY_NAME_COUNT <= index->room)
		return ERR_OK;
	buckets = calloc(room, sizeof(struct entry_link *));
	if (buckets == NULL) /* longer chains serve as well, only slower */
		return index->room == 0 ? ERR_MEMORY : ERR_OK;
	rehash(index, buckets, room);
	return ERR_OK;
}

void index_insert(struct index *index, struct entry *entry)
{
	assert(index->room > 0);
	for (size_t i = 0; i < ENTRY_NAME_COUNT; i++) {
		entry->links[i].entry = entry;
		link_insert(index, &entry->links[i]);
		index->count++;
	}
}

void index_remove(struct index *index, struct entry *entry)
{
	for (size_t i = 0; i < ENTRY_NAME_COUNT; i++) {
		struct entry_link **at = bucket_of(index, entry->terms.name[i]);

		while (*at != &entry->links[i])
			at = &(*at)->next;
		*at = entry->links[i].next;
		index->count--;
	}
}

struct entry *index_reference(const struct index *index, size_t gateway, const char *reference)
{
	struct entry_link *link = index->room == 0 ? NULL : *bucket_of(index, reference);

	for (; link != NULL; link = link->next) {
		if (name_of(link) == ENTRY_REFERENCE && link->entry->terms.gateway == gateway &&
		    strcmp(text_of(link), reference) == 0)
			return link->entry;
	}
	return NULL;
}

/* True for the first of the entry's names that is this text, so that an entry counts once. */
static bool link_matches(const struct entry_link *link, const char *text)
{
	for (size_t i = 0; i < name_of(link); i++) {
		if (strcmp(link->entry->terms.name[i], text) == 0)
			return false;
	}
	return strcmp(text_of(link), text) == 0;
}

static int ordinal_compare(const void *a, const void *b)
{
	size_t first = (*(struct entry *const *)a)->ordinal;
	size_t second = (*(struct entry *const *)b)->ordinal;

	return first < second ? -1 : first > second;
}

/* How many match; with `found` they are written there. */
static size_t matches(const struct entry_link *link, const char *name, struct entry **found)
{
	size_t count = 0;

	for (; link != NULL; link = link->next) {
		if (!link_matches(link, name))
			continue;
		if (found != NULL)
			found[count] = link->entry;
		count++;
	}
	return count;
}

enum err index_collect(const struct index *index, const char *name, struct entry ***found,
		       size_t *count)
{
	const struct entry_link *chain = index->room == 0 ? NULL : *bucket_of(index, name);
	size_t matching = matches(chain, name, NULL);
	struct entry **entries = NULL;

	if (matching > 0) {
		entries = malloc(matching * sizeof(struct entry *));
		if (entries == NULL)
			return ERR_MEMORY;
		(void)matches(chain, name, entries);
		qsort(entries, matching, sizeof(struct entry *), ordinal_compare);
	}
	*found = entries;
	*count = matching;
	return ERR_OK;
}

void index_done(struct index *index)
{
	free(index->buckets);
	*index = (struct index){0};
}
