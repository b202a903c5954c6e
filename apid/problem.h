/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Problems: the body of every refusal, made from a row of err.def.
 *
 * Invariant  nothing of the request is repeated but a short, harmless path and the names of fields
 * Ownership  texts are borrowed, bodies the caller's to free()
 * Threads    safe: pure functions
 * Source     RFC 9457 (application/problem+json), RFC 6901 (pointers)
 */
#ifndef APID_PROBLEM_H
#define APID_PROBLEM_H

#include <jansson.h>
#include <stddef.h>

#include "core/err.h"
#include "core/field.h"

#define PROBLEM_TYPE "application/problem+json"

struct problem {
	enum err err;
	const char *
		detail; /* one sentence for the developer of the client; NULL: what errors, or err, say */
	const char *
		instance; /* the request's path; left out where it is not short visible ASCII or holds a card number */
	const char *api_call_id;
	int retry_after_s;          /* where it is not the same for all of its kind; else 0 */
	const json_t *errors;       /* array made below; NULL: none */
	const json_t *further;      /* members of its own; NULL: none */
	const char *current_status; /* of the object, where it is the reason; else NULL */
	const char *const
		*allowed_actions; /* NULL-terminated: what it allows instead; NULL: not said */
};

/* The status the problem goes out with. An unknown outcome is not a problem: ERR_UNCERTAIN becomes 503. */
int problem_status(enum err err);

/* Seconds after which the same request is worth repeating; 0 where waiting does not help. */
int problem_retry_after_s(const struct problem *problem);

/* The JSON body, NULL where memory is short; *size is its length. */
char *problem_text(const struct problem *problem, size_t *size);

/* Field errors as an array of {field, pointer, code, message}; NULL where memory is short. */
json_t *problem_errors(const struct field_errors *errors);

/*
 * Add one entry to such an array; `pointer` is made from the name where the field stands in the body. Best effort:
 * an entry that memory is short for is left out.
 */
enum problem_place { PROBLEM_IN_BODY, PROBLEM_ELSEWHERE };
void problem_error_add(json_t *errors, const char *field, enum problem_place place,
		       const char *code, const char *message);

#endif
