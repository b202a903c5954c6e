/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "apid/openapi.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "apid/media.h"
#include "apid/problem.h"
#include "base/token.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unreleased"
#endif

#define REF_SIZE 80
#define SENTENCES_SIZE 2048
#define ERRORS_MAX 32
#define ANSWER_ROOT "response" /* as media_to_xml() writes it */

static const char about[] =
	"Takes payments, sends them to payment gateways and never charges twice.\n\n"
	"Amounts are integers of minor units (`1000` USD is $10.00) or strings of major units "
	"(`\"10.00\"`), answered in the form they came. Times are RFC 3339 in UTC. A refusal is "
	"`application/problem+json` whose `code` is stable. **An outcome that is not known is "
	"never an "
	"error**: it is `processing` until the gateway was heard, and paying again is not safe. "
	"Send an "
	"`Idempotency-Key` and repeat the same request as often as you like.\n\n"
	"`HEAD` is answered where `GET` is, and `OPTIONS` everywhere. Unknown members of a body "
	"and "
	"unknown query parameters are refused.\n\n"
	"A body may be XML (`Content-Type: application/xml`, elements named as the members, any "
	"root), and so may answers (`Accept: application/xml`; without `Accept` the answer is as "
	"the body was). In XML an amount is always of major units.";

static void put(json_t *object, const char *name, json_t *value)
{
	(void)json_object_set_new(object, name, value);
}

static json_t *reference(const char *kind, const char *name)
{
	char text[REF_SIZE];

	(void)snprintf(text, sizeof text, "#/components/%s/%s", kind, name);
	return json_pack("{s:s}", "$ref", text);
}

/* ---- parameters ---- */

static json_t *parameter(const struct describe_member *row, const char *in)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:b, s:o}", "name", row->name, "in", in,
				   "description", row->text, "required", strcmp(in, "path") == 0,
				   "schema", openapi_member(row));

	if (row->type == DESCRIBE_WORDS) {
		put(object, "style", json_string("form"));
		put(object, "explode", json_false());
	}
	if (row->example != NULL)
		put(object, "example", json_string(row->example));
	return object;
}

static void parameter_add(json_t *list, const char *name, size_t size, const char *in,
			  const struct words *statuses)
{
	size_t count;
	const struct describe_member *rows = describe_parameters(&count);

	for (size_t i = 0; i < count; i++) {
		struct describe_member row = rows[i];

		if (strlen(row.name) != size || memcmp(row.name, name, size) != 0)
			continue;
		if (statuses != NULL && row.type == DESCRIBE_WORDS)
			row.words = statuses;
		(void)json_array_append_new(list, parameter(&row, in));
	}
}

static const struct describe_member *header_row(const char *name)
{
	size_t count;
	const struct describe_member *rows = describe_headers(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	assert(false && "a header without a row");
	return NULL;
}

static void header_add(json_t *list, const char *name)
{
	(void)json_array_append_new(list, reference("parameters", name));
}

static json_t *parameters(const struct route *route, const struct describe_route *row)
{
	json_t *list = json_array();
	const char *at = route->path;

	while ((at = strchr(at, '{')) != NULL) {
		at++;
		parameter_add(list, at, strcspn(at, "}"), "path", NULL);
	}
	for (at = route->query; *at != '\0'; at += strspn(at, " ")) {
		const size_t size = strcspn(at, " ");

		parameter_add(list, at, size, "query", row->statuses);
		at += size;
	}
	if ((row->headers & DESCRIBE_KEY_NEEDED) != 0) {
		json_t *key = parameter(header_row("Idempotency-Key"), "header");

		put(key, "required", json_true());
		(void)json_array_append_new(list, key);
	}
	if ((row->headers & DESCRIBE_KEY) != 0)
		header_add(list, "Idempotency-Key");
	if ((row->headers & DESCRIBE_IF_MATCH) != 0)
		header_add(list, "If-Match");
	if ((row->headers & DESCRIBE_IF_NONE_MATCH) != 0)
		header_add(list, "If-None-Match");
	header_add(list, "Request-Timeout");
	header_add(list, "X-Request-Id");
	header_add(list, "traceparent");
	return list;
}

/* ---- bodies ---- */

static json_t *body(const json_t *schemas, const struct route *route,
		    const struct describe_route *row)
{
	char name[OPENAPI_NAME_SIZE];
	json_t *json = json_pack("{s:o}", "schema", reference("schemas", row->request));
	json_t *xml =
		json_pack("{s:o}", "schema",
			  reference("schemas", openapi_xml_name(schemas, row->request, name)));

	if (row->example != NULL) {
		put(json, "example", json_loads(row->example, 0, NULL));
		put(xml, "example", media_example(row->example));
	}
	return json_pack("{s:b, s:{s:o, s:o}}", "required", (route->flags & ROUTE_EMPTY) == 0,
			 "content", "application/json", json, "application/xml", xml);
}

/* ---- answers ---- */

static const struct answer_header {
	unsigned flag;
	const char *name;
} answer_headers[] = {
	{ DESCRIBE_ETAG, "ETag" },      { DESCRIBE_LOCATION, "Location" },
	{ DESCRIBE_LINK, "Link" },      { DESCRIBE_REPLAYED, "Idempotency-Replayed" },
	{ DESCRIBE_RATE, "RateLimit" }, { DESCRIBE_RATE, "RateLimit-Policy" },
	{ DESCRIBE_TRUNCATED, "Truncated" },
};

static json_t *headers_of(unsigned flags)
{
	json_t *headers =
		json_pack("{s:o}", "X-Api-Call-Id", reference("headers", "X-Api-Call-Id"));

	for (size_t i = 0; i < sizeof answer_headers / sizeof answer_headers[0]; i++)
		if ((flags & answer_headers[i].flag) != 0)
			put(headers, answer_headers[i].name,
			    reference("headers", answer_headers[i].name));
	return headers;
}

static json_t *answer_schema(const struct describe_answer *row, const char *name)
{
	json_t *schema = reference("schemas", name);

	return row->list ? json_pack("{s:s, s:o}", "type", "array", "items", schema) : schema;
}

/* The same, and the root's name: media_to_xml() calls a list by the last word of its path. */
static json_t *answer_xml_schema(const json_t *schemas, const struct route *route,
				 const struct describe_answer *row)
{
	char name[OPENAPI_NAME_SIZE];
	json_t *schema = answer_schema(row, openapi_xml_name(schemas, row->schema, name));

	put(schema, "xml",
	    row->list ? json_pack("{s:s, s:b}", "name", strrchr(route->path, '/') + 1, "wrapped", 1)
		      : json_pack("{s:s}", "name", ANSWER_ROOT));
	return schema;
}

static json_t *answer(const json_t *schemas, const struct route *route,
		      const struct describe_answer *row)
{
	const unsigned rate = route->auth == ROUTE_TOKEN ? DESCRIBE_RATE : 0;
	json_t *object = json_pack("{s:s, s:o}", "description", row->text, "headers",
				   headers_of(row->headers | rate));

	if (row->schema != NULL)
		put(object, "content",
		    json_pack("{s:{s:o}, s:{s:o}}", "application/json", "schema",
			      answer_schema(row, row->schema), "application/xml", "schema",
			      answer_xml_schema(schemas, route, row)));
	else if (row->type != NULL)
		put(object, "content",
		    json_pack("{s:{s:{s:s}}}", row->type, "schema", "type",
			      strcmp(row->type, "application/json") == 0 ? "object" : "string"));
	return object;
}

/* ---- refusals: what follows from a route's row, and what its row here adds ---- */

struct errors {
	enum err list[ERRORS_MAX];
	size_t count;
};

static void error_add(struct errors *errors, enum err err)
{
	for (size_t i = 0; i < errors->count; i++)
		if (errors->list[i] == err)
			return;
	assert(errors->count < ERRORS_MAX);
	errors->list[errors->count++] = err;
}

static void errors_add(struct errors *errors, const enum err *list, size_t count)
{
	for (size_t i = 0; i < count && list[i] != ERR_OK; i++)
		error_add(errors, list[i]);
}

#define ADD(errors, ...)                                                                           \
	errors_add(errors, (const enum err[]){ __VA_ARGS__, ERR_OK },                              \
		   sizeof((const enum err[]){ __VA_ARGS__ }) / sizeof(enum err))

static struct errors errors_of(const struct route *route, const struct describe_route *row)
{
	struct errors errors = { .count = 0 };

	ADD(&errors, ERR_MALFORMED, ERR_QUERY, ERR_BODY_TOO_LARGE, ERR_DEADLINE, ERR_MEMORY,
	    ERR_INTERNAL);
	if (route->auth == ROUTE_TOKEN)
		ADD(&errors, ERR_UNAUTHENTICATED, ERR_SCOPE, ERR_MERCHANT, ERR_LIMITED,
		    ERR_LOCKED_OUT);
	if (route->auth == ROUTE_GATEWAY)
		ADD(&errors, ERR_SIGNATURE, ERR_LOCKED_OUT);
	if (route->auth == ROUTE_TOKEN && route->body_max > 0)
		ADD(&errors, ERR_MEDIA_TYPE, ERR_INVALID);
	if (strchr(route->path, '{') != NULL)
		ADD(&errors, ERR_NOT_FOUND);
	if ((route->flags & ROUTE_DATABASE) != 0)
		ADD(&errors, ERR_UNAVAILABLE, ERR_BUSY, ERR_OVERLOADED, ERR_DRAINING, ERR_STORE);
	if ((row->headers & DESCRIBE_IF_MATCH) != 0)
		ADD(&errors, ERR_STALE);
	errors_add(&errors, row->errors, DESCRIBE_ERRORS_MAX);
	return errors;
}

/* All of one status: "code: sentence", one a line. */
static void sentences_write(const struct errors *errors, int status, char out[SENTENCES_SIZE])
{
	size_t used = 0;

	for (size_t i = 0; i < errors->count; i++) {
		const struct err_row *row = err_row(errors->list[i]);

		if (problem_status(errors->list[i]) == status)
			used += (size_t)snprintf(out + used, SENTENCES_SIZE - used, "%s`%s`: %s.",
						 used > 0 ? "\n" : "", row->code, row->title);
		assert(used < SENTENCES_SIZE);
	}
}

/* Its amounts are of major units there, as everywhere in XML. */
static json_t *problem_xml_schema(const json_t *schemas)
{
	char name[OPENAPI_NAME_SIZE];
	json_t *schema = reference("schemas", openapi_xml_name(schemas, "Problem", name));

	put(schema, "xml",
	    json_pack("{s:s, s:s}", "name", "problem", "namespace", "urn:ietf:rfc:7807"));
	return schema;
}

static json_t *refusal(const json_t *schemas, const struct errors *errors, int status)
{
	char text[SENTENCES_SIZE];
	json_t *headers = headers_of(status == 429 ? DESCRIBE_RATE : 0);

	sentences_write(errors, status, text);
	if (status == 503 || status == 409 || status == 429)
		put(headers, "Retry-After", reference("headers", "Retry-After"));
	if (status == 401 || status == 403)
		put(headers, "WWW-Authenticate", reference("headers", "WWW-Authenticate"));
	return json_pack("{s:s, s:o, s:{s:{s:o}, s:{s:o}}}", "description", text, "headers",
			 headers, "content", PROBLEM_TYPE, "schema",
			 reference("schemas", "Problem"), "application/problem+xml", "schema",
			 problem_xml_schema(schemas));
}

static json_t *answers(const json_t *schemas, const struct route *route,
		       const struct describe_route *row)
{
	const struct errors errors = errors_of(route, row);
	json_t *object = json_object();
	char status[16];

	for (size_t i = 0; i < DESCRIBE_ANSWERS_MAX && row->answers[i].status != 0; i++) {
		(void)snprintf(status, sizeof status, "%d", row->answers[i].status);
		put(object, status, answer(schemas, route, &row->answers[i]));
	}
	for (size_t i = 0; i < errors.count; i++) {
		const int number = problem_status(errors.list[i]);

		(void)snprintf(status, sizeof status, "%d", number);
		if (json_object_get(object, status) == NULL)
			put(object, status, refusal(schemas, &errors, number));
	}
	return object;
}

/* ---- operations ---- */

static json_t *security(const struct route *route)
{
	if (route->auth != ROUTE_TOKEN)
		return json_array();
	return json_pack("[{s:[s]}]", "bearer", token_scope_word((enum token_scope)route->scope));
}

static json_t *operation(const json_t *schemas, int index, const struct describe_route *row)
{
	const struct route *route = route_at(index);
	json_t *object =
		json_pack("{s:s, s:[s], s:s, s:s, s:o, s:o}", "operationId", row->id, "tags",
			  row->tag, "summary", row->summary, "description", row->text, "security",
			  security(route), "parameters", parameters(route, row));

	if (route->body_max > 0)
		put(object, "requestBody", body(schemas, route, row));
	put(object, "responses", answers(schemas, route, row));
	return object;
}

static json_t *paths(const json_t *schemas)
{
	json_t *object = json_object();

	for (int i = 0; i < ROUTE_COUNT; i++) {
		const struct route *route = route_at(i);
		const struct describe_route *row = describe_route(route->method, route->path);
		json_t *path = json_object_get(object, route->path);
		char method[8];

		if (row == NULL)
			continue; /* a unit test fails for it */
		if (path == NULL) {
			put(object, route->path, json_object());
			path = json_object_get(object, route->path);
		}
		(void)snprintf(method, sizeof method, "%s", route->method);
		for (char *c = method; *c != '\0'; c++)
			*c = (char)(*c - 'A' + 'a');
		put(path, method, operation(schemas, i, row));
	}
	return object;
}

/* ---- the document ---- */

static json_t *tags(void)
{
	json_t *list = json_array();

	for (size_t i = 0; describe_tags[i][0] != NULL; i++)
		(void)json_array_append_new(list,
					    json_pack("{s:s, s:s}", "name", describe_tags[i][0],
						      "description", describe_tags[i][1]));
	return list;
}

static const char *const request_headers[] = { "Idempotency-Key", "If-Match", "If-None-Match",
					       "Request-Timeout", "X-Request-Id", "traceparent" };
static const char *const reply_headers[] = { "RateLimit",
					     "RateLimit-Policy",
					     "X-Api-Call-Id",
					     "ETag",
					     "Location",
					     "Link",
					     "Truncated",
					     "Idempotency-Replayed",
					     "Retry-After",
					     "WWW-Authenticate" };

static json_t *components(json_t *schemas)
{
	json_t *requests = json_object();
	json_t *replies = json_object();

	for (size_t i = 0; i < sizeof request_headers / sizeof request_headers[0]; i++)
		put(requests, request_headers[i],
		    parameter(header_row(request_headers[i]), "header"));
	for (size_t i = 0; i < sizeof reply_headers / sizeof reply_headers[0]; i++) {
		const struct describe_member *row = header_row(reply_headers[i]);

		put(replies, row->name,
		    json_pack("{s:s, s:b, s:o}", "description", row->text, "required",
			      (row->flags & DESCRIBE_ABSENT) == 0, "schema", openapi_member(row)));
	}
	return json_pack("{s:o, s:o, s:o, s:{s:{s:s, s:s, s:s, s:s}}}", "schemas", schemas,
			 "parameters", requests, "headers", replies, "securitySchemes", "bearer",
			 "type", "http", "scheme", "bearer", "bearerFormat", "JWT or API key",
			 "description",
			 "A token (a JWT, from payopsctl token issue) or an API key (from "
			 "payopsctl key issue or POST /api-keys) "
			 "whose scope covers the request.");
}

json_t *openapi_document(void)
{
	json_t *schemas = openapi_schemas();

	return json_pack(
		"{s:s, s:{s:s, s:s, s:s, s:{s:s}, s:{s:s, s:s}}, s:[{s:s, s:s}], s:[{s:[]}],"
		" s:o, s:o, s:o}",
		"openapi", "3.1.0", "info", "title", "payops", "version", PACKAGE_VERSION,
		"description", about, "contact", "name", "payops contributors", "license", "name",
		"GPL-3.0-or-later", "identifier", "GPL-3.0-or-later", "servers", "url", "/",
		"description", "This server.", "security", "bearer", "tags", tags(), "paths",
		paths(schemas), "components", components(schemas));
}
