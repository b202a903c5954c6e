/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/problem.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static json_t *parse(const struct problem *problem)
{
	size_t size = 0;
	char *text = problem_text(problem, &size);
	json_t *object;

	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(size, strlen(text));
	object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(object);
	free(text);
	return object;
}

static void check_text(const json_t *object, const char *name, const char *expected)
{
	ck_assert_str_eq(json_string_value(json_object_get(object, name)), expected);
}

static void check_is_sentence(const char *text)
{
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_gt(strlen(text), 1);
	ck_assert_int_eq(text[strlen(text) - 1], '.');
}

START_TEST(problem_text_follows_the_row_of_each_failure)
{
	const enum err err = (enum err)_i;
	const struct problem problem = { .err = err, .api_call_id = "id-1" };
	json_t *object = parse(&problem);
	const int status = (int)json_integer_value(json_object_get(object, "status"));

	ck_assert_int_eq(status, problem_status(err));
	ck_assert_int_ge(status, 400);
	check_text(object, "code", err_row(err)->code);
	check_text(object, "title", err_row(err)->title);
	check_text(object, "api_call_id", "id-1");
	ck_assert_str_eq(json_string_value(json_object_get(object, "type")) + strlen("/errors/"),
			 err_row(err)->code);
	ck_assert_int_eq(json_object_get(object, "retry_after") != NULL,
			 problem_retry_after_s(&(struct problem){ .err = err }) > 0);
	if (status == 503)
		ck_assert_int_gt(problem_retry_after_s(&(struct problem){ .err = err }), 0);
	check_is_sentence(json_string_value(json_object_get(object, "detail")));
	ck_assert_ptr_null(json_object_get(object, "instance"));
	ck_assert_ptr_null(json_object_get(object, "errors"));
	ck_assert_ptr_null(json_object_get(object, "current_status"));
	ck_assert_ptr_null(json_object_get(object, "allowed_actions"));
	json_decref(object);
}
END_TEST

#define LONG16 "aaaaaaaaaaaaaaaa"

static const struct {
	const char *path;
	bool shown;
} instances[] = {
	{ "/transactions/trans_1", true },
	{ "/transactions/a%20b", true },
	{ "/transactions/4111111111111111", false },
	{ "/a b", false },
	{ "/caf\xc3\xa9", false },
	{ "/" LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16, false },
};

START_TEST(problem_text_repeats_only_harmless_paths)
{
	const struct problem problem = { .err = ERR_NOT_FOUND, .instance = instances[_i].path };
	json_t *object = parse(&problem);

	ck_assert_int_eq(json_object_get(object, "instance") != NULL, instances[_i].shown);
	if (instances[_i].shown)
		check_text(object, "instance", instances[_i].path);
	json_decref(object);
}
END_TEST

START_TEST(problem_text_says_what_the_object_is_and_allows)
{
	static const char *const actions[] = { "capture", "void", NULL };
	const struct problem problem = { .err = ERR_STATE,
					 .current_status = "authorised",
					 .allowed_actions = actions + _i };
	json_t *object = parse(&problem);
	const json_t *allowed = json_object_get(object, "allowed_actions");

	check_text(object, "current_status", "authorised");
	ck_assert(json_is_array(allowed));
	ck_assert_uint_eq(json_array_size(allowed), (size_t)(2 - _i));
	if (_i < 2)
		ck_assert_str_eq(json_string_value(json_array_get(allowed, 0)), actions[_i]);
	json_decref(object);
}
END_TEST

START_TEST(problem_text_has_further_members_that_replace_none)
{
	json_t *further =
		json_pack("{s:s, s:n, s:s}", "advice", "never", "decline_code", "code", "mine");
	const struct problem problem = { .err = ERR_DECLINED, .further = further };
	size_t size;
	char *text = problem_text(&problem, &size);
	json_t *shown = json_loads(text, 0, NULL);

	ck_assert_str_eq(json_string_value(json_object_get(shown, "advice")), "never");
	ck_assert(json_is_null(json_object_get(shown, "decline_code")));
	ck_assert_str_eq(json_string_value(json_object_get(shown, "code")), "payment_declined");
	ck_assert_int_eq(json_integer_value(json_object_get(shown, "status")), 402);
	json_decref(shown);
	json_decref(further);
	free(text);
}
END_TEST

START_TEST(problem_errors_point_at_each_field)
{
	struct field_errors found = { .count = 0 };
	struct problem problem = { .err = ERR_INVALID, .detail = "Because." };
	json_t *errors, *object, *list;

	field_error_add(&found, "amount", FIELD_FLOAT, "no float");
	field_error_add(&found, "a/b~c", FIELD_UNKNOWN, "unknown");
	errors = problem_errors(&found);
	problem.errors = errors;
	object = parse(&problem);
	list = json_object_get(object, "errors");

	check_text(object, "detail", "Because.");
	ck_assert_uint_eq(json_array_size(list), 2);
	check_text(json_array_get(list, 0), "field", "amount");
	check_text(json_array_get(list, 0), "pointer", "/amount");
	check_text(json_array_get(list, 0), "code", "float_not_allowed");
	check_text(json_array_get(list, 0), "message", "no float");
	check_text(json_array_get(list, 1), "pointer", "/a~1b~0c");
	json_decref(object);
	json_decref(errors);
}
END_TEST

START_TEST(problem_text_says_in_its_detail_what_is_wrong_with_fields)
{
	struct field_errors found = { .count = 0 };
	struct problem problem = { .err = ERR_INVALID };
	json_t *errors, *object;

	field_error_add(&found, "amount", FIELD_FLOAT, "must be no float");
	field_error_add(&found, "currency", FIELD_CURRENCY, "must be active");
	errors = problem_errors(&found);
	problem.errors = errors;
	object = parse(&problem);

	check_text(object, "detail", "amount: must be no float; currency: must be active.");
	json_decref(object);
	json_decref(errors);
}
END_TEST

START_TEST(problem_text_names_as_many_fields_as_find_room)
{
	struct field_errors found = { .count = 0 };
	struct problem problem = { .err = ERR_INVALID };
	json_t *errors, *object;
	const char *detail;

	for (int i = 0; i < FIELD_ERRORS_MAX; i++)
		field_error_add(&found, "amount", FIELD_FLOAT, "%0100d", i);
	errors = problem_errors(&found);
	problem.errors = errors;
	object = parse(&problem);

	detail = json_string_value(json_object_get(object, "detail"));
	ck_assert_uint_lt(strlen(detail), 600);
	ck_assert_ptr_nonnull(strstr(detail, "0003; and 28 more."));
	json_decref(object);
	json_decref(errors);
}
END_TEST

START_TEST(problem_error_add_points_only_into_the_body)
{
	json_t *errors = json_array();

	problem_error_add(errors, "database", PROBLEM_ELSEWHERE, "unreachable", "It is away.");
	ck_assert_uint_eq(json_array_size(errors), 1);
	ck_assert_ptr_null(json_object_get(json_array_get(errors, 0), "pointer"));
	check_text(json_array_get(errors, 0), "field", "database");
	json_decref(errors);
}
END_TEST

UNIT_MAIN("problem", {
	tcase_add_loop_test(tests, problem_text_follows_the_row_of_each_failure, ERR_OK + 1,
			    ERR_COUNT);
	tcase_add_loop_test(tests, problem_text_repeats_only_harmless_paths, 0,
			    (int)(sizeof instances / sizeof instances[0]));
	tcase_add_loop_test(tests, problem_text_says_what_the_object_is_and_allows, 0, 3);
	tcase_add_test(tests, problem_text_has_further_members_that_replace_none);
	tcase_add_test(tests, problem_errors_point_at_each_field);
	tcase_add_test(tests, problem_text_says_in_its_detail_what_is_wrong_with_fields);
	tcase_add_test(tests, problem_text_names_as_many_fields_as_find_room);
	tcase_add_test(tests, problem_error_add_points_only_into_the_body);
})
