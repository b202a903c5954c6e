/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Idempotency keys: the header's value, bare or as a quoted string, which are the same key.
 *
 * Invariant  a key is 1 to 255 visible ASCII characters without a comma, since proxies join lines with commas,
 *            and no card number: it is stored as it is
 * Threads    safe
 * Source     draft-ietf-httpapi-idempotency-key-header (a String item of RFC 8941); API.md: Idempotency
 */
#ifndef APID_IDEMPOTENCY_KEY_H
#define APID_IDEMPOTENCY_KEY_H

#include "apid/http_message.h"
#include "core/err.h"
#include "core/field.h"

#define IDEMPOTENCY_KEY_SIZE 256

/*
 * Read a key from a text: bare or a quoted string.
 * Returns  ERR_OK with the key; ERR_MALFORMED, or ERR_INVALID where it holds a card number, with a
 *          constant sentence in *why
 */
CHECKED enum err idempotency_key_parse(const char *text, char key[IDEMPOTENCY_KEY_SIZE],
				       const char **why);

/*
 * Read the Idempotency-Key header.
 * Returns  ERR_OK with the key, "" where there is no such header; ERR_MALFORMED, or ERR_INVALID where the key holds a
 *          card number, with a constant sentence in *why
 */
CHECKED enum err idempotency_key_read(const struct http_call *call, char key[IDEMPOTENCY_KEY_SIZE],
				      const char **why);

/* The body of a request that names a key: idempotency_key. */
const struct field_spec *idempotency_key_fields(size_t *count);

#endif
