/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Traces: which trace of our client's a request belongs to, as kept with its operation and told to gateways.
 *
 * Invariant  what was parsed has an id that is not all zeros
 * Ownership  plain value
 * Threads    safe: pure functions
 * Source     W3C Trace Context (Recommendation, 2021), section 3.2
 */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_SIZE 17 /* the id, then the flags that we pass on */
#define TRACE_ID_SIZE 16
#define TRACE_PARENT_SIZE 8
#define TRACE_ID_TEXT_SIZE 33
#define TRACE_TEXT_SIZE 56

struct trace {
	size_t size; /* 0: none; else TRACE_SIZE */
	uint8_t bytes[TRACE_SIZE];
};

/*
 * Read a traceparent: of version 00 the whole, of a later one what version 00 has.
 * Returns  false, and *trace untouched, where it is none
 */
bool trace_parse(const char *text, struct trace *trace);

/* The id as 32 hex digits. Returns `out`; "" for none. */
const char *trace_id_text(const struct trace *trace, char out[TRACE_ID_TEXT_SIZE]);

/* A traceparent of this trace with `parent` as whose call it is (not all zeros). Returns `out`; "" for none. */
const char *trace_format(const struct trace *trace, const uint8_t parent[TRACE_PARENT_SIZE],
			 char out[TRACE_TEXT_SIZE]);

#endif
