/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Strict XML at the edges: a body is read into the same tree that JSON gives, and an answer's tree is written as XML.
 *
 * Invariant  accepted documents are UTF-8 elements of depth <= XML_DEPTH_MAX that hold either elements or text, each
 *            name once; no DOCTYPE, entity, attribute, namespace, comment or processing instruction ever passes, and
 *            nothing outside the bytes given is looked at
 * Units      sizes in bytes
 * Ownership  xml_read() gives a jansson reference the caller releases with json_decref(); texts are the caller's to
 *            free()
 * Threads    safe
 * Source     XML 1.0 (Fifth Edition); RFC 9457 appendix B for problems
 *
 * What XML is in JSON: an element with elements is an object, one with text is a string, an empty one is null (of the
 * root: an object without members). There are neither numbers nor arrays in requests, so an amount is always a string:
 * major units. The root may have any name. A name that XML does not allow has _xHHHH_ for a character, as in SQL/XML
 * (ISO/IEC 9075-14): "order no" is <order_x0020_no>.
 */
#ifndef BASE_XML_H
#define BASE_XML_H

#include <jansson.h>
#include <stddef.h>

#include "core/err.h"

#define XML_WHY_SIZE 160
#define XML_DEPTH_MAX 16 /* elements in each other, the root is one */
#define XML_SIZE_MAX 65536

/*
 * Parse `size` bytes as one XML element (nothing but blanks around it, and the XML declaration before it).
 * Returns  ERR_OK with *object, which is an object; ERR_MALFORMED with a sentence in `why` that says what is wrong,
 *          where it can be told with line and column, and never repeats the input; ERR_MEMORY
 */
CHECKED enum err xml_read(const void *bytes, size_t size, json_t **object, char why[XML_WHY_SIZE]);

/* How an answer is written. */
struct xml_form {
	const char *root;      /* its name */
	const char *namespace; /* or NULL */
	const char *
		item; /* name of an array's items; NULL: the array's name without its plural s, else "item" */
};

/*
 * `value` as an XML document, terminated: members become elements, items of arrays repeated elements, null an empty
 * element. A character that XML does not allow becomes U+FFFD.
 * Returns  NULL when memory is short
 */
char *xml_text(const json_t *value, const struct xml_form *form);

#endif
