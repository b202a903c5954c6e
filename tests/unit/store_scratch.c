/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_scratch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/migrate.h"

#define START_US INT64_C(1767225600000000) /* 2026-01-01 */

/* lint: state: named once, before the tests fork */
static char database[64];
/* lint: state: made and closed by the fixture */
struct store *store;
/* lint: state: as store */
struct store_tx tx;

static const char *socket_path(void)
{
	const char *path = getenv("PAYOPS_TEST_SOCKET");

	return path != NULL ? path : "";
}

/* The address sanitizer's end of process would count what the framework holds. */
void scratch_require(void)
{
	if (socket_path()[0] != '\0')
		return;
	fputs("skipped: PAYOPS_TEST_SOCKET does not name a server's socket\n", stderr);
	_exit(77);
}

MYSQL *scratch_connect(void)
{
	MYSQL *mysql = mysql_init(NULL);

	ck_assert_ptr_nonnull(mysql);
	mysql = mysql_real_connect(mysql, NULL, "root", NULL, NULL, 0, socket_path(), 0);
	ck_assert_msg(mysql != NULL, "no connection at %s", socket_path());
	if (database[0] != '\0')
		ck_assert_int_eq(mysql_select_db(mysql, database), 0);
	return mysql;
}

void scratch_do(MYSQL *mysql, const char *format, ...)
{
	char text[4096];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	ck_assert_int_lt(size, (int)sizeof text);
	ck_assert_msg(mysql_query(mysql, text) == 0, "%s: %s", text, mysql_error(mysql));
}

unsigned scratch_refused(MYSQL *mysql, const char *text)
{
	ck_assert_msg(mysql_query(mysql, text) != 0, "not refused: %s", text);
	return mysql_errno(mysql);
}

const char *scratch_text(MYSQL *mysql, const char *text)
{
	static char cell[1024];
	MYSQL_RES *result;
	MYSQL_ROW row;

	scratch_do(mysql, "%s", text);
	result = mysql_store_result(mysql);
	ck_assert_ptr_nonnull(result);
	row = mysql_fetch_row(result);
	if (row == NULL)
		cell[0] = '\0';
	else
		snprintf(cell, sizeof cell, "%s", row[0] != NULL ? row[0] : "NULL");
	mysql_free_result(result);
	return cell;
}

long long scratch_number(MYSQL *mysql, const char *text)
{
	return strtoll(scratch_text(mysql, text), NULL, 10);
}

const char *scratch_database(void)
{
	return database;
}

void scratch_create(void)
{
	MYSQL *mysql = scratch_connect();

	snprintf(database, sizeof database, "payops_test_%ld", (long)getpid());
	scratch_do(mysql, "DROP DATABASE IF EXISTS %s", database);
	scratch_do(mysql, "CREATE DATABASE %s", database);
	mysql_close(mysql);
}

void scratch_create_schema(void)
{
	struct store_settings settings;
	char why[STORE_WHY_SIZE];
	enum err err;

	scratch_create();
	settings = scratch_settings();
	err = migrate_up(&settings, PAYOPS_TEST_SQLDIR, NULL, NULL, why);
	ck_assert_msg(err == ERR_OK, "%s", why);
}

void scratch_drop(void)
{
	MYSQL *mysql = scratch_connect();

	scratch_do(mysql, "DROP DATABASE IF EXISTS %s", database);
	mysql_close(mysql);
}

struct store_settings scratch_settings(void)
{
	return (struct store_settings){ .host = "",
					.socket = socket_path(),
					.user = "root",
					.database = database,
					.connect_timeout_ms = 5000,
					.statement_timeout_ms = 20000 };
}

void scratch_clean(void)
{
	static const char *const tables[] = { "payment_method", "customer",   "ledger_entry",
					      "exception",      "event",      "callback",
					      "attempt",        "operation",  "transaction",
					      "route_target",   "route_rule", "gateway_account",
					      "gateway",        "api_key",    "merchant",
					      "breaker" };
	MYSQL *mysql = scratch_connect();

	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		scratch_do(mysql, "DELETE FROM %s", tables[i]);
	scratch_do(mysql, "INSERT INTO merchant (merchant, name, created_at_us) "
			  "VALUES ('shop', 'Shop', 1), ('other', 'Other', 1)");
	mysql_close(mysql);
}

struct store *scratch_store(void)
{
	struct store_settings settings = scratch_settings();
	struct store *opened = NULL;
	char why[STORE_WHY_SIZE];
	enum err err = store_open(&settings, &opened, why);

	ck_assert_msg(err == ERR_OK, "%s", why);
	return opened;
}

void scratch_open(void)
{
	scratch_clean();
	store = scratch_store();
	tx = (struct store_tx){ .store = store };
}

void scratch_close(void)
{
	store_close(store);
}

struct id sample_id(unsigned kind, unsigned n)
{
	struct id id = { { 0 } };

	id.bytes[0] = 1;
	id.bytes[7] = (uint8_t)kind;
	id.bytes[13] = (uint8_t)(n >> 16);
	id.bytes[14] = (uint8_t)(n >> 8);
	id.bytes[15] = (uint8_t)n;
	return id;
}

struct transaction_row sample_transaction(unsigned n)
{
	return (struct transaction_row){ .id = sample_id(1, n),
					 .merchant = "shop",
					 .customer = "cust_001",
					 .kind = TRANSACTION_PAYMENT,
					 .amount = { 1000, "USD" },
					 .exponent = 2,
					 .form = AMOUNT_MINOR,
					 .method = "credit_card",
					 .status = TS_PENDING,
					 .version = 1,
					 .created_at_us = START_US + n,
					 .updated_at_us = START_US + n };
}

struct operation_row sample_operation(unsigned n)
{
	return (struct operation_row){ .id = sample_id(2, n),
				       .transaction_id = sample_id(1, n),
				       .merchant = "shop",
				       .kind = OPERATION_CHARGE,
				       .amount_minor = 1000,
				       .status = OS_PENDING,
				       .next_action = NEXT_SEND,
				       .next_action_at_us = START_US + n,
				       .gateway_key_number = 1,
				       .created_at_us = START_US + n,
				       .updated_at_us = START_US + n };
}

struct attempt_row sample_attempt(unsigned n, unsigned number)
{
	struct attempt_row row = { .id = sample_id(3, n * 256 + number),
				   .operation_id = sample_id(2, n),
				   .transaction_id = sample_id(1, n),
				   .merchant = "shop",
				   .number = number,
				   .gateway = "alpha",
				   .gateway_key = "key",
				   .status = AS_PREPARED,
				   .send_by_us = START_US + 100 + number,
				   .lease_until_us = START_US + 200 + number,
				   .prepared_at_us = START_US + number,
				   .updated_at_us = START_US + number };

	snprintf(row.our_reference, sizeof row.our_reference, "reference-%u", n);
	return row;
}

struct event_row sample_event(unsigned n, uint32_t sequence)
{
	return (struct event_row){ .transaction_id = sample_id(1, n),
				   .sequence = sequence,
				   .id = sample_id(4, n * 256 + sequence),
				   .merchant = "shop",
				   .type = "transaction.created",
				   .transaction_from = EVENT_NO_STATUS,
				   .transaction_to = TS_PENDING,
				   .operation_from = EVENT_NO_STATUS,
				   .operation_to = EVENT_NO_STATUS,
				   .attempt_from = EVENT_NO_STATUS,
				   .attempt_to = EVENT_NO_STATUS,
				   .at_us = START_US };
}

struct callback_row sample_callback(unsigned n)
{
	struct callback_row row = { .gateway = "alpha",
				    .id = sample_id(5, n),
				    .word = "completed",
				    .body_masked = "{}",
				    .result = CALLBACK_KEPT,
				    .received_at_us = START_US + n };

	snprintf(row.callback_key, sizeof row.callback_key, "callback-%u", n);
	return row;
}

void sample_fill(char *text, size_t size, char letter)
{
	memset(text, letter, size - 1);
	text[size - 1] = '\0';
}

void insert_transaction(unsigned n)
{
	struct transaction_row row = sample_transaction(n);

	ck_assert_int_eq(store_transaction_insert(&tx, &row), ERR_OK);
}

void insert_operation(unsigned n)
{
	struct operation_row row = sample_operation(n);

	ck_assert_int_eq(store_operation_insert(&tx, &row), ERR_OK);
}

void insert_attempted(unsigned n, unsigned attempt_count)
{
	struct operation_row row = sample_operation(n);

	row.attempt_count = attempt_count;
	ck_assert_int_eq(store_operation_insert(&tx, &row), ERR_OK);
}

void insert_attempt(unsigned n, unsigned number, enum attempt_status status)
{
	struct attempt_row row = sample_attempt(n, number);

	row.status = status;
	snprintf(row.decline_code, sizeof row.decline_code, "code_%u", number);
	row.open_since_us = 1;
	ck_assert_int_eq(store_attempt_insert(&tx, &row), ERR_OK);
}

void ck_id(struct id a, struct id b)
{
	ck_assert_mem_eq(a.bytes, b.bytes, sizeof a.bytes);
}

/* The statement with literals for its parameters: texts pass all filters where `text` is "". */
static void literal(char *out, size_t room, enum statement_id id, const char *text)
{
	const struct statement_row *row = statement_row(id);
	const char *letter = row->parameters;
	size_t used = (size_t)snprintf(out, room, "EXPLAIN ");
	unsigned ids = 0;

	for (const char *at = row->text; *at != '\0'; at++) {
		if (*at == '{' || *at == '}')
			continue;
		if (*at != '?')
			used += (size_t)snprintf(out + used, room - used, "%c", *at);
		else if (*letter == 't')
			used += (size_t)snprintf(out + used, room - used, "'%s'",
						 letter == row->parameters ? "shop" : text);
		else if (*letter == 'b')
			used += (size_t)snprintf(out + used, room - used,
						 "UNHEX('%012X00000000000000000000')",
						 1000 + 500 * ++ids);
		else
			used += (size_t)snprintf(out + used, room - used, "2000000");
		letter += *at == '?' ? 1 : 0;
		ck_assert_uint_lt(used, room);
	}
}

/* EXPLAIN's columns */
enum { PLAN_TABLE = 2, PLAN_TYPE = 3, PLAN_EXTRA = 9 };

static MYSQL_RES *plan_of(MYSQL *mysql, enum statement_id id, const char *text)
{
	char explain[4096];
	MYSQL_RES *result;

	literal(explain, sizeof explain, id, text);
	ck_assert_msg(mysql_query(mysql, explain) == 0, "%s: %s", explain, mysql_error(mysql));
	result = mysql_store_result(mysql);
	ck_assert_ptr_nonnull(result);
	return result;
}

void scratch_check_covered(MYSQL *mysql, enum statement_id id)
{
	MYSQL_RES *result = plan_of(mysql, id, "");
	MYSQL_ROW row = mysql_fetch_row(result);

	ck_assert_ptr_nonnull(row);
	ck_assert_msg(row[PLAN_EXTRA] != NULL && strstr(row[PLAN_EXTRA], "Using index") != NULL &&
			      strstr(row[PLAN_EXTRA], "Using index condition") == NULL,
		      "%s reads rows of %s", statement_row(id)->name, row[PLAN_TABLE]);
	mysql_free_result(result);
}

void scratch_check_plan(MYSQL *mysql, enum statement_id id, const char *text)
{
	MYSQL_RES *result = plan_of(mysql, id, text);
	MYSQL_ROW row;

	while ((row = mysql_fetch_row(result)) != NULL) {
		const char *type = row[PLAN_TYPE] != NULL ? row[PLAN_TYPE] : "const";
		const char *extra = row[PLAN_EXTRA] != NULL ? row[PLAN_EXTRA] : "";

		ck_assert_msg(strcmp(type, "ALL") != 0 && strcmp(type, "index") != 0,
			      "%s reads all of %s", statement_row(id)->name, row[PLAN_TABLE]);
		ck_assert_msg(strstr(extra, "filesort") == NULL &&
				      strstr(extra, "temporary") == NULL,
			      "%s: %s", statement_row(id)->name, extra);
	}
	mysql_free_result(result);
}

long long scratch_rows_read(MYSQL *mysql)
{
	return scratch_number(mysql, "SELECT SUM(VARIABLE_VALUE) FROM "
				     "information_schema.SESSION_STATUS "
				     "WHERE VARIABLE_NAME LIKE 'HANDLER_READ_%'");
}
