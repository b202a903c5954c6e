/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/migrate.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store_scratch.h"
#include "unit.h"

#define ONE "0001_create_one.sql"
#define TWO "0002_create_two.sql"
#define ONE_TEXT                                                                                   \
	"CREATE TABLE one (\n\tid INT NOT NULL,\n\tPRIMARY KEY (id)\n) ENGINE=InnoDB;\n"           \
	"ALTER TABLE one ADD COLUMN extra INT NULL;\n"
#define TWO_TEXT                                                                                   \
	"-- a table; with a comment\nCREATE TABLE two (id INT NOT NULL) ENGINE=InnoDB;\n"          \
	"INSERT INTO two (id) VALUES (1);\nINSERT INTO later (id) VALUES (1);\n"

static MYSQL *beside;
static struct store_settings settings;
static char directory[64];
static char why[STORE_WHY_SIZE];

/* What was reported: one word per row, as "0001_create_one pending 0/2", and the statements of a plan. */
static char told[4096];

static void tell(void *context, const struct migrate_row *row, const char *text)
{
	size_t used = strlen(told);

	ck_assert_ptr_eq(context, told);
	snprintf(told + used, sizeof told - used, "%s%s %s %d/%d%s%s", used > 0 ? "|" : "",
		 row->name, migrate_state_word(row->state), row->statements_done,
		 row->statement_count, text != NULL ? ": " : "", text != NULL ? text : "");
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

static void remove_file(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	unlink(path);
}

static void set_up(void)
{
	beside = scratch_connect();
	scratch_do(beside, "DROP TABLE IF EXISTS schema_migration, one, two, later, three");
	settings = scratch_settings();
	SET_TEXT(directory, "/tmp/payops_sql_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	write_file(ONE, ONE_TEXT);
	told[0] = '\0';
}

static void tear_down(void)
{
	mysql_close(beside);
	remove_file(ONE);
	remove_file(TWO);
	remove_file("0003_create_three.sql");
	rmdir(directory);
}

typedef enum err migrate_command(const struct store_settings *to, const char *from,
				 migrate_report *report, void *context,
				 char reason[STORE_WHY_SIZE]);

static enum err run(migrate_command *command)
{
	told[0] = '\0';
	return command(&settings, directory, tell, told, why);
}

static void ck_run(migrate_command *command, enum err err, const char *wanted)
{
	ck_assert_int_eq(run(command), err);
	ck_assert_str_eq(told, wanted);
}

static bool has_table(const char *name)
{
	char query[256];

	snprintf(query, sizeof query,
		 "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() "
		 "AND "
		 "table_name = '%s'",
		 name);
	return scratch_number(beside, query) == 1;
}

START_TEST(migrate_up_makes_an_empty_database_whole)
{
	ck_run(migrate_status, ERR_OK, "0001_create_one pending 0/2");
	ck_run(migrate_verify, ERR_SCHEMA, "0001_create_one pending 0/2");
	ck_assert_str_eq(why, "migration 0001_create_one is pending");
	ck_assert(!has_table("schema_migration"));

	ck_run(migrate_up, ERR_OK, "0001_create_one pending 0/2|0001_create_one done 2/2");
	ck_run(migrate_status, ERR_OK, "0001_create_one done 2/2");
	ck_run(migrate_verify, ERR_OK, "0001_create_one done 2/2");
	ck_assert_str_eq(why, "");
	ck_assert_int_eq(scratch_number(beside, "SELECT COUNT(*) FROM one WHERE extra IS NOT NULL"),
			 0);
	ck_assert_int_eq(scratch_number(beside,
					"SELECT COUNT(*) FROM schema_migration WHERE version = 1 "
					"AND name = '0001_create_one' AND statement_count = 2 AND "
					"finished_at_us >= started_at_us AND started_at_us > 0"),
			 1);
}
END_TEST

START_TEST(migrate_up_twice_changes_nothing)
{
	char before[64];

	ck_assert_int_eq(run(migrate_up), ERR_OK);
	SET_TEXT(before, scratch_text(beside, "SELECT CONCAT(started_at_us, finished_at_us) "
					      "FROM schema_migration"));
	ck_run(migrate_up, ERR_OK, "0001_create_one done 2/2");

	ck_assert_str_eq(scratch_text(beside, "SELECT CONCAT(started_at_us, finished_at_us) "
					      "FROM schema_migration"),
			 before);
}
END_TEST

START_TEST(migrate_plan_names_each_statement_and_does_none)
{
	ck_run(migrate_plan, ERR_OK,
	       "0001_create_one pending 0/2: CREATE TABLE one (\nid INT NOT NULL,\nPRIMARY KEY "
	       "(id)\n) "
	       "ENGINE=InnoDB|0001_create_one pending 1/2: ALTER TABLE one ADD COLUMN extra INT "
	       "NULL");
	ck_assert(!has_table("one"));
	ck_assert(!has_table("schema_migration"));
	ck_assert_int_eq(run(migrate_up), ERR_OK);
	ck_run(migrate_plan, ERR_OK, "0001_create_one done 2/2");
}
END_TEST

START_TEST(migrate_up_stops_at_a_refused_statement_and_goes_on_from_there)
{
	write_file(TWO, TWO_TEXT);

	ck_run(migrate_up, ERR_STORE,
	       "0001_create_one pending 0/2|0001_create_one done 2/2|0002_create_two pending 0/3");
	ck_assert_msg(strstr(why, "0002_create_two, statement 3") != NULL, "%s", why);
	ck_assert_msg(strstr(why, "later") != NULL, "%s", why);
	ck_run(migrate_status, ERR_OK, "0001_create_one done 2/2|0002_create_two partly 2/3");
	ck_run(migrate_verify, ERR_SCHEMA, "0001_create_one done 2/2|0002_create_two partly 2/3");
	ck_run(migrate_plan, ERR_OK,
	       "0001_create_one done 2/2|0002_create_two partly 2/3: INSERT INTO later (id) VALUES "
	       "(1)");

	scratch_do(beside, "CREATE TABLE later (id INT NOT NULL) ENGINE=InnoDB");
	ck_run(migrate_up, ERR_OK,
	       "0001_create_one done 2/2|0002_create_two partly 2/3|0002_create_two done 3/3");
	ck_assert_int_eq(scratch_number(beside, "SELECT COUNT(*) FROM two"), 1);
	ck_assert_int_eq(scratch_number(beside, "SELECT COUNT(*) FROM later"), 1);
}
END_TEST

/* As if the migrator had died after a statement and before its record. */
static void forge(int statements_done)
{
	scratch_do(beside,
		   "UPDATE schema_migration SET statements_done = %d, finished_at_us = NULL",
		   statements_done);
}

START_TEST(migrate_up_knows_the_statement_that_was_done_but_not_recorded)
{
	ck_assert_int_eq(run(migrate_up), ERR_OK);
	forge(1);
	ck_run(migrate_up, ERR_OK, "0001_create_one partly 1/2|0001_create_one done 2/2");

	forge(0);
	scratch_do(beside, "ALTER TABLE one DROP COLUMN extra");
	ck_run(migrate_up, ERR_OK, "0001_create_one partly 0/2|0001_create_one done 2/2");
	ck_run(migrate_verify, ERR_OK, "0001_create_one done 2/2");
	ck_assert_int_eq(scratch_number(beside, "SELECT COUNT(extra) FROM one"), 0);
}
END_TEST

START_TEST(migrate_up_forgives_one_statement_in_doubt_only)
{
	ck_assert_int_eq(run(migrate_up), ERR_OK);
	forge(0);

	ck_run(migrate_up, ERR_STORE, "0001_create_one partly 0/2");
	ck_assert_msg(strstr(why, "0001_create_one, statement 2") != NULL, "%s", why);
}
END_TEST

START_TEST(migrate_up_forgives_nothing_at_the_first_try)
{
	scratch_do(beside, "CREATE TABLE one (id INT NOT NULL) ENGINE=InnoDB");

	ck_run(migrate_up, ERR_STORE, "0001_create_one pending 0/2");
	ck_assert_msg(strstr(why, "0001_create_one, statement 1") != NULL, "%s", why);
}
END_TEST

START_TEST(migrate_up_never_takes_a_refused_statement_for_done)
{
	write_file(TWO, "CREATE TABLE two (id INT NOT NULL) ENGINE=InnoDB;\n"
			"ALTER TABLE later ADD COLUMN more INT NULL;\n");

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(run(migrate_up), ERR_STORE);
		ck_assert_msg(strstr(why, "0002_create_two, statement 2") != NULL, "%s", why);
	}
	ck_assert_int_eq(run(migrate_verify), ERR_SCHEMA);
}
END_TEST

START_TEST(migrate_up_calls_finished_what_was_all_done)
{
	ck_assert_int_eq(run(migrate_up), ERR_OK);
	forge(2);

	ck_run(migrate_up, ERR_OK, "0001_create_one partly 2/2|0001_create_one done 2/2");
	ck_run(migrate_verify, ERR_OK, "0001_create_one done 2/2");
}
END_TEST

START_TEST(migrate_up_refuses_a_file_that_was_changed)
{
	ck_assert_int_eq(run(migrate_up), ERR_OK);
	write_file(ONE, ONE_TEXT "-- one more comment\n");
	write_file(TWO, "CREATE TABLE two (id INT NOT NULL) ENGINE=InnoDB;\n");

	ck_run(migrate_up, ERR_SCHEMA, "");
	ck_assert_msg(strstr(why, "0001_create_one") != NULL && strstr(why, "changed") != NULL,
		      "%s", why);
	ck_assert(!has_table("two"));
	ck_run(migrate_verify, ERR_SCHEMA,
	       "0001_create_one changed 2/2|0002_create_two pending 0/1");
}
END_TEST

START_TEST(migrate_up_refuses_a_schema_that_is_newer_than_its_files)
{
	write_file(TWO, "CREATE TABLE two (id INT NOT NULL) ENGINE=InnoDB;\n");
	ck_assert_int_eq(run(migrate_up), ERR_OK);
	remove_file(TWO);

	ck_run(migrate_status, ERR_OK, "0001_create_one done 2/2|0002_create_two unknown 1/1");
	ck_run(migrate_verify, ERR_SCHEMA, "0001_create_one done 2/2|0002_create_two unknown 1/1");
	ck_run(migrate_up, ERR_SCHEMA, "");
	ck_assert_msg(strstr(why, "older than the schema") != NULL, "%s", why);
}
END_TEST

START_TEST(migrate_up_refuses_a_history_with_a_hole)
{
	write_file(TWO, "CREATE TABLE two (id INT NOT NULL) ENGINE=InnoDB;\n");
	ck_assert_int_eq(run(migrate_up), ERR_OK);
	scratch_do(beside, "DELETE FROM schema_migration WHERE version = 1");

	ck_run(migrate_up, ERR_SCHEMA, "");
	ck_assert_msg(strstr(why, "0001_create_one") != NULL, "%s", why);
}
END_TEST

START_TEST(migrate_up_refuses_files_with_a_gap_before_anything_is_done)
{
	write_file("0003_create_three.sql", "CREATE TABLE three (id INT) ENGINE=InnoDB;\n");

	ck_run(migrate_up, ERR_CONFIG, "");
	ck_assert(!has_table("one"));
	ck_assert(!has_table("schema_migration"));
}
END_TEST

START_TEST(migrate_up_is_refused_while_another_is_at_work)
{
	ck_assert_str_eq(scratch_text(beside, "SELECT GET_LOCK(CONCAT('payops_migrate_', "
					      "LEFT(SHA2(DATABASE(), 256), 32)), 0)"),
			 "1");

	ck_run(migrate_up, ERR_BUSY, "");
	ck_assert_msg(strstr(why, "another migrator") != NULL, "%s", why);
	ck_assert(!has_table("one"));
	ck_run(migrate_status, ERR_OK, "0001_create_one pending 0/2");
}
END_TEST

static void *run_up(void *context)
{
	char reason[STORE_WHY_SIZE];

	*(enum err *)context = migrate_up(&settings, directory, NULL, NULL, reason);
	return NULL;
}

START_TEST(migrate_up_by_several_at_once_is_done_once)
{
	enum err errs[4] = { ERR_OK };
	pthread_t threads[4];
	int done = 0;

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, run_up, &errs[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		ck_assert(errs[i] == ERR_OK || errs[i] == ERR_BUSY);
		done += errs[i] == ERR_OK;
	}

	ck_assert_int_ge(done, 1);
	ck_run(migrate_verify, ERR_OK, "0001_create_one done 2/2");
}
END_TEST

START_TEST(migrate_says_when_the_server_cannot_be_reached)
{
	settings.socket = "/nonexistent/socket";

	ck_run(migrate_up, ERR_UNAVAILABLE, "");
	ck_run(migrate_status, ERR_UNAVAILABLE, "");
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/socket"));
}
END_TEST

START_TEST(migrate_state_words_are_five)
{
	static const char *const words[] = { "pending", "partly", "done", "changed", "unknown" };

	ck_assert_str_eq(migrate_state_word((enum migrate_state)_i), words[_i]);
}
END_TEST

UNIT_MAIN("migrate", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create, scratch_drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, migrate_up_makes_an_empty_database_whole);
	tcase_add_test(tests, migrate_up_twice_changes_nothing);
	tcase_add_test(tests, migrate_plan_names_each_statement_and_does_none);
	tcase_add_test(tests, migrate_up_stops_at_a_refused_statement_and_goes_on_from_there);
	tcase_add_test(tests, migrate_up_knows_the_statement_that_was_done_but_not_recorded);
	tcase_add_test(tests, migrate_up_forgives_one_statement_in_doubt_only);
	tcase_add_test(tests, migrate_up_forgives_nothing_at_the_first_try);
	tcase_add_test(tests, migrate_up_never_takes_a_refused_statement_for_done);
	tcase_add_test(tests, migrate_up_calls_finished_what_was_all_done);
	tcase_add_test(tests, migrate_up_refuses_a_file_that_was_changed);
	tcase_add_test(tests, migrate_up_refuses_a_schema_that_is_newer_than_its_files);
	tcase_add_test(tests, migrate_up_refuses_a_history_with_a_hole);
	tcase_add_test(tests, migrate_up_refuses_files_with_a_gap_before_anything_is_done);
	tcase_add_test(tests, migrate_up_is_refused_while_another_is_at_work);
	tcase_add_test(tests, migrate_up_by_several_at_once_is_done_once);
	tcase_add_test(tests, migrate_says_when_the_server_cannot_be_reached);
	tcase_add_loop_test(tests, migrate_state_words_are_five, 0, 5);
})
