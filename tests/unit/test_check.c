/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* store_check_durability and store_check_schema against a server. */
#include <string.h>

#include "store/migrate.h"
#include "store_scratch.h"
#include "unit.h"

static MYSQL *beside;

static void set_up(void)
{
	scratch_open();
	beside = scratch_connect();
}

/* Settings of the whole server must not stay unsafe, whatever a test came to. */
static void make_safe(void)
{
	MYSQL *mysql = scratch_connect();

	scratch_do(mysql, "SET GLOBAL innodb_flush_log_at_trx_commit = 1, GLOBAL sync_binlog = 1");
	mysql_close(mysql);
}

static void tear_down(void)
{
	make_safe();
	mysql_close(beside);
	scratch_close();
}

static void end(void)
{
	make_safe();
	scratch_drop();
}

static void ck_unsafe(const char *name, const char *value)
{
	char why[STORE_WHY_SIZE] = "";

	ck_assert_int_eq(store_check_durability(store, why), ERR_UNSAFE);
	ck_assert_msg(strstr(why, name) != NULL && strstr(why, value) != NULL, "%s", why);
	ck_assert_ptr_nonnull(strstr(why, "wanted"));
	ck_assert_ptr_null(strchr(why, '\n'));
}

static void ck_safe(void)
{
	char why[STORE_WHY_SIZE] = "";
	enum err err = store_check_durability(store, why);

	ck_assert_msg(err == ERR_OK, "%s", why);
}

START_TEST(check_durability_is_content_with_safe_settings)
{
	ck_safe();
}
END_TEST

START_TEST(check_durability_refuses_a_log_that_is_not_flushed)
{
	static const char *const values[] = { "0", "2" };

	scratch_do(beside, "SET GLOBAL innodb_flush_log_at_trx_commit = %s", values[_i]);
	ck_unsafe("innodb_flush_log_at_trx_commit", values[_i]);
	make_safe();
	ck_safe();
}
END_TEST

START_TEST(check_durability_asks_for_a_synced_binlog_only_where_there_is_one)
{
	bool binlog = scratch_number(beside, "SELECT @@log_bin") == 1;

	scratch_do(beside, "SET GLOBAL sync_binlog = 0");
	if (binlog)
		ck_unsafe("sync_binlog", "0");
	else
		ck_safe();
}
END_TEST

static const struct {
	const char *change;
	const char *name;
	const char *value;
} sessions[] = {
	{ "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "isolation",
	  "REPEATABLE-READ" },
	{ "SET SESSION sql_mode = 'ANSI_QUOTES'", "sql_mode", "ANSI_QUOTES" },
	{ "SET SESSION sql_mode = ''", "sql_mode", "STRICT_TRANS_TABLES" },
	{ "SET SESSION time_zone = '+07:00'", "time_zone", "+07:00" },
	{ "SET SESSION foreign_key_checks = 0", "foreign_key_checks", "OFF" },
	{ "SET SESSION unique_checks = 0", "unique_checks", "OFF" },
	{ "SET SESSION check_constraint_checks = 0", "check_constraint_checks", "OFF" },
};

START_TEST(check_durability_refuses_an_unsafe_session)
{
	/* MySQL cannot be told to look away from a CHECK. */
	if (mysql_query(store->mysql, sessions[_i].change) == 0)
		ck_unsafe(sessions[_i].name, sessions[_i].value);
	else
		ck_assert_ptr_nonnull(strstr(sessions[_i].change, "check_constraint_checks"));
}
END_TEST

START_TEST(check_durability_says_when_the_database_is_gone)
{
	char why[STORE_WHY_SIZE] = "";

	scratch_do(beside, "KILL %lu", mysql_thread_id(store->mysql));

	ck_assert_int_eq(store_check_durability(store, why), ERR_UNAVAILABLE);
	ck_assert_str_ne(why, "");
	ck_assert(store->lost);
}
END_TEST

/* Restored at once: the schema is shared by all tests of this program. */
static enum err judge_schema(const char *change, const char *restore, char why[STORE_WHY_SIZE])
{
	enum err err;

	scratch_do(beside, "%s", change);
	err = store_check_schema(store, why);
	scratch_do(beside, "%s", restore);
	return err;
}

START_TEST(check_schema_is_content_with_its_own_version)
{
	char why[STORE_WHY_SIZE] = "";

	ck_assert_int_eq(store_check_schema(store, why), ERR_OK);
}
END_TEST

START_TEST(check_schema_refuses_another_version)
{
	char why[STORE_WHY_SIZE] = "";

	ck_assert_int_eq(
		judge_schema(
			"INSERT INTO schema_migration (version, name, checksum, statement_count, "
			"statements_done, started_at_us, finished_at_us) "
			"SELECT version + 1, name, checksum, "
			"statement_count, statements_done, started_at_us, finished_at_us "
			"FROM schema_migration ORDER BY version DESC LIMIT 1",
			"DELETE FROM schema_migration ORDER BY version DESC LIMIT 1", why),
		ERR_SCHEMA);
	ck_assert_ptr_nonnull(strstr(why, "run a payops of that version"));
	ck_assert_int_eq(judge_schema("UPDATE schema_migration SET version = -version",
				      "UPDATE schema_migration SET version = -version", why),
			 ERR_SCHEMA);
	ck_assert_ptr_nonnull(strstr(why, "run payopsctl migrate up"));
}
END_TEST

START_TEST(check_schema_refuses_a_migration_that_is_not_finished)
{
	char why[STORE_WHY_SIZE] = "";

	ck_assert_int_eq(judge_schema("UPDATE schema_migration SET finished_at_us = NULL",
				      "UPDATE schema_migration SET finished_at_us = 1", why),
			 ERR_SCHEMA);
	ck_assert_ptr_nonnull(strstr(why, "not finished"));
	ck_assert_ptr_nonnull(strstr(why, "run payopsctl migrate up"));
}
END_TEST

UNIT_MAIN("check", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, scratch_create_schema, end);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, check_durability_is_content_with_safe_settings);
	tcase_add_loop_test(tests, check_durability_refuses_a_log_that_is_not_flushed, 0, 2);
	tcase_add_test(tests, check_durability_asks_for_a_synced_binlog_only_where_there_is_one);
	tcase_add_loop_test(tests, check_durability_refuses_an_unsafe_session, 0,
			    (int)(sizeof sessions / sizeof sessions[0]));
	tcase_add_test(tests, check_durability_says_when_the_database_is_gone);
	tcase_add_test(tests, check_schema_is_content_with_its_own_version);
	tcase_add_test(tests, check_schema_refuses_another_version);
	tcase_add_test(tests, check_schema_refuses_a_migration_that_is_not_finished);
})
