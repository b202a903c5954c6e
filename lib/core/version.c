/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/version.h"

bool version_matches(const struct version_match *match, uint32_t version)
{
	if (match == NULL || match->any)
		return true;
	for (size_t i = 0; i < match->count; i++)
		if (match->list[i] == version)
			return true;
	return false;
}
