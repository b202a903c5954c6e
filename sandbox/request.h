/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Request: the body of POST /v1/operations, judged.
 *
 * Ownership  a request owns its parsed document, which its terms borrow from: request_done()
 * Threads    one thread per request
 */
#ifndef SANDBOX_REQUEST_H
#define SANDBOX_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "sandbox/answer.h"
#include "sandbox/entry.h"
#include "sandbox/token.h"

#define REQUEST_WHY_SIZE 256

/* Start as { 0 } */
struct request {
	json_t *document;
	struct entry_terms terms;
	bool has_token;               /* terms.payment_token is the caller's, not the default */
	char effect[TOKEN_NAME_SIZE]; /* the token that counts; terms.effect points here */
	struct token token;
};

struct request_refusal {
	enum refusal refusal;
	char why[REQUEST_WHY_SIZE]; /* "" where the refusal's own message says enough */
};

/*
 * Judge a body for the gateway with this index (sandbox/profile.h).
 * Returns  true with *request; false with *refusal: which of malformed, field, operation or token
 * it is
 */
CHECKED bool request_read(const char *body, size_t size, size_t gateway, struct request *request,
			  struct request_refusal *refusal);

/*
 * Let what was wished at its parent's request count for an operation that has no token of its own:
 * the parts of that payment token that name this operation.
 */
void request_inherit(struct request *request, const char *parent_token);

/* Free the document. Accepts an empty request. */
void request_done(struct request *request);

#endif
