/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* The same document as /openapi.json, as a manual page. */
#include "man/pages.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "apid/openapi.h"

#define CODES_SIZE 512
#define LINE_SIZE 1024
#define STATUS_SIZE 12
#define WORDS_SHOWN 16

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static bool has_word(const json_t *list, const char *word)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) if (strcmp(json_string_value(one), word) == 0) return true;
	return false;
}

static const json_t *resolved(const json_t *document, const json_t *row, const char *kind)
{
	const char *reference = json_string_value(json_object_get(row, "$ref"));

	if (reference == NULL)
		return row;
	return json_object_get(json_object_get(json_object_get(document, "components"), kind),
			       strrchr(reference, '/') + 1);
}

/* ---- types in words ---- */

static void type_write(FILE *out, const json_t *schema);

static void list_write(FILE *out, const json_t *list, bool are_words)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (i == WORDS_SHOWN) {
			fprintf(out, " and %zu more", json_array_size(list) - i);
			return;
		}
		fputs(i == 0 ? "" : are_words ? ", " : " or ", out);
		if (are_words)
			fputs(json_is_null(one) ? "null" : json_string_value(one), out);
		else
			type_write(out, one);
	}
}

static void plain_write(FILE *out, const json_t *schema)
{
	const json_t *type = json_object_get(schema, "type");
	const json_t *most = json_object_get(schema, "maximum");
	const bool is_time = strcmp(text_of(schema, "format"), "date-time") == 0;
	const char *word = json_string_value(json_is_array(type) ? json_array_get(type, 0) : type);

	fputs(is_time ? "time" : word != NULL ? word : "anything", out);
	if (json_is_array(type))
		fputs(" or null", out);
	if (most != NULL)
		fprintf(out, ", %lld to %lld",
			(long long)json_integer_value(json_object_get(schema, "minimum")),
			(long long)json_integer_value(most));
	most = json_object_get(schema, "maxLength");
	if (most != NULL)
		fprintf(out, ", at most %lld characters", (long long)json_integer_value(most));
}

static void type_write(FILE *out, const json_t *schema)
{
	const char *reference = json_string_value(json_object_get(schema, "$ref"));
	const json_t *either = json_object_get(schema, "anyOf");

	if (either == NULL)
		either = json_object_get(schema, "oneOf");
	if (reference != NULL) {
		fputs(strrchr(reference, '/') + 1, out);
	} else if (either != NULL) {
		list_write(out, either, false);
	} else if (json_object_get(schema, "enum") != NULL) {
		list_write(out, json_object_get(schema, "enum"), true);
	} else if (json_object_get(schema, "items") != NULL) {
		fputs("list of ", out);
		type_write(out, json_object_get(schema, "items"));
	} else {
		plain_write(out, schema);
	}
}

static void type_put(struct mdoc *page, const json_t *schema)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		abort();
	type_write(out, schema);
	fputc('.', out);
	if (fclose(out) == 0) {
		text[0] = (char)(json_object_get(schema, "enum") == NULL ? toupper(text[0])
									 : text[0]);
		mdoc_text(page, text);
	}
	free(text);
}

/* ---- members, parameters, answers ---- */

static void member_put(struct mdoc *page, const char *name, bool needed, const json_t *schema,
		       const char *text)
{
	mdoc_macro(page, ".It Li %s%s", name, needed ? " Pq required" : "");
	mdoc_text(page, text);
	type_put(page, schema);
}

static void members_put(struct mdoc *page, const json_t *schema, bool mark)
{
	const char *name;
	json_t *member;

	mdoc_macro(page, ".Bl -tag -width Ds -offset indent -compact");
	json_object_foreach(json_object_get(schema, "properties"), name, member)
		member_put(page, name, mark && has_word(json_object_get(schema, "required"), name),
			   member, text_of(member, "description"));
	mdoc_macro(page, ".El");
}

/* Those of the route alone; what every request may send is said once. */
static void parameters_put(struct mdoc *page, const json_t *document, const json_t *operation)
{
	const json_t *parameter;
	bool is_open = false;
	size_t i;

	json_array_foreach(json_object_get(operation, "parameters"), i, parameter)
	{
		const json_t *row = resolved(document, parameter, "parameters");
		const char *name = text_of(row, "name");

		if (strcmp(name, "Request-Timeout") == 0 || strcmp(name, "X-Request-Id") == 0 ||
		    strcmp(name, "traceparent") == 0)
			continue;
		if (!is_open)
			mdoc_macro(page, ".Pp\nParameters and headers:\n.Bl -tag -width Ds -offset "
					 "indent -compact");
		is_open = true;
		member_put(page, name, json_is_true(json_object_get(row, "required")),
			   json_object_get(row, "schema"), text_of(row, "description"));
	}
	if (is_open)
		mdoc_macro(page, ".El");
}

/* "`code`: Title." one a line -> "code, code". */
static bool codes_of(const char *text, char out[CODES_SIZE])
{
	size_t used = 0;

	out[0] = '\0';
	for (; *text == '`'; text += *text == '\n' ? 1 : 0) {
		const size_t size = strcspn(text + 1, "`");

		used += (size_t)snprintf(out + used, CODES_SIZE - used, "%s%.*s",
					 used > 0 ? ", " : "", (int)size, text + 1);
		text += strcspn(text, "\n");
	}
	return used > 0;
}

static void answer_put(struct mdoc *page, const char *status, const json_t *answer)
{
	const char *type;
	json_t *content;
	char codes[CODES_SIZE];

	mdoc_macro(page, ".It %s", status);
	if (codes_of(text_of(answer, "description"), codes)) {
		mdoc_text(page, codes);
		return;
	}
	mdoc_text(page, text_of(answer, "description"));
	json_object_foreach(json_object_get(answer, "content"), type, content)
	{
		type_put(page, json_object_get(content, "schema"));
		return; /* XML has the same members */
	}
}

static void answers_put(struct mdoc *page, const json_t *operation)
{
	const json_t *answers = json_object_get(operation, "responses");
	char status[STATUS_SIZE];

	mdoc_macro(page, ".Pp\nAnswers:\n.Bl -tag -width Ds -offset indent -compact");
	for (int number = 100; number < 600; number++) {
		(void)snprintf(status, sizeof status, "%d", number);
		if (json_object_get(answers, status) != NULL)
			answer_put(page, status, json_object_get(answers, status));
	}
	mdoc_macro(page, ".El");
}

/* ---- operations ---- */

static const json_t *body_of(const json_t *operation)
{
	return json_object_get(
		json_object_get(json_object_get(operation, "requestBody"), "content"),
		"application/json");
}

static bool takes_key(const json_t *document, const json_t *operation)
{
	const json_t *parameter;
	size_t i;

	json_array_foreach(
		json_object_get(operation, "parameters"), i,
		parameter) if (strcmp(text_of(resolved(document, parameter, "parameters"), "name"),
				      "Idempotency-Key") == 0) return true;
	return false;
}

/* {id} is for the reader to put in: $id. */
static void path_write(char out[LINE_SIZE], const char *path)
{
	size_t used = (size_t)snprintf(out, LINE_SIZE, "    $PAYOPS_URL");

	for (; *path != '\0' && used + 1 < LINE_SIZE; path++)
		if (*path != '}')
			out[used++] = (char)(*path == '{' ? '$' : *path);
	out[used] = '\0';
}

/* The example, a line for each member; without one it is the gateway's own message. */
static void body_put(struct mdoc *page, char *text)
{
	char line[LINE_SIZE];
	const char *before = "    -d '";

	if (text == NULL) {
		mdoc_literal(page, "    --data-binary @message \\");
		return;
	}
	for (char *rest = text; rest != NULL; before = "    ") {
		const char *part = strsep(&rest, "\n");

		(void)snprintf(line, sizeof line, "%s%s%s", before, part,
			       rest == NULL ? "' \\" : "");
		mdoc_literal(page, line);
	}
}

static void curl_put(struct mdoc *page, const char *method, const char *path,
		     const json_t *document, const json_t *operation)
{
	const json_t *example = json_object_get(body_of(operation), "example");
	char *text = example != NULL ? json_dumps(example, JSON_INDENT(2)) : NULL;
	char line[LINE_SIZE];

	mdoc_macro(page, ".Bd -literal -offset indent");
	(void)snprintf(line, sizeof line, "curl -X %s \\", method);
	mdoc_literal(page, line);
	if (json_array_size(json_object_get(operation, "security")) > 0)
		mdoc_literal(page, "    -H \"Authorization: Bearer $PAYOPS_TOKEN\" \\");
	if (takes_key(document, operation))
		mdoc_literal(page, "    -H 'Idempotency-Key: order-1234' \\");
	if (body_of(operation) != NULL) {
		mdoc_literal(page, "    -H 'Content-Type: application/json' \\");
		body_put(page, text);
	}
	path_write(line, path);
	mdoc_literal(page, line);
	mdoc_macro(page, ".Ed");
	free(text);
}

static void operation_put(struct mdoc *page, const json_t *document, const char *method,
			  const char *path, const json_t *operation)
{
	const json_t *body =
		resolved(document, json_object_get(body_of(operation), "schema"), "schemas");
	const char *scope = json_string_value(json_array_get(
		json_object_get(json_array_get(json_object_get(operation, "security"), 0),
				"bearer"),
		0));
	char name[8] = "";

	for (size_t i = 0; i + 1 < sizeof name && method[i] != '\0'; i++)
		name[i] = (char)toupper(method[i]);
	mdoc_macro(page, ".Ss %s %s", name, path);
	mdoc_macro(page, "%s.", text_of(operation, "summary"));
	mdoc_text(page, text_of(operation, "description"));
	if (scope != NULL)
		mdoc_macro(page, "Scope\n.Cm %s .", scope);
	else
		mdoc_macro(page, "\\&%s.",
			   body_of(operation) != NULL
				   ? "The gateway's signature is asked for, by its own scheme"
				   : "No token is asked for");
	curl_put(page, name, path, document, operation);
	if (json_object_size(json_object_get(body, "properties")) > 0) {
		mdoc_macro(page, "Body:");
		members_put(page, body, true);
	}
	parameters_put(page, document, operation);
	answers_put(page, operation);
}

/* ---- the page ---- */

static void rules_put(struct mdoc *page, const json_t *document)
{
	json_t *requests = json_object_get(json_object_get(document, "components"), "parameters");
	const char *name;
	json_t *row;

	mdoc_macro(page, ".Sh RULES");
	mdoc_macro(page, ".Ss Idempotency");
	mdoc_text(page,
		  "The same request with the same `Idempotency-Key` again has no second "
		  "effect and is answered like the first, with `Idempotency-Replayed: "
		  "true`; other content with it is `idempotency_key_reused`. Captures, "
		  "refunds and withdrawals need one; payments, customers and payment methods "
		  "take one, each kind for itself. Keys live as long as what they began. What "
		  "is refused before any work keeps the key free.");
	mdoc_macro(page, ".Ss Money");
	mdoc_text(page, "An amount is an integer of minor units (1000 of USD are $10.00), or a "
			"string of major units, and is answered in the form it came in. In XML it "
			"is always of major units. A float is refused, since it cannot hold "
			"money exactly.");
	mdoc_macro(page, ".Ss Lists");
	mdoc_text(page, "A page that is not the last has the next one's address in its `Link` "
			"header, with the same filters. It may be short, or empty, where few rows "
			"pass the filters. An unknown parameter is refused: a typing error must "
			"not widen a list.");
	mdoc_macro(page, ".Ss Errors");
	mdoc_text(page, "A refusal is `application/problem+json` with every bad field in `errors`; "
			"`retryable` and `retry_after` say whether and when to send the same "
			"again. Its codes are in");
	mdoc_macro(page, ".Xr payops-errors 7 .");
	mdoc_text(page, "An outcome that is not known is never an error: it is 202, or a payment "
			"that is `processing`. Ask for it, do not pay again.");
	mdoc_macro(page, ".Ss Headers of requests\n.Bl -tag -width Ds");
	json_object_foreach(requests, name, row) member_put(
		page, name, false, json_object_get(row, "schema"), text_of(row, "description"));
	mdoc_macro(page, ".El");
}

static void tag_put(struct mdoc *page, const json_t *document, const json_t *tag)
{
	const char *path, *method;
	json_t *methods, *operation;
	char title[64] = "";

	for (size_t i = 0; i + 1 < sizeof title && text_of(tag, "name")[i] != '\0'; i++)
		title[i] = (char)toupper(text_of(tag, "name")[i]);
	mdoc_macro(page, ".Sh %s", title);
	mdoc_text(page, text_of(tag, "description"));
	json_object_foreach(json_object_get(document, "paths"), path, methods) json_object_foreach(
		methods, method,
		operation) if (has_word(json_object_get(operation, "tags"), text_of(tag, "name")))
		operation_put(page, document, method, path, operation);
}

/* Bodies of requests stand with their requests. */
static bool is_body(const json_t *document, const json_t *schema)
{
	const char *path, *method;
	json_t *methods, *operation;

	json_object_foreach(json_object_get(document, "paths"), path, methods)
	{
		json_object_foreach(methods, method, operation)
		{
			if (resolved(document, json_object_get(body_of(operation), "schema"),
				     "schemas") == schema)
				return true;
		}
	}
	return false;
}

static void objects_put(struct mdoc *page, const json_t *document)
{
	const char *name;
	json_t *schema;

	mdoc_macro(page, ".Sh OBJECTS");
	json_object_foreach(json_object_get(json_object_get(document, "components"), "schemas"),
			    name, schema)
	{
		if (is_body(document, schema))
			continue;
		mdoc_macro(page, ".Ss %s", name);
		mdoc_text(page, text_of(schema, "description"));
		if (json_object_size(json_object_get(schema, "properties")) > 0)
			members_put(page, schema, false);
		else
			type_put(page, schema);
	}
}

void page_api(struct mdoc *page)
{
	json_t *document = openapi_document();
	const json_t *tag;
	size_t i;

	if (document == NULL)
		abort();
	mdoc_head(page, "payops-api", "PAYOPS-API", "the REST API of payops");
	mdoc_text(page, text_of(json_object_get(document, "info"), "description"));
	mdoc_macro(page, ".Pp");
	mdoc_text(page, "In the examples, `PAYOPS_URL` is where apid listens, `PAYOPS_TOKEN` a "
			"token or an API key, and what begins with a small letter behind a "
			"dollar is yours to put in.");
	rules_put(page, document);
	json_array_foreach(json_object_get(document, "tags"), i, tag) tag_put(page, document, tag);
	objects_put(page, document);
	json_decref(document);
	mdoc_macro(page,
		   ".Sh SEE ALSO\n.Xr payops-errors 7 ,\n.Xr payops-states 7 ,\n.Xr apid 8 ,\n"
		   ".Xr payopsctl 8");
}
