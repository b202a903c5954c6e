/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/docs_page.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

#define WORDS_SHOWN 12 /* of an enumeration; a longer one is shown by its beginning */

const char docs_page_style[] =
	":root{color-scheme:light dark;--line:#d5d9e0;--soft:#f3f5f8;--text:#1b2330;--dim:#5a6577;"
	"--link:#0b5cad;--get:#17663a;--post:#0b5cad;--patch:#8a5200;--delete:#a4262c;--page:#fff}"
	"@media(prefers-color-scheme:dark){:root{--line:#343b47;--soft:#1d232c;--text:#e3e7ee;"
	"--dim:#9aa5b6;--link:#7ab7ff;--get:#6fd08f;--post:#7ab7ff;--patch:#e8b466;--delete:#"
	"ff8f8f;"
	"--page:#12161c}}"
	"*{box-sizing:border-box}html{scroll-padding-top:1rem}"
	"body{margin:0;display:grid;grid-template-columns:19rem minmax(0,1fr);color:var(--text);"
	"background:var(--page);font:16px/1.55 system-ui,sans-serif}"
	"nav{position:sticky;top:0;height:100vh;overflow-y:auto;padding:1.2rem;"
	"border-right:1px solid var(--line);background:var(--soft);font-size:.86rem}"
	"nav ul{list-style:none;margin:.2rem 0 1rem;padding:0}nav li{margin:.15rem 0}"
	"main{padding:1.5rem 2.5rem 5rem;max-width:62rem}"
	"a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}"
	"h1{margin:0 0 .5rem}h2{margin:3rem 0 .3rem;padding-top:1rem;border-top:2px solid "
	"var(--line)}"
	"h3{margin:2.4rem 0 .2rem;font-size:1.1rem}h4{margin:1.2rem 0 .3rem;font-size:.95rem}"
	"code,pre{font:.88em/1.5 ui-monospace,monospace}code{overflow-wrap:anywhere}"
	"pre{padding:.8rem "
	"1rem;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--soft);border:1px solid "
	"var(--line);"
	"border-radius:6px}"
	"table{width:100%;border-collapse:collapse;font-size:.9rem}"
	"th,td{padding:.35rem .7rem .35rem 0;text-align:left;vertical-align:top;"
	"border-bottom:1px solid var(--line)}th{color:var(--dim);font-weight:600}"
	"td:first-child{white-space:nowrap}"
	".get{color:var(--get)}.post{color:var(--post)}.patch{color:var(--patch)}"
	".delete{color:var(--delete)}.method{font-weight:700;text-transform:uppercase}"
	"nav li{display:flex;gap:.5rem}nav p{margin:.9rem 0 .2rem;font-weight:600}"
	".tag{flex:none;width:3.1rem;font:700 .68rem/1.9 ui-monospace,monospace;"
	"text-transform:uppercase}"
	".dim{color:var(--dim)}.need{color:var(--delete);font-size:.8rem}"
	"@media(max-width:60rem){body{display:block}nav{position:static;height:auto;border:0}"
	"main{padding:1rem}td:first-child{white-space:normal}}";

/* ---- text ---- */

static void put_char(FILE *out, char c)
{
	switch (c) {
	case '&':
		fputs("&amp;", out);
		return;
	case '<':
		fputs("&lt;", out);
		return;
	case '>':
		fputs("&gt;", out);
		return;
	case '"':
		fputs("&quot;", out);
		return;
	case '\'':
		fputs("&#39;", out);
		return;
	default:
		fputc(c, out);
	}
}

static void put_text(FILE *out, const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		put_char(out, *text);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

/* What descriptions use of Markdown: paragraphs, lines, `code` and **strong**. */
static void put_marked(FILE *out, const char *text)
{
	bool code = false, strong = false;

	for (; *text != '\0'; text++) {
		if (*text == '`') {
			fputs(code ? "</code>" : "<code>", out);
			code = !code;
		} else if (strncmp(text, "**", 2) == 0) {
			fputs(strong ? "</strong>" : "<strong>", out);
			strong = !strong;
			text++;
		} else if (*text == '\n') {
			fputs(text[1] == '\n' ? "<br><br>" : "<br>", out);
			text += text[1] == '\n' ? 1 : 0;
		} else {
			put_char(out, *text);
		}
	}
}

/* ---- types in words ---- */

static void put_type(FILE *out, const json_t *schema);

static void put_either(FILE *out, const json_t *schemas)
{
	const json_t *schema;
	size_t i;

	json_array_foreach(schemas, i, schema)
	{
		fputs(i > 0 ? " or " : "", out);
		put_type(out, schema);
	}
}

static void put_words(FILE *out, const json_t *words)
{
	const json_t *word;
	size_t i;

	json_array_foreach(words, i, word)
	{
		if (i == WORDS_SHOWN) {
			fprintf(out, ", … (%zu in all)", json_array_size(words));
			return;
		}
		fputs(i > 0 ? ", <code>" : "<code>", out);
		put_text(out, json_is_null(word) ? "null" : json_string_value(word));
		fputs("</code>", out);
	}
}

/* "string", "string or null" */
static void put_kind(FILE *out, const json_t *schema)
{
	const json_t *type = json_object_get(schema, "type");
	const json_t *one;
	size_t i;

	if (json_is_string(type))
		put_text(out, strcmp(text_of(schema, "format"), "date-time") == 0
				      ? "time"
				      : json_string_value(type));
	json_array_foreach(type, i, one)
	{
		const char *word = json_string_value(one);

		fputs(i > 0 ? " or " : "", out);
		put_text(out, i == 0 && strcmp(text_of(schema, "format"), "date-time") == 0 ? "time"
											    : word);
	}
}

static void put_range(FILE *out, const json_t *schema)
{
	const json_t *least = json_object_get(schema, "minimum");
	const json_t *most = json_object_get(schema, "maximum");

	if (least != NULL && most != NULL)
		fprintf(out, ", %lld to %lld", (long long)json_integer_value(least),
			(long long)json_integer_value(most));
	most = json_object_get(schema, "maxLength");
	if (most != NULL)
		fprintf(out, ", at most %lld characters", (long long)json_integer_value(most));
}

static void put_type(FILE *out, const json_t *schema)
{
	const char *reference = json_string_value(json_object_get(schema, "$ref"));
	const json_t *either = json_object_get(schema, "anyOf");
	const json_t *all = json_object_get(schema, "allOf");

	if (either == NULL)
		either = json_object_get(schema, "oneOf");
	if (reference != NULL) {
		const char *name = strrchr(reference, '/') + 1;

		fprintf(out, "<a href=\"#schema-%s\">%s</a>", name, name);
	} else if (either != NULL) {
		put_either(out, either);
	} else if (all != NULL) { /* one in XML: of the other only amounts differ */
		put_type(out, json_array_get(all, 0));
	} else if (json_object_get(schema, "enum") != NULL) {
		put_words(out, json_object_get(schema, "enum"));
	} else if (json_object_get(schema, "items") != NULL) {
		fputs("list of ", out);
		put_type(out, json_object_get(schema, "items"));
	} else {
		put_kind(out, schema);
		put_range(out, schema);
	}
}

/* ---- tables ---- */

static void row_put(FILE *out, const char *name, bool needed, const json_t *schema,
		    const char *text)
{
	fputs("<tr><td><code>", out);
	put_text(out, name);
	fprintf(out, "</code>%s</td><td>", needed ? " <span class=\"need\">required</span>" : "");
	put_type(out, schema);
	fputs("</td><td>", out);
	put_marked(out, text);
	fputs("</td></tr>\n", out);
}

static bool has_word(const json_t *list, const char *word)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) if (strcmp(json_string_value(one), word) == 0) return true;
	return false;
}

static void members_put(FILE *out, const json_t *schema)
{
	const char *name;
	json_t *member;

	fputs("<table><tr><th>member<th>type<th>meaning</tr>\n", out);
	json_object_foreach(json_object_get(schema, "properties"), name, member)
		row_put(out, name, has_word(json_object_get(schema, "required"), name), member,
			text_of(member, "description"));
	fputs("</table>\n", out);
}

/* A parameter or schema, or the shared one of that kind that it refers to. */
static const json_t *shared(const json_t *document, const char *kind, const json_t *one)
{
	const char *reference = json_string_value(json_object_get(one, "$ref"));

	if (reference == NULL)
		return one;
	return json_object_get(json_object_get(json_object_get(document, "components"), kind),
			       strrchr(reference, '/') + 1);
}

static void parameters_put(FILE *out, const json_t *document, const json_t *operation)
{
	const json_t *parameter;
	size_t i;

	fputs("<h4>Parameters</h4><table><tr><th>name<th>type<th>meaning</tr>\n", out);
	json_array_foreach(json_object_get(operation, "parameters"), i, parameter)
	{
		const json_t *row = shared(document, "parameters", parameter);

		row_put(out, text_of(row, "name"), json_is_true(json_object_get(row, "required")),
			json_object_get(row, "schema"), text_of(row, "description"));
	}
	fputs("</table>\n", out);
}

static void answers_put(FILE *out, const json_t *operation)
{
	const char *status, *type;
	json_t *answer, *content;

	fputs("<h4>Answers</h4><table><tr><th>status<th>body<th>meaning</tr>\n", out);
	json_object_foreach(json_object_get(operation, "responses"), status, answer)
	{
		fprintf(out, "<tr><td><code>%s</code></td><td>", status);
		json_object_foreach(json_object_get(answer, "content"), type, content)
		{
			put_type(out, json_object_get(content, "schema"));
			break; /* XML has the same members */
		}
		fputs("</td><td>", out);
		put_marked(out, text_of(answer, "description"));
		fputs("</td></tr>\n", out);
	}
	fputs("</table>\n", out);
}

/* ---- operations ---- */

static const json_t *body_of(const json_t *operation)
{
	const json_t *content =
		json_object_get(json_object_get(operation, "requestBody"), "content");

	return json_object_get(content, "application/json");
}

static bool needs_key(const json_t *operation)
{
	const json_t *parameter;
	size_t i;

	json_array_foreach(
		json_object_get(operation, "parameters"), i,
		parameter) if (strcmp(text_of(parameter, "name"), "Idempotency-Key") ==
			       0) return true; /* one that may be left out is a reference */
	return false;
}

/* What stands in braces becomes a variable of the shell: "/refunds/$refund_id". */
static void put_path(FILE *out, const char *path)
{
	for (; *path != '\0'; path++)
		if (*path == '{')
			fputc('$', out);
		else if (*path != '}')
			put_char(out, *path);
}

/* In single quotes for a shell: examples hold none. */
static void curl_put(FILE *out, const char *method, const char *path, const json_t *operation)
{
	const json_t *example = json_object_get(body_of(operation), "example");
	char *text = example != NULL ? json_dumps(example, JSON_COMPACT) : NULL;

	fputs("<pre>curl", out);
	if (strcmp(method, "get") != 0 && strcmp(method, "post") != 0)
		fprintf(out, " -X %s", strcmp(method, "patch") == 0 ? "PATCH" : "DELETE");
	if (json_array_size(json_object_get(operation, "security")) > 0)
		fputs(" -H \"Authorization: Bearer $PAYOPS_TOKEN\"", out);
	if (needs_key(operation)) /* all such paths name a payment */
		fprintf(out, " \\\n  -H &quot;Idempotency-Key: %s-$transaction_id&quot;",
			text_of(operation, "operationId"));
	if (text != NULL) {
		fputs(" \\\n  -H &#39;Content-Type: application/json&#39; \\\n  -d &#39;", out);
		put_text(out, text);
		fputs("&#39; \\\n ", out);
	}
	fputs(" &quot;$PAYOPS_URL", out);
	put_path(out, path);
	fputs("&quot;</pre>\n", out);
	free(text);
}

static void security_put(FILE *out, const json_t *operation)
{
	const json_t *bearer = json_object_get(
		json_array_get(json_object_get(operation, "security"), 0), "bearer");

	if (bearer == NULL)
		return;
	fputs("<p class=\"dim\">Scope <code>", out);
	put_text(out, json_string_value(json_array_get(bearer, 0)));
	fputs("</code></p>\n", out);
}

static void operation_put(FILE *out, const json_t *document, const char *method, const char *path,
			  const json_t *operation)
{
	const json_t *body =
		shared(document, "schemas", json_object_get(body_of(operation), "schema"));

	fprintf(out, "<section><h3 id=\"%s\"><span class=\"method %s\">%s</span> <code>",
		text_of(operation, "operationId"), method, method);
	put_text(out, path);
	fputs("</code></h3>\n<p><strong>", out);
	put_text(out, text_of(operation, "summary"));
	fputs(".</strong> ", out);
	put_marked(out, text_of(operation, "description"));
	fputs("</p>\n", out);
	security_put(out, operation);
	if (body_of(operation) == NULL || json_object_get(body_of(operation), "example") != NULL)
		curl_put(out, method, path, operation);
	if (json_object_size(json_object_get(body, "properties")) > 0) {
		fputs("<h4>Body</h4>", out);
		members_put(out, body);
	}
	parameters_put(out, document, operation);
	answers_put(out, operation);
	fputs("</section>\n", out);
}

typedef void each_operation(FILE *out, const json_t *document, const char *method, const char *path,
			    const json_t *operation);

static void operations_of(FILE *out, const json_t *document, const char *tag, each_operation *each)
{
	const char *path, *method;
	json_t *methods, *operation;

	json_object_foreach(json_object_get(document, "paths"), path, methods) json_object_foreach(
		methods, method, operation) if (has_word(json_object_get(operation, "tags"), tag))
		each(out, document, method, path, operation);
}

static void link_put(FILE *out, const json_t *document, const char *method, const char *path,
		     const json_t *operation)
{
	(void)document;
	(void)path;
	fprintf(out, "<li><span class=\"tag %s\">%s</span><a href=\"#%s\">", method, method,
		text_of(operation, "operationId"));
	put_text(out, text_of(operation, "summary"));
	fputs("</a></li>\n", out);
}

/* ---- the page ---- */

static void nav_put(FILE *out, const json_t *document)
{
	const json_t *tag;
	size_t i;

	fputs("<nav><strong><a href=\"#top\">payops</a></strong>\n"
	      "<p><a href=\"#start\">Start</a></p>\n",
	      out);
	json_array_foreach(json_object_get(document, "tags"), i, tag)
	{
		fputs("<p>", out);
		put_text(out, text_of(tag, "name"));
		fputs("</p><ul>\n", out);
		operations_of(out, document, text_of(tag, "name"), link_put);
		fputs("</ul>\n", out);
	}
	fputs("<p><a href=\"#schemas\">Objects</a></p><p><a "
	      "href=\"#errors\">Errors</a></p></nav>\n",
	      out);
}

static void schemas_put(FILE *out, const json_t *document)
{
	const char *name;
	json_t *schema;

	fputs("<h2 id=\"schemas\">Objects</h2>\n", out);
	json_object_foreach(json_object_get(json_object_get(document, "components"), "schemas"),
			    name, schema)
	{
		fprintf(out, "<section><h3 id=\"schema-%s\">%s</h3><p>", name, name);
		put_marked(out, text_of(schema, "description"));
		fputs("</p>\n", out);
		if (json_object_get(schema, "properties") != NULL) {
			members_put(out, schema);
		} else {
			fputs("<p>", out);
			put_type(out, schema);
			fputs("</p>", out);
		}
		fputs("</section>\n", out);
	}
}

static void errors_put(FILE *out)
{
	fputs("<h2 id=\"errors\">Errors</h2>\n<table><tr><th>code<th>status<th>meaning</tr>\n",
	      out);
	for (int i = ERR_OK + 1; i < ERR_COUNT; i++) {
		const struct err_row *row = err_row((enum err)i);

		fprintf(out, "<tr><td><code>%s</code></td><td>%d</td><td>", row->code,
			row->http_status);
		put_text(out, row->title);
		fputs("</td></tr>\n", out);
	}
	fputs("</table>\n", out);
}

static const char start[] =
	"<h2 id=\"start\">Start</h2>\n<p>The commands on this page take the server and a token "
	"from "
	"two variables. In a checkout, <code>./dev up</code> starts a server and "
	"<code>eval \"$(./dev env)\"</code> sets both; elsewhere set them to what you were "
	"given:</p>\n<pre>export PAYOPS_URL=https://&hellip;\nexport PAYOPS_TOKEN=&hellip;</pre>\n"
	"<ol><li><a href=\"#createTransaction\">Take a payment</a> with an "
	"<code>Idempotency-Key</code>: sent again, it is answered again and nobody pays twice."
	"</li><li><a href=\"#getTransaction\">Wait for its outcome</a>: "
	"<code>?wait=5</code> answers when it is known.</li>"
	"<li><a href=\"#refundTransaction\">Refund</a> a part or all.</li>"
	"<li><a href=\"#listCustomerTransactions\">List</a> what a customer paid.</li>"
	"<li>Program against the <code>code</code> of a <a href=\"#schema-Problem\">refusal</a>: "
	"<a href=\"#errors\">all codes</a>.</li></ol>\n";

static void page_put(FILE *out, const json_t *document)
{
	const json_t *about = json_object_get(document, "info");
	const json_t *tag;
	size_t i;

	fprintf(out,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\"><title>payops API</title>"
		"<style>%s</style></head>\n<body>\n",
		docs_page_style);
	nav_put(out, document);
	fputs("<main><h1 id=\"top\">payops API</h1>\n<p class=\"dim\">Version ", out);
	put_text(out, text_of(about, "version"));
	fputs(" · for programs: <a href=\"/openapi.json\">/openapi.json</a></p>\n<p>", out);
	put_marked(out, text_of(about, "description"));
	fputs("</p>\n", out);
	fputs(start, out);
	json_array_foreach(json_object_get(document, "tags"), i, tag)
	{
		fputs("<h2>", out);
		put_text(out, text_of(tag, "name"));
		fputs("</h2>\n<p>", out);
		put_text(out, text_of(tag, "description"));
		fputs("</p>\n", out);
		operations_of(out, document, text_of(tag, "name"), operation_put);
	}
	schemas_put(out, document);
	errors_put(out);
	fputs("</main></body></html>\n", out);
}

char *docs_page(const json_t *document)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	page_put(out, document);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
