/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Routes: which method and path is whose, and under which conditions (route.def).
 *
 * Invariant  at most one row fits a method and path
 * Ownership  rows are constants
 * Threads    safe: constants and pure functions
 */
#ifndef APID_ROUTE_H
#define APID_ROUTE_H

#include <stddef.h>

enum route_auth {
	ROUTE_OPEN,    /* anyone */
	ROUTE_TOKEN,   /* a bearer token with the row's scope */
	ROUTE_GATEWAY, /* a gateway's signature over the body, judged by the handler */
};

#define ROUTE_DATABASE 1U
#define ROUTE_SHED 2U
#define ROUTE_EMPTY 4U
#define ROUTE_FROZEN 8U

struct route {
	const char *method;
	const char *path;
	enum route_auth auth;
	unsigned scope;    /* one enum token_scope bit; 0 without ROUTE_TOKEN */
	size_t body_max;   /* 0: takes no body */
	const char *query; /* parameters, separated by blanks */
	unsigned flags;
};

enum {
	ROUTE_COUNT = 0
#define ROUTE(method, path, auth, scope, body_max, query, flags, handler) +1
#include "apid/route.def"
#undef ROUTE
};

#define ROUTE_PARAMETER_SIZE 257
#define ROUTE_ALLOW_SIZE 64

/* In order of precedence */
enum route_outcome {
	ROUTE_NO_PATH,   /* 404 */
	ROUTE_MALFORMED, /* a parameter's percent-encoding is broken */
	ROUTE_ASKED,     /* OPTIONS: see allow */
	ROUTE_NO_METHOD, /* 405: see allow */
	ROUTE_FOUND,
};

struct route_match {
	int index;                            /* of the row, with _FOUND */
	char parameter[ROUTE_PARAMETER_SIZE]; /* of the path, decoded; "" where it has none */
	char second[ROUTE_PARAMETER_SIZE];    /* where it has two */
	char allow[ROUTE_ALLOW_SIZE];         /* "GET, HEAD, OPTIONS" */
};

/* Find the row for a method and a raw path (or http:// target). Writes *match as said above. */
enum route_outcome route_find(const char *method, const char *path, struct route_match *match);

/* The row of an index in 0..ROUTE_COUNT-1. */
const struct route *route_at(int index);

/* What serves a row: answers into call->reply. One per row; their files are those of their first word. */
struct call;
typedef void route_handler(struct call *call);

/* The handler of an index (routes.c). */
route_handler *route_handler_at(int index);

#define ROUTE(method, path, auth, scope, body_max, query, flags, handler) route_handler handler;
#include "apid/route.def"
#undef ROUTE

#endif
