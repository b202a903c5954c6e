/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Metadata: a client's own strings as the canonical text they are kept as, changed by a merge patch.
 *
 * Ownership  texts are the caller's
 * Threads    safe: pure functions
 * Source     RFC 7396 (merge patch)
 */
#ifndef SERVICE_METADATA_H
#define SERVICE_METADATA_H

#include "core/amendment.h"
#include "core/err.h"

/*
 * Merge the member of a request (VALUE_NULL removes all) into the text that is there ("": none); `out` may be `there`.
 * Returns  ERR_OK; ERR_TOO_LONG where it would be more than may be kept (`out` is undefined); ERR_MEMORY
 */
CHECKED enum err metadata_merge(const char *there, const struct field_value *metadata,
				char out[PAYMENT_METADATA_SIZE]);

#endif
