/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entity tags: the version of an object, as ETag in answers and as a condition of requests.
 *
 * Invariant  the tag of version 7 is "7", quotes included
 * Threads    as the call
 * Source     RFC 9110 sections 8.8.3, 13.1.1 and 13.1.2
 */
#ifndef APID_ETAG_H
#define APID_ETAG_H

#include <stdbool.h>
#include <stdint.h>

#include "apid/http_message.h"
#include "core/version.h"

/* Answer with this version's tag. */
void etag_set(struct http_reply *reply, uint32_t version);

/* True where If-None-Match names this version: the client has it. Weak tags count. */
bool etag_is_held(const struct http_call *call, uint32_t version);

/*
 * What If-Match asks for, into the caller's storage. Weak tags and what is no tag of ours match nothing, nor do tags
 * past the first VERSIONS_MAX.
 * Returns  `match`; NULL where there is no If-Match
 */
const struct version_match *etag_wanted(const struct http_call *call, struct version_match *match);

#endif
