/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/amendment.h"

#include <assert.h>
#include <string.h>

#define MERGED_MAX (3 * PAYMENT_METADATA_MEMBERS) /* of both sides */

static const struct field_spec fields[] = {
	{ .name = "description",
	  .rule = FIELD_TEXT,
	  .class = TEXT_FREE,
	  .max = (PAYMENT_DESCRIPTION_SIZE - 1) / 4,
	  .help = "What is paid for, in free text; null removes it." },
	{ .name = "metadata",
	  .rule = FIELD_OBJECT,
	  .null_members = true,
	  .class = TEXT_FREE,
	  .max = 2 * PAYMENT_METADATA_MEMBERS, /* as many may go as may come */
	  .help = "Your own strings: a member that is given replaces the one of its name, null "
		  "removes it, others stay; null for all removes all." },
};

const struct field_spec *amendment_fields(size_t *count)
{
	*count = sizeof fields / sizeof fields[0];
	return fields;
}

bool amendment_read(const struct field_member *members, size_t count, struct amendment *amendment,
		    struct field_errors *errors)
{
	const struct field_value *description = field_find(members, count, "description");
	const size_t before = errors->count;

	field_check(fields, sizeof fields / sizeof fields[0], members, count, errors);
	if (errors->count > before)
		return false;
	*amendment = (struct amendment){ .changes_description = description != NULL,
					 .metadata = field_find(members, count, "metadata") };
	if (description != NULL && description->kind == VALUE_STRING) {
		assert(description->text_size < sizeof amendment->description);
		memcpy(amendment->description, description->text, description->text_size);
	}
	return true;
}

static bool is_named(const struct field_value *metadata, const char *name)
{
	for (size_t i = 0; i < metadata->pair_count; i++)
		if (strcmp(metadata->pairs[i].name, name) == 0)
			return true;
	return false;
}

bool amendment_merge(const struct field_pair *there, size_t count,
		     const struct field_value *metadata, char out[PAYMENT_METADATA_SIZE])
{
	struct field_pair merged[MERGED_MAX];
	size_t used = 0;

	assert(count + metadata->pair_count <= MERGED_MAX);
	for (size_t i = 0; i < count; i++)
		if (!is_named(metadata, there[i].name))
			merged[used++] = there[i];
	for (size_t i = 0; i < metadata->pair_count; i++)
		if (metadata->pairs[i].text != NULL)
			merged[used++] = metadata->pairs[i];
	return payment_metadata_write(merged, used, out);
}
