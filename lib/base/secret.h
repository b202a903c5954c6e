/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Secrets: byte strings that no formatter of ours can print and that are wiped when done.
 *
 * Invariant  nothing in lib/base/log.h, json.h or cli.h accepts a struct secret
 * Units      at most SECRET_MAX bytes
 * Ownership  the caller's storage; secret_done() wipes it
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

#define SECRET_MAX 4096

struct secret {
	size_t size;
	unsigned char bytes[SECRET_MAX + 1]; /* a NUL follows the bytes */
};

/*
 * Read a secret from a file: its content without one trailing newline. The file must be regular and
 * not readable or writable by group or others beyond mode 0640.
 * Returns  ERR_OK; ERR_IO (absent, unreadable), ERR_CONFIG (mode too open, empty, too long); `why`
 *          (>= 256 bytes, may be NULL) then says what to do, naming the path
 */
CHECKED enum err secret_read_file(const char *path, struct secret *secret, char *why,
				  size_t why_size);

/* Constant-time comparison (of equal sizes). */
bool secret_equal(const void *a, size_t a_size, const void *b, size_t b_size);

/* Wipe. Accepts an empty secret. */
void secret_done(struct secret *secret);

#endif
