/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signature: how a callback proves where it comes from.
 *
 * Invariant  "t=<unix seconds>,v1=<lower-case hex HMAC-SHA256 of "<t>.<body>">", over the bytes as
 *            they are sent
 * Threads    safe
 */
#ifndef SANDBOX_SIGNATURE_H
#define SANDBOX_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "core/err.h"

#define SIGNATURE_SIZE 96 /* its NUL included */

/* Sign a body at `now_s` (UTC seconds). Returns ERR_OK with terminated text in `out`; ERR_MEMORY.
 */
CHECKED enum err signature_make(const struct secret *secret, int64_t now_s, const char *body,
				size_t size, char out[SIGNATURE_SIZE]);

#endif
