/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/describe.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "apid/openapi.h"
#include "tests/unit/unit.h"

/* One word of a text whose words are separated by blanks. */
static bool has_word(const char *text, const char *word)
{
	const size_t size = strlen(word);

	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		const size_t length = strcspn(text, " ");

		if (length == size && memcmp(text, word, size) == 0)
			return true;
		text += length;
	}
	return false;
}

static bool is_in_path(const char *path, const char *name)
{
	while ((path = strchr(path, '{')) != NULL) {
		path++;
		if (strcspn(path, "}") == strlen(name) && memcmp(path, name, strlen(name)) == 0)
			return true;
	}
	return false;
}

START_TEST(every_route_is_described)
{
	const struct route *route = route_at(_i);
	const struct describe_route *row = describe_route(route->method, route->path);

	unit_expect(row != NULL, "%s %s has no row in apid/describe_*.def", route->method,
		    route->path);
	ck_assert_int_ne(row->summary[0], '\0');
	ck_assert_int_eq(row->text[strlen(row->text) - 1], '.');
	ck_assert_int_ne(row->answers[0].status, 0);
	unit_expect((route->auth == ROUTE_TOKEN && route->body_max > 0) == (row->example != NULL),
		    "%s %s: a request with a body needs an example, others have none",
		    route->method, route->path);
}
END_TEST

START_TEST(every_description_is_of_a_route)
{
	size_t count;
	const struct describe_route *rows = describe_routes(&count);

	for (size_t i = 0; i < count; i++) {
		bool found = false;

		for (int j = 0; j < ROUTE_COUNT; j++)
			found = found || (strcmp(route_at(j)->path, rows[i].path) == 0 &&
					  strcmp(route_at(j)->method, rows[i].method) == 0);
		unit_expect(found, "apid/describe_*.def: there is no route %s %s", rows[i].method,
			    rows[i].path);
	}
}
END_TEST

START_TEST(every_route_has_a_tag_that_is_explained)
{
	const struct route *route = route_at(_i);
	const struct describe_route *row = describe_route(route->method, route->path);
	size_t i = 0;

	unit_expect(row != NULL, "%s %s has no row in apid/describe_*.def", route->method,
		    route->path);
	while (describe_tags[i][0] != NULL && strcmp(describe_tags[i][0], row->tag) != 0)
		i++;
	ck_assert_ptr_nonnull(describe_tags[i][0]);
}
END_TEST

START_TEST(every_parameter_of_a_route_is_described)
{
	const struct route *route = route_at(_i);
	const char *at = route->path;
	char name[64];

	while ((at = strchr(at, '{')) != NULL) {
		at++;
		(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "}"), at);
		unit_expect(describe_parameter(name) != NULL,
			    "%s of %s has no row in apid/describe_parameters.c", name, route->path);
	}
	for (at = route->query; *at != '\0'; at += strspn(at, " ")) {
		(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(at, " "), at);
		unit_expect(describe_parameter(name) != NULL,
			    "%s of %s has no row in apid/describe_parameters.c", name, route->path);
		at += strlen(name);
	}
}
END_TEST

START_TEST(every_described_parameter_is_of_a_route)
{
	size_t count;
	const struct describe_member *rows = describe_parameters(&count);

	for (size_t i = 0; i < count; i++) {
		bool used = false;

		for (int j = 0; j < ROUTE_COUNT; j++)
			used = used || has_word(route_at(j)->query, rows[i].name) ||
			       is_in_path(route_at(j)->path, rows[i].name);
		unit_expect(used, "apid/describe_parameters.c: no route takes %s", rows[i].name);
	}
}
END_TEST

/* What "$ref" names, followed in the document. */
static const json_t *follow(const json_t *document, const char *reference)
{
	const json_t *at = document;
	char step[128];

	ck_assert_int_eq(strncmp(reference, "#/", 2), 0);
	for (reference += 2; at != NULL && *reference != '\0'; reference += *reference == '/') {
		const size_t size = strcspn(reference, "/");

		ck_assert_uint_lt(size, sizeof step);
		(void)snprintf(step, sizeof step, "%.*s", (int)size, reference);
		at = json_object_get(at, step);
		reference += size;
	}
	return at;
}

/* Every reference leads somewhere, and nothing was left out for want of a row. */
static void walk(const json_t *document, const json_t *value)
{
	const char *name;
	json_t *member;
	size_t i;

	if (json_is_object(value))
		json_object_foreach((json_t *)(uintptr_t)value, name, member)
		{
			if (strcmp(name, "$ref") == 0)
				unit_expect(follow(document, json_string_value(member)) != NULL,
					    "%s leads nowhere", json_string_value(member));
			walk(document, member);
		}
	else if (json_is_array(value))
		json_array_foreach(value, i, member) walk(document, member);
}

START_TEST(the_document_is_whole)
{
	json_t *document = openapi_document();

	ck_assert_ptr_nonnull(document);
	walk(document, document);

	json_decref(document);
}
END_TEST

START_TEST(the_document_has_every_route)
{
	json_t *document = openapi_document();
	const struct route *route = route_at(_i);
	const json_t *path = json_object_get(json_object_get(document, "paths"), route->path);
	char method[16];

	(void)snprintf(method, sizeof method, "%s", route->method);
	for (char *c = method; *c != '\0'; c++)
		*c = (char)(*c | 0x20);
	unit_expect(json_object_get(path, method) != NULL, "%s %s is not in the document",
		    route->method, route->path);

	json_decref(document);
}
END_TEST

START_TEST(examples_hold_what_the_fields_do)
{
	const struct route *route = route_at(_i);
	const struct describe_route *row = describe_route(route->method, route->path);
	json_t *example, *member;
	const char *name;

	unit_expect(row != NULL, "%s %s has no row in apid/describe_*.def", route->method,
		    route->path);
	if (row->example == NULL)
		return;
	example = json_loads(row->example, JSON_REJECT_DUPLICATES, NULL);
	ck_assert(json_is_object(example));
	json_object_foreach(example, name, member)
	{
		size_t count = 0, i = 0;
		const struct field_spec *fields = row->fields != NULL ? row->fields(&count) : NULL;

		while (i < count && strcmp(fields[i].name, name) != 0)
			i++;
		unit_expect(i < count, "%s %s: there is no member %s", row->method, row->path,
			    name);
	}
	json_decref(example);
}
END_TEST

START_TEST(schemas_are_all_used_and_have_no_member_twice)
{
	size_t count;
	const struct describe_schema *rows = describe_schemas(&count);
	json_t *document = openapi_document();
	char *text = json_dumps(document, JSON_COMPACT);
	char reference[96];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(reference, sizeof reference, "\"#/components/schemas/%s\"",
			       rows[i].name);
		unit_expect(strstr(text, reference) != NULL, "nothing refers to %s", rows[i].name);
		for (size_t j = 0; j < rows[i].count; j++)
			for (size_t k = 0; k < j; k++)
				ck_assert_str_ne(rows[i].members[j].name, rows[i].members[k].name);
	}

	free(text);
	json_decref(document);
}
END_TEST

UNIT_MAIN("describe", {
	tcase_add_loop_test(tests, every_route_is_described, 0, ROUTE_COUNT);
	tcase_add_test(tests, every_description_is_of_a_route);
	tcase_add_loop_test(tests, every_route_has_a_tag_that_is_explained, 0, ROUTE_COUNT);
	tcase_add_loop_test(tests, every_parameter_of_a_route_is_described, 0, ROUTE_COUNT);
	tcase_add_test(tests, every_described_parameter_is_of_a_route);
	tcase_add_test(tests, the_document_is_whole);
	tcase_add_loop_test(tests, the_document_has_every_route, 0, ROUTE_COUNT);
	tcase_add_loop_test(tests, examples_hold_what_the_fields_do, 0, ROUTE_COUNT);
	tcase_add_test(tests, schemas_are_all_used_and_have_no_member_twice);
})
