/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Places in configuration files, and files that stand alone. */
#include "base/conf.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static const struct conf_setting scalars[] = {
	{ "name", CONF_TEXT, NULL, 1, 16, NULL, "A name.", CONF_UNSAID },
	{ "limits.any", CONF_INT, "1", 0, 9, NULL, "A limit.", CONF_UNSAID },
};
static const struct conf_setting members[] = {
	{ "name", CONF_TEXT, NULL, 1, 16, NULL, "A name.", CONF_UNSAID },
	{ "limit", CONF_INT, "1", 0, 9, NULL, "A limit.", CONF_UNSAID },
};
static const struct conf_list lists[] = { { "gateways", members, 2, "Gateways." } };
static const struct conf_table with_conf_d = { scalars, 2, lists, 1, false };
static const struct conf_table alone = { scalars, 2, lists, 1, true };

static struct {
	char directory[64];
	char path[128];
	char other[128];
	struct conf *conf;
	char why[512];
} fixture;

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void set_up(void)
{
	memset(&fixture, 0, sizeof fixture);
	snprintf(fixture.directory, sizeof fixture.directory, "/tmp/payops-test-place-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(fixture.directory));
	snprintf(fixture.path, sizeof fixture.path, "%s/a.conf", fixture.directory);
	snprintf(fixture.other, sizeof fixture.other, "%s/conf.d", fixture.directory);
	ck_assert_int_eq(mkdir(fixture.other, 0700), 0);
	snprintf(fixture.other, sizeof fixture.other, "%s/conf.d/b.conf", fixture.directory);
}

static void tear_down(void)
{
	conf_free(fixture.conf);
	remove(fixture.path);
	remove(fixture.other);
	*strrchr(fixture.other, '/') = '\0';
	remove(fixture.other);
	ck_assert_int_eq(rmdir(fixture.directory), 0);
}

static void load_ok(const struct conf_table *table)
{
	ck_assert_msg(conf_load(table, fixture.path, &fixture.conf, fixture.why,
				sizeof fixture.why) == ERR_OK,
		      "%s", fixture.why);
}

static void ck_place(size_t index, const char *name, unsigned line, unsigned column)
{
	const struct conf_place place = conf_list_place(fixture.conf, "gateways", index, name);

	ck_assert_uint_eq(place.line, line);
	ck_assert_uint_eq(place.column, column);
}

/* Comments and numbers that the parser gets to see in another form move no place. */
START_TEST(conf_list_place_is_that_of_the_setting_else_of_its_group)
{
	put(fixture.path, "name /* a: */ = \"b = {\"; limits: { any = 5 }\n"
			  "# c = { (\n"
			  "gateways = ( { name = \"x\"; limit = 7 }, {\n\tname : \"y\" } );");
	load_ok(&alone);

	ck_place(0, NULL, 3, 14);
	ck_place(0, "limit", 3, 28);
	ck_place(1, "name", 4, 2);
	ck_place(1, "limit", 3, 41); /* not given */
}
END_TEST

START_TEST(conf_load_of_a_file_alone_reads_no_conf_d)
{
	put(fixture.path, "name = \"x\";");
	put(fixture.other, "unknown = 1;");

	ck_assert_int_eq(conf_load(&with_conf_d, fixture.path, &fixture.conf, fixture.why,
				   sizeof fixture.why),
			 ERR_CONFIG);
	load_ok(&alone);
}
END_TEST

static const struct {
	struct conf_place place;
	const char *text;
} places[] = {
	{ { 0, 0 }, "a.conf: is wrong" },
	{ { 7, 0 }, "a.conf:7: is wrong" },
	{ { 7, 9 }, "a.conf:7:9: is wrong" },
};

START_TEST(conf_problem_says_what_is_known_of_its_place)
{
	char text[128] = "";
	struct conf_problems problems = { .text = text, .size = sizeof text };

	conf_problem(&problems, "a.conf", places[_i].place, "is %s", "wrong");
	conf_problems_end(&problems);

	ck_assert_str_eq(text, places[_i].text);
	ck_assert_int_eq(problems.err, ERR_CONFIG);
}
END_TEST

UNIT_MAIN("conf_place", {
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, conf_list_place_is_that_of_the_setting_else_of_its_group);
	tcase_add_test(tests, conf_load_of_a_file_alone_reads_no_conf_d);
	tcase_add_loop_test(tests, conf_problem_says_what_is_known_of_its_place, 0, 3);
})
