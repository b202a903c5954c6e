/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Docs page: the description of the API for people, one page of HTML that needs nothing else.
 *
 * Invariant  every text is escaped; there is no script and no address of another host
 * Ownership  the page is the caller's to free()
 * Threads    safe: pure functions
 */
#ifndef APID_DOCS_PAGE_H
#define APID_DOCS_PAGE_H

#include <jansson.h>

/* The page for an OpenAPI document (openapi.h), NULL where memory is short. */
char *docs_page(const json_t *document);

/* The page's own style, exactly as it stands between its style tags: a policy can name its hash. */
extern const char docs_page_style[];

#endif
