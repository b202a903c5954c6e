/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP witness: lets a call's request out once and in time, collects its answer, and says what
 * became of its bytes.
 *
 * Invariant  one sending per call, whatever libcurl makes of a dead connection; the fate follows
 *            from what was let out and counted, never from libcurl's error code: the same one
 *            (timed out, unsupported protocol) comes before and after sending
 * Ownership  answers borrow from the call
 * Threads    that of the client
 * Source     CURLOPT_PREREQFUNCTION(3), CURLOPT_OPENSOCKETFUNCTION(3), CURLINFO_REQUEST_SIZE(3)
 */
#ifndef BASE_HTTP_WITNESS_H
#define BASE_HTTP_WITNESS_H

#include "base/http_call.h"

/* Set the callbacks on the call's easy handle. Returns false when libcurl refuses one (memory). */
CHECKED bool http_witness_attach(struct http_call *call);

/*
 * What became of a call that ended with `code` (a CURLcode; it only words the reason of a failure).
 * The answer's body stays the call's.
 */
void http_witness_judge(const struct http_call *call, int code, struct http_answer *answer);

#endif
