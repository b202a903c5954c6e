/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * OpenAPI: the description of the API, made from route.def, err.def, the field tables and describe.h.
 *
 * Invariant  nothing is said here that a table does not hold
 * Ownership  the document is the caller's to json_decref()
 * Threads    safe: pure functions
 * Source     OpenAPI Specification 3.1.0; JSON Schema 2020-12
 */
#ifndef APID_OPENAPI_H
#define APID_OPENAPI_H

#include <jansson.h>

#include "apid/describe.h"

/* The document, NULL where memory is short. */
json_t *openapi_document(void);

/* Schemas of a member of an answer and of a member of a request; NULL where memory is short. */
json_t *openapi_member(const struct describe_member *member);
json_t *openapi_field(const struct field_spec *spec);

/*
 * The name of the schema for `name` in XML, where amounts are always of major units: `name` itself where it has no
 * amount, else `out`.
 */
#define OPENAPI_NAME_SIZE 64
const char *openapi_xml_name(const json_t *schemas, const char *name, char out[OPENAPI_NAME_SIZE]);

/* components/schemas, of requests, of answers and of what is shared. */
json_t *openapi_schemas(void);

#endif
