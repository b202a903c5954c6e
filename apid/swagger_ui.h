/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Swagger UI: the files of the npm package swagger-ui-dist where they are installed, and the page that starts it on
 * this server's own description. They are no part of this project: `docs/swagger-ui/fetch` takes them by a pinned hash.
 *
 * Invariant  frozen: read once at start, whole or not at all
 * Ownership  the caller's to swagger_ui_free()
 * Threads    safe
 */
#ifndef APID_SWAGGER_UI_H
#define APID_SWAGGER_UI_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* Its own scripts and styles only, no other host. */
#define SWAGGER_UI_POLICY                                                                          \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "          \
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

struct swagger_ui;

struct swagger_ui_file {
	const char *type; /* a media type */
	const void *bytes;
	size_t size;
	uint32_t version; /* the beginning of its hash */
};

/*
 * Read the files in `directory`.
 * Returns  ERR_OK with *ui; ERR_NOT_FOUND without them, *why then says which is missing or unfit; ERR_MEMORY
 */
CHECKED enum err swagger_ui_read(const char *directory, struct swagger_ui **ui, char *why,
				 size_t why_size);

/* Accepts NULL. */
void swagger_ui_free(struct swagger_ui *ui);

/* The page itself; its addresses are relative to /docs. */
const struct swagger_ui_file *swagger_ui_page(const struct swagger_ui *ui);

/* What stands at /docs/NAME, NULL where nothing does. */
const struct swagger_ui_file *swagger_ui_find(const struct swagger_ui *ui, const char *name);

#endif
