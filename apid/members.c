/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/members.h"

#include "base/json.h"

bool members_read(struct call *call, const struct field_spec *specs, size_t spec_count,
		  struct field_member members[FIELD_MEMBERS_MAX], size_t *count)
{
	struct field_errors errors = { .count = 0 };
	struct json_arena arena;
	enum err err = ERR_OK;

	*count = call->body != NULL ? json_members(call->body, members, &arena, &err) : 0;
	if (err != ERR_OK) {
		call_refuse(call, err, "The body has too many members.");
		return false;
	}
	field_check(specs, spec_count, members, *count, &errors);
	if (errors.count == 0)
		return true;
	call_refuse_errors(call, ERR_INVALID, NULL, problem_errors(&errors));
	return false;
}

const char *members_text(const struct field_member *members, size_t count, const char *name)
{
	const struct field_value *value = field_find(members, count, name);

	return value != NULL && value->kind == VALUE_STRING ? value->text : "";
}
