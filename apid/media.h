/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Media types of answers: handlers and refusals write JSON; what a client wants in XML is turned into it at the end.
 *
 * Invariant  in XML an amount is major units, whatever form it was ordered in
 * Ownership  a reply keeps owning its body
 * Threads    safe: no shared state
 * Source     RFC 9110 section 12.5.1 (Accept), RFC 9457 appendix B (application/problem+xml)
 */
#ifndef APID_MEDIA_H
#define APID_MEDIA_H

#include <jansson.h>
#include <stdbool.h>

#include "apid/http_message.h"
#include "core/err.h"

/*
 * True where Accept prefers XML to JSON; where it prefers neither, or does not stand there, the answer is of the
 * request's own type. Accept is never a reason to refuse.
 */
bool media_wants_xml(const struct http_call *call);

/*
 * Turn a JSON answer or problem into XML; every other reply stays as it is. `path` is its route's template, or NULL:
 * a bare array is named by its last word, <transactions> of <transaction>; an object is a <response>; a path that ends
 * in .json stays JSON.
 * Returns  false where memory is short (the reply is as before)
 */
CHECKED bool media_to_xml(struct http_reply *reply, const char *path);

/*
 * The example of a body in JSON with the amounts that it has in XML, where one without a currency is of USD.
 * Returns  NULL where memory is short; else the caller's to json_decref()
 */
json_t *media_example(const char *json);

#endif
