/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Members: a call's body as a field table judges it.
 *
 * Ownership  members borrow their texts from the call's body
 * Threads    as the call
 */
#ifndef APID_MEMBERS_H
#define APID_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "apid/call.h"
#include "core/field.h"

/* The members of the body, none where it is empty; no nested objects. False: refused. */
bool members_read(struct call *call, const struct field_spec *specs, size_t spec_count,
		  struct field_member members[FIELD_MEMBERS_MAX], size_t *count);

/* The text of a member that members_read() let pass; "" where it is absent or null. */
const char *members_text(const struct field_member *members, size_t count, const char *name);

#endif
