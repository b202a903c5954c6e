/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys of calls: the Idempotency-Key header as handlers take it.
 *
 * Threads    as the call
 */
#ifndef APID_KEY_H
#define APID_KEY_H

#include <stdbool.h>

#include "apid/call.h"
#include "apid/idempotency_key.h"
#include "core/field.h"

/* The call's key, "" where it has none. False: refused. */
bool key_take(struct call *call, char key[IDEMPOTENCY_KEY_SIZE]);

/* The same where there must be one. */
bool key_take_required(struct call *call, char key[IDEMPOTENCY_KEY_SIZE]);

/*
 * Whether the key has begun a payment, which is answered by it.
 * Returns  ERR_OK; ERR_NOT_FOUND, also where there is no key; what the database or pool says
 */
CHECKED enum err key_find(const struct call *call, const char *key);

/* Count what a key came to, where there is one. */
void key_count(struct call *call, const char *key, enum metrics_counter counter);

/* Refuse a key that was used with other content: the members of the specs whose bits are set differ. */
void key_refuse_reused_fields(struct call *call, const struct field_spec *specs, size_t count,
			      unsigned differing);

/* Refuse a key that was used with other content: `names` of the members, those whose bits are set differ. */
void key_refuse_reused(struct call *call, const char *const *names, size_t count,
		       unsigned differing);

#endif
