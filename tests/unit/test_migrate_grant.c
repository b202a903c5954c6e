/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* migrate_grant against a server: apid's user can do all that apid does, and nothing that it must not. */
#include <stdio.h>
#include <string.h>

#include "store/migrate.h"
#include "store_scratch.h"
#include "unit.h"

static MYSQL *beside;
static char user[32];
static char why[STORE_WHY_SIZE];
static struct secret password = { .size = 10, .bytes = "it's \\ \"x\"" };

static enum err grant(void)
{
	struct store_settings settings = scratch_settings();

	return migrate_grant(&settings, PAYOPS_TEST_SQLDIR, "apid", user, "localhost", &password,
			     why);
}

/* Granting takes a server seconds, so all tests have one user; each leaves it as granted. */
static void create(void)
{
	scratch_create_schema();
	/* One per program: several may run on a server. */
	snprintf(user, sizeof user, "t%s", strrchr(scratch_database(), '_'));
	beside = scratch_connect();
	scratch_do(beside, "DROP USER IF EXISTS '%s'@'localhost'", user);
	mysql_close(beside);
	ck_assert_msg(grant() == ERR_OK, "%s", why);
}

static void drop(void)
{
	beside = scratch_connect();
	scratch_do(beside, "DROP USER IF EXISTS '%s'@'localhost'", user);
	mysql_close(beside);
	scratch_drop();
}

static void set_up(void)
{
	scratch_open();
	beside = scratch_connect();
}

static void tear_down(void)
{
	mysql_close(beside);
	scratch_close();
}

static struct store_settings user_settings(void)
{
	struct store_settings settings = scratch_settings();

	settings.user = user;
	settings.password = &password;
	return settings;
}

static struct store *open_as_user(void)
{
	struct store_settings settings = user_settings();
	struct store *opened = NULL;
	enum err err = store_open(&settings, &opened, why);

	ck_assert_msg(err == ERR_OK, "%s", why);
	return opened;
}

START_TEST(grant_lets_apid_start)
{
	struct store *opened = open_as_user();

	ck_assert_int_eq(store_check_durability(opened, why), ERR_OK);
	ck_assert_int_eq(store_check_schema(opened, why), ERR_OK);
	store_close(opened);
}
END_TEST

/*
 * One execution of each statement of the hot path, with empty cells: rights are judged before values are, so that
 * what comes back is anything but a denial.
 */
static void fill(struct cells *cells, const char *letters)
{
	static const struct id empty = { { 0 } };

	for (; *letters != '\0'; letters++) {
		if (*letters == 'i')
			cells_add_integer(cells, 0);
		else if (*letters == 't')
			cells_add_text(cells, "");
		else
			cells_add_id(cells, &empty);
	}
}

/* One for many rows, as it is prepared for one: what the user may not do is refused here. */
static void check_many(struct store *opened, const struct statement_row *row)
{
	MYSQL_STMT *prepared = mysql_stmt_init(opened->mysql);
	char text[4096];
	char *end = text;

	ck_assert_uint_lt(strlen(row->text), sizeof text);
	for (const char *at = row->text; *at != '\0'; at++)
		if (*at != '{' && *at != '}')
			*end++ = *at;
	ck_assert_msg(mysql_stmt_prepare(prepared, text, (unsigned long)(end - text)) == 0,
		      "%s: %s", row->name, mysql_stmt_error(prepared));
	mysql_stmt_close(prepared);
}

START_TEST(grant_covers_every_statement_of_the_hot_path)
{
	const struct statement_row *row = statement_row((enum statement_id)_i);
	struct store *opened = open_as_user();
	struct store_tx user_tx = { .store = opened };
	struct cells cells = { .count = 0 };
	MYSQL_STMT *prepared = opened->statements[_i];

	fill(&cells, row->parameters);
	if (row->when == STATEMENT_COLD) {
		ck_assert_ptr_null(prepared);
	} else if (row->kind == STATEMENT_ROWS || row->kind == STATEMENT_SET) {
		ck_assert_ptr_null(prepared); /* at its first use, in size classes */
		check_many(opened, row);
	} else if (row->kind == STATEMENT_WRITE) {
		(void)!statement_write(&user_tx, (enum statement_id)_i, &cells, NULL);
		ck_assert_uint_ne(mysql_stmt_errno(prepared), 1142);
		ck_assert_uint_ne(mysql_stmt_errno(prepared), 1143);
	} else {
		MYSQL_BIND binds[CELLS_MAX] = { { .buffer_type = MYSQL_TYPE_NULL } };

		for (size_t i = 0; i < cells.count; i++)
			binds[i].buffer_type = MYSQL_TYPE_NULL;
		if (strstr(row->text, "LIMIT ?") == NULL) {
			ck_assert(!mysql_stmt_bind_param(prepared, binds));
			ck_assert_msg(mysql_stmt_execute(prepared) == 0, "%s: %s", row->name,
				      mysql_stmt_error(prepared));
			/* Closing an unread result waits for the statement's timeout. */
			ck_assert_int_eq(mysql_stmt_store_result(prepared), 0);
		}
	}
	store_close(opened);
}
END_TEST

static void count_event(void *context, const struct event_row *row)
{
	(void)row;
	(*(int *)context)++;
}

START_TEST(grant_lets_apid_take_a_payment)
{
	struct store *opened = open_as_user();
	struct store_tx user_tx = { .store = opened };
	struct operation_row operation = sample_operation(1);
	struct operation_row claimed[OPERATION_CLAIM_MAX];
	struct transaction_row transaction = sample_transaction(1);
	struct attempt_row attempt = sample_attempt(1, 1);
	struct event_row event = sample_event(1, 1);
	struct exception_row exception = { .id = sample_id(6, 1),
					   .attempt_id = sample_id(3, 1),
					   .detail = "x",
					   .opened_at_us = 1 };
	const struct operation_row *operations[] = { &operation };
	const struct transaction_row *transactions[] = { &transaction };
	size_t count;
	int events = 0;

	operation.next_action_at_us = 0; /* at once */
	ck_assert_int_eq(store_operation_accept_all(&user_tx, operations, 1, &count), ERR_OK);
	ck_assert_int_eq(store_transaction_insert_all(&user_tx, transactions, 1), ERR_OK);
	ck_assert_int_eq(store_operation_claim(&user_tx, 5, claimed, &count), ERR_OK);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(store_attempt_insert(&user_tx, &attempt), ERR_OK);
	ck_assert_int_eq(store_event_insert(&user_tx, &event), ERR_OK);
	ck_assert_int_eq(
		store_event_list(&user_tx, "shop", sample_id(1, 1), 0, 5, count_event, &events),
		ERR_OK);
	ck_assert_int_eq(events, 1);
	ck_assert_int_eq(store_exception_open(&user_tx, &exception), ERR_OK);
	ck_assert_int_eq(store_exception_open(&user_tx, &exception), ERR_OK);
	store_close(opened);
}
END_TEST

static const char *const denied[] = {
	"ALTER TABLE operation ADD COLUMN more INT",
	"DROP TABLE event",
	"CREATE TABLE more (id INT)",
	"TRUNCATE TABLE event",
	"DELETE FROM transaction",
	"DELETE FROM operation",
	"DELETE FROM attempt",
	"DELETE FROM event",
	"DELETE FROM callback",
	"DELETE FROM exception",
	"UPDATE event SET reason = 'another'",
	"UPDATE event SET transaction_to = 'completed'",
	"INSERT INTO merchant (merchant, name, created_at_us) VALUES ('mine', 'Mine', 1)",
	"UPDATE merchant SET name = 'Mine'",
	"UPDATE schema_migration SET version = 9",
	"SELECT user FROM mysql.user",
	"SET GLOBAL innodb_flush_log_at_trx_commit = 0",
};

START_TEST(grant_gives_apid_nothing_else)
{
	struct store *opened = open_as_user();
	unsigned code = scratch_refused(opened->mysql, denied[_i]);

	ck_assert_msg(code == 1142 || code == 1143 || code == 1227, "%u: %s", code, denied[_i]);
	store_close(opened);
}
END_TEST

START_TEST(grant_lets_the_sequencer_number_events)
{
	struct store *opened = open_as_user();

	scratch_do(opened->mysql, "UPDATE event SET position = 1 WHERE sequence = 999");
	store_close(opened);
}
END_TEST

START_TEST(grant_again_takes_back_what_was_added_and_keeps_the_password)
{
	struct secret other = { .size = 5, .bytes = "other" };
	struct store_settings settings = scratch_settings();
	struct store *opened;

	scratch_do(beside, "GRANT ALL ON %s.* TO '%s'@'localhost' WITH GRANT OPTION",
		   scratch_database(), user);
	ck_assert_int_eq(migrate_grant(&settings, PAYOPS_TEST_SQLDIR, "apid", user, "localhost",
				       &other, why),
			 ERR_OK);

	opened = open_as_user();
	ck_assert_uint_eq(scratch_refused(opened->mysql, "DELETE FROM event"), 1142);
	store_close(opened);
}
END_TEST

/* How often the server took somebody's rights back; nobody else does on a server of the tests. */
static long long revocations(void)
{
	return scratch_number(beside, "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "
				      "WHERE VARIABLE_NAME = 'COM_REVOKE_ALL'");
}

START_TEST(grant_again_takes_nothing_back_where_there_is_nothing_else)
{
	const long long before = revocations();

	ck_assert_int_eq(grant(), ERR_OK);

	ck_assert_int_eq(revocations(), before);
	ck_assert_int_eq(
		scratch_number(
			beside,
			"SELECT COUNT(*) FROM mysql.user WHERE user LIKE 'payops\\_model\\_%'"),
		0);
}
END_TEST

START_TEST(grant_again_gives_what_is_missing_and_takes_nothing_back)
{
	const long long before = revocations();
	struct store *opened;

	scratch_do(beside, "REVOKE SELECT ON %s.merchant FROM '%s'@'localhost'", scratch_database(),
		   user);
	ck_assert_int_eq(grant(), ERR_OK);

	ck_assert_int_eq(revocations(), before);
	opened = open_as_user();
	scratch_do(opened->mysql, "DO (SELECT COUNT(*) FROM merchant)");
	store_close(opened);
}
END_TEST

static const struct {
	const char *right, *object, *option;
} others[] = {
	{ "DELETE", "event", "" },
	{ "UPDATE (reason)", "event", "" },
	{ "CREATE", "*", "" },
	{ "SELECT", "merchant", "WITH GRANT OPTION" },
};

START_TEST(grant_again_takes_others_back_of_whatever_kind)
{
	const long long before = revocations();

	scratch_do(beside, "GRANT %s ON %s.%s TO '%s'@'localhost' %s", others[_i].right,
		   scratch_database(), others[_i].object, user, others[_i].option);
	ck_assert_int_eq(grant(), ERR_OK);

	ck_assert_int_eq(revocations(), before + 1);
	ck_assert_int_eq(grant(), ERR_OK);
	ck_assert_int_eq(revocations(), before + 1);
}
END_TEST

START_TEST(grant_protects_the_user_by_its_password)
{
	struct store_settings settings = user_settings();
	struct secret wrong = { .size = 1, .bytes = "x" };
	struct store *opened = NULL;

	settings.password = &wrong;
	ck_assert_int_eq(store_open(&settings, &opened, why), ERR_UNAVAILABLE);
	settings.password = NULL;
	ck_assert_int_eq(store_open(&settings, &opened, why), ERR_UNAVAILABLE);
	ck_assert_ptr_null(opened);
}
END_TEST

#define LONG_NAME "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"

static const struct {
	const char *role, *user, *host;
	enum err err;
} names[] = {
	{ "apid", "", "localhost", ERR_CONFIG },
	{ "apid", "a'b", "localhost", ERR_CONFIG },
	{ "apid", "a b", "localhost", ERR_CONFIG },
	{ "apid", "a\\", "localhost", ERR_CONFIG },
	{ "apid", LONG_NAME, "localhost", ERR_CONFIG },
	{ "apid", "payops_x", "", ERR_CONFIG },
	{ "apid", "payops_x", "x'@'y", ERR_CONFIG },
	{ "apid", "payops_x", "ho`st", ERR_CONFIG },
	{ "", "payops_x", "localhost", ERR_CONFIG },
	{ "../apid", "payops_x", "localhost", ERR_CONFIG },
	{ "nobody", "payops_x", "localhost", ERR_IO },
};

START_TEST(grant_refuses_names_that_are_none)
{
	struct store_settings settings = scratch_settings();

	ck_assert_int_eq(migrate_grant(&settings, PAYOPS_TEST_SQLDIR, names[_i].role,
				       names[_i].user, names[_i].host, NULL, why),
			 names[_i].err);
	ck_assert_str_ne(why, "");
}
END_TEST

START_TEST(grant_says_what_the_server_answered)
{
	struct store_settings settings = scratch_settings();

	settings.database = "mysql";
	ck_assert_int_eq(
		migrate_grant(&settings, PAYOPS_TEST_SQLDIR, "apid", user, "localhost", NULL, why),
		ERR_STORE);
	ck_assert_msg(strstr(why, "merchant") != NULL, "%s", why);
	ck_assert_int_eq(grant(), ERR_OK);
}
END_TEST

#define CASES(TABLE) (int)(sizeof(TABLE) / sizeof((TABLE)[0]))

UNIT_MAIN("migrate_grant", {
	scratch_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, grant_lets_apid_start);
	tcase_add_loop_test(tests, grant_covers_every_statement_of_the_hot_path, 0,
			    STATEMENT_COUNT);
	tcase_add_test(tests, grant_lets_apid_take_a_payment);
	tcase_add_loop_test(tests, grant_gives_apid_nothing_else, 0, CASES(denied));
	tcase_add_test(tests, grant_lets_the_sequencer_number_events);
	tcase_add_test(tests, grant_again_takes_back_what_was_added_and_keeps_the_password);
	tcase_add_test(tests, grant_again_takes_nothing_back_where_there_is_nothing_else);
	tcase_add_test(tests, grant_again_gives_what_is_missing_and_takes_nothing_back);
	tcase_add_loop_test(tests, grant_again_takes_others_back_of_whatever_kind, 0,
			    CASES(others));
	tcase_add_test(tests, grant_protects_the_user_by_its_password);
	tcase_add_loop_test(tests, grant_refuses_names_that_are_none, 0, CASES(names));
	tcase_add_test(tests, grant_says_what_the_server_answered);
})
