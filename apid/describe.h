/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Describe: what the API's description says beyond route.def, err.def and the field tables: texts, parameters, answers.
 *
 * Invariant  every route has one row here and every row a route; so it is with parameters (unit test), and with the
 *            members of answers (tests/integration/test_description.py)
 * Ownership  rows are constants
 * Threads    safe: constants and pure functions
 */
#ifndef APID_DESCRIBE_H
#define APID_DESCRIBE_H

#include <stddef.h>

#include "apid/route.h"
#include "core/err.h"
#include "core/field.h"
#include "core/transition.h"

enum describe_type {
	DESCRIBE_TEXT,
	DESCRIBE_TIME,    /* RFC 3339 */
	DESCRIBE_AMOUNT,  /* in the form that the client wrote */
	DESCRIBE_INTEGER, /* from min to max, where max is not 0 */
	DESCRIBE_BOOLEAN,
	DESCRIBE_WORD,   /* one of words or list */
	DESCRIBE_WORDS,  /* several of them, separated by commas: of parameters only */
	DESCRIBE_ID,     /* of is the prefix */
	DESCRIBE_OBJECT, /* of is the schema */
	DESCRIBE_LIST,   /* of is the schema of its members */
	DESCRIBE_TEXTS,  /* an array of texts */
	DESCRIBE_ANY,    /* an object of whatever it holds */
	DESCRIBE_STRINGS /* an object of texts whose names are the client's */
};

#define DESCRIBE_NULLABLE 1U
#define DESCRIBE_ABSENT 2U /* may be left out */

struct describe_member {
	const char *name;
	enum describe_type type;
	unsigned flags;
	const char *text;
	const char *of; /* by type; of DESCRIBE_TEXT: a pattern, or NULL */
	const struct words *words;
	const char *const *list; /* NULL-terminated, where words is NULL */
	int min, max;            /* of an integer; of a text its length */
	const char *example;
};

/* A row; what is not the same for all of a type follows by name. */
#define MEMBER(type_, name_, flags_, ...)                                                          \
	{                                                                                          \
		.name = (name_), .type = DESCRIBE_##type_, .flags = (flags_), .text = __VA_ARGS__  \
	}

struct describe_schema {
	const char *name;
	const char *text;
	const struct describe_member *members;
	size_t count;
	const struct describe_member
		*always; /* those that are never absent; NULL: as their rows say */
	size_t always_count;
};

/* Headers of requests */
#define DESCRIBE_KEY 1U        /* Idempotency-Key may be sent */
#define DESCRIBE_KEY_NEEDED 2U /* it must */
#define DESCRIBE_IF_MATCH 4U
#define DESCRIBE_IF_NONE_MATCH 8U

/* Headers of answers */
#define DESCRIBE_ETAG 1U
#define DESCRIBE_LOCATION 2U
#define DESCRIBE_LINK 4U
#define DESCRIBE_REPLAYED 8U
#define DESCRIBE_TRUNCATED 32U
#define DESCRIBE_RATE 16U /* of every answer to a token: follows from route.def */

#define DESCRIBE_ANSWERS_MAX 4
#define DESCRIBE_ERRORS_MAX 6

struct describe_answer {
	int status; /* 0 ends the list */
	const char *text;
	const char *schema; /* NULL: no body, or one of another type */
	const char *type;   /* media type of a body without schema, or NULL */
	bool list;          /* a bare array of them */
	unsigned headers;
};

typedef const struct field_spec *describe_fields(size_t *count);

struct describe_route {
	const char *method;
	const char *path;
	const char *id;      /* what generated clients call it */
	const char *request; /* the schema of its body; NULL: it has none */
	const char *tag;
	const char *summary;     /* a few words */
	const char *text;        /* sentences */
	describe_fields *fields; /* of the body; NULL: none, or a body without members */
	unsigned headers;
	const char *example;          /* a body that is taken, as JSON */
	const struct words *statuses; /* of its parameter status, where they are not a payment's */
	struct describe_answer answers[DESCRIBE_ANSWERS_MAX];
	enum err errors
		[DESCRIBE_ERRORS_MAX]; /* beside those that follow from route.def; ERR_OK ends them */
};

/* The row for a route, NULL where it has none. */
const struct describe_route *describe_route(const char *method, const char *path);
const struct describe_route *describe_routes(size_t *count);

/* Parameters of paths and queries, by name: a name means the same wherever it stands. */
const struct describe_member *describe_parameter(const char *name);
const struct describe_member *describe_parameters(size_t *count);

/* Headers of requests and of answers. */
const struct describe_member *describe_headers(size_t *count);

/* Closed lists of words by name, so that generated clients have one type for each. */
struct describe_enum {
	const char *name;
	const char *text;
	const struct words *words;
	const char *const *list; /* NULL-terminated, where words is NULL */
};

const struct describe_enum *describe_enums(size_t *count);
/* The row of a list of words, NULL where it has none; of a request's, whose words stand in its field table, too. */
const struct describe_enum *describe_enum(const struct words *words, const char *const *list);

/* What a member of an answer looks like, where its type does not say it: as one payment had it. NULL: it does. */
const char *describe_example(const struct describe_member *member);

const struct describe_schema *describe_schema(const char *name);
const struct describe_schema *describe_schemas(size_t *count);

/* What a tag gathers, in the order of the page; NULL-terminated pairs of name and text. */
extern const char *const describe_tags[][2];

#endif
