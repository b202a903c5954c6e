/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Damage: the differences that can be planted in a settlement, one table row each.
 *
 * Invariant  the same damage on the same settlement plants the same; no line bears two
 * Threads    one thread per settlement
 */
#ifndef SANDBOX_DAMAGE_H
#define SANDBOX_DAMAGE_H

#include <stddef.h>

#include "core/err.h"
#include "sandbox/settlement.h"

/*
 * Plant one difference of this kind ("amount", "missing_in_file", …) and note it.
 * Returns  ERR_OK; ERR_INVALID where there is no such kind; ERR_TOO_LONG where no undamaged line
 *          is left for it, or SETTLEMENT_DIFFERENCES_MAX are planted; ERR_MEMORY
 */
CHECKED enum err damage_plant(struct settlement *settlement, const char *kind);

#endif
