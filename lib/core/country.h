/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Countries: the two-letter codes that are assigned.
 *
 * Ownership  constants
 * Threads    safe
 * Source     ISO 3166-1 alpha-2, and XK, which it leaves to its users and banks and gateways use for Kosovo
 */
#ifndef CORE_COUNTRY_H
#define CORE_COUNTRY_H

#include <stdbool.h>

/* True for one of the codes; the first two characters of `code` are looked at. */
bool country_is_assigned(const char *code);

/* All codes, each of two letters, in order, NULL-terminated. */
extern const char *const country_codes[];

#endif
