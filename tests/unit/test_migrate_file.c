/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/migrate_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

static char directory[64];

static void set_up(void)
{
	snprintf(directory, sizeof directory, "/tmp/payops_sql_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_file(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	unlink(path);
}

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *stream;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	stream = fopen(path, "we");
	ck_assert_ptr_nonnull(stream);
	fputs(text, stream);
	ck_assert_int_eq(fclose(stream), 0);
}

static const struct {
	const char *text;
	int count;
	const char *statements[3];
} splits[] = {
	{ "", 0, { NULL } },
	{ "\n \t\n-- only a comment;\n", 0, { NULL } },
	{ "A;", 1, { "A" } },
	{ "A;\n", 1, { "A" } },
	{ "A", -1, { NULL } },
	{ "A\n", -1, { NULL } },
	{ "abc", -1, { NULL } },
	{ "A;B", -1, { NULL } },
	{ "A;\nB\n", -1, { NULL } },
	{ "A;\nB;\n", 2, { "A", "B" } },
	{ "  A (\n\t1,\n\n\t2\n);  \nB;", 2, { "A (\n1,\n2\n)", "B" } },
	{ "A -- not; here\n;\n", 1, { "A -- not; here\n" } },
	{ "A\n-- between;\nB;\n", 1, { "A\nB" } },
	{ "'x;y';\n", 1, { "'x;y'" } },
	{ "A;\r\nB;\r\n", 2, { "A", "B" } },
};

START_TEST(script_split_cuts_at_semicolons_at_the_end_of_a_line)
{
	const char *statements[SCRIPT_STATEMENTS_MAX];
	char *text = strdup(splits[_i].text);

	ck_assert_int_eq(script_split(text, statements), splits[_i].count);
	for (int i = 0; i < splits[_i].count; i++)
		ck_assert_str_eq(statements[i], splits[_i].statements[i]);
	free(text);
}
END_TEST

START_TEST(script_split_refuses_more_statements_than_it_can_hold)
{
	const char *statements[SCRIPT_STATEMENTS_MAX];
	char text[3 * (SCRIPT_STATEMENTS_MAX + 1) + 1] = "";

	for (int i = 0; i < SCRIPT_STATEMENTS_MAX; i++)
		memcpy(text + 3 * i, "A;\n", 4);
	ck_assert_int_eq(script_split(text, statements), SCRIPT_STATEMENTS_MAX);
	for (int i = 0; i <= SCRIPT_STATEMENTS_MAX; i++)
		memcpy(text + 3 * i, "A;\n", 4);
	ck_assert_int_eq(script_split(text, statements), -1);
}
END_TEST

START_TEST(script_read_has_the_checksum_of_the_file_as_it_is)
{
	struct script script;
	char path[128];
	char why[STORE_WHY_SIZE];

	write_file("x.sql", "abc;\n");
	snprintf(path, sizeof path, "%s/x.sql", directory);

	ck_assert_int_eq(script_read(path, &script, why), ERR_OK);
	ck_assert_int_eq(script.count, 1);
	/* printf 'abc;\n' | sha256sum */
	ck_assert_str_eq(script.checksum,
			 "97c06fbe4e67f8e83454a41bca212f181a314ed5a53cf723e89e05410e711595");
	script_done(&script);
	remove_file("x.sql");
}
END_TEST

static const struct {
	const char *names[4];
	const char *text;
	enum err err;
	const char *why;
} directories[] = {
	{ { "0001_create_a.sql" }, "A;\n", ERR_OK, "" },
	{ { "0002_add_b.sql", "0001_create_a.sql", "grants_apid.sql", "README" },
	  "A;\n",
	  ERR_OK,
	  "" },
	{ { "0001_create_a.sql", "0001_create_b.sql~" }, "A;\n", ERR_OK, "" },
	{ { NULL }, NULL, ERR_CONFIG, "no migrations" },
	{ { "grants_apid.sql" }, "A;\n", ERR_CONFIG, "no migrations" },
	{ { "0002_add_b.sql" }, "A;\n", ERR_CONFIG, "number 1 is missing" },
	{ { "0001_create_a.sql", "0003_add_c.sql" }, "A;\n", ERR_CONFIG, "number 2 is missing" },
	{ { "0001_create_a.sql", "0001_create_b.sql" }, "A;\n", ERR_CONFIG, "number 2 is missing" },
	{ { "0000_create_a.sql" }, "A;\n", ERR_CONFIG, "number 1 is missing" },
	{ { "1_create_a.sql" }, "A;\n", ERR_CONFIG, "NNNN_verb_noun.sql" },
	{ { "00001_create_a.sql" }, "A;\n", ERR_CONFIG, "NNNN_verb_noun.sql" },
	{ { "0001-create-a.sql" }, "A;\n", ERR_CONFIG, "NNNN_verb_noun.sql" },
	{ { "0001_create.sql" }, "A;\n", ERR_CONFIG, "NNNN_verb_noun.sql" },
	{ { "0001_Create_a.sql" }, "A;\n", ERR_CONFIG, "NNNN_verb_noun.sql" },
	{ { "0001_create_a'.sql" }, "A;\n", ERR_CONFIG, "NNNN_verb_noun.sql" },
	{ { "schema.sql" }, "A;\n", ERR_CONFIG, "NNNN_verb_noun.sql" },
	{ { "0001_create_a.sql" }, "A;\nB\n", ERR_CONFIG, "semicolon" },
	{ { "0001_create_a.sql" }, "-- nothing\n", ERR_CONFIG, "no statement" },
};

START_TEST(migrations_read_takes_only_a_sound_directory)
{
	struct migrations migrations = { .count = 0 };
	char why[STORE_WHY_SIZE] = "";

	for (int i = 0; i < 4 && directories[_i].names[i] != NULL; i++)
		write_file(directories[_i].names[i], directories[_i].text);

	ck_assert_int_eq(migrations_read(directory, &migrations, why), directories[_i].err);
	ck_assert_msg(strstr(why, directories[_i].why) != NULL, "%s", why);
	for (size_t i = 0; i < migrations.count; i++)
		ck_assert_int_eq(migrations.list[i].version, (int)i + 1);
	if (directories[_i].err == ERR_OK)
		ck_assert_str_eq(migrations.list[0].name, "0001_create_a");
	migrations_done(&migrations);
	for (int i = 0; i < 4 && directories[_i].names[i] != NULL; i++)
		remove_file(directories[_i].names[i]);
}
END_TEST

START_TEST(migrations_read_says_when_there_is_no_directory)
{
	struct migrations migrations = { .count = 0 };
	char why[STORE_WHY_SIZE] = "";

	ck_assert_int_eq(migrations_read("/nonexistent/sql", &migrations, why), ERR_IO);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/sql"));
}
END_TEST

START_TEST(migrate_version_is_the_highest_file)
{
	struct migrations migrations = { .count = 0 };
	char why[STORE_WHY_SIZE] = "";
	enum err err = migrations_read(PAYOPS_TEST_SQLDIR, &migrations, why);

	ck_assert_msg(err == ERR_OK, "%s", why);
	ck_assert_uint_eq(migrations.count, MIGRATE_VERSION);
	migrations_done(&migrations);
}
END_TEST

static void tear_down(void)
{
	rmdir(directory);
}

UNIT_MAIN("migrate_file", {
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, script_split_cuts_at_semicolons_at_the_end_of_a_line, 0,
			    (int)(sizeof splits / sizeof splits[0]));
	tcase_add_test(tests, script_split_refuses_more_statements_than_it_can_hold);
	tcase_add_test(tests, script_read_has_the_checksum_of_the_file_as_it_is);
	tcase_add_loop_test(tests, migrations_read_takes_only_a_sound_directory, 0,
			    (int)(sizeof directories / sizeof directories[0]));
	tcase_add_test(tests, migrations_read_says_when_there_is_no_directory);
	tcase_add_test(tests, migrate_version_is_the_highest_file);
})
