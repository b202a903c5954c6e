/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Explain: the fields of POST /routes/explain.
 *
 * Threads    safe: constants
 */
#ifndef APID_EXPLAIN_H
#define APID_EXPLAIN_H

#include <stddef.h>

#include "core/field.h"

/* currency, amount, payment_method, country, kind, operation, customer_id, payment_method_id */
const struct field_spec *explain_fields(size_t *count);

#endif
