/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reference: the description of the API as it is served, written once at start.
 *
 * Invariant  frozen: the same text, and the same ETag, as long as the process lives
 * Ownership  the caller's to reference_free()
 * Threads    safe
 */
#ifndef APID_REFERENCE_H
#define APID_REFERENCE_H

#include "core/err.h"

struct reference;

/*
 * ui_directory  where swagger-ui-dist's files may be (swagger_ui.h); where they are not, /docs is the plain page
 * Returns       ERR_OK with *reference; ERR_MEMORY
 */
CHECKED enum err reference_new(const char *ui_directory, struct reference **reference);

/* Accepts NULL. */
void reference_free(struct reference *reference);

#endif
