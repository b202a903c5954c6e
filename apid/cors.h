/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CORS: which web pages' scripts may read our answers. Only those of configured origins may; others get no header and
 * their browser keeps the answer from them.
 *
 * Invariant  no wildcard, no credentials: a page needs a token of its own
 * Threads    safe: pure functions
 * Source     Fetch Standard, "HTTP-network-or-cache fetch" and "CORS-preflight fetch"
 */
#ifndef APID_CORS_H
#define APID_CORS_H

#include "apid/http_message.h"

/*
 * Add the headers an answer needs. `origins` are separated by blanks, "" for none; `allow` is the methods of an OPTIONS
 * that was answered, which may be a preflight, else NULL.
 */
void cors_answer(const char *origins, const struct http_call *call, const char *allow,
		 struct http_reply *reply);

#endif
