/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Versions that a client names as the ones its request is about.
 *
 * Ownership  plain values
 * Threads    safe: pure functions
 * Source     RFC 9110 section 13.1.1 (If-Match)
 */
#ifndef CORE_VERSION_H
#define CORE_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERSIONS_MAX 8

struct version_match {
	bool any; /* whatever it is, so long as there is one */
	size_t count;
	uint32_t list[VERSIONS_MAX];
};

/* True where the object's version is one of those, or nothing was asked for (NULL). */
bool version_matches(const struct version_match *match, uint32_t version);

#endif
