/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Members of bodies that make API keys.
 *
 * Threads    safe: constants
 */
#ifndef APID_API_KEY_FIELDS_H
#define APID_API_KEY_FIELDS_H

#include <stddef.h>

#include "core/field.h"

#define API_KEY_DAYS_MAX 3650 /* that a key lives */

/* Of POST /api-keys; of a rotation. */
const struct field_spec *api_key_fields(size_t *count);
const struct field_spec *api_key_rotation_fields(size_t *count);

#endif
